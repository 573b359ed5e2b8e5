from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.config import EventConfig, SampleConfig, SimConfig
from simulators.plant import Plant, Watch
from simulators.world import World, kernel
from simulators.world.pack import record

Make = Callable[..., World]


def test_it_is_a_plant(quiet: SimConfig):
    plant: Plant = World(quiet, 1)
    out = plant.run(np.zeros((3, len(plant.inputs))), 2000)
    assert out.shape == (3, len(plant.outputs))
    assert plant.time == 6000


def test_output_is_the_current_times_the_gain(quiet: SimConfig, make: Make, drive):
    world = make(quiet)
    volts = world.run(drive(np.full(1000, 19e-6)), 2000)[-1]
    assert volts[0] == pytest.approx(3.2718, rel=2e-3)  # 3.208 nA and 2 % of rectification
    assert volts[0] == pytest.approx(world.current * 1e9, rel=1e-9)
    assert volts[1:4] == pytest.approx([0, 0, 0], abs=1e-9)


def test_an_approach_sees_the_surface(quiet: SimConfig, make: Make, drive):
    world = make(quiet)
    far = world.run(drive(np.full(1000, 12e-6)), 2000)[-1, 0]
    z = float(world.setpoint_height(50e-6, 50e-6, 0.02))
    world.run(drive(np.linspace(12e-6, z, 5000)), 2000)  # a step would overshoot into the sample
    near = world.run(drive(np.full(500, z)), 2000)[-1, 0]
    assert near / far == pytest.approx(0.98, abs=3e-4)
    assert world.gap == pytest.approx(39.6e-9, rel=0.01)


@given(cuts=st.lists(st.integers(1, 1199), max_size=6))
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_same_bits_however_cut_into_blocks(drive, cuts: list[int]):
    config = SimConfig(
        sample=SampleConfig(points=64),
        event=(EventConfig(at=0.011, set="pipette.clog", value=0.2),),
    )
    world = World(config, 3)
    top = float(world.sample.height(50e-6, 50e-6))
    commands = drive(np.linspace(top + 1e-6, top - 50e-9, 1200))
    whole = world.run(commands, 2000)
    other = World(config, 3)
    pieces = [other.run(block, 2000) for block in np.split(commands, sorted(set(cuts)))]
    assert np.array_equal(whole, np.concatenate(pieces))
    assert not np.array_equal(whole, World(config, 4).run(commands, 2000))


def test_a_watch_ends_the_run_after_the_step_that_trips_it(quiet: SimConfig, make: Make, drive):
    commands = drive(np.linspace(8.5e-6, 8.01e-6, 5000))
    free = make(quiet).run(commands, 2000)
    level = 0.98 * free[1000, 0]
    expected = 1000 + int(np.argmax(free[1000:, 0] < level)) + 1
    world = make(quiet)
    world.run(commands[:1000], 2000)
    output = world.outputs.index("amplifier.output")
    stopped = world.run(commands[1000:], 2000, [Watch(output, level, level + 0.01, True)])
    assert 1000 + len(stopped) == expected
    assert np.array_equal(stopped, free[1000:expected])
    assert world.time == expected * 2000
    # now low: it stays so, and the run goes on to its end
    rest = world.run(commands[expected:], 2000, [Watch(output, level, 9.0, False)])
    assert expected + len(rest) == 5000


def test_coarse_steps_are_subdivided(quiet: SimConfig, make: Make, drive):
    """At 1 kS/s the filter and the stage still move as they do at 50 kS/s."""
    fine, coarse = make(quiet), make(quiet)
    z = np.repeat(np.linspace(9e-6, 8.1e-6, 20), 50)
    every = fine.run(drive(z), 2000)[49::50, :4]
    assert coarse.run(drive(z[::50]), 100_000)[:, :4] == pytest.approx(every, abs=1e-9)


def test_periods_need_not_divide_a_millisecond(quiet: SimConfig, make: Make, drive):
    world = make(quiet)
    world.run(drive(np.full(1000, 9e-6)), 3333)
    assert world.time == 3_333_000


def test_drift_is_hidden_from_the_sensor(quiet: SimConfig, make: Make, drive):
    world = make(quiet)
    world.run(drive(np.full(500, 9e-6)), 2000)
    before = world.tip_position[2]
    world.set("drift.z", "100 nm/s")
    sensed = world.run(drive(np.full(50_000, 9e-6)), 2000)[[0, -1], 3]
    assert world.tip_position[2] - before == pytest.approx(100e-9, rel=0.01)
    assert np.diff(sensed)[0] == pytest.approx(0, abs=1e-6)


def test_events_happen_at_their_time(quiet: SimConfig, make: Make, drive):
    events = (
        EventConfig(at=0.010, set="amplifier.gain", value=5e8),
        EventConfig(at=0.020, set="pipette.bubble", value="on"),
        EventConfig(at=0.030, set="pipette.bubble", value="off"),
    )
    out = make(quiet, event=events).run(drive(np.full(2000, 19e-6)), 2000)
    gain = out[:, 4]
    assert (gain[499], gain[500]) == (2.5, 2.0)
    assert out[450, 0] / out[950, 0] == pytest.approx(2, rel=1e-3)
    assert out[1450, 0] == pytest.approx(0, abs=1e-6)
    assert out[1999, 0] == pytest.approx(out[950, 0], rel=1e-6)


