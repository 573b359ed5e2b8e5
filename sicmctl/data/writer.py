"""Writing run files from the messages of a run."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from sicmctl.messages import AnyMessage, EchemStepEnded, HopDone

from .journal import Loss, read_journal
from .names import RunFileError
from .nexus import NexusWriter

BATCH = 256
"""Rows between two writes of what waits: each goes through all columns, which takes a while."""


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
    make(
        out.with_name(out.name + ".building"),
        out,
        _watched(read_journal(journal, losses), watch),
        losses,
    )
    return out


def make(
    part: Path, out: Path, messages: Iterable[AnyMessage], losses: Sequence[Loss] = ()
) -> None:
    """Write a run file from the messages of a run, in order.

    It is called `part` until it is complete. losses: what is missing, known when the messages end.
    """
    writer = NexusWriter(part)
    try:
        rows = 0
        for message in messages:
            writer.feed(message)
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


def _watched(
    messages: Iterable[AnyMessage], watch: Callable[[AnyMessage], None]
) -> Iterator[AnyMessage]:
    for message in messages:
        yield message
        watch(message)


def refuse_existing(out: Path) -> None:
    """Raise RunFileError if the file exists."""
    if out.exists():
        raise RunFileError(f"{out} exists; it is not overwritten (choose another name)")


def publish(part: Path, out: Path) -> None:
    """Give a complete file its name, on the disk too."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(out)
