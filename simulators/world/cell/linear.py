"""Cells made of resistors and capacitors, solved exactly.

Such a network with the current I as its input has a symmetric form: x' = A x + b I,
E = E_rest + b.x + R I, with A symmetric and negative. Under potential control I = (E - E_rest -
b.x)/R, and A - b b'/R is symmetric again. In its eigenvectors each mode is one exponential, so a
step in which the input is linear in time has a closed form whatever its length.
"""

# ruff: noqa: PLR0917  (compiled code takes its arguments by position)

import math

import numpy as np
from numpy.typing import NDArray

from simulators.cellconfig import RandlesCell, RcCell, ResistorCell
from simulators.cellport import Control
from simulators.compiled import compiled

Array = NDArray[np.float64]


class LinearCell:
    """A network of resistors and capacitors: A (n, n), b (n,), R > 0 (ohm), E_rest (V)."""

    longest_step = math.inf

    def __init__(self, A: Array, b: Array, resistance: float, rest: float = 0.0) -> None:
        self.state = np.zeros(len(b))
        self._A, self._b, self._R, self._rest = A, b, resistance, rest
        self._by_current = _modes(A, b)
        self._by_potential = _modes(A - np.outer(b, b) / resistance, b / resistance)

    def step(self, dt: float, control: Control, start: float, end: float) -> tuple[float, float]:
        modes = self._by_current
        if control is Control.OPEN:
            start = end = 0.0
        elif control is Control.POTENTIAL:
            start, end, modes = start - self._rest, end - self._rest, self._by_potential
        if dt > 0 and len(self.state):
            self.state = _pass(self.state, *modes, dt, start, end)
        inner = float(self._b @ self.state)
        if control is Control.POTENTIAL:
            return end + self._rest, (end - inner) / self._R
        return self._rest + inner + self._R * end, end

    def impedance(self, frequency: float) -> complex:
        s = 2j * math.pi * frequency
        inner = self._b @ np.linalg.solve(s * np.eye(len(self._b)) - self._A, self._b + 0j)
        return complex(self._R + inner)


def _modes(A: Array, b: Array) -> tuple[Array, Array, Array]:
    """Rates (1/s), eigenvectors as columns, and what drives each of them."""
    rates, vectors = np.linalg.eigh(A)
    return rates, np.ascontiguousarray(vectors), b @ vectors


@compiled()
def _pass(state, rates, vectors, driven, dt, start, end):
    """The state `dt` later, for an input that goes linearly from `start` to `end`."""
    amplitudes = np.zeros(len(rates))
    for mode in range(len(rates)):
        for i in range(len(state)):
            amplitudes[mode] += state[i] * vectors[i, mode]
        x = rates[mode] * dt
        if abs(x) < 1e-3:
            phi1, phi2 = 1 + x / 2 + x**2 / 6, 0.5 + x / 6 + x**2 / 24
        else:
            phi1 = math.expm1(x) / x
            phi2 = (phi1 - 1) / x
        drive = dt * (start * phi1 + (end - start) * phi2)
        amplitudes[mode] = amplitudes[mode] * math.exp(x) + drive * driven[mode]
    new = np.zeros(len(state))
    for i in range(len(state)):
        for mode in range(len(rates)):
            new[i] += vectors[i, mode] * amplitudes[mode]
    return new


def resistor(config: ResistorCell) -> LinearCell:
    """One resistor."""
    return LinearCell(np.zeros((0, 0)), np.zeros(0), config.resistance)


def rc(config: RcCell) -> LinearCell:
    """R parallel C behind R_s; the state is the capacitor's voltage times sqrt(C)."""
    root = math.sqrt(config.capacitance)
    A = np.array([[-1 / (config.resistance * config.capacitance)]])
    cell = LinearCell(A, np.array([1 / root]), config.series_resistance)
    cell.state = np.array([config.potential * root])
    return cell


def randles(config: RandlesCell) -> LinearCell:
    """R_s, then C_dl parallel to R_ct and Warburg's element (Randles, Discuss. Faraday Soc. 1947).

    The element is a chain of RC links. The states are the voltages of C_dl (times sqrt C) and of
    the links (over the root of their weight); the current through R_ct is g.x / R_f.
    """
    weights, rates, rest = warburg(config.warburg, config.slowest, config.fastest)
    root = math.sqrt(config.capacitance)
    g = np.concatenate([[1 / root], -np.sqrt(weights)])
    A = -np.diag(np.concatenate([[0.0], rates]))
    A -= np.outer(g, g) / (config.charge_transfer + rest)
    b = np.zeros(len(g))
    b[0] = 1 / root
    return LinearCell(A, b, config.series_resistance, config.potential)


def warburg(sigma: float, slowest: float, fastest: float) -> tuple[Array, Array, float]:
    """RC links that stand for Z = sigma (1 - i)/sqrt(omega): weights (ohm/s), rates (1/s), ohm.

    Z is the sum of weight / (i omega + rate), plus a resistor. It is the trapezoidal rule for
    s**-1/2 = (1/pi) integral of exp(u/2) / (s + exp(u)) du, with its two tails in closed form; from
    `slowest` to `fastest` (Hz) the modulus is right to 1e-3 and the angle to 1e-3 rad.
    """
    if sigma == 0:
        return np.zeros(0), np.zeros(0), 0.0
    scale = math.sqrt(2) * sigma / math.pi
    first, last = math.log(2 * math.pi * slowest) - 4, math.log(2 * math.pi * fastest) + 4
    count = math.ceil(last - first)
    u, spacing = np.linspace(first, last, count, endpoint=False, retstep=True)
    u += spacing / 2
    weights = scale * spacing * np.exp(u / 2)
    # below: one link with the tail's weight and mean rate; above: the tail is a resistor
    weights = np.append(weights, 2 * scale * math.exp(first / 2))
    rates = np.append(np.exp(u), math.exp(first) / 3)
    return weights, rates, 2 * scale * math.exp(-last / 2)
