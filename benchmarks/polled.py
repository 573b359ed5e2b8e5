"""Hopping the way public scripts do it: plain `nidaqmx` calls in a loop on the host, no sicmctl.

A finite ramp is started, the current polled and compared in Python, the ramp stopped, the tip
retracted by a second ramp; then a fixed time to settle, and the next hop. Nothing bounds the fall
rate by what the loop can stop. On the same card, with the same settings and the same fast retract
as sicmctl's own engines, so that only the way of hopping differs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
import nidaqmx
import numpy as np
from nidaqmx.constants import AcquisitionType
from nidaqmx.stream_readers import AnalogMultiChannelReader
from numpy.typing import NDArray

DEVICE = "Dev1"
RATE = 50e3
BIAS = 0.7
COMMAND_SCALE = 0.1
GAIN = 1e9
RETRACT = 3e-3
"""Speed upwards, m/s: all that the virtual rig's stage is allowed."""
POLL = 0.5e-3
"""Time between two looks at the current, s: what sicmctl's streamed engine waits for too."""
SETTLE = 10e-3
"""Wait after each retract, s."""
REFERENCE = 2e-3
"""Time over which the reference current is averaged, s."""
DEPTH = 1e-6
"""How far a ramp goes on below the last height, m."""
PATIENCE = 10.0


@dataclass(frozen=True)
class Axis:
    """A z stage: metres per volt, and volts at z = 0."""

    scale: float
    zero: float

    def volts(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        return z / self.scale + self.zero

    def metres(self, volts: float) -> float:
        return (volts - self.zero) * self.scale


@dataclass(frozen=True)
class Hops:
    """What the loop recorded, one per hop: time of the stop (s) and height (m, by the sensor at the
    stop); beside them the median time of a fall and of a whole hop, s."""

    time: NDArray[np.float64]
    height: NDArray[np.float64]
    fall: float
    period: float


class Polled:
    """The loop, on a card behind a gRPC server; all lengths m, speed m/s."""

    def __init__(self, ai: nidaqmx.Task, ao: nidaqmx.Task, z: Axis, top: float) -> None:
        self._ai, self._ao, self._axis = ai, ao, z
        self._reader = AnalogMultiChannelReader(ai.in_stream)
        self._reader.verify_array_shape = False  # saves calls
        self._samples, self._z = 0, top

    def run(self, hops: int, speed: float, amplitude: float, setpoint: float) -> Hops:
        """Hop at one place, the first time from where the tip is."""
        stops, heights, falls, begins = [], [], [], []
        floor = 0.0
        for _ in range(hops):
            begins.append(self._samples)
            reference = np.mean(self._read(round(REFERENCE * RATE))[0])
            begun = self._samples
            self._fall(speed, floor, (1 - setpoint) * abs(float(reference)))
            stops.append(self._samples)
            falls.append(self._samples - begun)
            height = self._axis.metres(float(np.mean(self._read(20)[1])))
            heights.append(height)
            self._z, floor = height, max(height - DEPTH, 0.0)
            self._retract(height + amplitude)
        return Hops(
            np.array(stops) / RATE,
            np.array(heights),
            float(np.median(falls)) / RATE,
            float(np.median(np.diff(begins))) / RATE,
        )

    def _fall(self, speed: float, floor: float, level: float) -> None:
        """Ramp down until the current is below the level, or the ramp has run out."""
        left = self._ramp(floor, speed)
        volts = self._drain()  # so that the loop is not behind
        while (left := left - volts.shape[1]) > 0:
            volts = self._read(round(POLL * RATE))
            if np.min(np.abs(volts[0])) < level:
                break
        self._ao.stop()

    def _retract(self, to: float) -> None:
        self._ramp(to, RETRACT)
        self._ao.wait_until_done(PATIENCE)
        self._ao.stop()
        self._z = to
        self._drain()
        self._read(round(SETTLE * RATE))

    def _ramp(self, to: float, speed: float) -> int:
        """Start a ramp from where the tip was last seen; return its samples."""
        samples = max(int(abs(to - self._z) / speed * RATE), 2)
        self._ao.timing.cfg_samp_clk_timing(RATE, samps_per_chan=samples)
        self._ao.write(self._axis.volts(np.linspace(self._z, to, samples)))
        self._ao.start()
        return samples

    def _drain(self) -> NDArray[np.float64]:
        """Read what has piled up."""
        return self._read(max(self._ai.in_stream.avail_samp_per_chan, 1))

    def _read(self, samples: int) -> NDArray[np.float64]:
        """Wait for so many samples of current and z, V, shape (2, samples)."""
        volts = np.empty((2, samples))
        self._reader.read_many_sample(volts, samples, PATIENCE)
        self._samples += samples
        return volts


@contextmanager
def polled(server: str, z: Axis, top: float) -> Iterator[Polled]:
    """The loop on the virtual card at host:port, bias on, tip at `top`; both as before after it."""
    with grpc.insecure_channel(server) as channel:
        options = nidaqmx.GrpcSessionOptions(channel, "")
        with (
            nidaqmx.Task(grpc_options=options) as bias,
            nidaqmx.Task(grpc_options=options) as ao,
            nidaqmx.Task(grpc_options=options) as ai,
        ):
            bias.ao_channels.add_ao_voltage_chan(f"{DEVICE}/ao0")
            ao.ao_channels.add_ao_voltage_chan(f"{DEVICE}/ao3")
            ai.ai_channels.add_ai_voltage_chan(f"{DEVICE}/ai0:1", min_val=-10, max_val=10)
            ai.timing.cfg_samp_clk_timing(
                RATE, sample_mode=AcquisitionType.CONTINUOUS, samps_per_chan=round(10 * RATE)
            )
            bias.write(BIAS / COMMAND_SCALE)
            ai.start()
            yield Polled(ai, ao, z, top)
            bias.write(0.0)
