"""One implicit Euler step of the graphite electrode, compiled.

The unknown is the intercalation current; every term of the balance rises with it, so that there
is one root, and potential control, current control and open circuit differ in one line.
"""

# ruff: noqa: PLR0917  (compiled code takes its arguments by position)

import math

import numpy as np

from simulators.compiled import compiled
from simulators.world.cell.msmr import rest_potential

BY_CURRENT, BY_POTENTIAL = 0, 1

X, Y, PHI, HYSTERESIS, FILM, PASSED, TO_FILM, TO_PARTICLES = range(8)
"""Places in the state: bulk stoichiometry, surface excess, electrode potential behind R_u (V),
hysteresis (V), completed share of the film; and the books, in C, anodic > 0: charge through the
terminals, into the film, into the particles."""

(CAPACITY, DOUBLE_LAYER, RESISTANCE, FILM_OHM, EXCHANGE, THERMAL, TIME, GAP, GAP_OVER, FILM_CHARGE,
 FILM_RATE, REOPENING) = range(12)  # fmt: skip
"""Places in the parameters: C, F, ohm (what compensation leaves), ohm, A at sqrt(x (1-x)) = 1/2,
2RT/F (V), R**2/D_m (s), V, -, C, 1/s, -."""

_ONSET, _ONSET_WIDTH = 0.72, 0.035


@compiled(inline="always")
def exchange(x, p):
    """Exchange current (A); the small constant keeps an empty or full electrode alive."""
    inside = min(max(x, 0.0), 1.0)
    return p[EXCHANGE] * (2 * math.sqrt(inside * (1 - inside)) + 0.15)


@compiled(inline="always")
def diffusion_time(x, p):
    """R**2/D (s) with D falling with x, shaped like that of Ecker et al. (2015)."""
    return p[TIME] / (0.15 + math.exp(-6 * min(max(x, 0.0), 1.0)))


@compiled(inline="always")
def _film_charge(phi, dt, film, p):
    """Charge (C) the film takes in a step at potential phi."""
    reach = p[FILM_RATE] * dt / (1 + math.exp(min((phi - _ONSET) / _ONSET_WIDTH, 700.0)))
    return p[FILM_CHARGE] * (1 - film) * reach / (1 + reach)


@compiled(inline="always")
def _after(current, dt, s, p, i0, time):
    """Stoichiometry, surface excess, hysteresis and interface drop after `current` for dt."""
    dx = -current * dt / p[CAPACITY]
    tau = time / 35
    y = (s[Y] + dx * (35.0 / 15.0)) / (1 + dt / tau)
    toward = p[GAP] if current > 0 else -p[GAP]
    h = toward + (s[HYSTERESIS] - toward) * math.exp(-abs(dx) / p[GAP_OVER])
    drop = p[THERMAL] * math.asinh(current / (2 * i0)) + current * p[FILM_OHM]
    return s[X] + dx, y, h, drop


@compiled()
def _balance(current, dt, mode, held, s, p, i0, time, potentials):
    """Charge balance of the electrode (A) and its potential (V); the balance rises with current."""
    x, y, h, drop = _after(current, dt, s, p, i0, time)
    phi = rest_potential(x + y, potentials) + h + drop
    inner = current - _film_charge(phi, dt, s[FILM], p) / dt
    inner += p[DOUBLE_LAYER] * (phi - s[PHI]) / dt
    outer = held if mode == BY_CURRENT else (held - phi) / p[RESISTANCE]
    return inner - outer, phi


@compiled()
def step(dt, mode, held, guess, s, p, potentials):
    """State, potential (V), current (A) and intercalation current (A) after dt > 0.

    held: V or A at the end of the step. guess: the last intercalation current.
    """
    i0, time = exchange(s[X], p), diffusion_time(s[X], p)
    width = 1e-6 + 1e-3 * abs(guess)
    low, high = guess - width, guess + width
    f_low = _balance(low, dt, mode, held, s, p, i0, time, potentials)[0]
    f_high = _balance(high, dt, mode, held, s, p, i0, time, potentials)[0]
    while f_low > 0:
        high, f_high = low, f_low
        width *= 4
        low -= width
        f_low = _balance(low, dt, mode, held, s, p, i0, time, potentials)[0]
    while f_high < 0:
        low, f_low = high, f_high
        width *= 4
        high += width
        f_high = _balance(high, dt, mode, held, s, p, i0, time, potentials)[0]
    current, phi = _solve(low, high, f_low, f_high, dt, mode, held, s, p, i0, time, potentials)

    x, y, h, _ = _after(current, dt, s, p, i0, time)
    film = _film_charge(phi, dt, s[FILM], p)
    total = current - film / dt + p[DOUBLE_LAYER] * (phi - s[PHI]) / dt
    new = np.empty_like(s)
    new[X], new[Y], new[PHI], new[HYSTERESIS] = x, y, phi, h
    grown = s[FILM] + (film / p[FILM_CHARGE] if p[FILM_CHARGE] > 0 else 0.0)
    new[FILM] = grown * math.exp(-p[REOPENING] * max(s[X] - x, 0.0))
    new[PASSED] = s[PASSED] + total * dt
    new[TO_FILM] = s[TO_FILM] - film
    new[TO_PARTICLES] = s[TO_PARTICLES] + current * dt
    return new, phi + total * p[RESISTANCE], total, current


@compiled()
def _solve(low, high, f_low, f_high, dt, mode, held, s, p, i0, time, potentials):
    """The root between two currents (regula falsi after Illinois, then bisection), and phi."""
    current, phi = low, s[PHI]
    side = 0
    for iteration in range(100):
        if iteration < 30 and f_high > f_low:
            current = (low * f_high - high * f_low) / (f_high - f_low)
        else:
            current = 0.5 * (low + high)
        f, phi = _balance(current, dt, mode, held, s, p, i0, time, potentials)
        if abs(f) < 1e-12 or high - low < 1e-15 * (abs(low) + abs(high)):
            break
        if f < 0:
            low, f_low = current, f
            if side < 0:
                f_high *= 0.5
            side = -1
        else:
            high, f_high = current, f
            if side > 0:
                f_low *= 0.5
            side = 1
    return current, phi
