"""Impedance of Randles' circuit and its variants.

R_s in series with: a double layer parallel to charge transfer and diffusion,

    Z = R_s + 1 / (Y_dl + 1 / (R_ct + Z_D)).

Double layer: C, or a constant phase element Y = Q (i w)**n. Diffusion: none; `infinite`, Warburg's
Z = sigma (1 - i) / sqrt(w) (Randles, Discuss. Faraday Soc. 1, 11, 1947); `blocked`, a layer that
nothing leaves at its far side, Z = sigma sqrt(2) coth(sqrt(i w T)) / sqrt(i w) (Ho, Raistrick and
Huggins, J. Electrochem. Soc. 127, 343, 1980), which is Warburg's for w T >> 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
C128 = NDArray[np.complex128]
Diffusion = Literal["none", "infinite", "blocked"]

UNITS = {
    "Rs": "ohm", "Rct": "ohm", "Cdl": "F", "Q": "S*s^n", "n": "", "sigma": "ohm/s^0.5", "T": "s",
}  # fmt: skip
"""Units of the parameters."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """Which elements there are. phase_element: instead of a capacitor as the double layer."""

    diffusion: Diffusion = "none"
    phase_element: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters."""
        layer = ("Q", "n") if self.phase_element else ("Cdl",)
        tail = {"none": (), "infinite": ("sigma",), "blocked": ("sigma", "T")}
        return ("Rs", "Rct", *layer, *tail[self.diffusion])

    def __str__(self) -> str:
        layer = "CPE" if self.phase_element else "C"
        tail = {"none": "", "infinite": "-W", "blocked": "-Wo"}[self.diffusion]
        return f"R({layer}[R{tail}])"

    def impedance(self, frequency: F64, p: Mapping[str, float]) -> C128:
        """Return Z, ohm, of the shape of `frequency` (Hz)."""
        s: C128 = (2j * np.pi * frequency).astype(np.complex128)
        layer = p["Q"] * s ** p["n"] if self.phase_element else p["Cdl"] * s
        faradaic = p["Rct"] + self._diffusion(s, p)
        return np.asarray(p["Rs"] + 1 / (layer + 1 / faradaic), np.complex128)

    def _diffusion(self, s: C128, p: Mapping[str, float]) -> C128 | float:
        if self.diffusion == "none":
            return 0.0
        warburg: C128 = p["sigma"] * np.sqrt(2) / np.sqrt(s)  # sqrt(2)/sqrt(i w) = (1 - i)/sqrt(w)
        if self.diffusion == "infinite":
            return warburg
        x: C128 = np.sqrt(s * p["T"])
        return warburg / np.tanh(np.where(x.real > 20, 20, x))  # tanh(20) is 1
