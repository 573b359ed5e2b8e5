"""Steps of a program as the firmware's tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from sicmctl.hal.cell import AnyStep, Cycles, HoldPotential, Sweep

MOST_PERIOD = 1000
"""Longest sample period, ms; of longer intervals every so manieth sample is kept."""


@dataclass(frozen=True)
class Waveform:
    """A test, its parameters on the wire (V, ms), and its sample period, ms.

    every: of how many samples one is kept. cycle: number of the first. period: ms of a cycle; 0
    if all samples belong to the first.
    """

    name: str
    parameters: dict[str, float | int]
    sample_period: int
    every: int = 1
    cycle: int = 0
    period: int = 0

    def cycle_at(self, time: float) -> int:
        """Return the number of the cycle to which a sample at `time` s belongs."""
        return self.cycle + (ceil(round(time * 1e3) / self.period) - 1 if self.period else 0)


def waveforms(step: AnyStep) -> Iterator[Waveform]:
    """Yield what a step is run as: one test, or a test a sweep for cycles of another shape."""
    match step:
        case HoldPotential():
            e = float(step.potential)  # the firmware is particular about whole numbers
            values = {"quietValue": e, "value": e, "duration": _ms(step.duration)}
            yield _test("constant", values, step.interval)
        case Sweep():
            yield _sweep(step)
        case Cycles(start=start, first=first, second=second):
            if min(first, second) <= start <= max(first, second) and first != second:
                yield _cyclic(step)
            else:
                for cycle in range(step.count):
                    yield from (_sweep(sweep, cycle) for sweep in step.sweeps())
        case _:
            raise AssertionError(f"{step} is no test")


def _sweep(step: Sweep, cycle: int = 0) -> Waveform:
    start, stop = float(step.start), float(step.stop)
    ends = {"quietValue": start, "startValue": start, "finalValue": stop}
    return _test("linearSweep", ends | {"duration": _ms(step.duration)}, step.interval, cycle)


def _cyclic(step: Cycles) -> Waveform:
    """The firmware's triangle begins at its lower vertex, rising; `shift` is a share of it."""
    low, high = sorted((step.first, step.second))
    rise = (step.start - low) / (high - low)
    shift = 0.5 * rise if step.first == high else 1 - 0.5 * rise
    period = _ms(2 * (high - low) / step.rate)
    values: dict[str, float | int] = {
        "quietValue": float(step.start),
        "amplitude": 0.5 * (high - low),
        "offset": 0.5 * (high + low),
        "period": period,
        "numCycles": step.count,
        "shift": shift % 1,
    }
    return _test("cyclic", values, step.interval, period=period)


def _test(
    name: str, values: dict[str, float | int], interval: float, cycle: int = 0, period: int = 0
) -> Waveform:
    every = ceil(_ms(interval) / MOST_PERIOD)
    parameters = values | {"quietTime": 0}
    return Waveform(name, parameters, max(1, round(interval * 1e3 / every)), every, cycle, period)


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1e3))
