"""A scan: hop after hop over the targets, whatever single hops do.

Every target ends with a status. A hop that fails is tried again; the image goes on in any case,
unless the current is gone for good, which ends the scan safely.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from sicmctl.hal.capabilities import F64
from sicmctl.hal.errors import SicmError
from sicmctl.hal.hop import (
    Absolute,
    ApproachCurve,
    HopEngine,
    HopRecord,
    HopRequest,
    HopStatus,
    Modulated,
    Stop,
    Waypoint,
)
from sicmctl.hal.quantity import show
from sicmctl.messages import Alarm, Message, Note

from . import modulated, onset, vibration
from .curve import Tip
from .drift import Creep
from .height import Approach
from .height_types import far_reference
from .hoptime import HopTimes
from .mains import MainsTracker
from .noise import NoiseModel
from .pattern import Targets
from .planner import HeightPlanner, Plan
from .reactions import ReactionWatch
from .reference import ReferenceTrack
from .reporter import ONE_BY_ONE, Gathering, Reporter, ToReport
from .revisits import Place, Revisits
from .tipwatch import TipWatch

_FAR = 500e-9
"""Gap beyond which the current is taken to be free of the surface when the hum is learnt, m."""
_FOUND = (HopStatus.OK, HopStatus.TOUCHED)
_MET = (*_FOUND, HopStatus.EARLY)
"""The surface is, or is just below, where the tip stopped."""
_CAREFUL = 0.5
"""Share of the fall rate at which a surface is met again that had come early: it may be a rim."""
_HOPELESS = {
    HopStatus.NO_CURRENT: "a bubble in the pipette, a broken wire, or no bias",
    HopStatus.OVERLOAD: "the tip is broken wide open, or the gain is too high",
    HopStatus.SETTINGS: "the amplifier cannot be read as it is set",
    HopStatus.UNSETTLED: "the stage does not come to rest",
}
"""Statuses that no further hop will mend, and what may be behind them."""
_NO_ONSET = (
    "no contact was felt down to the floor: the meniscus or the wire is gone, or the sample lies "
    "lower than hop.floor_margin reaches"
)


_REMEDIES = {
    True: "set the level anew by the present current, or hop with a fractional setpoint "
    '(mode = "drop"), which follows it',
    False: "raise hop.amplitude, so that the meniscus breaks, and look at the tip and its wire",
}
"""What to do about a reference that allows no approach, where the current falls, and where not."""

_DRIVEN = "lift the tip and look at it; begin the scan anew, so that the setpoint is chosen anew"
"""The same where the bias is modulated."""


class ScanAborted(SicmError):
    """The scan cannot go on; what was measured is kept."""


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """What is asked of every hop of a scan. SI units.

    stop: what ends an approach. setpoint: the fractional drop at which it is expected to.
    fast: fall rate far above the surface, where the planner knows where that is; None: as `speed`.
    retries: attempts after the first. tolerance: change of the reference current from hop to hop
    that is taken for drift. lift: additional height of an attempt after an early surface.
    hopeless: targets in a row that could not be measured at all after which the scan is given up.
    expected: how the current is expected to fall; None where it does not fall.
    period: of a modulated bias, samples.
    """

    stop: Stop
    setpoint: float
    speed: float
    fast: float | None = None
    reference_time: float = 2e-3
    dwell: float = 0.0
    retries: int = 1
    method: str = "fit"
    tolerance: float = 0.1
    lift: float = 2e-6
    hopeless: int = 3
    expected: ApproachCurve | None = None
    period: int = 0


@dataclass
class Scanner:
    """Runs one scan and publishes what happens.

    stopping: asked before every hop; True ends the scan after the tip was lifted.
    """

    number: int
    hops: HopEngine
    targets: Targets
    planner: HeightPlanner
    settings: ScanSettings
    tip: Tip
    publish: Callable[[Message], None]
    stopping: Callable[[], bool] = lambda: False
    track: ReferenceTrack = field(default_factory=ReferenceTrack)
    mains: MainsTracker | None = None
    noise: NoiseModel | None = None
    watch: TipWatch | None = None
    creep: Creep = field(default_factory=Creep)
    revisits: Revisits | None = None
    times: HopTimes | None = None
    reactions: ReactionWatch | None = None
    gathering: Gathering = ONE_BY_ONE
    _returning: tuple[Place, Plan] | None = None
    _risen: float = 0.0
    _place: tuple[float, float] | None = None
    _blind: int = 0
    _refused: bool = False
    _planned: tuple[int, Plan | None] = (-1, None)

    def run(self) -> str:
        """Visit all targets. Returns `done` or `stopped`; raises ScanAborted if it is hopeless."""
        self._reporter = Reporter(
            self.number,
            self.targets,
            self.tip,
            self.settings.method,
            self.publish,
            self.watch,
            self.creep,
            self.revisits,
            self.gathering,
        )
        try:
            for index in range(len(self.targets)):
                if self.stopping():
                    return "stopped"
                if self._returning is not None:
                    self._revisit(*self._returning, index)
                self._visit(index)
        finally:
            self._reporter.flush()
        return "done"

    def _say(self, message: Message) -> None:
        """Publish something that the hops so far have led to."""
        self._reporter.flush()
        self.publish(message)

    def _visit(self, index: int) -> None:
        """Hop at one target until a hop is accepted."""
        plan = self._plan(index)
        record = self._hop(index, plan)
        attempt = 0
        while not self._accepts(record, attempt):
            self._report(index, attempt, record, accepted=False)
            plan = self._plan_again(index, plan, record)
            attempt += 1
            pace = _CAREFUL if record.status is HopStatus.EARLY else 1.0
            record = self._hop(index, plan, pace)
        if self._unshaken and record.status is HopStatus.OK:
            self._measure_vibration(record)
        self._report(index, attempt, record, accepted=True)
        self._learn(record)
        self._warn_of_refusal(record)

    def _revisit(self, place: Place, plan: Plan, following: int) -> None:
        """Hop where a height is known, to see how the sample has crept, and go on to a target."""
        self._returning = None
        request = self._request(place.x, place.y, plan)
        record = self.hops.hop(request, lambda found: self._back(place, following, found))
        self._place = (place.x, place.y)
        self._report(place.index, 0, record, accepted=False, revisit=True)
        self._learn(record)

    def _accepts(self, record: HopRecord, attempt: int) -> bool:
        """Whether this record stands for its target.

        A changed reference is believed only when a second attempt, from higher, shows it too; then
        one more attempt is made at the new level.
        """
        if record.status in _FOUND or self._pressed(record):
            return True  # a touched place is not touched again
        if record.status is HopStatus.EARLY:
            return attempt > self.settings.retries
        if _refusal(record) is not None:
            return attempt >= self.settings.retries
        if record.status in (HopStatus.LOW_REFERENCE, HopStatus.HIGH_REFERENCE):
            if attempt >= 1:
                self._tip_changed(record)
                return attempt > self.settings.retries + 1
            return False
        return attempt >= self.settings.retries

    def _pressed(self, record: HopRecord) -> bool:
        """Whether the tip may have pressed on the sample unfelt: a dead wire feels no contact."""
        return record.status is HopStatus.NO_SURFACE and not self.settings.stop.falls

    def _tip_changed(self, record: HopRecord) -> None:
        old = self.track.level or math.nan
        change = record.reference / old - 1
        low = record.status is HopStatus.LOW_REFERENCE
        what = "clogged" if low else "broken: it is wider than before"
        self._say(
            Alarm(
                time=self._time(record),
                level="warning",
                source="tip",
                text=f"the reference current changed by {change:+.1%} between two hops: "
                f"the tip may be {what}",
                remedy="compare the approach curves; replace the pipette if they changed",
            )
        )
        self.track.accept(record.reference)
        if self.watch is not None:  # which knows by now the hops of the tip as it was
            self.watch.suspect()

    def _warn_of_refusal(self, record: HopRecord) -> None:
        """Say once, not at every target, that the level of the setpoint is out of reach."""
        refusal = _refusal(record)
        if refusal is not None and not self._refused:
            self._say(
                Alarm(
                    time=self._time(record),
                    level="warning",
                    source="setpoint",
                    text=f"no approach: {refusal}",
                    remedy=_DRIVEN if self._modulated else _REMEDIES[self.settings.stop.falls],
                )
            )
        self._refused = refusal is not None

    def _plan(self, index: int) -> Plan:
        """Plan a hop; usually that was done when the hop before it ended."""
        index_planned, plan = self._planned
        if index_planned == index and plan is not None:
            return plan
        return self.planner.plan(self._x(index), self._y(index), self._place)

    def _plan_again(self, index: int, plan: Plan, record: HopRecord) -> Plan:
        """Higher if the surface came early, deeper if it did not come."""
        if record.status is HopStatus.EARLY:
            return self._plan_met(index, record)
        low = self.planner.travel.low
        if record.status is HopStatus.NO_SURFACE:
            return Plan(plan.start, low, plan.clear, look_from=plan.look_from)
        lift = self.settings.lift
        higher = self.planner.travel.clip(plan.start + lift)
        return replace(plan, start=higher, slow_from=None)

    def _plan_met(self, index: int, record: HopRecord) -> Plan:
        """Higher than before: over the surface that was met there, slowly."""
        x, y = self._x(index), self._y(index)
        plan = self.planner.plan(x, y, (x, y), self.settings.lift)
        return replace(plan, start=max(plan.start, record.request.start), slow_from=None)

    def _hop(self, index: int, plan: Plan, pace: float = 1.0) -> HopRecord:
        request = self._request(self._x(index), self._y(index), plan, pace)
        record = self.hops.hop(request, lambda found: self._onward(index, found))
        self._place = (request.x, request.y)
        return record

    def _request(self, x: float, y: float, plan: Plan, pace: float = 1.0) -> HopRequest:
        s, speed = self.settings, pace * self._speed
        return HopRequest(
            x=x,
            y=y,
            start=plan.start,
            floor=min(plan.floor, plan.start - 1e-9),
            speed=speed,
            stop=s.stop,
            clear=plan.clear,
            fast=self._fast if plan.slow_from is not None else None,
            slow_from=plan.slow_from,
            reference_time=s.reference_time,
            look_from=plan.look_from,
            dwell=max(s.dwell, vibration.DWELL if self._unshaken else 0.0),
            expected=s.expected,
            usual=self.track.level if s.stop.falls else None,
            tolerance=s.tolerance,
        )

    @property
    def _speed(self) -> float:
        """Fall rate that is safe by what was seen of the reaction, m/s."""
        return self.settings.speed if self.reactions is None else self.reactions.speed

    @property
    def _fast(self) -> float | None:
        fast = self.settings.fast
        return fast if self.reactions is None or fast is None else self.reactions.fast(fast)

    @property
    def _unshaken(self) -> bool:
        """Whether the vibration between tip and sample is still to be measured."""
        falls = self.settings.stop.falls  # only a current that falls with the gap can tell
        return self.noise is not None and self.noise.vibration == 0 and falls

    @property
    def _modulated(self) -> bool:
        return isinstance(self.settings.stop, Modulated)

    def _measure_vibration(self, record: HopRecord) -> None:
        assert self.noise is not None
        current, reference = self._without_hum(record)
        share = current[record.stop :] / reference
        if self._modulated:
            share = modulated.at_rest(record.curves, record.stop)
        shake = vibration.measure(share, record.rate, self.tip)
        self.noise = replace(self.noise, vibration=max(shake, vibration.LEAST))
        time = self._time(record)
        text = f"vibration between tip and sample: {show(shake, 'm')} rms"
        self._say(Note(time=time, text=text, author="engine"))

    def _onward(self, index: int, record: HopRecord) -> Waypoint:
        """Where to retract to: the start of the next target, if this one was found."""
        here = self._x(index), self._y(index)
        self._keep_up(record)
        if record.status in _MET:
            self.planner.add(*here, record.z_stop)
        if record.status is HopStatus.EARLY:
            plan = self._plan_met(index, record)
            return Waypoint(*here, plan.start, plan.clear)
        if record.status not in _FOUND or index + 1 >= len(self.targets):
            top = max(record.request.start, self.planner.travel.clip(record.z_stop))
            return Waypoint(*here, top, record.request.clear)
        if self.revisits is not None and (place := self.revisits.due(self._time(record))):
            back = replace(self.planner.plan(place.x, place.y, here), slow_from=None)
            self._returning = place, back
            return Waypoint(place.x, place.y, back.start, back.clear)
        return self._on_to(index + 1, here)

    def _back(self, place: Place, index: int, record: HopRecord) -> Waypoint:
        """Where to retract to after a return: the start of the next target."""
        self._keep_up(record)
        if record.status in _FOUND:
            self.planner.add(place.x, place.y, record.z_stop)
            return self._on_to(index, (place.x, place.y))
        top = max(record.request.start, self.planner.travel.clip(record.z_stop))
        return Waypoint(place.x, place.y, top, record.request.clear)

    def _on_to(self, index: int, here: tuple[float, float]) -> Waypoint:
        following = self.planner.plan(self._x(index), self._y(index), here)
        self._planned = index, following
        return Waypoint(self._x(index), self._y(index), following.start, following.clear)

    def _keep_up(self, record: HopRecord) -> None:
        """Have the planner know its heights as they are now."""
        risen, _ = self.creep.z.at(self._time(record))
        if risen != self._risen:
            self.planner.rise(risen - self._risen)
            self._risen = risen

    # -- what a hop told ----------------------------------------------------------------------

    def _learn(self, record: HopRecord) -> None:
        if record.status in (*_MET, HopStatus.NO_SURFACE) and self.settings.stop.falls:
            self.track.add(record.reference)
        if self.mains is not None and record.status in _FOUND:
            z = record.curves["z"][: record.stop]
            far = int(np.searchsorted(-z, -(record.z_stop + _FAR)))
            self.mains.learn(record.first, record.curves["current"][:far])
        if self._pressed(record):
            raise ScanAborted(f'a fall ended with "{record.status.value}": {_NO_ONSET}')
        self._blind = self._blind + 1 if record.status in _HOPELESS else 0
        if self._blind >= self.settings.hopeless:
            raise ScanAborted(
                f'{self._blind} targets in a row ended with "{record.status.value}": '
                f"{_HOPELESS[record.status]}"
            )

    def _report(
        self, index: int, attempt: int, record: HopRecord, accepted: bool, revisit: bool = False
    ) -> None:
        if self.times is not None:
            record.timing |= self.times.see(record)
        if self.reactions is not None:
            record.timing |= self.reactions.see(record)
        found = record.status in _MET and record.stop < len(record.curves["z"])
        task = ToReport(
            index=index,
            attempt=attempt,
            accepted=accepted,
            record=record,
            approach=self._as_approach(record) if found and record.request.stop.falls else None,
            onset=self._as_onset(record) if found and not record.request.stop.falls else None,
            revisit=revisit,
        )
        self._reporter.report(task)
        if self.reactions is not None and (why := self.reactions.judge(record)) is not None:
            raise ScanAborted(why)

    def _as_approach(self, record: HopRecord) -> Approach:
        """What the height estimators need of a record, with the hum taken out."""
        current, reference = self._without_hum(record)
        request = record.request
        early = record.status is HopStatus.EARLY
        approach = Approach(
            current=current,
            z=record.curves["z"],
            rate=record.rate,
            stop=record.stop,
            slow=0 if early else record.slow,
            reference=reference,
            reference_sd=record.reference_sd,
            speed=(request.fast if early else None) or request.speed,
            setpoint=request.stop.drop(record.reference),
            filter_hz=record.bandwidth,
            noise=self.noise,
            reaction=self.hops.reaction().typical,
        )
        if self._modulated:
            stop = modulated.last_told(record.curves, record.stop)
            current = modulated.through(record.curves)
            return replace(approach, current=current, stop=stop, period=self.settings.period)
        if not isinstance(request.stop, Absolute):
            return approach
        # heights are told by the drop from far away, which the reference has not quite seen
        far = far_reference(approach, self.tip)
        return replace(approach, setpoint=request.stop.drop(far))

    def _as_onset(self, record: HopRecord) -> onset.Onset:
        current, reference = self._without_hum(record)
        crossing = record.request.stop.crossing(reference)
        return onset.Onset(
            rise=-crossing.sign * (current - reference),
            z=record.curves["z"],
            rate=record.rate,
            stop=record.stop,
            z_stop=record.z_stop,
            noise=record.noise,
            filter_hz=record.bandwidth,
            threshold=2 * crossing.hysteresis,
        )

    def _without_hum(self, record: HopRecord) -> tuple[F64, float]:
        current = record.curves["current"]
        if self.mains is None:
            return current, record.reference
        n = record.reference_samples
        top = self.mains.hum(record.first - n, n)
        return (
            current - self.mains.hum(record.first, len(current)),
            record.reference - float(top.mean()),
        )

    def _time(self, record: HopRecord) -> float:
        return record.first / record.rate

    def _x(self, index: int) -> float:
        return float(self.targets.x[index])

    def _y(self, index: int) -> float:
        return float(self.targets.y[index])


def _refusal(record: HopRecord) -> str | None:
    """Why a hop ended at the top by its own stop rule, if it did."""
    refusal = record.request.stop.refusal(record.reference)
    return refusal[1] if refusal is not None and refusal[0] is record.status else None
