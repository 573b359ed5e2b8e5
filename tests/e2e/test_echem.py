"""Electrochemistry from the files to the run file, with what can go wrong on the way."""

import json
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from sicmctl import client
from sicmctl.cli.app import app
from sicmctl.data.journal import read_journal
from sicmctl.data.runfile import RunFile
from sicmctl.hal.errors import LimitExceeded
from sicmctl.messages import Alarm, EchemBlock, EchemEnded, encode
from simulators.cellport import Control

from ..rigs import LabProcess, Program, Recorded, Virtual, only, virtual

SIM = """\
schema = 1
seed = 2
[cell]
kind = "resistor"
resistance = "10 kohm"
[potentiostat]
model = "emstat4-hr"
{more}
"""
CV = """\
schema = 1
title = "Voltammogram"
[[step]]
title = "Look"
echem = {{ technique = "cv", start = "0 V", vertex = "0.5 V", rate = "{rate}", cycles = {cycles} }}
"""
HOLD = '[[step]]\nechem = { technique = "hold", potential = "0.2 V", duration = "5 s" }\n'


def sim(*faults: str, more: str = "") -> str:
    """A SIM.toml of a potentiostat alone. faults: each e.g. `kind = "unplug", after = 100`."""
    tables = "".join(f"[[potentiostat.faults]]\n{fault}\n" for fault in faults)
    return SIM.format(more=more + tables)


def cv(rate: str = "50 mV/s", cycles: int = 1) -> str:
    return CV.format(rate=rate, cycles=cycles)


def allow(rig: Path, safety: str) -> None:
    """Add to [safety] of a rig.toml."""
    text = rig.read_text(encoding="utf-8")
    rig.write_text(text.replace("[safety]\n", f"[safety]\n{safety}\n"), encoding="utf-8")


def off(rig: Virtual) -> bool:
    """Whether the virtual front end has let go of the cell."""
    return rig.lab.front._mode is Control.OPEN


def assert_kept(run: Recorded) -> None:
    """Journal and file hold every sample that was published, and nothing is missing."""
    losses: list[Any] = []
    kept = list(read_journal(run.result.journal, losses))
    assert losses == []
    assert list(map(encode, kept)) == list(map(encode, run.messages))
    with RunFile(run.result.file) as file:
        for number, echem in file.echem.items():
            blocks = [b for b in only(run.messages, EchemBlock) if b.echem == number]
            published = np.concatenate([b.potential.numpy() for b in blocks] or [np.empty(0)])
            np.testing.assert_array_equal(echem.potential, published)
        assert file.info.outcome == run.ended.outcome
        assert file.info.safe == run.ended.safe


def test_a_cv_and_what_is_read_of_it(tmp_path: Path) -> None:
    with virtual(tmp_path, sim()) as rig:
        run = rig.run(cv() + HOLD)
        assert off(rig)
    assert run.result.outcome.outcome == "done"
    assert run.ended.safe == ("cell to ocp: done",)
    assert only(run.messages, Alarm) == []
    assert_kept(run)
    with RunFile(run.result.file) as file:
        first, second = file.echem.values()
        assert (first.technique, first.title, second.technique) == ("cv", "Look", "hold")
        assert (np.diff(first.time) > 0).all()
        assert second.time[0] > first.time[-1]
        fit = np.polyfit(first.potential, first.current, 1)
        assert 1 / fit[0] == pytest.approx(10e3, rel=2e-3)
        assert second.potential.mean() == pytest.approx(0.2, abs=1e-3)
        assert 0 < first.time_sd < 0.5
        assert file.instruments["potentiostat"].startswith("PalmSens EmStat4 HR")
        assert "daq" not in file.instruments
        assert 'driver = "methodscript"' in file.rig


def test_the_commands(tmp_path: Path) -> None:
    """check, run, info and recover, as a user types them."""
    experiment, out = tmp_path / "cv.toml", tmp_path / "run.h5"
    experiment.write_text(cv(), encoding="utf-8")

    def say(*arguments: object) -> Any:
        result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    with virtual(tmp_path, sim()) as rig:
        found = say("check", rig.rig, experiment)
        plain = CliRunner().invoke(app, ["check", str(rig.rig)])
        ran = say("run", experiment, "--rig", rig.rig, "--out", out)
    assert found["microscope"] is None
    assert found["sample_rate"] is None
    assert found["cell"]["rest"] == "ocp"
    assert found["cell"]["ranges"][-1] == pytest.approx(0.1)
    assert abs(found["cell"]["current"]) < 1e-6
    assert "sweep rate" in plain.stdout
    assert ran["outcome"] == "done"
    assert ran["safe"] == ["cell to ocp: done"]
    summary = say("info", out)
    assert summary["echem"][0]["technique"] == "cv"
    assert summary["echem"][0]["rest"] == "ocp"
    again = say("recover", out.with_suffix(".sicmlog"), "--out", tmp_path / "again.h5")
    assert (again["techniques"], again["interrupted"]) == (1, False)
    with RunFile(out) as live, RunFile(tmp_path / "again.h5") as built:
        assert again["samples"] == len(live.echem[0]) > 900
        np.testing.assert_array_equal(live.echem[0].current, built.echem[0].current)


