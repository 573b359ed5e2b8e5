"""A layered porous electrode after Zhan et al.'s nano-circuitry model.

Node 0 is the open space in front of the layers, nodes 1 to N = layers - 1 are the slits between
them. Slits are capacitors to the electrode; corners join each to the next, and a corner's
resistance falls (gamma > 0) or rises with the charge of the slit before it:
R_i = R_c (1 - gamma Q_i / Q_i,max). gamma = 0 is the transmission line, and by default it is the
charge of a transmission line driven alike that the corners follow (its Q_i, and its Q_i,max).
"""

# ruff: noqa: PLR0917  (compiled code takes its arguments by position)

import math

import numpy as np
from numpy.typing import NDArray

from simulators.cellconfig import NcmCell
from simulators.cellport import Control
from simulators.compiled import compiled

Array = NDArray[np.float64]

_ITERATIONS = 3
"""Passes over one step when the corners follow the ladder's own charge."""
_PER_SWEEP = 500
"""Steps in a sweep through the window, which give the charge to 0.2 %."""


class Ncm:
    """The electrode. Its state is the potential (V) across open space and slits: the first row
    the ladder's, the second that of the transmission line beside it."""

    def __init__(self, config: NcmCell) -> None:
        self.config = config
        self.longest_step = config.window / config.rate / _PER_SWEEP
        self._C = np.full(config.layers, config.slit)
        self._C[0] = config.open_capacitance or config.slit / 10
        self._entry = config.open_resistance or config.corner
        self._guided = config.norm == "per-slit"
        self.largest = self._C * config.window
        """Q_i,max (C)."""
        self.state = np.zeros((2, config.layers))
        if config.norm != "global":
            self._normalise()

    @property
    def charges(self) -> Array:
        """Charge (C) of the open space and of each slit."""
        return self._C * self.state[0]

    def step(self, dt: float, control: Control, start: float, end: float) -> tuple[float, float]:
        by_potential = control is Control.POTENTIAL
        held = end - self.config.potential if by_potential else end
        if control is Control.OPEN:
            held = 0.0
        if dt > 0:
            self.state = self._pass(dt, by_potential, held, self.config.gamma)
        inner = float(self.state[0, 0])
        if by_potential:
            return end, (held - inner) / self._entry
        return self.config.potential + inner + held * self._entry, held

    def impedance(self, frequency: float) -> complex:
        """Of the ladder with its corners as they are: exact where no current flows."""
        s = 2j * math.pi * frequency
        config, guide = self.config, self.state[1 if self._guided else 0]
        corners = _corners(self._C * guide, self.largest, config.corner, config.floor, config.gamma)
        z = 1 / (s * self._C[-1])
        for corner, capacitance in zip(corners[::-1], self._C[-2::-1], strict=True):
            z = 1 / (s * capacitance + 1 / (corner + z))
        return complex(self._entry + z)

    def _pass(self, dt: float, by_potential: bool, held: float, gamma: float) -> Array:
        config = self.config
        return _step(
            self.state, dt, by_potential, held, self._C, self.largest, self._entry, config.corner,
            config.floor, gamma, self._guided,
        )  # fmt: skip

    def _normalise(self) -> None:
        """Find each slit's greatest charge: sweeps of the transmission line, and for
        `fixed-point` of the ladder itself too."""
        gammas = (0.0,) if self._guided else (0.0, *(self.config.gamma,) * 2)
        for gamma in gammas:
            self.state, most = np.zeros_like(self.state), np.zeros(self.config.layers)
            for potential in triangle(self.config.window, _PER_SWEEP, 3):
                self.state = self._pass(self.longest_step, True, potential, gamma)
                most = np.maximum(most, np.abs(self.charges))
            self.largest = most
        self.state = np.zeros_like(self.state)


def triangle(window: float, per_sweep: int, cycles: int) -> Array:
    """Potentials (V) at the ends of the steps of sweeps from 0 to `window` and back."""
    up = np.linspace(0, window, per_sweep + 1)[1:]
    down = np.append(up[-2::-1], 0.0)
    return np.tile(np.append(up, down), cycles)


def sweep(cell: Ncm, cycles: int = 2, per_sweep: int = _PER_SWEEP) -> tuple[Array, Array, Array]:
    """Drive the ladder through its window at its rate; potential (V), current (A) and charges (C).

    Shapes (n,), (n,), (n, layers) for n = 2 * cycles * per_sweep.
    """
    dt = cell.config.window / cell.config.rate / per_sweep
    potentials = triangle(cell.config.window, per_sweep, cycles) + cell.config.potential
    currents, charges = np.empty_like(potentials), np.empty((len(potentials), cell.config.layers))
    for i, potential in enumerate(potentials):
        currents[i] = cell.step(dt, Control.POTENTIAL, potential, potential)[1]
        charges[i] = cell.charges
    return potentials, currents, charges


@compiled()
def _corners(charges, largest, corner, floor, gamma):
    """Resistance (ohm) between each node and the next; that of the open space's is `corner`."""
    resistance = np.full(len(charges) - 1, corner)
    for i in range(1, len(resistance)):
        resistance[i] *= max(1 - gamma * charges[i] / largest[i], floor)
    return resistance


@compiled()
def _step(state, dt, by_potential, held, C, largest, entry, corner, floor, gamma, guided):
    """The state after one step: the line's, then the ladder's with the corners that follow it."""
    new = np.empty_like(state)
    drive = dt, by_potential, held, C, entry
    new[1] = _ladder(state[1], _corners(C, largest, corner, floor, 0.0), *drive)
    guide = new[1] if guided else state[0]
    for _ in range(1 if guided else _ITERATIONS):
        resistance = _corners(C * guide, largest, corner, floor, gamma)
        new[0] = _ladder(state[0], resistance, *drive)
        guide = new[0]
    return new


@compiled()
def _ladder(v, resistance, dt, by_potential, held, C, entry):
    """Potentials across the slits after one backward Euler step, by Thomas' algorithm."""
    n = len(v)
    diagonal, new = C / dt, C / dt * v
    for i in range(n - 1):
        diagonal[i] += 1 / resistance[i]
        diagonal[i + 1] += 1 / resistance[i]
    diagonal[0] += 1 / entry if by_potential else 0.0
    new[0] += held / entry if by_potential else held
    for i in range(1, n):
        factor = 1 / (resistance[i - 1] * diagonal[i - 1])
        diagonal[i] -= factor / resistance[i - 1]
        new[i] += factor * new[i - 1]
    new[n - 1] /= diagonal[n - 1]
    for i in range(n - 2, -1, -1):
        new[i] = (new[i] + new[i + 1] / resistance[i]) / diagonal[i]
    return new
