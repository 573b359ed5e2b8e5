"""Numbers of a script: literals, variables, and how they are written into data packages."""

import math
import re
from dataclasses import dataclass

PREFIXES = "afpnum kMGTPE"
"""SI prefixes, 10**-18 to 10**18 in steps of 1000; blank is 1."""

OFFSET = 1 << 27
"""Added to the 28-bit number of a package."""

VARTYPES = frozenset(
    ["aa", "ab", "ac", "ad", "ae", "af", "ag", "ah", "ai"]
    + [f"a{c}" for c in "stuvwxyz"]
    + ["ba", "bb"]
    + [f"c{c}" for c in "abcdefghijklmnopqrstuvwxyz"]
    + ["da", "db", "dc", "dd", "ea", "eb", "ec", "ed", "ee", "ef", "eg"]
    + [f"{a}{b}" for a in "hij" for b in "abcd"]
)
"""Two letters that say what a number is."""

_LITERAL = re.compile(r"([+-]?\d+)([afpnumkMGTPEi]?)")
_BITS = re.compile(r"(0x[0-9A-Fa-f]+|0b[01]+)i?")
_LARGEST = 2**31


@dataclass(frozen=True, slots=True)
class Value:
    """A number with its type; measured ones also know how they were measured.

    status: bits, see `Status`. range: index of the range.
    """

    number: float
    kind: str = "aa"
    integer: bool = False
    status: int | None = None
    range: int | None = None


class Status:
    """Bits of a measured value's status."""

    OK = 0
    TIMING = 1
    OVERLOAD = 2
    UNDERLOAD = 4
    WARNING = 8


def literal(text: str) -> Value:
    """The number a script spells `text`; ValueError if that is none."""
    if bits := _BITS.fullmatch(text):
        number = int(bits[1], 0)
        if number >= 2 * _LARGEST:
            raise ValueError(text)
        return Value(number, integer=True)
    match = _LITERAL.fullmatch(text)
    if match is None or not text.isascii() or abs(int(match[1][:24])) >= _LARGEST:
        raise ValueError(text)
    mantissa, prefix = int(match[1]), match[2]
    if prefix == "i":
        return Value(mantissa, integer=True)
    power = 3 * PREFIXES.index(prefix or " ") - 18
    return Value(mantissa * 10**power if power >= 0 else mantissa / 10**-power)


def encode(value: Value) -> str:
    """One value of a data package: type, seven hexadecimal digits, prefix, metadata."""
    text = value.kind + _digits(value)
    if value.status is not None:
        text += f",1{value.status:X}"
    if value.range is not None:
        text += f",2{value.range:02X}"
    return text


def _digits(value: Value) -> str:
    number = value.number
    if value.integer:
        limited = min(max(int(number), -OFFSET), OFFSET - 1)
        return f"{limited + OFFSET:07X}i"
    if not math.isfinite(number):
        return "     nan"
    if number == 0:
        return f"{OFFSET:07X} "
    for place, prefix in enumerate(PREFIXES):
        power = 3 * place - 18
        scaled = round(number / 10**power if power > 0 else number * 10**-power)
        if abs(scaled) < OFFSET - 1:
            return f"{scaled + OFFSET:07X}{prefix}"
    return "     nan"


def show(value: Value) -> str:
    """As an f-string prints it: a number with an SI prefix."""
    if value.integer:
        return str(int(value.number))
    if not math.isfinite(value.number):
        return "nan"
    if value.number == 0:
        return "0"
    place = min(max(math.floor(math.log10(abs(value.number)) / 3), -6), 6)
    prefix = PREFIXES[place + 6].strip()
    return f"{value.number / 10.0 ** (3 * place):.6g}{prefix}"
