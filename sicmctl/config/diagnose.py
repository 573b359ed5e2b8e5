"""What pydantic says about a file, in the operator's words."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from sicmctl.hal.quantity import Quantity, quote

from .problems import Finding, Path

_HUGE = 10**15
_TAGS = ("pattern", "technique")
"""Keys whose value decides which other keys there are."""
_KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def validate(
    model: type[BaseModel], table: dict[str, Any], below: Path = ()
) -> tuple[BaseModel | None, list[Finding]]:
    """Return the model of a table, or None and what is wrong with it.

    below: where the table stands in its document.
    """
    try:
        return model.model_validate(table), []
    except ValidationError as error:
        return None, [_finding(model, table, below, e) for e in error.errors(include_url=False)]


def written(value: object) -> str:
    """Return a value as it stands in the file, in one short line."""
    if isinstance(value, dict | list | tuple):
        kind = "table" if isinstance(value, dict) else "array"
        return f"{'a' if kind == 'table' else 'an'} {kind}" if value else f"an empty {kind}"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= _HUGE:
        return "a huge number"
    return f"{value:g}" if isinstance(value, float) else str(value)


def unknown(found: str, choices: Iterable[str], what: str) -> tuple[str, str]:
    """Return found and expected for a name that is not known, with the nearest that is."""
    names = sorted(choices)
    near = get_close_matches(found, names, n=1, cutoff=0.6)
    wanted = f"one of {', '.join(names)}" if names else "none here"
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"the unknown {what} {quote(found)}", wanted + hint


def _finding(model: type[BaseModel], table: Any, below: Path, error: Any) -> Finding:
    loc = _real(table, error["loc"], error["type"])
    cause = error.get("ctx", {}).get("error")
    at = tuple(getattr(cause, "at", ()))
    if error["type"].startswith("union_tag"):
        at = (_tag(error),)
    found, expected = _halves(model, error, loc)
    return Finding((*below, *loc, *at), found, expected)


def _real(table: Any, loc: Path, kind: str) -> Path:
    """Drop from pydantic's location what is not in the file: tags of unions, and what is beyond."""
    path: list[str | int] = []
    node: Any = table
    for position, part in enumerate(loc):
        if isinstance(node, dict) and part in node:
            node = node[part]
        elif isinstance(node, dict) and part in (node.get(tag) for tag in _TAGS):
            continue
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            node = node[part]
        elif kind == "missing" and position == len(loc) - 1:
            path.append(part)
            break
        else:
            break
        path.append(part)
    return tuple(path)


def _halves(model: type[BaseModel], error: Any, loc: Path) -> tuple[str, str]:
    """Return what was found and what was expected."""
    value, context = error["input"], error.get("ctx", {})
    cause = context.get("error")
    if hasattr(cause, "found") and hasattr(cause, "expected"):
        return cause.found, cause.expected
    kind = error["type"]
    if kind == "missing":
        return "nothing", _wish(model, error["loc"])
    if kind == "union_tag_not_found":
        return "nothing", "one of " + ", ".join(sorted(_tags(model, error["loc"])))
    if kind == "extra_forbidden":
        return unknown(str(loc[-1]), known_keys(model, error["loc"][:-1]), "key")
    if kind in ("too_short", "too_long"):
        bound, name = ("least", "min_length") if kind == "too_short" else ("most", "max_length")
        return f"{context['actual_length']} elements", f"at {bound} {context[name]}"
    if kind == "union_tag_invalid":
        value = value[_tag(error)]
    return written(value), _plainly(kind, context, error["msg"])


def _tag(error: Any) -> str:
    """Return the key that decides between the members of a union."""
    return error["ctx"]["discriminator"].strip("'")


def _plainly(kind: str, context: dict[str, Any], message: str) -> str:
    """Say what was expected, for all the rest."""
    choices = context.get("expected_tags") or context.get("expected")
    if kind in ("union_tag_invalid", "literal_error", "enum") and choices:
        return "one of " + choices.replace("'", '"').replace(" or ", ", ")
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return "a table"
    if kind in ("tuple_type", "list_type"):
        return "an array"
    return _plain(message)


def _plain(message: str) -> str:
    """Return pydantic's sentence without its beginning."""
    text = re.sub(
        r"^(Input should be|Value error,|Assertion failed,|String should have) ?", "", message
    )
    return " ".join(text.split()) or "another value"


def _wish(model: type[BaseModel], loc: Path) -> str:
    """Say what a missing key would hold."""
    *parents, name = loc
    for owner in _models(model, tuple(parents)):
        fields = {field.alias or key: field for key, field in owner.model_fields.items()}
        if field := fields.get(str(name)):
            meaning = f" ({field.description})" if field.description else ""
            return sort(field) + meaning
    return "one more element" if isinstance(name, int) else "a value"


def sort(field: FieldInfo) -> str:
    """Say what sort of value a field holds."""
    quantity = next((m for m in field.metadata if isinstance(m, Quantity)), None)
    if quantity and get_origin(field.annotation) is not tuple:
        return quantity.wish
    for member in _members(field.annotation):
        origin = get_origin(member)
        if origin is Literal:
            choices = [written(choice) for choice in get_args(member)]
            return f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]
        if origin in (list, tuple):
            return "an array"
        if origin is dict or (isinstance(member, type) and issubclass(member, BaseModel)):
            return "a table"
        if member in _KINDS:
            return _KINDS[member]
    return "a value"


def known_keys(model: type[BaseModel], loc: Path) -> set[str]:
    """Return the keys that a table may have, given where it is in the model."""
    return {
        field.alias or name
        for owner in _models(model, loc)
        for name, field in owner.model_fields.items()
    }


def _tags(model: type[BaseModel], loc: Path) -> set[str]:
    return {written(tag) for owner in _models(model, loc) for tag in _own_tags(owner)}


def _own_tags(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the values by which a member of a union is known."""
    fields = (model.model_fields.get(tag) for tag in _TAGS)
    return tuple(value for field in fields if field for value in get_args(field.annotation))


def _models(model: type[BaseModel], loc: Path) -> list[type[BaseModel]]:
    """Return the models that may describe the table at a location of pydantic's."""
    types: list[Any] = [model]
    for part in loc:
        types = [t for kind in types for t in _below(kind, part)]
    return [t for t in types if isinstance(t, type) and issubclass(t, BaseModel)]


def _below(kind: Any, part: str | int) -> Iterator[Any]:
    """Yield the types one step down: a field, an element, or a member of a union by its tag."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if part in kind.model_fields:
            yield from _members(kind.model_fields[str(part)].annotation)
        elif part in _own_tags(kind):
            yield kind
    elif isinstance(part, int) and get_origin(kind) in (list, tuple):
        yield from _members(get_args(kind)[0])
    elif get_origin(kind) is dict:
        yield from _members(get_args(kind)[1])


def _members(annotation: Any) -> Iterator[Any]:
    """Yield the members of a union, or the annotation itself."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (None, list, tuple, dict, Literal):
        yield annotation
    else:
        for member in get_args(annotation):
            yield from _members(member)
