"""Molecular Devices Axopatch 200B: all analog, read through telegraph outputs.

Nothing on it can be set from outside but the command voltage. Gain, filter and mode are decoded
from every block of samples, so that a knob turned during a run is noticed at the very sample.
Telegraph tables: Axopatch 200B manual, as also used by acq4 and Symphony.
"""

import math
from typing import Self

import numpy as np
from pydantic import BaseModel, Field

from sicmctl.hal.capabilities import F64, AmplifierState, Block, Daq, Identity
from sicmctl.hal.errors import NotSupported, UnexpectedState
from sicmctl.hal.limits import Interval
from sicmctl.hal.quantity import VoltsPerVolt

_NAME = "axopatch-200b"
_GAINS = {1: 0.05, 2: 0.1, 3: 0.2, 4: 0.5, 5: 1, 6: 2, 7: 5, 8: 10, 9: 20, 10: 50, 11: 100,
          12: 200, 13: 500}  # fmt: skip
"""Telegraph in half volts -> mV/pA."""
_GAIN_TABLE = np.full(32, np.nan)
for _half_volts, _millivolts_per_picoampere in _GAINS.items():
    _GAIN_TABLE[_half_volts] = _millivolts_per_picoampere * 1e9
_FILTERS = {2: 1e3, 4: 2e3, 6: 5e3, 8: 10e3, 10: 100e3}
_MODES = {4: "TRACK", 6: "V-CLAMP", 3: "I=0", 2: "I-CLAMP NORMAL", 1: "I-CLAMP FAST"}
_TELEGRAPHS = ("gain_telegraph", "filter_telegraph", "mode_telegraph")


class Options(BaseModel, extra="forbid", frozen=True):
    """The `[amplifier]` section for an Axopatch 200B."""

    command: str = Field("ao0", description="analog output wired to the external command input")
    command_scale: VoltsPerVolt = Field(
        0.1, description="pipette volts per command volt: rear-switched 100 mV/V, front 20 mV/V"
    )
    command_limit: float = Field(
        1.0, description="largest pipette bias that the input can set, volts", gt=0, le=1.0
    )
    readback: str | None = Field(
        None, description="role of an input that reads the command back, to modulate the bias"
    )


class Axopatch200B:
    """The amplifier as a `CurrentAmplifier`."""

    Options = Options
    output_limit = 10.0

    def __init__(self, options: Options, daq: Daq) -> None:
        self._options = options
        self.command_limits = Interval(-options.command_limit, options.command_limit, "V")
        missing = [role for role in (*_TELEGRAPHS, "pipette_current") if role not in daq.roles]
        if missing:
            raise UnexpectedState(
                _NAME,
                "open",
                f"no input is assigned to {', '.join(missing)}",
                "wire the telegraph outputs and name their channels in daq.inputs",
            )
        self._command = daq.output(options.command)

    @classmethod
    def open(cls, options: Options, daq: Daq) -> Self:
        """Take hold of the command output. Changes nothing."""
        return cls(options, daq)

    def identify(self) -> Identity:
        """It has no name to tell; the model is what the rig file says."""
        return Identity("Molecular Devices", "Axopatch 200B")

    def state(self, block: Block) -> AmplifierState:
        """Decode the telegraphs at the end of a block; raises UnexpectedState if not usable."""
        gain_volts, filter_volts, mode_volts = (float(block[role][-1]) for role in _TELEGRAPHS)
        gain = _gain(gain_volts)
        bandwidth = _FILTERS.get(round(filter_volts))
        mode = _MODES.get(round(mode_volts))
        if not math.isfinite(gain):
            raise _unreadable("gain", gain_volts)
        if bandwidth is None:
            raise _unreadable("filter", filter_volts)
        if mode is None:
            raise _unreadable("mode", mode_volts)
        if mode not in ("V-CLAMP", "TRACK"):
            raise UnexpectedState(
                _NAME,
                "read mode",
                f"the mode is {mode}, in which the output is no current",
                "turn the mode switch to V-CLAMP",
            )
        return AmplifierState(gain, bandwidth, mode)

    def current(self, block: Block) -> F64:
        """Scale the output sample by sample with the telegraphed gain; NaN where it is unreadable.

        Returns shape (n,), A.
        """
        return block["pipette_current"] / _gains(block["gain_telegraph"])

    def set_bias(self, volts: float) -> None:
        """Bias the pipette, V."""
        self._command.write(volts / self._options.command_scale)

    @property
    def command_channel(self) -> str:
        """The analog output that is wired to the command input."""
        return self._options.command

    def command_volts(self, bias: F64) -> F64:
        """Return the output for a bias, both V and of one shape."""
        return bias / self._options.command_scale

    def bias(self, block: Block) -> F64:
        """Return the bias that was put out, V, shape (n,).

        Raises NotSupported if no input reads the command back.
        """
        if self._options.readback is None:
            raise NotSupported(
                _NAME,
                "read the bias back",
                "no input reads the command output back",
                'add an input to daq.inputs, e.g. bias_command = "_ao0_vs_aognd", which some cards '
                'have inside, and amplifier.readback = "bias_command"',
            )
        return block[self._options.readback] * self._options.command_scale

    def safe_state(self) -> None:
        """Take the bias off the pipette."""
        self.set_bias(0.0)


def _gains(telegraph: F64) -> F64 | float:
    """Return the gain in V/A for telegraph voltages; NaN between the steps' ranges.

    One number if all of them mean the same step, as they do unless the knob is being turned.
    """
    low, high = float(telegraph.min()), float(telegraph.max())
    if math.isfinite(high - low) and round(2 * low) == round(2 * high):
        return _gain(low)
    return _GAIN_TABLE[np.rint(telegraph * 2).astype(np.intp).clip(0, len(_GAIN_TABLE) - 1)]


def _gain(telegraph: float) -> float:
    """The same of a single voltage."""
    if not math.isfinite(telegraph):
        return math.nan
    return float(_GAIN_TABLE[min(max(round(2 * telegraph), 0), len(_GAIN_TABLE) - 1)])


def _unreadable(what: str, volts: float) -> UnexpectedState:
    return UnexpectedState(
        _NAME,
        f"read {what}",
        f"the telegraph shows {volts:.2f} V, which means no {what}",
        "check the telegraph cable and that the amplifier is on",
    )
