"""Figure of approach curves: a handful of typical ones, the worst, and failures."""

from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sicmctl.data.runfile import Scan

from .style import ALERT, CURVE, F64, INK, NM, Picture, nothing
from .xz import current_of, height_of

MOST = 4000
"""Points drawn of a curve; longer ones are drawn as the envelope of their samples."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A hop worth showing, and why."""

    hop: int
    why: str


def choose(scan: Scan) -> list[Choice]:
    """Return up to six hops: two typical ones, the two least certain, two failures."""
    if not scan.count:
        return []
    status, length = scan.column("status"), scan.column("curve_length")
    sd = scan.column("height_sd")
    drawable = length > 1
    good = np.flatnonzero(drawable & np.isfinite(sd) & (status == "ok"))
    ranked = good[np.argsort(sd[good], kind="stable")]
    middle = ranked[max(ranked.size // 2 - 1, 0) : ranked.size // 2 + 1]
    chosen = [Choice(int(hop), "typical") for hop in middle]
    taken = set(middle.tolist())
    worst = [hop for hop in ranked[::-1][:2].tolist() if hop not in taken]
    chosen += [Choice(hop, "least certain") for hop in worst]
    failed = np.flatnonzero(drawable & (status != "ok"))
    kinds = [int(failed[status[failed] == kind][0]) for kind in dict.fromkeys(status[failed])]
    chosen += [Choice(hop, str(status[hop])) for hop in kinds[: 6 - len(chosen)]]
    return chosen


def approach_curves(scan: Scan) -> Picture:
    """Current against height, normalised by the reference, with setpoint and stop marked."""
    chosen = choose(scan)
    rows = max(-(-len(chosen) // 2), 1)
    figure = Figure(figsize=(9.2, 0.6 + 2.9 * rows), layout="constrained")
    figure.suptitle(
        f"Scan {scan.number}: approach curves", x=0.01, ha="left", fontsize=12, weight="bold"
    )
    if not chosen:
        axes = figure.add_subplot()
        axes.set_axis_off()
        nothing(axes, "no approach curves yet")
    legend: dict[str, Artist] = {}
    for number, choice in enumerate(chosen, start=1):
        axes = figure.add_subplot(rows, 2, number)
        _draw(axes, scan, choice)
        legend |= {
            label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
    if legend:
        figure.legend(
            legend.values(), legend.keys(), loc="outside lower center", ncols=4, frameon=False
        )
    caption = (
        "Tip current over its reference, against z above the place at which the ramp was "
        "stopped: typical hops, the least certain ones, and one hop of each way to fail. "
        "Curves of many samples are drawn as the range of neighbouring ones."
    )
    return Picture("approach", "Approach curves", caption, figure)


def _draw(axes: Axes, scan: Scan, choice: Choice) -> None:
    hop = choice.hop
    curves = scan.curves(hop)
    z, current = height_of(curves), current_of(curves)
    reference = float(scan.column("reference")[hop])
    place = f"target {scan.column('index')[hop]}"
    if scan.pattern == "raster":
        place = f"row {scan.column('row')[hop]}, column {scan.column('column')[hop]}"
    colour = INK if choice.why in ("typical", "least certain") else ALERT
    axes.set_title(f"{choice.why} ({place})", fontsize=10.5, color=colour, weight="normal")
    axes.set_xlabel("z above the stop (nm)")
    axes.set_ylabel("current / reference")
    if not z.size or z.size != current.size or not np.isfinite(reference) or not reference:
        nothing(axes, "no curve of current and z")
        return
    stop = min(int(scan.column("stop")[hop]), z.size - 1)
    distance, level = (z - z[stop]) * NM, current / reference
    _draw_samples(axes, distance, level)
    setpoint = scan.settings.get("setpoint")
    if setpoint is not None:
        axes.axhline(1 - setpoint, color=ALERT, lw=1, ls="--", label=f"setpoint −{setpoint:.3g}")
    axes.plot(distance[stop], level[stop], "o", ms=6, mfc="none", mec=INK, mew=1.5, label="stop")
    height = float(scan.column("height")[hop])
    if "drift_z" in scan.columns:
        height += float(scan.column("drift_z")[hop])  # as the sensor saw it
    if np.isfinite(height):
        axes.axvline((height - z[stop]) * NM, color="#009e73", lw=1, ls=":", label="height")
    axes.margins(x=0.03)


def _draw_samples(axes: Axes, x: F64, y: F64) -> None:
    """Draw samples as a line, or as their range per group if there are many."""
    if x.size <= MOST:
        axes.plot(x, y, color=CURVE, lw=0.8)
        return
    group = -(-x.size // (MOST // 2))
    whole = x.size // group * group
    parts, middle = y[:whole].reshape(-1, group), x[:whole].reshape(-1, group).mean(1)
    axes.fill_between(middle, parts.min(1), parts.max(1), color=CURVE, lw=0.4, alpha=0.8)
