"""Techniques of the battery laboratory: cycling, titrations, steps of potential."""

from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sicmctl.config.fields import Count, Switch
from sicmctl.config.problems import Fault
from sicmctl.hal.quantity import Seconds

from .base import Conditions, Ending, Sized, Span, Stair, Watching, distance, fits
from .fields import CellCurrent, CellPotential, PositiveCurrent, Potential, Symbol

_MOST_STEPS = 10_000


class Gcpl(Ending, Sized):
    """Galvanostatic cycling with potential limits: charge to the upper, discharge to the lower.

    Charge is the anodic current, under which the potential rises.
    """

    set_by_technique: ClassVar[tuple[Symbol, ...]] = ("I",)

    technique: Literal["gcpl"] = Field(description="kind of technique")
    current: PositiveCurrent = Field(description="of charge and discharge")
    discharge_current: PositiveCurrent | None = Field(
        default=None, description="of discharge, where it is another"
    )
    lower: CellPotential = Field(description="where discharge ends")
    upper: CellPotential = Field(description="where charge ends")
    first: Literal["charge", "discharge"] = Field(default="charge", description="what comes first")
    cycles: Count = Field(default=1, description="how many charges and discharges")
    rest: Seconds = Field(default=0.0, description="at open circuit after each of them")
    upper_hold: Span | None = Field(
        default=None, description="longest hold at `upper` after charge; default: none"
    )
    lower_hold: Span | None = Field(
        default=None, description="longest hold at `lower` after discharge; default: none"
    )
    hold_current: PositiveCurrent | None = Field(
        default=None, description="magnitude of the current at which a hold ends"
    )
    time_limit: Span | None = Field(
        default=None,
        description="longest charge or discharge; default: twice what `capacity` takes",
    )

    @model_validator(mode="after")
    def _has_a_window(self) -> Self:
        below(self.lower, self.upper)
        if self.time_limit is None and self.capacity is None:
            raise Fault(
                "neither time_limit nor capacity: a charge might never end",
                "one of them",
                "time_limit",
            )
        if self.hold_current is not None and self.upper_hold is None and self.lower_hold is None:
            raise Fault("no hold that it could end", "upper_hold or lower_hold", "hold_current")
        return self

    @model_validator(mode="after")
    def _has_samples(self) -> Self:
        for span in (self.time_limit, self.upper_hold, self.lower_hold, self.rest or None):
            if span is not None:
                fits(self.interval, span, "interval")
        return self


class Gitt(Watching, Sized):
    """Galvanostatic intermittent titration: rest, pulse, rest, pulse ... rest."""

    technique: Literal["gitt"] = Field(description="kind of technique")
    current: CellCurrent = Field(description="of the pulses; anodic: over 0")
    on: Span = Field(description="how long a pulse lasts")
    rest: Span = Field(description="at open circuit before each pulse and after the last")
    count: Count = Field(description="how many pulses at most, in each direction")
    lower: CellPotential | None = Field(
        default=None, description="a cathodic pulse that reaches it is the last of its direction"
    )
    upper: CellPotential | None = Field(
        default=None, description="an anodic pulse that reaches it is the last of its direction"
    )
    rest_until: Conditions = Field(
        default=(), description='conditions, each of which ends a rest early: "|dE/dt| < 1 mV/h"'
    )
    back: Switch = Field(default=False, description="whether opposite pulses follow, as many")

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.lower is not None and self.upper is not None:
            below(self.lower, self.upper)
        if any(condition.symbol in ("I", "Q") for condition in self.rest_until):
            raise Fault("a current, where there is none", "a condition on E or dE/dt", "rest_until")
        fits(self.interval, min(self.on, self.rest), "interval")
        return self


class _Staircase(Ending, Sized):
    """A technique of potential steps, each held."""

    set_by_technique: ClassVar[tuple[Symbol, ...]] = ("E", "dE/dt")

    duration: Span = Field(description="at each potential, at most")
    rest: Seconds = Field(default=0.0, description="at open circuit after each potential")

    def check_steps(self, corners: tuple[Potential, ...], step: float | None, key: str) -> None:
        """Raise Fault if there is no way from one corner to the next."""
        fits(self.interval, min(self.duration, self.rest or self.duration), "interval")
        total = 0.0
        for before, corner in pairwise(corners):
            length = distance(before, corner)
            if length == 0:
                raise Fault("the same potential again", "another one", key)
            total += length or 0.0
        if step is not None and total / step > _MOST_STEPS:
            raise Fault("more than 10000 potentials", "a larger step", "step")


class Pitt(_Staircase):
    """Potentiostatic intermittent titration: small steps of potential."""

    technique: Literal["pitt"] = Field(description="kind of technique")
    start: CellPotential = Field(description="first potential")
    stop: CellPotential = Field(description="last potential")
    step: Stair = Field(description="from one potential to the next; the last may be smaller")
    back: Switch = Field(default=False, description="whether it then goes back to `start`")

    @property
    def corners(self) -> tuple[Potential, ...]:
        """Where the staircase begins, turns and ends."""
        return (self.start, self.stop, *((self.start,) if self.back else ()))

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        self.check_steps(self.corners, self.step, "stop")
        return self


class Steps(_Staircase):
    """Potentials one by one, or by equal steps from each to the next."""

    technique: Literal["steps"] = Field(description="kind of technique")
    potentials: Annotated[tuple[CellPotential, ...], Field(min_length=2)] = Field(
        description="which, in order; with `step`: where the staircase begins, turns and ends"
    )
    step: Stair | None = Field(
        default=None,
        description="from one potential to the next; before a turn it may be smaller",
    )

    @property
    def corners(self) -> tuple[Potential, ...]:
        """Where the staircase begins, turns and ends."""
        return self.potentials

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        self.check_steps(self.corners, self.step, "potentials")
        return self


def below(lower: Potential, upper: Potential) -> None:
    """Raise Fault if a window of potentials is empty."""
    if distance(lower, upper) is not None and lower.value >= upper.value:
        raise Fault("at or below lower", "a potential above it", "upper")