def test_clog_break_drift_and_offset(quiet: SimConfig, make: Make, drive):
    world, rest = make(quiet), drive(np.full(1000, 19e-6))

    def level() -> float:
        return float(world.run(rest, 2000)[-1, 0])

    whole = level()
    world.set("pipette.clog", "20 %")
    assert level() == pytest.approx(0.8 * whole, rel=1e-3)
    world.set("pipette.clog", 0.0)
    world.set("pipette.break", "0.2 um")
    assert level() == pytest.approx(1.24 * whole, rel=0.01)
    assert world.tip_position[2] == pytest.approx(19.2e-6, rel=1e-6)  # and it is shorter
    world.set("drift.reference", "10 %/s")
    assert level() / level() == pytest.approx(np.exp(-0.002), abs=3e-4)
    world.set("drift.reference", 0.0)
    steady = level()
    world.set("amplifier.offset", "1 nA")
    assert level() == pytest.approx(steady + 1, rel=1e-3)


def test_dirt_is_felt_near_the_sample_alone(quiet: SimConfig, make: Make, drive):
    world = make(quiet)
    far, near = 1e-3, 60e-9
    clean = [float(world.pipette.current(gap, 0.7)) for gap in (far, near)]
    before = float(world.run(drive(np.full(1000, 19e-6)), 2000)[-1, 0])
    world.set("pipette.dirt", "50 %")
    dirty = [float(world.pipette.current(gap, 0.7)) for gap in (far, near)]
    assert float(world.run(drive(np.full(1000, 19e-6)), 2000)[-1, 0]) == pytest.approx(before, 1e-4)
    assert dirty[0] == pytest.approx(clean[0], rel=1e-4)
    drop, deeper = (1 - i[1] / i[0] for i in (clean, dirty))
    assert deeper == pytest.approx(2 * drop, rel=0.02)
    with pytest.raises(ValueError, match=r"at most 0\.9"):
        world.set("pipette.dirt", 1.0)


def test_lowering_the_sample_takes_it_out_of_reach(quiet: SimConfig, make: Make, drive):
    world = make(quiet)
    world.set("sample.offset", "-5 um")
    world.run(drive(np.full(1000, 8.03e-6)), 2000)
    assert world.gap == pytest.approx(5.03e-6, rel=1e-3)


def test_overload(quiet: SimConfig, make: Make, drive):
    world = make(quiet)
    rest = drive(np.full(1000, 19e-6))
    assert world.run(rest, 2000)[-1, 8] == 0
    world.set("amplifier.gain", 1e10)
    assert list(world.run(rest, 2000)[-1, [0, 8]]) == [10.0, 5.0]
    world.set("amplifier.gain", 5e7)
    assert world.run(rest, 2000)[-1, 8] == 0
    world.set("amplifier.offset", "-300 nA")
    assert list(world.run(rest, 2000)[-1, [0, 8]]) == [-10.0, 5.0]


def test_outside_voltage_clamp_the_command_is_off(quiet: SimConfig, make: Make, drive):
    world, rest = make(quiet), drive(np.full(1000, 19e-6))
    for mode, telegraph in (("track", 4.0), ("i=0", 3.0)):
        world.set("amplifier.mode", mode)
        out = world.run(rest, 2000)[-1]
        assert out[0] == pytest.approx(0, abs=1e-3)
        assert out[6] == telegraph


def test_a_command_step_charges_the_stray_capacitance(quiet: SimConfig, make: Make, drive):
    world, z = make(quiet), np.full(500, 19e-6)
    world.run(drive(z, bias=0.70), 2000)
    steady = world.run(drive(z, bias=0.71), 2000)[:, 0]
    # 10 mV on 1 pF are 10 fC, spread by the 5 kHz filter over about 0.1 ms
    assert np.sum(steady - steady[-1]) * 20e-6 / 1e9 == pytest.approx(10e-15, rel=0.6)


def test_femto_lines(quiet: SimConfig, make: Make, drive):
    femto = quiet.amplifier.model_copy(update={"model": "femto-dlpca-200", "gain": 1e9})
    world, rest = make(quiet, amplifier=femto), drive(np.full(2000, 19e-6))
    high = world.run(rest, 2000)[-1, 0]
    world.set_line("amplifier.gain.0", True)  # 110 -> 111 is undefined: stays at 1e9
    assert world.run(rest, 2000)[-1, 0] == pytest.approx(high)
    world.set_line("amplifier.gain.1", False)
    assert world.run(rest, 2000)[-1, 0] == pytest.approx(high / 10, rel=1e-3)
    with pytest.raises(ValueError, match=r"allowed: amplifier\.gain\.0"):
        world.set_line("amplifier.gain.9", True)


def test_wrong_calls_are_refused(quiet: SimConfig, make: Make):
    world = make(quiet)
    with pytest.raises(ValueError, match="shape"):
        world.run(np.zeros((5, 3)), 2000)
    with pytest.raises(ValueError, match="at least one tick"):
        world.run(np.zeros((5, 4)), 0)
    with pytest.raises(ValueError, match=r"allowed: amplifier\.gain"):
        world.set("gain", 1)


def test_shortcuts_far_above_do_not_show(drive):
    """Over graphite, with a wall beside the tip, the current has no jump where they begin."""
    world = World(SimConfig(sample=SampleConfig(points=256)), 1)
    relief = world.sample.map
    row, column = np.unravel_index(np.argmax(np.abs(np.diff(relief, axis=1))), relief.shape)
    x = 40e-6 + column * 20e-6 / 256 + 30e-9
    y = 40e-6 + row * 20e-6 / 256
    z = float(world.setpoint_height(x, y, 0.02)) + np.linspace(0, 12e-6, 4000)
    rig, state = record(world._rig_row(2000, 1)), world._state
    # 6 nm to and fro, so that the heights are looked up anew each time
    seen = [kernel.sense(rig, relief, state, x + 6e-9 * (k % 2), y, h) for k, h in enumerate(z)]
    every = np.array(seen[::2])
    jumps = np.abs(np.diff(every, 2)) / every[-1]
    assert np.all(np.diff(every) > -2e-6 * every[-1])
    assert jumps[500:].max() < 1e-5
