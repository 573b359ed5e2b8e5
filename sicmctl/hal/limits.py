"""Ranges that the rig allows."""

from dataclasses import dataclass

from .errors import LimitExceeded
from .quantity import show


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed range of an SI quantity."""

    low: float
    high: float
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"an interval needs low <= high, found {self.low} .. {self.high}")

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{show(self.low, self.unit)} .. {show(self.high, self.unit)}"

    def clip(self, value: float) -> float:
        """Return the nearest allowed value."""
        return min(max(value, self.low), self.high)

    def check(self, value: float, what: str, instrument: str, command: str) -> float:
        """Return the value if it is allowed, else raise LimitExceeded. NaN is never allowed."""
        if value not in self:
            raise LimitExceeded(
                instrument,
                command,
                f"{what} {show(value, self.unit)} lies outside {self}",
                "change the request, or the limits in rig.toml if the hardware allows it",
            )
        return value
