"""The virtual laboratory, found by entry point: a program of its own, or part of this one."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sicmctl.aside import growing
from sicmctl.hal.errors import SicmError
from sicmctl.hal.nearby import nearby

_GROUP = "sicmctl.laboratories"
_PATIENCE = 30.0


class LaboratoryError(SicmError):
    """The virtual laboratory is not there or does not start."""


def find(name: str) -> Any:
    """Return what an installed laboratory offers under a name."""
    for entry in metadata.entry_points(group=_GROUP):
        if entry.name == name:
            return entry.load()
    raise LaboratoryError(f'no laboratory "{name}" is installed (reinstall sicmctl)')


def serve(arguments: Sequence[str]) -> int:
    """Serve virtual instruments in this process until told to stop; returns the exit code."""
    main: Callable[[Sequence[str]], int] = find("virtual")
    return main(arguments)


def begin_compiling(aside: Executor | None) -> Future[None] | None:
    """Have another process compile the world, if there is one, while this one goes on."""
    return aside.submit(growing, find("compile")) if aside is not None else None


@contextmanager
def laboratory_inside(
    sim: Path,
    rig: Path,
    truth: Path | None = None,
    seed: int | None = None,
    compiling: Future[None] | None = None,
) -> Iterator[None]:
    """A virtual laboratory in this process: the driver calls the card without a network between.

    The same bits as a `Laboratory`, in half the time. Arguments as there, and compiling: what to
    wait for before the world is wanted. Where that fails the world is compiled here.
    """
    inside = find("inside")
    if compiling is not None:
        growing(find("compile-meanwhile"))
        wait([compiling])
    with inside(sim, rig=rig, truth=truth, seed=seed) as lab, nearby(lab.channels):
        yield


@dataclass
class Laboratory:
    """A virtual laboratory in a process of its own, which ends with the context.

    sim: SIM.toml. rig: where rig.toml is to be written. truth: where the truth file goes.
    """

    sim: Path
    rig: Path
    truth: Path | None = None
    seed: int | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "sicmctl", "simulate", str(self.sim)]
        command += ["--rig", str(self.rig), "--json", "--until-stdin-closes"]
        command += ["--truth", str(self.truth)] if self.truth else []
        command += ["--seed", str(self.seed)] if self.seed is not None else []
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        try:
            self.addresses: dict[str, Any] = json.loads(line)
        except json.JSONDecodeError:
            self.close()
            raise LaboratoryError(f"the virtual laboratory did not start: {line.strip()}") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process by closing its standard input; kill it if it does not go."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
