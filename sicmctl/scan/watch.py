"""What the host looks for while the tip falls."""

from dataclasses import dataclass, field

import numpy as np

from sicmctl.hal.capabilities import F64, AmplifierState
from sicmctl.hal.hop import HopStatus

_SMOOTHING = 3.0
"""Chunks over which the current is averaged to judge a stall."""
_CHUNKS = 3
"""Chunks over which it is averaged to judge a sag."""


@dataclass(slots=True)
class Watch:
    """Finds the crossing of the setpoint and every reason to end a fall.

    level: |current| at the setpoint, A. sign: of the current.
    debounce: consecutive samples below the level that make a crossing.
    state: how the amplifier was set at the top.
    touch_level: |current| below which tip and sample have met.
    partials, targets, patience: a current that stays below one of `partials` (A) for as many
        samples as `patience` says, and has not reached its target by then, has stalled: the rim of
        the tip rests on an edge beside its opening. Noise about a partial does not count as rising
        above it: that takes an average above `releases`. All of shape (n,), partials falling.
    chunk: samples over which the current is averaged to judge that.
    fast: whether the tip was falling fast at the end of the last block. No surface is expected
        there, so that the ramp ends as soon as the current sags below `sag` (A).
    sensing: whether the current had begun to fall at the end of the last block.
    crossing: index, from the start of the ramp, of the sample that completed the crossing.
    """

    level: float
    sign: float
    debounce: int
    state: AmplifierState
    touch_level: float
    partials: F64
    targets: F64
    patience: F64
    chunk: int
    releases: F64 | None = None
    fast: bool = False
    sag: float = 0.0
    run: int = 0
    crossing: int | None = None
    status: HopStatus | None = None
    note: str = ""
    samples: int = 0
    sensing: bool = False
    _since: F64 = field(default_factory=lambda: np.empty(0))
    _smooth: float = np.nan
    _last: F64 = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        self._since = np.full(len(self.partials), np.inf)

    def see(
        self,
        current: F64,
        saturated: bool,
        state: AmplifierState | None,
        quiet: F64 | None = None,
    ) -> bool:
        """Take in a block; return whether the ramp must end. quiet: the current without hum."""
        if state != self.state or not np.all(np.isfinite(current)):
            self.status = HopStatus.SETTINGS
            self.note = f"amplifier changed from {self.state} to {state}"
        elif saturated:
            self.status = HopStatus.OVERLOAD
        self._find_crossing(self.sign * current < self.level)
        self._find_stall(self.sign * (current if quiet is None else quiet))
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
        chunks = max(len(current) // self.chunk, 1)
        means = current[: chunks * self.chunk].reshape(chunks, -1).mean(axis=1)
        if not np.all(np.isfinite(means)):
            return
        self._find_sag(means)
        if not self.sensing and means.min() >= self.partials.max(initial=-np.inf):
            self._smooth = float(means[-int(_SMOOTHING) :].mean())
            return
        releases = self.partials if self.releases is None else self.releases
        for k, mean in enumerate(means):
            last = mean if np.isnan(self._smooth) else self._smooth
            self._smooth = last + (mean - last) / _SMOOTHING
            begun = np.minimum(self._since, self.samples + k * self.chunk)
            level = np.where(np.isfinite(self._since), releases, self.partials)
            self._since = np.where(self._smooth < level, begun, np.inf)
        self.sensing = bool(np.any(np.isfinite(self._since)))
        if self.crossing is not None or self.status is not None:
            return
        now = self.samples + len(current)
        late = now - self._since > self.patience + self.chunk
        if np.any(late & (means[-1] > self.targets)):
            self.status = HopStatus.TOUCHED
            self.note = "the current stalled above the setpoint: the rim rests on an edge"

    def _find_sag(self, means: F64) -> None:
        """While falling fast nothing is waited for: what sags is a surface."""
        self._last = np.concatenate((self._last, means))[-_CHUNKS:]
        if self.crossing is not None or self.status is not None or not self.fast:
            return
        if len(self._last) == _CHUNKS and self._last.mean() < self.sag:
            self.status = HopStatus.EARLY
            self.note = "the current sagged while the tip was still falling fast"
