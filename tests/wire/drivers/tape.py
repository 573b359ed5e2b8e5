"""A link on which only a recorded dialogue can take place.

`> ` begins a line that the driver must send next, `< ` one that it is sent.
"""

from collections import deque

OPENED = "the link is opened"
REFUSED = "the link cannot be opened"
LOST = "the link is lost"
SILENCE = "no answer"


class Tape:
    """The instrument's side of a dialogue; what is unsent or unread in the end is an error."""

    def __init__(self, *dialogue: str) -> None:
        self._left = deque(dialogue)
        self._open = False

    def open(self) -> None:
        self.close()
        if self._next((OPENED, REFUSED)) == REFUSED:
            raise ConnectionRefusedError(111, "Connection refused")
        self._open = True

    def write(self, data: bytes) -> None:
        self._refuse_if_closed()
        assert data.endswith(b"\n")
        line = data[:-1].decode("ascii")
        assert self._left, f"sent {line!r} when the dialogue was over"
        assert f"> {line}" == self._left.popleft()

    def line(self, timeout: float) -> bytes | None:
        self._refuse_if_closed()
        if self._left and self._left[0].startswith("< "):
            return self._left.popleft()[2:].encode("latin-1")
        if self._left and self._left[0] == SILENCE:
            self._left.popleft()
        return None

    def close(self) -> None:
        self._open = False

    @property
    def left(self) -> list[str]:
        """What did not take place."""
        return list(self._left)

    def _next(self, allowed: tuple[str, ...]) -> str:
        assert self._left, "opened when the dialogue was over"
        assert self._left[0] in allowed, f"opened before {self._left[0]!r}"
        return self._left.popleft()

    def _refuse_if_closed(self) -> None:
        if self._left and self._left[0] == LOST:
            self._left.popleft()
            self._open = False
        if not self._open:
            raise ConnectionError("the link is closed")
