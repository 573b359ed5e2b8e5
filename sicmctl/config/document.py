"""A TOML file as text, as values, and with the places of its keys."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from sicmctl.hal.quantity import quote

from .diagnose import written
from .positions import Positions, positions
from .problems import ConfigError, Finding, Path, Problem, dotted

_BOMS = {b"\xef\xbb\xbf": "UTF-8", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$| \(at end of document\)$")


@dataclass(frozen=True)
class Document:
    """A file that is valid TOML."""

    name: str
    text: str
    table: dict[str, Any]
    positions: Positions

    def problems(self, findings: Iterable[Finding]) -> list[Problem]:
        """Say on which lines the findings are."""
        problems = []
        for finding in findings:
            line, column = self.positions.place(finding.path)
            key = dotted(finding.path)
            problems.append(Problem(self.name, line, key, finding.found, finding.expected, column))
        return problems

    def check_schema(self, wanted: int) -> list[Finding]:
        """Return what is wrong with the version. Raises ConfigError if it is another version."""
        if "schema" not in self.table:
            return [Finding(("schema",), "nothing", f"schema = {wanted}")]
        found = self.table["schema"]
        if type(found) is int and found == wanted:
            return []
        if type(found) is not int:
            return [Finding(("schema",), written(found), f"the number {wanted}")]
        if found > wanted:
            expected = f"version {wanted}, the newest that this program reads (update sicmctl)"
        else:
            expected = f"version {wanted}, the oldest that this program reads (rewrite the file)"
        finding = Finding(("schema",), f"version {written(found)}", expected)
        raise ConfigError(self.problems([finding]))


def read(path: File) -> Document:
    """Read a TOML file. Raises ConfigError if it cannot be read or is not TOML."""
    text = read_text(path)
    try:
        table = tomllib.loads(text)
        document = Document(path.name, text, table, positions(text))
    except RecursionError:
        raise _refuse(path, 1, "tables or arrays nested too deeply", "a flatter file") from None
    except ValueError as error:  # TOMLDecodeError, and numbers too long for Python
        raise _syntax(path, text, str(error)) from None
    if findings := list(_beyond_64_bits(table)):
        raise ConfigError(document.problems(findings))
    return document


def _beyond_64_bits(table: dict[str, Any]) -> Iterator[Finding]:
    """Find integers that TOML does not allow; `tomllib` lets them pass."""
    waiting: list[tuple[Path, Any]] = [((), table)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [((*path, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [((*path, index), inner) for index, inner in enumerate(value)]
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            yield Finding(path, written(value), "an integer of 64 bits")


def read_text(path: File) -> str:
    """Read a file of plain UTF-8. Raises ConfigError if that is impossible."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise _refuse(path, 0, f"no way to read it ({reason})", "a file") from None
    for mark, name in _BOMS.items():
        if data.startswith(mark):
            raise _refuse(path, 1, f"a {name} byte-order mark", "plain UTF-8 without one")
    try:
        return data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refuse(path, line, f"the byte 0x{data[error.start]:02x}", "UTF-8 text") from None


def _syntax(path: File, text: str, message: str) -> ConfigError:
    place = _PLACE.search(message)
    line = text.count("\n") + 1
    column = None
    if place and place[1]:
        line, column = int(place[1]), int(place[2])
    elif place is None:
        line = 1
    reason = _PLACE.sub("", message)
    lines = text.split("\n")
    here = lines[line - 1].strip() if line <= len(lines) else ""
    found = f"{quote(here)}, which is not TOML" if here else "text that is not TOML"
    if reason.startswith("Expected "):
        return _refuse(path, line, found, reason.removeprefix("Expected "), column)
    detail = reason[:1].lower() + reason[1:]
    return _refuse(path, line, f"{found} ({detail})", "TOML 1.0", column)


def _refuse(
    path: File, line: int, found: str, expected: str, column: int | None = None
) -> ConfigError:
    return ConfigError([Problem(path.name, line, "", found, expected, column)])
