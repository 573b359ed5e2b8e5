"""What every virtual cell can do."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulators.cellport import Control


class Cell(Protocol):
    """An electrochemical cell between working and reference electrode; anodic current > 0."""

    longest_step: float
    """Seconds up to which `step` is accurate; infinite where it is exact."""
    state: NDArray[np.float64]
    """All that the cell remembers. `step` replaces it and never writes into it, so that keeping a
    reference is keeping the state."""

    def step(self, dt: float, control: Control, start: float, end: float) -> tuple[float, float]:
        """Let `dt` seconds pass while what is held goes linearly from `start` to `end` (V or A).

        Returns potential (V) and current (A) at the end. With dt = 0 nothing passes: what shows
        at once when `end` is applied.
        """
        ...

    def impedance(self, frequency: float) -> complex:
        """dE/dI (ohm) for a small sine of `frequency` (Hz) about the present state."""
        ...
