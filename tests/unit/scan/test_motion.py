"""Paths: bounded, continuous, never sideways too low, and without ringing."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from sicmctl.hal.capabilities import Axis
from sicmctl.hal.hop import Waypoint
from sicmctl.hal.limits import Interval
from sicmctl.scan import motion

RATE = 50e3
AXES = {
    "x": Axis(Interval(0, 100e-6, "m"), 10e-3, 100, 0.7),
    "y": Axis(Interval(0, 100e-6, "m"), 10e-3, 100, 0.7),
    "z": Axis(Interval(0, 38e-6, "m"), 3e-3, 2e3, 0.7),
}
lateral = st.floats(0, 100e-6)
vertical = st.floats(0, 38e-6)


@st.composite
def ways(draw: st.DrawFn) -> tuple[dict[str, float], Waypoint]:
    """From anywhere to anywhere, with any free height."""
    start = {"x": draw(lateral), "y": draw(lateral), "z": draw(vertical)}
    return start, Waypoint(draw(lateral), draw(lateral), draw(vertical), draw(vertical))


@settings(deadline=None, max_examples=60)
@given(ways())
def test_a_transit_is_bounded_continuous_and_high_enough(
    way: tuple[dict[str, float], Waypoint],
) -> None:
    start, to = way
    path = motion.transit(start, to, AXES, RATE)
    assert path.shape[0] == 3
    np.testing.assert_allclose(path[:, 0], list(start.values()), atol=1e-15)
    np.testing.assert_allclose(path[:, -1], (to.x, to.y, to.z), atol=1e-15)
    for row, (name, axis) in zip(path, AXES.items(), strict=True):
        ends = start[name], row[-1]
        top = max(*ends, to.clear) if name == "z" else max(ends)
        assert row.min() >= min(ends) - 1e-12
        assert row.max() <= top + 1e-12
        assert np.abs(np.diff(row)).max(initial=0) * RATE <= axis.max_speed
    sideways = np.any(np.abs(np.diff(path[:2], axis=1)) > 1e-15, axis=0)
    low = np.minimum(path[2, :-1], path[2, 1:])
    assert np.all(low[sideways] >= min(to.clear, max(to.z, to.clear)) - 1e-11)


@settings(deadline=None, max_examples=60)
@given(ways())
def test_the_shaped_command_keeps_to_the_speed_limit_and_the_travel(
    way: tuple[dict[str, float], Waypoint],
) -> None:
    start, to = way
    told = motion.command(motion.transit(start, to, AXES, RATE), AXES, RATE)
    for row, (name, axis) in zip(told, AXES.items(), strict=True):
        assert row.min() >= axis.travel.low - 1e-12
        assert row.max() <= axis.travel.high + 1e-12
        fastest = max(abs(row[0] - start[name]), np.abs(np.diff(row)).max(initial=0)) * RATE
        assert fastest <= axis.max_speed * (1 + 1e-9)


@settings(deadline=None, max_examples=60)
@given(
    distance=st.floats(1e-12, 100e-6),
    resonance=st.floats(50, 5e3),
    damping=st.floats(0.1, 1.5),
    speed=st.floats(1e-4, 1e-2),
)
def test_a_stroke_keeps_to_the_speed_limit_whatever_the_distance(
    distance: float, resonance: float, damping: float, speed: float
) -> None:
    axis = Axis(Interval(0, 1, "m"), speed, resonance, damping)
    samples = motion.stroke_samples(distance, axis, RATE)
    stroke = motion.stroke(distance, samples)
    assert len(stroke) == samples + 1
    assert stroke[0] == 0
    assert stroke[-1] == pytest.approx(distance)
    assert np.all(np.diff(stroke) >= -1e-18)
    assert np.abs(np.diff(stroke)).max() * RATE <= speed


def test_no_distance_takes_no_time() -> None:
    assert motion.stroke_samples(0.0, AXES["z"], RATE) == 0
    here = {"x": 1e-6, "y": 2e-6, "z": 3e-6}
    path = motion.transit(here, Waypoint(1e-6, 2e-6, 3e-6, 0.0), AXES, RATE)
    np.testing.assert_array_equal(path, [[1e-6], [2e-6], [3e-6]])


def response(axis: Axis, told: np.ndarray) -> np.ndarray:
    """Where a second-order axis goes that rests at the first point and is told the rest."""
    w = 2 * np.pi * axis.resonance
    matrix = np.array([[0, 1, 0], [-w * w, -2 * axis.damping * w, w * w], [0, 0, 0]])
    step = expm(matrix / RATE)  # exact for a command that is held for a sample
    moved = np.empty(len(told))
    state = np.zeros(3)
    for k, command in enumerate(told - told[0]):
        moved[k] = state[0]
        state[2] = command
        state = step @ state
    return moved + told[0]


def left_over(axis: Axis, name: str, distance: float, shaped: bool, wait: float) -> float:
    """Largest distance from the goal, m, from so many periods after the end of a move on."""
    axes = {**AXES, name: axis}
    start = {"x": 50e-6, "y": 50e-6, "z": 19e-6}
    goal = {**start, name: start[name] + distance}
    path = motion.transit(start, Waypoint(goal["x"], goal["y"], goal["z"], 0.0), axes, RATE)
    told = (motion.command(path, axes, RATE) if shaped else path)[list(axes).index(name)]
    assert told[-1] == pytest.approx(goal[name], abs=1e-15)
    moved = response(axis, np.concatenate((told, np.full(5000, told[-1]))))
    settled = len(told) + 1 + round(wait / axis.resonance * RATE)
    return float(np.abs(moved[settled:] - goal[name]).max())


@pytest.mark.parametrize("distance", [1e-8, 0.3e-6, 2e-6, 10e-6])
@pytest.mark.parametrize("name", ["x", "z"])
def test_the_shaped_command_brings_the_axis_to_rest(name: str, distance: float) -> None:
    """Within half a nanometre, half a period after the end of the way."""
    assert left_over(AXES[name], name, distance, shaped=True, wait=0.5) < 0.5e-9


@pytest.mark.parametrize("distance", [0.3e-6, 2e-6, 10e-6])
@pytest.mark.parametrize("name", ["x", "z"])
@pytest.mark.parametrize("damping", [0.1, 0.3, 0.7])
def test_shaping_leaves_a_fraction_of_the_ringing(
    name: str, distance: float, damping: float
) -> None:
    usual = AXES[name]
    axis = Axis(usual.travel, usual.max_speed, usual.resonance, damping)
    shaped = left_over(axis, name, distance, shaped=True, wait=0)
    assert shaped < 0.25 * left_over(axis, name, distance, shaped=False, wait=0)


@settings(deadline=None, max_examples=80)
@given(
    start=st.floats(1e-7, 38e-6),
    depth=st.floats(1e-9, 38e-6),
    speed=st.floats(1e-6, 1e-3),
    onset=st.floats(0, 5e-3),
)
def test_a_ramp_is_finite_monotone_and_ends_at_its_floor(
    start: float, depth: float, speed: float, onset: float
) -> None:
    floor = max(start - depth, 0.0)
    assume(floor < start)
    ramp = motion.ramp(start, floor, speed, RATE, onset)
    assert ramp[0] == start
    assert ramp[-1] == pytest.approx(floor, abs=1e-15)
    assert ramp.min() >= floor
    assert np.all(np.diff(ramp) <= 0)
    assert np.abs(np.diff(ramp)).max(initial=0) <= speed / RATE * (1 + 1e-6)
    assert len(ramp) <= (start - floor) / speed * RATE + onset * RATE + 3


def test_a_ramp_begins_softly() -> None:
    ramp = motion.ramp(10e-6, 0.0, 100e-6, RATE)
    steps = -np.diff(ramp)
    assert steps[0] < 0.01 * steps[200]
    np.testing.assert_allclose(steps[60:200], 100e-6 / RATE, rtol=1e-6)


@settings(deadline=None, max_examples=80)
@given(
    start=st.floats(1e-7, 38e-6),
    depth=st.floats(1e-8, 10e-6),
    slow_at=st.floats(-1e-6, 10e-6),
    slow=st.floats(5e-6, 3e-4),
    ratio=st.floats(1, 10),
)
def test_a_ramp_of_two_speeds_is_slow_where_it_must_be(
    start: float, depth: float, slow_at: float, slow: float, ratio: float
) -> None:
    floor, slow_from = max(start - depth, 0.0), start - slow_at
    assume(floor < start)
    fast = slow * ratio
    path, until = motion.two_speeds(start, floor, fast, slow, slow_from=slow_from, rate=RATE)
    speeds = -np.diff(path) * RATE
    assert path[0] == start
    assert path[-1] == pytest.approx(floor, abs=1e-15)
    assert path.min() >= floor
    assert np.all(speeds >= 0)
    assert speeds.max(initial=0) <= fast * (1 + 1e-6)
    below = path[:-1] < slow_from - (fast + slow) / RATE
    assert np.all(speeds[below] <= slow * (1 + 1e-6))
    assert np.all(speeds[until:] <= slow * (1 + 1e-6))


def test_the_fast_part_is_short_where_there_is_no_room_for_it() -> None:
    path, until = motion.two_speeds(1e-6, 0.0, 300e-6, 50e-6, slow_from=0.95e-6, rate=RATE)
    assert until == 0
    np.testing.assert_array_equal(path, motion.ramp(1e-6, 0.0, 50e-6, RATE))


def test_the_change_of_speed_does_not_make_the_axis_ring() -> None:
    axis = AXES["z"]
    path, until = motion.two_speeds(5e-6, 0.0, 300e-6, 50e-6, slow_from=2e-6, rate=RATE)
    moved = response(axis, path)
    after = until + round(0.5 / axis.resonance * RATE)
    behind = moved[after:-50] - path[after:-50]
    assert np.ptp(behind) < 0.3e-9
    late = behind.mean() / 50e-6 - axis.lag
    assert 0 < late * RATE < 2  # the hold, and the sample that the stage starts after
