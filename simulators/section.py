"""The base of every table of SIM.toml, and what its keys are."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of SIM.toml: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def keys_at(model: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    """Keys of the table at `path`, where an index or the kind of a table may stand in the path."""
    tables = [model]
    for part in path:
        of_kind = [table for table in tables if _kind(table) == part]
        fields = [table.model_fields[part] for table in tables if part in table.model_fields]
        inner = [table for field in fields for table in _tables(field.annotation)]
        tables = of_kind or inner or tables
    return [field.alias or name for name, field in tables[0].model_fields.items()]


def _kind(table: type[BaseModel]) -> str | None:
    field = table.model_fields.get("kind")
    return str(field.default) if field else None


def _tables(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _tables(part)
