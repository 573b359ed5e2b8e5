"""The way to safety: always the same acts in the same order, each tried whatever came before."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sicmctl.engine.safety import make_safe
from sicmctl.hal.capabilities import Axis, Block
from sicmctl.hal.errors import NotConnected, StreamOverflow
from sicmctl.hal.hop import Reaction, Waypoint
from sicmctl.hal.limits import Interval
from sicmctl.scan.hopper import DaqHopEngine

AXIS = Axis(Interval(0, 20e-6, "m"), 1e-3, 1e3, 0.7)
ACTS = ("halt approach", "retract", "bias to rest", "cell to off", "stop waveforms")


class Engine(DaqHopEngine):
    """A hop engine that writes down what it is asked to do."""

    def __init__(self, log: list[Any], fails: dict[str, Exception]) -> None:
        self._log, self._fails = log, fails

    def safe_state(self) -> None:
        self._note("hops safe")

    def leave(self, to: Waypoint) -> None:
        self._note("leave", to)

    def rest(self) -> Block:
        self._note("rest")
        return Block(0, (), np.empty((0, 1)))

    def _note(self, *what: Any) -> None:
        self._log.append(what[0] if len(what) == 1 else what)
        if what[0] in self._fails:
            raise self._fails[what[0]]


class Paper:
    """A rig that writes down what it is asked to do. fails: act -> what it raises."""

    def __init__(self, z: float = 4e-6, fails: dict[str, Exception] | None = None) -> None:
        self.log: list[Any] = []
        self.fails = dict(fails or {})
        self.hops = Engine(self.log, self.fails)
        position = {"x": 1e-6, "y": 2e-6, "z": z}
        card = SimpleNamespace(
            rate=50e3,
            read=self._act("read"),
            start=self._act("start"),
            stop=self._act("stop"),
            safe_state=self._act("daq safe"),
        )
        safety = SimpleNamespace(retract=5e-6, cell_rest="off")
        self.rig: Any = SimpleNamespace(
            card=card,
            daq=card,
            microscope="there",
            stage=SimpleNamespace(
                halt=self._act("stage halt"),
                synchronise=self._act("synchronise"),
                commanded=position,
                axes=dict.fromkeys("xyz", AXIS),
            ),
            amplifier=SimpleNamespace(safe_state=self._act("bias off")),
            potentiostat=SimpleNamespace(rest=self._act("cell off")),
            loaded=SimpleNamespace(model=SimpleNamespace(safety=safety)),
        )

    def _act(self, name: str) -> Any:
        def act(*arguments: Any) -> None:
            self.log.append(name)
            error = self.fails.get(name)
            if isinstance(error, StreamOverflow):
                del self.fails[name]  # a fresh clock mends it
            if error:
                raise error

        return act

    def make_safe(self) -> tuple[str, ...]:
        return tuple(str(act) for act in make_safe(self.rig, self.hops))


GONE = NotConnected("card", "ask", "gone", "look for it")
TOLD = "card: ask: gone (look for it)"


def test_the_order() -> None:
    paper = Paper()
    assert paper.make_safe() == tuple(f"{name}: done" for name in ACTS)
    up = Waypoint(1e-6, 2e-6, 9e-6, 9e-6)
    assert paper.log == [
        "hops safe", "stage halt", "read", "synchronise", ("leave", up), "rest", "bias off",
        "cell off", "daq safe",
    ]  # fmt: skip


def test_the_tip_goes_no_higher_than_the_travel() -> None:
    paper = Paper(z=18e-6)
    paper.make_safe()
    assert ("leave", Waypoint(1e-6, 2e-6, 20e-6, 20e-6)) in paper.log


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        ("hops safe", 0),
        ("stage halt", 0),
        ("read", 1),
        ("synchronise", 1),
        ("leave", 1),
        ("rest", 1),
        ("bias off", 2),
        ("cell off", 3),
        ("daq safe", 4),
    ],
)
@pytest.mark.parametrize("error", [GONE, ValueError("bad"), ZeroDivisionError()])
def test_one_failure_hinders_nothing_else(failing: str, told: int, error: Exception) -> None:
    paper = Paper(fails={failing: error})
    acts = paper.make_safe()
    assert [act.split(":")[0] for act in acts] == list(ACTS)
    text = str(error) or type(error).__name__
    for index, act in enumerate(acts):
        assert act == f"{ACTS[index]}: " + (text if index == told else "done")
    assert {"bias off", "cell off", "daq safe"} <= {
        act for act in paper.log if isinstance(act, str)
    }


def test_everything_failing_is_told_and_nothing_raised() -> None:
    names = ("hops safe", "read", "bias off", "cell off", "daq safe")
    paper = Paper(fails=dict.fromkeys(names, GONE))
    assert paper.make_safe() == tuple(f"{name}: {TOLD}" for name in ACTS)


def test_lost_samples_do_not_keep_the_tip_down() -> None:
    paper = Paper(fails={"read": StreamOverflow("card", "read", "lost")})
    assert paper.make_safe() == tuple(f"{name}: done" for name in ACTS)
    assert paper.log[2:8] == ["read", "stop", "start", "read", "synchronise", paper.log[7]]
    assert paper.log[7][0] == "leave"


def test_without_a_hop_engine_the_bias_still_goes_off() -> None:
    paper = Paper()
    acts = [str(act) for act in make_safe(paper.rig, None)]
    assert acts[0] == "halt approach: done"
    assert acts[1] == "retract: no hop engine to lift the tip from 4 um"
    assert acts[2:] == [f"{name}: done" for name in ACTS[2:]]
    assert {"bias off", "cell off"} <= set(paper.log)


def test_what_the_rig_does_not_have_is_not_made_safe() -> None:
    paper = Paper()
    paper.rig.potentiostat = None
    assert paper.make_safe() == tuple(f"{name}: done" for name in ACTS if name != "cell to off")
    alone = Paper()
    alone.rig.microscope = alone.rig.card = None
    assert [str(act) for act in make_safe(alone.rig, None)] == ["cell to off: done"]
    assert alone.log == ["cell off"]


def test_the_reaction_of_the_back_ends() -> None:
    """A comparator leaves the lag of the stage; a host adds its own time and a block."""
    stream: Any = SimpleNamespace(rate=50e3)
    stage: Any = SimpleNamespace(axes={"z": AXIS})
    amplifier: Any = SimpleNamespace()
    lag = AXIS.lag + 20e-6
    fast = DaqHopEngine(stream, stage, amplifier, True, Reaction(1e-3, 3e-3))
    assert fast.name == "comparator"
    assert fast.reaction().typical == fast.reaction().worst == pytest.approx(lag)
    slow = DaqHopEngine(stream, stage, amplifier, False, Reaction(1e-3, 3e-3))
    assert slow.name == "streamed"
    assert slow.reaction().worst == pytest.approx(lag + 3e-3 + slow.tuning.block)
    assert slow.reaction().typical == pytest.approx(lag + 1e-3 + slow.tuning.block / 2)
