"""Runs an experiment while the keyboard stays answered."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from sicmctl import client
from sicmctl.messages import AnyMessage


def run_answering_keyboard(
    rig: Path,
    experiment: Path,
    out: Path,
    on_message: Callable[[AnyMessage], None],
    aside: Executor | None = None,
) -> client.RunResult:
    """Run in a thread of its own; Ctrl-C ends the run after the present hop, safely.

    aside: as of `client.run`, which also says what is raised.
    """
    stop, over = threading.Event(), threading.Event()
    result: list[client.RunResult] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            done = client.run(rig, experiment, out, on_message, stop, prompt=False, aside=aside)
            result.append(done)
        except BaseException as error:  # handed to the main thread
            failure.append(error)
        finally:
            over.set()

    thread = threading.Thread(target=work, name="run")
    thread.start()
    waiting = True
    while waiting:
        # Not a join: Python 3.11 takes a thread for dead when its join is interrupted. And not
        # without a timeout: that would not see Ctrl-C on Windows.
        try:
            while not over.wait(0.2):
                pass
            waiting = False
        except KeyboardInterrupt:
            stop.set()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]
