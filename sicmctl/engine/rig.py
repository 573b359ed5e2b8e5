"""The rig: every instrument of rig.toml, opened, wrapped in its limits, and closed again."""

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from sicmctl.config.load import LoadedRig
from sicmctl.hal.capabilities import Block, CurrentAmplifier, Daq, Positioner
from sicmctl.hal.errors import InstrumentError, UnexpectedState
from sicmctl.hal.limited import LimitedAmplifier, LimitedPositioner
from sicmctl.hal.limitedcell import LimitedPotentiostat
from sicmctl.hal.limits import Interval

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Microscope:
    """What moves the tip and measures its current."""

    amplifier: CurrentAmplifier
    stage: Positioner


class Rig:
    """The open instruments. Nobody outside gets at them but through their limits.

    card, microscope, potentiostat: None if the rig has none.
    """

    def __init__(
        self,
        loaded: LoadedRig,
        card: Daq | None,
        microscope: Microscope | None,
        potentiostat: LimitedPotentiostat | None,
    ) -> None:
        self.loaded = loaded
        self.card = card
        self.microscope = microscope
        self.potentiostat = potentiostat

    @classmethod
    def open(cls, loaded: LoadedRig) -> Self:
        """Connect to everything that rig.toml names. Moves nothing, and leaves the cell as it is.

        Raises InstrumentError; what was opened before is closed again.
        """
        with ExitStack() as undo:
            card: Daq | None = _open(loaded, "daq") if "daq" in loaded.options else None
            if card is not None:
                undo.callback(card.close)
            microscope = None
            if loaded.microscope:
                assert card is not None, "a microscope has a card: config.wiring sees to it"
                amplifier: CurrentAmplifier = _open(loaded, "amplifier", card)
                stage: Positioner = _open(loaded, "piezo", card)
                microscope = Microscope(
                    LimitedAmplifier(amplifier), LimitedPositioner(stage, card.rate)
                )
            potentiostat = _open_potentiostat(loaded, card)
            undo.pop_all()
        return cls(loaded, card, microscope, potentiostat)

    @property
    def daq(self) -> Daq:
        """The card. Raises UnexpectedState if the rig has none; so do the next two."""
        return _there(self.card, "daq")

    @property
    def amplifier(self) -> CurrentAmplifier:
        """The amplifier of the pipette current."""
        return _there(self.microscope, "amplifier").amplifier

    @property
    def stage(self) -> Positioner:
        """The scanner."""
        return _there(self.microscope, "piezo").stage

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all instruments. Does not make them safe: that is `safety.make_safe`."""
        with ExitStack() as last:
            if self.card is not None:
                last.callback(self.card.close)
                last.enter_context(suppress(InstrumentError))  # if it is gone, only close it
                last.callback(self.card.stop)
            if self.potentiostat is not None:
                self.potentiostat.close()

    def wake(self) -> Block:
        """Start the clock and learn where the stage is and how the amplifier is set."""
        self.daq.start()
        block = self.daq.read(max(round(0.02 * self.daq.rate), 20))
        self.stage.synchronise(block)
        self.amplifier.state(block)
        return block

    def identities(self) -> dict[str, str]:
        """Return what each instrument says it is."""
        parts: dict[str, Any] = {"daq": self.card, "potentiostat": self.potentiostat}
        if self.microscope is not None:
            parts |= {"amplifier": self.amplifier, "piezo": self.stage}
        return {role: str_identity(part.identify()) for role, part in parts.items() if part}


def str_identity(identity: Any) -> str:
    """Write an identity in one line."""
    words = (identity.maker, identity.model, identity.serial, identity.firmware)
    return " ".join(word for word in words if word)


def _open(loaded: LoadedRig, section: str, *needs: object) -> Any:
    driver = loaded.drivers.get(section)
    if driver is None:
        raise UnexpectedState(section, "open", "its driver is not installed")
    return driver.open(loaded.options[section], *needs)


def _open_potentiostat(loaded: LoadedRig, card: Daq | None) -> LimitedPotentiostat | None:
    """Open the potentiostat, if there is one, within what safety allows the cell."""
    driver = loaded.drivers.get("potentiostat")
    if driver is None:
        return None
    needs = (card,) if getattr(driver, "needs_daq", False) else ()
    safety = loaded.model.safety
    return LimitedPotentiostat(
        _open(loaded, "potentiostat", *needs),
        Interval(*safety.cell_potential, "V") if safety.cell_potential else None,
        Interval(*safety.cell_current, "A") if safety.cell_current else None,
    )


def _there(part: T | None, section: str) -> T:
    if part is None:
        raise UnexpectedState(section, "use", "this rig has none", f"add [{section}] to rig.toml")
    return part
