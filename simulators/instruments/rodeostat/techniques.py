"""The voltammetric tests: their parameters and their waveforms.

Potentials are in V, times in ms, as on the wire.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil, pi, sin
from typing import Any

Values = Mapping[str, Any]
"""Parameters of a test by their names on the wire."""

QUIET = {"quietValue": 0.0, "quietTime": 0}
_PERIODIC = {"amplitude": 1.0, "offset": 0.0, "period": 1000, "numCycles": 10, "shift": 0.0}
_SINE_STEP = 1.0
"""ms of a sine that are taken for straight."""


@dataclass(frozen=True)
class Technique:
    """A test as data.

    defaults: whole numbers are times or counts, the others potentials or fractions. value: V at
    a time after the quiet time. duration: ms, given the sample period. bounds: lowest and highest
    potential. corners: times between two others where the waveform is not straight.
    """

    name: str
    defaults: Mapping[str, Any]
    value: Callable[[Values, float], float]
    duration: Callable[[Values, int], float]
    bounds: Callable[[Values], tuple[float, float]]
    corners: Callable[[Values, float, float], Iterator[float]] = lambda values, start, end: iter(())

    def lasts(self, values: Values, period: int) -> float:
        """ms with the quiet time."""
        return values["quietTime"] + self.duration(values, period)

    def at(self, values: Values, time: float) -> float:
        """V at a time (ms) since the start."""
        after = time - values["quietTime"]
        return values["quietValue"] if after < 0 else self.value(values, after)


def _cyclic(values: Values, time: float) -> float:
    period, amplitude = values["period"], values["amplitude"]
    phase = (time + int(values["shift"] * period)) % period
    rise = phase if phase < period / 2 else period - phase
    return 4 * amplitude * rise / period + values["offset"] - amplitude


def _turns(values: Values, start: float, end: float) -> Iterator[float]:
    half = values["period"] / 2
    shift = int(values["shift"] * values["period"])
    place = ceil((start + shift) / half) * half - shift
    while place < end:
        yield place
        place += half


def _sinusoid(values: Values, time: float) -> float:
    phase = (time / values["period"] + values["shift"]) % 1
    return values["amplitude"] * sin(2 * pi * phase) + values["offset"]


def _often(values: Values, start: float, end: float) -> Iterator[float]:
    count = ceil((end - start) / _SINE_STEP)
    yield from (start + (end - start) * index / count for index in range(1, count))


def _cycles(values: Values, period: int) -> float:
    return values["numCycles"] * values["period"]


def _swing(values: Values) -> tuple[float, float]:
    size = abs(values["amplitude"])
    return values["offset"] - size, values["offset"] + size


def _linear(values: Values, time: float) -> float:
    start, final = values["startValue"], values["finalValue"]
    if not values["duration"]:
        return final
    return start + (final - start) * time / values["duration"]


def _between(values: Values) -> tuple[float, float]:
    ends = values["startValue"], values["finalValue"], values["quietValue"]
    return min(ends), max(ends)


def _steps(values: Values, time: float) -> float:
    end = 0
    for duration, potential in values["step"]:
        end += duration
        if time <= end:
            return potential
    return 0.0


def _edges(values: Values, start: float, end: float) -> Iterator[float]:
    edge = 0
    for duration, _ in values["step"]:
        edge += duration
        if start < edge < end:
            yield edge


def _total(values: Values, period: int) -> float:
    return sum(duration for duration, _ in values["step"])


def _step_bounds(values: Values) -> tuple[float, float]:
    potentials = [potential for _, potential in values["step"]] or [0.0]
    return min(potentials), max(potentials)


def stair(values: Values, time: float, period: int) -> float:
    """V of a square wave's staircase at a time (ms) since the start."""
    start, final = values["startValue"], values["finalValue"]
    after = time - values["quietTime"]
    if after < 0:
        return values["quietValue"]
    step = values["stepValue"] if start <= final else -values["stepValue"]
    value = start + int(after // period) * step
    return min(max(value, min(start, final)), max(start, final))


def _stair_duration(values: Values, period: int) -> float:
    step = values["stepValue"]
    if step <= 0:
        return 0
    return (ceil(abs(values["finalValue"] - values["startValue"]) / step) + 1) * period


def _stair_bounds(values: Values) -> tuple[float, float]:
    low, high = _between(values)
    return low - abs(values["amplitude"]), high + abs(values["amplitude"])


def _stepped(name: str, count: int) -> Technique:
    steps = [[1000, 0.5 if index % 2 == 0 else -0.5] for index in range(count)]
    return Technique(name, QUIET | {"step": steps}, _steps, _total, _step_bounds, _edges)


TECHNIQUES = {
    technique.name: technique
    for technique in (
        Technique("cyclic", QUIET | _PERIODIC, _cyclic, _cycles, _swing, _turns),
        Technique("sinusoid", QUIET | _PERIODIC, _sinusoid, _cycles, _swing, _often),
        Technique(
            "constant",
            QUIET | {"value": 1.0, "duration": 5000},
            lambda values, time: values["value"],
            lambda values, period: values["duration"],
            lambda values: (
                min(values["value"], values["quietValue"]),
                max(values["value"], values["quietValue"]),
            ),
        ),
        Technique(
            "squareWave",
            QUIET
            | {"startValue": -0.5, "finalValue": 0.5, "stepValue": 0.005}
            | {"amplitude": 0.025, "window": 0.2},
            lambda values, time: stair(values, time + values["quietTime"], 1),
            _stair_duration,
            _stair_bounds,
        ),
        Technique(
            "linearSweep",
            QUIET | {"startValue": -0.5, "finalValue": 0.5, "duration": 2000},
            _linear,
            lambda values, period: values["duration"],
            _between,
        ),
        _stepped("chronoamp", 2),
        _stepped("multiStep", 5),
    )
}
"""By name, in the order in which the firmware lists them."""

MOST_STEPS = 50
"""Of a test with steps."""
