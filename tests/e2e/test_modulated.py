"""Hops under a modulated bias on a virtual rig, and what may go wrong."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from sicmctl.hal.capabilities import Block
from sicmctl.hal.errors import LimitExceeded, NotConnected, NotSupported
from sicmctl.hal.limited import LimitedPositioner
from sicmctl.hal.modulation import Rider
from sicmctl.messages import Alarm, AnyMessage, HopDone, RunEnded, ScanStarted
from sicmctl.scan.hopper import DaqHopEngine
from sicmctl.scan.modulated import BiasWave, Detector

from ..rigs import Recorded, Virtual, experiment_text, only, quick_sim, virtual
from .test_modes import POINTS, STEADY, assert_safe

BARE = '[amplifier]\nstray_capacitance = "{}"\n'
SWING = 'mode = "modulated"\nmodulation_frequency = "1 kHz"\nmodulation_amplitude = "100 mV"\n'


def sim(*events: str, capacitance: str = "0.5 pF") -> str:
    text = quick_sim(*events, more=STEADY + BARE.format(capacitance))
    assert text.count("seed = 9\n") == 1
    return text.replace("seed = 9\n", "seed = 4\n")  # whose noise passes for no edge


def scan(more: str = 'setpoint = "auto"', swing: str = SWING, engine: str = "auto") -> str:
    """Four points in a row, 300 nm above the surface."""
    text = experiment_text(engine, pattern="list", where=POINTS)
    return text.replace('setpoint = "1 %"', swing + more).replace('"500 nm"', '"300 nm"')


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Virtual]:
    with virtual(tmp_path / "lab", sim(), "0.3 ms") as found:
        yield found


def misses(rig: Virtual, run: Recorded) -> np.ndarray:
    """Heights less the truth, m; the frame drifts by some nanometres."""
    (started,) = only(run.messages, ScanStarted)
    drop = started.settings["setpoint"]
    world = rig.lab.world
    true = [float(world.setpoint_height(hop.x, hop.y, drop)) for hop in run.accepted]
    return np.array([hop.height for hop in run.accepted]) - true


@pytest.mark.parametrize("by", ["amplitude", "phase"])
def test_the_fall_ends_where_the_alternating_current_tells(rig: Virtual, by: str) -> None:
    asked = f'modulated_by = "{by}"\n{"setpoint" if by == "amplitude" else "phase_shift"} = "auto"'
    run = rig.run(scan(asked))
    assert_safe(rig, run, "done")
    assert run.statuses == ["ok"] * 4
    assert only(run.messages, Alarm) == []
    (started,) = only(run.messages, ScanStarted)
    told = started.settings
    # 100 mV at 1 kHz across 0.5 pF and some 210 Mohm
    assert told["capacitive_current"] == pytest.approx(314e-12, rel=0.03)
    assert told["current"] == pytest.approx(470e-12, rel=0.03)
    assert np.abs(misses(rig, run)).max() < 10e-9
    setpoint = told[f"setpoint_{by}"]
    for hop in run.accepted:
        curves = {name: curve.numpy() for name, curve in hop.curves.items()}
        change = curves["ac_phase"] - curves["ac_phase"][:50].mean()
        if by == "amplitude":
            change = 1 - curves["ac_current"] / curves["ac_current"][:50].mean()
        assert change[: hop.stop - 100].max() < 1.5 * setpoint
        assert np.nanmax(change) > 0.8 * setpoint
        assert np.isnan(change[-20:]).all()  # the bias rests with the tip
        assert np.isfinite(curves["raw_current"]).all()
    assert rig.lab.world.pipette.inner_radius == 50e-9


def test_a_direct_current_that_fades_moves_no_height(tmp_path: Path) -> None:
    """The same events make the drop mode take free electrolyte for the sample."""
    with virtual(tmp_path / "drop", sim(*_during_falls()), "0.3 ms") as rig:
        run = rig.run(scan("", swing='setpoint = "1 %"\nfall_rate = "10 nm/ms"', engine="streamed"))
        assert any(hop.z_stop > 2.3e-6 for hop in run.hops)
    with virtual(tmp_path / "modulated", sim(*_during_falls()), "0.3 ms") as rig:
        run = rig.run(scan())
        assert_safe(rig, run, "done")
        assert run.statuses == ["ok"] * 4
        assert np.abs(misses(rig, run)).max() < 10e-9
        bare = run.accepted[0].curves["raw_current"].numpy()
        assert bare[:2000].mean() - bare[-200:].mean() > 0.2e-9


def _during_falls() -> list[str]:
    return [f"{1.0 + 0.02 * k:.2f} s; amplifier.offset; {-20 * k} pA" for k in range(1, 40)]


def test_steps_with_and_without_it_follow_each_other(rig: Virtual) -> None:
    """The comparator is armed again after others had the card's generator."""
    plain = experiment_text("comparator", pattern="list", where=POINTS).replace(
        '"500 nm"', '"300 nm"'
    )
    steps = [text.split("[[step]]")[1] for text in (plain, scan(), plain, scan())]
    head = scan().split("[[step]]")[0]
    run = rig.run("[[step]]".join([head, *steps]))
    assert_safe(rig, run, "done")
    assert run.statuses == ["ok"] * 16
    engines = [started.engine for started in only(run.messages, ScanStarted)]
    assert engines == ["comparator", "streamed", "comparator", "streamed"]
    heights = np.array([hop.height for hop in run.accepted]).reshape(4, 4)
    gaps = [rig.lab.world.setpoint_height(50e-6, 50e-6, s) for s in (0.01, 0.02)]
    assert heights[::2].mean() - heights[1::2].mean() == pytest.approx(
        float(gaps[0] - gaps[1]), abs=8e-9
    )


