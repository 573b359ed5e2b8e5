"""Drift: followed in time, and from frame to frame."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from sicmctl.scan.drift import DriftTrack, shift_between

PITCH = 100e-9


def test_a_constant_drift_is_followed_and_foretold():
    rng, track = np.random.default_rng(1), DriftTrack()
    track.begin(0.0)
    for time in np.arange(30.0, 601.0, 30.0):
        track.measure(time, 2e-9 * time + rng.normal(0, 1e-9), 1e-9)
    assert track.rate == pytest.approx(2e-9, abs=4 * track.rate_sd)
    assert track.rate_sd < 0.05e-9
    offset, sd = track.at(630.0)
    assert offset == pytest.approx(2e-9 * 630, abs=4 * sd)
    assert sd < 2e-9


def test_uncertainty_is_honest():
    rng, errors = np.random.default_rng(2), []
    for _ in range(200):
        track = DriftTrack()
        rates = rng.normal(0, 2e-9) + np.cumsum(rng.normal(0, 2e-12, 240))
        true = np.cumsum(rates)
        track.begin(0.0)
        for second in (60, 120, 180):
            track.measure(float(second), true[second - 1] + rng.normal(0, 1e-9), 1e-9)
        offset, sd = track.at(240.0)
        errors.append((offset - true[-1]) / sd)
    assert 0.85 < np.std(errors) < 1.15


def test_before_the_first_measurement_there_is_no_drift():
    track = DriftTrack()
    assert not track.known
    assert track.at(100.0) == (0.0, 0.0)
    with pytest.raises(ValueError, match="begin"):
        track.measure(1.0, 0.0, 1e-9)


def test_a_turning_drift_is_caught_up_with():
    track = DriftTrack()
    track.begin(0.0)
    for time in np.arange(60.0, 3601.0, 60.0):
        track.measure(time, 1e-9 * time, 1e-9)
    turn = 1e-9 * 3600
    for time in np.arange(3660.0, 7201.0, 60.0):
        track.measure(time, turn - 1e-9 * (time - 3600), 1e-9)
    assert track.rate == pytest.approx(-1e-9, abs=0.2e-9)


def frames(rows: float, columns: float, dz: float, noise: float = 1e-9):
    """Two views of one rough surface, the second shifted by pixels and raised by dz."""
    rng = np.random.default_rng(3)
    surface = gaussian_filter(rng.normal(size=(60, 60)), 2.0)
    surface *= 300e-9 / surface.std()
    at = np.indices((40, 40), dtype=float) + 10
    before = map_coordinates(surface, at, order=3)
    moved = at - np.array([rows, columns])[:, None, None]
    after = map_coordinates(surface, moved, order=3) + dz
    return before + rng.normal(0, noise, (40, 40)), after + rng.normal(0, noise, (40, 40))


@pytest.mark.parametrize(("rows", "columns"), [(0.0, 0.0), (0.4, -0.7), (2.3, 1.2), (-3.6, 3.1)])
def test_a_shift_is_found_to_a_fraction_of_a_pixel(rows: float, columns: float):
    found = shift_between(*frames(rows, columns, 25e-9), (PITCH, PITCH))
    assert found is not None
    assert found.dy == pytest.approx(rows * PITCH, abs=0.06 * PITCH)
    assert found.dx == pytest.approx(columns * PITCH, abs=0.06 * PITCH)
    assert found.dz == pytest.approx(25e-9, abs=10e-9)
    assert max(found.sd[:2]) < 0.05 * PITCH


def test_missing_pixels_and_outliers_do_no_harm():
    before, after = frames(1.4, -0.6, 0.0)
    rng = np.random.default_rng(4)
    before[rng.random(before.shape) < 0.15] = np.nan
    after[rng.random(after.shape) < 0.15] = np.nan
    after[rng.random(after.shape) < 0.05] += 1e-6
    found = shift_between(before, after, (PITCH, PITCH))
    assert found is not None
    assert found.dy == pytest.approx(1.4 * PITCH, abs=0.1 * PITCH)
    assert found.dx == pytest.approx(-0.6 * PITCH, abs=0.1 * PITCH)


def test_what_cannot_be_told_is_not_told():
    flat = np.zeros((20, 20))
    assert shift_between(flat, flat, (PITCH, PITCH)) is None
    before, _ = frames(0, 0, 0)
    assert shift_between(before, np.full_like(before, np.nan), (PITCH, PITCH)) is None
    assert shift_between(before, before[:10], (PITCH, PITCH)) is None
    ramp = np.tile(np.arange(40.0), (40, 1)) * 1e-9  # a plane: x and z cannot be told apart
    assert shift_between(ramp, ramp, (PITCH, PITCH)) is None


@pytest.mark.parametrize("slope", [0.0, 5e-9])
def test_noise_is_laid_upon_nothing(slope: float):
    rng = np.random.default_rng(5)
    tilt = slope * np.arange(30.0)
    first, second = (rng.normal(0, 1e-9, (30, 30)) + tilt for _ in range(2))
    assert shift_between(first, second, (PITCH, PITCH)) is None


def test_a_tilted_frame_shifts_in_height_as_it_shifts_sideways():
    before, after = frames(1.3, -0.6, 0.0)
    row, column = np.indices(before.shape, dtype=float)
    per_row, per_column = 30e-9, -20e-9
    before += per_row * row + per_column * column
    after += per_row * (row - 1.3) + per_column * (column + 0.6)
    found = shift_between(before, after, (PITCH, PITCH))
    assert found is not None
    assert found.dy == pytest.approx(1.3 * PITCH, abs=0.06 * PITCH)
    assert found.dx == pytest.approx(-0.6 * PITCH, abs=0.06 * PITCH)
    assert found.dz == pytest.approx(0, abs=10e-9)
