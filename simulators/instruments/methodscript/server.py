"""Serves a virtual instrument over TCP and a pseudo-terminal."""

from typing import Protocol

from simulators.cellport import CellPort
from simulators.instruments.linked import LinkConfig, LinkedServer
from simulators.instruments.methodscript.device import Device


class Config(LinkConfig, Protocol):
    """What the server asks of a configuration, such as `PotentiostatConfig`."""

    @property
    def model(self) -> str:
        """One of `KINDS`."""
        ...

    @property
    def serial_number(self) -> str: ...


class Server(LinkedServer):
    """A MethodSCRIPT device on its link."""

    def __init__(self, port: CellPort, config: Config, realtime: bool = False) -> None:
        self.device = Device(port, config.model, config.serial_number, realtime)
        super().__init__(self.device, config, lambda data: data.startswith(b"P"))


def serve(port: CellPort, config: Config, realtime: bool = False) -> Server:
    """Serve an instrument on `port` while the context lasts.

    realtime: whether it is deaf for a moment after an error, as real ones are.
    """
    return Server(port, config, realtime)
