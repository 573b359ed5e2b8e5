"""A potentiostat for the tests of the engine: a front end with a cell, worked step by step.

It is honest about what it measures, and fails when it is told to.
"""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from sicmctl.config.load import LoadedRig, load_experiment, load_rig
from sicmctl.engine.run import Outcome, Run
from sicmctl.hal.capabilities import Identity
from sicmctl.hal.cell import (
    AnyStep,
    CellProgram,
    CellRest,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Open,
    Place,
    Sweep,
    walk,
)
from sicmctl.hal.cellwatch import CellWatch
from sicmctl.hal.limits import Interval
from sicmctl.hal.potentiostat import (
    CellData,
    CellLimits,
    CellSamples,
    CellSpectrum,
    Now,
    SampleFlag,
    StepEnded,
)
from sicmctl.hal.timeline import Stamp
from sicmctl.messages import AnyMessage
from simulators.cellconfig import CellConfig, PotentiostatConfig, ResistorCell
from simulators.cellport import Control
from simulators.clocks import FreeClock
from simulators.frontend import FrontEnd
from simulators.world.cell import make_cell

SD = 2e-3


class Front:
    """A Potentiostat about a FrontEnd.

    log: what was asked of it. fails: act (`run`, `rest`, `read`, `close`) -> what it raises; for
    `run` after `fault_after` samples. on: whether the cell is.
    """

    class Options(BaseModel, extra="forbid"):
        pass

    limits = CellLimits(
        potential=Interval(-3, 3, "V"),
        current=Interval(-0.1, 0.1, "A"),
        ranges=(1e-6, 1e-3, 0.1),
        rate=Interval(1e-5, 10, "V/s"),
        interval=Interval(1e-3, 1e3, "s"),
        steps=frozenset({Open, HoldPotential, HoldCurrent, Sweep, Cycles, Impedance}),
        frequency=Interval(1e-2, 1e5, "Hz"),
    )

    def __init__(self, cell: CellConfig | None = None) -> None:
        cell = ResistorCell(resistance=1e3) if cell is None else cell
        self.front = FrontEnd(make_cell(cell), PotentiostatConfig.ideal(), FreeClock())
        self.log: list[Any] = []
        self.fails: dict[str, Exception] = {}
        self.fault_after = 0
        self.on = self.closed = False
        self.between: Callable[[], object] = lambda: None

    def identify(self) -> Identity:
        return Identity("Test", "Front", "7")

    def run(self, program: CellProgram, now: Now) -> Generator[CellData, None, None]:
        zero = now().time - self.front.time
        samples, steps = 0, walk(program)
        self.log.append("run")
        try:
            for place, step in steps:
                for item in self._step(place, step, zero):
                    samples += len(item) if isinstance(item, CellSamples) else 0
                    if "run" in self.fails and samples >= self.fault_after:
                        raise self.fails["run"]
                    self.between()
                    yield item
                    if isinstance(item, StepEnded) and item.reason != "time":
                        met = next(u for u in step.until if str(u) == item.reason)
                        steps.obey(met)
        except BaseException:
            self._open()
            raise
        self._settle(program.after)

    def read(self) -> tuple[float, float]:
        self._do("read")
        reading = self.front.read(self.front.time)
        return reading.potential, reading.current

    def hold(self, potential: float) -> None:
        self.on = True
        self.front.control(Control.POTENTIAL, potential)

    def rest(self, how: CellRest) -> None:
        self._do("rest", how)
        self._settle(how)

    def safe_state(self) -> None:
        self.rest(CellRest.OFF)

    def close(self) -> None:
        self.closed = True
        self._do("close")

    def _do(self, act: str, *what: object) -> None:
        self.log.append((act, *what) if what else act)
        if act in self.fails:
            raise self.fails[act]

    def _settle(self, how: CellRest) -> None:
        if how is CellRest.HOLD:
            self.hold(self.front.read(self.front.time).potential)
        else:
            self._open()

    def _open(self) -> None:
        self.on = False
        self.front.control(Control.OPEN)

    def _step(self, place: Place, step: AnyStep, zero: float) -> Generator[CellData, None, None]:
        if isinstance(step, Cycles):
            for cycle in range(step.count):
                for sweep in step.sweeps():
                    yield from self._sample(place, sweep, zero, cycle)
            yield self._ended(place, zero)
        elif isinstance(step, Impedance):
            self.hold(step.potential)
            z = np.array([self.front.impedance(f, step.amplitude) for f in step.frequencies])
            n = len(z)
            time = np.linspace(self.front.time, self.front.time + 1, n) + zero
            flags = np.zeros(n, np.uint8)
            yield CellSpectrum(
                place, time, SD, np.array(step.frequencies), z, np.full(n, step.potential),
                np.zeros(n), flags,
            )  # fmt: skip
            yield self._ended(place, zero)
        else:
            met = yield from self._sample(place, step, zero, 0)
            yield self._ended(place, zero, met or "time")

    def _sample(
        self, place: Place, step: AnyStep, zero: float, cycle: int
    ) -> Generator[CellData, None, str]:
        self.on = not isinstance(step, Open)
        match step:
            case Open():
                self.front.control(Control.OPEN)
            case HoldPotential(potential=potential):
                self.front.control(Control.POTENTIAL, potential)
            case HoldCurrent(current=current):
                self.front.control(Control.CURRENT, current)
            case Sweep(start=start, stop=stop, rate=rate):
                self.front.control(Control.POTENTIAL, start, rate if stop > start else -rate)
            case _:
                raise AssertionError(step)
        watch, start = CellWatch(step.until), self.front.time
        for k in range(1, round(step.duration / step.interval) + 1):
            r = self.front.read(start + k * step.interval)
            flag = SampleFlag.OVERLOAD if r.overload else SampleFlag.OK
            time, e, i = np.array([r.time]), np.array([r.potential]), np.array([r.current])
            yield CellSamples(place, time + zero, SD, e, i, np.array([flag], np.uint8), cycle)
            if found := watch.see(time, e, i):
                return str(found[1])
        return ""

    def _ended(self, place: Place, zero: float, reason: str = "time") -> StepEnded:
        return StepEnded(place, Stamp(self.front.time + zero, SD), reason)


RIG = """\
schema = 1
[potentiostat]
driver = "front"
[safety]
"""


def cell_rig(folder: Path, potentiostat: Front, safety: str = "") -> LoadedRig:
    """A loaded rig.toml of a potentiostat alone, which is the one given."""

    class Driver(Front):
        @classmethod
        def open(cls, options: object) -> Front:
            potentiostat.log.append("open")
            return potentiostat

    path = folder / "rig.toml"
    path.write_text(RIG + safety, encoding="utf-8")
    return load_rig(path, {"front": Driver})


def run_cell(
    folder: Path,
    potentiostat: Front,
    steps: str,
    safety: str = "",
    see: Callable[[Run, AnyMessage], object] = lambda run, message: None,
) -> tuple[Outcome, list[AnyMessage]]:
    """Run the steps of an experiment.toml on a potentiostat alone."""
    path = folder / "experiment.toml"
    path.write_text(f'schema = 1\ntitle = "Cell"\n{steps}', encoding="utf-8")
    messages: list[AnyMessage] = []

    def publish(message: AnyMessage) -> None:
        messages.append(message)
        see(run, message)

    run = Run(cell_rig(folder, potentiostat, safety), load_experiment(path), [publish])
    return run.run(), messages
