"""The cell's part of the truth file: what its potential, current and charge really were.

HDF5 table `/cell`, one row every `CELL_PERIOD` seconds at most: time (s, on the potentiostat's
clock), potential (V), current (A), charge (C, since the start, anodic > 0, the integral over all
steps of the cell and not over the rows). Written in chunks as time goes on.
"""

import threading
from pathlib import Path
from typing import Self

import h5py
import numpy as np
from numpy.typing import NDArray

from simulators.config import SimConfig

CELL_PERIOD = 0.1
COLUMNS = ("time", "potential", "current", "charge")
_BUFFER = 4096


class CellRecorder:
    """Listens to a front end. Adds its table to the truth file, or begins one."""

    def __init__(self, path: Path, config: SimConfig, seed: int) -> None:
        self._file = h5py.File(path, "a" if config.scanner else "w")
        if not config.scanner:
            self._file.attrs["config"] = config.model_dump_json(by_alias=True)
            self._file.attrs["seed"] = seed
        self._table = self._file.create_dataset(
            "cell", (0, len(COLUMNS)), "f8", maxshape=(None, len(COLUMNS)),
            chunks=(_BUFFER, len(COLUMNS)), compression="gzip",
        )  # fmt: skip
        self._table.attrs["columns"] = list(COLUMNS)
        self._rows: list[tuple[float, float, float, float]] = []
        self._lock = threading.Lock()
        self._last: tuple[float, float] | None = None
        self._due = 0.0
        self.charge = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, time: float, potential: float, current: float) -> None:
        """Take a step of the cell."""
        with self._lock:
            if self._last is not None:
                before, was = self._last
                self.charge += 0.5 * (time - before) * (was + current)
            self._last = time, current
            if time < self._due or not self._file:
                return
            self._due = time + CELL_PERIOD
            self._rows.append((time, potential, current, self.charge))
            if len(self._rows) >= _BUFFER:
                self._flush()

    def close(self) -> None:
        """Write what waits, and close; again is harmless."""
        with self._lock:
            if self._file:
                self._flush()
                self._file.close()

    def _flush(self) -> None:
        if self._rows:
            have = self._table.shape[0]
            self._table.resize(have + len(self._rows), axis=0)
            self._table[have:] = np.array(self._rows)
            self._rows = []
        self._file.flush()


def cell_truth(path: Path | str) -> dict[str, NDArray[np.float64]]:
    """The columns of `/cell` by name, SI."""
    with h5py.File(path, "r") as file:
        table = file["cell"]
        assert isinstance(table, h5py.Dataset)
        rows = np.asarray(table[:])
    return {name: rows[:, k] for k, name in enumerate(COLUMNS)}
