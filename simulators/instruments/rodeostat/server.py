"""Serves a Rodeostat over TCP and a pseudo-terminal."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from simulators.cellport import CellPort
from simulators.instruments.faults import Fault
from simulators.instruments.link import Link
from simulators.instruments.rodeostat.device import Device


class Config(Protocol):
    """What the server asks of a configuration, such as `PotentiostatConfig`."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def pty(self) -> Path | None: ...

    @property
    def faults(self) -> Sequence[Fault]: ...


class Server:
    """A device with its link; a context manager that leaves no thread behind."""

    def __init__(self, port: CellPort, config: Config) -> None:
        self.device = Device(port)
        self.link = Link(
            self.device,
            host=config.host,
            port=config.port,
            pty=config.pty,
            faults=config.faults,
            counted=lambda data: data.startswith(b'{"t":'),
        )

    @property
    def address(self) -> str:
        """ "tcp host:port"."""
        return self.link.address

    @property
    def pty(self) -> Path | None:
        """Stable name of the pseudo-terminal, if there is one."""
        return self.link.pty

    def __enter__(self) -> Self:
        self.link.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.link.__exit__(kind, error, trace)


def serve(port: CellPort, config: Config) -> Server:
    """Serve an instrument on `port` while the context lasts."""
    return Server(port, config)
