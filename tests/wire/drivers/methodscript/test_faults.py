"""The driver on the virtual instrument, when things go wrong between them."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from drivers.methodscript import MethodScript
from sicmctl.hal.cell import CellProgram, HoldPotential
from sicmctl.hal.errors import InstrumentError, NoAnswer, NotConnected, UnexpectedState
from sicmctl.hal.potentiostat import CellSamples, SampleFlag
from sicmctl.hal.timeline import Stamp
from simulators.cellconfig import FaultConfig, PotentiostatConfig, ResistorCell
from simulators.clocks import Clock, FreeClock, WallClock
from simulators.instruments.methodscript import Server, serve
from simulators.world.cell import make_cell

from ....potentiostats import WatchedFrontEnd

LONG = CellProgram((HoldPotential(interval=0.01, duration=1000, potential=0.1),))
SHORT = CellProgram((HoldPotential(interval=0.01, duration=0.5, potential=0.1),))


class Rig:
    """A virtual instrument and how it is reached."""

    def __init__(self, server: Server, front: WatchedFrontEnd) -> None:
        self.server, self.front = server, front
        self.resource = f"socket://{server.address.removeprefix('tcp ')}"

    @contextmanager
    def open(self, **options: object) -> Iterator[MethodScript]:
        given = {"resource": self.resource, "timeout": "2 s", "reconnect": "10 s"} | options
        potentiostat = MethodScript.open(MethodScript.Options.model_validate(given))
        try:
            yield potentiostat
        finally:
            potentiostat.close()


@contextmanager
def rig(clock: Clock | None = None, pty: Path | None = None, **fault: object) -> Iterator[Rig]:
    faults = (FaultConfig.model_validate(fault),) if fault else ()
    config = PotentiostatConfig(faults=faults, pty=pty)
    front = WatchedFrontEnd(make_cell(ResistorCell()), config, clock or FreeClock())
    with serve(front, config) as server:
        yield Rig(server, front)


def now() -> Stamp:
    return Stamp(0.0)


def collect(potentiostat: MethodScript, program: CellProgram) -> tuple[int, Exception | None]:
    """How many good samples came, and what ended the program."""
    count = 0
    try:
        for item in potentiostat.run(program, now):
            if isinstance(item, CellSamples):
                assert np.allclose(item.potential, 0.1, atol=1e-3)
                count += len(item)
    except InstrumentError as error:
        return count, error
    return count, None


@pytest.mark.parametrize("kind", ["garbage", "truncate"])
def test_a_spoilt_line_ends_the_program(kind: str) -> None:
    with rig(WallClock(), kind=kind, after=20) as bench, bench.open() as potentiostat:
        count, error = collect(potentiostat, LONG)
        assert count <= 20 and "cannot be read" in str(error)
        assert not bench.front.holding
        assert collect(potentiostat, SHORT) == (50, None)


def test_a_short_silence_is_waited_for() -> None:
    with (
        rig(WallClock(), kind="silence", after=5, duration=0.2) as bench,
        bench.open(timeout="2 s") as potentiostat,
    ):
        count, error = collect(potentiostat, SHORT)
        assert error is None and 5 <= count < 50


def test_a_long_silence_is_a_lost_link() -> None:
    with (
        rig(WallClock(), kind="silence", after=5, duration=2.0) as bench,
        bench.open(timeout="0.3 s", reconnect="20 s") as potentiostat,
    ):
        _, error = collect(potentiostat, LONG)
        assert isinstance(error, NotConnected) and "no sign of life" in str(error)
        assert "the cell is switched off" in str(error)
        assert not bench.front.holding


def test_an_instrument_that_starts_again_is_found_with_its_cell_off() -> None:
    with (
        rig(WallClock(), kind="reboot", after=5, duration=0.2) as bench,
        bench.open() as potentiostat,
    ):
        _, error = collect(potentiostat, LONG)
        assert isinstance(error, NotConnected) and "it is back" in str(error)
        assert not bench.front.holding


def test_a_link_that_stays_cut_is_told_with_what_is_known() -> None:
    with (
        rig(WallClock(), kind="unplug", after=5, duration=1e6) as bench,
        bench.open(reconnect="0.2 s") as potentiostat,
    ):
        _, error = collect(potentiostat, LONG)
        assert isinstance(error, NotConnected) and "the cell may still be on" in str(error)
        with pytest.raises(NotConnected, match="may still be on"):
            potentiostat.safe_state()


def test_a_script_on_a_link_that_was_cut_goes_on_until_it_is_aborted() -> None:
    """The host died: whoever connects next is told, and may abort it."""
    with rig(WallClock()) as bench:
        with bench.open() as first:
            data = first.run(LONG, now)
            next(item for item in data if isinstance(item, CellSamples) and len(item))
            first.close()
            with pytest.raises(InstrumentError):
                list(data)
        assert bench.front.holding
        with pytest.raises(UnexpectedState, match="so the cell may be on"), bench.open():
            pass
        assert bench.front.holding
        with bench.open(abort_running=True) as second:
            assert not bench.front.holding
            assert collect(second, SHORT) == (50, None)


def test_an_overload_is_flagged_for_as_long_as_it_lasts() -> None:
    with rig(kind="overload", at=0.2, duration=0.1) as bench, bench.open() as potentiostat:
        items = list(potentiostat.run(SHORT, now))
        flags = np.concatenate([i.flags for i in items if isinstance(i, CellSamples)])
        assert 9 <= np.count_nonzero(flags & SampleFlag.OVERLOAD) <= 11


def test_a_critical_overload_is_named_and_opens_the_cell() -> None:
    with rig(WallClock()) as bench, bench.open() as potentiostat:
        data = potentiostat.run(LONG, now)
        next(item for item in data if isinstance(item, CellSamples) and len(item))
        bench.server.device.runtime.trip(0x0032)
        with pytest.raises(InstrumentError, match=r"critical overload of the cell.*error 0032"):
            list(data)
        assert not bench.front.holding


def test_somebody_who_is_no_potentiostat() -> None:
    with pytest.raises(NotConnected, match="there is no way to it"):
        MethodScript.open(MethodScript.Options.model_validate({"resource": "tcp://127.0.0.1:1"}))
    with (
        rig(kind="silence", at=0.0, duration=60.0) as bench,
        pytest.raises(NoAnswer),
        bench.open(timeout="0.1 s"),
    ):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_over_a_serial_port_that_is_unplugged_and_comes_back(tmp_path: Path) -> None:
    with (
        rig(WallClock(), tmp_path / "tty") as bench,
        bench.open(resource=f"ASRL{bench.server.pty}::INSTR") as potentiostat,
    ):
        assert collect(potentiostat, SHORT) == (50, None)
        data = potentiostat.run(LONG, now)
        next(item for item in data if isinstance(item, CellSamples) and len(item))
        bench.server.link.unplug(0.3)
        with pytest.raises(NotConnected, match="it is back, to the same instrument"):
            list(data)
        assert not bench.front.holding


def test_another_thread_may_end_the_program() -> None:
    with rig(WallClock()) as bench, bench.open() as potentiostat:
        begun, ended = threading.Event(), list[Exception]()

        def follow() -> None:
            try:
                for item in potentiostat.run(LONG, now):
                    if isinstance(item, CellSamples) and len(item):
                        begun.set()
            except InstrumentError as error:
                ended.append(error)

        listener = threading.Thread(target=follow)
        listener.start()
        assert begun.wait(30)
        potentiostat.safe_state()
        assert not bench.front.holding
        listener.join(30)
        assert "aborted meanwhile" in str(ended[0])
        assert not bench.front.holding
        assert collect(potentiostat, SHORT) == (50, None)
