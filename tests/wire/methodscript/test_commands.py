"""The communication layer, byte by byte."""

from collections.abc import Callable

import pytest

from .conftest import Bench

FOREVER = "e\nset_pgstat_mode 3\ncell_on\nvar p\nvar c\nmeas_loop_ca p c 100m 100m 10k\nendloop\n\n"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("t\n", "tes4_lr1500#Mar 12 2026 14:28:01\nR*\n"),
        ("i\n", "iVIRTUAL001\n"),
        ("v\n", "v01.09.00\n"),
        ("\n", "\n"),
        ("\r\n", "\n"),
        ("t\r\n", "tes4_lr1500#Mar 12 2026 14:28:01\nR*\n"),
        ("\x11i\x13\n", "iVIRTUAL001\n"),
        ("fail\n", "f!0003\n"),
        ("tt\n", "t!0003\n"),
        ("Z\n", "Z!0006\n"),
        ("Y\n", "Y!0006\n"),
        ("h\n", "h!0006\n"),
        ("H\n", "H!0006\n"),
        ("R\n", "R!0006\n"),
        ("r\n", "r!000C\n"),
        ("Fmscr\n", "F!000C\n"),
        ("Lmscr\n", "L!000C\n"),
        ("G08\n", "G00\n"),
        ("GFF\n", "G!0004\n"),
        ("Gxy\n", "G!006D\n"),
        ("G8\n", "G!004C\n"),
        ("G\n", "G!0003\n"),
        ("S0801\n", "S\n"),
        ("S0801\nG08\n", "S\nG01\n"),
        ("S06AB\n", "S!0005\n"),
        ("S08\n", "S!004B\n"),
        ("S08zz\n", "S!006D\n"),
        ("S080000\n", "S!0053\n"),
        ("t" * 300 + "\n", "t!0008\n"),
        ('e\nsend_string "Hello world!"\n\n', "e\nTHello world!\n\n"),
        ('l\nsend_string "a"\n\n', "l\n"),
        ('l\nsend_string "a"\n\nr\n', "l\nr\nTa\n\n"),
        ("e\n\n", "e\n\n"),
        ("e\nfail\n\n", "e!4001: Line 1, Col 5\n"),
        ("e\ninvalid_command\n\n", "e!4001: Line 1, Col 16\n"),
        ("l\nfail\n\n", "l!4001: Line 1, Col 5\n"),
        ("e\n" + "a" * 256 + "\n\n", "e!0008: Line 1\n"),
    ],
)
def test_answers(bench: Bench, said: str, answer: str) -> None:
    assert bench.ask(said) == answer


def test_capabilities_are_bit_fields(bench: Bench) -> None:
    comm, script = bench.ask("CC\n"), bench.ask("CM\n")
    assert comm.startswith("CC") and len(comm) == len(script) == 67
    bits = int(comm[2:], 16)
    assert all(bits >> n & 1 for n in (1, 32, 33, 34, 35, 36, 37, 38, 48, 49, 96, 97, 98, 99, 101))
    known = int(script[2:], 16)
    assert all(known >> n & 1 for n in (1, 3, 21, 24, 28, 31, 67, 70))
    assert not known >> 118 & 1


def test_the_pico_controls_no_current(bench_of: Callable[[str], Bench]) -> None:
    pico = bench_of("emstat-pico")
    assert not int(pico.ask("CM\n")[2:], 16) >> 67 & 1
    assert pico.ask("e\nset_i 0\n\n") == "e!001B: Line 1, Col 6\n"
    assert pico.ask("e\nset_pgstat_mode 6\n\n") == "e\n!0021: Line 1\n"


@pytest.mark.parametrize(
    ("kind", "code"),
    [("emstat4-hr", "es4_hr"), ("emstat-pico", "espico"), ("nexus", "nexus1")],
)
def test_kinds_say_who_they_are(bench_of: Callable[[str], Bench], kind: str, code: str) -> None:
    assert bench_of(kind).ask("t\n").startswith("t" + code)


