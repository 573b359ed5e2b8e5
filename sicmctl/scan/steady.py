"""The reference current as many hops know it: better than the short time at one top does."""

from dataclasses import dataclass
from math import sqrt

_WALK = 1.3e-4
"""Random walk of a pipette's current, relative, in 1 s: 0.1 % in a minute."""
_JUMP = 3.0
"""Standard deviations that a hop's own reference may be off before it is believed alone."""


@dataclass
class SteadyReference:
    """Follows the reference current from hop to hop (a Kalman filter of one state).

    A reference that jumps (a clog, a wall beside the tip, another bias) begins it anew.
    """

    _level: float = 0.0
    _variance: float = 0.0
    _time: float = -1.0

    def see(self, time: float, level: float, sd: float) -> tuple[float, float]:
        """Take in a hop's own reference; return what is known by now, and its sd, A.

        time: when it was measured, s. level: magnitude without hum, A. sd: of `level`, A.
        """
        walked = self._variance + (_WALK * self._level) ** 2 * (time - self._time)
        off = level - self._level
        if self._level == 0.0 or off**2 > _JUMP**2 * (walked + sd**2):
            self._level, self._variance = level, sd**2
        else:
            gain = walked / (walked + sd**2)
            self._level += gain * off
            self._variance = (1 - gain) * walked
        self._time = time
        return self._level, sqrt(self._variance)
