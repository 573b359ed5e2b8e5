"""Program messages: where a line's commands and their parameters begin and end."""

import re
from dataclasses import dataclass
from enum import Enum

from simulators.instruments.scpi.errors import ScpiError

_PIECE = re.compile(r"""("(?:[^"]|"")*"|'(?:[^']|'')*'|\([^()]*\))""")
_HEADER = re.compile(
    r"\s*(?P<header>\*[A-Za-z]+|:?\s*\*[A-Za-z]+|:?[A-Za-z]\w*(?:\s*:\s*[A-Za-z]\w*)*)"
    r"\s*(?P<query>\?)?(?P<rest>\s.*)?$",
    re.ASCII | re.DOTALL,
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)\s*(?:[eE]\s*[+-]?\d+)?", re.ASCII)
_WORD = re.compile(r"[A-Za-z]\w*", re.ASCII)


class Form(Enum):
    """What a parameter looks like."""

    NUMBER = "number"
    WORD = "word"
    STRING = "string"
    OTHER = "other"


@dataclass(frozen=True)
class Argument:
    """One parameter; a string comes without its quotes."""

    text: str
    form: Form


@dataclass(frozen=True)
class Unit:
    """One command or query of a message. header: as sent, without blanks, in capitals."""

    header: str
    query: bool
    arguments: tuple[Argument, ...]


def split(text: str, separator: str) -> list[str]:
    """Split outside of quotes and parentheses."""
    parts = [""]
    for index, piece in enumerate(_PIECE.split(text)):
        if index % 2:
            parts[-1] += piece
            continue
        if '"' in piece or "'" in piece:
            raise ScpiError(-102, "unterminated string")
        first, *more = piece.split(separator)
        parts[-1] += first
        parts += more
    return parts


def parse(text: str) -> Unit | None:
    """One command or query; None if there is nothing. ScpiError -102 for anything else."""
    if not text.strip():
        return None
    match = _HEADER.match(text)
    if match is None:
        raise ScpiError(-102)
    header = re.sub(r"\s", "", match["header"]).upper()
    return Unit(header, match["query"] is not None, _arguments(match["rest"] or ""))


def _arguments(text: str) -> tuple[Argument, ...]:
    if not text.strip():
        return ()
    return tuple(_argument(part.strip()) for part in split(text, ","))


def _argument(text: str) -> Argument:
    if not text:
        raise ScpiError(-109)
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]:
        quote = text[0]
        return Argument(text[1:-1].replace(quote * 2, quote), Form.STRING)
    if _NUMBER.match(text) or text.startswith("#"):
        return Argument(text, Form.NUMBER)
    return Argument(text, Form.WORD if _WORD.fullmatch(text) else Form.OTHER)


def absolute(header: str, path: str) -> str:
    """A header in full, given the path that the command before it left.

    `:TRAC:ACT:STAR? ; END?` means `:TRAC:ACT:END?`; common commands stand outside of this.
    """
    bare = header.lstrip(":")
    if bare.startswith("*"):
        return bare
    return header if header.startswith(":") else path + ":" + header


def path_after(header: str, path: str) -> str:
    """The path that a full header leaves to the command after it."""
    return path if header.startswith("*") else header.rpartition(":")[0]
