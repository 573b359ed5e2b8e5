"""Tells a surface below the tip from a wall beside it.

Beside a step the current falls, but in a way that no smooth surface explains: either the curve
cannot be fitted, or, once the tip rests below the crossing, the current is not as low as the fitted
curve says it should be there. At such a place the height is ill-defined: it changes by tens of
nanometres within a few nanometres sideways.
"""

import numpy as np

from .curve import Tip
from .height import Approach, Height

SMOOTH = ("ok", "slope", "early")
"""Statuses of a fit that a smooth surface explains."""
_SHORTFALL = 0.15
"""Drop that may be missing at rest, as a share of the setpoint."""
_REST = 0.5e-3
"""Time at rest that is averaged, s."""


def beside_a_step(approach: Approach, fit: Height, z_stop: float, tip: Tip) -> bool:
    """Whether the approach met an edge or a wall instead of a surface below the tip.

    fit: of the same approach. z_stop: sensor z at rest after the stop, m.
    """
    if fit.status not in SMOOTH:
        return True
    samples = round(_REST * approach.rate)
    rest = approach.current[approach.stop :][-samples:]
    if len(rest) < samples:
        return False
    gap = float(tip.gap(approach.setpoint)) + (z_stop - fit.value) / fit.detail["stretch"]
    expected = 1 - float(tip.current(max(gap, 0.01 * tip.inner_radius)))
    found = 1 - float(np.mean(rest)) / fit.detail["amplitude"]
    return expected - found > _SHORTFALL * approach.setpoint
