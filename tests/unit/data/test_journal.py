"""The journal: nothing intact is ever lost, nothing damaged is ever believed."""

import errno
import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sicmctl import messages
from sicmctl.data import journal, records
from sicmctl.data.journal import JournalError, JournalWriter, Loss, read_journal
from sicmctl.messages import AnyMessage, Note

from .runs import small_run


def journal_bytes(run: list[AnyMessage]) -> bytes:
    parts = (records.record(i, messages.encode(m)) for i, m in enumerate(run))
    return records.file_header() + b"".join(parts)


def read(path: Path, data: bytes) -> tuple[list[AnyMessage], list[Loss]]:
    path.write_bytes(data)
    losses: list[Loss] = []
    return list(read_journal(path, losses)), losses


def same(found: list[AnyMessage], expected: list[AnyMessage]) -> bool:
    return [messages.encode(m) for m in found] == [messages.encode(m) for m in expected]


def notes(count: int) -> list[AnyMessage]:
    return [Note(time=float(i), text=f"note {i} " + "x" * (i % 7)) for i in range(count)]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.sicmlog"
    with JournalWriter(path) as writer:
        for message in small_run():
            writer.write(message)
    losses: list[Loss] = []
    assert same(list(read_journal(path, losses)), small_run())
    assert not losses
    assert path.read_bytes() == journal_bytes(small_run())
    assert writer.synced == writer.size == path.stat().st_size


