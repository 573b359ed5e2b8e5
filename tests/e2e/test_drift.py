"""Drift of sample and current while a scan runs: neither costs a pixel, nor does a lost return."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sicmctl.messages import Alarm, AnyMessage, DriftMeasured, HopDone, Note

from ..rigs import Recorded, Virtual, experiment_text, only, quick_sim, virtual


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Virtual]:
    with virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as found:
        yield found


def raster(pixels: int, drift: str = "") -> str:
    text = experiment_text(pixels=pixels, hop='fall_rate = "35 nm/ms"')
    text = text.replace("[step.scan.hop]", f"{drift}\n[step.scan.hop]")
    return text.replace('"500 nm"', '"300 nm"')


def revisits(run: Recorded) -> list[HopDone]:
    return [hop for hop in run.hops if hop.note == "revisit"]


@pytest.mark.parametrize("rate", [0.01 / 60, 0.01], ids=["usual", "sixty times that"])
def test_a_drifting_reference_current_makes_no_false_statuses(rig: Virtual, rate: float) -> None:
    def drift(message: AnyMessage) -> None:
        if isinstance(message, HopDone) and message.index == 10:
            rig.set("drift.reference", rate)

    run = rig.run(raster(6), drift)
    assert run.statuses == ["ok"] * 36
    assert only(run.messages, Alarm) == []
    time, current = np.array([(hop.time, hop.reference) for hop in run.accepted[10:]]).T
    assert np.polyfit(time, current / current[0], 1)[0] == pytest.approx(rate, abs=2e-3)
    assert np.ptp([hop.height for hop in run.accepted]) < 15e-9


def test_a_return_without_a_current_is_made_again(rig: Virtual) -> None:
    """A bubble comes as the tip is about to return, and goes after."""
    trouble: list[str] = []
    times: list[float] = []

    def disturb(message: AnyMessage) -> None:
        if not isinstance(message, HopDone):
            return
        times.append(message.time)
        if message.note == "revisit" or message.status == "no current":
            trouble.append(message.status)
            rig.set("pipette.bubble", "off")
        elif not trouble and message.time > times[0] + 0.98:
            rig.set("pipette.bubble", "on")

    run = rig.run(raster(9, 'drift = { revisit = "1 s" }'), disturb)
    assert run.ended.outcome == "done"
    assert run.statuses.count("ok") >= 80
    assert trouble[0] == "no current"
    assert len(only(run.messages, DriftMeasured)) >= 1
    rig.suspend(0.01)
    assert rig.gap > 1e-6


def test_a_sample_that_sinks_at_once_has_not_crept(rig: Virtual) -> None:
    sunk: list[int] = []

    def sink(message: AnyMessage) -> None:
        """At the first return: from then on there is a place that has sunk."""
        if isinstance(message, HopDone) and message.note == "revisit" and not sunk:
            sunk.append(message.index)
            rig.set("sample.offset", -0.1e-6)

    run = rig.run(raster(13, 'drift = { revisit = "1 s" }'), sink)
    assert run.ended.outcome == "done"
    assert run.statuses.count("ok") >= 166
    assert len(revisits(run)) >= 2
    assert any("is not followed" in note.text for note in only(run.messages, Note))
    assert max(abs(hop.drift_z) for hop in run.accepted) < 10e-9  # it sank, but does not creep
    heights = np.array([hop.height for hop in run.accepted])
    assert np.nanmedian(heights[:20]) - np.nanmedian(heights[-20:]) == pytest.approx(1e-7, abs=1e-8)


SIDEWAYS = 25e-9
"""m/s of the tip along x, to which the sample seems to creep the other way."""


@pytest.fixture
def rough(tmp_path: Path) -> Iterator[Virtual]:
    sim = quick_sim(f"0 s; drift.x; {SIDEWAYS} m/s")
    sim = sim.replace('kind = "flat"', 'kind = "flat"\nrq = "30 nm"')
    with virtual(tmp_path / "lab", sim, "0.5 ms") as found:
        yield found


@pytest.mark.timeout(300)
def test_frames_of_one_area_tell_how_the_sample_crept_sideways(rough: Virtual) -> None:
    text = raster(13).replace('"1 um"', '"1.5 um"')
    step = text[text.index("[[step]]") :]
    run = rough.run(text + step + step)
    frames = [[hop for hop in run.accepted if hop.scan == number] for number in range(3)]
    second, third = (m for m in only(run.messages, DriftMeasured) if m.method == "frames")
    middle = [float(np.mean([hop.time for hop in frame])) for frame in frames]
    pitch = 1.5e-6 / 12
    for found, time in ((second, middle[1]), (third, middle[2])):
        assert found.x == pytest.approx(-SIDEWAYS * (time - middle[0]), abs=0.2 * pitch)
        assert found.y == pytest.approx(0, abs=0.2 * pitch)
        assert max(found.x_sd, found.y_sd) < 0.2 * pitch
    assert {hop.drift_x for frame in frames[:2] for hop in frame} == {0.0}
    (moved,) = {hop.drift_x for hop in frames[2]}
    assert moved == pytest.approx(-SIDEWAYS * (middle[2] - middle[0]), abs=0.3 * pitch)
    for before, after in zip(frames[1], frames[2], strict=True):
        assert after.x - before.x == pytest.approx(moved, abs=10e-9)
