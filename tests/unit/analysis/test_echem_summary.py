"""The numbers that `info` prints of a technique."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from sicmctl.analysis.summary import summarise
from sicmctl.analysis.tables import echem_rows, run_rows
from sicmctl.cli.app import app
from sicmctl.data.runfile import RunFile
from sicmctl.data.writer import build

from ..data.echem_runs import ALONE, STARTED_GCPL, block, echem_run
from ..data.test_runfile import write_journal


@pytest.fixture
def built(tmp_path: Path) -> Path:
    return build(write_journal(tmp_path / "run.sicmlog", echem_run()), tmp_path / "run.h5")


def test_a_technique_in_numbers(built: Path) -> None:
    with RunFile(built) as run:
        summary = summarise(run)
    assert summary.scans == ()
    first, second = summary.echem
    assert (first.technique, first.outcome, first.rest) == ("gcpl", "done", "ocp")
    assert (first.samples, first.steps, first.cycles) == (40, 4, 2)
    assert first.potential == (0.0, 39e-3)
    assert first.current == (0.0, 39e-6)
    assert first.charge == pytest.approx(0.5e-7 * 39**2)
    assert first.flagged == {"overload": 1}
    assert first.duration == 4.0
    assert (second.samples, second.steps, second.cycles) == (2, 1, 0)
    rows = dict(echem_rows(first))
    assert rows["Samples"] == "40 in 4 steps, 2 cycles"
    assert rows["Potential"] == "0 V to 39 mV"
    assert rows["Flagged"] == "1 overload"
    assert "Hops" not in dict(run_rows(summary))
    assert dict(run_rows(summary))["Made safe"] == "cell to ocp: done"


def test_a_cell_that_may_be_on_is_not_passed_over(tmp_path: Path) -> None:
    run = [ALONE, STARTED_GCPL, block(0, 0)]
    path = build(write_journal(tmp_path / "run.sicmlog", run), tmp_path / "run.h5")  # type: ignore[arg-type]
    with RunFile(path) as file:
        (found,) = summarise(file).echem
    assert dict(echem_rows(found))["Cell left"] == "UNKNOWN: it may still be on"


def test_info_shows_each_technique(built: Path) -> None:
    result = CliRunner().invoke(app, ["info", str(built)])
    assert result.exit_code == 0
    assert "Technique 0: Formation" in result.stdout
    assert "Technique 1" in result.stdout
    assert "40 in 4 steps, 2 cycles" in result.stdout
