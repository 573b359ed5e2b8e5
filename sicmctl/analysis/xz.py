"""XZ images: the tip current against height along a line, each approach curve on its own level.

The mode of a curve (its most frequent current) is the bulk level at that moment. With it taken
away, the transient of the whole cell drops out and the gradient along z is left
(Takahashi et al., JACS Au 2023, 3, 1089).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sicmctl.data.runfile import Scan

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class XZImage:
    """Change of the current along a line.

    z: edges of the bins, m, shape (n + 1,). place: distance along the line, m, shape (m,).
    change: (I - mode) / mode, shape (n, m); NaN where a curve has no sample.
    """

    z: F64
    place: F64
    change: F64


def current_of(curves: Mapping[str, NDArray[Any]]) -> F64:
    """Return the tip current of a hop, A; empty if there is none."""
    return _channel(curves, "pipette_current", "current")


def height_of(curves: Mapping[str, NDArray[Any]]) -> F64:
    """Return the sensor z of a hop, m; empty if there is none."""
    return _channel(curves, "z_sensor", "z")


def _channel(curves: Mapping[str, NDArray[Any]], *roles: str) -> F64:
    found = next((curves[role] for role in roles if role in curves), np.empty(0))
    return np.asarray(found, np.float64)


def mode(values: NDArray[Any]) -> float:
    """Return the most frequent value of samples; NaN if none is finite.

    The peak of a histogram with bins of the Freedman-Diaconis width, refined by the mean of the
    samples within one bin of it.
    """
    values = np.asarray(values, np.float64)
    values = values[np.isfinite(values)]
    if not values.size:
        return float("nan")
    low, high = float(values.min()), float(values.max())
    spread = float(np.subtract(*np.percentile(values, [75, 25])))
    width = 2 * spread / values.size ** (1 / 3) or (high - low) / 10
    if high - low <= 1e-12 * max(abs(high), abs(low)) or not width:
        return float(values.mean())
    counts, edges = np.histogram(values, bins=min(max(int((high - low) / width), 5), 1000))
    top = int(np.argmax(counts))
    step = edges[1] - edges[0]
    near = (values >= edges[top] - step / 2) & (values <= edges[top + 1] + step / 2)
    return float(values[near].mean())


def line_hops(scan: Scan, row: int) -> NDArray[np.int64]:
    """Return the accepted hops of a row of the frame, left to right, shape (m,)."""
    if not scan.count:
        return np.empty(0, np.int64)
    hops = np.flatnonzero(scan.column("accepted") & (scan.column("row") == row))
    return hops[np.argsort(scan.column("column")[hops], kind="stable")]


def xz_image(scan: Scan, hops: Sequence[int] | NDArray[np.int64], bins: int = 80) -> XZImage:
    """Return the XZ image of hops along a line: mean change of the current per z bin."""
    curves = [scan.curves(int(hop)) for hop in hops]
    heights, currents = [height_of(c) for c in curves], [current_of(c) for c in curves]
    x, y = (scan.column(name)[list(hops)] if len(hops) else np.empty(0) for name in "xy")
    place = np.hypot(x - x[:1], y - y[:1])
    known = [z[np.isfinite(z)] for z in heights]
    levels = np.concatenate(known) if known else np.empty(0)
    if not levels.size:
        return XZImage(np.empty(0), place, np.empty((0, len(hops))))
    edges = np.linspace(levels.min(), levels.max() or 1.0, bins + 1)
    change = np.full((bins, len(hops)), np.nan)
    for k, (z, current) in enumerate(zip(heights, currents, strict=True)):
        if z.size == current.size and z.size:
            level = mode(current)
            change[:, k] = _binned(z, current / level - 1 if level else current, edges)
    return XZImage(edges, place, change)


def _binned(z: F64, values: F64, edges: F64) -> F64:
    """Return the mean of the values per bin of z, shape (len(edges) - 1,); NaN if none."""
    good = np.isfinite(z) & np.isfinite(values)
    bins = edges.size - 1
    index = np.clip(np.searchsorted(edges, z[good], "right") - 1, 0, bins - 1)
    hits = np.bincount(index, minlength=bins)
    sums = np.bincount(index, values[good], minlength=bins)
    return np.where(hits > 0, sums / np.maximum(hits, 1), np.nan)
