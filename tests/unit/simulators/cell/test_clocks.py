"""Clocks of instruments beside the card."""

import threading
from time import monotonic, sleep

import pytest

from simulators.cellconfig import PotentiostatConfig, RcCell
from simulators.cellport import Control, Interrupted
from simulators.clocks import Clock, FollowClock, FreeClock, LeashClock, SkipClock, WallClock
from simulators.frontend import FrontEnd
from simulators.world.cell import make_cell


@pytest.mark.parametrize("clock", [FreeClock(), WallClock(), FollowClock()])
def test_interrupt_and_resume(clock: Clock):
    clock.interrupt()
    with pytest.raises(Interrupted):
        clock.wait(1e6)
    clock.interrupt()
    clock.resume()
    clock.wait(clock.time)


def test_free_clock_jumps():
    clock = FreeClock()
    clock.wait(36e3)
    assert clock.time == 36e3
    clock.wait(1.0)
    assert clock.time == 36e3


def test_wall_clock_passes_by_itself():
    clock = WallClock(slack=0.02)
    begin = monotonic()
    until = clock.time + 0.01
    clock.wait(until)
    assert clock.time >= until
    assert monotonic() - begin >= 0.0099
    assert clock.present(until + 100) == until + 100
    assert clock.present(-1.0) >= until


@pytest.mark.parametrize("clock", [WallClock(), FollowClock()])
def test_interrupt_from_another_thread(clock: Clock):
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises(Interrupted):
            clock.wait(clock.time + 1e6)
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    clock.interrupt()
    assert ended.wait(10)
    thread.join()


def follow(block: float, drag: bool = False) -> list[float]:
    """Currents that a staircase shows when the master's time comes in such blocks."""
    clock = FollowClock(patience=30.0)
    port = FrontEnd(make_cell(RcCell()), PotentiostatConfig(), clock)
    found: list[float] = []

    def firmware() -> None:
        for n in range(1, 31):
            port.control(Control.POTENTIAL, 0.01 * n)
            found.append(port.read(0.1 * n, 0.05).current)
        with pytest.raises(Interrupted):
            clock.wait(1e9)

    port.control(Control.OPEN)  # from now on the master waits for the firmware
    thread = threading.Thread(target=firmware)
    thread.start()
    while clock.time < 3.0:
        clock.advance(clock.time + block)
        if drag:
            port.advance(clock.time)
    clock.interrupt()
    thread.join()
    return found


def test_following_is_deterministic():
    """Whatever the threads do and however the master's time is cut."""
    found = follow(0.013)
    assert len(found) == 30
    assert follow(0.013) == found
    assert follow(0.71) == found
    assert follow(0.013, drag=True) == follow(0.013, drag=True)
    assert follow(0.013, drag=True) == pytest.approx(found, abs=1e-6)


def test_an_idle_firmware_holds_nobody_up():
    clock = FollowClock(patience=0.0)
    port = FrontEnd(make_cell(RcCell()), PotentiostatConfig(), clock)
    clock.advance(10.0)
    port.control(Control.CURRENT, 1e-4)
    assert port.truth[0] == 10.0
    clock.advance(20.0)  # nothing was read: the firmware is idle again
    port.control(Control.OPEN)
    assert port.truth[0] == 20.0


def test_a_skip_clock_leaves_out_long_waits_and_hears_an_interrupt() -> None:
    clock = SkipClock()
    begin = clock.time
    for until in (begin + 1000, begin + 2000):  # the test's own time limit is far less
        clock.wait(until)
    assert clock.time >= begin + 2000
    clock.wait(clock.time + 1e-3)
    clock.interrupt()
    with pytest.raises(Interrupted):
        clock.wait(clock.time + 10)


def test_a_leashed_clock_waits_for_its_clients_next_word() -> None:
    clock, reached = LeashClock(leash=0.5, patience=60.0), threading.Event()

    def readings() -> None:
        for until in (0.4, 2.0, 4.0):
            clock.wait(until)
        reached.set()

    thread = threading.Thread(target=readings)
    thread.start()
    while clock.time < 2.0:  # past the leash by one reading
        sleep(0.001)
    assert not reached.is_set() and clock.time == 2.0
    while not reached.wait(0.01):
        clock.heard()
    thread.join()
    assert clock.time == 4.0


def test_a_leashed_clock_gets_on_without_a_client_and_hears_an_interrupt() -> None:
    clock = LeashClock(leash=0.5, patience=0.001)
    for until in (10.0, 20.0, 30.0):
        clock.wait(until)
    assert clock.time == 30.0
    clock.interrupt()
    with pytest.raises(Interrupted):
        clock.wait(40.0)
