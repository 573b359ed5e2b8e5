"""The keys of `hop` and `prescan`: how the tip approaches at each point."""

from math import radians
from typing import Annotated, Literal, Self

from pydantic import Field, Strict, model_validator

from sicmctl.hal.quantity import PositiveMetres, Quantity

from .fields import Auto, OrAuto, Pixels, Setpoint, Strictly
from .problems import Fault

_OF_MODE = {
    "setpoint": ("drop", "modulated"),
    "level": ("absolute",),
    "threshold": ("onset",),
    "meniscus": ("onset",),
    "modulation_frequency": ("modulated",),
    "modulation_amplitude": ("modulated",),
    "modulated_by": ("modulated",),
    "phase_shift": ("modulated",),
}
"""Keys that mean something in some modes only."""


class Hop(Strictly):
    """One approach and retract."""

    amplitude: Annotated[float, Quantity("m", low=10e-9, high=1e-3)] = Field(
        default=5e-6, description="how far above the last surface the approach starts"
    )
    fall_rate: Annotated[float | Auto, OrAuto("m/s", positive=True, high=1e-2)] = Field(
        default="auto",
        description="speed of the approach; auto: the fastest that is safe on this rig",
    )
    mode: Literal["drop", "absolute", "onset", "modulated"] = Field(
        default="drop",
        description="what means surface: a fractional drop from the current at the top of the hop, "
        "a current below a level, the onset of a current at a dry sample, or a change of the "
        "alternating current under a bias that is modulated",
    )
    setpoint: Setpoint = Field(
        default=0.02,
        description="drop that means surface, of the current or, in mode `modulated`, of the "
        "amplitude of the alternating current; auto: from the noise",
    )
    modulation_frequency: Annotated[float, Quantity("Hz", low=20, high=100e3)] = Field(
        default=1e3,
        description="frequency of the bias (mode `modulated`): a whole number of samples a period",
    )
    modulation_amplitude: Annotated[float, Quantity("V", low=1e-3, high=5)] = Field(
        default=50e-3, description="amplitude of the bias (mode `modulated`)"
    )
    modulated_by: Literal["amplitude", "phase"] = Field(
        default="amplitude",
        description="what of the alternating current means surface (mode `modulated`): a drop of "
        "its amplitude by `setpoint`, or a turn of its phase by `phase_shift`",
    )
    phase_shift: Annotated[float | Auto, OrAuto("rad", positive=True, high=radians(45))] = Field(
        default="auto",
        description="turn of the phase, from that at the top of the hop, that means surface "
        '(`modulated_by = "phase"`); auto: from the noise',
    )
    level: Annotated[float, Quantity("A", positive=True)] | None = Field(
        default=None,
        description="current, without sign, below which the surface is met (mode `absolute`)",
    )
    threshold: Annotated[float | Auto, OrAuto("A", positive=True)] = Field(
        default="auto",
        description="rise of the current that means contact (mode `onset`); auto: six standard "
        "deviations of the noise",
    )
    meniscus: PositiveMetres | None = Field(
        default=None,
        description="height of the meniscus at the tip (mode `onset`); default: its inner radius",
    )
    engine: Literal["auto", "streamed", "comparator"] = Field(
        default="auto", description="what stops the ramp; auto: the comparator if one is wired"
    )
    adaptive: Annotated[bool, Strict()] = Field(
        default=False,
        description="start as low and fall as fast as what was measured around allows; "
        "the amplitude is then the most, and half of it the least, that a hop starts above it",
    )
    reference_time: Annotated[float, Quantity("s", low=100e-6, high=10)] = Field(
        default=2e-3,
        description="time over which the reference current is averaged before the ramp",
    )
    dwell: Annotated[float, Quantity("s", low=0, high=3600)] = Field(
        default=0.0, description="time spent at the surface before the retract"
    )
    floor_margin: PositiveMetres | None = Field(
        default=None,
        description="how far below the last surface the ramp may run; default: 2 um, in mode "
        "`onset` four heights of the meniscus",
    )
    retries: Annotated[int, Strict(), Field(ge=0, le=100)] = Field(
        default=1, description="further attempts after a hop that did not find the surface"
    )
    height: Literal["fit", "crossing", "stop"] = Field(
        default="fit",
        description="how height is taken from the approach: fit of the curve, "
        "delay-corrected crossing of the setpoint, or z at the stop",
    )
    debounce: Annotated[int, Strict(), Field(ge=1, le=1000)] = Field(
        default=1,
        description="consecutive samples beyond the setpoint that stop the ramp (streamed)",
    )

    @model_validator(mode="after")
    def _fits_its_mode(self) -> Self:
        for key, modes in _OF_MODE.items():
            if self.mode not in modes and self._given(key):
                wanted = " or ".join(f'"{mode}"' for mode in modes)
                raise Fault(f'mode "{self.mode}" beside it', f"{key} only with mode {wanted}", key)
        for key, by in (("setpoint", "amplitude"), ("phase_shift", "phase")):
            if self.mode == "modulated" and by != self.modulated_by and self._given(key):
                found = f'modulated_by "{self.modulated_by}" beside it'
                raise Fault(found, f'{key} only with modulated_by "{by}"', key)
        if self.mode == "absolute" and self.level is None:
            raise Fault("no level", 'level = "3.1 nA" or the like beside mode "absolute"', "mode")
        if self.mode in ("onset", "modulated") and self.adaptive:
            raise Fault(f'mode "{self.mode}" beside it', "hops that are not adaptive", "adaptive")
        if self.mode == "modulated" and self.engine == "comparator":
            expected = 'engine "auto" or "streamed": a comparator sees the current itself, not how '
            raise Fault('mode "modulated" beside it', f"{expected}it swings", "engine")
        return self

    def _given(self, key: str) -> bool:
        """Whether a key was changed: a model written out whole names every key."""
        return getattr(self, key) != type(self).model_fields[key].default


class Prescan(Strictly):
    """A coarse raster first, which tells heights and slopes."""

    pixels: Pixels = Field(default=8, description="pixels along each side")
    amplitude: PositiveMetres | None = Field(
        default=None,
        description="hop amplitude of the coarse raster; default: twice that of the scan",
    )
