"""What the host looks for while the tip falls."""

from dataclasses import dataclass, field

import numpy as np

from sicmctl.hal.capabilities import F64, AmplifierState
from sicmctl.hal.hop import HopStatus

from .rim import Rim

_CHUNKS = 3
"""Chunks over which the current is averaged to judge a sag."""


@dataclass(slots=True)
class Watch:
    """Finds the crossing of the setpoint and every reason to end a fall.

    level: |current| at the setpoint, A. sign: of the current.
    debounce: consecutive samples below the level that make a crossing.
    state: how the amplifier was set at the top.
    touch_level: |current| below which tip and sample have met.
    rim: tells whether the rim of the tip rests on an edge; None if no current tells that.
    chunk: samples over which the current is averaged to judge a sag.
    fast: whether the tip was falling fast at the end of the last block. No surface is expected
        there, so that the ramp ends as soon as the current sags below `sag` (A).
    crossing: index, from the start of the ramp, of the sample that completed the crossing.
    """

    level: float
    sign: float
    debounce: int
    state: AmplifierState
    touch_level: float
    chunk: int
    rim: Rim | None = None
    fast: bool = False
    sag: float = 0.0
    run: int = 0
    crossing: int | None = None
    status: HopStatus | None = None
    note: str = ""
    samples: int = 0
    _last: list[float] = field(default_factory=list)

    def see(
        self,
        current: F64,
        saturated: bool,
        state: AmplifierState | None,
        quiet: F64 | None = None,
        z: F64 | None = None,
    ) -> bool:
        """Take in a block; return whether the ramp must end.

        quiet: the current without hum, A. z: where the sensor saw the tip, m.
        """
        finite = bool(np.isfinite(current).all())
        if state != self.state or not finite:
            self.status = HopStatus.SETTINGS
            self.note = f"amplifier changed from {self.state} to {state}"
        elif saturated:
            self.status = HopStatus.OVERLOAD
        self._find_crossing(self.sign * current < self.level)
        if finite:
            self._find_stall(self.sign * (current if quiet is None else quiet), z)
        self.samples += len(current)
        return self.status is not None or self.crossing is not None

    def _find_crossing(self, below: np.ndarray) -> None:
        if self.crossing is not None:
            return
        if not below.any():
            self.run = 0
            return
        if self.debounce == 1:
            self.crossing = self.samples + int(below.argmax())
            return
        for k, is_below in enumerate(below.tolist()):
            self.run = self.run + 1 if is_below else 0
            if self.run >= self.debounce:
                self.crossing = self.samples + k
                return

    def _find_stall(self, current: F64, z: F64 | None) -> None:
        if self.fast:
            self._find_sag(current)
        if self.rim is None or z is None:
            return
        self.rim.see(current, z)
        if self.crossing is None and self.status is None and self.rim.rests:
            self.status = HopStatus.TOUCHED
            self.note = "the current stopped falling, the tip did not: its rim rests on an edge"

    def _find_sag(self, current: F64) -> None:
        """While falling fast nothing is waited for: what sags is a surface."""
        chunks = max(len(current) // self.chunk, 1)
        means = current[: chunks * self.chunk].reshape(chunks, -1).mean(axis=1)
        self._last = [*self._last, *means.tolist()][-_CHUNKS:]
        if self.crossing is not None or self.status is not None:
            return
        if len(self._last) == _CHUNKS and sum(self._last) < _CHUNKS * self.sag:
            self.status = HopStatus.EARLY
            self.note = "the current sagged while the tip was still falling fast"
