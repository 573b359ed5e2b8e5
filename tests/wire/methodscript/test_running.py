"""What a script puts out while it runs."""

from collections.abc import Callable

import pytest

from simulators.cellport import Control
from simulators.instruments.methodscript.values import PREFIXES

from .conftest import Bench

ON = "var p\nvar c\nset_pgstat_mode 3\nset_range ba 10m\ncell_on\n"
PACK = "pck_start\npck_add p\npck_add c\npck_end\nendloop"
LSB = 91.5527e-6


def number(text: str) -> float:
    """Of one value of a package."""
    if text[9] == "i":
        return int(text[2:9], 16) - (1 << 27)
    return (int(text[2:9], 16) - (1 << 27)) * 10.0 ** (3 * PREFIXES.index(text[9]) - 18)


def columns(lines: list[str]) -> list[tuple[float, ...]]:
    """Of all packages, the numbers."""
    packages = [line[1:].split(";") for line in lines if line.startswith("P")]
    return [tuple(number(value) for value in package) for package in packages]


def show(expression: str, before: str = "") -> str:
    return f'{before}\nsend_string f"{{{expression}}}"'


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ("store_var x 5 ja\nadd_var x 250m", "5.25"),
        ("store_var x 5i ja\nsub_var x 7i", "-2"),
        ("store_var x 7i ja\ndiv_var x 2i", "3"),
        ("store_var x 7 ja\ndiv_var x 2", "3.5"),
        ("store_var x 3 ja\nmul_var x -2", "-6"),
        ("store_var x 7i ja\nmod_var x 4i", "3"),
        ("store_var x 9 ja\npow_var x 500m", "3"),
        ("store_var x 1k ja\nlog_var x", "3"),
        ("store_var x 0b1100 ja\nbit_and_var x 0b0110", "4"),
        ("store_var x 0b1100 ja\nbit_or_var x 0b0110", "14"),
        ("store_var x 0b1100 ja\nbit_xor_var x 0b0110", "10"),
        ("store_var x 1i ja\nbit_lsl_var x 4i", "16"),
        ("store_var x 16i ja\nbit_lsr_var x 2i", "4"),
        ("store_var x 0i ja\nbit_inv_var x", "-1"),
        ("store_var x 1900m ja\nfloat_to_int x", "1"),
        ("store_var x 1900m ja\nfloat_to_int_round x", "2"),
        ("store_var x 3i ja\nint_to_float x\ndiv_var x 2", "1.5"),
        ("array a 3i\nstore_var a[1i] 2 ja\ncopy_var a[1i] x", "2"),
        ("array a 2i\narray_set a 1i 4\narray_get a 1i x\nmean a x", "2"),
        ("var n\nstore_var n 0i ja\nloop n < 4i\nadd_var n 1i\nadd_var x 2\nendloop", "8"),
        ("loop 1 < 2\nadd_var x 1\nif x >= 3\nbreakloop\nendif\nendloop", "3"),
        ("if x == 1\nstore_var x 1 ja\nelseif x == 0\nstore_var x 2 ja\nelse\nabort\nendif", "2"),
        ("if x == 1\nabort\nelse\nstore_var x 3 ja\nendif", "3"),
        ("timer_start\nwait 1500m\ntimer_get x", "1.5"),
        ("set_int 100m\nawait_int\nwait 30m\nawait_int\nget_gpio x\ntimer_get x", "200m"),
        ("set_gpio_cfg 0x7 1\nset_gpio 0x5\nset_gpio_msk 0x4 0i\nget_gpio x", "1"),
        ("meas 100m x ab", "250m"),
        ("set_pgstat_mode 6\nset_i 1m\ncell_on\nmeas 100m x ab", "1.00006"),
    ],
)
def test_computing(bench: Bench, script: str, shown: str) -> None:
    lines = [line for line in bench.run(f"var x\n{show('x', script)}") if line.startswith("T")]
    assert lines == ["T" + shown]


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        ('send_string "a"\non_finished:\nsend_string "b"', ["Ta", "Tb", ""]),
        ('abort\nsend_string "a"\non_finished:\nsend_string "b"', ["Tb", ""]),
        ('loop 1 < 2\nabort\nendloop\non_finished:\nsend_string "b"', ["L", "+", "Tb", ""]),
        ("loop 1 > 2\nendloop", ["L", "+", ""]),
        ("pck_start\npck_end", [""]),
        ('var x\npck_start\npck_add x\npck_add 5i\npck_end', ["Paa8000000 ;aa8000005i", ""]),
        ('set_script_output 0\nsend_string "a"', [""]),
        (ON + "meas_loop_ca p c 100m 100m 200m\nendloop", ["M0007", "*", ""]),
        (ON + "meas_loop_ca p c 100m 100m 1\nbreakloop\nendloop", ["M0007", "*", ""]),
        (
            ON + "meas_loop_cv p c 0 1 -1 100m 1 nscans(2)\nbreakloop\nendloop",
            ["M0005", "C0000", "-", "*", ""],
        ),
    ],
)  # fmt: skip
def test_output(bench: Bench, script: str, lines: list[str]) -> None:
    assert bench.run(script) == lines


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("var x\ndiv_var x 0", "!0028: Line 2"),
        ("var x\nmod_var x 0", "!0028: Line 2"),
        ("var x\nlog_var x", "!0010: Line 2"),
        ("var x\npow_var x -1", "!0010: Line 2"),
        ("var x\nstore_var x 3G ja\nfloat_to_int x", "!4037: Line 3"),
        ("var x\nbit_inv_var x", "!4207: Line 2"),
        ("array a 2i\narray_set a 2i 1", "!400F: Line 2"),
        ("array a -1i", "!4204: Line 1"),
        ("array a 1G", "!000B: Line 1"),
        ("wait -1", "!4200: Line 1"),
        ("set_pgstat_mode 9", "!0021: Line 1"),
        ("set_pgstat_chan 1", "!002F: Line 1"),
        ("set_gpio_cfg 1i 9", "!0029: Line 1"),
        ("set_gpio 0x10000", "!0055: Line 1"),
        ("set_script_output 7", "!403C: Line 1"),
        ("set_range ed 1", "!0084: Line 1"),
        ("set_range_minmax da 0 4", "!000F: Line 1"),
        ("set_pgstat_mode 3\nset_e 3100m", "!000F: Line 2"),
        ("set_pgstat_mode 6\nset_e 1", "!0023: Line 2"),
        ("set_i 1", "!0023: Line 1"),
        ("set_pgstat_mode 6\nset_i 1", "!4205: Line 2"),
        ("var x\nmeas 1 x ja", "!0002: Line 2"),
        (ON + "meas_loop_ca p c 4 100m 1\nendloop", "!000F: Line 6"),
        (ON + "meas_loop_ca p c 0 0 1\nendloop", "!4204: Line 6"),
        (ON + "meas_loop_ca p c 0 1u 1\nendloop", "!005A: Line 6"),
        (ON + "meas_loop_ca p c 0 2 1\nendloop", "!4029: Line 6"),
        (ON + "meas_loop_lsv p c 0 0 1m 1\nendloop", "!4029: Line 6"),
        (ON + "meas_loop_lsv p c 0 1 10u 1m\nendloop", "!001C: Line 6"),
        (ON + "meas_loop_lsv p c 0 1 -1m 1\nendloop", "!4204: Line 6"),
        (ON + "meas_loop_cv p c 0 1 -1 10m 1 nscans(0)\nendloop", "!4204: Line 6"),
        (ON + "meas_loop_cv p c 0 0 0 10m 1\nendloop", "!4029: Line 6"),
        (ON + "meas_loop_ocp p 100m 1\nendloop", "!0014: Line 6"),
        (ON + "meas_loop_cp p c 1m 100m 1\nendloop", "!0023: Line 6"),
        (ON + "meas_loop_pad p c 0 1 10m 100m 1 7\nendloop", "!0025: Line 6"),
        (ON + "meas_loop_dpv p c 0 1 10m 0 5m 100m\nendloop", "!001D: Line 6"),
        (ON + "meas_loop_dpv p c 0 1 10m 50m 1 100m\nendloop", "!4205: Line 6"),
        (ON + "var f\nmeas_loop_eis f p c 10m 1M 1 5 0\nendloop", "!0011: Line 7"),
        (ON + "var f\nmeas_loop_eis f p c 1 1k 1 5 0\nendloop", "!0012: Line 7"),
    ],
)
def test_failures_while_running(bench: Bench, script: str, error: str) -> None:
    """The stream ends with the error: no empty line, and on_finished is not run."""
    lines = bench.run(script + '\non_finished:\nsend_string "never"')
    assert lines == [error]


