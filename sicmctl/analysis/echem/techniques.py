"""Which figures show which technique."""

from collections.abc import Mapping, Sequence
from typing import Literal

from sicmctl.data.echemdata import EchemData

from . import capacity, gitt
from .segments import sweeps

Figure = Literal[
    "time", "voltammogram", "cycling", "capacity", "differential", "titration", "nyquist", "bode"
]

SHOWS: Mapping[str, tuple[Figure, ...]] = {
    "ocp": ("time",),
    "rest": ("time",),
    "hold": ("time",),
    "ca": ("time",),
    "cp": ("time",),
    "cc": ("time", "differential"),
    "cv": ("voltammogram", "time"),
    "lsv": ("voltammogram", "time"),
    "gcpl": ("cycling", "capacity", "differential", "time"),
    "gitt": ("titration", "time"),
    "pitt": ("time",),
    "steps": ("time",),
    "eis": ("nyquist", "bode"),
}
"""Technique -> figures, the most telling first."""


def figures_of(data: EchemData) -> tuple[Figure, ...]:
    """Return what to draw; for a sequence or a technique that is not known, what its data bear."""
    known: Sequence[Figure] | None = SHOWS.get(data.technique)
    shown: list[Figure] = []
    shown.extend(_borne(data) if known is None else known)
    if len(data.spectrum):
        shown.extend(figure for figure in SHOWS["eis"] if figure not in shown)
    return tuple(shown)


def _borne(data: EchemData) -> list[Figure]:
    found: list[Figure] = []
    kinds = {step.kind for step in data.steps}
    if kinds & {"sweep", "cycles"} and sweeps(data):
        found.append("voltammogram")
    if "held current" in kinds:
        if len(gitt.pulses(data)) > 2 and "pulse" in {step.label for step in data.steps}:
            found.append("titration")
        elif any(cycle.second for cycle in capacity.cycles(data)):
            found.extend(("cycling", "capacity", "differential"))
    if len(data) or not len(data.spectrum):
        found.append("time")
    return found
