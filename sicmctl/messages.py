"""What the engine publishes. Journal, file writer, console, GUI and scripts all listen to these.

Each message is a tagged `msgspec` struct; arrays travel as raw little-endian bytes with their type
and shape. `encode` and `decode` are the only way in and out: no pickle, no eval.
"""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray


class Array(msgspec.Struct, frozen=True, array_like=True):
    """A numpy array on the wire."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes

    @classmethod
    def of(cls, values: NDArray[Any], dtype: str = "<f4") -> "Array":
        """Pack an array, by default as 32-bit floats."""
        packed = np.ascontiguousarray(values, dtype=dtype)
        return cls(dtype, packed.shape, packed.tobytes())

    def numpy(self) -> NDArray[Any]:
        """Unpack; raises ValueError if bytes and shape disagree."""
        return np.frombuffer(self.data, dtype=np.dtype(self.dtype)).reshape(self.shape)


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all messages. time: seconds on the run's timeline."""

    time: float


class RunStarted(Message, frozen=True, kw_only=True, tag="run-started"):
    """A run begins. Everything that a reader needs to understand what follows.

    epoch: ISO 8601 wall-clock time of timeline zero. rate: samples/s.
    rig, experiment: the TOML texts as read. instruments: role -> what it says it is.
    versions: package -> version. calibration: name -> number, SI.
    """

    run: str
    title: str
    epoch: str
    rate: float
    rig: str
    experiment: str
    operator: str = ""
    sample: str = ""
    instruments: dict[str, str] = {}
    versions: dict[str, str] = {}
    calibration: dict[str, float] = {}


class ScanStarted(Message, frozen=True, kw_only=True, tag="scan-started"):
    """A scan of the experiment begins.

    scan: number of the scan within the run. pattern: `point`, `line`, `raster`, `list`.
    shape: (rows, columns) of the frame; (1, n) for lines and lists. x, y: targets in scan order, m,
    float64, each of shape (n,). row, column: where each target lies in the frame, int32.
    extent: (x0, x1, y0, y1) of the outermost pixel centres, m.
    settings: name -> number, SI: setpoint, speed, amplitude ...
    prescan: whether it only prepares the next one, and is not what a reader looks for first.
    """

    scan: int
    pattern: str
    shape: tuple[int, int]
    x: Array
    y: Array
    row: Array
    column: Array
    extent: tuple[float, float, float, float]
    settings: dict[str, float] = {}
    engine: str = ""
    prescan: bool = False


class HeightValue(msgspec.Struct, frozen=True, kw_only=True):
    """One estimate of the height of the setpoint surface. value, sd: m."""

    value: float
    sd: float
    status: str = "ok"


class HopDone(Message, frozen=True, kw_only=True, tag="hop"):
    """One hop is done. SI units.

    index: position in scan order. attempt: 0 for the first try. accepted: whether this attempt
    stands for the pixel (else it is followed by another).
    first: timeline sample of curve sample 0. stop: curve index of the stop.
    x, y: where the sensors saw the tip, mean over the approach. status: a `HopStatus` value.
    height: the chosen estimate, m, NaN if none; height_sd: its standard uncertainty; method: its
    name.
    heights: every estimate by method. curves: role -> samples (A, m), all of one length.
    timing: phase -> seconds.
    """

    scan: int
    index: int
    attempt: int
    accepted: bool
    row: int
    column: int
    status: str
    first: int
    stop: int
    x: float
    y: float
    start: float
    reference: float
    reference_sd: float
    z_stop: float
    height: float
    height_sd: float
    method: str
    heights: dict[str, HeightValue]
    curves: dict[str, Array]
    bandwidth: float
    timing: dict[str, float] = {}
    note: str = ""


class Progress(Message, frozen=True, kw_only=True, tag="progress"):
    """How far the scan is. eta: seconds of rig time left. counts: status -> pixels."""

    scan: int
    done: int
    total: int
    eta: float
    hops_per_second: float
    counts: dict[str, int] = {}


class Alarm(Message, frozen=True, kw_only=True, tag="alarm"):
    """Something that the operator must know. level: `warning` or `error`."""

    level: str
    source: str
    text: str
    remedy: str = ""


class Note(Message, frozen=True, kw_only=True, tag="note"):
    """A remark, of the operator or of the engine, stamped on the timeline."""

    text: str
    author: str = ""
    uncertainty: float = 0.0


class ScanEnded(Message, frozen=True, kw_only=True, tag="scan-ended"):
    """A scan is over. outcome: `done`, `stopped`, `failed`."""

    scan: int
    outcome: str


class RunEnded(Message, frozen=True, kw_only=True, tag="run-ended"):
    """The run is over and the rig is safe.

    outcome: `done`, `stopped` or `failed`. reason: why. safe: what was done to make the rig safe,
    in order, each with its result.
    """

    outcome: str
    reason: str = ""
    safe: tuple[str, ...] = ()


AnyMessage = RunStarted | ScanStarted | HopDone | Progress | Alarm | Note | ScanEnded | RunEnded

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(AnyMessage)


def encode(message: Message) -> bytes:
    """Pack a message for the journal or a socket."""
    return _ENCODER.encode(message)


def decode(data: bytes) -> AnyMessage:
    """Unpack a message. Raises msgspec.DecodeError or msgspec.ValidationError on anything else."""
    return _DECODER.decode(data)
