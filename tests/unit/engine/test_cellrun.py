"""Electrochemistry without a microscope: what is published, and where the cell is left."""

from pathlib import Path

import numpy as np
import pytest

from sicmctl.data.writer import build
from sicmctl.engine.run import Run, UnsupportedStep
from sicmctl.hal.cell import CellRest
from sicmctl.hal.errors import LimitExceeded, NotConnected, UnexpectedState
from sicmctl.messages import (
    Alarm,
    AnyMessage,
    EchemBlock,
    EchemEnded,
    EchemProgress,
    EchemStarted,
    EchemStepEnded,
    RunEnded,
    RunStarted,
    SpectrumBlock,
)
from simulators.cellconfig import RcCell

from ...rigs import only
from ..data.test_runfile import write_journal
from .cells import Front, cell_rig, run_cell

CV = """\
[[step]]
title = "Look"
echem = { technique = "cv", start = "0 V", vertex = "1 V", rate = "100 mV/s", cycles = 2 }
"""
CP = """\
[[step]]
echem = { technique = "cp", current = "1 mA", duration = "10 s", interval = "0.1 s" }
"""
EIS = """\
[[step]]
echem = { technique = "eis", frequencies = ["1 kHz", "1 Hz"], amplitude = "10 mV" }
"""
HOLD = '[[step]]\nechem = { technique = "hold", potential = "0.5 V", duration = "10 s" }\n'
GONE = NotConnected("Front", "run", "the cable is gone; the cell was opened", "plug it in")


def joined(messages: list[AnyMessage], name: str, echem: int = 0) -> np.ndarray:
    blocks = [b for b in only(messages, EchemBlock) if b.echem == echem]
    return np.concatenate([getattr(block, name).numpy() for block in blocks])


def test_a_cv_on_a_resistor(tmp_path: Path) -> None:
    potentiostat = Front()
    outcome, messages = run_cell(tmp_path, potentiostat, CV)
    assert outcome.outcome == "done"
    assert outcome.safe == ("cell to ocp: done",)
    assert not potentiostat.on
    assert potentiostat.closed
    (started,) = only(messages, EchemStarted)
    assert (started.technique, started.title, started.instrument) == ("cv", "Look", "Test Front 7")
    assert (started.steps, started.after, started.present) == (1, "ocp", 0.0)
    assert started.duration == pytest.approx(40)
    time, e, i = (joined(messages, name) for name in ("times", "potential", "current"))
    assert (np.diff(time) > 0).all()
    np.testing.assert_allclose(i, e / 1e3, atol=1e-6)
    assert e.max() == pytest.approx(1, abs=2e-3)
    charge = joined(messages, "charge")
    steps = np.concatenate([[0], 0.5 * (i[1:] + i[:-1]) * np.diff(time)])
    np.testing.assert_allclose(charge, np.cumsum(steps), atol=1e-12)
    cycles = np.concatenate([np.full(b.times.shape, b.cycle) for b in only(messages, EchemBlock)])
    assert set(cycles) == {0, 1}
    (step,) = only(messages, EchemStepEnded)
    assert (step.kind, step.label, step.reason, step.time_sd) == ("cycles", "cv", "time", 2e-3)
    assert step.charge == pytest.approx(charge[-1])
    (ended,) = only(messages, EchemEnded)
    assert (ended.outcome, ended.reason, ended.rest) == ("done", "", "ocp")
    (run,) = only(messages, RunStarted)
    assert np.isnan(run.rate)
    assert run.instruments == {"potentiostat": "Test Front 7"}
    assert run.calibration == {}


def test_progress_tells_the_newest_numbers_and_what_is_left(tmp_path: Path) -> None:
    _, messages = run_cell(tmp_path, Front(), CP + CP)
    first = only(messages, EchemProgress)[0]
    assert (first.echem, first.step, first.steps, first.kind) == (0, 0, 1, "held current")
    assert first.current == pytest.approx(1e-3)
    assert first.potential == pytest.approx(1.0)
    assert first.left == pytest.approx(10, abs=0.2)


def test_techniques_follow_each_other_in_time(tmp_path: Path) -> None:
    """The clock of a virtual instrument runs ahead; what comes later is later all the same."""
    outcome, messages = run_cell(tmp_path, Front(), CP + HOLD)
    assert outcome.outcome == "done"
    first, second = joined(messages, "times", 0), joined(messages, "times", 1)
    assert first[-1] - first[0] == pytest.approx(9.9)
    assert 0 < second[0] - first[-1] < 5
    starts = only(messages, EchemStarted)
    assert starts[1].time >= first[-1]
    times = [message.time for message in messages]
    assert max(times) == times[-1]


