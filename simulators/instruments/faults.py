"""What can go wrong between an instrument and its client, and when."""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Protocol

NOISE = 16
"""Bytes of garbage."""


class Fault(Protocol):
    """Something that goes wrong once: at a time, or after so many packages."""

    @property
    def kind(self) -> str:
        """garbage, truncate, silence, unplug, reboot, overload or slow."""
        ...

    @property
    def at(self) -> float | None: ...

    @property
    def after(self) -> int | None: ...

    @property
    def duration(self) -> float: ...


class Faults:
    """Spoils output where a fault is due. clock: the instrument's, s."""

    def __init__(
        self,
        planned: Sequence[Fault],
        clock: Callable[[], float],
        counted: Callable[[bytes], bool],
        seed: int = 1,
    ) -> None:
        self._planned = list(planned)
        self._clock = clock
        self._counted = counted
        self._count = 0
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._once: list[str] = []
        self._silent_until: tuple[float, float] | None = None
        self._slow: tuple[float, float] | None = None

    def begin(self, fault: Fault) -> None:
        """Let a fault of the byte stream happen from now on."""
        if fault.kind == "silence":
            self._silent_until = (self._clock() + fault.duration, monotonic() + fault.duration)
        elif fault.kind == "slow":
            self._slow = (fault.duration, self._clock())
        else:
            self._once.append(fault.kind)

    @property
    def deaf(self) -> bool:
        """Whether the instrument neither hears nor speaks."""
        if self._silent_until is None:
            return False
        of_clock, of_wall = self._silent_until
        if self._clock() >= of_clock or monotonic() >= of_wall:
            self._silent_until = None
            return False
        return True

    def due(self, data: bytes) -> list[Fault]:
        """The faults whose moment is there when `data` is to be sent."""
        with self._lock:
            counts = self._counted(data)
            found = [f for f in self._planned if self._is_due(f, counts)]
            self._planned = [f for f in self._planned if f not in found]
            self._count += counts
            return found

    def _is_due(self, fault: Fault, counts: bool) -> bool:
        if fault.at is not None:
            return self._clock() >= fault.at
        return counts and fault.after is not None and self._count >= fault.after

    def spoil(self, data: bytes) -> Iterator[tuple[float, bytes]]:
        """Pieces of what is really sent, each with how late it comes (s)."""
        if self.deaf:
            return
        kind = self._once.pop(0) if self._once else ""
        if kind == "garbage":
            data = bytes(self._random.randrange(256) for _ in range(NOISE)) + data
        elif kind == "truncate":
            data = data[: len(data) // 2]
        yield (self._slow[0] if self._slow else 0.0), data
