"""What an operator writes about a cell: potentials, currents, and conditions that end a step.

Each is text in the file, a small value here, and a number only when its references are known: the
open-circuit potential, the electrode's area, its capacity.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from sicmctl.hal.quantity import BadQuantity, Quantity, parse, quote, write


@dataclass(frozen=True, slots=True)
class Potential:
    """Against the reference electrode, or against the open-circuit potential, V."""

    value: float
    vs_ocp: bool = False

    def __str__(self) -> str:
        return str(write(self.value, "V")) + (" vs OCP" if self.vs_ocp else "")

    def at(self, present: float | None) -> float:
        """Return it against the reference, V. present: the open-circuit potential, V.

        Raises ValueError if that is needed and not known.
        """
        if not self.vs_ocp:
            return self.value
        if present is None:
            raise ValueError(f"{self} needs the open-circuit potential")
        return present + self.value


@dataclass(frozen=True, slots=True)
class Size:
    """Of the electrode: area (m2) and capacity (C), where they are given."""

    area: float | None = None
    capacity: float | None = None


@dataclass(frozen=True, slots=True)
class Current:
    """As such (A), per area (A/m^2), or as C-rate: capacities per hour (C/h)."""

    value: float
    unit: Literal["A", "A/m^2", "C/h"] = "A"

    def __str__(self) -> str:
        if self.unit == "C/h":
            return f"{self.value:.15g} C"
        return str(write(self.value, self.unit))

    def lacks(self, size: Size) -> str | None:
        """Return the name of what must be known of the electrode and is not."""
        needed = {"A": None, "A/m^2": "area", "C/h": "capacity"}[self.unit]
        return needed if needed and getattr(size, needed) is None else None

    def amperes(self, size: Size) -> float:
        """Return it in A. Raises ValueError if the electrode's size is needed and not known."""
        if lacking := self.lacks(size):
            raise ValueError(f"{self} needs the electrode's {lacking}")
        match self.unit:
            case "A/m^2":
                return self.value * (size.area or 0.0)
            case "C/h":
                return self.value * (size.capacity or 0.0) / 3600
            case _:
                return self.value


Symbol = Literal["E", "I", "Q", "dE/dt"]


@dataclass(frozen=True, slots=True)
class Condition:
    """`|I| < 10 uA`: ends a step early. value: Q in C, dE/dt in V/s."""

    symbol: Symbol
    magnitude: bool
    sign: Literal["<", ">"]
    value: Potential | Current | float

    def __str__(self) -> str:
        bars = "|" if self.magnitude else ""
        value = self.value
        if isinstance(value, float):
            value = write(value, "C" if self.symbol == "Q" else "V/s")
        return f"{bars}{self.symbol}{bars} {self.sign} {value}"


@dataclass(frozen=True)
class PotentialText(Quantity):
    """Marks a field that holds a Potential."""

    @property
    def kind(self) -> str:
        return "potential"

    @property
    def wish(self) -> str:
        return _POTENTIALS

    def validate(self, value: object) -> Any:
        """Return the Potential that the text says."""
        return value if isinstance(value, Potential) else _potential(value)

    def serialize(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True)
class CurrentText(Quantity):
    """Marks a field that holds a Current. A current of zero is no current."""

    @property
    def kind(self) -> str:
        return "current"

    @property
    def wish(self) -> str:
        return _CURRENTS

    def validate(self, value: object) -> Any:
        """Return the Current that the text says."""
        current = value if isinstance(value, Current) else _current(value)
        if current.value == 0 or (self.positive and current.value < 0):
            raise BadQuantity(str(current), "more than 0" if self.positive else "another current")
        return current

    def serialize(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True)
class ConditionText(Quantity):
    """Marks a field that holds a Condition."""

    @property
    def kind(self) -> str:
        return "condition"

    @property
    def wish(self) -> str:
        return _CONDITIONAL

    def validate(self, value: object) -> Any:
        """Return the Condition that the text says."""
        return value if isinstance(value, Condition) else _condition(value)

    def serialize(self, value: Any) -> str:
        return str(value)


_RELATIVE = re.compile(r"(.*?)\s*vs\.?\s*ocp\s*", re.IGNORECASE)
_C_RATE = re.compile(r"\s*([+-]?)(\d*\.?\d*)\s*C(?:\s*/\s*(\d+\.?\d*|\.\d+))?\s*")
_CONDITION = re.compile(r"\s*(\|?)\s*(E|I|Q|dE/dt)\s*(\|?)\s*([<>])=?\s*([^<>=|]*)")
_POTENTIALS = 'a potential like "0.7 V", "50 mV vs OCP" or "OCP"'
_CURRENTS = 'a current like "0.4 mA", "0.4 mA/cm^2" or "C/10"'
_CONDITIONAL = 'a condition on E, I, Q or dE/dt, like "|I| < 10 uA" or "E > 1.5 V"'


def _text(value: object, expected: str) -> str:
    if isinstance(value, str):
        return value
    number = isinstance(value, float | int) and not isinstance(value, bool)
    found = f"{value:g} without a unit" if number else f"a {type(value).__name__}"
    raise BadQuantity(found, expected)


def _potential(value: object) -> Potential:
    text = _text(value, _POTENTIALS)
    if text.strip().upper() == "OCP":
        return Potential(0.0, vs_ocp=True)
    relative = _RELATIVE.fullmatch(text)
    try:
        volts = parse(relative[1] if relative else text, "V")
    except BadQuantity as error:
        raise BadQuantity(error.found, _POTENTIALS) from None
    if abs(volts) > 100:
        raise BadQuantity(quote(text), "at most 100 V")
    return Potential(volts, vs_ocp=relative is not None)


def _current(value: object) -> Current:
    text = _text(value, _CURRENTS)
    if rate := _C_RATE.fullmatch(text):
        sign, times, hours = rate.groups()
        if times != "." and float(hours or 1) > 0:
            number = float(times or 1) / float(hours or 1)
            return Current(-number if sign == "-" else number, "C/h")
    for unit in ("A", "A/m^2"):
        try:
            return Current(parse(text, unit), unit)
        except BadQuantity as error:
            found = error.found if "without a unit" in error.found else quote(text)
    raise BadQuantity(found, _CURRENTS)


def _condition(value: object) -> Condition:
    text = _text(value, _CONDITIONAL)
    match = _CONDITION.fullmatch(text)
    if match is None or match[1] != match[3]:
        raise BadQuantity(quote(text), _CONDITIONAL)
    bars, symbol, _, sign, number = match.groups()
    try:
        bound = _bound(symbol, number)
    except BadQuantity as error:
        raise BadQuantity(f"{error.found} in {quote(text)}", error.expected) from None
    size = bound.value if isinstance(bound, Potential | Current) else bound
    if bars and (size < 0 or (size == 0 and sign == "<")):
        raise BadQuantity(quote(text), "a magnitude compared with more than 0")
    if bars and isinstance(bound, Potential) and bound.vs_ocp:
        raise BadQuantity(quote(text), "E without bars where it is compared with OCP")
    return Condition(symbol, bool(bars), sign, bound)  # type: ignore[arg-type]  (the pattern)


def _bound(symbol: str, text: str) -> Potential | Current | float:
    match symbol:
        case "E":
            return _potential(text)
        case "I":
            return _current(text)
        case "Q":
            return parse(text, "C")
        case _:
            return parse(text, "V/s")


CellPotential = Annotated[Potential, PotentialText("V")]
CellCurrent = Annotated[Current, CurrentText("A")]
PositiveCurrent = Annotated[Current, CurrentText("A", positive=True)]
EndCondition = Annotated[Condition, ConditionText("V")]
