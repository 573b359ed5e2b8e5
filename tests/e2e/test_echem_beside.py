"""Steps with `echem` on a rig that has a microscope too: one timeline, and a tip out of the way."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sicmctl import client
from sicmctl.data.runfile import RunFile
from sicmctl.messages import EchemStarted, RunStarted, ScanEnded, ScanStarted

from ..rigs import Virtual, experiment_text, only, quick_sim, virtual

CELL = """\
[cell]
kind = "resistor"
resistance = "10 kohm"
[potentiostat]
model = "emstat4-hr"
"""
HOLD = """\
[[step]]
echem = { technique = "hold", potential = "0.2 V", duration = "2 s" }
"""
SAFE = (
    "halt approach: done",
    "retract: done",
    "bias to rest: done",
    "cell to ocp: done",
    "stop waveforms: done",
)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Virtual]:
    with virtual(tmp_path / "lab", quick_sim(more=CELL), "0.5 ms") as found:
        yield found


def test_a_check_sees_both(rig: Virtual) -> None:
    report = client.check(rig.rig)
    assert set(report.instruments) == {"daq", "amplifier", "piezo", "potentiostat"}
    assert report.microscope is not None
    assert report.cell is not None
    assert set(rig.moved().values()) == {0.0}


def test_scan_and_technique_in_turn_on_the_clock_of_the_card(rig: Virtual) -> None:
    scan = experiment_text(pixels=2, hop='fall_rate = "35 nm/ms"')
    run = rig.run(scan + HOLD)
    assert run.ended.outcome == "done"
    assert run.ended.safe == SAFE
    assert run.statuses == ["ok"] * 4
    (scanned,) = only(run.messages, ScanEnded)
    (started,) = only(run.messages, EchemStarted)
    assert started.time >= scanned.time
    with RunFile(run.result.file) as file:
        found = file.echem[0]
        assert found.outcome == "done"
        assert found.time[0] > started.time
        assert np.ptp(found.time) == pytest.approx(2, abs=0.1)
        assert found.current.mean() == pytest.approx(0.2 / 10e3, rel=0.01)
        assert 0 < found.time_sd < 0.3
        assert file.scan().outcome == "done"
    assert rig.gap > 1e-6


def test_a_technique_alone_moves_the_tip_only_away_and_leaves_the_bias_off(rig: Virtual) -> None:
    run = rig.run(f'schema = 1\ntitle = "Cell"\n{HOLD}')
    assert run.ended.outcome == "done"
    assert run.ended.safe == SAFE
    assert rig.bias == 0
    (started,) = only(run.messages, RunStarted)
    assert started.rate == 50e3
    assert only(run.messages, ScanStarted) == []


def test_a_scan_after_a_technique_finds_its_surface(rig: Virtual) -> None:
    scan = experiment_text(pixels=2, hop='fall_rate = "35 nm/ms"')
    head, step = scan.split("[[step]]", 1)
    run = rig.run(f"{head}{HOLD}[[step]]{step}")
    assert run.ended.outcome == "done"
    assert run.statuses == ["ok"] * 4
