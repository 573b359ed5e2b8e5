"""All figures of a run, and their files."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from io import BytesIO
from itertools import chain, islice, zip_longest
from pathlib import Path

from sicmctl.data.echemdata import collect
from sicmctl.data.runfile import RunFile, Scan

from .approach import approach_curves
from .echem.figures import pictures as echem_pictures
from .lines import kymograph, profile, time_plot, xz_picture
from .maps import raster_pictures
from .style import Picture, look


def pictures(scan: Scan) -> Iterator[Picture]:
    """Yield the figures that suit the scan's pattern."""
    with look():
        rows, columns = scan.shape
        if scan.pattern == "raster" and rows * columns:
            yield from raster_pictures(scan)
        elif scan.pattern == "line" and rows * columns:
            yield profile(scan)
            if rows > 1:
                yield kymograph(scan)
        else:
            yield time_plot(scan)
        yield approach_curves(scan)
        if columns > 1:
            yield xz_picture(scan, _best_row(scan))


def _best_row(scan: Scan) -> int:
    """Return the middle one of the rows with hops."""
    rows = sorted(set(scan.column("row").tolist())) if scan.count else [0]
    return int(rows[len(rows) // 2])


def png(picture: Picture) -> bytes:
    """Return a figure as PNG."""
    data = BytesIO()
    with look():
        picture.figure.savefig(data, format="png", metadata={"Software": "sicmctl"})
    return data.getvalue()


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure as PNG. part: of the run that it shows, `scan0` or `echem0`."""

    part: str
    name: str
    title: str
    caption: str
    png: bytes


def draw(run: RunFile, aside: Executor | None = None) -> list[Drawn]:
    """Draw all figures of a run once; report and folder share them.

    aside: draws every second one meanwhile, in a process of its own.
    """
    if aside is None:
        return _draw(run, 0, 1)
    others = aside.submit(_draw_file, run.path, 1, 2)
    pairs = zip_longest(_draw(run, 0, 2), others.result())
    return [drawn for pair in pairs for drawn in pair if drawn is not None]


def _draw_file(path: Path, first: int, every: int) -> list[Drawn]:
    with RunFile(path) as run:
        return _draw(run, first, every)


def _draw(run: RunFile, first: int, every: int) -> list[Drawn]:
    """Draw some of the figures.

    A prescan serves the scan after it, so that its height, the first of its pictures, will do.
    """
    alone = len(run.scans) == 1
    of_scans = (
        (f"scan{scan.number}", picture)
        for scan in run.scans.values()
        for picture in islice(pictures(scan), 1 if scan.prescan and not alone else None)
    )
    of_echem = (
        (f"echem{echem.number}", picture)
        for echem in run.echem.values()
        for picture in echem_pictures(collect(echem))
    )
    return [
        Drawn(part, picture.name, picture.title, picture.caption, png(picture))
        for part, picture in islice(chain(of_scans, of_echem), first, None, every)
    ]


def save_figures(
    run: RunFile, folder: Path | str, drawn: Sequence[Drawn] | None = None
) -> list[Path]:
    """Write all figures of a run as PNG files, `scan0-height.png`, `echem0-time.png` and so on."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for figure in draw(run) if drawn is None else drawn:
        name = re.sub(r"[^\w-]", "_", figure.name)
        path = folder / f"{figure.part}-{name}.png"
        path.write_bytes(figure.png)
        written.append(path)
    return written
