"""Analog input as NI's package sees it."""

from typing import Any

import numpy as np
import pytest
from nidaqmx.constants import (
    READ_ALL_AVAILABLE,
    AcquisitionType,
    OverwriteMode,
    ReadRelativeTo,
    TerminalConfiguration,
)
from nidaqmx.errors import DaqError, DaqReadError
from nidaqmx.stream_readers import AnalogMultiChannelReader, AnalogUnscaledReader

LSB = 10 / 32768
"""Of a +-10 V range."""


def test_finite_read_returns_exactly_the_samples_asked_for(bench: Any) -> None:
    ai = bench.ai("ai0", "ai1", samples=100)
    data = ai.read(READ_ALL_AVAILABLE)
    assert np.shape(data) == (2, 100)


def test_a_read_advances_time_by_its_samples_and_no_more(bench: Any) -> None:
    ai = bench.ai("ai0")
    ai.start()
    start = bench.card.engine.now
    ai.read(1234)
    assert bench.card.engine.now - start == 1234 * 2000
    assert ai.in_stream.curr_read_pos == 1234


def test_consecutive_reads_join_without_gap(bench: Any) -> None:
    ai = bench.ai("ai3", rate=1000.0)  # 1 ms a sample is over three codes of the clock channel
    ai.start()
    times = np.array(ai.read(40) + ai.read(40))
    assert np.allclose(np.diff(times), 1e-3, atol=LSB)
    assert ai.in_stream.total_samp_per_chan_acquired >= 80


def test_sixteen_bits_of_the_range_that_the_limits_ask_for(bench: Any) -> None:
    ao = bench.ao("ao0", rate=None)
    ao.write(0.123456789)
    task = bench.task()
    fine = task.ai_channels.add_ai_voltage_chan("Dev1/ai0", min_val=-0.15, max_val=0.15)
    assert (fine.ai_rng_low, fine.ai_rng_high) == (-0.2, 0.2)
    held = round(0.123456789 / LSB) * LSB
    assert task.read() == pytest.approx(round(held / (0.2 / 32768)) * 0.2 / 32768, abs=1e-12)


def test_input_clips_at_the_ends_of_its_range(bench: Any) -> None:
    ao = bench.ao("ao0", "ao1", rate=None)
    ao.write([3.0, -3.0])
    task = bench.task()
    task.ai_channels.add_ai_voltage_chan("Dev1/ai0:1", min_val=-2, max_val=2)
    assert task.read() == [2 * 32767 / 32768, -2.0]


def test_unscaled_read_gives_codes(bench: Any) -> None:
    bench.ao("ao0", rate=None).write(1.0)
    ai = bench.ai("ai0", samples=4)
    codes = np.zeros((1, 4), dtype=np.int16)
    AnalogUnscaledReader(ai.in_stream).read_int16(codes, 4)
    assert codes.tolist() == [[3277] * 4]


def test_reader_fills_an_array_larger_than_needed(bench: Any) -> None:
    bench.ao("ao0", "ao1", rate=None).write([1.0, 2.0])
    ai = bench.ai("ai0", "ai1")
    reader = AnalogMultiChannelReader(ai.in_stream)
    data = np.full((2, 10), np.nan)
    assert reader.read_many_sample(data, 10) == 10
    assert np.allclose(data, [[1.0], [2.0]], atol=LSB)
    reader.verify_array_shape = False
    flat = np.full(50, np.nan)
    assert reader.read_many_sample(flat, 10) == 10
    assert np.isfinite(flat[:20]).all() and np.isnan(flat[20:]).all()


def test_array_too_small_is_refused(bench: Any) -> None:
    ai = bench.ai("ai0", "ai1")
    reader = AnalogMultiChannelReader(ai.in_stream)
    reader.verify_array_shape = False
    with pytest.raises(DaqError) as error:
        reader.read_many_sample(np.zeros(10), 10)
    assert error.value.error_code == -200229


def test_output_read_back_inside_the_card(bench: Any) -> None:
    ao = bench.ao("ao0", samples=4, source="/Dev1/ai/SampleClock")
    ai = bench.ai("_ao0_vs_aognd", "ai0")
    ao.write([1.0, 2.0, 3.0, 4.0])
    ao.start()
    inside, outside = ai.read(6)
    assert np.allclose(inside, [0, 1, 2, 3, 4, 4], atol=LSB)
    assert inside == outside


