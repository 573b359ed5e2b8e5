"""All figures of a technique."""

from collections.abc import Iterator

from sicmctl.analysis.style import Picture, look
from sicmctl.data.echemdata import EchemData

from .plots import time_figure, voltammogram
from .plots_cycling import capacities, cycling, differential
from .plots_eis import analysed, bode, nyquist
from .plots_gitt import titration
from .techniques import figures_of

_DRAW = {
    "time": time_figure,
    "voltammogram": voltammogram,
    "cycling": cycling,
    "capacity": capacities,
    "differential": differential,
    "titration": titration,
}


def pictures(data: EchemData) -> Iterator[Picture]:
    """Yield the figures that suit the technique, the most telling first."""
    shown = figures_of(data)
    with look():
        found = analysed(data) if {"nyquist", "bode"} & set(shown) else []
        for name in shown:
            if name == "nyquist":
                yield nyquist(data, found)
            elif name == "bode":
                yield bode(data, found)
            else:
                yield _DRAW[name](data)
