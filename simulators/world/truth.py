"""The truth file: what really happened, for tests and benchmarks to judge by.

HDF5. `/stream` holds one row a millisecond (columns named in its attribute `columns`, SI),
`/contacts` and `/events` one row each time the tip touched or something was set; `/sample` the
height map. Written in chunks as the world runs.
"""

import json
from pathlib import Path
from typing import Self

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.config import SimConfig
from simulators.world.contact import Contact
from simulators.world.kernel import heights_for_conductance
from simulators.world.pack import packed
from simulators.world.pipette import Pipette
from simulators.world.rig import TRUTH
from simulators.world.sample import Sample
from simulators.world.surfaces import rq

CONTACT = np.dtype(
    [(name, "f8") for name in ("start", "end", "x", "y", "speed", "depth", "inner_radius")]
    + [("oblique", "?"), ("broke", "?")]
)
"""A contact: times (s), place and deepest point (m), speed (m/s), inner radius after (m)."""

_BUFFER = 10_000
FLOOR = 2e-9
"""Leak gap (m) assumed under a touching rim when heights for a drop are computed."""


class Recorder:
    """Writes a truth file; holds at most some seconds of it in memory."""

    def __init__(self, path: Path, config: SimConfig, seed: int, sample: Sample) -> None:
        self._file = h5py.File(path, "w")
        self._file.attrs["config"] = config.model_dump_json(by_alias=True)
        self._file.attrs["seed"] = seed
        grid = self._file.create_dataset("sample", data=sample.map, compression="gzip")
        grid.attrs["size"] = sample.size
        grid.attrs["centre"] = sample.centre
        grid.attrs["axes"] = "y, x"
        stream = self._table("stream", np.dtype("f8"), (len(TRUTH),))
        stream.attrs["columns"] = list(TRUTH)
        self._table("contacts", CONTACT, ())
        text = h5py.string_dtype()
        self._table("events", np.dtype([("time", "f8"), ("set", text), ("value", text)]), ())
        self._rows: list[NDArray[np.float64]] = []
        self._waiting = 0

    def _table(self, name: str, dtype: np.dtype, row: tuple[int, ...]) -> h5py.Dataset:
        shape, most = (0, *row), (None, *row)
        return self._file.create_dataset(name, shape, dtype, maxshape=most, chunks=(1024, *row))

    def _append(self, name: str, rows: NDArray) -> None:
        table = self._file[name]
        assert isinstance(table, h5py.Dataset)
        have = table.shape[0]
        table.resize(have + len(rows), axis=0)
        table[have:] = rows

    def stream(self, rows: NDArray[np.float64]) -> None:
        """Take rows of the stream, shape (n, columns)."""
        self._rows.append(rows.copy())
        self._waiting += len(rows)
        if self._waiting >= _BUFFER:
            self.flush()

    def contact(self, contact: Contact, end: float, depth: float, inner_radius: float) -> None:
        """Log a contact that is over."""
        row = (contact.start, end, contact.x, contact.y, contact.speed, depth, inner_radius)
        flags = (contact.oblique, contact.broke)
        self._append("contacts", np.array([row + flags], CONTACT))

    def event(self, time: float, name: str, value: float | str) -> None:
        """Log that something was set."""
        dtype = self._file["events"].dtype  # type: ignore[union-attr]
        self._append("events", np.array([(time, name, str(value))], dtype))

    def flush(self) -> None:
        """Write what is waiting to the file."""
        if self._rows:
            self._append("stream", np.concatenate(self._rows))
            self._rows, self._waiting = [], 0
        self._file.flush()

    def close(self) -> None:
        """Flush and close; again is harmless."""
        if self._file:
            self.flush()
            self._file.close()


