"""A virtual potentiostat with its cell, served as its own firmware would be."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from simulators.cellconfig import PotentiostatConfig
from simulators.clocks import Clock, FollowClock, FreeClock, LeashClock, SkipClock, WallClock
from simulators.frontend import FrontEnd
from simulators.instruments import keithley, methodscript, rodeostat
from simulators.instruments.scpi import server as scpi


class _Heard:
    """An instrument whose clock hears of each word that a client says to it."""

    def __init__(self, instrument: scpi.Instrument, clock: LeashClock) -> None:
        self._instrument, self._clock = instrument, clock

    @property
    def time(self) -> float:
        return self._instrument.time

    def session(self, send: Callable[[bytes], None]) -> scpi.Receiver:
        session, clock = self._instrument.session(send), self._clock

        class Session:
            def receive(self, data: bytes) -> None:
                clock.heard()
                session.receive(data)

        return Session()

    def power_cycle(self) -> None:
        self._instrument.power_cycle()

    def overload(self, duration: float) -> None:
        self._instrument.overload(duration)

    def close(self) -> None:
        self._instrument.close()


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
    its host can time an open circuit. A Keithley does not know when to end a step.
    """
    if config.clock == "free" or config.model == "analog":
        return FreeClock()
    if beside_card:
        return FollowClock()
    if mode == "realtime":
        return WallClock()
    if config.model == "rodeostat":
        return SkipClock()
    return LeashClock() if config.model.startswith("keithley-") else FreeClock()


@contextmanager
def serve(front: FrontEnd, config: PotentiostatConfig, realtime: bool) -> Iterator[Served]:
    """Serve an instrument of the configured model while the context lasts."""
    if config.model.startswith("keithley-"):
        with keithley.serve(front, config) as smu:
            if isinstance(front.clock, LeashClock):
                smu.instrument = _Heard(smu.instrument, front.clock)
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
