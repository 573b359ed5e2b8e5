"""Units at the edge."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from sicmctl.hal.quantity import (
    BadQuantity,
    Fraction,
    Metres,
    PositiveMetres,
    Seconds,
    Volts,
    parse,
    quote,
    show,
    write,
)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("5 um", "m", 5e-6),
        ("5um", "m", 5e-6),
        ("5 µm", "m", 5e-6),
        ("5 μm", "m", 5e-6),
        ("-.5e1 mm", "m", -5e-3),
        ("30 nm/ms", "m/s", 30e-6),
        ("30 nm * ms^-1", "m/s", 30e-6),
        ("1 m s⁻¹", "m/s", 1.0),
        ("0.3 mV/s", "V/s", 0.3e-3),
        ("2 %", "", 0.02),
        ("0.02", "", 0.02),
        ("100 mV/V", "V/V", 0.1),
        ("180 deg", "rad", math.pi),
        ("180°", "rad", math.pi),
        ("1 V/nA", "V/A", 1e9),
        ("50 kHz", "Hz", 50e3),
        ("0 s", "s", 0.0),
    ],
)
def test_text_becomes_si(text: str, unit: str, value: float) -> None:
    assert parse(text, unit) == pytest.approx(value, rel=1e-15, abs=0)


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("5", "m", 'found "5" without a unit; expected a quantity like "1.5 um"'),
        (
            "5 V",
            "m",
            'found "5 V", which is not convertible to m; expected a quantity like "1.5 um"',
        ),
        (
            "5 wombats",
            "s",
            'found "5 wombats", which is not convertible to s; expected a quantity like "2 ms"',
        ),
        ("um", "m", 'found "um"; expected a quantity like "1.5 um"'),
        ("", "V", 'found ""; expected a quantity like "0.7 V"'),
        ("1\n2 V", "V", 'found "1\\n2 V"; expected a quantity like "0.7 V"'),
        (
            "2 deg",
            "",
            'found "2 deg", which is not a fraction; expected a fraction like "2 %" or 0.02',
        ),
    ],
)
def test_what_is_no_quantity_is_told(text: str, unit: str, message: str) -> None:
    with pytest.raises(BadQuantity) as caught:
        parse(text, unit)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text",
    ["9**9**9 m", "1 m**9**9**9", "2*3 m", "__import__('os') m", "nan m", "inf m", "1_0 m",
     "(1 m)", "1 m" + " m" * 1000, "20 degC", "1/0 m"],
)  # fmt: skip
def test_text_is_never_computed(text: str) -> None:
    with pytest.raises(BadQuantity):
        parse(text, "m")


@given(st.text(max_size=30), st.sampled_from(["m", "", "V/V", "rad"]))
def test_any_text_is_a_number_or_a_bad_quantity(text: str, unit: str) -> None:
    with suppress(BadQuantity):
        assert isinstance(parse(text, unit), float)


@given(
    st.floats(-1e300, 1e300).filter(lambda x: x == 0 or abs(x) > 1e-290),
    st.sampled_from(["m", "V", "m/s", "V/V", "rad", "Hz"]),
)
def test_what_is_written_reads_back(value: float, unit: str) -> None:
    text = write(value, unit)
    assert isinstance(text, str)
    assert parse(text, unit) == pytest.approx(value, rel=1e-14, abs=0)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (5e-6, "m", "5 um"),
        (0.0, "s", "0 s"),
        (math.radians(3), "rad", "3 deg"),
        (0.1, "V/V", "100 mV/V"),
        (1e9, "V/A", "1 GV/A"),
        (0.02, "", 0.02),
    ],
)
def test_values_are_written_as_a_person_would(value: float, unit: str, text: object) -> None:
    assert write(value, unit) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (3.2e-9, "A", "3.2 nA"),
        (-0.7, "V", "-700 mV"),
        (0.0, "m", "0 m"),
        (1e-18, "m", "0.001 fm"),
        (math.inf, "m", "inf m"),
        (2.0, "", "2"),
        (999.99999e-9, "m", "1000 nm"),
    ],
)
def test_values_are_shown(value: float, unit: str, text: str) -> None:
    assert show(value, unit) == text


def test_quotes_are_short_and_on_one_line() -> None:
    assert quote("a\nb") == '"a\\nb"'
    assert len(quote("x" * 1000)) == 82


class Model(BaseModel):
    z: Metres = 0.0
    gap: PositiveMetres = 1e-6
    wait: Seconds = 0.0
    bias: Volts = 0.0
    part: Fraction = 0.5


def test_fields_are_read_and_written_back() -> None:
    model = Model.model_validate({"z": "-3 um", "bias": "0.7 V", "part": "2 %"})
    assert (model.z, model.bias, model.part) == (-3e-6, 0.7, 0.02)
    assert Model.model_validate(model.model_dump()) == model
    assert Model.model_validate_json(model.model_dump_json()) == model


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("gap", "0 m", 'found "0 m"; expected more than 0'),
        ("wait", "-1 s", 'found "-1 s"; expected at least 0 s'),
        ("part", 1.5, "found 1.5; expected at least 0 and at most 1"),
        ("part", math.nan, "found nan; expected at least 0 and at most 1"),
        ("z", "1e999 m", 'found "1e999 m"; expected a finite number'),
        ("z", 3, 'found 3 without a unit; expected text with a unit, like "1.5 um"'),
        ("z", True, 'found a bool; expected text with a unit, like "1.5 um"'),
        ("z", None, 'found a NoneType; expected text with a unit, like "1.5 um"'),
        ("part", 10**400, "found inf; expected at least 0 and at most 1"),
    ],
)
def test_fields_are_checked(key: str, value: object, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({key: value})
    (error,) = caught.value.errors()
    assert error["msg"] == f"Value error, {message}"
