"""Readings as they stand in the instrument's buffer, and as samples of the cell."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sicmctl.hal.capabilities import F64
from sicmctl.hal.potentiostat import SampleFlag

from .passes import Pass

ELEMENTS = "SOUR,READ,SEC,FRAC,SOURSTAT"
"""What is asked for of each reading: source read back, measured, seconds, their fraction, bits."""
COLUMNS = 5

OVERFLOW = 9e37
"""A reading above it lies beyond its range."""
_PROTECTED, _LIMITED, _ON = 0x02, 0x10, 0x40
_COARSE = 1e-3
"""Share of a fixed range below which 6.5 digits are few."""


@dataclass(frozen=True)
class Samples:
    """Readings of a pass. time: s on the instrument's clock. V, A, flags as in CellSamples.

    cycle: of each. off: whether the output was found off, which nobody here has ordered.
    """

    time: F64
    potential: F64
    current: F64
    flags: NDArray[np.uint8]
    cycle: NDArray[np.int64]
    off: bool = False

    def __len__(self) -> int:
        return len(self.time)

    def first(self, count: int) -> "Samples":
        """Return the first so many."""
        return self._part(slice(0, count))

    def by_cycle(self) -> Iterator["Samples"]:
        """Yield the samples of each cycle."""
        edges = [0, *(np.flatnonzero(np.diff(self.cycle)) + 1), len(self)]
        for start, end in pairwise(edges):
            yield self._part(slice(start, end))

    def _part(self, part: slice) -> "Samples":
        return Samples(
            self.time[part],
            self.potential[part],
            self.current[part],
            self.flags[part],
            self.cycle[part],
            self.off,
        )


class Translator:
    """Turns the readings of one pass into samples.

    sign: -1 if the working electrode is on LO. full_scale: of the measured quantity, V or A.
    fixed: whether that range of the current was chosen rather than found.
    """

    def __init__(self, one: Pass, sign: float, full_scale: float, fixed: bool) -> None:
        self._one, self._sign, self._full_scale, self._fixed = one, sign, full_scale, fixed
        self._before: float | None = None
        self._count = 0
        self._last = 1.0

    def __call__(self, rows: list[list[float]]) -> Samples:
        """Take the next rows of ELEMENTS, at least one. An overflow becomes full scale."""
        one = self._one
        source, read, seconds, fraction, status = np.array(rows).T
        time, bits = seconds + fraction, status.astype(np.int64)
        number = np.arange(self._count, self._count + len(rows))
        self._count += len(rows)
        read, flags = self._filled(read)
        flags[(bits & (_LIMITED | _PROTECTED)) != 0] |= np.uint8(SampleFlag.COMPLIANCE)
        flags[self._late(time)] |= np.uint8(SampleFlag.LATE)
        if self._fixed and one.function == "VOLT":
            flags[np.abs(read) < _COARSE * self._full_scale] |= np.uint8(SampleFlag.UNDERLOAD)
        potential, current = (source, read) if one.function == "VOLT" else (read, source)
        return Samples(
            time,
            self._sign * potential + 0.0,  # never -0
            self._sign * current + 0.0,
            flags,
            one.cycle + (number // one.period if one.period else np.zeros_like(number)),
            bool(np.any((bits & _ON) == 0)),
        )

    def _late(self, time: F64) -> NDArray[np.bool_]:
        """Which came later after the one before than they should."""
        before = time[0] - self._one.interval if self._before is None else self._before
        self._before = float(time[-1])
        return np.diff(time, prepend=before) > 1.5 * self._one.interval

    def _filled(self, read: F64) -> tuple[F64, NDArray[np.uint8]]:
        """Full scale where a reading overflowed, with the sign of the one before; flags."""
        over = read > OVERFLOW
        read = read.copy()
        for k in range(len(read)):
            if over[k]:
                read[k] = np.copysign(self._full_scale, self._last)
            self._last = float(read[k])
        return read, np.where(over, SampleFlag.OVERLOAD, 0).astype(np.uint8)
