"""One look for all figures: sizes, colours, colour bars, axes in micrometres."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

F64 = NDArray[np.float64]

UM, NM, NA = 1e6, 1e9, 1e9
MISSING = "#d9d9d9"
INK = "#222222"
CURVE = "#0072b2"
ALERT = "#d55e00"
STATUS_COLOURS = {
    "ok": "#009e73",
    "no surface": "#56b4e9",
    "touched": "#d55e00",
    "low reference": "#e69f00",
    "high reference": "#cc79a7",
    "no current": "#000000",
    "overload": "#f0e442",
    "settings": "#0072b2",
    "unsettled": "#8c6bb1",
    "edge": "#b0d9a6",
    "early": "#999999",
}
"""Okabe and Ito's colours, which the colour-blind can tell apart."""

_STYLE: Any = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 11,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 9.5,
    "legend.framealpha": 0.9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "figure.facecolor": "white",
    "savefig.dpi": 110,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure with its file name (without suffix), its title and what to say below it."""

    name: str
    title: str
    caption: str
    figure: Figure


@contextmanager
def look() -> Iterator[None]:
    """Draw in the common look."""
    with mpl.rc_context(_STYLE):
        yield


def canvas(title: str, size: tuple[float, float] = (6.4, 5.2)) -> tuple[Figure, Axes]:
    """Return a figure (inches) with one pair of axes."""
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title)
    return figure, axes


def edges(axis: F64) -> tuple[float, float]:
    """Return the outer edges of pixels with these centres."""
    half = (axis[-1] - axis[0]) / (2 * (axis.size - 1)) if axis.size > 1 else 0.5e-6
    return float(axis[0] - half), float(axis[-1] + half)


def draw_image(axes: Axes, data: F64, y: F64, x: F64, *, missing: str = MISSING, **how: Any) -> Any:
    """Draw a frame with axes y, x (m) in um, row 0 at the bottom; missing: colour of NaN."""
    (left, right), (bottom, top) = edges(x), edges(y)
    axes.set_facecolor(missing)
    image = axes.imshow(
        np.ma.masked_invalid(data),
        origin="lower",
        extent=(UM * left, UM * right, UM * bottom, UM * top),
        interpolation="nearest",
        **how,
    )
    axes.set_xlabel("x (µm)")
    axes.set_ylabel("y (µm)")
    axes.locator_params(nbins=6)
    return image


def colour_bar(figure: Figure, axes: Axes, image: Any, label: str, extend: str = "neither") -> None:
    """Add a colour bar as high as the image; none if the image is empty."""
    if not np.ma.count(image.get_array()):
        return
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03, extend=extend)
    bar.set_label(label)
    bar.outline.set_visible(False)  # type: ignore[operator]


def limits(data: F64, cut: float = 0.5) -> tuple[float, float, str]:
    """Return the range that leaves out `cut` per cent at each end, and which ends are cut."""
    values = data[np.isfinite(data)]
    if not values.size:
        return 0.0, 1.0, "neither"
    low, high = (float(v) for v in np.percentile(values, [cut, 100 - cut]))
    if high - low <= 1e-9 * max(abs(high), abs(low), 1e-300):
        spread = abs(high) * 1e-3 or 1.0
        return low - spread, high + spread, "neither"
    return low, high, ends(data, low, high)


def ends(data: F64, low: float, high: float) -> str:
    """Return which ends of a colour bar need an arrow, as matplotlib calls them."""
    values = data[np.isfinite(data)]
    below, above = bool((values < low).any()), bool((values > high).any())
    return {(True, True): "both", (True, False): "min", (False, True): "max"}.get(
        (below, above), "neither"
    )


def nothing(axes: Axes, text: str) -> None:
    """Say in empty axes why they are empty."""
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    axes.text(
        *(0.5, 0.5, text),
        transform=axes.transAxes,
        ha="center",
        va="center",
        color="#555555",
        fontsize=12,
        bbox=box,
    )
