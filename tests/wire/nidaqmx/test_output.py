"""Analog output as NI's package sees it."""

from typing import Any

import numpy as np
import pytest
from nidaqmx.constants import AcquisitionType, RegenerationMode, TaskMode
from nidaqmx.errors import DaqError, DaqWriteError
from nidaqmx.stream_writers import AnalogMultiChannelWriter

LSB = 10 / 32768
SHARED = "/Dev1/ai/SampleClock"


def codes(values: Any) -> Any:
    """Volts as codes of a +-10 V converter."""
    return np.rint(np.array(values) / LSB).astype(int).tolist()


def ramp(n: int, first: int = 1) -> np.ndarray:
    """Volts whose codes count up."""
    return np.arange(first, first + n) * LSB


def test_finite_waveform_on_the_input_clock_lands_one_sample_later(bench: Any) -> None:
    ao, ai = bench.ao("ao0", samples=5, source=SHARED), bench.ai("ai0")
    assert ao.write(ramp(5)) == 5
    ao.start()
    ai.start()
    assert codes(ai.read(8)) == [0, 1, 2, 3, 4, 5, 5, 5]
    assert ao.is_task_done()
    assert ao.out_stream.total_samp_per_chan_generated == 5


def test_output_holds_its_last_value_after_stop_and_clear(bench: Any) -> None:
    ao = bench.ao("ao0", samples=3)
    ao.write(ramp(3), auto_start=True)
    ao.wait_until_done()
    ao.close()
    assert codes(bench.ai("ai0", rate=None).read()) == 3


def test_a_stopped_finite_waveform_starts_again(bench: Any) -> None:
    ao, ai = bench.ao("ao0", samples=3, source=SHARED), bench.ai("ai0")
    ao.write(ramp(3))
    ai.start()
    for _ in range(2):
        ao.start()
        ao.wait_until_done()
        ao.stop()
    ao.write(ramp(3, 11), auto_start=True)
    ao.wait_until_done()
    seen = codes(ai.read(ai.in_stream.avail_samp_per_chan))
    assert [k for i, k in enumerate(seen) if i == 0 or k != seen[i - 1]] == [
        0, 1, 2, 3, 1, 2, 3, 11, 12, 13,
    ]  # fmt: skip


def test_waveform_longer_than_the_buffer_regenerates(bench: Any) -> None:
    ao, ai = bench.ao("ao0", samples=7, source=SHARED), bench.ai("ai0")
    ao.write(ramp(3))
    ao.start()
    ai.start()
    assert codes(ai.read(10)) == [0, 1, 2, 3, 1, 2, 3, 1, 1, 1]


def test_continuous_output_regenerates(bench: Any) -> None:
    ao, ai = bench.ao("ao0", source=SHARED), bench.ai("ai0")
    ao.write(ramp(4))
    ao.start()
    ai.start()
    assert codes(ai.read(10)) == [0, 1, 2, 3, 4, 1, 2, 3, 4, 1]
    assert not ao.is_task_done()


def test_streaming_without_regeneration(bench: Any) -> None:
    ao, ai = bench.ao("ao0", source=SHARED), bench.ai("ai0")
    ao.out_stream.regen_mode = RegenerationMode.DONT_ALLOW_REGENERATION
    ao.out_stream.output_buf_size = 1000
    ao.write(ramp(1000))
    ao.start()
    ai.start()
    ai.read(400)
    before = ao.out_stream.space_avail
    assert before >= 400
    assert ao.write(ramp(800, 1001), timeout=1.0) == 800
    assert codes(ai.read(1401))[-2:] == [1799, 1800]


def test_underflow_without_regeneration(bench: Any) -> None:
    ao = bench.ao("ao0")
    ao.out_stream.regen_mode = RegenerationMode.DONT_ALLOW_REGENERATION
    ao.write(ramp(100))
    ao.start()
    with pytest.raises(DaqError) as error:
        ao.wait_until_done(timeout=1.0)
    assert error.value.error_code == -200290
    assert codes(bench.ai("ai0", rate=None).read()) == 100


