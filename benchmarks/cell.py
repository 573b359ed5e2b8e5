"""Virtual cells behind a potentiostat's front end: how much faster than real time they run.

    python benchmarks/cell.py [simulated seconds per row]

The cell alone at its step, then through the front end with a reading every 0.1 s (20 ms averaged).
"""

import sys
from time import perf_counter

from simulators.cellconfig import (
    CellConfig,
    GraphiteCell,
    NcmCell,
    PotentiostatConfig,
    RandlesCell,
    RcCell,
)
from simulators.cellport import Control
from simulators.clocks import FreeClock
from simulators.frontend import FrontEnd
from simulators.world.cell import make_cell

PERIOD = 0.1
CELLS: tuple[CellConfig, ...] = (RcCell(), RandlesCell(), GraphiteCell(), NcmCell())


def main(seconds: float = 2000.0) -> None:
    """Print the table."""
    print(f"{'cell':10}{'program':26}{'x real time':>12}{'us per step':>13}")
    for config in CELLS:
        alone(config, seconds)
        ramp(config, seconds)
        staircase(config, seconds, 0.3e-3)
        staircase(config, seconds / 10, 10e-3)
        galvanostatic(config, seconds)


def alone(config: CellConfig, seconds: float) -> None:
    """The cell's own steps."""
    cell, count = make_cell(config), round(seconds / PERIOD)
    cell.step(PERIOD, Control.CURRENT, 0.0, -1e-4)  # compiled by now
    begin = perf_counter()
    for _ in range(count):
        cell.step(PERIOD, Control.CURRENT, -1e-4, -1e-4)
    line(config.kind, "cell alone, 0.1 s steps", perf_counter() - begin, count)


def ramp(config: CellConfig, seconds: float) -> None:
    """An analog ramp of 0.3 mV/s."""
    port, count = started(config), round(seconds / PERIOD)
    port.control(Control.POTENTIAL, 1.0, slope=-0.3e-3)
    begin = perf_counter()
    for n in range(1, count):
        port.read(n * PERIOD, 0.02)
    line(config.kind, "ramp 0.3 mV/s", perf_counter() - begin, count)


def staircase(config: CellConfig, seconds: float, rate: float) -> None:
    """Steps of 1 mV, read every 0.1 s and at the end of each."""
    port, tread = started(config), 1e-3 / rate
    count, reads = round(seconds / tread), max(1, round(tread / PERIOD))
    begin = perf_counter()
    for n in range(1, count):
        port.control(Control.POTENTIAL, 1.0 - 1e-3 * n)
        for k in range(1, reads + 1):
            port.read((n + k / reads) * tread, 0.02)
    name = f"staircase {rate * 1e3:g} mV/s, 1 mV"
    line(config.kind, name, perf_counter() - begin, count * reads, tread / reads)


def galvanostatic(config: CellConfig, seconds: float) -> None:
    """Charge and discharge, an hour each way."""
    port, count = started(config), round(seconds / PERIOD)
    begin = perf_counter()
    for n in range(1, count):
        if n % 36_000 == 1:
            port.control(Control.CURRENT, 1e-4 if n // 36_000 % 2 else -1e-4)
        port.read(n * PERIOD, 0.02)
    line(config.kind, "galvanostatic", perf_counter() - begin, count)


def started(config: CellConfig) -> FrontEnd:
    """A front end on a fresh cell, at 1 V."""
    port = FrontEnd(make_cell(config), PotentiostatConfig(), FreeClock())
    port.control(Control.POTENTIAL, 1.0)
    port.read(0.0)
    return port


def line(kind: str, program: str, elapsed: float, count: int, period: float = PERIOD) -> None:
    """Print one row."""
    speed = count * period / elapsed
    print(f"{kind:10}{program:26}{speed:12,.0f}{elapsed / count * 1e6:13.1f}")


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:]))
