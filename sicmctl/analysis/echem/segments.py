"""Parts of a technique: its steps as slices, the sweeps of a voltammogram."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sicmctl.data.echemdata import EchemData, EchemStep

F64 = NDArray[np.float64]

_COARSE = 4000
"""Points among which turning points are first looked for."""
_LEAST = 5
"""Samples in a sweep; fewer are a jump from one to the next."""
_TURN = 0.02
"""Share of the whole span by which the potential must come back for a turning point."""


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive samples of one executed step, as a slice of the technique's columns."""

    step: EchemStep
    slice: slice

    @property
    def size(self) -> int:
        return self.slice.stop - self.slice.start


def parts(data: EchemData) -> list[Part]:
    """Return the steps that have samples, in order; a step that the table lacks has no label."""
    if not len(data):
        return []
    known = {step.number: step for step in data.steps}
    cuts = np.flatnonzero(np.diff(data.step)) + 1
    bounds = [0, *cuts.tolist(), len(data)]
    found = []
    for first, end in pairwise(bounds):
        number = int(data.step[first])
        step = known.get(number) or EchemStep(
            number,
            start=float(data.time[first]),
            end=float(data.time[end - 1]),
            loop=int(data.loop[first]),
        )
        found.append(Part(step, slice(first, end)))
    return found


def passed(data: EchemData, part: Part) -> float:
    """Return the charge of a step, C, anodic > 0.

    The trapezoidal rule; the first and last current also stand for the time between them and the
    step's start and end, as far as that is no longer than two samples.
    """
    time, current = data.time[part.slice], data.current[part.slice]
    charge = float(np.trapezoid(current, time))
    longest = 2 * float(np.median(np.diff(time))) if time.size > 1 else math.inf
    for gap, edge in (
        (time[0] - part.step.start, current[0]),
        (part.step.end - time[-1], current[-1]),
    ):
        if 0 < gap <= longest:
            charge += float(gap * edge)
    return charge


@dataclass(frozen=True, slots=True)
class Sweep:
    """Samples between two turning points of the potential. rising: towards anodic."""

    cycle: int
    rising: bool
    slice: slice


def sweeps(data: EchemData) -> list[Sweep]:
    """Return the sweeps of a voltammogram, each with the cycle that holds most of it.

    Steps that hold or rest are left out; where one cycle goes on into the next in the same
    direction, that is one sweep.
    """
    cycles = cycles_of(data)
    found = []
    for stretch in _swept(data):
        turns = turning_points(data.potential[stretch]) + stretch.start
        for first, last in pairwise(turns.tolist()):
            inside = slice(first, last + 1)
            moved = data.potential[last] != data.potential[first]
            if moved and last - first + 1 >= _LEAST:
                rising = bool(data.potential[last] > data.potential[first])
                found.append(Sweep(int(np.median(cycles[inside])), rising, inside))
    return found


def _swept(data: EchemData) -> list[slice]:
    """Return stretches of steps that sweep; all there is if no step says what it does."""
    found: list[slice] = []
    all_parts = parts(data)
    untold = not any(part.step.kind for part in all_parts)
    for part in all_parts:
        if not (untold or part.step.kind in ("sweep", "cycles")):
            continue
        if found and found[-1].stop == part.slice.start:
            found[-1] = slice(found[-1].start, part.slice.stop)
        else:
            found.append(part.slice)
    return found


def cycles_of(data: EchemData) -> NDArray[np.int32]:
    """Return the cycle of each sample, from 0: of the outermost repeat, or of a CV within a step.

    Where a repeated step has cycles of its own, each pass goes on counting where the last ended.
    """
    if not data.loop.any():
        return data.cycle
    return data.loop * (int(data.cycle.max(initial=0)) + 1) + data.cycle


def turning_points(potential: F64) -> NDArray[np.int64]:
    """Return the indices where the potential turns, first and last sample included; shape (k,).

    A turn counts once the potential has come back by 2 % of its whole span, so that neither noise
    nor stairs make any.
    """
    n = potential.size
    if n < 2:
        return np.arange(0)
    step = max(1, n // _COARSE)
    coarse = np.arange(0, n, step)
    threshold = _TURN * float(np.nanmax(potential) - np.nanmin(potential))
    inner = [
        _refine(potential, int(coarse[k]), step) for k in _zigzag(potential[coarse], threshold)
    ]
    return np.unique([0, *inner, n - 1])


def _zigzag(values: F64, threshold: float) -> Iterator[int]:
    """Yield the indices of extremes from which the values came back by more than `threshold`."""
    low = high = direction = 0
    for k, value in enumerate(values.tolist()):
        high = k if value > values[high] else high
        low = k if value < values[low] else low
        if direction >= 0 and values[high] - value > threshold:
            if direction:
                yield high
            direction, low = -1, k
        elif direction <= 0 and value - values[low] > threshold:
            if direction:
                yield low
            direction, high = 1, k


def _refine(potential: F64, near: int, reach: int) -> int:
    """Return the extreme within `reach` samples of one found among every so many."""
    first, end = max(near - reach, 0), min(near + reach + 1, potential.size)
    window = potential[first:end]
    upper = potential[near] >= 0.5 * (window[0] + window[-1])
    return first + int(np.nanargmax(window) if upper else np.nanargmin(window))
