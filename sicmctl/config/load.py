"""From a file to a model, or to everything that is wrong with the file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any, cast

from pydantic import BaseModel

from . import experiment, rig, wiring
from .diagnose import unknown, validate, written
from .document import Document, read
from .drivers import Installed
from .experiment import Experiment
from .points import with_points
from .problems import ConfigError, Finding
from .rig import Rig

Drivers = Mapping[str, type[Any]]


@dataclass(frozen=True)
class LoadedRig:
    """A valid rig.toml.

    model: the sections. text: the file as read. drivers, options: section -> driver class and its
    validated options.
    """

    model: Rig
    text: str
    path: File
    drivers: Mapping[str, type[Any]]
    options: Mapping[str, BaseModel]

    @property
    def microscope(self) -> bool:
        """Whether there is one, or a potentiostat alone."""
        return "piezo" in self.options


@dataclass(frozen=True)
class LoadedExperiment:
    """A valid experiment.toml. text: the file as read."""

    model: Experiment
    text: str
    path: File


def load_rig(path: File | str, drivers: Drivers | None = None) -> LoadedRig:
    """Read rig.toml. drivers: name -> class, by default the installed ones.

    Raises ConfigError with every problem of the file.
    """
    path = File(path)
    document = read(path)
    findings = document.check_schema(rig.SCHEMA)
    model, more = validate(Rig, document.table)
    findings += _but_schema(more)
    found, options, more = _drivers(document, Installed() if drivers is None else drivers)
    findings += more
    findings += wiring.check(document.table, found, options)
    if findings or model is None:
        raise ConfigError(document.problems(_once(findings)))
    return LoadedRig(cast(Rig, model), document.text, path, found, options)


def load_experiment(path: File | str) -> LoadedExperiment:
    """Read experiment.toml, and the point lists that it names.

    Raises ConfigError with every problem of the file.
    """
    path = File(path)
    document = read(path)
    findings = document.check_schema(experiment.SCHEMA)
    model, more = validate(Experiment, document.table)
    findings += _but_schema(more)
    if findings or model is None:
        raise ConfigError(document.problems(_once(findings)))
    return LoadedExperiment(with_points(cast(Experiment, model), path), document.text, path)


def _but_schema(findings: list[Finding]) -> list[Finding]:
    """Drop what `check_schema` has said already."""
    return [finding for finding in findings if finding.path != ("schema",)]


def _once(findings: list[Finding]) -> list[Finding]:
    """Keep one finding a place: the first says enough."""
    return list({finding.path: finding for finding in reversed(findings)}.values())[::-1]


def _drivers(
    document: Document, drivers: Drivers
) -> tuple[dict[str, type[Any]], dict[str, BaseModel], list[Finding]]:
    """Let each section's driver validate its options."""
    classes: dict[str, type[Any]] = {}
    options: dict[str, BaseModel] = {}
    findings: list[Finding] = []
    for section in rig.DRIVEN:
        table = document.table.get(section)
        name = table.get("driver") if isinstance(table, dict) else None
        if not isinstance(table, dict) or not isinstance(name, str) or not name:
            continue
        if name not in drivers:
            findings.append(Finding((section, "driver"), *unknown(name, drivers, "driver")))
            continue
        rest = {key: value for key, value in table.items() if key != "driver"}
        try:
            driver = drivers[name]
            model, more = validate(driver.Options, rest, (section,))
        except Exception as error:  # a driver is someone else's code: report it, never fall over it
            reason = f"{written(name)}, which fails ({type(error).__name__}: {error})"
            findings.append(Finding((section, "driver"), reason, "a driver that works"))
            continue
        findings += more
        if model is not None:
            classes[section], options[section] = driver, model
    return classes, options, findings
