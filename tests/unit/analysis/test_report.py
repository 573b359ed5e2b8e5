"""Figures and the page: made for every kind of run, safe, and self-contained."""

import re
from pathlib import Path

import pytest

from sicmctl.analysis.figures import pictures, save_figures
from sicmctl.analysis.report import render, write_report
from sicmctl.analysis.style import STATUS_COLOURS
from sicmctl.data.recover import recover
from sicmctl.data.runfile import RunFile
from sicmctl.hal.hop import HopStatus
from sicmctl.messages import AnyMessage

from .synthetic import STARTED, line_run, point_run, raster_run, run_file

MAPS = ["height", "relief", "current", "status", "uncertainty", "approach"]


@pytest.mark.parametrize(
    ("messages", "names"),
    [
        (raster_run(10), [*MAPS, "xz"]),
        (raster_run(6, part=0.4), [*MAPS, "xz"]),
        (raster_run(4, part=0), [*MAPS, "xz"]),
        (raster_run(3, bad=1.1), [*MAPS, "xz"]),
        (raster_run(1), MAPS),
        (line_run(4, 8), ["profile", "kymograph", "approach", "xz"]),
        (line_run(1, 8), ["profile", "approach", "xz"]),
        (point_run(20), ["time", "approach"]),
    ],
    ids=["raster", "partial", "empty", "failed", "pixel", "lines", "line", "point"],
)
def test_figures_suit_the_pattern(
    tmp_path: Path, messages: list[AnyMessage], names: list[str]
) -> None:
    with RunFile(run_file(tmp_path, messages)) as run:
        written = save_figures(run, tmp_path / "figures")
    assert [path.stem for path in written] == [f"scan0-{name}" for name in names]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)


def test_the_page(tmp_path: Path) -> None:
    with RunFile(run_file(tmp_path, raster_run(8))) as run:
        page = write_report(run, tmp_path / "run.html").read_text(encoding="utf-8")
        assert len(list(pictures(run.scan()))) == page.count("<img")
    assert page.count("data:image/png;base64,") == 7
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "Rq (plane removed)" in page
    assert "&lt;b&gt;not bold&lt;/b&gt;" in page
    assert "<b>not bold" not in page
    assert "the reference current drifts" in page
    assert "Axopatch 200B" in page
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("messages", [[], [STARTED], raster_run(2, part=0)])
def test_the_page_of_an_empty_run(tmp_path: Path, messages: list[AnyMessage]) -> None:
    with RunFile(run_file(tmp_path, messages)) as run:
        page = render(run)
    assert "interrupted" in page


def test_the_page_of_a_run_that_lost_its_beginning(tmp_path: Path) -> None:
    run_file(tmp_path, raster_run(3))
    data = bytearray((tmp_path / "run.sicmlog").read_bytes())
    data[data.find(b"scan-started")] ^= 1
    (tmp_path / "bad.sicmlog").write_bytes(data)
    with RunFile(recover(tmp_path / "bad.sicmlog").out) as run:
        page = render(run)
    assert "could not be read" in page
    assert "<figcaption>Height of each hop" in page


def test_every_status_has_a_colour_of_its_own() -> None:
    assert list(STATUS_COLOURS) == [str(status) for status in HopStatus]
    assert len(set(STATUS_COLOURS.values())) == len(STATUS_COLOURS)
