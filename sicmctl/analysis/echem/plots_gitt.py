"""Figure of a titration: rest potentials, resistance and diffusion coefficient."""

import numpy as np
from matplotlib.figure import Figure

from sicmctl.analysis.style import ALERT, CURVE, INK, Picture, nothing
from sicmctl.data.echemdata import EchemData

from .gitt import Pulse, pulses, rest_potentials
from .look import POTENTIAL, capacity_unit, heading, place_legend, thinned
from .segments import parts, passed


def titration(data: EchemData, length: float | None = None) -> Picture:
    """Potential, rest potential, resistance and D against the charge passed.

    length: V/A of the host, m; without it D/L**2 is shown.
    """
    figure = Figure(figsize=(8.4, 7.6), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=[3, 2, 2])
    top.set_title(heading(data, "titration"))
    found = pulses(data)
    charge, rest = rest_potentials(found)
    factor, unit = capacity_unit(charge if charge.size else np.ones(1))
    bottom.set_xlabel(f"charge passed, anodic positive ({unit})")
    top.set_ylabel(POTENTIAL)
    middle.set_ylabel("R at the pulse's end (Ω)")
    bottom.set_ylabel("D (m²/s)" if length else "D/L² (1/s)")
    if len(data):
        x, y = thinned(_running(data) * factor, data.potential)
        top.plot(x, y, color="#9cc4de", lw=0.8, label="potential")
    for anodic, colour, marker in ((True, CURVE, "o"), (False, ALERT, "s")):
        mine = [pulse for pulse in found if (pulse.current > 0) is anodic]
        if not mine:
            continue
        at = np.array([pulse.passed - 0.5 * pulse.charge for pulse in mine]) * factor
        way = "anodic pulses" if anodic else "cathodic pulses"
        style = {"color": colour, "marker": marker, "ms": 4, "lw": 0.8, "label": way}
        middle.plot(at, [pulse.resistance for pulse in mine], **style)
        bottom.plot(at, [_by_slope(p, length) for p in mine], **style)
        bottom.plot(at, [_by_whole(p, length) for p in mine], color=colour, marker=marker, ms=4,
                    mfc="white", ls=":", lw=0.8, label=f"{way}, from ΔE")  # fmt: skip
    top.plot(charge * factor, rest, "o", color=INK, ms=4, label="end of rest")
    if found:
        bottom.set_yscale("log")
        for axes in (top, middle, bottom):
            place_legend(axes)
    else:
        for axes in (top, middle, bottom):
            nothing(axes, "no pulse with a rest after it")
    return Picture("titration", "Titration", _caption(found, length), figure)


def _running(data: EchemData) -> np.ndarray:
    """Return the charge passed at each sample, as it is counted for the pulses, C."""
    out, so_far = np.empty(len(data)), 0.0
    for part in parts(data):
        charge = data.charge[part.slice]
        out[part.slice] = so_far + charge - charge[0]
        so_far += passed(data, part)
    return out


def _by_slope(pulse: Pulse, length: float | None) -> float:
    return pulse.diffusivity_by_slope(length or 1.0)


def _by_whole(pulse: Pulse, length: float | None) -> float:
    return pulse.diffusivity(length or 1.0)


def _caption(found: list[Pulse], length: float | None) -> str:
    text = (
        "Weppner and Huggins (1977): filled, from the slope of E against the root of time; open, "
        "from the whole change of E during the pulse."
    )
    brief = [pulse.brevity(length or 1.0) for pulse in found]
    known = [value for value in brief if np.isfinite(value)]
    if known:
        middle = float(np.median(known))
        text += f" Valid where τD/L² is far below 1; here its median is {middle:.2g}"
        text += ": do not rely on D." if middle > 0.1 else "."
    return text
