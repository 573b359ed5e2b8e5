"""The instrument as a `Potentiostat`: a program becomes waveforms on the card's sample clock."""

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import ClassVar, Self

import numpy as np

from sicmctl.hal.capabilities import Daq, Identity
from sicmctl.hal.cell import (
    AnyStep,
    CellProgram,
    CellRest,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Open,
    Place,
    Sweep,
    Until,
    walk,
)
from sicmctl.hal.cellcheck import check
from sicmctl.hal.cellwatch import CellWatch
from sicmctl.hal.errors import InstrumentError, NotConnected, NotSupported, UnexpectedState
from sicmctl.hal.limits import Interval
from sicmctl.hal.potentiostat import CellData, CellLimits, CellSpectrum, Now, SampleFlag, StepEnded
from sicmctl.hal.quantity import show
from sicmctl.hal.timeline import Stamp

from . import spectrum
from .panel import NAME, Options, Panel, Seen
from .recorder import Recorder

_CHUNK = 200_000
"""Samples in one waveform; between two of them the ramp stands still for the host's reaction."""
_GLANCE = 0.02
"""Seconds over which a single reading is averaged: a period of the mains."""
_SETTLE = 0.1
"""Seconds at the potential before an impedance is measured, at least."""
_STEEPEST = 0.01
"""V a ramp may go from sample to sample."""
_LONGEST_INTERVAL = 3600.0

Ending = Generator[CellData, None, Until | None]


