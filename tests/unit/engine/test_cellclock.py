"""The time of a run while the cell is worked, with and without a card."""

import threading

import numpy as np
import pytest

from sicmctl.engine.cellclock import HostClock, StreamClock
from sicmctl.hal.capabilities import Block
from sicmctl.hal.errors import StreamOverflow

RATE = 1000.0
LOST = StreamOverflow("card", "read", "samples were lost")


class Card:
    """A stream that gives blocks as they are let through, then what it is told to raise."""

    def __init__(self) -> None:
        self.let = threading.Semaphore(1)
        self.given = 0
        self.error: Exception | None = None
        self.news = threading.Event()

    def read(self, seconds: float) -> Block:
        self.news.set()
        self.let.acquire()
        if self.error is not None:
            raise self.error
        n = round(seconds * RATE)
        first, self.given = self.given, self.given + n
        return Block(first, (), np.empty((0, n)))


def test_the_computers_clock_rises_and_never_falls_behind_what_was_seen() -> None:
    clock = HostClock()
    first = clock.now().time
    assert 0 <= first < 60
    clock.saw(3600.0)
    assert 3600 <= clock.now().time < 3700
    clock.saw(10.0)
    assert clock.now().time >= 3600


def test_the_cards_samples_make_the_time() -> None:
    card = Card()
    with StreamClock(card.read, RATE) as clock:
        stamp = clock.now()
        assert stamp.time == pytest.approx(0.075)  # the middle of the block that is being read
        assert stamp.uncertainty == pytest.approx(0.05 / 12**0.5)
        clock.saw(99.0)
        assert clock.now() == stamp
        card.let.release()  # the block after the one that is being waited for
        card.let.release()  # and the last, which lets the reader see that it is over


def test_a_card_that_fails_ends_what_runs_beside_it() -> None:
    card = Card()
    clock = StreamClock(card.read, RATE)
    with clock:
        card.error = LOST
        card.let.release()
    for ask in (clock.now, lambda: clock.saw(1.0)):
        with pytest.raises(StreamOverflow, match="samples were lost"):
            ask()
