"""What instruments can do. A driver implements the Protocols that its hardware honours.

SI units throughout; the DAQ alone speaks volts, and the amplifier and the stage translate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .limits import Interval

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an instrument says it is."""

    maker: str
    model: str
    serial: str = ""
    firmware: str = ""


@runtime_checkable
class SafeState(Protocol):
    """Every instrument can be put where it harms neither tip nor cell."""

    def safe_state(self) -> None:
        """Go to the safe state; may be called at any time, any number of times."""
        ...


@dataclass(frozen=True, slots=True)
class Block:
    """A run of consecutive samples of all input channels.

    first: number of the first sample on the timeline.
    roles: what each row measures, e.g. `pipette_current`.
    volts: shape (len(roles), n).
    """

    first: int
    roles: tuple[str, ...]
    volts: F64

    def __len__(self) -> int:
        return self.volts.shape[1]

    def __getitem__(self, role: str) -> F64:
        return self.volts[self.roles.index(role)]

    def __contains__(self, role: str) -> bool:
        return role in self.roles

    def tail(self, samples: int) -> "Block":
        """Return the last samples, or the whole block if it is shorter."""
        skip = max(len(self) - samples, 0)
        return Block(self.first + skip, self.roles, self.volts[:, skip:])

    def followed_by(self, *others: "Block") -> "Block":
        """Return this block and those that follow it as one; raises ValueError at a gap."""
        expected = self.first + len(self)
        for other in others:
            if other.first != expected:
                raise ValueError(f"a block begins at sample {other.first}, not at {expected}")
            expected += len(other)
        volts = np.concatenate([self.volts, *(other.volts for other in others)], axis=1)
        return Block(self.first, self.roles, volts)


@runtime_checkable
class SignalStream(SafeState, Protocol):
    """Samples of all input channels, without gaps, on the clock that is the time of the run."""

    rate: float
    """Samples per second, as the hardware coerced it."""
    roles: tuple[str, ...]

    def start(self) -> None:
        """Start the clock: the next sample is sample 0."""
        ...

    def read(self, samples: int) -> Block:
        """Wait for the next `samples` samples. Raises StreamOverflow if any were lost."""
        ...

    def stop(self) -> None:
        """Stop the clock."""
        ...


@dataclass(frozen=True, slots=True)
class Pause:
    """Freeze a waveform while a signal is below a level.

    role: input whose comparator terminal decides, e.g. `pipette_current`.
    level: volts; below it the waveform is frozen. The signal must rise above level + hysteresis
        before the waveform goes on.
    inverted: the signal is negative, so that "below" means nearer to zero from the other side.
    """

    role: str
    level: float
    hysteresis: float
    inverted: bool = False


class Generator(SafeState, Protocol):
    """Plays finite waveforms on analog outputs, on the clock of the stream; then holds."""

    channels: tuple[str, ...]

    def play(self, volts: F64, pause: Pause | None = None) -> None:
        """Start a waveform of shape (len(channels), n); returns at once.

        Raises UnexpectedState if one is running, NotSupported if `pause` needs a comparator that
        the hardware lacks.
        """
        ...

    def generated(self) -> int:
        """Return how many samples of the running waveform were put out so far."""
        ...

    def halt(self) -> None:
        """Stop where it is; the outputs hold their last values. Harmless if nothing runs."""
        ...

    def release(self) -> None:
        """Stop and let go of the channels, so that others may use them until the next `play`."""
        ...


class AnalogOutput(SafeState, Protocol):
    """One output channel, set by the host whenever it likes."""

    def write(self, volts: float) -> None:
        """Put out a voltage."""
        ...


class DigitalOutput(SafeState, Protocol):
    """A few digital lines, set together."""

    def write(self, levels: Sequence[bool]) -> None:
        """Set all lines."""
        ...


@runtime_checkable
class Daq(SignalStream, Protocol):
    """A data-acquisition card: one input stream and outputs that share its clock."""

    comparators: Mapping[str, str]
    """Roles that are also wired to an analog-trigger terminal, and which."""

    def identify(self) -> Identity: ...

    def generator(self, channels: Sequence[str]) -> Generator:
        """Return the hardware-timed generator on these channels."""
        ...

    def output(self, channel: str) -> AnalogOutput:
        """Return a host-timed output."""
        ...

    def lines(self, names: Sequence[str]) -> DigitalOutput:
        """Return digital output lines."""
        ...

    def close(self) -> None:
        """Let go of the card; the outputs hold their last values."""
        ...


@dataclass(frozen=True, slots=True)
class AmplifierState:
    """How the amplifier is set, as far as it can tell.

    gain: V/A. bandwidth: -3 dB frequency of its low-pass filter, Hz. mode: `V-CLAMP` etc.
    """

    gain: float
    bandwidth: float
    mode: str


@runtime_checkable
class CurrentAmplifier(SafeState, Protocol):
    """Turns the pipette current into a voltage and biases the pipette."""

    command_limits: Interval
    """Pipette bias that the command input can set, V."""
    output_limit: float
    """Output voltage at which the amplifier saturates."""

    def identify(self) -> Identity: ...

    def state(self, block: Block) -> AmplifierState:
        """Return the settings that held at the end of a block.

        Raises UnexpectedState if they cannot be used, e.g. a mode without voltage clamp.
        """
        ...

    def current(self, block: Block) -> F64:
        """Return the pipette current, A, shape (n,), scaled sample by sample by the gain."""
        ...

    def set_bias(self, volts: float) -> None:
        """Bias the pipette against the amplifier's ground."""
        ...


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a stage.

    travel: where it may go, m. max_speed: m/s.
    resonance: natural frequency of its (closed-loop) response, Hz; damping: its damping ratio.
    sensor_noise: standard deviation of one sensor sample, m. sensor_delay: s.
    """

    travel: Interval
    max_speed: float
    resonance: float
    damping: float
    sensor_noise: float = 0.0
    sensor_delay: float = 0.0

    @property
    def lag(self) -> float:
        """Time by which the axis trails a ramp: 2 zeta / omega_n, s."""
        return 2 * self.damping / (2 * np.pi * self.resonance)


@runtime_checkable
class Positioner(SafeState, Protocol):
    """A stage whose axes follow paths on the clock of the stream. z grows away from the sample."""

    axes: Mapping[str, Axis]

    def identify(self) -> Identity: ...

    @property
    def commanded(self) -> Mapping[str, float]:
        """Where each axis was last told to be, m."""
        ...

    def play(self, path: F64, pause: Pause | None = None) -> None:
        """Follow a path of shape (len(axes), n), m, one column a sample; returns at once."""
        ...

    def halt(self) -> None:
        """Hold where the path is now. A host-timed stop is known exactly only to `synchronise`."""
        ...

    def synchronise(self, block: Block) -> None:
        """Take where the stage now rests, as the end of a block shows it, as `commanded`."""
        ...

    def position(self, block: Block) -> Mapping[str, F64]:
        """Return where the sensors saw each axis, m, each of shape (n,)."""
        ...
