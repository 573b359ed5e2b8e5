"""Columns of numbers that come in arrays: the samples of a technique, the points of a spectrum."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Column:
    """One column: type, unit ("" if it has none) and meaning."""

    dtype: str
    unit: str
    meaning: str


class Series:
    """Compressed columns of one length in an HDF5 group, which grow.

    Whole chunks only are written before `close`, so that none is compressed twice and memory holds
    no more than one.
    """

    def __init__(self, group: h5py.Group, columns: Mapping[str, Column]) -> None:
        self.group = group
        self.rows = 0
        self._written = 0
        self._pending: dict[str, list[NDArray[Any]]] = {name: [] for name in columns}
        for name, column in columns.items():
            data = group.create_dataset(
                name, (0,), column.dtype, maxshape=(None,), chunks=(CHUNK,),
                shuffle=True, compression="gzip", compression_opts=4,
            )  # fmt: skip
            data.attrs["long_name"] = column.meaning
            if column.unit:
                data.attrs["units"] = column.unit

    def append(self, **columns: NDArray[Any]) -> None:
        """Add rows: an array for each column, all of one shape (n,)."""
        for name, parts in self._pending.items():
            parts.append(columns[name])
        self.rows += len(next(iter(columns.values())))
        if self.rows - self._written >= CHUNK:
            self._write(self.rows // CHUNK * CHUNK)

    def close(self) -> None:
        """Write everything; nothing may be appended afterwards."""
        self._write(self.rows)

    def _write(self, end: int) -> None:
        count = end - self._written
        if not count:
            return
        for name, parts in self._pending.items():
            values = np.concatenate(parts)
            data = self.group[name]
            assert isinstance(data, h5py.Dataset)
            data.resize((end,))
            data[self._written :] = values[:count]
            self._pending[name] = [values[count:]]
        self._written = end
