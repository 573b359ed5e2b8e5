"""What the top of a hop tells: the reference current, and whether to approach from there."""

from dataclasses import dataclass

import numpy as np

from sicmctl.hal.capabilities import AmplifierState, Block
from sicmctl.hal.errors import InstrumentError
from sicmctl.hal.hop import HopRequest, HopStatus
from sicmctl.hal.quantity import show

from .sense import Sense

_LEAST_SIGNAL = 20.0
"""Reference current, in units of its noise, below which there is no current to speak of."""


@dataclass(slots=True)
class Top:
    """The reference of a hop.

    level: mean current, A. error: its standard error. noise: standard deviation of a sample.
    quiet: level without the hum, A. status: OK, or why there is to be no approach; note: in words.
    """

    level: float
    error: float
    samples: int
    noise: float
    state: AmplifierState
    status: HopStatus
    note: str = ""
    quiet: float = np.nan


def no_reference(status: HopStatus, note: str = "") -> Top:
    """Return a top of which nothing is known but why."""
    return Top(np.nan, np.nan, 0, np.nan, AmplifierState(np.nan, np.nan, ""), status, note)


def reference(block: Block, sense: Sense, rate: float) -> Top:
    """Average what was read at the top, at `rate` samples/s."""
    try:
        state = sense.amplifier.state(block)
    except InstrumentError as error:
        return no_reference(HopStatus.SETTINGS, str(error))
    if sense.saturated(block):
        return no_reference(HopStatus.OVERLOAD)
    current = sense.amplifier.current(block)
    if not np.all(np.isfinite(current)):
        return no_reference(HopStatus.SETTINGS, "the gain telegraph was not readable")
    if sense.detector is not None:
        sense.detector.top(block)
    noise = float(current.std())
    independent = max(len(current) / rate * 2 * state.bandwidth, 1.0)
    error = noise / min(independent, len(current)) ** 0.5
    quiet = float(sense.without_hum(block, current).mean())
    level = float(current.mean())
    return Top(level, error, len(current), noise, state, HopStatus.OK, quiet=quiet)


def judged(top: Top, request: HopRequest) -> Top:
    """Refuse an approach whose reference is not what it was a moment ago."""
    if top.status is not HopStatus.OK:
        return top
    if request.stop.falls and abs(top.level) < _LEAST_SIGNAL * top.noise:
        top.status = HopStatus.NO_CURRENT
    elif (refusal := request.stop.refusal(top.level)) is not None:
        top.status, top.note = refusal
        return top
    elif request.usual is not None:
        deviation = top.level / request.usual - 1
        if deviation < -request.tolerance:
            top.status = HopStatus.LOW_REFERENCE
        elif deviation > request.tolerance:
            top.status = HopStatus.HIGH_REFERENCE
    if top.status is not HopStatus.OK:
        top.note = f"the reference current is {show(top.level, 'A')}"
        if request.usual is not None:
            top.note += f", it was {show(request.usual, 'A')}"
    return top
