"""The potentiostat.

A step is one of the firmware's tests, timed by its own clock; the cell is connected while one runs
and disconnected after it, so that nothing stays on should the host die. The open-circuit potential
is asked for by the host. Potentials of a test are those that were set: it does not measure them.
"""

from collections.abc import Generator
from typing import Annotated, Self

from pydantic import BaseModel, Field

from sicmctl.hal.capabilities import Identity
from sicmctl.hal.cell import AnyStep, CellProgram, CellRest, Cycles, HoldPotential, Open, Sweep
from sicmctl.hal.cellcheck import check
from sicmctl.hal.errors import InstrumentError
from sicmctl.hal.limits import Interval
from sicmctl.hal.potentiostat import CellData, CellLimits, Now
from sicmctl.hal.quantity import Quantity

from .instrument import Instrument
from .run import Run

_STEPS = frozenset[type[AnyStep]]({Open, HoldPotential, Sweep, Cycles})


class Options(BaseModel, extra="forbid", frozen=True):
    """The `[potentiostat]` section for a Rodeostat."""

    resource: str = Field(
        description="serial port such as /dev/ttyACM0, COM3 or ASRL3::INSTR, or socket://host:port"
    )
    current_range: Annotated[float, Quantity("A", positive=True)] | None = Field(
        None, description="of programs that choose none; left out, the greatest: it finds no range"
    )
    timeout: Annotated[float, Quantity("s", positive=True)] = Field(
        3.0, description="for an answer; a lost link is tried again for three times as long"
    )


class Rodeostat:
    """A Rodeostat as a `Potentiostat`. It is no galvanostat and measures no impedance."""

    Options = Options

    def __init__(self, options: Options) -> None:
        self._instrument = Instrument(options.resource, options.timeout)
        self._wanted = options.current_range
        variant = self._instrument.variant
        volts, amperes = (tuple(r.values())[-1] for r in (variant.volts, variant.currents))
        self.limits = CellLimits(
            potential=Interval(-volts, volts, "V"),
            current=Interval(-amperes, amperes, "A"),
            ranges=tuple(variant.currents.values()),
            rate=Interval(1e-6, 10.0, "V/s"),
            interval=Interval(1e-3, 3600.0, "s"),
            steps=_STEPS,
        )

    @classmethod
    def open(cls, options: Options) -> Self:
        """Connect to the instrument and see what it is. Its electrodes stay as they are."""
        return cls(options)

    def identify(self) -> Identity:
        return self._instrument.identity

    def run(self, program: CellProgram, now: Now) -> Generator[CellData, None, None]:
        """Run a program; see `Potentiostat.run`. Refuses before the cell is on."""
        check(program, self.limits, self._instrument.messages.name)
        return self._run(program, now)

    def _run(self, program: CellProgram, now: Now) -> Generator[CellData, None, None]:
        wanted = program.current_range or self._wanted or self.limits.ranges[-1]
        try:
            run = Run(self._instrument, program, now, wanted)
            yield from run.data()
            if program.after is CellRest.HOLD:
                self._instrument.hold(run.potential)
            else:
                self._instrument.rest(measuring=program.after is CellRest.OCP)
        except InstrumentError as error:
            raise self._instrument.secured(error) from error
        except BaseException:  # the iterator was closed, or the host is in trouble
            self.safe_state()
            raise

    def read(self) -> tuple[float, float]:
        """Return potential (V) and current (A); what is open stays so."""
        try:
            return self._instrument.read()
        except InstrumentError as error:
            raise self._instrument.secured(error) from error

    def hold(self, potential: float) -> None:
        """Switch the cell on at a potential, V, and leave it so."""
        self.limits.potential.check(potential, "potential", self._instrument.messages.name, "hold")
        try:
            self._instrument.choose(self._wanted or self.limits.ranges[-1])
            self._instrument.hold(potential)
        except InstrumentError as error:
            raise self._instrument.secured(error) from error

    def rest(self, how: CellRest) -> None:
        """Bring the cell into a rest state; at `ocp` the counter electrode alone is off."""
        try:
            if how is not CellRest.HOLD:
                self._instrument.rest(measuring=how is CellRest.OCP)
            elif not self._instrument.is_on():
                self._instrument.hold(self._instrument.read()[0])
        except InstrumentError as error:
            raise self._instrument.secured(error) from error

    def safe_state(self) -> None:
        """Disconnect all electrodes, and see that they are."""
        self.rest(CellRest.OFF)

    def close(self) -> None:
        self._instrument.close()
