"""Everything about a hop that can be computed before the hop.

Time runs backwards from the last usable sample. Samples are averaged in blocks, short near the
surface and longer above it; the current is taken as piecewise linear between nodes, the Bessel
filter acts on it in closed form, and the blocks are decorrelated with the Cholesky factor of their
covariance. Because the order is reversed, a shorter record just uses the leading part of all this.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp, log, sqrt

import numpy as np

from sicmctl.scan import lockin
from sicmctl.scan.bessel import F64, ramp_response
from sicmctl.scan.height_types import Approach
from sicmctl.scan.noise import NoiseModel, autocovariance

_SMOOTHING = 0.5e-3  # s, width of the z smoother: passes the vibration below 200 Hz
_LINE = 10e-3  # s of the ramp over which the line of z is fitted
_LONGEST_BLOCK = 2e-3  # s, a tenth of a mains period
_LONGEST = 0.3  # s of a record that are used at most
_CONVERTER = 1e-4  # the converter's share of the noise; keeps narrow filters well conditioned
_RIPPLE = 0.4  # the same behind a lock-in, and what a bent fall of the direct current leaves there
_CORNER_STEP = 0.2  # noise corners are rounded to this step of their logarithm


@dataclass(frozen=True)
class Plan:
    """The choices a template depends on; equal plans share one template."""

    rate: float
    filter_hz: float
    corner: float
    mains: float
    block: int
    parts: int
    fine: int
    length: int
    period: int = 0

    @property
    def family(self) -> Plan:
        """Plans of one family differ in the length of the record alone."""
        return replace(self, length=0, fine=0)


def longest(plans: Iterable[Plan]) -> Plan:
    """Of one family, the plan that serves the others' records too."""
    return max(plans, key=lambda plan: (plan.length, plan.fine))


@dataclass(frozen=True, eq=False)
class Template:
    """Matrices for N blocks and M nodes, all in reversed time; noise white density 1 /Hz.

    starts, sizes   (N,) first sample of each block counted from the end, and its length
    whiten          (N, N) lower triangular
    model           (N, M) whitened, filtered block means of the current at the nodes
    columns         (N, 4) whitened block means of 1, t, cos and sin of the mains
    block_time      (N,) s, negative
    node_time       (M,) s, negative
    line_weight     (N,) weights of the line through z
    smooth          (M, N) smoother of what z leaves beside that line
    """

    starts: np.ndarray
    sizes: np.ndarray
    whiten: F64
    model: F64
    columns: F64
    block_time: F64
    node_time: F64
    line_weight: F64
    smooth: F64
    z_gain: float  # sd of the smoothed z near the stop per sd of a sample


