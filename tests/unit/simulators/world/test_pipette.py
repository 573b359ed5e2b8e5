import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from simulators.config import PipetteConfig, SampleConfig
from simulators.world.pack import packed
from simulators.world.pipette import (
    Pipette,
    concentration_factor,
    conductance,
    excess_b,
    far_conductance,
)
from simulators.world.sample import Sample, look
from simulators.world.truth import setpoint_height

R = 50e-9


@pytest.fixture
def pipette() -> Pipette:
    return Pipette.new(PipetteConfig(rectification=0.0))


def test_far_current(pipette: Pipette):
    assert pipette.far_resistance == pytest.approx(218e6, rel=0.005)
    assert pipette.current(1e-3, 0.7) == pytest.approx(3.208e-9, rel=0.003)


@pytest.mark.parametrize(("degrees", "nanoamperes"), [(3, 2.75), (5, 4.5), (8, 7.0)])
def test_current_grows_with_the_cone(degrees: float, nanoamperes: float):
    config = PipetteConfig(half_cone_angle=math.radians(degrees))
    assert Pipette.new(config).current(1e-3, 0.7) == pytest.approx(nanoamperes * 1e-9, rel=0.04)


@pytest.mark.parametrize(
    ("drop", "gap", "slope"),
    [(0.005, 112.8, 0.188), (0.01, 67.2, 0.641), (0.02, 39.6, 2.051), (0.03, 28.4, 4.00),
     (0.05, 18.0, 9.45)],
)  # fmt: skip
def test_gap_and_slope_at_a_drop(pipette: Pipette, drop: float, gap: float, slope: float):
    """Against our own finite-element solutions: gap (nm) and slope (pA/nm)."""
    far = float(pipette.current(1.0, 0.7))

    def excess(d: float) -> float:
        return float(pipette.current(d, 0.7)) / far - (1 - drop)

    d: float = brentq(excess, 1e-9, 1e-6, xtol=1e-13)  # type: ignore[assignment]
    assert d == pytest.approx(gap * 1e-9, rel=0.01)
    around = pipette.current([d - 2e-10, d + 2e-10], 0.7)
    assert np.diff(around)[0] / 4e-10 == pytest.approx(slope * 1e-3, rel=0.02)


def test_b_has_the_analytic_limits():
    assert excess_b(1e3, 1.7) == pytest.approx(0.25)
    assert excess_b(1e-4, 1.7) == pytest.approx(math.log(1.7) + 0.06, abs=0.01)
    assert excess_b(0.5, 1.6) == pytest.approx((0.549 + 0.619) / 2)


@pytest.mark.parametrize(
    ("x", "factor"), [(0.1, 0.391), (0.25, 0.541), (0.5, 0.721), (1.0, 1.0), (2.0, 1.443)]
)
def test_log_mean_concentration(x: float, factor: float):
    assert concentration_factor(PipetteConfig(), x * 1000) == pytest.approx(factor, abs=6e-4)


def test_other_concentration_models():
    power = PipetteConfig(concentration_model="power", concentration_exponent=0.3)
    assert concentration_factor(power, 2000) == pytest.approx(2**0.3)
    casteel = PipetteConfig(concentration_model="casteel")
    assert concentration_factor(casteel, 1100) == pytest.approx(1, abs=0.002)
    assert concentration_factor(casteel, 100) < 0.7


def test_rectification_bends_the_iv_curve():
    pipette = Pipette.new(PipetteConfig(rectification=0.02))
    forth, back = pipette.current(1.0, 0.7), pipette.current(1.0, -0.7)
    assert forth / -back == pytest.approx(1.04, abs=0.003)


def test_a_permeable_sample_hinders_less(pipette: Pipette):
    def excess(sigma: float) -> float:
        g = pipette.current(40e-9, 1.0), pipette.current(1.0, 1.0)
        porous = replace(pipette, permeability=sigma).current(40e-9, 1.0)
        return float((1 / porous - 1 / g[1]) / (1 / g[0] - 1 / g[1]))

    assert excess(0.08) == pytest.approx(0.92 / 1.08, rel=1e-3)


