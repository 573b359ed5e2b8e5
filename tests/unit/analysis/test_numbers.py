"""Roughness, modes, XZ images and summaries against known answers."""

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sicmctl.analysis.roughness import fit_plane, remove_plane, roughness
from sicmctl.analysis.summary import RunSummary, summarise
from sicmctl.analysis.tables import scan_rows
from sicmctl.analysis.xz import line_hops, mode, xz_image
from sicmctl.data.runfile import RunFile

from .synthetic import STARTED, line_run, point_run, raster_run, run_file, surface

Y, X = np.linspace(3e-6, 8e-6, 12), np.linspace(-2e-6, 5e-6, 17)


@given(slope_x=st.floats(-0.5, 0.5), slope_y=st.floats(-0.5, 0.5), holes=st.integers(0, 60))
def test_a_plane_is_found_and_removed(slope_x: float, slope_y: float, holes: int) -> None:
    z = 1e-5 + slope_x * X[None, :] + slope_y * Y[:, None]
    z.ravel()[np.random.default_rng(0).choice(z.size, holes, replace=False)] = np.nan
    plane = fit_plane(z, Y, X)
    assert plane.slope_x == pytest.approx(slope_x, abs=1e-9)
    assert plane.slope_y == pytest.approx(slope_y, abs=1e-9)
    assert np.nanmax(np.abs(remove_plane(z, Y, X))) < 1e-15


def test_roughness_of_a_known_surface() -> None:
    y = x = np.linspace(0, 6.3e-6, 64)
    wave = 5e-8 * np.cos(2 * np.pi * (np.arange(64) - 31.5) / 8)  # even, so not like a slope
    z = wave[None, :] + wave[:, None] + 0.1 * x + 3e-6
    found = roughness(z, y, x)
    assert found.rq == pytest.approx(5e-8, rel=1e-6)
    assert found.sz == pytest.approx(2 * np.ptp(wave), rel=1e-6)
    assert found.ra < found.rq
    assert abs(found.skewness) < 0.01
    holed = z.copy()
    holed[::5, ::3] = np.nan
    assert roughness(holed, y, x).rq == pytest.approx(5e-8, rel=0.05)


def test_roughness_of_nearly_nothing() -> None:
    nothing = np.full((12, 17), np.nan)
    assert np.isnan(roughness(nothing, Y, X).rq)
    nothing[3, 4] = 1e-6
    assert roughness(nothing, Y, X).pixels == 1
    assert np.isnan(fit_plane(np.full((1, 1), np.nan), Y[:1], X[:1]).offset)
    assert roughness(np.full((12, 17), 2e-5), Y, X).rq == pytest.approx(0, abs=1e-18)


def test_the_mode_is_the_bulk_level() -> None:
    rng = np.random.default_rng(3)
    gap = np.linspace(2e-6, 5e-8, 3000)
    bulk = 3.2e-9
    assert mode(bulk * (1 + 1e-4 * rng.normal(size=3000)) / (1 + 1e-9 / gap)) == pytest.approx(
        bulk, rel=2e-3
    )
    assert mode(np.full(5, 2.0)) == 2.0
    assert mode(np.array([1.0, 1.0, 1.0, 9.0])) == pytest.approx(1.0)
    assert np.isnan(mode(np.array([np.nan])))
    assert np.isnan(mode(np.empty(0)))


def test_xz_image_shows_the_surface(tmp_path: Path) -> None:
    with RunFile(run_file(tmp_path, raster_run(12, bad=0))) as run:
        scan = run.scan()
        hops = line_hops(scan, 5)  # a row that was scanned from right to left
        assert scan.column("column")[hops].tolist() == list(range(12))
        image = xz_image(scan, hops)
        assert image.change.shape == (80, 12)
        np.testing.assert_allclose(image.place, np.linspace(0, 20e-6, 12), atol=1e-12)
        lowest = [image.z[np.flatnonzero(np.isfinite(c))[0]] for c in image.change.T]
        np.testing.assert_allclose(lowest, surface(12, 12)[5] + 48e-9, atol=6e-8)
        assert np.nanmedian(image.change) == pytest.approx(0, abs=2e-3)
        empty = xz_image(scan, [])
        assert empty.change.shape == (0, 0)


def test_summary_of_a_raster(tmp_path: Path) -> None:
    with RunFile(run_file(tmp_path, raster_run(16, bad=0.1))) as run:
        summary = summarise(run)
    (scan,) = summary.scans
    assert sum(scan.counts.values()) == scan.targets == scan.hops == 256
    assert scan.measured == scan.counts["ok"] + scan.counts["touched"]
    assert scan.hops_per_second == pytest.approx(1 / 0.09)
    assert 0.5 < scan.duty < 0.8
    assert (scan.hop_time, scan.least_time) == (pytest.approx(0.09), pytest.approx(0.08))
    assert 0.4e-3 < scan.reaction < scan.worst_reaction < 0.5e-3
    rows = dict(scan_rows(scan))
    assert rows["Time of a hop (median)"] == "90 ms"
    assert rows["Of that the stage needs"] == "80 ms"
    assert re.fullmatch(
        r"4\d\d µs, [45]\d\d µs at worst; 1 ms assumed", rows["Reaction to the surface"]
    )
    assert scan.height_sd == pytest.approx(2.5e-9, rel=0.3)
    assert scan.reference == pytest.approx(3.2e-9, rel=0.01)
    assert scan.roughness is not None
    y = x = np.linspace(0, 20e-6, 16)
    assert scan.roughness.rq == pytest.approx(roughness(surface(16, 16), y, x).rq, rel=0.1)
    assert (summary.warnings, summary.errors) == (1, 0)
    assert summary.info.title == STARTED.title
    assert msgspec.json.decode(msgspec.json.encode(summary))["hops"] == 256


@pytest.mark.parametrize(
    "messages",
    [[], [STARTED], raster_run(4, part=0), raster_run(1), point_run(1), line_run(1, 2)],
    ids=["nothing", "started", "no hops", "one pixel", "one point", "two points"],
)
def test_summary_of_nearly_nothing(tmp_path: Path, messages: list) -> None:
    with RunFile(run_file(tmp_path, messages)) as run:
        summary = summarise(run)
    assert isinstance(summary, RunSummary)
    assert msgspec.json.encode(summary)
