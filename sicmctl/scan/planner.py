"""How high to start, how deep to go, and how high is safe to pass: from what was measured.

A rough sample must never be met sideways: a hop starts at the highest surface measured nearby plus
the hop amplitude, and the tip moves sideways only above everything known along its way.
"""

from dataclasses import dataclass, field

import numpy as np

from sicmctl.hal.capabilities import F64
from sicmctl.hal.limits import Interval

_SAME_PLACE = 1e-9
"""Targets closer than this are one place, m."""
_LONG_WAY = 2.0
"""A way of more than so many reaches is long."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The heights of one hop, m: start of the ramp, floor, free height on the way, expectation."""

    start: float
    floor: float
    clear: float
    expected: float | None


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
    _points: F64 = field(default_factory=lambda: np.empty((0, 3)))
    _count: int = 0
    _places: dict[tuple[int, int], int] = field(default_factory=dict)

    def add(self, x: float, y: float, z: float) -> None:
        """Remember a measured height; a place measured again counts with its latest height."""
        place = (round(x / _SAME_PLACE), round(y / _SAME_PLACE))
        index = self._places.setdefault(place, self._count)
        if index == self._count:
            self._count += 1
            if self._count > len(self._points):
                grown = np.empty((max(64, 2 * self._count), 3))
                grown[:index] = self._points[:index]
                self._points = grown
        self._points[index] = x, y, z

    def plan(self, x: float, y: float, came: tuple[float, float] | None, lift: float = 0.0) -> Plan:
        """Plan the hop at x, y when coming from `came`; None if that is not known.

        A short way is made above everything known along it, any other at the top of the travel.
        lift: additional start height, for an attempt after one that met the surface early.
        """
        known = self._known
        near = known[_near(known, x, y, self.reach), 2]
        around = self.coarse._around(x, y) if self.coarse is not None else np.empty(0)
        lowest = np.concatenate((near, around))
        if not len(lowest):
            return self._into_the_unknown(lift)
        start = max(
            float(near.max(initial=-np.inf)) + self.amplitude,
            float(around.max(initial=-np.inf)) + self.clearance,
        )
        start = self.travel.clip(start + lift)
        clear = self.travel.high
        if came is not None and not self._is_far(x, y, came):
            clear = min(self._highest_along(x, y, came) + self.clearance, clear)
            start = max(start, clear)
        floor = self.travel.clip(float(lowest.min()) - self.depth)
        expected = float(near.max()) if len(near) else float(around.mean())
        return Plan(start, min(floor, start - self.amplitude), clear, min(expected, start))

    def _is_far(self, x: float, y: float, came: tuple[float, float]) -> bool:
        """Whether the way leads over more than what the known points tell of: go over the top."""
        reach = self.reach if self.coarse is None else max(self.reach, self.coarse.reach)
        return float(np.hypot(x - came[0], y - came[1])) > _LONG_WAY * reach

    def _into_the_unknown(self, lift: float) -> Plan:
        """Nothing is known nearby: from as high as all seen so far asks for, to the floor."""
        seen = self._known[:, 2]
        if not len(seen):
            high = self.travel.high
            return Plan(high, self.travel.low, high, None)
        start = self.travel.clip(float(seen.max()) + self.amplitude + lift)
        return Plan(start, self.travel.low, self.travel.high, None)

    @property
    def _known(self) -> F64:
        return self._points[: self._count]

    def _around(self, x: float, y: float) -> F64:
        """Heights known within reach of a point; all that are known if there are none."""
        near = self._known[_near(self._known, x, y, self.reach), 2]
        return near if len(near) else self._known[:, 2]

    def _highest_along(self, x: float, y: float, came: tuple[float, float] | None) -> float:
        """The highest surface known along the way, by the fine points and by the coarse ones."""
        own = self._beside(x, y, came)
        coarse = self.coarse._beside(x, y, came) if self.coarse is not None else np.empty(0)
        heights = np.concatenate((own, coarse))
        return float(heights.max()) if len(heights) else float(self._known[:, 2].max())

    def _beside(self, x: float, y: float, came: tuple[float, float] | None) -> F64:
        known = self._known
        ax, ay = (x, y) if came is None else came
        dx, dy = x - ax, y - ay
        length2 = dx * dx + dy * dy
        px, py = known[:, 0] - ax, known[:, 1] - ay
        t = np.clip((px * dx + py * dy) / length2, 0, 1) if length2 > 0 else np.zeros(len(known))
        return known[(px - t * dx) ** 2 + (py - t * dy) ** 2 <= self.reach**2, 2]


def _near(known: F64, x: float, y: float, reach: float) -> np.ndarray:
    return (known[:, 0] - x) ** 2 + (known[:, 1] - y) ** 2 <= reach**2
