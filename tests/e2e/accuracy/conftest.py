"""Runs against the truth: what was measured, beside what was there."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sicmctl import client
from sicmctl.cli.laboratory import laboratory_inside
from sicmctl.data.runfile import RunFile, Scan
from simulators.world import Truth

F64 = NDArray[np.float64]

IDEAL = "".join(
    f'[stage.{axis}]\ndrift = "0 m/s"\ndrift_final = "0 m/s"\nthermal = "0 m"\n'
    'vibration = "0 m"\nsensor_noise = "0 m"\n'
    for axis in "xyz"
)
"""A stage without drift, vibration and sensor noise."""


@dataclass
class Measured:
    """A scan and the truth it was measured against; heights in m, one per accepted hop.

    true: z, in the frame of the stage's sensor, at which the noise-free current of the same tip at
    its true place is down by the setpoint.
    """

    run: RunFile
    scan: Scan
    truth: Truth
    setpoint: float
    status: list[str]
    true: F64
    x: F64
    y: F64
    row: NDArray[np.int64]
    column: NDArray[np.int64]

    def column_of(self, name: str) -> F64:
        return np.asarray(self.scan.hops[name])[self._accepted]

    def error(self, method: str = "fit") -> F64:
        """Measured less true, m."""
        return self.column_of(f"height_{method}") - self.true

    def sd(self, method: str = "fit") -> F64:
        """The standard uncertainty that the program states, m."""
        return self.column_of(f"height_{method}_sd")

    @property
    def _accepted(self) -> NDArray[np.bool_]:
        return np.asarray(self.scan.hops["accepted"], dtype=bool)


@pytest.fixture
def measure(tmp_path: Path) -> Callable[[str, str], Measured]:
    """Run a scan, given as the table of an experiment, on a rig, given as SIM.toml."""

    def run(sim: str, scan: str) -> Measured:
        files = {name: tmp_path / name for name in ("sim.toml", "rig.toml", "truth.h5", "run.h5")}
        files["sim.toml"].write_text(f"schema = 1\n{sim}", encoding="utf-8")
        experiment = tmp_path / "experiment.toml"
        text = f'schema = 1\ntitle = "Accuracy"\n[[step]]\n[step.scan]\n{scan}\n'
        experiment.write_text(text, encoding="utf-8")
        with laboratory_inside(files["sim.toml"], files["rig.toml"], files["truth.h5"]):
            result = client.run(files["rig.toml"], experiment, files["run.h5"])
        assert result.outcome.outcome == "done", result.outcome.reason
        return _measured(RunFile(files["run.h5"]), Truth(files["truth.h5"]))

    return run


def _measured(run: RunFile, truth: Truth) -> Measured:
    scan = run.scan()
    hops = scan.hops
    accepted = np.asarray(hops["accepted"], dtype=bool)
    setpoint = scan.settings["setpoint"]
    samples = (np.asarray(hops["first"]) + np.asarray(hops["stop"]))[accepted]
    at = truth.at(samples / 50e3 + _head_start(scan, truth))
    true = truth.setpoint_height(at["tip_x"], at["tip_y"], setpoint) - at["drift_z"]
    names = [str(status) for status in np.asarray(hops["status"])[accepted]]
    return Measured(
        run,
        scan,
        truth,
        setpoint,
        names,
        true,
        at["tip_x"],
        at["tip_y"],
        np.asarray(hops["row"])[accepted],
        np.asarray(hops["column"])[accepted],
    )


def _head_start(scan: Scan, truth: Truth) -> float:
    """Seconds of world time that had passed when the stream's sample 0 was taken.

    Found by laying the sensor's record of one fall over the true one.
    """
    curve = scan.curves(1)["z"].astype(np.float64)
    time = (np.asarray(scan.hops["first"])[1] + np.arange(len(curve))) / 50e3
    stream = truth.stream
    trials = np.arange(0.0, 20e-3, 0.05e-3)
    misses = [
        np.mean((np.interp(time + trial, stream["time"], stream["z"]) - curve) ** 2)
        for trial in trials
    ]
    return float(trials[int(np.argmin(misses))])
