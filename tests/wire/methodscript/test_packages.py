"""Numbers on the wire and in scripts."""

import math

import pytest

from simulators.instruments.methodscript.values import Value, encode, literal, show


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Value(-499905e-6, "da"), "da7F85F3Fu"),
        (Value(-57847747e-12, "ba", status=0, range=0x88), "ba48D503Dp,10,288"),
        (Value(99999732e-6, "dc"), "dc DF5DFF4u".replace(" ", "")),
        (Value(9885956e-3, "cc", status=0, range=0x87), "cc896D904m,10,287"),
        (Value(0.0, "da"), "da8000000 "),
        (Value(0xFCCDFD * 1e-15, "ba", status=0, range=0), "ba8FCCDFDf,10,200"),
        (Value(math.nan, "ba", status=2), "ba     nan,12"),
        (Value(math.inf, "ba"), "ba     nan"),
        (Value(5, "ja", integer=True), "ja8000005i"),
        (Value(-1, "ja", integer=True), "ja7FFFFFFi"),
        (Value(1e30, "ja", integer=True), "jaFFFFFFFi"),
        (Value(1.0, "ab"), "ab80F4240u"),
        (Value(0.1, "eb"), "ebDF5E100n"),
        (Value(134217726e-9, "ab"), "abFFFFFFEn"),
        (Value(134217727e-9, "ab"), "ab8020C4Au"),
        (Value(-134217726e-9, "ab"), "ab0000002n"),
        (Value(1e-30, "ba"), "ba8000000a"),
        (Value(3e26, "ja"), "ja     nan"),
        (
            Value(1e-9, "ba", status=15, range=3),
            "baBB9ACA00a,1F,203".replace("BB9ACA00a", "80F4240f"),
        ),
    ],
)
def test_values_in_packages(value: Value, text: str) -> None:
    assert encode(value) == text


@pytest.mark.parametrize(
    ("text", "number", "integer"),
    [
        ("500m", 0.5, False),
        ("-2", -2, False),
        ("100k", 1e5, False),
        ("10i", 10, True),
        ("0x0F", 15, True),
        ("0x0300i", 768, True),
        ("0b101", 5, True),
        ("+7u", 7e-6, False),
        ("1E", 1e18, False),
        ("3a", 3e-18, False),
    ],
)
def test_literals(text: str, number: float, integer: bool) -> None:
    value = literal(text)
    assert value.number == pytest.approx(number, rel=1e-15) and value.integer is integer


@pytest.mark.parametrize(
    "text",
    ["0.5", "1e3", "", "m", "1 m", "1q", "0x", "0b2", "--1", "1mm", "99999999999", "٣", "1" * 5000],
)
def test_what_is_no_literal(text: str) -> None:
    with pytest.raises(ValueError):
        literal(text)


@pytest.mark.parametrize(
    ("number", "integer", "text"),
    [(0.25, False, "250m"), (0, False, "0"), (-1.5e-6, False, "-1.5u"), (12, True, "12"),
     (math.nan, False, "nan"), (4700, False, "4.7k")],
)  # fmt: skip
def test_values_in_strings(number: float, integer: bool, text: str) -> None:
    assert show(Value(number, integer=integer)) == text