class AnalogPotentiostat:
    """Potential and current through a card whose stream it starts and stops itself.

    To be used from one thread. `safe_state`, `rest` and `hold` end a program that is under way; its
    iterator then raises.
    """

    Options = Options
    needs_daq: ClassVar[bool] = True

    def __init__(self, options: Options, daq: Daq) -> None:
        self._options, self._daq = options, daq
        self._panel = Panel(options, daq)
        self._program: object | None = None
        self.limits = _limits(options, daq.rate, self._panel.can_open)

    @classmethod
    def open(cls, options: Options, daq: Daq) -> Self:
        """Take hold of external input and cell switch. Changes nothing."""
        return cls(options, daq)

    def identify(self) -> Identity:
        """It has no name to tell; this is what rig.toml says."""
        return Identity(self._options.maker, self._options.model)

    def run(self, program: CellProgram, now: Now) -> Generator[CellData, None, None]:
        """As `Potentiostat.run`; refuses at once what the instrument cannot do."""
        check(program, self.limits, NAME)
        self._check_rest(program.after)
        return self._running(program, now)

    def read(self) -> tuple[float, float]:
        """Return potential (V) and current (A), averaged over 20 ms that begin in 20 ms."""
        with self._clock():
            self._daq.read(self._samples(_GLANCE))  # what was done just before is over by then
            seen = self._panel.seen(self._daq.read(self._samples(_GLANCE)))
        return float(seen.potential.mean()), float(seen.current.mean())

    def hold(self, potential: float) -> None:
        """Connect the cell at a potential, V, and leave it so."""
        self._require_potential("hold")
        self.limits.potential.check(potential, "potential", NAME, "hold")
        self._program = None
        self._command(potential, connect=True)

    def rest(self, how: CellRest) -> None:
        """Bring the cell into a rest state. OCP and OFF are one: potential is measured in both."""
        self._check_rest(how)
        self._program = None
        if how is not CellRest.HOLD:
            self.safe_state()
        elif not (self._panel.connected and self._panel.steady):
            self.hold(self.read()[0])

    def safe_state(self) -> None:
        """Stop the waveform and keep current from the cell, as far as the instrument can.

        The cell switch is opened; without one a galvanostat is told 0 A, and a potentiostat holds
        the potential it has. Raises NotConnected if the card does not answer.
        """
        self._program = None
        if self._panel.switched:
            with suppress(InstrumentError):  # opening the cell matters more
                self._panel.halt()
            self._open_switch()
        else:
            self._panel.halt()
            if self._options.control == "current":
                self._command(0.0)

    def close(self) -> None:
        """Let go; the card's outputs hold."""
        with suppress(InstrumentError):
            self._panel.halt()

    # -- a program

    def _running(self, program: CellProgram, now: Now) -> Generator[CellData, None, None]:
        self._program = token = object()

        def allowed() -> None:
            if self._program is not token:
                raise UnexpectedState(NAME, "run", "the program was ended from outside")

        kept = False
        try:
            with self._clock(now) as start:
                recorder = Recorder(self._daq, self._panel, start, allowed)
                yield from self._steps(program, recorder)
                recorder.settle()
            if program.after is CellRest.HOLD:
                self.rest(CellRest.HOLD)
                kept = True
        finally:
            if not kept:
                self.safe_state()

    def _steps(self, program: CellProgram, recorder: Recorder) -> Generator[CellData, None, None]:
        steps = walk(program)
        for place, step in steps:
            until = yield from self._step(place, step, recorder)
            yield StepEnded(place, recorder.stamp(), str(until) if until else "time")
            if until is not None:
                steps.obey(until)

    def _step(self, place: Place, step: AnyStep, recorder: Recorder) -> Ending:
        watch = CellWatch(step.until)
        match step:
            case Open():
                self._open_cell()
                samples = self._samples(step.duration)
                return (yield from recorder.follow(place, step, watch, samples))
            case HoldPotential(potential=value) | HoldCurrent(current=value):
                begun = self._apply(value, recorder)
                held = value if isinstance(step, HoldPotential) else None
                samples = self._samples(step.duration)
                return (
                    yield from recorder.follow(place, step, watch, samples, begun=begun, held=held)
                )
            case Sweep():
                return (yield from self._sweep(place, step, watch, recorder))
            case Cycles():
                for cycle in range(step.count):
                    for sweep in step.sweeps():
                        until = yield from self._sweep(place, sweep, watch, recorder, cycle)
                        if until is not None:
                            return until
                return None
            case Impedance():
                return (yield from self._impedance(place, step, watch, recorder))

    def _sweep(
        self, place: Place, step: Sweep, watch: CellWatch, recorder: Recorder, cycle: int = 0
    ) -> Ending:
        jump = abs(self._panel.held - step.start) > self._options.fine
        if jump or not (self._panel.connected and self._panel.steady):
            self._apply(step.start, recorder)
        samples = max(2, self._samples(step.duration))
        for first in range(0, samples, _CHUNK):
            share = np.arange(first + 1, min(first + _CHUNK, samples) + 1) / samples
            self._panel.play(step.start + share * (step.stop - step.start))
            until = yield from recorder.follow(place, step, watch, None, cycle=cycle)
            if until is not None:
                self._panel.halt()
                return until
        return None

    def _impedance(
        self, place: Place, step: Impedance, watch: CellWatch, recorder: Recorder
    ) -> Ending:
        begun = self._apply(step.potential, recorder)
        settle = self._samples(max(step.settle, _SETTLE))
        until = yield from recorder.follow(
            place, step, watch, settle, begun=begun, held=step.potential
        )
        if until is not None:
            return until
        for frequency in step.frequencies:
            sine = spectrum.Sine(frequency, step.potential, step.amplitude, self._daq.rate)
            self._panel.play(sine.course())
            seen = [recorder.read(2)]
            while left := self._panel.left():
                seen.append(recorder.read(min(left, round(0.5 * self._daq.rate))))
                yield recorder.nothing(place)
            potential = np.concatenate([part.potential for part in seen])
            current = np.concatenate([part.current for part in seen])
            over = any(part.over.any() for part in seen)
            impedance, e, i = sine.fit(potential, current)
            stamp = recorder.stamp()
            yield CellSpectrum(
                place,
                np.array([stamp.time]),
                stamp.uncertainty,
                np.array([frequency]),
                np.array([impedance]),
                np.array([e]),
                np.array([i]),
                np.array([SampleFlag.OVERLOAD if over else SampleFlag.OK], dtype=np.uint8),
            )
        return None

    # -- the cell

    def _samples(self, duration: float) -> int:
        return max(1, round(duration * self._daq.rate))

    def _apply(self, value: float, recorder: Recorder) -> Seen:
        """Command a value; return what was sampled since it came.

        An open cell is first connected without a bump: at the potential it has, or at no current.
        """
        if not self._panel.connected:
            rest = 0.0
            if self._options.control == "potential":
                seen = recorder.read(self._samples(_GLANCE))
                rest = self.limits.potential.clip(float(seen.potential.mean()))
            self._panel.apply(rest)
            recorder.settle()
            self._panel.connect()
        self._panel.apply(value)
        return recorder.arrive()

    def _open_cell(self) -> None:
        if self._panel.switched:
            self._open_switch()
        else:
            self._panel.apply(0.0)

    def _command(self, value: float, connect: bool = False) -> None:
        """Command a value outside a program, and connect the cell when it is out."""
        with self._clock():
            self._panel.apply(value)
            while left := self._panel.left():
                self._daq.read(left)
            if connect and not self._panel.connected:
                self._panel.connect()

    def _open_switch(self) -> None:
        try:
            self._panel.disconnect()
        except NotConnected as error:
            state = f"still on at {show(self._panel.held, self._unit)}"
            raise NotConnected(
                NAME,
                "open the cell",
                f"the card does not answer and its outputs hold: take the cell to be {state} "
                f"({error.problem})",
                "switch the cell off at the instrument",
            ) from error

    @property
    def _unit(self) -> str:
        return "V" if self._options.control == "potential" else "A"

    @contextmanager
    def _clock(self, now: Now = lambda: Stamp(0.0)) -> Iterator[Stamp]:
        """Let the card's clock run; yields when it was started."""
        before = now()
        self._daq.start()
        after = now()
        try:
            width = (after.time - before.time) / math.sqrt(12)
            yield Stamp((before.time + after.time) / 2, math.hypot(width, after.uncertainty))
        finally:
            self._daq.stop()

    # -- what it cannot do

    def _check_rest(self, how: CellRest) -> None:
        if how is CellRest.HOLD:
            self._require_potential("rest at a held potential")
        elif not self._panel.can_open:
            raise NotSupported(
                NAME,
                f'rest "{how}"',
                "it has no line that opens the cell",
                "wire its cell switch and name the line in potentiostat.cell_switch, or let the "
                'cell rest at "hold"',
            )

    def _require_potential(self, command: str) -> None:
        if self._options.control != "potential":
            raise NotSupported(
                NAME,
                command,
                "its external input sets the current",
                'turn its mode switch and set potentiostat.control = "potential"',
            )


def _limits(options: Options, rate: float, can_open: bool) -> CellLimits:
    by_potential = options.control == "potential"
    steps: frozenset[type[AnyStep]] = (
        frozenset((HoldPotential, Sweep, Cycles, Impedance))
        if by_potential
        else frozenset((HoldCurrent,))
    )
    most = options.reach if by_potential else options.potential_limit
    current = options.current_range if by_potential else options.reach
    return CellLimits(
        potential=Interval(-most, most, "V"),
        current=Interval(-current, current, "A"),
        ranges=(options.current_range,),
        rate=Interval(1e-9, _STEEPEST * rate, "V/s"),
        interval=Interval(1 / rate, _LONGEST_INTERVAL, "s"),
        steps=steps | {Open} if can_open else steps,
        frequency=spectrum.frequencies(rate) if by_potential else None,
    )
