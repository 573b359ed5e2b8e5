"""Galvanostatic cycling of the graphite electrode: how much faster than real time, and how flat.

    python benchmarks/cycling.py [model of potentiostat] [cycles]

One cycle takes some 10 h of the cell's time, a sample a second. The virtual instrument runs in a
process of its own. First the driver alone, then a whole run with journal and run file. Growth is
that of this process's greatest resident memory from the first tenth of the samples to the end.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, perf_counter

from sicmctl import client, echem
from sicmctl.config.load import load_experiment, load_rig
from sicmctl.engine.rig import Rig
from sicmctl.hal.potentiostat import CellSamples
from sicmctl.hal.timeline import Stamp
from sicmctl.messages import AnyMessage, EchemBlock

try:
    import resource
except ImportError:  # Windows
    resource = None

SIM = """schema = 1
[cell]
kind = "graphite"
[potentiostat]
model = "{model}"
"""
EXPERIMENT = """schema = 1
title = "Cycling"
[[step]]
[step.echem]
technique = "gcpl"
capacity = "0.19 mAh"
current = "C/5"
lower = "5 mV"
upper = "1.5 V"
first = "discharge"
cycles = {cycles}
interval = "1 s"
"""
HOURS = 10
"""Of a cycle, about."""


def main(model: str = "emstat4-hr", cycles: str = "1") -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        experiment = folder / "experiment.toml"
        experiment.write_text(EXPERIMENT.format(cycles=cycles), encoding="utf-8")
        print(f"{'':14}{'hours':>8}{'samples':>10}{'s':>8}{'x real time':>13}{'growth, MB':>12}")
        with laboratory(folder, model) as rig:
            line("driver", *driver(rig, experiment))
        with laboratory(folder, model) as rig:
            line("whole run", *whole(rig, experiment, folder / "run.h5"))


@contextmanager
def laboratory(folder: Path, model: str) -> Iterator[Path]:
    """Serve the virtual instrument; yields its rig.toml."""
    sim, rig = folder / "sim.toml", folder / "rig.toml"
    sim.write_text(SIM.format(model=model), encoding="utf-8")
    command = [sys.executable, "-m", "simulators", str(sim), "--rig", str(rig)]
    process = subprocess.Popen(
        [*command, "--json", "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    try:
        assert json.loads(process.stdout.readline())["ready"]
        yield rig
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


class Watch:
    """Counts samples and looks at the memory: peak (MB) when a tenth was there, and now."""

    def __init__(self) -> None:
        self.samples, self.time = 0, [0.0, 0.0]
        self.early = 0.0
        self.expected = HOURS * 3600 / 10

    def see(self, count: int, first: float, last: float) -> None:
        if not self.samples:
            self.time[0] = first
        if self.samples < self.expected:
            self.early = peak()
        self.samples, self.time[1] = self.samples + count, last

    @property
    def result(self) -> tuple[float, int, float]:
        """Hours, samples, growth (MB)."""
        return (self.time[1] - self.time[0]) / 3600, self.samples, peak() - self.early


def driver(rig: Path, experiment: Path) -> tuple[tuple[float, int, float], float]:
    """Run the program through the driver and its limits alone."""
    watch, begin = Watch(), perf_counter()
    technique = load_experiment(experiment).model.step[0].echem
    assert technique is not None
    with Rig.open(load_rig(rig)) as opened:
        potentiostat = opened.potentiostat
        assert potentiostat is not None
        program = echem.build(technique, potentiostat.read()[0])
        for item in potentiostat.run(program, lambda: Stamp(monotonic())):
            if isinstance(item, CellSamples) and len(item):
                watch.see(len(item), float(item.time[0]), float(item.time[-1]))
    return watch.result, perf_counter() - begin


def whole(rig: Path, experiment: Path, out: Path) -> tuple[tuple[float, int, float], float]:
    """What `sicmctl run` does."""
    watch, begin = Watch(), perf_counter()

    def see(message: AnyMessage) -> None:
        if isinstance(message, EchemBlock):
            times = message.times.numpy()
            watch.see(len(times), float(times[0]), float(times[-1]))

    client.run(rig, experiment, out, see)
    return watch.result, perf_counter() - begin


def peak() -> float:
    """Greatest resident memory so far, MB; NaN where the system does not tell."""
    if resource is None:
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def line(name: str, result: tuple[float, int, float], elapsed: float) -> None:
    """Print one row."""
    hours, samples, growth = result
    speed = hours * 3600 / elapsed
    print(f"{name:14}{hours:8.2f}{samples:10}{elapsed:8.1f}{speed:13,.0f}{growth:12.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
