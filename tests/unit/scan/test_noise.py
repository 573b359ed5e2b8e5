"""Noise of averages."""

import numpy as np
import pytest

from sicmctl.scan.bessel import power_gain
from sicmctl.scan.noise import NoiseModel

RATE, CORNER = 50e3, 5e3


@pytest.mark.parametrize("milliseconds", [0.5, 1.0, 2.0, 10.0])
@pytest.mark.parametrize("noise", [NoiseModel(), NoiseModel(rise=0.0)], ids=["usual", "white"])
def test_an_average_is_as_noisy_as_said(noise: NoiseModel, milliseconds: float) -> None:
    count, length = 2000, round(milliseconds * 1e-3 * RATE)
    rng = np.random.default_rng(3)
    f = np.fft.rfftfreq(count * length, 1 / RATE)
    sd = np.sqrt(noise.density(f) * power_gain(f, CORNER) * RATE * count * length / 4)
    seen = np.fft.irfft(sd * (rng.normal(size=len(f)) + 1j * rng.normal(size=len(f))))
    found = seen[: count * length].reshape(count, -1).mean(axis=1).std()
    assert noise.of_mean(milliseconds * 1e-3, CORNER) == pytest.approx(found, rel=0.12)


def test_a_moment_is_no_noisier_than_a_sample() -> None:
    noise = NoiseModel()
    assert noise.of_mean(1e-6, CORNER) == noise.sigma(CORNER)
