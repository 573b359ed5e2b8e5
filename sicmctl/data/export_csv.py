"""Text exports: the table of hops as CSV, frames as xyz points."""

import csv
from pathlib import Path

import numpy as np

from .runfile import RunFile


def export_csv(run: RunFile, out: Path) -> list[Path]:
    """Write all hops of all scans, one row each; the header names columns with units."""
    scans = run.scans.values()
    names = list(dict.fromkeys(name for scan in scans for name in scan.columns))
    leading = [n for n in ("index", "attempt", "accepted", "row", "column", "time") if n in names]
    names = leading + [n for n in names if n not in leading and not n.startswith("curve_")]
    units = {name: scan.unit(name) for scan in scans for name in scan.columns}
    with out.open("x", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["scan", *(f"{n} ({units[n]})" if units[n] else n for n in names)])
        for scan in scans:
            columns = [scan.hops.get(name) for name in names]
            lists = [[""] * scan.count if c is None else c.tolist() for c in columns]
            for row in zip(*lists, strict=True):
                writer.writerow([scan.number, *(_cell(value) for value in row)])
    return [out]


def export_xyz(run: RunFile, out: Path) -> list[Path]:
    """Write the height of every pixel of every scan as lines of x, y, z in m.

    One file per scan, `NAME-scan0.xyz`. x and y are where the tip was meant to go.
    """
    written = []
    for scan in run.scans.values():
        if not scan.frames:
            continue
        geometry, height = scan.geometry, scan.frame("height")
        z = height[geometry["row"], geometry["column"]]
        known = np.isfinite(z)
        points = np.column_stack([geometry["x"], geometry["y"], z])[known]
        path = out.with_name(f"{out.stem}-scan{scan.number}{out.suffix}")
        with path.open("x", encoding="utf-8") as file:
            np.savetxt(file, points, fmt="%.9e", delimiter="\t", header="x (m)\ty (m)\tz (m)")
        written.append(path)
    return written


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return "" if np.isnan(value) else repr(value)
    return value
