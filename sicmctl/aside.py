"""A second process that computes for a run, on a core of its own.

What a run need not know before the next hop (heights, the tip) takes time that the next hop needs.
Threads would not help: one at a time computes in a Python process.
"""

import gc
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import IO, Any, TypeVar

_PATIENCE = 10.0
"""Time for the process to end once there is nothing left for it to do, s."""
T = TypeVar("T")
_log = logging.getLogger(__name__)


class Aside(Executor):
    """Calls functions in a process of its own, one after the other.

    It starts at the first call. Functions are known by module and name, arguments and results are
    pickled. If the process is lost, what is asked of it is done here instead.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = ThreadPoolExecutor(1, "aside")
        self._starting = threading.Lock()
        self._lost = self._abandoned = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a function called soon."""
        return self._thread.submit(self._call, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Finish what was asked, then end the process."""
        self._thread.shutdown(wait=True, cancel_futures=cancel_futures)
        if self._process is not None:
            self._end(self._process)
            self._process = None

    def abandon(self) -> None:
        """Let go of all that was asked, without waiting for what is under way."""
        with self._starting:
            self._abandoned = True
            if self._process is not None:
                self._process.kill()

    def _call(self, fn: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
        if self._lost:
            return fn(*args, **kwargs)
        try:
            with self._starting:
                if self._abandoned:
                    raise CancelledError
                self._process = self._process or _start()
            done, value = _ask(self._process, (fn, args, kwargs))
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            if self._abandoned:
                raise CancelledError from None
            _log.warning("the process aside is lost (%s): computing in this one", error)
            self._lost = True
            return fn(*args, **kwargs)
        if done:
            return value
        raise value

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        try:
            process.communicate(timeout=_PATIENCE)  # closes its input, at whose end it stops
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
            process.communicate()


@contextmanager
def aside_if_it_helps() -> Iterator[Aside | None]:
    """A process aside where there is a second core for it, otherwise None.

    Whatever is raised, Ctrl-C too, does not wait for it.
    """
    if (os.cpu_count() or 1) < 2:
        yield None
        return
    with Aside() as aside:
        try:
            yield aside
        except BaseException:
            aside.abandon()
            raise


def soon(executor: Executor | None, fn: Callable[..., T], *args: Any) -> Future[T]:
    """Have a function called, at once if there is nobody else to do it."""
    if executor is not None:
        return executor.submit(fn, *args)
    done: Future[T] = Future()
    done.set_result(fn(*args))
    return done


def _start() -> subprocess.Popen[bytes]:
    # one thread of BLAS: more would spin on the core that the run needs
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-m", "sicmctl.aside"]  # -P: nothing from where we are
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)


def _ask(process: subprocess.Popen[bytes], what: tuple) -> tuple[bool, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    # at once: a thread that waits for many small writes keeps taking the interpreter from the run
    process.stdin.write(pickle.dumps(what, pickle.HIGHEST_PROTOCOL))
    process.stdin.flush()
    return pickle.load(process.stdout)


def serve(asked: IO[bytes], answers: IO[bytes]) -> None:
    """Do what is asked until there is no more."""
    while True:
        try:
            fn, args, kwargs = pickle.load(asked)
        except EOFError:
            return
        try:
            answer = pickle.dumps((True, fn(*args, **kwargs)), pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            answer = pickle.dumps((False, error), pickle.HIGHEST_PROTOCOL)  # whoever asked hears it
        answers.write(answer)
        answers.flush()


def prepare(*modules: str) -> None:
    """Import what is slow to import."""
    for module in modules:
        growing(import_module, module)


def growing(fn: Callable[..., T], *args: Any) -> T:
    """Call what makes much that stays, and look for no garbage meanwhile: a fifth of the time."""
    usual = gc.isenabled()
    gc.disable()
    try:
        return fn(*args)
    finally:
        if usual:
            gc.enable()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which ends this process
    serve(sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)  # all is told; to take the modules down one by one would keep the run waiting
