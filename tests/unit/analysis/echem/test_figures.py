"""Figures, tables and the page of electrochemical techniques."""

import re
from functools import cache
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np
import pytest
from matplotlib.figure import Figure as Canvas

from sicmctl.analysis.echem import figures, look, techniques
from sicmctl.analysis.echem.tables import MOST, tables
from sicmctl.analysis.figures import png, save_figures
from sicmctl.analysis.report import render
from sicmctl.config.echem import MODELS
from sicmctl.data.echemdata import EchemData
from sicmctl.data.runfile import RunFile
from sicmctl.hal.cell import (
    AnyStep,
    CellProgram,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Open,
    Repeat,
    Until,
)
from sicmctl.messages import (
    AnyMessage,
    Array,
    EchemBlock,
    EchemEnded,
    EchemStarted,
    EchemStepEnded,
    RunEnded,
    SpectrumBlock,
)
from simulators.cellconfig import CellConfig, GraphiteCell, NcmCell, RandlesCell, RcCell

from ..synthetic import STARTED, run_file
from .bench import Bench

DUMMY = RcCell(series_resistance=1e3, resistance=1e5, capacitance=1e-6)
REST = Open(interval=10, duration=120, label="rest")
CHARGE = HoldCurrent(interval=10, current=-0.4e-3, duration=7200, label="charge",
                     until=(Until("potential", "below", 5e-3),))  # fmt: skip
HOLD = HoldPotential(interval=10, potential=5e-3, duration=120, label="hold")
DISCHARGE = HoldCurrent(interval=10, current=0.4e-3, duration=7200, label="discharge",
                        until=(Until("potential", "above", 1.0),))  # fmt: skip
PULSE = HoldCurrent(interval=2, current=-0.4e-3, duration=120, label="pulse")
SPECTRUM = Impedance(interval=1, potential=0, amplitude=0.01, settle=5,
                     frequencies=tuple(np.geomspace(1e4, 0.1, 25).tolist()))  # fmt: skip
CV = Cycles(interval=0.1, start=0, first=0.8, second=0, rate=0.05, count=3)
STEP = HoldPotential(interval=1e-3, potential=0.5, duration=0.05, label="step")

JOBS: dict[str, tuple[CellConfig, tuple[AnyStep | Repeat, ...]]] = {
    "ocp": (GraphiteCell(), (Open(interval=1, duration=60),)),
    "cv": (NcmCell(), (CV,)),
    "ca": (DUMMY, (STEP,)),
    "gcpl": (GraphiteCell(), (Repeat((CHARGE, HOLD, REST, DISCHARGE, REST), 2),)),
    "gitt": (GraphiteCell(), (REST, Repeat((PULSE, REST), 5))),
    "eis": (RandlesCell(), (SPECTRUM,)),
}


@cache
def _measured(technique: str) -> EchemData:
    cell, steps = JOBS[technique]
    full_scale = 0.1 if technique == "cv" else 1e-3
    return Bench(cell).run(CellProgram(steps), technique, full_scale)


@pytest.mark.parametrize("technique", JOBS)
def test_figures_of_measured_techniques(technique: str) -> None:
    data = _measured(technique)
    names = []
    for picture in figures.pictures(data):
        names.append(picture.name)
        assert png(picture).startswith(b"\x89PNG")
        assert picture.caption
        assert _drawn(picture.figure) >= 8, picture.name
    assert tuple(names) == techniques.SHOWS[technique]


def _drawn(figure: Canvas) -> int:
    """Count the points in a figure's lines."""
    return sum(np.size(line.get_xdata()) for axes in figure.axes for line in axes.lines)


@pytest.mark.parametrize("technique", [*techniques.SHOWS, "sequence", "unknown", ""])
def test_nothing_measured_is_said(technique: str) -> None:
    for picture in figures.pictures(EchemData(technique=technique)):
        texts = [text.get_text() for axes in picture.figure.axes for text in axes.texts]
        assert any("no" in text for text in texts), picture.name
        assert png(picture)
    assert tables(EchemData(technique=technique)) == []


@pytest.mark.parametrize("technique", techniques.SHOWS)
def test_one_sample(technique: str) -> None:
    one, none = np.ones(1), np.zeros(1, np.int32)
    data = EchemData(one, one, one, one, none, none, none, np.zeros(1, np.uint8),
                     technique=technique)  # fmt: skip
    for picture in figures.pictures(data):
        assert png(picture)
    tables(data)


def test_every_technique_has_its_figures() -> None:
    named = {
        name for model in MODELS for name in get_args(model.model_fields["technique"].annotation)
    }
    assert named - {"sequence"} == set(techniques.SHOWS)
    assert {f for shown in techniques.SHOWS.values() for f in shown} == set(
        get_args(techniques.Figure)
    )


@pytest.mark.parametrize(
    ("technique", "shown"),
    [
        ("ocp", ("time",)),
        ("cv", ("voltammogram", "time")),
        ("gcpl", ("cycling", "capacity", "differential", "time")),
        ("gitt", ("titration", "time")),
        ("eis", ("nyquist", "bode")),
    ],
)
def test_a_sequence_shows_what_it_holds(technique: str, shown: tuple[str, ...]) -> None:
    data = _measured(technique)
    object.__setattr__(data, "technique", "sequence")
    try:
        assert techniques.figures_of(data) == shown
    finally:
        object.__setattr__(data, "technique", technique)


