"""Numbers on the wire: literals of a script, values of a data package."""

import re
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from math import isfinite, nan

PREFIXES = "afpnum kMGTPE"
"""SI prefixes, 10**-18 to 10**18 in steps of 1000; a blank is 1."""

_SCALE = {prefix: 10.0 ** (3 * place - 18) for place, prefix in enumerate(PREFIXES)}
_LARGEST = 1 << 31
_OFFSET = 1 << 27
_VALUE = re.compile(
    r"(?P<kind>[a-z]{2})"
    rf"(?:(?P<digits>[0-9A-Fa-f]{{7}})(?P<prefix>[{PREFIXES}i])|     nan)"
    r"(?P<meta>(?:,(?:1[0-9A-Fa-f]|2[0-9A-Fa-f]{2}|[03-9A-Fa-f][0-9A-Fa-f]+))*)"
)


class BadPackage(ValueError):
    """A line of data that is not what the protocol allows."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a package.

    kind: two letters that say what it is. unit: what its last digit stands for.
    status: bits, 0 is good. range: index of the range it was measured in.
    """

    kind: str
    number: float
    unit: float = 0.0
    status: int = 0
    range: int | None = None
    integer: bool = False


def literal(value: float, down: bool = False) -> str:
    """Write a number as a script wants it: an integer and an SI prefix, 0.1 as `100m`.

    Exact for what a person writes; otherwise within 3e-7 of the value, `down`: never above it.
    Raises ValueError for what no script can say.
    """
    if not isfinite(value):
        raise ValueError(f"{value} is no number for a script")
    exact = Decimal(f"{value:.12g}")  # without the noise of binary fractions
    for place in range(len(PREFIXES)):
        scaled = exact.scaleb(18 - 3 * place)
        mantissa = int(scaled.to_integral_value(ROUND_DOWN if down else ROUND_HALF_EVEN))
        if abs(mantissa) < _LARGEST:
            break
    else:
        raise ValueError(f"{value:g} is too large for a script")
    if mantissa == 0:
        return "0"
    while mantissa % 1000 == 0 and place < len(PREFIXES) - 1:
        mantissa, place = mantissa // 1000, place + 1
    return f"{mantissa}{PREFIXES[place].strip()}"


def package(line: str) -> tuple[Value, ...]:
    """Read a data package, without its first letter P. Raises BadPackage."""
    return tuple(_value(text) for text in line.split(";"))


def _value(text: str) -> Value:
    match = _VALUE.fullmatch(text)
    if match is None:
        raise BadPackage(text)
    kind, digits, prefix, meta = match.groups()
    status, index = 0, None
    for item in meta.split(",")[1:]:
        if item[0] == "1":
            status = int(item[1], 16)
        elif item[0] == "2":
            index = int(item[1:], 16)
    if digits is None:
        return Value(kind, nan, 0.0, status, index)
    mantissa = int(digits, 16) - _OFFSET
    if prefix == "i":
        return Value(kind, float(mantissa), 1.0, status, index, integer=True)
    return Value(kind, _scaled(mantissa, prefix), _SCALE[prefix], status, index)


def _scaled(mantissa: int, prefix: str) -> float:
    """Scale so that 100 m is 0.1, not its neighbour: divide by an exact power of ten."""
    power = 3 * PREFIXES.index(prefix) - 18
    return mantissa * 10.0**power if power >= 0 else mantissa / 10.0**-power
