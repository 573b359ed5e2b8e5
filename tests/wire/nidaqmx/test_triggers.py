"""Start and pause triggers: which sample they act on."""

from typing import Any

import numpy as np
import pytest
from nidaqmx.constants import ActiveLevel, Edge, Level, Signal, Slope, TriggerType
from nidaqmx.errors import DaqError

LSB = 10 / 32768
SHARED = "/Dev1/ai/SampleClock"


def ramp(n: int) -> np.ndarray:
    """Volts whose codes count up from 1."""
    return np.arange(1, n + 1) * LSB


def codes(values: Any) -> Any:
    """Volts as codes of a +-10 V converter."""
    return np.rint(np.array(values) / LSB).astype(int).tolist()


def pause_above(task: Any, level: float, hysteresis: float = 0.0) -> None:
    """Pause while APFI0 is above `level` volts."""
    trigger = task.triggers.pause_trigger
    trigger.trig_type = TriggerType.ANALOG_LEVEL
    trigger.anlg_lvl_src = "APFI0"
    trigger.anlg_lvl_when = ActiveLevel.ABOVE
    trigger.anlg_lvl_lvl = level
    trigger.anlg_lvl_hyst = hysteresis


def test_pause_acts_on_the_sample_that_crossed(bench: Any) -> None:
    """The ramp drives ao0, which APFI0 sees: the output freezes at the first code above."""
    ao, ai = bench.ao("ao0", samples=100, source=SHARED), bench.ai("ai0")
    pause_above(ao, 40.5 * LSB)
    ao.write(ramp(100))
    ao.start()
    ai.start()
    assert codes(ai.read(100)) == [*range(41), *[41] * 59]
    assert ao.out_stream.total_samp_per_chan_generated == 41
    assert not ao.is_task_done()
    ao.stop()
    assert codes(ai.read(1)) == [41]


def test_a_pause_costs_few_runs_of_the_plant(bench: Any) -> None:
    ao, ai = bench.ao("ao0", samples=20_000, source=SHARED), bench.ai("ai0")
    pause_above(ao, 9000.5 * LSB)
    ao.write(ramp(20_000))
    ao.start()
    ai.start()
    before = bench.plant.runs
    ai.read(20_000)
    assert bench.plant.runs - before <= 4
    assert ao.out_stream.total_samp_per_chan_generated == 9001


def test_generation_goes_on_when_the_pause_ends(bench: Any) -> None:
    """ao1 goes on while ao0, which is on demand, holds APFI0 above the level and releases it."""
    gate = bench.ao("ao0", rate=None)
    ao, ai = bench.ao("ao1", samples=1000, source=SHARED), bench.ai("ai1", "ai0")
    pause_above(ao, 1.0, hysteresis=0.5)
    gate.write(2.0)
    ao.write(ramp(1000))
    ao.start()
    ai.start()
    ai.read(50)
    gate.write(0.7)  # within the hysteresis: still paused
    ai.read(50)
    gate.write(0.4)
    wave, level = (np.array(d) for d in ai.read(200))
    released = int(np.argmax(level < 0.5))
    moved = int(np.argmax(wave > 0))
    assert released > 0
    assert moved == released + 1  # the gate opens at that edge, and the plant feels it a step on
    assert codes(wave[moved:]) == list(range(1, len(wave) - moved + 1))


def test_pause_below(bench: Any) -> None:
    gate = bench.ao("ao0", rate=None)
    ao, ai = bench.ao("ao1", samples=1000, source=SHARED), bench.ai("ai1")
    trigger = ao.triggers.pause_trigger
    trigger.trig_type = TriggerType.ANALOG_LEVEL
    trigger.anlg_lvl_src = "/Dev1/APFI0"
    trigger.anlg_lvl_when = ActiveLevel.BELOW
    trigger.anlg_lvl_lvl = 1.0
    assert trigger.anlg_lvl_when == ActiveLevel.BELOW
    ao.write(ramp(1000))
    ao.start()
    ai.start()
    assert set(codes(ai.read(100))) == {0}
    gate.write(1.5)
    assert codes(ai.read(200))[-1] > 0


def test_digital_pause_on_a_pin_that_a_line_drives(bench: Any) -> None:
    gate = bench.task()
    gate.do_channels.add_do_chan("Dev1/port1/line0")  # the pin of PFI0
    ao, ai = bench.ao("ao1", samples=1000, source=SHARED), bench.ai("ai1")
    trigger = ao.triggers.pause_trigger
    trigger.trig_type = TriggerType.DIGITAL_LEVEL
    trigger.dig_lvl_src = "/Dev1/PFI0"
    trigger.dig_lvl_when = Level.HIGH
    ao.write(ramp(1000))
    ao.start()
    ai.start()
    ai.read(100)
    gate.write(True)
    frozen = codes(ai.read(100))[-1]
    assert codes(ai.read(10)) == [frozen] * 10
    gate.write(False)
    assert codes(ai.read(100))[-1] > frozen


def test_paused_input_takes_no_samples(bench: Any) -> None:
    gate, ai = bench.ao("ao0", rate=None), bench.ai("ai1")
    pause_above(ai, 1.0)
    ai.start()
    gate.write(2.0)
    acquired = ai.in_stream.total_samp_per_chan_acquired
    gate.write(2.0)
    assert ai.in_stream.total_samp_per_chan_acquired == acquired


