"""Reading run files, with types and with errors that say what is wrong."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from .names import SCHEMA, RunFileError

__all__ = ["RunFile", "RunFileError", "RunInfo", "Scan"]

_T = TypeVar("_T", h5py.Group, h5py.Dataset)


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
        schema = self._file.attrs.get("sicmctl_schema")
        if schema is None or "entry" not in self._file:
            raise RunFileError(f"{self.path} is HDF5, but not a run file of sicmctl")
        if int(schema) > SCHEMA:
            raise RunFileError(
                f"{self.path} has schema {schema}; this program reads up to {SCHEMA} "
                "(update sicmctl)"
            )

    @property
    def _entry(self) -> h5py.Group:
        return _get(self._file, "entry", h5py.Group)

    @cached_property
    def info(self) -> RunInfo:
        """What, when, by whom, and how it ended."""
        entry = self._entry
        program = _get(entry, "program_name", h5py.Dataset)
        return RunInfo(
            run=_text(entry, "entry_identifier"),
            title=_text(entry, "title"),
            sample=_text(entry, "sample/name"),
            operator=_text(entry, "user/name"),
            start_time=_text(entry, "start_time"),
            end_time=_text(entry, "end_time"),
            epoch=_text(entry, "epoch"),
            duration=_number(entry, "duration"),
            rate=_number(entry, "sample_rate"),
            outcome=_text(entry, "outcome"),
            reason=_text(entry, "reason"),
            safe=_texts(entry, "safe"),
            losses=_texts(entry, "losses"),
            program_version=str(program.attrs.get("version", "")),
        )

    @property
    def rig(self) -> str:
        """The text of rig.toml."""
        return _text(self._entry, "rig/data")

    @property
    def experiment(self) -> str:
        """The text of experiment.toml."""
        return _text(self._entry, "experiment/data")

    @property
    def instruments(self) -> dict[str, str]:
        """Role -> what the instrument said it is."""
        group = self._entry.get("instrument")
        if not isinstance(group, h5py.Group):
            return {}
        return {
            role: _text(group, f"{role}/name") for role in group if "name" in _items(group[role])
        }

    @property
    def versions(self) -> dict[str, str]:
        """Package -> version."""
        group = self._entry.get("versions")
        return {name: _text(group, name) for name in group} if group is not None else {}

    @property
    def calibration(self) -> dict[str, float]:
        """Name -> number, SI."""
        return _numbers(self._entry, "instrument/calibration")

    @property
    def notes(self) -> list[dict[str, Any]]:
        """Remarks: time (s), text, author, uncertainty (s)."""
        return _rows(self._entry, "notes")

    @property
    def alarms(self) -> list[dict[str, Any]]:
        """Alarms: time (s), level, source, text, remedy."""
        return _rows(self._entry, "alarms")

    @cached_property
    def scans(self) -> dict[int, "Scan"]:
        """Number -> scan, in order."""
        groups = [
            (int(group.attrs["scan"]), group)
            for group in self._entry.values()
            if isinstance(group, h5py.Group) and "scan" in group.attrs
        ]
        return {number: Scan(number, group) for number, group in sorted(groups, key=lambda g: g[0])}

    def scan(self, number: int | None = None) -> "Scan":
        """Return a scan, by default the first. Raises RunFileError if there is none."""
        if number is None and self.scans:
            return next(iter(self.scans.values()))
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
        return _text(self._group, "pattern")

    @property
    def engine(self) -> str:
        """The hop engine."""
        return _text(self._group, "engine")

    @property
    def outcome(self) -> str:
        """`done`, `stopped`, `failed` or `interrupted`."""
        return _text(self._group, "outcome")

    @property
    def settings(self) -> dict[str, float]:
        """Name -> number, SI."""
        return _numbers(self._group, "settings")

    @property
    def start_time(self) -> float:
        """When it began, s on the timeline; NaN if unknown."""
        return _number(self._group, "start_time")

    @property
    def end_time(self) -> float:
        """When it ended, s on the timeline; NaN if unknown."""
        return _number(self._group, "end_time")

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the frames; (0, 0) if unknown."""
        shape = self._group.get("geometry/shape")
        return (int(shape[0]), int(shape[1])) if isinstance(shape, h5py.Dataset) else (0, 0)

    @property
    def geometry(self) -> dict[str, NDArray[Any]]:
        """x, y (m), row, column of each target in scan order, extent (x0, x1, y0, y1; m)."""
        group = _get(self._group, "geometry", h5py.Group)
        return {name: _read(group, name) for name in ("x", "y", "row", "column", "extent")}

    @property
    def frames(self) -> list[str]:
        """The names of the frames."""
        group = self._group.get("frame")
        if not isinstance(group, h5py.Group):
            return []
        return [str(group.attrs["signal"]), *map(str, group.attrs["auxiliary_signals"])]

    def frame(self, name: str = "height") -> NDArray[Any]:
        """Return a frame, shape (rows, columns): float64 SI, or int8 numbers for `status`."""
        if name not in self.frames:
            known = ", ".join(self.frames) or "none (the start of the scan is lost)"
            raise RunFileError(f"scan {self.number} has no frame {name!r}; it has: {known}")
        return _read(self._group, f"frame/{name}")

    @cached_property
    def axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coordinates of the rows and of the columns: y, x in m (rasters), else row, distance."""
        group = _get(self._group, "frame", h5py.Group)
        rows, columns = (_read(group, str(name)) for name in group.attrs["axes"])
        return rows, columns

    @property
    def columns(self) -> list[str]:
        """The names of the columns of the table of hops."""
        return list(_get(self._group, "hops", h5py.Group))

    def column(self, name: str) -> NDArray[Any]:
        """Return one column of the table of hops, shape (hops,); words as text."""
        group = _get(self._group, "hops", h5py.Group)
        if name not in group:
            raise RunFileError(
                f"scan {self.number} has no column {name!r}; it has: {', '.join(group) or 'none'}"
            )
        return _column(_get(group, name, h5py.Dataset))

    def unit(self, column: str) -> str:
        """Return the unit of a column, "" for words, counts and text."""
        return str(_get(self._group, f"hops/{column}", h5py.Dataset).attrs.get("units", ""))

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
        status = self._group.get("frame/status", self._group.get("hops/status"))
        return [] if status is None else [str(name) for name in status.attrs.get("names", ())]

    @property
    def channels(self) -> list[str]:
        """The roles of which there are curves."""
        return [str(c.attrs["role"]) for c in _get(self._group, "curves", h5py.Group).values()]

    def curves(self, hop: int) -> dict[str, NDArray[np.float32]]:
        """Return the curves of a row of the table of hops: role -> samples, shape (n,), SI."""
        starts, lengths = self.column("curve_start"), self.column("curve_length")
        if not 0 <= hop < starts.size:
            raise RunFileError(f"scan {self.number} has no hop {hop}; it has {starts.size}")
        part = slice(int(starts[hop]), int(starts[hop] + lengths[hop]))
        group = _get(self._group, "curves", h5py.Group)
        return {str(column.attrs["role"]): column[part] for column in group.values()}


def _get(group: h5py.Group, name: str, kind: type[_T]) -> _T:
    try:
        found = group[name]
    except (KeyError, OSError, RuntimeError) as error:
        raise RunFileError(f"{group.file.filename}: {group.name}/{name} is missing") from error
    if not isinstance(found, kind):
        raise RunFileError(f"{group.file.filename}: {group.name}/{name} is not what it should be")
    return found


def _read(group: h5py.Group, name: str) -> NDArray[Any]:
    try:
        return np.asarray(_get(group, name, h5py.Dataset)[()])
    except (OSError, RuntimeError) as error:
        raise RunFileError(f"{group.file.filename}: {group.name}/{name} is damaged") from error


def _column(column: h5py.Dataset) -> NDArray[Any]:
    try:
        if h5py.check_string_dtype(column.dtype):
            return np.asarray(column.asstr()[()], object)
        values = np.asarray(column[()])
    except (OSError, RuntimeError) as error:
        raise RunFileError(f"{column.file.filename}: {column.name} is damaged") from error
    if "names" not in column.attrs:
        return values.astype(bool) if values.dtype == np.uint8 else values
    return np.array([*map(str, column.attrs["names"]), ""], object)[values]


def _items(thing: object) -> h5py.Group | tuple[()]:
    return thing if isinstance(thing, h5py.Group) else ()


def _text(group: h5py.Group, name: str) -> str:
    found = group.get(name)
    return str(found.asstr()[()]) if isinstance(found, h5py.Dataset) else ""


def _texts(group: h5py.Group, name: str) -> tuple[str, ...]:
    found = group.get(name)
    return tuple(map(str, found.asstr()[()])) if isinstance(found, h5py.Dataset) else ()


def _number(group: h5py.Group, name: str) -> float:
    found = group.get(name)
    return float(found[()]) if isinstance(found, h5py.Dataset) else float("nan")


def _numbers(group: h5py.Group, name: str) -> dict[str, float]:
    found = group.get(name)
    return {key: float(found[key][()]) for key in found} if isinstance(found, h5py.Group) else {}


def _rows(entry: h5py.Group, name: str) -> list[dict[str, Any]]:
    group = entry.get(name)
    if not isinstance(group, h5py.Group) or not len(group):
        return []
    columns = {key: _column(_get(group, key, h5py.Dataset)).tolist() for key in group}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
