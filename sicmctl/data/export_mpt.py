"""Export to the text format of BioLogic's EC-Lab (.mpt), which most battery programs read."""

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .echemdata import WRONG, EchemData
from .export_echem import began_at, beside, counted_cycles, rows, techniques, write_all
from .runfile import RunFile

NAMES = {
    "ocp": "Open Circuit Voltage",
    "rest": "Open Circuit Voltage",
    "cv": "Cyclic Voltammetry",
    "lsv": "Linear Sweep Voltammetry",
    "ca": "Chronoamperometry / Chronocoulometry",
    "hold": "Chronoamperometry / Chronocoulometry",
    "steps": "Chronoamperometry / Chronocoulometry",
    "cp": "Chronopotentiometry",
    "cc": "Chronopotentiometry",
    "gcpl": "Galvanostatic Cycling with Potential Limitation",
    "gitt": "Galvanostatic Cycling with Potential Limitation",
    "pitt": "Potentiodynamic Cycling with Galvanostatic Acceleration",
    "eis": "Potentio Electrochemical Impedance Spectroscopy",
}
"""What EC-Lab calls a technique; others go by the name that the user gave."""
_MODES = {"held current": 1, "held potential": 2, "sweep": 2, "cycles": 2, "impedance": 2}
_REST = 3
_ENCODING = "windows-1252"
Columns = Mapping[str, NDArray[Any]]


def export_mpt(run: RunFile, out: Path) -> list[Path]:
    """Write a file of samples and, if there are any, one of impedance for each technique."""
    return write_all(_files(run, out))


def _files(run: RunFile, out: Path) -> Iterator[tuple[Path, Callable[[Path], None]]]:
    for data in techniques(run):
        if len(data) or not len(data.spectrum):
            yield beside(out, data, ".mpt"), _writer(_header(run, data), _samples(data))
        if len(data.spectrum):
            header = _header(run, data, NAMES["eis"])
            yield beside(out, data, ".mpt", "-impedance"), _writer(header, _points(data))


def _samples(data: EchemData) -> Columns:
    modes = {step.number: _MODES.get(step.kind, _REST) for step in data.steps}
    mode = np.array([modes.get(number, _REST) for number in data.step.tolist()], np.int64)
    return {
        "mode": mode,
        "ox/red": (data.current > 0).astype(np.int64),
        "error": ((data.flags & np.uint8(WRONG)) != 0).astype(np.int64),
        "Ns changes": (np.diff(data.step, prepend=data.step[:1]) != 0).astype(np.int64),
        "Ns": data.step,
        "time/s": data.time - data.start,
        "Ewe/V": data.potential,
        "I/mA": 1e3 * data.current,
        "cycle number": counted_cycles(data).astype(np.float64),
        "(Q-Qo)/C": data.charge,
        "Q charge/discharge/mA.h": data.charge / 3.6,
    }


def _points(data: EchemData) -> Columns:
    spectrum = data.spectrum
    z = spectrum.impedance
    return {
        "freq/Hz": spectrum.frequency,
        "Re(Z)/Ohm": z.real,
        "-Im(Z)/Ohm": -z.imag,
        "|Z|/Ohm": np.abs(z),
        "Phase(Z)/deg": np.degrees(np.angle(z)),
        "time/s": spectrum.time - data.start,
        "<Ewe>/V": spectrum.potential,
        "<I>/mA": 1e3 * spectrum.current,
        "Ns": spectrum.step,
    }


def _header(run: RunFile, data: EchemData, name: str = "") -> list[str]:
    """Return technique and settings, between the first two lines and the data."""
    info = run.info
    began = began_at(info.epoch, data.start) if isfinite(data.start) else None
    started = f"{began:%m/%d/%Y %H:%M:%S}.{began.microsecond // 1000:03d}" if began else ""
    settings = {
        "Run": info.run,
        "Title": info.title,
        "Acquisition started on": started,
        "Device": data.instrument,
        "Electrode material": info.sample,
        "User": info.operator,
        "Saved by": f"sicmctl {info.program_version}",
        "Outcome": data.outcome,
        "Comments": "current is anodic positive; time is that of the run less its beginning",
        "Cycle Definition": "Charge/Discharge alternance",
    }
    lines = [f"{key} : {_line(value)}" for key, value in settings.items() if value]
    title = name or NAMES.get(data.technique) or data.title or data.technique or "Technique"
    return ["", _line(title), "", *lines, ""]


def _line(text: str) -> str:
    """Return text in one line, with the characters that the encoding has."""
    return " ".join(text.split()).encode(_ENCODING, "replace").decode(_ENCODING)


def _writer(header: list[str], columns: Columns) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("x", newline="\r\n", encoding=_ENCODING) as file:
            count = len(header) + 3
            file.write(f"EC-Lab ASCII FILE\nNb header lines : {count}\n")
            file.writelines(line + "\n" for line in header)
            file.write("".join(f"{name}\t" for name in columns) + "\n")
            for row in rows(columns.values()):
                file.write("\t".join(_number(value) for value in row) + "\n")

    return write


def _number(value: object) -> str:
    """Return a number as EC-Lab writes it; what is not known is `nan`."""
    return f"{value:.15E}" if isinstance(value, float) else str(value) or "nan"
