"""Heights over a flat sample: bias, scatter, and whether the stated uncertainty is honest."""

from collections.abc import Callable

import numpy as np
import pytest

from sicmctl.scan.bessel import delay
from sicmctl.scan.curve import Tip
from sicmctl.scan.noise import NoiseModel
from sicmctl.scan.speed import early_trigger

from .conftest import IDEAL, Measured

Measure = Callable[[str, str], Measured]

FLAT = '[sample]\nkind = "flat"\n'


def point(repeats: int, speed: str = "30 nm/ms", setpoint: str = "2 %") -> str:
    return (
        f'pattern = "point"\nrepeats = {repeats}\n'
        f'hop = {{ amplitude = "2 um", fall_rate = "{speed}", setpoint = "{setpoint}" }}'
    )


def test_fit_on_an_ideal_stage(measure: Measure):
    found = measure(FLAT + IDEAL, point(200))
    assert found.status.count("ok") >= 198
    error = found.error()
    assert abs(error.mean()) < 0.3e-9
    assert error.std() <= 0.45e-9


@pytest.mark.parametrize("speed", [30e-6, 100e-6])
def test_z_at_the_stop_is_late_by_its_formula(measure: Measure, speed: float):
    """-v (tau_f + 1/(2 fs) + tau) + b_n.

    The card acts at the very sample, so tau is the lag of the stage behind the frozen command.
    """
    found = measure(FLAT + IDEAL, point(200, f"{speed * 1e6:g} nm/ms"))
    tip = Tip(50e-9, 1.7, np.radians(3.5))
    current = found.scan.settings["current"]
    noise = NoiseModel()
    lag = 2 * 0.7 / (2 * np.pi * 2e3)
    expected = -speed * (delay(5e3) + 0.5 / 50e3 + lag)
    expected += early_trigger(tip, current, speed, 0.02, noise, filter_hz=5e3)
    bias = found.error("stop").mean()
    assert bias == pytest.approx(expected, abs=1e-9 + 0.05 * abs(expected))


def test_default_stage_and_honest_uncertainty(measure: Measure):
    """Drift, vibration and sensor noise as they are; the error in units of its stated sd."""
    found = measure(FLAT, point(500))
    error = found.error()
    assert error.std() <= 1.0e-9
    assert 0.8 < (error / found.sd()).std() < 1.2


def test_the_onset_of_a_short_fall_does_not_count(measure: Measure):
    """The fall takes 5 ms, of which it gathers speed for more than one."""
    hop = 'hop = { amplitude = "500 nm", fall_rate = "100 nm/ms", setpoint = "2 %" }'
    found = measure(FLAT, f'pattern = "point"\nrepeats = 80\n{hop}')
    assert abs(found.error().mean()) < 1.0e-9
