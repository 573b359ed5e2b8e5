"""Figures of scans that are no images: height against time, profiles, kymographs, XZ images."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sicmctl.data.runfile import Scan

from .maps import NO_HEIGHT
from .style import (
    ALERT,
    CURVE,
    F64,
    INK,
    MISSING,
    NA,
    NM,
    UM,
    Picture,
    canvas,
    colour_bar,
    edges,
    limits,
    nothing,
)
from .xz import line_hops, xz_image


def time_plot(scan: Scan) -> Picture:
    """Height and reference current of hop after hop against time."""
    figure = Figure(figsize=(9.2, 5.6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    top.set_title(f"Scan {scan.number}: height against time")
    top.set_ylabel("height (µm)")
    bottom.set_ylabel("reference (nA)")
    bottom.set_xlabel("time of the run (s)")
    if scan.count:
        hops = scan.hops
        time, height, sd = (hops[name] for name in ("time", "height", "height_sd"))
        good = np.isfinite(height)
        style = {"ls": "-", "lw": 0.8} if scan.pattern == "point" else {"ls": "none"}
        if good.any():
            top.errorbar(time[good], height[good] * UM, sd[good] * UM, fmt="o", ms=3, color=CURVE,
                         ecolor="#9cc4de", elinewidth=0.8, label="height ± standard uncertainty",
                         **style)  # fmt: skip
        _mark_failures(top, time[~good])
        bottom.plot(time, hops["reference"] * NA, color=INK, lw=0.8, marker=".", ms=3)
        top.legend(loc="best")
        if not good.any():
            nothing(top, NO_HEIGHT)
    else:
        nothing(top, "no hops yet")
    caption = "Height of each hop with its standard uncertainty; red ticks are hops without height."
    return Picture("time", "Height against time", caption, figure)


def _mark_failures(axes: Axes, places: F64) -> None:
    if places.size:
        bottom = axes.get_xaxis_transform()
        axes.plot(places, np.full(places.size, 0.02), "|", color=ALERT, ms=9, mew=1.5,
                  transform=bottom, label=f"no height: {places.size}")  # fmt: skip


def profile(scan: Scan) -> Picture:
    """Height along the line; of repeated lines the first, some between and the last."""
    height, sd = scan.frame(), scan.frame("height_sd")
    distance = scan.axes[1]
    figure, axes = canvas(f"Scan {scan.number}: profile", (9.2, 4.4))
    axes.set_xlabel("distance along the line (µm)")
    axes.set_ylabel("height (µm)")
    done = np.flatnonzero(np.isfinite(height).any(axis=1))
    picked = (
        done[np.unique(np.linspace(0, max(done.size - 1, 0), 5).astype(int))] if done.size else done
    )
    colours = _shades(picked.size)
    for row, colour in zip(picked, colours, strict=True):
        label = f"pass {row + 1}" if height.shape[0] > 1 else "height ± standard uncertainty"
        axes.errorbar(distance * UM, height[row] * UM, sd[row] * UM, color=colour, ms=3, fmt="o-",
                      lw=1, elinewidth=0.7, label=label)  # fmt: skip
    if picked.size:
        last = picked[-1]
        missing = ~np.isfinite(height[last]) & (scan.frame("status")[last] >= 0)
        _mark_failures(axes, distance[missing] * UM)
        axes.legend(loc="best")
    else:
        nothing(axes, NO_HEIGHT)
    return Picture("profile", "Profile", "Height along the line, without any levelling.", figure)


def _shades(count: int) -> list[tuple[float, ...]]:
    from matplotlib import colormaps  # noqa: PLC0415

    return [tuple(colormaps["viridis"](v)) for v in np.linspace(0, 0.85, max(count, 1))][:count]


def kymograph(scan: Scan) -> Picture:
    """Change of height since the first pass, against place and time."""
    height, time = scan.frame(), scan.frame("time")
    known = np.isfinite(height)
    first = np.where(known.any(0), height[known.argmax(0), np.arange(height.shape[1])], np.nan)
    change = (height - first) * NM
    figure, axes = canvas(f"Scan {scan.number}: kymograph", (7.6, 5.2))
    low, high, extend = limits(change)
    bound = max(abs(low), abs(high)) or 1.0
    x, (t0, t1) = edges(scan.axes[1]), _time_edges(time)
    axes.set_facecolor(MISSING)
    image = axes.imshow(
        np.ma.masked_invalid(change),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(x[0] * UM, x[1] * UM, t0, t1),
        cmap="PuOr_r",
        vmin=-bound,
        vmax=bound,
    )
    axes.set_xlabel("distance along the line (µm)")
    axes.set_ylabel("time since the first pass (s)")
    colour_bar(figure, axes, image, "height change (nm)", extend)
    if not known.any():
        nothing(axes, NO_HEIGHT)
    caption = "Height less that of the first pass at the same place; grey: no height."
    return Picture("kymograph", "Kymograph", caption, figure)


def _time_edges(time: F64) -> tuple[float, float]:
    """Return when the first pass began and the last one will end, s, from row means."""
    rows = time.shape[0]
    done = np.flatnonzero(np.isfinite(time).any(axis=1))
    if done.size < 2:
        return 0.0, float(rows)
    means = np.array([np.nanmean(time[row]) for row in done])
    step = float(means[-1] - means[0]) / float(done[-1] - done[0]) or 1.0
    return 0.0, step * rows


def xz_picture(scan: Scan, row: int) -> Picture:
    """Change of the current along z and along a row of the frame."""
    xz = xz_image(scan, line_hops(scan, row))
    figure, axes = canvas(f"Scan {scan.number}: XZ current, row {row}", (7.6, 4.6))
    axes.set_xlabel("distance along the row (µm)")
    axes.set_ylabel("z (µm)")
    axes.set_facecolor(MISSING)
    if xz.z.size and xz.place.size > 1:
        low, _, extend = limits(xz.change * 100, 1.0)
        bound = max(abs(low), 1e-3)
        x = edges(xz.place)
        image = axes.imshow(
            np.ma.masked_invalid(xz.change * 100),
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            extent=(x[0] * UM, x[1] * UM, xz.z[0] * UM, xz.z[-1] * UM),
            cmap="RdBu",
            vmin=-bound,
            vmax=bound,
        )
        colour_bar(figure, axes, image, "current change from bulk (%)", extend)
    else:
        nothing(axes, "too few curves for an XZ image")
    caption = (
        "Current of each approach less its own most frequent value, over that value; grey: the tip "
        "was not there."
    )
    return Picture("xz", "XZ current", caption, figure)
