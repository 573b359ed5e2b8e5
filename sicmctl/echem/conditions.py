"""End conditions as the potentiostat's program knows them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from sicmctl.config.echem import Condition, Current, Potential, Size
from sicmctl.config.echem.base import Ending, Sized, Watching
from sicmctl.hal.cell import Until, Watched

from .errors import ImpossibleTechnique

_QUANTITIES: dict[str, Watched] = {
    "E": "potential",
    "I": "current",
    "Q": "charge",
    "dE/dt": "potential rate",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """In what a technique stands.

    present: the open-circuit potential before it, V. cut_offs: of the sequences about it.
    """

    present: float | None
    cut_offs: tuple[Until, ...] = ()

    def potential(self, potential: Potential) -> float:
        """Return a potential against the reference, V. Raises ImpossibleTechnique."""
        return _volts(potential, self.present)

    def stopping(self, more: tuple[Until, ...]) -> "Setting":
        """Return the same with further cut-offs."""
        return replace(self, cut_offs=self.cut_offs + more)

    def stops(self, echem: Watching) -> tuple[Until, ...]:
        """Return what ends the program during any step of a technique."""
        return self.cut_offs + cut_offs(echem.stop_if, size_of(echem), self.present)

    def ends(self, echem: Ending) -> tuple[Until, ...]:
        """Return what ends a step of a technique, or the program."""
        return self.stops(echem) + untils(echem.until, size_of(echem), self.present)


def size_of(echem: object) -> Size:
    """Return what a technique knows of its electrode."""
    return echem.size if isinstance(echem, Sized) else Size()


def cut_offs(
    conditions: Iterable[Condition], size: Size, present: float | None
) -> tuple[Until, ...]:
    """Return conditions that end the program."""
    return untils(conditions, size, present, "program")


def untils(
    conditions: Iterable[Condition],
    size: Size,
    present: float | None,
    ends: Literal["step", "repeat", "program"] = "step",
) -> tuple[Until, ...]:
    """Return conditions in SI units. Raises ImpossibleTechnique."""
    return tuple(
        Until(
            _QUANTITIES[condition.symbol],
            "below" if condition.sign == "<" else "above",
            _value(condition, size, present),
            condition.magnitude,
            ends,
        )
        for condition in conditions
    )


def _value(condition: Condition, size: Size, present: float | None) -> float:
    value = condition.value
    if isinstance(value, Potential):
        return _volts(value, present)
    return value.amperes(size) if isinstance(value, Current) else value


def _volts(potential: Potential, present: float | None) -> float:
    try:
        return potential.at(present)
    except ValueError as error:
        raise ImpossibleTechnique(f"{error}, which is not known (measure the cell first)") from None
