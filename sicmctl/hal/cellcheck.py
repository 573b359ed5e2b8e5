"""Refuses a program that an instrument or a rig cannot or may not run, before the cell is on."""

from collections.abc import Iterable, Iterator

from .cell import (
    AnyStep,
    CellProgram,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Open,
    Repeat,
    Sweep,
)
from .errors import LimitExceeded, NotSupported
from .limits import Interval
from .potentiostat import CellLimits
from .quantity import show

_NAMES: dict[type[AnyStep], str] = {
    Open: "open circuit",
    HoldPotential: "a held potential",
    HoldCurrent: "a held current",
    Sweep: "a potential sweep",
    Cycles: "cyclic voltammetry",
    Impedance: "an impedance spectrum",
}


def check(program: CellProgram, limits: CellLimits, instrument: str) -> None:
    """Raise LimitExceeded or NotSupported if any step lies outside the limits; say which."""
    for number, step in enumerate(_once(program.steps)):
        _check_step(step, limits, instrument, f"step {number + 1} ({_NAMES[type(step)]})")
    wanted = program.current_range
    if wanted is not None and wanted > limits.ranges[-1] * (1 + 1e-9):
        raise LimitExceeded(
            instrument,
            "current range",
            f"{show(wanted, 'A')} lies above its highest range, {show(limits.ranges[-1], 'A')}",
            "lower current_range",
        )


def _once(steps: Iterable[AnyStep | Repeat]) -> Iterator[AnyStep]:
    """Every step once, repeats not unrolled."""
    for step in steps:
        if isinstance(step, Repeat):
            yield from _once(step.body)
        else:
            yield step


def _check_step(step: AnyStep, limits: CellLimits, instrument: str, command: str) -> None:
    if type(step) not in limits.steps:
        can = ", ".join(sorted(_NAMES[kind] for kind in limits.steps))
        raise NotSupported(
            instrument, command, f"it cannot do {_NAMES[type(step)]}", f"it can do: {can}"
        )
    for potential in _potentials(step):
        limits.potential.check(potential, "potential", instrument, command)
    if isinstance(step, HoldCurrent):
        limits.current.check(step.current, "current", instrument, command)
    if isinstance(step, Sweep | Cycles):
        limits.rate.check(step.rate, "sweep rate", instrument, command)
        _check_tread(step, limits, instrument, command)
    if isinstance(step, Impedance):
        _check_frequencies(step, limits.frequency, instrument, command)
    else:
        limits.interval.check(step.interval, "sample interval", instrument, command)


def _potentials(step: AnyStep) -> tuple[float, ...]:
    match step:
        case HoldPotential():
            return (step.potential,)
        case Sweep():
            return (step.start, step.stop)
        case Cycles():
            return (step.start, step.first, step.second)
        case Impedance():
            return (step.potential - step.amplitude, step.potential + step.amplitude)
        case _:
            return ()


def _check_tread(step: Sweep | Cycles, limits: CellLimits, instrument: str, command: str) -> None:
    if step.tread < limits.tread * (1 - 1e-9):
        raise LimitExceeded(
            instrument,
            command,
            f"a stair of {show(step.tread, 'V')} is finer than its converter's step of "
            f"{show(limits.tread, 'V')}",
            "sample less often",
        )


def _check_frequencies(
    step: Impedance, allowed: Interval | None, instrument: str, command: str
) -> None:
    assert allowed is not None, "an instrument that does impedance says at which frequencies"
    for frequency in step.frequencies:
        allowed.check(frequency, "frequency", instrument, command)
