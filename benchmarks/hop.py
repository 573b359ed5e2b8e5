"""How fast and how safely each way of hopping hops over a flat sample on the virtual rig.

    python -m benchmarks.hop [--engines comparator polled] [--speeds 10 100] [--amplitudes 1 2]

`comparator` and `streamed` are sicmctl's engines; `adaptive` is the comparator with adaptive hops;
`polled` is a loop of plain `nidaqmx` calls, as in public scripts (`benchmarks/polled.py`). They run
in lockstep with the modelled host (reaction 1 ms +- 0.3 ms), so that their figures, all in rig time
and by the truth file, do not depend on this computer. `busy` is the streamed engine in real time
while a second process keeps a core busy; its figures do.

hops/s and duty (fall over hop) are medians; `below` is how far below the setpoint the tip went,
its median and its 99.9th percentile (the deepest of fewer than 1000 hops); `sd` the scatter of the
height (fitted; at the stop where polled), `ok` the share of hops whose curve was that of a flat
surface. What the speed rule refuses is not run.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.polled import Axis, polled
from sicmctl import client
from sicmctl.cli.laboratory import Laboratory
from sicmctl.data.runfile import RunFile
from simulators.world import Truth

F64 = NDArray[np.float64]

ENGINES = ("comparator", "adaptive", "streamed", "busy", "polled")
SPEEDS = (10, 30, 100, 300, 500)
AMPLITUDES = (0.5, 1.0, 2.0, 5.0)
_FIRST = 2
"""Hops left out: the first falls from the top of the travel and measures vibration."""
_LEARN = 60
"""Hops after which an adaptive one has learnt."""
_RANGE = 10e-6
"""Travel of the z stage, m: short, so that the first fall is."""

_NEAR = 100e-9
"""Gap below which a fall has come near the sample, m."""
_REFUSED = "refused"

_SIM = """\
schema = 1
[clock]
mode = "{clock}"
[sample]
kind = "flat"
height = "2 um"
[stage.z]
range = "{range} m"
resonance = "{resonance}"
[amplifier]
filter = "{filter}"
"""

_EXPERIMENT = """\
schema = 1
title = "{engine}, {speed} nm/ms, {amplitude} um"
[[step]]
[step.scan]
pattern = "point"
repeats = {hops}
[step.scan.hop]
engine = "{engine}"
adaptive = {adaptive}
fall_rate = "{speed} nm/ms"
amplitude = "{amplitude} um"
setpoint = "{setpoint} %"
"""

_SPIN = """\
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
while True: pass
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table. speed: nm/ms. amplitude: um. setpoint: %. hops: that count."""

    engine: str
    speed: float
    amplitude: float
    setpoint: float
    filter: str
    resonance: str
    hops: int

    @property
    def skipped(self) -> int:
        """Hops made first, that do not count."""
        return _LEARN if self.engine == "adaptive" else _FIRST

    @property
    def sim(self) -> str:
        """SIM.toml."""
        clock = "realtime" if self.engine == "busy" else "lockstep"
        return _SIM.format(clock=clock, range=_RANGE, resonance=self.resonance, filter=self.filter)

    @property
    def experiment(self) -> str:
        """experiment.toml."""
        names = {"busy": "streamed", "adaptive": "comparator"}
        return _EXPERIMENT.format(
            engine=names.get(self.engine, self.engine),
            adaptive=str(self.engine == "adaptive").lower(),
            speed=self.speed,
            amplitude=self.amplitude,
            hops=self.hops + self.skipped,
            setpoint=self.setpoint,
        )


@dataclass(frozen=True, slots=True)
class Record:
    """What a way of hopping knows of its own hops: time (s) and height (m) of each, the time of a
    fall and of a hop (s), and the share of clean curves."""

    time: F64
    height: F64
    fall: float
    period: float
    clean: str = "-"


def measure(case: Case, folder: Path) -> str:
    """Run one case and return its row."""
    sim, rig, truth = (folder / name for name in ("sim.toml", "rig.toml", "truth.h5"))
    sim.write_text(case.sim, encoding="utf-8")
    with (
        busy() if case.engine == "busy" else nullcontext(),
        Laboratory(sim, rig, truth) as laboratory,
    ):
        if case.engine == "polled":
            record = _poll(case, laboratory.addresses["daq"])
        else:
            record = _run(case, rig, folder)
    with Truth(truth) as true:
        if isinstance(record, str):
            return f" {record}; contacts: {len(true.contacts)}"
        return _row(record, true, case)


@contextmanager
def busy() -> Iterator[None]:
    """Keep a core busy; the process ends with its standard input, whatever becomes of this one."""
    with subprocess.Popen([sys.executable, "-c", _SPIN], stdin=subprocess.PIPE) as process:
        try:
            yield
        finally:
            assert process.stdin is not None
            process.stdin.close()


def _poll(case: Case, server: str) -> Record:
    z = Axis(scale=_RANGE / 20, zero=-10.0)
    with polled(server, z, top=_RANGE / 2) as loop:
        found = loop.run(
            case.hops + case.skipped, case.speed * 1e-6, case.amplitude * 1e-6, case.setpoint / 100
        )
    return Record(found.time, found.height, found.fall, found.period)


def _run(case: Case, rig: Path, folder: Path) -> Record | str:
    """Run sicmctl's own engines; if there is nothing to measure, why."""
    experiment, run = folder / "experiment.toml", folder / "run.h5"
    experiment.write_text(case.experiment, encoding="utf-8")
    outcome = client.run(rig, experiment, run).outcome
    if "highest safe fall rate is " in outcome.reason:
        highest = outcome.reason.split("highest safe fall rate is ")[1].split(" (")[0]
        return f"{_REFUSED}: highest safe fall rate {highest}"
    if outcome.outcome != "done":
        return f"{outcome.outcome}: {outcome.reason}"
    with RunFile(run) as file:
        hops, rate = file.scan().hops, file.info.rate
        later = slice(case.skipped, None)
        return Record(
            time=(np.asarray(hops["first"]) + np.asarray(hops["stop"])) / rate,
            height=np.asarray(hops["height_fit"]),
            fall=float(np.median(np.asarray(hops["timing_approach"])[later])),
            period=float(np.median(np.diff(np.asarray(hops["time"])[later]))),
            clean=f"{np.mean(np.asarray(hops['status'])[later] == 'ok'):.0%}",
        )


