"""The hop on the DAQ seam: go there, average the reference, fall, stop, record, leave.

Two back-ends differ only in who stops the ramp. *Streamed*: the host watches blocks of samples.
*Comparator*: the card freezes the ramp at the very sample, and the host comes after to read.
In both the ramp is finite before it starts, and the host watches current, gain and overload.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from sicmctl.hal.capabilities import (
    F64,
    Block,
    CurrentAmplifier,
    Pause,
    Positioner,
    SignalStream,
)
from sicmctl.hal.errors import InstrumentError, UnexpectedState
from sicmctl.hal.hop import HopRecord, HopRequest, HopStatus, Reaction, Waypoint

from . import motion
from .hoprecord import Recorder
from .hoptuning import HopTuning
from .mains import MainsTracker
from .modulated import Detector
from .rim import Rim
from .sense import Sense
from .steady import SteadyReference
from .top import Top, judged, no_reference, reference
from .watch import Watch

_GRACE = 1.0
"""Time for a way between two hops to end before it is halted, s; it never leads downwards."""
_CHUNK = 0.25e-3
"""Time over which the current is averaged to see a sag, s."""

_STILL = 0.4e-3
_LEAST_FALL = 4e-9
"""Time over which rest after a stop is judged, s, and the way that a fall would make in it, m."""


@dataclass
class DaqHopEngine:
    """A `HopEngine` built from stream, stage and amplifier.

    comparator: the ramp is frozen by the card. host_reaction: measured; used by `reaction`.
    mains: the hum on the current, once it is known: stalls are told without it.
    detector: the amplifier behind a lock-in, if the bias is modulated: stream and stage are then
        those that it belongs to.
    reads_ahead: whether the end of a way is waited for in a thread of its own.
    """

    stream: SignalStream
    stage: Positioner
    amplifier: CurrentAmplifier
    comparator: bool
    host_reaction: Reaction
    tuning: HopTuning = field(default_factory=HopTuning)
    mains: MainsTracker | None = None
    detector: Detector | None = None
    reads_ahead: bool = True
    _steady: SteadyReference = field(default_factory=SteadyReference)
    _moving: int = 0
    _owed: int = 0
    _heading: Waypoint | None = None
    _ahead: Future[Block] | None = None
    _reader: ThreadPoolExecutor | None = None

    @property
    def name(self) -> str:
        return "comparator" if self.comparator else "streamed"

    @property
    def _sense(self) -> Sense:
        return Sense(self.amplifier, self.mains, self.detector, self.tuning.overload)

    @property
    def _recorder(self) -> Recorder:
        return Recorder(self.stage, self._sense, self.stream.rate)

    def reaction(self) -> Reaction:
        """Return the time from crossing to standstill, filter not counted.

        The stage trails its command by 2 zeta / omega_n, so a command held at the stop is ahead of
        the tip by that time; the host adds the block it waits for and its own reaction.
        """
        lag = self.stage.axes["z"].lag + 1 / self.stream.rate
        if self.comparator:
            return Reaction(lag, lag)
        host, block = self.host_reaction, self.tuning.block
        return Reaction(host.typical + block / 2 + lag, host.worst + block + lag)

    def hop(self, request: HopRequest, onward: Callable[[HopRecord], Waypoint]) -> HopRecord:
        """Do one hop and begin the way onward."""
        begun = self._samples_read
        top = self._arrive(request)
        arrived = self._samples_read
        if top.status is HopStatus.OK:
            record = self._approach(request, top)
        else:
            record = self._recorder.refused(request, top, arrived)
        stopped = self._samples_read
        self.leave(onward(record))
        self._read_ahead(request.reference_time)
        rate = self.stream.rate
        ramp = record.stop / rate
        record.timing = {
            "arrive": (arrived - begun) / rate,
            "approach": ramp,
            "stop": (stopped - arrived) / rate - ramp,
        }
        return record

    def leave(self, to: Waypoint) -> None:
        """Begin the way to a waypoint: up first, sideways above `to.clear`. Returns at once."""
        path = motion.transit(self.stage.commanded, to, self.stage.axes, self.stream.rate)
        told = motion.command(path, self.stage.axes, self.stream.rate)
        self.stage.play(told if self.detector is None else self.detector.way(told))
        host = self.host_reaction
        latency = (host.typical + host.worst) / 2  # from the last sample read to the first moved
        self._moving = path.shape[1] + round(latency * self.stream.rate)
        if self.detector is not None:
            self._moving += self.detector.settling
        self._heading = to

    def rest(self) -> Block:
        """Wait until the stage is at rest at the end of its way; return the last window.

        Raises UnexpectedState if it does not come to rest.
        """
        block = self._settle()
        if block is None:
            raise UnexpectedState(
                "stage",
                "settle",
                f"it is not at rest {self.tuning.settle_timeout:g} s after the end of a move",
                "check the piezo controller, its servo and its sensors",
            )
        return block

    def read(self, seconds: float) -> Block:
        """Read the stream for a while."""
        return self._read(max(round(seconds * self.stream.rate), 1))

    def safe_state(self) -> None:
        """Stop whatever moves; a way upwards that is nearly done is let finish."""
        if self._ahead is not None:
            wait([self._ahead], timeout=_GRACE)
        elif self._owed:
            with suppress(InstrumentError):  # the stage is halted in any case
                self.stream.read(self._owed)
        self._moving, self._owed, self._heading, self._ahead = 0, 0, None, None
        if self._reader is not None:
            self._reader.shutdown(wait=False)
            self._reader = None
        self.stage.halt()

    # -- at the top ---------------------------------------------------------------------------

    def _arrive(self, request: HopRequest) -> Top:
        """Go to the start of the ramp, come to rest, and average the reference meanwhile."""
        target = Waypoint(request.x, request.y, request.start, request.clear)
        if self._heading is None or not _same_place(self._heading, target):
            if self._moving:
                self._settle()
            self.leave(target)
        block = self._settle(request.reference_time)
        if block is None:
            return no_reference(HopStatus.UNSETTLED)
        return judged(reference(block, self._sense, self.stream.rate), request)

    def _settle(self, seconds: float = 0.0) -> Block | None:
        """Read until the way is done and the sensors are still; None if they never are.

        Returns at least the last `seconds`, all of them after the end of the way. What is read
        while the stage comes to rest serves as reference too, for the tip is at the top already.
        """
        tuning, window = self.tuning, self._window
        wanted = self._wanted(seconds)
        block = self._taken_ahead()
        if block is None or len(block) < wanted:
            block = self._read(self._moving + wanted)
        block, self._moving = block.tail(wanted), 0
        for _ in range(int(tuning.settle_timeout / tuning.window)):
            before, now = self._means(block, window, 2), self._means(block, window, 1)
            if self._is_there(now) and self._is_still(before, now):
                return block
            block = block.followed_by(self._read(window)).tail(wanted)
        return None

    @property
    def _window(self) -> int:
        return max(round(self.tuning.window * self.stream.rate), 2)

    def _wanted(self, seconds: float) -> int:
        """Samples to read after the end of a way, at least."""
        return max(round(seconds * self.stream.rate), 2 * self._window)

    def _means(self, block: Block, window: int, back: int) -> dict[str, float]:
        """Return the mean position in a window that many windows before the end of a block."""
        start = len(block) - back * window
        part = slice(start, start + window)
        return {axis: float(z[part].mean()) for axis, z in self.stage.position(block).items()}

    def _is_there(self, now: dict[str, float]) -> bool:
        goal = self.stage.commanded
        return all(abs(now[a] - goal[a]) < self.tuning.on_target for a in goal)

    def _is_still(self, before: dict[str, float], now: dict[str, float]) -> bool:
        return all(abs(now[a] - before[a]) < self.tuning.still for a in now)

    # -- the fall -----------------------------------------------------------------------------

    def _approach(self, request: HopRequest, top: Top) -> HopRecord:
        rate = self.stream.rate
        ramp = _ramp(request, rate)
        path = np.vstack((np.full_like(ramp, request.x), np.full_like(ramp, request.y), ramp))
        watch = self._watch(request, top)
        self._begin(path, self._pause(request, top))
        first = self._samples_read
        blocks = self._fall(request, watch, len(ramp))
        self.stage.halt()
        frozen = self.comparator and watch.crossing is not None
        missing = self._dwell_samples(request) - (self._rested(watch) if frozen else 0)
        if missing > 0:
            blocks.append(self._read(missing))
        late = self._await_rest(blocks, request.speed)
        if late or not frozen:
            self.stage.synchronise(blocks[-1])
        return self._recorder.record(request, top, watch, first, blocks)

    def _await_rest(self, blocks: list[Block], speed: float) -> bool:
        """Read on until z no longer falls; return whether it still did.

        A halt takes effect when the host gets to it: what is read next may be from before that.
        """
        n = round(max(_STILL, _LEAST_FALL / speed) * self.stream.rate)
        for more in range(max(int(self.tuning.settle_timeout / _STILL), 1)):
            z = self.stage.position(_tail(blocks, 2 * n))["z"]
            if float(z[: len(z) // 2].mean() - z[len(z) // 2 :].mean()) < _LEAST_FALL / 4:
                return more > 0
            blocks.append(self._read(n))
        return True

    def _begin(self, path: F64, pause: Pause | None) -> None:
        if self.detector is None:
            self.stage.play(path, pause)
            return
        self.stage.play(self.detector.fall(path))
        self.detector.settle(self._read)

    def _watch(self, request: HopRequest, top: Top) -> Watch:
        drop = request.stop.drop(top.level)
        # where no current falls, nothing but the crossing and the amplifier can end a fall
        level = abs(top.quiet) if request.stop.falls else -np.inf
        end = request.stop.crossing(top.level)
        return Watch(
            level=end.level,
            sign=end.sign,
            debounce=1 if self.comparator else request.stop.debounce,
            state=top.state,
            touch_level=level * (1 - self.tuning.touch),
            chunk=max(round(_CHUNK * self.stream.rate), 1),
            rim=self._rim(request, top),
            fast=request.fast is not None,
            sag=level * (1 - self.tuning.sag * drop),
        )

    def _rim(self, request: HopRequest, top: Top) -> Rim | None:
        if request.expected is None:
            return None
        rate, expected, level = self.stream.rate, request.expected, abs(top.quiet)
        own = expected.blur(max(top.samples, 1) / rate) * level
        known = self._steady.see(self._samples_read / rate, level, own)
        return Rim.of(expected, known, own, rate, request.speed)

    def _pause(self, request: HopRequest, top: Top) -> Pause | None:
        """Arm the comparator at the level that this hop's own reference asks for."""
        if not self.comparator:
            return None
        end, gain = request.stop.crossing(top.level), top.state.gain
        level, hysteresis = end.sign * end.level * gain, end.hysteresis * gain
        return Pause("pipette_current", level, hysteresis, inverted=end.sign < 0)

    def _fall(self, request: HopRequest, watch: Watch, samples: int) -> list[Block]:
        """Read until the surface was met, the ramp has run out, or something is wrong."""
        rate, sense = self.stream.rate, self._sense
        blocks: list[Block] = []
        left = samples + round((2 * self.host_reaction.worst + self.tuning.block) * rate)
        while left > 0:
            size = min(self._next_block(request, watch, samples), left)
            block = self._read(size)
            blocks.append(block)
            left -= size
            current = sense.watched(block)
            if sense.met(block):
                watch.status = HopStatus.TOUCHED
            z = self.stage.position(block)["z"]
            if watch.fast:  # where it is counts, not how long it fell: a host may be late
                watch.fast = float(z[-1]) > (request.slow_from or 0.0)
            quiet = sense.without_hum(block, current)
            if watch.see(current, sense.saturated(block), sense.state(block), quiet, z):
                return blocks
        watch.status = HopStatus.NO_SURFACE
        return blocks

    def _next_block(self, request: HopRequest, watch: Watch, samples: int) -> int:
        """How many samples to wait for before the next look.

        A fall that the host must stop is watched closely all the way. With a comparator the host
        looks only for what the comparator cannot see.
        """
        rate = self.stream.rate
        if not self.comparator:
            return max(round(self.tuning.block * rate), 1)
        seconds = self.tuning.looks.wait(request, watch, self.host_reaction.typical)
        return min(max(round(seconds * rate), 1), samples)

    @staticmethod
    def _rested(watch: Watch) -> int:
        """Samples read already since the card froze the ramp."""
        return watch.samples - watch.crossing if watch.crossing is not None else 0

    def _dwell_samples(self, request: HopRequest) -> int:
        """At least the time in which the stage comes to rest, and a window to average over."""
        axis = self.stage.axes["z"]
        rest = 6 / (2 * np.pi * axis.resonance * axis.damping) + 0.4e-3
        return max(round(max(rest, request.dwell) * self.stream.rate), 8)

    def _read_ahead(self, seconds: float) -> None:
        """Wait for the end of the way in a thread, while others make use of this one.

        Only one of the two ever speaks to the instruments, and always in the same order.
        """
        samples = self._moving + self._wanted(seconds)
        if not self.reads_ahead:
            self._owed = samples
            return
        if self._reader is None:
            self._reader = ThreadPoolExecutor(1, "read ahead")
        self._ahead = self._reader.submit(self.stream.read, samples)

    def _taken_ahead(self) -> Block | None:
        """Return what was read ahead, once."""
        ahead, self._ahead = self._ahead, None
        owed, self._owed = self._owed, 0
        if ahead is None and not owed:
            return None
        block = self.stream.read(owed) if ahead is None else ahead.result()
        self._samples_read = block.first + len(block)
        return block

    def _read(self, samples: int) -> Block:
        self._taken_ahead()
        block = self.stream.read(samples)
        self._samples_read = block.first + len(block)
        return block

    _samples_read: int = 0


def _ramp(request: HopRequest, rate: float) -> F64:
    """Return the ramp, m: of two speeds if so asked."""
    if request.fast is None or request.slow_from is None:
        return motion.ramp(request.start, request.floor, request.speed, rate)
    return motion.two_speeds(
        request.start,
        request.floor,
        request.fast,
        request.speed,
        slow_from=request.slow_from,
        rate=rate,
    )[0]


def _tail(blocks: list[Block], samples: int) -> Block:
    """Return the last samples of consecutive blocks."""
    tail = blocks[-1]
    for before in reversed(blocks[:-1]):
        if len(tail) >= samples:
            break
        tail = before.followed_by(tail)
    return tail.tail(samples)


def _same_place(one: Waypoint, other: Waypoint) -> bool:
    return all(
        abs(a - b) < 1e-12 for a, b in ((one.x, other.x), (one.y, other.y), (one.z, other.z))
    )
