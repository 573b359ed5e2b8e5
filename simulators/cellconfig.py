"""The `[cell]` and `[potentiostat]` tables of SIM.toml.

A cell is one of five kinds; each kind has its own keys. Quantities are text with a unit in the
file and SI floats here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from simulators.quantity import (
    Duration,
    Frequency,
    Number,
    Period,
    Positive,
    Potential,
    PotentialSpread,
    Quantity,
    Resistance,
    Share,
    Size,
    Temperature,
)
from simulators.section import Section

Area = Annotated[float, Quantity("m**2", "0.5 cm**2", above=0)]
Charge = Annotated[float, Quantity("C", "0.19 mAh", above=0)]
FullScale = Annotated[float, Quantity("A", "10 mA", above=0)]
CurrentDensity = Annotated[float, Quantity("A/m**2", "6 mA/cm**2", above=0)]
AreaResistance = Annotated[float, Quantity("ohm*m**2", "0.6 ohm*cm**2", at_least=0)]
AreaCapacitance = Annotated[float, Quantity("F/m**2", "1.3 mF/cm**2", above=0)]
Diffusivity = Annotated[float, Quantity("m**2/s", "6e-14 m**2/s", above=0)]
Elastance = Annotated[float, Quantity("ohm/s**0.5", "50 ohm/s**0.5", at_least=0)]
ScanRate = Annotated[float, Quantity("V/s", "50 mV/s", above=0)]
SeriesResistance = Annotated[float, Quantity("ohm", "40 ohm", at_least=0)]
SomeCapacitance = Annotated[float, Quantity("F", "20 uF", above=0)]
Window = Annotated[float, Quantity("V", "0.8 V", above=0)]


class ResistorCell(Section):
    """A dummy cell: one resistor between working and reference electrode."""

    kind: Literal["resistor"] = "resistor"
    resistance: Resistance = 1e3


class RcCell(Section):
    """A dummy cell: a resistor parallel to a capacitor, behind a series resistor."""

    kind: Literal["rc"] = "rc"
    series_resistance: Resistance = 100.0
    resistance: Resistance = 1e3
    capacitance: SomeCapacitance = 20e-6
    potential: Potential = 0.0
    """Of the capacitor at the start."""


class RandlesCell(Section):
    """A redox couple at a flat electrode, linearised: Randles' circuit."""

    kind: Literal["randles"] = "randles"
    series_resistance: Resistance = 100.0
    charge_transfer: Resistance = 1e3
    capacitance: SomeCapacitance = 20e-6
    warburg: Elastance = 200.0
    """The coefficient sigma in Z_W = sigma (1 - i) / sqrt(omega); 0 leaves diffusion out."""
    fastest: Frequency = 1e5
    """The ladder that stands for diffusion is accurate up to here ..."""
    slowest: Frequency = 1e-3
    """... and down to here; below it ends in a resistor, like a layer of finite thickness."""
    potential: Potential = 0.0
    """Rest potential."""


_PRESETS = {
    "full": {"charge": "2.75 C", "compensation": "98.75 %"},
    "printed": {"charge": "6.41 C", "compensation": "98.75 %"},
}


class GraphiteCell(Section):
    """A composite graphite electrode against lithium, reduced to one particle.

    Presets: "paper" is what the operando scans of Takahashi et al., JACS Au 3, 1089 (2023) saw of
    theirs, a quarter of the capacity that coating has by thickness and density; "full" is all of
    it; "printed" is the loading of 10.2 mg/cm2 given there.
    """

    kind: Literal["graphite"] = "graphite"
    preset: Literal["paper", "full", "printed"] = "paper"
    area: Area = 0.5e-4
    charge: Charge = 0.687
    """Accessible capacity."""
    series_resistance: SeriesResistance = 160.0
    """True, uncompensated: between the electrode and the reference."""
    compensation: Share = 0.75
    """Share of it that the potentiostat compensates."""
    solution_resistance: SeriesResistance = 144.0
    """Of the electrolyte between electrode and reference: a part of `series_resistance`."""
    exchange_current: CurrentDensity = 60.0
    film_resistance: AreaResistance = 0.6e-4
    double_layer: AreaCapacitance = 13.0
    particle_radius: Size = 4e-6
    diffusivity: Diffusivity = 6e-14
    """Scale of D(x) = D (0.15 + exp(-6 x))."""
    smallest_width: Positive = 0.3
    """Of the stages' insertion peaks: a heterogeneous electrode smears the sharp ones."""
    hysteresis: PotentialSpread = 4e-3
    """Half the gap between the rest potentials of lithiation and delithiation."""
    sei_charge: Share = 0.03
    """What a complete film takes, as a share of `charge`; 0 leaves it out."""
    sei_time: Period = 900.0
    sei_reopening: Share = 0.35
    """Share of the film that contraction through the full capacity opens again."""
    start: Share = 0.0
    """Stoichiometry at the start; never quite 0 nor 1."""
    potential: Potential = 1.7
    """Electrode potential at the start of an empty electrode."""
    temperature: Temperature = 298.15
    full_charge: Charge | None = None
    """Charge that counts as SOC 100 % for the swelling; left out, `charge`."""

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        return _PRESETS.get(str(raw.get("preset", "paper")), {}) | raw

    @model_validator(mode="after")
    def _solution_is_a_part(self) -> Self:
        if self.solution_resistance > self.series_resistance:
            raise ValueError(
                f"solution_resistance ({self.solution_resistance:g} ohm) is a part of "
                f"series_resistance ({self.series_resistance:g} ohm) and cannot exceed it"
            )
        return self


