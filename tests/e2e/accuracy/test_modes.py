"""Heights over a flat sample in the other modes of the setpoint, against the truth."""

from collections.abc import Callable

import numpy as np
import pytest

from simulators.world.pipette import Pipette

from .conftest import IDEAL, Measured

Measure = Callable[[str, str], Measured]

FLAT = '[sample]\nkind = "flat"\n'
STEADY = '[noise]\noffset = "0 V"\nwalk = "0 1/s**0.5"\nsettling = 0\nclog_rate = "0 1/s"\n'
"""No drift, so that the level lies at one gap for the whole run."""


@pytest.mark.parametrize(("engine", "speed", "hops"), [("comparator", 25, 60), ("streamed", 9, 15)])
def test_height_of_a_level(measure: Measure, engine: str, speed: int, hops: int):
    """The truth is where the noise-free current, as the amplifier shows it, is at the level."""
    level = 3.23e-9
    found = measure(
        FLAT + IDEAL + STEADY,
        f'pattern = "point"\nrepeats = {hops}\n'
        f'hop = {{ mode = "absolute", level = "{level} A", amplitude = "2 um", '
        f'fall_rate = "{speed} nm/ms", engine = "{engine}" }}',
    )
    config = found.truth.config
    far = float(Pipette.new(config.pipette).current(1e-3, 0.7))
    amplifier = config.amplifier
    drop = 1 - (level / (1 + amplifier.gain_error) - amplifier.offset) / far
    surface = found.truth.setpoint_height
    true = found.true + surface(found.x, found.y, drop)
    true -= surface(found.x, found.y, found.setpoint)
    assert found.status.count("ok") >= hops - 2
    error = found.column_of("height_fit") - true
    assert abs(np.nanmean(error)) < 0.5e-9
    assert np.nanstd(error) < 0.6e-9
    crossing = found.column_of("height_crossing") - true
    assert abs(np.nanmean(crossing)) < 1.5e-9
