"""Returning to one place of a scan, again and again, to see how its sample creeps along z.

The place is a flat one, where a creep sideways does not look like one along z. The first returns
follow each other soon, for nothing is known of the drift yet; then every so many seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import hypot, inf

import numpy as np

from sicmctl.hal.quantity import show
from sicmctl.messages import DriftMeasured, Message, Note

from .drift import DriftTrack

_FIRST = 1.0
"""Seconds from the first good height to the first return; each later gap is twice as long."""
_NEIGHBOUR = 1.6
"""Places within this many pitches tell the slope."""
_REMEMBERED = 400
"""Places among which a flat one is looked for: the latest."""
_BETTER = 0.5
"""A place is given up for one whose slope is less than this part of its own."""
_PATIENCE = 2
"""Returns without a good height after which another place is chosen."""


_SIGMAS = 6.0
"""A place further than so many standard uncertainties from where drift leads has not drifted."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place with a good height. index: of the target. x, y, height: m; height in the frame of
    the scan's start, sd: standard uncertainty without that of the drift, drift_sd: of the drift.
    """

    index: int
    time: float
    x: float
    y: float
    height: float
    sd: float
    drift_sd: float


@dataclass
class Revisits:
    """Says when and where to return; keeps the track of the drift along z.

    every: s between returns in the long run. pitch: of the scan, m.
    """

    every: float
    pitch: float
    track: DriftTrack
    publish: Callable[[Message], None]
    _seen: list[Place] = field(default_factory=list)
    _anchor: Place | None = None
    _slope: float = inf
    _returned: bool = False
    _gap: float = _FIRST
    _due: float = inf
    _missed: int = 0
    _doubt: float = inf

    def see(self, place: Place) -> None:
        """Take in a good height."""
        if not self.track.known:
            self.track.begin(place.time)
            self._due = place.time + self._gap
        self._seen = [*self._seen[1 - _REMEMBERED :], place]

    def due(self, time: float) -> Place | None:
        """Return where to go at this time, s, None if nowhere."""
        if time < self._due:
            return None
        self._choose()
        return self._anchor

    def measured(self, time: float, height: float, sd: float) -> None:
        """Take in what a return found: the height as the sensor has it, m, and its sd."""
        anchor = self._anchor
        assert anchor is not None, "nothing is measured before it was chosen"
        found, found_sd = height - anchor.height, hypot(sd, anchor.sd, anchor.drift_sd)
        expected, expected_sd = self.track.at(time)
        if abs(found - expected) > _SIGMAS * hypot(found_sd, expected_sd):
            text = (
                f"returned to find the sample {show(found - expected, 'm')} from where its drift "
                "leads: that is none, and is not followed"
            )
            self.publish(Note(time=time, text=text, author="engine"))
            self.missed(time)
            return
        self.track.measure(time, found, found_sd)
        offset, offset_sd = self.track.at(time)
        self.publish(
            DriftMeasured(
                time=time, method="revisit", z=offset, z_sd=offset_sd, rate_z=self.track.rate
            )
        )
        self._missed, self._doubt, self._returned = 0, inf, True
        self._gap = min(2 * self._gap, self.every)
        self._due = time + self._gap

    def missed(self, time: float) -> None:
        """A return found no good height: come again, and after some such to a place seen since."""
        self._missed += 1
        self._doubt = min(self._doubt, time)
        if self._missed >= _PATIENCE:
            self._seen = [place for place in self._seen if place.time >= self._doubt]
            self._anchor, self._slope, self._missed, self._doubt = None, inf, 0, inf
        self._due = time + self._gap

    def _choose(self) -> None:
        """Keep the present place unless there is a much flatter one."""
        slopes = _slopes(self._seen, _NEIGHBOUR * self.pitch)
        if not len(slopes):
            return
        flattest = int(np.argmin(slopes))
        if self._anchor is not None and slopes[flattest] > _BETTER * self._slope:
            return
        place = self._seen[flattest]
        if not self._returned:  # then offsets may as well count from this place's own time
            self.track.begin(place.time)
            place = replace(place, drift_sd=0.0)
        self._anchor, self._slope, self._missed = place, float(slopes[flattest]), 0


def _slopes(places: list[Place], reach: float) -> np.ndarray:
    """Steepest way from each place to one within reach, at least what its uncertainty hides.

    Places with fewer than two neighbours come last, best known first.
    """
    if not places:
        return np.empty(0)
    x, y, height, sd = (
        np.array([getattr(p, name) for p in places]) for name in ("x", "y", "height", "sd")
    )
    away = np.hypot(x - x[:, None], y - y[:, None])
    near = (away > 0) & (away <= reach)
    rise = np.abs(height - height[:, None]) / np.where(near, away, inf)
    least = sd / max(reach, 1e-12)
    slopes = np.maximum(rise.max(axis=1), least)
    return np.where(near.sum(axis=1) >= 2, slopes, 1e6 * (1 + least))
