"""National Instruments cards through NI-DAQmx, in this computer or behind NI's gRPC server.

Wiring for hardware-stopped hops on an X-series card: the amplifier's output goes to an analog
input and also to an analog-trigger terminal (APFI0). All channels of one generator pause together.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Self

import nidaqmx
import numpy as np
from nidaqmx.constants import (
    AcquisitionType,
    ActiveLevel,
    LineGrouping,
    TaskMode,
    TriggerType,
)
from nidaqmx.errors import DaqError, DaqNotFoundError, RpcError
from nidaqmx.grpc_session_options import GrpcSessionOptions
from nidaqmx.stream_readers import AnalogMultiChannelReader
from nidaqmx.stream_writers import AnalogMultiChannelWriter
from nidaqmx.system import System
from nidaqmx.system.device import Device
from pydantic import BaseModel, Field

from sicmctl.hal.capabilities import F64, Block, Identity, Pause
from sicmctl.hal.errors import (
    InstrumentError,
    NoAnswer,
    NotConnected,
    NotSupported,
    StreamOverflow,
    UnexpectedState,
)
from sicmctl.hal.nearby import channel_to
from sicmctl.hal.quantity import Hertz

from .ni_arrays import Readings, Waveform

_OVERWRITTEN = -200279
_READ_TIMEOUT = -200284
_BUFFER_SECONDS = 10.0
_PATIENCE = 5.0
_SHORTEST = 2
"""Samples that NI-DAQmx wants in a buffered waveform, at least."""
_RANGE = 10.0
"""Volts that inputs and outputs span."""


class Options(BaseModel, extra="forbid", frozen=True):
    """The `[daq]` section for an NI card."""

    device: str = Field("Dev1", description="name of the card in NI MAX")
    server: str | None = Field(
        None, description="host:port of an NI gRPC Device Server; leave out for a local card"
    )
    sample_rate: Hertz = Field(50e3, description="sample clock of inputs and waveforms")
    inputs: dict[str, str] = Field(description="role = analog input channel")
    comparator: dict[str, str] = Field(
        default_factory=dict, description="role = analog-trigger terminal wired to the same signal"
    )


class NidaqmxDaq:
    """A card as a `Daq`. One continuous input task is the clock of the run."""

    Options = Options

    def __init__(self, options: Options) -> None:
        self._options = options
        self._name = f"nidaqmx {options.device}"
        self._channel: Any = _connect(options.server) if options.server else None
        self._session = GrpcSessionOptions(self._channel, "") if self._channel else None
        self._generators: list[NiGenerator] = []
        self._outputs: list[nidaqmx.Task] = []
        self._input: nidaqmx.Task | None = None
        self._read = 0
        self.roles = tuple(options.inputs)
        self.comparators: Mapping[str, str] = dict(options.comparator)
        try:
            self._device = self._find_device()
            self._probe_comparator()
            self.rate = self._open_input()
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(cls, options: Options) -> Self:
        """Connect to the card and reserve its inputs. Moves nothing."""
        return cls(options)

    def identify(self) -> Identity:
        """Ask the card for its type and serial number."""
        with self._errors("identify"):
            return Identity(
                "National Instruments", self._device.product_type, f"{self._device.serial_num:08X}"
            )

    def start(self) -> None:
        """Start the sample clock; the next sample is sample 0."""
        assert self._input is not None
        self._read = 0
        with self._errors("start"):
            self._input.start()

    def read(self, samples: int) -> Block:
        """Wait for the next samples of all inputs."""
        volts = np.empty((len(self.roles), samples))
        with self._errors(f"read({samples})"):
            room, timeout = volts.view(Readings), samples / self.rate + _PATIENCE
            self._reader.read_many_sample(room, samples, timeout=timeout)
        block = Block(self._read, self.roles, volts)
        self._read += samples
        return block

    def stop(self) -> None:
        """Stop the sample clock."""
        if self._input is not None:
            with self._errors("stop"):
                self._input.stop()

    def generator(self, channels: Sequence[str]) -> "NiGenerator":
        """Return a hardware-timed generator; a card has one timing engine for all of them."""
        with self._errors("generator"):
            generator = NiGenerator(self, self._paths(channels))
        self._generators.append(generator)
        return generator

    def output(self, channel: str) -> "NiOutput":
        """Return a host-timed output."""
        with self._errors(f"output({channel})"):
            task = self._task()
            task.ao_channels.add_ao_voltage_chan(self._path(channel))
        self._outputs.append(task)
        return NiOutput(self, task)

    def lines(self, names: Sequence[str]) -> "NiLines":
        """Return digital output lines that are set together."""
        with self._errors(f"lines({', '.join(names)})"):
            task = self._task()
            task.do_channels.add_do_chan(
                ", ".join(self._paths(names)), line_grouping=LineGrouping.CHAN_PER_LINE
            )
        self._outputs.append(task)
        return NiLines(self, task)

    def safe_state(self) -> None:
        """Stop every waveform. What is safe to put out is for amplifier and stage to say."""
        for generator in self._generators:
            generator.halt()

    def close(self) -> None:
        """Let go of the card; outputs hold."""
        tasks = [g.task for g in self._generators] + self._outputs
        tasks += [self._input] if self._input else []
        for task in tasks:
            try:
                task.close()
            except (DaqError, RpcError):
                continue  # the card is gone; there is nothing left to let go of
        self._generators, self._outputs, self._input = [], [], None
        if self._channel is not None:
            self._channel.close()

    def _find_device(self) -> Device:
        with self._errors("connect"):
            system = System.remote(self._session) if self._session else System.local()
            names = list(system.devices.device_names)
            found = ", ".join(names) or "none"
            if self._options.device not in names:
                raise NotConnected(
                    self._name,
                    "connect",
                    f'no card is named "{self._options.device}"; found {found}',
                    "set daq.device in rig.toml to one of those",
                )
            return next(d for d in system.devices if d.name == self._options.device)

    def _probe_comparator(self) -> None:
        """Refuse a comparator that the card does not have, before anything relies on it."""
        with self._errors("probe comparator"):
            if self.comparators and not self._device.anlg_trig_supported:
                raise NotSupported(
                    self._name,
                    "probe comparator",
                    f"a {self._device.product_type} has no analog trigger",
                    "leave [daq.comparator] out of rig.toml and hop with the streamed engine, "
                    "or use a card with analog triggers",
                )

    def _open_input(self) -> float:
        with self._errors("configure inputs"):
            self._input = task = self._task()
            for channel in self._options.inputs.values():
                task.ai_channels.add_ai_voltage_chan(
                    self._path(channel), min_val=-_RANGE, max_val=_RANGE
                )
            task.timing.cfg_samp_clk_timing(
                self._options.sample_rate,
                sample_mode=AcquisitionType.CONTINUOUS,
                samps_per_chan=round(self._options.sample_rate * _BUFFER_SECONDS),
            )
            self._reader = AnalogMultiChannelReader(task.in_stream)
            self._reader.verify_array_shape = False  # saves a round trip per block
            return task.timing.samp_clk_rate

    def _task(self) -> nidaqmx.Task:
        return nidaqmx.Task(grpc_options=self._session) if self._session else nidaqmx.Task()

    def _path(self, channel: str) -> str:
        return f"{self._options.device}/{channel}"

    def _paths(self, channels: Sequence[str]) -> list[str]:
        return [self._path(channel) for channel in channels]

    @contextmanager
    def _errors(self, command: str) -> Iterator[None]:
        """Say every NI error in our own words, with the remedy where one is known."""
        try:
            yield
        except DaqNotFoundError as error:
            raise NotConnected(
                self._name,
                command,
                "NI-DAQmx is not installed on this computer",
                "install it, or set daq.server to an NI gRPC Device Server",
            ) from error
        except RpcError as error:
            raise NotConnected(
                self._name,
                command,
                f"no answer from the gRPC server {self._options.server}: {error}",
                "check that the server runs and that daq.server names it",
            ) from error
        except DaqError as error:
            raise _translate(self._name, command, error) from error


class NiGenerator:
    """Finite waveforms on a group of outputs, clocked by the inputs' sample clock.

    A card has one output timing engine, so all waveforms share one task. Once a comparator was
    asked for, its pause trigger stays armed; for other waveforms its level is out of reach.
    """

    def __init__(self, daq: NidaqmxDaq, paths: Sequence[str]) -> None:
        self._daq = daq
        self.channels = tuple(paths)
        self.task = daq._task()
        for path in paths:
            self.task.ao_channels.add_ao_voltage_chan(path, min_val=-_RANGE, max_val=_RANGE)
        self._writer = AnalogMultiChannelWriter(self.task.out_stream)
        self._writer.verify_array_shape = False  # saves a round trip per waveform
        self._writer.auto_start = True  # saves another
        self._clock = f"/{daq._options.device}/ai/SampleClock"
        self._samples = 0
        self._armed: Pause | None = None
        self._level: float | None = None
        self._running = False

    def play(self, volts: F64, pause: Pause | None = None) -> None:
        """Start a waveform of shape (len(channels), n)."""
        if self._running:
            raise UnexpectedState(
                self._daq._name, "play", "a waveform is still running", "halt it first"
            )
        with self._daq._errors("play"):
            try:
                self._arm_for(pause)
                self._begin(volts)
            except DaqError:
                self._forget()
                raise
        self._running = True

    def generated(self) -> int:
        """Return the samples put out so far; 0 if nothing runs."""
        if not self._running:
            return 0
        with self._daq._errors("generated"):
            return int(self.task.out_stream.total_samp_per_chan_generated)

    def halt(self) -> None:
        """Stop; outputs hold."""
        if self._running:
            with self._daq._errors("halt"):
                self.task.stop()
            self._running = False

    def release(self) -> None:
        """Stop and give back timing engine and channels; outputs hold."""
        self.halt()
        with self._daq._errors("release"):
            self.task.control(TaskMode.TASK_UNRESERVE)
        self._samples, self._level = 0, None

    def safe_state(self) -> None:
        """Stop; outputs hold."""
        self.halt()

    def _arm_for(self, pause: Pause | None) -> None:
        if pause is not None and not _alike(self._armed, pause):
            self._arm(pause)
        if self._armed is not None:
            self._set_level(_never(self._armed) if pause is None else pause.level)

    def _forget(self) -> None:
        """Empty the task after a refusal, so that the next waveform, a retract, can play."""
        with suppress(DaqError):
            self.task.control(TaskMode.TASK_ABORT)
            self.task.control(TaskMode.TASK_UNRESERVE)
        self._samples, self._level = 0, None

    def _begin(self, volts: F64) -> None:
        """Write a waveform and start it."""
        if volts.shape[1] < _SHORTEST:
            volts = np.repeat(volts[:, -1:], _SHORTEST, axis=1)
        samples = volts.shape[1]
        if samples != self._samples:
            self.task.timing.cfg_samp_clk_timing(
                self._daq.rate, source=self._clock, samps_per_chan=samples
            )
            self._samples = samples
        self._writer.write_many_sample(np.ascontiguousarray(volts).view(Waveform))

    def _arm(self, pause: Pause) -> None:
        terminal = self._daq.comparators.get(pause.role)
        if terminal is None:
            raise NotSupported(
                self._daq._name,
                "play",
                f"no analog-trigger terminal is wired to {pause.role}",
                f'wire it to APFI0 and write daq.comparator.{pause.role} = "APFI0" in rig.toml, '
                "or hop with the streamed engine",
            )
        self.task.control(TaskMode.TASK_UNRESERVE)  # a trigger cannot change under a reservation
        trigger = self.task.triggers.pause_trigger
        trigger.trig_type = TriggerType.ANALOG_LEVEL
        trigger.anlg_lvl_src = terminal
        trigger.anlg_lvl_when = ActiveLevel.ABOVE if pause.inverted else ActiveLevel.BELOW
        trigger.anlg_lvl_hyst = pause.hysteresis
        self._armed, self._level = pause, None

    def _set_level(self, level: float) -> None:
        if level != self._level:
            self.task.triggers.pause_trigger.anlg_lvl_lvl = level
            self._level = level


def _alike(armed: Pause | None, pause: Pause) -> bool:
    """Whether only the level differs; a hysteresis within a tenth is the same."""
    return (
        armed is not None
        and (armed.role, armed.inverted) == (pause.role, pause.inverted)
        and abs(armed.hysteresis - pause.hysteresis) <= 0.1 * pause.hysteresis
    )


def _never(armed: Pause) -> float:
    """Return a level that the signal cannot reach."""
    return _RANGE if armed.inverted else -_RANGE


class NiOutput:
    """One host-timed analog output."""

    def __init__(self, daq: NidaqmxDaq, task: nidaqmx.Task) -> None:
        self._daq, self._task = daq, task

    def write(self, volts: float) -> None:
        """Put out a voltage."""
        with self._daq._errors(f"output {volts:.4g} V"):
            self._task.write(volts)

    def safe_state(self) -> None:
        """Nothing to do: its owner knows which voltage is safe."""


class NiLines:
    """Digital lines set together."""

    def __init__(self, daq: NidaqmxDaq, task: nidaqmx.Task) -> None:
        self._daq, self._task = daq, task

    def write(self, levels: Sequence[bool]) -> None:
        """Set all lines."""
        values = [bool(level) for level in levels]
        with self._daq._errors(f"lines {values}"):
            self._task.write(values if len(values) > 1 else values[0])

    def safe_state(self) -> None:
        """Nothing to do: its owner knows which levels are safe."""


def _connect(server: str) -> Any:
    """Return a channel to NI's gRPC server, or to one that lives in this process."""
    if (channel := channel_to(server)) is not None:
        return channel
    import grpc  # noqa: PLC0415  (only for remote cards)

    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    return grpc.insecure_channel(server, options=unlimited)


def _translate(name: str, command: str, error: DaqError) -> InstrumentError:
    text = str(error).split("\n\n")[0].strip()
    if error.error_code == _OVERWRITTEN:
        return StreamOverflow(
            name,
            command,
            "samples were overwritten before they were read",
            "close other programs or lower daq.sample_rate",
        )
    if error.error_code == _READ_TIMEOUT:
        return NoAnswer(name, command, "the samples did not come in time", "is the clock running?")
    return InstrumentError(name, command, f"NI-DAQmx error {error.error_code}: {text}")
