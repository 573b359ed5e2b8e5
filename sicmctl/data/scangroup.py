"""One scan in the run file: frames as images with axes, hops as columns, curves as flat arrays."""

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from sicmctl.messages import HopDone, ScanStarted

from .columns import Curves, Table, Value
from .names import MEANINGS, UNMEASURED, Words, safe_name, statuses, unit_of

FRAMES = {
    "height": "height of the setpoint surface",
    "height_sd": "standard uncertainty of the height",
    "z_stop": "sensor z at rest after the stop",
    "reference_current": "reference current",
    "time": "time of the hop",
}
F64 = NDArray[np.float64]


class ScanGroup:
    """Writes one scan. Hops are kept in memory until `flush`."""

    def __init__(self, entry: h5py.Group, number: int, started: ScanStarted | None) -> None:
        """started: None if the record of it is lost; then there are hops but no frames."""
        self.group = _subgroup(entry, f"scan_{number}", "NXcollection")
        self.frames: dict[str, F64] = {}
        self._images: dict[str, h5py.Dataset] = {}
        self.done = False
        hops = _subgroup(self.group, "hops", "NXdata", signal="height", axes="time")
        self._status = statuses()
        words = {"status": self._status, "method": Words()}
        self._hops = Table(hops, words, MEANINGS)
        self._curves = Curves(_subgroup(self.group, "curves", "NXcollection"))
        self._rows: set[int] = set()
        self._shape = started.shape if started else (0, 0)
        self.group["pattern"] = started.pattern if started else "unknown"
        self.group["engine"] = started.engine if started else ""
        self.group.attrs["scan"] = number
        self.group.attrs["prescan"] = started.prescan if started else False
        self.group.attrs["default"] = "frame" if min(self._shape) > 1 else "hops"
        write_numbers(self.group, "settings", started.settings if started else {})
        if started:
            write_number(self.group, "start_time", started.time, "s")
            self._write_geometry(started)
            self._create_frames(started)

    def add(self, hop: HopDone) -> None:
        """Add one attempt; if accepted it sets its pixel."""
        curves = {name: array.numpy() for name, array in hop.curves.items()}
        first, count = self._curves.append(curves)
        for method in hop.heights:
            self._hops.words.setdefault(f"height_{safe_name(method)}_status", Words(["ok"]))
        self._hops.append(_row(hop, first, count))
        rows, columns = self._shape
        if hop.accepted and 0 <= hop.row < rows and 0 <= hop.column < columns:
            self._set_pixel(hop)

    def flush(self) -> None:
        """Bring the hops so far into the file (curves by whole chunks)."""
        self._hops.flush()
        self._curves.flush()
        for row in sorted(self._rows):
            for name, frame in self.frames.items():
                self._images[name][row] = frame[row]
        self._rows.clear()
        if self._images:
            self._images["status"].attrs["names"] = self._status.names

    def end(self, outcome: str, time: float, timing: Mapping[str, float] | None = None) -> None:
        """Close the scan. timing: as in `ScanEnded`."""
        if self.done:
            return
        self.flush()
        self._curves.close()
        self.group["outcome"] = outcome
        write_number(self.group, "end_time", time, "s")
        if timing:
            write_numbers(self.group, "timing", timing)
        self.done = True

    def _set_pixel(self, hop: HopDone) -> None:
        values = {
            "height": hop.height,
            "height_sd": hop.height_sd,
            "z_stop": hop.z_stop,
            "reference_current": hop.reference,
            "time": hop.time,
            "status": self._status.number(hop.status),
        }
        for name, value in values.items():
            self.frames[name][hop.row, hop.column] = value
        self._rows.add(hop.row)

    def _write_geometry(self, started: ScanStarted) -> None:
        group = _subgroup(self.group, "geometry", "NXcollection")
        group.attrs["comment"] = "targets in scan order; row and column say where in the frame"
        for name in ("x", "y", "row", "column"):
            target = group.create_dataset(name, data=getattr(started, name).numpy())
            if name in ("x", "y"):
                target.attrs["units"] = "m"
        extent = group.create_dataset("extent", data=np.asarray(started.extent, np.float64))
        extent.attrs.update(units="m", long_name="x0, x1, y0, y1 of the outer pixels")
        group["shape"] = np.asarray(started.shape, np.int64)
        if started.pattern == "raster":
            write_number(group, "angle", turned(started), "rad")

    def _create_frames(self, started: ScanStarted) -> None:
        group = _subgroup(self.group, "frame", "NXdata", signal="height")
        others = [name for name in (*FRAMES, "status") if name != "height"]
        group.attrs["auxiliary_signals"] = others
        group.attrs["title"] = f"{started.pattern} scan {started.scan}"
        for axis, (name, unit, label, values) in enumerate(frame_axes(started)):
            group.create_dataset(name, data=values).attrs.update(units=unit, long_name=label)
            group.attrs[f"{name}_indices"] = axis
        group.attrs["axes"] = [name for name, *_ in frame_axes(started)]
        for name, label in FRAMES.items():
            frame = self.frames[name] = np.full(started.shape, np.nan)
            image = self._images[name] = group.create_dataset(name, data=frame)
            image.attrs.update(units=unit_of(name), long_name=f"{label} ({unit_of(name)})")
        self.frames["status"] = np.full(started.shape, UNMEASURED, np.float64)
        image = group.create_dataset("status", started.shape, np.int8, fillvalue=UNMEASURED)
        self._images["status"] = image
        image.attrs.update(
            names=self._status.names, long_name="status (number of a name; -1: not measured)"
        )


