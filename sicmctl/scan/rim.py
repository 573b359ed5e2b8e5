"""Tells a rim that rests on an edge from a tip that nears a surface.

Where the tip is above a surface, the drop of its current says how far: `z - gap(drop)` is where
the surface seems to be, and stays there while the tip falls. A rim that meets an edge beside the
opening stops the current's fall but not the tip's, so that the surface seems to move away as fast
as the tip comes. Some tens of nanometres of that tell it, before the tip has bent far.

Nor does an edge come unannounced. Even over the convex corner of a flake some of what surrounds the
opening is sample: the current is down by no less than a sixth of what a flat one would cost it at
the same distance. A current that is hardly down at all therefore leaves the tip room to fall. Both
were found on, and are held against, rough samples of the virtual rig (`benchmarks/rims.py`).
"""

from dataclasses import dataclass, field

import numpy as np

from sicmctl.hal.capabilities import F64
from sicmctl.hal.hop import ApproachCurve

from .curve import Tip
from .noise import NoiseModel

_CORNER = 6.0
"""How many times further a current is down over a flat sample than over a corner, at most."""
_SHARE = 0.6
"""Share of the tip's fall by which a surface may seem to move away: slopes, permeable samples and
a tip that is wider than believed stretch the curve."""
_SURE, _LIKELY = 3.0, 2.0
"""Standard deviations of the noise allowed for: before a rim is told, and in a distance."""
_SPANS = (1.0, 1.5, 2.0, 3.0)
"""Windows apart at which two places of a fall are compared: the further, the less noise matters."""
_REACHES = (1.0, 2.0, 4.0)
"""Windows over which the current is averaged to tell the room below: noise against nearness."""
_WINDOW_RADII = 1.2
"""The window in inner radii."""
_FIRST_RADII = 4.0
"""No rim rests on an edge before the current is down as at this gap over a flat sample, radii."""
_PARTS = 3
"""Chunks that half a window is cut into."""
_BRIEFEST, _LONGEST = 0.1e-3, 0.5e-3
"""Length of a chunk, at least and at most, s."""


@dataclass(frozen=True, slots=True)
class TipCurve:
    """The `ApproachCurve` of a tip's current over a flat sample.

    current: A, far from the sample. bandwidth: of the amplifier, Hz. quiet: fractional drop below
    which noise may pass for anything.
    """

    tip: Tip
    noise: NoiseModel
    current: float
    bandwidth: float
    quiet: float = 0.0

    @property
    def window(self) -> float:
        return _WINDOW_RADII * self.tip.inner_radius

    @property
    def least(self) -> float:
        return max(float(self.tip.drop(_FIRST_RADII * self.tip.inner_radius)), self.quiet)

    def gap(self, drop: float) -> float:
        return float(self.tip.gap(max(drop, 0.0)))

    def blur(self, seconds: float) -> float:
        return self.noise.of_mean(seconds, self.bandwidth) / abs(self.current)


@dataclass(slots=True)
class Rim:
    """Follows one fall. reference: |current| at the top, A, averaged for so many seconds.

    chunk: samples that are averaged at once.
    """

    curve: ApproachCurve
    reference: float
    reference_time: float
    rate: float
    chunk: int
    _least: float = field(init=False)
    _drop: F64 = field(default_factory=lambda: np.empty(0))
    _z: F64 = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        self._least = self.curve.least

    @classmethod
    def of(
        cls,
        curve: ApproachCurve,
        reference: float,
        reference_time: float,
        rate: float,
        speed: float,
    ) -> "Rim":
        """Follow a fall at a rate, m/s."""
        seconds = np.clip(curve.window / 2 / _PARTS / speed, _BRIEFEST, _LONGEST)
        return cls(curve, reference, reference_time, rate, max(round(seconds * rate), 1))

    def see(self, current: F64, z: F64) -> None:
        """Take in a block: the magnitude of the current without hum, A, and z, m; shape (n,)."""
        parts = max(round(len(current) / self.chunk), 1)
        edges = np.arange(parts) * len(current) // parts
        sizes = np.diff(edges, append=len(current))
        drop = 1 - np.add.reduceat(current, edges) / sizes / self.reference
        self._drop = np.concatenate((self._drop, drop))
        self._z = np.concatenate((self._z, np.add.reduceat(z, edges) / sizes))

    @property
    def room(self) -> float:
        """How far below the tip the nearest edge is at least, by the present current, m."""
        curve, blur = self.curve, self.curve.blur(self.reference_time)
        if not len(self._z):
            return curve.gap(_CORNER * _LIKELY * blur)
        if self._begun:
            return 0.0
        return max(self._room(way * curve.window, blur) for way in _REACHES)

    def _room(self, reach: float, blur: float) -> float:
        """The same, by the mean current over the last `reach` (m) of the fall."""
        bottom = float(self._z[-1])
        drop, z, noise = self._mean(self._z <= bottom + reach)
        down = max(drop, 0.0) + _LIKELY * float(np.hypot(noise, blur))
        return max(self.curve.gap(_CORNER * down) - (z - bottom), 0.0)

    @property
    def rests(self) -> bool:
        """Whether the tip has lately fallen further than its current accounts for."""
        if not len(self._z) or not self._begun:
            return False
        window, bottom = self.curve.window, float(self._z[-1])
        for way in np.array(_SPANS) * window:
            above = self._z - bottom
            now, then = above <= way / 2, (above >= way) & (above <= 1.5 * way)
            if np.any(then) and self._ran_away(self._mean(then), self._mean(now)):
                return True
        return False

    @property
    def _begun(self) -> bool:
        """Whether the current is down so far that a rim may rest by now."""
        return float(self._drop[-_PARTS:].mean()) > self._least

    def _mean(self, which: np.ndarray) -> tuple[float, float, float]:
        """Mean drop and mean z (m) of some chunks, and the noise of that drop."""
        seconds = np.count_nonzero(which) * self.chunk / self.rate
        return (
            float(self._drop[which].mean()),
            float(self._z[which].mean()),
            self.curve.blur(seconds),
        )

    def _ran_away(self, then: tuple[float, float, float], now: tuple[float, float, float]) -> bool:
        """Whether the surface seems to have moved away, beyond the noise."""
        if then[0] < self._least:
            return False
        fell = then[1] - now[1]
        moved = (then[1] - self.curve.gap(then[0])) - (now[1] - self.curve.gap(now[0]))
        doubt = float(np.hypot(self._doubt(then), self._doubt(now)))
        return moved > _SHARE * fell + _SURE * doubt

    def _doubt(self, mean: tuple[float, float, float]) -> float:
        """Standard deviation of a gap told by a mean drop, m."""
        drop, _, noise = mean
        nearer, further = self.curve.gap(drop + noise), self.curve.gap(max(drop - noise, noise))
        return (further - nearer) / 2
