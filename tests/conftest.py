"""Virtual rigs, and a watch over what tests leave behind."""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from .rigs import Virtual, virtual

_GRACE = 5.0
"""Seconds in which threads and children may still end after a test."""


def _children() -> set[str]:
    """The processes that this one has started and that have not ended, where the system tells."""
    found: set[str] = set()
    for task in Path("/proc/self/task").glob("*/children"):
        try:
            found |= set(task.read_text(encoding="ascii").split())
        except OSError:
            continue  # the thread ended meanwhile
    return found


@pytest.fixture(autouse=True)
def nothing_left_over() -> Iterator[None]:
    """Fail a test that leaves a thread or a child process behind."""
    threads, children = set(threading.enumerate()), _children()
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(_GRACE)
    left = [thread.name for thread in set(threading.enumerate()) - threads]
    assert not left, f"threads left behind: {', '.join(left)}"
    processes = _children() - children
    if processes:
        gc.collect()
        processes = _children() - children
    assert not processes, f"child processes left behind: {', '.join(sorted(processes))}"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Virtual]:
    """A virtual rig in this process, with a small flat sample."""
    with virtual(tmp_path / "lab") as found:
        yield found


@pytest.fixture
def open_rig(tmp_path: Path) -> Callable[[str], AbstractContextManager[Virtual]]:
    """To open a virtual rig from the text of a SIM.toml."""
    return lambda sim: virtual(tmp_path / "lab", sim)
