"""FEMTO DLPCA-200 current amplifier: gain set by three digital lines.

The gain lines are opto-isolated; the switch on the amplifier must stand at remote. Low-noise gains
are 10^3 .. 10^9 V/A, high-speed gains two decades higher (10^5 .. 10^11). The amplifier sends no
telegraph, so the gain is what was last set, and the bandwidth is what the rig file says.
"""

from typing import Literal, Self

from pydantic import BaseModel, Field

from sicmctl.hal.capabilities import F64, AmplifierState, Block, Daq, Identity
from sicmctl.hal.errors import LimitExceeded, NotSupported
from sicmctl.hal.limits import Interval
from sicmctl.hal.quantity import Hertz, VoltsPerAmpere, VoltsPerVolt

_NAME = "femto-dlpca-200"
_STEPS = 7


class Options(BaseModel, extra="forbid", frozen=True):
    """The `[amplifier]` section for a DLPCA-200."""

    gain_lines: tuple[str, str, str] = Field(
        ("port0/line0", "port0/line1", "port0/line2"), description="gain bits, lowest first"
    )
    gain: VoltsPerAmpere = Field(1e9, description="transimpedance to set at start")
    range: Literal["low-noise", "high-speed"] = Field(
        "low-noise", description="position of the range switch"
    )
    bandwidth: Hertz = Field(description="low-pass filter behind the amplifier, or its own limit")
    command: str = Field("ao0", description="analog output wired to the bias input")
    command_scale: VoltsPerVolt = Field(1.0, description="pipette volts per command volt")
    command_limit: float = Field(10.0, description="largest bias, volts", gt=0, le=10)
    readback: str | None = Field(
        None, description="role of an input that reads the command back, to modulate the bias"
    )


class FemtoDlpca200:
    """The amplifier as a `CurrentAmplifier`."""

    Options = Options
    output_limit = 10.0

    def __init__(self, options: Options, daq: Daq) -> None:
        lowest = 1e3 if options.range == "low-noise" else 1e5
        self._gains = tuple(lowest * 10**step for step in range(_STEPS))
        self._bandwidth = options.bandwidth
        self._options = options
        limit = min(options.command_limit, 10 * abs(options.command_scale))
        self.command_limits = Interval(-limit, limit, "V")
        self._lines = daq.lines(options.gain_lines)
        self._command = daq.output(options.command)
        self.set_gain(options.gain)

    @classmethod
    def open(cls, options: Options, daq: Daq) -> Self:
        """Take hold of the lines and set the gain."""
        return cls(options, daq)

    def identify(self) -> Identity:
        """It has no name to tell; the model is what the rig file says."""
        return Identity("FEMTO", "DLPCA-200")

    def set_gain(self, gain: float) -> None:
        """Set the transimpedance, V/A; raises LimitExceeded if there is no such step."""
        step = next((k for k, g in enumerate(self._gains) if abs(g / gain - 1) < 1e-6), None)
        if step is None:
            known = ", ".join(f"{g:.0e}" for g in self._gains)
            raise LimitExceeded(
                _NAME, "set gain", f"there is no gain {gain:g} V/A", f"choose one of {known} V/A"
            )
        self._lines.write([bool(step >> bit & 1) for bit in range(3)])
        self._gain = self._gains[step]

    def state(self, block: Block) -> AmplifierState:
        """Return the gain that was set; the amplifier tells nothing itself."""
        return AmplifierState(self._gain, self._bandwidth, "V-CLAMP")

    def current(self, block: Block) -> F64:
        """Return the current, A, shape (n,)."""
        return block["pipette_current"] / self._gain

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
