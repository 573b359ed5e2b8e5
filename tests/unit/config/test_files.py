"""Files that are no TOML, or no files; and that nothing but ConfigError ever comes out."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sicmctl.config import ConfigError, load_experiment, load_rig

BYTES = {
    b"\xef\xbb\xbfschema = 1\n": "rig.toml:1: found a UTF-8 byte-order mark; "
    "expected plain UTF-8 without one",
    b"\xff\xfes\x00": "rig.toml:1: found a UTF-16 byte-order mark; "
    "expected plain UTF-8 without one",
    b'schema = 1\ntitle = "\xb5m"\n': "rig.toml:2: found the byte 0xb5; expected UTF-8 text",
    b"schema = 1\n[daq\n": 'rig.toml:2: found "[daq", which is not TOML; '
    "expected ']' at the end of a table declaration",
    b"schema = 1\na = \n": 'rig.toml:2: found "a =", which is not TOML (invalid value); '
    "expected TOML 1.0",
    b"schema = 1\nschema = 1\n": 'rig.toml:2: found "schema = 1", which is not TOML '
    "(cannot overwrite a value); expected TOML 1.0",
    b"schema 1\n": "rig.toml:1: found \"schema 1\", which is not TOML; "
    "expected '=' after a key in a key/value pair",
    b"schema = 1\nb = [1, 9223372036854775808]\n": "rig.toml:2: b[1]: found a huge number; "
    "expected an integer of 64 bits",
    b"a = " + b"[" * 5000: "rig.toml:1: found tables or arrays nested too deeply; "
    "expected a flatter file",
}  # fmt: skip


@pytest.mark.parametrize("data", BYTES, ids=range(len(BYTES)))
def test_a_file_that_is_not_toml(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_rig(path)
    assert str(caught.value) == BYTES[data]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^rig.toml: found no way to read it \(No such file"):
        load_rig(tmp_path / "rig.toml")
    with pytest.raises(ConfigError, match="Is a directory"):
        load_rig(tmp_path)


def test_an_empty_file_lacks_everything(rig_says: Callable[[str], list[str]]) -> None:
    told = rig_says("")
    assert [line.split(": ")[1] for line in told] == [
        "schema", "daq", "amplifier", "piezo", "bias",
    ]  # fmt: skip


def test_windows_line_ends_do_not_move_lines(
    rig_says: Callable[[str], list[str]], rig_text: str, tmp_path: Path
) -> None:
    text = rig_text.replace('"ai1"', '"ai0"')
    told = rig_says(text)
    path = tmp_path / "dos.toml"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    with pytest.raises(ConfigError) as caught:
        load_rig(path, {})
    assert told[0].removeprefix("rig") in str(caught.value)


def only_config_errors(path: Path, drivers: dict[str, type]) -> None:
    for load in (lambda: load_rig(path, drivers), lambda: load_experiment(path)):
        try:
            load()
        except ConfigError as error:
            assert error.problems
            assert str(error).count("\n") == len(error.problems) - 1


FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(data=st.binary(max_size=200))
def test_random_bytes(data: bytes, tmp_path: Path, drivers: dict[str, type]) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(data)
    only_config_errors(path, drivers)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


VALUES = st.recursive(
    st.one_of(
        st.integers().map(str),
        st.just("0x" + "f" * 6000),
        st.floats().map(lambda f: repr(float(f))),
        st.booleans().map(lambda b: str(b).lower()),
        st.just("2024-01-01T00:00:00Z"),
        st.just("07:32:00"),
        st.sampled_from(["2 %", "1e999 m", "9 m**9**9**9", "auto", "nan um", "card"]).map(quoted),
        WORDS.map(quoted),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(WORDS, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{quoted(k)} = {v}" for k, v in table.items()) + "}"
        ),
    ),
    max_leaves=5,
)  # fmt: skip
RUN = """\
schema = 1
title = "T"
[[step]]
echem = { technique = "ocp", duration = "1 s" }
[step.scan]
pattern = "line"
start = ["0 um", "0 um"]
end = ["1 um", "1 um"]
points = 3
[step.scan.hop]
amplitude = "2 um"
setpoint = 0.02
[[step]]
scan = { pattern = "raster", size = "1 um", pixels = 8, prescan = { pixels = 4 } }
[[step]]
scan = { pattern = "list", points = [["1 um", "1 um"]] }
"""


@FUZZ
@given(value=VALUES, data=st.data())
def test_any_value_in_any_place(
    value: str, data: st.DataObject, tmp_path: Path, drivers: dict[str, type], rig_text: str
) -> None:
    lines = data.draw(st.sampled_from([rig_text, RUN])).split("\n")
    settable = [n for n, line in enumerate(lines) if " = " in line]
    where = data.draw(st.sampled_from(settable))
    lines[where] = lines[where].split(" = ")[0] + " = " + value
    path = tmp_path / "any.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    only_config_errors(path, drivers)
