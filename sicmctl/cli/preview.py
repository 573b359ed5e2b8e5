"""`sicmctl preview`: what the techniques of an experiment will do, without a rig."""

from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from sicmctl import echem
from sicmctl.config import load_experiment, load_rig
from sicmctl.config.echem import needs_ocp
from sicmctl.echem.listing import Line
from sicmctl.echem.preview import Course, Totals
from sicmctl.hal.cell import (
    CellProgram,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Open,
    Sweep,
)
from sicmctl.hal.cellcheck import check
from sicmctl.hal.errors import LimitExceeded
from sicmctl.hal.limits import Interval
from sicmctl.hal.potentiostat import CellLimits
from sicmctl.hal.quantity import show


@dataclass(frozen=True, slots=True)
class Previewed:
    """One step of the experiment. assumed: open-circuit potential that nobody gave, V."""

    step: int
    title: str
    technique: str
    lines: tuple[Line, ...]
    totals: Totals
    course: Course
    assumed: float | None


def preview(experiment: Path, rig: Path | None, ocp: float | None) -> list[Previewed]:
    """Return what each step with `echem` will do.

    rig: whose safety limits refuse what it does not allow. ocp: open-circuit potential, V.
    Raises ConfigError, or ImpossibleTechnique if the rig does not allow what a step does.
    """
    steps = load_experiment(experiment).model.step
    limits = None if rig is None else _allowed(rig)
    made = []
    for number, step in enumerate(steps):
        if step.echem is None:
            continue
        assumed = 0.0 if ocp is None and needs_ocp(step.echem) else None
        program = echem.build(step.echem, assumed if ocp is None else ocp)
        if limits is not None:
            _check(program, limits, f"step[{number}].echem ({step.echem.technique})")
        made.append(_previewed(number, step.title or "", step.echem.technique, program, assumed))
    return made


def _previewed(
    number: int, title: str, technique: str, program: CellProgram, assumed: float | None
) -> Previewed:
    return Previewed(
        step=number,
        title=title,
        technique=technique,
        lines=echem.listing(program),
        totals=echem.totals(program.steps),
        course=echem.course(program),
        assumed=assumed,
    )


def _check(program: CellProgram, limits: CellLimits, where: str) -> None:
    try:
        check(program, limits, where)
    except LimitExceeded as error:
        raise echem.ImpossibleTechnique(str(error)) from error


def _allowed(rig: Path) -> CellLimits:
    """Return what rig.toml allows a cell; its instrument's own limits need the instrument."""
    safety = load_rig(rig).model.safety
    potential = Interval(*(safety.cell_potential or (-inf, inf)), "V")
    current = Interval(*(safety.cell_current or (-inf, inf)), "A")
    return CellLimits(
        potential=potential,
        current=current,
        ranges=(inf,),
        rate=Interval(0.0, inf, "V/s"),
        interval=Interval(0.0, inf, "s"),
        steps=frozenset({Open, HoldPotential, HoldCurrent, Sweep, Cycles, Impedance}),
        frequency=Interval(0.0, inf, "Hz"),
    )


def show_preview(made: list[Previewed]) -> None:
    """Print each program as a table, with its totals."""
    console = Console(highlight=False)
    if not made:
        console.print("no step has echem")
    for one in made:
        name = f"Step {one.step + 1}: {one.technique}" + (f", {one.title}" if one.title else "")
        table = Table("step", "does", "for at most", "until", title=name, title_justify="left")
        for line in one.lines:
            table.add_row(
                "  " * line.depth + line.label,
                line.what,
                lasting(line.totals.duration),
                "\n".join(line.until),
            )
        console.print(table)
        for text in summary(one):
            console.print(text)
        console.print()


def summary(one: Previewed) -> list[str]:
    """Say what the steps come to."""
    t = one.totals
    most = "at most " if t.early else ""
    told = [f"duration  {most}{lasting(t.duration)}", f"samples   {most}{t.samples}"]
    if t.anodic or t.cathodic:
        told.append(f"charge    {most}{_charge(t.anodic)} anodic, {_charge(t.cathodic)} cathodic")
    if t.cell_decides:
        told.append("          what flows at controlled potential, the cell decides")
    if one.assumed is not None:
        told.append(f"OCP taken as {one.assumed:g} V: give --ocp")
    return told


def _charge(coulombs: float) -> str:
    return f"{show(coulombs, 'C')} ({show(coulombs / 3600, 'Ah')})"


def lasting(seconds: float) -> str:
    """Write a time for a person: 5 h 3 min."""
    if seconds < 60:
        return show(seconds, "s", 3)
    whole = round(seconds)
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts = []
    for name, size in units:
        count, whole = divmod(whole, size)
        parts.append((count, name))
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {name}" for count, name in parts[first : first + 2] if count)


def as_json(made: list[Previewed]) -> list[dict[str, Any]]:
    """Return the same for a script; what the cell decides is null."""
    return [
        {
            "step": one.step,
            "title": one.title,
            "technique": one.technique,
            **asdict(one.totals),
            "assumed_ocp": one.assumed,
            "steps": [asdict(line) for line in one.lines],
            "course": {
                "time": one.course.time.tolist(),
                "potential": _nulls(one.course.potential),
                "current": _nulls(one.course.current),
                "whole": one.course.whole,
            },
        }
        for one in made
    ]


def _nulls(values: Any) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]


def draw_preview(made: list[Previewed], out: Path) -> None:
    """Write a figure of potential and current against time."""
    from matplotlib.figure import Figure  # noqa: PLC0415  (slow to import)

    from sicmctl.analysis.style import ALERT, CURVE, look, nothing  # noqa: PLC0415

    seconds, time_unit = _scale(sum(one.totals.duration for one in made), _TIMES)
    amperes, current_unit = _scale(max((_largest(one) for one in made), default=0.0), _CURRENTS)
    with look():
        figure = Figure(figsize=(8, 5.2), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True)
        begin = 0.0
        for one in made:
            time = (begin + one.course.time) / seconds
            upper.plot(time, one.course.potential, color=CURVE)
            lower.plot(time, one.course.current / amperes, color=ALERT)
            begin += one.totals.duration
        part = "" if all(one.course.whole for one in made) else " (the beginning of it)"
        upper.set_title("What is imposed; the cell decides the rest" + part)
        upper.set_ylabel("potential (V)")
        lower.set_ylabel(f"current ({current_unit})")
        early = any(one.totals.early for one in made)
        lower.set_xlabel(f"time ({time_unit})" + (", at most" if early else ""))
        for axes, values in ((upper, "potential"), (lower, "current")):
            if all(np.isnan(getattr(one.course, values)).all() for one in made):
                nothing(axes, "the cell decides")
        figure.savefig(out, format="png")


_TIMES = ((3600.0, "h"), (60.0, "min"), (1.0, "s"))
_CURRENTS = ((1.0, "A"), (1e-3, "mA"), (1e-6, "µA"), (1e-9, "nA"))


def _scale(largest: float, scales: tuple[tuple[float, str], ...]) -> tuple[float, str]:
    """Return the scale and unit in which values are best drawn."""
    return next((scale for scale in scales if largest >= scale[0]), scales[-1])


def _largest(one: Previewed) -> float:
    """Return the largest current that is imposed, A."""
    current = np.abs(one.course.current)
    return float(np.max(current[np.isfinite(current)], initial=0.0))
