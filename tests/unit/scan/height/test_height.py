"""Bias, scatter and honesty of the three heights by Monte Carlo on records with known height."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from sicmctl.scan.curve import Tip
from sicmctl.scan.height import Approach, Height, estimate, estimate_all, fit_many
from sicmctl.scan.noise import NoiseModel

Make = Callable[..., Approach]
TIP = Tip()
FAST = {"speed": 500e-6, "filter_hz": 1e4, "reaction": 0.02e-3}


class Figures(NamedTuple):
    bias: float  # nm
    sd: float  # nm
    pull: float  # sd of (value - truth) / claimed sd
    share_ok: float


def figures(heights: list[Height]) -> Figures:
    heights = [h for h in heights if h.status != "no_crossing"]
    value = np.array([h.value for h in heights]) * 1e9
    claimed = np.array([h.sd for h in heights]) * 1e9
    ok = np.mean([h.status == "ok" for h in heights])
    return Figures(value.mean(), value.std(), (value / claimed).std(), float(ok))


def hops(record: Make, count: int, seed: int, **world: object) -> list[Approach]:
    rng = np.random.default_rng(seed)
    return [record(rng, **world) for _ in range(count)]


@pytest.mark.parametrize(
    ("world", "count", "sd", "bias"),
    [
        ({}, 150, 0.45, 0.15),
        ({"speed": 100e-6}, 300, 0.85, 0.3),
        (FAST, 300, 2.0, 0.6),
        ({"filter_hz": 1e4}, 100, 0.65, 0.3),
        ({"filter_hz": 2e3, "rate": 1e4}, 100, 0.40, 0.2),
        ({"tell": False}, 100, 0.45, 0.2),
        ({"hum": 2e-12}, 100, 0.45, 0.2),
        ({"hum": 2e-12, "t_ref": 5e-3, "speed": 100e-6}, 150, 0.85, 0.3),
        ({"hum": 2e-12, "mains": 60.0, "tell": False}, 100, 0.45, 0.2),
        ({"drift": 0.005}, 100, 0.45, 0.3),
        ({"sensor": 0.5e-9, "vibration": 0.5e-9}, 100, 1.0, 0.3),
        ({"height": 0.6e-6}, 100, 0.65, 0.3),
    ],
    ids=["30", "100", "500", "10kHz", "2kHz", "unknown noise", "hum", "short reference",
         "60 Hz", "drift", "vibration", "low hop"],
)  # fmt: skip
def test_fit_meets_its_target_and_its_own_sd(
    record: Make, world: dict[str, object], count: int, sd: float, bias: float
):
    found = figures(fit_many(hops(record, count, 11, **world), TIP))
    assert abs(found.bias) < bias
    assert found.sd < sd
    assert (0.8 if world.get("tell", True) else 0.6) < found.pull < 1.2
    assert found.share_ok > 0.93


def test_vibration_that_the_sensor_misses_is_the_floor(record: Make):
    noise = NoiseModel(vibration=0.5e-9)
    records = hops(record, 100, 12, noise=noise, sensor=0.5e-9, vibration=0.5e-9, unseen=True)
    found = figures(fit_many(records, TIP))
    assert found.sd < 1.0
    assert 0.8 < found.pull < 1.2


@pytest.mark.parametrize("shape", [{"stretch": 0.5}, {"stretch": 2.0}, {"excess": 0.85}])
def test_other_curves_are_seen_and_followed(record: Make, shape: dict[str, float]):
    records = hops(record, 60, 13, **shape)
    heights = fit_many(records, TIP)
    found = figures(heights)
    assert abs(found.bias) < 0.5
    assert found.sd < 1.0
    assert np.mean([h.status == "slope" for h in heights]) > 0.7
    crossing = figures([estimate(a, TIP, "crossing") for a in records])
    assert abs(crossing.bias) < 2


@pytest.mark.parametrize(
    ("world", "bias", "sd", "honest"),
    [({}, 0.5, 1.0, 0.3), ({"speed": 100e-6}, 2.0, 1.6, 0.3), (FAST, 5.0, 3.5, 0.4)],
)
def test_crossing_is_near(
    record: Make, world: dict[str, object], bias: float, sd: float, honest: float
):
    found = figures([estimate(a, TIP, "crossing") for a in hops(record, 150, 14, **world)])
    assert abs(found.bias) < bias
    assert found.sd < sd
    assert found.pull == pytest.approx(1.0, abs=honest)


@pytest.mark.parametrize("world", [{}, {"speed": 100e-6}, FAST, {"reaction": 1e-3}])
def test_stop_is_biased_as_it_says(record: Make, world: dict[str, object]):
    heights = [estimate(a, TIP, "stop") for a in hops(record, 150, 15, **world)]
    found = figures(heights)
    expected = float(np.mean([h.expected_bias for h in heights])) * 1e9
    assert found.bias == pytest.approx(expected, abs=1 + 0.05 * abs(expected))
    assert 0.6 < found.pull < 1.4


def test_many_and_one_agree(record: Make):
    mixed = hops(record, 4, 16) + hops(record, 4, 17, speed=100e-6, stretch=1.5)
    mixed.append(hops(record, 1, 18, height=0.5e-6)[0])
    for one, many in zip([estimate(a, TIP) for a in mixed], fit_many(mixed, TIP), strict=True):
        assert many.status == one.status
        assert many.value == pytest.approx(one.value, abs=2e-12)
        assert many.sd == pytest.approx(one.sd, rel=1e-3)


def test_negative_bias_changes_nothing(record: Make):
    a = hops(record, 1, 19)[0]
    b = replace(a, current=-a.current, reference=-a.reference)
    for method, height in estimate_all(a, TIP).items():
        assert estimate_all(b, TIP)[method].value == pytest.approx(height.value, abs=1e-13)


def test_what_follows_the_stop_does_not_matter(record: Make):
    a = hops(record, 1, 21)[0]
    short = slice(0, a.stop + 1)
    alone = replace(a, current=a.current[short], z=a.z[short])
    assert estimate(alone, TIP).value == estimate(a, TIP).value


def test_a_lagging_stage_is_followed_by_its_sensor(record: Make):
    """A second-order stage (1 kHz, zeta 0.7) starts and runs 22 nm late at 100 nm/ms."""
    records = []
    for a in hops(record, 100, 22, speed=100e-6, sensor=0.5e-9):
        start = np.arange(len(a.z)) / a.rate
        late = 22e-9 * np.exp(-0.7 * 2 * np.pi * 1e3 * start)
        records.append(replace(a, z=a.z - late))  # current and z differ only at the start
    found = figures(fit_many(records, TIP))
    assert abs(found.bias) < 0.3
    assert 0.8 < found.pull < 1.2


def test_a_commanded_z_carries_its_lag(record: Make):
    a = hops(record, 1, 20)[0]
    late = replace(a, lag=0.11e-3)
    assert estimate(late, TIP).expected_bias == pytest.approx(-3.3e-9)
    change = estimate(late, TIP, "stop").expected_bias - estimate(a, TIP, "stop").expected_bias
    assert change == pytest.approx(-3.3e-9)