def test_a_cut_at_any_byte_keeps_every_record_before_it(tmp_path: Path) -> None:
    run = notes(4)
    ends = [len(journal_bytes(run[:n])) for n in range(len(run) + 1)]
    whole = journal_bytes(run)
    for cut in range(len(whole) + 1):
        found, losses = read(tmp_path / "cut.sicmlog", whole[:cut])
        count = sum(end <= cut for end in ends[1:])
        assert same(found, run[:count]), cut
        assert bool(losses) == (cut not in ends), cut
        if losses and cut:
            assert losses[0].offset + losses[0].size == cut


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_cuts_and_flips_in_a_larger_journal(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = small_run()
    whole = bytearray(journal_bytes(run))
    ends = [len(journal_bytes(run[:n])) for n in range(len(run) + 1)]
    cut = data.draw(st.integers(ends[0] + 1, len(whole)))
    flips = data.draw(st.lists(st.integers(0, cut - 1), max_size=4, unique=True))
    for place in flips:
        whole[place] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path_factory.mktemp("f") / "f.sicmlog"
    intact = [
        message
        for message, first, end in zip(run, ends, ends[1:], strict=False)
        if end <= cut and not any(first <= place < end for place in flips)
    ]
    if not intact and any(place < len(records.MAGIC) for place in flips):
        with pytest.raises(JournalError):
            read(path, bytes(whole[:cut]))
        return
    found, losses = read(path, bytes(whole[:cut]))
    assert same(found, intact)
    assert bool(losses) == (bool(flips) or cut not in ends)


def test_every_single_bit_flip_costs_one_record_at_most(tmp_path: Path) -> None:
    run = notes(3)
    whole = journal_bytes(run)
    ends = [len(journal_bytes(run[:n])) for n in range(len(run) + 1)]
    for place in range(len(whole)):
        bad = bytearray(whole)
        bad[place] ^= 0x10
        found, _ = read(tmp_path / "flip.sicmlog", bytes(bad))
        lost = [i for i in range(3) if ends[i] <= place < ends[i + 1]]
        assert same(found, [m for i, m in enumerate(run) if i not in lost])


def test_damage_in_the_middle_is_told(tmp_path: Path) -> None:
    run = notes(6)
    first, last = len(journal_bytes(run[:2])), len(journal_bytes(run[:4]))
    whole = journal_bytes(run)
    found, losses = read(tmp_path / "a", whole[:first] + bytes(last - first) + whole[last:])
    assert same(found, run[:2] + run[4:])
    assert [(x.offset, x.size, x.records) for x in losses] == [(first, last - first, 2)]
    assert "2 records" in str(losses[0])
    found, losses = read(tmp_path / "b", whole[:first] + whole[last:])
    assert same(found, run[:2] + run[4:])
    assert losses[0].records == 2
    found, losses = read(tmp_path / "c", whole[: first + 5] + whole[first:])
    assert same(found, run)
    assert losses[0].records == 0


def test_zeros_after_a_power_cut(tmp_path: Path) -> None:
    found, losses = read(tmp_path / "z", journal_bytes(notes(2)) + bytes(5000))
    assert len(found) == 2
    assert losses[0].size == 5000


def test_an_unknown_message_is_told(tmp_path: Path) -> None:
    run = notes(2)
    data = journal_bytes(run) + records.record(2, b"\x81\xa4type\xa3new")
    found, losses = read(tmp_path / "n", data)
    assert same(found, run)
    assert "not understood" in losses[0].reason


def test_files_that_are_no_journal(tmp_path: Path) -> None:
    (tmp_path / "no").write_bytes(b"hello, this is a text file of some length")
    with pytest.raises(JournalError, match="not a sicmctl journal"):
        list(read_journal(tmp_path / "no"))
    (tmp_path / "newer").write_bytes(records.file_header(version=99))
    with pytest.raises(JournalError, match="version 99"):
        list(read_journal(tmp_path / "newer"))
    with pytest.raises(JournalError, match="cannot read"):
        list(read_journal(tmp_path / "missing"))


def test_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "run.sicmlog"
    path.write_text("precious")
    with pytest.raises(JournalError, match="never overwritten"):
        JournalWriter(path)
    assert path.read_text() == "precious"
    with pytest.raises(JournalError, match="cannot create"):
        JournalWriter(tmp_path / "nowhere" / "run.sicmlog")


def test_a_full_disk_leaves_a_whole_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.sicmlog"
    run = notes(3)
    real = os.write

    def full(file: int, data: bytes) -> int:
        if len(data) > 10:
            return real(file, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with JournalWriter(path) as writer:
        writer.write(run[0])
        with monkeypatch.context() as patch:
            patch.setattr(journal.os, "write", full)
            with pytest.raises(JournalError, match=r"No space left.*make room"):
                writer.write(run[1])
        assert path.read_bytes() == journal_bytes(run[:1])
        writer.write(run[1])
    assert same(list(read_journal(path)), run[:2])


def test_a_failed_sync_stops_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    writer = JournalWriter(tmp_path / "run.sicmlog", interval=0.01)
    monkeypatch.setattr(journal.os, "fsync", broken)
    writer.write(Note(time=0.0, text="a"))
    until = time.monotonic() + 5
    with pytest.raises(JournalError, match="Input/output"):
        while time.monotonic() < until:
            writer.write(Note(time=0.0, text="b"))
            time.sleep(0.01)
    with pytest.raises(JournalError):
        writer.close()
    writer.close()


def test_syncs_by_itself(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "run.sicmlog", interval=0.02) as writer:
        writer.write(Note(time=0.0, text="a"))
        until = time.monotonic() + 5
        while writer.synced < writer.size and time.monotonic() < until:
            time.sleep(0.005)
        assert writer.synced == writer.size
    with pytest.raises(JournalError, match="closed"):
        writer.write(Note(time=0.0, text="late"))


def test_many_threads(tmp_path: Path) -> None:
    path = tmp_path / "run.sicmlog"

    def work(author: str) -> None:
        for i in range(50):
            writer.write(Note(time=float(i), text="x" * i, author=author))

    with JournalWriter(path) as writer:
        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    losses: list[Loss] = []
    found = [m for m in read_journal(path, losses) if isinstance(m, Note)]
    assert not losses
    for name in "abcd":
        assert [m.time for m in found if m.author == name] == [float(i) for i in range(50)]


def test_reading_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "run.sicmlog"
    with JournalWriter(path) as writer:
        writer.write(Note(time=0.0, text="a"))
        assert len(list(read_journal(path))) == 1
