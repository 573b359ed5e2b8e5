"""Falls that are stopped later than the speed rule assumed, and comparators that stop none."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from sicmctl.data.runfile import RunFile
from sicmctl.engine import tuneup
from sicmctl.hal.quantity import show
from sicmctl.messages import Alarm, AnyMessage, HopDone, ReactionMeasured, ScanEnded, ScanStarted
from sicmctl.scan.speed import MARGIN, reaction_total
from simulators.daqconfig import SCANNER_WIRING
from simulators.world.truth import Truth

from ..rigs import Recorded, Virtual, experiment_text, only, quick_sim, virtual
from .test_faults import assert_safe

BANDWIDTH, RATE = 5e3, 50e3


def raster(engine: str, pixels: int = 5, hop: str = 'fall_rate = "35 nm/ms"') -> str:
    return experiment_text(engine, pixels, hop).replace('"500 nm"', '"400 nm"')


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Virtual]:
    with virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as found:
        yield found


def settings(run: Recorded) -> dict[str, float]:
    (started,) = only(run.messages, ScanStarted)
    return started.settings


def reactions(hops: list[HopDone]) -> np.ndarray:
    return np.array([hop.timing.get("reaction", np.nan) for hop in hops])


def speeds(hops: list[HopDone]) -> np.ndarray:
    """Fall rates by the sensor, over the 3 ms before the stop."""
    n = round(3e-3 * RATE)
    ends = [hop.curves["z"].numpy()[hop.stop - n - 60 : hop.stop - 60] for hop in hops]
    return np.array([-np.polyfit(np.arange(n) / RATE, z, 1)[0] for z in ends])


@pytest.mark.parametrize("engine", ["comparator", "streamed"])
def test_the_reaction_of_each_hop_is_in_the_file(rig: Virtual, engine: str) -> None:
    run = rig.run(raster(engine))
    assert_safe(rig, run, "done")
    assert only(run.messages, Alarm) == []
    found, assumed = reactions(run.hops), settings(run)["reaction"]
    lag = 2 * 0.7 / (2 * np.pi * 2e3)
    if engine == "comparator":
        assert np.nanmedian(found) == pytest.approx(lag, abs=30e-6)
        assert np.nanmax(found) < assumed + 40e-6
    else:  # the host reads blocks of 0.5 ms and reacts in 0.1 ms
        assert 0.1e-3 + lag < np.nanmedian(found) < 0.7e-3 + lag
        assert np.nanmax(found) < assumed
    assert np.isfinite(found).sum() >= 24
    (told,) = only(run.messages, ReactionMeasured)
    assert told.typical == pytest.approx(np.nanmedian(found))
    assert told.worst == np.nanmax(found)
    with RunFile(run.result.file) as file:
        np.testing.assert_array_equal(file.scan().column("timing_reaction"), found)
        (row,) = file.reaction
        assert (row["hops"], row["worst"]) == (told.hops, told.worst)


def test_a_run_tells_what_its_hops_took_and_what_the_stage_needs(rig: Virtual) -> None:
    run = rig.run(raster("comparator"))
    (ended,) = only(run.messages, ScanEnded)
    hop = np.diff([hop.first for hop in run.hops]) / RATE
    approach = np.array([hop.stop for hop in run.hops[:-1]]) / RATE
    assert ended.timing["hop_time"] == pytest.approx(np.median(hop))
    assert ended.timing["duty"] == pytest.approx(approach.sum() / hop.sum())
    fallen = np.median([hop.start - hop.z_stop for hop in run.hops])
    way = ended.timing["least_time"] - fallen / 35e-6 - settings(run)["reference_time"]
    x, z = rig.lab.config.stage.x, rig.lab.config.stage.z
    lags = sum(2 * a.damping / (2 * np.pi * a.resonance) for a in (x, z))
    assert way == pytest.approx(lags, abs=0.3e-3)  # the strokes themselves are short
    assert ended.timing["least_time"] < ended.timing["hop_time"]
    least = np.array([hop.timing.get("least", np.nan) for hop in run.hops])
    assert (least[1:] < hop).all()
    with RunFile(run.result.file) as file:
        assert file.scan().column("timing_hop")[1:] == pytest.approx(hop)


def slowed(folder: Path, slow: float, outcome: str) -> Recorded:
    """A scan whose host becomes slow right after the eighth target."""

    def disturb(message: AnyMessage) -> None:
        if isinstance(message, HopDone) and message.index == 7:
            rig.set("host.reaction", slow)

    with virtual(folder, quick_sim(), "0.5 ms") as rig:
        run = rig.run(raster("streamed"), disturb)
        assert_safe(rig, run, outcome)
    return run


def bound(run: Recorded, hop: HopDone) -> float:
    """How deep the tip went by its fall rate and the reaction that it met, m; negative: a gap."""
    went = 35e-6 * reaction_total(float(reactions([hop])[0]), BANDWIDTH, RATE)
    return went - settings(run)["gap"]


@pytest.mark.parametrize("slow", [1.6e-3, 6e-3], ids=["somewhat", "very"])
def test_a_host_that_becomes_slow_makes_the_falls_slower(tmp_path: Path, slow: float) -> None:
    run = slowed(tmp_path / "lab", slow, "done")
    gap = settings(run)["gap"]
    allowed = (gap - MARGIN) / 35e-6 - reaction_total(0, BANDWIDTH, RATE)
    worse = next(k for k, hop in enumerate(run.hops) if reactions([hop])[0] > allowed + 0.1e-3)
    assert 8 <= worse <= 12
    found, later = run.hops[worse], run.hops[worse + 1 :]
    alarm = next(a for a in only(run.messages, Alarm) if a.source == "reaction")
    assert alarm.level == "warning"
    assert re.search(r"the tip went on for [\d.]+ ms .* falling at [\d.]+ nm/ms", alarm.text)
    assert alarm.time <= (found.first + found.stop) / RATE
    # from the next fall on the rate leaves the margin of the gap
    worst = float(np.nanmax(reactions(run.hops[: worse + 1])))
    assert speeds(later[:1])[0] * reaction_total(worst, BANDWIDTH, RATE) < gap - MARGIN
    assert len(run.accepted) == 25
    assert run.statuses.count("ok") >= 20
    told = only(run.messages, ReactionMeasured)
    assert told[-1].speed <= told[0].speed < 35e-6
    with Truth(tmp_path / "lab" / "truth.h5") as truth:
        deepest = max((float(c["depth"]) for c in truth.contacts), default=0.0)
    assert deepest < max(bound(run, found), 0.0) + 10e-9


def test_a_host_that_hardly_answers_ends_the_scan(tmp_path: Path) -> None:
    run = slowed(tmp_path / "lab", 60e-3, "failed")
    assert len(run.hops) == 9
    assert run.ended.reason.startswith("the tip went on for ")
    assert run.ended.reason.endswith("(close other programs, or wire a comparator)")
    with Truth(tmp_path / "lab" / "truth.h5") as truth:
        deepest = max(float(c["depth"]) for c in truth.contacts)
    assert deepest < 2.1e-6  # the ramp ends 2 um below the surface, whoever is asleep


@contextmanager
def miswired(folder: Path, source: str) -> Iterator[Virtual]:
    """A rig whose comparator looks at something else than rig.toml says."""
    wiring = SCANNER_WIRING | {"APFI0": source}
    lines = "".join(f'"{terminal}" = "{signal}"\n' for terminal, signal in wiring.items())
    with virtual(folder, quick_sim(more=f"[daq.wiring]\n{lines}"), "0.5 ms") as rig:
        text = rig.rig.read_text(encoding="utf-8")
        assert "[daq.comparator]" not in text
        text = text.replace(
            "\n[amplifier]", '\n[daq.comparator]\npipette_current = "APFI0"\n\n[amplifier]'
        )
        rig.rig.write_text(text, encoding="utf-8")
        yield rig


def test_a_comparator_is_tried_with_a_negative_current_too(tmp_path: Path) -> None:
    with virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as rig:
        text = rig.rig.read_text(encoding="utf-8")
        assert text.count('target = "0.7 V"') == 1
        rig.rig.write_text(text.replace('target = "0.7 V"', 'target = "-0.7 V"'), "utf-8")
        run = rig.run(raster("comparator"))
        assert_safe(rig, run, "done")
    assert {hop.status for hop in run.accepted} == {"ok"}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("amplifier.filter_telegraph", "a ramp ran on at a level of "),  # 6 V
        ("amplifier.overload", "a ramp was held at a level of "),  # 0 V, as an open input
    ],
)
def test_a_comparator_that_looks_elsewhere_is_found_before_the_first_fall(
    tmp_path: Path, source: str, found: str
) -> None:
    with miswired(tmp_path / "lab", source) as rig:
        run = rig.run(raster("comparator"))
        assert_safe(rig, run, "failed")
        assert rig.run(raster("streamed")).ended.outcome == "done"
    assert run.hops == []
    assert found in run.ended.reason
    assert "see that the amplifier's output is wired to the terminal in daq.comparator" in (
        run.ended.reason
    )
    (alarm,) = only(run.messages, Alarm)
    assert (alarm.level, alarm.text) == ("error", run.ended.reason)
    with Truth(tmp_path / "lab" / "truth.h5") as truth:
        assert len(truth.contacts) == 0


@pytest.fixture
def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the comparator had been in order when it was tried, and failed after that."""
    monkeypatch.setattr(tuneup, "prove_comparator", lambda rig, hops: None)


