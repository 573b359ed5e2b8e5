"""The digital calls: lines in and out, on demand, in NI's several integer formats."""
# ruff: noqa: N802

from typing import Any

import numpy as np
from nidaqmx._stubs import nidaqmx_pb2 as pb
from nidaqmx.constants import FillMode, LineGrouping

from simulators.instruments.nidaqmx import channels
from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.rpc import Calls, Context, choice, rpc
from simulators.instruments.nidaqmx.task import Task


class DigitalCalls(Calls):
    """Digital channels, reads and writes."""

    @rpc
    def CreateDOChan(self, request: Any, context: Context) -> Any:
        self._create(request, output=True)
        return pb.CreateDOChanResponse()

    @rpc
    def CreateDIChan(self, request: Any, context: Context) -> Any:
        self._create(request, output=False)
        return pb.CreateDIChanResponse()

    def _create(self, request: Any, output: bool) -> None:
        together = choice(request, "line_grouping") == LineGrouping.CHAN_FOR_ALL_LINES.value
        channels.add_lines(self.card.board, self.task(request), request, output, together)

    @rpc
    def WriteDigitalLines(self, request: Any, context: Context) -> Any:
        task, n = self.task(request), request.num_samps_per_chan
        width = max((len(c.lines) for c in task.lines), default=0)
        data = np.frombuffer(request.write_array, dtype=np.uint8)
        if data.size != n * len(task.lines) * width:
            raise CardError(
                Code.NUM_LINES_MISMATCH_IN_READ_OR_WRITE, f"Task Name: {task.name}", written=0
            )
        for sample in _by_sample(data, request, n, len(task.lines), width):
            states = [row[: len(c.lines)] for row, c in zip(sample, task.lines, strict=True)]
            self.card.write_lines(task, [[bool(x) for x in s] for s in states], request.auto_start)
        return pb.WriteDigitalLinesResponse(samps_per_chan_written=n)

    @rpc
    def WriteDigitalU8(self, request: Any, context: Context) -> Any:
        self._write_numbers(request, list(request.write_array))
        return pb.WriteDigitalU8Response(samps_per_chan_written=request.num_samps_per_chan)

    @rpc
    def WriteDigitalU16(self, request: Any, context: Context) -> Any:
        self._write_numbers(request, list(request.write_array))
        return pb.WriteDigitalU16Response(samps_per_chan_written=request.num_samps_per_chan)

    @rpc
    def WriteDigitalU32(self, request: Any, context: Context) -> Any:
        self._write_numbers(request, list(request.write_array))
        return pb.WriteDigitalU32Response(samps_per_chan_written=request.num_samps_per_chan)

    @rpc
    def WriteDigitalScalarU32(self, request: Any, context: Context) -> Any:
        self._write_sample(self.task(request), [request.value], request.auto_start)
        return pb.WriteDigitalScalarU32Response()

    def _write_numbers(self, request: Any, values: list[int]) -> None:
        task, n = self.task(request), request.num_samps_per_chan
        if len(values) != n * len(task.lines):
            raise CardError(Code.WRITE_NUM_CHANS_MISMATCH, f"Task Name: {task.name}", written=0)
        data = np.array(values, dtype=np.int64)
        for sample in _by_sample(data, request, n, len(task.lines), 1):
            self._write_sample(task, [int(x) for x in sample[:, 0]], request.auto_start)

    def _write_sample(self, task: Task, values: list[int], start: bool) -> None:
        states = [c.bits(v) for c, v in zip(task.lines, values, strict=True)]
        self.card.write_lines(task, states, start)

    @rpc
    def ReadDigitalLines(self, request: Any, context: Context) -> Any:
        task = self.task(request)
        width = max((len(c.lines) for c in task.lines), default=0)
        rows = [[*row, *[False] * (width - len(row))] for row in self.card.read_lines(task)]
        data = np.array(rows, dtype=np.uint8).tobytes()
        return pb.ReadDigitalLinesResponse(
            read_array=data, samps_per_chan_read=1, num_bytes_per_samp=width
        )

    @rpc
    def ReadDigitalU32(self, request: Any, context: Context) -> Any:
        values = self._read_numbers(self.task(request))
        return pb.ReadDigitalU32Response(read_array=values, samps_per_chan_read=1)

    @rpc
    def ReadDigitalU16(self, request: Any, context: Context) -> Any:
        values = self._read_numbers(self.task(request))
        return pb.ReadDigitalU16Response(read_array=values, samps_per_chan_read=1)

    @rpc
    def ReadDigitalU8(self, request: Any, context: Context) -> Any:
        values = bytes(self._read_numbers(self.task(request)))
        return pb.ReadDigitalU8Response(read_array=values, samps_per_chan_read=1)

    @rpc
    def ReadDigitalScalarU32(self, request: Any, context: Context) -> Any:
        return pb.ReadDigitalScalarU32Response(value=self._read_numbers(self.task(request))[0])

    def _read_numbers(self, task: Task) -> list[int]:
        states = self.card.read_lines(task)
        return [c.value(s) for c, s in zip(task.lines, states, strict=True)]


def _by_sample(data: Any, request: Any, n: int, count: int, width: int) -> Any:
    """The flat array of a write as (samples, channels, lines)."""
    if choice(request, "data_layout") == FillMode.GROUP_BY_CHANNEL.value:
        return data.reshape(count, n, width).swapaxes(0, 1)
    return data.reshape(n, count, width)
