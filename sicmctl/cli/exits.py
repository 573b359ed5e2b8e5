"""Exit codes, and what a user reads when something goes wrong."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from sicmctl.hal.errors import SicmError

DONE, FAILED_SAFELY, BAD_INPUT = 0, 1, 2


@contextmanager
def told(as_json: bool = False) -> Iterator[None]:
    """Turn our own errors into a message on standard error and an exit code."""
    try:
        yield
    except SicmError as error:
        code = BAD_INPUT if isinstance(error, _bad_input()) else FAILED_SAFELY
        say_error(str(error), as_json)
        raise typer.Exit(code) from error


def say_error(text: str, as_json: bool = False) -> None:
    """Write an error to standard error; with --json as an object on standard output too."""
    if as_json:
        print(json.dumps({"error": text}))
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(text, style="red" if sys.stderr.isatty() else None, markup=False)


def _bad_input() -> tuple[type[SicmError], ...]:
    """Errors that are the user's to mend; a program that meets none need not import them."""
    from sicmctl.config.problems import ConfigError  # noqa: PLC0415
    from sicmctl.data.journal import JournalError  # noqa: PLC0415
    from sicmctl.data.names import RunFileError  # noqa: PLC0415
    from sicmctl.echem import ImpossibleTechnique  # noqa: PLC0415
    from sicmctl.engine.run import UnsupportedStep  # noqa: PLC0415
    from sicmctl.scan.pattern import PatternError  # noqa: PLC0415

    return (
        ConfigError,
        ImpossibleTechnique,
        JournalError,
        PatternError,
        RunFileError,
        UnsupportedStep,
    )
