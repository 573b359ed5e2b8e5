"""The `[daq]` table of SIM.toml: the card, and which plant signal each of its terminals carries."""

from typing import Self

from pydantic import Field, model_validator

from simulators.section import Section

INPUTS = ("amplifier.command", "stage.x", "stage.y", "stage.z")
"""Analog inputs of the scanner, in the column order of its `Plant.run`'s drive."""

OUTPUTS = (
    "amplifier.output",
    "stage.x.sensor",
    "stage.y.sensor",
    "stage.z.sensor",
    "amplifier.gain_telegraph",
    "amplifier.filter_telegraph",
    "amplifier.mode_telegraph",
    "amplifier.capacitance_telegraph",
    "amplifier.overload",
)
"""Analog outputs of the scanner, in the column order of what `Plant.run` returns."""

LINES = ("amplifier.gain.0", "amplifier.gain.1", "amplifier.gain.2", "amplifier.low_noise")
"""Digital inputs of the scanner (a FEMTO amplifier's remote lines; an Axopatch has none)."""

CELL_INPUTS = ("potentiostat.command",)
CELL_OUTPUTS = ("potentiostat.potential", "potentiostat.current")
CELL_LINES = ("potentiostat.cell",)
"""Likewise of an analog potentiostat: external input, monitors, cell switch (high is on)."""

SIGNALS = INPUTS + CELL_INPUTS + OUTPUTS + CELL_OUTPUTS + LINES + CELL_LINES

SCANNER_WIRING = {
    "ai0": "amplifier.output",
    "ai1": "stage.z.sensor",
    "ai2": "stage.x.sensor",
    "ai3": "stage.y.sensor",
    "ai4": "amplifier.gain_telegraph",
    "ai5": "amplifier.filter_telegraph",
    "ai6": "amplifier.mode_telegraph",
    "ai7": "amplifier.overload",
    "APFI0": "amplifier.output",
    "ao0": "amplifier.command",
    "ao1": "stage.x",
    "ao2": "stage.y",
    "ao3": "stage.z",
    "port0/line0": "amplifier.gain.0",
    "port0/line1": "amplifier.gain.1",
    "port0/line2": "amplifier.gain.2",
}

CELL_WIRING = {
    "ai16": "potentiostat.potential",
    "ai17": "potentiostat.current",
    "port0/line7": "potentiostat.cell",
}
"""Of an analog potentiostat; its external input takes the first analog output that is free."""


class DaqConfig(Section):
    """The virtual data-acquisition card and its server."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    """0 takes a free one."""
    device: str = "Dev1"
    model: str = "PCIe-6363"
    analog_outputs: int = Field(default=4, ge=1, le=32)
    """How many it has; a scanner and an analog potentiostat together need five."""
    wiring: dict[str, str] | None = None
    """Card terminal -> plant signal. Left out, the usual wiring of what the rig has."""

    @model_validator(mode="after")
    def _wired_to_something(self) -> Self:
        wiring = self.wiring or {}
        for terminal, signal in wiring.items():
            if signal not in SIGNALS:
                raise ValueError(
                    f"wiring.{terminal}: no plant signal {signal!r}; allowed: {', '.join(SIGNALS)}"
                )
        driven = [s for s in wiring.values() if s in INPUTS + CELL_INPUTS]
        for signal in driven:
            if driven.count(signal) > 1:
                raise ValueError(f"wiring: {signal} is driven by more than one terminal")
        return self

    def wired(self, scanner: bool, analog_potentiostat: bool) -> dict[str, str]:
        """The wiring as given, or the usual one of a rig that has these parts."""
        if self.wiring is not None:
            return self.wiring
        usual = dict(SCANNER_WIRING) if scanner else {}
        if analog_potentiostat:
            command = "ao4" if scanner else "ao0"
            usual |= CELL_WIRING | {command: "potentiostat.command"}
        return usual
