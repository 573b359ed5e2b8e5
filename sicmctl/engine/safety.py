"""The way to safety: the same acts in the same order, whatever has happened.

Halt the approach, retract, take the bias off, let the cell rest. Each act is tried even if the one
before it failed, and what came of it is kept for the journal.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sicmctl.hal.capabilities import Block
from sicmctl.hal.cell import CellRest
from sicmctl.hal.errors import InstrumentError, SicmError
from sicmctl.hal.hop import HopEngine, Waypoint
from sicmctl.hal.modulation import Carrier
from sicmctl.hal.quantity import show
from sicmctl.scan.hopper import DaqHopEngine

from .rig import Rig

CELL = "cell"
"""First word of the act that concerns the cell."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Act:
    """One act on the way to safety and what came of it."""

    name: str
    error: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.error or 'done'}"


def make_safe(rig: Rig, hops: HopEngine | None) -> tuple[Act, ...]:
    """Bring the rig to safety; never raises. Returns what was done, in order."""
    acts: list[tuple[str, Callable[[], object]]] = []
    if rig.microscope is not None:
        acts += [
            ("halt approach", lambda: _halt(rig, hops)),
            ("retract", lambda: _retract(rig, hops)),
            ("bias to rest", rig.amplifier.safe_state),
        ]
    potentiostat = rig.potentiostat
    if potentiostat is not None:
        rest = CellRest(rig.loaded.model.safety.cell_rest)
        acts.append((f"{CELL} to {rest}", lambda: potentiostat.rest(rest)))
    if rig.card is not None:
        acts.append(("stop waveforms", rig.card.safe_state))
    return tuple(_try(name, act) for name, act in acts)


def _try(name: str, act: Callable[[], object]) -> Act:
    try:
        act()
    except Exception as error:  # whatever it is, the next act must still be tried
        if not isinstance(error, SicmError):
            _LOG.exception("%s failed", name)
        return Act(name, str(error) or type(error).__name__)
    return Act(name)


def _halt(rig: Rig, hops: HopEngine | None) -> None:
    try:
        if hops is not None:
            hops.safe_state()
        rig.stage.halt()
    finally:
        if isinstance(rig.stage, Carrier):
            rig.stage.carry(None)  # a bias that rides on the stage could not be taken off


def _retract(rig: Rig, hops: HopEngine | None) -> None:
    """Lift the tip straight up by safety.retract, as far as the travel goes, and see it arrive."""
    rig.stage.synchronise(_read(rig, 5e-3))
    here = rig.stage.commanded
    top = rig.stage.axes["z"].travel.clip(here["z"] + rig.loaded.model.safety.retract)
    mover = hops if isinstance(hops, DaqHopEngine) else None
    if mover is None:
        raise SicmError(f"no hop engine to lift the tip from {show(here['z'], 'm')}")
    mover.leave(Waypoint(here["x"], here["y"], top, top))
    mover.rest()


def _read(rig: Rig, seconds: float) -> Block:
    """Read the stream, on a fresh clock if the old one has lost samples or stands still."""
    samples = max(round(seconds * rig.daq.rate), 20)
    try:
        return rig.daq.read(samples)
    except InstrumentError:
        rig.daq.stop()
        rig.daq.start()
        return rig.daq.read(samples)
