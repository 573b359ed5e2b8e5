"""The tables of SIM.toml, from the models that read it."""

import ast
import inspect
import math
import textwrap
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sicmctl.hal.quantity import show
from simulators import config
from simulators.quantity import Quantity


def reference() -> str:
    """Return every section of SIM.toml as Markdown."""
    return "\n".join(_sections(config.SimConfig, ""))


def _sections(model: type[BaseModel], path: str) -> Iterator[str]:
    """Yield the table of a model, then those of the models inside it."""
    said = dict(_field_docs(model))
    inner: list[tuple[str, type[BaseModel]]] = []  # a table of several kinds is there once for each
    rows: list[str] = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        below = _models(field.annotation)
        if below:
            inner += [(f"{path}.{key}" if path else key, model) for model in below]
        else:
            rows.append(f"| `{key}` | {_kind(field)} | {_default(field)} | {said.get(name, '')} |")
    kind = model.model_fields["kind"].default if path == "cell" else None
    title = f"[{path}]" if path else "Top level"
    yield f"### {title}, {kind}\n" if kind else f"### {title}\n"
    yield _first_line(model) + "\n"
    if rows:
        yield "| key | value | default | meaning |\n|---|---|---|---|"
        yield "\n".join(rows) + "\n"
    for name, below in inner:
        yield from _sections(below, name)


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the models within an annotation: itself, optional, repeated, or one of several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _first_line(model: type[BaseModel]) -> str:
    own = model.__doc__ or next((base.__doc__ for base in model.__mro__[1:] if base.__doc__), "")
    return (own or "").strip().split("\n\n")[0].replace("\n    ", " ")


def _field_docs(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Yield the strings that stand below the fields of a class, the base's first."""
    for base in reversed(model.__mro__):
        if not issubclass(base, BaseModel) or not base.__module__.startswith("simulators."):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                match text:
                    case ast.Expr(ast.Constant(str() as said)):
                        yield field.target.id, " ".join(said.split())
                    case _:
                        pass


def _quantity(field: FieldInfo) -> Quantity | None:
    parts = [*field.metadata, *_annotated(field.annotation)]
    return next((part for part in parts if isinstance(part, Quantity)), None)


def _annotated(annotation: Any) -> list[Any]:
    """Return the annotations within an optional type."""
    return [extra for part in get_args(annotation) for extra in getattr(part, "__metadata__", ())]


def _kind(field: FieldInfo) -> str:
    quantity = _quantity(field)
    if quantity is not None:
        return f"quantity, {quantity.unit}" if quantity.unit else "number or percentage"
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(field.annotation))
    text = str(field.annotation)
    for word, kind in (("dict", "a table"), ("bool", "true or false"), ("int", "a whole number")):
        if word in text:
            return kind
    return "number or text" if "float" in text else "text"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default in (None, ()) or field.default_factory is not None:
        return ""
    return f"`{_written(field.default, _quantity(field))}`"


def _written(value: Any, quantity: Quantity | None) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if quantity is None or not isinstance(value, int | float):
        return str(value)
    if quantity.unit == "rad":
        return f"{math.degrees(value):.4g} deg"
    if quantity.unit == "" or any(sign in quantity.unit for sign in ("*", "mol", "K", "1/")):
        return f"{value:.4g} {quantity.unit}".strip()
    return show(value, quantity.unit)
