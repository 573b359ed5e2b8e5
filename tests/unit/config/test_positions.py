"""Where keys stand in a TOML document."""

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sicmctl.config.positions import positions
from sicmctl.config.problems import Path, dotted

DOCUMENT = '''\
# a comment with = and [brackets]
top = 1
[a.b]   # a table
x = "]" # a string
"quoted key".'other' = { i = 1, j = [2, { k = 3 }] }
[[t]]
n = """
[not.a.table]
y = 1 \\"""
"""
[[t]]
n = [
  1, # one
  [2,
   3],
]
[t.sub]
z = 1979-05-27 07:32:00
[[t.list]]
[[t.list]]
q = \'\'\'
a = 1\'\'\'\'
last = -inf
"\\u00e9" = true
'''


def test_lines_of_every_sort_of_key() -> None:
    found = positions(DOCUMENT)
    expected: dict[Path, int] = {
        ("top",): 2,
        ("a",): 3,
        ("a", "b", "x"): 4,
        ("a", "b", "quoted key", "other"): 5,
        ("a", "b", "quoted key", "other", "j", 1, "k"): 5,
        ("t",): 6,
        ("t", 0): 6,
        ("t", 0, "n"): 7,
        ("t", 1): 11,
        ("t", 1, "n", 0): 13,
        ("t", 1, "n", 1, 1): 15,
        ("t", 1, "sub", "z"): 18,
        ("t", 1, "list", 0): 19,
        ("t", 1, "list", 1, "q"): 21,
        ("t", 1, "list", 1, "last"): 23,
        ("t", 1, "list", 1, "é"): 24,
    }
    assert {path: found.place(path)[0] for path in expected} == expected
    assert set(found.offsets) == set(paths(tomllib.loads(DOCUMENT)))


def test_a_missing_key_is_placed_at_its_section() -> None:
    found = positions(DOCUMENT)
    assert found.place(("t", 1, "sub", "missing")) == (17, 1)
    assert found.place(("nowhere", "at", "all")) == (1, 1)


def test_columns_count_from_one() -> None:
    assert positions("a = { b = 1,  c = 2 }").place(("a", "c")) == (1, 15)


def paths(value: Any, below: Path = ()) -> Iterator[Path]:
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for part, inner in items:
        yield (*below, part)
        yield from paths(inner, (*below, part))


TEXT = st.text(st.sampled_from("ab]}[{=,.#'\" \\\n\té"), max_size=6)


def basic(text: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(escapes.get(c, c) for c in text) + '"'


def long(text: str) -> str:
    return '"""' + text.replace("\\", "\\\\").replace('"', '\\"') + '"""'


def literal(text: str) -> str:
    return "'''" + text.replace("'", "") + "''\n'''"


SCALARS = st.one_of(
    st.integers().map(str),
    st.sampled_from(["true", "1e3", "inf", "2024-01-01 01:02:03", "0x1F"]),
    st.builds(lambda f, t: f(t), st.sampled_from([basic, long, literal]), TEXT),
)


def table(items: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{basic(k)}={v}" for k, v in items.items()) + " }"


VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda v: "[ # ]\n" + ",\n".join(v) + "]"),
        st.dictionaries(TEXT, inner, max_size=3).map(table),
    ),
    max_leaves=6,
)
TABLES = st.dictionaries(TEXT, VALUES, max_size=3)


@given(st.dictionaries(TEXT, TABLES, max_size=3), st.lists(TABLES, max_size=3), TEXT)
def test_every_key_of_any_document_is_found(
    tables: dict[str, dict[str, str]], array: list[dict[str, str]], name: str
) -> None:
    heads = [(f"[ t . {basic(key)} ]", items) for key, items in tables.items()]
    heads += [(f"[[a . {basic(name)}]] # more", items) for items in array]
    text = "".join(
        f"{head}\n" + "".join(f" {basic(k)} = {v}\n" for k, v in items.items())
        for head, items in heads
    )
    assert set(positions(text).offsets) == set(paths(tomllib.loads(text)))


def test_paths_read_as_they_are_written() -> None:
    assert dotted(("step", 0, "scan", "a b", "x\n")) == 'step[0].scan."a b"."x\\n"'