def test_a_comparator_that_never_stops_a_ramp_is_told_after_the_first_hop(
    tmp_path: Path, untried: None
) -> None:
    with miswired(tmp_path / "lab", "amplifier.filter_telegraph") as rig:  # 6 V
        run = rig.run(raster("comparator"))
        assert_safe(rig, run, "failed")
    (hop,) = run.hops
    assert run.ended.reason.startswith("the comparator did not stop the ramp: the tip went on for ")
    assert "see that the amplifier's output is wired to the terminal in daq.comparator" in (
        run.ended.reason
    )
    (alarm,) = only(run.messages, Alarm)
    assert (alarm.level, alarm.text) == ("error", run.ended.reason)
    (ended,) = only(run.messages, ScanEnded)
    assert ended.outcome == "failed"
    with Truth(tmp_path / "lab" / "truth.h5") as truth:
        deepest = max((float(c["depth"]) for c in truth.contacts), default=0.0)
    # the host halted it: no later than a look of 0.25 um and its own reaction
    assert deepest < max(bound(run, hop), 0.0) + 10e-9 < 0.25e-6


def test_a_comparator_that_lets_no_ramp_begin_is_told_after_the_first_hop(
    tmp_path: Path, untried: None
) -> None:
    with miswired(tmp_path / "lab", "amplifier.overload") as rig:  # 0 V, as an open input
        run = rig.run(raster("comparator"))
        assert_safe(rig, run, "failed")
    (hop,) = run.hops
    assert hop.status == "no surface"
    assert run.ended.reason.startswith("the comparator held the ramp ")
    level = show(0.99 * hop.reference, "A")
    assert f"although the current never crossed the level of {level} (" in run.ended.reason
    with Truth(tmp_path / "lab" / "truth.h5") as truth:
        assert len(truth.contacts) == 0
