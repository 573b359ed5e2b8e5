"""Commands as data, and how a header finds its command.

A pattern is written as in the manuals: `:SOURce[1]:VOLTage[:LEVel][:IMMediate][:AMPLitude]`.
Capitals are the short form, brackets are optional, `[1]` is a suffix that may be left out and
`<n>` one that is handed to the command.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from simulators.instruments.scpi.errors import ScpiError
from simulators.instruments.scpi.kinds import Bound, Kind, Maybe
from simulators.instruments.scpi.words import short

Reply = str | bytes


@dataclass(frozen=True)
class Command:
    """What a header does as a command (`do`) and as a query (`ask`).

    Both get the device, the header's suffixes and the parameters, read as `takes` and `asks` say:
    nothing is done unless all of them are good. idle: refused while the device is at work.
    """

    pattern: str
    do: Callable[..., None] | None = None
    ask: Callable[..., Reply] | None = None
    takes: tuple[Kind, ...] = ()
    asks: tuple[Kind, ...] = ()
    idle: bool = False


_TOKEN = re.compile(r"\[1\]|<n>|[A-Za-z]\w*|.", re.ASCII)
_SIGNS = {"[1]": "1?", "<n>": r"(\d*)", "[": "(?:", "]": ")?"}


def expression(pattern: str) -> re.Pattern[str]:
    """A regular expression of all headers, in capitals, that the pattern stands for."""
    parts = []
    for token in _TOKEN.findall(pattern):
        if token in _SIGNS:
            parts.append(_SIGNS[token])
        elif token[0].isalpha():
            parts.append(f"(?:{token.upper()}|{short(token)})")
        else:
            parts.append(re.escape(token))
    return re.compile("".join(parts), re.ASCII)


class Tree:
    """All commands of a device."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._commands = [(expression(command.pattern), command) for command in commands]
        self.find = lru_cache(maxsize=1024)(self._find)

    def _find(self, header: str) -> tuple[Command, tuple[int, ...]]:
        """The command of a full header in capitals, and its suffixes. ScpiError -113, -114."""
        found = self._match(header)
        if found is not None:
            return found
        plain = re.sub(r"\d+(?=:|$)", "", header)
        raise ScpiError(-114 if plain != header and self._match(plain) else -113)

    def _match(self, header: str) -> tuple[Command, tuple[int, ...]] | None:
        for pattern, command in self._commands:
            match = pattern.fullmatch(header)
            if match:
                return command, tuple(int(number or 1) for number in match.groups())
        return None


def attribute(
    pattern: str,
    kind: Any,
    of: Callable[[Any], object],
    name: str,
    *,
    after: Callable[[Any], None] | None = None,
) -> Command:
    """A setting that lives in an attribute: command, query, and query of its bounds.

    of: the object it lives in, given the device. after: what else a change brings about.
    """

    def do(device: Any, value: Any) -> None:
        setattr(of(device), name, value)
        if after is not None:
            after(device)

    return setting(pattern, kind, do, lambda device: getattr(of(device), name))


def setting(
    pattern: str,
    kind: Any,
    do: Callable[..., None],
    get: Callable[..., Any],
    *,
    idle: bool = True,
) -> Command:
    """A command with one parameter, its query, and (of a number) the query of its bounds."""

    def ask(device: Any, *values: Any) -> str:
        *suffixes, bound = values if bounded else (*values, None)
        return kind.write(get(device, *suffixes) if bound is None else bound)

    bounded = hasattr(kind, "bound")
    asks = (Maybe(Bound(kind)),) if bounded else ()
    return Command(pattern, do, ask, takes=(kind,), asks=asks, idle=idle)
