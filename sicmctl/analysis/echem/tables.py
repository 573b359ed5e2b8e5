"""Tables of what was found in a technique, as text for the report."""

import math
from dataclasses import dataclass

import numpy as np

from sicmctl.data.echemdata import EchemData
from sicmctl.hal.quantity import show

from . import capacity, cv, gitt
from .circuits import UNITS
from .look import capacity_unit
from .plots_eis import Spectrum, analysed
from .techniques import figures_of

MOST = 60
"""Rows of a table; of more, the first are shown."""


@dataclass(frozen=True, slots=True)
class Table:
    """Text in rows under a header. more: rows left out."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0


def tables(data: EchemData) -> list[Table]:
    """Return the tables that suit the technique; none that would be empty."""
    shown = figures_of(data)
    found: list[Table] = []
    if "voltammogram" in shown:
        halves = cv.half_cycles(data)
        found += [_sweeps(halves), _peaks(halves)]
    if "capacity" in shown:
        found.append(_cycles(data))
    if "titration" in shown:
        found.append(_pulses(data))
    if "nyquist" in shown:
        found.append(_circuits(analysed(data)))
    return [table for table in found if table.rows]


def _table(title: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    return Table(title, header, tuple(rows[:MOST]), max(len(rows) - MOST, 0))


def _sweeps(halves: list[cv.HalfCycle]) -> Table:
    return _table(
        "Sweeps",
        ("Cycle", "From", "To", "Rate", "Charge", "Highest current", "Lowest current"),
        [
            (
                str(half.cycle + 1),
                f"{half.start:.4f} V",
                f"{half.end:.4f} V",
                _show(half.rate, "V/s"),
                _show(half.charge, "C"),
                _show(half.highest, "A"),
                _show(half.lowest, "A"),
            )
            for half in halves
        ],
    )


def _peaks(halves: list[cv.HalfCycle]) -> Table:
    return _table(
        "Peaks",
        ("Cycle", "Direction", "Potential", "Current", "Height over its feet", "Width"),
        [
            (
                str(peak.cycle + 1),
                "anodic" if peak.anodic else "cathodic",
                f"{peak.potential:.4f} V",
                _show(peak.current, "A"),
                _show(peak.height, "A"),
                _show(peak.width, "V", 3),
            )
            for half in halves
            for peak in half.peaks
        ],
    )


def _cycles(data: EchemData) -> Table:
    rows = []
    for cycle in capacity.cycles(data):
        second = cycle.second
        good = math.isfinite(cycle.efficiency)
        rows.append(
            (
                str(cycle.number + 1),
                _half(cycle.first),
                _half(second) if second else "",
                f"{100 * cycle.efficiency:.3f} %" if good else "",
                f"{cycle.first.potential:.4f} V",
                f"{second.potential:.4f} V" if second else "",
            )
        )
    header = ("Cycle", "First half", "Second half", "Coulombic efficiency", "Mean E of the first",
              "Mean E of the second")  # fmt: skip
    return _table("Cycles", header, rows)


def _half(half: capacity.HalfCycle) -> str:
    factor, unit = capacity_unit(np.array([half.capacity]))
    way = half.label or ("anodic" if half.anodic else "cathodic")
    return f"{half.capacity * factor:.5g} {unit} ({way})"


def _pulses(data: EchemData) -> Table:
    return _table(
        "Pulses",
        ("Pulse", "Current", "Charge passed", "Rest potential", "Jump at its end", "Resistance",
         "Relaxation", "D/L²"),
        [
            (
                str(number),
                _show(pulse.current, "A"),
                _show(pulse.passed, "C"),
                f"{pulse.after:.5f} V",
                _show(pulse.jump, "V"),
                _show(pulse.resistance, "Ω"),
                _show(pulse.relaxation, "V"),
                f"{pulse.diffusivity_by_slope(1.0):.3g} 1/s",
            )
            for number, pulse in enumerate(gitt.pulses(data), 1)
        ],
    )  # fmt: skip


def _circuits(found: list[Spectrum]) -> Table:
    rows = []
    for spectrum in found:
        if spectrum.fit is None or spectrum.check is None:
            continue
        values, sds = spectrum.fit.values, spectrum.fit.sds
        parts = ", ".join(f"{name} = {_value(values[name], sds[name], name)}" for name in values)
        rows.append(
            (
                str(spectrum.number + 1),
                f"{spectrum.points.potential.mean():.4f} V",
                str(spectrum.fit.circuit),
                parts,
                f"{100 * spectrum.fit.error:.2g} %",
                f"{100 * spectrum.check.rms:.2g} %",
            )
        )
    header = ("Step", "Potential", "Circuit", "Values", "Residuals, rms", "Kramers-Kronig, rms")
    return _table("Impedance", header, rows)


def _value(value: float, sd: float, name: str) -> str:
    text = f"{value:.4g}" + (f" ± {sd:.2g}" if math.isfinite(sd) else " (not determined)")
    return f"{text} {UNITS[name]}".strip()


def _show(value: float, unit: str, digits: int = 4) -> str:
    return show(value, unit, digits).replace(" u", " µ") if math.isfinite(value) else ""