class NcmCell(Section):
    """A layered porous electrode: Zhan et al.'s nano-circuitry model.

    The spaces between layers are slits (capacitors); corners (resistors whose value depends on
    the charge behind them) join them in a ladder. gamma = 0 is the transmission line.
    """

    kind: Literal["ncm"] = "ncm"
    layers: int = Field(default=20, ge=2, le=500)
    corner: Resistance = 5.0
    slit: SomeCapacitance = 11e-3
    """The default makes 50 mV/s as hard on the ladder as 4 mV/us are on 0.07 uF slits."""
    open_resistance: Resistance | None = None
    """From the electrolyte into the first slit; left out, `corner`."""
    open_capacitance: SomeCapacitance | None = None
    """Of the open space before the first slit; left out, a tenth of `slit`."""
    gamma: Annotated[float, Quantity("", "0.5", at_least=-0.9, at_most=0.9)] = 0.5
    floor: Share = 0.02
    """A corner's resistance never falls below this share of `corner`."""
    norm: Literal["per-slit", "global", "fixed-point"] = "per-slit"
    """What a corner follows. "per-slit": the charge its slit would have in the transmission line,
    over the most it has there; "global": its slit's own charge, over that of a slit filled by
    the whole window; "fixed-point": its slit's own charge, over the most it has."""
    window: Window = 0.8
    rate: ScanRate = 0.05
    """Of the electrode potential, in the sweep through the window that finds the most charge."""
    potential: Potential = 0.0
    """Potential of zero charge, at which the cell starts."""


CellConfig = Annotated[
    ResistorCell | RcCell | RandlesCell | GraphiteCell | NcmCell, Field(discriminator="kind")
]
"""`[cell]`: `kind` chooses which keys there are."""


@dataclass(frozen=True)
class Model:
    """A potentiostat's analog front end as its maker describes it.

    ranges: full scales, A, ascending. reach: V the working electrode can be set to, either way.
    compliance: V the counter electrode can be driven to.
    """

    ranges: tuple[float, ...]
    reach: float
    compliance: float


def _decades(first: int, last: int) -> tuple[float, ...]:
    return tuple(float(f"1e{n}") for n in range(first, last + 1))


MODELS = {
    "generic": Model(_decades(-8, -1), 10.0, 10.0),
    "emstat4-lr": Model(_decades(-9, -2), 3.0, 5.0),
    "emstat4-hr": Model(_decades(-7, -1), 6.0, 8.0),
    "emstat-pico": Model(
        (1e-7, 2e-6, 4e-6, 8e-6, 16e-6, 32e-6, 63e-6, 125e-6, 250e-6, 500e-6, 1e-3, 5e-3), 2.0, 2.5
    ),
    "keithley-2450": Model(_decades(-8, 0), 21.0, 21.0),
    "keithley-2460": Model((*_decades(-6, 0), 4.0, 5.0, 7.0), 21.0, 21.0),
    "keithley-2461": Model((*_decades(-6, 0), 4.0, 5.0, 7.0, 10.0), 21.0, 21.0),
    "rodeostat": Model((1e-6, 1e-5, 1e-4, 1e-3), 10.0, 12.0),
    "analog": Model(_decades(-8, -1), 10.0, 10.0),
}
"""Ranges and limits by model: public figures, rounded."""


