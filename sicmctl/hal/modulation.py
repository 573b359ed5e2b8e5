"""Alternating bias beside a moving stage: what amplifier and stage must be able to do for it.

A card has one clocked generator, and the stage has it. So a bias that is to swing while the tip
moves must ride on the stage's own waveforms, sample by sample.
"""

from typing import Protocol, runtime_checkable

from .capabilities import F64, Block


class Rider(Protocol):
    """An output that rides on the waveforms of a stage."""

    @property
    def channel(self) -> str:
        """The card's analog output."""
        ...

    def volts(self, samples: int) -> F64:
        """Return what to put out beside a path of that many samples, V, shape (samples,).

        The last sample is what is put out at rest.
        """
        ...

    def rest(self) -> None:
        """Put out what is put out at rest. Called whenever a waveform was stopped on its way."""
        ...


@runtime_checkable
class Carrier(Protocol):
    """A stage that takes another output along."""

    def carry(self, rider: Rider | None) -> None:
        """Hold still; then have an output ride on every path, or, with None, none any more.

        A rider that is let go of is put to rest, and its channel can be written again.
        """
        ...


@runtime_checkable
class CommandedByCard(Protocol):
    """An amplifier whose bias is an analog output of the card, read back by an input of it."""

    @property
    def command_channel(self) -> str:
        """The analog output that is wired to the command input."""
        ...

    def command_volts(self, bias: F64) -> F64:
        """Return the output for a bias, both V and of one shape."""
        ...

    def bias(self, block: Block) -> F64:
        """Return the bias that was put out, V, shape (n,), sampled with the current.

        Raises NotSupported if no input reads the command back.
        """
        ...
