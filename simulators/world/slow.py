"""Disturbances on a 1 ms grid: drift, vibration, flicker, wandering of current and offset.

Every node is a function of the seed, its number and the state before it; between nodes all are
interpolated linearly.
"""

# ruff: noqa: PLR0917  (compiled code takes its arrays by position)

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import lean
from simulators.config import NoiseConfig, StageConfig
from simulators.world.rng import normals, uniform

NODE = 100_000
"""Ticks (of 10 ns) between nodes."""
_DT = 1e-3

DRIFT, VIBRATION, FACTOR, OFFSET = 0, 3, 6, 7
CHANNELS = 8
"""Drift x, y, z (m), vibration x, y, z (m), factor on the current, offset potential (V)."""

_FLICKERS = 14
_FLICKER_TIMES = 10.0 ** (np.arange(_FLICKERS) / 2 - 3.5)  # 0.3 ms .. 1000 s, two a decade
_FLICKER_DECAY = np.exp(-_DT / _FLICKER_TIMES)
_FLICKER_KICK = np.sqrt(1 - _FLICKER_DECAY**2)
# Lorentzians of equal variance v, n to an e-fold of corner frequency, add up to n v / f
_FLICKER_SHARE = math.sqrt(math.log(10) / 2)

_OU_TIME = 600.0  # how long a fluctuation of the drift rate lasts
_OU_SHARE = 0.1
_FAST, _SLOW = math.exp(-2 * math.pi * 200 * _DT), math.exp(-2 * math.pi * 10 * _DT)
_CLOG_TIME = 20.0  # in which a passing clog clears
_PERMANENT = 0.1

# state: drift, its fluctuating rate and two band-pass states per axis; then
_FLICKER, WALK, WANDER, CLOG, STUCK, REFERENCE = 12, 26, 27, 28, 29, 30
STATES = 31


class Slow(NamedTuple):
    """What the compiled code needs of the slow disturbances."""

    key: np.uint64
    drift: NDArray[np.float64]
    """Initial rate, final rate (m/s), decay time (s), thermal amplitude (m), its period (s) and
    phase, shape (3 axes, 6)."""
    vibration: NDArray[np.float64]
    """rms (m) and phases of the two lines, shape (3, 3)."""
    flicker: float
    walk: float
    settling: float
    settling_time: float
    offset: float
    offset_walk: float
    clog_rate: float


def slow(stage: StageConfig, noise: NoiseConfig, key: np.uint64) -> Slow:
    """Draw what is constant over a run from the stream `key`."""
    draw = map(np.uint64, range(1 << 62, (1 << 62) + 100))

    def phase() -> float:
        return 2 * math.pi * uniform(key, next(draw))

    drift, vibration = np.empty((3, 6)), np.empty((3, 3))
    for k, a in enumerate((stage.x, stage.y, stage.z)):
        sign = 1.0 if uniform(key, next(draw)) < 0.5 else -1.0
        rates = (sign * a.drift, sign * a.drift_final, a.drift_decay)
        drift[k] = (*rates, a.thermal / 2, a.thermal_period, phase())
        vibration[k] = (a.vibration, phase(), phase())
    return Slow(
        key=key,
        drift=drift,
        vibration=vibration,
        flicker=math.sqrt(noise.flicker) * _FLICKER_SHARE,
        walk=noise.walk * math.sqrt(_DT),
        settling=noise.settling,
        settling_time=noise.settling_time,
        offset=noise.offset * normals(key, next(draw))[0],
        offset_walk=noise.offset_walk * math.sqrt(_DT),
        clog_rate=noise.clog_rate,
    )


@lean()
def node(slow, n, extra, state, out):
    """Advance `state` to node n and write its channels to `out` (CHANNELS,).

    extra: rates set at run time, shape (4,): drift of x, y, z (m/s) and of the current (1/s).
    """
    t = n * _DT
    counter = np.uint64(n) * np.uint64(16)
    for k in range(3):
        _motion(slow, k, t, counter, extra[k], state, out)
    jitter = 0.0
    for j in range(0, _FLICKERS, 2):
        a, b = normals(slow.key, counter + np.uint64(6 + j // 2))
        for i, g in ((j, a), (j + 1, b)):
            s = _FLICKER_DECAY[i] * state[_FLICKER + i] + _FLICKER_KICK[i] * g
            state[_FLICKER + i] = s if n > 0 else g
            jitter += state[_FLICKER + i]
    a, b = normals(slow.key, counter + np.uint64(13))
    if n > 0:
        state[WALK] += slow.walk * a
        state[WANDER] += slow.offset_walk * b
    state[REFERENCE] *= 1.0 + extra[3] * _DT
    _clogs(slow, counter, state)
    open_share = (1.0 - state[CLOG]) * (1.0 - state[STUCK])
    settled = 1.0 + slow.settling * math.expm1(-t / slow.settling_time)
    wandering = 1.0 + slow.flicker * jitter + state[WALK]
    out[FACTOR] = open_share * settled * wandering * state[REFERENCE]
    out[OFFSET] = slow.offset + state[WANDER]


@lean()
def _motion(slow, k, t, counter, extra, state, out):
    first, last, decay, swing, period, phase = slow.drift[k]
    rate = last + (first - last) * math.exp(-t / decay)
    a, b = normals(slow.key, counter + np.uint64(2 * k))
    keep = math.exp(-_DT / _OU_TIME)
    kick = _OU_SHARE * abs(rate) * math.sqrt(1.0 - keep * keep)
    s = 4 * k
    state[s + 1] = keep * state[s + 1] + kick * a
    if t > 0.0:
        state[s] += (rate + state[s + 1] + extra) * _DT
    w = 2.0 * math.pi / period
    out[DRIFT + k] = state[s] + swing * (math.sin(w * t + phase) - math.sin(phase))
    # white noise between two first-order low-passes (10 and 200 Hz), of unit variance
    state[s + 2] = _FAST * state[s + 2] + (1.0 - _FAST) * b
    state[s + 3] = _SLOW * state[s + 3] + (1.0 - _SLOW) * b
    fast, slower = (1.0 - _FAST) / (1.0 + _FAST), (1.0 - _SLOW) / (1.0 + _SLOW)
    cross = (1.0 - _FAST) * (1.0 - _SLOW) / (1.0 - _FAST * _SLOW)
    band = (state[s + 2] - state[s + 3]) / math.sqrt(fast + slower - 2.0 * cross)
    rms, phase25, phase50 = slow.vibration[k]
    lines = math.sin(50.0 * math.pi * t + phase25) + math.sin(100.0 * math.pi * t + phase50)
    # half of the variance in the band, a quarter in each line
    out[VIBRATION + k] = rms * math.sqrt(0.5) * (band + lines)


@lean()
def _clogs(slow, counter, state):
    """Poisson clogs of 5-50 % of the current; most clear, some stay."""
    state[CLOG] *= 1.0 - _DT / _CLOG_TIME
    draw = counter + np.uint64(14)
    if slow.clog_rate > 0.0 and uniform(slow.key, draw * np.uint64(2)) < slow.clog_rate * _DT:
        share = 0.05 + 0.45 * uniform(slow.key, (draw + np.uint64(1)) * np.uint64(2))
        stays = uniform(slow.key, (draw + np.uint64(1)) * np.uint64(2) + np.uint64(1))
        add_clog(state, share, stays < _PERMANENT)


@lean()
def add_clog(state, share, stays):
    """Block `share` of what is still open."""
    where = STUCK if stays else CLOG
    state[where] = 1.0 - (1.0 - state[where]) * (1.0 - share)
