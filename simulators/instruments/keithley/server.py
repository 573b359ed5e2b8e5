"""Serves a source-measure unit as a configuration describes it."""

from collections.abc import Sequence
from typing import Protocol

from simulators.cellport import CellPort
from simulators.instruments.faults import Fault
from simulators.instruments.keithley.output import Wiring
from simulators.instruments.keithley.smu import Smu
from simulators.instruments.scpi.server import Server


class Config(Protocol):
    """What the server asks of a configuration, such as `PotentiostatConfig`."""

    @property
    def model(self) -> str:
        """`keithley-2450` and the like."""
        ...

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def serial_number(self) -> str: ...

    @property
    def working_on(self) -> str:
        """Terminal of the working electrode: HI or LO."""
        ...

    @property
    def faults(self) -> Sequence[Fault]: ...


def serve(port: CellPort, config: Config) -> Server:
    """Serve an instrument on `port` while the context lasts."""
    model = config.model.removeprefix("keithley-")
    smu = Smu(port, model, Wiring(config.working_on), serial=config.serial_number)
    return Server(smu, host=config.host, port=config.port, faults=config.faults)
