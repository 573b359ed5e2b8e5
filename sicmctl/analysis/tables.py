"""The numbers of a run as rows of text, for the report and the console."""

import math
from collections.abc import Mapping, Sequence

from sicmctl.data.names import unit_of
from sicmctl.hal.quantity import show

from .summary import DriftSummary, EchemSummary, RunSummary, ScanSummary, TipSummary

Rows = list[tuple[str, str]]


def run_rows(summary: RunSummary) -> Rows:
    """Return what the table about the run says."""
    info = summary.info
    rows = [
        ("Run", info.run),
        ("Sample", info.sample),
        ("Operator", info.operator),
        ("Start", info.start_time),
        ("End", info.end_time),
        ("Duration", _duration(info.duration)),
        ("Outcome", info.outcome),
        ("Reason", info.reason),
        ("Made safe", "; ".join(info.safe)),
        ("Hops", str(summary.hops) if summary.scans else ""),
        ("File", summary.file),
        ("Program", f"sicmctl {info.program_version}"),
    ]
    return [(name, text) for name, text in rows if text]


def scan_rows(scan: ScanSummary) -> Rows:
    """Return what the table about a scan says."""
    width, height = scan.size
    size = f"{_quantity(width, 'm')} × {_quantity(height, 'm')}" if math.isfinite(width) else ""
    rows = [
        ("Pattern", f"{scan.pattern}, {scan.shape[1]} × {scan.shape[0]} pixels"),
        ("Size", size),
        ("Outcome", scan.outcome),
        ("Pixels with a height", f"{scan.measured} of {scan.targets}"),
        ("Hops", f"{scan.hops}, of them {scan.retried} tried again"),
        ("Duration", _duration(scan.duration)),
        ("Rate", f"{scan.hops_per_second:.3g} hops/s" if scan.hops > 1 else ""),
        ("Time of a hop (median)", _quantity(scan.hop_time, "s")),
        ("Of that the stage needs", _quantity(scan.least_time, "s")),
        ("Time spent approaching", _percent(scan.duty)),
        ("Reaction to the surface", _reaction(scan)),
        ("Median height", _quantity(scan.height, "m")),
        ("Median height uncertainty", _quantity(scan.height_sd, "m")),
        ("Reference current", _quantity(scan.reference, "A")),
        ("Reference drift over the scan", _percent(scan.drift)),
        ("Hop engine", scan.engine),
    ]
    if scan.roughness and math.isfinite(scan.roughness.rq):
        rows += [
            ("Rq (plane removed)", _quantity(scan.roughness.rq, "m")),
            ("Ra (plane removed)", _quantity(scan.roughness.ra, "m")),
            ("Sz (plane removed)", _quantity(scan.roughness.sz, "m")),
        ]
    return [(name, text) for name, text in rows if text]


def _reaction(scan: ScanSummary) -> str:
    """How long the tip went on after crossings, and what the fall rate was chosen by."""
    typical = _quantity(scan.reaction, "s", 3)
    worst, assumed = (_quantity(t, "s", 3) for t in (scan.worst_reaction, scan.assumed_reaction))
    return f"{typical}, {worst} at worst; {assumed} assumed" if typical else ""


def echem_rows(echem: EchemSummary) -> Rows:
    """Return what the table about a technique says."""
    cycles = f", {echem.cycles} cycles" if echem.cycles > 1 else ""
    rows = [
        ("Technique", echem.technique),
        ("Potentiostat", echem.instrument),
        ("Outcome", echem.outcome),
        ("Reason", echem.reason),
        ("Cell left", echem.rest or "UNKNOWN: it may still be on"),
        ("Samples", f"{echem.samples} in {echem.steps} steps{cycles}"),
        ("Duration", _duration(echem.duration)),
        ("Potential", _between(echem.potential, "V")),
        ("Current", _between(echem.current, "A")),
        ("Charge passed", _quantity(echem.charge, "C")),
        ("Uncertainty of its times", _quantity(echem.time_sd, "s")),
        ("Flagged", ", ".join(f"{count} {flag}" for flag, count in echem.flagged.items())),
    ]
    return [(name, text) for name, text in rows if text]


def tip_rows(tips: Sequence[TipSummary]) -> Rows:
    """Return what the table about the tip says: first, last, and each change in between."""
    told = [
        tip
        for before, tip in zip((None, *tips), tips, strict=False)
        if before is None or tip is tips[-1] or tip.verdict != before.verdict
    ]
    return [(f"{tip.phase}, {_duration(tip.time)}", _tip(tip)) for tip in told]


def _tip(tip: TipSummary) -> str:
    verdict = f"{tip.verdict}: " if tip.verdict != "first" else ""
    radius = f"inner radius {_with_sd(tip.inner_radius, tip.radius_sd, 'm')}"
    gap, current = _quantity(tip.gap, "m"), _quantity(tip.current, "A")
    return f"{verdict}{radius}, gap at the setpoint {gap}, {current} ({tip.curves} curves)"


def drift_rows(drifts: Sequence[DriftSummary]) -> Rows:
    """Return what the table about drift says: a row for each axis that a method followed."""
    rows: Rows = []
    for drift in drifts:
        axes = (
            ("x", drift.x, drift.x_sd, drift.rate_x),
            ("y", drift.y, drift.y_sd, drift.rate_y),
            ("z", drift.z, drift.z_sd, drift.rate_z),
        )
        for axis, offset, sd, rate in axes:
            if math.isfinite(offset):
                text = f"{_with_sd(offset, sd, 'm')} at {_duration(drift.time)}"
                text += f", {1e9 * rate:.3g} nm/s" if math.isfinite(rate) else ""
                rows.append((f"{axis}, by {drift.method}", text))
    return rows


def number_rows(numbers: Mapping[str, float]) -> Rows:
    """Return settings or calibration, each with its unit."""
    return [
        (name.replace("_", " "), _setting(value, unit_of(name))) for name, value in numbers.items()
    ]


def _setting(value: float, unit: str) -> str:
    if unit in ("", "1"):
        return f"{value:.6g}"
    return show(value, unit, 6).replace(" u", " µ") if "/" not in unit else f"{value:.6g} {unit}"


def _quantity(value: float, unit: str, digits: int = 4) -> str:
    return show(value, unit, digits).replace(" u", " µ") if math.isfinite(value) else ""


def _with_sd(value: float, sd: float, unit: str) -> str:
    return f"{_quantity(value, unit)} ± {_quantity(sd, unit, 2)}"


def _between(ends: tuple[float, float], unit: str) -> str:
    low, high = (_quantity(end, unit) for end in ends)
    return f"{low} to {high}" if low else ""


def _percent(value: float) -> str:
    return f"{100 * value:.3g} %" if math.isfinite(value) else ""


def _duration(seconds: float) -> str:
    """Return a duration as a person says it: 1 h 02 min 03 s."""
    if not math.isfinite(seconds):
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min {rest:02d} s" if hours else f"{minutes} min {rest:02d} s"
