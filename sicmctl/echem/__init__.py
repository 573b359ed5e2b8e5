"""Electrochemical techniques as data: from experiment.toml to programs of a potentiostat."""

from . import battery as _battery  # noqa: F401  (its techniques register themselves)
from .build import build
from .errors import ImpossibleTechnique
from .listing import listing
from .preview import course, totals

__all__ = ["ImpossibleTechnique", "build", "course", "listing", "totals"]
