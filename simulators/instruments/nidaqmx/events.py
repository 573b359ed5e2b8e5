"""Events a client can subscribe to; each subscription is a queue that a stream drains."""

from queue import SimpleQueue


class Subscription:
    """A stream of event messages; None ends it."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[int | None] = SimpleQueue()

    def put(self, value: int) -> None:
        """Send one event: the sample count or status it carries."""
        self.queue.put(value)

    def close(self) -> None:
        """End the stream."""
        self.queue.put(None)


class EveryN(Subscription):
    """One event for each `n` samples per channel."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n
        self.sent = 0

    def restart(self) -> None:
        """Count from zero again, as a task does at each start."""
        self.sent = 0

    def count(self, total: int) -> None:
        """Send what is due at `total` samples per channel."""
        while (self.sent + 1) * self.n <= total:
            self.sent += 1
            self.put(self.n)

    def missing(self, total: int) -> int:
        """Samples per channel until the next event."""
        return (self.sent + 1) * self.n - total
