"""From what an experiment asks of a scan to what the scanner is told."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import atan

from sicmctl.config.scan import LineScan, PointScan, RasterScan, Scan
from sicmctl.messages import Array, Message, ScanStarted
from sicmctl.scan.curve import Tip
from sicmctl.scan.hopper import DaqHopEngine
from sicmctl.scan.pattern import Targets, raster, targets, three_apart
from sicmctl.scan.planner import HeightPlanner, Surprises
from sicmctl.scan.reactions import ReactionWatch
from sicmctl.scan.rim import TipCurve
from sicmctl.scan.scanner import ScanSettings

from . import modes, modulation, rules
from .rig import Rig
from .tuneup import Tuneup

_MEMORY = 6
"""Rows for which a surprise of the surface is remembered."""
_LEAST_RADII = 10.0
"""Height of a start over the surface, in tip radii, at which the reference does not feel it."""
_REACH = 1.6
"""A point within this many pitches is a neighbour."""


@dataclass(frozen=True, slots=True)
class ScanJob:
    """One scan, ready to run."""

    targets: Targets
    planner: HeightPlanner
    settings: ScanSettings
    safe: rules.SafeHop
    tip: Tip
    prescan: bool = False
    revisit: float | None = None
    """Seconds between returns to one place, to follow the drift."""
    follow: bool = False
    """Whether targets are moved as earlier frames of the same area foretell."""
    of: Targets | None = None
    """Targets of the scan that a prescan prepares."""

    @property
    def tilt(self) -> dict[str, float]:
        """Tilt of the sample along x and y by name, rad, if it was measured."""
        slopes = self.planner.tilt.slopes if self.planner.tilt is not None else None
        return {} if slopes is None else {"tilt_x": atan(slopes[0]), "tilt_y": atan(slopes[1])}

    @property
    def area(self) -> Targets:
        """Targets of the scan itself."""
        return self.targets if self.of is None else self.of

    def started(self, number: int, time: float, engine: str, found: Tuneup) -> ScanStarted:
        """Return the message that announces the scan, with every number that governs it."""
        made, safe = self.targets, self.safe
        return ScanStarted(
            time=time,
            scan=number,
            pattern=made.pattern,
            shape=made.shape,
            x=Array.of(made.x, "<f8"),
            y=Array.of(made.y, "<f8"),
            row=Array.of(made.row, "<i4"),
            column=Array.of(made.column, "<i4"),
            extent=made.extent,
            settings={
                **modes.told(self.settings.stop),
                **self._setpoints,
                "speed": self.settings.speed,
                "fast_speed": self.settings.fast or self.settings.speed,
                "amplitude": self.planner.amplitude,
                "reference_time": self.settings.reference_time,
                "highest_speed": safe.highest_speed,
                "gap": safe.gap,
                "reaction": safe.reaction,
                "current": found.current,
                "current_noise": found.sigma,
                "bandwidth": found.state.bandwidth,
                "gain": found.state.gain,
                **self.tilt,
            },
            engine=engine,
            prescan=self.prescan,
        )

    def reactions(
        self,
        number: int,
        hops: DaqHopEngine,
        found: Tuneup,
        rate: float,
        publish: Callable[[Message], None],
    ) -> ReactionWatch:
        """Return what watches the reaction of the hops. rate: samples/s."""
        return ReactionWatch(
            scan=number,
            comparator=hops.comparator,
            assumed=hops.reaction(),
            gap=self.safe.gap,
            filter_hz=found.state.bandwidth,
            rate=rate,
            speed=self.settings.speed,
            publish=publish,
        )

    @property
    def _setpoints(self) -> dict[str, float]:
        """The drop at the stop and the smallest that is safe, where the current falls."""
        if not self.settings.stop.falls:
            return {}
        return {
            "setpoint": self.settings.setpoint,
            "smallest_setpoint": self.safe.smallest_setpoint,
        }


def tip_of(rig: Rig) -> Tip:
    """Return the tip that rig.toml describes."""
    pipette = rig.loaded.model.pipette
    return Tip(pipette.inner_radius, pipette.radius_ratio, pipette.half_angle)


def prepare(scan: Scan, rig: Rig, hops: DaqHopEngine, found: Tuneup) -> tuple[ScanJob, ...]:
    """Return the scans to run in order: the prescan, if there is one, and the scan itself.

    Raises LimitExceeded if a hop as asked for is unsafe, PatternError if a target is out of reach.
    """
    tip = tip_of(rig)
    hop, safety = scan.hop, rig.loaded.model.safety
    z = rig.stage.axes["z"]
    bias = rig.loaded.model.bias
    assert bias is not None, "a microscope has a bias: config.wiring sees to it"
    safe, stop = modes.decide(
        hop, tip, hops, found, rig.daq.rate, z, bias.target, safety.max_fall_rate
    )
    settings = ScanSettings(
        stop=stop,
        setpoint=safe.setpoint,
        speed=safe.speed,
        fast=_fast(safe, hops) if hop.adaptive else None,
        reference_time=max(hop.reference_time, found.least_reference),
        dwell=hop.dwell,
        retries=hop.retries,
        method="crossing" if hop.mode == "onset" and hop.height == "fit" else hop.height,
        tolerance=safety.reference_jump,
        lift=hop.amplitude,
        expected=_expected(safe, tip, found) if stop.falls else None,
        period=found.period,
    )
    made = targets(scan, rig.stage.axes)
    planner = HeightPlanner(
        z.travel,
        amplitude=hop.amplitude,
        depth=modes.floor_margin(hop, tip),
        reach=max(_REACH * made.pitch, 1e-9),
        clearance=hop.amplitude / 2,
    )
    if hop.adaptive:
        least = _LEAST_RADII * tip.inner_radius
        planner.surprises = Surprises(hop.amplitude, least, _MEMORY * made.shape[1])
    revisit = None if isinstance(scan, PointScan) else scan.drift.revisit
    follow = isinstance(scan, RasterScan) and scan.drift.frames
    job = ScanJob(made, planner, settings, safe, tip, revisit=revisit, follow=follow)
    if isinstance(scan, LineScan | RasterScan) and scan.tilt:
        far = z.travel.high - z.travel.low  # each approach begins at the top
        planner.tilt = HeightPlanner(z.travel, far, depth=far, reach=1e-9, clearance=far)
        three = replace(
            job,
            targets=three_apart(made),
            planner=planner.tilt,
            prescan=True,
            revisit=None,
            of=made,
        )
        return (three, job)
    if not isinstance(scan, RasterScan) or scan.prescan is None:
        return (job,)
    coarse = _coarse(scan, made)
    amplitude = scan.prescan.amplitude or 2 * hop.amplitude
    planner.coarse = HeightPlanner(
        z.travel,
        amplitude=amplitude,
        depth=z.travel.high,
        reach=coarse.pitch,
        clearance=amplitude,  # all between two coarse points is unknown
    )
    first = replace(
        job, targets=coarse, planner=planner.coarse, prescan=True, revisit=None, of=made
    )
    return (first, job)


def _expected(safe: rules.SafeHop, tip: Tip, found: Tuneup) -> TipCurve:
    """How the current is to fall. Noise behind a lock-in is slow: it may pass for a small drop."""
    slow = modulation.QUIET * safe.smallest_setpoint if found.period else 0.0
    return TipCurve(tip, found.noise, found.current, found.state.bandwidth, slow)


def _fast(safe: rules.SafeHop, hops: DaqHopEngine) -> float:
    """Fall rate where no surface is expected: the host must still halt at a rim that is there."""
    bound = hops.tuning.looks.fastest(hops.host_reaction.typical)
    return max(safe.speed, min(safe.fast, bound))


def _coarse(scan: RasterScan, made: Targets) -> Targets:
    """Return a raster of a few points over the same area."""
    assert scan.prescan is not None
    n = scan.prescan.pixels
    return raster(scan.extent, (n, n), (float(made.x[0]), float(made.y[0])), scan.angle)
