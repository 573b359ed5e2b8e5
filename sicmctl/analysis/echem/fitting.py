"""Least squares with positive parameters and their uncertainties."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_REACH = 25.0
"""How far a positive parameter may go from its start, as a logarithm."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Result of a fit. values, sds: by name, SI. cost: sum of squared residuals.

    sds: standard uncertainties from the covariance of the residuals, scaled by what the residuals
    are (so weights need only be right relative to each other); NaN if the data do not hold a
    parameter. count: of residuals.
    """

    values: dict[str, float]
    sds: dict[str, float]
    cost: float
    count: int

    @property
    def bic(self) -> float:
        """Bayesian information criterion (Schwarz, Ann. Statist. 6, 461, 1978); less is better."""
        k = len(self.values)
        return self.count * math.log(max(self.cost, 1e-300) / self.count) + k * math.log(self.count)


def fit_positive(
    residuals: Callable[[Mapping[str, float]], F64],
    start: Mapping[str, float],
    most: Mapping[str, float] | None = None,
) -> Fitted:
    """Fit parameters that are positive; they are varied by their logarithm.

    residuals: from parameters by name to shape (n,). most: upper bounds.
    """
    logs = {name: math.log(value) for name, value in start.items()}
    tops = {name: math.log(bound) for name, bound in (most or {}).items()}
    return fit_free(
        lambda p: residuals({name: math.exp(value) for name, value in p.items()}),
        logs,
        {name: (x - _REACH, min(x + _REACH, tops.get(name, math.inf))) for name, x in logs.items()},
        logarithmic=tuple(start),
    )


def fit_free(
    residuals: Callable[[Mapping[str, float]], F64],
    start: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]] | None = None,
    logarithmic: tuple[str, ...] = (),
) -> Fitted:
    """Fit parameters within bounds.

    logarithmic: parameters given by their logarithm; what is returned is the number itself.
    """
    from scipy.optimize import least_squares  # noqa: PLC0415  (slow to import)

    names = list(start)
    within = [(bounds or {}).get(name, (-math.inf, math.inf)) for name in names]
    low, high = (np.array(side) for side in zip(*within, strict=True))
    result = least_squares(
        lambda x: residuals(dict(zip(names, x.tolist(), strict=True))),
        np.clip(np.array(list(start.values())), low, high),
        bounds=(low, high),
        x_scale="jac",
        xtol=1e-10,
        ftol=1e-10,
        max_nfev=300,
    )
    cost = 2 * float(result.cost)
    spread = _spread(result.jac, cost)
    values, sds = {}, {}
    for name, x, sd in zip(names, result.x.tolist(), spread.tolist(), strict=True):
        values[name] = math.exp(x) if name in logarithmic else x
        sds[name] = sd * values[name] if name in logarithmic else sd
    return Fitted(values, sds, cost, result.fun.size)


def _spread(jacobian: F64, cost: float) -> F64:
    """Return standard uncertainties from the Jacobian; NaN where it is singular."""
    n, k = jacobian.shape
    scale = np.linalg.norm(jacobian, axis=0)
    if n <= k or not (scale > 0).all():
        return np.full(k, math.nan)
    _, singular, rows = np.linalg.svd(jacobian / scale, full_matrices=False)
    if singular[-1] < 1e-10 * singular[0]:
        return np.full(k, math.nan)
    variance = ((rows.T / singular) ** 2).sum(axis=1) * cost / (n - k)
    return np.sqrt(variance) / scale
