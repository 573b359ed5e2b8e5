"""From the journal of a run that died to its run file, with a report of what was lost."""

from dataclasses import dataclass, field
from pathlib import Path

from sicmctl.messages import (
    AnyMessage,
    EchemBlock,
    EchemStarted,
    HopDone,
    RunEnded,
    ScanStarted,
    SpectrumBlock,
)

from .journal import Loss
from .writer import build


@dataclass(slots=True)
class Recovery:
    """What was recovered. last: timeline seconds of the last message.

    samples: of electrochemical techniques, points of spectra included.
    """

    out: Path
    messages: int = 0
    scans: int = 0
    hops: int = 0
    techniques: int = 0
    samples: int = 0
    last: float = 0.0
    interrupted: bool = True
    losses: list[Loss] = field(default_factory=list)

    def report(self) -> str:
        """Say in a few lines what was recovered and what was lost."""
        lines = [
            f"{self.out}: {self.scans} scans, {self.hops} hops, {self.techniques} techniques, "
            f"{self.samples} samples of the cell, {self.messages} messages, "
            f"up to {self.last:.3f} s",
            "the run was interrupted: the journal has no end of the run"
            if self.interrupted
            else "the run had ended in order",
        ]
        lines += [f"lost: {loss}" for loss in self.losses] or ["nothing was lost"]
        return "\n".join(lines)

    def see(self, message: AnyMessage) -> None:
        """Count one message."""
        self.messages += 1
        self.scans += isinstance(message, ScanStarted)
        self.hops += isinstance(message, HopDone)
        self.techniques += isinstance(message, EchemStarted)
        if isinstance(message, EchemBlock | SpectrumBlock):
            self.samples += message.times.shape[0]
        self.last = max(self.last, message.time)
        if isinstance(message, RunEnded):
            self.interrupted = False


def recover(
    journal: Path | str, out: Path | str | None = None, *, overwrite: bool = False
) -> Recovery:
    """Build RUN.h5 from RUN.sicmlog, from every record that is intact.

    out: by default beside the journal. Raises JournalError if the file is no journal, and
    RunFileError if `out` exists and `overwrite` is false.
    """
    recovery = Recovery(Path(out) if out else Path(journal).with_suffix(".h5"))
    build(journal, recovery.out, overwrite=overwrite, losses=recovery.losses, watch=recovery.see)
    return recovery
