"""The words of the run file: schema version, units of columns, numbers of words."""

import re
from collections.abc import Iterable

from sicmctl.hal.errors import SicmError
from sicmctl.hal.hop import HopStatus

SCHEMA = 1
"""Version of the layout; a reader refuses a newer one."""

UNMEASURED = -1
"""Number in a column of words where there is none, such as a pixel that was not reached."""


class RunFileError(SicmError):
    """A run file cannot be written or read, or lacks what was asked for."""


UNITS = {
    "x": "m", "y": "m", "z": "m", "start": "m", "z_stop": "m", "floor": "m", "clear": "m",
    "height": "m", "height_sd": "m", "amplitude": "m", "retract": "m", "margin": "m",
    "time": "s", "dwell": "s", "duration": "s", "delay": "s", "uncertainty": "s",
    "reference": "A", "reference_sd": "A", "reference_current": "A", "noise": "A",
    "charge": "C", "capacity": "C", "time_sd": "s",
    "speed": "m/s", "fall_rate": "m/s", "bandwidth": "Hz", "rate": "Hz", "sample_rate": "Hz",
    "gain": "V/A", "setpoint": "1", "duty": "1", "fraction": "1", "attempts": "1", "retries": "1",
}  # fmt: skip

WATCHED_UNITS = {
    "radius_sd": "m", "half_angle": "rad", "half_angle_sd": "rad",
    "typical": "s", "worst": "s", "assumed": "s",
    "x_sd": "m", "y_sd": "m", "z_sd": "m", "rate_x": "m/s", "rate_y": "m/s", "rate_z": "m/s",
}  # fmt: skip
"""Units of columns in the tables of tip, drift and reaction."""

MEANINGS = {
    "index": "position of the target in scan order",
    "attempt": "0 for the first try at the target",
    "accepted": "1 if the attempt stands for the pixel",
    "row": "row of the frame",
    "column": "column of the frame",
    "time": "time on the run's timeline",
    "x": "sensor x, mean over the approach",
    "y": "sensor y, mean over the approach",
    "start": "z at which the ramp began",
    "reference": "mean current at the top of the hop",
    "reference_sd": "standard error of the reference",
    "z_stop": "sensor z at rest after the stop",
    "status": "how the hop ended (number of a name)",
    "height": "height of the setpoint surface",
    "height_sd": "standard uncertainty of the height",
    "method": "estimator that gave the height (number of a name)",
    "bandwidth": "bandwidth of the amplifier",
    "first": "timeline sample of the first sample of the curves",
    "stop": "sample of the curves at which the ramp was stopped",
    "curve_start": "place of the hop's first sample in the flat curves",
    "curve_length": "number of samples of the hop's curves",
    "note": "remark",
    "timing_arrive": "time until the tip was at rest at the top and the reference was averaged",
    "timing_approach": "time from the start of the approach to the stop",
    "timing_stop": "time at the stop",
    "timing_hop": "time from the start of the approach before to the start of this one",
    "timing_least": "what of timing_hop the stage itself needs",
    "timing_reaction": "time for which the tip went on after the crossing",
    "drift_x": "by how much the target was moved along x to follow the sample",
    "drift_y": "by how much the target was moved along y to follow the sample",
    "drift_z": "drift that was taken off the heights; add it for what the sensor saw",
}
"""What the columns of the table of hops mean."""

_PATTERNS = (
    (r"^timing_", "s"), (r"^height", "m"), (r"_phase$", "rad"),
    (r"setpoint|ratio$|fraction|tolerance", "1"),
    (r"m_per_v|metres_per_volt", "m/V"), (r"a_per_v|amperes_per_volt", "A/V"),
    (r"v_per_a|volts_per_ampere", "V/A"), (r"v_per_v", "V/V"),
    (r"speed|fall_rate|velocity", "m/s"), (r"bandwidth|frequency|sample_rate|cutoff|corner", "Hz"),
    (r"resistance", "Ohm"), (r"capacitance", "F"), (r"angle|rotation|slope|tilt", "rad"),
    (r"time|dwell|duration|delay|interval|reaction|settle", "s"), (r"rate$", "Hz"),
    (r"current", "A"), (r"voltage|potential|bias|command", "V"),
    (r"sensor|height|amplitude|lift|clear|distance|radius|gap|margin|size|pitch|step|retract|floor|^[xyz]$"
     r"|_[xyz]$|^[xyz]_|position|width|length", "m"),
    (r"count|number|attempts|retries|debounce|hopeless|points|rows|columns|seed", "1"),
)  # fmt: skip


def unit_of(name: str) -> str:
    """Return the SI unit of a column, channel or setting; "" if its name does not tell."""
    name = name.lower()
    return UNITS.get(name) or next((u for p, u in _PATTERNS if re.search(p, name)), "")


class Words:
    """Numbers for the words of a column, in the order in which they first came."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self.names = list(known)
        self._numbers = {name: number for number, name in enumerate(self.names)}

    def number(self, word: str) -> int:
        """Return the number of a word, a new one if it is new; UNMEASURED for no word."""
        if not word:
            return UNMEASURED
        if word not in self._numbers:
            self._numbers[word] = len(self.names)
            self.names.append(word)
        return self._numbers[word]


def statuses() -> Words:
    """Return the hop statuses; a status of a later program gets the next number."""
    return Words(str(status) for status in HopStatus)


def safe_name(text: str) -> str:
    """Return `text` as the name of a group or dataset."""
    return re.sub(r"[^A-Za-z0-9_]", "_", text) or "_"