def test_available_samples_grow_while_the_host_polls(bench: Any) -> None:
    ai = bench.ai("ai0")
    ai.start()
    assert [ai.in_stream.avail_samp_per_chan for _ in range(3)] == [5, 10, 15]  # 0.1 ms a call
    assert len(ai.read(READ_ALL_AVAILABLE)) == 20


def test_a_polling_loop_ends(bench: Any) -> None:
    ai = bench.ai("ai0", samples=500)
    ai.start()
    calls = 1
    while not ai.is_task_done():
        calls += 1
    assert calls == 100


def test_read_timeout_returns_what_there_is(bench: Any) -> None:
    ai = bench.ai("ai0")
    ai.start()
    data = np.full((1, 1000), np.nan)
    reader = AnalogMultiChannelReader(ai.in_stream)
    with pytest.raises(DaqReadError) as error:
        reader.read_many_sample(data, 1000, timeout=0.01)
    assert error.value.error_code == -200284
    assert error.value.samps_per_chan_read == 500
    assert len(ai.read(10)) == 10


def test_finite_task_never_has_more(bench: Any) -> None:
    ai = bench.ai("ai0", samples=100)
    ai.start()
    ai.read(100)
    with pytest.raises(DaqError) as error:
        ai.read(1)
    assert error.value.error_code == -200278


def test_unread_samples_that_no_longer_fit_end_the_acquisition(bench: Any) -> None:
    ai = bench.ai("ai0")
    ai.in_stream.input_buf_size = 2000
    ai.start()
    slow = bench.ao("ao0", rate=None)
    for _ in range(401):  # 0.1 ms each: 2005 samples
        slow.write(0.0)
    with pytest.raises(DaqReadError) as error:
        ai.read(10)
    assert error.value.error_code == -200279
    assert "keep up" in str(error.value)
    ai.stop()
    ai.start()
    assert len(ai.read(10)) == 10


def test_overwriting_keeps_the_newest(bench: Any) -> None:
    ai = bench.ai("ai3", rate=10e3)
    ai.in_stream.input_buf_size = 100
    ai.in_stream.overwrite = OverwriteMode.OVERWRITE_UNREAD_SAMPLES
    ai.in_stream.relative_to = ReadRelativeTo.MOST_RECENT_SAMPLE
    ai.in_stream.offset = -10
    ai.start()
    slow = bench.ao("ao0", rate=None)
    for _ in range(150):
        slow.write(0.0)
    now = bench.card.engine.now * 1e-8
    assert ai.read(10)[-1] == pytest.approx(now, abs=0.1e-3 + LSB)
    ai.in_stream.relative_to = ReadRelativeTo.FIRST_SAMPLE
    ai.in_stream.offset = 0
    with pytest.raises(DaqReadError) as error:
        ai.read(10)
    assert error.value.error_code == -200279


def test_first_sample_can_be_read_again(bench: Any) -> None:
    ai = bench.ai("ai3", rate=1000.0, samples=50)
    ai.start()
    first = ai.read(10)
    ai.in_stream.relative_to = ReadRelativeTo.FIRST_SAMPLE
    assert ai.read(10) == first


def test_rate_is_coerced_to_the_timebase(bench: Any) -> None:
    ai = bench.ai("ai0", rate=30e3)
    assert ai.timing.samp_clk_rate == 100e6 / 3333
    assert ai.timing.samp_clk_max_rate == 2e6
    assert ai.timing.samp_quant_samp_mode == AcquisitionType.CONTINUOUS


def test_on_demand_reads_take_time(bench: Any) -> None:
    ai = bench.ai("ai3", rate=None)
    start = bench.card.engine.now
    assert len(ai.read(3)) == 3
    assert bench.card.engine.now - start == 30_000


def test_channel_properties(bench: Any) -> None:
    task = bench.task("with names")
    channel = task.ai_channels.add_ai_voltage_chan(
        "Dev1/ai4", "gain", TerminalConfiguration.RSE, -5, 5
    )
    assert task.name == "with names"
    assert task.channel_names == ["gain"]
    assert channel.physical_channel.name == "Dev1/ai4"
    assert (channel.ai_min, channel.ai_max, channel.ai_term_cfg) == (
        -5.0, 5.0, TerminalConfiguration.RSE,
    )  # fmt: skip
    assert [d.name for d in task.devices] == ["Dev1"]
    assert task.in_stream.num_chans == 1
