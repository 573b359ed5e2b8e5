"""One electrochemical technique of a run as arrays: what analysis and exports work on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from sicmctl.hal.potentiostat import SampleFlag

from . import h5read as h5
from .names import RunFileError

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

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

    kind: what it does (`open`, `hold potential`, `hold current`, `sweep`, `cycles`, `impedance`).
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
        names = ("time", "potential", "current", "charge", "step", "cycle", "loop", "flags")
        if len({getattr(self, name).size for name in names}) > 1:
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


def read_echem(group: h5py.Group) -> EchemData:
    """Read the group `/entry/echem_N` of a run file. Raises RunFileError if it is damaged."""
    columns: dict[str, Any] = {
        name: _column(group, name, kind)
        for name, kind in (
            *dict.fromkeys(("time", "potential", "current", "charge"), np.float64).items(),
            *dict.fromkeys(("step", "cycle", "loop"), np.int32).items(),
            ("flags", np.uint8),
        )
    }
    try:
        return EchemData(
            **columns,
            steps=tuple(_steps(group)),
            spectrum=_spectrum(group),
            number=int(h5.attribute(group, "echem") or str(group.name).rpartition("_")[2]),
            technique=h5.attribute(group, "technique"),
            title=h5.attribute(group, "title"),
            outcome=h5.attribute(group, "outcome"),
            instrument=h5.attribute(group, "instrument"),
            time_sd=float(h5.attribute(group, "time_sd") or 0.0),
            settings=h5.numbers(group, "settings"),
        )
    except ValueError as error:
        raise RunFileError(f"{group.file.filename}: {group.name}: {error}") from error


def _column(group: h5py.Group, name: str, kind: type) -> NDArray[Any]:
    return h5.read(h5.dataset(group, name)).astype(kind, copy=False)


def _steps(group: h5py.Group) -> list[EchemStep]:
    fields = EchemStep.__dataclass_fields__
    rows = h5.rows(group, "steps")
    return [EchemStep(**{k: v for k, v in row.items() if k in fields}) for row in rows]


def _spectrum(group: h5py.Group) -> EchemSpectrum:
    found = h5.find(group, "spectrum")
    if not isinstance(found, h5py.Group):
        return EchemSpectrum()
    real, imag = (_column(found, name, np.float64) for name in ("real", "imag"))
    return EchemSpectrum(
        time=_column(found, "time", np.float64),
        step=_column(found, "step", np.int32),
        frequency=_column(found, "frequency", np.float64),
        impedance=real + 1j * imag,
        potential=_column(found, "potential", np.float64),
        current=_column(found, "current", np.float64),
        flags=_column(found, "flags", np.uint8),
    )
