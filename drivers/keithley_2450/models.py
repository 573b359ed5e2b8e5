"""What tells a 2450, a 2460 and a 2461 apart."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """Ranges and limits by the data sheets; their EC variants differ in the cable only.

    ranges: of the current, full scale, A. volts, amperes: the greatest levels that it sources at
        direct current without an interlock. resolution: of the 2 V source range, V.
    """

    ranges: tuple[float, ...]
    volts: float
    amperes: float
    resolution: float = 50e-6

    def range_for(self, current: float) -> float:
        """Return the smallest range that holds a current (A), or the greatest there is."""
        fitting = (full for full in self.ranges if abs(current) <= full * (1 + 1e-9))
        return next(fitting, self.ranges[-1])


_COMMON = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)

MODELS = {
    "2450": Model((1e-8, 1e-7, *_COMMON), 21.0, 1.05),
    "2460": Model((*_COMMON, 4.0, 5.0, 7.0), 21.0, 7.35),
    "2461": Model((*_COMMON, 4.0, 5.0, 7.0), 21.0, 7.35),
}
"""By the number in the answer to `*IDN?`."""
