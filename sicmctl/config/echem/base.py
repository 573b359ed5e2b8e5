"""What techniques share: how the instrument is set, what ends a step, how often it is sampled."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from sicmctl.config.fields import Auto, OrAuto, Strictly
from sicmctl.config.problems import Fault
from sicmctl.hal.quantity import Quantity

from .fields import Condition, Current, EndCondition, Potential, Size, Symbol

Span = Annotated[float, Quantity("s", positive=True)]
"""A time that is not zero, s."""
SweepRate = Annotated[float, Quantity("V/s", positive=True)]
Stair = Annotated[float, Quantity("V", positive=True)]
Area = Annotated[float, Quantity("m^2", positive=True)]
Capacity = Annotated[float, Quantity("C", positive=True)]


def listed(value: Any) -> Any:
    """Let one value stand for an array of one."""
    return value if isinstance(value, list | tuple) else (value,)


Conditions = Annotated[
    tuple[EndCondition, ...],
    BeforeValidator(listed, json_schema_input_type=EndCondition | tuple[EndCondition, ...]),
]


class Technique(Strictly):
    """What all techniques share."""

    after: Literal["ocp", "hold", "off"] = Field(
        default="ocp", description="state in which the cell is left when the technique has ended"
    )
    current_range: Annotated[float | Auto, OrAuto("A", positive=True)] = Field(
        default="auto", description="full scale of the current; auto: the instrument chooses"
    )
    bandwidth: Annotated[float | Auto, OrAuto("Hz", positive=True)] = Field(
        default="auto", description="of control and measurement; auto: the driver chooses"
    )


class Watching(Technique):
    """A technique whose steps can be ended early."""

    set_by_technique: ClassVar[tuple[Symbol, ...]] = ()
    """Quantities that it sets itself: no sense in waiting for them."""

    stop_if: Conditions = Field(
        default=(), description="conditions that end the whole programme, as a cut-off"
    )
    interval: Span | None = Field(
        default=None,
        description="between samples; default: a thousandth of the step, 20 ms to 1 s "
        "(a twenty-thousandth where a current lasts until a potential)",
    )


class Ending(Watching):
    """A technique with end conditions."""

    until: Conditions = Field(default=(), description="conditions, each of which ends a step early")

    @model_validator(mode="after")
    def _waits_for_something(self) -> Self:
        for condition in self.until:
            if condition.symbol in self.set_by_technique:
                can = [s for s in ("E", "I", "Q", "dE/dt") if s not in self.set_by_technique]
                raise Fault(
                    f'"{condition}", which the technique itself sets',
                    f"a condition on {' or '.join(can)}",
                    "until",
                )
        return self


class Sized(Technique):
    """A technique whose currents may be given per area or as C-rates."""

    area: Area | None = Field(default=None, description="of the electrode, for currents per area")
    capacity: Capacity | None = Field(
        default=None, description="of the electrode, for C-rates: at 1 C it passes within an hour"
    )

    @property
    def size(self) -> Size:
        """What is known of the electrode."""
        return Size(self.area, self.capacity)

    @model_validator(mode="after")
    def _knows_its_currents(self) -> Self:
        for key, current in self._currents():
            if lacking := current.lacks(self.size):
                text = {"area": '"0.5 cm^2"', "capacity": '"1.2 mAh"'}[lacking]
                raise Fault(f'"{current}" without {lacking}', f"{lacking} = {text} beside it", key)
        return self

    def _currents(self) -> Iterator[tuple[str, Current]]:
        for key in type(self).model_fields:
            value = getattr(self, key)
            for item in value if isinstance(value, tuple) else (value,):
                inner = item.value if isinstance(item, Condition) else item
                if isinstance(inner, Current):
                    yield key, inner


def fits(interval: float | None, duration: float, *at: str) -> None:
    """Raise Fault if a step is over before its second sample."""
    if interval is not None and interval > duration:
        raise Fault("longer than the step that it samples", "a shorter interval", *at)


def distance(a: Potential, b: Potential) -> float | None:
    """Return how far apart two potentials are, V; None if that is not known before the run."""
    return abs(a.value - b.value) if a.vs_ocp == b.vs_ocp else None
