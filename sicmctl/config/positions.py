"""On which line each key of a TOML document stands.

`tomllib` tells values but not places. The scanner here reads a document that `tomllib` accepted, so
it checks nothing: it skips what it does not need.
"""

import re
import tomllib
from dataclasses import dataclass, field

from .problems import Path

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (
    re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'(?!''))*'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)
_SCALAR = re.compile(r"[^,\]}#\r\n]*")


@dataclass
class Positions:
    """Offsets of keys and array elements in a text."""

    text: str
    offsets: dict[Path, int] = field(default_factory=dict)

    def place(self, path: Path) -> tuple[int, int]:
        """Return (line, column), from 1, of a path, or of the nearest section that holds it."""
        while path and path not in self.offsets:
            path = path[:-1]
        offset = self.offsets.get(path, 0)
        start = self.text.rfind("\n", 0, offset) + 1
        return self.text.count("\n", 0, offset) + 1, offset - start + 1


def positions(text: str) -> Positions:
    """Find the place of every key and array element of a valid TOML document."""
    scanner = _Scanner(text)
    scanner.document()
    return Positions(text, scanner.offsets)


class _Scanner:
    """Walks over a document once. `at` is the offset of the next character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.offsets: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}  # how many elements each array of tables has so far

    def document(self) -> None:
        """Read all tables and all key-value pairs."""
        section: Path = ()
        self.skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                section = self.header()
            else:
                self.pair(section)
            self.skip(_BLANK)

    def header(self) -> Path:
        """Read `[a.b]` or `[[a.b]]`; return the path of the table that it opens."""
        start = self.at
        is_array = self.text.startswith("[[", start)
        self.at += 2 if is_array else 1
        *parents, (last, _) = self.key()
        self.at += 2 if is_array else 1
        path: Path = ()
        for name, _ in parents:
            path = self.newest((*path, name))
            self.note(path, start)
        path = (*path, last)
        if is_array:
            self.counts[path] = self.counts.get(path, 0) + 1
            self.note(path, start)
        path = self.newest(path)
        self.offsets[path] = start
        return path

    def newest(self, path: Path) -> Path:
        """Return a table's path, or that of the last element of an array of tables."""
        return (*path, self.counts[path] - 1) if path in self.counts else path

    def pair(self, section: Path) -> None:
        """Read `key = value`."""
        path = section
        for name, start in self.key():
            path = (*path, name)
            self.note(path, start)
        self.at += 1  # the equals sign
        self.skip(_SPACE)
        self.value(path)

    def key(self) -> list[tuple[str, int]]:
        """Read a dotted key; return its parts with their offsets."""
        parts: list[tuple[str, int]] = []
        while True:
            self.skip(_SPACE)
            start = self.at
            if self.text[start] in "\"'":
                self.string()
                quoted = self.text[start : self.at]
                parts.append((tomllib.loads(f"k = {quoted}")["k"], start))
            else:
                self.skip(_BARE)
                parts.append((self.text[start : self.at], start))
            self.skip(_SPACE)
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def value(self, path: Path) -> None:
        """Read a value of any kind."""
        match self.text[self.at]:
            case '"' | "'":
                self.string()
            case "[":
                self.array(path)
            case "{":
                self.inline_table(path)
            case _:
                self.skip(_SCALAR)

    def array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self.more("]"):
            self.note((*path, index), self.at)
            self.value((*path, index))
            index += 1

    def inline_table(self, path: Path) -> None:
        self.at += 1
        while self.more("}"):
            self.pair(path)

    def more(self, end: str) -> bool:
        """Step over blanks and commas; tell whether another element follows."""
        self.skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
            self.skip(_BLANK)
        if self.text[self.at] != end:
            return True
        self.at += 1
        return False

    def string(self) -> None:
        for pattern in _STRINGS:
            if match := pattern.match(self.text, self.at):
                self.at = match.end()
                return

    def skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def note(self, path: Path, offset: int) -> None:
        self.offsets.setdefault(path, offset)
