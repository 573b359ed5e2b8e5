"""Impedance by synchronous detection: a sine on the external input, both monitors fitted to it."""

import math
from dataclasses import dataclass

import numpy as np

from sicmctl.hal.capabilities import F64
from sicmctl.hal.errors import UnexpectedState
from sicmctl.hal.limits import Interval

from .panel import NAME

_FEWEST = 3
"""Periods that are measured, at least."""
_SHORTEST = 0.2
"""Seconds that are measured, at least."""
_LATE = 0.05
"""Seconds after which a sine that was asked for is under way."""
_SEEN = 0.02
"""Share of the amplitude that the potential monitor must show, behind its filter."""
_LONGEST = 1 << 21
"""Samples in one sine, which bounds the memory of card and computer."""
_PER_PERIOD = 10
"""Samples in a period, at least: fewer would let the stairs of the output show."""


def frequencies(rate: float) -> Interval:
    """What can be measured at a sample rate, Hz."""
    return Interval((_FEWEST + 2) * rate / _LONGEST, rate / _PER_PERIOD, "Hz")


@dataclass(frozen=True)
class Sine:
    """One frequency (Hz) about a potential (V), at a sample rate (Hz). amplitude: V, peak."""

    frequency: float
    potential: float
    amplitude: float
    rate: float

    @property
    def periods(self) -> int:
        """How many are measured; one more comes before them, for the cell to settle."""
        return max(_FEWEST, math.ceil(_SHORTEST * self.frequency))

    def course(self) -> F64:
        """Return the potentials, V, one a sample; the last is where they began."""
        seconds = (self.periods + 1) / self.frequency + 2 * _LATE
        phase = 2 * np.pi * self.frequency / self.rate * np.arange(math.ceil(seconds * self.rate))
        values = self.potential + self.amplitude * np.sin(phase)
        values[-1] = self.potential
        return values

    def fit(self, potential: F64, current: F64) -> tuple[complex, float, float]:
        """Return impedance (ohm) and the means of potential (V) and current (A).

        potential, current: all samples since the course was asked for, shape (n,). Raises
        UnexpectedState if the sine does not show on the potential.
        """
        first = math.ceil((1 / self.frequency + _LATE) * self.rate)
        count = round(self.periods * self.rate / self.frequency)
        window = slice(first, first + count)
        time = np.arange(count) / self.rate
        angle = 2 * np.pi * self.frequency * time
        design = np.stack([np.cos(angle), np.sin(angle), np.ones(count), time - time.mean()], 1)
        solution, *_ = np.linalg.lstsq(
            design, np.stack([potential[window], current[window]], 1), rcond=None
        )
        (e_cos, i_cos), (e_sin, i_sin), (e_mean, i_mean) = solution[:3]
        if math.hypot(e_cos, e_sin) < _SEEN * self.amplitude:
            raise UnexpectedState(
                NAME,
                f"impedance at {self.frequency:g} Hz",
                "the potential monitor does not follow the external input",
                "check command_scale, potential_scale, the wiring, and the monitor's filter",
            )
        impedance = complex(e_cos, -e_sin) / complex(i_cos, -i_sin)
        return impedance, float(e_mean), float(i_mean)
