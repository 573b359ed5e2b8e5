"""Figures of impedance spectra: Nyquist and Bode, with the fitted circuit."""

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sicmctl.analysis.style import INK, Picture, nothing
from sicmctl.data.echemdata import EchemData, EchemSpectrum
from sicmctl.hal.quantity import show

from .circuits import UNITS
from .eis import LEAST, RandlesFit, fit_best, spectra
from .kramers import KramersKronig, check
from .look import Cycles, heading, place_legend, scaled

NO_POINTS = "no points of impedance"
_MOST = 12
"""Spectra of a figure; of more, some between are left out."""
_PAPER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5}
_WORDS = {"Rs": "Rₛ", "Rct": "R_ct", "Cdl": "C_dl", "sigma": "σ"}


@dataclass(frozen=True, slots=True)
class Spectrum:
    """One spectrum with what was found in it. fit, check: None if it has too few points."""

    number: int
    points: EchemSpectrum
    fit: RandlesFit | None
    check: KramersKronig | None


def analysed(data: EchemData) -> list[Spectrum]:
    """Fit every spectrum of a technique that is to be drawn."""
    found = list(spectra(data.spectrum))
    if len(found) > _MOST:
        picks = np.unique(np.linspace(0, len(found) - 1, _MOST).round().astype(int))
        found = [found[k] for k in picks]
    return [_analyse(number, points) for number, points in found]


def _analyse(number: int, points: EchemSpectrum) -> Spectrum:
    if len(points) < LEAST:
        return Spectrum(number, points, None, None)
    f, z = points.frequency, points.impedance
    return Spectrum(number, points, fit_best(f, z), check(f, z))


