"""Ranges that the rig allows."""

import math

import pytest

from sicmctl.hal.errors import LimitExceeded
from sicmctl.hal.limits import Interval

TRAVEL = Interval(0.0, 25e-6, "m")


def test_both_ends_belong_to_an_interval() -> None:
    assert 0.0 in TRAVEL
    assert 25e-6 in TRAVEL
    assert 26e-6 not in TRAVEL
    assert str(TRAVEL) == "0 m .. 25 um"


@pytest.mark.parametrize("ends", [(1.0, 0.0), (math.nan, 1.0), (0.0, math.nan)])
def test_an_interval_needs_its_ends_in_order(ends: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="low <= high"):
        Interval(*ends)


def test_clip_returns_the_nearest_allowed_value() -> None:
    assert [TRAVEL.clip(z) for z in (-1.0, 5e-6, 1.0)] == [0.0, 5e-6, 25e-6]


def test_check_lets_allowed_values_through() -> None:
    assert TRAVEL.check(5e-6, "z", "stage", "play") == 5e-6


@pytest.mark.parametrize("value", [-1e-9, 26e-6, math.nan, math.inf])
def test_check_refuses_all_others(value: float) -> None:
    with pytest.raises(LimitExceeded):
        TRAVEL.check(value, "z", "stage", "play")


def test_the_refusal_names_value_and_range() -> None:
    with pytest.raises(LimitExceeded) as caught:
        TRAVEL.check(26e-6, "z", "stage", "play")
    assert str(caught.value).startswith("stage: play: z 26 um lies outside 0 m .. 25 um")
