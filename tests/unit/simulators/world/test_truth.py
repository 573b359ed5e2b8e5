from pathlib import Path

import numpy as np
import pytest

from simulators.config import SampleConfig, SimConfig
from simulators.world import Truth, World


@pytest.fixture
def noisy() -> SimConfig:
    return SimConfig(sample=SampleConfig(kind="flat", rq=0.0, points=16))


def test_the_stream_reads_back(noisy: SimConfig, drive, tmp_path: Path):
    with World(noisy, 5, truth=tmp_path / "truth.h5") as world:
        for z in np.linspace(9e-6, 8.1e-6, 10):
            world.run(drive(np.full(1000, z)), 2000)
        world.set("pipette.clog", "10 %")
        position, time = world.tip_position, world.time * 1e-8
    with Truth(tmp_path / "truth.h5") as truth:
        assert truth.seed == 5
        assert truth.config.sample.kind == "flat"
        stream = truth.stream
        assert stream["time"] == pytest.approx(np.arange(1, 201) * 1e-3)
        at = truth.at(time)
        assert [at[f"tip_{axis}"] for axis in "xyz"] == pytest.approx(position, abs=1e-15)
        rim = stream["z"] + stream["drift_z"] + stream["vibration_z"] - 8e-6
        assert stream["gap"] == pytest.approx(rim, abs=1e-12)
        assert stream["current"][-1] == pytest.approx(3.2e-9, rel=0.05)
        assert stream["vibration_z"].std() == pytest.approx(0.5e-9, rel=0.4)
        assert truth.events == [(time, "pipette.clog", "0.1")]
        flat = truth.setpoint_height([50e-6, 55e-6], 50e-6, 0.02)
        assert flat == pytest.approx(8e-6 + 39.6e-9, abs=0.5e-9)


def test_between_nodes_drift_is_exact(noisy: SimConfig, drive, tmp_path: Path):
    with World(noisy, 5, truth=tmp_path / "truth.h5") as world:
        world.run(drive(np.full(1013, 9e-6)), 2000)
        x, time = world.tip_position[0] - world._state.axes[0, 0], world.time * 1e-8
        world.run(drive(np.full(500, 9e-6)), 2000)
    with Truth(tmp_path / "truth.h5") as truth:
        at = truth.at([time])
        assert at["drift_x"] + at["vibration_x"] == pytest.approx(x, abs=1e-16)


def test_roughness_of_a_scanned_patch(tmp_path: Path):
    with World(SimConfig(), 1, truth=tmp_path / "truth.h5"):
        pass
    with Truth(tmp_path / "truth.h5") as truth:
        axis = 40e-6 + np.arange(128) / 128 * 20e-6
        assert truth.rq(axis, axis) == pytest.approx(1.30e-6, rel=0.01)
        inside = truth.setpoint_height(axis[:5, None], axis[None, :4], 0.02)
        assert inside.shape == (5, 4)
        assert np.all(inside > truth.sample.height(axis[:5, None], axis[None, :4]))


def test_falls_are_told_apart(noisy: SimConfig, drive, tmp_path: Path):
    """Two falls that end 40 and 30 nm above the sample, a way down that does not come near, and
    one that is not over."""
    still = noisy.ideal_stage()
    turns = np.repeat([9.0, 8.04, 9.0, 8.03, 9.0, 8.3, 9.0, 8.05], 2) * 1e-6
    way = np.interp(np.arange(8000), np.cumsum([0, *[200, 800] * 7, 200]), turns)
    with World(still, 5, truth=tmp_path / "truth.h5") as world:
        world.run(drive(way), 2000)
    with Truth(tmp_path / "truth.h5") as truth:
        assert truth.falls() == pytest.approx([40e-9, 30e-9, 50e-9], abs=1e-9)
        assert len(truth.falls(below=500e-9)) == 4
        assert len(truth.falls(below=10e-9)) == 0
