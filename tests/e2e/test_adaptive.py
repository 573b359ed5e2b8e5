"""Adaptive hops where the surface is not where it was expected."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sicmctl.messages import AnyMessage, HopDone
from simulators.world import Truth

from ..rigs import Recorded, Virtual, experiment_text, quick_sim, virtual

CALM = 66
"""Hops at one place, after which no surprise is expected any more."""
HOP = 'adaptive = true\nfall_rate = "60 nm/ms"'


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Virtual]:
    with virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as found:
        yield found


def run(rig: Virtual, step: float) -> Recorded:
    """Hop at one place; after `CALM` hops the sample rises by a step (m)."""

    def shift(message: AnyMessage) -> None:
        if isinstance(message, HopDone) and message.accepted and message.index == CALM - 1:
            rig.suspend(0.005)  # the tip is up by then
            rig.set("sample.offset", step)

    where = f"repeats = {CALM + 4}"
    text = experiment_text(pattern="point", where=where, hop=HOP)
    return rig.run(text.replace('"500 nm"', '"3 um"'), shift)


def test_hops_come_down_to_half_the_amplitude_and_fall_fast(rig: Virtual) -> None:
    found = run(rig, 0.0)
    assert set(found.statuses) == {"ok"}
    surface = float(np.median([hop.height for hop in found.accepted]))
    first, last = found.hops[1], found.hops[-1]
    assert first.start - surface > 2.9e-6
    assert last.start - surface == pytest.approx(1.5e-6, abs=0.05e-6)
    slow = 1.5e-6 / 60e-6
    assert last.timing["approach"] < 0.75 * slow
    z = last.curves["z"].numpy().astype(float)
    low = np.flatnonzero(z < surface + 0.45e-6)[0]
    speeds = -np.diff(z[: last.stop : 50]) * 1e3
    assert speeds[5] == pytest.approx(148e-6, rel=0.1)
    assert (z[low] - z[low + 250]) * 200 == pytest.approx(60e-6, rel=0.05)


def test_a_surface_met_in_the_fast_part_is_measured_again_from_higher(tmp_path: Path) -> None:
    with virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as rig:
        found = run(rig, 1.0e-6)
    with Truth(tmp_path / "lab" / "truth.h5") as truth:
        assert len(truth.contacts) == 0
    assert set(found.statuses) == {"ok"}
    before = float(np.median([hop.height for hop in found.accepted[:CALM]]))
    early = [hop for hop in found.hops if not hop.accepted]
    assert [(hop.index, hop.attempt, hop.status) for hop in early] == [(CALM, 0, "early")]
    again = found.hops[found.hops.index(early[0]) + 1]
    assert again.height == pytest.approx(before + 1e-6, abs=10e-9)
    assert again.start > early[0].start
    assert early[0].z_stop == pytest.approx(again.z_stop, abs=60e-9)


def test_a_surface_that_went_away_is_followed_down(rig: Virtual) -> None:
    found = run(rig, -1.0e-6)
    assert set(found.statuses) == {"ok"}
    assert len(found.hops) == CALM + 4
    heights = [hop.height for hop in found.accepted]
    assert heights[CALM] == pytest.approx(heights[CALM - 1] - 1e-6, abs=10e-9)
    assert found.accepted[-1].start == pytest.approx(found.accepted[CALM].start - 1e-6, abs=0.05e-6)
