"""A plant whose time another clock follows."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulators.clocks import FollowClock
from simulators.plant import TICK, Plant, Watch


class Followed:
    """Hands the time of a plant on to a potentiostat that stands beside it."""

    def __init__(self, plant: Plant, clock: FollowClock) -> None:
        self._plant, self._clock = plant, clock
        self.inputs, self.outputs, self.lines = plant.inputs, plant.outputs, plant.lines

    @property
    def time(self) -> int:
        return self._plant.time

    def run(
        self, drive: NDArray[np.float64], period: int, watches: Sequence[Watch] = ()
    ) -> NDArray[np.float64]:
        """As `Plant.run`; returns when the potentiostat has done what falls into that time."""
        rows = self._plant.run(drive, period, watches)
        self._clock.advance(self._plant.time * TICK)
        return rows

    def set_line(self, line: str, high: bool) -> None:
        self._plant.set_line(line, high)
