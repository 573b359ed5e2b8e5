"""A home-built current amplifier: one gain, one filter, a bias input; nothing to ask it."""

from typing import Self

from pydantic import BaseModel, Field

from sicmctl.hal.capabilities import F64, AmplifierState, Block, Daq, Identity
from sicmctl.hal.errors import UnexpectedState
from sicmctl.hal.limits import Interval
from sicmctl.hal.quantity import Hertz, VoltsPerAmpere, VoltsPerVolt

_NAME = "bench-amplifier"


class Options(BaseModel, extra="forbid", frozen=True):
    """The `[amplifier]` section of rig.toml."""

    gain: VoltsPerAmpere = Field(description="volts out per ampere in")
    bandwidth: Hertz = Field(description="-3 dB frequency of its low-pass filter")
    command: str = Field("ao0", description="analog output wired to the bias input")
    command_scale: VoltsPerVolt = Field(1.0, description="pipette volts per command volt")
    command_limit: float = Field(1.0, description="largest bias, volts", gt=0, le=10)


class BenchAmplifier:
    """The amplifier as a `CurrentAmplifier`."""

    Options = Options
    output_limit = 10.0

    def __init__(self, options: Options, daq: Daq) -> None:
        if "pipette_current" not in daq.roles:
            raise UnexpectedState(
                _NAME,
                "open",
                "no input is assigned to pipette_current",
                "name the channel of its output in daq.inputs",
            )
        self._options = options
        self.command_limits = Interval(-options.command_limit, options.command_limit, "V")
        self._command = daq.output(options.command)

    @classmethod
    def open(cls, options: Options, daq: Daq) -> Self:
        """Take hold of the bias output. Changes nothing."""
        return cls(options, daq)

    def identify(self) -> Identity:
        """It has no name to tell."""
        return Identity("", "bench amplifier")

    def state(self, block: Block) -> AmplifierState:
        """Return what the rig file says."""
        return AmplifierState(self._options.gain, self._options.bandwidth, "V-CLAMP")

    def current(self, block: Block) -> F64:
        """Return the pipette current, A, shape (n,)."""
        return block["pipette_current"] / self._options.gain

    def set_bias(self, volts: float) -> None:
        """Bias the pipette, V."""
        self._command.write(volts / self._options.command_scale)

    def safe_state(self) -> None:
        """Take the bias off the pipette."""
        self.set_bias(0.0)
