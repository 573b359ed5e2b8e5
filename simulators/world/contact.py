"""What a contact between tip and sample may do to the tip.

A contact of depth p that began at speed v breaks the tip with the probability
1 - exp(-(p - p0)/p1 (1 + v/v1)); p0 is larger where the tip can slide aside. All are free
choices: no measurement of a nanopipette's breaking was found.
"""

import math
from dataclasses import dataclass

import numpy as np

from simulators.world.rng import uniform

_FRONTAL, _OBLIQUE, _SCALE, _SPEED = 100e-9, 300e-9, 200e-9, 200e-6
_SLOPE_OF_OBLIQUE = math.tan(math.radians(15))
_CLOG_CHANCE, _CLOG_STAYS = 0.3, 0.1


@dataclass
class Contact:
    """A contact under way; `number` and `key` say where its random numbers come from."""

    key: np.uint64
    number: int
    start: float
    x: float
    y: float
    speed: float
    oblique: bool
    breaks_at: float = math.inf
    """Depth (m)."""
    broke: bool = False

    @classmethod
    def begin(
        cls, key: np.uint64, number: int, *, start: float, x: float, y: float, speed: float,
        steepness: float,
    ) -> "Contact":  # fmt: skip
        """Start (s), place (m), speed (m/s) towards the sample, slope up to the touching point."""
        contact = cls(key, number, start, x, y, speed, steepness > _SLOPE_OF_OBLIQUE)
        luck = -math.log(draw(key, number, 1))
        contact.breaks_at = contact.spared + luck * _SCALE / (1 + speed / _SPEED)
        return contact

    @property
    def spared(self) -> float:
        """Depth (m) up to which nothing breaks."""
        return _OBLIQUE if self.oblique else _FRONTAL

    def snap(self) -> float:
        """Break the tip: the length that comes off (m), 0.2-3 um. The next break is deeper."""
        self.broke = True
        self.breaks_at += _SCALE
        return 0.2e-6 * 15 ** draw(self.key, self.number, 2)

    def clog(self, depth: float) -> tuple[float, bool]:
        """Share of the opening that a contact of this depth (m) blocked, and whether it stays."""
        chance = draw(self.key, self.number, 3)
        if self.broke or depth <= self.spared or chance >= _CLOG_CHANCE:
            return 0.0, False
        share = 0.05 + 0.45 * draw(self.key, self.number, 4)
        return share, draw(self.key, self.number, 5) < _CLOG_STAYS


def leak_gap(key: np.uint64, number: int) -> float:
    """Gap (m) under a touching rim in contact `number`: 1-3 nm."""
    return (1 + 2 * draw(key, number, 0)) * 1e-9


def draw(key: np.uint64, number: int, which: int) -> float:
    """One of the random numbers of contact `number`, uniform in (0, 1)."""
    return uniform(key, np.uint64(16 * number + which))
