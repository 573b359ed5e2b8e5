"""What a virtual rig is made of: SIM.toml as validated models.

Quantities are text with a unit in the file and SI floats here. The defaults describe a
carbonate-electrolyte operando SICM after Takahashi et al., JACS Au 3, 1089 (2023); what that
paper leaves open is a free choice of this simulator.
"""

import math
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from simulators.cellconfig import CellConfig, GraphiteCell, PotentiostatConfig
from simulators.daqconfig import DaqConfig
from simulators.quantity import (
    Amplitude,
    Angle,
    Capacitance,
    Concentration,
    Conductivity,
    Current,
    CurrentAmplitude,
    Duration,
    FractionWalk,
    Frequency,
    Length,
    NoiseDensity,
    NonNegative,
    Number,
    Period,
    Positive,
    Potential,
    PotentialSpread,
    PotentialWalk,
    Quantity,
    Rate,
    Resistance,
    Share,
    Size,
    Speed,
    Temperature,
    Transimpedance,
)
from simulators.section import Section, keys_at

MODES = {"track": 4.0, "v-clamp": 6.0, "i=0": 3.0, "i-clamp normal": 2.0, "i-clamp fast": 1.0}
"""Axopatch 200B modes and their telegraph voltages."""

AXOPATCH_GAINS = tuple(a * 1e9 for a in (
    0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0
))  # fmt: skip
"""Gains (V/A) of an Axopatch 200B's scaled output, in the order of its telegraph."""

AXOPATCH_FILTERS = (1e3, 2e3, 5e3, 10e3, 100e3)
"""Bessel frequencies (Hz) of an Axopatch 200B, in the order of its telegraph."""

FEMTO_GAINS = tuple(10.0**n for n in range(3, 10))
"""Gains (V/A) of a FEMTO DLPCA-200, low-noise."""

SETTINGS: dict[str, Quantity | tuple[str, ...]] = {
    "amplifier.gain": Quantity("V/A", "1 mV/pA", above=0),
    "amplifier.filter": Quantity("Hz", "5 kHz", above=0),
    "amplifier.mode": tuple(MODES),
    "amplifier.offset": Quantity("A", "50 nA"),
    "pipette.break": Quantity("m", "1 um", above=0),
    "pipette.clog": Quantity("", "20 %", at_least=0, at_most=1),
    "pipette.dirt": Quantity("", "30 %", at_least=0, at_most=0.9),
    "pipette.bubble": ("on", "off"),
    "drift.reference": Quantity("1/s", "0.1 %/s"),
    "drift.x": Quantity("m/s", "1 nm/s"),
    "drift.y": Quantity("m/s", "1 nm/s"),
    "drift.z": Quantity("m/s", "1 nm/s"),
    "sample.offset": Quantity("m", "-10 um"),
    "host.reaction": Quantity("s", "3 ms", at_least=0),
}
"""What can be set while the world runs: the unit of a quantity, or the allowed words."""


def setting(name: str, value: object, units_required: bool = False) -> float | str:
    """`value` as the setting `name` takes it; ValueError names the allowed names or words."""
    if name not in SETTINGS:
        raise ValueError(f"no setting {name!r}; allowed: {', '.join(SETTINGS)}")
    kind = SETTINGS[name]
    if isinstance(kind, Quantity):
        return kind.read(value, units_required)
    if isinstance(value, bool):
        value = "on" if value else "off"
    word = str(value).lower()
    if word not in kind:
        raise ValueError(f"{name} cannot be {value!r}; allowed: {', '.join(kind)}")
    return word


class PipetteConfig(Section):
    """The nanopipette and the electrolyte it hangs in."""

    inner_radius: Size = 50e-9
    radius_ratio: Positive = 1.7
    """Outer over inner radius of the tip (RG)."""
    contact_ratio: Positive = 1.25
    """Where a rounded rim touches first, in inner radii."""
    half_cone_angle: Angle = math.radians(3.5)
    shank_radius: Size = 0.29e-3
    """Inner radius where the cone ends: the bore of 1.0/0.58 mm glass."""
    conductivity: Conductivity = 0.5
    """Of the electrolyte at the filling concentration."""
    concentration: Concentration = 1000.0
    bath_concentration: Concentration = 1000.0
    concentration_model: Literal["logmean", "power", "casteel"] = "logmean"
    concentration_exponent: Share = 0.5
    """Of the power model: I ~ c**beta."""
    rectification: Number = 0.02
    rectification_per_log: Number = 0.06
    """How the rectification grows with ln(filling / bath concentration)."""
    rectification_potential: PotentialSpread = 0.3
    series_resistance: Resistance = 1.0
    """Of the bath up to the reference electrode."""
    temperature: Temperature = 298.15
    medium: Literal["bath", "meniscus"] = "bath"
    """Whether the sample lies in electrolyte, or is dry but for a droplet at the tip."""
    meniscus_height: Size | None = None
    """How far the droplet reaches out of the tip; left out, the inner radius."""
    meniscus_stretch: Positive = 2.5
    """Gap at which a lifted droplet tears off, in heights of it."""
    contact_resistance: Resistance = 50e6
    """Of the wetted spot, in series with the tip."""
    leak_resistance: Resistance = 1e12
    """Between tip and sample while the sample is dry."""


