# ruff: noqa: PLR0917  (arguments in the order of the script's)
"""Measurement loops with a sine on top: impedance spectra and AC voltammetry."""

from collections.abc import Iterator
from math import isfinite

from simulators.instruments.methodscript.cell import Cell
from simulators.instruments.methodscript.errors import Code, ScriptError
from simulators.instruments.methodscript.loops import positive, sweep
from simulators.instruments.methodscript.machine import READY, Mark, Row
from simulators.instruments.methodscript.registry import command
from simulators.instruments.methodscript.values import Value

LOWEST = 1e-3
"""Hz."""
MOST = 1000
"""Frequencies of one spectrum."""

OPTIONS = {"eis_opt": "num*", "eis_acdc": "out out out out"}


def frequencies(first: float, last: float, count: int) -> list[float]:
    """Evenly spaced on a logarithmic scale, both ends included."""
    if count == 1:
        return [first]
    return [first * (last / first) ** (k / (count - 1)) for k in range(count)]


def _check(cell: Cell, amplitude: float, first: float, last: float, count: float) -> None:
    positive(amplitude, count)
    if count > MOST:
        raise ScriptError(Code.OUT_OF_BOUNDS)
    for frequency in (first, last):
        if not LOWEST <= frequency <= cell.mode.fastest * (1 + 1e-9):
            raise ScriptError(Code.FREQUENCY_INVALID)


def _impedance(cell: Cell, frequency: float, amplitude: float) -> Row:
    z = cell.impedance(frequency, amplitude)
    potential_range = cell.potential.index if cell.potential.ranges else cell.current.index
    status = 0 if isfinite(abs(z)) else 2
    return (
        Value(z.real, "cc", status=status, range=cell.current.index),
        Value(z.imag, "cd", status=status, range=potential_range),
    )


@command(31, "out out out num num num num num", OPTIONS, technique=0x000D, cell="on")
def meas_loop_eis(
    cell: Cell, amplitude: float, first: float, last: float, count: float, potential: float,
    eis_opt: list[Value] | None = None, eis_acdc: list[object] | None = None,
) -> Iterator[Row | Mark]:  # fmt: skip
    """amplitude: V, rms."""
    _check(cell, amplitude, first, last, count)
    if amplitude > 0.25:
        raise ScriptError(Code.AMPLITUDE_INVALID)
    applied = cell.set_potential(potential)
    yield READY
    for frequency in frequencies(first, last, round(count)):
        z = _impedance(cell, frequency, amplitude)
        more = _acdc(cell, amplitude, applied, z) if eis_acdc else ()
        yield (Value(frequency, "dc"), *z, *more)


@command(70, "out out out num num num num num", {"eis_opt": "num*"},
         technique=0x000E, cell="on", galvanostat=True)  # fmt: skip
def meas_loop_geis(
    cell: Cell, amplitude: float, first: float, last: float, count: float, current: float,
    eis_opt: list[Value] | None = None,
) -> Iterator[Row | Mark]:  # fmt: skip
    """amplitude: A, rms."""
    _check(cell, amplitude, first, last, count)
    cell.set_current(current)
    yield READY
    for frequency in frequencies(first, last, round(count)):
        yield (Value(frequency, "dc"), *_impedance(cell, frequency, amplitude))


def _acdc(cell: Cell, amplitude: float, applied: Value, z: Row) -> Row:
    """AC and DC of potential and current at one frequency."""
    size = abs(complex(z[0].number, z[1].number))
    current = cell.sample(cell.time, 0.0).current
    return (
        Value(amplitude, "ch"),
        Value(applied.number, "ci"),
        Value(amplitude / size if size else float("nan"), "cj"),
        Value(current.number, "ck"),
    )


@command(93, "out out out out out out num num num num num num", technique=0x0004, cell="on")
def meas_loop_acv(
    cell: Cell, first: float, last: float, step: float, rate: float,
    amplitude: float, frequency: float,
) -> Iterator[Row | Mark]:  # fmt: skip
    """amplitude: V, rms."""
    _check(cell, amplitude, frequency, frequency, 1)
    cell.require(galvanostat=False)
    cell.check_potential(last)
    clock, levels = sweep(cell, first, last, step, rate, cell.kind.lsb)
    yield READY
    for level in levels:
        applied = cell.set_potential(level)
        z = _impedance(cell, frequency, amplitude)
        sample = clock.sample()
        size = abs(complex(z[0].number, z[1].number))
        ac = Value(amplitude / size if size else float("nan"), "cj", status=0)
        yield (applied, sample.current, Value(amplitude, "ch"), ac, *z)