class Truth:
    """A truth file, opened for reading."""

    def __init__(self, path: Path | str) -> None:
        self._file = h5py.File(path, "r")
        attrs = self._file.attrs
        self.config = SimConfig.model_validate(json.loads(str(attrs["config"])))
        self.seed = int(attrs["seed"])  # type: ignore[arg-type]
        grid = self._file["sample"]
        assert isinstance(grid, h5py.Dataset)
        centre = tuple(float(c) for c in np.asarray(grid.attrs["centre"]))
        size = float(grid.attrs["size"])  # type: ignore[arg-type]
        self.sample = Sample(self.config.sample, np.asarray(grid[:]), size, (centre[0], centre[1]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _rows(self, name: str) -> NDArray:
        table = self._file[name]
        assert isinstance(table, h5py.Dataset)
        return np.asarray(table[:])

    @property
    def stream(self) -> dict[str, NDArray[np.float64]]:
        """The stream's columns by name, one value a millisecond, SI."""
        rows = self._rows("stream")
        return {name: rows[:, k] for k, name in enumerate(TRUTH)}

    @property
    def contacts(self) -> NDArray:
        """Contacts that are over, a structured array of `CONTACT`."""
        return self._rows("contacts")

    @property
    def events(self) -> list[tuple[float, str, str]]:
        """What was set: time (s), name, value."""
        return [(float(t), n.decode(), v.decode()) for t, n, v in self._rows("events")]

    def at(self, time: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Every column of the stream at the times (s), any shape, linearly interpolated.

        Exact for drift and vibration; stage, current and gap are samples at 1 kHz. `tip_x`,
        `tip_y`, `tip_z` add up to where the tip was in the sample's frame (m).
        """
        stream, t = self.stream, np.asarray(time, dtype=float)
        out = {name: np.interp(t, stream["time"], column) for name, column in stream.items()}
        for axis in "xyz":
            moved = out[f"drift_{axis}"] + out[f"vibration_{axis}"]
            out[f"tip_{axis}"] = out[axis] + moved
        out["tip_z"] = out["tip_z"] + out["shortening"]
        return out

    def falls(self, below: float = 250e-9) -> NDArray[np.float64]:
        """Smallest gap (m) of each fall that came nearer than `below` (m), in order.

        A fall lasts from one time the gap is larger to the next. The gap is known at 1 kHz: enough
        for a tip that rests where it stopped. How deep it touched is for `contacts` to say.
        """
        gap = self.stream["gap"]
        away = np.flatnonzero(np.diff(gap < below, prepend=False, append=False))
        begun, ended = away[::2], away[1::2]
        return np.array([gap[a:b].min() for a, b in zip(begun, ended, strict=True)])

    def setpoint_height(self, x: ArrayLike, y: ArrayLike, drop: float) -> NDArray[np.float64]:
        """z (m, sample frame) at which the unbroken tip's current has dropped by the share `drop`.

        x, y: places in the sample's frame (m), broadcast against each other.
        """
        pipette = Pipette.new(self.config.pipette, self.sample.permeability)
        return setpoint_height(pipette, self.sample, x, y, drop)

    def rq_seen(self, x: ArrayLike, y: ArrayLike, drop: float) -> float:
        """Roughness (m) of the same grid as the unbroken tip can see it: of its setpoint surface.

        A tip is wider than the clefts of a composite, so this is less than the surface's own.
        """
        columns, rows = np.meshgrid(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
        return rq(self.setpoint_height(columns, rows, drop))

    def rq(self, x: ArrayLike, y: ArrayLike) -> float:
        """Roughness (m) of the true surface sampled on the grid of x (columns) and y (rows)."""
        columns, rows = np.meshgrid(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
        return rq(self.sample.height(columns, rows))


def setpoint_height(
    pipette: Pipette, sample: Sample, x: ArrayLike, y: ArrayLike, drop: float
) -> NDArray[np.float64]:
    """z (m) of the tip at which its noise-free current is (1 - drop) of that far away."""
    xs, ys = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
    flat = heights_for_conductance(
        packed(pipette.tip()),
        packed(sample.surface()),
        sample.map,
        xs.ravel(),
        ys.ravel(),
        1.0 - drop,
        FLOOR,
    )
    return flat.reshape(xs.shape)
