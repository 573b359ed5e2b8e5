from collections.abc import Callable

import numpy as np
import pytest

from simulators.config import SimConfig
from simulators.world import World

Make = Callable[..., World]
HEIGHT = 60e-9


@pytest.fixture
def world(quiet: SimConfig, make: Make) -> World:
    dry = quiet.pipette.model_copy(update={"medium": "meniscus", "meniscus_height": HEIGHT})
    return make(quiet, pipette=dry)


def at(world: World, drive, gap: float) -> float:
    """Go to this gap over the sample at 8 um, and rest there; the current (A)."""
    here = world.tip_position[2]
    path = np.linspace(here, 8e-6 + gap, max(2, int(abs(here - 8e-6 - gap) / 200e-6 / 20e-6)))
    out = world.run(drive(np.append(path, np.full(200, 8e-6 + gap))), 2000)
    while len(out) < 2:  # a contact that begins interrupts a run
        out = world.run(drive(np.full(200, 8e-6 + gap)), 2000)
    return world.current


def test_no_current_but_a_leak_until_the_droplet_touches(world: World, drive):
    assert at(world, drive, 1e-6) == pytest.approx(0.7e-12, rel=0.05)
    assert at(world, drive, 63e-9) == pytest.approx(0.7e-12, rel=0.05)
    touched = at(world, drive, 55e-9)
    assert 2e-9 < touched < 3.3e-9
    assert at(world, drive, 20e-9) == pytest.approx(touched)
    assert not world.in_contact


def test_a_lifted_droplet_stretches_and_tears(world: World, drive):
    dry = at(world, drive, 1e-6)
    touched = at(world, drive, 40e-9)
    assert at(world, drive, 2.4 * HEIGHT) == pytest.approx(touched)
    assert at(world, drive, 2.6 * HEIGHT) == pytest.approx(dry)
    assert at(world, drive, 1.5 * HEIGHT) == pytest.approx(dry)


def test_glass_touches_as_it_does_in_a_bath(world: World, drive):
    at(world, drive, 1e-6)
    at(world, drive, -30e-9)
    assert world.in_contact


def test_a_bubble_cuts_the_contact_off(world: World, drive):
    at(world, drive, 40e-9)
    world.set("pipette.bubble", "on")
    assert at(world, drive, 40e-9) == 0