class FaultConfig(Section):
    """Something that goes wrong with the instrument or its cable, once."""

    kind: Literal["garbage", "truncate", "silence", "unplug", "reboot", "overload", "slow"]
    """A spoilt reply; half a reply; no reply; a closed connection, which comes back after
    `duration`; a restart with the settings lost; a current beyond the range; late replies."""
    at: Duration | None = None
    """Time on the potentiostat's clock ..."""
    after: int | None = Field(default=None, ge=0)
    """... or number of data packages (replies, for an instrument that sends none) before it."""
    duration: Duration = 1.0
    """For how long, where that means something; of `slow`: how late each reply is."""

    @model_validator(mode="after")
    def _one_moment(self) -> Self:
        if (self.at is None) == (self.after is None):
            raise ValueError('a fault takes one of at = "10 s" and after = 100')
        return self


class AnalogConfig(Section):
    """The panel of an analog potentiostat, which hangs on the data-acquisition card."""

    control: Literal["potential", "current"] = "potential"
    """What the external input sets."""
    current_range: FullScale = 1e-3
    """As its knob stands: 1 V at the current monitor, or at the external input for currents."""
    command_scale: Number = 1.0
    """Volts of the cell per volt at the external input; negative if it inverts."""
    potential_scale: Number = 1.0
    """Volts at the potential monitor per volt of the cell."""
    current_scale: Number = 1.0
    """Volts at the current monitor per full scale; -1 shows cathodic currents as positive."""
    filter: Frequency = 200.0
    """-3 dB frequency of the first-order filter behind both monitors. Much above a tenth of the
    card's sample rate, the current of each stair of a waveform is not seen whole."""
    monitor_limit: Window = 10.0
    """Voltage at which the monitors clip."""


class PotentiostatConfig(Section):
    """The virtual potentiostat: what it is, where it listens, how good its front end is."""

    model: Literal[
        "generic",
        "emstat4-lr",
        "emstat4-hr",
        "emstat-pico",
        "keithley-2450",
        "keithley-2460",
        "keithley-2461",
        "rodeostat",
        "analog",
    ] = "emstat4-lr"
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    """TCP; 0 takes a free one."""
    pty: Path | None = None
    """Where to put a link to a pseudo-terminal; left out, there is none."""
    serial_number: str = "VIRTUAL001"
    working_on: Literal["HI", "LO"] = "HI"
    """Terminal of a source-measure unit that the working electrode is on."""
    clock: Literal["laboratory", "free"] = "laboratory"
    """With the rest of the rig, or on its own and as fast as the machine allows."""
    faults: tuple[FaultConfig, ...] = ()

    ranges: tuple[FullScale, ...] = ()
    """Full scales of the current; left out, those of the model. The instrument's own protocol says
    which of them a client can ask for."""
    compliance: Window | None = None
    """Greatest voltage of the counter electrode; left out, that of the model."""
    counter_resistance: SeriesResistance = 100.0
    """Of the electrolyte between reference and counter electrode: takes its part of it."""
    bandwidth: Frequency = 20e3
    """-3 dB frequency of the control loop."""
    measurement_bandwidth: Frequency = 10e3
    """-3 dB frequency of the measurement, unless the client chooses one."""
    current_noise: Share = 3e-5
    """rms of one reading, as a share of full scale."""
    potential_noise: PotentialSpread = 20e-6
    """rms of one reading."""
    potential_step: PotentialSpread = 76.3e-6
    """Of the converter (+-2.5 V in 16 bits); 0 switches quantisation off."""
    current_bits: int = Field(default=16, ge=0, le=32)
    """Of the converter over +- full scale; 0 switches quantisation off."""
    noise_bandwidth: Frequency = 10e3
    """At which the noise figures hold."""
    gain_error: Number = 0.0
    """Of the measured current."""
    offset: Potential = 0.0
    """Of the measured potential."""

    analog: AnalogConfig = AnalogConfig()

    @field_validator("ranges")
    @classmethod
    def _ascending(cls, ranges: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(ranges))

    @property
    def hardware(self) -> Model:
        """The model's front end, with what this configuration says otherwise."""
        model = MODELS[self.model]
        return Model(self.ranges or model.ranges, model.reach, self.compliance or model.compliance)

    @classmethod
    def ideal(cls) -> Self:
        """A front end without noise, quantisation and offsets."""
        return cls(
            model="generic", current_noise=0, potential_noise=0, potential_step=0, current_bits=0
        )
