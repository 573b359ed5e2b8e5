"""Figures and the page: made for every kind of run, safe, and self-contained."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from sicmctl.analysis.figures import draw, pictures, save_figures
from sicmctl.analysis.report import render, write_report
from sicmctl.analysis.style import STATUS_COLOURS
from sicmctl.analysis.summary import summarise
from sicmctl.analysis.tables import drift_rows, tip_rows
from sicmctl.aside import Aside
from sicmctl.data.recover import recover
from sicmctl.data.runfile import RunFile
from sicmctl.hal.hop import HopStatus
from sicmctl.messages import (
    AnyMessage,
    DriftMeasured,
    HopDone,
    ScanEnded,
    ScanStarted,
    TipMeasured,
)

from .synthetic import STARTED, line_run, point_run, raster_run, run_file

REST = ", gap at the setpoint 40 nm, 3.2 nA (12 curves)"
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


def test_two_processes_draw_the_same_figures_as_one(tmp_path: Path) -> None:
    with RunFile(run_file(tmp_path, raster_run(4))) as run, Aside() as aside:
        alone, shared = draw(run), draw(run, aside)
    assert [(d.part, d.name, d.title, d.caption) for d in shared] == [
        (d.part, d.name, d.title, d.caption) for d in alone
    ]
    assert [d.png for d in shared] == [d.png for d in alone]


def test_of_a_prescan_the_height_will_do_unless_there_is_nothing_else(tmp_path: Path) -> None:
    scan = raster_run(3)
    first = [replace(m, prescan=True) if isinstance(m, ScanStarted) else m for m in scan]
    second = [replace(m, scan=1) for m in scan if isinstance(m, (ScanStarted, HopDone, ScanEnded))]
    with RunFile(run_file(tmp_path, first, "alone")) as run:
        assert [figure.name for figure in draw(run)] == [*MAPS, "xz"]
    with RunFile(run_file(tmp_path, [*first[:-1], *second, first[-1]], "both")) as run:
        drawn = [(figure.part, figure.name) for figure in draw(run)]
    assert drawn[:1] == [("scan0", "height")]
    assert {part for part, _ in drawn[1:]} == {"scan1"}
    assert len(drawn) == 8


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


def look(time: float, phase: str, verdict: str, radius: float = 50e-9) -> TipMeasured:
    return TipMeasured(
        time=time,
        phase=phase,
        verdict=verdict,
        inner_radius=radius,
        radius_sd=4.06e-9,
        half_angle=0.06,
        half_angle_sd=0.006,
        gap=40e-9,
        current=3.2e-9,
        curves=12,
    )


def test_tip_and_drift_are_told_where_they_were_followed(tmp_path: Path) -> None:
    more: list[AnyMessage] = [
        look(4.2, "before", "first"),
        look(40.0, "during", "same"),
        look(80.0, "during", "broken", 62e-9),
        look(90.0, "during", "broken", 62e-9),
        look(95.0, "after", "broken", 62e-9),
        DriftMeasured(time=30.0, method="revisit", z=30e-9, z_sd=1e-9, rate_z=1e-9),
        DriftMeasured(time=60.0, method="revisit", z=60e-9, z_sd=1e-9, rate_z=1e-9),
        DriftMeasured(time=70.0, method="frames", x=5e-9, x_sd=2e-9, y=-7e-9, y_sd=2e-9),
    ]
    messages = raster_run(2)
    with RunFile(run_file(tmp_path, [*messages[:-1], *more, messages[-1]])) as run:
        summary = summarise(run)
        page = render(run)
    assert tip_rows(summary.tip) == [
        ("before, 4.2 s", f"inner radius 50 nm ± 4.1 nm{REST}"),
        ("during, 40.0 s", f"same: inner radius 50 nm ± 4.1 nm{REST}"),
        ("during, 1 min 20 s", f"broken: inner radius 62 nm ± 4.1 nm{REST}"),
        ("after, 1 min 35 s", f"broken: inner radius 62 nm ± 4.1 nm{REST}"),
    ]
    assert drift_rows(summary.drift) == [
        ("z, by revisit", "60 nm ± 1 nm at 1 min 00 s, 1 nm/s"),
        ("x, by frames", "5 nm ± 2 nm at 1 min 10 s"),
        ("y, by frames", "-7 nm ± 2 nm at 1 min 10 s"),
    ]
    assert "<h2>Tip</h2>" in page
    assert "<h2>Drift</h2>" in page


def test_runs_in_which_nothing_was_followed_say_nothing_of_it(tmp_path: Path) -> None:
    with RunFile(run_file(tmp_path, raster_run(2))) as run:
        assert (run.tip, run.drift) == ([], [])
        page = render(run)
    assert "<h2>Tip</h2>" not in page
    assert "<h2>Drift</h2>" not in page


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