def test_a_cell_that_was_switched_off_on_the_way(bench: Bench) -> None:
    script = ON + "if p == 0\ncell_off\nendif\nmeas_loop_ca p c 0 100m 1\nendloop"
    assert bench.run(script) == ["!4027: Line 9"]


def test_a_cv_leaves_out_the_return_but_for_the_last_scan(bench: Bench) -> None:
    lines = bench.run(ON + f"meas_loop_cv p c 0 500m -500m 10m 100m nscans(2)\n{PACK}")
    assert [line for line in lines if line[:1] != "P"] == [
        "M0005", "C0000", "-", "C0001", "-", "*", ""]  # fmt: skip
    places = [*range(50), *range(50, -50, -1), *range(-50, 0)]
    expected = [k * 0.01 for k in (*places, *places, 0)]
    rows = columns(lines)
    assert [e for e, _ in rows] == pytest.approx(expected, abs=LSB / 2 + 1e-9)
    assert [i for _, i in rows] == pytest.approx([e / 1e3 for e, _ in rows], abs=1e-9)
    assert bench.port.reads == pytest.approx([0.1 * (k + 1) for k in range(401)])


def test_a_single_cv_has_no_scan_marks(bench: Bench) -> None:
    lines = bench.run(ON + f"meas_loop_cv p c 0 -100m 200m 100m 1\n{PACK}")
    assert lines[0] == "M0005" and lines[-2:] == ["*", ""]
    rounded = [round(e, 3) for e, _ in columns(lines)]
    assert rounded == [0, -0.1, 0, 0.1, 0.2, 0.1, 0]