def test_thinned_lines_keep_their_extremes() -> None:
    x = np.arange(1_000_000.0)
    y = np.sin(x / 1e5)
    y[123_456] = 9.0
    thin_x, thin_y = look.thinned(x, y, 2000)
    assert thin_x.size < 2100
    assert thin_y.max() == 9.0
    assert (np.diff(thin_x) >= 0).all()
    assert (thin_x[0], thin_x[-1]) == (0, 999_999)


@pytest.mark.parametrize(
    ("largest", "factor", "unit"),
    [(2e-3, 1e3, "mA"), (1e-6, 1e6, "µA"), (0.0, 1.0, "A"), (3e-15, 1e12, "pA"), (5e3, 1e-3, "kA")],
)
def test_units_fit_the_numbers(largest: float, factor: float, unit: str) -> None:
    assert look.scaled(np.array([-largest, np.nan]), "A") == (pytest.approx(factor), unit)


def test_many_cycles_have_a_colour_bar() -> None:
    figure = Canvas()
    axes = figure.add_subplot()
    look.Cycles(range(30)).explain(figure, axes)
    assert len(figure.axes) == 2
    assert look.Cycles(range(30)).label(3) == "_nolegend_"
    assert look.Cycles([2, 0]).label(2) == "cycle 3"


def test_tables_hold_the_numbers() -> None:
    found = {table.title: table for name in JOBS for table in tables(_measured(name))}
    assert set(found) == {"Sweeps", "Cycles", "Pulses", "Impedance"}
    assert all(len(row) == len(t.header) for t in found.values() for row in t.rows)
    assert "R(C[R-W])" in found["Impedance"].rows[0]
    assert "Rct = 1000" in found["Impedance"].rows[0][3]
    assert found["Cycles"].rows[0][1].endswith("µAh (charge)")
    assert len(found["Pulses"].rows) == 5


def test_long_tables_say_what_they_leave_out() -> None:
    cycles = Cycles(interval=0.05, start=0, first=0.5, second=0, rate=1, count=40)
    data = Bench(DUMMY).run(CellProgram((cycles,)), "cv", 1e-5)
    (sweeps, *_) = tables(data)
    assert (len(sweeps.rows), sweeps.more) == (MOST, 20)


def test_the_page_of_a_run_with_techniques(tmp_path: Path) -> None:
    path = run_file(tmp_path, messages("gcpl", "eis"))
    with RunFile(path) as run:
        page = render(run)
        written = save_figures(run, tmp_path / "figures")
    assert "Technique 0: gcpl" in page
    assert "Coulombic efficiency" in page
    assert "R(C[R-W])" in page
    assert page.count("data:image/png;base64,") == 6 == len(written)
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "The run has no scans" not in page
    assert [p.stem for p in written][-2:] == ["echem1-nyquist", "echem1-bode"]


def messages(*names: str) -> list[AnyMessage]:
    """Return the messages of a run of techniques."""
    found: list[AnyMessage] = [msgspec.structs.replace(STARTED, rate=float("nan"))]
    end = 0.0
    for number, name in enumerate(names):
        data = _measured(name)
        found.append(EchemStarted(time=data.start, echem=number, technique=name))
        for step in data.steps:
            found += _step(number, data, step.number)
            found.append(EchemStepEnded(time=step.end, echem=number, step=step.number,
                                        kind=step.kind, label=step.label, loop=step.loop,
                                        start=step.start, reason=step.reason))  # fmt: skip
        end = data.steps[-1].end
        found.append(EchemEnded(time=end, echem=number, outcome="done", rest="ocp"))
    return [*found, RunEnded(time=end, outcome="done")]


def _step(number: int, data: EchemData, step: int) -> list[AnyMessage]:
    def pick(values: np.ndarray, mine: np.ndarray, dtype: str = "<f8") -> Array:
        return Array.of(values[mine], dtype)

    about = data.steps[step]
    mine, points = data.step == step, data.spectrum.step == step
    if points.any():
        s = data.spectrum
        return [
            SpectrumBlock(
                time=about.end, echem=number, step=step, times=pick(s.time, points), time_sd=0.0,
                frequency=pick(s.frequency, points), real=pick(s.impedance.real, points),
                imaginary=pick(s.impedance.imag, points), potential=pick(s.potential, points),
                current=pick(s.current, points), flags=pick(s.flags, points, "u1"),
            )
        ]  # fmt: skip
    return [
        EchemBlock(
            time=about.end, echem=number, step=step, kind=about.kind, label=about.label,
            loop=about.loop, times=pick(data.time, mine), time_sd=0.0,
            potential=pick(data.potential, mine), current=pick(data.current, mine),
            charge=pick(data.charge, mine), flags=pick(data.flags, mine, "u1"),
        )
    ]  # fmt: skip