def test_a_stop_in_a_fall_lifts_the_tip_and_takes_the_bias_off(rig: Virtual) -> None:
    stop = Event()

    def watch(message: AnyMessage) -> None:
        if isinstance(message, HopDone):
            stop.set()

    run = rig.run(scan(), watch, stop)
    assert_safe(rig, run, "stopped")
    assert 1 <= len(run.accepted) <= 2  # the next hop may have begun


def test_a_wire_that_breaks_in_a_fall_ends_it(tmp_path: Path) -> None:
    with virtual(tmp_path / "lab", sim("1.7 s; pipette.bubble; on"), "0.3 ms") as rig:
        run = rig.run(scan())
        assert_safe(rig, run, "failed")
        first = run.hops[0]
        assert first.status == "touched"
        assert first.z_stop > 2.3e-6
        assert '"no current"' in run.ended.reason


def test_a_knob_that_is_turned_in_a_fall_ends_it(tmp_path: Path) -> None:
    with virtual(tmp_path / "lab", sim("1.7 s; amplifier.gain; 2 mV/pA"), "0.3 ms") as rig:
        run = rig.run(scan())
        assert run.hops[0].status in ("settings", "overload")
        assert run.hops[0].z_stop > 2.3e-6
        assert rig.gap > 1e-6
        assert rig.bias == 0