def test_a_spectrum_is_published(tmp_path: Path) -> None:
    outcome, messages = run_cell(tmp_path, Front(RcCell()), EIS)
    assert outcome.outcome == "done"
    (block,) = only(messages, SpectrumBlock)
    cell = RcCell()
    w = 2 * np.pi * np.array([1e3, 1.0])
    z = cell.series_resistance + 1 / (1 / cell.resistance + 1j * w * cell.capacitance)
    np.testing.assert_allclose(block.real.numpy() + 1j * block.imaginary.numpy(), z, rtol=1e-3)
    (step,) = only(messages, EchemStepEnded)
    assert step.kind == "impedance"


def test_an_end_condition_is_the_reason(tmp_path: Path) -> None:
    steps = CP.replace(" }", ', until = ["E > 0.9 V"] }') + HOLD
    outcome, messages = run_cell(tmp_path, Front(), steps)
    assert outcome.outcome == "done"
    assert [step.reason for step in only(messages, EchemStepEnded)] == [
        "potential >= 0.9 V",
        "time",
    ]


@pytest.mark.parametrize("rest", ["ocp", "off", "hold"])
def test_at_the_end_the_cell_goes_where_safety_says(tmp_path: Path, rest: str) -> None:
    potentiostat = Front()
    outcome, _ = run_cell(tmp_path, potentiostat, HOLD, f'cell_rest = "{rest}"')
    assert outcome.safe == (f"cell to {rest}: done",)
    assert potentiostat.log[-2] == ("rest", CellRest(rest))
    assert potentiostat.on == (rest == "hold")


def test_a_stop_ends_it_at_the_next_sample(tmp_path: Path) -> None:
    potentiostat = Front()

    def press(run: Run, message: AnyMessage) -> None:
        if isinstance(message, EchemProgress):
            run.stop()

    outcome, messages = run_cell(tmp_path, potentiostat, CV + HOLD, see=press)
    assert (outcome.outcome, outcome.reason) == ("stopped", "asked to stop")
    assert not potentiostat.on
    (ended,) = only(messages, EchemEnded)
    assert (ended.outcome, ended.reason, ended.rest) == ("stopped", "asked to stop", "ocp")
    assert [step.reason for step in only(messages, EchemStepEnded)] == ["stopped"]
    assert len(joined(messages, "times")) == 1
    assert potentiostat.log.count("run") == 1


def test_a_stop_before_the_first_step_switches_nothing_on(tmp_path: Path) -> None:
    potentiostat = Front()

    def press(run: Run, message: AnyMessage) -> None:
        run.stop()

    outcome, messages = run_cell(tmp_path, potentiostat, CV, see=press)
    assert outcome.outcome == "stopped"
    assert only(messages, EchemStarted) == []
    assert "run" not in potentiostat.log


def test_a_fault_ends_the_run_and_keeps_the_data(tmp_path: Path) -> None:
    potentiostat = Front()
    potentiostat.fails["run"], potentiostat.fault_after = GONE, 30
    outcome, messages = run_cell(tmp_path, potentiostat, CP + HOLD)
    assert (outcome.outcome, outcome.reason) == ("failed", str(GONE))
    assert outcome.safe == ("cell to ocp: done",)
    assert not potentiostat.on
    assert len(joined(messages, "times")) == 29
    (ended,) = only(messages, EchemEnded)
    assert (ended.outcome, ended.reason, ended.rest) == ("failed", str(GONE), "ocp")
    assert [step.reason for step in only(messages, EchemStepEnded)] == ["failed"]
    assert [alarm.text for alarm in only(messages, Alarm)] == [str(GONE)]


def test_a_run_may_go_on_after_a_fault(tmp_path: Path) -> None:
    potentiostat = Front()
    potentiostat.fails["run"], potentiostat.fault_after = GONE, 30

    def mend(run: Run, message: AnyMessage) -> None:
        if isinstance(message, EchemEnded):
            potentiostat.fails.clear()

    outcome, messages = run_cell(
        tmp_path, potentiostat, CP + HOLD, 'on_cell_fault = "continue"', mend
    )
    assert outcome.outcome == "failed"
    assert outcome.reason == f"echem 0 (cp) failed: {GONE}"
    assert [e.outcome for e in only(messages, EchemEnded)] == ["failed", "done"]
    assert len(joined(messages, "times", 1)) > 0
    (alarm,) = only(messages, Alarm)
    assert alarm.text == f"echem 0 (cp) failed: {GONE}; the cell is at rest and the run goes on"


