"""Errors tell the instrument, the command, the problem and the remedy."""

import pytest

from sicmctl.hal import errors

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.InstrumentError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_all_four_are_told(kind: type[errors.InstrumentError]) -> None:
    error = kind("stage", "play", "no power", "switch it on")
    assert str(error) == "stage: play: no power (switch it on)"
    assert (error.instrument, error.command) == ("stage", "play")
    assert (error.problem, error.remedy) == ("no power", "switch it on")
    assert isinstance(error, errors.SicmError)


def test_the_remedy_may_be_missing() -> None:
    assert str(errors.NoAnswer("stage", "play", "silence")) == "stage: play: silence"
