"""Exit codes, and what a user reads when something goes wrong."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from sicmctl.config.problems import ConfigError
from sicmctl.data.journal import JournalError
from sicmctl.data.names import RunFileError
from sicmctl.echem import ImpossibleTechnique
from sicmctl.engine.run import UnsupportedStep
from sicmctl.hal.errors import SicmError
from sicmctl.scan.pattern import PatternError

DONE, FAILED_SAFELY, BAD_INPUT = 0, 1, 2

_BAD_INPUT = (
    ConfigError,
    ImpossibleTechnique,
    JournalError,
    PatternError,
    RunFileError,
    UnsupportedStep,
)


@contextmanager
def told(as_json: bool = False) -> Iterator[None]:
    """Turn our own errors into a message on standard error and an exit code."""
    try:
        yield
    except SicmError as error:
        code = BAD_INPUT if isinstance(error, _BAD_INPUT) else FAILED_SAFELY
        say_error(str(error), as_json)
        raise typer.Exit(code) from error


def say_error(text: str, as_json: bool = False) -> None:
    """Write an error to standard error; with --json as an object on standard output too."""
    if as_json:
        print(json.dumps({"error": text}))
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(text, style="red" if sys.stderr.isatty() else None, markup=False)
