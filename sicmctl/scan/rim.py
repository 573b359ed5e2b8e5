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

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from math import hypot
from typing import NamedTuple

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
        return self.tip.gap_at(max(drop, 0.0))

    def blur(self, seconds: float) -> float:
        return self.noise.of_mean(seconds, self.bandwidth) / abs(self.current)


@lru_cache(maxsize=256)
def _chunks(samples: int, chunk: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the chunks of a block begin, and their sizes: all of about one size, none left over."""
    parts = max(round(samples / chunk), 1)
    edges = np.arange(parts) * samples // parts
    return edges, np.diff(edges, append=samples)


class _Mean(NamedTuple):
    """Of some chunks: fractional drop, depth (m), and the noise of that drop."""

    drop: float
    depth: float
    noise: float


@dataclass(slots=True)
class Rim:
    """Follows one fall. reference: |current| at the top, A, and blur: its sd over itself.

    own: the sd that the average at this top alone has, over itself. chunk: samples that are
    averaged at once.
    """

    curve: ApproachCurve
    reference: float
    blur: float
    own: float
    rate: float
    chunk: int
    _least: float = field(init=False)
    _depth: list[float] = field(default_factory=list)
    """-z of each chunk so far, m: it rises as the tip falls."""
    _drops: list[float] = field(default_factory=lambda: [0.0])
    _depths: list[float] = field(default_factory=lambda: [0.0])
    """Sums of the drops and of the depths up to each chunk: of few numbers, and often asked for."""

    def __post_init__(self) -> None:
        self._least = self.curve.least

    @classmethod
    def of(
        cls,
        curve: ApproachCurve,
        reference: tuple[float, float],
        own: float,
        rate: float,
        speed: float,
    ) -> Rim:
        """Follow a fall at a rate, m/s. reference: and its sd, A. own: sd by this top alone, A."""
        level, sd = reference
        seconds = min(max(curve.window / 2 / _PARTS / speed, _BRIEFEST), _LONGEST)
        return cls(curve, level, sd / level, own / level, rate, max(round(seconds * rate), 1))

    def see(self, current: F64, z: F64) -> None:
        """Take in a block: the magnitude of the current without hum, A, and z, m; shape (n,)."""
        edges, sizes = _chunks(len(current), self.chunk)
        drop = 1 - np.add.reduceat(current, edges) / sizes / self.reference
        depth = (-np.add.reduceat(z, edges) / sizes).tolist()
        self._depth += depth
        self._drops += list(accumulate(drop.tolist(), initial=self._drops.pop()))
        self._depths += list(accumulate(depth, initial=self._depths.pop()))

    @property
    def places(self) -> F64:
        """z of each chunk, m, shape (n,)."""
        return -np.array(self._depth)

    @property
    def room(self) -> float:
        """How far below the tip the nearest edge is at least, by the present current, m."""
        curve = self.curve
        if not self._depth:
            # what the tops of other hops tell says nothing of an edge near this one
            return curve.gap(_CORNER * _LIKELY * self.own)
        if self._begun:
            return 0.0
        return max(self._room(way * curve.window) for way in _REACHES)

    def _room(self, reach: float) -> float:
        """The same, by the mean current over the last `reach` (m) of the fall."""
        bottom = self._depth[-1]
        mean = self._mean(bisect_left(self._depth, bottom - reach), len(self._depth))
        down = max(mean.drop, 0.0) + _LIKELY * hypot(mean.noise, self.blur)
        return max(self.curve.gap(_CORNER * down) - (bottom - mean.depth), 0.0)

    @property
    def rests(self) -> bool:
        """Whether the tip has lately fallen further than its current accounts for."""
        depth = self._depth
        if not depth or not self._begun:
            return False
        window, bottom = self.curve.window, depth[-1]
        for way in (span * window for span in _SPANS):
            first = bisect_left(depth, bottom - 1.5 * way)
            last = bisect_right(depth, bottom - way)
            if first < last:
                now = self._mean(bisect_left(depth, bottom - way / 2), len(depth))
                if self._ran_away(self._mean(first, last), now):
                    return True
        return False

    @property
    def _begun(self) -> bool:
        """Whether the current is down so far that a rim may rest by now."""
        last = len(self._depth)
        first = max(last - _PARTS, 0)
        return self._drops[last] - self._drops[first] > self._least * (last - first)

    def _mean(self, first: int, last: int) -> _Mean:
        """The mean of the chunks from the first to before the last."""
        chunks = last - first
        return _Mean(
            (self._drops[last] - self._drops[first]) / chunks,
            (self._depths[last] - self._depths[first]) / chunks,
            self.curve.blur(chunks * self.chunk / self.rate),
        )

    def _ran_away(self, then: _Mean, now: _Mean) -> bool:
        """Whether the surface seems to have moved away, beyond the noise."""
        if then.drop < self._least:
            return False
        fell = now.depth - then.depth
        moved = fell + self.curve.gap(now.drop) - self.curve.gap(then.drop)
        doubt = hypot(self._doubt(then), self._doubt(now))
        return moved > _SHARE * fell + _SURE * doubt

    def _doubt(self, mean: _Mean) -> float:
        """Standard deviation of a gap told by a mean drop, m."""
        nearer = self.curve.gap(mean.drop + mean.noise)
        further = self.curve.gap(max(mean.drop - mean.noise, mean.noise))
        return (further - nearer) / 2
