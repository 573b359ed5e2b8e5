"""What `:TRACe:DATA?` and `:READ?` say about a reading, and in which format."""

import struct
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from simulators.instruments.keithley.buffers import Buffer, Reading
from simulators.instruments.keithley.settings import Settings
from simulators.instruments.scpi import Choice, Many, ScpiError

ELEMENTS = Choice(
    "DATE",
    "FORMatted",
    "FRACtional",
    "READing",
    "RELative",
    "SEConds",
    "SOURce",
    "SOURFORMatted",
    "SOURSTATus",
    "SOURUNIT",
    "STATus",
    "TIME",
    "TSTamp",
    "UNIT",
)
MANY = Many(ELEMENTS, most=14)
"""What a client may ask for, in any order."""

_BINARY = {"READ", "REL", "SOUR"}
_PREFIXES = {0: "", -1: "m", -2: "u", -3: "n", -4: "p"}
_SYMBOLS = {"VOLT": "V", "AMP": "A", "OHM": "Ohm"}

Show = Callable[[Reading, Buffer, datetime, Callable[[float], str]], str]


def _engineering(value: float, unit: str) -> str:
    power, scaled = 0, value
    while 0 < abs(scaled) < 1 and power > -4:
        power, scaled = power - 1, scaled * 1e3
    return f"{scaled:+.5f} {_PREFIXES[power]}{_SYMBOLS.get(unit, unit)}"


def _microseconds(at: datetime) -> str:
    return f"{at.microsecond:06d}000"


_SHOW: dict[str, Show] = {
    "READ": lambda r, b, at, number: number(r.value),
    "SOUR": lambda r, b, at, number: number(r.source),
    "REL": lambda r, b, at, number: number(r.time - b.first_time),
    "DATE": lambda r, b, at, number: at.strftime("%m/%d/%Y"),
    "TIME": lambda r, b, at, number: at.strftime("%H:%M:%S"),
    "TST": lambda r, b, at, number: at.strftime("%m/%d/%Y %H:%M:%S.") + _microseconds(at),
    "SEC": lambda r, b, at, number: str(int(at.timestamp())),
    "FRAC": lambda r, b, at, number: number(at.microsecond * 1e-6),
    "FORM": lambda r, b, at, number: _engineering(r.value, r.unit),
    "UNIT": lambda r, b, at, number: r.unit,
    "STAT": lambda r, b, at, number: str(r.status),
    "SOURFORM": lambda r, b, at, number: _engineering(r.source, r.source_unit),
    "SOURSTAT": lambda r, b, at, number: str(r.source_status),
    "SOURUNIT": lambda r, b, at, number: r.source_unit,
}


def show(
    readings: Iterable[Reading],
    buffer: Buffer,
    elements: tuple[str, ...],
    settings: Settings,
    epoch: datetime,
) -> str | bytes:
    """The reply: rows of elements, in the format that `:FORMat[:DATA]` chose.

    epoch: date and time at time 0. Raises ScpiError 1133 for text in a binary format.
    """
    wanted = elements or ("READ",)
    if settings.data_format != "ASC":
        return _binary(readings, buffer, wanted, settings)
    digits = settings.precision - 1 if settings.precision else 6

    def number(value: float) -> str:
        return f"{value:.{digits}E}"

    return ",".join(
        _SHOW[element](reading, buffer, epoch + timedelta(seconds=reading.time), number)
        for reading in readings
        for element in wanted
    )


def _binary(
    readings: Iterable[Reading], buffer: Buffer, elements: tuple[str, ...], settings: Settings
) -> bytes:
    if not _BINARY.issuperset(elements):
        raise ScpiError(1133)
    values = [
        {"READ": r.value, "SOUR": r.source, "REL": r.time - buffer.first_time}[element]
        for r in readings
        for element in elements
    ]
    code = "d" if settings.data_format == "REAL" else "f"
    order = "<" if settings.byte_order == "SWAP" else ">"
    return b"#0" + struct.pack(f"{order}{len(values)}{code}", *values)
