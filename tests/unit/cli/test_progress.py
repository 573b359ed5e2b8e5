"""What the console says of a run."""

import pytest

from sicmctl.cli.progress import RunConsole
from sicmctl.messages import Alarm, AnyMessage, Note, RunEnded, ScanEnded


def said(capsys: pytest.CaptureFixture[str], *messages: AnyMessage) -> str:
    with RunConsole() as console:
        for message in messages:
            console(message)
    return " ".join(capsys.readouterr().err.split())


def test_at_the_end_of_a_scan_it_says_what_hops_took(capsys: pytest.CaptureFixture[str]) -> None:
    timing = {"hop_time": 31.2e-3, "least_time": 22.04e-3, "duty": 0.612}
    told = said(capsys, ScanEnded(time=9.0, scan=1, outcome="done", timing=timing))
    assert told == (
        "scan 1: hops: 31.2 ms each (median); the stage itself needs 22 ms; "
        "approaching 61% of the time"
    )


def test_a_scan_without_two_hops_took_no_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, ScanEnded(time=9.0, scan=1, outcome="failed")) == ""


def test_alarms_notes_and_the_reason_of_the_end_are_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = said(
        capsys,
        Alarm(time=1.0, level="warning", source="reaction", text="late", remedy="wait"),
        Note(time=2.0, text="cell on"),
        RunEnded(time=3.0, outcome="failed", reason="no current"),
        RunEnded(time=3.0, outcome="done"),
    )
    assert told == "warning: reaction: late (wait) note: cell on failed: no current"
