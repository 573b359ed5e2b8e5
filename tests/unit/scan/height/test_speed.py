"""Noise, false triggers, fall rates and bounds against published and tabulated figures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import bessel, lfilter

from sicmctl.scan.bessel import delay, power_gain, ramp_response
from sicmctl.scan.curve import Tip
from sicmctl.scan.noise import NoiseModel, autocovariance, estimate_noise
from sicmctl.scan.speed import (
    crlb,
    early_trigger,
    false_trigger_rate,
    max_fall_rate,
    min_setpoint,
    reaction_total,
    sigma_current,
)

CURRENT = 3.208e-9
CORNERS = np.array([1e3, 2e3, 5e3, 1e4, 2e4])
NOISE = NoiseModel()


def test_noise_behind_the_filter():
    sigma = [sigma_current(NOISE, fc) * 1e12 for fc in CORNERS]
    assert sigma == pytest.approx([0.72, 1.25, 3.60, 9.51, 26], rel=0.02)
    rates = [NOISE.crossing_rate(fc) * 1e-3 for fc in CORNERS]
    assert rates == pytest.approx([0.98, 2.38, 7.19, 15.1, 30.5], rel=0.01)
    assert [delay(fc) * 1e6 for fc in CORNERS] == pytest.approx([336, 168, 67, 34, 17], rel=0.02)


def test_filter_is_three_decibel_down_at_its_corner():
    assert power_gain(5e3, 5e3) == pytest.approx(0.5)
    b, a = bessel(4, 5e3, norm="mag", fs=1e7)  # pyright: ignore
    t = np.arange(20_000) / 1e7
    assert ramp_response(t, 5e3) == pytest.approx(lfilter(b, a, t), abs=2e-7)


@pytest.mark.parametrize("corner", [1e3, 5e3, 2e4])
def test_autocovariance_starts_at_the_variance(corner: float):
    assert autocovariance(NOISE, 50e3, corner, 64)[0] == pytest.approx(NOISE.sigma(corner) ** 2)


def test_noise_is_recovered_from_a_record():
    rng = np.random.default_rng(5)
    r = autocovariance(NOISE, 50e3, 5e3, 2048)
    spectrum = np.fft.rfft(np.concatenate([r, r[-2:0:-1]])).real.clip(0)
    n = 2 * (len(spectrum) - 1)
    found = [
        estimate_noise(np.fft.irfft(np.sqrt(spectrum) * np.fft.rfft(rng.normal(size=n))), 50e3, 5e3)
        for _ in range(20)
    ]
    assert np.mean([f.white for f in found]) == pytest.approx(NOISE.white, rel=0.15)
    assert np.mean([f.rise for f in found]) == pytest.approx(NOISE.rise, rel=0.1)


def test_false_triggers():
    assert false_trigger_rate(CURRENT, 0.02, NOISE, 1e4) == pytest.approx(2e-6, rel=0.8)
    assert false_trigger_rate(CURRENT, 0.02, NOISE, 2e4) == pytest.approx(1.6e3, rel=0.1)
    assert false_trigger_rate(CURRENT, 0.01, NOISE, 1e4) == pytest.approx(51, rel=0.1)
    assert false_trigger_rate(CURRENT, 0.005, NOISE, 5e3) == pytest.approx(0.35, rel=0.1)
    assert false_trigger_rate(CURRENT, 0.02, NOISE, 5e3) < 1e-12
    assert min_setpoint(CURRENT, sigma_current(NOISE, 1e4)) == pytest.approx(0.0178, rel=0.01)


def test_cramer_rao_bound():
    def bound(speed: float, setpoint: float = 0.02) -> float:
        return crlb(Tip(), CURRENT, speed * 1e-6, setpoint, NOISE.white) * 1e9

    assert [bound(v) for v in (30, 100, 500)] == pytest.approx([0.36, 0.65, 1.46], rel=0.01)
    assert [bound(30, s) for s in (0.01, 0.03)] == pytest.approx([0.92, 0.21], rel=0.02)


def test_early_triggers_are_bounded():
    def early(speed: float, corner: float) -> float:
        return early_trigger(Tip(), CURRENT, speed, 0.02, NOISE, filter_hz=corner) * 1e9

    found = [early(30e-6, 5e3), early(30e-6, 1e4), early(100e-6, 1e4)]
    assert found == pytest.approx([0.98, 9.5, 5.1], rel=0.05)


def test_fall_rate_leaves_the_margin():
    tip = Tip()
    total = reaction_total(0.1e-3, 5e3, 50e3)
    assert total == pytest.approx(0.1e-3 + 67.3e-6 + 10e-6, rel=1e-3)
    assert max_fall_rate(tip, 0.02, 0.1e-3, 5e3, 50e3) == pytest.approx(34.6e-9 / total, rel=2e-3)
    slower = max_fall_rate(tip, 0.02, 0.1e-3, 5e3, 50e3, stage_lag=0.11e-3)
    assert slower == pytest.approx(34.6e-9 / (total + 0.11e-3), rel=2e-3)
    assert max_fall_rate(tip, 0.02, 0.1e-3, 5e3, 50e3, margin=50e-9) == 0


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="negative"):
        reaction_total(-1.0, 5e3, 50e3)
    with pytest.raises(ValueError, match="current"):
        min_setpoint(0.0, 1e-12)
    with pytest.raises(ValueError, match="white noise"):
        NoiseModel(white=0.0)
    with pytest.raises(ValueError, match="64"):
        estimate_noise(np.zeros(10), 50e3, 5e3)
