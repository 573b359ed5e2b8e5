"""A virtual potentiostat with its cell, served as its own firmware would be."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from simulators.cellconfig import PotentiostatConfig
from simulators.clocks import Clock, FollowClock, FreeClock, SkipClock, WallClock
from simulators.frontend import FrontEnd
from simulators.instruments import keithley, methodscript, rodeostat


@dataclass(frozen=True)
class Served:
    """A potentiostat that can be reached.

    address: host:port. resource: the same as drivers take it; that of the pseudo-terminal if
    there is one.
    """

    address: str
    pty: Path | None
    resource: str


def clock_for(
    config: PotentiostatConfig, mode: Literal["lockstep", "realtime"], beside_card: bool
) -> Clock:
    """The clock of a potentiostat: that of the laboratory, unless it is to run free.

    An analog one has none; the card moves it on. A Rodeostat's tests run on their own, but only
    its host can time an open circuit.
    """
    if config.clock == "free" or config.model == "analog":
        return FreeClock()
    if beside_card:
        return FollowClock()
    if mode == "realtime":
        return WallClock()
    return SkipClock() if config.model == "rodeostat" else FreeClock()


@contextmanager
def serve(front: FrontEnd, config: PotentiostatConfig, realtime: bool) -> Iterator[Served]:
    """Serve an instrument of the configured model while the context lasts."""
    if config.model.startswith("keithley-"):
        with keithley.serve(front, config) as smu:
            host, port = smu.address.rsplit(":", 1)
            yield Served(smu.address, None, f"TCPIP0::{host}::{port}::SOCKET")
        return
    make: Callable[[], methodscript.Server | rodeostat.Server] = (
        (lambda: rodeostat.serve(front, config))
        if config.model == "rodeostat"
        else (lambda: methodscript.serve(front, config, realtime))
    )
    with make() as server:
        address = server.address.removeprefix("tcp ")
        yield Served(address, server.pty, str(server.pty or f"socket://{address}"))
