"""The nano-circuitry model of a layered porous electrode, and its fit to a voltammogram.

The slits between layers are capacitors C_s to the electrode, joined in a ladder by corners; a
corner's resistance follows the charge of the slit before it, R_i = R_c (1 - gamma Q_i / Q_i,max).
gamma = 0 is the transmission line. As its authors do (Zhan et al.), Q_i and Q_i,max are those of
the transmission line driven alike; node 0 is the open space in front of the first slit.

The equations C v' = ..., I = (E - E_0 - v_0) / R_o are integrated by the implicit Euler method with
R held over a step: a tridiagonal, symmetric and positive system each, whatever the step.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .fitting import fit_free
from .segments import turning_points

F64 = NDArray[np.float64]

_PER_SWEEP = 400
"""Steps from one turning point to the next; the charge is then right to 0.3 %."""
_PASSES = 3
"""Sweeps there and back that a record is continued to, to find the most charge of each slit."""
_FLOOR = 0.02
"""A corner's resistance never falls below this share of R_c."""
_STEEPEST = 0.95
"""Largest size of gamma that is tried."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """corner: R_c, ohm. slit: C_s, F. layers: one more than there are slits. gamma: -0.9 to 0.9.

    entrance: resistance of the open space, as a share of R_c. open_space: its capacitance, as a
    share of C_s. zero: potential of zero charge, V.
    """

    corner: float
    slit: float
    gamma: float = 0.0
    layers: int = 20
    entrance: float = 1.0
    open_space: float = 0.1
    zero: float = 0.0


@dataclass(frozen=True, slots=True)
class NcmFit:
    """The ladder that fits best. sds: standard uncertainties of `corner`, `slit` and `gamma`.

    error: rms of the residuals over the rms current. model: current at the samples, A, shape (n,).
    """

    ladder: Ladder
    sds: Mapping[str, float]
    error: float
    model: F64


def current(ladder: Ladder, potential: F64, dt: float) -> F64:
    """Return the current (A) at the ends of steps of `dt` s to these potentials (V), shape (n,).

    The electrode starts uncharged. What is to be normalised by is found in the same record, which
    is continued until it holds three sweeps there and back.
    """
    drive = potential - ladder.zero
    capacitance = np.full(ladder.layers, ladder.slit)
    capacitance[0] *= ladder.open_space
    charges = capacitance * _line(ladder, capacitance, drive, dt)
    most = np.abs(charges).max(axis=0)
    most[most == 0] = np.inf
    corners = np.maximum(1 - ladder.gamma * charges / most, _FLOOR) * ladder.corner
    corners[:, 0] = ladder.corner  # that of the open space is not one of the model's
    corners = corners[: potential.size, :-1]
    return _integrate(ladder, capacitance, drive, corners, dt)


def _line(ladder: Ladder, capacitance: F64, drive: F64, dt: float) -> F64:
    """Return the transmission line's potentials across the slits, V, shape (>= n, layers)."""
    turns = max(turning_points(drive).size - 1, 1)
    passes = -(-2 * _PASSES // turns) if turns < 2 * _PASSES else 1
    drive = np.tile(drive, passes)
    n = ladder.layers
    matrix = np.zeros((n, n))
    link = 1 / ladder.corner
    for i in range(n - 1):
        matrix[i : i + 2, i : i + 2] += link * np.array([[1, -1], [-1, 1]])
    matrix[0, 0] += 1 / (ladder.entrance * ladder.corner)
    # one implicit step is v -> P v + drive * q, the same for all steps: modes are geometric series
    root = np.sqrt(capacitance)
    rates, modes = np.linalg.eigh(matrix / np.outer(root, root))
    keep = 1 / (1 + dt * rates)
    push = modes[0] / root[0] / (ladder.entrance * ladder.corner) * dt * keep
    from scipy.signal import lfilter  # noqa: PLC0415  (slow to import)

    amplitudes = np.column_stack(
        [lfilter([b], [1, -a], drive) for a, b in zip(keep.tolist(), push.tolist(), strict=True)]
    )
    return amplitudes @ modes.T / root


def _integrate(ladder: Ladder, capacitance: F64, drive: F64, corners: F64, dt: float) -> F64:
    """Return the current for corners (ohm) of shape (n, layers - 1)."""
    entrance = ladder.entrance * ladder.corner
    links = 1 / corners
    stored = capacitance / dt
    diagonal = np.tile(stored, (drive.size, 1))
    diagonal[:, :-1] += links
    diagonal[:, 1:] += links
    diagonal[:, 0] += 1 / entrance
    v = np.zeros(ladder.layers)
    out = np.empty(drive.size)
    from scipy.linalg import get_lapack_funcs  # noqa: PLC0415  (slow to import)

    (solve,) = get_lapack_funcs(("ptsv",), (v,))
    for k, level in enumerate(drive.tolist()):
        right = stored * v
        right[0] += level / entrance
        v = solve(diagonal[k], -links[k], right)[2]
        out[k] = (level - v[0]) / entrance
    return out


def fit(time: F64, potential: F64, measured: F64, start: Ladder) -> NcmFit:
    """Fit gamma, R_c and C_s to a voltammogram of an electrode that was uncharged: s, V, A.

    start: a guess, and what is not fitted (layers, open space, potential of zero charge).
    Samples on either side of a turning point are left out. Raises ValueError for fewer than 50
    samples or less than one sweep there and back.
    """
    turns = turning_points(potential)
    if time.size < 50 or turns.size < 3:
        raise ValueError("the fit needs a sweep there and back, of 50 samples at least")
    sweep = float(np.median(np.diff(time[turns])))
    dt = sweep / _PER_SWEEP
    grid = np.arange(time[0], time[-1] + dt, dt)
    drive = np.interp(grid, time, potential)
    used = np.ones(time.size, bool)
    for turn in turns.tolist():
        used[max(turn - 2, 0) : turn + 3] = False
    scale = float(np.sqrt(np.mean(measured[used] ** 2)))

    def model(p: Mapping[str, float]) -> F64:
        ladder = _ladder(start, p)
        return np.interp(time, grid, current(ladder, drive, dt))

    fitted = fit_free(
        lambda p: (model(p) - measured)[used] / scale,
        {"corner": np.log(start.corner), "slit": np.log(start.slit), "gamma": start.gamma},
        {"gamma": (-_STEEPEST, _STEEPEST)},
        logarithmic=("corner", "slit"),
    )
    values = dict(fitted.values)
    best = replace(start, **values)
    logs = {"corner": np.log(best.corner), "slit": np.log(best.slit), "gamma": best.gamma}
    error = float(np.sqrt(fitted.cost / fitted.count))
    return NcmFit(best, fitted.sds, error, model(logs))


def _ladder(start: Ladder, p: Mapping[str, float]) -> Ladder:
    corner, slit = float(np.exp(p["corner"])), float(np.exp(p["slit"]))
    return replace(start, corner=corner, slit=slit, gamma=float(p["gamma"]))
