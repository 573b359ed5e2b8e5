"""Analog output of a task: channels with a range and 16 bits, and the buffer of samples to come."""

from dataclasses import dataclass

import numpy as np
from nidaqmx.constants import RegenerationMode, WriteRelativeTo
from numpy.typing import NDArray

from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.events import EveryN

_REGENERATE = RegenerationMode.ALLOW_REGENERATION.value
RANGES = (5.0, 10.0)
"""Volts, each bipolar."""
CODES = 32768


@dataclass
class AnalogOutput:
    """One virtual channel; volts."""

    name: str
    physical: str
    minimum: float
    maximum: float

    @property
    def full_scale(self) -> float:
        """The smallest DAC range that holds the limits asked for."""
        need = max(abs(self.minimum), abs(self.maximum))
        return RANGES[0] if need <= RANGES[0] else RANGES[1]


def quantise(volts: NDArray[np.float64], channels: list[AnalogOutput]) -> NDArray[np.float64]:
    """What the DACs put out for `volts`, shape (channels, n); refuses what is out of limits."""
    lowest, highest = volts.min(axis=1, initial=0.0), volts.max(axis=1, initial=0.0)
    for channel, low, high in zip(channels, lowest.tolist(), highest.tolist(), strict=True):
        margin = channel.full_scale / CODES
        # not a number is neither
        if not (channel.minimum - margin <= low and high <= channel.maximum + margin):
            raise CardError(
                Code.INVALID_AO_DATA_WRITE,
                f"Maximum Value: {channel.maximum}",
                f"Minimum Value: {channel.minimum}",
                f"Channel Name: {channel.name}",
                written=0,
            )
    step = np.array([[c.full_scale / CODES] for c in channels])
    codes = volts / step
    np.rint(codes, out=codes)
    np.clip(codes, -CODES, CODES - 1, out=codes)
    codes *= step
    return codes


class OutputBuffer:
    """Ring buffer of volts with a write position and a generation position.

    Positions count samples per channel and never wrap. With regeneration the samples in the
    buffer count as written again each time they have all been generated.
    """

    def __init__(self) -> None:
        self.regeneration = _REGENERATE
        self.relative_to = WriteRelativeTo.CURRENT_WRITE_POSITION.value
        self.offset = 0
        self.size = 0
        """Samples per channel asked for; 0 takes the size of the first write."""
        self.every: EveryN | None = None
        self.volts = np.zeros((0, 0))
        self.columns: slice | list[int] | None = None
        """Where the channels are among all of the card; the engine finds out."""
        self.loop = 0
        """Samples per channel generated before the buffer begins again."""
        self.written = 0
        self.generated = 0
        self.total = 0
        """Samples per channel generated since the start, over all retriggers."""
        self.fresh = True
        """Whether the next write begins a new waveform."""

    @property
    def regenerates(self) -> bool:
        """Whether old samples may be generated again."""
        return self.regeneration == _REGENERATE

    @property
    def waiting(self) -> int:
        """Samples per channel written and not yet generated."""
        return self.written - self.generated

    @property
    def room(self) -> int:
        """Samples per channel that can be written now."""
        return self.loop - self.waiting

    def discard(self) -> None:
        """Forget the waveform."""
        self.volts, self.columns = np.zeros((0, 0)), None
        self.loop = self.written = self.generated = self.total = 0
        self.fresh = True

    def restart(self) -> None:
        """Begin the waveform in the buffer again, for a start of the task."""
        if self.written == 0:
            raise CardError(Code.OUTPUT_BUFFER_EMPTY)
        if self.loop < 2:
            raise CardError(Code.OUTPUT_BUF_SIZE_TOO_SMALL_TO_START_GEN)
        if self.regenerates:
            self.loop = self.written = min(self.written, self.loop)
        self.total = 0
        self.rewind()
        if self.every:
            self.every.restart()

    def rewind(self) -> None:
        """Go back to the first sample of the buffer."""
        self.written = min(self.written, self.loop)
        self.generated = 0
        self.fresh = False

    def allocate(self, channels: int, n: int) -> None:
        """Make room before the first write of a waveform of `n` samples per channel."""
        size = self.size or n
        if self.volts.shape != (channels, size):
            self.volts = np.zeros((channels, size))
        self.loop, self.written, self.generated, self.fresh = size, 0, 0, False
        self.columns = None

    def write(self, volts: NDArray[np.float64]) -> int:
        """Append as much of shape (channels, n) as there is room for; returns how many samples."""
        n = min(volts.shape[1], self.room)
        at = self.written % self.loop
        head = min(n, self.loop - at)
        self.volts[:, at : at + head] = volts[:, :head]
        self.volts[:, : n - head] = volts[:, head:n]
        self.written += n
        return n

    def peek(self, n: int) -> NDArray[np.float64]:
        """The next `n` samples to generate, shape (channels, n)."""
        at = self.generated % self.loop
        if at + n <= self.loop:
            return self.volts[:, at : at + n]
        return self.volts[:, np.arange(at, at + n) % self.loop]

    def consume(self, n: int) -> None:
        """Count `n` samples as generated."""
        self.generated += n
        self.total += n
        if self.regenerates and self.generated >= self.written:
            loops = (self.generated - self.written) // self.loop + 1
            self.written += loops * self.loop
        if self.every:
            self.every.count(self.total)
