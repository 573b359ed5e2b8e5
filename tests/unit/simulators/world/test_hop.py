"""Approaches that stop at a set point, against closed formulas for where they end."""

from collections.abc import Callable

import numpy as np
import pytest

from simulators.config import NoiseConfig, SimConfig
from simulators.plant import Watch
from simulators.world import World

STEP = 20e-6  # s


def overshoots(world: World, drive, speed: float, reaction: int, hops: int) -> np.ndarray:
    """Where the tip is above the true 2 % height (m), `reaction` steps after it was seen."""
    goal = float(world.setpoint_height(50e-6, 50e-6, 0.02))
    threshold = 0.98 * float(world.pipette.current(1.0, 0.7)) * 1e9
    world.run(drive(np.linspace(19e-6, 8.6e-6, 5000)), 2000)
    found = []
    for hop in range(hops):
        top = 8.6e-6 + speed * STEP * hop / hops  # so that the steps fall everywhere
        world.run(drive(np.full(400, top)), 2000)
        ramp = top - speed * STEP * np.arange(40_000)
        seen = len(world.run(drive(ramp), 2000, [Watch(0, threshold, 10.0, True)]))
        world.run(drive(ramp[seen : seen + reaction]), 2000)
        found.append(world.tip_position[2] - goal)
        world.run(drive(np.linspace(ramp[seen], 10e-6, 300)), 2000)
    return np.array(found)


@pytest.mark.parametrize(("speed", "early"), [(30e-6, 1.0e-9), (100e-6, 0.4e-9)])
def test_where_an_approach_ends(
    quiet: SimConfig, make: Callable[..., World], drive, speed: float, early: float
):
    """Late by filter, sampling and reaction, early by what noise triggers before its time.

    Mean and standard deviation against an independent Monte-Carlo simulation.
    """
    on = {"thermal": True, "shot": 0.3, "voltage": 0.35e-6}
    fast_z = quiet.stage.z.model_copy(update={"resonance": 50e3})  # lags by 0.1-0.4 nm
    stage = quiet.stage.model_copy(update={"z": fast_z})
    world = make(quiet, noise=NoiseConfig.off().model_copy(update=on), stage=stage)
    reaction = 5
    found = overshoots(world, drive, speed, reaction, 60)
    late = speed * (2.114 / (2 * np.pi * 5e3) + STEP / 2 + reaction * STEP)
    assert found.mean() == pytest.approx(early - late, abs=1e-9)
    assert 1.1e-9 < found.std() < 2.3e-9
