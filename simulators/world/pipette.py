"""The ion current through a nanopipette's tip.

The tip's resistance is that of a truncated cone and a Hall access resistance, plus an excess
R_ex(d) = B(d/r_i; RG) / (2 pi kappa d) over an insulating plane at gap d. B comes from our own
axisymmetric finite-element solutions (half cone angles 3-8 deg agree within 1 %); it ends at
the image-charge limit 1/4 far away and at the lubrication limit, about ln(RG), in contact.
"""

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.compiled import lean
from simulators.config import PipetteConfig
from simulators.world.pack import packed

_DELTA = np.array(
    [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0,
     1.2, 1.4, 1.7, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 40.0]
)  # fmt: skip
_RG = np.array([1.3, 1.5, 1.7, 2.0, 2.5])
_B = np.array([
    [.329, .380, .428, .471, .483, .482, .475, .465, .454, .443, .432, .422,
     .404, .388, .369, .354, .336, .323, .305, .294, .280, .270, .261, .250],
    [.465, .509, .547, .575, .575, .564, .549, .532, .515, .499, .483, .469,
     .444, .424, .399, .380, .356, .339, .317, .304, .287, .274, .263, .250],
    [.585, .623, .654, .670, .660, .641, .619, .596, .573, .552, .533, .515,
     .484, .458, .428, .404, .376, .356, .330, .313, .294, .278, .265, .250],
    [.741, .773, .795, .797, .776, .747, .716, .685, .656, .629, .604, .581,
     .541, .509, .470, .441, .405, .380, .347, .327, .303, .285, .270, .250],
    [.957, .981, .993, .979, .944, .903, .861, .821, .782, .747, .714, .685,
     .633, .591, .540, .501, .453, .420, .377, .350, .319, .295, .275, .250],
])  # fmt: skip

R0 = 0.196
"""Offset of the parallel combination of sectors, fitted to 3-D finite-element solutions."""
SECTORS = 12
RING_RADII = (0.5, 1.0, 1.7)
RING_WEIGHTS = (0.09, 0.07, 0.84)
"""Of the harmonic mean of the gap along a sector; fitted to tilts of 10-40 deg and a step."""
_CELLS = 4096


def excess_b(delta: ArrayLike, radius_ratio: float) -> NDArray[np.float64]:
    """B(delta; RG): PCHIP in ln(delta), linear in RG, both held at the ends of the table.

    delta: gap over inner radius, any shape.
    """
    from scipy.interpolate import PchipInterpolator  # noqa: PLC0415  slow to import

    rg = min(max(radius_ratio, _RG[0]), _RG[-1])
    column = [np.interp(rg, _RG, _B[:, k]) for k in range(_DELTA.size)]
    clipped = np.clip(np.asarray(delta, dtype=float), _DELTA[0], _DELTA[-1])
    return PchipInterpolator(np.log(_DELTA), column)(np.log(clipped))


@cache
def _admittance_table(radius_ratio: float) -> NDArray[np.float64]:
    """1/(R0 + r(s)) on a uniform grid of s/(1+s), where s = r_i/gap and r = B s/(2 pi).

    In this variable the function is nearly a ratio of straight lines, so that linear
    interpolation is good to 2e-6 without a logarithm per sample.
    """
    t = np.linspace(0.0, 1.0, _CELLS + 1)[:-1]
    s = t / (1 - t)
    b = excess_b(1 / np.maximum(s, 1e-9), radius_ratio)
    table = np.append(1 / (R0 + b * s / (2 * np.pi)), 0.0)
    table.flags.writeable = False
    return table


class Tip(NamedTuple):
    """What the compiled code needs of a pipette (SI)."""

    radius: float
    contact_radius: float
    far_resistance: float
    excess_resistance: float
    """1/(kappa r_i), times the factors of a permeable sample and of dirt at the rim."""
    series_resistance: float
    rectification: float
    rectification_potential: float
    table: NDArray[np.float64]


