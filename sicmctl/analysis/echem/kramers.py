"""Does a spectrum obey the Kramers-Kronig relations? If not, the cell was not linear or not steady.

A series of R parallel C with fixed time constants obeys them whatever its resistances; if it fits,
so does the spectrum (Boukamp, J. Electrochem. Soc. 142, 1885, 1995). There are four links a decade,
with an inductor and a capacitor in series; all are found by linear least squares.
"""

import math
from dataclasses import dataclass

import numpy as np

from .circuits import C128, F64

_PER_DECADE = 4
"""Fewer leave the ripple of their spacing; more fit the noise."""


@dataclass(frozen=True, slots=True)
class KramersKronig:
    """residuals: (Z - model)/|Z|, complex, shape (n,). links: of the model."""

    residuals: C128
    links: int

    @property
    def worst(self) -> float:
        """Largest part of a residual."""
        return float(np.max(np.abs([self.residuals.real, self.residuals.imag]), initial=0.0))

    @property
    def rms(self) -> float:
        """Per part."""
        parts = np.concatenate([self.residuals.real, self.residuals.imag])
        return float(np.sqrt(np.mean(parts**2)))


def check(frequency: F64, z: C128) -> KramersKronig:
    """Check a spectrum of shape (n,): Hz, ohm. Raises ValueError for fewer than 5 points."""
    if frequency.size < 5:
        raise ValueError(f"the check needs at least 5 points; there are {frequency.size}")
    omega = 2 * np.pi * frequency
    decades = math.log10(float(omega.max() / omega.min()))
    links = max(2, min(round(_PER_DECADE * decades) + 1, frequency.size))
    constants = np.geomspace(1 / omega.max(), 1 / omega.min(), links)
    columns = np.column_stack(
        [
            np.ones_like(omega, np.complex128),
            1 / (1 + 1j * np.outer(omega, constants)),
            1j * omega,
            1 / (1j * omega),
        ]
    )
    size = np.abs(z)
    weighted = columns / size[:, None]
    scale = np.linalg.norm(weighted, axis=0)
    matrix = np.concatenate([weighted.real, weighted.imag]) / scale
    target = np.concatenate([(z / size).real, (z / size).imag])
    solution = np.linalg.lstsq(matrix, target, rcond=None)[0] / scale
    return KramersKronig((z - columns @ solution) / size, links)