def test_other_instruments_are_refused(bench_of: Callable[[str], Bench]) -> None:
    with pytest.raises(ValueError, match="emstat-pico"):
        bench_of("keithley-2450")


def test_a_script_survives_a_power_cycle_in_flash_alone(bench: Bench) -> None:
    assert bench.ask('l\nsend_string "a"\n\nFmscr\n') == "l\nF\n"
    bench.device.power_cycle()
    assert bench.ask("r\n") == "r!000C\n"
    assert bench.ask("Lmscr\nr\n") == "L\nr\nTa\n\n"


def test_bytes_may_come_one_by_one(bench: Bench) -> None:
    for char in 'e\nsend_string "a"\n\n':
        bench.say(char)
    assert bench.device.runtime.join(20)
    assert bench.take() == "e\nTa\n\n"


class TestRunning:
    """What may be asked while a script runs."""

    @pytest.fixture
    def busy(self, bench: Bench) -> Bench:
        bench.port.gate.clear()
        bench.say(FOREVER)
        bench.until("M0007\n")
        assert bench.port.waiting.wait(20)
        bench.take()
        return bench

    def test_most_commands_are_refused(self, busy: Bench) -> None:
        busy.say("i\nv\nG08\nr\n\n")
        assert busy.take() == "i!0006\nv!0006\nG!0006\nr!0006\n"
        busy.say("e\nvar x\n\n")
        assert busy.take() == "e!0006\n"
        busy.say("t\n")
        assert busy.take() == "tes4_lr1500#Mar 12 2026 14:28:01\nR*\n"

    def test_abort_ends_a_blocked_read(self, busy: Bench) -> None:
        assert busy.ask("\nZ\n") == "Z\n*\n\n"
        assert busy.ask("Z\n") == "Z!0006\n"

    def test_the_loop_alone_can_be_aborted(self, busy: Bench) -> None:
        assert busy.ask("Y\n") == "Y\n*\n\n"

    def test_power_loss_is_silent(self, busy: Bench) -> None:
        busy.device.power_cycle()
        assert busy.take() == ""
        assert busy.port.mode == "open"
        assert busy.ask("i\n") == "iVIRTUAL001\n"

    def test_halt_and_resume(self, busy: Bench) -> None:
        assert not busy.device.runtime.join(0)
        busy.say("h\n")
        busy.port.gate.set()
        busy.say("H\n")
        assert busy.take().startswith("h\nH\n")
        assert busy.ask("Z\n") in ("Z\n*\n\n", "\nZ\n", "Z!0006\n")


def test_a_halted_script_can_be_aborted(bench: Bench) -> None:
    bench.port.gate.clear()
    bench.say(FOREVER)
    bench.until("M0007\n")
    bench.say("h\n")
    bench.port.gate.set()
    assert bench.ask("Z\n").endswith("Z\n*\n\n")


def test_on_finished_runs_after_an_abort(bench: Bench) -> None:
    bench.port.gate.clear()
    bench.say(FOREVER[:-1] + 'on_finished:\ncell_off\nsend_string "off"\n\n')
    bench.until("M0007\n")
    assert bench.ask("Z\n") == "e\nM0007\nZ\n*\nToff\n\n"
    assert bench.port.mode == "open"


def test_a_critical_overload_leaves_the_cell_on(bench: Bench) -> None:
    bench.port.gate.clear()
    script = FOREVER.replace(
        "endloop", "pck_start\npck_add c\npck_end\nendloop\non_finished:\ncell_off"
    )
    bench.say(script)
    bench.until("M0007\n")
    bench.device.runtime.trip(0x0032)
    bench.port.gate.set()
    assert bench.ask("") == "e\nM0007\n!0032: Line 8\n"
    assert bench.port.mode == "potential"
    assert bench.ask("e\ncell_off\n\n") == "e\n\n"
    assert bench.port.mode == "open"
