"""The world's code compiles in two processes: what one of them makes suits the other."""

from simulators.config import SampleConfig, SimConfig
from simulators.ready import compile_meanwhile, compile_world
from simulators.world import World, kernel
from simulators.world.world import NotBegun

PARTS = ("_shown", "_move", "_record", "_sensors", "_touch", "_watching")
FLAT = SimConfig(sample=SampleConfig(kind="flat", points=16))


def test_what_is_compiled_meanwhile_is_what_a_run_wants() -> None:
    compile_meanwhile()
    compile_world()
    assert {name: len(getattr(kernel, name).signatures) for name in PARTS} == dict.fromkeys(
        PARTS, 1
    )
    assert len(kernel.run.signatures) == len(kernel.rest.signatures) == 1


def test_a_world_that_has_not_begun_is_of_the_same_make() -> None:
    with World(FLAT, 1) as world:
        rig, state = NotBegun(FLAT, 1).rows
        assert rig.dtype == world._rig_row(2000, 1).dtype
        assert state.dtype == world._state_row.dtype
