"""Task states, names, reservations, events and what the system says of itself."""

import queue
import threading
from typing import Any

import grpc
import nidaqmx
import numpy as np
import pytest
from nidaqmx.constants import (
    BusType,
    LineGrouping,
    ProductCategory,
    TaskMode,
    TriggerUsage,
)
from nidaqmx.error_codes import DAQmxErrors
from nidaqmx.errors import DaqError, RpcError
from nidaqmx.grpc_session_options import SessionInitializationBehavior
from nidaqmx.system import System

from simulators.instruments.nidaqmx import Lockstep, Realtime


def fails(code: int, call: Any, *args: Any, **kwargs: Any) -> DaqError:
    """Run `call`, which must raise NI's error `code`."""
    with pytest.raises(DaqError) as error:
        call(*args, **kwargs)
    assert error.value.error_code == code
    assert str(code) in str(error.value)
    return error.value


def test_the_card_introduces_itself(bench: Any) -> None:
    system = System.remote(bench.options)
    assert system.driver_version[0] >= 24
    device = bench.device
    assert (device.name, device.product_type) == ("Dev1", "PCIe-6363")
    assert device.product_category == ProductCategory.X_SERIES_DAQ
    assert device.bus_type == BusType.PCIE
    assert device.serial_num > 0
    assert not device.is_simulated
    ai = device.ai_physical_chans.channel_names
    assert ai[:32] == [f"Dev1/ai{k}" for k in range(32)]
    assert "Dev1/_ao0_vs_aognd" in ai
    assert device.ao_physical_chans.channel_names == [f"Dev1/ao{k}" for k in range(4)]
    assert len(device.do_lines.channel_names) == 48
    assert device.do_ports.channel_names == ["Dev1/port0", "Dev1/port1", "Dev1/port2"]
    assert (device.ai_max_single_chan_rate, device.ai_max_multi_chan_rate) == (2e6, 1e6)
    assert device.ao_max_rate == 2.86e6
    assert not device.ai_simultaneous_sampling_supported
    assert device.ai_voltage_rngs[-2:] == [-10.0, 10.0]
    assert device.ao_voltage_rngs == [-10.0, 10.0, -5.0, 5.0]
    assert device.anlg_trig_supported and device.dig_trig_supported
    assert TriggerUsage.PAUSE in device.ao_trig_usage
    assert {"/Dev1/APFI0", "/Dev1/ai/SampleClock"} <= set(device.terminals)
    device.self_test_device()


def test_names_of_tasks(bench: Any) -> None:
    assert bench.task().name == "_unnamedTask<0>"
    assert bench.task().name == "_unnamedTask<1>"
    first = bench.task("mine")
    first.ai_channels.add_ai_voltage_chan("Dev1/ai0")
    attached = nidaqmx.Task("mine", grpc_options=bench.options)  # NI's server attaches
    assert attached.channel_names == ["Dev1/ai0"]
    anew = nidaqmx.GrpcSessionOptions(
        bench.options.grpc_channel,
        "mine",
        initialization_behavior=SessionInitializationBehavior.INITIALIZE_SERVER_SESSION,
    )
    fails(-200089, nidaqmx.Task, "mine", grpc_options=anew)


def test_unknown_session_to_attach_to(bench: Any) -> None:
    options = nidaqmx.GrpcSessionOptions(
        bench.options.grpc_channel,
        "nobody",
        initialization_behavior=SessionInitializationBehavior.ATTACH_TO_SERVER_SESSION,
    )
    with pytest.raises(RpcError) as error:
        nidaqmx.Task("nobody", grpc_options=options)
    assert error.value.rpc_code == grpc.StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize("channel", ["Dev1/ai32", "Dev1/ao0", "Dev1/ai30:33"])
def test_no_such_input(bench: Any, channel: str) -> None:
    fails(-200170, bench.task().ai_channels.add_ai_voltage_chan, channel)


def test_no_such_device(bench: Any) -> None:
    fails(-200220, bench.task().ai_channels.add_ai_voltage_chan, "Dev9/ai0")


