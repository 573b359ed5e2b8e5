"""What the written rig.toml states of the virtual rig."""

import tomllib

import pytest

from simulators.config import SimConfig
from simulators.rigfile import rig_toml


@pytest.mark.parametrize(
    ("gain", "band"), [("1e7 V/A", 20e3), ("1e8 V/A", 7e3), ("1e9 V/A", 1.2e3)]
)
def test_a_femto_is_no_faster_than_its_gain_allows(gain: str, band: float) -> None:
    amplifier = {"model": "femto-dlpca-200", "filter": "20 kHz", "gain": gain}
    config = SimConfig.model_validate({"schema": 1, "amplifier": amplifier})
    table = tomllib.loads(rig_toml(config))["amplifier"]
    assert float(table["bandwidth"].removesuffix(" Hz")) == pytest.approx(band)
