"""One electrochemical technique of a run as arrays: what analysis and exports work on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sicmctl.hal.potentiostat import SampleFlag

from .echem import Echem
from .names import RunFileError

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

COLUMNS = ("time", "potential", "current", "charge", "step", "cycle", "loop", "flags")

WRONG = SampleFlag.OVERLOAD | SampleFlag.COMPLIANCE
"""Flags of samples whose numbers are not those of the cell as it was to be driven."""


def _floats() -> F64:
    return np.empty(0)


def _ints() -> I32:
    return np.empty(0, np.int32)


def _bytes() -> U8:
    return np.empty(0, np.uint8)


@dataclass(frozen=True, slots=True)
class EchemStep:
    """A step as executed. start, end: s on the run's timeline, NaN if unknown.

    kind: what it does (`open`, `held potential`, `held current`, `sweep`, `cycles`, `impedance`).
    label: what it is to the user. loop: how often the outermost repeat was run before.
    """

    number: int
    kind: str = ""
    label: str = ""
    start: float = math.nan
    end: float = math.nan
    reason: str = ""
    loop: int = 0


@dataclass(frozen=True, slots=True)
class EchemSpectrum:
    """Points of impedance spectra, shape (n,): s, number of the step, Hz, ohm (complex), V, A."""

    time: F64 = field(default_factory=_floats)
    step: I32 = field(default_factory=_ints)
    frequency: F64 = field(default_factory=_floats)
    impedance: NDArray[np.complex128] = field(default_factory=lambda: np.empty(0, np.complex128))
    potential: F64 = field(default_factory=_floats)
    current: F64 = field(default_factory=_floats)
    flags: U8 = field(default_factory=_bytes)

    def __len__(self) -> int:
        return self.time.size


@dataclass(frozen=True)
class EchemData:
    """A technique, shape (n,) each: s on the run's timeline, V, A (anodic > 0), C since it began.

    step: number of the step as executed. cycle: of cyclic voltammetry. loop: of the outermost
    repeat; all from 0. flags: SampleFlag values. time_sd: standard uncertainty of the times, s.
    Raises ValueError if the columns differ in length.
    """

    time: F64 = field(default_factory=_floats)
    potential: F64 = field(default_factory=_floats)
    current: F64 = field(default_factory=_floats)
    charge: F64 = field(default_factory=_floats)
    step: I32 = field(default_factory=_ints)
    cycle: I32 = field(default_factory=_ints)
    loop: I32 = field(default_factory=_ints)
    flags: U8 = field(default_factory=_bytes)
    steps: tuple[EchemStep, ...] = ()
    spectrum: EchemSpectrum = field(default_factory=EchemSpectrum)
    number: int = 0
    technique: str = ""
    title: str = ""
    outcome: str = ""
    instrument: str = ""
    time_sd: float = 0.0
    settings: Mapping[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        if len({getattr(self, name).size for name in COLUMNS}) > 1:
            raise ValueError("the columns of a technique differ in length")

    def __len__(self) -> int:
        return self.time.size

    @cached_property
    def good(self) -> NDArray[np.bool_]:
        """Samples that show the cell: finite, current in range, control not lost."""
        finite = np.isfinite(self.potential) & np.isfinite(self.current)
        return finite & ((self.flags & np.uint8(WRONG)) == 0)

    @property
    def start(self) -> float:
        """When it began, s on the run's timeline; NaN if there is nothing."""
        times = [step.start for step in self.steps if math.isfinite(step.start)]
        times += [float(column[0]) for column in (self.time, self.spectrum.time) if column.size]
        return min(times, default=math.nan)


def collect(echem: Echem) -> EchemData:
    """Return a technique of a run file as arrays. Raises RunFileError if it is damaged."""
    fields = EchemStep.__dataclass_fields__
    try:
        return EchemData(
            **{name: getattr(echem, name) for name in COLUMNS},
            steps=tuple(
                EchemStep(**{k: v for k, v in row.items() if k in fields}) for row in echem.steps
            ),
            spectrum=_spectrum(echem.spectrum),
            number=echem.number,
            technique=echem.technique,
            title=echem.title,
            outcome=echem.outcome,
            instrument=echem.instrument,
            time_sd=0.0 if math.isnan(echem.time_sd) else echem.time_sd,
            settings=echem.settings,
        )
    except (KeyError, ValueError) as error:
        raise RunFileError(f"technique {echem.number} is damaged: {error}") from error


def _spectrum(columns: Mapping[str, NDArray[Any]]) -> EchemSpectrum:
    if not columns:
        return EchemSpectrum()
    same = ("time", "step", "frequency", "potential", "current", "flags")
    return EchemSpectrum(
        **{name: columns[name] for name in same}, impedance=columns["real"] + 1j * columns["imag"]
    )
