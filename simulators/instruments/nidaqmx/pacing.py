"""How card time passes: with the samples a client consumes (lockstep) or with the wall clock."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Protocol

from simulators.instruments.nidaqmx.engine import Engine
from simulators.instruments.nidaqmx.task import Missing
from simulators.instruments.nidaqmx.timing import TIMEBASE

YIELD = 1e-4
"""Seconds of real time for which a long wait steps aside."""

Alive = Callable[[], bool]
"""Whether the client still waits for the answer."""


class Pacing(Protocol):
    """Lets card time pass. All methods but `close` are called with the card's lock held."""

    driven: bool
    """Whether time stands still unless a client asks for something."""

    def attach(self, engine: Engine, lock: threading.Condition) -> None:
        """Take charge of a card's time."""
        ...

    def actuate(self) -> None:
        """A start, stop or write is about to take effect."""
        ...

    def poll(self) -> None:
        """A call asks for a count, a state or an on-demand sample."""
        ...

    def deliver(self) -> None:
        """A call has handed samples to the client."""
        ...

    def wait(self, missing: Missing, timeout: float, alive: Alive) -> bool:
        """Let time pass until `missing()` is 0; False after `timeout` s (< 0: never)."""
        ...

    def close(self) -> None:
        """End."""
        ...


@dataclass(frozen=True)
class Host:
    """A program's computer as lockstep models it; seconds."""

    reaction: float = 1e-3
    """From delivered samples to the effect of the first command that follows."""
    jitter: float = 0.3e-3
    """Standard deviation of `reaction`."""
    call: float = 0.1e-3
    """Of any other call."""


class Lockstep:
    """Time advances only as a client consumes samples, waits, polls or commands.

    The same seed and the same calls give the same bits.
    """

    driven = True

    def __init__(self, host: Host | None = None, seed: int = 1) -> None:
        self.host = host or Host()
        self._random = random.Random(seed)
        self._news = False

    def attach(self, engine: Engine, lock: threading.Condition) -> None:
        self._engine = engine
        self._lock = lock

    def actuate(self) -> None:
        self._spend(self._draw() if self._news else self.host.call)
        self._news = False

    def poll(self) -> None:
        self._spend(self.host.call)

    def deliver(self) -> None:
        self._news = True

    def wait(self, missing: Missing, timeout: float, alive: Alive) -> bool:
        engine = self._engine
        deadline = None if timeout < 0 else engine.now + round(timeout * TIMEBASE)
        need = missing()
        while need:
            if deadline is not None and engine.now >= deadline:
                return False
            target = engine.now + need
            target = target if deadline is None else min(target, deadline)
            engine.advance(target)
            need = missing()
            # time alone did not help: let another call in, perhaps it brings what is waited for
            if need and engine.now >= target:
                self._lock.wait(YIELD)
                if not alive():
                    return False
                need = missing()
        return True

    def close(self) -> None:
        pass

    def slow_down(self, reaction: float) -> None:
        """Let the host take another time to react from now on, s."""
        self.host = replace(self.host, reaction=reaction)

    def _draw(self) -> float:
        """A reaction time: normal, truncated to > 0."""
        while self.host.reaction > 0:
            seconds = self._random.gauss(self.host.reaction, self.host.jitter)
            if seconds > 0:
                return seconds
        return 0.0

    def _spend(self, seconds: float) -> None:
        until = self._engine.now + round(seconds * TIMEBASE)
        while self._engine.now < until:
            self._engine.advance(until)


class Realtime:
    """A thread moves card time along with the wall clock, in small slices.

    If the plant cannot keep up, card time falls behind for good rather than leaping.
    """

    driven = False

    def __init__(self, slice_: float = 2e-3, longest_lag: float = 0.25) -> None:
        self._slice = slice_
        self._longest_lag = longest_lag
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="card clock", daemon=True)

    def attach(self, engine: Engine, lock: threading.Condition) -> None:
        self._engine = engine
        self._lock = lock
        self._origin = monotonic() - engine.now / TIMEBASE
        self._thread.start()

    def actuate(self) -> None:
        self._catch_up()

    def poll(self) -> None:
        self._catch_up()

    def deliver(self) -> None:
        pass

    def wait(self, missing: Missing, timeout: float, alive: Alive) -> bool:
        deadline = None if timeout < 0 else monotonic() + timeout
        while missing():
            if not alive() or self._stop.is_set():
                return False
            left = 0.1 if deadline is None else min(0.1, deadline - monotonic())
            if left <= 0:
                return False
            self._lock.wait(left)
        return True

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _catch_up(self) -> None:
        lag = monotonic() - self._origin - self._engine.now / TIMEBASE
        if lag > self._longest_lag:
            self._origin += lag - self._longest_lag
        until = round((monotonic() - self._origin) * TIMEBASE)
        while self._engine.now < until:
            self._engine.advance(until)

    def _run(self) -> None:
        while not self._stop.wait(self._slice):
            with self._lock:
                self._catch_up()
                self._lock.notify_all()
