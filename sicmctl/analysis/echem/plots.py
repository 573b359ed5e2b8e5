"""Figures of one technique against time, and current against potential."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sicmctl.analysis.style import CURVE, INK, Picture, nothing
from sicmctl.data.echemdata import EchemData

from .cv import HalfCycle, Peak, half_cycles
from .look import (
    NO_SAMPLES,
    POTENTIAL,
    Cycles,
    clock,
    heading,
    mark_wrong,
    place_legend,
    scaled,
    shade_steps,
    thinned,
    zero_line,
)
from .segments import cycles_of, sweeps

_MOST_MARKED = 8
"""Peaks of the cycle whose peaks are named."""


def time_figure(data: EchemData) -> Picture:
    """Potential and current against time, the steps shaded."""
    figure = Figure(figsize=(9.2, 5.6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True)
    top.set_title(heading(data, "against time"))
    top.set_ylabel(POTENTIAL)
    zero = data.start if len(data) else 0.0
    factor, unit = clock(data.time)
    size, ampere = scaled(data.current[data.good], "A")
    bottom.set_ylabel(f"I ({ampere})")
    bottom.set_xlabel(f"time since the technique began ({unit})")
    if len(data):
        time = (data.time - zero) * factor
        shade_steps((top, bottom), data, zero, factor)
        top.plot(*thinned(time, data.potential), color=CURVE, lw=1.1)
        bottom.plot(*thinned(time, data.current * size), color=INK, lw=1.0)
        zero_line(bottom)
        wrong = ~data.good
        mark_wrong(bottom, time[wrong], data.current[wrong] * size)
        top.margins(x=0.01)
        handles, labels = top.get_legend_handles_labels()
        if labels:
            figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
        place_legend(bottom)
    else:
        nothing(top, NO_SAMPLES)
        nothing(bottom, NO_SAMPLES)
    caption = "Potential of the working electrode and current (anodic positive) against time."
    return Picture("time", "Against time", caption, figure)


def voltammogram(data: EchemData) -> Picture:
    """Current against potential, cycles coloured; the peaks of the last whole cycle named."""
    figure = Figure(figsize=(7.6, 5.6), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(heading(data, "voltammogram"))
    axes.set_xlabel(POTENTIAL)
    found = sweeps(data)
    size, unit = scaled(data.current[data.good], "A")
    axes.set_ylabel(f"I ({unit})")
    caption = "Current (anodic positive) against potential, coloured by cycle."
    if not found:
        nothing(axes, NO_SAMPLES if not len(data) else "no sweep of the potential")
        return Picture("voltammogram", "Voltammogram", caption, figure)
    numbers = cycles_of(data)
    stretch = slice(found[0].slice.start, found[-1].slice.stop)
    cycles = Cycles(numbers[stretch].tolist())
    for number in cycles.numbers:
        here = np.flatnonzero(numbers[stretch] == number) + stretch.start
        x, y = thinned(data.potential[here], data.current[here] * size)
        axes.plot(x, y, color=cycles.colour(number), lw=1.3, label=cycles.label(number))
    zero_line(axes)
    wrong = ~data.good[stretch]
    mark_wrong(axes, data.potential[stretch][wrong], data.current[stretch][wrong] * size)
    halves = half_cycles(data)
    peaks = _named(halves)
    _mark_peaks(axes, peaks, size)
    cycles.explain(figure, axes)
    if len(cycles.numbers) > 1 or wrong.any():
        place_legend(axes)
    if peaks:
        caption += f" Triangles: peaks of cycle {peaks[0].cycle + 1}, with their potentials in V."
    return Picture("voltammogram", "Voltammogram", caption, figure)


def _named(halves: list[HalfCycle]) -> list[Peak]:
    """Return the peaks of the last cycle that was swept both ways, else of the last."""
    ways: dict[int, set[bool]] = {}
    for half in halves:
        ways.setdefault(half.cycle, set()).add(half.rising)
    whole = [cycle for cycle, way in ways.items() if len(way) == 2] or list(ways)
    if not whole:
        return []
    peaks = [peak for half in halves if half.cycle == max(whole) for peak in half.peaks]
    return sorted(peaks, key=lambda peak: -peak.height)[:_MOST_MARKED]


def _mark_peaks(axes: Axes, peaks: list[Peak], size: float) -> None:
    """Mark peaks on their outer side, so that the label lies off the curve."""
    for peak in peaks:
        side = 1 if peak.anodic else -1
        axes.plot(peak.potential, peak.current * size, "v" if peak.anodic else "^", color=INK, ms=5,
                  zorder=5)  # fmt: skip
        axes.annotate(
            f"{peak.potential:.3f}",
            (peak.potential, peak.current * size),
            xytext=(0, 8 * side),
            textcoords="offset points",
            ha="center",
            va="bottom" if side > 0 else "top",
            fontsize=9,
            color=INK,
        )
    if peaks:
        axes.margins(y=0.12)
