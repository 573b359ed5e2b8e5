"""The keys of `echem`: what the potentiostat does. Programs are made of them by sicmctl.echem."""

from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, Field, model_validator

from sicmctl.config.fields import Count, NotEmpty
from sicmctl.config.problems import Fault

from .base import Area, Capacity, Conditions, Technique
from .basic import Ca, Cp, Cv, Eis, Hold, Lsv, OpenCircuit
from .battery import Gcpl, Gitt, Pitt, Steps
from .fields import Condition, Current, Potential, Size

_SETTINGS = tuple(Technique.model_fields)


class Sequence(Technique):
    """Techniques one after another, all of it again if wanted."""

    technique: Literal["sequence"] = Field(description="kind of technique")
    techniques: "Annotated[tuple[Echem, ...], NotEmpty]" = Field(
        description="tables of techniques, in order; a sequence may stand among them"
    )
    repeat: Count = Field(default=1, description="how often all of it is done")
    stop_if: Conditions = Field(
        default=(), description="conditions that end the whole programme, as a cut-off"
    )
    area: Area | None = Field(default=None, description="of the electrode, for all techniques")
    capacity: Capacity | None = Field(
        default=None, description="of the electrode, for all techniques"
    )

    @property
    def size(self) -> Size:
        """What is known of the electrode."""
        return Size(self.area, self.capacity)

    @model_validator(mode="before")
    @classmethod
    def _hand_down(cls, table: Any) -> Any:
        """Give the electrode's size to those that ask for it and have none of their own."""
        if not isinstance(table, dict) or not isinstance(table.get("techniques"), list | tuple):
            return table
        given = {key: table[key] for key in ("area", "capacity") if key in table}
        return {**table, "techniques": [_with(item, given) for item in table["techniques"]]}

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        for index, member in enumerate(self.techniques):
            set_there = [key for key in _SETTINGS if key in member.model_fields_set]
            if set_there:
                raise Fault(
                    "a setting of one technique in a sequence",
                    "it beside the sequence's own keys, for all",
                    *("techniques", index, set_there[0]),
                )
        for condition in self.stop_if:
            inner = condition.value
            if isinstance(inner, Current) and (lacking := inner.lacks(self.size)):
                raise Fault(f'"{inner}" without {lacking}', f"{lacking} beside it", "stop_if")
        _check_ocp(self)
        return self


Echem = Annotated[
    OpenCircuit | Hold | Lsv | Cv | Ca | Cp | Gcpl | Gitt | Pitt | Steps | Eis | Sequence,
    Field(discriminator="technique"),
]
Sequence.model_rebuild()


def _with(item: Any, given: dict[str, Any]) -> Any:
    """Return a table with what is given, as far as its technique has such keys."""
    if not isinstance(item, dict):
        return item
    keys = _keys(item.get("technique"))
    return {**{key: value for key, value in given.items() if key in keys}, **item}


def _keys(technique: Any) -> set[str]:
    for model in MODELS:
        if technique in _names(model):
            return set(model.model_fields)
    return set()


def _names(model: type[BaseModel]) -> tuple[str, ...]:
    return cast(Any, model.model_fields["technique"].annotation).__args__


MODELS = (OpenCircuit, Hold, Lsv, Cv, Ca, Cp, Gcpl, Gitt, Pitt, Steps, Eis, Sequence)


def _check_ocp(sequence: Sequence) -> None:
    """Raise Fault if a potential against OCP comes after a technique that changes it.

    OCP is what the cell has before the whole sequence: by then it would be wrong, and a hold at
    it a jolt.
    """
    passed = sequence.repeat > 1 and any(
        not isinstance(t, OpenCircuit) for t in sequence.techniques
    )
    for index, member in enumerate(sequence.techniques):
        if passed and needs_ocp(member):
            raise Fault(
                "a potential vs OCP after current has changed it",
                "a potential against the reference, or the technique in a [[step]] of its own",
                "techniques", index,
            )  # fmt: skip
        passed = passed or not isinstance(member, OpenCircuit)


def needs_ocp(echem: Any) -> bool:
    """Tell whether a technique's potentials can only be known at the cell."""
    if isinstance(echem, Sequence):
        return any(needs_ocp(member) for member in echem.techniques)
    if isinstance(echem, Hold | Eis) and echem.potential is None:
        return True
    return any(_relative(getattr(echem, key)) for key in type(echem).model_fields)


def _relative(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(_relative(item) for item in value)
    if isinstance(value, Condition):
        return _relative(value.value)
    return isinstance(value, Potential) and value.vs_ocp


__all__ = [
    "MODELS", "Ca", "Condition", "Cp", "Current", "Cv", "Echem", "Eis", "Gcpl", "Gitt", "Hold",
    "Lsv", "OpenCircuit", "Pitt", "Potential", "Sequence", "Size", "Steps", "needs_ocp",
]  # fmt: skip
