"""Cuts a script line into words."""

import re
from dataclasses import dataclass

from simulators.instruments.methodscript.errors import Code, ScriptError

_TOKEN = re.compile(
    r"""(?P<blank>[ \t]+)|(?P<comment>\#.*)|(?P<text>f?"[^"]*")|(?P<open>\()|(?P<close>\))
    |(?P<word>[^\s()"\#]+)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a string with its quotes, or a parenthesis. after: the column after it, from 1."""

    text: str
    after: int
    touches: bool
    """Whether nothing stands between it and the one before."""

    @property
    def is_text(self) -> bool:
        return self.text.endswith('"')


def tokens(line: str, number: int) -> list[Token]:
    """The words of line `number`, without comment."""
    found: list[Token] = []
    position, blank = 0, True
    while position < len(line):
        match = _TOKEN.match(line, position)
        if match is None:
            raise ScriptError(Code.UNEXPECTED_CHARACTER, number, position + 1)
        if match.lastgroup == "comment":
            break
        bad = next((i for i, c in enumerate(match[0]) if c != "\t" and not " " <= c <= "~"), None)
        if bad is not None:
            raise ScriptError(Code.UNEXPECTED_CHARACTER, number, position + bad + 1)
        position = match.end()
        if match.lastgroup == "blank":
            blank = True
            continue
        found.append(Token(match[0], position + 1, not blank))
        blank = False
    return found
