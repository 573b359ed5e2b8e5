"""What all calls share: the card's lock, and errors delivered the way NI's server does."""

from collections.abc import Callable
from functools import wraps
from time import monotonic
from typing import Any, NoReturn

import grpc
from session_pb2 import Session

from simulators.instruments.nidaqmx.card import Card
from simulators.instruments.nidaqmx.errors import CardError
from simulators.instruments.nidaqmx.task import Task

Context = grpc.ServicerContext


class Calls:
    """The card behind the calls, and how busy the client is."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self.under_way = 0
        self.last_call = monotonic()

    def task(self, request: Any) -> Task:
        """The task a request is about."""
        return self.card.task(request.task.name)


def rpc(method: Callable[..., Any]) -> Callable[..., Any]:
    """Make a method a call: one at a time, its `CardError` NI's error."""

    @wraps(method)
    def call(self: Calls, request: Any, context: Context) -> Any:
        with self.card.lock:
            self.under_way += 1
            try:
                return method(self, request, context)
            except CardError as error:
                refuse(context, error)
            finally:
                self.under_way -= 1
                self.last_call = monotonic()

    return call


def refuse(context: Context, error: CardError) -> NoReturn:
    """End a call with NI's code and counts in the trailing metadata."""
    trailing = [("ni-error", str(error.code))]
    if error.read is not None:
        trailing.append(("ni-samps-per-chan-read", str(error.read)))
    if error.written is not None:
        trailing.append(("ni-samps-per-chan-written", str(error.written)))
    context.set_trailing_metadata(tuple(trailing))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))
    raise AssertionError  # abort raises


def session(name: str) -> Session:
    """A task handle as it goes over the wire."""
    return Session(name=name)


def choice(request: Any, name: str) -> int:
    """An enum argument, which a client may send by its enum or raw."""
    return getattr(request, f"{name}_raw") or getattr(request, name)
