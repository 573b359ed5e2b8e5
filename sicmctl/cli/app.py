"""The command line."""

import atexit
import gc
import json
import sys
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from sicmctl import __version__
from sicmctl.aside import aside_if_it_helps, prepare

from .exits import BAD_INPUT, FAILED_SAFELY, say_error, told

app = typer.Typer(
    help="Run an operando scanning ion conductance microscope, or a virtual one.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_SAMPLES = ("graphite", "flat", "tilted", "hopg", "grating")
"""What the demonstration can image."""

Json = Annotated[bool, typer.Option("--json", help="Write one JSON object to standard output.")]
RunFileArgument = Annotated[Path, typer.Argument(metavar="RUN.h5", help="Run file.")]


@app.callback()
def _app() -> None:
    """Run an operando scanning ion conductance microscope, or a virtual one."""


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


@app.command()
def demo(
    sample: Annotated[str, typer.Option(help="graphite, flat, tilted, hopg or grating.")] = (
        "graphite"
    ),
    pixels: Annotated[int, typer.Option(min=2, max=512, help="Pixels along each side.")] = 64,
    seed: Annotated[int, typer.Option(help="Of every random number.")] = 1,
    out: Annotated[Path | None, typer.Option(help="New folder for everything.")] = None,
    as_json: Json = False,
) -> None:
    """Start a virtual rig, image a sample on it, and write figures and a report."""
    from .laboratory import begin_compiling  # noqa: PLC0415

    if sample not in _SAMPLES:
        say_error(f'--sample: found "{sample}"; expected one of {", ".join(_SAMPLES)}', as_json)
        raise typer.Exit(BAD_INPUT)
    if out is not None and out.exists():
        say_error(f"--out: found {out}, which exists; expected a new folder", as_json)
        raise typer.Exit(BAD_INPUT)
    with told(as_json), aside_if_it_helps() as aside:
        compiling = begin_compiling(aside)  # before the imports, which take as long
        prepare("sicmctl.cli.demo")
        from .demo import DemoRequest  # noqa: PLC0415
        from .demo import demo as run_demo  # noqa: PLC0415

        asked = DemoRequest(sample, pixels, seed, out)
        result = run_demo(asked, as_json, aside, compiling)
    if as_json:
        print(
            json.dumps(
                {
                    "outcome": result.run.outcome.outcome,
                    "file": str(result.run.file),
                    "report": str(result.report),
                    "figures": [str(path) for path in result.figures],
                    "rq": result.rq,
                    "rq_seen": result.rq_seen,
                    "rq_true": result.rq_true,
                    "pixels": result.pixels,
                    "counts": dict(result.counts),
                }
            )
        )
    else:
        print(f"run file  {result.run.file}")
        print(f"report    {result.report}")
        print(f"figures   {result.folder / 'figures'}")
        told_counts = ", ".join(f"{count} {name}" for name, count in result.counts.most_common())
        print(f"pixels    {told_counts} of {result.pixels}")
        print(f"Rq        {_length(result.rq)} measured")
        print(f"          {_length(result.rq_seen)} true, as the same tip can see it")
        print(f"          {_length(result.rq_true)} true, of the bare surface")
    if result.run.outcome.outcome == "failed":
        raise typer.Exit(FAILED_SAFELY)


def _length(metres: float) -> str:
    return f"{metres * 1e6:.4f} um" if abs(metres) >= 1e-7 else f"{metres * 1e9:.3f} nm"


@app.command(context_settings={"ignore_unknown_options": True})
def simulate(  # noqa: PLR0917  (typer gives them by name)
    sim: Annotated[Path | None, typer.Argument(metavar="SIM.toml", help="Virtual rig.")] = None,
    rig: Annotated[Path | None, typer.Option(help="Where to write a rig.toml that fits.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Where to write what is true.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of every random number.")] = None,
    clock: Annotated[str | None, typer.Option(help="lockstep or realtime.")] = None,
    until_stdin_closes: Annotated[
        bool, typer.Option("--until-stdin-closes", help="Stop at the end of standard input.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Start the virtual instruments and print their addresses."""
    from .laboratory import serve  # noqa: PLC0415

    if clock not in (None, "lockstep", "realtime"):
        say_error(f'--clock: found "{clock}"; expected lockstep or realtime', as_json)
        raise typer.Exit(BAD_INPUT)
    options = {"--rig": rig, "--truth": truth, "--seed": seed, "--clock": clock}
    arguments = [str(sim)] if sim is not None else []
    for name, value in options.items():
        arguments += [name, str(value)] if value is not None else []
    arguments += ["--json"] if as_json else []
    arguments += ["--until-stdin-closes"] if until_stdin_closes else []
    with told(as_json):
        raise typer.Exit(serve(arguments))


@app.command()
def check(
    rig: Annotated[Path, typer.Argument(metavar="RIG.toml", help="Rig file.")],
    experiment: Annotated[
        Path | None,
        typer.Argument(metavar="[EXPERIMENT.toml]", help="To be refused if it cannot be run here."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Connect to a rig, identify its instruments and show its limits. Moves nothing."""
    from sicmctl import client  # noqa: PLC0415

    from .check import show_report  # noqa: PLC0415

    with told(as_json):
        report = client.check(rig, experiment)
    if as_json:
        print(json.dumps(asdict(report)))
    else:
        show_report(report)


@app.command()
def preview(
    experiment: Annotated[Path, typer.Argument(metavar="EXPERIMENT.toml", help="What to do.")],
    out: Annotated[Path | None, typer.Option(metavar="PNG", help="Figure to write.")] = None,
    rig: Annotated[Path | None, typer.Option(help="Rig file whose limits are to hold.")] = None,
    ocp: Annotated[str | None, typer.Option(help='Open-circuit potential, like "1.6 V".')] = None,
    as_json: Json = False,
) -> None:
    """Show what the techniques of an experiment will do: steps, duration, charge. Needs no rig."""
    from sicmctl.hal.quantity import BadQuantity, parse  # noqa: PLC0415

    from . import preview as previews  # noqa: PLC0415

    try:
        volts = None if ocp is None else parse(ocp, "V")
    except BadQuantity as error:
        say_error(f"--ocp: {error}", as_json)
        raise typer.Exit(BAD_INPUT) from error
    if out is not None and not out.parent.is_dir():
        say_error(f"--out: found {out}; expected a file in a folder that exists", as_json)
        raise typer.Exit(BAD_INPUT)
    with told(as_json):
        made = previews.preview(experiment, rig, volts)
    if out is not None:
        previews.draw_preview(made, out)
    if as_json:
        print(json.dumps(previews.as_json(made)))
    else:
        previews.show_preview(made)


@app.command()
def run(
    experiment: Annotated[Path, typer.Argument(metavar="EXPERIMENT.toml", help="What to do.")],
    rig: Annotated[Path, typer.Option(help="Rig file.")],
    out: Annotated[Path, typer.Option(metavar="RUN.h5", help="New run file.")],
    as_json: Json = False,
) -> None:
    """Run an experiment. Ctrl-C ends it, after the present hop, and makes the rig safe."""
    from .progress import RunConsole  # noqa: PLC0415
    from .running import run_answering_keyboard  # noqa: PLC0415

    with told(as_json), RunConsole(as_json) as console:
        result = run_answering_keyboard(rig, experiment, out, console)
    outcome = result.outcome
    if as_json:
        print(
            json.dumps(
                {
                    "outcome": outcome.outcome,
                    "reason": outcome.reason,
                    "safe": list(outcome.safe),
                    "file": str(result.file),
                    "journal": str(result.journal),
                }
            )
        )
    else:
        print(f"{outcome.outcome}: {result.file}")
    if outcome.outcome != "done":
        raise typer.Exit(FAILED_SAFELY)


@app.command()
def info(run_file: RunFileArgument, as_json: Json = False) -> None:
    """Say what a run file holds."""
    from sicmctl.analysis.summary import summarise  # noqa: PLC0415
    from sicmctl.data.runfile import RunFile  # noqa: PLC0415

    from .info import show_summary  # noqa: PLC0415

    with told(as_json), RunFile(run_file) as file:
        summary = summarise(file)
    if as_json:
        print(msgspec.json.encode(summary).decode())
    else:
        show_summary(summary)


@app.command()
def report(
    run_file: RunFileArgument,
    out: Annotated[Path | None, typer.Option(help="HTML file; default: beside the run.")] = None,
    as_json: Json = False,
) -> None:
    """Write figures (PNG) and a report (HTML) of a run file."""
    from sicmctl.analysis.figures import draw, save_figures  # noqa: PLC0415
    from sicmctl.analysis.report import write_report  # noqa: PLC0415
    from sicmctl.data.runfile import RunFile  # noqa: PLC0415

    with told(as_json), RunFile(run_file) as file:
        drawn = draw(file)
        page = write_report(file, out or run_file.with_suffix(".html"), drawn)
        folder = page.with_name(page.stem + "-figures")
        figures = save_figures(file, folder, drawn)
    _print_files([page, *figures], as_json)


@app.command()
def export(
    run_file: RunFileArgument,
    to: Annotated[str, typer.Option("--to", help="gwy, csv or xyz.")],
    out: Annotated[Path | None, typer.Option(help="Where to; default: beside the run.")] = None,
    as_json: Json = False,
) -> None:
    """Export a run file to another format."""
    from sicmctl.data.exporters import export as do_export  # noqa: PLC0415

    with told(as_json):
        files = do_export(run_file, to, out)
    _print_files(files, as_json)


@app.command()
def recover(
    journal: Annotated[Path, typer.Argument(metavar="RUN.sicmlog", help="Journal of a run.")],
    out: Annotated[Path | None, typer.Option(metavar="RUN.h5", help="New run file.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run file.")] = False,
    as_json: Json = False,
) -> None:
    """Build the run file of a run that died from its journal."""
    from sicmctl.data.recover import recover as do_recover  # noqa: PLC0415

    with told(as_json):
        recovery = do_recover(journal, out, overwrite=overwrite)
    if as_json:
        print(
            json.dumps(
                {
                    "file": str(recovery.out),
                    "hops": recovery.hops,
                    "scans": recovery.scans,
                    "techniques": recovery.techniques,
                    "samples": recovery.samples,
                    "last": recovery.last,
                    "interrupted": recovery.interrupted,
                    "losses": [str(loss) for loss in recovery.losses],
                }
            )
        )
    else:
        print(recovery.report())


def _print_files(files: list[Path], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"files": [str(path) for path in files]}))
    else:
        print("\n".join(str(path) for path in files))


def main() -> None:
    """Run the command line; the exit code is 0 (done), 1 (failed safely) or 2 (bad input)."""
    # Text of the program holds characters that an old Windows code page lacks.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    atexit.register(gc.freeze)  # to look through everything once more in the end takes 0.7 s
    app(prog_name="sicmctl")
