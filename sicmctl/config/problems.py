"""What is wrong with a file, told with the file, the line and the key."""

from collections.abc import Iterable
from dataclasses import dataclass

from sicmctl.hal.errors import SicmError

Path = tuple[str | int, ...]
"""Where a value stands in a TOML document: ("step", 0, "scan", "hop")."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. line and column count from 1; line 0: the file as a whole."""

    file: str
    line: int
    key: str
    found: str
    expected: str
    column: int | None = None

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        return f"{where}:{key} found {self.found}; expected {self.expected}"


class ConfigError(SicmError):
    """A file cannot be used. Its text has one line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: p.line))
        super().__init__("\n".join(map(str, self.problems)))


class Fault(ValueError):
    """Raised by the models' own checks.

    found, expected: the halves of the message. at: the key that is to blame, below the model.
    """

    def __init__(self, found: str, expected: str, *at: str | int) -> None:
        self.found = found
        self.expected = expected
        self.at = at
        super().__init__(f"found {found}; expected {expected}")


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem before it is known on which line of which file it stands."""

    path: Path
    found: str
    expected: str


def dotted(path: Path) -> str:
    """Return a path as an operator reads it: `step[0].scan.hop`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        bare = part.isascii() and part.replace("_", "").replace("-", "").isalnum()
        text += ("." if text else "") + (part if bare else _quoted(part))
    return text


def _quoted(part: str) -> str:
    return '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in part) + '"'
