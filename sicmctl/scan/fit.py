"""The filter-aware fit of approach curves, many hops at a time.

    I(t) / I_ref = F[ A f(g + (z(t) - z_s) / kappa) ] + b t + c cos(w t) + s sin(w t)

f is the approach curve of the tip, g its gap at the setpoint, F the Bessel filter, z_s the height
sought: that at which the current is down by the setpoint from its value far away, not from the
reference, which felt the surface already. A is tied to the reference, b (drift) and c, s (mains)
to what is plausible, kappa to 1 unless the residual says otherwise. Gauss-Newton on decorrelated
block means: generalised least squares, so that the inverse of the normal matrix is the covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from sicmctl.scan.bessel import F64, delay
from sicmctl.scan.curve import Tip
from sicmctl.scan.height_types import Approach
from sicmctl.scan.noise import NoiseModel
from sicmctl.scan.template import Template

HUM = 6e-4  # prior amplitude of the mains over the current, unless the noise model says more
DRIFT = 0.03  # 1/s, prior sd of the relative drift of the current during a hop
STRETCH = 0.7  # prior sd of ln kappa
_LEAST_LINE = 2e-3  # s of the end through which the line of z is laid, at least
_ITERATIONS = 15
_CLOSE = 1e-5
_Z, _A, _DRIFT, _MAINS, _STRETCH = 0, 1, 2, slice(3, 5), 5  # places of the parameters
PARAMETERS = 6


@dataclass(eq=False)
class Batch:
    """Hops that share a template, in reversed time; currents in units of the reference.

    y (H, N) whitened block means, mask (H, N) blocks the record has, z (H, M) smoothed z at the
    nodes, columns (3, H, N) whitened drift and mains, unit (H,) sd of a whitened block,
    top (H,) z at the start, first (H,) guess of z_s, z_sd (H,) sd of the smoothed z
    """

    y: F64
    mask: F64
    z: F64
    columns: F64
    unit: F64
    top: F64
    first: F64
    z_sd: F64
    setpoint: F64
    reference_sd: F64
    hum: F64

    def take(self, some: np.ndarray) -> Batch:
        """The batch of some of the hops."""
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        columns = parts.pop("columns")[:, some]
        return Batch(columns=columns, **{name: part[some] for name, part in parts.items()})


@dataclass(eq=False)
class Solution:
    """Parameters (H, P), their covariance (H, P, P), and figures of the fit, each (H,)."""

    theta: F64
    covariance: F64
    chi2: F64
    freedom: F64
    gain: F64  # fall of chi2 that freeing the gap scale would bring
    end_gap: F64  # fitted gap (m) at the last usable sample


def read(hops: Sequence[tuple[Approach, NoiseModel, int]], t: Template) -> Batch:
    """Average the records of hops (record, noise, usable samples) into blocks."""
    shape = len(hops), len(t.starts)
    y, z, mask = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    blocks = np.empty(len(hops), dtype=np.intp)
    sd_z, top = np.empty(len(hops)), np.empty(len(hops))
    reach = t.starts + t.sizes
    for i, (a, _, end) in enumerate(hops):
        n = blocks[i] = int(np.searchsorted(reach, end, side="right"))
        used = int(reach[n - 1])
        current, height = a.current[end - used : end][::-1], a.z[end - used : end][::-1]
        y[i, :n] = np.add.reduceat(current, t.starts[:n]) / (t.sizes[:n] * a.reference)
        z[i, :n] = np.add.reduceat(height, t.starts[:n]) / t.sizes[:n]
        mask[i, :n] = 1.0
        tail = np.diff(height[:400])
        sd_z[i] = np.std(tail) / np.sqrt(2) if len(tail) else 0.0
        top[i] = np.median(a.z[:5])
    low = _smooth_low(y, mask, np.array([a.setpoint for a, _, _ in hops]))
    straight = np.array([(end - a.slow) / a.rate for a, _, end in hops])
    nodes = _nodes(z, mask, t, span=-t.block_time[blocks - 1], straight=straight)
    lead = np.array([a.speed for a, _, _ in hops]) * delay(hops[0][0].filter_hz)
    columns = t.columns.T[1:, None, :] + 0 * mask
    columns[0] += -t.block_time[blocks - 1][:, None] * t.columns[:, 0]
    reference = np.array([abs(a.reference) for a, _, _ in hops])
    white = np.sqrt([noise.white for _, noise, _ in hops])
    return Batch(
        y=(y @ t.whiten.T) * mask,
        mask=mask,
        z=nodes,
        columns=columns * mask,
        unit=white / reference,
        top=top,
        first=z[np.arange(len(hops)), low] + lead,
        z_sd=sd_z * t.z_gain,
        setpoint=np.array([a.setpoint for a, _, _ in hops]),
        reference_sd=np.array([_reference_sd(a, noise) for a, noise, _ in hops]),
        hum=np.array([_hum(a, noise) for a, noise, _ in hops]),
    )


def _hum(a: Approach, noise: NoiseModel) -> float:
    """Relative amplitude that the mains may have."""
    return max(noise.hum / abs(a.reference), HUM)


def _reference_sd(a: Approach, noise: NoiseModel) -> float:
    """Relative sd of the reference, with the mains that its averaging time leaves in it."""
    average = noise.white / (2 * max(a.reference_sd, 1e-30) ** 2)
    left = _hum(a, noise) * np.sinc(min(noise.mains * average, 1e9)) / np.sqrt(2)
    return max(float(np.hypot(a.reference_sd / a.reference, left)), 1e-7)


def _smooth_low(y: F64, mask: F64, setpoint: F64) -> np.ndarray:
    """Index (H,) of the latest block that, averaged with its neighbours, is above the level."""
    smooth = y.copy()
    smooth[:, 1:-1] = (y[:, :-2] + y[:, 1:-1] + y[:, 2:]) / 3
    above = (smooth > 1 - setpoint[:, None]) & (mask > 0)
    return np.argmax(above, axis=1)


def _nodes(z: F64, mask: F64, t: Template, *, span: F64, straight: F64) -> F64:
    """Smoothed z (H, M) at the nodes: a line through the last part, and what it leaves.

    span: length of the records, s. straight: of their last parts, fallen at one speed, s.
    """
    w = t.line_weight * mask * (t.block_time > -np.maximum(straight, _LEAST_LINE)[:, None])
    total = w.sum(axis=1, keepdims=True)
    mean_t = (w @ t.block_time)[:, None] / total
    mean_z = (w * z).sum(axis=1, keepdims=True) / total
    dt = t.block_time - mean_t
    slope = (w * dt * (z - mean_z)).sum(axis=1, keepdims=True)
    slope /= np.maximum((w * dt * dt).sum(axis=1, keepdims=True), 1e-30)
    rest = (z - mean_z - slope * dt) * mask
    time = np.maximum(t.node_time, -span[:, None])  # before the record the tip stood still
    return mean_z + slope * (time - mean_t) + rest @ t.smooth.T


def solve(
    b: Batch, t: Template, tip: Tip, start: F64 | None = None, *, guess: F64 | None = None
) -> Solution:
    """Gauss-Newton for all hops; from a solution to `start` at, kappa is a parameter too.

    guess: where to start without that, (H, P); else at the first guesses of the heights.
    """
    theta = np.zeros((len(b.y), PARAMETERS))
    theta[:, _Z], theta[:, _A] = b.first, 1.0
    if (known := guess if start is None else start) is not None:
        theta[:] = known
    free = slice(0, _STRETCH) if start is None else slice(0, PARAMETERS)
    scale = np.ones(theta.shape[1])
    scale[_Z] = tip.inner_radius
    limit = np.full(theta.shape[1], np.inf)
    limit[[_Z, _STRETCH]] = 0.6, 0.4
    precision = _precision(b, theta.shape)
    normal, right, chi2, end_gap = _equations(
        b, t, tip, theta=theta, precision=precision, scale=scale
    )
    for _ in range(_ITERATIONS):
        step = np.zeros_like(theta)
        step[:, free] = np.einsum("hpq,hq->hp", _inverse(normal[:, free, free]), right[:, free])
        step = np.clip(step, -limit, limit)
        if np.sum(step * right, axis=1).max() < _CLOSE:  # what chi2 has still to gain
            break
        theta = theta + step * scale
        theta[:, _STRETCH] = np.clip(theta[:, _STRETCH], -1.8, 1.8)
        normal, right, chi2, end_gap = _equations(
            b, t, tip, theta=theta, precision=precision, scale=scale
        )
    inverse = np.zeros_like(normal)
    inverse[:, free, free] = _inverse(normal[:, free, free])
    coupling = normal[:, :-1, -1]
    width = normal[:, -1, -1] - np.einsum("hp,hpq,hq->h", coupling, inverse[:, :-1, :-1], coupling)
    gain = right[:, -1] ** 2 / np.maximum(width, 1e-12)
    freedom = b.mask.sum(axis=1) - (2 if start is None else 3)
    return Solution(theta, inverse * np.outer(scale, scale), chi2, freedom, gain, end_gap)


def _inverse(normal: F64) -> F64:
    """Inverses (H, P, P) of normal matrices, scaled and held off singularity by rounding."""
    root = np.sqrt(np.einsum("hpp->hp", normal))
    outer = root[:, :, None] * root[:, None, :]
    scaled = normal / outer
    lost = ~np.isfinite(scaled).all(axis=(1, 2))
    scaled[lost] = np.eye(normal.shape[1])
    outer[lost] = np.nan
    return np.linalg.inv(scaled + 1e-11 * np.eye(normal.shape[1])) / outer


def _precision(b: Batch, shape: tuple[int, ...]) -> F64:
    """Prior precisions (H, P): drift and gap scale everywhere, mains per hop."""
    precision = np.zeros(shape)
    precision[:, _DRIFT] = DRIFT**-2
    precision[:, _MAINS] = (2 / b.hum**2)[:, None]
    precision[:, _STRETCH] = STRETCH**-2
    precision[:, _Z] = 1e-3  # in radii; only keeps the matrix of a hop far from anything regular
    return precision


def _equations(
    b: Batch, t: Template, tip: Tip, *, theta: F64, precision: F64, scale: F64
) -> tuple[F64, F64, F64, F64]:
    """Normal matrices (H, P, P), right sides (H, P), chi2 (H,) and gaps at the end (H,)."""
    zs, level, linear = theta[:, _Z], theta[:, _A], theta[:, 2:-1]
    kappa = np.exp(theta[:, _STRETCH])
    above = (b.top - zs) / kappa  # the reference was taken at this distance, a little below I_inf
    surface = tip.gap(b.setpoint)
    top = tip.current(surface + above)
    away = (b.z - zs[:, None]) / kappa[:, None]
    gap = surface[:, None] + away
    f, df = tip.current_and_slope(gap)
    m = t.model.T
    unit = (b.mask.T / b.unit).T
    shape = (f @ m) * unit
    jacobian = np.empty((theta.shape[1], *b.y.shape))
    jacobian[_Z] = -(level / kappa)[:, None] * (df @ m) * unit
    jacobian[_A] = shape
    jacobian[2:-1] = b.columns * unit
    jacobian[_STRETCH] = -level[:, None] * ((df * away) @ m) * unit
    r = b.y * unit - level[:, None] * shape - np.einsum("hc,chn->hn", linear, jacobian[2:-1])
    jacobian = jacobian.transpose(1, 0, 2) * scale[:, None]
    normal = jacobian @ jacobian.transpose(0, 2, 1)
    right = (jacobian @ r[:, :, None])[..., 0]
    miss = (1 - level * top) / b.reference_sd
    normal[:, _A, _A] += (top / b.reference_sd) ** 2
    right[:, _A] += miss * top / b.reference_sd
    normal[:, _Z, _Z] += precision[:, _Z]
    index = np.arange(2, theta.shape[1])
    normal[:, index, index] += precision[:, 2:]
    right[:, 2:] -= precision[:, 2:] * theta[:, 2:]
    chi2 = np.sum(r * r, axis=1) + miss**2 + np.sum(precision[:, 2:] * theta[:, 2:] ** 2, axis=1)
    return normal, right, chi2, gap[:, 0] * kappa
