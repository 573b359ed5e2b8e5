"""An analog potentiostat as the card sees it."""

from typing import Any

import numpy as np
import pytest

from simulators.cellconfig import AnalogConfig, PotentiostatConfig, RcCell, ResistorCell
from simulators.cellplant import CellPlant, Together
from simulators.clocks import FreeClock
from simulators.config import NoiseConfig, SampleConfig, SimConfig
from simulators.frontend import FrontEnd
from simulators.plant import Watch
from simulators.world import World
from simulators.world.cell import make_cell

STEP = 2000
"""20 us, in ticks."""
QUIET: dict[str, Any] = {"current_noise": 0.0, "potential_noise": 0.0}


def plant(
    panel: AnalogConfig, cell: ResistorCell | RcCell | None = None, **config: Any
) -> CellPlant:
    settings = PotentiostatConfig.model_validate({"model": "analog", "analog": panel} | config)
    front = FrontEnd(make_cell(cell or ResistorCell(resistance=1e3)), settings, FreeClock())
    return CellPlant(front, switched=True, seed=1)


def play(plant: CellPlant, *volts: float, steps: int = 5000) -> np.ndarray:
    """What the monitors show at the end of each value."""
    return np.array([plant.run(np.full((steps, 1), v), STEP)[-1] for v in volts])


def test_monitors_and_external_input_have_scales_and_signs() -> None:
    panel = AnalogConfig(
        command_scale=-0.1, potential_scale=2.0, current_scale=-5.0, current_range=1e-3
    )
    device = plant(panel, **QUIET)
    device.set_line("potentiostat.cell", True)
    potential, current = play(device, -5.0)[0]
    assert potential == pytest.approx(1.0, rel=1e-3)  # 0.5 V
    assert current == pytest.approx(-2.5, rel=1e-3)  # 0.5 mA of 1 mA


def test_the_switch_cuts_the_current_and_a_knob_makes_it_a_galvanostat() -> None:
    device = plant(AnalogConfig(control="current", current_range=1e-4), **QUIET)
    assert np.allclose(play(device, 0.5), 0.0, atol=1e-9)
    device.set_line("potentiostat.cell", True)
    assert play(device, 0.5)[0] == pytest.approx([0.05, 0.5], rel=1e-3)
    device.set_line("potentiostat.cell", False)
    assert np.allclose(play(device, 0.5), 0.0, atol=1e-9)
    with pytest.raises(ValueError, match="no line"):
        device.set_line("potentiostat.mode", True)


def test_currents_beyond_the_range_saturate_the_monitor() -> None:
    device = plant(AnalogConfig(current_range=1e-4), **QUIET)
    device.set_line("potentiostat.cell", True)
    assert play(device, 1.0, -1.0)[:, 1] == pytest.approx([1.1, -1.1])


def test_a_step_is_followed_in_every_sample() -> None:
    cell = RcCell(series_resistance=1e3, resistance=1e5, capacitance=1e-6)
    device = plant(AnalogConfig(current_range=1e-3, filter=1e5), cell, **QUIET)
    device.set_line("potentiostat.cell", True)
    rows = device.run(np.full((500, 1), 0.1), STEP)
    time = 20e-6 * np.arange(1, 501) - 9.6e-6  # loop and filter are late
    expected = 0.1 / 101e3 + (0.1 / 1e3 - 0.1 / 101e3) * np.exp(-time * (1 / 1e-3 + 1 / 0.1))
    assert np.allclose(rows[5:, 1] * 1e-3, expected[5:], rtol=2e-3, atol=1e-7)


def test_how_time_is_cut_changes_the_noise_by_no_bit() -> None:
    drive = np.zeros((1000, 1))
    whole = plant(AnalogConfig()).run(drive, STEP)
    device = plant(AnalogConfig())
    parts = np.vstack([device.run(drive[:n], STEP) for n in (1, 300, 699)])
    assert np.array_equal(whole, parts)
    assert np.std(whole[:, 1]) == pytest.approx(3e-5, rel=0.1)


def test_beside_the_scanner_both_are_moved_on_together() -> None:
    world = World(SimConfig(sample=SampleConfig(points=16), noise=NoiseConfig.off()), 1)
    both = Together(world, plant(AnalogConfig(), **QUIET))
    both.set_line("potentiostat.cell", True)
    both.set_line("amplifier.gain.0", True)
    drive = np.zeros((2000, 5))
    drive[:, 4] = 0.5
    rows = both.run(drive, STEP)
    assert rows.shape == (2000, len(world.outputs) + 2) and both.time == world.time
    assert rows[-1, -2:] == pytest.approx([0.5, 0.5], rel=1e-3)
    watch = Watch(output=len(world.outputs), low=0.1, high=0.2, is_high=False)
    assert len(both.run(drive, STEP, (watch,))) == 1  # whoever watches the cell sees every step
