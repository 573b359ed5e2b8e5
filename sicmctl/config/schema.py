"""JSON schemas of the files, for editors: `python -m sicmctl.config.schema docs/schema`."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from .drivers import Installed
from .experiment import Experiment
from .rig import DRIVEN, Rig

Schema = dict[str, Any]


class _ForToml(GenerateJsonSchema):
    """JSON schemas for TOML: there is no null, and defaults read as they would be written."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Schema:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        made = super().default_schema(schema)
        inner: Any = schema["schema"]
        write = inner.get("serialization", {}).get("function")
        if made.get("default") is None:
            made.pop("default", None)
        elif write:
            made["default"] = write(made["default"])
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def experiment_schema() -> Schema:
    """Return the JSON schema of experiment.toml."""
    schema = Experiment.model_json_schema(schema_generator=_ForToml)
    return {**schema, "title": "experiment.toml"}


def rig_schema(drivers: Mapping[str, type[Any]] | None = None) -> Schema:
    """Return the JSON schema of rig.toml, with the options of each driver that fits a section.

    drivers: name -> class, by default the installed ones.
    """
    drivers = Installed() if drivers is None else drivers
    classes = {name: drivers[name] for name in sorted(drivers)}
    models: list[type[BaseModel]] = [Rig, *(c.Options for c in classes.values())]
    refs, schema = models_json_schema(
        [(model, "validation") for model in models], schema_generator=_ForToml
    )
    definitions = schema["$defs"]
    options = {
        name: definitions.pop(refs[(driver.Options, "validation")]["$ref"].removeprefix("#/$defs/"))
        for name, driver in classes.items()
    }
    for section in DRIVEN:
        fitting = {name: options[name] for name in options if _fits(classes[name], section)}
        if fitting:
            own = definitions[section.capitalize()]
            definitions[section.capitalize()] = _choice(own, fitting)
    rig = definitions.pop("Rig")
    return {**rig, "title": "rig.toml", "$defs": definitions}


def _choice(own: Schema, options: Mapping[str, Schema]) -> Schema:
    """Return the schema of a section: its own keys and those of one driver."""
    branches = []
    for name, option in options.items():
        driver = {"const": name, "description": own["properties"]["driver"]["description"]}
        shared = {k: v for k, v in own["properties"].items() if k in option["properties"]}
        branches.append(
            {
                "title": name,
                "type": "object",
                "properties": {"driver": driver, **option["properties"], **shared},
                "required": ["driver", *option.get("required", [])],
                "additionalProperties": False,
            }
        )
    return {"description": own["description"], "oneOf": branches}


def _fits(driver: type[Any], section: str) -> bool:
    """Tell whether a driver has the methods that a section calls for."""
    from sicmctl.hal import capabilities, potentiostat  # noqa: PLC0415  (numpy; needed here only)

    wanted = {
        "daq": capabilities.Daq,
        "amplifier": capabilities.CurrentAmplifier,
        "piezo": capabilities.Positioner,
        "potentiostat": potentiostat.Potentiostat,
    }.get(section)
    if wanted is None:
        return False
    methods = [n for n, v in vars(wanted).items() if callable(v) and not n.startswith("_")]
    return all(hasattr(driver, name) for name in methods)


def export(folder: Path) -> list[Path]:
    """Write both schemas into a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in (("rig", rig_schema()), ("experiment", experiment_schema())):
        path = folder / f"{name}.schema.json"
        path.write_text(text(schema), encoding="utf-8")
        written.append(path)
    return written


def text(schema: Schema) -> str:
    """Return a schema as it stands in its file."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**head, **schema}, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path in export(Path(sys.argv[1])):
        print(path)
