"""All settings that `*RST` puts back."""

from dataclasses import dataclass, field

from simulators.instruments.keithley.models import Function, Model

OTHER: dict[str, Function] = {"VOLT": "CURR", "CURR": "VOLT"}
"""What is limited when one of them is sourced."""


@dataclass
class Source:
    """Settings of one source function. V or A, s.

    limit: of the other quantity.
    """

    level: float
    range: float
    limit: float
    auto_range: bool = True
    delay: float = 0.0
    auto_delay: bool = True
    user_delays: list[float] = field(default_factory=lambda: [0.0] * 5)
    read_back: bool = True
    high_capacitance: bool = False
    off_mode: str = "NORM"
    points: list[float] = field(default_factory=list)
    """The list that a list sweep goes through."""


@dataclass
class Sense:
    """Settings of one measure function."""

    range: float
    auto_range: bool = True
    line_cycles: float = 1.0
    auto_zero: bool = True
    four_wire: bool = False
    averages: bool = False
    average_count: int = 10
    average_control: str = "REP"
    unit: str = ""


@dataclass
class Settings:
    """All of them."""

    sources: dict[str, Source]
    senses: dict[str, Sense]
    source_function: Function = "VOLT"
    sense_function: str = "CURR"
    count: int = 1
    output: bool = False
    protection: str = "NONE"
    interlock: bool = False
    terminals: str = "FRON"
    data_format: str = "ASC"
    precision: int = 0
    byte_order: str = "SWAP"

    @property
    def source(self) -> Source:
        """Of the active source function."""
        return self.sources[self.source_function]

    @property
    def sense(self) -> Sense:
        """Of the active measure function."""
        return self.senses[self.sense_function]


def defaults(model: Model) -> Settings:
    """The settings after `*RST`."""
    sources = {
        name: Source(0.0, model.quantity(name).ranges[0], model.quantity(OTHER[name]).default_limit)
        for name in ("VOLT", "CURR")
    }
    senses = {
        "VOLT": Sense(0.02 if model.name == "2450" else 0.2, unit="VOLT"),
        "CURR": Sense(1e-4, unit="AMP"),
        "RES": Sense(2e5, unit="OHM"),
    }
    return Settings(sources, senses)
