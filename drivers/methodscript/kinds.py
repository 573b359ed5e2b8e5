"""The instruments that speak MethodSCRIPT: what each can apply and measure.

From the maker's public figures; real ranges reach somewhat beyond their names.
"""

from dataclasses import dataclass

from sicmctl.hal.cell import AnyStep, Cycles, HoldCurrent, HoldPotential, Impedance, Open, Sweep
from sicmctl.hal.limits import Interval
from sicmctl.hal.potentiostat import CellLimits

_POTENTIOSTATIC: frozenset[type[AnyStep]] = frozenset(
    (Open, HoldPotential, Sweep, Cycles, Impedance)
)
GALVANOSTAT = 6
"""Number of the mode that controls the current."""
_LONGEST = 1e5
"""Seconds between samples."""


@dataclass(frozen=True)
class Mode:
    """A potentiostat mode, by its number in a script.

    low, high: V it can set. window: V between the extremes of one script. fastest: Hz of a sine.
    ranges: full scales of the current, A, rising.
    """

    number: int
    low: float
    high: float
    window: float
    fastest: float
    ranges: tuple[float, ...]

    def allows(self, low: float, high: float, fastest: float = 0.0) -> bool:
        """Whether potentials from `low` to `high` V and sines up to `fastest` Hz are possible."""
        inside = self.low - 1e-9 <= low and high <= self.high + 1e-9
        return inside and high - low <= self.window + 1e-9 and fastest <= self.fastest

    def __str__(self) -> str:
        text = f"{self.low:g} .. {self.high:g} V"
        if self.window < self.high - self.low:
            text += f" and {self.window:g} V between the extremes"
        return f"{text} up to {self.fastest:g} Hz"


@dataclass(frozen=True)
class Kind:
    """A kind of instrument.

    modes: in the order in which they are preferred; the last holds whatever a cell has.
    tread: smallest step of potential, V. shortest: between samples, s.
    script: size of its memory for scripts, bytes. finest_potential: full scale of its lowest
    potential range, V; 0 if it has but one.
    """

    name: str
    modes: tuple[Mode, ...]
    galvanostat: bool
    tread: float
    shortest: float = 1e-3
    script: int = 100_000
    finest_potential: float = 0.0

    @property
    def ranges(self) -> tuple[float, ...]:
        """All full scales of the current, A, rising."""
        return tuple(sorted({full for mode in self.modes for full in mode.ranges}))

    @property
    def limits(self) -> CellLimits:
        top = self.ranges[-1]
        steps = _POTENTIOSTATIC | ({HoldCurrent} if self.galvanostat else set())
        return CellLimits(
            potential=Interval(
                min(mode.low for mode in self.modes), max(mode.high for mode in self.modes), "V"
            ),
            current=Interval(-top, top, "A"),
            ranges=self.ranges,
            rate=Interval(1e-6, 10.0, "V/s"),
            interval=Interval(self.shortest, _LONGEST, "s"),
            steps=steps,
            frequency=Interval(1e-3, max(mode.fastest for mode in self.modes), "Hz"),
            tread=self.tread,
        )


def _decades(first: int, last: int) -> tuple[float, ...]:
    return tuple(float(f"1e{n}") for n in range(first, last + 1))


def _plain(reach: float, ranges: tuple[float, ...]) -> tuple[Mode, ...]:
    """The one mode that an instrument needs whose modes differ in nothing that matters here."""
    return (Mode(3, -reach, reach, 2 * reach, 200e3, ranges),)


_PICO_RANGES = (
    1e-7, 2e-6, 4e-6, 8e-6, 16e-6, 32e-6, 63e-6, 125e-6, 250e-6, 500e-6, 1e-3, 5e-3,
)  # fmt: skip
_PICO_FAST = (1e-7, 1e-6, 6e-6, 13e-6, 25e-6, 50e-6, 100e-6, 200e-6, 1e-3, 5e-3)
_PICO = (
    Mode(2, -1.25, 2.0, 2.2, 100.0, _PICO_RANGES),
    Mode(3, -1.7, 2.0, 1.214, 200e3, _PICO_FAST),
    Mode(4, -1.7, 2.0, 2.6, 100.0, _PICO_RANGES),
)
_LR = _plain(3.0, _decades(-9, -2))
_HR = _plain(6.0, _decades(-7, -1))


def _pico(name: str) -> Kind:
    return Kind(
        name,
        _PICO,
        galvanostat=False,
        tread=537.1e-6,
        shortest=4e-3,  # what its UART carries
        script=12_000,
    )


def _emstat4(name: str, modes: tuple[Mode, ...], tread: float) -> Kind:
    return Kind(name, modes, galvanostat=True, tread=tread, finest_potential=50e-3)


KINDS = {
    "espico": _pico("EmStat Pico"),
    "senswb": _pico("Sensit Wearable"),
    "es4_lr": _emstat4("EmStat4 LR", _LR, 91.5527e-6),
    "es4_hr": _emstat4("EmStat4 HR", _HR, 183.105e-6),
    "mes4lr": _emstat4("MultiEmStat4 LR", _LR, 91.5527e-6),
    "mes4hr": _emstat4("MultiEmStat4 HR", _HR, 183.105e-6),
    "nexus1": Kind(
        "Nexus",
        _plain(10.0, _decades(-10, 0)),
        galvanostat=True,
        tread=305.176e-6,
        finest_potential=1e-3,
    ),
}
"""By the six letters with which the answer to `t` begins."""
