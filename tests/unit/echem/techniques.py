"""Techniques from tables, as experiment.toml would hold them."""

from typing import Any

from pydantic import TypeAdapter

from sicmctl import echem
from sicmctl.config.echem import Echem
from sicmctl.hal.cell import AnyStep, CellProgram, walk

Options = dict[str, Any]
_ADAPTER: TypeAdapter[Any] = TypeAdapter(Echem)


def table(technique: str, **options: Any) -> dict[str, object]:
    """Return a technique's table."""
    return {"technique": technique, **options}


def program(technique: str, present: float | None = None, **options: Any) -> CellProgram:
    """Return the program of a technique."""
    return echem.build(_ADAPTER.validate_python(table(technique, **options)), present)


def steps(technique: str, present: float | None = None, **options: Any) -> list[AnyStep]:
    """Return the steps of a technique in the order of execution."""
    return [step for _, step in walk(program(technique, present, **options))]
