"""The instruments: identity, ranges and limits of each kind, as its maker gives them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulators.instruments.methodscript.errors import Code, ScriptError


@dataclass(frozen=True)
class Mode:
    """A potentiostat mode. lowest, highest: V that can be set. window: V between the extremes.

    fastest: Hz of impedance. high_speed: whether it takes the high-speed ranges, if there are any.
    """

    lowest: float
    highest: float
    window: float = float("inf")
    fastest: float = 200e3
    galvanostat: bool = False
    high_speed: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of instrument.

    ranges: index of a current range -> full scale, A, ascending; likewise for high-speed and
    potential ranges (V). lsb: V and A (as a share of full scale) of the converters that set.
    """

    firmware: str
    modes: Mapping[int, Mode]
    ranges: Mapping[int, float]
    fast_ranges: Mapping[int, float] = field(default_factory=dict)
    potential_ranges: Mapping[int, float] = field(default_factory=dict)
    lsb: float = 91.5527e-6
    current_lsb: float = 1 / 32768
    script_version: str = "01.09.00"
    script_size: int = 131072
    shortest: float = 100e-6
    channels: int = 1
    pins: int = 16

    @property
    def galvanostat(self) -> bool:
        """Whether it can control the current."""
        return any(mode.galvanostat for mode in self.modes.values())

    def current_ranges(self, mode: Mode) -> Mapping[int, float]:
        """Those of a mode."""
        return self.fast_ranges if mode.high_speed and self.fast_ranges else self.ranges

    def mode(self, number: int) -> Mode:
        """The mode of that number."""
        if number not in self.modes:
            raise ScriptError(Code.PGSTAT_MODE_UNKNOWN)
        return self.modes[number]


def _decades(step: int, first: int, exponents: range) -> dict[int, float]:
    return {first + step * n: float(f"1e{e}") for n, e in enumerate(exponents)}


def _modes(reach: float) -> dict[int, Mode]:
    """Of an instrument whose modes 2 to 4 differ in nothing that shows."""
    plain = Mode(-reach, reach)
    current = Mode(-reach, reach, galvanostat=True)
    return {0: plain, 2: plain, 3: plain, 4: plain, 5: plain, 6: current}


_PICO = {
    0: Mode(-1.25, 2.0, 2.2, 100.0),
    2: Mode(-1.25, 2.0, 2.2, 100.0),
    3: Mode(-1.7, 2.0, 1.214, 200e3, high_speed=True),
    4: Mode(-1.7, 2.0, 2.6, 100.0),
    5: Mode(-1.7, 2.0, 2.6, 100.0),
}
_PICO_RANGES = dict(enumerate(
    (1e-7, 2e-6, 4e-6, 8e-6, 16e-6, 32e-6, 63e-6, 125e-6, 250e-6, 500e-6, 1e-3, 5e-3)
))  # fmt: skip
_PICO_FAST = dict(enumerate(
    (1e-7, 1e-6, 6e-6, 13e-6, 25e-6, 50e-6, 100e-6, 200e-6, 1e-3, 5e-3), start=128
))  # fmt: skip
_ES4_POTENTIAL = {2: 50e-3, 3: 100e-3, 4: 200e-3, 5: 500e-3, 6: 1.0}
_NEXUS = {16: 100e-12} | _decades(1, 0, range(-9, -4)) | {5: 100e-6} | _decades(1, 8, range(-3, 1))

KINDS = {
    "emstat4-lr": Kind(
        "es4_lr1500#Mar 12 2026 14:28:01",
        _modes(3.0),
        _decades(3, 3, range(-9, -1)),
        potential_ranges=_ES4_POTENTIAL,
    ),
    "emstat4-hr": Kind(
        "es4_hr1500#Mar 12 2026 14:28:01",
        _modes(6.0),
        _decades(3, 9, range(-7, 0)),
        potential_ranges=_ES4_POTENTIAL,
        lsb=183.105e-6,
    ),
    "emstat-pico": Kind(
        "espico1600#Jan 15 2026 10:12:55",
        _PICO,
        _PICO_RANGES,
        _PICO_FAST,
        lsb=537.1e-6,
        script_version="01.06.00",
        script_size=16384,
        shortest=1e-3,
        channels=2,
    ),
    "nexus": Kind(
        "nexus11300#Feb 02 2026 09:30:12",
        _modes(10.0),
        _NEXUS,
        potential_ranges={3: 1e-3, 2: 10e-3, 1: 100e-3, 0: 1.0},
        lsb=305.176e-6,
    ),
}
"""By the name a SIM.toml gives them."""
