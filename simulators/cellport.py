"""The seam between a virtual potentiostat and the electrochemical cell wired to it.

A potentiostat's firmware (a script interpreter, a trigger model) sits on top of a `CellPort`: it
says what is to be controlled, lets time pass, and reads what the front end shows. Current is
positive when it is anodic at the working electrode; potentials are working against reference.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Control(StrEnum):
    """What the front end holds."""

    OPEN = "open"  # cell switched off: no current, potential floats
    POTENTIAL = "potential"
    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the front end measured at one moment.

    time: s on the port's clock. potential: V. current: A. Both carry the instrument's noise,
    range and quantisation. overload: the current range was exceeded. compliance: the counter
    electrode's voltage limit was reached, so that the control was lost.
    """

    time: float
    potential: float
    current: float
    overload: bool = False
    underload: bool = False
    compliance: bool = False


class CellPort(Protocol):
    """A potentiostat's analog front end with a cell on it, on one clock."""

    @property
    def time(self) -> float:
        """Time of the port's clock, s."""
        ...

    def control(
        self, mode: Control, value: float = 0.0, slope: float = 0.0, at: float | None = None
    ) -> None:
        """From now on hold `value` (V or A), or ramp it from there with `slope` (V/s or A/s).

        at: when, s, for a firmware whose own timer does it, however late its computer is.
        """
        ...

    def set_current_range(self, full_scale: float) -> None:
        """Choose the current range, A; the instrument decides which ones it has."""
        ...

    def set_bandwidth(self, hertz: float) -> None:
        """Choose the bandwidth of the measurement."""
        ...

    def read(self, at: float, average: float = 0.0) -> Reading:
        """Let time pass until `at` (s) and read, averaged over the last `average` seconds.

        In realtime this blocks until the wall clock is there. In lockstep it blocks until the
        laboratory's clock is there, or, when nothing else drives the clock, advances it.
        Raises Interrupted if `interrupt` was called meanwhile.
        """
        ...

    def impedance(self, frequency: float, amplitude: float, periods: int = 3) -> complex:
        """Let that many periods pass with a sine on the control and return Z = dE/dI, ohm.

        amplitude: V under potential control, A under current control. The answer carries the
        instrument's noise and is that of the present state of the cell.
        """
        ...

    def interrupt(self) -> None:
        """End a blocking `read` from another thread."""
        ...


class Interrupted(Exception):
    """A blocking read was ended by `interrupt`."""
