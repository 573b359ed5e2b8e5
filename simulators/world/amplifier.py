"""The current amplifier: gain, 4-pole Bessel low-pass, clipping, and what its telegraphs say."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import lean
from simulators.config import (
    AXOPATCH_FILTERS,
    AXOPATCH_GAINS,
    MODES,
    AmplifierConfig,
)

RAIL = 10.0
"""Output limit (V)."""
_FASTEST = 100e3
"""Widest band (Hz) that is simulated; a FEMTO at low gain is faster in truth."""

FEMTO_BANDS = (500e3, 500e3, 400e3, 200e3, 50e3, 7e3, 1.2e3)
"""-3 dB band (Hz) of a FEMTO DLPCA-200 at its seven gains, low-noise; after its data sheet."""


class Chain(NamedTuple):
    """What the compiled code needs of the amplifier."""

    gain: float
    """Output volts per ampere, gain error included."""
    offset: float
    """Input-referred (A)."""
    input_limit: float
    """Current (A) that saturates the input stage."""
    feedback: float
    command_scale: float
    commanded: bool
    """Whether the command reaches the pipette (voltage clamp)."""
    shows_potential: bool
    """Whether the output shows the pipette's potential instead of its current."""
    volts_per_volt: float
    stray_capacitance: float
    telegraphs: NDArray[np.float64]
    """Shape (4,), V."""


class Bessel(NamedTuple):
    """Exact discretisation of the low-pass for one length of step: two complex modes."""

    decay: NDArray[np.complex128]
    drive: NDArray[np.complex128]
    weight: NDArray[np.complex128]


class Amplifier:
    """Front panel and remote lines."""

    def __init__(self, config: AmplifierConfig) -> None:
        self._config = config
        self.mode: str = config.mode
        self.filter = config.check("filter", config.filter)
        self.offset = config.offset
        self.low_noise = True
        self.gain = config.check("gain", config.gain)
        self._bits = [False, False, False]
        if self.is_femto:
            index = round(np.log10(config.gain)) - 3
            self._bits = [bool(index >> bit & 1) for bit in range(3)]

    @property
    def is_femto(self) -> bool:
        """Whether this is a FEMTO DLPCA-200, set by digital lines."""
        return self._config.model == "femto-dlpca-200"

    def set_line(self, line: str, high: bool) -> None:
        """A remote line of a FEMTO; an Axopatch is not wired to any."""
        if not self.is_femto:
            return
        if line == "amplifier.low_noise":
            self.low_noise = high
        else:
            self._bits[int(line[-1])] = high
        # the eighth code is not defined: stay at the highest gain
        index = min(sum(bit << k for k, bit in enumerate(self._bits)), 6)
        self.gain = 10.0 ** (index + (3 if self.low_noise else 5))

    @property
    def band(self) -> float:
        """-3 dB frequency (Hz) of the whole chain."""
        band = min(self.filter, _FASTEST)
        if self.is_femto:
            index = round(np.log10(self.gain)) - (3 if self.low_noise else 5)
            band = min(band, FEMTO_BANDS[min(max(index, 0), 6)])
        return band

    def chain(self) -> Chain:
        """The numbers the compiled code works with."""
        c = self._config
        clamped = self.is_femto or self.mode == "v-clamp"
        return Chain(
            gain=self.gain * (1 + c.gain_error),
            offset=self.offset,
            input_limit=RAIL / (self.gain if self.is_femto else c.feedback),
            feedback=self.gain if self.is_femto else c.feedback,
            command_scale=c.command_scale,
            commanded=clamped,
            shows_potential=not clamped and self.mode != "track",
            volts_per_volt=self.gain * 1e-9,  # alpha mV/mV beside alpha mV/pA
            stray_capacitance=c.stray_capacitance,
            telegraphs=self.telegraphs(),
        )

    def telegraphs(self) -> NDArray[np.float64]:
        """Gain, filter, mode and capacitance telegraph, shape (4,), V; zeros if it has none.

        Axopatch 200B: gain 0.5 V per step, filter 2 V per step, mode by name, capacitance
        +10 V per 100 pF (negative while whole-cell compensation is switched off).
        """
        if self.is_femto:
            return np.zeros(4)
        gain = 0.5 * (1 + AXOPATCH_GAINS.index(self.gain))
        band = 2.0 * (1 + AXOPATCH_FILTERS.index(self.filter))
        capacitance = self._config.whole_cell_capacitance / 10e-12
        return np.array([gain, band, MODES[self.mode], capacitance])


@cache
def _modes() -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Poles and residues (upper half plane) of the 4-pole Bessel with -3 dB at 1 rad/s.

    The denominator is the reverse Bessel polynomial s^4 + 10 s^3 + 45 s^2 + 105 s + 105.
    """
    polynomial = np.array([1.0, 10.0, 45.0, 105.0, 105.0])
    # |denominator(j w)|**2 = 2 * 105**2, a polynomial in u = w**2
    power = np.roots([1.0, 10.0, 135.0, 1575.0, 105.0**2 * (1 - 2)])
    band = np.sqrt(power[(abs(power.imag) < 1e-9) & (power.real > 0)][0].real)
    poles = np.roots(polynomial) / band
    gain = 105.0 / band**4
    residues = np.array([gain / np.prod(p - poles[poles != p]) for p in poles])
    upper = poles.imag > 0
    return poles[upper], residues[upper]


def bessel(band: float, dt: float) -> Bessel:
    """The low-pass of -3 dB frequency `band` (Hz) for steps of `dt` (s).

    The modes are those of the filter in its own time, so they carry over when band or dt change.
    """
    poles, residues = _modes()
    decay = np.exp(poles * 2 * np.pi * band * dt)
    return Bessel(decay, (decay - 1) / poles, 2 * residues)


@lean()
def filtered(bessel, current, modes):
    """Output of the low-pass after one step of `current` (A); modes: shape (2,), complex."""
    modes[0] = bessel.decay[0] * modes[0] + bessel.drive[0] * current
    modes[1] = bessel.decay[1] * modes[1] + bessel.drive[1] * current
    return (bessel.weight[0] * modes[0] + bessel.weight[1] * modes[1]).real
