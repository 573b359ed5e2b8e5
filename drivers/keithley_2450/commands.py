"""What is sent for a pass: settings, list, timer and blocks of the trigger model."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor
from typing import Literal

from .passes import UPLOAD, Function, Pass

GRACE = 0.5
"""s after which a pass that nothing follows switches the output off: the host may have died."""

_OVERHEAD = 1e-3
"""s of a reading beside the conversions, generously."""
_SLOW = 0.2
"""s between readings from which the zero of the converter is measured along with each."""
_FIXED = 0.8
AUTOMATIC = 0.25
"""Share of an interval that a reading takes; on automatic ranges two changes fit in too."""
_LONGEST = 5
"""Power-line cycles beyond which integrating longer gains nothing."""

SENSED: dict[Function, Function] = {"VOLT": "CURR", "CURR": "VOLT"}
"""What is measured while the other is sourced."""
_LIMIT = {"VOLT": "ILIM", "CURR": "VLIM"}
_LIST = {"VOLT": "VoltCustomSweepList", "CURR": "CurrCustomSweepList"}


@dataclass(frozen=True)
class Reading:
    """How long a reading takes. cycles: of the power line. zero: auto zero. duration: s."""

    cycles: float
    zero: bool
    duration: float


def reading(interval: float, line: float, share: float = _FIXED) -> Reading:
    """Return the longest integration for which a reading and its read-back fit the interval.

    line: mains frequency, Hz. share: of the interval that they may take. Whole power-line cycles
    where there is time for them.
    """
    zero = interval >= _SLOW
    conversions = 6 if zero else 2
    cycles = (share * interval - _OVERHEAD) * line / conversions
    cycles = min(max(cycles, 0.01), _LONGEST)
    cycles = float(floor(cycles)) if cycles >= 1 else floor(cycles * 100) / 100
    return Reading(max(cycles, 0.01), zero, conversions * cycles / line + _OVERHEAD)


def off_modes() -> list[str]:
    """Return what makes the output disconnect the cell when it goes off, rather than short it."""
    return [f":OUTP:{source}:SMOD HIMP" for source in ("VOLT", "CURR")]


def wires(four: bool, terminals: Literal["front", "rear"]) -> list[str]:
    """Return how the cell is connected. A change switches the output off."""
    remote, side = ("ON" if four else "OFF"), ("FRON" if terminals == "front" else "REAR")
    return [f":ROUT:TERM {side}", *(f":SENS:{sense}:RSEN {remote}" for sense in ("VOLT", "CURR"))]


def formats() -> list[str]:
    """Return what each reading is made of and how it is written."""
    lines = [":SENS:COUN 1", ":FORM ASC", ":FORM:ASC:PREC 16"]
    for quantity in ("VOLT", "CURR"):
        lines += [
            f":SENS:{quantity}:AVER OFF",
            f":SOUR:{quantity}:READ:BACK ON",
            f":SOUR:{quantity}:DEL 0",
        ]
    return lines


def settings(function: Function, how: Reading, full_scale: float | None, limit: float) -> list[str]:
    """Return what is set before a source function is used; one line, the output stays as it is.

    full_scale: of the measured quantity; None chooses as it goes. limit: of it. V or A.
    """
    sensed = SENSED[function]
    sense = f":SENS:{sensed}"
    return [
        f":SOUR:FUNC {function}",
        f':SENS:FUNC "{sensed}"',
        f":SOUR:{function}:{_LIMIT[function]} {number(limit)}",
        f"{sense}:RANG:AUTO ON" if full_scale is None else f"{sense}:RANG {number(full_scale)}",
        f"{sense}:NPLC {how.cycles:g}",
        f"{sense}:AZER {'ON' if how.zero else 'OFF'}",
    ]


def upload(function: Function, levels: tuple[float, ...]) -> Iterator[str]:
    """Yield the commands that fill the list of levels, a line each."""
    for first in range(0, len(levels), UPLOAD):
        values = ",".join(number(level) for level in levels[first : first + UPLOAD])
        yield f":SOUR:LIST:{function}{':APP' if first else ''} {values}"


def timer(interval: float) -> list[str]:
    """Return what makes timer 1 tick from the first notification on.

    It ticks without end: a count would run out if a slow reading let a tick pass.
    """
    timer = ":TRIG:TIM1"
    return [
        f"{timer}:STAT OFF",
        f"{timer}:DEL {number(interval)}",
        f"{timer}:COUN 0",
        f"{timer}:STAR:STIM NOT1",
        f"{timer}:STAR:GEN OFF",
        f"{timer}:STAT ON",
    ]


def blocks(one: Pass) -> list[str]:
    """Return the trigger model of a pass: a level, a tick of the timer, a reading, and again.

    At its end the output stays as it is for GRACE, in which the host stops the trigger model.
    """
    name, block = _LIST[one.function], ":TRIG:BLOC"
    lines = [
        ':TRIG:LOAD "Empty"',
        f'{block}:CONF:REC 1,"{name}",1',
        f"{block}:SOUR:STAT 2,ON",
        f"{block}:NOT 3,1",
        f'{block}:MEAS 4,"defbuffer2"',  # finds the range while there is time
    ]
    if len(one.levels) > 1:
        lines += [f"{block}:BRAN:ALW 5,7", f'{block}:CONF:NEXT 6,"{name}"']
    wait = len(lines)
    target = wait - 1 if len(one.levels) > 1 else wait
    lines += [
        f"{block}:WAIT {wait},TIM1",
        f'{block}:MEAS {wait + 1},"defbuffer1"',
        f"{block}:BRAN:COUN {wait + 2},{one.count},{target}",
        f"{block}:DEL:CONS {wait + 3},{GRACE:g}",
        f"{block}:SOUR:STAT {wait + 4},OFF",
    ]
    return lines


def number(value: float) -> str:
    """Write a number with all the digits that the instrument could use, and no more."""
    return f"{value + 0.0:.9g}"