def test_a_run_does_not_go_on_with_a_cell_that_is_not_at_rest(tmp_path: Path) -> None:
    potentiostat = Front()
    potentiostat.fails = {"run": GONE, "rest": GONE}
    outcome, messages = run_cell(tmp_path, potentiostat, CP + HOLD, 'on_cell_fault = "continue"')
    assert outcome.outcome == "failed"
    assert outcome.safe == (f"cell to ocp: {GONE}",)
    assert potentiostat.log.count("run") == 1
    assert potentiostat.log.count(("rest", CellRest.OCP)) == 2  # once more on the way to safety
    (ended,) = only(messages, EchemEnded)
    assert ended.rest == ""
    alarm = only(messages, Alarm)[-1]
    assert alarm.text == f"the cell may still be on: {GONE}"
    assert alarm.remedy == "look at the potentiostat, and switch the cell off there"
    assert isinstance(messages[-1], RunEnded)


@pytest.mark.parametrize("more", ["", '\non_cell_fault = "continue"'])
def test_a_cell_that_strays_is_let_go_of_and_ends_the_run(tmp_path: Path, more: str) -> None:
    potentiostat = Front(RcCell(resistance=1e6, capacitance=1e-3))
    limits = 'cell_potential = ["-1 V", "0.5 V"]' + more
    outcome, messages = run_cell(tmp_path, potentiostat, CP + HOLD.replace("0.5", "0.1"), limits)
    assert outcome.outcome == "failed"
    assert "the cell's potential reached" in outcome.reason
    assert "the rig allows -1 V .. 500 mV" in outcome.reason
    assert not potentiostat.on
    assert joined(messages, "potential").max() > 0.5  # what went beyond is in the data
    assert len(only(messages, EchemStarted)) == 1


def test_what_may_not_be_run_is_refused_before_anything_is_switched(tmp_path: Path) -> None:
    potentiostat, seen = Front(), []
    for safety, steps in (
        ('cell_potential = "0.4 V"', HOLD),
        ('cell_current = "0.1 mA"', CP),
        ("", HOLD.replace("0.5 V", "9 V")),
    ):
        with pytest.raises(LimitExceeded, match="lies outside"):
            run_cell(tmp_path, potentiostat, steps, safety, lambda run, m: seen.append(m))
    assert seen == []
    assert "run" not in potentiostat.log
    assert not any(isinstance(act, tuple) for act in potentiostat.log)


def test_scans_need_a_microscope_and_echem_a_potentiostat(tmp_path: Path) -> None:
    scan = '[[step]]\nscan = { pattern = "point", repeats = 1 }\n'
    with pytest.raises(UnsupportedStep) as caught:
        run_cell(tmp_path, Front(), CV + scan)
    assert "step[1].scan: found a scan; expected echem only: " in str(caught.value)
    assert str(caught.value).endswith("rig.toml has no microscope")


def test_a_crash_leaves_the_cell_at_rest_and_is_not_hidden(tmp_path: Path) -> None:
    potentiostat = Front()
    potentiostat.fails["run"], potentiostat.fault_after = ZeroDivisionError("bug"), 5
    seen: list[AnyMessage] = []
    with pytest.raises(ZeroDivisionError):
        run_cell(tmp_path, potentiostat, CP, 'cell_rest = "off"', lambda run, m: seen.append(m))
    assert not potentiostat.on
    ended = seen[-1]
    assert isinstance(ended, RunEnded)
    assert ended.reason == "ZeroDivisionError: bug"
    assert ended.safe == ("cell to off: done",)
    assert potentiostat.closed


def test_a_journal_that_cannot_be_written_leaves_the_cell_at_rest(tmp_path: Path) -> None:
    potentiostat = Front()

    def full(run: Run, message: AnyMessage) -> None:
        if isinstance(message, EchemBlock):
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run_cell(tmp_path, potentiostat, CP, see=full)
    assert not potentiostat.on
    assert ("rest", CellRest.OCP) in potentiostat.log


def test_a_potentiostat_that_is_not_there_is_told(tmp_path: Path) -> None:
    potentiostat = Front()
    potentiostat.fails["read"] = GONE
    with pytest.raises(NotConnected):
        run_cell(tmp_path, potentiostat, CP)
    assert potentiostat.closed


def test_a_rig_without_a_microscope_says_so(tmp_path: Path) -> None:
    from sicmctl.engine.rig import Rig

    with Rig.open(cell_rig(tmp_path, Front())) as rig:
        for section in ("daq", "amplifier", "stage"):
            with pytest.raises(UnexpectedState, match="this rig has none"):
                getattr(rig, section)


def test_the_file_holds_what_was_published(tmp_path: Path) -> None:
    from sicmctl.data.runfile import RunFile

    _, messages = run_cell(tmp_path, Front(), CV + HOLD)
    path = build(write_journal(tmp_path / "run.sicmlog", messages), tmp_path / "run.h5")
    with RunFile(path) as run:
        assert [e.technique for e in run.echem.values()] == ["cv", "hold"]
        for number, found in run.echem.items():
            np.testing.assert_array_equal(found.potential, joined(messages, "potential", number))
            assert found.rest == "ocp"
        assert run.info.safe == ("cell to ocp: done",)
