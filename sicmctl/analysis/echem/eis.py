"""Fit of Randles' circuit to an impedance spectrum.

Residuals are (Z_model - Z)/|Z|, real and imaginary part: each point weighs by its relative error.
Among circuits, the one with the least Bayesian information criterion is taken.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sicmctl.data.echemdata import WRONG, EchemSpectrum

from .circuits import C128, F64, Circuit
from .fitting import Fitted, fit_positive

CIRCUITS = tuple(
    Circuit(diffusion, element)
    for diffusion in ("none", "infinite", "blocked")
    for element in (False, True)
)
LEAST = 5
"""Points that a fit needs."""
_TRIES = 3
"""Of the guesses, how many are followed up."""
_BETTER = 6.0
"""Advantage in the criterion that a richer circuit must have (Kass and Raftery, J. Am. Stat. Assoc.
90, 773, 1995: from there the evidence is strong)."""


@dataclass(frozen=True, slots=True)
class RandlesFit:
    """values, sds: by name (`circuits.UNITS`). error: rms of the relative residuals, per part."""

    circuit: Circuit
    values: Mapping[str, float]
    sds: Mapping[str, float]
    error: float

    def impedance(self, frequency: F64) -> C128:
        """Return the circuit's impedance, ohm."""
        return self.circuit.impedance(frequency, self.values)


def spectra(spectrum: EchemSpectrum) -> Iterator[tuple[int, EchemSpectrum]]:
    """Yield number of the step and points of each spectrum; points with flags of error left out."""
    good = (spectrum.flags & np.uint8(WRONG)) == 0
    good &= np.isfinite(spectrum.impedance) & (spectrum.impedance != 0) & (spectrum.frequency > 0)
    cuts = np.flatnonzero(np.diff(spectrum.step)) + 1
    for first, end in pairwise([0, *cuts.tolist(), len(spectrum)]):
        if end > first:
            here = np.flatnonzero(good[first:end]) + first
            names = EchemSpectrum.__dataclass_fields__
            yield (
                int(spectrum.step[first]),
                EchemSpectrum(**{name: getattr(spectrum, name)[here] for name in names}),
            )


def fit_best(frequency: F64, z: C128, circuits: Iterable[Circuit] = CIRCUITS) -> RandlesFit:
    """Fit each circuit and return the one that the data ask for. Raises ValueError as `fit`."""
    best: tuple[RandlesFit, Fitted] | None = None
    for circuit in sorted(circuits, key=lambda c: len(c.parameters)):
        if 2 * frequency.size <= len(circuit.parameters) + 1:
            continue
        found = _fit(frequency, z, circuit)
        if best is None or found[1].bic < best[1].bic - _BETTER:
            best = found
    if best is None:
        raise ValueError(f"a fit needs at least {LEAST} points")
    return best[0]


def fit(frequency: F64, z: C128, circuit: Circuit) -> RandlesFit:
    """Fit one circuit to points of shape (n,): Hz, ohm. Raises ValueError for too few points."""
    return _fit(frequency, z, circuit)[0]


def _fit(frequency: F64, z: C128, circuit: Circuit) -> tuple[RandlesFit, Fitted]:
    if frequency.size < LEAST:
        raise ValueError(f"a fit needs at least {LEAST} points; there are {frequency.size}")
    size = np.abs(z)

    def residuals(p: Mapping[str, float]) -> F64:
        relative = (circuit.impedance(frequency, p) - z) / size
        return np.concatenate([relative.real, relative.imag])

    most = {"n": 1.0} | dict.fromkeys(("Rs", "Rct"), 1e3 * float(size.max()))
    likely = sorted(_starts(frequency, z, circuit), key=lambda p: float(np.sum(residuals(p) ** 2)))
    fits = (fit_positive(residuals, p, most) for p in likely[:_TRIES])
    fitted = min(fits, key=lambda found: found.cost)
    error = float(np.sqrt(fitted.cost / fitted.count))
    return RandlesFit(circuit, fitted.values, fitted.sds, error), fitted


def _starts(frequency: F64, z: C128, circuit: Circuit) -> Iterator[dict[str, float]]:
    """Yield guesses: R_s from the highest frequency, the semicircle as wide as different shares of
    the whole, its top where -Im Z is most or elsewhere within the spectrum."""
    order = np.argsort(frequency)
    low, high = float(frequency[order[0]]), float(frequency[order[-1]])
    rs = max(float(z.real[order[-1]]), 1e-3 * float(np.abs(z).min()))
    width = max(float(np.ptp(z.real)), 1e-3 * rs)
    slow = float(abs(z.imag[order[0]])) + 1e-6 * width
    for share in (0.9, 0.4, 0.1):
        for top in np.geomspace(low, high, 9):
            rct = share * width
            capacitance = 1 / (2 * np.pi * float(top) * rct)
            guess = {"Rs": rs, "Rct": rct, "Cdl": capacitance, "Q": capacitance, "n": 0.9}
            omega = 2 * np.pi * low
            for layer in (1.0, 1e-2) if circuit.diffusion == "blocked" else (1.0,):
                guess["T"] = layer / omega
                guess["sigma"] = slow * float(np.sqrt(omega * layer))
                yield {name: guess[name] for name in circuit.parameters}
