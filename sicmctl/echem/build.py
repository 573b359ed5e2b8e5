"""From a technique of experiment.toml to the program of a potentiostat."""

from collections.abc import Iterator
from functools import singledispatch
from itertools import pairwise
from math import ceil, log10

from sicmctl.config.echem import (
    Ca,
    Cp,
    Cv,
    Echem,
    Eis,
    Hold,
    Lsv,
    OpenCircuit,
    Potential,
    Sequence,
)
from sicmctl.hal.cell import (
    AnyStep,
    CellProgram,
    CellRest,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Open,
    Repeat,
    Sweep,
)

from .conditions import Setting, cut_offs
from .errors import ImpossibleTechnique

Steps = tuple[AnyStep | Repeat, ...]

STAIR, COARSEST = 1e-3, 10e-3
"""Height of a stair where none is given, V, and up to where it may grow to save samples."""
SAMPLES = 50.0
"""Samples a second above which stairs grow."""
PARTS, PARTS_TO_A_LIMIT = 1_000, 20_000
"""Samples of a step where no interval is given: more under a current that a potential ends, for
the potential is steep where the cell is full or empty, and overshoots till the next sample."""


def build(echem: Echem, present: float | None = None) -> CellProgram:
    """Return the program of a technique.

    present: the potential of the cell at open circuit just before, V; potentials "vs OCP" are
    against it. Raises ImpossibleTechnique if it is needed and None, or if a sweep has no length
    now that it is known.
    """
    return CellProgram(
        steps=steps_of(echem, Setting(present)),
        after=CellRest(echem.after),
        current_range=None if echem.current_range == "auto" else float(echem.current_range),
        bandwidth=None if echem.bandwidth == "auto" else float(echem.bandwidth),
    )


@singledispatch
def steps_of(echem: object, setting: Setting) -> Steps:
    """Return the steps of a technique."""
    raise TypeError(f"no steps are known of {type(echem).__name__}")


@steps_of.register
def _(echem: Sequence, setting: Setting) -> Steps:
    inner = setting.stopping(cut_offs(echem.stop_if, echem.size, setting.present))
    body = tuple(step for member in echem.techniques for step in steps_of(member, inner))
    return repeated(body, echem.repeat)


@steps_of.register
def _(echem: OpenCircuit, setting: Setting) -> Steps:
    step = Open(
        duration=echem.duration,
        interval=interval(echem.interval, echem.duration),
        until=setting.ends(echem),
        label=echem.technique,
    )
    return (step,)


@steps_of.register
def _(echem: Hold, setting: Setting) -> Steps:
    step = HoldPotential(
        potential=setting.potential(echem.potential or OCP),
        duration=echem.duration,
        interval=interval(echem.interval, echem.duration),
        until=setting.ends(echem),
        label="hold",
    )
    return (step,)


@steps_of.register
def _(echem: Lsv, setting: Setting) -> Steps:
    start, stop = setting.potential(echem.start), setting.potential(echem.stop)
    _check_length("lsv", start, stop)
    sweep = Sweep(
        start=start,
        stop=stop,
        rate=echem.rate,
        interval=_stairs(echem, abs(stop - start)),
        until=setting.ends(echem),
        label="lsv",
    )
    return (*_settle(echem, setting), sweep)


@steps_of.register
def _(echem: Cv, setting: Setting) -> Steps:
    start, first, *second = (setting.potential(p) for p in (echem.start, *echem.corners))
    corners = (start, first, *second)
    for a, b in pairwise(corners):
        _check_length("cv", a, b)
    cycles = Cycles(
        start=start,
        first=first,
        second=second[0] if second else start,
        rate=echem.rate,
        count=echem.cycles,
        interval=_stairs(echem, min(abs(b - a) for a, b in pairwise(corners))),
        until=setting.ends(echem),
        label="cv",
    )
    return (*_settle(echem, setting), cycles)


@steps_of.register
def _(echem: Ca, setting: Setting) -> Steps:
    ends = setting.ends(echem)
    body = tuple(
        HoldPotential(
            potential=setting.potential(potential),
            duration=duration,
            interval=interval(echem.interval, duration),
            until=ends,
            label="ca",
        )
        for potential, duration in zip(
            echem.potential, spread(echem.duration, len(echem.potential)), strict=True
        )
    )
    return repeated(body, echem.repeat)


@steps_of.register
def _(echem: Cp, setting: Setting) -> Steps:
    ends = setting.ends(echem)
    limited = any(until.quantity == "potential" for until in ends)
    parts = PARTS_TO_A_LIMIT if limited else PARTS
    body = tuple(
        HoldCurrent(
            current=current.amperes(echem.size),
            duration=duration,
            interval=interval(echem.interval, duration, parts),
            until=ends,
            label=echem.technique,
        )
        for current, duration in zip(
            echem.current, spread(echem.duration, len(echem.current)), strict=True
        )
    )
    return repeated(body, echem.repeat)


@steps_of.register
def _(echem: Eis, setting: Setting) -> Steps:
    spectrum = Impedance(
        potential=setting.potential(echem.potential or OCP),
        amplitude=echem.amplitude,
        frequencies=echem.frequencies or tuple(_logarithmic(echem)),
        settle=echem.settle,
        interval=1.0,
        label="eis",
    )
    return (spectrum,)


OCP = Potential(0.0, vs_ocp=True)


def interval(given: float | None, duration: float, parts: int = PARTS) -> float:
    """Return the time between the samples of a step, s."""
    return given or min(max(duration / parts, 1 / SAMPLES), 1.0, duration)


def repeated(body: Steps, count: int) -> Steps:
    """Return steps that are done a number of times."""
    return body if count == 1 else (Repeat(body, count),)


def spread(durations: tuple[float, ...], count: int) -> tuple[float, ...]:
    """Return one duration for each."""
    return durations * count if len(durations) == 1 else durations


def _settle(echem: Lsv | Cv, setting: Setting) -> Steps:
    if not echem.settle:
        return ()
    step = HoldPotential(
        potential=setting.potential(echem.start),
        duration=echem.settle,
        interval=interval(None, echem.settle),
        until=setting.stops(echem),
        label="settle",
    )
    return (step,)


def _stairs(echem: Lsv | Cv, shortest: float) -> float:
    """Return the time between the samples of a sweep, s. shortest: of its ways, V."""
    if echem.interval is not None:
        return echem.interval
    stair = echem.step or min(max(STAIR, echem.rate / SAMPLES), COARSEST, shortest)
    return stair / echem.rate


def _check_length(technique: str, start: float, stop: float) -> None:
    if start == stop:
        raise ImpossibleTechnique(
            f"{technique}: the sweep from {start:g} V to {stop:g} V has no length, now that the "
            "open-circuit potential is known (give its ends against the reference)"
        )


def _logarithmic(echem: Eis) -> Iterator[float]:
    """Frequencies from high to low, evenly spaced by logarithm, both ends among them."""
    assert echem.high is not None and echem.low is not None, "or the file names frequencies"
    decades = log10(echem.high / echem.low)
    gaps = ceil(decades * echem.per_decade - 1e-9)
    for k in range(gaps):
        yield echem.high * 10 ** (-decades * k / gaps)
    yield echem.low
