"""What is refused when a script is sent: code, line and column."""

import pytest

from .conftest import Bench

CA = "var p\nvar c\nset_pgstat_mode 3\ncell_on\nmeas_loop_ca p c 0 100m 1\n"


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("fail!", "4001: Line 1, Col 6"),
        ("var a\n  fail", "4001: Line 2, Col 7"),
        ("\tVar a", "4001: Line 1, Col 5"),
        ("var x\nstore_var x 0.5 ja", "4039: Line 2, Col 16"),
        ("var x\nstore_var x 500mm ja", "4039: Line 2, Col 18"),
        ("var x\nstore_var x 5 zz", "0002: Line 2, Col 17"),
        ("add_var x 1", "420B: Line 1, Col 10"),
        ("var x\nadd_var x y", "420B: Line 2, Col 12"),
        ("var x\nvar x", "4026: Line 2, Col 6"),
        ("var X", "402B: Line 1, Col 6"),
        ("var 1x", "402B: Line 1, Col 7"),
        ("var " + "x" * 33, "402C: Line 1, Col 38"),
        ("var", "4004: Line 1, Col 4"),
        ("var x\nadd_var x", "4004: Line 2, Col 10"),
        ("var x y", "420A: Line 1, Col 8"),
        ("wait (2)", "4004: Line 1, Col 7"),
        ("add_var 1 2", "420D: Line 1, Col 10"),
        ("array a 5i\nadd_var a 1", "420E: Line 2, Col 10"),
        ("var x\nadd_var x[0i] 1", "420C: Line 2, Col 14"),
        ("var x\nmean x x", "420C: Line 2, Col 7"),
        ("array a 5i\nadd_var a[] 1", "4038: Line 2, Col 12"),
        ("array a 5i\nadd_var a[0i 1", "4038: Line 2, Col 13"),
        ('wait "x"', "4213: Line 1, Col 9"),
        ("send_string hello", "4004: Line 1, Col 18"),
        ('send_string "hello', "4004: Line 1, Col 13"),
        ('send_string f"{x"', "4210: Line 1, Col 18"),
        ('send_string f"{x}"', "420B: Line 1, Col 19"),
        ('send_string f"{1}"', "4040: Line 1, Col 19"),
        ('send_string f"x}"', "4040: Line 1, Col 18"),
        ("wait 1\x7f", "4004: Line 1, Col 7"),
        ("endloop", "400E: Line 1, Col 8"),
        ("endif", "400E: Line 1, Col 6"),
        ("else", "400E: Line 1, Col 5"),
        ("breakloop", "400E: Line 1, Col 10"),
        ("loop 1 < 2\nendif", "400E: Line 2, Col 6"),
        ("if 1 < 2\nendloop", "400E: Line 2, Col 8"),
        ("if 1 < 2\nelse\nelseif 1 < 2\nendif", "400E: Line 3, Col 7"),
        ("if 1 ~ 2\nendif", "4004: Line 1, Col 7"),
        ("if 1 < 2", "4018: Line 1, Col 1"),
        ("loop 1 < 2\nwait 1", "4018: Line 2, Col 1"),
        ("loop 1 < 2\n" * 11, "400D: Line 11, Col 5"),
        ("loop 1 < 2\non_finished:", "400E: Line 2, Col 13"),
        ("on_finished:\non_finished:", "400E: Line 2, Col 13"),
        ("on_finished: cell_off", "4004: Line 1, Col 22"),
        (CA + "meas_loop_ca p c 0 1 1\nendloop\nendloop", "400B: Line 6, Col 13"),
        (CA + "set_e 0\nendloop", "4032: Line 6, Col 6"),
        (CA + "set_i 0\nendloop", "4033: Line 6, Col 6"),
        (CA + "cell_on\nendloop", "401A: Line 6, Col 8"),
        (CA[:-1] + " nscans(2)\nendloop", "4008: Line 5, Col 33"),
        (CA[:-1] + " add_meas(0 ba)\nendloop", "4004: Line 5, Col 40"),
        (CA[:-1] + " add_meas(0 ba c\nendloop", "4018: Line 5, Col 42"),
        (CA + "if 1 < 2\nmeas_loop_ca p c 0 1 1", "400B: Line 7, Col 13"),
        ("var x\npck_add x", "401B: Line 2, Col 8"),
        ("pck_end", "401B: Line 1, Col 8"),
        ("pck_start\npck_start", "401B: Line 2, Col 10"),
        ("loop 1 < 2\npck_start\nendloop", "401B: Line 3, Col 8"),
        ("pck_start", "4018: Line 1, Col 1"),
        ("var x\npck_start\n" + "pck_add x\n" * 33, "401C: Line 35, Col 8"),
        ("var p\nvar c\nmeas_loop_ca p c 0 1 1\nendloop", "4027: Line 3, Col 13"),
        (
            "cell_on\ncell_off\nvar p\nvar c\nmeas_loop_ca p c 0 1 1\nendloop",
            "4027: Line 5, Col 13",
        ),
        ("# a comment\n" * 11000, "4005"),
    ],
)
def test_refusals(bench: Bench, script: str, answer: str) -> None:
    assert bench.ask(f"e\n{script.strip(chr(10))}\n\n") == f"e!{answer}\n"
    assert bench.ask("i\n") == "iVIRTUAL001\n"


@pytest.mark.parametrize(
    "script",
    [
        "# nothing",
        "var x # and why",
        'send_string "not # a comment"',
        "var x\nif x > 0\ncell_on\nendif\nset_pgstat_mode 3\nvar c\ncell_on\n"
        "meas_loop_lsv x c 0 100m 10m 1\nendloop",
        "array a 0x04i\nstore_var a[0i] 1 ja",
        CA[:-1] + " poly_we(1 c) add_meas(0 ab p)\nendloop",
    ],
)
def test_what_is_accepted(bench: Bench, script: str) -> None:
    assert bench.ask(f"l\n{script}\n\n") == "l\n"