def test_vertices_off_the_grid_are_not_overrun(bench: Bench) -> None:
    lines = bench.run(ON + f"meas_loop_cv p c 250m 600m -600m 250m 5\n{PACK}")
    assert [round(e, 2) for e, _ in columns(lines)] == [
        0.25, 0.5, 0.25, 0, -0.25, -0.5, -0.25, 0, 0.25]  # fmt: skip


def test_a_reversal_cuts_a_leg_short(bench: Bench) -> None:
    bench.port.gate.clear()
    bench.say("e\n" + ON + f"meas_loop_cv p c 0 1 -200m 100m 1\n{PACK}\n\n")
    assert bench.port.waiting.wait(20)
    bench.say("R\n")
    bench.port.gate.set()
    rows = columns(bench.ask("").split("\n"))
    assert [round(e, 1) for e, _ in rows] == [0, -0.1, -0.2, -0.1, 0]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_linear_sweep_has_both_ends(bench: Bench, sign: int) -> None:
    ends = f"{-500 * sign}m {500 * sign}m"
    rows = columns(bench.run(ON + f"meas_loop_lsv p c {ends} 100m 1\n{PACK}"))
    expected = [sign * (-0.5 + 0.1 * k) for k in range(11)]
    assert [e for e, _ in rows] == pytest.approx(expected, abs=LSB)


def test_samples_come_at_the_ends_of_intervals(bench: Bench) -> None:
    lines = bench.run(
        ON + "var t\ntimer_start\nmeas_loop_ca p c 100m 100m 1\n"
        "timer_get t\npck_start\npck_add t\npck_add p\npck_add c\npck_end\nendloop"
    )
    rows = columns(lines)
    assert [row[0] for row in rows] == pytest.approx([0.1 * (k + 1) for k in range(10)])
    assert rows[0][1:] == pytest.approx((0.1, 1e-4), abs=LSB)
    assert lines[1] == "PebDF5E100n;daDF5817Cn;baDF5817Cp,10,218"


def test_a_galvanostat_reads_potential(bench: Bench) -> None:
    script = "var p\nvar c\nset_pgstat_mode 6\nset_range db 10m\nset_i 0\ncell_on\n"
    lines = bench.run(script + f"meas_loop_cp p c 1m 500m 2\n{PACK}")
    rows = columns(lines)
    assert len(rows) == 4 and rows[0] == pytest.approx((1.0, 1e-3), rel=1e-3)
    assert lines[0] == "M000A" and lines[1].startswith("Pab") and ";db" in lines[1]
    assert (Control.CURRENT, pytest.approx(1e-3, rel=1e-3)) in [c[1:] for c in bench.port.controls]


def test_a_lost_galvanostat_shows_in_the_potential(bench: Bench) -> None:
    bench.port.limit = 0.5
    script = "var p\nvar c\nset_pgstat_mode 6\nset_i 0\ncell_on\n"
    lines = bench.run(script + f"meas_loop_cp p c 1m 500m 1\n{PACK}")
    assert lines[1].split(";")[0].split(",")[1] == "12"


