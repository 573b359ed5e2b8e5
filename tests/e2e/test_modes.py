"""The modes of the setpoint on a virtual rig, and what may go wrong in each."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sicmctl.messages import Alarm, AnyMessage, HopDone, ScanStarted

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


DRY = '[pipette]\nmedium = "meniscus"\n'
"""A dry sample, and a droplet 50 nm high at the tip."""
ONSET = 'mode = "onset"'


@pytest.fixture
def dry(tmp_path: Path) -> Iterator[Virtual]:
    with virtual(tmp_path / "lab", quick_sim(more=DRY), "0.3 ms") as found:
        yield found


class TestOnset:
    @pytest.mark.parametrize("engine", ENGINES)
    def test_the_fall_ends_at_the_contact(self, dry: Virtual, engine: str) -> None:
        run = dry.run(scan(engine, ONSET))
        assert_safe(dry, run, "done")
        assert run.statuses == ["ok"] * 4
        assert only(run.messages, Alarm) == []
        (started,) = only(run.messages, ScanStarted)
        assert "setpoint" not in started.settings
        threshold = started.settings["threshold_current"]
        assert 10e-12 < threshold < 60e-12
        for hop in run.accepted:
            current = hop.curves["current"].numpy()
            assert abs(hop.reference) < threshold
            assert current[: hop.stop - 40].max() < 1.2 * threshold
            assert current[-20:].mean() > 2e-9
            assert hop.method == "crossing"
            assert hop.heights["crossing"].status == "ok"
        heights = np.array([hop.height for hop in run.accepted])
        assert np.ptp(heights) < 8e-9
        # 50 nm above the sample, which lies 2 um up; the frame drifts by some nanometres
        assert heights.mean() == pytest.approx(2.05e-6, abs=15e-9)
        assert dry.lab.world.pipette.inner_radius == 50e-9

    @pytest.mark.parametrize("engine", ENGINES)
    def test_a_current_that_is_lost_leaves_the_tip_at_its_floor(
        self, dry: Virtual, engine: str
    ) -> None:
        """A broken wire cannot be felt before contact: the ramp ends by itself, and only once."""

        def watch(message: AnyMessage) -> None:
            if isinstance(message, HopDone) and message.index == 0:
                dry.set("pipette.bubble", "on")

        run = dry.run(scan(engine, ONSET), watch)
        assert_safe(dry, run, "failed")
        assert run.statuses == ["ok", "no surface"]
        assert len(run.hops) == 2
        assert run.ended.reason == (
            'a fall ended with "no surface": no contact was felt down to the floor: '
            "the meniscus or the wire is gone, or the sample lies lower than hop.floor_margin "
            "reaches"
        )
        # four heights of the meniscus below the place where the first hop came to rest
        lowest = run.hops[1].curves["z"].numpy().min()
        assert lowest > run.hops[0].z_stop - 0.2e-6 - 5e-9

    @pytest.mark.parametrize("engine", ENGINES)
    def test_nothing_approaches_while_a_current_flows(self, dry: Virtual, engine: str) -> None:
        def leak(message: AnyMessage) -> None:
            if isinstance(message, HopDone) and message.index == 0:
                dry.set("amplifier.offset", 1e-9)

        run = dry.run(scan(engine, ONSET), leak)
        assert_safe(dry, run, "done")
        # the next reference may have been read already, while the tip was on its way
        assert run.statuses[0] == "ok"
        assert run.statuses[-2:] == ["high reference"] * 2
        refused = [hop for hop in run.hops if hop.status == "high reference"]
        assert {len(hop.curves["z"].numpy()) for hop in refused} == {0}
        assert "flows at the top, where none should" in refused[0].note
        (alarm,) = only(run.messages, Alarm)
        assert alarm.source == "setpoint"
        assert alarm.text in {f"no approach: {hop.note}" for hop in refused}
        assert "raise hop.amplitude" in alarm.remedy

    @pytest.mark.parametrize("engine", ENGINES)
    def test_the_height_is_one_meniscus_above_the_sample(self, tmp_path: Path, engine: str) -> None:
        """On a stage without drift and vibration, whose sensor is as noisy as ever."""
        still = "".join(
            f'{key} = "{zero}"\n'
            for key, zero in (
                ("drift", "0 m/s"),
                ("drift_final", "0 m/s"),
                ("thermal", "0 m"),
                ("vibration", "0 m"),
            )
        )
        sim = quick_sim(more=f"{DRY}[stage.x]\n{still}[stage.y]\n{still}")
        sim = sim.replace("[stage.z]\n", f"[stage.z]\n{still}")
        sim = sim.replace("points = 16\n", 'points = 16\nrq = "0 m"\n')
        text = scan(engine, ONSET).replace('pattern = "list"', 'pattern = "point"\nrepeats = 20')
        with virtual(tmp_path / "lab", sim, "0.3 ms") as rig:
            run = rig.run(text.replace(POINTS, ""))
            assert run.statuses == ["ok"] * 20
            surface = np.array([rig.lab.world.sample.height(h.x, h.y) for h in run.accepted])
            error = np.array([hop.height for hop in run.accepted]) - surface - 50e-9
            sd = np.array([hop.height_sd for hop in run.accepted])
            assert abs(error.mean()) < 0.3e-9
            assert error.std() < 0.5e-9
            assert 0.5 < error.std() / sd.mean() < 2

    def test_too_fast_a_fall_is_refused_before_anything_falls(self, dry: Virtual) -> None:
        run = dry.run(scan("streamed", ONSET, 'fall_rate = "80 nm/ms"'))
        assert_safe(dry, run, "failed")
        assert run.hops == []
        assert "the meniscus is 50 nm high" in run.ended.reason
