"""How long a hop takes at least: held against numbers worked out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from sicmctl.hal.capabilities import Axis
from sicmctl.hal.hop import HopRecord, HopRequest, HopStatus, StopRule
from sicmctl.hal.limits import Interval
from sicmctl.scan.hoptime import HopTimes, fall_time, least_time, stroke_time, summarise, way_time

TRAVEL = Interval(0, 100e-6, "m")
Z = Axis(TRAVEL, 2e-3, 1 / (2 * math.pi * 1e-4), 0.5)
"""It trails by 2 x 0.5 x 0.1 ms = 0.1 ms."""
X = Axis(TRAVEL, 10e-3, 1 / (2 * math.pi * 5e-4), 0.8)
"""It trails by 0.8 ms."""
AXES = {"x": X, "y": X, "z": Z}
RATE = 50e3
HOP = HopRequest(
    x=0.0,
    y=0.0,
    start=7e-6,
    floor=3e-6,
    speed=100e-6,
    stop=StopRule(0.01),
    clear=6e-6,
    reference_time=2e-3,
)


def record(request: HopRequest, first: int, z_stop: float = 5e-6, samples: int = 1000) -> HopRecord:
    """A hop that fell to z_stop in so many samples."""
    z = np.linspace(request.start, z_stop, samples)
    return HopRecord(
        request=request,
        status=HopStatus.OK,
        first=first,
        rate=RATE,
        curves={"z": z, "current": np.ones(samples)},
        stop=samples,
        reference=1e-9,
        reference_sd=1e-13,
        reference_samples=100,
        noise=1e-12,
        z_stop=z_stop if samples else request.start,
        bandwidth=5e3,
    )


def test_a_fall_takes_its_way_at_its_rate_and_the_lag_of_the_stage() -> None:
    # 2 um at 100 nm/ms: 20 ms; 0.1 ms of lag
    assert fall_time(HOP, 5e-6, Z) == pytest.approx(20.1e-3)


def test_each_part_of_a_fall_has_its_own_rate() -> None:
    hop = replace(HOP, fast=400e-6, slow_from=5.4e-6)
    # 1.6 um at 400 nm/ms: 4 ms; 0.4 um at 100 nm/ms: 4 ms; 0.1 ms of lag
    assert fall_time(hop, 5e-6, Z) == pytest.approx(8.1e-3)
    # met at 6.2 um while still fast: 0.8 um at 400 nm/ms: 2 ms
    assert fall_time(hop, 6.2e-6, Z) == pytest.approx(2.1e-3)
    # begun below slow_from: 0.4 um at 100 nm/ms
    low = replace(hop, start=5.2e-6)
    assert fall_time(low, 4.8e-6, Z) == pytest.approx(4.1e-3)


def test_a_stroke_takes_its_way_at_top_speed_and_the_lag() -> None:
    assert stroke_time(-4e-6, Z) == pytest.approx(2e-3 + 0.1e-3)
    assert stroke_time(0.0, Z) == 0.0


def test_a_way_leads_up_and_sideways_at_once_once_it_is_clear() -> None:
    # up 2 um at 2 mm/s: 1 ms, lag 0.1 ms: 1.1 ms
    assert way_time((0, 0, 5e-6), HOP, AXES) == pytest.approx(1.1e-3)
    # sideways 1 um at 10 mm/s: 0.1 ms, lag 0.8 ms; not before 6 um, after 0.5 ms: 1.4 ms
    beside = replace(HOP, x=1e-6)
    assert way_time((0, 0, 5e-6), beside, AXES) == pytest.approx(1.4e-3)
    # the longer of x and y counts; from above the clear height at once: 0.8 + 0.3 ms
    assert way_time((0, 0, 6.5e-6), replace(beside, y=3e-6), AXES) == pytest.approx(1.1e-3)


def test_a_way_leads_down_to_a_start_below_the_clear_height() -> None:
    # up 3 um: 1.6 ms; down 1 um: 0.6 ms
    low = replace(HOP, clear=8e-6)
    assert way_time((0, 0, 5e-6), low, AXES) == pytest.approx(2.2e-3)


def test_the_least_time_adds_fall_dwell_way_and_the_next_reference() -> None:
    now, following = replace(HOP, dwell=3e-3), replace(HOP, x=1e-6, reference_time=5e-3)
    # 20.1 + 3 + 1.4 + 5 ms
    assert least_time(record(now, 0), following, AXES) == pytest.approx(29.5e-3)


def test_a_hop_that_was_refused_at_the_top_fell_nowhere() -> None:
    refused = record(HOP, 0, samples=0)
    assert least_time(refused, HOP, AXES) == pytest.approx(2e-3)


def test_each_hop_tells_how_long_the_one_before_it_took() -> None:
    times = HopTimes(AXES)
    assert times.see(record(HOP, 5000)) == {}
    assert times.summary() == {}
    found = times.see(record(HOP, 6500))  # 1500 samples later: 30 ms
    assert found == {"hop": pytest.approx(30e-3), "least": pytest.approx(20.1e-3 + 1.1e-3 + 2e-3)}
    times.see(record(HOP, 8500))
    # it fell 20 ms of 30 and 20 ms of 40
    assert times.summary() == {
        "hop_time": pytest.approx(35e-3),
        "least_time": pytest.approx(23.2e-3),
        "duty": pytest.approx(4 / 7),
    }


def test_the_summary_passes_over_what_is_unknown() -> None:
    nan = math.nan
    found = summarise([0.01, nan, 0.02, 0.03], [0.02, 0.02, nan, 0.06], [0.01, 0.01, 0.01, 0.03])
    assert found == {
        "hop_time": pytest.approx(0.04),
        "least_time": pytest.approx(0.02),
        "duty": pytest.approx(0.5),
    }
    assert all(math.isnan(value) for value in summarise([], [], []).values())
