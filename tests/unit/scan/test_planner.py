"""How high a hop starts: never so low that something known could be met sideways."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sicmctl.hal.limits import Interval
from sicmctl.scan.planner import HeightPlanner, Plan, Surprises

TRAVEL = Interval(0, 38e-6, "m")


def planner(coarse: HeightPlanner | None = None, reach: float = 1.6e-6) -> HeightPlanner:
    return HeightPlanner(
        TRAVEL, amplitude=2e-6, depth=1e-6, reach=reach, clearance=0.5e-6, coarse=coarse
    )


def test_the_first_hop_starts_at_the_top_and_may_go_to_the_bottom() -> None:
    plan = planner().plan(0, 0, None)
    assert (plan.start, plan.floor, plan.clear, plan.expected) == (38e-6, 0.0, 38e-6, None)


def test_a_hop_beside_one_point_starts_an_amplitude_above_it() -> None:
    p = planner()
    p.add(0, 0, 10e-6)
    plan = p.plan(1e-6, 0, (0, 0))
    assert plan.start == pytest.approx(12e-6)
    assert plan.floor == pytest.approx(9e-6)
    assert plan.clear == pytest.approx(10.5e-6)
    assert plan.expected == pytest.approx(10e-6)


def test_lift_raises_the_start_alone() -> None:
    p = planner()
    p.add(0, 0, 10e-6)
    assert p.plan(0, 0, (0, 0), lift=3e-6).start == pytest.approx(15e-6)
    assert p.plan(0, 0, (0, 0), lift=90e-6).start == 38e-6


def test_where_nothing_is_known_nearby_everything_seen_counts() -> None:
    p = planner()
    p.add(0, 0, 10e-6)
    p.add(1e-6, 0, 14e-6)
    plan = p.plan(50e-6, 50e-6, (0, 0))
    assert plan.start == pytest.approx(16e-6)
    assert plan.clear == TRAVEL.high
    assert plan.floor == 0


def test_what_lies_on_the_way_is_passed_above() -> None:
    p = planner()
    for x, z in ((0, 10e-6), (1.5e-6, 20e-6), (3.1e-6, 10e-6)):
        p.add(x, 0, z)
    plan = p.plan(3.1e-6, 0, (0, 0))
    assert plan.clear == pytest.approx(20.5e-6)
    assert plan.start >= plan.clear or plan.clear == TRAVEL.high


@pytest.mark.parametrize("came", [None, (0.0, 0.0)])
def test_a_long_or_unknown_way_is_made_at_the_top(came: tuple[float, float] | None) -> None:
    """What lies between two far points, of a prescan say, may be higher than both."""
    p = planner()
    p.add(0, 0, 10e-6)
    p.add(20e-6, 20e-6, 12e-6)
    plan = p.plan(20e-6, 20e-6, came)
    assert plan.clear == TRAVEL.high
    assert plan.start == pytest.approx(14e-6)


def test_a_place_measured_again_counts_with_its_latest_height() -> None:
    p = planner()
    for z in (10e-6, 20e-6, 11e-6):
        p.add(3e-6, 4e-6, z)
    assert p.plan(3e-6, 4e-6, (3e-6, 4e-6)).start == pytest.approx(13e-6)
    assert len(p._places) == 1


def test_many_points_are_remembered() -> None:
    p = planner(reach=0.4e-6)
    for k in range(500):
        p.add(k * 1e-6, 0, 1e-6 + k * 1e-8)
    for k in (0, 63, 64, 65, 128, 499):
        assert p.plan(k * 1e-6, 0, (k * 1e-6, 0)).start == pytest.approx(3e-6 + k * 1e-8)


def test_a_coarse_raster_is_known_from_further_away() -> None:
    coarse = planner(reach=10e-6)
    coarse.add(0, 0, 10e-6)
    coarse.add(8e-6, 0, 18e-6)
    p = planner(coarse)
    plan = p.plan(1e-6, 0, None)
    assert plan.start == pytest.approx(18.5e-6)  # a clearance above the coarse points
    p.add(0, 0, 10e-6)
    assert p.plan(1e-6, 0, (0, 0)).start == pytest.approx(18.5e-6)
    p.add(0.5e-6, 0, 17e-6)
    assert p.plan(1e-6, 0, (0, 0)).start == pytest.approx(19e-6)


heights = st.lists(
    st.tuples(st.floats(0, 10e-6), st.floats(0, 10e-6), st.floats(0, 38e-6)),
    min_size=1,
    max_size=12,
)
place = st.tuples(st.floats(0, 10e-6), st.floats(0, 10e-6))


@settings(deadline=None, max_examples=100)
@given(known=heights, to=place, came=place, lift=st.floats(0, 5e-6))
def test_no_plan_is_below_what_it_knows(
    known: list[tuple[float, float, float]],
    to: tuple[float, float],
    came: tuple[float, float],
    lift: float,
) -> None:
    p = planner()
    for point in known:
        p.add(*point)
    latest = {(round(x / 1e-9), round(y / 1e-9)): (x, y, z) for x, y, z in known}
    points = np.array(list(latest.values()))
    plan = p.plan(*to, came, lift)
    near = points[np.hypot(points[:, 0] - to[0], points[:, 1] - to[1]) < 1.6e-6 * 0.999, 2]
    wanted = near.max(initial=-np.inf) + 2e-6
    assert plan.start >= min(wanted, 38e-6) - 1e-12
    assert plan.start in TRAVEL
    assert plan.start >= plan.clear or plan.clear == TRAVEL.high
    assert plan.floor < plan.start
    assert plan.expected is None or plan.expected <= plan.start


def adaptive(coarse: HeightPlanner | None = None) -> HeightPlanner:
    p = HeightPlanner(
        TRAVEL, amplitude=2e-6, depth=1e-6, reach=1.6e-6, clearance=1e-6, coarse=coarse
    )
    p.surprises = Surprises(amplitude=2e-6, least=0.5e-6, memory=200)
    return p


def walk(p: HeightPlanner, heights: Sequence[float]) -> list[Plan]:
    """Hop along a line of points a micrometre apart; returns the plans."""
    plans, came = [], None
    for k, z in enumerate(heights):
        plans.append(p.plan(k * 1e-6, 0, came))
        p.add(k * 1e-6, 0, z)
        came = (k * 1e-6, 0.0)
    return plans


def test_hops_start_at_the_amplitude_until_the_surface_is_known_to_be_calm() -> None:
    plans = walk(adaptive(), [10e-6] * 100)
    assert [p.start for p in plans[1:60]] == pytest.approx([12e-6] * 59)
    assert plans[-1].start == pytest.approx(11e-6)
    assert plans[-1].clear == plans[-1].start
    assert plans[-1].slow_from == pytest.approx(10e-6 + 1e-6 / 3)
    assert plans[-1].look_from == pytest.approx(10.3e-6)


def test_no_start_is_so_low_that_the_reference_feels_the_surface() -> None:
    p = adaptive()
    p.surprises = Surprises(amplitude=0.2e-6, least=0.5e-6, memory=200)
    assert walk(p, [10e-6] * 100)[-1].start == pytest.approx(10.5e-6)


def test_a_surprise_raises_what_follows_until_it_is_forgotten() -> None:
    p = adaptive()
    plans = walk(p, [10e-6] * 100 + [10.8e-6] * 250)
    assert plans[102].start == pytest.approx(10.8e-6 + 1.2e-6)
    assert plans[102].look_from == pytest.approx(10.8e-6 + 0.8e-6)
    assert plans[102].slow_from == pytest.approx(10.8e-6 + 0.4e-6)
    assert plans[299].start == pytest.approx(10.8e-6 + 1.2e-6)
    assert plans[-1].start == pytest.approx(11.8e-6)


def test_no_surprise_raises_a_start_above_the_amplitude() -> None:
    plans = walk(adaptive(), [10e-6] * 100 + [15e-6, 15e-6])
    assert plans[-1].start == pytest.approx(17e-6)


def test_a_first_attempt_that_met_the_surface_counts_as_a_surprise_once() -> None:
    p = adaptive()
    walk(p, [10e-6] * 100)
    p.plan(100e-6, 0, (99e-6, 0))
    p.add(100e-6, 0, 10.9e-6)
    again = p.plan(100e-6, 0, (100e-6, 0))
    assert again.start == pytest.approx(10.9e-6 + 1.35e-6)
    p.add(100e-6, 0, 10.95e-6)
    assert p.surprises is not None
    assert p.surprises.largest == pytest.approx(0.9e-6)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(5e-6, 20e-6), min_size=80, max_size=120), st.floats(5e-6, 20e-6))
def test_an_adaptive_way_leads_above_all_that_is_known(zs: list[float], high: float) -> None:
    coarse = planner(reach=10e-6)
    coarse.add(3e-6, 0, high)
    plans = walk(adaptive(coarse), zs)
    for k in range(1, len(zs)):
        known = max(zs[max(k - 2, 0) : k])
        assert plans[k].clear >= known + 1e-6 - 1e-12
        assert plans[k].start >= plans[k].clear
        assert plans[k].start <= max(known, high) + 2e-6 + 1e-12
        slow = plans[k].slow_from
        assert slow is None or zs[k - 1] < slow < plans[k].start


def test_a_floor_is_within_the_travel() -> None:
    plans = walk(adaptive(), [0.4e-6] * 100)
    assert plans[-1].floor == 0
