"""The time of a run: the sample clock of the DAQ. Sample n was taken at t = n / rate."""

from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment on the timeline with its standard uncertainty, both in seconds."""

    time: float
    uncertainty: float = 0.0


@dataclass(frozen=True, slots=True)
class Timeline:
    """Maps samples to seconds, and seconds to the wall clock.

    rate: samples per second.
    epoch: wall-clock time of sample 0, known as well as the host saw the stream start.
    """

    rate: float
    epoch: datetime = field(default_factory=lambda: datetime.now(UTC))

    def time(self, sample: float) -> float:
        """Return the time of a sample in seconds."""
        return sample / self.rate

    def sample(self, time: float) -> int:
        """Return the sample nearest to a time in seconds."""
        return round(time * self.rate)

    def stamp_block(self, first: int, count: int) -> Stamp:
        """Stamp an event seen by the host somewhere within a block of `count` samples.

        The uncertainty is that of a uniform distribution over the block.
        """
        return Stamp((first + count / 2) / self.rate, count / self.rate / 12**0.5)
