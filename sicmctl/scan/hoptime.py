"""How long hops take, and how long the stage alone would need for them.

A hop is counted from the start of its approach to the start of the next one. Of that the stage
itself needs, at least,

- the fall: each part of the way from the start of the ramp down to where the tip stopped, at the
  fall rate of that part, and once the lag of the stage, which comes to rest that much later;
- the dwell that was asked for;
- the way to the next start: up at top speed, sideways from the clear height on meanwhile, and
  down if the start lies lower; each stroke takes distance / top speed + the stage's lag
  2 zeta / omega, by which it trails whatever it is told. A shaped stroke does not ring: no
  settling comes on top;
- the time over which the next reference is averaged.

Nothing that a program does can beat this; what a hop takes longer is the program's own.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from sicmctl.hal.capabilities import Axis
from sicmctl.hal.hop import HopRecord, HopRequest


def fall_time(request: HopRequest, z_stop: float, z: Axis) -> float:
    """Return the shortest time of a fall down to where the tip stopped (m), s."""
    change = request.start
    if request.fast is not None and request.slow_from is not None:
        change = min(max(request.slow_from, z_stop), request.start)
    quick = (request.start - change) / (request.fast or request.speed)
    return quick + max(change - z_stop, 0.0) / request.speed + z.lag


def stroke_time(distance: float, axis: Axis) -> float:
    """Return the shortest time from rest to rest over a distance (m), s; 0 for no distance."""
    return abs(distance) / axis.max_speed + axis.lag if abs(distance) > 1e-12 else 0.0


def way_time(at: tuple[float, float, float], to: HopRequest, axes: Mapping[str, Axis]) -> float:
    """Return the shortest time from a stop at (x, y, z), m, to the start of another hop, s."""
    x, y, z = at
    top = max(to.start, to.clear, z)
    rise = stroke_time(top - z, axes["z"])
    sideways = max(stroke_time(to.x - x, axes["x"]), stroke_time(to.y - y, axes["y"]))
    if sideways:
        sideways += max(to.clear - z, 0.0) / axes["z"].max_speed
    return max(rise, sideways) + stroke_time(top - to.start, axes["z"])


def least_time(record: HopRecord, following: HopRequest, axes: Mapping[str, Axis]) -> float:
    """Return the time that the stage alone needs from one approach to the start of the next, s."""
    request = record.request
    fall = fall_time(request, record.z_stop, axes["z"]) if len(record.curves["z"]) else 0.0
    way = way_time((request.x, request.y, record.z_stop), following, axes)
    return fall + request.dwell + way + following.reference_time


@dataclass
class HopTimes:
    """Follows the hops of a scan. axes: of the stage, as declared."""

    axes: Mapping[str, Axis]
    _before: HopRecord | None = None
    _rows: list[tuple[float, float, float]] = field(default_factory=list)

    def see(self, record: HopRecord) -> dict[str, float]:
        """Take in a hop; return what the one before it took and would have needed, s.

        `hop`: from the start of that approach to the start of this one. `least`: of that, what the
        stage needs. Nothing for the first hop of a scan.
        """
        before, self._before = self._before, record
        if before is None:
            return {}
        hop = (record.first - before.first) / record.rate
        least = least_time(before, record.request, self.axes)
        self._rows.append((before.stop / before.rate, hop, least))
        return {"hop": hop, "least": least}

    def summary(self) -> dict[str, float]:
        """Return `summarise` of the scan so far; empty before the second hop."""
        return summarise(*zip(*self._rows, strict=True)) if self._rows else {}


def summarise(approach: ArrayLike, hop: ArrayLike, least: ArrayLike) -> dict[str, float]:
    """Return what hops took: `hop_time` and `least_time`, medians, s, and `duty`.

    approach, hop, least: time of the fall, of the whole hop, and what the stage needs, each of
    shape (n,), s; hops without all three are passed over. duty: share of the time spent falling.
    """
    rows = np.array([approach, hop, least], np.float64)
    falls, hops, needs = rows[:, np.isfinite(rows).all(axis=0) & (rows[1] > 0)]
    if not hops.size:
        return dict.fromkeys(("hop_time", "least_time", "duty"), math.nan)
    return {
        "hop_time": float(np.median(hops)),
        "least_time": float(np.median(needs)),
        "duty": float(falls.sum() / hops.sum()),
    }
