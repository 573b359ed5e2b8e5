"""Quantities written as text with a unit ("50 nm", "3.5 deg", "2 um/s"), kept as SI floats."""

from functools import cache
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@cache
def _registry() -> Any:
    import pint  # noqa: PLC0415  slow, and needed only where text is read

    return pint.UnitRegistry()


def parse(text: str, unit: str) -> float:
    """The magnitude of `text` in `unit`; ValueError says what is wrong with it."""
    import pint  # noqa: PLC0415

    try:
        value = _registry().Quantity(text)
        return float(value.to(unit).magnitude)
    except pint.DimensionalityError:
        wanted = "a plain number or a percentage" if unit == "" else f"something in {unit}"
        raise ValueError(f"{text!r} has the wrong unit: expected {wanted}") from None
    except Exception:
        # pint's parser raises half a dozen unrelated types on malformed text
        raise ValueError(f"{text!r} is not a quantity") from None


class Quantity:
    """Annotation of a float field: accepts text with a unit, or a float already in SI.

    A file must state its units: validated with `context={"units_required": True}`, a bare number
    is refused unless the quantity is dimensionless.
    """

    def __init__(
        self,
        unit: str,
        example: str,
        *,
        at_least: float | None = None,
        above: float | None = None,
        at_most: float | None = None,
    ) -> None:
        self.unit, self.example = unit, example
        self.at_least, self.above, self.at_most = at_least, above, at_most

    def read(self, value: object, units_required: bool = False) -> float:
        """`value` as an SI float; ValueError names what was expected."""
        if isinstance(value, str):
            try:
                number = parse(value, self.unit)
            except ValueError as error:
                raise ValueError(f'{error}; write it like "{self.example}"') from None
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f'{value!r} is not a quantity; write it like "{self.example}"')
        elif units_required and self.unit:
            raise ValueError(f'{value!r} has no unit; write it like "{self.example}"')
        else:
            number = float(value)
        self._check(number)
        return number

    def _check(self, number: float) -> None:
        unit = f" {self.unit}" if self.unit else ""
        if not abs(number) < float("inf"):
            raise ValueError(f"{number} is not finite")
        if self.above is not None and not number > self.above:
            raise ValueError(f"{number:g}{unit} must be above {self.above:g}{unit}")
        if self.at_least is not None and not number >= self.at_least:
            raise ValueError(f"{number:g}{unit} must be at least {self.at_least:g}{unit}")
        if self.at_most is not None and not number <= self.at_most:
            raise ValueError(f"{number:g}{unit} must be at most {self.at_most:g}{unit}")

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def validate(value: object, info: ValidationInfo) -> float:
            try:
                return self.read(value, bool((info.context or {}).get("units_required")))
            except ValueError as error:
                raise PydanticCustomError("quantity", "{why}", {"why": str(error)}) from None

        return core_schema.with_info_plain_validator_function(
            validate, serialization=core_schema.plain_serializer_function_ser_schema(float)
        )


Length = Annotated[float, Quantity("m", "50 nm")]
Size = Annotated[float, Quantity("m", "50 nm", above=0)]
Amplitude = Annotated[float, Quantity("m", "0.5 nm", at_least=0)]
Angle = Annotated[float, Quantity("rad", "3.5 deg")]
Speed = Annotated[float, Quantity("m/s", "0.2 nm/s")]
Duration = Annotated[float, Quantity("s", "1 ms", at_least=0)]
Period = Annotated[float, Quantity("s", "20 min", above=0)]
Frequency = Annotated[float, Quantity("Hz", "5 kHz", above=0)]
Rate = Annotated[float, Quantity("1/s", "1 / hour", at_least=0)]
Potential = Annotated[float, Quantity("V", "5 mV")]
PotentialSpread = Annotated[float, Quantity("V", "5 mV", at_least=0)]
Current = Annotated[float, Quantity("A", "2 pA")]
CurrentAmplitude = Annotated[float, Quantity("A", "2 pA", at_least=0)]
Resistance = Annotated[float, Quantity("ohm", "500 Mohm", above=0)]
Capacitance = Annotated[float, Quantity("F", "5 pF", at_least=0)]
Conductivity = Annotated[float, Quantity("S/m", "0.5 S/m", above=0)]
Concentration = Annotated[float, Quantity("mol/m**3", "1 mol/l", above=0)]
Temperature = Annotated[float, Quantity("K", "298.15 K", above=0)]
Transimpedance = Annotated[float, Quantity("V/A", "1 mV/pA", above=0)]
NoiseDensity = Annotated[float, Quantity("V/Hz**0.5", "0.35 uV/Hz**0.5", at_least=0)]
PotentialWalk = Annotated[float, Quantity("V/s**0.5", "1 mV/hour**0.5", at_least=0)]
FractionWalk = Annotated[float, Quantity("1/s**0.5", "0.1 %/min**0.5", at_least=0)]
Number = Annotated[float, Quantity("", "0.3")]
Share = Annotated[float, Quantity("", "5 %", at_least=0, at_most=1)]
Positive = Annotated[float, Quantity("", "1.7", above=0)]
NonNegative = Annotated[float, Quantity("", "0.3", at_least=0)]
