"""Refuses a program that an instrument or a rig cannot or may not run, before the cell is on."""

from collections.abc import Iterable, Iterator
from math import inf, isclose

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
    Until,
    potentials,
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
    steps = list(_once(program.steps))
    if not steps:
        raise NotSupported(instrument, "program", "it has no step", "give it one")
    for number, step in enumerate(steps):
        command = f"step {number + 1} ({_NAMES[type(step)]})"
        _check_step(step, limits, instrument, command)
        if isinstance(step, HoldCurrent):
            _check_range(step, program.current_range, instrument, command)
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
    for potential in potentials(step):
        _within(potential, limits.potential, "potential", instrument, command)
    if isinstance(step, HoldCurrent):
        _within(step.current, limits.current, "current", instrument, command)
    if isinstance(step, Sweep | Cycles):
        _within(step.rate, limits.rate, "sweep rate", instrument, command)
        _check_tread(step, limits, instrument, command)
    if isinstance(step, Impedance):
        _check_frequencies(step, limits.frequency, instrument, command)
    else:
        _within(step.interval, limits.interval, "sample interval", instrument, command)
    _check_time(step, instrument, command)
    for until in step.until:
        _check_until(until, limits, instrument, command)


def _within(value: float, allowed: Interval, what: str, instrument: str, command: str) -> None:
    """Raise LimitExceeded if a value is not allowed; the last digits of a float do not count."""
    nearest = allowed.clip(value)
    if not isclose(value, nearest, rel_tol=1e-9, abs_tol=1e-15):
        allowed.check(value, what, instrument, command)


def _check_time(step: AnyStep, instrument: str, command: str) -> None:
    """Every step lasts a while, and none for ever."""
    if not 0 < step.duration < inf:
        how = "no time at all" if step.duration <= 0 else "for ever"
        raise NotSupported(instrument, command, f"it would last {how}", "give it another duration")


def _check_range(
    step: HoldCurrent, full_scale: float | None, instrument: str, command: str
) -> None:
    if full_scale is not None and abs(step.current) > full_scale * (1 + 1e-9):
        raise LimitExceeded(
            instrument,
            command,
            f"{show(step.current, 'A')} lies beyond the current range of {show(full_scale, 'A')}",
            "raise current_range, or leave it out",
        )


def _check_until(until: Until, limits: CellLimits, instrument: str, command: str) -> None:
    """Refuse a condition that the instrument can never see met: a cut-off that cuts nothing off."""
    reach = {"potential": limits.potential, "current": limits.current}.get(until.quantity)
    if reach is None:
        return
    highest = max(abs(reach.low), abs(reach.high)) if until.magnitude else reach.high
    lowest = 0.0 if until.magnitude else reach.low
    beyond = until.value > highest if until.side == "above" else until.value < lowest
    nearest = min(max(until.value, lowest), highest)
    never = beyond and not isclose(until.value, nearest, rel_tol=1e-9)
    if never:
        raise LimitExceeded(
            instrument,
            command,
            f"{until} can never be met, for the instrument reaches {reach}",
            "change the condition",
        )


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
        _within(frequency, allowed, "frequency", instrument, command)