def test_write_without_room_times_out(bench: Any) -> None:
    ao = bench.ao("ao0", rate=1000.0)
    ao.out_stream.regen_mode = RegenerationMode.DONT_ALLOW_REGENERATION
    ao.write(ramp(1000))
    ao.start()
    with pytest.raises(DaqWriteError) as error:
        ao.write(ramp(500), timeout=0.1)
    assert error.value.error_code == -200292
    assert error.value.samps_per_chan_written == 100


def test_second_write_before_the_start_finds_no_room(bench: Any) -> None:
    ao = bench.ao("ao0", samples=100)
    ao.write(ramp(100))
    with pytest.raises(DaqError) as error:
        ao.write(ramp(1))
    assert error.value.error_code == -200547


def test_start_without_samples(bench: Any) -> None:
    ao = bench.ao("ao0", samples=100)
    with pytest.raises(DaqError) as error:
        ao.start()
    assert error.value.error_code == -200462


def test_several_channels_move_together(bench: Any) -> None:
    ao, ai = bench.ao("ao0", "ao2", samples=3, source=SHARED), bench.ai("ai0", "ai2")
    writer = AnalogMultiChannelWriter(ao.out_stream)
    assert writer.write_many_sample(np.stack((ramp(3), ramp(3, 100)))) == 3
    ao.start()
    data = ai.read(4)
    assert codes(data) == [[0, 1, 2, 3], [0, 100, 101, 102]]


def test_on_demand_output_beside_a_waveform(bench: Any) -> None:
    wave, ai = bench.ao("ao0", source=SHARED), bench.ai("ai0", "ai1")
    wave.write(ramp(1000))
    wave.start()
    ai.start()
    ai.read(10)
    bench.ao("ao1", rate=None).write(100 * LSB)
    data = codes(ai.read(100))
    assert data[0] == list(range(10, 110))  # the waveform went on meanwhile
    assert set(data[1][:50]) == {0} and set(data[1][50:]) == {100}  # 1 ms of reaction


@pytest.mark.parametrize("rate", [None, 50e3])
def test_channel_of_a_running_waveform_is_reserved(bench: Any, rate: float | None) -> None:
    wave = bench.ao("ao0")
    wave.write(ramp(1000))
    wave.start()
    other = bench.ao("ao0" if rate is None else "ao1", rate=rate)
    with pytest.raises(DaqError) as error:
        other.write([0.0] if rate is None else [0.0, 0.0], auto_start=True)
    assert error.value.error_code == -50103
    wave.stop()
    wave.control(TaskMode.TASK_UNRESERVE)
    other.write([0.0] if rate is None else [0.0, 0.0], auto_start=True)


def test_own_clock_at_another_rate(bench: Any) -> None:
    """AO at 10 kHz and AI at 50 kHz: five input samples to each output sample."""
    ao, ai = bench.ao("ao0", rate=10e3, samples=3), bench.ai("ai0")
    ao.write(ramp(3))
    ai.start()
    ao.start()
    ao.wait_until_done()
    seen = codes(ai.read(30))
    assert seen == [0] * 10 + [1] * 5 + [2] * 5 + [3] * 10


def test_value_out_of_range(bench: Any) -> None:
    with pytest.raises(DaqError) as error:
        bench.ao("ao0", rate=None).write(10.5)
    assert error.value.error_code == -200561


def test_write_needs_a_start_when_on_demand(bench: Any) -> None:
    ao = bench.ao("ao0", rate=None)
    with pytest.raises(DaqError) as error:
        ao.write(1.0, auto_start=False)
    assert error.value.error_code == -200846


def test_input_on_the_output_clock(bench: Any) -> None:
    ao = bench.ao("ao0", rate=20e3, samples=10)
    ai = bench.task()
    ai.ai_channels.add_ai_voltage_chan("Dev1/ai0", min_val=-10, max_val=10)
    ai.timing.cfg_samp_clk_timing(
        20e3,
        source="/Dev1/ao/SampleClock",
        sample_mode=AcquisitionType.FINITE,
        samps_per_chan=10,
    )
    ao.write(ramp(10))
    ai.start()
    ao.start()
    assert codes(ai.read(10)) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
