"""A run from its first check to its last message, also when it does not get far."""

import threading
from pathlib import Path

import pytest

from sicmctl import client
from sicmctl.config.load import load_experiment, load_rig
from sicmctl.engine.run import Run, RunState, UnsupportedStep
from sicmctl.hal.errors import NotConnected
from sicmctl.messages import AnyMessage, RunEnded, RunStarted

from ...rigs import Virtual, experiment_text, only, quick_sim, virtual

SAFE = ("halt approach: done", "retract: done", "bias to rest: done", "stop waveforms: done")


def write(folder: Path, text: str) -> Path:
    path = folder / "experiment.toml"
    path.write_text(text, encoding="utf-8")
    return path


CV = """\
echem = { technique = "cv", start = "0 V", vertex = "1 V", rate = "10 mV/s" }
"""


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("[[step]]\n" + CV, 'step[0].echem: found technique "cv"; expected scans only: '),
        (
            '[[step]]\nscan = { pattern = "point" }\n' + CV,
            "step[0]: found scan and echem side by side; expected one of them: ",
        ),
    ],
)
def test_what_the_rig_cannot_do_is_refused_before_it_is_opened(
    rig: Virtual, steps: str, told: str
) -> None:
    text = f'schema = 1\ntitle = "Cell"\n{steps}'
    seen: list[AnyMessage] = []
    run = Run(load_rig(rig.rig), load_experiment(write(rig.folder, text)), [seen.append])
    with pytest.raises(UnsupportedStep) as caught:
        run.run()
    assert told in str(caught.value)
    assert seen == []
    assert run.state is RunState.IDLE
    assert rig.lab.server.card.tasks == {}
    assert set(rig.moved().values()) == {0.0}


def test_a_comparator_that_is_not_wired_is_refused_with_the_remedy(rig: Virtual) -> None:
    text = rig.rig.read_text(encoding="utf-8")
    wired = '[daq.comparator]\npipette_current = "APFI0"\n'
    assert wired in text
    rig.rig.write_text(text.replace(wired, ""), encoding="utf-8")
    before = rig.moved()
    with pytest.raises(UnsupportedStep) as caught:
        rig.run(experiment_text("comparator"))
    reason = str(caught.value)
    assert reason.startswith("the experiment asks for the comparator engine, but no ")
    assert 'write daq.comparator.pipette_current = "APFI0" in rig.toml' in reason
    assert rig.moved() == before
    assert list(rig.folder.glob("run-*")) == []


def test_an_amplifier_that_cannot_be_used_fails_the_run_before_anything_moves(
    rig: Virtual,
) -> None:
    rig.set("amplifier.mode", "i=0")
    before = rig.moved()
    run = rig.run(experiment_text())
    assert run.ended.outcome == "failed"
    assert "the mode is I=0" in run.ended.reason
    assert "bias to rest: done" in run.ended.safe
    assert run.hops == []
    assert rig.moved() == before


def test_no_rig_no_run(rig: Virtual, tmp_path: Path) -> None:
    text = rig.rig.read_text(encoding="utf-8").replace('device = "Dev1"', 'device = "Dev2"')
    other = tmp_path / "other.toml"
    other.write_text(text, encoding="utf-8")
    out = tmp_path / "run.h5"
    with pytest.raises(NotConnected, match="found Dev1"):
        client.run(other, write(tmp_path, experiment_text()), out)
    assert not out.exists()
    assert not out.with_suffix(".sicmlog").exists()


def test_a_stop_before_the_first_hop_lifts_the_tip_and_ends(tmp_path: Path) -> None:
    stop = threading.Event()

    def press(message: AnyMessage) -> None:
        if isinstance(message, RunStarted):
            stop.set()
            for thread in threading.enumerate():
                if thread.name == "stop button":
                    thread.join()

    with virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as rig:
        run = rig.run(experiment_text(hop='fall_rate = "35 nm/ms"'), press, stop)
        assert run.ended.outcome == "stopped"
        assert run.hops == []
        assert run.ended.safe == SAFE
        assert rig.gap > 1e-6


def test_what_a_run_says_about_itself(tmp_path: Path) -> None:
    with virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as rig:
        text = experiment_text(pixels=2, hop='fall_rate = "35 nm/ms"')
        run = rig.run(text)
    (started,) = only(run.messages, RunStarted)
    assert run.messages[0] is started
    assert isinstance(run.messages[-1], RunEnded)
    assert started.title == "Small scan"
    assert started.experiment == text
    assert 'reaction = "0.5 ms"' in started.rig
    assert started.rate == 50e3
    assert started.instruments["amplifier"] == "Molecular Devices Axopatch 200B"
    assert started.calibration["bias"] == 0.7
    assert {"sicmctl", "numpy", "nidaqmx"} <= set(started.versions)
    times = [message.time for message in run.messages if not isinstance(message, RunEnded)]
    assert max(times) <= run.ended.time


def test_a_check_moves_nothing(rig: Virtual) -> None:
    report = client.check(rig.rig)
    assert set(rig.moved().values()) == {0.0}
    assert report.microscope is not None
    assert report.microscope.position["z"] == pytest.approx(5e-6, abs=2e-9)
    assert report.microscope.bias_limits.high == 1.0
    assert abs(report.microscope.current) < 1e-10
    assert report.cell is None
    assert rig.lab.server.card.tasks == {}


@pytest.mark.parametrize("room", ["38 um", "5 um"])
def test_the_measured_reaction_is_that_of_the_host(tmp_path: Path, room: str) -> None:
    """The host's own time is found, on ramps upwards or, without room for them, sideways."""
    from sicmctl.engine import tuneup
    from sicmctl.engine.rig import Rig
    from sicmctl.hal.hop import Reaction
    from sicmctl.scan.hopper import DaqHopEngine

    sim = quick_sim().replace('range = "5 um"', f'range = "{room}"')
    sim = sim.replace('reaction = "0.1 ms"', 'reaction = "1.5 ms"')
    with virtual(tmp_path / "lab", sim) as lab, Rig.open(load_rig(lab.rig)) as rig:
        rig.wake()
        unknown = Reaction(5e-3, 20e-3)
        hops = DaqHopEngine(rig.daq, rig.stage, rig.amplifier, False, unknown)
        found = tuneup.measure_reaction(rig, hops)
    assert found.typical == pytest.approx(1.5e-3, abs=0.15e-3)
    assert 1.5e-3 < found.worst < 2.5e-3
