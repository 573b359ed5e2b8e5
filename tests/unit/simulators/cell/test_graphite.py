"""The graphite electrode against published features, and its books."""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators.cellconfig import GraphiteCell
from simulators.cellport import Control
from simulators.world.cell import Graphite
from simulators.world.cell.graphite import swelling

Array = NDArray[np.float64]


class Sweep(NamedTuple):
    potential: Array
    current: Array
    x: Array

    def peaks(self, sign: int) -> list[float]:
        """Potentials of the current's maxima in its anodic (+1) or cathodic (-1) half."""
        half = len(self.current) // 2
        part = slice(half, None) if sign > 0 else slice(0, half)
        e, i = self.potential[part], sign * self.current[part]
        top = (i[1:-1] > i[:-2]) & (i[1:-1] >= i[2:]) & (i[1:-1] > 0.02 * i.max())
        return [float(value) for value in e[1:-1][top]]


@cache
def cv(rate: float, top: float = 1.7, dt: float = 0.5, preset: str = "paper") -> Sweep:
    cell = Graphite(GraphiteCell.model_validate({"preset": preset, "potential": top}))
    down = np.arange(1, round(top / rate / dt) + 1) * rate * dt
    potentials: Array = np.concatenate([top - down, down]).astype(np.float64)
    rows = []
    for potential in potentials:
        _, current = cell.step(dt, Control.POTENTIAL, 0.0, float(potential))
        rows.append((current, cell.stoichiometry))
    current, x = np.array(rows).T
    return Sweep(potentials, current, x)


def drive(cell: Graphite, current: float, time: float, dt: float = 0.1) -> float:
    control = Control.CURRENT if current else Control.OPEN
    potential = 0.0
    for _ in range(round(time / dt)):
        potential, _ = cell.step(dt, control, current, current)
    return potential


def test_slow_cv_shows_the_stages():
    slow = cv(0.02e-3, top=0.4)
    assert slow.peaks(-1)[-3:] == pytest.approx([0.206, 0.113, 0.071], abs=0.015)
    assert slow.peaks(+1)[:3] == pytest.approx([0.108, 0.143, 0.222], abs=0.015)
    assert slow.x.max() == pytest.approx(0.99, abs=0.01)


def test_cv_at_the_rate_of_the_operando_scans():
    usual = cv(0.3e-3)
    assert usual.current.min() == pytest.approx(-1.33e-3, rel=0.02)
    assert usual.current.max() == pytest.approx(1.29e-3, rel=0.02)
    assert usual.peaks(-1) == pytest.approx([0.181, 0.007], abs=0.003)
    assert usual.peaks(+1) == pytest.approx([0.212], abs=0.003)
    assert usual.x.max() == pytest.approx(0.905, abs=0.005)
    half = len(usual.x) // 2
    middle = usual.x.max() / 2
    down = usual.potential[np.argmin(np.abs(usual.x[:half] - middle))]
    up = usual.potential[half + np.argmin(np.abs(usual.x[half:] - middle))]
    assert (down, up) == pytest.approx((0.054, 0.201), abs=0.003)


@pytest.mark.parametrize(
    ("rate", "dt", "currents", "peak", "x"),
    [
        (0.5e-3, 0.5, (-1.70e-3, 1.52e-3), 0.227, 0.76),
        (10e-3, 0.02, (-3.23e-3, 2.20e-3), 0.353, 0.13),
    ],
)
def test_faster_cvs(rate: float, dt: float, currents: tuple[float, float], peak: float, x: float):
    fast = cv(rate, dt=dt)
    assert (fast.current.min(), fast.current.max()) == pytest.approx(currents, rel=0.02)
    assert fast.potential[fast.current.argmax()] == pytest.approx(peak, abs=0.005)
    assert fast.x.max() == pytest.approx(x, abs=0.01)


def test_more_material_takes_more_current():
    assert cv(0.3e-3, preset="full").current.max() > 3.5 * cv(0.3e-3).current.max()


