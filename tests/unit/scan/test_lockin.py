"""The lock-in against what it must find, and against itself in other blocks."""

from math import pi

import numpy as np
import pytest

from sicmctl.scan import lockin
from sicmctl.scan.bessel import delay
from sicmctl.scan.lockin import Demodulated, LockIn

RATE, PERIOD, AMPLITUDE = 50e3, 50, 50e-3
OMEGA = 2 * pi * RATE / PERIOD
ADMITTANCE = 4.6e-9 + 1j * OMEGA * 0.5e-12
START = 123
"""Where in its period the bias begins is nobody's business."""


def bias(samples: int) -> np.ndarray:
    return 0.7 + AMPLITUDE * np.sin(2 * pi * (np.arange(samples) + 17) / PERIOD)


def current(samples: int, admittance: complex = ADMITTANCE) -> np.ndarray:
    turn = 2 * pi * (np.arange(samples) + 17) / PERIOD
    return 3.2e-9 + (AMPLITUDE * admittance * np.exp(1j * turn)).imag


def seen(i: np.ndarray, v: np.ndarray, cuts: tuple[int, ...] = ()) -> Demodulated:
    """Demodulated in blocks that end at `cuts`."""
    found, first = LockIn(PERIOD, AMPLITUDE), START
    parts = []
    for a, b in zip(np.split(i, cuts), np.split(v, cuts), strict=True):
        parts.append(found.see(first, a, b))
        first += len(a)
    return Demodulated(
        np.concatenate([part.admittance for part in parts]),
        np.concatenate([part.mean for part in parts]),
    )


def settled(found: Demodulated) -> np.ndarray:
    return found.admittance[LockIn(PERIOD, AMPLITUDE).settling :]


def test_resistance_and_capacitance_in_parallel() -> None:
    found = seen(current(1000), bias(1000))
    np.testing.assert_allclose(settled(found), ADMITTANCE, rtol=1e-9)
    np.testing.assert_allclose(found.mean[PERIOD:], 3.2e-9, rtol=1e-9)


@pytest.mark.parametrize("cuts", [(1, 2, 3, 50), (499, 500), (7, 200, 201, 900)])
def test_the_size_of_blocks_does_not_matter(cuts: tuple[int, ...]) -> None:
    noise = np.random.default_rng(1).normal(0, 1e-12, 1000)
    whole = seen(current(1000) + noise, bias(1000))
    cut = seen(current(1000) + noise, bias(1000), cuts)
    np.testing.assert_allclose(cut.admittance, whole.admittance, rtol=1e-12, equal_nan=True)
    np.testing.assert_allclose(cut.mean, whole.mean, rtol=1e-12)


def test_a_direct_current_that_drifts_is_not_seen() -> None:
    """Ten per cent in twenty milliseconds, along a parabola."""
    drift = 0.32e-9 * np.linspace(0, 1, 1000) ** 2
    found = settled(seen(current(1000) + drift, bias(1000)))
    assert np.abs(found / ADMITTANCE - 1).max() < 1e-6


def test_a_bias_that_stands_still_tells_nothing() -> None:
    swing = bias(1000)
    swing[600:] = 0.7
    found = seen(current(1000), swing)
    assert np.isnan(found.admittance[630:]).all()
    assert np.isfinite(found.admittance[LockIn(PERIOD, AMPLITUDE).settling : 600]).all()


def test_after_a_gap_the_past_is_forgotten() -> None:
    found = LockIn(PERIOD, AMPLITUDE)
    found.see(0, current(500), bias(500))
    again = found.see(700, current(500), bias(500))
    assert np.isnan(again.admittance[:100]).all()
    assert np.isfinite(again.admittance[found.settling :]).all()


@pytest.mark.parametrize("corner", [5e3, 10e3])
def test_the_response_to_a_ramp(corner: float) -> None:
    found = LockIn(PERIOD, AMPLITUDE)
    time = np.arange(1000) / RATE
    ramp = np.maximum(time - 5e-3, 0)
    mean = np.convolve(np.concatenate((np.zeros(found.settling - 1), ramp)), found.kernel, "valid")
    late = np.interp(time - delay(corner), time, mean)
    whole = lockin.bandwidth(found.lag, RATE, corner)
    told = lockin.ramp_response(time - 5e-3, PERIOD, RATE, whole)
    np.testing.assert_allclose(told, late, atol=1e-7)


def test_noise_behind_the_lock_in() -> None:
    """White noise: its variance and autocovariance are as told."""
    density, n = 1e-27, 400_000
    noise = np.random.default_rng(2).normal(0, np.sqrt(density * RATE / 2), n)
    found = settled(seen(noise, bias(n))) * AMPLITUDE
    expected = 2 * density * lockin.noise_bandwidth(PERIOD, RATE)  # from both sides of the carrier
    assert found.real.var() == pytest.approx(expected, rel=0.1)
    own = 2 * density * lockin.autocovariance(PERIOD, RATE, 200)
    assert own[0] == pytest.approx(expected, rel=0.01)
    lagged = np.mean(found.real[:-60] * found.real[60:])
    assert lagged == pytest.approx(own[60], abs=0.1 * own[0])
    assert own[150] == 0


@pytest.mark.parametrize(("period", "amplitude"), [(3, 0.05), (50, 0.0)])
def test_what_cannot_be_demodulated_is_refused(period: int, amplitude: float) -> None:
    with pytest.raises(ValueError, match="cannot be demodulated"):
        LockIn(period, amplitude)
