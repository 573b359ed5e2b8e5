"""The journal of a run, `RUN.sicmlog`: every message, appended as it happens, checksummed."""

import contextlib
import errno
import logging
import mmap
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from sicmctl import messages
from sicmctl.messages import AnyMessage, Message

from .records import (
    MAX_PAYLOAD,
    JournalError,
    Loss,
    file_header,
    intact,
    lose,
    record,
    record_size,
    scan,
)

__all__ = ["SUFFIX", "JournalError", "JournalFollower", "JournalWriter", "Loss", "read_journal"]

SUFFIX = ".sicmlog"
_log = logging.getLogger(__name__)


class JournalWriter:
    """Appends messages to a new journal. Safe to use from several threads.

    Each record goes to the operating system at once, so the death of the program loses nothing;
    a thread of its own syncs it to the disk twice a second, so a power cut loses less than one.
    """

    def __init__(self, path: Path | str, interval: float = 0.5) -> None:
        """Create the journal. Raises JournalError if the file exists or cannot be made."""
        self.path = Path(path)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._error: OSError | None = None
        self._number = self._size = self._synced = 0
        try:
            binary = getattr(os, "O_BINARY", 0)  # Windows would write CR LF for LF
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, 0o644)
        except FileExistsError:
            raise JournalError(
                f"{self.path} exists; a journal is never overwritten (choose another name)"
            ) from None
        except OSError as error:
            raise JournalError(f"cannot create {self.path}: {error.strerror}") from error
        self._open = True
        try:
            self._append(file_header())
            os.fsync(self._file)
            _sync_directory(self.path.parent)
        except BaseException:
            os.close(self._file)
            raise
        self._synced = self._size
        self._thread = threading.Thread(
            target=self._sync_often, args=(interval,), name="journal sync", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> "JournalWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._size

    @property
    def synced(self) -> int:
        """Bytes that are on the disk."""
        return self._synced

    def write(self, message: Message) -> None:
        """Append one message.

        Raises JournalError if it cannot be written whole (disk full). The file then still ends
        with the last whole record, and a later write may succeed.
        """
        payload = messages.encode(message)
        if len(payload) > MAX_PAYLOAD:
            raise JournalError(f"{self.path}: a message of {len(payload)} bytes is too large")
        with self._lock:
            if not self._open:
                raise JournalError(f"{self.path} is closed")
            if self._error:
                raise self._failed(self._error)
            self._append(record(self._number, payload))
            self._number += 1

    def sync(self) -> None:
        """Bring everything written so far to the disk. Raises JournalError if that fails."""
        with self._lock:
            size = self._size
        if size == self._synced:
            return
        try:
            os.fsync(self._file)
        except OSError as error:
            self._error = error  # what the kernel failed to write it may forget: do not go on
            raise self._failed(error) from error
        self._synced = size

    def close(self) -> None:
        """Sync and close. Raises JournalError if the last sync fails. May be called again."""
        self._closing.set()
        self._thread.join()
        with self._lock:
            if not self._open:
                return
            self._open = False
        try:
            self.sync()
        finally:
            os.close(self._file)

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
                os.lseek(self._file, self._size, os.SEEK_SET)
            raise self._failed(error) from error
        self._size += len(data)

    def _sync_often(self, interval: float) -> None:
        while not self._closing.wait(interval):
            try:
                self.sync()
            except JournalError:
                _log.exception("the journal cannot be synced")
                return

    def _failed(self, error: OSError) -> JournalError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return JournalError(
                f"cannot write {self.path}: {error.strerror}; what was written before is intact "
                "(make room on the disk)"
            )
        return JournalError(f"cannot write {self.path}: {error.strerror}")


def read_journal(path: Path | str, losses: list[Loss] | None = None) -> Iterator[AnyMessage]:
    """Yield every intact message of a journal, in order, in bounded memory.

    What cannot be read is skipped, logged, and appended to `losses`. Raises JournalError if the
    file cannot be opened, is no journal at all, or is of a newer version.
    """
    losses = [] if losses is None else losses
    for offset, payload in _records(Path(path), losses):
        try:
            message = messages.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            lose(losses, Loss(offset, len(payload), f"not understood: {error}", 1))
            continue
        yield message


class JournalFollower:
    """Reads a journal that is still being written: every message once, as soon as it is whole."""

    def __init__(self, path: Path | str) -> None:
        """Raises JournalError if there is no journal whose header is written."""
        self.path = Path(path)
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            raise JournalError(f"cannot read {self.path}: {error.strerror}") from error
        header = file_header()
        if self._file.read(len(header)) != header:
            self._file.close()
            raise JournalError(f"{self.path} is not a journal that was begun by this program")
        self._rest = b""
        self._number = 0

    def __enter__(self) -> "JournalFollower":
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def read(self) -> Iterator[AnyMessage]:
        """Yield the messages that were added since."""
        data, here = self._rest + self._file.read(), 0
        while found := intact(data, here, self._number):
            number, payload = found
            if number > self._number:
                raise JournalError(f"{self.path}: records are missing before number {number}")
            yield messages.decode(payload)
            here += record_size(payload)
            self._number += 1
        self._rest = data[here:]

    def finish(self) -> None:
        """Raise JournalError if what was read ends with something else than a message."""
        if self._rest:
            raise JournalError(f"{self.path}: damaged after record {self._number}")


def _records(path: Path, losses: list[Loss]) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, payload) of every intact record."""
    try:
        size = path.stat().st_size
        if not size:
            lose(losses, Loss(0, 0, "the file is empty"))
            return
        with path.open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as m:
            yield from scan(m, path, losses)
    except OSError as error:
        raise JournalError(f"cannot read {path}: {error.strerror}") from error


def _sync_directory(path: Path) -> None:
    """Make the name of a new file durable (where the system can)."""
    with contextlib.suppress(OSError, AttributeError):
        directory = os.open(path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
