"""The rig: every instrument of rig.toml, opened, wrapped in its limits, and closed again."""

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from sicmctl.config.load import LoadedRig
from sicmctl.hal.capabilities import Block, CurrentAmplifier, Daq, Positioner
from sicmctl.hal.errors import InstrumentError, UnexpectedState
from sicmctl.hal.limited import LimitedAmplifier, LimitedPositioner


@dataclass
class Rig:
    """The open instruments. Nobody outside gets at them but through their limits."""

    loaded: LoadedRig
    daq: Daq
    amplifier: CurrentAmplifier
    stage: Positioner

    @classmethod
    def open(cls, loaded: LoadedRig) -> Self:
        """Connect to everything that rig.toml names. Moves nothing.

        Raises InstrumentError; what was opened before is closed again.
        """
        daq: Daq = _open(loaded, "daq")
        try:
            amplifier: CurrentAmplifier = _open(loaded, "amplifier", daq)
            stage: Positioner = _open(loaded, "piezo", daq)
        except BaseException:
            daq.close()
            raise
        return cls(loaded, daq, LimitedAmplifier(amplifier), LimitedPositioner(stage, daq.rate))

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
        try:
            self.daq.stop()
        except InstrumentError:
            pass  # it is gone; closing it is all that is left
        finally:
            self.daq.close()

    def wake(self) -> Block:
        """Start the clock and learn where the stage is and how the amplifier is set."""
        self.daq.start()
        block = self.daq.read(max(round(0.02 * self.daq.rate), 20))
        self.stage.synchronise(block)
        self.amplifier.state(block)
        return block

    def identities(self) -> dict[str, str]:
        """Return what each instrument says it is."""
        parts = {"daq": self.daq, "amplifier": self.amplifier, "piezo": self.stage}
        return {role: str_identity(part.identify()) for role, part in parts.items()}


def str_identity(identity: Any) -> str:
    """Write an identity in one line."""
    words = (identity.maker, identity.model, identity.serial, identity.firmware)
    return " ".join(word for word in words if word)


def _open(loaded: LoadedRig, section: str, *needs: object) -> Any:
    driver = loaded.drivers.get(section)
    if driver is None:
        raise UnexpectedState(section, "open", "its driver is not installed")
    return driver.open(loaded.options[section], *needs)