class NoiseConfig(Section):
    """Noise and slow terms of the current; zero (or false) switches one off."""

    thermal: bool = True
    """Johnson noise of the pipette and of the feedback resistor."""
    shot: NonNegative = 0.3
    """Fano factor: share of 2qI."""
    flicker: NonNegative = 1e-10
    """Hooge-like A in A I**2 / f."""
    voltage: NoiseDensity = 0.35e-6
    """White potential noise across `capacitance`, which gives a current noise rising as f."""
    capacitance: Capacitance = 5e-12
    mains: CurrentAmplitude = 2e-12
    mains_harmonics: CurrentAmplitude = 0.5e-12
    """Amplitude of the third and of the fifth harmonic."""
    mains_frequency: Frequency = 50.0
    walk: FractionWalk = 1.290994448735806e-4  # 0.1 %/min**0.5
    """Random walk of the whole current."""
    settling: Number = 0.02
    """Share by which the current settles, exponentially, after the start."""
    settling_time: Period = 1200.0
    offset: PotentialSpread = 5e-3
    """Standard deviation of the electrodes' offset potential at the start."""
    offset_walk: PotentialWalk = 1.6666666666666667e-05  # 1 mV/hour**0.5
    clog_rate: Rate = 1 / 3600
    """Spontaneous partial clogs per second."""

    @classmethod
    def off(cls) -> Self:
        """No noise, no drift, no spontaneous clog."""
        return cls(
            thermal=False, shot=0, flicker=0, voltage=0, mains=0, mains_harmonics=0,
            walk=0, settling=0, offset=0, offset_walk=0, clog_rate=0,
        )  # fmt: skip


class AmplifierConfig(Section):
    """The current amplifier."""

    model: Literal["axopatch-200b", "femto-dlpca-200"] = "axopatch-200b"
    gain: Transimpedance = 1e9
    filter: Frequency = 5e3
    """-3 dB frequency of the 4-pole Bessel low-pass."""
    mode: Literal["track", "v-clamp", "i=0", "i-clamp normal", "i-clamp fast"] = "v-clamp"
    command_scale: Number = 0.1
    """Volts at the pipette per volt at the command input."""
    gain_error: Number = 0.005
    offset: Current = 1.5e-12
    """Input-referred."""
    feedback: Resistance = 500e6
    stray_capacitance: Capacitance = 1e-12
    """Left uncompensated: gives C dV/dt when the command moves."""
    whole_cell_capacitance: Capacitance = 0.0
    """Dialled in at the front panel; 0 is off. Seen on the capacitance telegraph only."""

    @model_validator(mode="after")
    def _steps(self) -> Self:
        self.check("gain", self.gain)
        self.check("filter", self.filter)
        return self

    def check(self, knob: Literal["gain", "filter"], value: float) -> float:
        """The step of a knob nearest to `value`; ValueError lists the steps if none is near."""
        steps, unit = {
            ("axopatch-200b", "gain"): (AXOPATCH_GAINS, "V/A"),
            ("axopatch-200b", "filter"): (AXOPATCH_FILTERS, "Hz"),
            ("femto-dlpca-200", "gain"): (FEMTO_GAINS, "V/A"),
        }.get((self.model, knob), ((value,), ""))
        nearest = min(steps, key=lambda step: abs(step - value))
        if abs(nearest / value - 1) > 1e-6:
            allowed = ", ".join(f"{step:g}" for step in steps)
            raise ValueError(
                f"{knob} of {self.model} cannot be {value:g}; allowed: {allowed} {unit}"
            )
        return nearest


