"""A rig of fake drivers, and a way to write a file and read what is wrong with it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from sicmctl.config import ConfigError, load_experiment, load_rig
from sicmctl.hal.quantity import Hertz, PositiveMetres, VoltsPerVolt

RIG = """\
schema = 1
[daq]
driver = "card"
sample_rate = "50 kHz"
[daq.inputs]
pipette_current = "ai0"
z_sensor = "ai1"
[daq.comparator]
pipette_current = "APFI0"
[amplifier]
driver = "amp"
command = "ao0"
[piezo]
driver = "stage"
[piezo.z]
output = "ao1"
sensor = "z_sensor"
range = "25 um"
[bias]
target = "0.7 V"
"""


class Card:
    class Options(BaseModel, extra="forbid"):
        sample_rate: Hertz = 50e3
        inputs: dict[str, str]
        comparator: dict[str, str] = Field(default_factory=dict)


class Amp:
    class Options(BaseModel, extra="forbid"):
        command: str = "ao0"
        command_scale: VoltsPerVolt = 0.1


class AxisOptions(BaseModel, extra="forbid"):
    output: str
    sensor: str
    range: PositiveMetres = Field(description="travel")


class Stage:
    class Options(BaseModel, extra="forbid"):
        z: AxisOptions


class Pstat:
    class Options(BaseModel, extra="forbid"):
        resource: str


class AnalogPstat:
    needs_daq = True

    class Options(BaseModel, extra="forbid"):
        command: str = "ao0"


class Broken:
    """A driver without options."""


DRIVERS: dict[str, type] = {
    "card": Card, "amp": Amp, "stage": Stage, "broken": Broken,
    "pstat": Pstat, "analog": AnalogPstat,
}  # fmt: skip


@pytest.fixture
def drivers() -> dict[str, type]:
    return DRIVERS


@pytest.fixture
def rig_text() -> str:
    return RIG


@pytest.fixture
def rig_says(tmp_path: Path) -> Callable[[str], list[str]]:
    """Return what is wrong with the text of a rig.toml, line by line."""

    def says(text: str) -> list[str]:
        path = tmp_path / "rig.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_rig(path, DRIVERS)
        return str(caught.value).split("\n")

    return says


@pytest.fixture
def run_says(tmp_path: Path) -> Callable[[str], list[str]]:
    """Return what is wrong with the text of an experiment.toml, line by line."""

    def says(text: str) -> list[str]:
        path = tmp_path / "run.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_experiment(path)
        return str(caught.value).split("\n")

    return says
