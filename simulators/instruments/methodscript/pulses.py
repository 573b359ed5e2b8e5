# ruff: noqa: PLR0917  (arguments in the order of the script's)
"""Measurement loops with pulses: differential, normal, square wave, amperometric detection."""

from collections.abc import Iterator
from dataclasses import replace

from simulators.instruments.methodscript.cell import Cell
from simulators.instruments.methodscript.errors import Code, ScriptError
from simulators.instruments.methodscript.loops import Clock, held, positive, sweep
from simulators.instruments.methodscript.machine import READY, Mark, Row
from simulators.instruments.methodscript.registry import command
from simulators.instruments.methodscript.values import Value


def _less(after: Value, before: Value) -> Value:
    """A difference, with the status bits of both."""
    status = (after.status or 0) | (before.status or 0)
    return replace(after, number=after.number - before.number, status=status)


def _pulse(clock: Clock, duration: float) -> float:
    """Length of a pulse as a share of the interval, which must hold it twice."""
    positive(duration)
    if duration > clock.interval / 2 * (1 + 1e-9):
        raise ScriptError(Code.OUT_OF_BOUNDS)
    return duration / clock.interval


@command(25, "out out num num num num num num", technique=0x0001, cell="on")
def meas_loop_dpv(
    cell: Cell, first: float, last: float, step: float, height: float, duration: float, rate: float
) -> Iterator[Row | Mark]:
    """Current at the end of a pulse, less that just before it."""
    if abs(height) < cell.kind.lsb:
        raise ScriptError(Code.PULSE_BELOW_LSB)
    cell.check_potential(last + height)
    clock, levels = sweep(cell, first, last, step, rate, cell.kind.lsb)
    share = _pulse(clock, duration)
    yield READY
    for level in levels:
        applied = cell.set_potential(level)
        before = clock.sample(1 - share, share)
        cell.set_potential(level + height)
        after = clock.sample(1.0, share)
        yield (applied, _less(after.current, before.current))


@command(27, "out out num num num num num", technique=0x0003, cell="on")
def meas_loop_npv(
    cell: Cell, first: float, last: float, step: float, duration: float, rate: float
) -> Iterator[Row | Mark]:
    """Pulses of growing height from one base."""
    cell.check_potential(last)
    clock, levels = sweep(cell, first, last, step, rate, cell.kind.lsb)
    share = _pulse(clock, duration)
    yield READY
    for level in levels:
        cell.set_potential(first)
        clock.sample(1 - share, share)
        applied = cell.set_potential(level)
        yield (applied, clock.sample(1.0, share).current)


@command(26, "out out out out num num num num num", {"nscans": "num"},
         technique=0x0002, cell="on")  # fmt: skip
def meas_loop_swv(
    cell: Cell, first: float, last: float, step: float, amplitude: float, frequency: float,
    nscans: list[Value] | None = None,
) -> Iterator[Row | Mark]:  # fmt: skip
    """A pulse towards the end and one back at each step."""
    positive(frequency, amplitude)
    if amplitude < cell.kind.lsb:
        raise ScriptError(Code.AMPLITUDE_BELOW_LSB)
    scans = round(nscans[0].number) if nscans else 1
    positive(scans)
    way = amplitude if last > first else -amplitude
    cell.check_potential(last + way)
    clock, levels = sweep(cell, first, last, step, step * frequency, cell.kind.lsb)
    yield READY
    for scan in range(scans):
        if scans > 1:
            yield f"C{scan:04X}"
        for level in levels:
            cell.set_potential(level + way)
            forward = clock.sample(0.5, 0.5).current
            cell.set_potential(level - way)
            backward = clock.sample(1.0, 0.5).current
            yield (cell.applied(level), _less(forward, backward), forward, backward)
        if scans > 1:
            yield "-"


@command(29, "out out num num num num num num", technique=0x0008, cell="on")
def meas_loop_pad(
    cell: Cell, base: float, top: float, duration: float, interval: float, total: float, mode: float
) -> Iterator[Row | Mark]:
    """mode: 1 current before the pulse, 2 at its end, 3 their difference."""
    if mode not in (1, 2, 3):
        raise ScriptError(Code.PAD_MODE_UNKNOWN)
    count = held(interval, total)
    clock = Clock(cell, interval)
    share = _pulse(clock, duration)
    yield READY
    for _ in range(count):
        low = cell.set_potential(base)
        before = clock.sample(1 - share, share).current
        high = cell.set_potential(top)
        after = clock.sample(1.0, share).current
        values = {1: (low, before), 2: (high, after), 3: (high, _less(after, before))}
        yield values[round(mode)]
    cell.set_potential(base)