@dataclass(frozen=True)
class Pipette:
    """A conical nanopipette over a sample of given permeability."""

    inner_radius: float
    outer_radius: float
    config: PipetteConfig
    permeability: float = 0.0
    bath_concentration: float = 1000.0
    dirt: float = 0.0
    """Share of the rim that dirt keeps the current from passing."""

    @classmethod
    def new(cls, config: PipetteConfig, permeability: float = 0.0) -> "Pipette":
        """The pipette of the configuration, unbroken."""
        outer = config.inner_radius * config.radius_ratio
        return cls(config.inner_radius, outer, config, permeability, config.bath_concentration)

    def broken(self, length: float) -> "Pipette":
        """The pipette with `length` (m) snapped off its end."""
        wider = length * math.tan(self.config.half_cone_angle)
        return replace(
            self, inner_radius=self.inner_radius + wider, outer_radius=self.outer_radius + wider
        )

    @property
    def far_resistance(self) -> float:
        """Cone plus access resistance far from anything (ohm), tip and bath alike."""
        c, r = self.config, self.inner_radius
        cone = (1 - r / c.shank_radius) / (c.conductivity * math.pi * r)
        return cone / math.tan(c.half_cone_angle) + 1 / (4 * c.conductivity * r)

    def tip(self) -> Tip:
        """The numbers the compiled code works with."""
        c = self.config
        gain = concentration_factor(c, self.bath_concentration)
        blocked = (1 - self.permeability) / (1 + self.permeability) / (1 - self.dirt)
        log_ratio = math.log(c.concentration / self.bath_concentration)
        return Tip(
            radius=self.inner_radius,
            contact_radius=c.contact_ratio * self.inner_radius,
            far_resistance=self.far_resistance / gain,
            excess_resistance=blocked / (c.conductivity * self.inner_radius * gain),
            series_resistance=c.series_resistance,
            rectification=c.rectification + c.rectification_per_log * log_ratio,
            rectification_potential=max(c.rectification_potential, 1e-9),
            table=_admittance_table(self.outer_radius / self.inner_radius),
        )

    def current(self, gap: ArrayLike, potential: float) -> NDArray[np.float64]:
        """Current (A) over a flat sample at the gaps (m), any shape; noise-free."""
        tip, gaps = packed(self.tip()), np.asarray(gap, dtype=float)
        g = [flat_conductance(tip, d) for d in gaps.ravel()]
        return rectified(tip, potential) * np.array(g).reshape(gaps.shape)


def concentration_factor(config: PipetteConfig, bath: float) -> float:
    """Conductance at bath concentration `bath` (mol/m3) over that at the filling concentration.

    `logmean`: an electroneutral salt in a cone at steady state varies linearly in 1/r, and its
    conductivity linearly with it, which gives (x-1)/ln x of x = bath/filling.
    """
    x = bath / config.concentration
    if abs(x - 1) < 1e-6:
        return 1 + (x - 1) / 2 if config.concentration_model == "logmean" else 1.0
    if config.concentration_model == "logmean":
        return (x - 1) / math.log(x)
    if config.concentration_model == "power":
        return x**config.concentration_exponent
    # Casteel-Amis-like: conductivity c exp(-c / 1 M), at its maximum at 1 M
    c = config.concentration / 1e3 * np.linspace(1, x, 257)
    conductivity = c * np.exp(-c)
    return float(1 / np.mean(conductivity[0] / conductivity))


@lean()
def _admittance(tip, part, whole):
    """1/(R0 + r) at s = r_i/gap, given as part / whole: it takes no more than one division."""
    t = part / (part + whole) * _CELLS
    k = min(int(t), _CELLS - 1)
    low = tip.table[k]
    return low + (t - k) * (tip.table[k + 1] - low)


@lean()
def flat_conductance(tip, gap):
    """Conductance (S) at `gap` (m) over a plane."""
    excess = 1.0 / _admittance(tip, tip.radius, max(gap, 1e-12)) - R0
    return 1.0 / (tip.far_resistance + tip.excess_resistance * excess + tip.series_resistance)


@lean()
def far_conductance(tip):
    """Conductance (S) far from the sample."""
    return 1.0 / (tip.far_resistance + tip.series_resistance)


@lean()
def conductance(tip, local, z, floor):
    """Conductance (S) of a tip at height z over the heights `local` under it.

    Each of 12 sectors leaks through the harmonic mean of its gaps; the sectors act in parallel.
    Within the range of tilts and steps it was fitted to (3-D finite elements) R_ex is good to
    7 % rms, 20 % at worst. Gaps are kept at or above `floor` (m): a touching rim still leaks.

    local: shape (SECTORS, 3), m.
    """
    total = 0.0
    w0, w1, w2 = RING_WEIGHTS
    for t in range(SECTORS):
        a = max(z - local[t, 0], floor)
        b = max(z - local[t, 1], floor)
        c = max(z - local[t, 2], floor)
        part = tip.radius * (w0 * b * c + w1 * a * c + w2 * a * b)
        total += _admittance(tip, part, a * b * c)
    excess = SECTORS / total - R0
    return 1.0 / (tip.far_resistance + tip.excess_resistance * excess + tip.series_resistance)


@lean()
def rectified(tip, potential):
    """The potential (V) that a pipette without rectification would need for the same current."""
    bend = math.tanh(potential / tip.rectification_potential)
    return potential * (1.0 + tip.rectification * bend)
