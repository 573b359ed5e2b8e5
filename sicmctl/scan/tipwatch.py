"""Watches over the tip before, during and after a run: the same tip, or broken, clogged, dirty?

A break widens the tip: more current, and a wider approach curve. A clog lets less current through.
Dirt at the rim changes the curve alone. The tip is fitted to batches of good approach curves; what
follows is compared with the first batch of the run, as the same cone: then the curve alone tells
the radius, and the current is a witness of its own.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from math import hypot, log
from typing import Literal, NamedTuple

import numpy as np

from sicmctl.aside import soon
from sicmctl.hal.quantity import show
from sicmctl.messages import Alarm, Message, TipMeasured

from .curve import Tip
from .height import Approach
from .tipfit import TipFit, fit_tip

Verdict = Literal["first", "same", "broken", "clogged", "contaminated"]
Phase = Literal["before", "during", "after"]
_Fits = tuple[TipFit | None, TipFit | None]
_SIGMAS = 4.0
"""Change of the radius, in standard uncertainties, that is not by chance."""
_LEAST = 0.15
"""Relative change of the radius below which a tip counts as the same: what slopes of the sample
and its permeability do to curves that are fitted as if it were flat."""
_DRIFT = 0.05
"""Relative change of the reference current that drift alone makes in a run."""
_SAME_CONE = 0.01
"""By how much ln(tan(half angle)) may differ in one tip."""
_FEWEST = 3
"""Curves that a last measurement needs."""
_REMEDY = {
    "broken": "lift the tip and replace it: what it measures now is wider than it was",
    "clogged": "lift the tip and try a pulse of bias or pressure, else replace it",
    "contaminated": "lift the tip; rinse or replace it, and compare the approach curves",
}


class _Measured(NamedTuple):
    """When, s, at which current, A, and at which fractional drop a tip was measured."""

    time: float
    phase: Phase
    current: float
    setpoint: float


def _fit(approaches: list[Approach], known: Tip, cone: TipFit | None) -> _Fits:
    """Fit the tip as the cone that it was at first, or find that."""
    cone = fit_tip(approaches, known) if cone is None else cone
    return cone, fit_tip(approaches, cone.tip, angle_spread=_SAME_CONE) if cone else None


@dataclass
class TipWatch:
    """Takes in the approaches of good hops; publishes a TipMeasured now and then, and alarms.

    known: as rig.toml describes it. curves: approaches in a fit. every: good hops between fits.
    executor: fits the tip while the run goes on; what it finds is told as many good hops later.
    """

    known: Tip
    publish: Callable[[Message], None]
    curves: int = 12
    every: int = 500
    executor: Executor | None = None
    _recent: list[Approach] = field(default_factory=list)
    _due: int = 0
    _fitting: tuple[_Measured, Future[_Fits]] | None = None
    _cone: TipFit | None = None
    _first: tuple[TipFit, float] | None = None
    _last: Verdict = "first"
    _time: float = 0.0

    def see(self, time: float, approach: Approach) -> None:
        """Take in a good approach to a place beside no edge; time: s on the run's timeline."""
        self._time = time
        self._recent = [*self._recent, approach][-self.curves :]
        self._due -= 1
        if len(self._recent) < self.curves:
            return
        self._conclude()
        if self._due <= 0:
            self._measure("during" if self._first else "before")
            self._due = self.every
            if self.executor is None:
                self._conclude()

    def suspect(self) -> None:
        """Something points to a changed tip: measure it from the next good curves on."""
        self._recent, self._due = [], 0

    def finish(self) -> None:
        """Measure the tip a last time, from what came since the last measurement, if anything."""
        self._conclude()
        if self._first is not None and len(self._recent) >= _FEWEST:
            self._measure("after")
            self._conclude()

    def _measure(self, phase: Phase) -> None:
        approaches, self._recent = self._recent, []
        current = float(np.median([a.reference for a in approaches]))
        measured = _Measured(self._time, phase, current, approaches[-1].setpoint)
        cone = self._cone if self._first is not None else None
        fits = soon(self.executor, _fit, approaches, self.known, cone)
        self._fitting = measured, fits

    def _conclude(self) -> None:
        """Tell what the last measurement has found, once."""
        if self._fitting is None:
            return
        (measured, fits), self._fitting = self._fitting, None
        self._cone, found = fits.result()
        if self._cone is None or found is None:
            return
        time, phase, current, setpoint = measured
        verdict = self._judge(found, current)
        if self._first is None:
            self._first = found, current
        self.publish(
            TipMeasured(
                time=time,
                phase=phase,
                verdict=verdict,
                inner_radius=found.tip.inner_radius,
                radius_sd=found.tip.inner_radius * hypot(found.radius_sd, self._cone.radius_sd),
                half_angle=found.tip.half_angle,
                half_angle_sd=found.tip.half_angle * self._cone.angle_sd,
                gap=float(found.tip.gap(setpoint)),
                current=current,
                curves=found.curves,
            )
        )
        if verdict not in ("first", "same", self._last):
            self._alarm(verdict, found, current)
        self._last = verdict

    def _judge(self, found: TipFit, current: float) -> Verdict:
        if self._first is None:
            return "first"
        first, before = self._first
        change = log(found.tip.inner_radius / first.tip.inner_radius)
        bound = max(_SIGMAS * hypot(found.radius_sd, first.radius_sd), _LEAST)
        more = log(current / before)
        if more > 2 * _DRIFT and change > 0:
            return "broken"
        if more < -2 * _DRIFT:
            return "clogged"
        return "contaminated" if abs(change) > bound else "same"

    def _alarm(self, verdict: Verdict, found: TipFit, current: float) -> None:
        assert self._first is not None
        first, before = self._first
        was, now = first.tip.inner_radius, found.tip.inner_radius
        self.publish(
            Alarm(
                time=self._time,
                level="warning",
                source="tip",
                text=f"the tip looks {verdict}: its current went from {show(before, 'A')} to "
                f"{show(current, 'A')}, its inner radius by the approach curves from "
                f"{show(was, 'm')} to {show(now, 'm')}",
                remedy=_REMEDY[verdict],
            )
        )
