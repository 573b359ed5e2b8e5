"""Paths for the stage: smooth, bounded, and shaped so that the piezo does not ring.

A path is what the *stage* should do; `command` turns it into what the stage must be *told*, by
inverting its second-order response u = x + (2 zeta/w) x' + x''/w^2.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from sicmctl.hal.capabilities import F64, Axis
from sicmctl.hal.hop import Waypoint

_PEAK = 1.875
"""Peak speed of a minimum-jerk stroke, in units of distance / duration."""
_PEAK_JERK = 60.0
"""Peak jerk of a minimum-jerk stroke, in units of distance / duration^3."""
_SPEED_MARGIN = 0.8
"""Share of the speed limit that a stroke uses; shaping adds to the speed of the command."""
_STROKE_PERIODS = 0.35
"""Shortest stroke in periods of the axis: shorter ones would ring if the axis is not as stated."""
_EXCURSION = 1.0
"""Largest excursion of a shaped command beyond its stroke, in units of the stroke or _SMALL."""
_SMALL = 0.5e-6
"""Excursions up to this much are harmless however short the stroke, m."""
_PEAK_ACCELERATION = 5.774
"""Peak acceleration of a minimum-jerk stroke, in units of distance / duration^2."""
ONSET = 1e-3
"""Time over which an approach builds up its speed, s."""


def stroke(distance: float, samples: int) -> F64:
    """Return a minimum-jerk stroke from 0 to `distance` in `samples` + 1 points, m."""
    return distance * _unit_stroke(samples)


@lru_cache(maxsize=256)
def _unit_stroke(samples: int) -> F64:
    s = np.linspace(0.0, 1.0, samples + 1)
    shape = s**3 * (10 - 15 * s + 6 * s * s)
    shape.flags.writeable = False
    return shape


def stroke_samples(distance: float, axis: Axis, rate: float) -> int:
    """Return how many samples a stroke needs within the speed limit; 0 for no distance."""
    if abs(distance) < 1e-13:
        return 0
    limit = _SPEED_MARGIN * axis.max_speed
    omega = 2 * np.pi * axis.resonance
    by_speed = _PEAK * abs(distance) / limit
    by_shaping = (_PEAK_JERK * abs(distance) / (omega**2 * limit)) ** (1 / 3)
    allowed = _EXCURSION * max(abs(distance), _SMALL)
    by_excursion = (_PEAK_ACCELERATION * abs(distance) / allowed) ** 0.5 / omega
    shortest = _STROKE_PERIODS / axis.resonance
    return int(np.ceil(max(by_speed, by_shaping, by_excursion, shortest) * rate))


def transit(start: Mapping[str, float], to: Waypoint, axes: Mapping[str, Axis], rate: float) -> F64:
    """Return the path from `start` to a waypoint, shape (3, n), m.

    The tip rises first; it goes sideways only above `to.clear`, and comes down, if it must, only
    after it has arrived.
    """
    top = max(to.z, to.clear)
    rise = start["z"] + stroke(top - start["z"], stroke_samples(top - start["z"], axes["z"], rate))
    leave = int(np.argmax(rise >= to.clear - 1e-12)) if start["z"] < to.clear else 0
    sideways = max(
        stroke_samples(to.x - start["x"], axes["x"], rate),
        stroke_samples(to.y - start["y"], axes["y"], rate),
    )
    arrive = leave + sideways
    sink = stroke(to.z - top, stroke_samples(to.z - top, axes["z"], rate))
    samples = max(len(rise), arrive + 1)
    path = np.empty((3, samples + len(sink) - 1))
    for row, axis in enumerate("xy"):
        goal = {"x": to.x, "y": to.y}[axis]
        path[row, :leave] = start[axis]
        path[row, leave : arrive + 1] = start[axis] + stroke(goal - start[axis], sideways)
        path[row, arrive:] = goal
    path[2, : len(rise)] = rise
    path[2, len(rise) : samples] = top
    path[2, samples - 1 :] = top + sink
    return path


def ramp(start: float, floor: float, speed: float, rate: float, onset: float = ONSET) -> F64:
    """Return an approach from `start` down to `floor`, m: bounded, with a smooth onset.

    onset: time over which the speed builds up, s.
    """
    return two_speeds(start, floor, speed, speed, slow_from=start, rate=rate, onset=onset)[0]


def two_speeds(
    start: float,
    floor: float,
    fast: float,
    slow: float,
    *,
    slow_from: float,
    rate: float,
    onset: float = ONSET,
) -> tuple[F64, int]:
    """Return an approach that falls fast at first and is down to `slow` at `slow_from`, m.

    Never below `floor`, and smooth where the speed changes. onset: time over which a speed changes,
    s. If there is no room for a fast part it is slow all the way. Returns the path and the point
    from which on it is slow.
    """
    steps = max(int(onset * rate), 1)
    rise = 0.5 * (1 - np.cos(np.pi * (np.arange(steps) + 0.5) / steps))
    changes = steps * (2 * fast + slow) / 2 / rate  # the way that the changes of speed take
    quick = int((start - slow_from - changes) * rate / fast) if fast > slow else -1
    speeds = slow * rise
    if quick >= 0:
        down = slow + (fast - slow) * rise[::-1]
        speeds = np.concatenate((fast * rise, np.full(quick, fast), down))
    until = len(speeds) if quick >= 0 else 0
    soft = start - np.cumsum(speeds) / rate
    soft = soft[soft > floor]
    left = (soft[-1] if len(soft) else start) - floor
    straight = np.arange(1, int(np.ceil(left * rate / slow)) + 1) * (slow / rate)
    below = (soft[-1] if len(soft) else start) - straight
    path = np.concatenate(([start], soft, below))
    return np.maximum(path, floor, out=path), until


def command(path: F64, axes: Mapping[str, Axis], rate: float) -> F64:
    """Return what the stage must be told so that it follows a path that begins and ends at rest.

    path: shape (3, n), m. Returns the same shape, within the travel of each axis.
    """
    if path.shape[1] < 3:
        return path
    told = np.empty_like(path)
    for row, axis in enumerate(axes.values()):
        if np.ptp(path[row]) == 0:
            told[row] = path[row]
            continue
        omega = 2 * np.pi * axis.resonance
        held = np.concatenate((path[row, :1], path[row], path[row, -1:]))  # at rest before, after
        velocity = (held[2:] - held[:-2]) * (rate / 2)
        acceleration = (held[2:] - 2 * held[1:-1] + held[:-2]) * rate**2
        shaped = path[row] + 2 * axis.damping / omega * velocity + acceleration / omega**2
        shaped[-1] = path[row, -1]
        told[row] = np.clip(shaped, axis.travel.low, axis.travel.high)
    return told
