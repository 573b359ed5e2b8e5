"""Galvanostatic intermittent titration: rest potentials, resistance, relaxation, diffusion.

W. Weppner and R. A. Huggins, J. Electrochem. Soc. 124, 1569 (1977). For times short against L**2/D
the potential during a pulse changes linearly with the root of time, as Sand found, and

    D = (4 / pi) * (L * (dE_s / tau) / (dE / d sqrt(t)))**2

where dE_s is the change of the rest potential by a pulse of length tau. If that held over the whole
pulse, dE/d sqrt(t) would be dE_t / sqrt(tau), and so

    D = 4 / (pi tau) * (L * dE_s / dE_t)**2

L is the volume of the host over its area to the electrolyte: the thickness of a film that is
reached from one side, a third of the radius of a sphere.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sicmctl.data.echemdata import EchemData

from .segments import Part, parts, passed

F64 = NDArray[np.float64]

_IDLE = 0.02
"""Share of the greatest mean current below which a step is rest."""
_TAIL = 0.02
"""Share of a rest over whose end the potential is averaged."""
_LINEAR = (0.05, 0.5)
"""Share of the pulse, in time, over which the slope against the root of time is taken."""
_GROUND = 5
"""Samples that a slope needs."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """One pulse and the rest after it. Potentials V, currents A, charges C, times s.

    passed: charge since the technique began, at the end of the pulse. before, after: rest
    potentials. jump: drop of the potential as the current ends (first sample of the rest less last
    of the pulse); resistance: that over the current, ohm. relaxation: change from there to the end
    of the rest. transient: change during the pulse from its first sample to its last. slope:
    dE/d sqrt(t), V/s**0.5, over 5 to 50 % of the pulse. linearity: R**2 of that line.
    """

    start: float
    duration: float
    current: float
    charge: float
    passed: float
    before: float
    after: float
    jump: float
    relaxation: float
    transient: float
    slope: float
    linearity: float

    @property
    def resistance(self) -> float:
        """Of everything that answers within a sample, ohm."""
        return -self.jump / self.current

    def diffusivity(self, length: float) -> float:
        """D from the whole transient, m2/s. length: V/A of the host, m."""
        if not self.transient:
            return math.nan
        return 4 / (math.pi * self.duration) * (length * self._steady / self.transient) ** 2

    def diffusivity_by_slope(self, length: float) -> float:
        """D from the slope against the root of time, m2/s. length: V/A, m."""
        if not self.slope:
            return math.nan
        return 4 / math.pi * (length * self._steady / self.duration / self.slope) ** 2

    def brevity(self, length: float) -> float:
        """tau D / L**2, with D from the slope; the formulae hold where it is well below 1."""
        return self.duration * self.diffusivity_by_slope(length) / length**2

    @property
    def _steady(self) -> float:
        return self.after - self.before


def pulses(data: EchemData) -> list[Pulse]:
    """Return the pulses that a rest follows, in order."""
    all_parts = parts(data)
    means = [abs(float(np.mean(data.current[part.slice]))) for part in all_parts]
    least = _IDLE * max(means, default=0.0)
    found, so_far = [], 0.0
    rest = None
    for (part, mean), (after, following) in pairwise(zip(all_parts, means, strict=True)):
        so_far += passed(data, part)
        if mean <= least:
            rest = part
        elif following <= least and part.size >= _GROUND and after.size > 1:
            found.append(_pulse(data, rest, part, after, so_far))
    return found


def _pulse(data: EchemData, rest: Part | None, part: Part, after: Part, so_far: float) -> Pulse:
    time, potential = data.time[part.slice], data.potential[part.slice]
    start = part.step.start if math.isfinite(part.step.start) else float(time[0])
    if rest is not None and start >= time[0]:
        start = float(data.time[rest.slice.stop - 1])  # the step's start is its first sample
    relaxed = data.potential[after.slice]
    slope, linearity = _root_slope(time - start, potential)
    return Pulse(
        start=start,
        duration=float(time[-1]) - start,
        current=float(np.mean(data.current[part.slice])),
        charge=passed(data, part),
        passed=so_far,
        before=_tail(data.potential[rest.slice]) if rest else math.nan,
        after=_tail(relaxed),
        jump=float(relaxed[0] - potential[-1]),
        relaxation=_tail(relaxed) - float(relaxed[0]),
        transient=float(potential[-1] - potential[0]),
        slope=slope,
        linearity=linearity,
    )


def _tail(potential: F64) -> float:
    """Return the mean over the end of a rest."""
    return float(np.mean(potential[-max(1, round(_TAIL * potential.size)) :]))


def _root_slope(elapsed: F64, potential: F64) -> tuple[float, float]:
    """Return dE/d sqrt(t), V/s**0.5, and R**2."""
    share = elapsed / elapsed[-1]
    used = (share >= _LINEAR[0]) & (share <= _LINEAR[1]) & (elapsed > 0)
    if used.sum() < _GROUND:
        return math.nan, math.nan
    root, e = np.sqrt(elapsed[used]), potential[used]
    root, e = root - root.mean(), e - e.mean()
    slope = float(root @ e / (root @ root))
    whole = float(e @ e)
    return slope, 1 - float(((e - slope * root) ** 2).sum()) / whole if whole else math.nan


def rest_potentials(found: list[Pulse]) -> tuple[F64, F64]:
    """Return charge passed (C) and rest potential (V): before the first pulse, then after each."""
    if not found:
        return np.empty(0), np.empty(0)
    first = found[0]
    charge = [first.passed - first.charge, *(pulse.passed for pulse in found)]
    potential = [first.before, *(pulse.after for pulse in found)]
    known = np.isfinite(potential)
    return np.array(charge)[known], np.array(potential)[known]
