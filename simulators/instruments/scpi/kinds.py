"""Kinds of parameters: how to read them off the wire and how to write them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Protocol

from simulators.instruments.scpi.errors import ScpiError
from simulators.instruments.scpi.syntax import Argument, Form
from simulators.instruments.scpi.words import is_form_of, short

MULTIPLIERS = {
    "EX": 1e18, "PE": 1e15, "T": 1e12, "G": 1e9, "MA": 1e6, "K": 1e3, "": 1.0, "M": 1e-3,
    "U": 1e-6, "N": 1e-9, "P": 1e-12, "F": 1e-15, "A": 1e-18,
}  # fmt: skip
_SUFFIXED = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:\s*[eE]\s*[+-]?\d+)?)\s*([A-Za-z]*)", re.ASCII)
_BASES = {"#H": 16, "#Q": 8, "#B": 2}


class Kind(Protocol):
    """What one parameter may be."""

    def read(self, argument: Argument) -> Any:
        """The value; raises ScpiError."""
        ...


@dataclass(frozen=True)
class Real:
    """A number with its bounds (both allowed); `DEF`, `MIN` and `MAX` mean what they say.

    also: values allowed outside of the bounds, such as -1 for "automatic".
    """

    low: float
    high: float
    default: float | None = None
    unit: str = ""
    also: tuple[float, ...] = ()

    def read(self, argument: Argument) -> float:
        """The value, in the unit."""
        if argument.form is Form.WORD:
            return self.bound(argument)
        value = number(argument, self.unit)
        if not (self.low <= value <= self.high or value in self.also):
            raise ScpiError(-222)
        return value

    def bound(self, argument: Argument) -> float:
        """What `MIN`, `MAX` or `DEF` stands for."""
        words = {"MINimum": self.low, "MAXimum": self.high, "DEFault": self.default}
        for word, value in words.items():
            if value is not None and is_form_of(argument.text, word):
                return value
        raise ScpiError(-104)

    def write(self, value: float) -> str:
        """As NR3."""
        return f"{value:.6E}"


@dataclass(frozen=True)
class Whole:
    """A whole number with its bounds."""

    low: int
    high: int
    default: int | None = None

    def read(self, argument: Argument) -> int:
        """The value, rounded as SCPI wants it."""
        return round(Real(self.low, self.high, self.default).read(argument))

    def bound(self, argument: Argument) -> int:
        """What `MIN`, `MAX` or `DEF` stands for."""
        return round(Real(self.low, self.high, self.default).bound(argument))

    def write(self, value: int) -> str:
        """As NR1."""
        return str(value)


@dataclass(frozen=True)
class Flag:
    """ON, OFF or a number, of which 0 is off."""

    def read(self, argument: Argument) -> bool:
        """The value."""
        if argument.form is Form.NUMBER:
            return round(number(argument)) != 0
        if argument.form is not Form.WORD:
            raise ScpiError(-104)
        if argument.text.upper() not in ("ON", "OFF"):
            raise ScpiError(-224)
        return argument.text.upper() == "ON"

    def write(self, value: bool) -> str:
        """0 or 1."""
        return "1" if value else "0"


class Choice:
    """One of some words, each in its long or short form; the value is the short form.

    quoted: the word may also come as a string.
    """

    def __init__(self, *words: str, quoted: bool = False, also: Mapping[str, str] | None = None):
        self.words = {word: short(word) for word in words} | dict(also or {})
        self.quoted = quoted

    def read(self, argument: Argument) -> str:
        """The short form."""
        allowed = (Form.WORD, Form.STRING, Form.OTHER) if self.quoted else (Form.WORD,)
        if argument.form not in allowed:
            raise ScpiError(-104)
        for word, value in self.words.items():
            if is_form_of(argument.text.strip(), word):
                return value
        raise ScpiError(-224)

    def write(self, value: str) -> str:
        """The short form."""
        return value


@dataclass(frozen=True)
class Text:
    """A string in quotes."""

    longest: int = 255

    def read(self, argument: Argument) -> str:
        """The string."""
        if argument.form is not Form.STRING:
            raise ScpiError(-104)
        if len(argument.text) > self.longest:
            raise ScpiError(-222)
        return argument.text

    def write(self, value: str) -> str:
        """In double quotes."""
        return '"' + value.replace('"', '""') + '"'


@dataclass(frozen=True)
class Maybe:
    """A parameter that may be left out."""

    kind: Kind
    default: Any = None

    def read(self, argument: Argument) -> Any:
        """The value of a parameter that is there."""
        return self.kind.read(argument)


@dataclass(frozen=True)
class Many:
    """All parameters that are left, as a tuple."""

    kind: Kind
    least: int = 0
    most: int = 100

    def read(self, argument: Argument) -> Any:
        """One of the values."""
        return self.kind.read(argument)


@dataclass(frozen=True)
class Bound:
    """`MIN`, `MAX` or `DEF` in the query of a number: the bound instead of the setting."""

    kind: Real | Whole

    def read(self, argument: Argument) -> float:
        """The bound."""
        return self.kind.bound(argument)


def number(argument: Argument, unit: str = "") -> float:
    """A number with or without a suffix such as `mV`, or in another base (`#HFF`)."""
    if argument.form is not Form.NUMBER:
        raise ScpiError(-104)
    if argument.text.startswith("#"):
        return _in_base(argument.text)
    match = _SUFFIXED.fullmatch(argument.text)
    if match is None:
        raise ScpiError(-104)
    digits, suffix = re.sub(r"\s", "", match[1]), match[2].upper()
    value = float(digits) * _multiplier(suffix, unit)
    if not isfinite(value):
        raise ScpiError(-222)
    return value


def _multiplier(suffix: str, unit: str) -> float:
    prefix = suffix.removesuffix(unit) if unit else suffix
    if prefix == "M" and suffix in ("MOHM", "MHZ"):
        return 1e6
    if prefix not in MULTIPLIERS:
        raise ScpiError(-131)
    return MULTIPLIERS[prefix]


def _in_base(text: str) -> float:
    try:
        return float(int(text[2:], _BASES[text[:2].upper()]))
    except (KeyError, ValueError, OverflowError):
        raise ScpiError(-104) from None


def read_all(kinds: tuple[Kind, ...], arguments: tuple[Argument, ...]) -> list[Any]:
    """All values of a command: too few is -109, too many is -108."""
    values: list[Any] = []
    rest = list(arguments)
    for kind in kinds:
        if isinstance(kind, Many):
            if len(rest) < kind.least:
                raise ScpiError(-109)
            if len(rest) > kind.most:
                raise ScpiError(-108)
            values.append(tuple(kind.read(argument) for argument in rest))
            rest = []
        elif rest:
            values.append(kind.read(rest.pop(0)))
        elif isinstance(kind, Maybe):
            values.append(kind.default)
        else:
            raise ScpiError(-109)
    if rest:
        raise ScpiError(-108)
    return values
