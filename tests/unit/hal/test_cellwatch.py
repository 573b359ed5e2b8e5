"""End conditions seen on the host: which sample ends a step, and that noise does not."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sicmctl.hal.capabilities import F64
from sicmctl.hal.cell import Until, Watched
from sicmctl.hal.cellwatch import CellWatch

Side = Literal["above", "below"]
T = np.arange(11, dtype=np.float64)
RAMP = (10 - T) / 10  # V over 10 s
FADING = (T - 10) * 1e-4  # A


@pytest.mark.parametrize(
    ("quantity", "side", "value", "magnitude", "index"),
    [
        ("potential", "below", 0.45, False, 6),
        ("potential", "above", 0.95, False, 0),
        ("current", "above", -0.25e-3, False, 8),
        ("current", "below", 0.25e-3, True, 8),
        ("charge", "below", -0.949e-3, False, 1),
        ("charge", "above", 4.9e-3, True, 9),
    ],
)
def test_the_first_sample_that_meets_a_condition(
    quantity: Watched, side: Side, value: float, magnitude: bool, index: int
) -> None:
    until = Until(quantity, side, value, magnitude)
    assert CellWatch((until,)).see(T, RAMP, FADING) == (index, until)


def test_nothing_is_met_by_what_stays_away() -> None:
    watch = CellWatch((Until("potential", "below", -0.1), Until("current", "above", 1e-6)))
    assert watch.see(T, RAMP, FADING) is None
    assert watch.charge == pytest.approx(-5e-3)


def test_the_first_of_several_conditions_is_told() -> None:
    late, soon = Until("potential", "below", 0.1), Until("current", "above", -0.5e-3)
    assert CellWatch((late, soon)).see(T, RAMP, FADING) == (5, soon)


@settings(deadline=None)
@given(st.lists(st.integers(0, 200), max_size=8))
def test_blocks_make_no_difference(cuts: list[int]) -> None:
    t = np.arange(0, 100, 0.5, dtype=np.float64)
    e = np.exp(-t / 20) + 0.01 * np.sin(7 * t)
    i = -1e-3 * np.cos(t / 30)
    conditions = (Until("charge", "below", -0.02), Until("potential rate", "above", -1e-3))
    whole = CellWatch(conditions).see(t, e, i)
    watch, begin, met = CellWatch(conditions), 0, None
    for end in (*sorted(cuts), 200):
        found = watch.see(t[begin:end], e[begin:end], i[begin:end])
        if found is not None:
            met = begin + found[0], found[1]
            break
        begin = end
    assert met == whole
    assert whole is not None


CALM = Until("potential rate", "below", 0.1e-3 / 3600, magnitude=True)  # |dE/dt| < 0.1 mV/h


def relaxing(noise: float, seed: int) -> tuple[F64, F64]:
    """Ten hours after a pulse: 20 mV that fade with 1 h, one sample a second."""
    t = np.arange(36000, dtype=np.float64)
    return t, 0.1 + 0.02 * np.exp(-t / 3600) + np.random.default_rng(seed).normal(0, noise, t.size)


@pytest.mark.parametrize("noise", [0.0, 20e-6])
def test_a_rest_ends_when_it_is_calm_not_when_noise_says_so(noise: float) -> None:
    t, e = relaxing(noise, seed=3)
    truly_calm = 3600 * np.log(0.02 / 0.1e-3)  # where the slope is 0.1 mV/h
    met = CellWatch((CALM,)).see(t, e, np.zeros_like(t))
    assert met is not None
    # The slope is that of the last 18 min, so it is seen about 9 min late.
    assert truly_calm * 0.9 < met[0] < truly_calm + 1500


def test_a_steady_drift_above_the_threshold_never_calms() -> None:
    t = np.arange(20000, dtype=np.float64)
    e = 0.2e-3 / 3600 * t + np.random.default_rng(1).normal(0, 20e-6, t.size)
    assert CellWatch((CALM,)).see(t, e, np.zeros_like(t)) is None


def test_a_fast_change_is_seen_within_ten_samples() -> None:
    until = Until("potential rate", "above", 0.05)
    t = np.arange(0, 2, 0.02)
    e = np.where(t < 1, 0.0, (t - 1) * 0.5)
    met = CellWatch((until,)).see(t, e, np.zeros_like(t))
    assert met is not None
    assert 1.0 < t[met[0]] <= 1.2


def test_a_rate_of_zero_is_taken_over_an_hour() -> None:
    until = Until("potential rate", "above", 0.0)
    t = np.arange(0, 8000, 10, dtype=np.float64)
    e = -1e-6 * np.minimum(t, 4000) + 1e-6 * np.maximum(t - 4000, 0)
    met = CellWatch((until,)).see(t, e, np.zeros_like(t))
    assert met is not None
    assert 5000 < t[met[0]] < 7000
