"""The generator of approach records as a fixture."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from sicmctl.scan.height import Approach

_RECORD = runpy.run_path(str(Path(__file__).with_name("records.py")))["record"]


@pytest.fixture
def record() -> Callable[..., Approach]:
    """`record(rng, speed=..., ...)`: one hop with known height; see records.py."""
    return _RECORD
