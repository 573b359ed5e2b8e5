"""The tip fitted to its own approach curves, and the level of an image."""

from __future__ import annotations

from collections.abc import Callable
from math import radians

import numpy as np
import pytest

from sicmctl.scan.curve import Tip
from sicmctl.scan.height import Approach
from sicmctl.scan.tipfit import fit_tip, mode_level

Make = Callable[..., Approach]
KNOWN = Tip()


def test_the_same_tip_is_found_again(record: Make):
    rng = np.random.default_rng(21)
    found = [
        fit_tip([record(rng, setpoint=0.03, speed=100e-6)], KNOWN, relative_current=1.0)
        for _ in range(20)
    ]
    changes = np.array([f.change(KNOWN) for f in found if f])
    assert len(changes) == 20
    assert np.abs(changes).max() < 4
    assert np.mean([f.radius_sd for f in found if f]) < 0.1


@pytest.mark.parametrize("tip", [Tip(62e-9), Tip(111e-9), Tip(45e-9, half_angle=radians(3.8))])
def test_a_changed_tip_is_recognised(record: Make, tip: Tip):
    rng = np.random.default_rng(22)
    ratio = tip.inner_radius / tip.resistance / KNOWN.inner_radius * KNOWN.resistance
    curves = [record(rng, tip=tip, setpoint=0.03, speed=100e-6) for _ in range(10)]
    found = fit_tip(curves, KNOWN, relative_current=ratio)
    assert found
    assert found.tip.inner_radius == pytest.approx(tip.inner_radius, rel=4 * found.radius_sd)
    assert found.radius_sd < 0.06
    assert found.tip.half_angle == pytest.approx(tip.half_angle, rel=4 * found.angle_sd)


def test_a_broken_tip_stands_out(record: Make):
    rng = np.random.default_rng(23)
    curves = [record(rng, tip=Tip(111e-9), setpoint=0.03, speed=100e-6) for _ in range(5)]
    found = fit_tip(curves, KNOWN, relative_current=2.22)
    assert found
    assert found.change(KNOWN) > 5


def test_no_curve_no_tip():
    assert fit_tip([], KNOWN) is None
    with pytest.raises(ValueError, match="positive"):
        fit_tip([], KNOWN, relative_current=0.0)


def test_mode_is_the_plateau_not_the_mean():
    rng = np.random.default_rng(24)
    plateau, near = rng.normal(3.2e-9, 4e-12, 3000), rng.uniform(2e-9, 3.2e-9, 1500)
    assert mode_level(np.concatenate([plateau, near])) == pytest.approx(3.2e-9, abs=3e-12)
    assert mode_level([1.0, np.nan]) == 1.0
    assert np.isnan(mode_level([]))
