"""A small generator of approach records with known height."""

from __future__ import annotations

import numpy as np
from scipy.signal import bessel, lfilter

from sicmctl.scan.bessel import F64
from sicmctl.scan.curve import Tip
from sicmctl.scan.height import Approach
from sicmctl.scan.noise import NoiseModel

FINE = 10  # the continuous world runs this much faster than the converter


def record(
    rng: np.random.Generator,
    *,
    speed: float = 30e-6,
    filter_hz: float = 5e3,
    rate: float = 50e3,
    setpoint: float = 0.02,
    reaction: float = 0.1e-3,
    height: float = 2e-6,
    truth: float = 0.0,
    current: float = 3.208e-9,
    tip: Tip | None = None,
    stretch: float = 1.0,
    excess: float = 1.0,
    vibration: float = 0.0,
    unseen: bool = False,
    sensor: float = 0.0,
    drift: float = 0.0,
    hum: float = 0.0,
    mains: float = 50.0,
    noise: NoiseModel | None = None,
    noisy: float = 1.0,
    t_ref: float = 20e-3,
    tell: bool = True,
) -> Approach:
    """One hop whose height (m) is `truth`: the z at which the current is down by the setpoint
    from its value far away.

    `stretch` scales the gap, `excess` the excess resistance of the true curve; `drift` is the
    relative change of the current per second; `t_ref` the time averaged for the reference.
    """
    tip, noise = tip or Tip(), noise or NoiseModel()
    dt = 1 / (rate * FINE)
    lead, fall = int(t_ref / dt), int((height + 0.15e-6) / speed / dt)
    t = (np.arange(lead + fall) - lead) * dt

    def shape(gap: F64) -> F64:
        return 1 / (1 + excess * (1 / tip.current(gap / stretch) - 1))

    gaps = np.geomspace(1e-9, 5e-6, 20000)
    curve = shape(gaps)
    surface = float(np.interp(1 - setpoint, curve, gaps))
    z = truth + height - speed * np.maximum(t, 0)
    shake = np.zeros_like(t)
    if vibration:
        for f in rng.uniform(10, 200, 6):
            shake += np.sin(2 * np.pi * f * t + rng.uniform(0, 2 * np.pi)) * np.sqrt(2 / 6)
        shake *= vibration
    true_z = z + shake
    clean = current * np.interp(true_z - truth + surface, gaps, curve) * (1 + drift * t)
    white = rng.normal(size=len(t)) * np.sqrt(noise.white / (2 * dt))
    e_c = rng.normal(size=len(t) + 2) * np.sqrt(noise.rise / (2 * dt))
    rough = (e_c[2:] - e_c[:-2]) / (2 * dt) / (2 * np.pi)
    clean = clean + hum * np.sin(2 * np.pi * mains * t + rng.uniform(0, 2 * np.pi))
    b, a = bessel(4, filter_hz, norm="mag", fs=1 / dt)  # pyright: ignore
    base = clean[0]
    measured = lfilter(b, a, clean - base + noisy * (white + rough)) + base
    cut = slice(int(rng.integers(FINE)), None, FINE)
    i, zz, ts = measured[cut], true_z[cut] if not unseen else z[cut], t[cut]
    zz = zz + rng.normal(size=len(zz)) * sensor
    ramp = int(np.searchsorted(ts, 0))
    settled = int(10 / (filter_hz / rate)) if t_ref > 1e-3 else 0
    before = i[settled:ramp]
    reference = float(before.mean())
    sd = float(np.sqrt(noise.white / (2 * len(before) / rate)))
    i, zz = i[ramp:], zz[ramp:]
    below = np.flatnonzero(i < (1 - setpoint) * reference)
    stop = min(int(below[0]) + round(reaction * rate), len(i)) if below.size else len(i)
    after = min(len(i), stop + 100)
    zz = zz.copy()
    if stop < len(i):
        zz[stop:] = zz[stop]
    return Approach(
        i[:after], zz[:after], rate, min(stop, after), reference, sd, speed, setpoint, filter_hz,
        noise if tell else None, reaction,
    )  # fmt: skip
