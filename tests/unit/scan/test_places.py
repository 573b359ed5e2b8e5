"""Heights found by where they are: the same as when all of them are looked through."""

import numpy as np
import pytest

from sicmctl.scan.places import Places


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    """x, y, z of places over 20 um, some below zero, m."""
    rng = np.random.default_rng(3)
    return np.column_stack((rng.uniform(-5e-6, 15e-6, (2000, 2)), rng.normal(0, 1e-6, 2000)))


@pytest.fixture(scope="module")
def places(points: np.ndarray) -> Places:
    found = Places(0.5e-6)
    for x, y, z in points.tolist():
        found.add(x, y, z)
    return found


def distance(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """From each point to the way from a to b, m."""
    way = b - a
    t = np.clip((points[:, :2] - a) @ way / max(float(way @ way), 1e-30), 0, 1)
    return np.hypot(*(points[:, :2] - a - t[:, None] * way).T)


def test_along_a_way_all_that_is_near_is_found(points: np.ndarray, places: Places) -> None:
    rng = np.random.default_rng(4)
    for _ in range(200):
        a, b = rng.uniform(-6e-6, 16e-6, (2, 2))
        b = a + (b - a) * rng.choice([0.0, 0.02, 0.3, 1.0])
        near = points[distance(points, a, b) <= 0.5e-6, 2]
        np.testing.assert_array_equal(np.sort(places.along(*a, *b)), np.sort(near))


def test_near_a_point(points: np.ndarray, places: Places) -> None:
    for x, y, z in points[:50].tolist():
        near = points[np.hypot(points[:, 0] - x, points[:, 1] - y) <= 0.5e-6, 2]
        np.testing.assert_array_equal(np.sort(places.near(x, y)), np.sort(near))
        assert z in near
    assert len(places.near(1.0, 1.0)) == 0


def test_heights_rise_and_are_measured_again() -> None:
    places = Places(1e-6)
    places.add(0.0, 0.0, 1e-6)
    places.rise(0.5e-6)
    assert places.near(0.0, 0.0).tolist() == pytest.approx([1.5e-6])
    places.add(0.2e-9, 0.0, 3e-6)
    assert len(places) == 1
    assert places.near(0.0, 0.0).tolist() == pytest.approx([3e-6])