def test_check_refuses_what_cannot_be_run(tmp_path: Path) -> None:
    experiment = tmp_path / "cv.toml"
    experiment.write_text(cv(), encoding="utf-8")
    with virtual(tmp_path, sim()) as rig:
        allow(rig.rig, 'cell_potential = ["0 V", "0.4 V"]')
        with pytest.raises(LimitExceeded, match=r"potential 500 mV lies outside 0 V \.\. 400 mV"):
            client.check(rig.rig, experiment)
        with pytest.raises(LimitExceeded):
            rig.run(cv())
        assert off(rig)
        assert list(tmp_path.glob("run-*")) == []


REALTIME = '[clock]\nmode = "realtime"\n'
"""So that what was sent before a cable was cut has been read: 50 packages a second, less those of
some tenths of a second if the computer is busy."""
FAULTS = {
    "unplug": 'kind = "unplug"\nafter = 60\nduration = "0.2 s"',
    "reboot": 'kind = "reboot"\nafter = 60',
    "garbage": 'kind = "garbage"\nafter = 60',
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_during_a_cv_ends_the_run_with_the_cell_at_rest(tmp_path: Path, kind: str) -> None:
    with virtual(tmp_path, sim(FAULTS[kind]) + REALTIME) as rig:
        run = rig.run(cv() + HOLD)
        assert off(rig)
    assert run.ended.outcome == "failed"
    assert run.ended.reason.startswith("EmStat4 HR")
    assert_kept(run)
    (ended,) = only(run.messages, EchemEnded)
    assert ended.outcome == "failed"
    assert [a.text for a in only(run.messages, Alarm) if a.source == "engine"] == [run.ended.reason]
    with RunFile(run.result.file) as file:
        assert list(file.echem) == [0]
        assert 40 <= len(file.echem[0]) <= 60
        assert file.echem[0].steps[-1]["reason"] == "failed"
    assert run.ended.safe == ("cell to ocp: done",)
    assert ended.rest == "ocp"


def test_a_run_goes_on_after_a_fault_if_it_may(tmp_path: Path) -> None:
    with virtual(tmp_path, sim(FAULTS["unplug"]) + REALTIME) as rig:
        allow(rig.rig, 'on_cell_fault = "continue"')
        run = rig.run(cv() + HOLD)
        assert off(rig)
    assert run.ended.outcome == "failed"
    assert run.ended.reason.startswith("echem 0 (cv) failed: ")
    assert [e.outcome for e in only(run.messages, EchemEnded)] == ["failed", "done"]
    assert_kept(run)
    with RunFile(run.result.file) as file:
        assert file.echem[1].potential.mean() == pytest.approx(0.2, abs=1e-3)


@pytest.mark.parametrize("kind", ["unplug", "silence"])
def test_what_is_not_known_of_the_cell_is_said(tmp_path: Path, kind: str) -> None:
    """An instrument that never comes back: in the alarm, in the file, at the end of the run."""
    fault = f'kind = "{kind}"\nafter = 60\nduration = "1000 s"'
    with virtual(tmp_path, sim(fault) + REALTIME) as rig:
        text, quick = rig.rig.read_text(encoding="utf-8"), 'timeout = "1 s"\nreconnect = "1 s"\n'
        rig.rig.write_text(text.replace("[potentiostat]\n", f"[potentiostat]\n{quick}"))
        run = rig.run(cv() + HOLD)
    assert run.ended.outcome == "failed"
    (ended,) = only(run.messages, EchemEnded)
    assert ended.rest == ""
    (safe,) = run.ended.safe
    assert safe.startswith("cell to ocp: EmStat4 HR at socket://")
    assert only(run.messages, Alarm)[-1].text.startswith("the cell may still be on: ")
    assert_kept(run)
    with RunFile(run.result.file) as file:
        assert file.echem[0].rest == ""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_opens_the_cell(tmp_path: Path) -> None:
    experiment, out = tmp_path / "cv.toml", tmp_path / "run.h5"
    experiment.write_text(cv("10 mV/s", 100), encoding="utf-8")
    with LabProcess(tmp_path / "lab", sim(more='clock = "laboratory"\n') + REALTIME) as lab:
        with Program("run", experiment, "--rig", lab.rig, "--out", out) as program:
            program.wait_for("echem 0: E ")
            program.interrupt()
            assert program.end() == 1
        assert "stopped: asked to stop" in program.stderr
        assert "echem 0: stopped, cell at rest (ocp)" in program.stderr
    with RunFile(out) as file:
        assert (file.info.outcome, file.echem[0].outcome) == ("stopped", "stopped")
        assert len(file.echem[0]) > 0
    with h5py.File(lab.truth) as truth:
        assert np.asarray(truth["cell"])[-1, 2] == 0


def test_a_program_that_is_killed_loses_no_second(tmp_path: Path) -> None:
    experiment, out = tmp_path / "cv.toml", tmp_path / "run.h5"
    experiment.write_text(cv("10 mV/s", 100), encoding="utf-8")
    with LabProcess(tmp_path / "lab", sim() + REALTIME) as lab:
        with Program("run", experiment, "--rig", lab.rig, "--out", out) as program:
            program.wait_for("echem 0: E ")
            program.wait_for("echem 0: E ")
            program.kill()
        result = CliRunner().invoke(app, ["recover", str(out.with_suffix(".sicmlog")), "--json"])
        assert result.exit_code == 0
        found = json.loads(result.stdout)
        assert (found["techniques"], found["interrupted"]) == (1, True)
        with RunFile(out) as file:
            echem = file.echem[0]
            assert echem.outcome == "interrupted"
            assert echem.rest == ""
            assert echem.time[-1] - echem.time[0] > 3  # there are five seconds between two lines
            assert len(echem) == found["samples"]
