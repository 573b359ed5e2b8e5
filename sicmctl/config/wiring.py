"""Checks across the sections of rig.toml, on the raw table: they speak whatever else is wrong."""

from collections.abc import Iterator, Mapping
from typing import Any

from .diagnose import unknown
from .problems import Finding, Path, dotted
from .rig import MICROSCOPE, Rig

_AXES = ("x", "y", "z")


def check(
    table: Mapping[str, Any], drivers: Mapping[str, type[Any]], options: Mapping[str, Any]
) -> list[Finding]:
    """Return what is missing, wired twice or to nowhere.

    table: the file. drivers: section -> driver class. options: section -> validated driver options,
    as far as they are valid.
    """
    inputs = _texts(_at(table, "daq", "inputs"))
    findings = [*_sections(table, drivers.get("potentiostat"))]
    findings += _twice({("daq", "inputs", role): channel for role, channel in inputs.items()})
    findings += _twice(_outputs(table, options))
    if inputs:
        findings += _roles(table, inputs)
        if "pipette_current" not in inputs and "amplifier" in table:
            expected = "pipette_current, the channel of the amplifier's output"
            findings.append(Finding(("daq", "inputs"), "no pipette_current", expected))
    terminals = _texts(_at(table, "daq", "comparator"))
    findings += _twice({("daq", "comparator", role): t for role, t in terminals.items()})
    return findings


def _sections(table: Mapping[str, Any], potentiostat: type[Any] | None) -> Iterator[Finding]:
    """Find what is missing of a microscope, or of what a potentiostat needs."""
    given = [name for name in MICROSCOPE if name in table]
    alone = "potentiostat" in table and given in ([], ["daq"])
    if not alone:
        for name in MICROSCOPE:
            if name not in table:
                about = "" if given else ", if it is a microscope; else [potentiostat]"
                yield Finding((name,), "nothing", _table(name) + about)
        return
    needs_daq = getattr(potentiostat, "needs_daq", False)
    if needs_daq and not given:
        yield Finding(("daq",), "nothing", f"{_table('daq')}, which the potentiostat's driver uses")
    if given and potentiostat is not None and not needs_daq:
        yield Finding(
            ("daq",),
            "a card that nothing uses",
            "no card beside this potentiostat, or the rest of a microscope: "
            "[amplifier], [piezo] and [bias]",
        )


def _table(section: str) -> str:
    return f"a table ({Rig.model_fields[section].description})"


def _outputs(table: Mapping[str, Any], options: Mapping[str, Any]) -> dict[Path, str]:
    """Return the output channels by the keys that claim them."""
    command = getattr(options.get("amplifier"), "command", None)
    claims = {("amplifier", "command"): _at(table, "amplifier", "command") or command}
    claims[("potentiostat", "command")] = _at(table, "potentiostat", "command") or getattr(
        options.get("potentiostat"), "command", None
    )
    claims |= {("piezo", axis, "output"): _at(table, "piezo", axis, "output") for axis in _AXES}
    return {path: channel for path, channel in claims.items() if isinstance(channel, str)}


def _twice(claims: Mapping[Path, str]) -> Iterator[Finding]:
    """Find channels that are claimed by more than one key."""
    owners: dict[str, Path] = {}
    for path, channel in claims.items():
        name = channel.strip().lower()
        first = owners.setdefault(name, path)
        if first == path:
            continue
        same_table = first[:-1] == path[:-1]
        owner = str(first[-1]) if same_table else dotted(first)
        kind = "terminal" if "comparator" in path else "channel"
        found = f'"{channel}", which {owner} uses already'
        yield Finding(path, found, f"a {kind} of its own")


def _roles(table: Mapping[str, Any], inputs: Mapping[str, str]) -> Iterator[Finding]:
    """Find roles that are named but have no input."""
    for role in _texts(_at(table, "daq", "comparator")):
        if role not in inputs:
            yield Finding(("daq", "comparator", role), *unknown(role, inputs, "role"))
    keys: list[Path] = [("piezo", axis, key) for axis in _AXES for key in ("sensor", "readback")]
    for path in [("amplifier", "readback"), *keys]:
        role = _at(table, *path)
        if isinstance(role, str) and role not in inputs:
            yield Finding(path, *unknown(role, inputs, "role"))


def _at(table: Any, *path: str) -> Any:
    """Return what stands at a path, None if nothing does."""
    for part in path:
        table = table.get(part) if isinstance(table, Mapping) else None
    return table


def _texts(table: Any) -> dict[str, str]:
    """Return the text values of a table; nothing if it is none."""
    items = table.items() if isinstance(table, Mapping) else ()
    return {key: value for key, value in items if isinstance(value, str)}
