"""What a block of samples says of the current."""

from dataclasses import dataclass

from sicmctl.hal.capabilities import F64, AmplifierState, Block, CurrentAmplifier
from sicmctl.hal.errors import InstrumentError

from .mains import MainsTracker
from .modulated import Detector


@dataclass(frozen=True, slots=True)
class Sense:
    """An amplifier, the hum that is known, and the lock-in behind it if the bias is modulated.

    overload: share of the amplifier's output range that counts as saturated.
    """

    amplifier: CurrentAmplifier
    mains: MainsTracker | None
    detector: Detector | None
    overload: float

    def watched(self, block: Block) -> F64:
        """Return what tells that a fall must end, A."""
        if self.detector is not None:
            return self.detector.watched(block)
        return self.amplifier.current(block)

    def without_hum(self, block: Block, current: F64) -> F64:
        """Take the mains out of a current, A, as far as it is known."""
        if self.mains is None:
            return current
        return current - self.mains.hum(block.first, len(block))

    def met(self, block: Block) -> bool:
        """Whether a current that a lock-in does not see tells of contact."""
        return self.detector is not None and self.detector.met(block)

    def state(self, block: Block) -> AmplifierState | None:
        """How the amplifier was set; None if that cannot be told."""
        try:
            return self.amplifier.state(block)
        except InstrumentError:
            return None

    def saturated(self, block: Block) -> bool:
        """Whether the amplifier's output was at its end."""
        limit = self.overload * self.amplifier.output_limit
        volts = block["pipette_current"]
        return bool(volts.max() >= limit or volts.min() <= -limit)
