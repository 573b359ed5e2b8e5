"""Event streams: initial metadata at once, then one message for each event."""
# ruff: noqa: N802

from collections.abc import Iterator
from queue import Empty
from time import monotonic
from typing import Any

from nidaqmx._stubs import nidaqmx_pb2 as pb
from nidaqmx.constants import EveryNSamplesEventType

from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.events import EveryN, Subscription
from simulators.instruments.nidaqmx.rpc import Calls, Context, choice, refuse, rpc
from simulators.instruments.nidaqmx.task import AI, Task
from simulators.instruments.nidaqmx.tasks import UNKNOWN_WAIT

QUIET = 5e-3
"""Seconds without a call after which lockstep takes it that the client waits for an event."""

INTO_BUFFER = EveryNSamplesEventType.ACQUIRED_INTO_BUFFER.value
FROM_BUFFER = EveryNSamplesEventType.TRANSFERRED_FROM_BUFFER.value


class EventCalls(Calls):
    """Every-N-samples and done events."""

    def RegisterEveryNSamplesEvent(self, request: Any, context: Context) -> Iterator[Any]:
        kind = choice(request, "every_n_samples_event_type")
        task, events = self._subscribe(self._every_n, request, context)
        for n in self._events(task, events, context):
            yield pb.RegisterEveryNSamplesEventResponse(
                n_samples=n, every_n_samples_event_type_raw=kind
            )

    def RegisterDoneEvent(self, request: Any, context: Context) -> Iterator[Any]:
        task, events = self._subscribe(self._done, request, context)
        for status in self._events(task, events, context):
            yield pb.RegisterDoneEventResponse(status=status)

    @rpc
    def UnregisterEveryNSamplesEvent(self, request: Any, context: Context) -> Any:
        task = self.task(request)
        task.forbid_running(Code.CANNOT_REGISTER_DA_QMX_SOFTWARE_EVENT_WHILE_TASK_IS_RUNNING)
        if choice(request, "every_n_samples_event_type") == INTO_BUFFER:
            ended, task.input.every = task.input.every, None
        else:
            ended, task.output.every = task.output.every, None
        if ended:
            ended.close()
        return pb.UnregisterEveryNSamplesEventResponse()

    @rpc
    def UnregisterDoneEvent(self, request: Any, context: Context) -> Any:
        task = self.task(request)
        task.forbid_running(Code.CANNOT_REGISTER_DA_QMX_SOFTWARE_EVENT_WHILE_TASK_IS_RUNNING)
        ended, task.done_event = task.done_event, None
        if ended:
            ended.close()
        return pb.UnregisterDoneEventResponse()

    def _subscribe(
        self, register: Any, request: Any, context: Context
    ) -> tuple[Task, Subscription]:
        with self.card.lock:
            try:
                task = self.task(request)
                task.forbid_running(
                    Code.CANNOT_REGISTER_DA_QMX_SOFTWARE_EVENT_WHILE_TASK_IS_RUNNING
                )
                events = register(task, request)
            except CardError as error:
                refuse(context, error)
            self.last_call = monotonic()
        context.add_callback(events.close)
        context.send_initial_metadata(())
        return task, events

    def _every_n(self, task: Task, request: Any) -> EveryN:
        events = EveryN(max(1, request.n_samples))
        if choice(request, "every_n_samples_event_type") == INTO_BUFFER:
            if task.input.every:
                raise CardError(Code.EVERY_N_SAMPS_ACQ_INTO_BUFFER_EVENT_ALREADY_REGISTERED)
            task.input.every = events
        else:
            if task.output.every:
                raise CardError(Code.EVERY_N_SAMPS_TRANSFERRED_FROM_BUFFER_EVENT_ALREADY_REGISTERED)
            task.output.every = events
        return events

    def _done(self, task: Task, request: Any) -> Subscription:
        if task.done_event:
            raise CardError(Code.DONE_EVENT_ALREADY_REGISTERED, f"Task Name: {task.name}")
        task.done_event = Subscription()
        return task.done_event

    def _events(self, task: Task, events: Subscription, context: Context) -> Iterator[int]:
        """Values of the events until the stream ends."""
        patience = QUIET if self.card.pacing.driven else None
        while context.is_active():
            try:
                value = events.queue.get(timeout=patience)
            except Empty:
                self._go_on(task, events, context)
                continue
            if value is None:
                return
            yield value

    def _go_on(self, task: Task, events: Subscription, context: Context) -> None:
        """In lockstep a client that waits for an event waits for time to pass: let it."""
        with self.card.lock:
            quiet = self.under_way == 0 and monotonic() - self.last_call > QUIET
            if not quiet or not task.running or task.done:
                return
            if isinstance(events, EveryN):
                unread = task.kind == AI and not task.timing.finite
                if unread and task.input.available >= events.n:
                    return  # it has been told and has not read yet
                edges = events.missing(task.generated)
            else:
                edges = task.remaining or 1
            until = self.card.engine.now + min(self.card.time_for(task, edges), UNKNOWN_WAIT)
            while self.card.engine.now < until and events.queue.empty():
                self.card.engine.advance(until)
