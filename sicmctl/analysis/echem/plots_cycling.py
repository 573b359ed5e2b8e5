"""Figures of charge and discharge: curves, capacity and efficiency, differential capacity."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from sicmctl.analysis.style import ALERT, CURVE, INK, Picture, nothing
from sicmctl.data.echemdata import EchemData

from .capacity import Cycle, HalfCycle, curve, cycles, half_cycles
from .differential import GRID, SHARE, SMOOTHING, capacity_density, potential_slope
from .look import POTENTIAL, Cycles, capacity_unit, heading, place_legend, scaled, thinned

NOTHING = "no charge was passed"
F64 = NDArray[np.float64]


def cycling(data: EchemData) -> Picture:
    """Potential against the charge passed in each half-cycle."""
    figure = Figure(figsize=(7.6, 5.4), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(heading(data, "charge and discharge"))
    axes.set_ylabel(POTENTIAL)
    halves = half_cycles(data)
    factor, unit = _unit(halves)
    axes.set_xlabel(f"capacity ({unit})")
    colours = Cycles([half.cycle for half in halves])
    for half in halves:
        charge, potential = curve(data, half)
        axes.plot(*thinned(charge * factor, potential), color=colours.colour(half.cycle), lw=1.4,
                  ls="-" if half.anodic else "--", label="_nolegend_")  # fmt: skip
    _explain(figure, axes, colours, halves)
    if not halves:
        nothing(axes, NOTHING)
    axes.set_xlim(left=0)
    caption = "Potential against the charge passed since the half-cycle began."
    return Picture("cycling", "Charge and discharge", caption, figure)


def _unit(halves: list[HalfCycle]) -> tuple[float, str]:
    return capacity_unit(np.array([half.capacity for half in halves]))


def _explain(figure: Figure, axes: Axes, colours: Cycles, halves: list[HalfCycle]) -> None:
    """Name directions by line style and cycles by colour."""
    for anodic, style in ((True, "-"), (False, "--")):
        names = dict.fromkeys(h.label for h in halves if h.anodic is anodic and h.label)
        if any(half.anodic is anodic for half in halves):
            way = "anodic" if anodic else "cathodic"
            name = f"{', '.join(names)} ({way})" if names else way
            axes.plot([], [], color=INK, ls=style, label=name)
    if len(colours.numbers) > 1:
        for number in colours.numbers if colours.few else ():
            axes.plot([], [], color=colours.colour(number), lw=3, label=colours.label(number))
        colours.explain(figure, axes)
    place_legend(axes)


def capacities(data: EchemData) -> Picture:
    """Capacity of each half and coulombic efficiency against the cycle."""
    figure = Figure(figsize=(7.6, 5.2), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    top.set_title(heading(data, "capacity"))
    bottom.set_xlabel("cycle")
    bottom.set_ylabel("coulombic\nefficiency (%)")
    found = cycles(data)
    halves = half_cycles(data)
    factor, unit = _unit(halves)
    top.set_ylabel(f"capacity ({unit})")
    for anodic, colour, marker in ((True, CURVE, "o"), (False, ALERT, "s")):
        mine = [half for half in halves if half.anodic is anodic]
        if mine:
            name = mine[0].label or ("anodic" if anodic else "cathodic")
            top.plot([h.cycle + 1 for h in mine], [h.capacity * factor for h in mine], marker,
                     color=colour, ms=6, mfc=colour if anodic else "white", label=name, ls="-",
                     lw=0.8)  # fmt: skip
    _efficiency(bottom, found)
    place_legend(top)
    top.margins(y=0.2)
    bottom.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if found:
        bottom.set_xlim(0.5, found[-1].number + 1.5)
    else:
        nothing(top, NOTHING)
    caption = (
        "Charge of each half-cycle; the coulombic efficiency is that of the second half of a cycle "
        "over that of the first."
    )
    return Picture("capacity", "Capacity and coulombic efficiency", caption, figure)


def _efficiency(axes: Axes, found: list[Cycle]) -> None:
    known = [(c.number + 1, 100 * c.efficiency) for c in found if math.isfinite(c.efficiency)]
    if not known:
        nothing(axes, "no cycle is complete")
        return
    axes.plot(*zip(*known, strict=True), "o-", color=INK, ms=5, lw=0.8)
    axes.axhline(100, color=INK, lw=0.6, alpha=0.4)
    values = [value for _, value in known]
    margin = 0.15 * max(max(*values, 100.0) - min(*values, 100.0), 0.5)
    axes.set_ylim(min(*values, 100.0) - margin, max(*values, 100.0) + margin)


def differential(data: EchemData) -> Picture:
    """Differential capacity and differential potential of each half-cycle."""
    figure = Figure(figsize=(10.4, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    figure.suptitle(heading(data, "differential capacity"), x=0.01, ha="left", fontweight="bold",
                    fontsize=12)  # fmt: skip
    left.set_xlabel(POTENTIAL)
    halves = half_cycles(data)
    colours = Cycles([half.cycle for half in halves])
    factor, unit = _unit(halves)
    curves = [(half, *curve(data, half, held=False)) for half in halves]
    densities = [(half, *capacity_density(q, e)) for half, q, e in curves]
    size, per_volt = scaled(np.concatenate([np.zeros(1), *(d / 3600 for *_, d in densities)]), "Ah")
    for half, e, density in densities:
        sign = 1 if half.anodic else -1
        left.plot(e, sign * density / 3600 * size, color=colours.colour(half.cycle), lw=1.2)
    left.axhline(0, color=INK, lw=0.6, alpha=0.4)
    left.set_xlim(_bulk(densities))
    left.set_ylabel(f"dQ/dE, anodic up ({per_volt}/V)")
    for half, q, e in curves:
        at, slope = potential_slope(q, e)
        right.plot(at * factor, slope / factor, color=colours.colour(half.cycle), lw=1.2,
                   ls="-" if half.anodic else "--")  # fmt: skip
    _frame_slopes(right)
    right.set_xlabel(f"capacity ({unit})")
    right.set_ylabel(f"dE/dQ (V/{unit})")
    _explain(figure, right, colours, halves)
    if not halves:
        nothing(left, NOTHING)
        nothing(right, NOTHING)
    caption = (
        f"Left: charge in bins of {1e3 * GRID:g} mV, smoothed by a Gaussian of {1e3 * SMOOTHING:g} "
        f"mV. Right: slope by the derivative of a Gaussian of {100 * SHARE:g} % of the charge; its "
        "steep ends, and potentials beyond those of 99 % of the charge, are cut off. Steps at a "
        "held potential are left out."
    )
    return Picture("differential", "Differential capacity", caption, figure)


def _bulk(densities: list[tuple[HalfCycle, F64, F64]]) -> tuple[float, float] | None:
    """Return between which potentials 99 % of each half-cycle's charge passed, and some more."""
    ends = []
    for _, e, density in densities:
        share = np.cumsum(density)
        if share.size and share[-1] > 0:
            ends.append(np.interp([0.005, 0.995], share / share[-1], e))
    if not ends:
        return None
    low, high = float(np.min(ends)), float(np.max(ends))
    margin = 0.08 * (high - low) or 0.1
    return low - margin, high + margin


def _frame_slopes(axes: Axes) -> None:
    """Limit the axis to what the middle of the curves needs: the ends are steep."""
    inner = [
        np.asarray(line.get_ydata(), float)[n // 12 : -(n // 12) or None]
        for line in axes.lines
        if (n := np.size(line.get_ydata())) > 24
    ]
    if inner:
        low, high = np.percentile(np.concatenate(inner), [0.5, 99.5])
        margin = 0.15 * float(high - low) or 1.0
        axes.set_ylim(float(low) - margin, float(high) + margin)
