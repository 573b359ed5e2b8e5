"""How fast and how safely each hop engine hops over a flat sample on the virtual rig.

    python benchmarks/hop.py [--hops 30] [--filter "5 kHz"] [--setpoint "2 %"]

One row for each engine, fall rate and amplitude, in lockstep with the modelled host (reaction 1 ms
+- 0.3 ms). All figures are in rig time, so that they do not depend on this computer: hops per
second, duty (approach time over hop time), how far below the setpoint the tip came to rest (median
and largest), the scatter of the fitted height, contacts and breaks. What the speed rule refuses is
not run.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sicmctl import client
from sicmctl.cli.laboratory import Laboratory
from sicmctl.data.runfile import RunFile
from simulators.world import Truth

ENGINES = ("comparator", "streamed")
SPEEDS = (10, 30, 100, 300, 500)
AMPLITUDES = (0.5, 1.0, 2.0, 5.0)

_SIM = """\
schema = 1
[sample]
kind = "flat"
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
fall_rate = "{speed} nm/ms"
amplitude = "{amplitude} um"
setpoint = "{setpoint}"
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table."""

    engine: str
    speed: int
    amplitude: float
    setpoint: str
    filter: str
    hops: int


def measure(case: Case, folder: Path) -> str:
    """Run one case and return its row."""
    names = ("sim.toml", "rig.toml", "truth.h5", "run.h5", "experiment.toml")
    sim, rig, truth, run, experiment = (folder / name for name in names)
    sim.write_text(_SIM.format(filter=case.filter), encoding="utf-8")
    text = _EXPERIMENT.format(
        engine=case.engine,
        speed=case.speed,
        amplitude=case.amplitude,
        hops=case.hops,
        setpoint=case.setpoint,
    )
    experiment.write_text(text, encoding="utf-8")
    with Laboratory(sim, rig, truth):
        outcome = client.run(rig, experiment, run).outcome
    if "highest safe fall rate is" in outcome.reason:
        highest = outcome.reason.split("highest safe fall rate is ")[1].split(" (")[0]
        return f"refused: highest safe fall rate {highest}"
    if outcome.outcome != "done":
        return f"{outcome.outcome}: {outcome.reason}"
    with RunFile(run) as file, Truth(truth) as true:
        return _row(file, true)


def _row(file: RunFile, truth: Truth) -> str:
    scan = file.scan()
    hops = scan.hops
    later = slice(2, None)  # the first falls from the top of the travel and measures vibration
    time = np.asarray(hops["time"])
    period = float(np.median(np.diff(time[later])))
    duty = float(np.median(np.asarray(hops["timing_approach"])[later])) / period
    at = truth.at((np.asarray(hops["first"]) + np.asarray(hops["stop"])) / 50e3)
    surface = truth.setpoint_height(at["tip_x"], at["tip_y"], scan.settings["setpoint"])
    surface -= at["drift_z"]
    deep = (surface - np.asarray(hops["z_stop"]))[later] * 1e9
    error = (np.asarray(hops["height_fit"]) - surface)[later] * 1e9
    contacts = truth.contacts
    return (
        f"{1 / period:7.1f} {duty:6.2f} {np.median(deep):9.1f} {np.max(deep):8.1f} "
        f"{np.nanstd(error):8.2f} {len(contacts):9d} {int(np.sum(contacts['broke'])):7d}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--hops", type=int, default=30, help="hops per row")
    parser.add_argument("--filter", default="5 kHz", help="low-pass of the amplifier")
    parser.add_argument("--setpoint", default="2 %")
    asked = parser.parse_args()
    print(f"flat sample, setpoint {asked.setpoint}, filter {asked.filter}, {asked.hops} hops a row")
    print(
        f"{'engine':<11}{'nm/ms':>6}{'um':>6}  {'hops/s':>7} {'duty':>6} {'below nm':>9} "
        f"{'most nm':>8} {'sd nm':>8} {'contacts':>9} {'breaks':>7}"
    )
    for engine in ENGINES:
        for speed in SPEEDS:
            for amplitude in AMPLITUDES:
                case = Case(engine, speed, amplitude, asked.setpoint, asked.filter, asked.hops)
                with tempfile.TemporaryDirectory() as folder:
                    row = measure(case, Path(folder))
                print(f"{engine:<11}{speed:>6}{amplitude:>6}  {row}", flush=True)
                if row.startswith("refused"):
                    break  # the rule does not depend on the amplitude


if __name__ == "__main__":
    main()
