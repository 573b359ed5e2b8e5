"""Wrappers that check every request against the rig's limits before the hardware sees it.

The engine hands out nothing but these, so that no caller can go round the limits.
"""

from collections.abc import Mapping

import numpy as np

from .capabilities import (
    F64,
    AmplifierState,
    Axis,
    Block,
    CurrentAmplifier,
    Identity,
    Pause,
    Positioner,
)
from .errors import LimitExceeded, NotSupported
from .limits import Interval
from .modulation import Carrier, CommandedByCard, Rider
from .quantity import show

_SLACK = 1e-12
"""Rounding allowed at a limit, m."""


class LimitedPositioner:
    """A stage that refuses paths beyond its travel or faster than its speed limit.

    rate: samples per second of the paths.
    """

    def __init__(self, stage: Positioner, rate: float) -> None:
        self._stage = stage
        self._rate = rate
        self.axes: Mapping[str, Axis] = stage.axes

    def identify(self) -> Identity:
        return self._stage.identify()

    @property
    def commanded(self) -> Mapping[str, float]:
        return self._stage.commanded

    def play(self, path: F64, pause: Pause | None = None) -> None:
        """Check the whole path, then follow it; on refusal nothing moves."""
        if path.ndim != 2 or path.shape[0] != len(self.axes) or path.shape[1] == 0:
            raise ValueError(f"a path has shape ({len(self.axes)}, n >= 1), found {path.shape}")
        low, high, step = path.min(axis=1), path.max(axis=1), _longest_steps(path)
        for row, (name, axis) in enumerate(self.axes.items()):
            self._check_travel(name, axis, float(low[row]), float(high[row]))
            first = abs(float(path[row, 0]) - self.commanded[name])
            self._check_speed(name, axis, max(float(step[row]), first))
        self._stage.play(path, pause)

    def halt(self) -> None:
        self._stage.halt()

    def synchronise(self, block: Block) -> None:
        self._stage.synchronise(block)

    def position(self, block: Block) -> Mapping[str, F64]:
        return self._stage.position(block)

    def safe_state(self) -> None:
        self._stage.safe_state()

    def carry(self, rider: Rider | None) -> None:
        """Have an output ride on every path, or none; raises NotSupported if the stage cannot."""
        if rider is not None or isinstance(self._stage, Carrier):
            self.carrier.carry(rider)
        else:
            self._stage.halt()

    @property
    def carrier(self) -> Carrier:
        """The stage, as one that takes another output along; raises NotSupported if it is none."""
        if isinstance(self._stage, Carrier):
            return self._stage
        raise NotSupported(
            self._name,
            "modulate the bias",
            "nothing can ride on the waveforms of this stage: it is not moved by the card",
            'hop with mode = "drop"',
        )

    def _check_travel(self, name: str, axis: Axis, low: float, high: float) -> None:
        if not (low >= axis.travel.low - _SLACK and high <= axis.travel.high + _SLACK):
            raise LimitExceeded(
                self._name,
                f"path along {name}",
                f"it reaches from {show(low, 'm')} to {show(high, 'm')}; "
                f"the travel is {axis.travel}",
                "move the scan or the sample into the range of the scanner",
            )

    def _check_speed(self, name: str, axis: Axis, step: float) -> None:
        fastest = step * self._rate
        if not fastest <= axis.max_speed * (1 + 1e-9):
            raise LimitExceeded(
                self._name,
                f"path along {name}",
                f"its fastest step is {show(fastest, 'm/s')}; "
                f"the limit is {show(axis.max_speed, 'm/s')}",
                "lower the speed, or raise max_speed in rig.toml if the stage allows it",
            )

    @property
    def _name(self) -> str:
        return self.identify().model


def _longest_steps(path: F64) -> F64:
    """The longest step of each axis, of a path of shape (axes, n); not a number if one is not."""
    if path.shape[1] < 2:
        return np.zeros(len(path))
    steps = path[:, 1:] - path[:, :-1]
    return np.maximum(steps.max(axis=1), -steps.min(axis=1))


class LimitedAmplifier:
    """An amplifier that refuses a bias beyond its command range or beyond the rig's own limit."""

    def __init__(self, amplifier: CurrentAmplifier, bias: Interval | None = None) -> None:
        self._amplifier = amplifier
        hardware = amplifier.command_limits
        self.command_limits = (
            hardware
            if bias is None
            else Interval(max(hardware.low, bias.low), min(hardware.high, bias.high), "V")
        )
        self.output_limit = amplifier.output_limit

    def identify(self) -> Identity:
        return self._amplifier.identify()

    def state(self, block: Block) -> AmplifierState:
        return self._amplifier.state(block)

    def current(self, block: Block) -> F64:
        return self._amplifier.current(block)

    def set_bias(self, volts: float) -> None:
        """Check, then bias the pipette."""
        model = self._amplifier.identify().model
        self._amplifier.set_bias(self.command_limits.check(volts, "bias", model, "set bias"))

    @property
    def command_channel(self) -> str:
        """The card's output that sets the bias; raises NotSupported if there is none."""
        return self._commanded.command_channel

    def command_volts(self, bias: F64) -> F64:
        """Check a course of the bias, V, and return the output for it; on refusal nothing moves."""
        for end in (bias.min(), bias.max()):
            model = self.identify().model
            self.command_limits.check(float(end), "bias", model, "modulate the bias")
        return self._commanded.command_volts(bias)

    def bias(self, block: Block) -> F64:
        """Return the bias that was put out, V; raises NotSupported if it is not read back."""
        return self._commanded.bias(block)

    def safe_state(self) -> None:
        self._amplifier.safe_state()

    @property
    def _commanded(self) -> CommandedByCard:
        if isinstance(self._amplifier, CommandedByCard):
            return self._amplifier
        raise NotSupported(
            self.identify().model,
            "modulate the bias",
            "its bias is not an analog output of the card, which could swing beside the stage",
            'hop with mode = "drop"',
        )
