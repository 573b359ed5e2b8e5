"""The instrument's end of a pseudo-terminal."""

import contextlib
import os
import pty
import select
import threading
import tty
from pathlib import Path

CHUNK = 4096
PATIENCE = 2.0
"""Seconds for which output waits for a client to read, before it is lost."""


class Terminal:
    """Opens a pseudo-terminal and puts a symbolic link to it at `link`."""

    def __init__(self, link: Path, closing: threading.Event) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._link = link
        self._closing = closing
        self._open = True
        self._choked = False
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(f".{link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(link)

    def fileno(self) -> int:
        """For a selector."""
        return self._master

    def read(self) -> bytes:
        """What a client has written."""
        try:
            return os.read(self._master, CHUNK)
        except (BlockingIOError, InterruptedError):
            return b""

    def sendall(self, data: bytes) -> None:
        """Write; what nobody reads for a while is dropped."""
        waited = PATIENCE if self._choked else 0.0
        while data and self._open and not self._closing.is_set():
            try:
                data = data[os.write(self._master, data) :]
                waited, self._choked = 0.0, False
                continue
            except BlockingIOError:
                pass
            if waited >= PATIENCE:
                self._choked = True
                return
            select.select([], [self._master], [], 0.05)
            waited += 0.05

    def close(self) -> None:
        """Hang up."""
        if not self._open:
            return
        self._open = False
        with contextlib.suppress(OSError):
            self._link.unlink()
        os.close(self._slave)
        os.close(self._master)
