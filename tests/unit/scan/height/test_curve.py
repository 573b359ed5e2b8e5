"""The approach curve against its tables and limits."""

from __future__ import annotations

from math import log, pi, radians

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sicmctl.scan.curve import Tip, excess_factor

DROPS = [0.005, 0.01, 0.02, 0.03, 0.05]
TIPS = st.builds(Tip, st.floats(5e-9, 1e-6), st.floats(1.3, 2.5), st.floats(0.02, 0.3))


def test_gap_and_slope_at_a_drop():
    tip = Tip()
    assert tip.gap(DROPS) * 1e9 == pytest.approx([112.8, 67.2, 39.6, 28.4, 18.0], rel=3e-3)
    slope = tip.slope(DROPS) * 3208e-12 * 1e3  # pA/nm
    assert slope == pytest.approx([0.188, 0.641, 2.051, 4.00, 9.45], rel=1e-2)
    assert tip.resistance == pytest.approx(5.45, abs=0.01)


@pytest.mark.parametrize(
    ("angle", "ratio", "radii"),
    [(3, 1.3, 0.62), (5, 1.3, 0.90), (8, 1.3, 1.26), (3, 1.6, 0.72), (5, 1.6, 1.02),
     (8, 1.6, 1.39), (3, 2.0, 0.82), (5, 2.0, 1.14), (8, 2.0, 1.53)],
)  # fmt: skip
def test_gap_at_two_per_cent_by_geometry(angle: float, ratio: float, radii: float):
    tip = Tip(radius_ratio=ratio, half_angle=radians(angle))
    assert tip.gap(0.02) / tip.inner_radius == pytest.approx(radii, abs=0.05)


def test_limits_of_the_excess_factor():
    assert excess_factor(1e3, 1.7) == pytest.approx(0.25, abs=1e-3)  # image charge
    assert excess_factor(1e-4, 1.7) == pytest.approx(log(1.7) + 0.06, abs=0.01)  # lubrication
    assert excess_factor([0.5, 3.0], 2.0) == pytest.approx([0.716, 0.380])


def test_current_is_the_formula():
    tip, gap = Tip(), np.array([20e-9, 50e-9, 250e-9])
    rho = 1 / (pi * np.tan(tip.half_angle)) + 0.25
    b = excess_factor(gap / tip.inner_radius, 1.7)
    expected = 1 / (1 + b / (2 * pi * gap / tip.inner_radius * rho))
    assert tip.current(gap) == pytest.approx(expected, rel=1e-6)


def test_nitz_puts_the_gap_three_times_higher():
    assert Tip(model="nitz").gap(0.02) / Tip().gap(0.02) == pytest.approx(3.0, abs=0.1)


@given(TIPS, st.floats(1e-3, 0.3))
def test_gap_and_drop_are_inverse(tip: Tip, drop: float):
    assert tip.drop(tip.gap(drop)) == pytest.approx(drop, rel=1e-3)
    assert tip.slope(drop) > 0


@given(TIPS, st.floats(allow_nan=False))
def test_current_is_a_fraction_wherever_the_tip_is(tip: Tip, gap: float):
    assert 0 < tip.current(gap) <= 1


@pytest.mark.parametrize(
    ("wrong", "text"),
    [({"inner_radius": 0.0}, "inner radius"), ({"radius_ratio": 3.0}, "radius ratio"),
     ({"half_angle": 0.0}, "half cone angle"), ({"model": "magic"}, "nitz")],
)  # fmt: skip
def test_nonsense_tips_are_refused(wrong: dict[str, object], text: str):
    with pytest.raises(ValueError, match=text):
        Tip(**wrong)  # pyright: ignore[reportArgumentType]