def test_an_error_in_a_fall_lifts_the_tip_and_leaves_no_phase_of_the_bias(
    rig: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, met = 0, Detector.met
    rests: list[float] = []
    carry = LimitedPositioner.carry

    def lost(self: Detector, block: Block) -> bool:
        nonlocal looks
        looks += 1
        if looks == 37:
            raise NotConnected("nidaqmx Dev1", "read", "the link was lost")
        return met(self, block)

    def carried(self: LimitedPositioner, rider: Rider | None) -> None:
        carry(self, rider)
        rests.append(rig.bias)

    monkeypatch.setattr(Detector, "met", lost)
    monkeypatch.setattr(LimitedPositioner, "carry", carried)
    run = rig.run(scan())
    assert_safe(rig, run, "failed")
    assert "the link was lost" in run.ended.reason
    assert run.hops == []
    assert rests == pytest.approx([0.7] * len(rests), abs=1e-4)


def test_a_way_to_safety_that_fails_at_first_still_takes_the_bias_off(
    rig: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: DaqHopEngine) -> None:
        raise NotConnected("nidaqmx Dev1", "halt", "no answer")

    def end(message: AnyMessage) -> None:
        if isinstance(message, HopDone):
            monkeypatch.setattr(DaqHopEngine, "safe_state", fail)
            raise RuntimeError("the journal's disk is full")

    messages: list[AnyMessage] = []

    def watch(message: AnyMessage) -> None:
        messages.append(message)
        end(message)

    with pytest.raises(RuntimeError, match="disk is full"):
        rig.run(scan(), watch)
    (ended,) = only(messages, RunEnded)
    assert [act.split(": ")[0] for act in ended.safe if act.endswith(": done")] == [
        "retract",
        "bias to rest",
        "stop waveforms",
    ]
    rig.suspend(0.01)
    assert rig.gap > 1e-6
    assert rig.bias == 0


def test_a_bias_that_stops_to_swing_in_a_fall_ends_it(
    rig: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    volts = BiasWave.volts

    def cut(self: BiasWave, samples: int) -> np.ndarray:
        out = volts(self, samples)
        if samples > 15_000:  # the first fall
            out[3000:] = out[-1]
        return out

    def in_the_first_hop(message: AnyMessage) -> None:
        if isinstance(message, ScanStarted):
            monkeypatch.setattr(BiasWave, "volts", cut)
        if isinstance(message, HopDone):
            monkeypatch.setattr(BiasWave, "volts", volts)

    run = rig.run(scan(), in_the_first_hop)
    assert_safe(rig, run, "done")
    assert run.hops[0].status == "settings"
    assert run.hops[0].z_stop > 4e-6
    assert run.statuses == ["ok"] * 4


def test_a_listener_that_fails_ends_the_run_safely(rig: Virtual) -> None:
    def fail(message: AnyMessage) -> None:
        if isinstance(message, HopDone):
            raise RuntimeError("the journal's disk is full")

    with pytest.raises(RuntimeError, match="disk is full"):
        rig.run(scan(), fail)
    rig.suspend(0.01)
    assert rig.gap > 1e-6
    assert rig.bias == 0


@pytest.mark.parametrize(
    ("swing", "kind", "said"),
    [
        (SWING.replace("1 kHz", "3 kHz"), LimitExceeded, "choose 2.941 kHz or 3.125 kHz"),
        (SWING.replace("1 kHz", "12.5 kHz"), LimitExceeded, "a period has 4 samples"),
        (SWING.replace("100 mV", "0.4 V"), LimitExceeded, "bias 1.1 V lies outside"),
    ],
)
def test_what_the_rig_cannot_do_is_refused_before_anything_moves(
    rig: Virtual, swing: str, kind: type[Exception], said: str
) -> None:
    before = rig.moved()
    with pytest.raises(kind, match=said):
        rig.run(scan(swing=swing))
    assert rig.moved() == {**before, "ao0": 0.0}


def test_a_command_that_is_not_read_back_is_refused(rig: Virtual) -> None:
    path = rig.folder / "bare.toml"
    text = rig.rig.read_text(encoding="utf-8")
    path.write_text(text.replace('readback = "bias_command"\n', ""), encoding="utf-8")
    with pytest.raises(NotSupported, match="no input reads the command output back"):
        rig.run(scan(), rig=path)


@pytest.mark.parametrize(
    ("capacitance", "more", "said"),
    [
        ("0.5 pF", SWING.replace("1 kHz", "6.25 kHz") + 'setpoint = "auto"', "beyond its filter"),
        ("100 pF", SWING + 'setpoint = "auto"', "saturates under 100 mV"),
        ("0.5 pF", SWING + 'setpoint = "0.1 %"', "the smallest safe one is"),
        ("0.5 pF", SWING + 'setpoint = "40 %"', "it would come only in contact"),
        ("0.5 pF", SWING + 'setpoint = "2 %"\nfall_rate = "80 nm/ms"', "highest safe fall rate"),
        ("0 pF", SWING + 'modulated_by = "phase"', "noise hides how the phase changes"),
    ],
)
def test_what_is_found_unsafe_is_refused_before_anything_falls(
    tmp_path: Path, capacitance: str, more: str, said: str
) -> None:
    with virtual(tmp_path / "lab", sim(capacitance=capacitance), "0.3 ms") as rig:
        run = rig.run(scan(swing=more, more=""))
        assert_safe(rig, run, "failed")
        assert run.hops == []
        assert said in run.ended.reason
