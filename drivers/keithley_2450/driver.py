"""The potentiostat.

Each step is a trigger model that the instrument's own clock paces. The output stays on from one to
the next; a change between potential and current control opens the cell for some milliseconds. A
pass that nothing follows, because the host has died, switches the output off.
"""

from collections.abc import Generator
from typing import Self

from sicmctl.hal.capabilities import Identity
from sicmctl.hal.cell import (
    AnyStep,
    CellProgram,
    CellRest,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Open,
    Sweep,
)
from sicmctl.hal.cellcheck import check
from sicmctl.hal.errors import InstrumentError
from sicmctl.hal.limits import Interval
from sicmctl.hal.potentiostat import CellData, CellLimits, Now

from .instrument import Instrument
from .options import Options
from .run import Run

_STEPS = frozenset[type[AnyStep]]({Open, HoldPotential, HoldCurrent, Sweep, Cycles})


class Keithley2450:
    """A source-measure unit as a `Potentiostat`. It has no impedance analyser."""

    Options = Options

    def __init__(self, options: Options) -> None:
        self._sign = 1.0 if options.working_electrode == "HI" else -1.0
        self._instrument = Instrument(options)
        model = self._instrument.model
        volts = min(options.potential_limit, model.volts)
        amperes = min(options.current_limit, model.amperes)
        self.limits = CellLimits(
            potential=Interval(-volts, volts, "V"),
            current=Interval(-amperes, amperes, "A"),
            ranges=tuple(full for full in model.ranges if full <= model.range_for(amperes)),
            rate=Interval(1e-8, 25.0, "V/s"),
            interval=Interval(2e-3, 3600.0, "s"),
            steps=_STEPS,
            tread=model.resolution,
        )

    @classmethod
    def open(cls, options: Options) -> Self:
        """Connect to the instrument and see what it is. Its output stays as it is."""
        return cls(options)

    def identify(self) -> Identity:
        return self._instrument.identity

    def run(self, program: CellProgram, now: Now) -> Generator[CellData, None, None]:
        """Run a program; see `Potentiostat.run`. Refuses before the cell is on."""
        check(program, self.limits, self._instrument.scpi.name)
        return self._run(program, now)

    def _run(self, program: CellProgram, now: Now) -> Generator[CellData, None, None]:
        try:
            yield from Run(self._instrument, program, now, self._sign).data()
        except InstrumentError as error:
            raise self._instrument.secured(error) from error
        except BaseException:  # the iterator was closed, or the host is in trouble
            self.safe_state()
            raise

    def read(self) -> tuple[float, float]:
        """Return potential (V) and current (A); an open cell is read with a source of 0 A."""
        try:
            if self._instrument.is_on():
                volts, amperes = self._instrument.read()
            else:
                self._instrument.source("CURR", 0.0)
                volts, amperes = self._instrument.read()
                self._instrument.off()
        except InstrumentError as error:
            raise self._instrument.secured(error) from error
        return self._sign * volts + 0.0, self._sign * amperes + 0.0  # never -0

    def hold(self, potential: float) -> None:
        """Switch the cell on at a potential, V, and leave it so."""
        self.limits.potential.check(potential, "potential", self._instrument.scpi.name, "hold")
        try:
            self._instrument.source("VOLT", self._sign * potential)
        except InstrumentError as error:
            raise self._instrument.secured(error) from error

    def rest(self, how: CellRest) -> None:
        """Bring the cell into a rest state; `ocp` and `off` both disconnect it."""
        if how is not CellRest.HOLD:
            self.safe_state()
        elif not self._is_held():
            self.hold(self.read()[0])

    def _is_held(self) -> bool:
        try:
            return self._instrument.is_on() and self._instrument.function() == "VOLT"
        except InstrumentError as error:
            raise self._instrument.secured(error) from error

    def safe_state(self) -> None:
        """Open the cell: output off, high impedance, seen to be so."""
        try:
            self._instrument.off()
        except InstrumentError as error:
            raise self._instrument.secured(error) from error

    def close(self) -> None:
        self._instrument.close()
