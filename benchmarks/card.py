"""What one call of the virtual card costs, its client included: `python -m benchmarks.card`.

A virtual rig in lockstep in a process of its own, NI's client in this one. Prints the median and
the 10th percentile of the wall time of each call, and a checksum of all that was read: the same
before and after a change of the card that only makes it faster.
"""

import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from drivers.nidaqmx import NidaqmxDaq, Options
from sicmctl.hal.capabilities import Pause

ROUNDS, READS = 60, 20
SHORT, LONG = 60, 2000
"""Samples of a look at a fall, and of a waveform."""
SIM = 'schema = 1\nseed = 1\n[sample]\nkind = "graphite"\n'
INPUTS = {
    "pipette_current": "ai0",
    "z_sensor": "ai1",
    "x_sensor": "ai2",
    "y_sensor": "ai3",
    "gain_telegraph": "ai4",
    "filter_telegraph": "ai5",
    "mode_telegraph": "ai6",
    "z_command": "_ao3_vs_aognd",
    "x_command": "_ao1_vs_aognd",
}


class Times:
    """Wall times (s) of calls by name."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def call(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call and remember how long it took."""
        start = perf_counter()
        result = function(*arguments)
        self._seconds[name].append(perf_counter() - start)
        return result

    def print(self) -> None:
        """Print the table."""
        print(f"{'call':28} {'calls':>6} {'median ms':>10} {'p10 ms':>8} {'calls/s':>8}")
        for name, seconds in self._seconds.items():
            median, low = statistics.median(seconds), float(np.quantile(seconds, 0.1))
            print(
                f"{name:28} {len(seconds):6d} {1e3 * median:10.3f} {1e3 * low:8.3f} "
                f"{1 / median:8.0f}"
            )


@contextmanager
def served() -> Iterator[str]:
    """The address of a virtual card in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        sim = Path(folder) / "sim.toml"
        sim.write_text(SIM, encoding="utf-8")
        command = [sys.executable, "-m", "simulators", str(sim), "--json", "--until-stdin-closes"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin and process.stdout
            yield json.loads(process.stdout.readline())["daq"]
            process.stdin.close()


def main() -> None:
    """Hop without looking: up and down above the sample, armed and not, reading all the while."""
    times, seen = Times(), hashlib.sha256()
    start = perf_counter()
    with served() as address:
        print(f"rig ready after {perf_counter() - start:.1f} s")
        daq = NidaqmxDaq(
            Options.model_validate(
                {"server": address, "inputs": INPUTS, "comparator": {"pipette_current": "APFI0"}}
            )
        )
        generator = daq.generator(["ao1", "ao2", "ao3"])
        daq.output("ao0").write(7.0)
        daq.start()
        z = 9.0 + 0.5 * np.sin(np.linspace(0, 2 * np.pi, LONG))
        path = np.vstack((np.zeros(LONG), np.zeros(LONG), z))
        for number in range(ROUNDS):
            pause = Pause("pipette_current", 0.1 + 1e-4 * number, 0.01) if number % 2 else None
            times.call(f"play 3 x {LONG}", generator.play, path, pause)
            for _ in range(READS):
                block = times.call(f"read {SHORT} x {len(INPUTS)}", daq.read, SHORT)
                seen.update(block.volts.tobytes())
            times.call("generated", generator.generated)
            block = times.call(f"read {LONG} x {len(INPUTS)}", daq.read, LONG)
            seen.update(block.volts.tobytes())
            times.call("halt", generator.halt)
        daq.stop()
        daq.close()
    times.print()
    print(f"checksum of all samples {seen.hexdigest()[:16]}")


if __name__ == "__main__":
    main()
