"""Hops that are published some at a time: none is lost, and none comes out of order."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from sicmctl.aside import Aside
from sicmctl.messages import Alarm, AnyMessage, HopDone, Progress, ScanEnded, TipMeasured

from ..rigs import Recorded, experiment_text, quick_sim, virtual

HOP = 'fall_rate = "35 nm/ms"'


def run(folder: Path, prompt: bool, sim: str, experiment: str) -> Recorded:
    with virtual(folder, sim, "0.5 ms") as rig:
        return rig.run(experiment, prompt=prompt)


def test_the_same_hops_come_together_instead_of_one_by_one(tmp_path: Path) -> None:
    text = experiment_text(pixels=4, hop=HOP)
    one, many = (run(tmp_path / str(p), p, quick_sim(), text) for p in (True, False))
    assert [(h.index, h.attempt, h.status) for h in many.hops] == [
        (h.index, h.attempt, h.status) for h in one.hops
    ]
    assert [h.z_stop for h in many.hops] == [h.z_stop for h in one.hops]
    np.testing.assert_allclose(
        [h.height for h in many.hops], [h.height for h in one.hops], atol=1e-10, rtol=0
    )
    kinds = [type(m) for m in many.messages if isinstance(m, HopDone | Progress | ScanEnded)]
    assert kinds == [HopDone, Progress] * 16 + [ScanEnded]
    tips = [[m for m in run.messages if isinstance(m, TipMeasured)] for run in (one, many)]
    told = [[(m.phase, m.verdict, m.time) for m in run] for run in tips]
    assert told[0] == told[1]
    assert told[0][0][:2] == ("before", "first")
    radii = [[m.inner_radius for m in run] for run in tips]
    assert radii[1] == pytest.approx(radii[0], rel=1e-3)


def test_a_stop_loses_no_hop(tmp_path: Path) -> None:
    stop, seen = Event(), list[HopDone]()

    def press(message: AnyMessage) -> None:
        if isinstance(message, HopDone):
            seen.append(message)
            if len(seen) == 2:  # the first of those that were gathered
                stop.set()

    with virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as rig:
        done = rig.run(experiment_text(pixels=16, hop=HOP), press, stop, prompt=False)
    assert done.ended.outcome == "stopped"
    assert [hop.index for hop in done.hops] == list(range(len(done.hops)))
    assert 3 < len(done.hops) < 256


def test_a_process_that_is_there_already_is_used_and_left_there(tmp_path: Path) -> None:
    with Aside() as aside, virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as rig:
        asked = counted(aside)
        done = rig.run(experiment_text(pixels=2, hop=HOP), prompt=False, aside=aside)
        assert done.ended.outcome == "done"
        assert asked() > 0
        assert aside.submit(abs, -1).result() == 1


def counted(aside: Aside) -> Callable[[], int]:
    """How often something was asked of a process so far."""
    calls, submit = list[object](), aside.submit

    def count(fn: Callable[..., object], /, *args: object, **kwargs: object) -> Future[object]:
        calls.append(fn)
        return submit(fn, *args, **kwargs)

    aside.submit = count
    return lambda: len(calls)


class Tardy(Executor):
    """Computes nothing before somebody waits for it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        class Asked(Future[Any]):
            def result(self, timeout: float | None = None) -> Any:
                return fn(*args, **kwargs)

        return Asked()


@pytest.mark.parametrize("patience", [0.0, 1e9], ids=["waited for", "late"])
def test_heights_that_are_late_are_waited_for_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    monkeypatch.setattr("sicmctl.scan.reporter._PATIENCE", patience)
    told = list[float]()
    with virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as rig:

        def see(message: AnyMessage) -> None:
            if isinstance(message, HopDone):
                told.append(rig.lab.world.time * 1e-8)

        text = experiment_text(pixels=6, hop=HOP)
        done = rig.run(text, see, prompt=False, aside=Tardy())
    assert [hop.index for hop in done.hops] == list(range(36))
    late = [at - hop.time for at, hop in zip(told, done.hops, strict=True)]
    scan = done.hops[-1].time - done.hops[0].time
    if patience:
        assert max(late) > scan  # all were told of in the end
    else:
        assert max(late) < scan / 2


def test_a_slow_hop_is_told_of_before_the_next_one_begins(tmp_path: Path) -> None:
    told = list[float]()
    with virtual(tmp_path / "lab", quick_sim(), "0.5 ms") as rig:

        def see(message: AnyMessage) -> None:
            if isinstance(message, HopDone):
                told.append(rig.lab.world.time * 1e-8)

        slow = f'{HOP}\ndwell = "600 ms"'
        done = rig.run(experiment_text(pixels=2, hop=slow), see, prompt=False)
    begun = [hop.time for hop in done.hops]
    assert all(at < following for at, following in zip(told, begun[1:], strict=False))


@pytest.mark.parametrize("prompt", [True, False])
def test_a_scan_that_ends_early_tells_its_hops_first(tmp_path: Path, prompt: bool) -> None:
    bubble = '[[event]]\nat = "1.3 s"\nset = "pipette.bubble"\nvalue = "on"\n'
    done = run(tmp_path / "lab", prompt, quick_sim(more=bubble), experiment_text(pixels=8, hop=HOP))
    assert done.ended.outcome == "failed"
    last = max(k for k, m in enumerate(done.messages) if isinstance(m, HopDone))
    (alarm,) = (k for k, m in enumerate(done.messages) if isinstance(m, Alarm))
    assert last < alarm
    assert {hop.status for hop in done.hops[-3:]} == {"no current"}
    assert [hop.time for hop in done.hops] == sorted(hop.time for hop in done.hops)
