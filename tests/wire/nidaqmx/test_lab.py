"""The laboratory as a program: world, card, server and rig.toml."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import grpc
import nidaqmx
import numpy as np
import pytest
from nidaqmx.constants import AcquisitionType
from nidaqmx.system import System

from simulators.config import SimConfig
from simulators.lab import Lab, main
from simulators.rigfile import rig_toml


def connect(address: str) -> Any:
    """A channel to a card."""
    return grpc.insecure_channel(address)


def task(options: nidaqmx.GrpcSessionOptions) -> Any:
    """A task; its annotations do not allow what its documentation does."""
    return nidaqmx.Task(grpc_options=options)


def test_rig_toml_describes_the_wiring() -> None:
    rig = tomllib.loads(rig_toml(SimConfig(), "127.0.0.1:1234"))
    assert rig["schema"] == 1
    assert rig["daq"]["server"] == "127.0.0.1:1234"
    assert rig["daq"]["inputs"]["pipette_current"] == "ai0"
    assert rig["daq"]["comparator"] == {"pipette_current": "APFI0"}
    assert rig["amplifier"] == {
        "driver": "axopatch-200b",
        "command": "ao0",
        "command_scale": "0.1 V/V",
        "readback": "bias_command",
    }
    assert [rig["piezo"][a]["output"] for a in "xyz"] == ["ao1", "ao2", "ao3"]
    assert rig["piezo"]["z"]["scale"] == "1.9e-06 m/V"
    assert rig["piezo"]["z"]["offset"] == "1.9e-05 m"


def record(seed: int) -> np.ndarray:
    """Pipette current and z while z is driven, from a lab of its own."""
    with Lab(SimConfig(), seed=seed) as lab, connect(lab.address) as channel:
        options = nidaqmx.GrpcSessionOptions(channel, "")
        with task(options) as ai, task(options) as ao:
            ai.ai_channels.add_ai_voltage_chan("Dev1/ai0:1", min_val=-10, max_val=10)
            ai.timing.cfg_samp_clk_timing(50e3, sample_mode=AcquisitionType.CONTINUOUS)
            ao.ao_channels.add_ao_voltage_chan("Dev1/ao3")
            ai.start()
            ai.read(100)
            ao.write(1.0)
            return np.array(ai.read(2000))


def test_driving_the_stage_moves_its_sensor_and_runs_repeat_bit_by_bit() -> None:
    first, again, other = record(5), record(5), record(6)
    assert first[1, -1] - first[1, 0] == pytest.approx(1.0, abs=0.05)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_program_serves_until_its_input_closes(tmp_path: Path) -> None:
    sim = tmp_path / "sim.toml"
    sim.write_text('schema = 1\n[daq]\ndevice = "Rig7"\n', encoding="utf-8")
    rig, truth = tmp_path / "rig.toml", tmp_path / "truth.h5"
    command = [sys.executable, "-m", "simulators", str(sim), "--json", "--until-stdin-closes"]
    command += ["--rig", str(rig), "--truth", str(truth), "--seed", "3"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        ready = json.loads(process.stdout.readline())
        assert ready == {
            "ready": True,
            "daq": ready["daq"],
            "rig": str(rig),
            "truth": str(truth),
        }
        assert tomllib.loads(rig.read_text(encoding="utf-8"))["daq"]["server"] == ready["daq"]
        with connect(ready["daq"]) as channel:
            system = System.remote(nidaqmx.GrpcSessionOptions(channel, ""))
            assert list(system.devices.device_names) == ["Rig7"]
        process.stdin.close()
        assert process.wait(timeout=30) == 0
    assert truth.exists()


def test_a_bad_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sim = tmp_path / "sim.toml"
    sim.write_text("schema = 1\n[daq]\nprot = 3\n", encoding="utf-8")
    assert main([str(sim)]) == 2
    assert f"{sim}:3: daq.prot" in capsys.readouterr().err


def test_a_port_in_use_leaves_nothing_behind() -> None:
    with Lab(SimConfig()) as lab:
        taken = SimConfig()
        port = int(lab.address.rsplit(":", 1)[1])
        taken = taken.model_copy(update={"daq": taken.daq.model_copy(update={"port": port})})
        with pytest.raises(RuntimeError), Lab(taken, clock="realtime"):
            pass
