"""Export to Gwyddion's native format: frames as channels with sizes, units and metadata."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .names import unit_of
from .runfile import RunFile, Scan

CHANNELS = {
    "height": ("Height", "Gwyddion.net"),
    "reference_current": ("Reference current", "Gray"),
    "height_sd": ("Height uncertainty", "Gray"),
    "status": ("Status", "Gray"),
}


def export_gwy(run: RunFile, out: Path) -> list[Path]:
    """Write the frames of all scans to one .gwy file.

    Gwyddion's rows run from the top down and ours from the bottom up, so rows are turned about:
    the image looks as it does here. Pixels without a value are masked and hold the mean.
    """
    from gwyfile.objects import GwyContainer  # noqa: PLC0415  (only this export needs it)

    container = GwyContainer()
    names = [(scan, name) for scan in run.scans.values() for name in CHANNELS if scan.frames]
    for number, (scan, name) in enumerate(names):
        title, palette = CHANNELS[name]
        key = f"/{number}"
        data, mask = _fields(scan, name)
        container[f"{key}/data"] = data
        container[f"{key}/data/title"] = f"{title}, scan {scan.number}"
        container[f"{key}/data/visible"] = name == "height"
        container[f"{key}/base/palette"] = palette
        container[f"{key}/meta"] = _meta(run, scan)
        if mask is not None:
            container[f"{key}/mask"] = mask
    with out.open("xb") as file:
        container.tofile(file)
    return [out]


def _fields(scan: Scan, name: str) -> tuple[Any, Any]:
    """Return the data field of a frame and the field of its mask (None if nothing is missing)."""
    from gwyfile.objects import GwyDataField  # noqa: PLC0415

    frame = scan.frame(name).astype(np.float64)
    missing = frame < 0 if name == "status" else ~np.isfinite(frame)
    known = frame[~missing]
    frame[missing] = known.mean() if known.size else 0.0
    x, y = _edges(scan)

    def field(values: NDArray[np.float64], unit: str) -> Any:
        made = GwyDataField(
            np.ascontiguousarray(values[::-1]),
            xreal=x[1] - x[0],
            yreal=y[1] - y[0],
            si_unit_xy="m",
            si_unit_z=unit,
        )
        made.xoff, made.yoff = x[0], y[0]
        return made

    mask = field(missing.astype(np.float64), "") if missing.any() else None
    return field(frame, "" if name == "status" else unit_of(name)), mask


def _edges(scan: Scan) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the outer edges of the pixels along x and y, m.

    Rows that are passes over the same line are drawn as high as a pixel is wide.
    """
    rows, columns = scan.axes
    step = _step(columns) or _step(rows) or 1e-9
    x = (float(columns[0]) - step / 2, float(columns[-1]) + step / 2)
    if scan.pattern != "raster":
        return x, (0.0, step * rows.size)
    step = _step(rows) or step
    return x, (float(rows[0]) - step / 2, float(rows[-1]) + step / 2)


def _step(axis: NDArray[np.float64]) -> float:
    return float(axis[-1] - axis[0]) / (axis.size - 1) if axis.size > 1 else 0.0


def _meta(run: RunFile, scan: Scan) -> Any:
    from gwyfile.objects import GwyContainer  # noqa: PLC0415

    info = run.info
    meta = {
        "Title": info.title,
        "Run": info.run,
        "Sample": info.sample,
        "Operator": info.operator,
        "Date": info.start_time,
        "Outcome": f"run {info.outcome}, scan {scan.outcome}",
        "Program": f"sicmctl {info.program_version}",
        "Pattern": scan.pattern,
        "Rotation": f"{np.degrees(scan.angle):.6g} deg",
        "Status names": ", ".join(f"{i}: {name}" for i, name in enumerate(scan.status_names)),
    }
    meta |= {f"Instrument {role}": name for role, name in run.instruments.items()}
    meta |= {f"Setting {k}": f"{v:g} {unit_of(k)}".strip() for k, v in scan.settings.items()}
    meta |= {f"Calibration {k}": f"{v:g} {unit_of(k)}" for k, v in run.calibration.items()}
    return GwyContainer(meta, typecodes=dict.fromkeys(meta, "s"))
