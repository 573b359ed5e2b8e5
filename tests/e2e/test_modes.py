"""The modes of the setpoint on a virtual rig, and what may go wrong in each."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sicmctl.messages import Alarm, ScanStarted

from ..rigs import Recorded, Virtual, experiment_text, only, quick_sim, virtual

ENGINES = ("comparator", "streamed")
POINTS = 'points = [["50 um", "50 um"], ["50.2 um", "50 um"], ["50.4 um", "50 um"], '
POINTS += '["50.6 um", "50 um"]]'
STEADY = '[noise]\noffset = "0 V"\nwalk = "0 1/s**0.5"\nsettling = 0\nclog_rate = "0 1/s"\n'
"""The current far away is then 3.29 nA, and the noise asks for a drop of 0.7 %."""
LEVEL = 'mode = "absolute"\nlevel = "3.23 nA"'


def scan(engine: str, mode: str, more: str = 'fall_rate = "25 nm/ms"') -> str:
    """Four points in a row, 300 nm above the surface."""
    text = experiment_text(engine, pattern="list", where=POINTS, hop=more)
    return text.replace('setpoint = "1 %"', mode).replace('"500 nm"', '"300 nm"')


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Virtual]:
    with virtual(tmp_path / "lab", quick_sim(more=STEADY), "0.3 ms") as found:
        yield found


def assert_safe(rig: Virtual, run: Recorded, outcome: str) -> None:
    assert run.ended.outcome == outcome, run.ended.reason
    assert all(act.endswith(": done") for act in run.ended.safe)
    rig.suspend(0.01)
    assert rig.gap > 1e-6
    assert rig.bias == 0


class TestAbsolute:
    @pytest.mark.parametrize("engine", ENGINES)
    def test_the_fall_ends_at_the_level(self, rig: Virtual, engine: str) -> None:
        run = rig.run(scan(engine, LEVEL))
        assert_safe(rig, run, "done")
        assert run.statuses == ["ok"] * 4
        (started,) = only(run.messages, ScanStarted)
        assert started.settings["stop_current"] == 3.23e-9
        drop = 1 - 3.23e-9 / started.settings["current"]
        assert started.settings["setpoint"] == pytest.approx(drop)
        for hop in run.accepted:
            current = hop.curves["current"].numpy()
            assert current[: hop.stop - 30].min() > 3.20e-9
            assert current[hop.stop - 30 :].min() < 3.23e-9
        heights = np.array([hop.height for hop in run.accepted])
        assert np.ptp(heights) < 10e-9

    @pytest.mark.parametrize("engine", ENGINES)
    @pytest.mark.parametrize(
        ("event", "status", "text"),
        [
            ("pipette.clog; 1.5 %", "low reference", "above the level of 3.23 nA"),
            ("pipette.clog; 5 %", "low reference", "not above the level of 3.23 nA"),
            ("pipette.break; 200 nm", "high reference", "above the level of 3.23 nA"),
        ],
    )
    def test_nothing_approaches_from_a_reference_that_has_left_the_level(
        self, tmp_path: Path, engine: str, event: str, status: str, text: str
    ) -> None:
        """The event comes in the first hop, far above the sample or after it was met."""
        sim = quick_sim(f"0.9 s; {event}", more=STEADY)
        with virtual(tmp_path / "lab", sim, "0.3 ms") as rig:
            run = rig.run(scan(engine, LEVEL, 'fall_rate = "25 nm/ms"\nretries = 1'))
            assert_safe(rig, run, "done")
            assert run.statuses[-1] == status
            refused = [hop for hop in run.hops if hop.status == status]
            assert len(refused) >= 2
            for hop in refused:
                assert len(hop.curves["z"].numpy()) == 0
                assert text in hop.note
                assert np.isnan(hop.height)
            (alarm,) = [a for a in only(run.messages, Alarm) if a.source == "setpoint"]
            assert alarm.text.startswith("no approach: the reference current is ")
            assert 'mode = "drop"' in alarm.remedy
            assert only(run.messages, Alarm) == [alarm]

    @pytest.mark.parametrize("engine", ENGINES)
    def test_a_current_that_is_lost_in_a_fall_ends_it(self, tmp_path: Path, engine: str) -> None:
        sim = quick_sim("0.59 s; pipette.bubble; on", more=STEADY)
        with virtual(tmp_path / "lab", sim, "0.3 ms") as rig:
            run = rig.run(scan(engine, LEVEL))
            assert_safe(rig, run, "failed")
            first = run.hops[0]
            fallen = 0.59 - first.first / 50e3
            assert first.status == "touched"
            assert first.z_stop == pytest.approx(5e-6 - 25e-6 * fallen, abs=0.15e-6)
            assert '"no current"' in run.ended.reason

    def test_a_level_above_the_current_is_refused_before_anything_falls(self, rig: Virtual) -> None:
        run = rig.run(scan("comparator", 'mode = "absolute"\nlevel = "3.4 nA"'))
        assert_safe(rig, run, "failed")
        assert run.hops == []
        assert run.ended.reason.startswith("speed rule: level 3.4 nA: it must lie at least 6 times")
