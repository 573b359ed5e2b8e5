"""From what was read during a hop to its record."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sicmctl.hal.capabilities import F64, Block, Positioner
from sicmctl.hal.hop import HopRecord, HopRequest, HopStatus

from . import motion
from .sense import Sense
from .top import Top
from .watch import Watch

_UNDISTURBED = (HopStatus.OK, HopStatus.NO_SURFACE)
"""Of a late host, what touched may only be seen when the ramp is over."""
_LAGS = 4.0
"""Lags of the stage after which it follows a new speed."""


@dataclass(frozen=True, slots=True)
class Recorder:
    """Makes records of hops; rate: samples/s."""

    stage: Positioner
    sense: Sense
    rate: float

    def record(
        self, request: HopRequest, top: Top, watch: Watch, first: int, blocks: list[Block]
    ) -> HopRecord:
        """Return the record of a fall, from the sample `first` on, in consecutive blocks."""
        whole = blocks[0].followed_by(*blocks[1:])
        position = self.stage.position(whole)
        curves = {"current": self.sense.watched(whole), **self._aligned(position)}
        if self.sense.detector is not None:
            curves |= self.sense.detector.curves(whole)
        rest = max(round(0.4e-3 * self.rate), 4)
        z_stop = float(position["z"][-rest:].mean())
        status = watch.status or HopStatus.OK
        touched = self.sense.met(whole) or self._touched(curves["current"], watch)
        if status in _UNDISTURBED and touched:
            status = HopStatus.TOUCHED
        elif status is HopStatus.OK and _fell_fast(request, z_stop):
            status = HopStatus.EARLY
        return HopRecord(
            request=request,
            status=status,
            first=first,
            rate=self.rate,
            curves=curves,
            stop=self._stop_index(position["z"], z_stop, watch, len(whole)),
            reference=top.level,
            reference_sd=top.error,
            reference_samples=top.samples,
            noise=top.noise,
            z_stop=z_stop,
            bandwidth=top.state.bandwidth,
            slow=_slow_part(curves["z"], request, self._onset),
            note=watch.note,
        )

    def refused(self, request: HopRequest, top: Top, first: int) -> HopRecord:
        """Return the record of a hop that ended at the top."""
        nothing = np.empty(0)
        return HopRecord(
            request=request,
            status=top.status,
            first=first,
            rate=self.rate,
            curves={"current": nothing, "x": nothing, "y": nothing, "z": nothing},
            stop=0,
            reference=top.level,
            reference_sd=top.error,
            reference_samples=top.samples,
            noise=top.noise,
            z_stop=self.stage.commanded["z"],
            bandwidth=top.state.bandwidth,
            note=top.note,
        )

    @property
    def _onset(self) -> int:
        """Samples in which a fall gathers speed, the lag of the stage included."""
        return round((motion.ONSET + _LAGS * self.stage.axes["z"].lag) * self.rate)

    def _aligned(self, position: Mapping[str, F64]) -> dict[str, F64]:
        """Take the sensors' delay out, so that every curve belongs to the sample clock."""
        out: dict[str, F64] = {}
        for name, seen in position.items():
            late = self.stage.axes[name].sensor_delay * self.rate
            index = np.arange(len(seen), dtype=np.float64)
            out[name] = np.interp(index + late, index, seen) if late else seen
        return out

    def _touched(self, current: F64, watch: Watch) -> bool:
        """Whether the current, averaged over a tenth of a millisecond, fell to contact."""
        few = max(round(1e-4 * self.rate), 1)
        smooth = np.convolve(current, np.full(few, 1 / few), mode="valid")
        return bool(np.fmin.reduce(watch.sign * smooth) < watch.touch_level)

    def _stop_index(self, z: F64, z_stop: float, watch: Watch, samples: int) -> int:
        """The sample at which the sensor first saw the height of the stop, after the crossing."""
        if watch.crossing is None:
            return samples
        noise = max(3 * self.stage.axes["z"].sensor_noise, 0.5e-9)
        reached = np.flatnonzero(z[watch.crossing :] <= z_stop + noise)
        return watch.crossing + (int(reached[0]) if len(reached) else 0)


def _fell_fast(request: HopRequest, z: float) -> bool:
    """Whether the ramp is still fast at z."""
    return request.fast is not None and request.slow_from is not None and z > request.slow_from


def _slow_part(z: F64, request: HopRequest, onset: int) -> int:
    """Return the sample from which on the tip fell steadily at its rate, by the sensor."""
    if request.fast is None or request.slow_from is None:
        return min(onset, len(z))
    low = np.flatnonzero(z <= request.slow_from)
    return int(low[0]) if len(low) else len(z)
