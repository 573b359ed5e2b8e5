"""The `[cell]` and `[potentiostat]` tables."""

import pytest

from simulators.cellconfig import (
    MODELS,
    GraphiteCell,
    NcmCell,
    PotentiostatConfig,
    RandlesCell,
    RcCell,
    ResistorCell,
)
from simulators.config import SimConfig
from simulators.world.cell import Graphite, Ncm, make_cell
from simulators.world.cell.linear import LinearCell


def test_both_are_optional():
    config = SimConfig.parse("")
    assert config.cell is None
    assert config.potentiostat is None


def test_quantities_are_read_and_survive_json():
    config = SimConfig.parse(
        '[cell]\nkind = "graphite"\npreset = "full"\nstart = "20 %"\narea = "0.4 cm**2"\n'
        '[potentiostat]\nmodel = "emstat4-hr"\npty = "/tmp/emstat"\nranges = ["1 mA", "10 uA"]\n'
        'faults = [{ kind = "silence", after = 3 }, { kind = "slow", at = "10 s" }]\n'
    )
    assert isinstance(config.cell, GraphiteCell)
    assert config.cell.charge == 2.75
    assert config.cell.start == 0.2
    assert config.cell.area == pytest.approx(0.4e-4)
    assert config.potentiostat is not None
    assert config.potentiostat.hardware.ranges == pytest.approx((1e-5, 1e-3))
    assert config.potentiostat.hardware.compliance == MODELS["emstat4-hr"].compliance
    assert [fault.kind for fault in config.potentiostat.faults] == ["silence", "slow"]
    assert SimConfig.model_validate_json(config.model_dump_json(by_alias=True)) == config


def test_a_preset_gives_way_to_what_is_said():
    cell = GraphiteCell.model_validate({"preset": "printed", "charge": 1.0})
    assert cell.charge == 1.0
    assert cell.compensation == pytest.approx(0.9875)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[cell]\nkind = "rc"\nfoo = 1',
            "SIM.toml:3: cell.foo: unknown key; allowed: kind, series",
        ),
        ('[cell]\nkind = "lemon"', "'resistor', 'rc', 'randles', 'graphite', 'ncm'"),
        ('[cell]\nkind = "ncm"\ngamma = 1', "SIM.toml:3: cell.gamma: 1 must be at most 0.9"),
        ('[cell]\nkind = "resistor"\nresistance = 3', "'3' has no unit|3 has no unit"),
        (
            '[cell]\nkind = "graphite"\nsolution_resistance = "200 ohm"',
            "cell: solution_resistance (200 ohm) is a part of series_resistance (160 ohm)",
        ),
        ('[potentiostat]\nfaults = [{ kind = "slow" }]', 'takes one of at = "10 s" and after'),
        (
            '[potentiostat]\nfaults = [{ kind = "slow", aft = 3 }]',
            "potentiostat.faults.0.aft: unknown key; allowed: kind, at, after, duration",
        ),
    ],
)
def test_mistakes_are_explained(text: str, message: str):
    with pytest.raises(ValueError) as caught:
        SimConfig.parse(text)
    assert any(part in str(caught.value) for part in message.split("|"))


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (ResistorCell(), LinearCell),
        (RcCell(), LinearCell),
        (RandlesCell(), LinearCell),
        (GraphiteCell(), Graphite),
        (NcmCell(), Ncm),
    ],
)
def test_each_kind_becomes_its_cell(config: ResistorCell, kind: type):
    assert isinstance(make_cell(config), kind)


def test_every_model_has_a_front_end():
    for name in MODELS:
        assert PotentiostatConfig.model_validate({"model": name}).hardware.ranges
