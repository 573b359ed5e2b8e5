"""Runs an experiment while the keyboard stays answered."""

import threading
from collections.abc import Callable
from pathlib import Path

from sicmctl import client
from sicmctl.messages import AnyMessage


def run_answering_keyboard(
    rig: Path, experiment: Path, out: Path, on_message: Callable[[AnyMessage], None]
) -> client.RunResult:
    """Run in a thread of its own; Ctrl-C ends the run after the present hop, safely.

    Raises what the run raises.
    """
    stop = threading.Event()
    result: list[client.RunResult] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            result.append(client.run(rig, experiment, out, on_message, stop))
        except BaseException as error:  # handed to the main thread
            failure.append(error)

    thread = threading.Thread(target=work, name="run")
    thread.start()
    over = False
    while not over:
        try:
            while thread.is_alive():
                thread.join(0.2)  # a join without end would not see Ctrl-C on Windows
            over = True
        except KeyboardInterrupt:
            stop.set()
    if failure:
        raise failure[0]
    return result[0]
