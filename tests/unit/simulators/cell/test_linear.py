"""Dummy cells against the closed forms of their circuits."""

import math
from itertools import pairwise

import numpy as np
import pytest

from simulators.cellconfig import RandlesCell, RcCell, ResistorCell
from simulators.cellport import Control
from simulators.world.cell import Cell, make_cell

RC = RcCell()
RS, R, C = RC.series_resistance, RC.resistance, RC.capacitance


def pass_time(
    cell: Cell, control: Control, start: float, end: float, time: float, *, steps: int = 7
) -> tuple[float, float]:
    result = (0.0, 0.0)
    held = np.linspace(start, end, steps + 1)
    for before, after in pairwise(held):
        result = cell.step(time / steps, control, float(before), float(after))
    return result


def test_resistor():
    cell = make_cell(ResistorCell(resistance=2e3))
    assert cell.step(1.0, Control.POTENTIAL, 0.0, 1.0) == pytest.approx((1.0, 0.5e-3))
    assert cell.step(1.0, Control.CURRENT, 0.0, 1e-3) == pytest.approx((2.0, 1e-3))
    assert cell.step(1.0, Control.OPEN, 0.0, 0.0) == (0.0, 0.0)
    assert cell.impedance(1e3) == pytest.approx(2e3)


@pytest.mark.parametrize("time", [1e-4, 2e-3, 0.1, 100.0])
def test_rc_after_a_potential_step(time: float):
    tau = C * R * RS / (R + RS)
    expected = 1 / (R + RS) * (1 + R / RS * math.exp(-time / tau))
    _, current = pass_time(make_cell(RC), Control.POTENTIAL, 1.0, 1.0, time)
    assert current == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("time", [1e-4, 2e-3, 0.1, 100.0])
def test_rc_after_a_current_step(time: float):
    expected = 1e-3 * (RS + R * (1 - math.exp(-time / (R * C))))
    potential, _ = pass_time(make_cell(RC), Control.CURRENT, 1e-3, 1e-3, time)
    assert potential == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("time", [1e-4, 2e-3, 0.1, 100.0])
def test_rc_in_a_ramp_of_potential(time: float):
    rate, tau = 0.05, C * R * RS / (R + RS)
    capacitor = rate * R / (R + RS) * (time - tau * (1 - math.exp(-time / tau)))
    _, current = pass_time(make_cell(RC), Control.POTENTIAL, 0.0, rate * time, time)
    assert current == pytest.approx((rate * time - capacitor) / RS, rel=1e-9)


def test_rc_decays_at_open_circuit():
    cell = make_cell(RcCell(potential=1.0))
    potential, current = pass_time(cell, Control.OPEN, 0.0, 0.0, 0.03)
    assert potential == pytest.approx(math.exp(-0.03 / (R * C)))
    assert current == 0


@pytest.mark.parametrize("frequency", [0.1, 8.0, 200.0, 1e4])
def test_rc_impedance(frequency: float):
    s = 2j * math.pi * frequency
    assert make_cell(RC).impedance(frequency) == pytest.approx(RS + R / (1 + s * R * C))


@pytest.mark.parametrize("frequency", np.logspace(-3, 5, 9))
def test_randles_impedance(frequency: float):
    config = RandlesCell(charge_transfer=50.0, warburg=500.0)
    omega = 2 * math.pi * frequency
    faradaic = config.charge_transfer + config.warburg * (1 - 1j) / math.sqrt(omega)
    expected = config.series_resistance + 1 / (1 / faradaic + 1j * omega * config.capacitance)
    assert make_cell(config).impedance(frequency) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("time", [0.01, 1.0, 30.0])
def test_randles_after_a_step_falls_like_cottrell(time: float):
    """Charge transfer then diffusion: i = E/R exp(h**2 t) erfc(h sqrt t), h = sqrt(2) sigma/R."""
    from scipy.special import erfcx

    resistance = 100.0
    config = RandlesCell(
        series_resistance=resistance / 2, charge_transfer=resistance / 2, capacitance=1e-12,
        warburg=200.0, potential=0.3,
    )  # fmt: skip
    h = math.sqrt(2) * config.warburg / resistance
    expected = 0.01 / resistance * erfcx(h * math.sqrt(time))
    _, current = pass_time(make_cell(config), Control.POTENTIAL, 0.31, 0.31, time, steps=1)
    assert current == pytest.approx(expected, rel=2e-3)


def test_randles_without_diffusion_is_an_rc():
    config = RandlesCell(series_resistance=RS, charge_transfer=R, capacitance=C, warburg=0.0)
    ours = pass_time(make_cell(config), Control.CURRENT, 1e-4, 3e-4, 0.02)
    assert ours == pytest.approx(pass_time(make_cell(RC), Control.CURRENT, 1e-4, 3e-4, 0.02))


def test_one_step_or_many_is_the_same():
    for control, start, end in ((Control.POTENTIAL, 0.1, -0.2), (Control.CURRENT, 1e-4, -1e-4)):
        once = pass_time(make_cell(RandlesCell()), control, start, end, 5.0, steps=1)
        often = pass_time(make_cell(RandlesCell()), control, start, end, 5.0, steps=97)
        assert once == pytest.approx(often, rel=1e-8)


def test_kept_state_brings_the_cell_back():
    cell = make_cell(RandlesCell())
    kept = cell.state
    first = pass_time(cell, Control.CURRENT, 1e-3, 1e-3, 1.0)
    cell.state = kept
    assert pass_time(cell, Control.CURRENT, 1e-3, 1e-3, 1.0) == first
