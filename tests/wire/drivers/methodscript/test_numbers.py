"""Numbers on the wire: nothing lost, nothing invented, whatever comes."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.methodscript.kinds import KINDS
from drivers.methodscript.numbers import PREFIXES, BadPackage, literal, package
from drivers.methodscript.reader import Reader
from sicmctl.hal.cell import AnyStep, CellProgram, Cycles, HoldPotential, Impedance, Open, Walk
from sicmctl.hal.errors import InstrumentError
from sicmctl.hal.timeline import Stamp


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "100m"),
        (-2.0, "-2"),
        (1e5, "100k"),
        (0.1 + 0.2, "300m"),
        (1e6, "1M"),
        (0.0, "0"),
        (-0.0, "0"),
        (5e-6, "5u"),
        (537.1e-6, "537100n"),
        (0.0003 / 7, "42857143p"),
        (1e-18, "1a"),
        (1e-19, "0"),
    ],
)
def test_literals(value: float, text: str) -> None:
    assert literal(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30])
def test_what_a_script_cannot_say_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="script"):
        literal(value)


def read(text: str) -> float:
    """A literal as the instrument reads it, by the words of its manual."""
    prefix = text[-1] if text[-1].isalpha() else " "
    digits = text.removesuffix(prefix)
    assert abs(int(digits)) < 2**31
    return int(digits) * 10.0 ** (3 * PREFIXES.index(prefix) - 18)


@given(st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-11))
def test_a_literal_says_the_number(value: float) -> None:
    assert read(literal(value)) == pytest.approx(value, rel=3e-7, abs=0)
    assert abs(read(literal(value, down=True))) <= abs(value) * (1 + 1e-11)
    assert read(literal(value, down=True)) == pytest.approx(value, rel=6e-7, abs=0)


mantissas = st.integers(-(2**27) + 1, 2**27 - 1)
kinds = st.sampled_from(["ab", "ba", "eb", "dc", "cc", "ja"])
statuses = st.one_of(st.none(), st.integers(0, 15))
indices = st.one_of(st.none(), st.integers(0, 255))


@st.composite
def values(draw: st.DrawFn) -> tuple[str, str, float]:
    """A value as an instrument sends it, its kind, and the number it stands for."""
    kind, mantissa, prefix = draw(kinds), draw(mantissas), draw(st.sampled_from(PREFIXES))
    text = f"{kind}{mantissa + 2**27:07X}{prefix}"
    status, index = draw(statuses), draw(indices)
    text += "" if status is None else f",1{status:X}"
    text += "" if index is None else f",2{index:02X}"
    text += draw(st.sampled_from(["", ",40"]))
    return text, kind, float(f"{mantissa}e{3 * PREFIXES.index(prefix) - 18}")


@given(st.lists(values(), min_size=1, max_size=5))
def test_a_package_is_read_as_it_was_meant(sent: list[tuple[str, str, float]]) -> None:
    found = package(";".join(text for text, _, _ in sent))
    assert [value.kind for value in found] == [kind for _, kind, _ in sent]
    for value, (_, _, number) in zip(found, sent, strict=True):
        assert value.number == pytest.approx(number, rel=1e-15)


@given(st.lists(values(), min_size=1, max_size=3), st.data())
def test_a_package_cut_short_runs_into_the_next_and_is_refused(
    sent: list[tuple[str, str, float]], data: st.DataObject
) -> None:
    line = ";".join(text for text, _, _ in sent)
    cut = data.draw(st.integers(1, len(line)))
    with pytest.raises(BadPackage):
        package(f"{line[:cut]}P{line}")


@given(st.text(max_size=40))
def test_any_text_is_a_package_or_refused(text: str) -> None:
    with suppress(BadPackage):
        package(text)


STEPS: tuple[AnyStep, ...] = (
    Open(interval=0.1, duration=1),
    HoldPotential(interval=0.1, duration=1, potential=0.1),
    Cycles(interval=0.1, start=0, first=0.1, second=-0.1, rate=0.1, count=2),
    Impedance(interval=0.1, potential=0, amplitude=0.01, frequencies=(10.0, 1.0), settle=1.0),
)
lines = st.one_of(
    st.sampled_from(["M0007", "M000D", "*", "C0001", "CXYZW", "-", "L", "+", "P", ""]),
    st.lists(values(), min_size=1, max_size=4).map(lambda vs: "P" + ";".join(v[0] for v in vs)),
    st.sampled_from([
        "PebDF5E100n;ab8000000 ;ba8000000 ", "PebDF5E100n;ab8000000 ", "PebDF5E100n;ja8000000i",
        "PebDF5E100n;ja8000009i", "Peb     nan;ja8000000i", "PebDF5E100n;ja     nan",
        "PebDF5E100n;dcDF5DFF4u;cc896D904m;cd82DB1A8u",
    ]),
    st.text(max_size=20),
)  # fmt: skip


@given(st.lists(lines, max_size=30))
def test_whatever_an_instrument_says_is_data_or_a_named_error(said: list[str]) -> None:
    reader = Reader(Walk(CellProgram(STEPS)), KINDS["es4_lr"], "instrument")
    reader.begin(Stamp(0.0))
    try:
        for line in said:
            list(reader.read(line))
    except InstrumentError as error:
        assert error.command == "run" and error.remedy