def test_constant_current():
    cell = Graphite(GraphiteCell(sei_charge=0))
    potentials, x = [], []
    while not potentials or potentials[-1] > 0:
        potentials.append(cell.step(0.5, Control.CURRENT, -0.2e-3, -0.2e-3)[0])
        x.append(cell.stoichiometry)
    assert len(x) * 0.5 / 3600 == pytest.approx(0.94, rel=0.04)
    assert x[-1] == pytest.approx(0.957, abs=0.005)
    wanted = [0.1, 0.25, 0.45, 0.6, 0.8]
    assert np.interp(wanted, x, potentials) == pytest.approx(
        [0.196, 0.127, 0.104, 0.084, 0.069], abs=0.002
    )
    potentials, x = [], []
    while cell.stoichiometry > 0.05:
        potentials.append(cell.step(0.5, Control.CURRENT, 0.2e-3, 0.2e-3)[0])
        x.append(-cell.stoichiometry)
    assert np.interp([-v for v in wanted], x, potentials) == pytest.approx(
        [0.230, 0.160, 0.137, 0.117, 0.102], abs=0.002
    )


def test_gitt():
    cell = Graphite(GraphiteCell())
    drive(cell, -0.4e-3, 120)
    drive(cell, 0, 300)
    for _ in range(11):
        before = drive(cell, -0.4e-3, 120)
        jump = drive(cell, 0, 0.5, dt=0.05) - before
        relaxed = drive(cell, 0, 300) - before - jump
        assert 19.5e-3 < jump < 22e-3
        assert 3.8e-3 < relaxed < 16e-3


def test_books_close_and_the_film_takes_its_share():
    cell = Graphite(GraphiteCell())
    losses = []
    for _ in range(3):
        before = cell.books.film
        down = np.arange(1.7, 0, -0.3e-3)
        for potential in np.concatenate([down, down[::-1]]):
            cell.step(1.0, Control.POTENTIAL, 0.0, float(potential))
        drive(cell, 0.1e-3, 2.0)
        drive(cell, 0.0, 2.0)
        losses.append(before - cell.books.film)
        assert abs(cell.books.error) < 1e-6 * abs(cell.books.passed)
    assert losses[0] > 3 * losses[1]
    assert losses[2] / (0.905 * cell.config.charge) == pytest.approx(0.0093, abs=0.001)


def test_steps_shrink_to_the_same_answer():
    def current_after(dt: float) -> float:
        cell = Graphite(GraphiteCell(start=0.3))
        current = 0.0
        for _ in range(round(1 / dt)):
            _, current = cell.step(dt, Control.POTENTIAL, 0.0, 0.05)
        return current

    assert current_after(0.01) == pytest.approx(current_after(0.001), rel=2e-3)


def test_rest_potential_follows_the_source():
    drawn = Graphite(GraphiteCell(smallest_width=0.01))
    for x, potential in {0.05: 0.250, 0.25: 0.134, 0.45: 0.125, 0.55: 0.096, 0.8: 0.088}.items():
        rested = Graphite(GraphiteCell(start=x, smallest_width=0.01))
        assert rested.step(0.0, Control.OPEN, 0, 0)[0] == pytest.approx(potential, abs=0.002)
    assert drawn.step(0.0, Control.OPEN, 0, 0)[0] == pytest.approx(1.7, abs=1e-3)


@pytest.mark.parametrize("frequency", [0.05, 5.0, 100.0])
def test_impedance_is_that_of_a_small_sine(frequency: float):
    config = GraphiteCell(start=0.3, sei_charge=0, hysteresis=0)
    cell = Graphite(config)
    expected = cell.impedance(frequency)
    per_period, periods = 2000, 4
    phase = 2 * math.pi * np.arange(1, periods * per_period + 1) / per_period
    dt = 1 / frequency / per_period
    potential = [cell.step(dt, Control.CURRENT, 0, 1e-6 * math.sin(p))[0] for p in phase]
    last = slice(-per_period, None)
    z = 2j * np.mean(np.array(potential)[last] * np.exp(-1j * phase[last])) / 1e-6
    assert z == pytest.approx(expected, rel=0.01)


def test_solution_is_a_part_of_the_series_resistance():
    with pytest.raises(ValueError, match="cannot exceed"):
        GraphiteCell(series_resistance=100.0)
    cell = Graphite(GraphiteCell(series_resistance=200.0, compensation=0.5))
    assert (cell.resistance, cell.solution_resistance) == (pytest.approx(100.0), 144.0)


def test_swelling():
    assert swelling(0.0) == pytest.approx(0.0, abs=1e-6)
    assert swelling(0.5) == pytest.approx(0.0411, rel=0.02)
    assert swelling(1.0) == pytest.approx(0.0589, rel=1e-3)
    assert Graphite(GraphiteCell(start=0.5, full_charge=0.687 / 2)).soc == pytest.approx(1.0)
