"""NI's gRPC service, as thin as it can be: unpack a request, ask the card, pack the answer.

Calls that are not here answer UNIMPLEMENTED, as NI's server does for what it does not know.
"""
# ruff: noqa: N802

from typing import Any, NamedTuple

import grpc
import numpy as np
from google.protobuf.wrappers_pb2 import BytesValue
from nidaqmx._stubs import nidaqmx_pb2 as pb
from nidaqmx._stubs.nidaqmx_pb2_grpc import NiDAQmxServicer
from nidaqmx.constants import FillMode, SampleTimingType, Signal, TriggerType
from numpy.typing import NDArray

from simulators.instruments.nidaqmx import channels
from simulators.instruments.nidaqmx.attribute_service import AttributeCalls
from simulators.instruments.nidaqmx.card import Reading
from simulators.instruments.nidaqmx.digital_service import DigitalCalls
from simulators.instruments.nidaqmx.errors import CardError, Code, error_text
from simulators.instruments.nidaqmx.event_service import EventCalls
from simulators.instruments.nidaqmx.rpc import Context, choice, rpc, session
from simulators.instruments.nidaqmx.task import AO, Task
from simulators.instruments.nidaqmx.timing import Timing
from simulators.instruments.nidaqmx.triggers import StartTrigger

_READ_ARRAY = bytes([pb.ReadAnalogF64Response.READ_ARRAY_FIELD_NUMBER << 3 | 2])
"""Protobuf's tag of the packed field."""
_BY_CHANNEL = FillMode.GROUP_BY_CHANNEL.value
CREATE, ATTACH = 1, 2
"""How a client may want a task initialised; otherwise it attaches if it can."""


class Doubles(NamedTuple):
    """The answer to `ReadAnalogF64`, its samples as they lie on the wire.

    Named as in the message, so that NI's package, which takes bytes too, reads either.
    """

    read_array: bytes
    status: int
    samps_per_chan_read: int

    def message(self) -> Any:
        """The same as a message: the samples are taken in whole, not one by one."""
        field = BytesValue(value=self.read_array).SerializeToString()  # but for its tag
        response = pb.ReadAnalogF64Response.FromString(_READ_ARRAY + field[1:])
        response.status, response.samps_per_chan_read = self.status, self.samps_per_chan_read
        return response


