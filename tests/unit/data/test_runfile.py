"""The run file: the same however it came about, plottable, and plain about what is wrong."""

from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np
import pytest

from sicmctl.data.journal import JournalWriter
from sicmctl.data.names import unit_of
from sicmctl.data.recover import recover
from sicmctl.data.runfile import RunFile, RunFileError
from sicmctl.data.writer import build
from sicmctl.messages import (
    AnyMessage,
    Array,
    ReactionMeasured,
    RunStarted,
    ScanEnded,
    ScanStarted,
)

from .runs import STARTED, hop, scan_started, small_run


def write_journal(path: Path, run: list[AnyMessage]) -> Path:
    with JournalWriter(path) as journal:
        for message in run:
            journal.write(message)
    return path


def content(path: Path) -> dict[str, object]:
    """Everything in an HDF5 file: values, types, storage and attributes."""
    found: dict[str, object] = {}

    def visit(name: str, thing: Any) -> None:
        for key, value in thing.attrs.items():
            found[f"{name}@{key}"] = repr(value)
        if isinstance(thing, h5py.Dataset):
            found[name] = (thing.dtype.str, thing.shape, thing.chunks, thing.compression)
            found[f"{name}="] = np.asarray(thing[()]).tobytes() if thing.dtype != object else repr(
                thing[()]
            )  # fmt: skip

    with h5py.File(path) as file:
        visit("/", file["/"])
        file.visititems(visit)
    return found


@pytest.fixture
def built(tmp_path: Path) -> Path:
    return build(write_journal(tmp_path / "run.sicmlog", small_run()), tmp_path / "built.h5")


