"""Lists of points in CSV files: a header `x (um),y (um)`, then one point a line."""

import csv
import re
from pathlib import Path as File

from sicmctl.hal.quantity import BadQuantity, parse, quote

from .document import read_text
from .experiment import Experiment
from .problems import ConfigError, Problem
from .scan import ListScan

_HEADER = re.compile(r"\s*([xy])\s*\(([^()]+)\)\s*")


def with_points(experiment: Experiment, path: File) -> Experiment:
    """Return the experiment with the points of all files that it names.

    path: the experiment's own; files are sought beside it. Raises ConfigError.
    """
    steps = []
    for step in experiment.step:
        scan = step.scan
        if isinstance(scan, ListScan) and scan.file is not None:
            points = read_points(path.parent / scan.file)
            scan = scan.model_copy(update={"points": points})
        steps.append(step.model_copy(update={"scan": scan}))
    return experiment.model_copy(update={"step": tuple(steps)})


def read_points(path: File) -> tuple[tuple[float, float], ...]:
    """Read points, m. Raises ConfigError with every line that is wrong."""
    header, *lines = read_text(path).split("\n")
    columns = _columns(path, header)
    points: list[tuple[float, float]] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        try:
            cells = next(csv.reader([line]))
            x, y = (_metres(cells, *columns[axis]) for axis in "xy")
            points.append((x, y))
        except (ValueError, IndexError, StopIteration, csv.Error):
            problems.append(Problem(path.name, number, "", quote(line), "two numbers: x, y"))
    if not points and not problems:
        problems.append(Problem(path.name, 1, "", "no points", "at least one"))
    if problems:
        raise ConfigError(problems)
    return tuple(points)


def _metres(cells: list[str], column: int, unit: str) -> float:
    """Return a cell in metres. Raises ValueError or IndexError."""
    value = parse(f"{float(cells[column])!r} {unit}", "m")
    if abs(value) > 1:
        raise ValueError(f"{value} m is beyond any stage")
    return value


def _columns(path: File, header: str) -> dict[str, tuple[int, str]]:
    """Return number and unit of each axis's column."""
    columns: dict[str, tuple[int, str]] = {}
    for index, cell in enumerate(header.split(",")):
        if match := _HEADER.fullmatch(cell):
            try:
                parse(f"1 {match[2]}", "m")
                columns[match[1]] = (index, match[2])
            except BadQuantity as error:
                raise ConfigError(
                    [Problem(path.name, 1, match[1], error.found, "a unit of length")]
                ) from None
    if set(columns) != {"x", "y"}:
        raise ConfigError([Problem(path.name, 1, "", quote(header), 'the header "x (um),y (um)"')])
    return columns
