"""The tip watched during a run: what happened to it is named, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sicmctl.data.runfile import RunFile
from sicmctl.messages import Alarm, AnyMessage, HopDone, TipMeasured

from ..rigs import Recorded, Virtual, experiment_text, only, quick_sim, virtual

PIXELS = 7
HURT_AFTER = 16
"""Hops: the tip was measured by then."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Virtual]:
    with virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as found:
        yield found


def run_with(rig: Virtual, knob: str | None, value: float = 0.0) -> Recorded:
    """A small raster; after some hops something is done to the tip."""

    def hurt(message: AnyMessage) -> None:
        if isinstance(message, HopDone) and message.index == HURT_AFTER and message.accepted:
            assert knob is not None
            rig.set(knob, value)

    text = experiment_text(pixels=PIXELS, hop='fall_rate = "35 nm/ms"')
    return rig.run(text.replace('"500 nm"', '"300 nm"'), hurt if knob else lambda message: None)


def tip_alarms(run: Recorded) -> list[str]:
    """The texts of alarms about the tip that come from its approach curves."""
    alarms = [alarm for alarm in only(run.messages, Alarm) if alarm.source == "tip"]
    return [alarm.text for alarm in alarms if alarm.text.startswith("the tip looks")]


def test_a_tip_that_stays_as_it_is(rig: Virtual) -> None:
    run = run_with(rig, None)
    before, after = only(run.messages, TipMeasured)
    assert (before.phase, before.verdict) == ("before", "first")
    assert (after.phase, after.verdict) == ("after", "same")
    assert before.inner_radius == pytest.approx(50e-9, abs=4 * before.radius_sd)
    assert tip_alarms(run) == []
    with RunFile(run.result.file) as file:
        assert [row["phase"] for row in file.tip] == ["before", "after"]
        assert file.tip[0]["inner_radius"] == before.inner_radius


@pytest.mark.parametrize(
    ("knob", "value", "verdict"),
    [
        ("pipette.break", 0.2e-6, "broken"),
        ("pipette.clog", 0.5, "clogged"),
        ("pipette.dirt", 0.6, "contaminated"),
    ],
)
def test_what_happens_to_the_tip_is_named(
    rig: Virtual, knob: str, value: float, verdict: str
) -> None:
    run = run_with(rig, knob, value)
    assert run.ended.outcome == "done"
    assert run.statuses.count("ok") >= PIXELS**2 - 2  # half the current has twice the noise
    found = only(run.messages, TipMeasured)
    assert found[0].verdict == "first"
    assert found[-1].verdict == verdict
    (text,) = tip_alarms(run)
    assert verdict in text
    with RunFile(run.result.file) as file:
        assert file.tip[-1]["verdict"] == verdict
        assert text in [alarm["text"] for alarm in file.alarms]
