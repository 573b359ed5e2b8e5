"""How high to start, how deep to go, and how high is safe to pass: from what was measured.

A rough sample must never be met sideways: a hop starts at the highest surface measured nearby plus
the hop amplitude, and the tip moves sideways only above everything known along its way. An adaptive
hop starts lower where the surface has lately held no surprises.
"""

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from sicmctl.hal.capabilities import F64
from sicmctl.hal.limits import Interval

from .places import Places, same_place

_LONG_WAY = 2.0
"""A way of more than so many reaches is long."""


_RESERVE = 1.5
"""Clearance in units of the largest surprise."""
_LEARNT = 60
"""Hops before surprises are believed to tell what is to come."""
_AHEAD = 0.3e-6
"""Height above the highest surface nearby at which the host begins to look, at least, m."""

_Way = tuple[float, float, tuple[float, float] | None]
"""To x, y from another place, m."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The heights of one hop, m.

    start: of the ramp. floor: its end. clear: free height on the way. expected: highest surface
    nearby. look_from: no surface is to be expected above it. slow_from: the ramp may be fast above
    it. None where nothing is known.
    """

    start: float
    floor: float
    clear: float
    expected: float | None = None
    look_from: float | None = None
    slow_from: float | None = None


@dataclass
class Surprises:
    """How far surfaces rose above what was known around them: what the next one may do too.

    amplitude: of the hops, m; no clearance is larger, nor smaller than half of it. least: below
    that much over a surface the reference current would feel it, m. memory: hops remembered.
    """

    amplitude: float
    least: float
    memory: int
    _recent: deque[float] = field(init=False)
    _seen: int = 0

    def __post_init__(self) -> None:
        self._recent = deque(maxlen=self.memory)

    def add(self, rise: float) -> None:
        """Take in by how much a surface rose above all that was known near it, m."""
        self._recent.append(rise)
        self._seen += 1

    @property
    def highest(self) -> float:
        return max(self.amplitude, self.least)

    @property
    def lowest(self) -> float:
        return max(self.amplitude / 2, self.least)

    @property
    def largest(self) -> float:
        """Largest rise of late, m."""
        return max(0.0, *self._recent) if self._seen >= _LEARNT else self.highest

    @property
    def clearance(self) -> float:
        """Height over all that is known at which to move sideways and to start, m."""
        return min(max(_RESERVE * self.largest, self.lowest), self.highest)

    @property
    def slow(self) -> float:
        """Height over all that is known nearby from which on to fall slowly, m."""
        return max(self.clearance / 3, self.least / 2)


