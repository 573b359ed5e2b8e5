"""The figure of the techniques page: what each imposes, drawn from tables as in experiment.toml."""

import tomllib
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import TypeAdapter

from sicmctl import echem
from sicmctl.analysis.style import ALERT, CURVE, look
from sicmctl.config.echem import Echem
from sicmctl.echem.preview import Course

POTENTIAL = {
    "lsv": 'start = "1.7 V"\nstop = "0 V"\nrate = "10 mV/s"',
    "cv": 'start = "0.8 V"\nvertices = ["0 V", "1.7 V"]\nrate = "10 mV/s"\ncycles = 2',
    "ca": 'potential = ["0.2 V", "1.5 V"]\nduration = ["60 s", "30 s"]\nrepeat = 3',
    "pitt": 'start = "1 V"\nstop = "0.7 V"\nstep = "50 mV"\nduration = "1 min"\nback = true',
    "steps": 'potentials = ["1.7 V", "0.1 V", "1.6 V"]\nstep = "0.2 V"\nduration = "5 min"',
}
CURRENT = {
    "cp": 'current = ["1 mA", "-0.5 mA"]\nduration = ["1 min", "2 min"]\nrepeat = 2',
    "gcpl": 'current = "1 mA"\ntime_limit = "1 h"\nlower = "0 V"\nupper = "1.5 V"\n'
    'rest = "10 min"\ncycles = 2',
    "gitt": 'current = "-1 mA"\non = "2 min"\nrest = "5 min"\ncount = 4\nback = true',
}


def draw(out: Path) -> None:
    """Write the figure."""
    panels = [*((name, text, "V") for name, text in POTENTIAL.items()),
              *((name, text, "mA") for name, text in CURRENT.items())]  # fmt: skip
    with look():
        figure = Figure(figsize=(10, 4.6), layout="constrained")
        grid = figure.subplots(2, 4)
        for axes, (name, text, unit) in zip(grid.flat, panels, strict=True):
            _panel(axes, name, text, unit)
        figure.supxlabel("time (min)")
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(out)


def _panel(axes: Axes, name: str, text: str, unit: str) -> None:
    course = _course(f'technique = "{name}"\n{text}')
    values = course.potential if unit == "V" else course.current * 1e3
    axes.plot(course.time / 60, values, color=CURVE if unit == "V" else ALERT)
    axes.set_title(name)
    axes.set_ylabel("E (V)" if unit == "V" else "I (mA)")


def _course(text: str) -> Course:
    technique = TypeAdapter(Echem).validate_python(tomllib.loads(text))
    return echem.course(echem.build(technique))
