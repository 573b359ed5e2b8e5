"""Text exports of electrochemistry: CSV with units, and Battery Data Format."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .echemdata import EchemData, collect
from .names import RunFileError
from .runfile import RunFile

Columns = Mapping[str, NDArray[Any]]
_ROWS = 4096


def techniques(run: RunFile) -> list[EchemData]:
    """Return the techniques of a run. Raises RunFileError if it has none."""
    found = [collect(echem) for echem in run.echem.values()]
    if not found:
        raise RunFileError(f"{run.path} has no electrochemistry to export")
    return found


def beside(out: Path, data: EchemData, suffix: str, part: str = "") -> Path:
    """Return the file of a technique: `RUN.csv` becomes `RUN-echem0.csv`, whatever its suffix."""
    stem = out.name.removesuffix(suffix) if out.name.endswith(suffix) else out.stem
    return out.with_name(f"{stem}-echem{data.number}{part}{suffix}")


def write_all(files: Iterable[tuple[Path, Callable[[Path], None]]]) -> list[Path]:
    """Write files; none if one of them exists already. Raises FileExistsError."""
    planned = list(files)
    for path, _ in planned:
        if path.exists():
            raise FileExistsError(17, "exists", str(path))
    for path, write in planned:
        write(path)
    return [path for path, _ in planned]


def echem_csv(run: RunFile, out: Path) -> list[Path]:
    """Write a file of samples and, if there are any, one of impedance for each technique."""
    return write_all(_csv_files(run, out))


def _csv_files(run: RunFile, out: Path) -> Iterator[tuple[Path, Callable[[Path], None]]]:
    for data in techniques(run):
        if len(data) or not len(data.spectrum):
            yield beside(out, data, ".csv"), _writer(_samples(data))
        if len(data.spectrum):
            yield beside(out, data, ".csv", "-impedance"), _writer(_points(data))


def _samples(data: EchemData) -> Columns:
    labels = {step.number: step.label for step in data.steps}
    return {
        "time (s)": data.time,
        "potential (V)": data.potential,
        "current (A)": data.current,
        "charge (C)": data.charge,
        "step": data.step,
        "label": np.array([labels.get(number, "") for number in data.step.tolist()], object),
        "cycle": data.cycle,
        "loop": data.loop,
        "flags": data.flags,
    }


def _points(data: EchemData) -> Columns:
    spectrum = data.spectrum
    return {
        "time (s)": spectrum.time,
        "step": spectrum.step,
        "frequency (Hz)": spectrum.frequency,
        "real (ohm)": spectrum.impedance.real,
        "imaginary (ohm)": spectrum.impedance.imag,
        "potential (V)": spectrum.potential,
        "current (A)": spectrum.current,
        "flags": spectrum.flags,
    }


def echem_bdf(run: RunFile, out: Path) -> list[Path]:
    """Write Battery Data Format (Battery Data Alliance), a `.bdf.csv` for each technique.

    Its preferred labels are the header. Current and capacity keep their sign: anodic positive,
    which is charging for a positive electrode and discharging for a negative one. The format has
    no impedance: techniques without samples are left out.
    """
    found = [data for data in techniques(run) if len(data)]
    if not found:
        raise RunFileError(f"{run.path} has impedance only, for which this format has no columns")
    return write_all(
        (beside(out, data, ".bdf.csv"), _writer(_battery(data, run.info.epoch))) for data in found
    )


def _battery(data: EchemData, epoch: str) -> Columns:
    columns: dict[str, NDArray[Any]] = {
        "Test Time / s": data.time - data.start,
        "Voltage / V": data.potential,
        "Current / A": data.current,
    }
    began = began_at(epoch, 0.0)
    if began is not None and began.tzinfo is not None:
        columns["Unix Time / s"] = began.timestamp() + data.time
    return columns | {
        "Cycle Count / 1": counted_cycles(data),
        "Step Count / 1": data.step + 1,
        "Net Capacity / Ah": data.charge / 3600,
    }


def counted_cycles(data: EchemData) -> NDArray[np.int32]:
    """Return the cycle of each sample from 1: of the outermost repeat, else of the voltammetry."""
    return (data.loop if data.loop.any() else data.cycle) + 1


def began_at(epoch: str, time: float) -> datetime | None:
    """Return the wall-clock time of a moment of the run, None if the run does not tell."""
    try:
        return datetime.fromisoformat(epoch) + timedelta(seconds=time)
    except (ValueError, OverflowError):
        return None


def _writer(columns: Columns) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("x", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows(columns.values()))

    return write


def rows(columns: Iterable[NDArray[Any]]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of columns, each number as short as gives it back; NaN is left empty."""
    listed = list(columns)
    starts = range(0, len(listed[0]), _ROWS)
    blocks = ([column[k : k + _ROWS].tolist() for column in listed] for k in starts)
    for row in chain.from_iterable(zip(*block, strict=True) for block in blocks):
        yield tuple("" if value != value else value for value in row)  # noqa: PLR0124  (NaN)
