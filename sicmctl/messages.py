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
    timing: phase -> seconds; `hop`, `least`: from the approach before to this one, and what of that
    the stage needs; `reaction`: how long the tip went on after the crossing. drift_x, drift_y: by
    how much the target was moved to follow the sample, m. drift_z: what was taken off height and
    heights (not off z_stop, start and curves).
    A hop that only served to measure the drift has the note `revisit`, the index of the target
    whose place it returned to, and is not accepted.
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
    drift_x: float = 0.0
    drift_y: float = 0.0
    drift_z: float = 0.0


class EchemStarted(Message, frozen=True, kw_only=True, tag="echem-started"):
    """An electrochemical technique begins.

    echem: number of the technique within the run. technique: `cv`, `gcpl` ... instrument: what the
    potentiostat says it is. present: potential of the cell just before, V, NaN if it was not read.
    after: state in which the cell is to be left: `hold`, `ocp` or `off`. steps: how many the
    program executes at most. duration: longest time that it can take, s.
    settings: name -> number, SI.
    """

    echem: int
    technique: str
    title: str = ""
    instrument: str = ""
    present: float = float("nan")
    after: str = ""
    steps: int = 0
    duration: float = float("nan")
    settings: dict[str, float] = {}


class EchemBlock(Message, frozen=True, kw_only=True, tag="echem-block"):
    """Consecutive samples of one step. Its `time` is that of the last.

    step: number of the step as executed, from 0. kind: what the step does, e.g. `sweep`.
    label: what it is to the user, e.g. `charge`. loop: how often the outermost repeat was run
    before. cycle: of cyclic voltammetry, from 0.
    times: on the run's timeline, s; time_sd: their common standard uncertainty, s.
    potential: V; current: A; charge: C, passed since the technique's first sample: all float64.
    flags: `SampleFlag` values, uint8. All of shape (n,).
    """

    echem: int
    step: int
    kind: str
    label: str = ""
    loop: int = 0
    cycle: int = 0
    times: Array
    time_sd: float
    potential: Array
    current: Array
    charge: Array
    flags: Array


class SpectrumBlock(Message, frozen=True, kw_only=True, tag="spectrum-block"):
    """Consecutive points of an impedance spectrum. Its `time` is that of the last.

    frequency: Hz. real, imaginary: of the impedance, ohm. potential (V), current (A): without the
    sine. All float64; flags: `SampleFlag` values, uint8. All of shape (n,). The rest as in
    EchemBlock.
    """

    echem: int
    step: int
    label: str = ""
    loop: int = 0
    times: Array
    time_sd: float
    frequency: Array
    real: Array
    imaginary: Array
    potential: Array
    current: Array
    flags: Array


class EchemStepEnded(Message, frozen=True, kw_only=True, tag="echem-step-ended"):
    """A step of a technique is over.

    start: when it began, as far as its samples tell, s; NaN if it gave none. time_sd: standard
    uncertainty of the end, s. reason: `time`, the end condition that it met, `stopped` or `failed`.
    charge: passed during the step, C.
    """

    echem: int
    step: int
    kind: str
    label: str = ""
    loop: int = 0
    start: float
    time_sd: float = 0.0
    reason: str = "time"
    charge: float = 0.0


class EchemProgress(Message, frozen=True, kw_only=True, tag="echem-progress"):
    """Where a technique is, about once a second: its newest numbers.

    step, cycle, loop, label: as in EchemBlock. steps: of the whole program. potential: V.
    current: A. charge: C since the first sample. elapsed: s since then. left: longest time that the
    rest can take, s. flags: `SampleFlag` values of the newest sample.
    """

    echem: int
    step: int
    steps: int
    kind: str
    label: str
    loop: int
    cycle: int
    potential: float
    current: float
    charge: float
    elapsed: float
    left: float
    flags: int = 0


class EchemEnded(Message, frozen=True, kw_only=True, tag="echem-ended"):
    """A technique is over.

    outcome: `done`, `stopped` or `failed`; reason: why. rest: the state in which the cell was left;
    "" if that could not be seen to.
    """

    echem: int
    outcome: str
    reason: str = ""
    rest: str = ""


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


class TipMeasured(Message, frozen=True, kw_only=True, tag="tip-measured"):
    """The tip as its own approach curves show it.

    phase: `before`, `during` or `after` the run. verdict: against the first of the run: `first`,
    `same`, `broken`, `clogged` or `contaminated`. inner_radius, gap (at the setpoint): m;
    half_angle: of the cone, rad; each as fitted, with standard uncertainties. current: reference
    current meanwhile, A. curves: how many were fitted.
    """

    phase: str
    verdict: str
    inner_radius: float
    radius_sd: float
    half_angle: float
    half_angle_sd: float
    gap: float
    current: float
    curves: int


class DriftMeasured(Message, frozen=True, kw_only=True, tag="drift-measured"):
    """How far the sample has crept, m, and how fast it creeps, m/s, by all measurements so far.

    method: `revisit` (one place measured again: z alone, since the scan began) or `frames` (images
    laid upon each other: since the first of them). x, y, z: along each axis, NaN where nothing was
    learnt; each with a standard uncertainty.
    """

    method: str
    x: float = float("nan")
    y: float = float("nan")
    z: float = float("nan")
    x_sd: float = float("nan")
    y_sd: float = float("nan")
    z_sd: float = float("nan")
    rate_x: float = float("nan")
    rate_y: float = float("nan")
    rate_z: float = float("nan")


class ReactionMeasured(Message, frozen=True, kw_only=True, tag="reaction-measured"):
    """How long the tip went on after crossings, as the latest hops of a scan tell, s.

    typical: median. worst: longest. assumed: what the fall rate was chosen by. speed: fall rate of
    the hops to come, m/s. safe_speed: the highest that the speed rule allows by the worst.
    hops: measured so far in this scan.
    """

    scan: int
    typical: float
    worst: float
    assumed: float
    speed: float
    safe_speed: float
    hops: int


class ScanEnded(Message, frozen=True, kw_only=True, tag="scan-ended"):
    """A scan is over. outcome: `done`, `stopped`, `failed`.

    timing: what its hops took, if there were two at least: `hop_time` from one approach to the
    next, `least_time` that the stage alone would need (medians, s), `duty` the share of the time
    spent approaching.
    """

    scan: int
    outcome: str
    timing: dict[str, float] = {}


class RunEnded(Message, frozen=True, kw_only=True, tag="run-ended"):
    """The run is over and the rig is safe.

    outcome: `done`, `stopped` or `failed`. reason: why. safe: what was done to make the rig safe,
    in order, each with its result.
    """

    outcome: str
    reason: str = ""
    safe: tuple[str, ...] = ()


AnyMessage = (
    RunStarted
    | ScanStarted
    | HopDone
    | Progress
    | EchemStarted
    | EchemBlock
    | SpectrumBlock
    | EchemStepEnded
    | EchemProgress
    | EchemEnded
    | TipMeasured
    | DriftMeasured
    | ReactionMeasured
    | Alarm
    | Note
    | ScanEnded
    | RunEnded
)

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(AnyMessage)


def encode(message: Message) -> bytes:
    """Pack a message for the journal or a socket."""
    return _ENCODER.encode(message)


def decode(data: bytes) -> AnyMessage:
    """Unpack a message. Raises msgspec.DecodeError or msgspec.ValidationError on anything else."""
    return _DECODER.decode(data)
