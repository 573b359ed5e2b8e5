"""The pipette under an alternating bias: the conductance of its tip beside a stray capacitance.

    Y = G + j B,   B = omega C

G falls as the tip nears the sample, B does not: the amplitude |Y| falls by less than G, and the
phase arg Y turns forward.
"""

from dataclasses import dataclass
from math import atan2, hypot, inf, pi, sqrt, tan
from typing import Literal, Self

By = Literal["amplitude", "phase"]


@dataclass(frozen=True, slots=True)
class Admittance:
    """conductance, susceptance: S, at one frequency."""

    conductance: float
    susceptance: float

    @property
    def amplitude(self) -> float:
        """S."""
        return hypot(self.conductance, self.susceptance)

    @property
    def phase(self) -> float:
        """By which the current leads the bias, rad."""
        return atan2(self.susceptance, self.conductance)

    def drop(self, setpoint: float, by: By) -> float:
        """Return the fractional drop of the conductance that a setpoint means.

        setpoint: fractional drop of the amplitude, or turn of the phase in rad. inf if no
        conductance is small enough: more of the amplitude, or of the turn, is capacitance.
        """
        return 1 - self._left(setpoint, by) / self.conductance

    def setpoint(self, drop: float, by: By) -> float:
        """Return the setpoint that means a fractional drop of the conductance; see `drop`."""
        near = Admittance(self.conductance * (1 - drop), self.susceptance)
        return 1 - near.amplitude / self.amplitude if by == "amplitude" else near.phase - self.phase

    def _left(self, setpoint: float, by: By) -> float:
        """Return the conductance at the setpoint; -inf if there is none."""
        if by == "phase":
            angle = self.phase + setpoint
            return self.susceptance / tan(angle) if 0 < angle < pi / 2 else -inf
        square = (self.amplitude * (1 - setpoint)) ** 2 - self.susceptance**2
        return sqrt(square) if square >= 0 else -inf

    @classmethod
    def of_two(cls, here: float, low: float, ratio: float) -> Self:
        """Return the admittance at one frequency from amplitudes (S) at two.

        low: at a frequency `ratio` (> 1) times lower, where the capacitance shows less. Phases are
        not asked for: they tell as much of the delays of the instruments as of the pipette.
        """
        square = max((here**2 - low**2) / (1 - ratio**-2), 0.0)
        conductance = sqrt(max(here**2 - square, 0.0))
        return cls(conductance, sqrt(square))
