"""`sicmctl demo`: simulate, run, report, in one go."""

from collections import Counter
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

from sicmctl.analysis.figures import draw, save_figures
from sicmctl.analysis.report import write_report
from sicmctl.analysis.roughness import roughness
from sicmctl.aside import prepare
from sicmctl.client import RunResult
from sicmctl.data.runfile import RunFile
from sicmctl.engine.run import PARTS

from .laboratory import find, laboratory_inside
from .progress import RunConsole
from .running import run_answering_keyboard

_SIM = """\
schema = 1
seed = {seed}

[sample]
kind = "{sample}"
"""

_EXPERIMENT = """\
schema = 1
title = "Demonstration: {sample}, {size_um} um, {pixels} x {pixels}"
sample = "virtual {sample}"

[[step]]
title = "Image"

[step.scan]
pattern = "raster"
size = "{size_um} um"
pixels = {pixels}
prescan = {{ pixels = 8, amplitude = "6 um" }}

[step.scan.hop]
amplitude = "1.5 um"
floor_margin = "1 um"
fall_rate = "60 nm/ms"
setpoint = "1 %"
"""


_DRAWING = ("sicmctl.analysis.figures", "matplotlib.backends.backend_agg")
"""What draws the figures, half of them aside."""

_LATER = (
    "jinja2",
    "pint",
    "scipy.interpolate",
    "scipy.linalg",
    "scipy.ndimage",
)
"""What is slow to import and wanted later: there is time for it while the world is compiled."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Where everything is and how well the surface was met.

    rq: measured, rq_seen: of the surface as the same tip can see it, rq_true: of the bare surface,
    all on the same pixels, m. counts: status -> pixels.
    """

    run: RunResult
    folder: Path
    report: Path
    figures: list[Path]
    rq: float
    rq_seen: float
    rq_true: float
    pixels: int
    counts: Counter[str]


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """What is to be imaged. out: a new folder, or the first free `sicmctl-demo-N`."""

    sample: str
    pixels: int
    seed: int
    out: Path | None
    size_um: float = 20


def demo(
    asked: DemoRequest,
    quiet: bool = False,
    aside: Executor | None = None,
    compiling: Future[None] | None = None,
) -> DemoResult:
    """Hop over a virtual sample and leave data, figures and a report in a new folder.

    aside: what computes beside the run, as of `client.run`. compiling: the world, by now.
    """
    folder = _new_folder(asked.out)
    sim, rig, truth = folder / "sim.toml", folder / "rig.toml", folder / "truth.h5"
    experiment = folder / "experiment.toml"
    sim.write_text(_SIM.format(seed=asked.seed, sample=asked.sample), encoding="utf-8")
    experiment.write_text(
        _EXPERIMENT.format(sample=asked.sample, pixels=asked.pixels, size_um=f"{asked.size_um:g}"),
        encoding="utf-8",
    )
    if aside is not None:
        aside.submit(prepare, *PARTS, *_DRAWING)
        prepare(*_DRAWING, *_LATER)
    with (
        laboratory_inside(sim, rig, truth, compiling=compiling),
        RunConsole(quiet) as console,
    ):
        result = run_answering_keyboard(rig, experiment, folder / "run.h5", console, aside)
    with RunFile(result.file) as file:
        drawn = draw(file, aside)
        report = write_report(file, folder / "report.html", drawn)
        figures = save_figures(file, folder / "figures", drawn)
        return DemoResult(result, folder, report, figures, *_compare(file, truth))


def _compare(file: RunFile, truth: Path) -> tuple[float, float, float, int, Counter[str]]:
    """Return Rq as measured, as the tip could see it, and true; pixels, and how many by status."""
    scan = file.scan()
    height, status = scan.frame("height"), scan.frame("status")
    y, x = scan.axes
    names = scan.status_names
    counts = Counter(names[int(code)] for code in status.ravel() if 0 <= code < len(names))
    with find("truth")(truth) as true:
        seen = float(true.rq_seen(x, y, scan.settings["setpoint"]))
        bare = float(true.rq(x, y))
    return roughness(height, y, x).rq, seen, bare, height.size, counts


def _new_folder(out: Path | None) -> Path:
    """Make a new folder: the one asked for, or the first free sicmctl-demo-N."""
    if out is not None:
        out.mkdir(parents=True, exist_ok=False)
        return out
    number = 1
    while True:
        folder = Path(f"sicmctl-demo-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
            continue
        return folder
