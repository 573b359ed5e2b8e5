"""Sample clocks: what a task asks for, and the running clock that makes edges.

All times are integers of 10 ns, periods of the card's 100 MHz timebase.
"""

from dataclasses import dataclass
from functools import cache
from math import gcd

import numpy as np
from nidaqmx.constants import AcquisitionType, Edge, SampleTimingType
from numpy.typing import NDArray

TIMEBASE = 100_000_000
"""Hz."""
MIN_COMMON_STEP = 1000
"""Two clocks share steps of their greatest common divisor if that is at least this (10 us)."""

SAMPLE_CLOCK = SampleTimingType.SAMPLE_CLOCK.value
FINITE = AcquisitionType.FINITE.value
"""NI's numbers, looked up once: that of an enum's member costs more than a comparison."""

LONGEST_STEP = 2000
"""Plant steps are not longer than this if they can help it (20 us)."""


def divisor(rate: float) -> int:
    """Timebase periods in one sample period; NI rounds the rate up to the next possible one."""
    return max(1, int(TIMEBASE / rate * (1 + 1e-12)))


@dataclass
class Timing:
    """Sample timing of a task; `rate` in samples per second and channel."""

    kind: int = SampleTimingType.ON_DEMAND.value
    rate: float = 1000.0
    source: str = ""
    edge: int = Edge.RISING.value
    mode: int = FINITE
    samples: int = 1000

    @property
    def hardware(self) -> bool:
        """Whether a sample clock times the task."""
        return self.kind == SAMPLE_CLOCK

    @property
    def finite(self) -> bool:
        """Whether the task ends after `samples` samples."""
        return self.mode == FINITE

    @property
    def period(self) -> int:
        """Sample period in timebase periods."""
        return divisor(self.rate)

    @property
    def coerced_rate(self) -> float:
        """The rate the hardware can make."""
        return TIMEBASE / self.period


Edges = range | NDArray[np.int64]
"""Step numbers, ascending; a range where every step ends on an edge."""


def edges_before(edges: Edges, step: int) -> Edges:
    """The edges of earlier steps."""
    if isinstance(edges, range):
        return edges[: max(step - edges.start, 0)]
    return edges[: edges.searchsorted(step)]


def edges_at(edges: Edges, step: int) -> Edges:
    """The edges of one step."""
    if isinstance(edges, range):
        return edges[step - edges.start :][:1] if step in edges else edges[:0]
    return edges[edges == step]


@dataclass
class Clock:
    """A running sample clock of one subsystem."""

    period: int
    due: int
    """Time of the next edge."""

    def edges(self, now: int, step: int, n: int) -> Edges:
        """Which of the next `n` steps end on an edge: ascending step numbers from 0.

        An edge that falls inside a step is taken at that step's end.
        """
        first = -((now - self.due) // step) - 1
        if self.period == step:
            return range(max(first, 0), n)
        count = max(0, (now + n * step - self.due) // self.period + 1)
        times = self.due + self.period * np.arange(count, dtype=np.int64)
        return np.maximum(-((now - times) // step) - 1, 0)

    def advance(self, now: int) -> None:
        """Move `due` past `now`."""
        if self.due <= now:
            self.due += self.period * ((now - self.due) // self.period + 1)


@cache
def common_step(periods: frozenset[int]) -> int:
    """Length of a plant step that serves clocks of these periods.

    Slow clocks are cut into steps of at most `LONGEST_STEP`, if they divide evenly, so that
    time can also pass by less than a sample.
    """
    step = gcd(*periods)
    if step < MIN_COMMON_STEP:
        step = min(periods)
    if step <= LONGEST_STEP:
        return step
    shorter = (d for d in range(LONGEST_STEP, MIN_COMMON_STEP // 2, -1) if step % d == 0)
    return next(shorter, step)
