"""What the rig allows a cell, no caller and no cell goes round."""

from collections.abc import Generator, Iterable

import numpy as np
import pytest

from sicmctl.hal.capabilities import Identity
from sicmctl.hal.cell import CellProgram, CellRest, HoldCurrent, HoldPotential, Open, Place, Sweep
from sicmctl.hal.errors import LimitExceeded
from sicmctl.hal.limitedcell import LimitedPotentiostat
from sicmctl.hal.limits import Interval
from sicmctl.hal.potentiostat import (
    CellData,
    CellLimits,
    CellSamples,
    CellSpectrum,
    Now,
    Potentiostat,
    StepEnded,
)
from sicmctl.hal.timeline import Stamp

PLACE = Place(0, (0,))


def samples(potential: Iterable[float], current: Iterable[float]) -> CellSamples:
    e, i = np.array([*potential]), np.array([*current])
    return CellSamples(
        PLACE, np.arange(len(e), dtype=np.float64), 0.0, e, i, np.zeros(len(e), np.uint8)
    )


class Scripted:
    """A potentiostat that yields what it was given and notes what was done to it."""

    limits = CellLimits(
        potential=Interval(-3.0, 3.0, "V"),
        current=Interval(-0.01, 0.01, "A"),
        ranges=(1e-2,),
        rate=Interval(1e-5, 1.0, "V/s"),
        interval=Interval(1e-3, 1e3, "s"),
        steps=frozenset({Open, HoldPotential, HoldCurrent, Sweep}),
    )

    def __init__(self, data: Iterable[CellData] = ()) -> None:
        self.data = data
        self.done: list[str] = []
        self.running = False

    def identify(self) -> Identity:
        assert not self.running, "it was asked for its name while a program ran"
        return Identity("PalmSens", "EmStat4", "1")

    def run(self, program: CellProgram, now: Now) -> Generator[CellData, None, None]:
        self.running = True
        try:
            yield from self.data
            self.done.append("ended")
        finally:
            self.done.append("closed")

    def read(self) -> tuple[float, float]:
        return 1.5, 2e-6

    def hold(self, potential: float) -> None:
        self.done.append(f"hold {potential:g}")

    def rest(self, how: CellRest) -> None:
        self.done.append(f"rest {how}")

    def safe_state(self) -> None:
        self.done.append("safe")

    def close(self) -> None:
        self.done.append("let go")


def now() -> Stamp:
    return Stamp(0.0, 0.0)


def hold(potential: float) -> CellProgram:
    return CellProgram((HoldPotential(interval=1.0, duration=10.0, potential=potential),))


RIG_E, RIG_I = Interval(0.0, 2.0, "V"), Interval(-1e-3, 1e-3, "A")


def test_it_is_a_potentiostat_within_both_limits() -> None:
    limited = LimitedPotentiostat(Scripted(), RIG_E, Interval(-1.0, 1e-3, "A"))
    assert isinstance(limited, Potentiostat)
    assert (limited.limits.potential.low, limited.limits.potential.high) == (0.0, 2.0)
    assert (limited.limits.current.low, limited.limits.current.high) == (-0.01, 1e-3)
    assert limited.identify().model == "EmStat4"


def test_limits_that_leave_nothing_are_refused() -> None:
    with pytest.raises(LimitExceeded, match=r"the rig allows a potential of 5 V .. 6 V"):
        LimitedPotentiostat(Scripted(), Interval(5.0, 6.0, "V"))


def test_a_program_beyond_the_rig_never_reaches_the_instrument() -> None:
    inner = Scripted()
    limited = LimitedPotentiostat(inner, RIG_E, RIG_I)
    with pytest.raises(LimitExceeded, match=r"potential -100 mV lies outside 0 V .. 2 V"):
        limited.run(hold(-0.1), now)
    with pytest.raises(LimitExceeded, match=r"potential 2.5 V lies outside"):
        limited.hold(2.5)
    assert inner.done == []


def test_what_is_allowed_passes_through() -> None:
    data = [samples([1.0, 1.1], [1e-4, 1e-4]), StepEnded(PLACE, Stamp(1.0, 0.0))]
    inner = Scripted(data)
    limited = LimitedPotentiostat(inner, RIG_E, RIG_I)
    assert list(limited.run(hold(1.0), now)) == data
    inner.running = False
    limited.hold(1.0)
    limited.rest(CellRest.OFF)
    limited.safe_state()
    limited.close()
    assert limited.read() == (1.5, 2e-6)
    assert inner.done == ["ended", "closed", "hold 1", "rest off", "safe", "let go"]


@pytest.mark.parametrize(
    ("strays", "reason"),
    [
        (samples([1.0, 2.1], [0.0, 0.0]), "the cell's potential reached 2.1 V; the rig allows 0 V"),
        (samples([1.0, 1.0], [0.0, -2e-3]), "the cell's current reached -2 mA; the rig allows"),
        (
            CellSpectrum(PLACE, np.zeros(1), 0.0, np.ones(1), np.ones(1, complex),
                         np.array([-0.5]), np.zeros(1), np.zeros(1, np.uint8)),
            "the cell's potential reached -500 mV",
        ),
    ],
)  # fmt: skip
def test_a_cell_that_strays_ends_the_program(strays: CellData, reason: str) -> None:
    calm = samples([1.0], [0.0])
    inner = Scripted([calm, strays, calm])
    with pytest.raises(LimitExceeded, match=reason) as caught:
        list(LimitedPotentiostat(inner, RIG_E, RIG_I).run(hold(1.0), now))
    assert inner.done == ["closed"]
    assert "safety.cell_" in str(caught.value)


def test_the_data_that_strayed_are_handed_on_first() -> None:
    strays = samples([2.5], [0.0])
    run = LimitedPotentiostat(Scripted([strays]), RIG_E).run(hold(1.0), now)
    assert next(run) is strays
    with pytest.raises(LimitExceeded):
        next(run)


def test_closing_the_run_closes_the_instruments() -> None:
    inner = Scripted([samples([1.0], [0.0])] * 3)
    run = LimitedPotentiostat(inner, RIG_E).run(hold(1.0), now)
    next(run)
    run.close()
    assert inner.done == ["closed"]