def test_output_starts_with_the_input(bench: Any) -> None:
    ao, ai = bench.ao("ao0", samples=5), bench.ai("ai0")
    ao.triggers.start_trigger.cfg_dig_edge_start_trig("/Dev1/ai/StartTrigger")
    ao.write(ramp(5))
    ao.start()
    bench.ao("ao1", rate=None).write(0.0)
    assert not ao.is_task_done()
    assert ao.out_stream.total_samp_per_chan_generated == 0
    ai.start()
    assert codes(ai.read(7)) == [0, 1, 2, 3, 4, 5, 5]


@pytest.mark.parametrize(
    ("slope", "steps", "starts_at"),
    [(Slope.RISING, (0.0, 2.0), 2.0), (Slope.FALLING, (2.0, 0.0), 0.0)],
)
def test_analog_edge_starts_a_retract(
    bench: Any, slope: Slope, steps: tuple[float, float], starts_at: float
) -> None:
    trigger, ai = bench.ao("ao0", rate=None), bench.ai("ai0", "ai1")
    trigger.write(steps[0])
    retract = bench.ao("ao1", samples=20, source=SHARED)
    retract.triggers.start_trigger.cfg_anlg_edge_start_trig("APFI0", slope, 1.0)
    retract.triggers.start_trigger.anlg_edge_hyst = 0.2
    retract.write(ramp(20))
    retract.start()
    ai.start()
    ai.read(50)
    trigger.write(steps[1])
    level, wave = (np.array(d) for d in ai.read(200))
    crossed = int(np.argmax(np.abs(level - starts_at) < 0.1))
    moved = int(np.argmax(wave > 0))
    assert moved == crossed + 2  # triggered at that edge, clocked at the next, felt a step later
    assert retract.is_task_done()


def test_comparator_pauses_the_approach_and_starts_the_retract(bench: Any) -> None:
    """One analog comparator serves two tasks; retract on another clock mode is refused."""
    ao, ai = bench.ao("ao0", samples=100, source=SHARED), bench.ai("ai0")
    pause_above(ao, 20.5 * LSB)
    ai.triggers.start_trigger.cfg_anlg_edge_start_trig("APFI0", Slope.RISING, 5.0)
    ao.write(ramp(100))
    ao.start()
    with pytest.raises(DaqError) as error:
        ai.start()  # another level on the only comparator
    assert error.value.error_code == -50103


def test_retriggerable_finite_output(bench: Any) -> None:
    pulse = bench.task()
    pulse.do_channels.add_do_chan("Dev1/port1/line1")  # the pin of PFI1
    ao, ai = bench.ao("ao0", samples=3, source=SHARED), bench.ai("ai0")
    ao.triggers.start_trigger.cfg_dig_edge_start_trig("PFI1", Edge.RISING)
    ao.triggers.start_trigger.retriggerable = True
    ao.write(ramp(3))
    ao.start()
    ai.start()
    for _ in range(2):
        ai.read(20)
        pulse.write(True)
        pulse.write(False)
    ai.read(20)
    assert ao.out_stream.total_samp_per_chan_generated == 6
    assert not ao.is_task_done()


def test_exported_clock_arrives_at_its_terminal(bench: Any) -> None:
    ai = bench.ai("ai0")
    ai.export_signals.export_signal(Signal.SAMPLE_CLOCK, "/Dev1/PFI7")
    ao = bench.ao("ao0", samples=3, source="/Dev1/PFI7")
    ao.write(ramp(3))
    ao.start()
    ai.start()
    assert codes(ai.read(5)) == [0, 1, 2, 3, 3]
    with pytest.raises(DaqError) as error:
        ai.export_signals.export_signal(Signal.CHANGE_DETECTION_EVENT, "/Dev1/PFI7")
    assert error.value.error_code == -200375


def test_clock_that_never_comes(bench: Any) -> None:
    ao = bench.ao("ao0", samples=3, source="/Dev1/PFI7")
    ao.write(ramp(3))
    ao.start()
    with pytest.raises(DaqError) as error:
        ao.wait_until_done(0.05)
    assert error.value.error_code == -200560


def test_trigger_properties_read_back_and_reset(bench: Any) -> None:
    ao = bench.ao("ao0")
    start, pause = ao.triggers.start_trigger, ao.triggers.pause_trigger
    assert start.trig_type == TriggerType.NONE
    start.cfg_anlg_edge_start_trig("APFI1", Slope.FALLING, -2.5)
    assert (start.trig_type, start.anlg_edge_src, start.anlg_edge_lvl, start.anlg_edge_slope) == (
        TriggerType.ANALOG_EDGE, "APFI1", -2.5, Slope.FALLING,
    )  # fmt: skip
    start.disable_start_trig()
    assert start.trig_type == TriggerType.NONE
    pause.anlg_lvl_lvl = 3.0
    pause.trig_type = TriggerType.ANALOG_LEVEL
    del pause.anlg_lvl_lvl
    del pause.trig_type
    assert (pause.anlg_lvl_lvl, pause.trig_type) == (0.0, TriggerType.NONE)


@pytest.mark.parametrize(("source", "code"), [("PFI99", -89120), ("/Dev1/nonsense", -89120)])
def test_digital_source_that_does_not_exist(bench: Any, source: str, code: int) -> None:
    ai = bench.ai("ai0")
    ai.triggers.start_trigger.cfg_dig_edge_start_trig(source)
    with pytest.raises(DaqError) as error:
        ai.start()
    assert error.value.error_code == code


def test_analog_source_that_does_not_exist(bench: Any) -> None:
    ao = bench.ao("ao0")
    pause_above(ao, 1.0)
    ao.triggers.pause_trigger.anlg_lvl_src = "PFI0"
    with pytest.raises(DaqError) as error:
        ao.write(ramp(10))  # reserves, which checks
    assert error.value.error_code == -200265