@pytest.mark.parametrize(
    ("um", "radius", "current"), [(0.2, 62, 1.24), (1, 111, 2.2), (3, 233, 4.6)]
)
def test_a_broken_tip_is_wider(pipette: Pipette, um: float, radius: float, current: float):
    broken = pipette.broken(um * 1e-6)
    assert broken.inner_radius == pytest.approx(radius * 1e-9, rel=0.01)
    assert broken.current(1.0, 1) / pipette.current(1.0, 1) == pytest.approx(current, rel=0.02)


# rough samples, against our own 3-D finite elements; the sector model claims 7 % rms, 20 % at
# worst, of the excess resistance, which is 2-3 nm of height for a 50 nm tip


def edge(height: float) -> Sample:
    """A step up at x = 1 um, down again at 3 um."""
    n, size = 1024, 4e-6
    x = (np.arange(n) + 0.5) * size / n
    steps = np.tile(np.where((x > 1e-6) & (x < 3e-6), height, 0.0), (n, 1))
    return Sample(SampleConfig(kind="flat"), steps, size, (2e-6, 2e-6))


@pytest.mark.parametrize(
    ("height", "percent", "width"),
    [(10e-9, [2, 7, 16, 28, 41, 52, 66, 90], 3.3), (50e-9, [3, 11, 27, 42, 54, 67, 80, 95], 3.1)],
)
def test_apparent_step(pipette: Pipette, height: float, percent: list[float], width: float):
    sample, from_edge = edge(height), np.array([-3, -2, -1.5, -1, -0.5, 0, 0.5, 1.5]) * R
    level = setpoint_height(pipette, sample, 0.3e-6, 2e-6, 0.02)
    apparent = setpoint_height(pipette, sample, 1e-6 + from_edge, 2e-6, 0.02) - level
    errors = apparent - np.array(percent) / 100 * height
    assert np.sqrt(np.mean(errors**2)) < 3e-9
    x = np.linspace(0.6e-6, 1.4e-6, 400)
    profile = (setpoint_height(pipette, sample, x, 2e-6, 0.02) - level) / height
    rise = np.interp([0.1, 0.9], profile, x)
    assert np.diff(rise)[0] / R == pytest.approx(width, rel=0.2)


def inclined(degrees: float) -> Sample:
    config = SampleConfig(kind="flat", tilt=math.radians(degrees), height=1e-6)
    return Sample(config, np.zeros((16, 16)), 20e-6, (10e-6, 10e-6))


@pytest.mark.parametrize(
    ("degrees", "percent"),
    [(15, 3.9), (20, 2.95), (25, 2.33), (30, 1.90), (35, 1.60), (40, 1.37), (45, 1.19)],
)
def test_drop_when_the_rim_nearly_touches_a_slope(pipette: Pipette, degrees: float, percent: float):
    sample, tip, local = inclined(degrees), packed(pipette.tip()), np.empty((12, 3))
    look(packed(sample.surface()), sample.map, R, 1.25 * R, 10e-6, 10e-6, local)
    z = float(sample.height(10e-6 + 1.7 * R, 10e-6)) + 3e-9
    excess = far_conductance(tip) / conductance(tip, local, z, 1e-9) - 1
    assert excess == pytest.approx(1 / (1 - percent / 100) - 1, rel=0.25)


@pytest.mark.parametrize(("degrees", "nm"), [(10, 1.1), (20, 4.5)])
def test_a_slope_seems_a_little_higher(pipette: Pipette, degrees: float, nm: float):
    z = [setpoint_height(pipette, inclined(d), 10e-6, 10e-6, 0.02) for d in (0, degrees)]
    assert float(z[1] - z[0]) == pytest.approx(nm * 1e-9, abs=2.5e-9)
