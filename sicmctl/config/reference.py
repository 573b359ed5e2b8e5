"""Tables of all keys for the manual: `python -m sicmctl.config.reference docs`.

A page holds `<!-- keys NAME -->` ... `<!-- end -->`; what stands between them is written here, from
the descriptions of the fields.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from sicmctl.hal.quantity import Quantity, write

from . import echem, experiment, hop, rig, scan
from .diagnose import sort, written
from .drivers import Installed
from .echem import base
from .echem.base import Technique
from .fields import OrAuto, Range

PAGES = ("rig-toml.md", "experiment-toml.md", "techniques.md")
_BLOCK = re.compile(r"<!-- keys (\S+) -->\n.*?<!-- end -->\n", re.DOTALL)


def models() -> dict[str, type[BaseModel]]:
    """Return the models by the names that pages use; a driver's name stands for its options."""
    modules = (rig, experiment, scan, hop, echem, base)
    ours = {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, BaseModel)
    }
    return {**ours, **dict(_options(Installed()))}


def _options(drivers: Installed) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, driver in drivers.items():
        yield name, driver.Options
        for key, field in driver.Options.model_fields.items():
            kind = field.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield f"{name}.{key}", kind


def table(model: type[BaseModel]) -> str:
    """Return the Markdown table of a model's keys."""
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for name, field in _own_first(model):
        cells = (f"`{field.alias or name}`", _value(field), _default(field), field.description)
        rows.append("| " + " | ".join(str(c or "").replace("|", "\\|") for c in cells) + " |")
    return "\n".join(rows) + "\n"


def _own_first(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield a model's fields, its own before those of its bases; settings only on their own."""
    for owner in model.__mro__:
        if owner is Technique and model is not Technique:
            continue
        for name in vars(owner).get("__annotations__", ()):
            if name in model.model_fields:
                yield name, model.model_fields[name]


def filled(page: str) -> str:
    """Return the text of a page with its tables made anew. Raises KeyError for unknown names."""
    known = models()

    def block(match: re.Match[str]) -> str:
        return f"<!-- keys {match[1]} -->\n{table(known[match[1]])}<!-- end -->\n"

    return _BLOCK.sub(block, page)


def _quantity(kind: Any) -> Quantity | None:
    """Return the quantity that a type is made of, however deep."""
    for part in (*getattr(kind, "__metadata__", ()), *get_args(kind)):
        if found := part if isinstance(part, Quantity) else _quantity(part):
            return found
    return None


def _of(field: FieldInfo) -> Quantity | None:
    own = (part for part in field.metadata if isinstance(part, Quantity))
    return next(own, None) or _quantity(field.annotation)


def _value(field: FieldInfo) -> str:
    quantity, kind = _of(field), sort(field)
    if quantity is None:
        return kind.replace('"', "`")
    if kind == "an array" and not isinstance(quantity, Range):
        return f"array of {quantity.kind}"
    either = " or `auto`" if isinstance(quantity, OrAuto) else ""
    return quantity.kind + _range(quantity) + either


def _range(quantity: Quantity) -> str:
    low = None if quantity.low is None else _text(quantity.low, quantity)
    high = None if quantity.high is None else _text(quantity.high, quantity)
    if quantity.positive:
        return f", over 0, up to {high}" if high else ", over 0"
    if low is not None and high is not None:
        return f", {low} to {high}"
    return f", at least {low}" if low is not None else f", up to {high}" if high else ""


def _text(value: Any, quantity: Quantity | None) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_text(item, quantity) for item in value) + "]"
    if quantity is None or isinstance(value, str):
        return written(value)
    if not quantity.unit and value <= 1:
        return f"{value * 100:g} %"
    return str(write(value, quantity.unit))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is None or field.default is PydanticUndefined:
        return ""
    return f"`{_text(field.default, _of(field))}`"


if __name__ == "__main__":
    for name in PAGES:
        path = Path(sys.argv[1]) / name
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
        print(path)
