"""Rest potential of graphite against lithium: the multi-species, multi-reaction model."""

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled

FARADAY, GAS = 96485.33212, 8.31446261815324

_POTENTIALS = np.array([0.08843, 0.12799, 0.14331, 0.16984, 0.21446, 0.36325])
_SHARES = np.array([0.43336, 0.23963, 0.15018, 0.05462, 0.06744, 0.05476])
_WIDTHS = np.array([0.08611, 0.08009, 0.72469, 2.53277, 0.0947, 5.97354])
"""U_j (V), X_j and w_j of Verbrugge et al., J. Electrochem. Soc. 164, E3243 (2017)."""

_REACH, _POINTS = 20.0, 8193
"""The table's range in logit x, either way, and its length."""
_TINY, _STEEP = 1e-8, 1e3
"""Volts per unit of stoichiometry outside (0, 1), so that no current leads there."""


def stoichiometry(
    potential: NDArray[np.float64], narrowest: float, temperature: float
) -> NDArray[np.float64]:
    """x = sum of X_j / (1 + exp(F (U - U_j) / (R T w_j))) at rest potentials U (V).

    narrowest: no w_j is taken smaller than this; a heterogeneous electrode smears narrow peaks.
    """
    return _occupied(potential, narrowest, temperature)[0]


def table(narrowest: float, temperature: float) -> NDArray[np.float64]:
    """U and dU/d(place), V, at `_POINTS` equidistant values of ln(x / (1 - x)) from -20 to 20."""
    u = np.linspace(-6.0, 6.0, 60001)
    x, rest, _ = _occupied(u, narrowest, temperature)
    wanted = np.linspace(-_REACH, _REACH, _POINTS)
    u = np.interp(wanted, np.log(x / rest)[::-1], u[::-1])
    per_logit = np.zeros_like(u)
    for _ in range(4):  # Newton
        x, rest, slope = _occupied(u, narrowest, temperature)
        per_logit = x * rest / slope
        u += (wanted - np.log(x / rest)) * per_logit
    return np.stack([u, per_logit * (wanted[1] - wanted[0])], axis=1)


def _occupied(
    potential: NDArray[np.float64], narrowest: float, temperature: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """x, 1 - x (each exact where it is small) and dx/dU (1/V)."""
    widths = np.maximum(_WIDTHS, narrowest) * GAS * temperature / FARADAY
    z = (np.asarray(potential)[..., None] - _POTENTIALS) / widths
    shares = _SHARES / _SHARES.sum()
    full, empty = 1 / (1 + np.exp(np.clip(z, -700, 700))), 1 / (1 + np.exp(np.clip(-z, -700, 700)))
    slope = -(shares * full * empty / widths).sum(axis=-1)
    return (shares * full).sum(axis=-1), (shares * empty).sum(axis=-1), slope


@compiled(inline="always")
def rest_potential(x, points):
    """U (V) at stoichiometry x, from `table` by cubic Hermite; monotone beyond 0 and 1 too."""
    inside = min(max(x, _TINY), 1 - _TINY)
    place = (math.log(inside / (1 - inside)) + _REACH) * ((_POINTS - 1) / (2 * _REACH))
    i = int(place)
    t = place - i
    rise = points[i + 1, 0] - points[i, 0]
    u = points[i, 0] + t * rise
    u += t * (1 - t) * ((1 - t) * (points[i, 1] - rise) - t * (points[i + 1, 1] - rise))
    return u - _STEEP * (x - inside)
