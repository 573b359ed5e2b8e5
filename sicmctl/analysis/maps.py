"""Figures of raster scans: maps of height, relief, current, status and uncertainty."""

from collections.abc import Iterator

import numpy as np
from matplotlib.colors import LightSource, ListedColormap
from matplotlib.patches import Patch
from numpy.typing import NDArray

from sicmctl.data.runfile import Scan

from .roughness import fit_plane
from .style import (
    F64,
    INK,
    MISSING,
    NA,
    NM,
    STATUS_COLOURS,
    Picture,
    canvas,
    colour_bar,
    draw_image,
    ends,
    limits,
    nothing,
)

GAP = "#bcd7ee"
NO_ESTIMATE, NO_ESTIMATE_COLOUR = "ok, but no height", "#7f7f7f"
NO_HEIGHT = "no height measured yet"


def raster_pictures(scan: Scan) -> Iterator[Picture]:
    """Yield the maps of a raster scan."""
    yield height_map(scan)
    yield relief(scan)
    yield current_map(scan)
    yield status_map(scan)
    yield uncertainty_map(scan)


def _levelled(scan: Scan) -> tuple[F64, float]:
    """Return the height less its plane, m, and the tilt of that plane, degrees."""
    height, (y, x) = scan.frame(), scan.axes
    plane = fit_plane(height, y, x)
    return height - plane.at(y, x), float(np.degrees(plane.tilt))


def height_map(scan: Scan) -> Picture:
    """Height with its plane removed."""
    flat, tilt = _levelled(scan)
    figure, axes = canvas(f"Scan {scan.number}: height, plane removed")
    known = np.isfinite(flat)
    scale, unit = (1e6, "µm") if known.any() and np.ptp(flat[known]) > 1e-6 else (NM, "nm")
    low, high, extend = limits(flat * scale)
    image = draw_image(axes, flat * scale, *scan.axes, cmap="viridis", vmin=low, vmax=high)
    colour_bar(figure, axes, image, f"height above mean plane ({unit})", extend)
    caption = "Height of the setpoint surface, grey: none. "
    if known.any():
        caption += f"The least-squares plane, tilted by {tilt:.3g}°, is removed for display only."
    else:
        nothing(axes, NO_HEIGHT)
    return Picture("height", "Height", caption, figure)


def relief(scan: Scan) -> Picture:
    """Shaded relief, lit from the upper left."""
    flat, _ = _levelled(scan)
    y, x = scan.axes
    figure, axes = canvas(f"Scan {scan.number}: shaded relief")
    known = np.isfinite(flat)
    caption = "Height lit from the upper left; pixels without height are pale blue."
    if known.sum() < 4 or min(flat.shape) < 2:
        draw_image(axes, np.full(flat.shape, np.nan), y, x)
        nothing(axes, NO_HEIGHT if not known.any() else "too few pixels for a relief")
        return Picture("relief", "Shaded relief", caption, figure)
    filled = _filled(flat)
    dx, dy = (float(axis[-1] - axis[0]) / (axis.size - 1) or 1e-9 for axis in (x, y))
    along_y, along_x = np.gradient(filled, dy, dx)
    slope = np.hypot(along_x, along_y)
    exaggeration = min(max(0.8 / max(float(np.percentile(slope[known], 90)), 1e-9), 0.1), 1e4)
    # rows count from the bottom here, from the top in LightSource: turn them about and back
    light = LightSource(azdeg=315, altdeg=45)
    shade = light.hillshade(filled[::-1], vert_exag=exaggeration, dx=dx, dy=dy)[::-1]
    shaded = np.where(known, shade, np.nan)
    draw_image(axes, shaded, y, x, missing=GAP, cmap="gray", vmin=0, vmax=1)
    caption += f" Heights are drawn {exaggeration:.2g} times as steep as they are."
    return Picture("relief", "Shaded relief", caption, figure)


def _filled(height: F64) -> F64:
    """Return the frame with each gap filled by its nearest pixel."""
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415  (slow to import)

    nearest = distance_transform_edt(
        ~np.isfinite(height), return_distances=False, return_indices=True
    )
    return height[tuple(np.asarray(nearest))]


def current_map(scan: Scan) -> Picture:
    """Reference current of each hop."""
    current = scan.frame("reference_current") * NA
    figure, axes = canvas(f"Scan {scan.number}: reference current")
    usual = np.where(scan.frame("status") == 0, current, np.nan)
    low, high, _ = limits(usual if np.isfinite(usual).any() else current)
    extend = ends(current, low, high)
    image = draw_image(axes, current, *scan.axes, cmap="cividis", vmin=low, vmax=high)
    colour_bar(figure, axes, image, "reference current (nA)", extend)
    if not np.isfinite(current).any():
        nothing(axes, "no hops yet")
    caption = (
        "Mean current at the top of each hop: changes tell of drift, clogging or the cell. "
        "The colours span the hops that went well."
    )
    return Picture("current", "Reference current", caption, figure)


def status_map(scan: Scan) -> Picture:
    """How each pixel ended, with counts."""
    status: NDArray[np.int8] = scan.frame("status").copy()
    names = [*scan.status_names, NO_ESTIMATE]
    status[(status == 0) & ~np.isfinite(scan.frame())] = len(names) - 1
    colours = [STATUS_COLOURS.get(name, "#999999") for name in names[:-1]] + [NO_ESTIMATE_COLOUR]
    figure, axes = canvas(f"Scan {scan.number}: status of each pixel", (6.4, 5.6))
    draw_image(
        axes,
        np.where(status < 0, np.nan, status),
        *scan.axes,
        cmap=ListedColormap(colours),
        vmin=-0.5,
        vmax=len(names) - 0.5,
    )
    counts = [int((status == number).sum()) for number in range(len(names))]
    found = [*zip(names, colours, counts, strict=True)]
    found.append(("not reached", MISSING, int((status < 0).sum())))
    legend = [
        Patch(facecolor=colour, edgecolor=INK, lw=0.5, label=f"{name}: {count}")
        for name, colour, count in found
        if count
    ]
    figure.legend(handles=legend, loc="outside lower center", ncols=3, frameon=False)
    caption = "How the hop that stands for each pixel ended, with the number of pixels."
    return Picture("status", "Status", caption, figure)


def uncertainty_map(scan: Scan) -> Picture:
    """Standard uncertainty of each height."""
    sd = scan.frame("height_sd") * NM
    figure, axes = canvas(f"Scan {scan.number}: height uncertainty")
    _, high, _ = limits(sd)
    extend = ends(sd, 0, high)
    image = draw_image(axes, sd, *scan.axes, cmap="magma", vmin=0, vmax=high)
    colour_bar(figure, axes, image, "standard uncertainty (nm)", extend)
    if not np.isfinite(sd).any():
        nothing(axes, NO_HEIGHT)
    caption = "Standard uncertainty of each height, as estimated from its own approach curve."
    return Picture("uncertainty", "Height uncertainty", caption, figure)
