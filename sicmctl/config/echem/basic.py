"""Techniques of a few steps: open circuit, holds, sweeps, jumps, spectra."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from sicmctl.config.fields import Count, NotEmpty
from sicmctl.config.problems import Fault
from sicmctl.hal.quantity import Hertz, Quantity, Seconds

from .base import Ending, Sized, Span, Stair, SweepRate, Technique, distance, fits, listed
from .fields import CellCurrent, CellPotential, Potential, Symbol

Potentials = Annotated[
    tuple[CellPotential, ...],
    NotEmpty,
    BeforeValidator(listed, json_schema_input_type=CellPotential | tuple[CellPotential, ...]),
]
Currents = Annotated[
    tuple[CellCurrent, ...],
    NotEmpty,
    BeforeValidator(listed, json_schema_input_type=CellCurrent | tuple[CellCurrent, ...]),
]
Spans = Annotated[
    tuple[Span, ...],
    NotEmpty,
    BeforeValidator(listed, json_schema_input_type=Span | tuple[Span, ...]),
]
OCP = Potential(0.0, vs_ocp=True)


class OpenCircuit(Ending):
    """No current; the potential is watched."""

    set_by_technique: ClassVar[tuple[Symbol, ...]] = ("I", "Q")

    technique: Literal["ocp", "rest"] = Field(description="kind of technique")
    duration: Span = Field(description="for how long at most")

    @model_validator(mode="after")
    def _has_samples(self) -> Self:
        fits(self.interval, self.duration, "interval")
        return self


class Hold(Ending, Sized):
    """One potential, held."""

    set_by_technique: ClassVar[tuple[Symbol, ...]] = ("E", "dE/dt")

    technique: Literal["hold"] = Field(description="kind of technique")
    potential: CellPotential | None = Field(
        default=None, description="which; default: the open-circuit potential"
    )
    duration: Span = Field(description="for how long at most")

    @model_validator(mode="after")
    def _has_samples(self) -> Self:
        fits(self.interval, self.duration, "interval")
        return self


class _Sweeping(Ending, Sized):
    """A technique of potential ramps."""

    set_by_technique: ClassVar[tuple[Symbol, ...]] = ("E", "dE/dt")

    start: CellPotential = Field(description="where the sweep begins")
    rate: SweepRate = Field(description="how fast the potential moves")
    step: Stair | None = Field(
        default=None,
        description="height of a stair, one sample each; default: 1 mV, "
        "up to 10 mV where that were more than 50 samples a second",
    )
    interval: Span | None = Field(default=None, description="between samples, instead of `step`")
    settle: Seconds = Field(default=0.0, description="time at `start` before the sweep")

    def _check_stairs(self, *corners: tuple[str, Potential]) -> None:
        """Raise Fault if a sweep between two of the corners has no length, or no two stairs."""
        if self.step is not None and self.interval is not None:
            raise Fault("step beside it", "either step or interval", "interval")
        stair = self.step or self.rate * (self.interval or 0.0)
        before = self.start
        for key, corner in corners:
            length = distance(before, corner)
            if length == 0:
                raise Fault("the same potential again", "another one: the sweep has no length", key)
            if length is not None and stair > length:
                at = "step" if self.step is not None else "interval"
                raise Fault("a stair higher than the sweep", "a smaller one", at)
            before = corner


class Lsv(_Sweeping):
    """Linear sweep voltammetry: one ramp."""

    technique: Literal["lsv"] = Field(description="kind of technique")
    stop: CellPotential = Field(description="where the sweep ends")

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        self._check_stairs(("stop", self.stop))
        return self


class Cv(_Sweeping):
    """Cyclic voltammetry: from the start to one or two vertices and back, again and again."""

    technique: Literal["cv"] = Field(description="kind of technique")
    vertex: CellPotential | None = Field(default=None, description="where the sweep turns")
    vertices: tuple[CellPotential, CellPotential] | None = Field(
        default=None, description="where it turns first and second, instead of `vertex`"
    )
    cycles: Count = Field(default=1, description="how often")

    @model_validator(mode="after")
    def _turns(self) -> Self:
        if (self.vertex is None) == (self.vertices is None):
            neither = self.vertex is None
            raise Fault(
                "neither of both" if neither else "vertex beside it",
                "vertex or vertices" if neither else "either vertex or vertices",
                *(() if neither else ("vertices",)),
            )
        key = "vertex" if self.vertex is not None else "vertices"
        self._check_stairs(*((key, corner) for corner in self.corners))
        return self

    @property
    def corners(self) -> tuple[Potential, ...]:
        """Where it turns."""
        return (self.vertex,) if self.vertex is not None else self.vertices or ()


class Ca(Ending, Sized):
    """Chronoamperometry: one potential after another."""

    set_by_technique: ClassVar[tuple[Symbol, ...]] = ("E", "dE/dt")

    technique: Literal["ca"] = Field(description="kind of technique")
    potential: Potentials = Field(description="one, or an array that is stepped through")
    duration: Spans = Field(description="at each potential; one for all, or an array")
    repeat: Count = Field(default=1, description="how often all of it is done")

    @model_validator(mode="after")
    def _matches(self) -> Self:
        check_durations(self.duration, len(self.potential), "potential", self.interval)
        return self


class Cp(Ending, Sized):
    """Chronopotentiometry: one current after another."""

    set_by_technique: ClassVar[tuple[Symbol, ...]] = ("I",)

    technique: Literal["cp", "cc"] = Field(description="kind of technique")
    current: Currents = Field(
        description="one, or an array that is stepped through; anodic: over 0"
    )
    duration: Spans = Field(description="at most at each current; one for all, or an array")
    repeat: Count = Field(default=1, description="how often all of it is done")

    @model_validator(mode="after")
    def _matches(self) -> Self:
        check_durations(self.duration, len(self.current), "current", self.interval)
        return self


class Eis(Technique):
    """Electrochemical impedance spectroscopy about a held potential."""

    technique: Literal["eis"] = Field(description="kind of technique")
    potential: CellPotential | None = Field(
        default=None, description="which; default: the open-circuit potential"
    )
    amplitude: Annotated[float, Quantity("V", positive=True, high=1.0)] = Field(
        default=0.01, description="of the sine, from its middle to its peak"
    )
    high: Hertz | None = Field(default=None, description="highest frequency, measured first")
    low: Hertz | None = Field(default=None, description="lowest frequency, measured last")
    per_decade: Count = Field(default=10, description="frequencies in each decade")
    frequencies: Annotated[tuple[Hertz, ...], NotEmpty] | None = Field(
        default=None, description="in the order of measurement, instead of `high` and `low`"
    )
    settle: Seconds = Field(default=0.0, description="time at the potential before the spectrum")

    @model_validator(mode="after")
    def _has_frequencies(self) -> Self:
        if self.frequencies is not None:
            if self.high is not None or self.low is not None:
                raise Fault(
                    "high or low beside it", "either frequencies, or high and low", "frequencies"
                )
            return self
        if self.high is None or self.low is None:
            raise Fault("neither of both", "high and low, or frequencies")
        if self.low > self.high:
            raise Fault("more than high", "a frequency at or below it", "low")
        return self


def check_durations(
    durations: tuple[float, ...], count: int, what: str, interval: float | None
) -> None:
    """Raise Fault unless there is one duration for all, or one for each."""
    if len(durations) not in (1, count):
        raise Fault(
            f"{len(durations)} elements",
            f"one for all, or one for each {what} ({count})",
            "duration",
        )
    fits(interval, min(durations), "interval")
