"""The records of a journal: how they are laid out, and how to find them after damage.

All integers are little-endian.

    file header   magic (12 bytes) | version u16 | reserved u16 | crc32 of the 16 bytes before
    record        marker (4 bytes) | number u32 | length u32 | crc32 of the payload
                  | crc32 of the 16 bytes before | payload (`messages.encode`)

A record counts if both its checksums hold. After damage the reader looks for the next marker that
begins such a record; the running number tells how many records lie in between.
"""

import logging
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from sicmctl.hal.errors import SicmError

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


def file_header(version: int = VERSION) -> bytes:
    """Return the first bytes of a journal."""
    head = _HEADER.pack(MAGIC, version, 0, 0)[:-4]
    return head + struct.pack("<I", crc32(head))


def record(number: int, payload: bytes) -> bytes:
    """Return one record, header and payload."""
    head = _RECORD.pack(MARKER, number & 0xFFFFFFFF, len(payload), crc32(payload), 0)[:-4]
    return head + struct.pack("<I", crc32(head)) + payload


def record_size(payload: bytes) -> int:
    """Return the size of a whole record, bytes."""
    return _RECORD.size + len(payload)


def scan(data: mmap.mmap, path: Path, losses: list[Loss]) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, payload) of every intact record; append the rest to `losses`."""
    size, expected = len(data), 0
    here = _check_header(data, path)
    if here is None:
        lose(losses, Loss(0, size, "torn in the file header"))
        return
    while here < size:
        found = intact(data, here, expected)
        if found is None:
            here, expected, loss = _resynchronise(data, here, expected)
            lose(losses, loss)
            continue
        number, payload = found
        if number > expected:
            lose(losses, Loss(here, 0, "records are missing", number - expected))
        yield here, payload
        here, expected = here + record_size(payload), number + 1


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


def intact(data: mmap.mmap | bytes, here: int, least: int) -> tuple[int, bytes] | None:
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
        if found := intact(data, here, least):
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


def lose(losses: list[Loss], loss: Loss) -> None:
    """Log and remember a loss."""
    _log.warning("journal: lost %s", loss)
    losses.append(loss)
