"""Vibration from the current at a stop."""

import numpy as np
import pytest
from scipy import signal

from sicmctl.scan import vibration
from sicmctl.scan.curve import Tip

RATE = 50_000.0
TIP = Tip()


@pytest.mark.parametrize(
    ("samples", "length"), [(15_000, 6250), (6250, 6250), (9999, 625), (801, 77)]
)
def test_the_spectrum_is_that_of_scipy(samples: int, length: int) -> None:
    values = np.cumsum(np.random.default_rng(1).normal(size=samples))  # with a trend of its own
    frequency, density = vibration.spectrum(values, RATE, length)
    expected, power = signal.welch(signal.detrend(values), RATE, nperseg=length)
    np.testing.assert_allclose(frequency, expected)
    # the first and the last frequency stand for one side only, and are of no use here
    np.testing.assert_allclose(density[1:-1], power[1:-1], rtol=1e-9)


def test_a_known_motion_is_found() -> None:
    rng, time = np.random.default_rng(2), np.arange(round(0.3 * RATE)) / RATE
    drop, rms = 0.01, 2e-9
    motion = rms * np.sqrt(2) * np.sin(2 * np.pi * 40 * time)
    share = 1 - drop + TIP.slope(drop) * motion + rng.normal(0, 3e-4, len(time))
    assert vibration.measure(share, RATE, TIP) == pytest.approx(rms, rel=0.1)


def test_what_shows_no_surface_or_is_short_tells_nothing() -> None:
    rng = np.random.default_rng(3)
    far = 1 + rng.normal(0, 1e-4, round(0.3 * RATE))
    assert vibration.measure(far, RATE, TIP) == 0
    assert vibration.measure(far[:1000] - 0.01, RATE, TIP) == 0
    assert vibration.measure(np.array([]), RATE, TIP) == 0