class Service(AttributeCalls, DigitalCalls, EventCalls, NiDAQmxServicer):
    """Answers the calls that NI's `nidaqmx` package makes."""

    # -- tasks ---------------------------------------------------------------------------

    @rpc
    def CreateTask(self, request: Any, context: Context) -> Any:
        name, behaviour = request.session_name, request.initialization_behavior
        known = name in self.card.tasks
        if behaviour == ATTACH and not known:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"No session named {name!r}.")
        attach = known and behaviour != CREATE
        task = self.card.task(name) if attach else self.card.create_task(name)
        return pb.CreateTaskResponse(task=session(task.name), new_session_initialized=not attach)

    @rpc
    def ClearTask(self, request: Any, context: Context) -> Any:
        self.card.clear_task(self.task(request))
        self.card.lock.notify_all()
        return pb.ClearTaskResponse()

    @rpc
    def StartTask(self, request: Any, context: Context) -> Any:
        self.card.start(self.task(request))
        return pb.StartTaskResponse()

    @rpc
    def StopTask(self, request: Any, context: Context) -> Any:
        status = self.card.stop(self.task(request))
        self.card.lock.notify_all()
        return pb.StopTaskResponse(status=status)

    @rpc
    def TaskControl(self, request: Any, context: Context) -> Any:
        self.card.control(self.task(request), choice(request, "action"))
        return pb.TaskControlResponse()

    @rpc
    def IsTaskDone(self, request: Any, context: Context) -> Any:
        return pb.IsTaskDoneResponse(is_task_done=self.card.is_done(self.task(request)))

    @rpc
    def WaitUntilTaskDone(self, request: Any, context: Context) -> Any:
        self.card.wait_until_done(self.task(request), request.time_to_wait, context.is_active)
        return pb.WaitUntilTaskDoneResponse()

    # -- channels, timing, triggers, routes -----------------------------------------------

    @rpc
    def CreateAIVoltageChan(self, request: Any, context: Context) -> Any:
        channels.add_inputs(self.card.board, self.task(request), request)
        return pb.CreateAIVoltageChanResponse()

    @rpc
    def CreateAOVoltageChan(self, request: Any, context: Context) -> Any:
        channels.add_outputs(self.card.board, self.task(request), request)
        return pb.CreateAOVoltageChanResponse()

    @rpc
    def AddGlobalChansToTask(self, request: Any, context: Context) -> Any:
        raise CardError(Code.INVALID_GLOBAL_CHAN, f"Channel Name: {request.channel_names}")

    @rpc
    def CfgSampClkTiming(self, request: Any, context: Context) -> Any:
        task = self.task(request)
        if task.kind is not None and not (task.inputs or task.outputs):
            raise CardError(
                Code.ATTRIBUTE_NOT_SUPPORTED_IN_TASK_CONTEXT,
                "Property: DAQmx_SampTimingType",
                f"Task Name: {task.name}",
            )
        timing = Timing(
            SampleTimingType.SAMPLE_CLOCK.value,
            request.rate,
            request.source,
            choice(request, "active_edge"),
            choice(request, "sample_mode"),
            request.samps_per_chan,
        )
        task.configure_clock(timing)
        return pb.CfgSampClkTimingResponse()

    @rpc
    def CfgDigEdgeStartTrig(self, request: Any, context: Context) -> Any:
        self._start_trigger(
            self.task(request),
            StartTrigger(
                TriggerType.DIGITAL_EDGE.value,
                digital_source=request.trigger_source,
                digital_edge=choice(request, "trigger_edge"),
            ),
        )
        return pb.CfgDigEdgeStartTrigResponse()

    @rpc
    def CfgAnlgEdgeStartTrig(self, request: Any, context: Context) -> Any:
        self._start_trigger(
            self.task(request),
            StartTrigger(
                TriggerType.ANALOG_EDGE.value,
                analog_source=request.trigger_source,
                analog_slope=choice(request, "trigger_slope"),
                analog_level=request.trigger_level,
            ),
        )
        return pb.CfgAnlgEdgeStartTrigResponse()

    @rpc
    def DisableStartTrig(self, request: Any, context: Context) -> Any:
        self._start_trigger(self.task(request), StartTrigger())
        return pb.DisableStartTrigResponse()

    @rpc
    def DisableRefTrig(self, request: Any, context: Context) -> Any:
        self.task(request)
        return pb.DisableRefTrigResponse()

    def _start_trigger(self, task: Task, trigger: StartTrigger) -> None:
        task.forbid_running()
        trigger.retriggerable = task.start.retriggerable
        trigger.analog_hysteresis = task.start.analog_hysteresis
        task.start = trigger

    @rpc
    def ExportSignal(self, request: Any, context: Context) -> Any:
        task, signal = self.task(request), choice(request, "signal_id")
        names = {
            Signal.SAMPLE_CLOCK.value: "SampleClock",
            Signal.START_TRIGGER.value: "StartTrigger",
        }
        if signal not in names:
            raise CardError(
                Code.UNSUPPORTED_SIGNAL_TYPE_EXPORT_SIGNAL,
                f"Signal: {signal}",
                f"Task Name: {task.name}",
            )
        for name in request.output_terminal.split(","):
            terminal = self.card.board.terminal(name.strip())
            self.card.engine.route(f"{task.subsystem}/{names[signal]}", terminal)
        return pb.ExportSignalResponse()

    @rpc
    def CfgInputBuffer(self, request: Any, context: Context) -> Any:
        self.task(request).input.size = request.num_samps_per_chan
        return pb.CfgInputBufferResponse()

    @rpc
    def CfgOutputBuffer(self, request: Any, context: Context) -> Any:
        self.task(request).output.size = request.num_samps_per_chan
        return pb.CfgOutputBufferResponse()

    # -- samples -------------------------------------------------------------------------

    @rpc
    def ReadAnalogF64(self, request: Any, context: Context) -> Any:
        return self._doubles(request, context).message()

    @rpc
    def read_doubles(self, request: Any, context: Context) -> Doubles:
        """`ReadAnalogF64` for a caller in this process."""
        return self._doubles(request, context)

    @rpc
    def ReadBinaryI16(self, request: Any, context: Context) -> Any:
        reading = self._read(request, context)
        return pb.ReadBinaryI16Response(
            status=reading.status,
            read_array=_arranged(reading.codes.T, request).tolist(),
            samps_per_chan_read=len(reading.codes),
        )

    @rpc
    def ReadAnalogScalarF64(self, request: Any, context: Context) -> Any:
        task = self.task(request)
        reading = self.card.read_analog(task, 1, request.timeout, context.is_active)
        if reading.status:
            raise CardError(reading.status, f"Task Name: {task.name}", read=0)
        return pb.ReadAnalogScalarF64Response(value=float(reading.volts[0, 0]))

    def _doubles(self, request: Any, context: Context) -> Doubles:
        reading = self._read(request, context)
        samples = _arranged(reading.volts, request).astype("<f8", copy=False)
        return Doubles(samples.tobytes(), reading.status, len(reading.codes))

    def _read(self, request: Any, context: Context) -> Reading:
        task = self.task(request)
        wanted = request.num_samps_per_chan
        n = self.card.default_read(task) if wanted < 0 else wanted
        if n * len(task.channels) > request.array_size_in_samps:
            raise CardError(Code.READ_BUFFER_TOO_SMALL, f"Task Name: {task.name}", read=0)
        return self.card.read_analog(task, wanted, request.timeout, context.is_active)

    @rpc
    def WriteAnalogF64(self, request: Any, context: Context) -> Any:
        task, n = self.task(request), request.num_samps_per_chan
        flat = np.array(request.write_array)
        count = len(task.outputs)
        if task.kind == AO and len(flat) != n * count:
            raise CardError(Code.WRITE_NUM_CHANS_MISMATCH, f"Task Name: {task.name}", written=0)
        by_channel = choice(request, "data_layout") == _BY_CHANNEL
        volts = flat.reshape(count, n) if by_channel else flat.reshape(n, count).T
        written = self.card.write_analog(
            task, volts, request.auto_start, request.timeout, context.is_active
        )
        return pb.WriteAnalogF64Response(samps_per_chan_written=written)

    @rpc
    def WriteAnalogScalarF64(self, request: Any, context: Context) -> Any:
        self.card.write_analog(
            self.task(request),
            np.array([[request.value]]),
            request.auto_start,
            request.timeout,
            context.is_active,
        )
        return pb.WriteAnalogScalarF64Response()

    # -- system --------------------------------------------------------------------------

    @rpc
    def ResetDevice(self, request: Any, context: Context) -> Any:
        self.card.board.check(request.device_name)
        self.card.reset()
        self.card.lock.notify_all()
        return pb.ResetDeviceResponse()

    @rpc
    def SelfTestDevice(self, request: Any, context: Context) -> Any:
        self.card.board.check(request.device_name)
        return pb.SelfTestDeviceResponse()

    @rpc
    def GetErrorString(self, request: Any, context: Context) -> Any:
        return pb.GetErrorStringResponse(error_string=error_text(request.error_code))


def _arranged(samples: NDArray[Any], request: Any) -> NDArray[Any]:
    """Samples, shape (channels, n), in the order the client's flat array wants them.

    Grouped by channel, a short read leaves each channel's place as long as it was asked for.
    """
    if choice(request, "fill_mode") != _BY_CHANNEL:
        return samples.T.ravel()
    wanted = request.num_samps_per_chan
    if samples.shape[1] < wanted:
        samples = np.pad(samples, ((0, 0), (0, wanted - samples.shape[1])))
    return samples.ravel()
