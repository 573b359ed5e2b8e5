"""One program on the instrument, from the first reading to the state the cell is left in."""

from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np

from sicmctl.hal.cell import (
    AnyStep,
    CellProgram,
    CellRest,
    Place,
    Until,
    potentials,
    walk,
)
from sicmctl.hal.cellwatch import CellWatch
from sicmctl.hal.errors import UnexpectedState
from sicmctl.hal.potentiostat import CellData, CellSamples, Now, StepEnded
from sicmctl.hal.timeline import Stamp

from . import commands
from .instrument import Instrument
from .passes import Pass, passes
from .readings import Samples, Translator

_START = 1e-3
"""s: how well it is known when a trigger model starts."""


class Run:
    """Runs one program. sign: -1 if the working electrode is on LO."""

    def __init__(self, instrument: Instrument, program: CellProgram, now: Now, sign: float) -> None:
        self._instrument, self._program, self._now, self._sign = instrument, program, now, sign
        wanted = program.current_range
        self._range = None if wanted is None else instrument.model.range_for(wanted)
        self._origin: float | None = None
        self._time_sd = 0.0
        self._time = self._potential = 0.0

    def data(self) -> Generator[CellData, None, None]:
        """Yield all that is measured; leaves the output on only if the program says so."""
        self._prepare()
        self._time = self._now().time
        steps = walk(self._program)
        for place, step in steps:
            met = yield from self._step(place, step)
            if met is not None:
                steps.obey(met)
        if self._program.after is CellRest.HOLD:
            self._instrument.source("VOLT", self._sign * self._potential)
        else:
            self._instrument.off()

    def _prepare(self) -> None:
        """Set what all steps share. A cell that is held stays held until its step begins."""
        instrument = self._instrument
        instrument.scpi.send("*CLS", ":ABOR")
        instrument.ready(instrument.function())
        top = max((abs(e) for _, step in walk(self._program) for e in potentials(step)), default=0)
        if instrument.is_on():
            top = max(top, abs(instrument.scpi.numbers(":SOUR:VOLT?")[0][0]))
        else:
            instrument.scpi.send(":SOUR:VOLT:RANG:AUTO ON", ":SOUR:VOLT 0")
        instrument.scpi.send(f":SOUR:VOLT:RANG {commands.number(top)}", ":SOUR:CURR:RANG:AUTO ON")
        instrument.scpi.check("prepare")

    def _step(self, place: Place, step: AnyStep) -> Generator[CellData, None, Until | None]:
        """Run one step; return what ended it early, if anything did."""
        watch = CellWatch(step.until)
        for one in passes(step):
            met = yield from self._pass(place, one, watch)
            if met is not None:
                yield StepEnded(place, Stamp(self._time, self._time_sd), str(met))
                return met
        yield StepEnded(place, Stamp(self._time, self._time_sd))
        return None

    def _pass(
        self, place: Place, one: Pass, watch: CellWatch
    ) -> Generator[CellData, None, Until | None]:
        translate = self._start(one)
        for rows in self._instrument.rows(one):
            if not rows:
                yield _empty(place, self._time_sd)
                continue
            samples = self._on_the_timeline(translate(rows))
            met = watch.see(samples.time, samples.potential, samples.current)
            if met is not None:
                self._instrument.stop()
                samples = samples.first(met[0] + 1)
            self._time, self._potential = float(samples.time[-1]), float(samples.potential[-1])
            yield from self._blocks(place, samples)
            if met is not None:
                return met[1]
            if samples.off:
                raise self._found_off()
        self._instrument.stop()
        if one.function == "VOLT":
            self._potential = one.levels[-1]
        return None

    def _start(self, one: Pass) -> Translator:
        levels = tuple(self._sign * level for level in one.levels)
        self._instrument.set_up(replace(one, levels=levels), self._range)
        before = self._now()
        self._instrument.start()
        started = self._now()
        self._instrument.scpi.check("start a step")
        if self._origin is None:
            self._begin(one, before, started)
        full = self._range or self._instrument.model.ranges[-1]
        return Translator(one, self._sign, full, self._range is not None)

    def _begin(self, one: Pass, before: Stamp, started: Stamp) -> None:
        """Note when the first reading of the program is due, and how well that is known."""
        how = self._instrument.reading(one.function, one.interval, self._range)
        reading = how.duration
        self._due = started.time + one.interval + reading
        doubts = (started.time - before.time) / 12**0.5, reading / 12**0.5, _START
        self._time_sd = float(np.hypot.reduce([*doubts, started.uncertainty]))

    def _on_the_timeline(self, samples: Samples) -> Samples:
        if self._origin is None:
            self._origin = self._due - float(samples.time[0])
        return replace(samples, time=samples.time + self._origin)

    def _blocks(self, place: Place, samples: Samples) -> Iterator[CellSamples]:
        for part in samples.by_cycle():
            yield CellSamples(
                place,
                part.time,
                self._time_sd,
                part.potential,
                part.current,
                part.flags,
                int(part.cycle[0]),
            )

    def _found_off(self) -> UnexpectedState:
        return UnexpectedState(
            self._instrument.scpi.name,
            "run a step",
            "its output was switched off meanwhile",
            "did somebody press OUTPUT, or open the interlock?",
        )


def _empty(place: Place, time_sd: float) -> CellSamples:
    nothing = np.zeros(0)
    return CellSamples(place, nothing, time_sd, nothing, nothing, np.zeros(0, np.uint8))
