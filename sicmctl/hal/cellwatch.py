"""Sees on the host when a step has met one of its end conditions."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from .capabilities import F64
from .cell import Until

_SPAN = 10
"""Samples over which the rate of the potential is taken."""


@dataclass
class CellWatch:
    """Follows one step, sample by sample.

    charge: passed since the step began, C, by the trapezoidal rule.
    """

    until: tuple[Until, ...]
    charge: float = 0.0
    _last: tuple[float, float] | None = None
    _recent: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_SPAN))

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
        self._recent.append((t, e))

    def _met(self, until: Until, e: float, i: float) -> bool:
        match until.quantity:
            case "potential":
                value = e
            case "current":
                value = i
            case "charge":
                value = self.charge
            case "potential rate":
                if len(self._recent) < _SPAN:
                    return False  # too few to tell a slope from noise
                value = self._rate()
        if until.magnitude:
            value = abs(value)
        return value >= until.value if until.side == "above" else value <= until.value

    def _rate(self) -> float:
        """Slope of a straight line through the last potentials, V/s."""
        t, e = np.array(self._recent).T
        t = t - t.mean()
        return float(t @ (e - e.mean()) / (t @ t))
