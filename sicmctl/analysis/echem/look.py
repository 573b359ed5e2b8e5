"""What the figures of electrochemistry have in common: units, colours of cycles, shaded steps."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sicmctl.analysis.style import ALERT, INK
from sicmctl.data.echemdata import EchemData

from .segments import parts

F64 = NDArray[np.float64]
Colour = tuple[float, ...]

POTENTIAL = "E vs reference (V)"
NO_SAMPLES = "no samples"
FEW = 8
"""Cycles up to which a legend names them; more have a colour bar."""
MOST_POINTS = 20_000
"""Points of a line in a figure; of more, the highest and lowest of each stretch are drawn."""
_MOST_SHADED = 120
_SHADES = ("#dbe9f6", "#fde5d0", "#e3f1dc", "#efe3f3", "#f6f1cf", "#e6e6e6")
_PREFIXES = (("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0), ("m", 1e-3), ("µ", 1e-6), ("n", 1e-9),
             ("p", 1e-12))  # fmt: skip


def scaled(values: F64, unit: str) -> tuple[float, str]:
    """Return what to multiply by and the unit with its prefix, so that the largest is 1 to 1000."""
    known = np.abs(values[np.isfinite(values)])
    largest = float(known.max()) if known.size else 1.0
    for letter, size in _PREFIXES:
        if largest >= size * (1 - 1e-9):
            return 1 / size, letter + unit
    return 1e12 if largest else 1.0, ("p" if largest else "") + unit


def capacity_unit(charges: F64) -> tuple[float, str]:
    """Return what to multiply coulombs by, and `mAh`, `µAh` or the like."""
    factor, unit = scaled(charges / 3600, "Ah")
    return factor / 3600, unit


def clock(times: F64) -> tuple[float, str]:
    """Return what to multiply seconds by, and `s`, `min`, `h` or `d`."""
    span = float(np.ptp(times)) if times.size else 0.0
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if span >= 3 * size:
            return 1 / size, unit
    return 1.0, "s"


def thinned(x: F64, y: F64, most: int = MOST_POINTS) -> tuple[F64, F64]:
    """Return a line that looks the same with at most `most` points: extremes of each stretch."""
    if x.size <= most:
        return x, y
    stretch = math.ceil(2 * x.size / most)
    whole = x.size // stretch * stretch
    blocks = np.nan_to_num(y[:whole]).reshape(-1, stretch)
    starts = np.arange(blocks.shape[0]) * stretch
    picks = np.stack([starts + blocks.argmin(axis=1), starts + blocks.argmax(axis=1)], axis=1)
    picks = np.concatenate([[0], np.sort(picks, axis=1).ravel(), [x.size - 1]])
    return x[picks], y[picks]


class Cycles:
    """Colours of cycles, and how a figure says which is which."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = sorted(set(numbers))
        span = max(len(self.numbers), 2)
        shades = colormaps["viridis"](np.linspace(0, 0.88, span))
        self._colours = {n: tuple(shades[k]) for k, n in enumerate(self.numbers)}

    @property
    def few(self) -> bool:
        """Whether a legend has room for all."""
        return len(self.numbers) <= FEW

    def colour(self, number: int) -> Colour:
        """Return the colour of a cycle."""
        return self._colours[number]

    def label(self, number: int) -> str:
        """Return what a legend calls a cycle; people count from 1. Empty if there is no room."""
        return f"cycle {number + 1}" if self.few else "_nolegend_"

    def explain(self, figure: Figure, axes: Axes | list[Axes]) -> None:
        """Add a colour bar where there are too many cycles for a legend."""
        if self.few:
            return
        shades = colormaps["viridis"](np.linspace(0, 0.88, len(self.numbers)))
        from matplotlib.cm import ScalarMappable  # noqa: PLC0415
        from matplotlib.colors import ListedColormap  # noqa: PLC0415

        edges = np.array([*self.numbers, self.numbers[-1] + 1]) + 0.5
        norm = BoundaryNorm(edges, len(self.numbers))
        mappable = ScalarMappable(norm, ListedColormap(list(shades)))
        ticks = np.unique(np.linspace(0, len(self.numbers) - 1, 6).round().astype(int))
        numbers = [self.numbers[k] + 1 for k in ticks]
        bar: Any = figure.colorbar(mappable, ax=axes, fraction=0.04, pad=0.02, ticks=numbers)
        bar.set_label("cycle")
        bar.outline.set_visible(False)


def shade_steps(axes: Sequence[Axes], data: EchemData, zero: float, factor: float) -> None:
    """Shade the steps by their label. zero: of the time axis, s; factor: from s to its unit.

    Steps of one label have one colour; where all are alike, or there are too many, none is shaded.
    """
    found = [(part.step.label or part.step.kind, part.slice) for part in parts(data)]
    labels = list(dict.fromkeys(label for label, _ in found if label))
    if len(labels) < 2 or len(labels) > len(_SHADES) or len(found) > _MOST_SHADED:
        return
    named = set()
    for label, where in found:
        if not label:
            continue
        ends = data.time[[where.start, min(where.stop, len(data) - 1)]]
        first, last = ((ends - zero) * factor).tolist()
        name = "_nolegend_" if label in named else label
        for each in axes:
            each.axvspan(first, last, lw=0, zorder=0, color=_SHADES[labels.index(label)],
                         label=name if each is axes[0] else "_nolegend_")  # fmt: skip
        named.add(label)


def mark_wrong(axes: Axes, x: F64, y: F64) -> None:
    """Mark samples that the instrument says are wrong."""
    if x.size:
        axes.plot(x, y, "x", color=ALERT, ms=4, mew=1, zorder=4,
                  label=f"overload or control lost: {x.size}")  # fmt: skip


def zero_line(axes: Axes) -> None:
    """Draw a thin line at zero."""
    axes.axhline(0, color=INK, lw=0.6, alpha=0.4, zorder=1)


def place_legend(axes: Axes, **how: Any) -> None:
    """Add a legend if there is something to name."""
    if axes.get_legend_handles_labels()[1]:
        axes.legend(**{"loc": "best"} | how)


def heading(data: EchemData, what: str) -> str:
    """Return a figure's title: number and name of the technique, and what is shown."""
    name = data.title or data.technique.upper() or "technique"
    return f"{name[:60]} ({data.number}): {what}"