@dataclass
class HeightPlanner:
    """Remembers measured surface heights (z at the stop) and plans hops from them.

    travel: of the z axis. amplitude: hop amplitude, m. depth: how far below the lowest neighbour
    the ramp may run. reach: radius within which a measured point counts as a neighbour.
    clearance: free height over everything known when moving sideways.
    """

    travel: Interval
    amplitude: float
    depth: float
    reach: float
    clearance: float
    coarse: "HeightPlanner | None" = None
    """A coarse raster measured before; its points are known with its own, wider reach."""
    surprises: Surprises | None = None
    """Learnt on the way, so that hops start as low as is safe; without, all start alike."""
    tilt: "HeightPlanner | None" = None
    """Knows the few places that tell the plane of the sample; it is expected where nothing else is
    known."""
    _bases: dict[tuple[int, int], float] = field(default_factory=dict)
    _places: Places = field(init=False)

    def __post_init__(self) -> None:
        self._places = Places(self.reach)

    def add(self, x: float, y: float, z: float) -> None:
        """Remember a measured height; a place measured again counts with its latest height."""
        base = self._bases.pop(same_place(x, y), None)
        if self.surprises is not None and base is not None:
            self.surprises.add(z - base)
        self._places.add(x, y, z)

    def rise(self, by: float) -> None:
        """Take the sample to have come nearer by so much since the heights were measured, m."""
        self._places.rise(by)
        self._bases = {place: base + by for place, base in self._bases.items()}
        if self.coarse is not None:
            self.coarse.rise(by)
        if self.tilt is not None:
            self.tilt.rise(by)

    def plan(self, x: float, y: float, came: tuple[float, float] | None, lift: float = 0.0) -> Plan:
        """Plan the hop at x, y when coming from `came`; None if that is not known.

        A short way is made above everything known along it, any other at the top of the travel.
        lift: additional start height, for an attempt after one that met the surface early.
        """
        near = self._places.near(x, y)
        around = self.coarse._around(x, y) if self.coarse is not None else np.empty(0)
        lowest = np.concatenate((near, around))
        if not len(lowest):
            return self._into_the_unknown(x, y, lift)
        floor = self.travel.clip(float(lowest.min()) - self.depth)
        short = came is not None and not self._is_far(x, y, came)
        if short and self.surprises is not None and len(near):
            plan = self._as_low_as_known((x, y, came), float(near.max()), floor)
            return replace(plan, start=self.travel.clip(plan.start + lift))
        start = max(
            float(near.max(initial=-np.inf)) + self.amplitude,
            float(around.max(initial=-np.inf)) + self.clearance,
        )
        start = self.travel.clip(start + lift)
        clear = self.travel.high
        if short:
            clear = min(max(self._highest_along(x, y, came)) + self.clearance, clear)
            start = max(start, clear)
        expected = float(near.max()) if len(near) else float(around.mean())
        look_from = min(expected + _AHEAD, start)
        return Plan(start, min(floor, start - self.amplitude), clear, expected, look_from)

    def _as_low_as_known(self, way: _Way, top: float, floor: float) -> Plan:
        """Start no higher than the surprises of the last rows ask for, and fall in two speeds.

        top: the highest surface nearby, m.
        """
        assert self.surprises is not None
        x, y, came = way
        own, coarse = self._highest_along(x, y, came)
        base = max(own, top, coarse - self.clearance)
        self._bases[same_place(x, y)] = base
        start = self.travel.clip(base + self.surprises.clearance)
        return Plan(
            start,
            floor,
            start,
            top,
            look_from=min(top + max(self.surprises.largest, _AHEAD), start),
            slow_from=top + self.surprises.slow,
        )

    def _is_far(self, x: float, y: float, came: tuple[float, float]) -> bool:
        """Whether the way leads over more than what the known points tell of: go over the top."""
        reach = self.reach if self.coarse is None else max(self.reach, self.coarse.reach)
        return float(np.hypot(x - came[0], y - came[1])) > _LONG_WAY * reach

    @property
    def slopes(self) -> tuple[float, float] | None:
        """Slopes of the mean plane along x and y, of least size if they are not determined."""
        if len(self._places) < 3:
            return None
        away = self._known - self._known.mean(axis=0)
        (along_x, along_y), *_ = np.linalg.lstsq(away[:, :2], away[:, 2], rcond=1e-6)
        return float(along_x), float(along_y)

    def _on_plane(self, x: float, y: float) -> F64:
        """Height of the mean plane at a place, m, shape (1,); nothing if no plane is known."""
        if (slopes := self.slopes) is None:
            return np.empty(0)
        middle = self._known.mean(axis=0)
        return np.array([middle[2] + slopes[0] * (x - middle[0]) + slopes[1] * (y - middle[1])])

    def _into_the_unknown(self, x: float, y: float, lift: float) -> Plan:
        """Nothing is known nearby: from as high as all seen so far asks for, to the floor."""
        seen = self._known[:, 2]
        if self.tilt is not None:
            seen = np.concatenate((seen, self.tilt._on_plane(x, y)))
        if not len(seen):
            high = self.travel.high
            return Plan(high, self.travel.low, high, None)
        start = self.travel.clip(float(seen.max()) + self.amplitude + lift)
        return Plan(start, self.travel.low, self.travel.high, None)

    @property
    def _known(self) -> F64:
        return self._places.all

    def _around(self, x: float, y: float) -> F64:
        """Heights known within reach of a point; all that are known if there are none."""
        near = self._places.near(x, y)
        return near if len(near) else self._known[:, 2]

    def _highest_along(
        self, x: float, y: float, came: tuple[float, float] | None
    ) -> tuple[float, float]:
        """The highest surface along the way, by the fine points and by the coarse ones."""
        own = self._beside(x, y, came)
        coarse = self.coarse._beside(x, y, came) if self.coarse is not None else np.empty(0)
        if not len(own) and not len(coarse):
            own = self._known[:, 2]
        return float(own.max(initial=-np.inf)), float(coarse.max(initial=-np.inf))

    def _beside(self, x: float, y: float, came: tuple[float, float] | None) -> F64:
        ax, ay = (x, y) if came is None else came
        return self._places.along(ax, ay, x, y)
