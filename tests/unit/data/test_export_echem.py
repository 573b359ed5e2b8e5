"""Exports of electrochemistry, read back by readers that were not written here."""

import csv
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from galvani import MPTfile

from sicmctl.data.echemdata import EchemData, collect
from sicmctl.data.exporters import export
from sicmctl.data.journal import JournalWriter
from sicmctl.data.recover import recover
from sicmctl.data.runfile import RunFile, RunFileError
from sicmctl.messages import AnyMessage

from .echem_runs import ALONE, STARTED_GCPL, block, echem_run
from .runs import small_run


def _run(tmp_path: Path, messages: list[AnyMessage]) -> Path:
    with JournalWriter(tmp_path / "run.sicmlog") as journal:
        for message in messages:
            journal.write(message)
    return recover(tmp_path / "run.sicmlog").out


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return _run(tmp_path, echem_run())


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _data(run: Path, number: int = 0) -> EchemData:
    with RunFile(run) as file:
        return collect(file.echem[number])


def test_collected_arrays(run: Path) -> None:
    data, impedance = _data(run), _data(run, 1)
    assert len(data) == 40
    assert [(s.number, s.kind, s.label, s.loop) for s in data.steps] == [
        (k, "held current", ("charge", "discharge")[k % 2], k // 2) for k in range(4)
    ]
    assert data.technique == "gcpl"
    assert data.settings == {"charge": 1.5, "cycles": 2.0}
    assert data.good.sum() == 39  # one overload
    assert data.time_sd == 2e-3
    assert impedance.spectrum.impedance.tolist() == [1 - 2j, 1 - 3j]
    assert impedance.start == pytest.approx(3.2)
    assert np.isnan(EchemData().start)


def test_csv_has_units_and_every_digit(run: Path) -> None:
    paths = export(run, "csv")
    assert [path.name for path in paths] == ["run-echem0.csv", "run-echem1-impedance.csv"]
    data, rows = _data(run), _table(paths[0])
    assert [float(row["potential (V)"]) for row in rows] == data.potential.tolist()
    assert [float(row["charge (C)"]) for row in rows] == data.charge.tolist()
    assert [float(row["time (s)"]) for row in rows] == data.time.tolist()
    assert rows[15]["label"] == "discharge"
    assert [int(row["flags"]) for row in rows].index(1) == 13
    assert [row["imaginary (ohm)"] for row in _table(paths[1])] == ["-2.0", "-3.0"]


def test_csv_of_a_run_with_hops_has_both(tmp_path: Path) -> None:
    messages = small_run()
    path = _run(tmp_path, [*messages[:-1], STARTED_GCPL, block(0, 0), messages[-1]])
    assert [p.name for p in export(path, "csv")] == ["run.csv", "run-echem0.csv"]


def test_mpt_by_galvani(run: Path) -> None:
    paths = export(run, "mpt")
    assert [path.name for path in paths] == ["run-echem0.mpt", "run-echem1-impedance.mpt"]
    data = _data(run)
    with paths[0].open("rb") as file:
        table, comments = MPTfile(file)
    np.testing.assert_allclose(table["Ewe/V"], data.potential, rtol=1e-14)
    np.testing.assert_allclose(table["I/mA"], 1e3 * data.current, rtol=1e-14)
    np.testing.assert_allclose(table["(Q-Qo)/C"], data.charge, rtol=1e-14)
    np.testing.assert_allclose(table["time/s"], data.time - data.time[0], atol=1e-12)
    assert table["cycle number"].tolist() == [1] * 20 + [2] * 20
    assert table["Ns"].tolist() == data.step.tolist()
    assert set(table["mode"]) == {1}
    assert np.flatnonzero(table["error"]).tolist() == [13]
    assert np.flatnonzero(table["Ns changes"]).tolist() == [10, 20, 30]
    assert b"Galvanostatic Cycling with Potential Limitation\r\n" in comments
    assert any(line.startswith(b"Acquisition started on : ") for line in comments)


def test_impedance_by_galvani(run: Path) -> None:
    with export(run, "mpt")[1].open("rb") as file:
        table, comments = MPTfile(file)
    assert table["freq/Hz"].tolist() == [1e3, 1.0]
    assert table["Re(Z)/Ohm"].tolist() == [1.0, 1.0]
    assert table["-Im(Z)/Ohm"].tolist() == [2.0, 3.0]
    assert table["Phase(Z)/deg"][0] == pytest.approx(-np.degrees(np.arctan(2)))
    assert b"Potentio Electrochemical Impedance Spectroscopy\r\n" in comments


def test_battery_data_format(run: Path) -> None:
    (path,) = export(run, "bdf")  # the spectrum has no place in it
    assert path.name == "run-echem0.bdf.csv"
    data, rows = _data(run), _table(path)
    assert list(rows[0])[:3] == ["Test Time / s", "Voltage / V", "Current / A"]
    assert [float(row["Voltage / V"]) for row in rows] == data.potential.tolist()
    assert [float(row["Current / A"]) for row in rows] == data.current.tolist()
    assert float(rows[-1]["Net Capacity / Ah"]) == pytest.approx(data.charge[-1] / 3600)
    assert (rows[0]["Cycle Count / 1"], rows[-1]["Cycle Count / 1"]) == ("1", "2")
    start = datetime.fromisoformat(ALONE.epoch).timestamp()
    assert float(rows[-1]["Unix Time / s"]) == pytest.approx(start + data.time[-1], abs=1e-6)


@pytest.mark.parametrize("to", ["csv", "mpt", "bdf"])
def test_never_overwrites_nor_leaves_half(run: Path, to: str) -> None:
    written = export(run, to)
    before = written[-1].read_bytes()
    for path in written[:-1]:
        path.unlink()
    with pytest.raises(RunFileError, match=f"{written[-1].name} exists"):
        export(run, to)
    assert not any(path.exists() for path in written[:-1])
    assert written[-1].read_bytes() == before


def test_names_beside_the_one_asked_for(run: Path, tmp_path: Path) -> None:
    (path,) = export(run, "bdf", tmp_path / "cell.7.bdf.csv")
    assert path.name == "cell.7-echem0.bdf.csv"
    assert export(run, "mpt", tmp_path / "cell.7.mpt")[0].name == "cell.7-echem0.mpt"


@pytest.mark.parametrize("to", ["mpt", "bdf"])
def test_nothing_to_export(tmp_path: Path, to: str) -> None:
    with pytest.raises(RunFileError, match="no electrochemistry to export"):
        export(_run(tmp_path, small_run()), to)


def test_only_impedance_is_nothing_for_battery_data_format(tmp_path: Path) -> None:
    messages = [m for m in echem_run() if getattr(m, "echem", 1) == 1]
    with pytest.raises(RunFileError, match="impedance only"):
        export(_run(tmp_path, messages), "bdf")


def test_a_technique_that_lost_its_start_and_has_no_samples(tmp_path: Path) -> None:
    path = _run(tmp_path, [ALONE, STARTED_GCPL])
    (empty,) = export(path, "csv")
    assert _table(empty) == []
    assert export(path, "mpt")[0].read_bytes().startswith(b"EC-Lab ASCII FILE\r\n")
