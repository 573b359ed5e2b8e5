"""Programs run on a virtual cell behind a potentiostat's front end, without protocol or engine."""

from collections.abc import Iterator

import numpy as np

from sicmctl.data.echemdata import EchemData, EchemSpectrum, EchemStep
from sicmctl.hal.cell import (
    AnyStep,
    CellProgram,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Open,
    Place,
    Sweep,
    walk,
)
from sicmctl.hal.cellwatch import CellWatch
from sicmctl.hal.potentiostat import SampleFlag
from simulators.cellconfig import CellConfig, PotentiostatConfig
from simulators.cellport import Control, Reading
from simulators.clocks import FreeClock
from simulators.frontend import FrontEnd
from simulators.world.cell import make_cell

KINDS = {
    Open: "open",
    HoldPotential: "held potential",
    HoldCurrent: "held current",
    Sweep: "sweep",
    Cycles: "cycles",
    Impedance: "impedance",
}


class Bench:
    """A front end with a cell; `run` gives what a run file would hold.

    start: time on the run's timeline at which the first program begins, s.
    """

    def __init__(
        self, cell: CellConfig, potentiostat: PotentiostatConfig | None = None, seed: int = 1
    ) -> None:
        self.cell = make_cell(cell)
        self.port = FrontEnd(self.cell, potentiostat or PotentiostatConfig(), FreeClock(5.0), seed)

    def run(self, program: CellProgram, technique: str = "", full_scale: float = 1e-2) -> EchemData:
        """Run every step, one sample an interval."""
        self.port.set_current_range(full_scale)
        rows: list[tuple[Place, int, Reading]] = []
        points: list[tuple[Place, float, complex, Reading]] = []
        steps: list[EchemStep] = []
        way = walk(program)
        for place, step in way:
            start, reason = self.port.time, "time"
            watch = CellWatch(step.until)
            if isinstance(step, Impedance):
                points += self._spectrum(place, step)
            else:
                for cycle, reading in self._samples(step):
                    rows.append((place, cycle, reading))
                    seen = watch.see(*(np.array([v]) for v in _numbers(reading)))
                    if seen:
                        reason = str(seen[1])
                        way.obey(seen[1])
                        break
            loop = place.loops[0] if place.loops else 0
            kind = KINDS[type(step)]
            steps.append(
                EchemStep(place.number, kind, step.label, start, self.port.time, reason, loop)
            )
        self.port.control(Control.OPEN)
        return _pack(rows, points, steps, technique)

    def _samples(self, step: AnyStep) -> Iterator[tuple[int, Reading]]:
        match step:
            case Open():
                self.port.control(Control.OPEN)
                yield from self._watch(step.duration, step.interval)
            case HoldPotential():
                self.port.control(Control.POTENTIAL, step.potential)
                yield from self._watch(step.duration, step.interval)
            case HoldCurrent():
                self.port.control(Control.CURRENT, step.current)
                yield from self._watch(step.duration, step.interval)
            case Sweep():
                slope = np.copysign(step.rate, step.stop - step.start)
                self.port.control(Control.POTENTIAL, step.start, slope)
                yield from self._watch(step.duration, step.interval)
            case Cycles():
                for cycle in range(step.count):
                    for sweep in step.sweeps():
                        yield from ((cycle, reading) for _, reading in self._samples(sweep))
            case Impedance():
                raise AssertionError

    def _watch(self, duration: float, interval: float) -> Iterator[tuple[int, Reading]]:
        start = self.port.time
        average = 0.02 if interval >= 0.1 else 0.0
        for k in range(round(duration / interval)):
            yield 0, self.port.read(start + (k + 1) * interval, average)

    def _spectrum(
        self, place: Place, step: Impedance
    ) -> list[tuple[Place, float, complex, Reading]]:
        self.port.control(Control.POTENTIAL, step.potential)
        self.port.read(self.port.time + step.settle)
        points = []
        for frequency in step.frequencies:
            z = self.port.impedance(frequency, step.amplitude)
            points.append((place, frequency, z, self.port.read(self.port.time)))
        return points


def _numbers(reading: Reading) -> tuple[float, float, float]:
    return reading.time, reading.potential, reading.current


def _flags(reading: Reading) -> int:
    over = SampleFlag.OVERLOAD if reading.overload else 0
    return over | (SampleFlag.COMPLIANCE if reading.compliance else 0)


def _pack(
    rows: list[tuple[Place, int, Reading]],
    points: list[tuple[Place, float, complex, Reading]],
    steps: list[EchemStep],
    technique: str,
) -> EchemData:
    time, potential, current = np.array([_numbers(r) for *_, r in rows]).reshape(-1, 3).T
    charge = np.concatenate([[0.0], np.cumsum(0.5 * (current[1:] + current[:-1]) * np.diff(time))])[
        : time.size
    ]
    e_time, e_potential, e_current = np.array([_numbers(r) for *_, r in points]).reshape(-1, 3).T
    spectrum = EchemSpectrum(
        time=e_time,
        step=np.array([p.number for p, *_ in points], np.int32),
        frequency=np.array([f for _, f, _, _ in points]),
        impedance=np.array([z for _, _, z, _ in points], np.complex128),
        potential=e_potential,
        current=e_current,
        flags=np.array([_flags(r) for *_, r in points], np.uint8),
    )
    return EchemData(
        time=time,
        potential=potential,
        current=current,
        charge=charge,
        step=np.array([p.number for p, *_ in rows], np.int32),
        cycle=np.array([c for _, c, _ in rows], np.int32),
        loop=np.array([p.loops[0] if p.loops else 0 for p, *_ in rows], np.int32),
        flags=np.array([_flags(r) for *_, r in rows], np.uint8),
        steps=tuple(steps),
        spectrum=spectrum,
        technique=technique,
        title=technique,
        outcome="done",
    )
