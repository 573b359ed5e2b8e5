"""experiment.toml: what is to be done, step by step."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from .echem import Echem
from .fields import NotEmpty, Schema, Strictly, Text
from .problems import Fault
from .scan import Scan

SCHEMA = 1


class Step(Strictly):
    """A scan, an electrochemical technique, or both side by side."""

    title: Text | None = Field(default=None, description="name of the step")
    scan: Scan | None = Field(default=None, description="what the tip does")
    echem: Echem | None = Field(default=None, description="what the potentiostat does")

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.scan is None and self.echem is None:
            raise Fault("an empty step", "scan, echem, or both")
        return self


class Experiment(Strictly):
    """The whole of experiment.toml."""

    schema_: Schema = Field(alias="schema", description="version of this format")
    title: Text = Field(description="what the run is called")
    operator: Text | None = Field(default=None, description="who runs it")
    sample: Text | None = Field(default=None, description="what is examined")
    step: Annotated[tuple[Step, ...], NotEmpty] = Field(description="the steps, in order")

    @model_validator(mode="after")
    def _steps_make_sense(self) -> Self:
        for index, step in enumerate(self.step):
            endless = step.scan is not None and step.scan.endless
            if endless and step.echem is None:
                raise Fault(
                    "neither of both and no echem to follow", "repeats or duration",
                    "step", index, "scan",
                )  # fmt: skip
        return self
