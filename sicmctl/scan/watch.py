"""What the host looks for while the tip falls."""

from dataclasses import dataclass

import numpy as np

from sicmctl.hal.capabilities import F64, AmplifierState
from sicmctl.hal.hop import HopStatus


@dataclass(slots=True)
class Watch:
    """Finds the crossing of the setpoint and every reason to end a fall.

    level: |current| at the setpoint, A. sign: of the current.
    debounce: consecutive samples below the level that make a crossing.
    state: how the amplifier was set at the top.
    touch_level: |current| below which tip and sample have met.
    partial, patience: a current that stays below `partial` (A) for `patience` samples and does not
        reach the level has stalled: the rim of the tip rests on an edge beside its opening.
    chunk: samples over which the current is averaged to judge that.
    crossing: index, from the start of the ramp, of the sample that completed the crossing.
    """

    level: float
    sign: float
    debounce: int
    state: AmplifierState
    touch_level: float
    partial: float
    patience: int
    chunk: int
    run: int = 0
    crossing: int | None = None
    status: HopStatus | None = None
    note: str = ""
    samples: int = 0
    _partial_since: int | None = None

    def see(self, current: F64, saturated: bool, state: AmplifierState | None) -> bool:
        """Take in a block; return whether the ramp must end."""
        if state != self.state or not np.all(np.isfinite(current)):
            self.status = HopStatus.SETTINGS
            self.note = f"amplifier changed from {self.state} to {state}"
        elif saturated:
            self.status = HopStatus.OVERLOAD
        self._find_crossing(self.sign * current < self.level)
        self._find_stall(self.sign * current)
        self.samples += len(current)
        return self.status is not None or self.crossing is not None

    def _find_crossing(self, below: np.ndarray) -> None:
        if self.crossing is not None:
            return
        ends = np.flatnonzero(~below)
        if self.debounce == 1:
            if len(ends) < len(below):
                self.crossing = self.samples + int(np.argmax(below))
            return
        for k, is_below in enumerate(below):
            self.run = self.run + 1 if is_below else 0
            if self.run >= self.debounce:
                self.crossing = self.samples + k
                return

    def _find_stall(self, current: F64) -> None:
        for start in range(0, len(current), self.chunk):
            mean = float(current[start : start + self.chunk].mean())
            if mean >= self.partial:
                self._partial_since = None
            elif self._partial_since is None:
                self._partial_since = self.samples + start
        since = self._partial_since
        if self.crossing is not None or self.status is not None or since is None:
            return
        if self.samples + len(current) - since > self.patience + self.chunk:
            self.status = HopStatus.TOUCHED
            self.note = "the current stalled above the setpoint: the rim rests on an edge"
