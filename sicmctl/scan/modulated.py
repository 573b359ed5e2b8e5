"""Hops under an alternating bias: what swings, and what is made of the current that answers.

To the hop engine it looks like any hop. The stream carries what the lock-in found beside what was
sampled, the amplifier shows the alternating current through the tip instead of the direct one, and
everything that a fall is watched for is watched for in that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from sicmctl.hal.admittance import Admittance, By
from sicmctl.hal.capabilities import F64, AmplifierState, Block, Identity, SignalStream
from sicmctl.hal.errors import UnexpectedState
from sicmctl.hal.limited import LimitedAmplifier
from sicmctl.hal.limits import Interval

from .lockin import C128, LockIn, bandwidth

_REAL, _IMAGINARY, _MEAN = "admittance_real", "admittance_imaginary", "mean_current"
ROLES = (_REAL, _IMAGINARY, _MEAN)
"""What the lock-in adds to each block: admittance (S) and mean current (A)."""
CURVES = ("ac_current", "ac_phase", "raw_current")
"""What a hop under an alternating bias records beside the usual curves: A, rad, A."""
_PATIENCE = 1.0
"""Longest time for a waveform to begin, s."""
_LATE = 3
"""Periods that the lock-in may be settled before a fall begins; it is told by the period."""


@dataclass(frozen=True, slots=True)
class BiasWave:
    """A sine on top of the bias, beside every path of the stage; at rest the bias alone.

    Each waveform begins with a pause, so that what belongs to it can be told in the stream.
    steady, amplitude: V. period, pause: samples; a whole number is a period.
    """

    amplifier: LimitedAmplifier
    steady: float
    amplitude: float
    period: int
    pause: int

    @property
    def channel(self) -> str:
        """The card's output."""
        return self.amplifier.command_channel

    def volts(self, samples: int) -> F64:
        """A pause, whole periods, and the bias alone for what is left; V, shape (samples,)."""
        swing, left = np.zeros(samples), max(samples - 1 - self.pause, 0)
        swinging = np.arange(left // self.period * self.period)
        swing[self.pause :][: len(swinging)] = np.sin(2 * np.pi * swinging / self.period)
        return self.amplifier.command_volts(self.steady + self.amplitude * swing)

    def rest(self) -> None:
        """Put out the bias alone."""
        self.amplifier.set_bias(self.steady)


class LockInStream:
    """A stream whose blocks carry what the lock-in found in them, as further rows."""

    def __init__(self, stream: SignalStream, amplifier: LimitedAmplifier, lockin: LockIn) -> None:
        self._stream, self._amplifier, self._lockin = stream, amplifier, lockin
        self.rate = stream.rate
        self.roles = (*stream.roles, *ROLES)

    def start(self) -> None:
        """Start the clock."""
        self._stream.start()

    def read(self, samples: int) -> Block:
        """Wait for the next samples, and demodulate them."""
        block = self._stream.read(samples)
        amplifier = self._amplifier
        found = self._lockin.see(block.first, amplifier.current(block), amplifier.bias(block))
        rows = (found.admittance.real, found.admittance.imag, found.mean)
        return Block(block.first, self.roles, np.vstack((block.volts, *rows)))

    def stop(self) -> None:
        """Stop the clock."""
        self._stream.stop()

    def safe_state(self) -> None:
        """As the stream."""
        self._stream.safe_state()


@dataclass
class Detector:
    """An amplifier behind a lock-in: its current is the alternating one through the tip.

    amplitude: of the bias, V. by: what the setpoint is a change of. touch: drop of the direct
    current at which tip and sample have met. noise: sd of a sample of it, A: a direct current is
    told from that. hold: samples for which the bias swings on at the end of a way.
    turn: what turns and scales a measured admittance into that of the pipette.
    """

    amplifier: LimitedAmplifier
    lockin: LockIn
    rate: float
    amplitude: float
    by: By
    touch: float
    noise: float
    hold: int
    turn: complex = 1 + 0j
    command_limits: Interval = field(init=False)
    output_limit: float = field(init=False)
    _top: Admittance = field(init=False, default_factory=lambda: Admittance(np.nan, np.nan))
    _direct: float = np.nan

    def __post_init__(self) -> None:
        self.command_limits = self.amplifier.command_limits
        self.output_limit = self.amplifier.output_limit

    def identify(self) -> Identity:
        """As the amplifier."""
        return self.amplifier.identify()

    def set_bias(self, volts: float) -> None:
        """As the amplifier."""
        self.amplifier.set_bias(volts)

    def safe_state(self) -> None:
        """As the amplifier."""
        self.amplifier.safe_state()

    @property
    def settling(self) -> int:
        """Samples from the beginning of a waveform until the lock-in shows nothing but it."""
        return 2 * self.lockin.settling

    def way(self, path: F64) -> F64:
        """Return a path, shape (3, n), with a rest at its end in which the bias swings on."""
        return np.pad(path, ((0, 0), (0, self.hold)), mode="edge")

    def fall(self, path: F64) -> F64:
        """Return a fall, shape (3, n), with time before it in which the lock-in settles."""
        before = self.settling + _LATE * self.lockin.period
        return np.pad(path, ((0, 0), (before, self.hold)), mode="edge")

    def settle(self, read: Callable[[int], Block]) -> None:
        """Read on until the lock-in has settled upon a waveform that was just begun.

        read: reads so many samples of the stream. Samples from before the waveform may come first:
        it begins with the pause. Raises UnexpectedState if the bias does not swing.
        """
        paused, period = False, self.lockin.period
        for _ in range(round((self.hold + _PATIENCE * self.rate) / period)):
            swings = ~np.isnan(read(period)[_REAL])
            paused = paused or not swings.all()
            if paused and swings[-1]:
                read(2 * period)
                return
        raise self._still()

    def state(self, block: Block) -> AmplifierState:
        """Return the amplifier's settings; the bandwidth is that of amplifier and lock-in.

        Raises UnexpectedState if the bias did not swing.
        """
        state = self.amplifier.state(block)
        if np.isnan(block[_REAL]).any():
            raise self._still()
        return replace(state, bandwidth=bandwidth(self.lockin.lag, self.rate, state.bandwidth))

    def current(self, block: Block) -> F64:
        """Return the amplitude of the alternating current through the tip, A, shape (n,)."""
        return self.amplitude * self._admittance(block).real

    def top(self, block: Block) -> complex:
        """Take in what the tip shows far from the sample: the fall is judged against it.

        Returns the admittance, S.
        """
        mean = complex(self._admittance(block).mean())
        self._top, self._direct = Admittance(mean.real, mean.imag), float(block[_MEAN].mean())
        return mean

    def watched(self, block: Block) -> F64:
        """Return the current through the tip as amplitude or phase alone tell it, A, shape (n,).

        The rest of what they show is taken to be the stray capacitance found at the top.
        """
        found, past = self._admittance(block), self._top.susceptance
        if self.by == "amplitude":
            square = np.abs(found) ** 2 - past**2
            return self.amplitude * np.sqrt(np.where(square < 0, 0.0, square))
        leads = np.where(found.imag > 0, found.imag, np.nan)
        return self.amplitude * past * found.real / leads

    def met(self, block: Block) -> bool:
        """Whether the direct current fell to contact: it tells sooner than the lock-in."""
        if not abs(self._direct) > 20 * self.noise:
            return False
        share = block[_MEAN] / self._direct
        return bool(np.min(share) < 1 - self.touch)

    def curves(self, block: Block) -> dict[str, F64]:
        """Return amplitude (A) and phase (rad) of the alternating current, and the bare current."""
        found = self._admittance(block)
        amplitude, phase = self.amplitude * np.abs(found), np.angle(found)
        bare = self.amplifier.current(block)
        return dict(zip(CURVES, (amplitude, phase, bare), strict=True))

    def _still(self) -> UnexpectedState:
        return UnexpectedState(
            self.identify().model,
            "demodulate the current",
            "the bias that was read back does not swing",
            "check amplifier.readback in rig.toml, and that nothing else writes the command",
        )

    def _admittance(self, block: Block) -> C128:
        return (block[_REAL] + 1j * block[_IMAGINARY]) * self.turn


def through(curves: Mapping[str, F64]) -> F64:
    """Return the current in phase with the bias, A, of the curves of a hop: what heights are of."""
    return curves["ac_current"] * np.cos(curves["ac_phase"])


def last_told(curves: Mapping[str, F64], stop: int) -> int:
    """Return the last sample, not after `stop`, at which the bias swung: a halt ends that too."""
    told = np.flatnonzero(np.isfinite(curves["ac_current"][: stop + 1]))
    return int(told[-1]) if len(told) else 0


def at_rest(curves: Mapping[str, F64], stop: int) -> F64:
    """Return the direct current at the stop over that in the upper half of the fall."""
    bare = curves["raw_current"]
    return bare[stop:] / float(bare[: max(stop // 2, 1)].mean())
