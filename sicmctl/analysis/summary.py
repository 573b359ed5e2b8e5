"""The numbers of a run: what `sicmctl info` prints and the report tabulates."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sicmctl.data.runfile import Echem, RunFile, RunInfo, Scan
from sicmctl.hal.potentiostat import SampleFlag
from sicmctl.scan import hoptime

from .roughness import Roughness, roughness

NAN = float("nan")


class ScanSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of a scan, SI.

    targets: pixels planned. measured: pixels with a height. hops: attempts. counts: status ->
    pixels. hop_time: from one approach to the next; least_time: what of it the stage needs; both
    medians, s. duty: fraction of the time that the tip spent approaching. reaction: median time
    for which the tip went on after the crossing, s; worst_reaction: the longest;
    assumed_reaction: what the fall rate was chosen by. height, height_sd: medians. drift: change
    of the reference current over the scan, as a fraction.
    """

    scan: int
    pattern: str
    engine: str
    outcome: str
    shape: tuple[int, int]
    size: tuple[float, float]
    targets: int
    measured: int
    hops: int
    retried: int
    counts: dict[str, int]
    duration: float
    hops_per_second: float
    hop_time: float
    least_time: float
    duty: float
    reaction: float
    worst_reaction: float
    assumed_reaction: float
    height: float
    height_sd: float
    reference: float
    drift: float
    roughness: Roughness | None
    settings: dict[str, float]


class EchemSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of an electrochemical technique, SI.

    rest: state in which the cell was left, "" if that could not be seen to. samples: points of
    spectra included. potential, current: least and greatest. charge: passed in all. flagged: flag
    -> samples that carry it.
    """

    echem: int
    technique: str
    title: str
    instrument: str
    outcome: str
    reason: str
    rest: str
    samples: int
    steps: int
    cycles: int
    duration: float
    potential: tuple[float, float]
    current: tuple[float, float]
    charge: float
    time_sd: float
    flagged: dict[str, int]


class TipSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at the tip's approach curves found; SI, as in `TipMeasured`."""

    time: float
    phase: str
    verdict: str
    inner_radius: float
    radius_sd: float
    gap: float
    current: float
    curves: int


class DriftSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the last measurement of a method found of the drift; SI, as in `DriftMeasured`."""

    time: float
    method: str
    x: float = NAN
    y: float = NAN
    z: float = NAN
    x_sd: float = NAN
    y_sd: float = NAN
    z_sd: float = NAN
    rate_x: float = NAN
    rate_y: float = NAN
    rate_z: float = NAN


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of a run. warnings, errors: how many alarms of each level.

    tip: every look at it. drift: the last measurement of each method.
    """

    file: str
    info: RunInfo
    instruments: dict[str, str]
    calibration: dict[str, float]
    versions: dict[str, str]
    scans: tuple[ScanSummary, ...]
    echem: tuple[EchemSummary, ...]
    tip: tuple[TipSummary, ...]
    drift: tuple[DriftSummary, ...]
    hops: int
    warnings: int
    errors: int


def summarise(run: RunFile) -> RunSummary:
    """Return the numbers of a run."""
    scans = tuple(summarise_scan(scan) for scan in run.scans.values())
    levels = Counter(alarm["level"] for alarm in run.alarms)
    return RunSummary(
        file=str(run.path),
        info=run.info,
        instruments=run.instruments,
        calibration=run.calibration,
        versions=run.versions,
        scans=scans,
        echem=tuple(summarise_echem(echem) for echem in run.echem.values()),
        tip=tuple(msgspec.convert(row, TipSummary) for row in run.tip),
        drift=tuple(
            msgspec.convert(row, DriftSummary)
            for row in {d["method"]: d for d in run.drift}.values()
        ),
        hops=sum(scan.hops for scan in scans),
        warnings=levels["warning"],
        errors=levels["error"],
    )