def plan(a: Approach, noise: NoiseModel, radius: float, end: int) -> Plan:
    """The plan for a record of `end` usable samples taken with a tip of `radius` (m)."""
    per_sample = a.speed / a.rate
    end = min(end, int(a.rate * _LONGEST))
    longest = max(1.0, min(a.rate * _LONGEST_BLOCK / 4, end / 8))
    block = int(np.clip(radius / 20 / per_sample, 1, longest))
    corner = sqrt(noise.white / max(noise.rise, 1e-12 * noise.white / a.filter_hz**2))
    return Plan(
        rate=a.rate,
        filter_hz=a.filter_hz,
        corner=exp(_CORNER_STEP * round(log(corner) / _CORNER_STEP)),
        mains=noise.mains,
        block=block,
        parts=int(np.clip(np.ceil(per_sample / (radius / 20)), 1, 16)),
        fine=int(
            np.clip(np.ceil(2.5 * radius / per_sample / block), 4, min(200, max(4, end // block)))
        ),
        length=1 << (max(end, 64) - 1).bit_length(),  # few templates serve all lengths
        period=a.period,
    )


@lru_cache(maxsize=32)
def template(p: Plan) -> Template:
    """Build the matrices of a plan (some 10 ms; cached)."""
    edges = _edges(p)
    starts, sizes = edges[:-1], np.diff(edges)
    node_time = _node_times(p, edges)
    sample_time = -np.arange(edges[-1]) / p.rate
    block_time = np.add.reduceat(sample_time, starts) / sizes
    factor = np.linalg.cholesky(_block_covariance(p, edges))
    whiten = np.linalg.inv(factor).astype(np.float64)
    turn = 2 * np.pi * p.mains * sample_time
    columns = np.stack([np.ones_like(turn), sample_time, np.cos(turn), np.sin(turn)], axis=1)
    means = np.add.reduceat(columns, starts) / sizes[:, None]
    smooth = np.exp(-0.5 * ((node_time[:, None] - block_time) / _SMOOTHING) ** 2) * sizes
    smooth /= smooth.sum(axis=1, keepdims=True)
    return Template(
        starts=starts,
        sizes=sizes,
        whiten=whiten,
        model=whiten @ _filtered_means(p, sample_time, node_time, starts, sizes),
        columns=whiten @ means,
        block_time=block_time,
        node_time=node_time,
        line_weight=sizes * (block_time > -_LINE),
        smooth=smooth,
        z_gain=float(np.sqrt(np.sum(smooth[0] ** 2 / sizes))),
    )


def _edges(p: Plan) -> np.ndarray:
    """Block edges in samples before the end: equal blocks first, then ever longer ones."""
    longest = max(p.block, int(p.rate * _LONGEST_BLOCK))
    edges = list(range(0, p.block * p.fine + 1, p.block))
    while edges[-1] < p.length:
        edges.append(edges[-1] + int(np.clip(edges[-1] // 12, p.block, longest)))
    return np.array(edges)


def _node_times(p: Plan, edges: np.ndarray) -> F64:
    """Times of the nodes: the block edges, the fine ones subdivided where the tip is fast."""
    fine = np.arange(0, edges[p.fine] * p.parts) / p.parts if p.parts > 1 else edges[: p.fine]
    return -np.concatenate([fine, edges[p.fine :]]) / p.rate


def _block_covariance(p: Plan, edges: np.ndarray) -> F64:
    """Covariance (N, N) of block means of the filtered noise of white density 1 /Hz."""
    noise, length = NoiseModel(white=1.0, rise=p.corner**-2), int(edges[-1]) + 1
    if p.period:
        r = lockin.autocovariance(p.period, p.rate, length).copy()
    else:
        r = autocovariance(noise, p.rate, p.filter_hz, length).copy()
    r[0] *= 1 + (_RIPPLE if p.period else _CONVERTER)
    step = np.cumsum(np.concatenate([[r[0] / 2], r[1:]]))
    double = np.concatenate([[0.0], np.cumsum(step)])  # second difference is r
    a, b = edges[:-1], edges[1:]

    def at(first: np.ndarray, second: np.ndarray) -> F64:
        return double[np.abs(first[:, None] - second[None, :])]

    total = at(b, a) + at(a, b) - at(a, a) - at(b, b)
    return total / np.outer(b - a, b - a)


def _filtered_means(
    p: Plan, sample_time: F64, node_time: F64, starts: np.ndarray, sizes: np.ndarray
) -> F64:
    """Block means (N, M) of the filtered current that is one at a node and zero at the others.

    Between nodes the current is linear, before the earliest it is constant. A change of slope by
    one at node j appears behind the filter as the ramp response from there on.
    """
    nodes = len(node_time)
    times = sample_time[:, None] - node_time[None, :]
    if p.period:
        ramps = lockin.ramp_response(times, p.period, p.rate, p.filter_hz)
    else:
        ramps = ramp_response(times, p.filter_hz)
    ramps = np.add.reduceat(ramps, starts) / sizes[:, None]
    slopes = np.zeros((nodes + 1, nodes))  # slope after node j (towards the end); none after 0
    width = node_time[:-1] - node_time[1:]
    j = np.arange(1, nodes)
    slopes[j, j - 1], slopes[j, j] = 1 / width, -1 / width
    changes = slopes[:-1] - slopes[1:]
    changes[0] = 0.0
    out = ramps @ changes
    out[:, -1] += 1.0
    return out
