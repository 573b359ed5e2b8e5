"""rig.toml: which instruments there are and what is wired where."""

from collections.abc import Mapping
from math import radians
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sicmctl.hal.quantity import PositiveMetres, Quantity, Speed, Volts

from .fields import Auto, OrAuto, Range, Schema, Strictly, Text

SCHEMA = 1
DRIVEN = ("daq", "amplifier", "piezo", "potentiostat")
"""Sections with a `driver` key, whose other keys are the driver's business."""
MICROSCOPE = ("daq", "amplifier", "piezo", "bias")
"""Sections that a microscope needs, all of them; a potentiostat alone needs none."""


class Driven(BaseModel):
    """A section that names a driver; the driver validates the other keys."""

    model_config = ConfigDict(extra="allow", frozen=True)

    driver: Text = Field(description="which driver runs the instrument")

    @property
    def table(self) -> Mapping[str, Any]:
        """The other keys as they stand in the file."""
        return self.model_extra or {}


class Daq(Driven):
    """The data-acquisition card; its sample clock is the time of the run."""

    inputs: dict[str, Text] = Field(description="role = analog input channel")
    comparator: dict[str, Text] = Field(
        default_factory=dict, description="role = analog-trigger terminal wired to the same signal"
    )

    @property
    def table(self) -> Mapping[str, Any]:
        """The other keys as they stand in the file; `comparator` only if it is there."""
        given = self.model_dump(include=self.model_fields_set - {"driver"})
        return {**given, **(self.model_extra or {})}


class Amplifier(Driven):
    """The amplifier of the pipette current, which also biases the pipette."""


class Piezo(Driven):
    """The scanner that moves the pipette against the sample."""


class Potentiostat(Driven):
    """The instrument that controls the sample's potential."""


class Pipette(Strictly):
    """The glass nanopipette."""

    inner_radius: Annotated[float, Quantity("m", low=1e-9, high=50e-6)] = Field(
        default=50e-9, description="inner radius of the opening"
    )
    radius_ratio: Annotated[float, Quantity("", low=1.01, high=20)] = Field(
        default=2.0, description="outer radius over inner radius at the opening"
    )
    half_angle: Annotated[float, Quantity("rad", low=radians(0.1), high=radians(45))] = Field(
        default=radians(3), description="inner half cone angle"
    )


class Bias(Strictly):
    """The potential of the electrode in the pipette."""

    target: Volts = Field(description="pipette against the shared reference")
    topology: Literal["ground-we", "floating-re", "ground-re"] = Field(
        default="ground-we",
        description="what the potentiostat ties to ground: its working electrode, "
        "nothing (its reference floats), or its reference",
    )


class Safety(Strictly):
    """What is done when a run stops for any reason, and what is never done."""

    retract: PositiveMetres = Field(default=5e-6, description="how far the tip is pulled back")
    cell_rest: Literal["hold", "ocp", "off"] = Field(
        default="ocp", description="state in which the cell is left"
    )
    cell_potential: Annotated[tuple[float, float], Range("V")] | None = Field(
        default=None,
        description="potentials that are allowed; a cell that leaves them is let go of at once",
    )
    cell_current: Annotated[tuple[float, float], Range("A")] | None = Field(
        default=None,
        description="currents that are allowed; a cell that leaves them is let go of at once",
    )
    on_cell_fault: Literal["stop", "continue"] = Field(
        default="stop",
        description="what becomes of the run when the potentiostat fails during a step: "
        "it ends, or goes on with the next step if the cell could be brought to rest",
    )
    max_fall_rate: Speed | None = Field(
        default=None,
        description="fastest approach ever allowed; default: only the reaction time limits it",
    )
    touch_drop: Annotated[float, Quantity("", low=0.01, high=0.95)] = Field(
        default=0.3, description="drop of the current at which tip and sample are taken to have met"
    )
    reference_jump: Annotated[float, Quantity("", low=0.01, high=1)] = Field(
        default=0.1,
        description="change of the reference current from hop to hop that is no drift: "
        "the tip is clogged, broken, or near something",
    )


class Site(Strictly):
    """Where the rig stands."""

    mains: Annotated[float, Quantity("Hz", low=40, high=70)] = Field(
        default=50.0, description="frequency of the mains, whose hum is taken out of the current"
    )


class Host(Strictly):
    """The computer that watches the approach."""

    reaction: Annotated[float | Auto, OrAuto("s", positive=True, high=1.0)] = Field(
        default="auto",
        description="its longest time to stop a ramp; auto: measured when the rig is opened",
    )


class Rig(Strictly):
    """The whole of rig.toml."""

    schema_: Schema = Field(alias="schema", description="version of this format")
    title: Text | None = Field(default=None, description="name of the rig")
    daq: Daq | None = Field(default=None, description="data-acquisition card")
    amplifier: Amplifier | None = Field(
        default=None, description="amplifier of the pipette current"
    )
    piezo: Piezo | None = Field(default=None, description="scanner")
    potentiostat: Potentiostat | None = Field(
        default=None, description="potentiostat, if there is one"
    )
    pipette: Pipette = Field(default_factory=Pipette, description="nanopipette")
    bias: Bias | None = Field(default=None, description="potential of the pipette")
    safety: Safety = Field(default_factory=Safety, description="safe state and limits")
    site: Site = Field(default_factory=Site, description="where the rig stands")
    host: Host = Field(default_factory=Host, description="computer")
