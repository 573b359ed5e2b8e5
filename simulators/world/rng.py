"""Counter-based random numbers: the n-th number of a stream is a function of n alone.

So the same seed gives the same bits however a run is cut into blocks. The mixing is the
finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014); normal deviates are Box-Muller.
"""

import math

import numpy as np

from simulators.compiled import compiled

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_ONE = np.uint64(1)
_TO_UNIT = 2.0**-53


@compiled(inline="always")
def _mix(z):
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@compiled()
def uniform(key, counter):
    """Number `counter` of the stream `key`, uniform in (0, 1)."""
    bits = _mix(key + np.uint64(counter) * _GOLDEN)
    return (float(bits >> _S11) + 0.5) * _TO_UNIT


@compiled()
def normals(key, counter):
    """Pair `counter` of independent standard normal deviates of the stream `key`."""
    first = np.uint64(counter) << _ONE
    radius = math.sqrt(-2.0 * math.log(uniform(key, first)))
    angle = 2.0 * math.pi * uniform(key, first + _ONE)
    return radius * math.cos(angle), radius * math.sin(angle)


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
