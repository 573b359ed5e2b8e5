"""The scanner axes: command to position to sensor.

An axis is a second-order system x'' + 2 zeta w x' + w**2 x = w**2 u whose sensor follows it
through a first-order low-pass; both are integrated exactly for a command held over a step. In open
loop the command first passes a Prandtl-Ishlinskii hysteresis (play operators) and creep.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import lean
from simulators.config import AxisConfig, StageConfig

PLAYS = 8
_PLAY_RADII = np.arange(1, PLAYS + 1) / 18  # of full stroke
_CREEP_TIMES = np.array([0.1, 1.0, 10.0, 100.0])
POSITION, VELOCITY, SENSED = 0, 1, 2

Array = NDArray[np.float64]


class Axes(NamedTuple):
    """What the compiled code needs of the scanner; axes in the order x, y, z."""

    metres_per_volt: Array
    zero: Array
    """Position (m) at 0 V."""
    range: Array
    play_weight: Array
    sensor_noise: Array
    sensor_time: Array


class Stepping(NamedTuple):
    """Exact discretisation of the axes for one length of step."""

    transition: Array
    """Shape (3 axes, 3, 3); state (position, velocity, sensed position)."""
    drive: Array
    """Shape (3 axes, 3)."""
    creep_decay: Array
    """Shape (4,)."""
    creep_weight: Array
    """Share of a move that each of the four states delays, shape (3,)."""


def axes(config: StageConfig) -> Axes:
    """The constants of the three axes."""
    each = (config.x, config.y, config.z)
    scale = np.array([a.range / (a.high_voltage - a.low_voltage) for a in each])
    low = np.array([a.low_voltage for a in each])
    # a loop `h` of full stroke, from plays that each lose their radius at both turning points
    weight = [a.hysteresis / (20 / 9 + 4 * a.hysteresis) for a in each]
    return Axes(
        metres_per_volt=scale,
        zero=-low * scale,
        range=np.array([a.range for a in each]),
        play_weight=np.array(weight),
        sensor_noise=np.array([a.sensor_noise for a in each]),
        sensor_time=np.array([max(a.sensor_delay, 1e-9) for a in each]),
    )


def stepping(config: StageConfig, dt: float) -> Stepping:
    """Discretise for steps of `dt` (s)."""
    from scipy.linalg import expm  # noqa: PLC0415  slow to import

    transition, drive = np.empty((3, 3, 3)), np.empty((3, 3))
    each = (config.x, config.y, config.z)
    for k, axis in enumerate(each):
        step = expm(_continuous(axis) * dt)
        transition[k], drive[k] = step[:3, :3], step[:3, 3]
    creep = np.array([axis.creep for axis in each])
    return Stepping(transition, drive, np.exp(-dt / _CREEP_TIMES), creep)


def _continuous(axis: AxisConfig) -> Array:
    """System matrix of (position, velocity, sensed, command), shape (4, 4)."""
    w, delay = 2 * math.pi * axis.resonance, max(axis.sensor_delay, 1e-9)
    return np.array(
        [
            [0, 1, 0, 0],
            [-w * w, -2 * axis.damping * w, 0, w * w],
            [1 / delay, 0, -1 / delay, 0],
            [0, 0, 0, 0],
        ]
    )


@lean()
def target(axes, k, volts, plays):
    """Where axis k goes (m) under a command (V), after hysteresis, whose state advances.

    plays: shape (3, PLAYS), of full stroke.
    """
    u = min(max(axes.zero[k] + volts * axes.metres_per_volt[k], 0.0), axes.range[k])
    if axes.play_weight[k] > 0.0:
        stroke = u / axes.range[k]
        lost = 0.0
        for p in range(PLAYS):
            r = _PLAY_RADII[p]
            plays[k, p] = max(stroke - r, min(stroke + r, plays[k, p]))
            lost += stroke - plays[k, p]
        u -= axes.play_weight[k] * lost * axes.range[k]
    return u


@lean()
def advance(stepping, k, u, state, creeps):
    """Advance axis k by one step towards `u` (m), a part of which creeps in over decades of time.

    state: shape (3 axes, 3); creeps: shape (3 axes, 4), m.
    """
    goal, weight = u, stepping.creep_weight[k]
    if weight > 0.0:
        for c in range(4):
            goal -= weight * (u - creeps[k, c])
            decay = stepping.creep_decay[c]
            creeps[k, c] = decay * creeps[k, c] + (1.0 - decay) * u
    a, b = stepping.transition[k], stepping.drive[k]
    x, v, s = state[k, 0], state[k, 1], state[k, 2]
    state[k, 0] = a[0, 0] * x + a[0, 1] * v + b[0] * goal
    state[k, 1] = a[1, 0] * x + a[1, 1] * v + b[1] * goal
    state[k, 2] = a[2, 0] * x + a[2, 1] * v + a[2, 2] * s + b[2] * goal
