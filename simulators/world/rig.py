"""What the step kernel works on: the rig's constants, and the state that changes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.world.amplifier import Bessel, Chain
from simulators.world.meniscus import Meniscus
from simulators.world.pipette import SECTORS, Tip
from simulators.world.sample import Surface
from simulators.world.slow import CHANNELS, STATES, Slow
from simulators.world.stage import PLAYS, Axes, Stepping

# scalars of the state
CURRENT, POTENTIAL, NOISE_VOLTAGE, GAP, CONTACT, DEPTH, STEEPNESS, WET = range(8)

TRUTH = (
    "time", "x", "y", "z", "drift_x", "drift_y", "drift_z",
    "vibration_x", "vibration_y", "vibration_z",
    "current", "gap", "contact", "inner_radius", "shortening", "sample_offset",
)  # fmt: skip
"""Columns of the truth stream."""


class Noise(NamedTuple):
    """Fast noise of the current."""

    current_key: np.uint64
    lateral_key: np.uint64
    vertical_key: np.uint64
    thermal: float
    """4kT, or 0."""
    shot: float
    """Fano factor times 2q."""
    voltage: float
    """White potential noise, V/Hz**0.5."""
    capacitance: float
    mains: NDArray[np.float64]
    """One period, the first point repeated at the end (A)."""
    mains_frequency: float


class Rig(NamedTuple):
    """All that is constant between two interventions."""

    tip: Tip
    meniscus: Meniscus
    surface: Surface
    axes: Axes
    stepping: Stepping
    slow: Slow
    chain: Chain
    bessel: Bessel
    noise: Noise
    open_share: float
    """Of the pipette: 1 less a held clog, 0 under a bubble."""
    rates: NDArray[np.float64]
    """Drift rates set at run time, x, y, z (m/s), current (1/s)."""
    shortening: float
    """By which the tip has become shorter (m)."""
    sample_offset: float
    floor: float
    """Leak gap under a touching rim (m)."""
    break_depth: float
    """Depth (m) at which the present contact breaks the tip."""


class State(NamedTuple):
    """All that changes from step to step; from `keep` on nothing outlives one."""

    time: NDArray[np.int64]
    """Plant time (ticks), number of the last node."""
    axes: NDArray[np.float64]
    plays: NDArray[np.float64]
    creeps: NDArray[np.float64]
    sensor_noise: NDArray[np.float64]
    local: NDArray[np.float64]
    looked: NDArray[np.float64]
    modes: NDArray[np.complex128]
    slow: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    scalars: NDArray[np.float64]
    keep: NDArray[np.float64]
    """Share of the sensors' noise that is kept, shape (3,)."""
    targets: NDArray[np.float64]
    """Where the axes go, shape (3,), m."""
    old: NDArray[np.float64]
    """x, y, z (m), current (A) and gap (m) before a sub-step, shape (5,)."""
    place: NDArray[np.float64]
    """Where the tip would be if it were not broken, shape (3,), m."""


def new_state() -> State:
    """A state at time 0 with nothing yet looked at."""
    return State(
        time=np.zeros(2, dtype=np.int64),
        axes=np.zeros((3, 3)),
        plays=np.zeros((3, PLAYS)),
        creeps=np.zeros((3, 4)),
        sensor_noise=np.zeros(3),
        local=np.zeros((SECTORS, 3)),
        looked=np.full(7, np.inf),
        modes=np.zeros(2, dtype=np.complex128),
        slow=np.zeros(STATES),
        before=np.zeros(CHANNELS),
        after=np.zeros(CHANNELS),
        scalars=np.zeros(8),
        keep=np.zeros(3),
        targets=np.zeros(3),
        old=np.zeros(5),
        place=np.zeros(3),
    )
