"""Analog input of a task: channels with a range and 16 bits, and the buffer samples pile up in."""

from dataclasses import dataclass

import numpy as np
from nidaqmx.constants import OverwriteMode, ReadRelativeTo
from numpy.typing import NDArray

from simulators.compiled import compiled, lean
from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.events import EveryN
from simulators.instruments.nidaqmx.timing import Timing

RANGES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Volts, each bipolar."""
CODES = 32768
"""ADC codes per polarity."""
_KEEP_UNREAD = OverwriteMode.DO_NOT_OVERWRITE_UNREAD_SAMPLES.value
_FIRST_SAMPLE = ReadRelativeTo.FIRST_SAMPLE.value
_MOST_RECENT_SAMPLE = ReadRelativeTo.MOST_RECENT_SAMPLE.value
_CURRENT_POSITION = ReadRelativeTo.CURRENT_READ_POSITION.value


@dataclass
class AnalogInput:
    """One virtual channel; volts."""

    name: str
    physical: str
    minimum: float
    maximum: float
    terminal: int

    @property
    def full_scale(self) -> float:
        """The smallest range of the card that holds the limits asked for."""
        need = max(abs(self.minimum), abs(self.maximum))
        return next((r for r in RANGES if need <= r * (1 + 1e-9)), RANGES[-1])


def default_buffer(timing: Timing) -> int:
    """Samples per channel NI allocates for an acquisition."""
    if timing.finite:
        return timing.samples
    steps = ((100.0, 1_000), (10_000.0, 10_000), (1_000_000.0, 100_000))
    by_rate = next((size for rate, size in steps if timing.rate <= rate), 1_000_000)
    return max(by_rate, timing.samples)


def quantise(volts: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.int16]:
    """ADC codes of volts, shape (n, channels); scale: volts per code of each channel."""
    return np.clip(np.rint(volts / scale), -CODES, CODES - 1).astype(np.int16)


@lean()
def _convert(outputs, courses, sources, scale, ring, at):  # noqa: PLR0917  (compiled)
    """Convert samples and put them into a ring of codes, shape (capacity, channels), from `at` on.

    outputs: of the plant; courses: of the AO channels; both shape (n, ...), V. sources: per channel
    a column of the former or, counted on, of the latter, or of neither. All in one go: the card
    does it many times in a hop, to few samples at a time.
    """
    first, end = outputs.shape[1], outputs.shape[1] + courses.shape[1]
    for k in range(outputs.shape[0]):
        row = ring[(at + k) % ring.shape[0]]
        for c in range(sources.size):
            s, volts = sources[c], 0.0
            if s < first:
                volts = outputs[k, s]
            elif s < end:
                volts = courses[k, s - first]
            row[c] = np.int16(min(max(np.rint(volts / scale[c]), -CODES), CODES - 1))


@compiled()
def volts(codes, scale):
    """Volts of ADC codes, shape (n, channels), channel by channel: shape (channels, n)."""
    out = np.empty((codes.shape[1], codes.shape[0]))
    for c in range(codes.shape[1]):
        for k in range(codes.shape[0]):
            out[c, k] = codes[k, c] * scale[c]
    return out


class InputBuffer:
    """Ring buffer of ADC codes with one read position.

    Positions count samples per channel since the task started and never wrap.
    """

    def __init__(self) -> None:
        self.overwrite = _KEEP_UNREAD
        self.relative_to = _CURRENT_POSITION
        self.offset = 0
        self.read_all_available = False
        self.auto_start = True
        self.size = 0
        """Samples per channel asked for; 0 lets the card choose."""
        self.every: EveryN | None = None
        self.codes = np.zeros((0, 0), dtype=np.int16)
        self.capacity = 0
        """Samples per channel the buffer holds."""
        self.scale = np.zeros(0)
        self.sources: NDArray[np.int64] | None = None
        """Where the channels look, as of `_convert`; the engine finds out at a start."""
        self.acquired = 0
        self.position = 0

    def allocate(self, channels: list[AnalogInput], timing: Timing) -> None:
        """Empty the buffer and make room for a start."""
        shape = (self.size or default_buffer(timing), len(channels))
        if self.codes.shape != shape:
            self.codes = np.zeros(shape, dtype=np.int16)
        self.capacity = shape[0]
        self.scale = np.array([c.full_scale / CODES for c in channels])
        self.sources = None
        self.acquired = self.position = 0
        if self.every:
            self.every.restart()

    @property
    def keeps_unread(self) -> bool:
        """Whether a full buffer stops the acquisition."""
        return self.overwrite == _KEEP_UNREAD

    @property
    def room(self) -> int:
        """Samples per channel that fit before unread ones are lost."""
        return self.capacity - (self.acquired - self.position)

    @property
    def start(self) -> int:
        """Where the next read begins."""
        base = self.position
        if self.relative_to == _FIRST_SAMPLE:
            base = 0
        elif self.relative_to == _MOST_RECENT_SAMPLE:
            base = self.acquired
        return max(0, base + self.offset)

    @property
    def available(self) -> int:
        """Samples per channel that a read could return now."""
        return max(0, self.acquired - self.start)

    def store(
        self,
        outputs: NDArray[np.float64],
        courses: NDArray[np.float64],
        sources: NDArray[np.int64],
    ) -> None:
        """Convert and append n <= capacity samples; arguments as of `_convert`."""
        _convert(outputs, courses, sources, self.scale, self.codes, self.acquired % self.capacity)
        self.acquired += len(outputs)
        if self.every:
            self.every.count(self.acquired)

    def take(self, n: int) -> NDArray[np.int16]:
        """Remove and return `n` available samples, shape (n, channels)."""
        start = self.start
        if start < self.acquired - self.capacity:
            raise CardError(Code.SAMPLES_NO_LONGER_AVAILABLE, read=0)
        at = start % self.capacity
        head = min(n, self.capacity - at)
        codes = self.codes[at : at + head]
        codes = codes.copy() if head == n else np.vstack((codes, self.codes[: n - head]))
        self.position = start + n
        return codes
