"""A process aside: it answers in order, tells of errors, and may be lost without harm."""

import gc
import logging
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future

import numpy as np
import pytest

from sicmctl.aside import Aside, aside_if_it_helps, growing, soon


@pytest.fixture
def aside() -> Iterator[Aside]:
    with Aside() as aside:
        yield aside


def test_it_computes_in_another_process(aside: Aside) -> None:
    assert aside.submit(os.getpid).result() != os.getpid()


def test_arrays_come_back_as_they_are_and_in_order(aside: Aside) -> None:
    asked = [np.arange(n, dtype=float) for n in (3, 100_000, 0)]
    answers = [aside.submit(np.sqrt, values) for values in asked]
    for values, answer in zip(asked, answers, strict=True):
        np.testing.assert_array_equal(answer.result(), np.sqrt(values))


def test_errors_reach_whoever_asked_and_the_next_call_is_answered(aside: Aside) -> None:
    with pytest.raises(ValueError, match="math domain error"):
        aside.submit(math.sqrt, -1.0).result()
    with pytest.raises(TypeError, match="pickle"):
        aside.submit(threading.Lock).result()
    assert aside.submit(math.sqrt, 4.0).result() == 2


def test_what_was_asked_of_a_lost_process_is_done_here(
    aside: Aside, caplog: pytest.LogCaptureFixture
) -> None:
    os.kill(aside.submit(os.getpid).result(), signal.SIGTERM)
    with caplog.at_level(logging.WARNING):
        assert aside.submit(os.getpid).result() == os.getpid()
        assert aside.submit(math.sqrt, 9.0).result() == 3
    assert caplog.text.count("computing in this one") == 1


def test_it_is_gone_at_the_end() -> None:
    with Aside() as aside:
        aside.submit(os.getpid).result()
        process = aside._process
    assert process is not None
    assert process.poll() == 0


def test_without_anybody_aside_it_is_done_at_once() -> None:
    calls = list[int]()
    asked = soon(None, calls.append, 1)
    assert calls == [1]
    assert asked.done()
    assert soon(None, math.sqrt, 16.0).result() == 4


@pytest.mark.parametrize("begun", [False, True])
def test_whoever_is_interrupted_does_not_wait(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, begun: bool
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    asked = list[Future[None]]()
    with pytest.raises(KeyboardInterrupt), aside_if_it_helps() as aside:
        assert aside is not None
        if begun:
            aside.submit(os.getpid).result()
        asked += [aside.submit(time.sleep, 3600) for _ in range(2)]
        raise KeyboardInterrupt
    assert len(asked) == 2
    for future in asked:
        assert isinstance(future.exception(), CancelledError)
    assert not caplog.text


def test_no_garbage_is_looked_for_while_much_is_made() -> None:
    assert gc.isenabled()
    assert not growing(gc.isenabled)
    with pytest.raises(ValueError, match="math domain error"):
        growing(math.sqrt, -1.0)
    assert gc.isenabled()
