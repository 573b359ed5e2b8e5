"""Reading run files, with types and with errors that say what is wrong."""

from collections.abc import Mapping
from functools import cached_property
from math import isnan
from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from . import h5read as h5
from .echem import Echem
from .names import SCHEMA, RunFileError

__all__ = ["Echem", "RunFile", "RunFileError", "RunInfo", "Scan"]


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What, when, by whom, and how it ended. Times ISO 8601, duration s, rate samples/s."""

    run: str = ""
    title: str = ""
    sample: str = ""
    operator: str = ""
    start_time: str = ""
    end_time: str = ""
    epoch: str = ""
    duration: float = float("nan")
    rate: float = float("nan")
    outcome: str = ""
    reason: str = ""
    safe: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    program_version: str = ""


class RunFile:
    """A run file opened for reading; a context manager.

    Raises RunFileError if the file is none, is truncated, or is of a newer schema.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise RunFileError(f"{self.path} does not exist")
        if not h5py.is_hdf5(self.path):
            raise RunFileError(f"{self.path} is not a run file (it is not HDF5)")
        try:
            self._file = h5py.File(self.path, "r")
        except (OSError, RuntimeError) as error:
            raise RunFileError(
                f"{self.path} is truncated, damaged or being written ({error}); "
                "`sicmctl recover` builds it anew from the journal"
            ) from error
        try:
            self._check_schema()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "RunFile":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. May be called again."""
        self._file.close()

    def _check_schema(self) -> None:
        schema = h5.attribute(self._file, "sicmctl_schema")
        if not schema.isdigit() or "entry" not in self._file:
            raise RunFileError(f"{self.path} is HDF5, but not a run file of sicmctl")
        if int(schema) > SCHEMA:
            raise RunFileError(
                f"{self.path} has schema {schema}; this program reads up to {SCHEMA} "
                "(update sicmctl)"
            )

    @property
    def _entry(self) -> h5py.Group:
        return h5.subgroup(self._file, "entry")

    @cached_property
    def info(self) -> RunInfo:
        """What, when, by whom, and how it ended."""
        entry = self._entry
        program = h5.dataset(entry, "program_name")
        return RunInfo(
            run=h5.text(entry, "entry_identifier"),
            title=h5.text(entry, "title"),
            sample=h5.text(entry, "sample/name"),
            operator=h5.text(entry, "user/name"),
            start_time=h5.text(entry, "start_time"),
            end_time=h5.text(entry, "end_time"),
            epoch=h5.text(entry, "epoch"),
            duration=h5.number(entry, "duration"),
            rate=h5.number(entry, "sample_rate"),
            outcome=h5.text(entry, "outcome"),
            reason=h5.text(entry, "reason"),
            safe=h5.texts(entry, "safe"),
            losses=h5.texts(entry, "losses"),
            program_version=h5.attribute(program, "version"),
        )

    @property
    def rig(self) -> str:
        """The text of rig.toml."""
        return h5.text(self._entry, "rig/data")

    @property
    def experiment(self) -> str:
        """The text of experiment.toml."""
        return h5.text(self._entry, "experiment/data")

    @property
    def instruments(self) -> dict[str, str]:
        """Role -> what the instrument said it is."""
        roles = h5.keys(self._entry, "instrument")
        found = {role: h5.text(self._entry, f"instrument/{role}/name") for role in roles}
        return {role: name for role, name in found.items() if name}

    @property
    def versions(self) -> dict[str, str]:
        """Package -> version."""
        keys = h5.keys(self._entry, "versions")
        return {key: h5.text(self._entry, f"versions/{key}") for key in keys}

    @property
    def calibration(self) -> dict[str, float]:
        """Name -> number, SI."""
        return h5.numbers(self._entry, "instrument/calibration")

    @property
    def notes(self) -> list[dict[str, Any]]:
        """Remarks: time (s), text, author, uncertainty (s)."""
        return h5.rows(self._entry, "notes")

    @property
    def alarms(self) -> list[dict[str, Any]]:
        """Alarms: time (s), level, source, text, remedy."""
        return h5.rows(self._entry, "alarms")

    @property
    def tip(self) -> list[dict[str, Any]]:
        """The tip by its approach curves: rows of `TipMeasured`; none in files without."""
        return h5.rows(self._entry, "tip")

    @property
    def drift(self) -> list[dict[str, Any]]:
        """How the sample crept: rows of `DriftMeasured`; none in files without."""
        return h5.rows(self._entry, "drift")

    @property
    def reaction(self) -> list[dict[str, Any]]:
        """How fast falls were stopped: rows of `ReactionMeasured`; none in files without."""
        return h5.rows(self._entry, "reaction")

    @cached_property
    def scans(self) -> dict[int, "Scan"]:
        """Number -> scan, in order."""
        groups = [group for group in h5.groups(self._entry) if "scan" in group.attrs]
        scans = (Scan(int(h5.attribute(group, "scan")), group) for group in groups)
        return {scan.number: scan for scan in sorted(scans, key=lambda scan: scan.number)}

    @cached_property
    def echem(self) -> dict[int, Echem]:
        """Number -> electrochemical technique, in order."""
        groups = [group for group in h5.groups(self._entry) if "echem" in group.attrs]
        found = (Echem(int(h5.attribute(group, "echem")), group) for group in groups)
        return {technique.number: technique for technique in sorted(found, key=lambda e: e.number)}

    def scan(self, number: int | None = None) -> "Scan":
        """Return a scan, by default the first that is no prescan.

        Raises RunFileError if there is none.
        """
        if number is None and self.scans:
            scans = list(self.scans.values())
            return next((scan for scan in scans if not scan.prescan), scans[0])
        if number not in self.scans:
            known = ", ".join(map(str, self.scans)) or "none"
            raise RunFileError(f"{self.path} has no scan {number}; it has: {known}")
        return self.scans[number]

    def frame(self, name: str = "height", scan: int | None = None) -> NDArray[Any]:
        """Return a frame of a scan, shape (rows, columns)."""
        return self.scan(scan).frame(name)


class Scan:
    """One scan of a run file."""

    def __init__(self, number: int, group: h5py.Group) -> None:
        self.number = number
        self._group = group

    @property
    def pattern(self) -> str:
        """`point`, `line`, `raster`, `list`, or `unknown` if its start is lost."""
        return h5.text(self._group, "pattern")

    @property
    def prescan(self) -> bool:
        """Whether it only prepared the next scan."""
        return bool(self._group.attrs.get("prescan", False))

    @property
    def engine(self) -> str:
        """The hop engine."""
        return h5.text(self._group, "engine")

    @property
    def outcome(self) -> str:
        """`done`, `stopped`, `failed` or `interrupted`."""
        return h5.text(self._group, "outcome")

    @property
    def settings(self) -> dict[str, float]:
        """Name -> number, SI."""
        return h5.numbers(self._group, "settings")

    @property
    def start_time(self) -> float:
        """When it began, s on the timeline; NaN if unknown."""
        return h5.number(self._group, "start_time")

    @property
    def end_time(self) -> float:
        """When it ended, s on the timeline; NaN if unknown."""
        return h5.number(self._group, "end_time")

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the frames; (0, 0) if unknown."""
        shape = h5.find(self._group, "geometry/shape")
        if not isinstance(shape, h5py.Dataset):
            return 0, 0
        rows, columns = h5.read(shape)
        return int(rows), int(columns)

    @property
    def geometry(self) -> dict[str, NDArray[Any]]:
        """x, y (m), row, column of each target in scan order, extent (x0, x1, y0, y1; m)."""
        group = h5.subgroup(self._group, "geometry")
        names = ("x", "y", "row", "column", "extent")
        return {name: h5.read(h5.dataset(group, name)) for name in names}

    @property
    def angle(self) -> float:
        """By how much a raster is turned from +x to +y about its corner, rad; else 0."""
        angle = h5.number(self._group, "geometry/angle")
        return 0.0 if isnan(angle) else angle

    @property
    def frames(self) -> list[str]:
        """The names of the frames."""
        group = h5.find(self._group, "frame")
        return (
            []
            if group is None
            else [h5.attribute(group, "signal"), *h5.names(group, "auxiliary_signals")]
        )

    def frame(self, name: str = "height") -> NDArray[Any]:
        """Return a frame, shape (rows, columns): float64 SI, or int8 numbers for `status`."""
        if name not in self.frames:
            known = ", ".join(self.frames) or "none (the start of the scan is lost)"
            raise RunFileError(f"scan {self.number} has no frame {name!r}; it has: {known}")
        return h5.read(h5.dataset(self._group, f"frame/{name}"))

    @cached_property
    def axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coordinates of the rows and of the columns: y, x in m (rasters), else row, distance."""
        group = h5.subgroup(self._group, "frame")
        rows, columns = (h5.read(h5.dataset(group, name)) for name in h5.names(group, "axes"))
        return rows, columns

    @property
    def columns(self) -> list[str]:
        """The names of the columns of the table of hops."""
        return h5.keys(self._group, "hops")

    def column(self, name: str) -> NDArray[Any]:
        """Return one column of the table of hops, shape (hops,); words as text."""
        group = h5.subgroup(self._group, "hops")
        if name not in group:
            raise RunFileError(
                f"scan {self.number} has no column {name!r}; it has: {', '.join(group) or 'none'}"
            )
        return h5.column(h5.dataset(group, name))

    def unit(self, column: str) -> str:
        """Return the unit of a column, "" for words, counts and text."""
        return h5.attribute(h5.dataset(self._group, f"hops/{column}"), "units")

    @cached_property
    def hops(self) -> Mapping[str, NDArray[Any]]:
        """The table of hops: column -> values, each of shape (hops,), one row per attempt."""
        return {name: self.column(name) for name in self.columns}

    @property
    def count(self) -> int:
        """How many hops there are, failed attempts included."""
        return self.column("index").size if "index" in self.columns else 0

    @cached_property
    def status_names(self) -> list[str]:
        """The names of the numbers in the `status` frame."""
        where = "frame/status" if self.frames else "hops/status"
        status = h5.find(self._group, where)
        return [] if status is None else h5.names(status)

    @property
    def channels(self) -> list[str]:
        """The roles of which there are curves."""
        return list(self._curves)

    @cached_property
    def _curves(self) -> dict[str, h5py.Dataset]:
        group = h5.subgroup(self._group, "curves")
        columns = [h5.dataset(group, str(name)) for name in group]
        return {h5.attribute(column, "role"): column for column in columns}

    @cached_property
    def _pieces(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if not self.count:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return self.column("curve_start"), self.column("curve_length")

    def curves(self, hop: int) -> dict[str, NDArray[np.float32]]:
        """Return the curves of a row of the table of hops: role -> samples, shape (n,), SI."""
        starts, lengths = self._pieces
        if not 0 <= hop < starts.size:
            raise RunFileError(f"scan {self.number} has no hop {hop}; it has {starts.size}")
        part = slice(int(starts[hop]), int(starts[hop] + lengths[hop]))
        return {role: h5.read(column, part) for role, column in self._curves.items()}
