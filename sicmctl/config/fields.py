"""Kinds of fields that the files share."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints

from sicmctl.hal.quantity import BadQuantity, Quantity, example, write

from .problems import Fault

Auto = Literal["auto"]


@dataclass(frozen=True)
class OrAuto(Quantity):
    """A quantity, or the word "auto": the program chooses."""

    def validate(self, value: object) -> float | str:
        """Return the SI float, or the word."""
        if value == "auto":
            return "auto"
        try:
            return super().validate(value)
        except BadQuantity as error:
            raise BadQuantity(error.found, f'{error.expected}, or "auto"') from None

    def serialize(self, value: Any) -> str | float:
        """Write it as it stands in the file."""
        return "auto" if value == "auto" else super().serialize(value)

    def __get_pydantic_json_schema__(self, schema: object, handler: object) -> dict[str, object]:
        return {"anyOf": [{"const": "auto"}, super().__get_pydantic_json_schema__(schema, handler)]}


@dataclass(frozen=True)
class Range(Quantity):
    """Marks a field that holds a range: a pair of quantities, or one that holds either way."""

    @property
    def kind(self) -> str:
        return f"pair of quantities, {self.unit}, or one for both signs"

    @property
    def wish(self) -> str:
        low = example(self.unit).removeprefix("like ")
        return f'a pair of quantities like ["-1 {self.unit}", {low}], or one that holds either way'

    def validate(self, value: object) -> Any:
        """Return (low, high), SI."""
        if not isinstance(value, list | tuple):
            limit = abs(float(super().validate(value)))
            if not limit:
                raise BadQuantity(self._text(limit), "more than 0")
            return -limit, limit
        if len(value) != 2:
            raise BadQuantity(f"{len(value)} elements", self.wish)
        low, high = (float(super(Range, self).validate(end)) for end in value)
        if low >= high:
            found = f"{self._text(low)} and {self._text(high)}"
            raise BadQuantity(found, "the lower end first, and a range that is not empty")
        return low, high

    def serialize(self, value: Any) -> Any:
        """Write it as it may stand in a file."""
        return [write(end, self.unit) for end in value] if value else value

    def __get_pydantic_json_schema__(self, schema: object, handler: object) -> dict[str, object]:
        text = super().__get_pydantic_json_schema__(schema, handler)
        return {"anyOf": [{"type": "array", "items": text, "minItems": 2, "maxItems": 2}, text]}


class Strictly(BaseModel):
    """Base of the models: no key passes that is not known, and nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _not_empty(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise Fault("an empty array", "at least one element")
    return values


NotEmpty = AfterValidator(_not_empty)
"""Unlike `min_length`, it counts elements only once each of them is valid."""
Count = Annotated[int, Strict(), Field(ge=1, le=1_000_000)]
Pixels = Annotated[int, Strict(), Field(ge=1, le=4096)]
Switch = Annotated[bool, Strict()]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Setpoint = Annotated[float | Auto, OrAuto("", low=0.0005, high=0.5)]
"""Fractional drop of the pipette current, 0.05 % to 50 %."""
Schema = Literal[1]