def nyquist(data: EchemData, found: list[Spectrum] | None = None) -> Picture:
    """-Im Z against Re Z, one scale for both."""
    found = analysed(data) if found is None else found
    figure = Figure(figsize=(7.4, 6.0), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(heading(data, "Nyquist"))
    size, unit = _ohms(found)
    axes.set_xlabel(f"Re Z ({unit})")
    axes.set_ylabel(f"−Im Z ({unit})")
    colours = Cycles([spectrum.number for spectrum in found])
    for spectrum in found:
        z, colour = spectrum.points.impedance * size, colours.colour(spectrum.number)
        name = _name(spectrum) if len(found) > 1 else "measured"
        axes.plot(z.real, -z.imag, "o", color=colour, ms=4, mfc="none", label=name)
        if spectrum.fit:
            smooth = spectrum.fit.impedance(_fine(spectrum.points.frequency)) * size
            name = f"fit {spectrum.fit.circuit}" if len(found) == 1 else "_nolegend_"
            axes.plot(smooth.real, -smooth.imag, color=colour, lw=1.2, label=name)
    if found:
        if len(found) == 1:
            _decades(axes, found[0].points, size)
        axes.set_aspect("equal", adjustable="datalim")
        place_legend(axes)
    else:
        nothing(axes, NO_POINTS)
    return Picture("nyquist", "Nyquist", _caption(found), figure)


def bode(data: EchemData, found: list[Spectrum] | None = None) -> Picture:
    """|Z| and phase against frequency, and how far the fit is off."""
    found = analysed(data) if found is None else found
    figure = Figure(figsize=(7.8, 6.4), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=[3, 3, 2])
    top.set_title(heading(data, "Bode"))
    size, unit = _ohms(found)
    top.set_ylabel(f"|Z| ({unit})")
    middle.set_ylabel("−phase (°)")
    bottom.set_ylabel("fit − data (%)")
    bottom.set_xlabel("frequency (Hz)")
    colours = Cycles([spectrum.number for spectrum in found])
    for spectrum in found:
        f, z = spectrum.points.frequency, spectrum.points.impedance
        colour = colours.colour(spectrum.number)
        name = _name(spectrum) if len(found) > 1 else "measured"
        dots = {"marker": "o", "ls": "none", "color": colour, "ms": 4, "mfc": "none"}
        top.plot(f, np.abs(z) * size, **dots, label=name)
        middle.plot(f, -np.degrees(np.angle(z)), **dots)
        if spectrum.fit:
            fine = _fine(f)
            smooth = spectrum.fit.impedance(fine)
            name = f"fit {spectrum.fit.circuit}" if len(found) == 1 else "_nolegend_"
            top.plot(fine, np.abs(smooth) * size, color=colour, lw=1.2, label=name)
            middle.plot(fine, -np.degrees(np.angle(smooth)), color=colour, lw=1.2)
            off = 100 * (spectrum.fit.impedance(f) - z) / np.abs(z)
            first = spectrum is found[0]
            bottom.plot(f, off.real, ".-", color=colour, lw=0.6, ms=4,
                        label="real" if first else "_nolegend_")  # fmt: skip
            bottom.plot(f, off.imag, "x:", color=colour, lw=0.6, ms=4,
                        label="imaginary" if first else "_nolegend_")  # fmt: skip
    bottom.axhline(0, color=INK, lw=0.6, alpha=0.4)
    if found:
        top.set_xscale("log")
        sizes = np.abs(np.concatenate([spectrum.points.impedance for spectrum in found]))
        if sizes.max() > 10 * sizes.min():
            top.set_yscale("log")
        place_legend(top)
        place_legend(bottom, ncols=2)
    else:
        for axes in (top, middle, bottom):
            nothing(axes, NO_POINTS)
    return Picture("bode", "Bode", _caption(found), figure)


def _ohms(found: list[Spectrum]) -> tuple[float, str]:
    sizes = [np.abs(spectrum.points.impedance) for spectrum in found]
    return scaled(np.concatenate(sizes) if sizes else np.empty(0), "Ω")


def _fine(frequency: np.ndarray) -> np.ndarray:
    return np.geomspace(frequency.min(), frequency.max(), 400)


def _name(spectrum: Spectrum) -> str:
    off = f", fit to {100 * spectrum.fit.error:.2g} %" if spectrum.fit else ""
    return f"step {spectrum.number + 1}, {np.mean(spectrum.points.potential):.3f} V{off}"


def _decades(axes: Axes, points: EchemSpectrum, size: float) -> None:
    """Write the frequency beside the points nearest to whole decades, where there is room."""
    f, z = points.frequency, points.impedance * size
    span = float(np.ptp(z.real)) or 1.0
    taken: list[complex] = []
    for exponent in range(math.ceil(math.log10(f.min())), math.floor(math.log10(f.max())) + 1):
        k = int(np.argmin(np.abs(np.log10(f) - exponent)))
        if all(abs(z[k] - other) > 0.08 * span for other in taken):
            taken.append(complex(z[k]))
            axes.annotate(
                show(10.0**exponent, "Hz", 3),
                (z[k].real, -z[k].imag),
                xytext=(7, 7),
                textcoords="offset points",
                fontsize=8.5,
                color="#555555",
                bbox=_PAPER,
            )


def _caption(found: list[Spectrum]) -> str:
    if not found:
        return "Impedance."
    last = found[-1]
    which = "" if len(found) == 1 else f" (last of {len(found)} spectra)"
    if last.fit is None or last.check is None:
        return f"Impedance{which}; too few points for a fit."
    values = ", ".join(
        f"{_WORDS.get(name, name)} = {_value(last.fit, name)}" for name in last.fit.values
    )
    return (
        f"Fit{which} of {last.fit.circuit}: {values}; rms {100 * last.fit.error:.2g} %. "
        f"Kramers-Kronig residuals: rms {100 * last.check.rms:.2g} %, at most "
        f"{100 * last.check.worst:.2g} %."
    )


def _value(fit: RandlesFit, name: str) -> str:
    value, sd, unit = fit.values[name], fit.sds[name], UNITS[name]
    relative = f" ± {100 * sd / value:.2g} %" if math.isfinite(sd) else " (not determined)"
    if unit in ("ohm", "F", "s"):
        text = show(value, "Ω" if unit == "ohm" else unit).replace(" u", " µ")
    else:
        text = f"{value:.4g} {unit}".strip()
    return text + relative
