"""A task: channels, timing, triggers, buffers and the state NI's task model gives it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import IntEnum

from nidaqmx.constants import ChannelType

from simulators.instruments.nidaqmx.ai import AnalogInput, InputBuffer
from simulators.instruments.nidaqmx.ao import AnalogOutput, OutputBuffer
from simulators.instruments.nidaqmx.dio import DigitalChannel
from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.events import Subscription
from simulators.instruments.nidaqmx.timing import Timing
from simulators.instruments.nidaqmx.triggers import NONE, PauseTrigger, StartTrigger

AI, AO = ChannelType.ANALOG_INPUT.value, ChannelType.ANALOG_OUTPUT.value
DI, DO = ChannelType.DIGITAL_INPUT.value, ChannelType.DIGITAL_OUTPUT.value
SUBSYSTEM = {AI: "ai", AO: "ao", DI: "di", DO: "do"}


class State(IntEnum):
    """NI's task states."""

    UNVERIFIED = 0
    VERIFIED = 1
    RESERVED = 2
    COMMITTED = 3
    RUNNING = 4


class Task:
    """One task of a client; the card that runs it keeps the rules between tasks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kind: int | None = None
        self.inputs: list[AnalogInput] = []
        self.outputs: list[AnalogOutput] = []
        self.lines: list[DigitalChannel] = []
        self.timing = Timing()
        self.start = StartTrigger()
        self.pause = PauseTrigger()
        self.exports: dict[int, str] = {}
        self.input = InputBuffer()
        self.output = OutputBuffer()
        self.done_event: Subscription | None = None
        self.state = State.UNVERIFIED
        self.resting = State.UNVERIFIED
        """State that a stop returns to."""
        self.armed = False
        """Running, but the start trigger has not come yet."""
        self.paused = False
        self.done = True
        self.fault: int = 0
        """Code of the error that ended the task, or 0."""

    @property
    def subsystem(self) -> str:
        """ai, ao, di or do."""
        if self.kind is None:
            raise CardError(
                Code.CAN_NOT_PERFORM_OP_WHEN_NO_CHANS_IN_TASK, f"Task Name: {self.name}"
            )
        return SUBSYSTEM[self.kind]

    @property
    def channels(self) -> Sequence[AnalogInput | AnalogOutput | DigitalChannel]:
        """All channels, in the order they were added."""
        return [*self.inputs, *self.outputs, *self.lines]

    @property
    def running(self) -> bool:
        """Started and not stopped; a finite task that is done still counts as running."""
        return self.state == State.RUNNING

    @property
    def active(self) -> bool:
        """Started, hardware-timed and neither finished nor waiting for its start trigger."""
        return not self.done and self.running and self.timing.hardware and not self.armed

    @property
    def gating(self) -> bool:
        """Whether a pause trigger is configured."""
        return self.pause.kind != NONE

    @property
    def triggered(self) -> bool:
        """Whether a start trigger is configured."""
        return self.start.kind != NONE

    @property
    def retriggers(self) -> bool:
        """Whether the task waits for its start trigger again after each finite run."""
        return self.triggered and self.start.retriggerable and self.timing.finite

    @property
    def generated(self) -> int:
        """Samples per channel moved by the clock since the start."""
        return self.input.acquired if self.kind == AI else self.output.total

    @property
    def remaining(self) -> int | None:
        """Clock edges left in this finite run; None if it goes on."""
        if not self.timing.finite:
            return None
        n = self.timing.samples
        if self.kind == AI:
            done = self.input.acquired
            return n - (done % n if self.retriggers else done)
        return n - self.output.generated

    def add(
        self, kind: int, channels: Sequence[AnalogInput | AnalogOutput | DigitalChannel]
    ) -> None:
        """Append channels of one kind."""
        self.forbid_running()
        if self.kind not in {None, kind}:
            raise CardError(Code.MULTI_CHAN_TYPES_IN_TASK, f"Task Name: {self.name}")
        taken = {c.name for c in self.channels}
        for channel in channels:
            if channel.name in taken:
                raise CardError(
                    Code.CHAN_ALREADY_IN_TASK,
                    f"Channel Name: {channel.name}",
                    f"Task Name: {self.name}",
                )
            taken.add(channel.name)
        self.kind = kind
        for channel in channels:
            match channel:
                case AnalogInput():
                    self.inputs.append(channel)
                case AnalogOutput():
                    self.outputs.append(channel)
                case DigitalChannel():
                    self.lines.append(channel)

    def forbid_running(self, code: int = Code.CAN_NOT_PERFORM_OP_WHILE_TASK_RUNNING) -> None:
        """Refuse what a running task does not allow."""
        if self.running:
            raise CardError(code, f"Task Name: {self.name}")

    def configure_clock(self, timing: Timing) -> None:
        """Take new sample timing."""
        self.forbid_running()
        if timing.rate <= 0:
            raise CardError(
                Code.INVALID_ATTRIBUTE_VALUE,
                "Property: DAQmx_SampClk_Rate",
                f"Requested Value: {timing.rate}",
            )
        self.timing = replace(timing)

    def finish(self, fault: int = 0) -> None:
        """End the run at the card's own accord and say so."""
        self.done = True
        self.fault = int(fault)
        if self.done_event:
            self.done_event.put(self.fault)

    def streams(self) -> list[Subscription]:
        """The subscriptions a client holds on this task."""
        found = (self.input.every, self.output.every, self.done_event)
        return [s for s in found if s is not None]


Missing = Callable[[], int]
"""Timebase periods that must at least pass until a wait is over; 0 when it is."""
