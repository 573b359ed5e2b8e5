"""The amplifiers' tables and arithmetic, without a card."""

from typing import Any

import numpy as np
import pytest

from drivers.axopatch_200b import Axopatch200B
from drivers.femto_dlpca_200 import FemtoDlpca200
from sicmctl.hal.capabilities import Block
from sicmctl.hal.errors import LimitExceeded, NotSupported, UnexpectedState

from .fakes import PaperCard, block

GAINS = {0.5: 0.05, 1.0: 0.1, 1.5: 0.2, 2.0: 0.5, 2.5: 1, 3.0: 2, 3.5: 5, 4.0: 10, 4.5: 20,
         5.0: 50, 5.5: 100, 6.0: 200, 6.5: 500}  # fmt: skip
"""Telegraph volts -> mV/pA, after the Axopatch 200B's manual."""


def axopatch(card: PaperCard | None = None, **options: Any) -> Axopatch200B:
    return Axopatch200B.open(Axopatch200B.Options.model_validate(options), card or PaperCard())


def telegraphs(
    gain: float = 2.5, band: float = 6.0, mode: float = 6.0, current: float = 0.0
) -> Block:
    return block(
        4,
        pipette_current=current,
        gain_telegraph=gain,
        filter_telegraph=band,
        mode_telegraph=mode,
    )


@pytest.mark.parametrize("off", [-0.2, 0.0, 0.2])
@pytest.mark.parametrize("volts", GAINS)
def test_the_gain_table(volts: float, off: float) -> None:
    state = axopatch().state(telegraphs(gain=volts + off))
    assert state.gain == pytest.approx(GAINS[volts] * 1e9, rel=1e-12)


@pytest.mark.parametrize(("volts", "band"), [(2, 1e3), (4, 2e3), (6, 5e3), (8, 1e4), (10, 1e5)])
def test_the_filter_table(volts: float, band: float) -> None:
    assert axopatch().state(telegraphs(band=volts)).bandwidth == band


@pytest.mark.parametrize(("volts", "mode"), [(4.0, "TRACK"), (6.0, "V-CLAMP")])
def test_the_modes_in_which_there_is_a_current(volts: float, mode: str) -> None:
    assert axopatch().state(telegraphs(mode=volts)).mode == mode


@pytest.mark.parametrize("volts", [1.0, 2.0, 3.0])
def test_the_modes_in_which_there_is_none(volts: float) -> None:
    with pytest.raises(UnexpectedState, match="in which the output is no current"):
        axopatch().state(telegraphs(mode=volts))


def test_current_is_volts_over_gain() -> None:
    current = axopatch().current(telegraphs(gain=4.0, current=2.5))
    np.testing.assert_allclose(current, 2.5 / 10e9, rtol=1e-12)


def test_bias_is_scaled_by_the_command_input() -> None:
    card = PaperCard()
    amplifier = axopatch(card, command="ao2", command_scale="20 mV/V")
    amplifier.set_bias(0.1)
    amplifier.safe_state()
    assert card.outputs["ao2"].written == [pytest.approx(5.0), 0.0]


def test_the_limit_is_as_the_file_says() -> None:
    limits = axopatch(command_limit=0.4).command_limits
    assert (limits.low, limits.high) == (-0.4, 0.4)


def test_a_missing_telegraph_is_refused() -> None:
    with pytest.raises(UnexpectedState) as caught:
        axopatch(PaperCard(("pipette_current", "gain_telegraph")))
    assert str(caught.value) == (
        "axopatch-200b: open: no input is assigned to filter_telegraph, mode_telegraph "
        "(wire the telegraph outputs and name their channels in daq.inputs)"
    )


# -- FEMTO ----------------------------------------------------------------------------------------

LINES = "port0/line0,port0/line1,port0/line2"


def femto(card: PaperCard | None = None, **options: Any) -> FemtoDlpca200:
    options = {"bandwidth": "5 kHz", **options}
    return FemtoDlpca200.open(FemtoDlpca200.Options.model_validate(options), card or PaperCard())


@pytest.mark.parametrize("step", range(7))
@pytest.mark.parametrize(("range_", "lowest"), [("low-noise", 1e3), ("high-speed", 1e5)])
def test_gain_bits_lowest_first(range_: str, lowest: float, step: int) -> None:
    card = PaperCard()
    amplifier = femto(card, range=range_, gain=f"{lowest * 10**step:g} V/A")
    bits = [bool(step & 1), bool(step & 2), bool(step & 4)]
    assert card.line_groups[LINES].written == [bits]
    assert amplifier.state(block(1, pipette_current=1.0)).gain == pytest.approx(lowest * 10**step)


def test_a_gain_of_the_other_range_is_refused_without_touching_the_lines() -> None:
    card = PaperCard()
    with pytest.raises(LimitExceeded) as caught:
        femto(card, range="low-noise", gain="1e10 V/A")
    assert caught.value.problem == "there is no gain 1e+10 V/A"
    assert caught.value.remedy.startswith("choose one of 1e+03, 1e+04")
    assert card.line_groups[LINES].written == []


def test_the_limit_is_what_the_output_can_give() -> None:
    assert femto(command_scale="0.1 V/V").command_limits.high == pytest.approx(1.0)
    assert femto(command_scale="1 V/V", command_limit=3).command_limits.high == 3


@pytest.mark.parametrize("kind", [Axopatch200B, FemtoDlpca200])
def test_the_command_is_told_and_read_back(kind: type[Any]) -> None:
    options = {"command": "ao2", "command_scale": "100 mV/V", "readback": "bias_command"}
    if kind is FemtoDlpca200:
        options["bandwidth"] = "5 kHz"
    amplifier = kind.open(kind.Options.model_validate(options), PaperCard())
    assert amplifier.command_channel == "ao2"
    assert amplifier.command_volts(np.array([0.7, 0.75])).tolist() == pytest.approx([7.0, 7.5])
    assert amplifier.bias(block(2, bias_command=7.0)).tolist() == pytest.approx([0.7, 0.7])


def test_a_command_that_is_not_read_back_is_told_with_the_remedy() -> None:
    with pytest.raises(NotSupported, match="no input reads the command output back") as caught:
        axopatch().bias(telegraphs())
    assert "_ao0_vs_aognd" in caught.value.remedy
