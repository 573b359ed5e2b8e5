"""No input breaks the instrument or makes it hang."""

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.instruments.methodscript.registry import COMMANDS

from .conftest import Bench

WORDS = [
    *COMMANDS, "on_finished:", "x", "y", "a", "a[0i]", "a[x]", "0", "1i", "100m", "-1", "1k", "nan",
    "<", "==", "ba", "da", "ab", "ja", '"text"', 'f"{x}"', 'f"{a[9i]}"', "(", ")", "nscans(2)",
    "add_meas(0 ba x)", "poly_we(1 y)", "#", "e", "t", "Z", "Y", "h", "H", "R", "r", "l", "",
]  # fmt: skip
LINES = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)


def alive(bench: Bench) -> None:
    """Whatever state it is in, it can be brought back."""
    for _ in range(3):
        bench.say("\n\nZ\nH\n")
    if not bench.device.runtime.join(20):
        raise AssertionError("hangs")
    bench.take()
    assert bench.ask("i\n") == "iVIRTUAL001\n"
    bench.device.close()


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_random_bytes(data: bytes) -> None:
    bench = Bench("emstat4-lr")
    bench.device.receive(data + b"\n")
    alive(bench)


@given(st.lists(LINES, max_size=25), st.sampled_from(["emstat4-hr", "emstat-pico", "nexus"]))
@settings(max_examples=150, deadline=None)
def test_random_scripts(lines: list[str], kind: str) -> None:
    bench = Bench(kind)
    head = "var x\nvar y\narray a 3i\nset_pgstat_mode 3\ncell_on\n"
    bench.say(f"e\n{head}" + "\n".join(line for line in lines if line) + "\n\n")
    alive(bench)


@given(st.lists(LINES, max_size=15))
@settings(max_examples=60, deadline=None)
def test_random_lines_outside_of_scripts(lines: list[str]) -> None:
    bench = Bench("emstat4-lr")
    bench.say("\n".join(lines) + "\n")
    alive(bench)
