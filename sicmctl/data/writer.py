"""Writing run files: live beside the run, and whole from a journal."""

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from sicmctl.messages import AnyMessage, Array, EchemStepEnded, HopDone

from .journal import Loss, read_journal
from .names import RunFileError
from .nexus import NexusWriter

FLUSH_INTERVAL = 10.0
"""Time between writes of what waits, s: each goes through all columns, which takes a while."""
BATCH = 256
_GATHER = 0.5
"""Time in which messages gather before the thread of a run file wakes for them, s."""
_log = logging.getLogger(__name__)


def build(
    journal: Path | str,
    out: Path | str,
    *,
    overwrite: bool = False,
    losses: list[Loss] | None = None,
    watch: Callable[[AnyMessage], None] = lambda message: None,
) -> Path:
    """Build the run file of a journal; return its path.

    The file appears under its name only when it is complete. losses: receives what could not be
    read. watch: sees each message. Raises RunFileError if `out` exists and `overwrite` is false.
    """
    out = Path(out)
    if not overwrite:
        refuse_existing(out)
    losses = [] if losses is None else losses
    part = out.with_name(out.name + ".building")
    writer = NexusWriter(part)
    try:
        rows = 0
        for message in read_journal(journal, losses):
            writer.feed(message)
            watch(message)
            rows += isinstance(message, HopDone | EchemStepEnded)
            if rows >= BATCH:
                writer.flush()
                rows = 0
        writer.close([str(loss) for loss in losses])
        publish(part, out)
    except BaseException:
        writer.abandon()
        part.unlink(missing_ok=True)
        raise
    return out


def refuse_existing(out: Path) -> None:
    """Raise RunFileError if the file exists."""
    if out.exists():
        raise RunFileError(f"{out} exists; it is not overwritten (choose another name)")


def publish(part: Path, out: Path) -> None:
    """Give a complete file its name, on the disk too."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(out)


class RunFileWriter:
    """Derives the run file while the run goes on, in a thread of its own.

    `write` never blocks and never raises: if the thread fails or falls behind by more than
    `limit` bytes, it gives up, and `close` builds the file from the journal instead.
    Until `close` the file is called `RUN.h5.part`.
    """

    def __init__(
        self, path: Path | str, journal: Path | str | None = None, limit: int = 256 << 20
    ) -> None:
        """journal: where to build from if this fails. Raises RunFileError if the file exists."""
        self.path = Path(path)
        self.part = self.path.with_name(self.path.name + ".part")
        self.problem = ""
        self._journal = journal
        self._limit = limit
        refuse_existing(self.path)
        self._writer = NexusWriter(self.part)
        self._queue: deque[AnyMessage] = deque()
        self._bytes = 0
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="run file", daemon=True)
        self._thread.start()

    def __enter__(self) -> "RunFileWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def write(self, message: AnyMessage) -> None:
        """Hand over one message."""
        with self._wake:
            if self.problem or self._closing:
                return
            self._bytes += _size(message)
            if self._bytes > self._limit:
                self._give_up("the disk or the processor cannot keep up")
                return
            self._queue.append(message)
            if len(self._queue) >= BATCH:
                self._wake.notify()

    def close(self) -> Path:
        """Complete the file and return its path. May be called again.

        Raises RunFileError if it could not be written and there is no journal to build it from.
        """
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()
        if self.path.exists() and not self.problem:
            return self.path
        if self._journal is None:
            raise RunFileError(f"{self.path} was not written: {self.problem}")
        build(self._journal, self.path)
        self.problem = ""
        return self.path

    def _give_up(self, problem: str) -> None:
        self.problem = problem
        self._queue.clear()
        _log.error("run file: gave up writing %s during the run: %s", self.part, problem)

    def _run(self) -> None:
        try:
            self._work()
            if not self.problem:
                self._writer.close()
                publish(self.part, self.path)
        except Exception as error:
            with self._wake:
                self._give_up(str(error) or type(error).__name__)
        if self.problem:
            with contextlib.suppress(Exception):
                self._writer.abandon()
            self.part.unlink(missing_ok=True)

    def _work(self) -> None:
        flushed = time.monotonic()
        while not self.problem:
            batch, closing = self._take()
            for message in batch:
                self._writer.feed(message)
            if closing and not batch:
                return
            if time.monotonic() - flushed > FLUSH_INTERVAL:
                self._writer.flush()
                flushed = time.monotonic()

    def _take(self) -> tuple[Sequence[AnyMessage], bool]:
        """Wait for messages; return some of them, and whether the run is over.

        To wake for each would take the processor from the run at every hop.
        """
        with self._wake:
            self._wake.wait_for(
                lambda: len(self._queue) >= BATCH or self._closing or self.problem, _GATHER
            )
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            self._bytes -= sum(map(_size, batch))
            return batch, self._closing


def _size(message: AnyMessage) -> int:
    """Return roughly how much memory a message holds, bytes."""
    if isinstance(message, HopDone):
        arrays = list(message.curves.values())
    else:
        values = (getattr(message, name) for name in message.__struct_fields__)
        arrays = [value for value in values if isinstance(value, Array)]
    return 1000 + sum(len(array.data) for array in arrays)