class AxisConfig(Section):
    """One axis of the scanner."""

    range: Size
    low_voltage: Potential = -10.0
    """Command at position 0; above `high_voltage` for a stage that is wired the other way."""
    high_voltage: Potential = 10.0
    """Command at position `range`."""
    resonance: Frequency
    damping: Positive = 0.7
    sensor_noise: Amplitude = 0.5e-9
    sensor_delay: Duration = 20e-6
    """Time constant of the sensor's first-order low-pass, which also bounds its noise band."""
    hysteresis: Share = 0.0
    """Width of the loop over full stroke; 0 in closed loop."""
    creep: Share = 0.0
    """Per decade of time after a step; 0 in closed loop."""
    drift: Speed = 1e-9
    """Of the frame between stage and sample, at the start; its sign is drawn from the seed."""
    drift_final: Speed = 0.1e-9
    drift_decay: Period = 1800.0
    thermal: Amplitude = 5e-9
    """Peak-to-peak of the room temperature's slow swing."""
    thermal_period: Period = 1200.0
    vibration: Amplitude = 0.5e-9
    """rms, 10-200 Hz with lines at 25 and 50 Hz."""

    @model_validator(mode="after")
    def _voltages_differ(self) -> Self:
        if self.low_voltage == self.high_voltage:
            raise ValueError("low_voltage and high_voltage must differ")
        return self

    def ideal(self) -> Self:
        """The same axis without drift, vibration and sensor noise."""
        moving = ("drift", "drift_final", "thermal", "vibration", "sensor_noise")
        return self.model_copy(update=dict.fromkeys(moving, 0.0))


class _LateralAxis(AxisConfig):
    range: Size = 100e-6
    resonance: Frequency = 100.0


class _VerticalAxis(AxisConfig):
    range: Size = 38e-6
    resonance: Frequency = 2e3
    drift: Speed = 0.2e-9
    drift_final: Speed = 0.05e-9


class StageConfig(Section):
    """The three scanner axes; z counts upwards from the sample."""

    x: _LateralAxis = _LateralAxis()
    y: _LateralAxis = _LateralAxis()
    z: _VerticalAxis = _VerticalAxis()


class SampleConfig(Section):
    """What lies under the pipette. Fields left out take the value usual for the kind."""

    kind: Literal["flat", "tilted", "hopg", "grating", "graphite"] = "graphite"
    size: Size = 20e-6
    """Edge of the height map, which repeats beyond it."""
    points: int = Field(default=512, ge=16, le=4096)
    rq: Amplitude | None = None
    """Root-mean-square roughness about the mean plane (1.30 um graphite, 0.3 nm flat)."""
    tilt: Angle | None = None
    """Steepest slope of the mean plane (2 deg for `tilted`, otherwise 0)."""
    tilt_direction: Angle = 0.0
    """Azimuth in which the plane rises."""
    height: Length = 8e-6
    """Mean height in the z stage's range, at the middle of the x and y ranges."""
    permeability: Share | None = None
    """Conductivity of the sample over that of the electrolyte (0.08 graphite, otherwise 0)."""
    step: Size | None = None
    """Height of a step edge (10 nm HOPG) or of the bars (100 nm grating)."""
    pitch: Size = 3e-6
    wall: Angle = math.radians(54.7)
    """Of the grating; the default is an etched Si(111) wall."""
    seed: int | None = None
    """Of the surface; left out, the world's seed."""


class TruthConfig(Section):
    """Where the world writes down what really happened."""

    file: Path | None = None


class HostConfig(Section):
    """How a program's computer behaves in lockstep, where real time does not pass."""

    reaction: Duration = 1e-3
    """From a sample to the effect of a command that answers it."""
    jitter: Duration = 0.3e-3
    """Standard deviation of `reaction`."""
    call: Duration = 0.1e-3
    """Of any other call to the card."""


class ClockConfig(Section):
    """Whether world time follows the wall clock or the samples a client consumes."""

    mode: Literal["lockstep", "realtime"] = "lockstep"


class EventConfig(Section):
    """Something that happens at a given world time."""

    at: Duration
    set: str
    value: float | str

    @model_validator(mode="before")
    @classmethod
    def _read_value(cls, raw: Any, info: Any) -> Any:
        if not isinstance(raw, dict) or "set" not in raw or "value" not in raw:
            return raw
        units_required = bool((info.context or {}).get("units_required"))
        return raw | {"value": setting(str(raw["set"]), raw["value"], units_required)}


SCANNER = frozenset(("amplifier", "pipette", "sample", "stage"))
"""Tables that only a rig with a scanner has."""


