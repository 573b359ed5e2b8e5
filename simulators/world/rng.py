"""Counter-based random numbers: the n-th number of a stream is a function of n alone.

So the same seed gives the same bits however a run is cut into blocks. The mixing is the
finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). Normal deviates come from a ziggurat
(Marsaglia, Tsang, J. Stat. Softw. 5 (8), 2000), a quarter of the time of Box-Muller; layer and
place in it are told by different bits (Doornik 2005).
"""

import math

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import lean

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_ONE = np.uint64(1)
_TO_UNIT = 2.0**-53

_LAYERS = 128
_TAIL, _AREA = 3.442619855899, 9.91256303526217e-3
"""Where the tail begins, and the area of a layer, for so many of them."""


def _edges() -> NDArray[np.float64]:
    """Half widths of the layers of equal area under exp(-x**2 / 2), the lowest first."""
    x = np.zeros(_LAYERS + 1)
    x[0], x[1] = _AREA * math.exp(_TAIL**2 / 2), _TAIL
    for k in range(2, _LAYERS):
        x[k] = math.sqrt(-2 * math.log(_AREA / x[k - 1] + math.exp(-(x[k - 1] ** 2) / 2)))
    return x


_EDGES = _edges()
_INNER = _EDGES[1:] / _EDGES[:-1]
"""Share of each layer that lies under the curve over its whole height."""
_LAYER = np.uint64(_LAYERS - 1)


@lean(inline="always")
def _mix(z):
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@lean(inline="always")
def _to_unit(bits):
    """A number in (0, 1) from the upper bits."""
    return (float(bits >> _S11) + 0.5) * _TO_UNIT


@lean()
def uniform(key, counter):
    """Number `counter` of the stream `key`, uniform in (0, 1)."""
    return _to_unit(_mix(key + np.uint64(counter) * _GOLDEN))


@lean()
def _beside(bits):
    """The deviate of bits that tell of a place not surely under the curve: one in 80."""
    while True:
        k = np.int64(bits & _LAYER)
        u = 2.0 * _to_unit(bits) - 1.0
        x = u * _EDGES[k]
        if abs(u) < _INNER[k]:
            return x
        bits = _mix(bits + _GOLDEN)
        if k == 0:
            return math.copysign(_tail(bits), u)
        low = math.exp((x * x - _EDGES[k] ** 2) / 2.0)
        high = math.exp((x * x - _EDGES[k + 1] ** 2) / 2.0)
        if low + _to_unit(bits) * (high - low) < 1.0:
            return x
        bits = _mix(bits + _GOLDEN)


@lean()
def _tail(bits):
    """A deviate beyond the last layer (Marsaglia 1964)."""
    while True:
        x = -math.log(_to_unit(bits)) / _TAIL
        bits = _mix(bits + _GOLDEN)
        if -2.0 * math.log(_to_unit(bits)) > x * x:
            return _TAIL + x
        bits = _mix(bits + _GOLDEN)


@lean()
def normal(key, counter):
    """Number `counter` of the stream `key` as a standard normal deviate."""
    bits = _mix(key + np.uint64(counter) * _GOLDEN)
    k = np.int64(bits & _LAYER)
    u = 2.0 * _to_unit(bits) - 1.0
    return u * _EDGES[k] if abs(u) < _INNER[k] else _beside(bits)


@lean()
def normals(key, counter):
    """Pair `counter` of independent standard normal deviates of the stream `key`."""
    first = np.uint64(counter) << _ONE
    return normal(key, first), normal(key, first + _ONE)


def stream(seed: int, number: int) -> np.uint64:
    """Key of stream `number` of a seed; streams of nearby seeds are unrelated."""
    mask = (1 << 64) - 1
    z = seed & mask
    for salt in (0x5851F42D4C957F2D, number * 2 + 1):
        z = (z ^ salt) * 0x9E3779B97F4A7C15 & mask
        z = (z ^ (z >> 30)) * int(_MIX1) & mask
        z = (z ^ (z >> 27)) * int(_MIX2) & mask
        z ^= z >> 31
    return np.uint64(z)
