"""The nano-circuitry model against the simulator's own, and its fit to voltammograms."""

import numpy as np
import pytest

from sicmctl.analysis.echem import ncm
from sicmctl.hal.cell import CellProgram, Cycles
from simulators.cellconfig import NcmCell
from simulators.world.cell.ncm import Ncm, sweep

from .bench import Bench

GUESS = ncm.Ladder(corner=3.0, slit=5e-3, gamma=0.2)


@pytest.mark.parametrize(("gamma", "corner"), [(0.0, 5.0), (0.5, 5.0), (0.9, 5.0), (-0.5, 2.0)])
def test_the_same_current_as_the_simulator(gamma: float, corner: float) -> None:
    potential, current, _ = sweep(Ncm(NcmCell(gamma=gamma, corner=corner)), cycles=2)
    ours = ncm.current(ncm.Ladder(corner, 11e-3, gamma), potential, 0.8 / 0.05 / 500)
    assert ours == pytest.approx(current, abs=1e-4 * np.abs(current).max())


@pytest.mark.parametrize(
    ("gamma", "corner"), [(0.0, 5.0), (0.5, 5.0), (0.9, 5.0), (-0.5, 5.0), (0.7, 10.0), (0.3, 2.0)]
)
def test_recovered_from_a_noisy_voltammogram(gamma: float, corner: float) -> None:
    bench = Bench(NcmCell(gamma=gamma, corner=corner))
    cycles = Cycles(interval=0.05, start=0, first=0.8, second=0, rate=0.05, count=2)
    data = bench.run(CellProgram((cycles,)), "cv", 0.1)
    fit = ncm.fit(data.time, data.potential, data.current, GUESS)
    assert fit.ladder.gamma == pytest.approx(gamma, rel=0.01, abs=0.01)
    assert fit.ladder.corner == pytest.approx(corner, rel=0.01)
    assert fit.ladder.slit == pytest.approx(11e-3, rel=0.01)
    assert fit.error < 5e-3
    assert fit.model == pytest.approx(data.current, abs=0.05 * np.abs(data.current).max())


def test_needs_a_sweep_there_and_back() -> None:
    time = np.arange(100.0)
    with pytest.raises(ValueError, match="there and back"):
        ncm.fit(time, time, time, GUESS)
