from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from simulators.config import SimConfig
from simulators.world import Truth, World

Make = Callable[..., World]


def lower(world: World, drive, start: float, end: float, speed: float) -> np.ndarray:
    """Ramp z from start to end (m) at speed (m/s), wait 2 ms; the output, V."""
    steps = max(2, int(abs(start - end) / speed / 20e-6))
    ramp = np.linspace(start, end, steps)
    return world.run(drive(np.append(ramp, np.full(100, end))), 2000)


def come_near(world: World, drive) -> float:
    """Go from rest to 9 um, slowly enough not to overshoot; the output there, V."""
    return float(lower(world, drive, 19e-6, 9e-6, 200e-6)[-1, 0])


def test_a_gentle_touch_leaves_the_pipette_whole(quiet: SimConfig, make: Make, drive):
    world = make(quiet)
    far = come_near(world, drive)
    lower(world, drive, 9e-6, 8.1e-6, 100e-6)
    out = lower(world, drive, 8.1e-6, 7.94e-6, 30e-6)
    assert world.in_contact
    assert world.gap == pytest.approx(-60e-9, abs=2e-9)
    assert 0.5 < out[-1, 0] / far < 0.76  # what leaks under the rim
    lower(world, drive, 7.94e-6, 9e-6, 100e-6)
    again = world.run(drive(np.full(1000, 9e-6)), 2000)[-1, 0]
    assert not world.in_contact
    assert again == pytest.approx(far, rel=1e-3)


def test_the_current_keeps_falling_slowly_while_the_pipette_bends(quiet, make: Make, drive):
    world = make(quiet)
    come_near(world, drive)
    lower(world, drive, 9e-6, 8.02e-6, 100e-6)
    touching = lower(world, drive, 8.02e-6, 7.998e-6, 10e-6)[-1, 0]
    deeper = lower(world, drive, 7.998e-6, 7.92e-6, 10e-6)[-1, 0]
    assert 0.8 < deeper / touching < 0.999


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_crash_breaks_the_tip(quiet: SimConfig, make: Make, drive, seed: int):
    world = make(quiet, seed=seed)
    far = come_near(world, drive)
    lower(world, drive, 9e-6, 4e-6, 500e-6)
    world.run(drive(np.linspace(4e-6, 12e-6, 5000)), 2000)
    after = world.run(drive(np.full(1000, 12e-6)), 2000)[-1, 0]
    assert world.pipette.inner_radius > 60e-9
    assert after > 1.2 * far


def test_faster_is_worse(quiet: SimConfig, make: Make, drive):
    def broken(speed: float) -> int:
        count = 0
        for seed in range(40):
            world = make(quiet, seed=seed)
            come_near(world, drive)
            lower(world, drive, 9e-6, 8.3e-6, 100e-6)
            lower(world, drive, 8.3e-6, 7.8e-6, speed)
            count += world.pipette.inner_radius > 51e-9
        return count

    slow, fast = broken(10e-6), broken(1000e-6)
    # 200 nm deep: 1 - exp(-0.5 (1 + v/v1)) = 0.41 at 10 nm/ms
    assert 8 <= slow <= 26
    assert fast > slow + 5


def test_contacts_are_logged(quiet: SimConfig, drive, tmp_path: Path):
    with World(quiet, 2, truth=tmp_path / "truth.h5") as world:
        come_near(world, drive)
        for depth in (30e-9, 3e-6):
            lower(world, drive, 9e-6, 8e-6 - depth, 200e-6)
            lower(world, drive, 8e-6 - depth, 9e-6, 200e-6)
        radius = world.pipette.inner_radius
    with Truth(tmp_path / "truth.h5") as truth:
        contacts = truth.contacts
        assert contacts["depth"][0] == pytest.approx(30e-9, abs=4e-9)
        assert contacts["speed"][0] == pytest.approx(200e-6, rel=0.1)
        assert not contacts["broke"][0]
        assert contacts["broke"].any()
        assert contacts["inner_radius"][-1] == pytest.approx(radius)
        assert np.all(contacts["end"] > contacts["start"])
        stream = truth.stream
        touching = stream["contact"] > 0
        assert touching.any()
        assert np.all(stream["gap"][touching] < 2e-8)
