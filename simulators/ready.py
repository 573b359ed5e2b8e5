"""Makes ready what a laboratory would have to wait for, in two processes at once.

What one of them has compiled is on the disk for the other, and for every process to come.
"""


def compile_world() -> None:
    """Have the world's code compiled.

    Takes some seconds the first time, on any computer, and hardly any afterwards.
    """
    import numpy as np  # noqa: PLC0415  slow to import, and of no use to who only names this

    from simulators.config import SampleConfig, SimConfig  # noqa: PLC0415
    from simulators.world import World  # noqa: PLC0415

    with World(SimConfig(sample=SampleConfig(kind="flat", points=16)), 1) as world:
        world.run(np.zeros((2, len(world.inputs))), 2000)


def compile_meanwhile() -> None:
    """Compile what `compile_world` comes to last, and what compares with the truth."""
    from simulators.config import PipetteConfig, SampleConfig, SimConfig  # noqa: PLC0415
    from simulators.world.kernel import compile_steps  # noqa: PLC0415
    from simulators.world.pipette import Pipette  # noqa: PLC0415
    from simulators.world.sample import Sample  # noqa: PLC0415
    from simulators.world.truth import setpoint_height  # noqa: PLC0415
    from simulators.world.world import NotBegun  # noqa: PLC0415

    flat = SampleConfig(kind="flat", points=16)
    compile_steps(*NotBegun(SimConfig(sample=flat), 1).rows)
    sample = Sample.build(flat, 1, (0.0, 0.0))
    sample.height(0.0, 0.0)
    setpoint_height(Pipette.new(PipetteConfig()), sample, 0.0, 0.0, 0.01)
