"""The run file that a process of its own writes beside a run: the same as any, or none."""

import io
import logging
import sys
from pathlib import Path

import pytest

from sicmctl.data import writer
from sicmctl.data.journal import JournalError, JournalFollower, JournalWriter
from sicmctl.data.live import RunFileWriter, follow
from sicmctl.data.runfile import RunFileError
from sicmctl.data.writer import build
from sicmctl.messages import Array, Note, encode

from .echem_runs import echem_run
from .runs import hop, scan_started, small_run
from .test_runfile import content, write_journal

NOTE = Note(time=0.0, text="goes on")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    return build(write_journal(tmp_path / "run.sicmlog", small_run()), tmp_path / "built.h5")


def begun(folder: Path, after: float = 0.0) -> RunFileWriter:
    """One whose process follows the journal of `built` by now, if it was due."""
    live = RunFileWriter(folder / "live.h5", folder / "run.sicmlog", after)
    live.see(NOTE)
    return live


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


ALL = ["built.h5", "live.h5", "run.sicmlog"]


@pytest.mark.parametrize("run", [small_run(), echem_run()], ids=["hops", "techniques"])
def test_it_is_the_same_as_one_from_the_journal(tmp_path: Path, run: list) -> None:
    journal = tmp_path / "run.sicmlog"
    with JournalWriter(journal) as log, RunFileWriter(tmp_path / "live.h5", journal, 0) as live:
        for message in run:
            log.write(message)
            live.see(message)
        assert live.close() == live.close() == tmp_path / "live.h5"
        assert not live.problem
    assert content(tmp_path / "live.h5") == content(build(journal, tmp_path / "built.h5"))
    assert files(tmp_path) == ALL


def test_how_often_it_is_written_does_not_matter(
    tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BATCH", 1)
    follow(tmp_path / "run.sicmlog", tmp_path / "live.h5", io.BytesIO(b"end\n"))
    assert content(tmp_path / "live.h5") == content(built)


def test_a_short_run_starts_no_process(tmp_path: Path, built: Path) -> None:
    live = begun(tmp_path, after=60)
    assert live._process is None
    assert content(live.close()) == content(built)


def test_a_process_that_is_lost_costs_nothing(
    tmp_path: Path, built: Path, caplog: pytest.LogCaptureFixture
) -> None:
    live = begun(tmp_path)
    assert live._process is not None
    live._process.kill()
    live._process.wait()
    live.see(NOTE)
    assert content(live.close()) == content(built)
    assert "is not written during the run: exit code" in caplog.text
    assert files(tmp_path) == ALL


def test_a_process_that_cannot_start_costs_nothing(
    tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    live = begun(tmp_path)
    live.see(NOTE)
    assert content(live.close()) == content(built)
    assert caplog.text.count("No such file") == 1


@pytest.mark.parametrize("hops", [1, writer.BATCH], ids=["in the end", "on the way"])
def test_a_message_that_cannot_be_written_is_told_in_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, hops: int
) -> None:
    bad = hop(scan_started(), 0, curves={"pipette_current": Array("<f4", (7,), b"123")})
    write_journal(tmp_path / "run.sicmlog", [*small_run()[:5], *[bad] * hops])
    live = begun(tmp_path)
    assert live._process is not None
    if hops > 1:
        assert live._process.wait(30) == 1
    with caplog.at_level(logging.ERROR), pytest.raises(ValueError, match="buffer"):
        live.close()
    assert "is not written during the run: ValueError: buffer" in caplog.text
    assert files(tmp_path) == ["run.sicmlog"]


def test_a_run_that_dies_leaves_its_journal_only(tmp_path: Path, built: Path) -> None:
    with pytest.raises(RunFileError, match="has died"):
        follow(tmp_path / "run.sicmlog", tmp_path / "live.h5", io.BytesIO())
    assert files(tmp_path) == ["built.h5", "run.sicmlog"]


def test_damage_is_left_to_whoever_reports_it(tmp_path: Path, built: Path) -> None:
    journal = tmp_path / "run.sicmlog"
    data = journal.read_bytes()
    journal.write_bytes(data[:-3])
    with pytest.raises(JournalError, match="damaged after record"):
        follow(journal, tmp_path / "live.h5", io.BytesIO(b"end\n"))
    live = begun(tmp_path)
    live.close()
    assert "damaged after record" in live.problem
    assert files(tmp_path) == ALL


def test_it_never_overwrites(tmp_path: Path, built: Path) -> None:
    with pytest.raises(RunFileError, match="exists"):
        RunFileWriter(built, tmp_path / "run.sicmlog")


# -- following a journal ---------------------------------------------------------------------------


def test_every_message_is_read_once_and_whole(tmp_path: Path) -> None:
    whole = write_journal(tmp_path / "whole.sicmlog", small_run()).read_bytes()
    growing, found = tmp_path / "run.sicmlog", list[bytes]()
    growing.write_bytes(whole[:20])
    with JournalFollower(growing) as follower, growing.open("ab", buffering=0) as file:
        for at in range(20, len(whole), 777):
            file.write(whole[at : at + 777])
            found += [encode(message) for message in follower.read()]
        follower.finish()
    assert found == [encode(message) for message in small_run()]


def test_what_is_no_journal_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.sicmlog").write_text("no journal, but long enough for one")
    with pytest.raises(JournalError, match="not a journal"):
        JournalFollower(tmp_path / "text.sicmlog")
    with pytest.raises(JournalError, match="cannot read"):
        JournalFollower(tmp_path / "none.sicmlog")


def test_a_missing_record_is_noticed(tmp_path: Path) -> None:
    journal = write_journal(tmp_path / "run.sicmlog", [NOTE, NOTE, NOTE])
    data = journal.read_bytes()
    size = (len(data) - 20) // 3
    journal.write_bytes(data[: 20 + size] + data[20 + 2 * size :])
    with JournalFollower(journal) as follower, pytest.raises(JournalError, match="missing"):
        list(follower.read())
