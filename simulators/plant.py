"""The seam between a virtual data-acquisition card and the laboratory wired to it.

Time is an integer count of 10 ns, the period of a card's 100 MHz timebase, so that sample
clocks of any rate stay exact for as long as a run lasts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

TICK = 1e-8
"""Seconds in one unit of plant time."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A comparator with hysteresis on one analog output of the plant.

    It goes high when the signal rises above `high` and low when it falls below `low` (volts).
    """

    output: int
    low: float
    high: float
    is_high: bool


class Plant(Protocol):
    """A laboratory seen from the terminals of a card: volts in, volts out, digital lines in."""

    inputs: tuple[str, ...]
    """Analog inputs, e.g. `stage.z`, `amplifier.command`: what the card's AO channels drive."""
    outputs: tuple[str, ...]
    """Analog outputs, e.g. `amplifier.output`, `stage.z.sensor`: what AI and APFI can see."""
    lines: tuple[str, ...]
    """Digital inputs, e.g. `amplifier.gain.0`."""

    @property
    def time(self) -> int:
        """Plant time, in units of `TICK`."""
        ...

    def run(
        self,
        drive: NDArray[np.float64],
        period: int,
        watches: Sequence[Watch] = (),
    ) -> NDArray[np.float64]:
        """Advance by up to len(drive) steps of `period` and return what the outputs showed.

        drive: shape (n, len(inputs)), volts; row k is held during step k.
        period: length of one step, in units of `TICK`.
        watches: the run ends after the first step at whose end any of them changes state.

        Returns shape (m, len(outputs)), volts, 1 <= m <= n; row k was sampled at the end of step k.
        """
        ...

    def set_line(self, line: str, high: bool) -> None:
        """Set a digital input, at the present plant time."""
        ...
