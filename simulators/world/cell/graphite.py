"""A composite graphite electrode against lithium, reduced to one particle.

Solid diffusion is the second-order Pade approximation of a sphere's; the rest potential is
Verbrugge et al.'s (2017) with a small hysteresis; the interface is Butler-Volmer's with a double
layer and a film; the film grows below 0.8 V and opens again when the particles contract.
"""

import math
from dataclasses import dataclass

import numpy as np

from simulators.cellconfig import GraphiteCell
from simulators.cellport import Control
from simulators.world.cell import graphite_step as g
from simulators.world.cell.msmr import FARADAY, GAS, rest_potential, stoichiometry, table

_LEAST_RESISTANCE = 0.01
"""Ohm that perfect compensation leaves, so that a step of the potential stays finite."""
_HYSTERESIS_OVER = 0.03
"""Change of stoichiometry over which the rest potential changes branch."""


@dataclass(frozen=True)
class Books:
    """Charges in C since the start, anodic > 0, as they truly were."""

    passed: float
    film: float
    particles: float
    double_layer: float

    @property
    def error(self) -> float:
        """What does not add up."""
        return self.passed - self.film - self.particles - self.double_layer


class Graphite:
    """The electrode with the solution up to the reference electrode."""

    longest_step = 0.1

    def __init__(self, config: GraphiteCell) -> None:
        self.config = config
        left = config.series_resistance * (1 - config.compensation)
        self.resistance = max(left, _LEAST_RESISTANCE)
        """Ohm between electrode and reference that the potentiostat does not compensate."""
        self.solution_resistance = config.solution_resistance
        self._table = table(config.smallest_width, config.temperature)
        self._p = _parameters(config, self.resistance)
        x = config.start
        if x == 0:
            rest = np.array([config.potential])
            x = float(stoichiometry(rest, config.smallest_width, config.temperature)[0])
        x = min(max(x, 1e-8), 1 - 1e-8)
        self.state = np.zeros(8)
        self.state[g.X], self.state[g.PHI] = x, rest_potential(x, self._table)
        self._start = float(self.state[g.PHI])
        self._guess = 0.0

    def step(self, dt: float, control: Control, start: float, end: float) -> tuple[float, float]:
        if dt <= 0:
            return self._at_once(control, end)
        mode = g.BY_POTENTIAL if control is Control.POTENTIAL else g.BY_CURRENT
        held = 0.0 if control is Control.OPEN else end
        self.state, potential, current, self._guess = g.step(
            dt, mode, held, self._guess, self.state, self._p, self._table
        )
        if control is Control.POTENTIAL:
            return end, current
        return potential, held

    def impedance(self, frequency: float) -> complex:
        """The step's equations linearised: R_u + (i w C_dl + 1/(R_ct + R_film + Z_D))**-1."""
        s, p = self.state, self._p
        w = 2j * math.pi * frequency
        x, surface, i0 = s[g.X], s[g.X] + s[g.Y], g.exchange(s[g.X], p)
        near = 1e-5 * min(surface, 1 - surface)
        slope = rest_potential(surface - near, self._table)
        slope = (slope - rest_potential(surface + near, self._table)) / (2 * near)
        time = g.diffusion_time(x, p)
        diffusion = slope / (w * p[g.CAPACITY]) * (1 + w * time / 15 / (1 + w * time / 35))
        transfer = p[g.THERMAL] / math.hypot(2 * i0, self._guess)
        faradaic = 1 / (transfer + p[g.FILM_OHM] + diffusion)
        return complex(self.resistance + 1 / (faradaic + w * p[g.DOUBLE_LAYER]))

    @property
    def stoichiometry(self) -> float:
        """Mean x in Li_x C6."""
        return float(self.state[g.X])

    @property
    def soc(self) -> float:
        """Swelling state S: charge in the particles over what counts as full."""
        return (
            self.stoichiometry
            * self.config.charge
            / (self.config.full_charge or self.config.charge)
        )

    @property
    def strain(self) -> float:
        """Relative thickness change of the coating at the present `soc`."""
        return swelling(self.soc)

    @property
    def film(self) -> float:
        """Completed share of the film."""
        return float(self.state[g.FILM])

    @property
    def books(self) -> Books:
        s = self.state
        layer = self._p[g.DOUBLE_LAYER] * (s[g.PHI] - self._start)
        return Books(
            float(s[g.PASSED]), float(s[g.TO_FILM]), float(s[g.TO_PARTICLES]), float(layer)
        )

    def _at_once(self, control: Control, end: float) -> tuple[float, float]:
        phi = float(self.state[g.PHI])
        if control is Control.POTENTIAL:
            return end, (end - phi) / self.resistance
        current = end if control is Control.CURRENT else 0.0
        return phi + current * self.resistance, current


def swelling(soc: float) -> float:
    """Relative thickness change of a graphite coating at state of charge `soc` (0 to 1).

    4.11 % at one half and 5.89 % at full charge, straight between, after the operando heights of
    Takahashi et al., JACS Au 3, 1089 (2023); the corner is rounded over 0.02.
    """
    steep, flat, corner = 0.0411 / 0.5, 0.0178 / 0.5, 0.02
    beyond = float(np.logaddexp(0.0, (soc - 0.5) / corner)) * corner
    return steep * soc - (steep - flat) * beyond


def _parameters(config: GraphiteCell, resistance: float) -> np.ndarray:
    p = np.empty(12)
    p[g.CAPACITY] = config.charge
    p[g.DOUBLE_LAYER] = config.double_layer * config.area
    p[g.RESISTANCE] = resistance
    p[g.FILM_OHM] = config.film_resistance / config.area
    p[g.EXCHANGE] = config.exchange_current * config.area
    p[g.THERMAL] = 2 * GAS * config.temperature / FARADAY
    p[g.TIME] = config.particle_radius**2 / config.diffusivity
    p[g.GAP], p[g.GAP_OVER] = config.hysteresis, _HYSTERESIS_OVER
    p[g.FILM_CHARGE] = config.sei_charge * config.charge
    p[g.FILM_RATE], p[g.REOPENING] = 1 / config.sei_time, config.sei_reopening
    return p
