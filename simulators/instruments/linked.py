"""An instrument together with its link: what all servers of one-cable instruments share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from simulators.instruments.faults import Fault
from simulators.instruments.link import Instrument, Link


class LinkConfig(Protocol):
    """What a link asks of a configuration, such as `PotentiostatConfig`."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def pty(self) -> Path | None: ...

    @property
    def faults(self) -> Sequence[Fault]: ...


class LinkedServer:
    """An instrument with its link; a context manager that leaves no thread behind.

    counted: which output counts for faults that come after so many packages.
    """

    def __init__(
        self, instrument: Instrument, config: LinkConfig, counted: Callable[[bytes], bool]
    ) -> None:
        self.link = Link(
            instrument,
            host=config.host,
            port=config.port,
            pty=config.pty,
            faults=config.faults,
            counted=counted,
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
