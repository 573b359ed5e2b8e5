"""The program as it is installed: processes, standard streams, exit codes, files."""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sicmctl.cli.app import app
from sicmctl.data.journal import read_journal
from sicmctl.data.runfile import RunFile
from sicmctl.messages import HopDone, RunEnded
from simulators.world.truth import Truth

from ..rigs import LabProcess, Program, experiment_text, quick_sim, state_reaction, virtual

HOP = 'fall_rate = "35 nm/ms"'
SAFE = ["halt approach: done", "retract: done", "bias to rest: done", "stop waveforms: done"]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[LabProcess]:
    with LabProcess(tmp_path / "lab", quick_sim()) as found:
        state_reaction(found.rig, "0.5 ms")
        yield found


def experiment(folder: Path, pixels: int, engine: str = "comparator") -> Path:
    path = folder / "experiment.toml"
    text = experiment_text(engine, pixels, HOP).replace('"500 nm"', '"300 nm"')
    path.write_text(text, encoding="utf-8")
    return path


def say(*arguments: str | Path) -> Any:
    """Run a command with --json in this process; return what it says, once it went well."""
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    return json.loads(result.stdout)


def test_from_the_experiment_to_the_exports(tmp_path: Path) -> None:
    """check, run, info, report, export: each does its part, and with --json each says it."""
    out, journal = tmp_path / "run.h5", tmp_path / "run.sicmlog"
    with virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as rig:
        found = say("check", rig.rig)
        ran = say("run", experiment(tmp_path, 3), "--rig", rig.rig, "--out", out)
        plain = CliRunner().invoke(app, ["check", str(rig.rig)])
    assert set(found["instruments"]) == {"daq", "amplifier", "piezo"}
    assert found["instruments"]["daq"].startswith("National Instruments PCIe-6363")
    assert found["sample_rate"] == 50e3
    microscope = found["microscope"]
    assert microscope["position"]["z"] == pytest.approx(2.5e-6, abs=2e-9)
    assert microscope["amplifier"] == {"gain": 1e9, "bandwidth": 5e3, "mode": "V-CLAMP"}
    assert microscope["comparators"] == {"pipette_current": "APFI0"}
    assert found["cell"] is None
    assert "comparator    pipette_current on APFI0" in plain.stdout
    assert ran == {
        "outcome": "done",
        "reason": "",
        "safe": SAFE,
        "file": str(out),
        "journal": str(journal),
    }

    summary = say("info", out)
    assert summary["hops"] == 9
    assert summary["info"]["outcome"] == "done"
    assert summary["scans"][0]["counts"] == {"ok": 9}

    (table,) = say("export", out, "--to", "csv")["files"]
    lines = Path(table).read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) == 10

    again = say("recover", journal, "--out", tmp_path / "again.h5")
    assert (again["hops"], again["interrupted"], again["losses"]) == (9, False, [])
    with RunFile(out) as live, RunFile(tmp_path / "again.h5") as built:
        assert np.array_equal(live.frame(), built.frame())

    files = [Path(name) for name in say("report", out)["files"]]
    assert all(file.stat().st_size > 0 for file in files)
    assert files[0].suffix == ".html"

    cut = tmp_path / "cut.h5"
    cut.write_bytes(out.read_bytes()[: out.stat().st_size // 2])
    result = CliRunner().invoke(app, ["info", str(cut)])
    assert result.exit_code == 2
    assert f"{cut} is truncated, damaged or being written" in result.stderr
    assert "`sicmctl recover` builds it anew from the journal" in result.stderr


def test_simulate_until_its_input_closes(tmp_path: Path) -> None:
    sim, rig = tmp_path / "sim.toml", tmp_path / "rig.toml"
    sim.write_text(quick_sim(), encoding="utf-8")
    with Program("simulate", sim, "--rig", rig, "--until-stdin-closes", "--json") as program:
        assert program.process.stdout and program.process.stdin
        ready = json.loads(program.process.stdout.readline())
        assert ready["ready"] is True
        assert ready["rig"] == str(rig)
        host, port = ready["daq"].rsplit(":", 1)
        assert host == "127.0.0.1"
        assert int(port) > 0
        assert f'server = "{ready["daq"]}"' in rig.read_text(encoding="utf-8")
        assert say("check", rig)["sample_rate"] == 50e3
        assert program.end(30) == 0
    assert CliRunner().invoke(app, ["check", str(rig)]).exit_code == 1


def test_simulate_refuses_a_bad_file(tmp_path: Path) -> None:
    sim = tmp_path / "sim.toml"
    sim.write_text('schema = 1\n[pipette]\ninner_radius = "5 V"\n', encoding="utf-8")
    with Program("simulate", sim) as program:
        assert program.end(30) == 2
    assert f"{sim}:3: pipette.inner_radius: " in program.stderr
    assert program.stdout == ""


@pytest.mark.timeout(300)
def test_a_demonstration_twice_with_one_seed_gives_the_same_heights(tmp_path: Path) -> None:
    options = ["demo", "--pixels", "6", "--seed", "5", "--out"]
    with Program(*options, "first", "--json", cwd=tmp_path) as program:
        assert program.end(200) == 0, program.stderr
    results = [json.loads(program.stdout), say(*options, tmp_path / "second")]
    heights = []
    for result in results:
        assert result["outcome"] == "done"
        assert result["pixels"] == 36
        assert 18 < result["counts"]["ok"] <= 36  # where flakes have edges, no height counts
        assert result["rq"] == pytest.approx(result["rq_seen"], rel=0.05)
        assert (tmp_path / result["report"]).stat().st_size > 0
        assert len(result["figures"]) > 0
        with RunFile(tmp_path / result["file"]) as file:
            heights.append([file.frame(scan=number) for number in file.scans])
    assert len(heights[0]) == 2  # the prescan and the image
    for first, second in zip(*heights, strict=True):
        assert np.array_equal(first, second, equal_nan=True)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize("engine", ["comparator", "streamed"])
def test_ctrl_c_stops_after_the_present_hop_and_lifts_the_tip(
    lab: LabProcess, tmp_path: Path, engine: str
) -> None:
    out = tmp_path / "run.h5"
    with Program(
        "run", experiment(tmp_path, 100, engine), "--rig", lab.rig, "--out", out
    ) as program:
        program.wait_for("/10000 hops")
        lab.process.send_signal(signal.SIGINT)  # a terminal tells its whole group
        program.interrupt()
        assert program.end() == 1
    assert f"stopped: {out}" in program.stdout
    assert "stopped: asked to stop" in program.stderr
    with RunFile(out) as file:
        assert file.info.outcome == "stopped"
        assert list(file.info.safe) == SAFE
        assert 0 < file.scan().count < 10_000
        assert file.scan().outcome == "stopped"
    lab.end()
    with Truth(lab.truth) as truth:
        assert truth.stream["gap"][-1] > 1e-6
        assert len(truth.contacts) == 0


def test_a_card_that_is_gone_fails_the_run_and_keeps_the_data(
    lab: LabProcess, tmp_path: Path
) -> None:
    out = tmp_path / "run.h5"
    with Program("run", experiment(tmp_path, 100), "--rig", lab.rig, "--out", out) as program:
        program.wait_for("/10000 hops")
        lab.kill()
        assert program.end() == 1
    assert f"failed: {out}" in program.stdout
    assert "error: engine: nidaqmx Dev1: " in program.stderr
    assert f"no answer from the gRPC server {lab.address}" in program.stderr
    assert "(check that the server runs and that daq.server names it)" in program.stderr
    assert "Traceback" not in program.stderr
    with RunFile(out) as file:
        assert file.info.outcome == "failed"
        assert "no answer from the gRPC server" in file.info.reason
        assert [act.split(":")[0] for act in file.info.safe] == [
            "halt approach", "retract", "bias to rest", "stop waveforms",
        ]  # fmt: skip
        assert all("no answer" in act for act in file.info.safe[1:3])
        assert file.scan().count > 0
        assert file.scan().outcome == "failed"
    losses: list[object] = []
    kept = list(read_journal(tmp_path / "run.sicmlog", losses))  # type: ignore[arg-type]
    assert losses == []
    assert isinstance(kept[-1], RunEnded)


# -- killed ---------------------------------------------------------------------------------------


def hops_in(journal: Path) -> list[HopDone]:
    """The hops of a journal, which may still grow."""
    return [m for m in read_journal(journal) if isinstance(m, HopDone)]


def killed_run(lab: LabProcess, folder: Path, after_hops: int) -> tuple[list[HopDone], Path]:
    """Kill `sicmctl run` once so many hops are in its journal; returns the hops that are."""
    folder.mkdir()
    journal = folder / "run.sicmlog"
    with Program(
        "run", experiment(folder, 100), "--rig", lab.rig, "--out", folder / "run.h5"
    ) as program:
        program.wait_for("scan 0: ")
        seen: list[HopDone] = []
        while len(seen) < after_hops:
            assert program.process.poll() is None
            seen = hops_in(journal)
        program.kill()
    hops = hops_in(journal)
    assert [hop.first for hop in hops[: len(seen)]] == [hop.first for hop in seen]
    return hops, journal


def assert_recovered(hops: list[HopDone], journal: Path) -> None:
    """Every hop of the journal is in the file that `recover` builds."""
    told = say("recover", journal)
    assert told["interrupted"] is True
    assert told["hops"] == len(hops)
    assert [loss for loss in told["losses"] if "torn" not in loss] == []
    with RunFile(journal.with_suffix(".h5")) as file:
        assert file.info.outcome == "interrupted"
        scan = file.scan()
        assert scan.hops["index"].tolist() == [hop.index for hop in hops]
        assert np.array_equal(scan.hops["height"], [h.height for h in hops], equal_nan=True)
        last = scan.curves(len(hops) - 1)
        assert np.array_equal(last["z"], hops[-1].curves["z"].numpy())
    assert [hop.index for hop in hops if hop.accepted] == list(range(len(hops)))


def test_a_killed_run_is_recovered_up_to_its_last_hop(tmp_path: Path) -> None:
    with LabProcess(tmp_path / "lab", quick_sim()) as lab:
        state_reaction(lab.rig, "0.5 ms")
        hops, journal = killed_run(lab, tmp_path / "run", 20)
        assert_recovered(hops, journal)


@pytest.mark.slow
@pytest.mark.parametrize("after_hops", range(0, 100, 10))
def test_a_run_killed_anywhere_is_recovered(tmp_path: Path, after_hops: int) -> None:
    with LabProcess(tmp_path / "lab", quick_sim()) as lab:
        state_reaction(lab.rig, "0.5 ms")
        hops, journal = killed_run(lab, tmp_path / "run", after_hops + 3)
        assert_recovered(hops, journal)
