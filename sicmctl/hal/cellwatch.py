"""Sees on the host when a step has met one of its end conditions."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from .capabilities import F64
from .cell import Until

BINS = 10
"""Averages through which a rate of the potential is taken."""
_TOLD = 30e-6
"""Change of potential that is safely told from noise, V: a rate is taken over the time in which a
drift of the condition's own size makes it, or else a passing wiggle would meet the condition."""
_LONGEST = 3600.0
"""Time over which a rate is taken at most, s."""


def rate_span(until: Until) -> float:
    """Time over which the rate is taken that a condition speaks of, s."""
    return min(_TOLD / abs(until.value), _LONGEST) if until.value else _LONGEST


@dataclass
class CellWatch:
    """Follows one step, sample by sample.

    charge: passed since the step began, C, by the trapezoidal rule.
    """

    until: tuple[Until, ...]
    charge: float = 0.0
    _last: tuple[float, float] | None = None
    _slopes: dict[Until, "_Slope"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for until in self.until:
            if until.quantity == "potential rate":
                self._slopes[until] = _Slope(rate_span(until) / BINS)

    def see(self, time: F64, potential: F64, current: F64) -> tuple[int, Until] | None:
        """Take in samples; return the index of the first that meets a condition, and which.

        Shapes (n,); s, V, A. Samples after that one are not taken in.
        """
        for k, (t, e, i) in enumerate(zip(time, potential, current, strict=True)):
            self._count(float(t), float(e), float(i))
            for until in self.until:
                if self._met(until, float(e), float(i)):
                    return k, until
        return None

    def _count(self, t: float, e: float, i: float) -> None:
        if self._last is not None:
            before, current = self._last
            self.charge += 0.5 * (current + i) * (t - before)
        self._last = t, i
        for slope in self._slopes.values():
            slope.see(t, e)

    def _met(self, until: Until, e: float, i: float) -> bool:
        match until.quantity:
            case "potential":
                value = e
            case "current":
                value = i
            case "charge":
                value = self.charge
            case "potential rate":
                rate = self._slopes[until].rate
                if rate is None:
                    return False  # too early to tell a slope from noise
                value = rate
        if until.magnitude:
            value = abs(value)
        return value >= until.value if until.side == "above" else value <= until.value


@dataclass
class _Slope:
    """Slope of the potential through the last averages, each over at least `width` s.

    rate: V/s; None before there are enough of them.
    """

    width: float
    rate: float | None = None
    _bins: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=BINS))
    _begin: float = 0.0
    _count: int = 0
    _time: float = 0.0
    _potential: float = 0.0

    def see(self, t: float, e: float) -> None:
        """Take in one sample, s, V."""
        if self._count and t - self._begin >= self.width:
            self._close()
        if not self._count:
            self._begin = t
        self._count += 1
        self._time += t - self._begin
        self._potential += e

    def _close(self) -> None:
        mean = self._begin + self._time / self._count, self._potential / self._count
        self._bins.append(mean)
        self._count, self._time, self._potential = 0, 0.0, 0.0
        if len(self._bins) == BINS:
            t, e = np.array(self._bins).T
            t = t - t.mean()
            self.rate = float(t @ (e - e.mean()) / (t @ t))
