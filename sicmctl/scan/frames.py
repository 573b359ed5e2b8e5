"""Frames of one area, one after the other: laid upon each other they tell how the sample crept.

The targets of the next frame are moved to where the sample will be in the middle of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import hypot
from typing import NamedTuple

import numpy as np

from sicmctl.hal.capabilities import F64
from sicmctl.messages import DriftMeasured, HopDone, Message

from .drift import DriftTrack, shift_between
from .pattern import Targets

_SPREAD = 20e-9
"""Prior standard deviation of a lateral drift rate, m/s: a sample just mounted."""
_FARTHEST = 0.25
"""Of the frame's smaller side: no foretold drift beyond it is followed."""

Way = tuple[float, float, float]


class _Pixel(NamedTuple):
    """What is kept of a hop: place in the frame, s, m, and the drift that was followed."""

    row: int
    column: int
    time: float
    height: float
    drift: Way


@dataclass
class Frame:
    """A frame in the making: heights as they are published, and where its targets were moved."""

    targets: Targets
    _pixels: list[_Pixel] = field(default_factory=list)

    def see(self, message: Message) -> None:
        """Take in a message of the scan."""
        if isinstance(message, HopDone) and message.accepted and message.status == "ok":
            drift = message.drift_x, message.drift_y, message.drift_z
            pixel = _Pixel(message.row, message.column, message.time, message.height, drift)
            self._pixels.append(pixel)

    @property
    def heights(self) -> F64:
        """Shape (rows, columns), m; NaN where there is no good height."""
        made = np.full(self.targets.shape, np.nan)
        for pixel in self._pixels:
            made[pixel.row, pixel.column] = pixel.height
        return made

    @property
    def places(self) -> Iterator[tuple[float, float, float]]:
        """x, y as the stage went there, and height, of each good hop, m."""
        made = self.targets
        index = {
            (int(r), int(c)): k for k, (r, c) in enumerate(zip(made.row, made.column, strict=True))
        }
        for row, column, _, height, (dx, dy, _z) in self._pixels:
            k = index[row, column]
            yield float(made.x[k]) + dx, float(made.y[k]) + dy, height

    @property
    def middle(self) -> float:
        """Mean time of its hops, s."""
        return float(np.mean([pixel.time for pixel in self._pixels]))

    @property
    def duration(self) -> float:
        """From its first to its last hop, s."""
        return self._pixels[-1].time - self._pixels[0].time

    @property
    def applied(self) -> Way:
        """Drift that was followed already: x, y of the targets, mean z of the heights, m."""
        way = np.mean([pixel.drift for pixel in self._pixels], axis=0)
        return float(way[0]), float(way[1]), float(way[2])

    @property
    def whole(self) -> bool:
        """Whether most of it was measured."""
        return len(self._pixels) > len(self.targets) / 2

    def same_area(self, targets: Targets) -> bool:
        """Whether these are the same targets, before they are moved."""
        mine = self.targets
        return (
            targets.pattern == mine.pattern == "raster"
            and targets.shape == mine.shape
            and np.allclose(targets.x, mine.x, rtol=0, atol=1e-9)
            and np.allclose(targets.y, mine.y, rtol=0, atol=1e-9)
        )


@dataclass
class Frames:
    """Lays each frame upon the one before, if it is of the same area, and foretells the next."""

    publish: Callable[[Message], None]
    _last: Frame | None = None
    _way: Way = (0.0, 0.0, 0.0)
    _sd: Way = (0.0, 0.0, 0.0)
    _x: DriftTrack = field(default_factory=lambda: DriftTrack(_SPREAD))
    _y: DriftTrack = field(default_factory=lambda: DriftTrack(_SPREAD))
    _told: bool = False

    def foretell(self, targets: Targets, time: float) -> tuple[float, float]:
        """By how much to move targets whose scan begins at a time, s; m, zero if not known."""
        last = self._last
        if last is None or not self._told or not last.same_area(targets):
            return 0.0, 0.0
        middle = time + last.duration / 2
        (dx, sd_x), (dy, sd_y) = self._x.at(middle), self._y.at(middle)
        x0, x1, y0, y1 = targets.extent
        side = min(abs(x1 - x0), abs(y1 - y0))
        if max(sd_x, sd_y) > targets.pitch or hypot(dx, dy) > _FARTHEST * side:
            return 0.0, 0.0
        return dx, dy

    def add(self, frame: Frame) -> None:
        """Take in a frame that is over; publishes how far the sample crept since the first one."""
        last = self._last
        if not frame.whole or frame.targets.pattern != "raster":
            return
        if last is None or not last.same_area(frame.targets):
            self._begin(frame)
            return
        rows, columns = frame.targets.shape
        x0, x1, y0, y1 = frame.targets.extent
        pitch = abs(y1 - y0) / max(rows - 1, 1), abs(x1 - x0) / max(columns - 1, 1)
        shift = shift_between(last.heights, frame.heights, pitch)
        if shift is None or max(shift.sd[:2]) > frame.targets.pitch:
            self._begin(frame)  # the chain is broken: count from here
            return
        seen = (shift.dx, shift.dy, shift.dz)
        moved = np.subtract(frame.applied, last.applied)
        way = np.add(self._way, seen) + moved
        self._way = float(way[0]), float(way[1]), float(way[2])
        sd = np.hypot(self._sd, shift.sd)
        self._sd = float(sd[0]), float(sd[1]), float(sd[2])
        self._x.measure(frame.middle, self._way[0], self._sd[0])
        self._y.measure(frame.middle, self._way[1], self._sd[1])
        self._last, self._told = frame, True
        x, y, z = self._way
        self.publish(
            DriftMeasured(
                time=frame.middle, method="frames", x=x, y=y, z=z,
                x_sd=self._sd[0], y_sd=self._sd[1], z_sd=self._sd[2],
                rate_x=self._x.rate, rate_y=self._y.rate,
            )
        )  # fmt: skip

    def _begin(self, frame: Frame) -> None:
        self._last, self._told = frame, False
        self._way = self._sd = (0.0, 0.0, 0.0)
        self._x.begin(frame.middle)
        self._y.begin(frame.middle)
