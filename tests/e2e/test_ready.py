"""A laboratory that another process makes ready, or fails to."""

import math
from pathlib import Path

import pytest

from sicmctl.aside import Aside
from sicmctl.cli.laboratory import begin_compiling, laboratory_inside
from sicmctl.hal.nearby import any_nearby

SIM = 'schema = 1\n[sample]\nkind = "flat"\npoints = 16\n'


@pytest.mark.parametrize("fails", [False, True])
def test_a_laboratory_waits_for_its_world_and_makes_do_without(tmp_path: Path, fails: bool) -> None:
    sim = tmp_path / "sim.toml"
    sim.write_text(SIM, encoding="utf-8")
    with Aside() as aside:
        compiling = aside.submit(math.sqrt, -1.0) if fails else begin_compiling(aside)
        assert compiling is not None
        with laboratory_inside(sim, tmp_path / "rig.toml", compiling=compiling):
            assert compiling.done()
            assert (compiling.exception() is not None) == fails
            assert any_nearby()
            assert (tmp_path / "rig.toml").exists()


def test_with_one_core_nothing_is_compiled_ahead() -> None:
    assert begin_compiling(None) is None