def test_channel_limits(bench: Any) -> None:
    add = bench.task().ai_channels.add_ai_voltage_chan
    fails(-200077, add, "Dev1/ai0", min_val=-11, max_val=11)
    fails(-200082, add, "Dev1/ai0", min_val=1, max_val=1)
    add("Dev1/ai0")
    fails(-200489, add, "Dev1/ai0")


def test_kinds_of_channels_do_not_mix(bench: Any) -> None:
    task = bench.ai("ai0")
    fails(-200559, task.ao_channels.add_ao_voltage_chan, "Dev1/ao0")


@pytest.mark.parametrize(
    ("channels", "rate", "code"),
    [(("ai0",), 3e6, -200332), (("ai0", "ai1"), 600e3, -200081), (("ai0",), 2e6, None)],
)
def test_fastest_input(bench: Any, channels: Any, rate: float, code: int | None) -> None:
    ai = bench.ai(*channels, rate=rate)
    if code is None:
        assert len(ai.read(1000)) == 1000
    else:
        fails(code, ai.start)


def test_fastest_output(bench: Any) -> None:
    ao = bench.ao("ao0", rate=3e6)
    fails(-200332, ao.write, np.zeros(10))


def test_one_input_task_at_a_time(bench: Any) -> None:
    first, second, third = bench.ai("ai0"), bench.ai("ai1"), bench.ai("ai2", rate=None)
    first.start()
    fails(-50103, second.start)
    fails(-50103, third.read)
    first.stop()
    second.start()


def test_reservation_outlasts_a_stop_until_it_is_given_back(bench: Any) -> None:
    first, second = bench.ai("ai0"), bench.ai("ai1")
    first.control(TaskMode.TASK_RESERVE)
    first.start()
    first.stop()
    fails(-50103, second.start)
    first.control(TaskMode.TASK_UNRESERVE)
    second.start()
    second.control(TaskMode.TASK_ABORT)
    first.control(TaskMode.TASK_COMMIT)
    fails(-50103, second.start)


def test_what_a_running_task_does_not_allow(bench: Any) -> None:
    ai = bench.ai("ai0")
    ai.start()
    fails(-200479, ai.start)
    fails(-200479, ai.timing.cfg_samp_clk_timing, 1000.0)
    fails(-200479, ai.ai_channels.add_ai_voltage_chan, "Dev1/ai1")
    with pytest.raises(DaqError) as error:
        ai.timing.samp_clk_rate = 1000.0
    assert error.value.error_code == -200557


def test_empty_task(bench: Any) -> None:
    fails(-200478, bench.task().start)


def test_calls_on_a_cleared_task(bench: Any) -> None:
    ai = bench.ai("ai0")
    handle, interpreter = ai._handle, ai._interpreter
    ai.close()
    fails(-200088, interpreter.start_task, handle)


def test_reset_aborts_tasks_and_puts_outputs_to_rest(bench: Any) -> None:
    bench.ao("ao0", rate=None).write(5.0)
    ai = bench.ai("ai1")
    ai.start()
    bench.device.reset_device()
    assert ai.is_task_done()
    assert abs(bench.ai("ai0", rate=None).read()) < 1e-3


def test_global_channels_are_refused(bench: Any) -> None:
    from nidaqmx.system.storage import PersistedChannel

    task = bench.task()
    fails(
        -200882, task.add_global_channels, [PersistedChannel("nowhere", grpc_options=bench.options)]
    )


def test_calls_the_card_does_not_know(bench: Any) -> None:
    with pytest.raises(RpcError) as error:
        bench.task().ai_channels.add_ai_thrmcpl_chan("Dev1/ai0")
    assert error.value.rpc_code == grpc.StatusCode.UNIMPLEMENTED


def test_property_the_card_does_not_know(bench: Any) -> None:
    ai = bench.ai("ai0")
    with pytest.raises(DaqError) as error:
        _ = ai.timing.ref_clk_src
    assert error.value.error_code == -200452


def test_error_texts(bench: Any) -> None:
    interpreter = bench.task()._interpreter
    assert "keep up" in interpreter.get_error_string(DAQmxErrors.SAMPLES_NO_LONGER_AVAILABLE)
    assert interpreter.get_error_string(-200016) == "Output fifo underflow."
    assert "could not be found" in interpreter.get_error_string(-1)


