"""What the steps of a program need of an instrument's modes."""

from collections.abc import Iterator, Sequence
from math import log

from sicmctl.hal.cell import (
    AnyStep,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Open,
    Repeat,
    Sweep,
    potentials,
)

from .kinds import Kind, Mode

_MOST_FREQUENCIES = 200


def flat(steps: Sequence[AnyStep | Repeat]) -> Iterator[AnyStep]:
    """Every step once, repeats not unrolled."""
    for step in steps:
        if isinstance(step, Repeat):
            yield from flat(step.body)
        else:
            yield step


def depth(steps: Sequence[AnyStep | Repeat]) -> int:
    """How many repeats lie within each other."""
    return max((1 + depth(step.body) for step in steps if isinstance(step, Repeat)), default=0)


def potentiostatic(steps: Sequence[AnyStep]) -> list[AnyStep]:
    """Those that control the potential."""
    return [step for step in steps if not isinstance(step, HoldCurrent | Open)]


def common_mode(kind: Kind, steps: Sequence[AnyStep]) -> Mode | None:
    """The first mode in which all those of the steps that control the potential can be run."""
    controlled = potentiostatic(steps)
    if not controlled:
        return kind.modes[-1]
    low, high = extremes(controlled)
    top = max(map(fastest, controlled))
    return next((mode for mode in kind.modes if mode.allows(low, high, top)), None)


def extremes(steps: Sequence[AnyStep]) -> tuple[float, float]:
    """Lowest and highest potential of steps that control it, V."""
    applied = [e for step in steps for e in potentials(step)]
    return min(applied), max(applied)


def fastest(step: AnyStep) -> float:
    """Highest frequency of a step's sines, Hz; 0 without."""
    return max(step.frequencies, default=0.0) if isinstance(step, Impedance) else 0.0


def first(step: AnyStep) -> float:
    """What is held when a step begins, V or A."""
    match step:
        case HoldPotential() | Impedance():
            return step.potential
        case Sweep() | Cycles():
            return step.start
        case HoldCurrent():
            return step.current
        case Open():
            raise AssertionError("nothing is held at open circuit")


def logarithmic_runs(frequencies: Sequence[float]) -> Iterator[Sequence[float]]:
    """Cut frequencies into runs that lie evenly on a logarithmic scale."""
    begin = 0
    while begin < len(frequencies):
        end = min(begin + 2, len(frequencies))
        while (
            end < len(frequencies)
            and end - begin < _MOST_FREQUENCIES
            and _even(frequencies[end - 2 : end + 1], frequencies[begin : begin + 2])
        ):
            end += 1
        yield frequencies[begin:end]
        begin = end


def _even(three: Sequence[float], first_two: Sequence[float]) -> bool:
    ratio = log(first_two[1] / first_two[0])
    return abs(log(three[2] / three[1]) - ratio) < 1e-6 * max(1.0, abs(ratio))
