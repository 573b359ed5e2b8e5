"""The journal of a run, `RUN.sicmlog`: every message, appended as it happens, checksummed.

The file is a header and then records. All integers are little-endian.

    file header   magic (12 bytes) | version u16 | reserved u16 | crc32 of the 16 bytes before
    record        marker (4 bytes) | number u32 | length u32 | crc32 of the payload
                  | crc32 of the 16 bytes before | payload (`messages.encode`)

A record counts if both its checksums hold. After damage the reader looks for the next marker that
begins such a record; the running number tells how many records lie in between.
"""

import contextlib
import errno
import logging
import mmap
import os
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import msgspec

from sicmctl import messages
from sicmctl.hal.errors import SicmError
from sicmctl.messages import AnyMessage, Message

SUFFIX = ".sicmlog"
VERSION = 1
MAGIC = b"\x89SICMLOG\r\n\x1a\n"[:12]
MARKER = b"\xf5\xfeR\xff"
"""Three of the four bytes never occur in UTF-8, so no text in a message looks like a marker."""
MAX_PAYLOAD = 1 << 28

_HEADER = struct.Struct("<12sHHI")
_RECORD = struct.Struct("<4sIIII")
_log = logging.getLogger(__name__)


class JournalError(SicmError):
    """The journal cannot be written, or the file is no journal."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A stretch of a journal that could not be read.

    offset, size: where, in bytes. records: how many are gone, None if nobody can tell (the tail).
    """

    offset: int
    size: int
    reason: str
    records: int | None = None

    def __str__(self) -> str:
        count = {None: "", 1: "1 record, "}.get(self.records, f"{self.records} records, ")
        return f"{count}{self.size} bytes at byte {self.offset}: {self.reason}"


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
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
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


def file_header(version: int = VERSION) -> bytes:
    """Return the first bytes of a journal."""
    head = _HEADER.pack(MAGIC, version, 0, 0)[:-4]
    return head + struct.pack("<I", crc32(head))


def record(number: int, payload: bytes) -> bytes:
    """Return one record, header and payload."""
    head = _RECORD.pack(MARKER, number & 0xFFFFFFFF, len(payload), crc32(payload), 0)[:-4]
    return head + struct.pack("<I", crc32(head)) + payload


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
            _lose(losses, Loss(offset, len(payload), f"not understood: {error}", 1))
            continue
        yield message


def _records(path: Path, losses: list[Loss]) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, payload) of every intact record."""
    try:
        size = path.stat().st_size
        if not size:
            _lose(losses, Loss(0, 0, "the file is empty"))
            return
        with path.open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as m:
            yield from _scan(m, path, losses)
    except OSError as error:
        raise JournalError(f"cannot read {path}: {error.strerror}") from error


def _scan(data: mmap.mmap, path: Path, losses: list[Loss]) -> Iterator[tuple[int, bytes]]:
    size, expected = len(data), 0
    here = _check_header(data, path)
    if here is None:
        _lose(losses, Loss(0, size, "torn in the file header"))
        return
    while here < size:
        found = _intact(data, here, expected)
        if found is None:
            here, expected, loss = _resynchronise(data, here, expected)
            _lose(losses, loss)
            continue
        number, payload = found
        if number > expected:
            _lose(losses, Loss(here, 0, "records are missing", number - expected))
        yield here, payload
        here, expected = here + _RECORD.size + len(payload), number + 1


def _check_header(data: mmap.mmap, path: Path) -> int | None:
    """Return where records begin, None if there are none."""
    head = data[: _HEADER.size]
    if len(head) < _HEADER.size and file_header().startswith(head):
        return None
    if len(head) == _HEADER.size:
        magic, version, _, check = _HEADER.unpack(head)
        if magic == MAGIC and check == crc32(head[:-4]):
            if version > VERSION:
                raise JournalError(
                    f"{path} is a journal of version {version}; this program reads up to version "
                    f"{VERSION} (update sicmctl)"
                )
            return _HEADER.size
    if _next_intact(data, 0, 0) is None and not head.startswith(MAGIC):
        raise JournalError(f"{path} is not a sicmctl journal")
    return 0


def _intact(data: mmap.mmap, here: int, least: int) -> tuple[int, bytes] | None:
    """Return (number, payload) of the record at `here`, None if it is torn or damaged."""
    head = data[here : here + _RECORD.size]
    if len(head) < _RECORD.size:
        return None
    marker, number, length, check, head_check = _RECORD.unpack(head)
    if marker != MARKER or head_check != crc32(head[:-4]) or number < least:
        return None
    payload = data[here + _RECORD.size : here + _RECORD.size + length]
    return (number, payload) if len(payload) == length and crc32(payload) == check else None


def _next_intact(data: mmap.mmap, start: int, least: int) -> tuple[int, int] | None:
    """Return (offset, number) of the first intact record from `start` on."""
    here = data.find(MARKER, start)
    while here >= 0:
        if found := _intact(data, here, least):
            return here, found[0]
        here = data.find(MARKER, here + 1)
    return None


def _resynchronise(data: mmap.mmap, here: int, expected: int) -> tuple[int, int, Loss]:
    """Return where to go on, the number expected there, and what is lost in between."""
    if found := _next_intact(data, here + 1, expected):
        there, number = found
        reason = "damaged" if number > expected else "damaged, but no record is missing"
        return there, number, Loss(here, there - here, reason, number - expected)
    return len(data), expected, Loss(here, len(data) - here, _why(data, here))


def _why(data: mmap.mmap, here: int) -> str:
    head = data[here : here + _RECORD.size]
    if len(head) < _RECORD.size:
        return "torn in the header of the last record"
    marker, _, length, _, check = _RECORD.unpack(head)
    if marker != MARKER or check != crc32(head[:-4]):
        return "damaged to the end of the file"
    if here + _RECORD.size + length > len(data):
        return "torn in the last record"
    return "the last record is damaged"


def _lose(losses: list[Loss], loss: Loss) -> None:
    _log.warning("journal: lost %s", loss)
    losses.append(loss)


def _sync_directory(path: Path) -> None:
    """Make the name of a new file durable (where the system can)."""
    with contextlib.suppress(OSError, AttributeError):
        directory = os.open(path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
