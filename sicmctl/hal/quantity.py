"""Units at the edge: text such as "30 nm/ms" becomes an SI float, and a float becomes text.

Fields of option models are annotated with the aliases below; inside the program everything is SI.
"""

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic_core import CoreSchema, core_schema

if TYPE_CHECKING:
    from pint import UnitRegistry


class BadQuantity(ValueError):
    """Text or a number that is no quantity of the wanted kind.

    found, expected: the two halves of the message.
    """

    def __init__(self, found: str, expected: str) -> None:
        self.found = found
        self.expected = expected
        super().__init__(f"found {found}; expected {expected}")


_TERM = r"(?:[^\W\d]+|%|°)(?:\s*(?:\^|\*\*)\s*-?\d|⁻?[¹²³])?"
_TEXT = re.compile(
    r"\s*(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    rf"\s*(?P<unit>{_TERM}(?:(?:\s*[*/·]\s*|\s+){_TERM})*)?\s*"
)  # one number and one product of units: text from a file is never computed
_LONGEST = 80  # characters


@cache
def _units() -> "UnitRegistry[Any]":
    from pint import UnitRegistry  # noqa: PLC0415  (slow to import, needed only at the edges)

    return UnitRegistry(cache_folder=None)


@cache
def _factor(text: str, unit: str) -> float | None:
    """Return what to multiply by to get from one unit to another, None if there is no way."""
    try:
        source = _units().Quantity(f"1 {text}")
        if ("radian" in str(source.to_base_units().units)) != (unit == "rad"):
            return None  # an angle is no fraction, and a fraction no angle
        return float(source.to(unit or "dimensionless").magnitude)
    except Exception:  # pint raises many kinds: unknown unit, wrong dimension, offset unit ...
        return None


_EXAMPLES = {
    "": '"2 %" or 0.02',
    "m": '"1.5 um"',
    "s": '"2 ms"',
    "Hz": '"50 kHz"',
    "V": '"0.7 V"',
    "A": '"1.2 nA"',
    "m/s": '"30 nm/ms"',
    "rad": '"3 deg"',
    "m/V": '"10 um/V"',
    "V/V": '"100 mV/V"',
    "V/A": '"1 V/nA"',
    "V/s": '"0.3 mV/s"',
    "C": '"1.2 mAh"',
    "m^2": '"0.5 cm^2"',
    "A/m^2": '"0.4 mA/cm^2"',
}


def example(unit: str) -> str:
    """Return how a quantity is written: `like "1.5 um"`."""
    return "like " + _EXAMPLES.get(unit, f'"1.5 {unit}"')


def parse(text: str, unit: str) -> float:
    """Return the quantity written in `text` as a float in `unit` ("" for a plain fraction).

    Raises BadQuantity, with what was found and what was expected, if the text is no quantity or its
    dimension is another.
    """
    wanted = f"a quantity {example(unit)}" if unit else f"a fraction {example(unit)}"
    match = _TEXT.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise BadQuantity(quote(text), wanted)
    number, found = float(match["number"]), match["unit"]
    if found is None:
        if unit:
            raise BadQuantity(f"{quote(text)} without a unit", wanted)
        return number
    factor = _factor(found, unit)
    if factor is None:
        what = f"convertible to {unit}" if unit else "a fraction"
        raise BadQuantity(f"{quote(text)}, which is not {what}", wanted)
    return float(f"{number * factor:.15g}")  # "5 um" is 5e-6, not 4.9999999999999996e-06


def quote(text: str) -> str:
    """Return text as it may stand in a one-line message: quoted, escaped and not too long."""
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
    escaped = "".join(c if c.isprintable() else repr(c)[1:-1] for c in short)
    return f'"{escaped}"'


_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"),
             (1e-12, "p"), (1e-15, "f"))  # fmt: skip