class SimConfig(Section):
    """A whole virtual rig. `SimConfig()` is the default one: a scanner without a potentiostat."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    seed: int = 1
    scanner: bool = True
    """Whether there are pipette, stage and amplifier. Left out: not where there is a potentiostat
    and none of their tables."""
    pipette: PipetteConfig = PipetteConfig()
    noise: NoiseConfig = NoiseConfig()
    amplifier: AmplifierConfig = AmplifierConfig()
    stage: StageConfig = StageConfig()
    sample: SampleConfig = SampleConfig()
    truth: TruthConfig = TruthConfig()
    host: HostConfig = HostConfig()
    clock: ClockConfig = ClockConfig()
    daq: DaqConfig = DaqConfig()
    cell: CellConfig | None = None
    potentiostat: PotentiostatConfig | None = None
    event: tuple[EventConfig, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, raw: Any) -> Any:
        """A cell brings a potentiostat; a potentiostat may stand without a scanner."""
        if not isinstance(raw, dict):
            return raw
        if raw.get("cell") is not None and raw.get("potentiostat") is None:
            raw = raw | {"potentiostat": PotentiostatConfig()}
        if "scanner" in raw or raw.get("potentiostat") is None:
            return raw
        given = raw["potentiostat"]
        model = given.get("model") if isinstance(given, dict) else given.model
        tables = SCANNER if model == "analog" else SCANNER | {"daq"}
        return raw | {"scanner": bool(tables & raw.keys())}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self.scanner and self.potentiostat is None:
            raise ValueError("without scanner and [potentiostat] there is nothing in the rig")
        if self.potentiostat is not None and self.potentiostat.model == "generic":
            raise ValueError("a generic potentiostat speaks no protocol: choose another model")
        for terminal, signal in self.wiring.items():
            if terminal.startswith("ao") and int(terminal[2:]) >= self.daq.analog_outputs:
                raise ValueError(
                    f"{signal} is wired to {terminal}, but the card has {self.daq.analog_outputs} "
                    "analog outputs: set daq.analog_outputs or daq.wiring"
                )
        return self

    @property
    def analog(self) -> PotentiostatConfig | None:
        """The potentiostat, if it hangs on the card."""
        has = self.potentiostat is not None and self.potentiostat.model == "analog"
        return self.potentiostat if has else None

    @property
    def wiring(self) -> dict[str, str]:
        """Card terminal -> plant signal; empty if there is no card."""
        return self.daq.wired(self.scanner, self.analog is not None)

    @property
    def electrode(self) -> CellConfig:
        """What hangs on the potentiostat."""
        return self.cell or GraphiteCell()

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read SIM.toml; ValueError names file, line, key and what was expected there."""
        return cls.parse(Path(path).read_text(encoding="utf-8"), str(path))

    @classmethod
    def parse(cls, text: str, origin: str = "SIM.toml") -> Self:
        """As `load`, from the text of a file."""
        try:
            raw = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{origin}: {error}") from None
        try:
            return cls.model_validate(raw, context={"units_required": True})
        except ValidationError as error:
            raise ValueError(_explain(error, text, origin, cls)) from None

    def ideal_stage(self) -> Self:
        """The same rig on a stage without drift, vibration and sensor noise."""
        stage = self.stage
        still = StageConfig(x=stage.x.ideal(), y=stage.y.ideal(), z=stage.z.ideal())
        return self.model_copy(update={"stage": still})


def ideal_stage() -> StageConfig:
    """The default stage without drift, vibration and sensor noise."""
    return SimConfig().ideal_stage().stage


def _explain(error: ValidationError, text: str, origin: str, model: type[BaseModel]) -> str:
    lines: list[str] = []
    for problem in error.errors():
        path = tuple(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = f"unknown key; allowed: {', '.join(keys_at(model, path[:-1]))}"
        elif problem["type"] == "literal_error":
            message = f"{problem['input']!r} is not allowed; {message}"
        if path[:1] == ("cell",):  # its kind stands in the path, but not in the file
            path = path[:1] + path[2:]
        where = [f"{origin}:{_line_of(text, path)}", ".".join(path)] if path else [origin]
        lines.append(": ".join([*where, message]))
    return "\n".join(lines)


def _line_of(text: str, path: tuple[str, ...]) -> int:
    """Line of the longest leading part of `path` that the file spells out."""
    names = [part for part in path if not part.isdigit()]
    index = next((int(part) for part in path if part.isdigit()), 0)
    table, found, seen = [], 1, -1
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\[?\s*([^]]+?)\s*\]\]?", line):
            table = header[1].split(".")
            if line.lstrip().startswith("[[") and table == ["event"]:
                seen += 1
            here = table
        elif key := re.match(r"\s*([\w\"./-]+)\s*=", line):
            here = table + key[1].strip('"').split(".")
        else:
            continue
        right_event = "event" not in names or seen == index
        if here == names[: len(here)] and right_event:
            found = number
    return found