def summarise_echem(echem: Echem) -> EchemSummary:
    """Return the numbers of a technique."""
    flags = echem.flags
    spectrum = echem.spectrum
    points = spectrum["time"].size if spectrum else 0
    return EchemSummary(
        echem=echem.number,
        technique=echem.technique,
        title=echem.title,
        instrument=echem.instrument,
        outcome=echem.outcome,
        reason=echem.reason,
        rest=echem.rest,
        samples=len(echem) + points,
        steps=len(echem.steps),
        cycles=int(max(echem.loop.max(), echem.cycle.max())) + 1 if len(echem) else 0,
        duration=echem.end_time - echem.start_time,
        potential=_range(echem.potential),
        current=_range(echem.current),
        charge=float(echem.charge[-1]) if len(echem) else NAN,
        time_sd=echem.time_sd,
        flagged={
            str(flag.name).lower(): count
            for flag in SampleFlag
            if (count := int(np.count_nonzero(flags & flag.value)))
        },
    )


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if values.size else (NAN, NAN)


def summarise_scan(scan: Scan) -> ScanSummary:
    """Return the numbers of a scan."""
    hops = scan.hops if scan.count else {}
    accepted = hops["accepted"] if hops else np.zeros(0, bool)
    empty = np.zeros(0)
    time = hops["time"] if hops else empty
    good = np.isfinite(hops["height"]) & accepted if hops else accepted
    elapsed = float(np.ptp(time)) if time.size > 1 else NAN
    reaction = hops.get("timing_reaction", empty)
    targets = scan.geometry["x"].size if scan.frames else 0
    return ScanSummary(
        scan=scan.number,
        pattern=scan.pattern,
        engine=scan.engine,
        outcome=scan.outcome,
        shape=scan.shape,
        size=_size(scan),
        targets=targets,
        measured=int(good.sum()),
        hops=scan.count,
        retried=int((~accepted & (hops["note"] != "revisit")).sum()) if hops else 0,
        counts=dict(Counter(hops["status"][accepted].tolist())) if hops else {},
        duration=scan.end_time - scan.start_time,
        hops_per_second=(time.size - 1) / elapsed if time.size > 1 and elapsed else NAN,
        **_hop_times(hops),
        reaction=_median(reaction),
        worst_reaction=_range(reaction)[1],
        assumed_reaction=scan.settings.get("reaction", NAN),
        height=_median(hops["height"][good]) if hops else NAN,
        height_sd=_median(hops["height_sd"][good]) if hops else NAN,
        reference=_median(hops["reference"][good]) if hops else NAN,
        drift=_drift(time[good], hops["reference"][good]) if hops else NAN,
        roughness=roughness(scan.frame(), *scan.axes) if min(scan.shape) > 1 else None,
        settings=scan.settings,
    )


def _size(scan: Scan) -> tuple[float, float]:
    """Return width and height between the outermost pixel centres, m."""
    if not scan.frames:
        return NAN, NAN
    x0, x1, y0, y1 = scan.geometry["extent"]
    return float(abs(x1 - x0)), float(abs(y1 - y0))


def _median(values: NDArray[np.float64]) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else NAN


def _hop_times(hops: Mapping[str, NDArray[Any]]) -> dict[str, float]:
    """Return `hoptime.summarise`; each row tells how long the hop before it took."""
    names = ("timing_approach", "timing_hop", "timing_least")
    none = np.zeros(0)
    approach, hop, least = (hops.get(name, none) for name in names)
    if not hop.size:
        return hoptime.summarise(none, none, none)
    return hoptime.summarise(approach[:-1], hop[1:], least[1:])


def _drift(time: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """Return the change of a straight line through the reference current, over its mean."""
    known = np.isfinite(reference)
    time, reference = time[known], reference[known]
    if time.size < 3 or not np.ptp(time) or not reference.mean():
        return NAN
    centred = time - time.mean()
    slope = float(centred @ reference / (centred @ centred))
    return slope * float(np.ptp(time)) / float(reference.mean())
