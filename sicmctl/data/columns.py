"""Columns that grow: the table of hops, and curves as one flat array per channel."""

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from .names import UNMEASURED, Words, safe_name, unit_of

CHUNK_ROWS = 1024
CHUNK_SAMPLES = 1 << 16

Value = float | int | str


class Table:
    """Columns of one length in an HDF5 group; one row per hop, note or alarm.

    A column appears with its first value; rows before it and rows without it hold NaN, -1 or "".
    """

    def __init__(
        self,
        group: h5py.Group,
        words: Mapping[str, Words] | None = None,
        meanings: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
        chunk: int = CHUNK_ROWS,
    ) -> None:
        """words: columns stored as numbers of words. meanings: what columns mean.

        units: of columns whose name does not tell. chunk: rows that are stored together.
        """
        self.group = group
        self.words = dict(words or {})
        self._meanings = meanings or {}
        self._units = units or {}
        self._chunk = chunk
        self.rows = 0
        self._columns: dict[str, h5py.Dataset] = {}
        self._pending: list[Mapping[str, Value]] = []

    def append(self, row: Mapping[str, Value]) -> None:
        """Add a row; it stays in memory until `flush`."""
        numbers = {n: words.number(str(row[n])) for n, words in self.words.items() if n in row}
        self._pending.append({**row, **numbers})

    def flush(self) -> None:
        """Write pending rows."""
        rows, self._pending = self._pending, []
        if not rows:
            return
        first, self.rows = self.rows, self.rows + len(rows)
        for name in dict.fromkeys(name for row in rows for name in row):
            self._ensure(name, next(row[name] for row in rows if name in row))
        for name, column in self._columns.items():
            column.resize((self.rows,))
            column[first:] = _values(name, column, rows)
        for name, words in self.words.items():
            if name in self._columns and words.names:
                self._columns[name].attrs["names"] = words.names

    def _ensure(self, name: str, example: Value) -> None:
        if name in self._columns:
            return
        if name in self.words:
            kind, fill = np.dtype(np.int8), UNMEASURED
        elif isinstance(example, str):
            kind, fill = h5py.string_dtype(), None
        elif isinstance(example, bool):
            kind, fill = np.dtype(np.uint8), 0
        elif isinstance(example, int):
            kind, fill = np.dtype(np.int64), UNMEASURED
        else:
            kind, fill = np.dtype(np.float64), np.nan
        column = self._columns[name] = self.group.create_dataset(
            name, (0,), kind, maxshape=(None,), chunks=(self._chunk,), fillvalue=fill
        )
        if kind == np.float64:
            column.attrs["units"] = self._units.get(name) or unit_of(name)
        if name in self._meanings:
            column.attrs["long_name"] = self._meanings[name]


def _values(name: str, column: h5py.Dataset, rows: list[Mapping[str, Value]]) -> NDArray[Any]:
    if h5py.check_string_dtype(column.dtype):
        return np.array([row.get(name, "") for row in rows], object)
    fill = column.fillvalue  # asked once: HDF5 is slow to tell
    return np.array([row.get(name, fill) for row in rows], column.dtype)


class Curves:
    """Approach curves, one flat float32 array per channel, all with the same offsets.

    Whole chunks only are written before `close`, so that none is compressed twice.
    """

    def __init__(self, group: h5py.Group) -> None:
        self.group = group
        self.samples = 0
        self._written = 0
        self._columns: dict[str, h5py.Dataset] = {}
        self._pending: dict[str, list[NDArray[np.float32]]] = {}

    def append(self, curves: Mapping[str, NDArray[Any]]) -> tuple[int, int]:
        """Add one hop's curves, each of shape (n,); return where they start and n."""
        first, count = self.samples, max((c.size for c in curves.values()), default=0)
        for name in curves:
            if name not in self._pending:
                self._create(name)
        for name, parts in self._pending.items():
            curve = curves.get(name, np.empty(0, np.float32))
            parts.append(curve.astype(np.float32, copy=False).ravel())
            if curve.size < count:
                parts.append(np.full(count - curve.size, np.nan, np.float32))
        self.samples += count
        return first, count

    def flush(self) -> None:
        """Write whole chunks."""
        self._write(self.samples // CHUNK_SAMPLES * CHUNK_SAMPLES)

    def close(self) -> None:
        """Write everything; nothing may be appended afterwards."""
        self._write(self.samples)

    def _write(self, end: int) -> None:
        if end <= self._written:
            return
        for name, parts in self._pending.items():
            samples = np.concatenate(parts)
            count = end - self._written
            column = self._columns[name]
            column.resize((end,))
            column[self._written :] = samples[:count]
            self._pending[name] = [samples[count:]]
        self._written = end

    def _create(self, name: str) -> None:
        column = self._columns[name] = self.group.create_dataset(
            safe_name(name),
            (self._written,),
            np.float32,
            maxshape=(None,),
            chunks=(CHUNK_SAMPLES,),
            fillvalue=np.nan,
            shuffle=True,
            compression="gzip",
            compression_opts=1,
        )
        column.attrs["units"] = unit_of(name)
        column.attrs["long_name"] = name.replace("_", " ")
        column.attrs["role"] = name
        self._pending[name] = [np.full(self.samples - self._written, np.nan, np.float32)]