def test_digital_lines(bench: Any) -> None:
    task = bench.task()
    task.do_channels.add_do_chan("Dev1/port0/line0", line_grouping=LineGrouping.CHAN_PER_LINE)
    task.write(True)
    assert bench.plant.levels["line.0"]
    task.write(False)
    assert not bench.plant.levels["line.0"]
    assert task.read() is False


def test_digital_port(bench: Any) -> None:
    task, back = bench.task(), bench.task()
    task.do_channels.add_do_chan(
        "Dev1/port0/line0:7", line_grouping=LineGrouping.CHAN_FOR_ALL_LINES
    )
    assert task.channel_names == ["Dev1/port0/line0..."]
    task.write(0b1010_0001)
    back.di_channels.add_di_chan(
        "Dev1/port0/line0:7", line_grouping=LineGrouping.CHAN_FOR_ALL_LINES
    )
    assert back.read() == 0b1010_0001
    assert bench.plant.levels["line.0"]


def test_digital_lines_are_reserved(bench: Any) -> None:
    one, two = bench.task(), bench.task()
    for task in (one, two):
        task.do_channels.add_do_chan("Dev1/port0/line0")
    one.start()
    fails(-200587, two.write, True)


def test_an_event_every_n_samples(bench: Any) -> None:
    ai = bench.ai("ai0")
    seen: queue.Queue[tuple[int, int]] = queue.Queue()

    def callback(handle: Any, kind: int, n: int, data: Any) -> int:
        seen.put((n, len(ai.read(n))))
        return 0

    ai.register_every_n_samples_acquired_into_buffer_event(500, callback)
    ai.start()
    assert [seen.get(timeout=10) for _ in range(5)] == [(500, 500)] * 5
    ai.stop()
    ai.register_every_n_samples_acquired_into_buffer_event(500, None)


def test_events_of_a_finite_output(bench: Any) -> None:
    ao = bench.ao("ao0", samples=100)
    every: queue.Queue[int] = queue.Queue()
    done: queue.Queue[int] = queue.Queue()
    ao.register_every_n_samples_transferred_from_buffer_event(
        30, lambda handle, kind, n, data: every.put(n) or 0
    )
    ao.register_done_event(lambda handle, status, data: done.put(status) or 0)
    ao.write(np.zeros(100), auto_start=True)
    assert done.get(timeout=10) == 0
    # Two streams bring the two kinds of events: the last of one may come after the other's.
    assert [every.get(timeout=10) for _ in range(3)] == [30, 30, 30]
    ao.close()  # joins the event threads
    assert every.empty()


def test_a_failed_task_says_so(bench: Any) -> None:
    from nidaqmx.constants import RegenerationMode

    ao = bench.ao("ao0")
    ao.out_stream.regen_mode = RegenerationMode.DONT_ALLOW_REGENERATION
    done: queue.Queue[int] = queue.Queue()
    ao.register_done_event(lambda handle, status, data: done.put(status) or 0)
    ao.write(np.zeros(100), auto_start=True)
    assert done.get(timeout=10) == -200290
    fails(-200290, ao.is_task_done)


def test_events_are_registered_once_and_before_the_start(bench: Any) -> None:
    ai = bench.ai("ai0")
    ai.register_done_event(lambda handle, status, data: 0)
    fails(-200950, ai.register_done_event, lambda handle, status, data: 0)
    ai.start()
    fails(
        -200960,
        ai.register_every_n_samples_acquired_into_buffer_event,
        10,
        lambda handle, kind, n, data: 0,
    )


@pytest.mark.parametrize("pacing", [Lockstep(), Realtime()])
def test_a_stop_ends_a_read_that_would_wait_for_ever(benches: Any, pacing: Any) -> None:
    with benches(pacing) as bench:
        ai = bench.ai("ai0")
        ai.triggers.start_trigger.cfg_dig_edge_start_trig("/Dev1/PFI3")
        ai.start()
        caught: queue.Queue[int] = queue.Queue()

        def read() -> None:
            try:
                ai.read(10, timeout=-1.0)
            except DaqError as error:
                caught.put(error.error_code)

        reader = threading.Thread(target=read)
        reader.start()
        while not bench.server.service.under_way:
            pass
        ai.stop()
        assert caught.get(timeout=10) == -88710
        reader.join()
