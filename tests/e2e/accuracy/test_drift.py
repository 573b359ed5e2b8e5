"""A sample that creeps under the tip: followed by returning to one place."""

from collections.abc import Callable

import numpy as np
import pytest

from .conftest import F64, Measured

Measure = Callable[[str, str], Measured]

STILL = "".join(
    f'[stage.{axis}]\ndrift = "0 m/s"\ndrift_final = "0 m/s"\nthermal = "0 m"\n' for axis in "xyz"
)
"""A stage that does not drift by itself, but shakes and sees as badly as usual."""

SIM = (
    '[sample]\nkind = "flat"\nheight = "2 um"\n'
    + STILL
    + 'range = "5 um"\n[[event]]\nat = "0 s"\nset = "drift.z"\nvalue = "2 nm/s"\n'
)
RATE = -2e-9
"""Of the sample as the sensor sees it: the tip creeps up, so the sample creeps down."""

SCAN = """\
pattern = "raster"
size = "1 um"
pixels = 27
hop = { amplitude = "500 nm", fall_rate = "35 nm/ms", setpoint = "2 %", adaptive = true }
"""


def off_truth(found: Measured) -> F64:
    """Height less that of the sample itself, from the first few on, m; one per accepted hop."""
    error = found.column_of("height") - found.truth.setpoint_height(
        found.x, found.y, found.setpoint
    )
    return error - np.median(error[:10])


@pytest.mark.timeout(300)
def test_heights_stay_true_while_the_sample_creeps(measure: Measure) -> None:
    found = measure(SIM, SCAN + 'drift = { revisit = "3 s" }\n')
    time, drift = found.column_of("time"), found.column_of("drift_z")
    assert np.ptp(time) > 12
    error, sd = off_truth(found), found.column_of("height_sd")
    known = np.isfinite(error)
    assert known.sum() > 0.98 * len(error)
    assert np.all(np.abs(error[known]) < 3 * sd[known] + 2e-9)
    assert np.abs(error[-100:]).max() < 0.3 * abs(RATE) * np.ptp(time)  # else nothing was needed

    run = found.run
    rows = [row for row in run.drift if row["method"] == "revisit"]
    assert len(rows) >= 5
    assert rows[-1]["rate_z"] == pytest.approx(RATE, rel=0.1)
    assert drift[-1] == pytest.approx(RATE * (time[-1] - time[0]), abs=4e-9)
    returned = np.asarray(found.scan.hops["note"]) == "revisit"
    assert returned.sum() == len(rows)
    assert len(found.truth.contacts) == 0

    raw = found.column_of("height") + drift  # and what the sensor saw can be had back
    assert np.median(raw - found.true) == pytest.approx(0, abs=2e-9)
    assert np.abs(raw - found.true)[known].max() < 8e-9


def test_without_returns_heights_are_what_the_sensor_saw(measure: Measure) -> None:
    found = measure(SIM, SCAN.replace("27", "8"))
    assert np.all(found.column_of("drift_z") == 0)
    assert found.run.drift == []
