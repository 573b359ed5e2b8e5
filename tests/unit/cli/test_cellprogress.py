"""What the console says of a technique."""

import pytest

from sicmctl.cli.cellprogress import begun, duration, live, over
from sicmctl.cli.progress import RunConsole
from sicmctl.messages import EchemEnded, EchemProgress, EchemStarted

STARTED = EchemStarted(
    time=0.0, echem=2, technique="gcpl", title="Formation", steps=15, duration=36000.0, present=3.1
)
PROGRESS = EchemProgress(
    time=5.0, echem=2, step=3, steps=15, kind="held current", label="charge", loop=1, cycle=0,
    potential=3.4123, current=-1.9e-5, charge=4e-3, elapsed=5.0, left=3723.0,
)  # fmt: skip
NUMBERS = "E 3.412 V, I -19 uA, Q 4 mC, step 4 of 15 (charge), cycle 2, at most 1 h 02 min left"


def test_begin_and_end() -> None:
    assert (
        begun(STARTED) == 'echem 2: gcpl "Formation", 15 steps, at most 10 h 00 min, cell at 3.1 V'
    )
    done = EchemEnded(time=9.0, echem=2, outcome="done", rest="ocp")
    assert over(done) == "echem 2: done, cell at rest (ocp)"
    lost = EchemEnded(time=9.0, echem=2, outcome="failed", reason="gone")
    assert over(lost) == "echem 2: failed, THE CELL MAY STILL BE ON"


def test_live_numbers() -> None:
    import msgspec

    assert live(PROGRESS) == NUMBERS
    cv = msgspec.structs.replace(
        PROGRESS, kind="cycles", label="cv", loop=0, cycle=4, current=float("nan"), flags=1 | 2 | 4
    )
    assert live(cv) == (
        "E 3.412 V, Q 4 mC, step 4 of 15 (cv), cycle 5, at most 1 h 02 min left, "
        "OVERLOAD, COMPLIANCE"
    )


def test_durations() -> None:
    assert [duration(s) for s in (1.25, 59, 61, 3600 * 130)] == [
        "1.2 s", "59 s", "1 min 01 s", "130 h 00 min",
    ]  # fmt: skip


def test_plain_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with RunConsole() as console:
        console(STARTED)
        console(PROGRESS)
        console(PROGRESS)  # at once: not worth a second line
        console(EchemEnded(time=9.0, echem=2, outcome="done", rest="ocp"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        'echem 2: gcpl "Formation", 15 steps, at most 10 h 00 min, cell at 3.1 V',
        f"echem 2: {NUMBERS}",
        "echem 2: done, cell at rest (ocp)",
    ]