def _row(record: Record, truth: Truth, case: Case) -> str:
    at = truth.at(record.time)
    true = truth.setpoint_height(at["x"], at["y"], case.setpoint / 100)
    setpoint = float(np.median(true - truth.sample.height(at["x"], at["y"])))
    falls = truth.falls(below=_NEAR)
    if len(falls) > case.skipped:  # a tip that hardly leaves the sample makes few falls
        falls = falls[case.skipped :]
    below = (setpoint - falls) * 1e9
    error = (record.height - true + at["drift_z"])[case.skipped :] * 1e9
    contacts = truth.contacts
    return (
        f"{1 / record.period:7.1f} {record.fall / record.period:6.2f} {np.median(below):7.1f} "
        f"{np.quantile(below, 0.999 if len(below) >= 1000 else 1.0):7.1f} {np.nanstd(error):7.2f} "
        f"{record.clean:>5} {len(contacts):9d} {int(np.sum(contacts['broke'])):7d}"
    )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--speeds", nargs="+", type=float, default=SPEEDS, help="nm/ms")
    parser.add_argument("--amplitudes", nargs="+", type=float, default=AMPLITUDES, help="um")
    parser.add_argument("--hops", type=int, default=60, help="that count, in each row")
    parser.add_argument("--setpoint", type=float, default=2.0, help="%%")
    parser.add_argument("--filter", default="5 kHz", help="low-pass of the amplifier")
    parser.add_argument("--resonance", default="2 kHz", help="of the z stage")
    return parser.parse_args()


def main() -> None:
    """Print the table."""
    asked = _asked()
    print(
        f"flat sample, setpoint {asked.setpoint:g} %, filter {asked.filter}, z stage of "
        f"{asked.resonance}, {asked.hops} hops a row"
    )
    print(
        f"{'engine':<11}{'nm/ms':>6}{'um':>5} {'hops/s':>7} {'duty':>6} {'below':>7} {'most':>7} "
        f"{'sd nm':>7} {'ok':>5} {'contacts':>9} {'breaks':>7}"
    )
    for engine in asked.engines:
        for speed in asked.speeds:
            for amplitude in asked.amplitudes:
                case = Case(
                    engine, speed, amplitude, asked.setpoint, asked.filter, asked.resonance,
                    asked.hops,
                )  # fmt: skip
                print(f"{engine:<11}{speed:>6g}{amplitude:>5g} ", end="", flush=True)
                with tempfile.TemporaryDirectory() as folder:
                    row = measure(case, Path(folder))
                print(row, flush=True)
                if row.lstrip().startswith(_REFUSED):
                    break  # the rule does not depend on the amplitude


if __name__ == "__main__":
    main()
