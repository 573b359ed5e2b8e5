"""Units at the edge: text such as "30 nm/ms" becomes an SI float, and a float becomes text.

Fields of option models are annotated with the aliases below; inside the program everything is SI.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic_core import CoreSchema, core_schema

if TYPE_CHECKING:
    from pint import UnitRegistry


@cache
def _units() -> "UnitRegistry[Any]":
    from pint import UnitRegistry  # noqa: PLC0415  (slow to import, needed only at the edges)

    registry: UnitRegistry[Any] = UnitRegistry(cache_folder=None)
    registry.define("percent = 0.01 = %") if "percent" not in registry else None
    return registry


def parse(text: str, unit: str) -> float:
    """Return the quantity written in `text` as a float in `unit` ("" for a plain fraction).

    Raises ValueError, with what was found and what was expected, if the text is no quantity or its
    dimension is another.
    """
    example = f'like "1.5 {unit}"' if unit else 'like "2 %" or "0.02"'
    import pint  # noqa: PLC0415

    try:
        found = _units().Quantity(text)
        if unit and found.dimensionless and str(found.units) == "dimensionless":
            raise ValueError(f'found "{text}" without a unit; expected a quantity {example}')
        return float(found.to(unit or "dimensionless").magnitude)
    except pint.DimensionalityError:
        raise ValueError(
            f'found "{text}", which is not convertible to {unit or "a fraction"}; '
            f"expected a quantity {example}"
        ) from None
    except (pint.UndefinedUnitError, AttributeError, TypeError, AssertionError) as error:
        raise ValueError(f'found "{text}" ({error}); expected a quantity {example}') from None
    except Exception as error:
        if isinstance(error, ValueError) and "expected a quantity" in str(error):
            raise
        raise ValueError(f'found "{text}"; expected a quantity {example}') from None


_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"),
             (1e-12, "p"), (1e-15, "f"))  # fmt: skip


def show(value: float, unit: str, digits: int = 4) -> str:
    """Write an SI value for a person: show(3.2e-9, "A") == "3.2 nA"."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}".strip()
    scale, prefix = next(
        (pair for pair in _PREFIXES if abs(value) >= pair[0] * (1 - 1e-9)), _PREFIXES[-1]
    )
    return f"{value / scale:.{digits}g} {prefix}{unit}"


@dataclass(frozen=True)
class Quantity:
    """Marks a float field that is written as text with a unit.

    A bare number is accepted only where `unit` is "" (fractions and counts).
    """

    unit: str
    low: float | None = None
    high: float | None = None
    positive: bool = False

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.validate,
            serialization=core_schema.plain_serializer_function_ser_schema(self.serialize),
        )

    def __get_pydantic_json_schema__(self, schema: object, handler: object) -> dict[str, object]:
        kind: dict[str, object] = {
            "type": "string",
            "description": f"a quantity in {self.unit or 'per cent'}",
        }
        return kind if self.unit else {"anyOf": [kind, {"type": "number"}]}

    def validate(self, value: object) -> float:
        """Return the SI float for what stands in the file."""
        if isinstance(value, str):
            number = parse(value, self.unit)
        elif isinstance(value, float | int) and not isinstance(value, bool) and not self.unit:
            number = float(value)
        else:
            raise ValueError(
                f"found {value!r}; expected text with a unit, "
                + (f'like "1.5 {self.unit}"' if self.unit else 'like "2 %"')
            )
        self._check_range(number)
        return number

    def serialize(self, value: float) -> str:
        """Write the SI float back as text with its unit."""
        return f"{value!r} {self.unit}".strip()

    def _check_range(self, number: float) -> None:
        too_low = (self.low is not None and number < self.low) or (self.positive and number <= 0)
        too_high = self.high is not None and number > self.high
        if math.isnan(number) or too_low or too_high:
            low = "more than 0" if self.positive else f"at least {self._text(self.low)}"
            high = f"at most {self._text(self.high)}"
            wanted = [
                w
                for w, given in ((low, self.positive or self.low is not None),
                                 (high, self.high is not None))
                if given
            ]  # fmt: skip
            found = self._text(number)
            raise ValueError(f"found {found}; expected {' and '.join(wanted) or 'a number'}")

    def _text(self, number: float | None) -> str:
        if number is None:
            return ""
        return show(number, self.unit) if self.unit else f"{number:g}"


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
