"""The reference current from hop to hop: drift is followed, a jump is not."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np


@dataclass
class ReferenceTrack:
    """Remembers the reference currents of the last hops, A."""

    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=9))

    @property
    def level(self) -> float | None:
        """Median of the recent reference currents, A; None before the first."""
        return float(np.median(self._recent)) if self._recent else None

    def add(self, reference: float) -> None:
        """Take in the reference of a hop that is believed."""
        self._recent.append(reference)

    def accept(self, reference: float) -> None:
        """Start afresh at a new level: the tip has changed for good."""
        self._recent.clear()
        self._recent.append(reference)