def test_flushing_does_not_change_the_content(
    tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sicmctl.data.writer.BATCH", 1)
    build(tmp_path / "run.sicmlog", tmp_path / "again.h5")
    assert content(tmp_path / "again.h5") == content(built)


def test_entry(built: Path) -> None:
    with RunFile(built) as run:
        info = run.info
        assert (info.run, info.title) == ("2026-01-02-graphite", "Graphite in LiClO4")
        assert info.start_time.startswith("2026-01-02T10:00:00")
        assert info.end_time.startswith("2026-01-02T10:00:06.5")
        assert (info.outcome, info.duration, info.rate) == ("done", 6.5, 50e3)
        assert info.safe == ("tip retracted: ok", "cell at OCP: ok")
        assert run.rig == STARTED.rig
        assert run.experiment == STARTED.experiment
        assert run.instruments == STARTED.instruments
        assert run.calibration == STARTED.calibration
        assert run.versions == STARTED.versions
        assert run.alarms[0]["text"] == "slow"
        assert run.notes[0]["author"] == "A. Operator"
        assert list(run.scans) == [0, 1]


def test_frames_keep_their_place(built: Path) -> None:
    with RunFile(built) as run:
        scan = run.scan(0)
        height = scan.frame("height")
        expected = 1e-6 + 1e-8 * np.arange(3)[:, None] + 1e-9 * np.arange(4)
        assert np.isnan(height[2, 3])
        height[2, 3] = expected[2, 3]
        np.testing.assert_array_equal(height, expected)
        y, x = scan.axes
        np.testing.assert_allclose(y, [1e-6, 1.5e-6, 2e-6])
        np.testing.assert_allclose(x, np.linspace(0, 2e-6, 4))
        status = scan.frame("status")
        assert scan.status_names[status[2, 3]] == "no surface"
        assert status[0, 1] == 0
        assert (scan.outcome, scan.shape) == ("done", (3, 4))


def test_hops_and_curves(built: Path) -> None:
    with RunFile(built) as run:
        hops, scan = run.scan(0).hops, run.scan(0)
        assert scan.count == 13
        assert hops["attempt"].tolist()[:3] == [0, 0, 1]
        assert hops["accepted"].tolist()[:3] == [True, False, True]
        assert hops["status"][1] == "no surface"
        assert hops["note"][2] == "µ tried again"
        assert np.isnan(hops["height_crossing"][0])
        assert hops["height_crossing"][2] == 2e-6
        assert hops["height_crossing_status"].tolist()[:3] == ["", "", "ok"]
        assert hops["timing_approach"][0] == 0.06
        assert scan.unit("timing_approach") == "s"
        curves = scan.curves(2)
        assert set(curves) == {"pipette_current", "z_sensor"}
        np.testing.assert_array_equal(
            curves["z_sensor"], np.linspace(2e-6, 1.001e-6, 30, dtype="f4")
        )
        assert curves["z_sensor"].dtype == np.float32
        late = run.scan(1).curves(0)
        assert np.isnan(late["z_sensor"]).all()
        assert (late["pipette_current"] == 1).all()


def test_curves_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sicmctl.data.columns.CHUNK_SAMPLES", 64)
    started = scan_started(4, 5)
    rng = np.random.default_rng(1)
    curves = [rng.normal(size=n).astype("f4") for n in rng.integers(0, 150, 20)]
    run: list[AnyMessage] = [STARTED, started]
    for i, curve in enumerate(curves):
        channels = {"pipette_current": Array.of(curve)} | (
            {"late": Array.of(-curve)} if i > 6 else {}
        )
        run.append(hop(started, i, curves=channels))
    monkeypatch.setattr("sicmctl.data.writer.BATCH", 3)
    build(write_journal(tmp_path / "j", run), tmp_path / "r.h5")
    with RunFile(tmp_path / "r.h5") as file:
        for i, curve in enumerate(curves):
            found = file.scan().curves(i)
            np.testing.assert_array_equal(found["pipette_current"], curve)
            late = -curve if i > 6 else np.full(curve.size, np.nan)
            np.testing.assert_array_equal(found["late"], late)


def test_a_nexus_viewer_finds_the_height(built: Path) -> None:
    with h5py.File(built) as file:
        group: Any = file
        while "default" in group.attrs:
            group = group[group.attrs["default"]]
        assert group.name == "/entry/scan_0/frame"
        assert group.attrs["NX_class"] == "NXdata"
        signal = group[group.attrs["signal"]]
        assert signal.name.endswith("height")
        for axis, name in enumerate(group.attrs["axes"]):
            assert group[name].shape == (signal.shape[axis],)
            assert group[name].attrs["units"] == "m"
            assert group.attrs[f"{name}_indices"] == axis
        for name in group.attrs["auxiliary_signals"]:
            assert group[name].shape == signal.shape


def test_every_float_has_units(built: Path) -> None:
    without = []

    def visit(name: str, thing: Any) -> None:
        if isinstance(thing, h5py.Dataset) and thing.dtype.kind == "f" and not thing.attrs.get(
            "units"
        ):  # fmt: skip
            without.append(name)

    with h5py.File(built) as file:
        file.visititems(visit)
    assert not without


def test_an_interrupted_run_says_so(tmp_path: Path) -> None:
    journal = write_journal(tmp_path / "run.sicmlog", small_run(ended=False))
    recovery = recover(journal)
    assert recovery.interrupted
    assert "interrupted" in recovery.report()
    with RunFile(tmp_path / "run.h5") as run:
        assert run.info.outcome == "interrupted"
        assert run.scan(1).outcome == "interrupted"
        assert run.scan(0).outcome == "done"
    with pytest.raises(RunFileError, match="exists"):
        recover(journal)
    recover(journal, overwrite=True)


def test_a_damaged_journal_gives_a_file_with_losses(tmp_path: Path) -> None:
    journal = write_journal(tmp_path / "run.sicmlog", small_run())
    data = bytearray(journal.read_bytes())
    for message in (RunStarted, ScanStarted):  # the worst two records to lose
        place = data.find(message.__struct_config__.tag.encode())  # type: ignore[union-attr]
        data[place] ^= 1
    journal.write_bytes(data)
    recovery = recover(journal)
    assert [loss.records for loss in recovery.losses] == [2]
    assert recovery.hops == 15
    with RunFile(recovery.out) as run:
        assert run.info.losses
        scan = run.scan(0)
        assert (scan.pattern, scan.count, scan.frames) == ("unknown", 13, [])
        assert scan.curves(2)["z_sensor"].size == 30
        with pytest.raises(RunFileError, match="start of the scan is lost"):
            scan.frame("height")
        assert run.scan(1).frame().shape == (1, 2)


def test_empty_runs(tmp_path: Path) -> None:
    for name, run in {"a": [], "b": [STARTED], "c": [STARTED, scan_started()]}.items():
        build(write_journal(tmp_path / f"{name}.sicmlog", list(run)), tmp_path / f"{name}.h5")
    with RunFile(tmp_path / "a.h5") as file:
        assert file.info.outcome == "interrupted"
        assert not file.scans
        assert (file.instruments, file.versions, file.notes) == ({}, {}, [])
        with pytest.raises(RunFileError, match="it has: none"):
            file.scan()
    with RunFile(tmp_path / "c.h5") as file:
        assert file.scan().count == 0
        assert np.isnan(file.frame()).all()
        assert (file.frame("status") == -1).all()
        with pytest.raises(RunFileError, match="no scan 7"):
            file.scan(7)
        with pytest.raises(RunFileError, match="no frame 'nope'"):
            file.frame("nope")
        with pytest.raises(RunFileError, match="no column"):
            file.scan().column("index")
        with pytest.raises(RunFileError):
            file.scan().curves(0)


def test_files_that_are_no_run_file(tmp_path: Path, built: Path) -> None:
    with pytest.raises(RunFileError, match="does not exist"):
        RunFile(tmp_path / "missing.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(RunFileError, match="not HDF5"):
        RunFile(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(RunFileError, match="not a run file"):
        RunFile(tmp_path / "other.h5")
    data = built.read_bytes()
    (tmp_path / "cut.h5").write_bytes(data[: len(data) // 2])
    with pytest.raises(RunFileError, match="truncated"):
        RunFile(tmp_path / "cut.h5")
    with h5py.File(built, "r+") as file:
        file.attrs["sicmctl_schema"] = 99
    with pytest.raises(RunFileError, match="schema 99"):
        RunFile(built)


def test_never_overwrites(tmp_path: Path, built: Path) -> None:
    with pytest.raises(RunFileError, match="exists"):
        build(tmp_path / "run.sicmlog", built)
    with pytest.raises(RunFileError, match="cannot create"):
        build(tmp_path / "run.sicmlog", tmp_path / "nowhere" / "run.h5")


def test_axes_of_a_turned_raster(tmp_path: Path) -> None:
    level = scan_started()
    x, y, turn = level.x.numpy(), level.y.numpy() - 1e-6, np.radians(30)
    turned = msgspec.structs.replace(
        level,
        x=Array.of(x * np.cos(turn) - y * np.sin(turn), "<f8"),
        y=Array.of(1e-6 + x * np.sin(turn) + y * np.cos(turn), "<f8"),
    )
    build(write_journal(tmp_path / "j", [STARTED, turned]), tmp_path / "r.h5")
    with RunFile(tmp_path / "r.h5") as run:
        assert run.scan().angle == pytest.approx(turn)
        rows, columns = run.scan().axes
        np.testing.assert_allclose(rows, [1e-6, 1.5e-6, 2e-6])
        np.testing.assert_allclose(columns, np.linspace(0, 2e-6, 4))


def test_axes_of_a_line_again_and_again(tmp_path: Path) -> None:
    x, y = np.tile([0.0, 3e-6, 6e-6], 2), np.tile([0.0, 4e-6, 8e-6], 2)
    line = ScanStarted(
        time=0.0,
        scan=0,
        pattern="line",
        shape=(2, 3),
        x=Array.of(x, "<f8"),
        y=Array.of(y, "<f8"),
        row=Array.of(np.repeat([0, 1], 3), "<i4"),
        column=Array.of(np.tile([0, 1, 2], 2), "<i4"),
        extent=(0.0, 6e-6, 0.0, 8e-6),
    )
    build(write_journal(tmp_path / "j", [STARTED, line]), tmp_path / "r.h5")
    with RunFile(tmp_path / "r.h5") as run:
        rows, columns = run.scan().axes
        np.testing.assert_array_equal(rows, [0, 1])
        np.testing.assert_allclose(columns, [0, 5e-6, 10e-6])


def test_hops_beyond_the_frame_are_kept_in_the_table(tmp_path: Path) -> None:
    started = scan_started(1, 1)
    run = [STARTED, started, *(msgspec.structs.replace(hop(started, 0), row=i) for i in range(3))]
    build(write_journal(tmp_path / "j", run), tmp_path / "r.h5")
    with RunFile(tmp_path / "r.h5") as file:
        assert file.scan().count == 3
        assert file.frame().shape == (1, 1)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("pipette_inner_radius", "m"),
        ("pipette_radius_ratio", "1"),
        ("pipette_half_angle", "rad"),
        ("smallest_setpoint", "1"),
        ("highest_speed", "m/s"),
        ("reference_time", "s"),
        ("current_noise", "A"),
        ("height_fit_sd", "m"),
        ("timing_current", "s"),
        ("bias", "V"),
        ("gain", "V/A"),
        ("mystery", ""),
    ],
)
def test_units_by_name(name: str, unit: str) -> None:
    assert unit_of(name) == unit


def test_what_hops_took_and_how_fast_falls_were_stopped(tmp_path: Path) -> None:
    started = scan_started(1, 2)
    timing = {"hop_time": 0.03, "least_time": 0.02, "duty": 0.6}
    measured = ReactionMeasured(
        time=1.0,
        scan=0,
        typical=5e-4,
        worst=7e-4,
        assumed=9e-4,
        speed=3e-5,
        safe_speed=4e-5,
        hops=2,
    )
    ended = ScanEnded(time=2.0, scan=0, outcome="done", timing=timing)
    run = [STARTED, started, hop(started, 0), measured, hop(started, 1), ended]
    path = build(write_journal(tmp_path / "run.sicmlog", run), tmp_path / "run.h5")
    with RunFile(path) as file:
        (row,) = file.reaction
        assert {name: row[name] for name in ("worst", "assumed", "speed", "hops")} == {
            "worst": 7e-4,
            "assumed": 9e-4,
            "speed": 3e-5,
            "hops": 2,
        }
    with h5py.File(path) as raw:
        group = raw["entry/scan_0/timing"]
        assert isinstance(group, h5py.Group)
        assert {name: group[name][()] for name in group} == timing  # type: ignore[index]
        assert [group[name].attrs["units"] for name in sorted(group)] == ["1", "s", "s"]
        assert raw["entry/reaction/worst"].attrs["units"] == "s"
