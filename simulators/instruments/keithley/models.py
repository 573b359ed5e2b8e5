"""What tells a 2450, a 2460 and a 2461 apart: ranges and limits."""

from dataclasses import dataclass
from typing import Literal

Function = Literal["VOLT", "CURR"]

OVERRANGE = 1.05
"""A range reaches 5 % beyond its name."""


@dataclass(frozen=True)
class Quantity:
    """What a model can do with one quantity. V or A.

    ranges: full scales, ascending. top: the greatest level. least_limit: the smallest limit that
    can be set. default_limit: the limit after `*RST`.
    """

    ranges: tuple[float, ...]
    top: float
    least_limit: float
    default_limit: float

    def range_for(self, value: float) -> float:
        """The smallest range that holds `value`, or the greatest there is."""
        fits = (full for full in self.ranges if abs(value) <= full * OVERRANGE * (1 + 1e-9))
        return next(fits, self.ranges[-1])


@dataclass(frozen=True)
class Model:
    """A source-measure unit of the series."""

    name: str
    volt: Quantity
    curr: Quantity
    protections: tuple[int, ...]
    """Overvoltage protection levels, V."""

    def quantity(self, function: str) -> Quantity:
        """What it can do with `VOLT` or `CURR`."""
        return self.volt if function == "VOLT" else self.curr


_SMALL = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_HIGH_CURRENT_VOLTS = Quantity((0.2, 2.0, 7.0, 10.0, 20.0, 100.0), 105.0, 0.2, 7.35)

MODELS = {
    "2450": Model(
        "2450",
        Quantity((0.02, 0.2, 2.0, 20.0, 200.0), 210.0, 0.02, 21.0),
        Quantity((1e-8, 1e-7, *_SMALL), 1.05, 1e-9, 1.05e-4),
        (2, 5, 10, 20, 40, 60, 80, 100, 120, 140, 160, 180),
    ),
    "2460": Model(
        "2460",
        _HIGH_CURRENT_VOLTS,
        Quantity((*_SMALL, 4.0, 5.0, 7.0), 7.35, 1e-6, 1.05e-4),
        (2, 5, 10, 20, 40, 60, 80),
    ),
    "2461": Model(
        "2461",
        _HIGH_CURRENT_VOLTS,
        Quantity((*_SMALL, 4.0, 5.0, 7.0, 10.0), 7.35, 1e-6, 1.05e-4),
        (2, 5, 10, 20, 40, 60, 80),
    ),
}
"""By name."""

RESISTANCES = (2.0, 20.0, 200.0, 2e3, 2e4, 2e5, 2e6, 2e7, 2e8)
"""Ranges of resistance, ohm."""
