"""What is carried from hop to hop: the reference current and the mains hum."""

from collections.abc import Iterator

import numpy as np
import pytest

from sicmctl.scan.mains import MainsTracker
from sicmctl.scan.reference import ReferenceTrack

RATE = 50e3


def test_before_the_first_hop_there_is_no_reference() -> None:
    assert ReferenceTrack().level is None


def test_drift_is_followed() -> None:
    track = ReferenceTrack()
    for k in range(50):
        track.add(3e-9 * (1 - 0.001 * k))
    assert track.level == pytest.approx(3e-9 * (1 - 0.001 * 45))  # the median of the last nine


def test_a_jump_is_not_followed_but_can_be_accepted() -> None:
    track = ReferenceTrack()
    for current in (3.0, 3.1, 3.0, 9.0, 3.1):
        track.add(current)
    assert track.level == 3.1
    track.accept(9.0)
    assert track.level == 9.0
    track.add(9.2)
    assert track.level == pytest.approx(9.1)


def hops(frequency: float, amplitude: float, seed: int = 1) -> Iterator[tuple[int, np.ndarray]]:
    """Stretches of 30 ms every 100 ms on one clock: hum, white noise, and a slope."""
    rng = np.random.default_rng(seed)
    for k in range(20):
        first = k * 5000
        t = (first + np.arange(1500)) / RATE
        wave = amplitude * np.sin(2 * np.pi * frequency * t + 0.7)
        wave += amplitude / 4 * np.sin(2 * np.pi * 3 * frequency * t - 0.2)
        yield first, 3e-9 - 1e-11 * np.linspace(0, 1, 1500) + wave + rng.normal(0, 3e-12, 1500)


@pytest.mark.parametrize("frequency", [50.0, 60.0])
def test_hum_is_found_and_taken_out(frequency: float) -> None:
    tracker = MainsTracker(frequency, RATE)
    for first, current in hops(frequency, 2e-12):
        tracker.learn(first, current)
    assert tracker.amplitudes[0] == pytest.approx(2e-12, rel=0.1)
    assert tracker.amplitudes[1] == pytest.approx(0.5e-12, abs=0.2e-12)
    later = 500_000 + np.arange(2000)
    true = 2e-12 * np.sin(2 * np.pi * frequency * later / RATE + 0.7)
    true += 0.5e-12 * np.sin(2 * np.pi * 3 * frequency * later / RATE - 0.2)
    left = tracker.hum(500_000, 2000) - true
    assert np.abs(left).max() < 0.6e-12


@pytest.mark.parametrize("frequency", [50.0, 60.0])
def test_where_there_is_no_hum_nothing_is_invented(frequency: float) -> None:
    tracker = MainsTracker(frequency, RATE)
    for first, current in hops(frequency, 0.0):
        tracker.learn(first, current)
    assert np.all(tracker.amplitudes < 0.15e-12)


def test_before_it_has_learnt_there_is_no_hum() -> None:
    tracker = MainsTracker(50, RATE)
    assert np.array_equal(tracker.hum(0, 10), np.zeros(10))
    tracker.learn(0, np.ones(39))  # too short
    tracker.learn(0, np.full(5000, np.nan))
    assert np.array_equal(tracker.hum(0, 10), np.zeros(10))


def test_the_hum_of_a_stretch_does_not_depend_on_how_it_is_cut() -> None:
    tracker = MainsTracker(50, RATE)
    for first, current in hops(50, 2e-12):
        tracker.learn(first, current)
    whole = tracker.hum(1000, 300)
    parts = np.concatenate((tracker.hum(1000, 100), tracker.hum(1100, 200)))
    np.testing.assert_allclose(whole, parts, atol=1e-18)
