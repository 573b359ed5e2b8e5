"""The nano-circuitry model against its authors' numbers and trends."""

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from simulators.cellconfig import NcmCell
from simulators.cellport import Control
from simulators.world.cell.ncm import Ncm, sweep

PUBLISHED: dict[str, Any] = {"corner": 5.0, "slit": 0.07e-6, "window": 0.2, "rate": 2e3}
HALF = 500


@cache
def driven(**changes: Any) -> tuple[float, float, float]:
    """Charge of slit 19 after the second charge (C); asymmetry and corner of the last cycle."""
    _, current, charge = sweep(Ncm(NcmCell.model_validate(PUBLISHED | changes)), cycles=5)
    up, down = current[-2 * HALF : -HALF], current[-HALF:]
    asymmetry = np.sqrt(np.mean((up + down) ** 2) / np.mean(current[-2 * HALF :] ** 2))
    return float(charge[3 * HALF - 1, -1]), float(asymmetry), float(up[-1] / up[HALF // 2])


def test_charge_of_the_last_slit():
    line, ladder = driven(gamma=0.0)[0], driven(gamma=0.9)[0]
    assert line == pytest.approx(7.03e-9, rel=0.03)
    assert ladder == pytest.approx(9.85e-9, rel=0.03)
    assert ladder / line == pytest.approx(1.40, abs=0.03)


def test_other_norms():
    assert driven(gamma=0.9, norm="global")[0] == pytest.approx(9.06e-9, rel=0.03)
    assert driven(gamma=0.9, norm="fixed-point")[0] == pytest.approx(9.85e-9, rel=0.03)


def test_asymmetry():
    assert driven(gamma=0.0)[1] < 1e-3
    assert driven(gamma=0.5)[1] == pytest.approx(0.135, rel=0.05)
    assert driven(gamma=0.9)[1] == pytest.approx(0.340, rel=0.05)
    assert driven(gamma=0.5, layers=6)[1] == pytest.approx(0.043, rel=0.05)
    assert 0.05 < driven(gamma=-0.5)[1] < 0.12


def test_the_corner_of_the_voltammogram_grows_with_the_corners():
    ratios = [driven(gamma=0.9, corner=ohm)[2] for ohm in (1.0, 2.0, 5.0, 10.0)]
    assert ratios == pytest.approx([1.02, 1.24, 2.21, 3.47], rel=0.03)


def test_slow_default_is_as_hard_on_the_ladder():
    slow = Ncm(NcmCell(gamma=0.9))
    _, current, _ = sweep(slow, cycles=5)
    up = current[-2 * HALF : -HALF]
    assert up[-1] / up[HALF // 2] == pytest.approx(driven(gamma=0.9)[2], rel=0.1)


def test_charge_that_enters_is_there():
    cell = Ncm(NcmCell())
    for _ in range(100):
        cell.step(0.02, Control.CURRENT, 1e-3, 1e-3)
    assert cell.charges.sum() == pytest.approx(2e-3)
    cell.step(50.0, Control.OPEN, 0, 0)
    assert cell.charges.sum() == pytest.approx(2e-3)


def test_impedance_of_the_line():
    """Far from its ends the ladder is an RC line: Z = sqrt(R / (i omega C))."""
    config = NcmCell(layers=200, gamma=0.0, open_resistance=1e-6, open_capacitance=1e-9)
    omega = 2 * math.pi * 0.05
    line = np.sqrt(config.corner / (1j * omega * config.slit)) + config.corner / 2
    assert Ncm(config).impedance(0.05) == pytest.approx(line, rel=0.01)
