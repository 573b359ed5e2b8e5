"""Exports read back with the right numbers in the right places."""

import csv
from pathlib import Path
from typing import Any

import gwyfile
import numpy as np
import pytest

from sicmctl.data.exporters import export, exporters
from sicmctl.data.journal import JournalWriter
from sicmctl.data.recover import recover
from sicmctl.data.runfile import RunFile, RunFileError

from .runs import small_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    with JournalWriter(tmp_path / "run.sicmlog") as journal:
        for message in small_run():
            journal.write(message)
    return recover(tmp_path / "run.sicmlog").out


def test_gwy(run: Path) -> None:
    (path,) = export(run, "gwy")
    container: Any = gwyfile.load(str(path))
    channels = gwyfile.util.get_datafields(container)
    assert list(channels) == [
        f"{title}, scan {scan}"
        for scan in (0, 1)
        for title in ("Height", "Reference current", "Height uncertainty", "Status")
    ]
    height = channels["Height, scan 0"]
    # our row 0 is the lowest y; Gwyddion's is the top of the image
    np.testing.assert_allclose(height.data[-1], 1e-6 + 1e-9 * np.arange(4))
    np.testing.assert_allclose(height.data[0, :3], 1.02e-6 + 1e-9 * np.arange(3))
    assert height.xreal == pytest.approx(4 * 2e-6 / 3)
    assert height.yreal == pytest.approx(1.5e-6)
    assert (height.xoff, height.yoff) == (pytest.approx(-1e-6 / 3), pytest.approx(0.75e-6))
    assert (height.si_unit_xy.unitstr, height.si_unit_z.unitstr) == ("m", "m")
    assert channels["Reference current, scan 0"].si_unit_z.unitstr == "A"
    mask = container["/0/mask"].data
    assert mask[0, 3] == 1
    assert mask.sum() == 1
    assert channels["Status, scan 0"].data[0, 3] == 1
    meta = container["/0/meta"]
    assert meta["Title"] == "Graphite in LiClO4"
    assert meta["Setting speed"] == "3e-05 m/s"


def test_csv(run: Path) -> None:
    (path,) = export(run, "csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 15
    assert rows[2]["note"] == "µ tried again"
    assert float(rows[2]["height_crossing (m)"]) == 2e-6
    assert rows[1]["height (m)"] == ""
    assert rows[1]["status"] == "no surface"
    assert [row["accepted"] for row in rows[:3]] == ["1", "0", "1"]
    assert rows[-1]["scan"] == "1"


def test_xyz(run: Path) -> None:
    paths = export(run, "xyz")
    assert [p.name for p in paths] == ["run-scan0.xyz", "run-scan1.xyz"]
    points = np.loadtxt(paths[0])
    assert points.shape == (11, 3)
    np.testing.assert_allclose(points[4], [2e-6, 1.5e-6, 1.013e-6])


OF_SCANS = ("gwy", "csv", "xyz")


def test_all_are_tested() -> None:
    assert set(exporters) == {*OF_SCANS, "mpt", "bdf"}  # for these see test_export_echem


@pytest.mark.parametrize("to", OF_SCANS)
def test_never_overwrites(run: Path, to: str) -> None:
    written = export(run, to)
    before = [path.read_bytes() for path in written]
    with pytest.raises(RunFileError, match="not overwritten"):
        export(run, to)
    assert [path.read_bytes() for path in written] == before


def test_unknown_format(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match="there are: gwy, csv, xyz, mpt, bdf"):
        export(run, "docx")
    with pytest.raises(RunFileError, match="cannot write"):
        export(run, "csv", tmp_path / "nowhere" / "a.csv")


def test_a_scan_without_its_start(run: Path, tmp_path: Path) -> None:
    data = bytearray((tmp_path / "run.sicmlog").read_bytes())
    data[data.find(b"scan-started")] ^= 1
    (tmp_path / "bad.sicmlog").write_bytes(data)
    bad = recover(tmp_path / "bad.sicmlog").out
    for to in OF_SCANS:
        assert export(bad, to)
    with RunFile(bad) as file:
        assert file.scan(0).shape == (0, 0)
