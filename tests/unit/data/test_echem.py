"""Electrochemistry in the run file: whole, the same however it came about, and typed."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from sicmctl.data import h5read
from sicmctl.data.recover import recover
from sicmctl.data.runfile import RunFile
from sicmctl.data.series import CHUNK
from sicmctl.data.writer import build
from sicmctl.messages import Array, EchemEnded, decode, encode

from .echem_runs import ALONE, STARTED_GCPL, block, echem_run, points, step_ended
from .runs import small_run
from .test_runfile import content, write_journal


@pytest.fixture
def built(tmp_path: Path) -> Path:
    return build(write_journal(tmp_path / "run.sicmlog", echem_run()), tmp_path / "built.h5")


@pytest.mark.parametrize("message", echem_run(), ids=lambda m: type(m).__name__)
def test_messages_survive_the_wire(message: object) -> None:
    again = decode(encode(message))  # type: ignore[arg-type]
    assert encode(again) == encode(message)  # type: ignore[arg-type]
    assert type(again) is type(message)


def test_samples_come_back(built: Path) -> None:
    with RunFile(built) as run:
        assert list(run.echem) == [0, 1]
        found = run.echem[0]
        k = np.arange(40)
        assert len(found) == 40
        np.testing.assert_array_equal(found.time, k / 10)
        np.testing.assert_array_equal(found.potential, 1e-3 * k)
        np.testing.assert_array_equal(found.current, 1e-6 * k)
        np.testing.assert_array_equal(found.charge, 0.5e-7 * k**2)
        np.testing.assert_array_equal(found.step, k // 10)
        np.testing.assert_array_equal(found.loop, k // 20)
        np.testing.assert_array_equal(found.cycle, 0 * k)
        assert found.flags.dtype == np.uint8
        assert np.flatnonzero(found.flags).tolist() == [13]
        assert found.labels.tolist()[::10] == ["charge", "discharge", "charge", "discharge"]
        assert found.spectrum == {}


def test_what_is_said_about_a_technique(built: Path) -> None:
    with RunFile(built) as run:
        found = run.echem[0]
        assert (found.technique, found.title) == ("gcpl", "Formation")
        assert (found.outcome, found.reason, found.rest) == ("done", "", "ocp")
        assert (found.present, found.time_sd) == (3.1, 2e-3)
        assert (found.start_time, found.end_time) == (0.0, 4.0)
        assert found.settings == {"charge": 1.5, "cycles": 2.0}
        assert found.instrument == "EmStat4"
        assert found.steps[1] == {
            "number": 1, "kind": "held current", "label": "discharge", "loop": 0, "start": 1.0,
            "end": 2.0, "time_sd": 2e-3, "charge": 1e-6, "reason": "time",
        }  # fmt: skip
        assert run.info.outcome == "done"
        assert np.isnan(run.info.rate)
        assert run.scans == {}


def test_a_spectrum(built: Path) -> None:
    with RunFile(built) as run:
        spectrum = run.echem[1].spectrum
        assert spectrum["frequency"].tolist() == [1e3, 1.0]
        assert spectrum["real"].tolist() == [1.0, 1.0]
        assert spectrum["imag"].tolist() == [-2.0, -3.0]
        assert spectrum["step"].tolist() == [0, 0]
        assert len(run.echem[1]) == 0
        assert run.echem[1].steps[0]["kind"] == "impedance"


def test_units_plots_and_compression(built: Path) -> None:
    units = {"time": "s", "potential": "V", "current": "A", "charge": "C"}
    with h5py.File(built) as file:
        entry = file["entry"]
        assert isinstance(entry, h5py.Group)
        assert entry.attrs["default"] == "echem_0"
        group = entry["echem_0"]
        assert isinstance(group, h5py.Group)
        assert group.attrs["NX_class"] == "NXdata"
        assert (group.attrs["signal"], group.attrs["axes"]) == ("potential", "time")
        for name, unit in units.items():
            data = group[name]
            assert isinstance(data, h5py.Dataset)
            assert data.attrs["units"] == unit
            assert data.compression == "gzip"
        for name in ("start", "end", "time_sd"):
            assert group[f"steps/{name}"].attrs["units"] == "s"
        assert group["steps/charge"].attrs["units"] == "C"
        assert h5read.names(h5read.dataset(group, "flags"), "bits") == [
            "overload", "underload", "compliance", "late",
        ]  # fmt: skip
        instrument = entry["instrument/potentiostat"]
        assert instrument.attrs["NX_class"] == "NXdetector"
        assert "sample_rate" not in entry


def test_flushing_does_not_change_what_takes_several_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = write_journal(tmp_path / "run.sicmlog", echem_run(n=CHUNK))
    built = build(journal, tmp_path / "built.h5")
    monkeypatch.setattr("sicmctl.data.writer.BATCH", 0)
    assert content(build(journal, tmp_path / "again.h5")) == content(built)
    with RunFile(built) as file:
        assert len(file.echem[0]) == 4 * CHUNK
        np.testing.assert_array_equal(file.echem[0].time, np.arange(4 * CHUNK) / 10)


def test_a_run_that_died_keeps_all_up_to_then(tmp_path: Path) -> None:
    run = [ALONE, STARTED_GCPL, block(0, 0), step_ended(0, 1.0, "potential >= 2 V"), block(1, 10)]
    recovery = recover(write_journal(tmp_path / "run.sicmlog", run))  # type: ignore[arg-type]
    assert (recovery.techniques, recovery.samples, recovery.interrupted) == (1, 20, True)
    assert "1 techniques, 20 samples of the cell" in recovery.report()
    with RunFile(recovery.out) as file:
        found = file.echem[0]
        assert found.outcome == "interrupted"
        assert found.reason == "the journal has no end of it"
        assert found.rest == ""
        assert len(found) == 20
        assert [step["reason"] for step in found.steps] == ["potential >= 2 V", "interrupted"]
        cut = found.steps[1]
        assert (cut["number"], cut["label"], cut["start"], cut["end"]) == (1, "discharge", 1.0, 1.9)
        assert cut["charge"] == pytest.approx(0.5e-7 * (19**2 - 10**2))


def test_a_lost_start_does_not_lose_the_samples(tmp_path: Path) -> None:
    journal = write_journal(tmp_path / "run.sicmlog", [ALONE, block(0, 0), points(9.0)])
    with RunFile(build(journal, tmp_path / "run.h5")) as file:
        assert [file.echem[n].technique for n in (0, 1)] == ["unknown", "unknown"]
        assert len(file.echem[0]) == 10
        assert np.isnan(file.echem[0].start_time)


def test_a_second_start_or_end_is_passed_over(tmp_path: Path) -> None:
    late = EchemEnded(time=9.0, echem=0, outcome="failed")
    run = [*echem_run(), STARTED_GCPL, late]
    with RunFile(build(write_journal(tmp_path / "a.sicmlog", run), tmp_path / "a.h5")) as file:
        assert file.echem[0].outcome == "done"
        assert len(file.echem[0]) == 40


def test_beside_a_scan(tmp_path: Path) -> None:
    """A scan and a technique keep their groups; the first of them is what a viewer opens."""
    run = [*small_run()[:-1], *echem_run()[1:]]
    with RunFile(build(write_journal(tmp_path / "a.sicmlog", run), tmp_path / "a.h5")) as file:
        assert list(file.scans) == [0, 1]
        assert list(file.echem) == [0, 1]
    with h5py.File(tmp_path / "a.h5") as plain:
        assert plain["entry"].attrs["default"] == "scan_0"


def test_a_cv_is_looked_at_as_current_against_potential(tmp_path: Path) -> None:
    import msgspec

    started = msgspec.structs.replace(STARTED_GCPL, technique="cv", title="")
    run = [ALONE, started, block(0, 0, cycle=3, flags=Array.of(np.zeros(10), "u1"))]
    path = build(write_journal(tmp_path / "a.sicmlog", run), tmp_path / "a.h5")  # type: ignore[arg-type]
    with h5py.File(path) as plain:
        group = plain["entry/echem_0"]
        assert (group.attrs["signal"], group.attrs["axes"]) == ("current", "potential")
        assert group.attrs["title"] == "cv"
    with RunFile(path) as file:
        assert set(file.echem[0].cycle) == {3}