def test_the_open_circuit(bench: Bench) -> None:
    lines = bench.run("var p\nmeas_loop_ocp p 100m 1\npck_start\npck_add p\npck_end\nendloop")
    assert lines == ["M000B", *["Pab803D090u,10,206"] * 10, "*", ""]


def test_a_spectrum_is_evenly_spaced_on_a_logarithmic_scale(bench: Bench) -> None:
    lines = bench.run(
        ON + "var f\nmeas_loop_eis f p c 10m 100k 1 6i 0\n"
        "pck_start\npck_add f\npck_add p\npck_add c\npck_end\nendloop"
    )
    assert lines[0] == "M000D"
    assert lines[1] == "PdcDF5E100m;cc80F4240m,10,218;cd7676980p,10,206"
    rows = columns(lines)
    assert [row[0] for row in rows] == pytest.approx([1e5, 1e4, 1e3, 100, 10, 1], rel=1e-6)
    assert [row[2] for row in rows] == pytest.approx([-1 / row[0] for row in rows], rel=1e-6)


def test_pulses(bench: Bench) -> None:
    lines = bench.run(ON + f"meas_loop_dpv p c 0 100m 50m 20m 10m 500m\n{PACK}")
    assert lines[0] == "M0001"
    assert [i for _, i in columns(lines)] == pytest.approx([20e-6] * 3, abs=2e-7)
    lines = bench.run(f"var p\nvar c\nmeas_loop_npv p c 0 100m 50m 10m 500m\n{PACK}")
    assert [i for _, i in columns(lines)] == pytest.approx([0, 50e-6, 100e-6], abs=1e-7)
    lines = bench.run(
        f"var p\nvar c\nvar f\nvar r\nmeas_loop_swv p c f r 0 100m 50m 25m 10\n{PACK}"
    )
    assert [i for _, i in columns(lines)] == pytest.approx([50e-6] * 3, abs=2e-7)
    lines = bench.run(f"var p\nvar c\nmeas_loop_pad p c 0 100m 10m 100m 300m 3\n{PACK}")
    assert [i for _, i in columns(lines)] == pytest.approx([100e-6] * 3, abs=2e-7)


def test_extra_values(bench: Bench) -> None:
    lines = bench.run(
        ON + "var e\nvar b\nmeas_loop_ca p c 100m 100m 100m poly_we(1 b) add_meas(0 ab e)\n"
        "pck_start\npck_add e\npck_add b\npck_end\nendloop"
    )
    assert lines[1] == "PabDF5817Cn,10,206;bb8000000 ,10"


def test_ranges_follow_the_current(bench: Bench) -> None:
    script = "var p\nvar c\nset_pgstat_mode 3\nset_range ba 1u\nset_autoranging ba 1u 1m\ncell_on\n"
    lines = bench.run(script + f"meas_loop_ca p c 300m 100m 600m\n{PACK}")
    metadata = [line.split(";")[1].split(",")[1:] for line in lines if line.startswith("P")]
    assert metadata == [["12", "20C"], ["12", "20F"], ["12", "212"], *[["10", "215"]] * 3]
    lines = bench.run(
        f"var p\nvar c\nset_range ba 1m\nset_autoranging ba 10u 1m\nmeas_loop_ca p c 2m 1 4\n{PACK}"
    )
    ranges = [line.split(",")[-1] for line in lines if line.startswith("P")]
    assert ranges == ["215", "212", "20F", "20F"]


def test_high_speed_ranges_of_the_pico(bench_of: Callable[[str], Bench]) -> None:
    pico = bench_of("emstat-pico")
    low = pico.run(f"var p\nvar c\nset_pgstat_mode 2\nset_range ba 1m\ncell_on\n"
                   f"meas_loop_ca p c 100m 100m 100m\n{PACK}")  # fmt: skip
    fast = pico.run(f"var p\nvar c\nset_pgstat_mode 3\nset_range ba 1m\ncell_on\n"
                    f"meas_loop_ca p c 100m 100m 100m\n{PACK}")  # fmt: skip
    assert low[1].endswith(",10,20A") and fast[1].endswith(",10,288")
    assert pico.run("set_pgstat_mode 3\nset_range_minmax da -1 1") == ["!000F: Line 2"]


def test_late_samples_say_so(bench: Bench) -> None:
    bench.port.late = 0.02
    lines = bench.run(ON + f"meas_loop_ca p c 100m 100m 200m\n{PACK}")
    assert all(line.split(",")[1] == "11" for line in lines if line.startswith("P"))
