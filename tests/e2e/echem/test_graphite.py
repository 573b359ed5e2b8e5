"""The graphite electrode by whole runs: what the files say against what is known of it."""

import numpy as np
import pytest

from sicmctl.analysis.echem import capacity, cv
from simulators.lab import Lab
from simulators.world.cell import Graphite

from ...rigs import cell_sim
from .conftest import Laboratory

GRAPHITE = 'kind = "graphite"\n'
WINDOW = 'lower = "5 mV", upper = "1.5 V"'


def electrode(lab: Lab) -> Graphite:
    cell = lab.front.cell
    assert isinstance(cell, Graphite)
    return cell


def test_a_slow_voltammogram_shows_the_stages(measure: Laboratory) -> None:
    (data,) = measure(
        cell_sim(cell=f'{GRAPHITE}potential = "0.4 V"\n'),
        'technique = "cv", start = "0.4 V", vertex = "0 V", rate = "0.02 mV/s", step = "1 mV", '
        'current_range = "1 mA"',
    )
    cathodic, anodic = cv.half_cycles(data)
    down = [peak.potential for peak in cathodic.peaks]
    up = [peak.potential for peak in anodic.peaks]
    assert down[-3:] == pytest.approx([0.206, 0.113, 0.071], abs=0.015)
    assert up[:3] == pytest.approx([0.108, 0.143, 0.222], abs=0.015)


def test_a_titration_shows_resistance_and_relaxation(measure: Laboratory) -> None:
    (data,) = measure(
        cell_sim(cell=GRAPHITE),
        'technique = "gitt", current = "-0.4 mA", on = "120 s", rest = "300 s", count = 10, '
        'lower = "0 V", interval = "0.5 s"',
    )
    rests = [step.number for step in data.steps if step.label == "rest"]
    jumps, relaxations = [], []
    for number in rests[2:]:  # the first pulse goes into an empty electrode
        rest, pulse = data.potential[data.step == number], data.potential[data.step == number - 1]
        jumps.append(rest[0] - pulse[-1])
        relaxations.append(rest[-1] - rest[0])
    assert len(jumps) == 9
    assert all(19.5e-3 < jump < 22e-3 for jump in jumps), jumps
    assert all(3.8e-3 < relaxed < 16e-3 for relaxed in relaxations), relaxations


def test_constant_current_fills_the_electrode(measure: Laboratory) -> None:
    """0.2 mA into an electrode without film: 0.94 h down to 0 V."""
    (data,) = measure(
        cell_sim(cell=f'{GRAPHITE}sei_charge = "0 %"\n'),
        'technique = "cp", current = "-0.2 mA", duration = "2 h", until = "E < 0 V"',
    )
    assert data.steps[0].reason == "potential <= 0 V"
    assert (data.time[-1] - data.time[0]) / 3600 == pytest.approx(0.94, rel=0.04)
    assert data.charge[-1] == pytest.approx(-0.2e-3 * (data.time[-1] - data.time[0]), rel=2e-3)


def test_the_coulombic_efficiency_is_that_of_the_books(measure: Laboratory) -> None:
    passed: list[float] = []
    (data,) = measure(
        cell_sim("emstat4-hr", cell=GRAPHITE),
        f'technique = "gcpl", current = "0.2 mA", {WINDOW}, first = "discharge", cycles = 2, '
        'capacity = "0.19 mAh", interval = "2 s"',
        inspect=lambda lab: passed.extend((electrode(lab).books.passed, electrode(lab).books.film)),
    )
    first, second = capacity.cycles(data)
    sizes = [abs(half.charge) for cycle in (first, second) for half in (cycle.first, cycle.second)
             if half is not None]  # fmt: skip
    assert len(sizes) == 4
    net = -sizes[0] + sizes[1] - sizes[2] + sizes[3]
    lithiation = sizes[0] + sizes[2]
    assert net == pytest.approx(passed[0], abs=2e-3 * lithiation)
    efficiency = (sizes[1] + sizes[3]) / lithiation
    true = 1 + passed[0] / lithiation
    assert efficiency == pytest.approx(true, abs=2e-3)
    assert 0.93 < efficiency < 0.99
    assert np.all(np.diff(data.time) > 0)
