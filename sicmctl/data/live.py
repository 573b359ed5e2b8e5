"""The run file, written beside a run in a process of its own, from the journal as it grows.

To write it takes a twentieth of a processor, and compression would hold up a falling tip.
"""

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from time import monotonic
from typing import BinaryIO, Self

from sicmctl.messages import AnyMessage

from .journal import JournalFollower
from .names import RunFileError
from .writer import build, make, refuse_existing

_SHORT = 2.0
"""A run of less than this, s, is not worth a process: its file is built at the end."""
_OFTEN = 0.5
"""Time between two looks into the journal, s."""
_END = b"end\n"
_log = logging.getLogger(__name__)


class RunFileWriter:
    """Has the run file written while the run goes on.

    `see` never raises, and blocks no longer than it takes to start a process, once. If that process
    fails, or was not worth starting, `close` builds the file. Until then it is called
    `RUN.h5.part`.
    """

    def __init__(self, path: Path | str, journal: Path | str, after: float = _SHORT) -> None:
        """journal: of the run, begun already. after: time before the process starts, s.

        Raises RunFileError if the file exists.
        """
        self.path, self.journal = Path(path), Path(journal)
        refuse_existing(self.path)
        self.problem = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._due = monotonic() + after
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def see(self, message: AnyMessage) -> None:
        """Notice that the run goes on: the message itself is in the journal."""
        if self._process is None and not self.problem and monotonic() >= self._due:
            self._start()

    def close(self) -> Path:
        """Complete the file and return its path. May be called again.

        Raises RunFileError if it cannot be written, JournalError if the journal cannot be read.
        """
        if not self._closed:
            self._closed = True
            if not self._completed():
                build(self.journal, self.path)
        return self.path

    def _start(self) -> None:
        command = [sys.executable, "-P", "-m", "sicmctl.data.live"]  # -P: nothing from where we are
        command += [str(self.journal), str(self.path)]
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(command, stdin=pipe, stderr=pipe)
        except OSError as error:
            self._fail(str(error))

    def _completed(self) -> bool:
        """Whether the process has completed the file, now that it is told to."""
        if self._process is None:
            return False
        _, said = self._process.communicate(_END)
        if self._process.returncode:
            lines = said.decode(errors="replace").strip().splitlines()
            self._fail(lines[-1] if lines else f"exit code {self._process.returncode}")
            with suppress(OSError):
                _part(self.path).unlink()
        return not self.problem

    def _fail(self, problem: str) -> None:
        self.problem = problem
        _log.error("run file: %s is not written during the run: %s", self.path, problem)


def follow(journal: Path, out: Path, asked: BinaryIO | FileIO) -> None:
    """Write a run file from a journal that grows, until `asked` says that the run is over.

    Raises JournalError if the journal is damaged; RunFileError if the file cannot be written, or
    `asked` ends without a word: the run has died then, and `recover` is to say what is lost.
    """
    make(_part(out), out, _growing(journal, asked))


def _growing(journal: Path, asked: BinaryIO | FileIO) -> Iterator[AnyMessage]:
    """Yield the messages of a journal as they come."""
    over, said = threading.Event(), list[bytes]()

    def listen() -> None:
        said.append(asked.readline())
        over.set()

    threading.Thread(target=listen, name="end of the run", daemon=True).start()
    with JournalFollower(journal) as follower:
        while not over.wait(_OFTEN):
            yield from follower.read()
        if said != [_END]:
            raise RunFileError(f"the run of {journal} has died")
        yield from follower.read()
        follower.finish()


def _part(out: Path) -> Path:
    return out.with_name(out.name + ".part")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which ends this process
    # unbuffered: a buffer that a thread waits for could not be closed at the end
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as asked:
        follow(Path(sys.argv[1]), Path(sys.argv[2]), asked)
