"""Kinds of fields that the files share."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints

from sicmctl.hal.quantity import BadQuantity, Quantity

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
