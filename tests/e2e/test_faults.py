"""What goes wrong at a rig, done to a virtual one while a scan runs: the tip must survive it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sicmctl.data.journal import read_journal
from sicmctl.data.runfile import RunFile
from sicmctl.hal.hop import HopRecord
from sicmctl.messages import (
    Alarm,
    AnyMessage,
    DriftMeasured,
    HopDone,
    RunEnded,
    ScanEnded,
    encode,
)
from sicmctl.scan.hopper import DaqHopEngine
from sicmctl.scan.pattern import PatternError

from ..rigs import Recorded, Virtual, experiment_text, only, quick_sim, virtual

SAFE = ("halt approach: done", "retract: done", "bias to rest: done", "stop waveforms: done")
ENGINES = ("comparator", "streamed")
POINTS = 'points = [["50 um", "50 um"], ["50.2 um", "50 um"], ["50.4 um", "50 um"], '
POINTS += '["50.6 um", "50 um"], ["50.8 um", "50 um"]]'


def scan(engine: str, hop: str = 'fall_rate = "35 nm/ms"') -> str:
    """Five points in a row, 300 nm above the surface."""
    text = experiment_text(engine, pattern="list", where=POINTS, hop=hop)
    return text.replace('"500 nm"', '"300 nm"')


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Virtual]:
    with virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as found:
        yield found


After = Callable[[int, Callable[[], object]], None]


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch) -> After:
    """To do something right after so many hops, attempts included, before the next begins."""
    acts: dict[int, Callable[[], object]] = {}
    done = 0
    original = DaqHopEngine.hop

    def hop(self: DaqHopEngine, *arguments: Any) -> HopRecord:
        nonlocal done
        record = original(self, *arguments)
        done += 1
        if done in acts:
            acts[done]()
        return record

    monkeypatch.setattr(DaqHopEngine, "hop", hop)
    return acts.__setitem__


def assert_safe(rig: Virtual, run: Recorded, outcome: str) -> None:
    """The tip is up, the bias is off, every act is told, and the files hold every message."""
    assert run.result.outcome.outcome == outcome
    assert run.ended.outcome == outcome
    assert run.ended.safe == SAFE == run.result.outcome.safe
    assert isinstance(run.messages[-1], RunEnded)
    rig.suspend(0.01)
    assert rig.gap > 1e-6
    assert rig.bias == 0
    assert_intact(run)


def assert_intact(run: Recorded) -> None:
    """Journal and run file hold what was published, and nothing is missing."""
    losses: list[object] = []
    kept = list(read_journal(run.result.journal, losses))  # type: ignore[arg-type]
    assert losses == []
    assert list(map(encode, kept)) == list(map(encode, run.messages))
    with RunFile(run.result.file) as file:
        assert file.info.outcome == run.ended.outcome
        assert file.info.reason == run.ended.reason
        assert file.info.safe == run.ended.safe
        assert file.info.losses == ()
        if not run.hops:
            assert all(scan.count == 0 for scan in file.scans.values())
            return
        hops = file.scan().hops
        assert hops["index"].tolist() == [hop.index for hop in run.hops]
        assert hops["status"].tolist() == [hop.status for hop in run.hops]


def alarms(run: Recorded, source: str) -> list[Alarm]:
    return [alarm for alarm in only(run.messages, Alarm) if alarm.source == source]


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_wrong(rig: Virtual, engine: str) -> None:
    run = rig.run(scan(engine))
    assert_safe(rig, run, "done")
    assert run.statuses == ["ok"] * 5
    assert only(run.messages, Alarm) == []
    assert run.ended.reason == ""
    assert not np.isnan([hop.height for hop in run.accepted]).any()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_broken_tip_is_told_and_the_scan_goes_on_with_it(
    rig: Virtual, after: After, engine: str
) -> None:
    after(2, lambda: rig.set("pipette.break", 2e-7))
    run = rig.run(scan(engine))
    assert_safe(rig, run, "done")
    assert len(run.accepted) == 5
    assert run.statuses[:2] == ["ok", "ok"]
    (alarm,) = alarms(run, "tip")
    assert alarm.level == "warning"
    assert "the tip may be broken: it is wider than before" in alarm.text
    assert alarm.remedy == ("compare the approach curves; replace the pipette if they changed")
    refused = [hop for hop in run.hops if hop.status == "high reference"]
    assert len(refused) == 2
    assert not any(hop.accepted for hop in refused)
    assert refused[0].note.startswith("the reference current is ")
    wide = [hop.reference for hop in run.accepted[2:]]
    assert min(wide) > 1.1 * run.accepted[0].reference
    assert run.statuses[-1] == "ok"


@pytest.mark.parametrize("engine", ENGINES)
def test_half_a_clog_is_told_and_the_scan_goes_on_with_it(
    rig: Virtual, after: After, engine: str
) -> None:
    after(2, lambda: rig.set("pipette.clog", 0.5))
    run = rig.run(scan(engine))
    assert_safe(rig, run, "done")
    assert run.statuses == ["ok"] * 5
    (alarm,) = alarms(run, "tip")
    assert alarm.level == "warning"
    assert alarm.text in {
        f"the reference current changed by -{percent}% between two hops: the tip may be clogged"
        for percent in ("49.9", "50.0", "50.1")
    }
    assert [h.status for h in run.hops if not h.accepted] == ["low reference", "low reference"]
    level = run.accepted[1].reference
    assert run.accepted[2].reference == pytest.approx(0.5 * level, rel=0.02)
    heights = np.array([hop.height for hop in run.accepted])
    assert np.ptp(heights) < 30e-9


@pytest.mark.parametrize("engine", ENGINES)
def test_a_bubble_for_good_ends_the_scan(rig: Virtual, after: After, engine: str) -> None:
    after(1, lambda: rig.set("pipette.bubble", "on"))
    run = rig.run(scan(engine))
    assert_safe(rig, run, "failed")
    assert run.statuses == ["ok", "no current", "no current", "no current"]
    assert run.ended.reason == (
        '3 targets in a row ended with "no current": '
        "a bubble in the pipette, a broken wire, or no bias"
    )
    (alarm,) = alarms(run, "engine")
    assert (alarm.level, alarm.text) == ("error", run.ended.reason)
    (ended,) = only(run.messages, ScanEnded)
    assert ended.outcome == "failed"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_bubble_for_one_hop_costs_one_attempt(rig: Virtual, after: After, engine: str) -> None:
    after(2, lambda: rig.set("pipette.bubble", "on"))
    after(3, lambda: rig.set("pipette.bubble", "off"))
    run = rig.run(scan(engine))
    assert_safe(rig, run, "done")
    assert run.statuses == ["ok"] * 5
    assert [(h.index, h.attempt, h.status) for h in run.hops if not h.accepted] == [
        (2, 0, "no current")
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_bubble_in_the_middle_of_a_fall_stops_it(tmp_path: Path, engine: str) -> None:
    """The current is gone within the first approach: to the engine that looks like a surface."""
    sim = quick_sim("0.59 s; pipette.bubble; on")
    with virtual(tmp_path / "lab", sim, "0.5 ms") as rig:
        run = rig.run(scan(engine))
        assert_safe(rig, run, "failed")
        first = run.hops[0]
        assert first.status == "touched"
        assert first.first / 50e3 < 0.59
        fallen = 0.59 - first.first / 50e3
        crossed = int(np.argmax(first.curves["current"].numpy() < 0.5 * first.reference)) / 50e3
        assert crossed == pytest.approx(fallen, abs=2e-3)
        assert first.z_stop == pytest.approx(5e-6 - 35e-6 * fallen, abs=0.15e-6)
        assert '"no current"' in run.ended.reason


@pytest.mark.parametrize("engine", ENGINES)
def test_the_gain_turned_by_hand_changes_no_height(rig: Virtual, after: After, engine: str) -> None:
    after(2, lambda: rig.set("amplifier.gain", 2e9))
    run = rig.run(scan(engine))
    assert_safe(rig, run, "done")
    assert run.statuses == ["ok"] * 5
    currents = np.array([hop.reference for hop in run.accepted])
    assert np.ptp(currents) < 0.02 * currents.mean()
    heights = np.array([hop.height for hop in run.accepted])
    before, later = heights[:2], heights[2:]
    assert abs(before.mean() - later.mean()) < 15e-9


def test_the_gain_turned_during_a_fall_costs_that_attempt(tmp_path: Path) -> None:
    sim = quick_sim("0.6 s; amplifier.gain; 2 mV/pA")
    with virtual(tmp_path / "lab", sim, "0.5 ms") as rig:
        run = rig.run(scan("streamed"))
        assert_safe(rig, run, "done")
        assert run.hops[0].status == "settings"
        assert run.hops[0].note.startswith(
            "amplifier changed from AmplifierState(gain=1000000000.0"
        )
        assert not run.hops[0].accepted
        assert run.statuses == ["ok"] * 5
        current = run.hops[0].curves["current"].numpy()
        assert abs(current[-100:].mean() / current[:100].mean() - 1) < 0.02


@pytest.mark.parametrize("engine", ENGINES)
def test_a_mode_without_a_current_ends_the_scan_with_the_reason(
    rig: Virtual, after: After, engine: str
) -> None:
    after(1, lambda: rig.set("amplifier.mode", "i=0"))
    run = rig.run(scan(engine))
    assert_safe(rig, run, "failed")
    assert run.statuses == ["ok", "settings", "settings", "settings"]
    assert run.ended.reason == (
        '3 targets in a row ended with "settings": the amplifier cannot be read as it is set'
    )
    assert "the mode is I=0" in run.accepted[-1].note
    assert "turn the mode switch to V-CLAMP" in run.accepted[-1].note


@pytest.mark.parametrize("engine", ENGINES)
def test_an_overload_ends_the_scan(rig: Virtual, after: After, engine: str) -> None:
    after(1, lambda: rig.set("amplifier.offset", 50e-9))
    run = rig.run(scan(engine))
    assert_safe(rig, run, "failed")
    assert run.statuses == ["ok", "overload", "overload", "overload"]
    assert run.ended.reason == (
        '3 targets in a row ended with "overload": '
        "the tip is broken wide open, or the gain is too high"
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sample_that_is_gone_leaves_statuses_not_holes(
    rig: Virtual, after: After, engine: str
) -> None:
    after(2, lambda: rig.set("sample.offset", -3e-6))
    run = rig.run(scan(engine))
    assert_safe(rig, run, "done")
    assert run.statuses == ["ok", "ok", "no surface", "no surface", "no surface"]
    assert all(np.isnan(hop.height) for hop in run.accepted[2:])
    lowest = [float(hop.curves["z"].numpy().min()) for hop in run.accepted[2:]]
    assert max(lowest) < 20e-9  # a second attempt went to the floor of the travel


@pytest.mark.parametrize("engine", ENGINES)
def test_the_stop_button_ends_the_scan_after_the_present_hop(
    rig: Virtual, after: After, engine: str
) -> None:
    stop = threading.Event()
    pressed = threading.Event()

    def press() -> None:
        stop.set()
        # the button is watched by a thread: wait for it, as a hop of some seconds would
        for thread in threading.enumerate():
            if thread.name == "stop button":
                thread.join()
        pressed.set()

    after(2, press)
    run = rig.run(scan(engine), stop=stop)
    assert pressed.is_set()
    assert_safe(rig, run, "stopped")
    assert run.ended.reason == "asked to stop"
    assert run.statuses == ["ok", "ok"]
    (ended,) = only(run.messages, ScanEnded)
    assert ended.outcome == "stopped"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_computer_that_stood_still_loses_samples_and_fails_safely(
    rig: Virtual, after: After, engine: str
) -> None:
    """Lost samples break the timeline, so the run is over; but the tip is lifted all the same."""
    after(2, lambda: rig.suspend(11.0))
    run = rig.run(scan(engine))
    assert_safe(rig, run, "failed")
    assert "samples were overwritten before they were read" in run.ended.reason
    assert run.ended.reason.endswith("(close other programs or lower daq.sample_rate)")
    assert run.statuses == ["ok", "ok"]


def test_a_flat_sample_has_no_edges_at_the_fall_rate_that_auto_takes(rig: Virtual) -> None:
    run = rig.run(scan("comparator", 'fall_rate = "auto"'))
    assert run.statuses == ["ok"] * 5
    assert np.ptp([hop.height for hop in run.accepted]) < 15e-9


def test_a_failing_listener_ends_the_run_safely(rig: Virtual) -> None:
    seen: list[AnyMessage] = []

    def fail(message: AnyMessage) -> None:
        seen.append(message)
        if isinstance(message, HopDone):
            raise ZeroDivisionError("in the listener")

    with pytest.raises(ZeroDivisionError):
        rig.run(scan("comparator"), fail)
    rig.suspend(0.01)
    assert rig.gap > 1e-6
    assert rig.bias == 0
    ended = seen[-1]
    assert isinstance(ended, RunEnded)
    assert (ended.outcome, ended.reason) == ("failed", "ZeroDivisionError: in the listener")
    assert ended.safe == SAFE
    kept = list(read_journal(rig.folder / "run-1.sicmlog"))
    assert list(map(encode, kept)) == list(map(encode, seen))
    with RunFile(rig.folder / "run-1.h5") as file:
        assert file.info.reason == "ZeroDivisionError: in the listener"


def test_a_target_beyond_the_travel_is_refused_before_anything_moves(rig: Virtual) -> None:
    before = rig.moved()
    with pytest.raises(PatternError) as caught:
        rig.run(scan("comparator").replace('"50.8 um"', '"130 um"'))
    assert str(caught.value) == (
        "the scan reaches from 50 um to 130 um along x; the travel is 0 m .. 100 um"
    )
    assert rig.moved() == before
    assert list(rig.folder.glob("run-*")) == []


@pytest.mark.parametrize(
    ("hop", "reason"),
    [
        ('fall_rate = "1 mm/s"', "fall rate 1e+03 nm/ms: the gap at a setpoint of 1.00% is "),
        ('setpoint = "0.05 %"', "setpoint 0.05%: it must be at least 6 times the noise: "),
    ],
)
def test_an_unsafe_hop_is_refused_before_anything_falls(
    rig: Virtual, hop: str, reason: str
) -> None:
    text = scan("comparator", hop)
    if "setpoint" in hop:
        text = text.replace('setpoint = "1 %"\n', "", 1)
    run = rig.run(text)
    assert_safe_without_scan(rig, run)
    assert run.ended.reason.startswith(f"speed rule: {reason}")


def assert_safe_without_scan(rig: Virtual, run: Recorded) -> None:
    assert run.result.outcome.outcome == "failed"
    assert run.ended.safe == SAFE
    assert run.hops == []
    rig.suspend(0.01)
    assert rig.gap > 1e-6
    assert rig.bias == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_the_truth_agrees_that_the_tip_was_never_touched(tmp_path: Path, engine: str) -> None:
    from simulators.world.truth import Truth

    with virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as rig:
        run = rig.run(scan(engine))
        assert run.statuses == ["ok"] * 5
    with Truth(tmp_path / "lab" / "truth.h5") as truth:
        assert len(truth.contacts) == 0
        assert truth.stream["gap"][-1] > 1e-6
        assert truth.stream["gap"].min() > 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_stage_that_drifts_along_z_costs_no_pixel_and_is_told(
    rig: Virtual, after: After, engine: str
) -> None:
    """2 nm/s from the fourth hop on: the returns to one place tell it, and take it out."""
    after(4, lambda: rig.set("drift.z", 2e-9))
    text = experiment_text(engine, pixels=11, hop='fall_rate = "35 nm/ms"')
    text = text.replace("[step.scan.hop]", 'drift = { revisit = "1 s" }\n[step.scan.hop]')
    run = rig.run(text.replace('"500 nm"', '"300 nm"'))
    assert_safe(rig, run, "done")
    assert only(run.messages, Alarm) == []
    assert len(run.accepted) == 121
    assert run.statuses.count("ok") >= 119
    told = only(run.messages, DriftMeasured)[-1]
    assert told.method == "revisit"
    begun, now = run.hops[4].time, told.time
    assert abs(told.z) == pytest.approx(2e-9 * (now - begun), abs=3e-9)
    heights = np.array([hop.height for hop in run.accepted])
    assert np.nanstd(heights) < 6e-9
