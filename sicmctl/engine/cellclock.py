"""What tells the time while a cell is worked: the computer's clock, or the card's samples."""

import threading
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Protocol, Self

from sicmctl.hal.capabilities import Block
from sicmctl.hal.timeline import Stamp, Timeline

_BLOCK = 0.05
"""Seconds of samples that are read at a time."""


class CellClock(Protocol):
    """The time of the run."""

    def now(self) -> Stamp:
        """Return the present moment. Raises what made the clock stop."""
        ...

    def saw(self, time: float) -> None:
        """Take note that something has happened at that time, s. Raises as `now` does."""
        ...


class HostClock:
    """Steady seconds since the run began, on the computer's clock.

    It never falls behind the data: an instrument's clock may be the faster one, that of a virtual
    instrument by far, and what comes later must be later.
    """

    def __init__(self) -> None:
        self._zero = monotonic()

    def now(self) -> Stamp:
        return Stamp(monotonic() - self._zero)

    def saw(self, time: float) -> None:
        self._zero = min(self._zero, monotonic() - time)


class StreamClock:
    """The card's samples, read on while the context lasts so that none is lost.

    read: reads the stream for some seconds.
    """

    def __init__(self, read: Callable[[float], Block], rate: float) -> None:
        self._read, self._timeline = read, Timeline(rate)
        self._seen = read(_BLOCK)
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._follow, name="stream clock", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def now(self) -> Stamp:
        """The present lies within the block that is being read."""
        self._check()
        seen = self._seen
        return self._timeline.stamp_block(seen.first + len(seen), len(seen))

    def saw(self, time: float) -> None:
        """Samples alone make the time; but if they have ceased, so does what runs beside them."""
        self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _follow(self) -> None:
        try:
            while not self._over.is_set():
                self._seen = self._read(_BLOCK)
        except BaseException as error:  # handed to whoever asks for the time
            self._error = error