def frame_axes(started: ScanStarted) -> list[tuple[str, str, str, F64]]:
    """Return name, unit, label and values of the axes of the rows and of the columns.

    Rasters have y and x (of the raster before it was turned about its corner); all else has the
    number of the row and the distance from the first target.
    """
    rows, columns = started.shape
    x0, x1, y0, y1 = started.extent
    if started.pattern == "raster":
        turn = turned(started)
        note = f", turned by {np.degrees(turn):.4g} degrees" if turn else ""
        return [
            ("y", "m", f"y (m){note}", np.linspace(y0, y1, rows)),
            ("x", "m", f"x (m){note}", np.linspace(x0, x1, columns)),
        ]
    column = started.column.numpy()
    x, y = (_mean_per(column, v.numpy(), columns) for v in (started.x, started.y))
    distance = np.hypot(x - x[:1], y - y[:1])
    if not np.isfinite(distance).all():
        distance = np.linspace(0, np.hypot(x1 - x0, y1 - y0), columns)
    return [
        ("row", "1", "row", np.arange(rows, dtype=np.float64)),
        ("distance", "m", "distance from the first target (m)", distance),
    ]


def turned(started: ScanStarted) -> float:
    """Return the angle by which the rows of a raster are turned from +x to +y, rad."""
    row, column = started.row.numpy(), started.column.numpy()
    first = np.flatnonzero(row == row[0]) if row.size else row
    if first.size < 2:
        return 0.0
    ends = first[np.argmin(column[first])], first[np.argmax(column[first])]
    dx, dy = (float(np.diff(v.numpy()[list(ends)])[0]) for v in (started.x, started.y))
    angle = float(np.arctan2(dy, dx))
    return angle if abs(angle) > 1e-9 else 0.0


def _mean_per(place: NDArray[Any], values: F64, count: int) -> F64:
    """Return the mean of the values at each place, shape (count,); NaN where there is none."""
    hits = np.bincount(place, minlength=count)[:count]
    sums = np.bincount(place, values, minlength=count)[:count]
    return np.where(hits > 0, sums / np.maximum(hits, 1), np.nan)


def _row(hop: HopDone, first: int, count: int) -> Mapping[str, Value]:
    row: dict[str, Value] = {
        "index": hop.index,
        "attempt": hop.attempt,
        "accepted": bool(hop.accepted),
        "row": hop.row,
        "column": hop.column,
        "time": hop.time,
        "x": hop.x,
        "y": hop.y,
        "start": hop.start,
        "reference": hop.reference,
        "reference_sd": hop.reference_sd,
        "z_stop": hop.z_stop,
        "status": hop.status,
        "height": hop.height,
        "height_sd": hop.height_sd,
        "method": hop.method,
        "bandwidth": hop.bandwidth,
        "first": hop.first,
        "stop": hop.stop,
        "curve_start": first,
        "curve_length": count,
        "note": hop.note,
        "drift_x": hop.drift_x,
        "drift_y": hop.drift_y,
        "drift_z": hop.drift_z,
    }
    for method, estimate in hop.heights.items():
        name = f"height_{safe_name(method)}"
        row |= {name: float(estimate.value), f"{name}_sd": float(estimate.sd)}
        row[f"{name}_status"] = estimate.status
    return row | {f"timing_{safe_name(k)}": float(v) for k, v in hop.timing.items()}


def write_number(group: h5py.Group, name: str, value: float, unit: str | None = None) -> None:
    """Write a scalar with its unit."""
    number = group.create_dataset(name, data=float(value))
    unit = unit_of(name) if unit is None else unit
    if unit:
        number.attrs["units"] = unit


def write_numbers(parent: h5py.Group, name: str, numbers: Mapping[str, float]) -> None:
    """Write a group of scalars with their units."""
    group = _subgroup(parent, name, "NXcollection")
    for key, value in numbers.items():
        write_number(group, safe_name(key), value, unit_of(key))


def _subgroup(parent: h5py.Group, name: str, nexus: str, **attributes: Any) -> h5py.Group:
    group = parent.create_group(name)
    group.attrs.update(NX_class=nexus, **attributes)
    return group