def show(value: float, unit: str, digits: int = 4) -> str:
    """Write an SI value for a person: show(3.2e-9, "A") == "3.2 nA"."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}".strip()
    scale, prefix = _prefix(value, unit)
    return f"{value / scale:.{digits}g} {prefix}{unit}".strip()


def _prefix(value: float, unit: str) -> tuple[float, str]:
    """Return the scale and the letter in which a value is best written."""
    if unit.startswith("m^"):
        return 1.0, ""  # the power would hold for the prefix too
    fitting = (pair for pair in _PREFIXES if abs(value) >= pair[0] * (1 - 1e-9))
    return next(fitting, _PREFIXES[-1])


def write(value: float, unit: str) -> str | float:
    """Write an SI value for a file, so that `parse` gives back the same: "5 um", "3 deg".

    A fraction stays a number.
    """
    if not unit:
        return value
    if unit == "rad":
        text, same = f"{math.degrees(value):.15g} deg", math.radians(math.degrees(value))
    else:
        text = show(value, unit, digits=15)
        same = float(text.split()[0]) * _prefix(value, unit)[0]
    return text if math.isclose(same, value, rel_tol=1e-15, abs_tol=0) else f"{value!r} {unit}"


@dataclass(frozen=True)
class Quantity:
    """Marks a float field that is written as text with a unit.

    A bare number is accepted only where `unit` is "" (fractions and counts).
    """

    unit: str
    low: float | None = None
    high: float | None = None
    positive: bool = False

    @property
    def kind(self) -> str:
        """What it is called in a manual."""
        return f"quantity, {self.unit}" if self.unit else "fraction"

    @property
    def wish(self) -> str:
        """What is asked for where it is missing."""
        return f"a {'quantity' if self.unit else 'fraction'} {example(self.unit)}"

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.validate,
            serialization=core_schema.plain_serializer_function_ser_schema(self.serialize),
        )

    def __get_pydantic_json_schema__(self, schema: object, handler: object) -> dict[str, object]:
        found = re.findall(r'"([^"]+)"', self.wish)
        text: dict[str, object] = {"type": "string", "examples": found}
        return text if self.unit else {"anyOf": [text, {"type": "number"}]}

    def validate(self, value: object) -> float | str:
        """Return the SI float for what stands in the file."""
        if isinstance(value, str):
            number = parse(value, self.unit)
        elif _is_number(value) and not self.unit:
            number = _float(value)
        elif _is_number(value):
            raise BadQuantity(
                f"{_float(value):g} without a unit", f"text with a unit, {example(self.unit)}"
            )
        else:
            raise BadQuantity(
                f"a {type(value).__name__}", f"text with a unit, {example(self.unit)}"
            )
        self._check_range(number, value)
        return number

    def serialize(self, value: Any) -> str | float:
        """Write the SI float back as it may stand in a file."""
        return write(value, self.unit)

    def _check_range(self, number: float, value: object) -> None:
        too_low = (self.low is not None and number < self.low) or (self.positive and number <= 0)
        too_high = self.high is not None and number > self.high
        if math.isfinite(number) and not too_low and not too_high:
            return
        wanted = []
        if self.positive:
            wanted.append("more than 0")
        elif self.low is not None:
            wanted.append(f"at least {self._text(self.low)}")
        if self.high is not None:
            wanted.append(f"at most {self._text(self.high)}")
        found = quote(value) if isinstance(value, str) else self._text(number)
        raise BadQuantity(found, " and ".join(wanted) or "a finite number")

    def _text(self, number: float) -> str:
        if self.unit == "rad":
            return f"{math.degrees(number):.4g} deg"
        return show(number, self.unit) if self.unit else f"{number:g}"


def _is_number(value: object) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)


def _float(value: object) -> float:
    """Return a number as a float; an integer beyond all floats becomes infinite."""
    try:
        return float(cast(float, value))
    except OverflowError:
        return math.inf


Metres = Annotated[float, Quantity("m")]
PositiveMetres = Annotated[float, Quantity("m", positive=True)]
Seconds = Annotated[float, Quantity("s", low=0)]
Hertz = Annotated[float, Quantity("Hz", positive=True)]
Volts = Annotated[float, Quantity("V")]
Amperes = Annotated[float, Quantity("A")]
Speed = Annotated[float, Quantity("m/s", positive=True)]
Radians = Annotated[float, Quantity("rad")]
MetresPerVolt = Annotated[float, Quantity("m/V")]
VoltsPerVolt = Annotated[float, Quantity("V/V")]
VoltsPerAmpere = Annotated[float, Quantity("V/A")]
Fraction = Annotated[float, Quantity("", low=0, high=1)]
