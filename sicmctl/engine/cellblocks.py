"""From what a potentiostat yields to the messages that journal, file and console live on."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np

from sicmctl.hal.capabilities import F64
from sicmctl.hal.cell import CellProgram, Place
from sicmctl.hal.potentiostat import CellData, CellSamples, CellSpectrum, StepEnded
from sicmctl.messages import (
    Array,
    EchemBlock,
    EchemProgress,
    EchemStepEnded,
    Message,
    SpectrumBlock,
)

from . import cellplan

_PATIENCE = 0.25
"""Seconds for which samples are gathered before they are published."""
_LARGEST = 4096
"""Samples in a block."""
_PROGRESS = 1.0
"""Seconds between two reports of where the technique is."""


class Coulometer:
    """Adds up the charge since the first sample, C: trapezoidal rule.

    Where a step gives way to another, the last current of the one and the first of the other count
    up to that moment. A sample without a number adds nothing.
    """

    def __init__(self) -> None:
        self.charge = 0.0
        self._last: tuple[float, float] | None = None
        self._change: float | None = None

    def add(self, time: F64, current: F64) -> F64:
        """Take in samples, s and A; return the charge at each. Shapes (n,)."""
        good = np.isfinite(current)
        t, i = time[good], current[good]
        if not len(t):
            return np.full(len(time), self.charge)
        first = self.charge + self._bridge(float(t[0]), float(i[0]))
        charge = first + np.concatenate([[0.0], np.cumsum(0.5 * (i[1:] + i[:-1]) * np.diff(t))])
        known = np.concatenate([[self.charge], charge])[np.cumsum(good)]
        self.charge, self._last = float(charge[-1]), (float(t[-1]), float(i[-1]))
        return known

    def step_ended(self, time: float) -> None:
        """Take note of when one step gave way to the next, s."""
        self._change = time

    def _bridge(self, time: float, current: float) -> float:
        """Return what passed from the last sample to this one."""
        change, self._change = self._change, None
        if self._last is None:
            return 0.0
        before, last = self._last
        if change is None:
            return 0.5 * (last + current) * (time - before)
        change = min(max(change, before), time)
        return last * (change - before) + current * (time - change)


class Collector:
    """Publishes the data of one technique: blocks, ends of steps, and where it is."""

    def __init__(
        self, number: int, program: CellProgram, publish: Callable[[Message], None]
    ) -> None:
        self._number, self._program, self._publish = number, program, publish
        self._steps = cellplan.count(program.steps)
        self._meter = Coulometer()
        self._pending: list[CellSamples] = []
        self._published = self._told = -np.inf
        self._first: float | None = None
        self._step: _OpenStep | None = None

    def take(self, item: CellData) -> None:
        """Publish what came, at once or together with what comes next."""
        match item:
            case StepEnded(place=place, time=stamp, reason=reason):
                self.flush()
                self._open(place, stamp.time)
                self._end_step(stamp.time, stamp.uncertainty, reason)
                self._meter.step_ended(stamp.time)
            case CellSpectrum() if len(item):
                self.flush()
                self._open(item.place, float(item.time[0]))
                self._publish(self._spectrum(item))
                self._tell(item)
            case CellSamples() if len(item):
                self._gather(item)
                self._tell(item)
            case _:
                pass
        if monotonic() - self._published >= _PATIENCE:
            self.flush()

    def finish(self, reason: str) -> None:
        """Publish what is left; if a step was under way, that it ended for that reason."""
        self.flush()
        if self._step is not None:
            self._end_step(self._step.seen, self._step.time_sd, reason)

    def flush(self) -> None:
        """Publish the samples gathered so far."""
        self._published = monotonic()
        pending, self._pending = self._pending, []
        if not pending:
            return
        one = pending[0]
        time, potential, current = (
            np.concatenate([getattr(samples, name) for samples in pending])
            for name in ("time", "potential", "current")
        )
        step = self._open(one.place, float(time[0]))
        step.seen, step.time_sd = float(time[-1]), one.time_sd
        self._publish(
            EchemBlock(
                time=step.seen,
                echem=self._number,
                step=one.place.number,
                kind=step.kind,
                label=step.label,
                loop=_loop(one.place),
                cycle=one.cycle,
                times=Array.of(time, "<f8"),
                time_sd=one.time_sd,
                potential=Array.of(potential, "<f8"),
                current=Array.of(current, "<f8"),
                charge=Array.of(self._meter.add(time, current), "<f8"),
                flags=Array.of(np.concatenate([samples.flags for samples in pending]), "u1"),
            )
        )

    def _gather(self, samples: CellSamples) -> None:
        if self._pending:
            one = self._pending[0]
            alike = (one.place, one.cycle, one.time_sd) == (
                samples.place, samples.cycle, samples.time_sd,
            )  # fmt: skip
            if not alike or sum(map(len, self._pending)) >= _LARGEST:
                self.flush()
        self._pending.append(samples)

    def _open(self, place: Place, time: float) -> "_OpenStep":
        """Return what is known of the step under way; it begins now if it is a new one."""
        step = self._step
        if step is None or step.place != place:
            found = cellplan.step_at(self._program, place)
            step = self._step = _OpenStep(
                place,
                kind=cellplan.KINDS[type(found)],
                label=found.label,
                start=time,
                seen=time,
                longest=found.duration,
                charge=self._meter.charge,
            )
        return step

    def _end_step(self, time: float, time_sd: float, reason: str) -> None:
        step, self._step = self._step, None
        assert step is not None
        self._publish(
            EchemStepEnded(
                time=time,
                echem=self._number,
                step=step.place.number,
                kind=step.kind,
                label=step.label,
                loop=_loop(step.place),
                start=step.start,
                time_sd=time_sd,
                reason=reason,
                charge=self._meter.charge - step.charge,
            )
        )

    def _spectrum(self, points: CellSpectrum) -> SpectrumBlock:
        step = self._open(points.place, float(points.time[0]))
        step.seen, step.time_sd = float(points.time[-1]), points.time_sd
        return SpectrumBlock(
            time=step.seen,
            echem=self._number,
            step=points.place.number,
            label=step.label,
            loop=_loop(points.place),
            times=Array.of(points.time, "<f8"),
            time_sd=points.time_sd,
            frequency=Array.of(points.frequency, "<f8"),
            real=Array.of(points.impedance.real, "<f8"),
            imaginary=Array.of(points.impedance.imag, "<f8"),
            potential=Array.of(points.potential, "<f8"),
            current=Array.of(points.current, "<f8"),
            flags=Array.of(points.flags, "u1"),
        )

    def _tell(self, samples: CellSamples | CellSpectrum) -> None:
        """Say where the technique is, now and then."""
        if monotonic() - self._told < _PROGRESS:
            return
        self._told = monotonic()
        self.flush()
        step, place = self._open(samples.place, float(samples.time[0])), samples.place
        now = float(samples.time[-1])
        self._first = float(samples.time[0]) if self._first is None else self._first
        left = max(step.longest - (now - step.start), 0.0) + cellplan.after(self._program, place)
        self._publish(
            EchemProgress(
                time=now,
                echem=self._number,
                step=place.number,
                steps=self._steps,
                kind=step.kind,
                label=step.label,
                loop=_loop(place),
                cycle=samples.cycle if isinstance(samples, CellSamples) else 0,
                potential=float(samples.potential[-1]),
                current=float(samples.current[-1]),
                charge=self._meter.charge,
                elapsed=now - self._first,
                left=left,
                flags=int(samples.flags[-1]),
            )
        )


@dataclass(slots=True)
class _OpenStep:
    """A step under way.

    start, seen: times of its first and newest sample, s. longest: it can take, s. charge: at its
    start, C.
    """

    place: Place
    kind: str
    label: str
    start: float
    seen: float
    longest: float
    charge: float
    time_sd: float = 0.0


def _loop(place: Place) -> int:
    """Return how often the outermost repeat was run before."""
    return place.loops[0] if place.loops else 0
