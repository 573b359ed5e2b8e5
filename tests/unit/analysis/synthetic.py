"""Realistic runs without a rig: a rough surface with flakes, noisy approach curves, failures."""

from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from sicmctl.data.journal import JournalWriter
from sicmctl.data.writer import build
from sicmctl.messages import (
    Alarm,
    AnyMessage,
    Array,
    HeightValue,
    HopDone,
    Note,
    RunEnded,
    RunStarted,
    ScanEnded,
    ScanStarted,
)

NAN = float("nan")
RATE = 10e3
REFERENCE = 3.2e-9
SETTINGS = {
    "setpoint": 0.02,
    "speed": 3e-5,
    "amplitude": 2e-6,
    "reference_time": 2e-3,
    "reaction": 1e-3,
}

STARTED = RunStarted(
    time=0.0,
    run="2026-01-02-graphite-3",
    title="Composite graphite at 0.3 V",
    epoch="2026-01-02T10:00:00+00:00",
    rate=RATE,
    rig='schema = 1\n\n[daq]\ndriver = "nidaqmx"\ndevice = "Dev1"\nsample_rate = "50 kHz"\n',
    experiment='schema = 1\ntitle = "Composite graphite at 0.3 V"\n# <b>not bold</b>\n',
    operator="A. Operator",
    sample="composite graphite, 28 µm, batch 7",
    instruments={
        "daq": "NI USB-6363, serial 01A2B3C4",
        "amplifier": "Axopatch 200B, beta 1, 5 kHz 4-pole Bessel",
        "piezo": "P-733.3 with E-727",
        "pipette": "quartz, 50 nm inner radius, 62 MOhm",
        "potentiostat": "EmStat4S HR, firmware 1.3",
    },
    versions={"sicmctl": "0.1.0", "numpy": "2.0", "nidaqmx": "1.0"},
    calibration={"z_m_per_v": 1.5e-6, "x_m_per_v": 1e-5, "gain_a_per_v": 1e-9},
)


def surface(rows: int, columns: int, size: float = 20e-6, seed: int = 1) -> np.ndarray:
    """Height of a rough electrode with flakes, m, shape (rows, columns)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : size : rows * 1j, 0 : size : columns * 1j]
    rough = gaussian_filter(rng.normal(size=(rows, columns)), rows / 14, mode="wrap")
    height = 0.9e-6 * rough / (rough.std() or 1.0) + 0.02 * x - 0.035 * y
    for _ in range(14):
        cx, cy, angle = rng.uniform(0, size), rng.uniform(0, size), rng.uniform(0, np.pi)
        u = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        v = -(x - cx) * np.sin(angle) + (y - cy) * np.cos(angle)
        inside = (np.abs(u) < rng.uniform(1e-6, 3e-6)) & (np.abs(v) < rng.uniform(0.5e-6, 1.5e-6))
        height = np.where(inside, height + rng.uniform(0.3e-6, 1.2e-6) + 0.2 * u, height)
    return height + 20e-6


def started(pattern: str, shape: tuple[int, int], scan: int = 0, time: float = 0.0) -> ScanStarted:
    """A serpentine raster, or a line or point again and again, 20 um wide."""
    rows, columns = shape
    row, column = np.divmod(np.arange(rows * columns), columns)
    if pattern == "raster":
        column = np.where(row % 2, columns - 1 - column, column)
    x = np.linspace(0, 20e-6, columns)[column] if columns > 1 else np.zeros(rows)
    y = np.linspace(0, 20e-6, rows)[row] if pattern == "raster" else np.zeros(x.size)
    return ScanStarted(
        time=time,
        scan=scan,
        pattern=pattern,
        shape=shape,
        x=Array.of(x, "<f8"),
        y=Array.of(y, "<f8"),
        row=Array.of(row, "<i4"),
        column=Array.of(column, "<i4"),
        extent=(float(x.min()), float(x.max()), float(y.min()), float(y.max())),
        settings=SETTINGS,
        engine="streamed",
    )


def hop_at(
    scan: ScanStarted, index: int, height: float, rng: np.random.Generator, status: str = "ok"
) -> HopDone:
    """A hop onto a surface: current falls as 1 / (1 + a / gap)."""
    time = scan.time + 0.09 * (index + 1)
    reference = REFERENCE * (1 + 0.004 * np.sin(time / 50) + 0.0005 * rng.normal())
    failed = status not in ("ok", "touched")
    stop_gap = 48e-9 if not failed else 1.2e-6
    n = int((2e-6 if not failed else 2.6e-6) / 3e-5 * RATE)
    z = np.linspace(height + 2e-6, height + stop_gap, n)
    gap = np.maximum(z - height, 5e-9)
    if failed:
        gap = np.full(n, 10e-6)
    if status == "low reference":
        n, z, gap = 0, z[:0], gap[:0]
    current = reference / (1 + 1e-9 / gap) * (1 + 0.0012 * rng.normal(size=n))
    z_seen = z + 0.3e-9 * rng.normal(size=n)
    sd = 2.5e-9 * rng.gamma(8, 1 / 8)
    value = NAN if failed else height + 48e-9 + sd * rng.normal()
    return HopDone(
        time=time,
        scan=scan.scan,
        index=index,
        attempt=0,
        accepted=True,
        row=int(scan.row.numpy()[index]),
        column=int(scan.column.numpy()[index]),
        status=status,
        first=int(time * RATE),
        stop=max(n - 1, 0),
        x=float(scan.x.numpy()[index]),
        y=float(scan.y.numpy()[index]),
        start=height + 2e-6,
        reference=float(reference) * (0.6 if status == "low reference" else 1),
        reference_sd=4e-13,
        z_stop=float(z[-1]) if n else NAN,
        height=value,
        height_sd=NAN if failed else sd,
        method="fit",
        heights={} if failed else {"fit": HeightValue(value=value, sd=sd)},
        curves={"current": Array.of(current), "z": Array.of(z_seen)},
        bandwidth=5e3,
        timing={
            "approach": n / RATE,
            "reaction": 0.4e-3 + 0.1e-3 * float(rng.random()),
            **({"hop": 0.09, "least": 0.08} if index else {}),
        },
    )


def hops_of(
    scan: ScanStarted, heights: np.ndarray, seed: int = 2, bad: float = 0.02
) -> list[HopDone]:
    """One hop per target; a fraction `bad` of them fails in one way or another."""
    rng = np.random.default_rng(seed)
    kinds = ["no surface", "touched", "low reference", "overload"]
    row, column = scan.row.numpy(), scan.column.numpy()
    made = []
    for i in range(row.size):
        status = str(rng.choice(kinds)) if rng.random() < bad else "ok"
        made.append(hop_at(scan, i, float(heights[row[i], column[i]]), rng, status))
    return made


def raster_run(pixels: int = 32, bad: float = 0.02, part: float = 1.0) -> list[AnyMessage]:
    """A run with one raster, of which a part is done."""
    scan = started("raster", (pixels, pixels))
    hops = hops_of(scan, surface(pixels, pixels), bad=bad)
    hops = hops[: int(part * len(hops))]
    end = hops[-1].time if hops else 0.0
    messages: list[AnyMessage] = [STARTED, scan, *hops]
    messages.append(
        Alarm(
            time=end,
            level="warning",
            source="reference current",
            text="the reference current drifts by 0.6 % per minute",
            remedy="check the pipette",
        )
    )
    messages.append(Note(time=end, text="cell at 0.3 V since 5 min", author="A. Operator"))
    if part == 1:
        messages.append(ScanEnded(time=end + 0.1, scan=0, outcome="done"))
        messages.append(
            RunEnded(time=end + 0.5, outcome="done", safe=("tip retracted 5 µm: ok", "cell: OCP"))
        )
    return messages


def line_run(passes: int = 12, points: int = 24) -> list[AnyMessage]:
    """A line again and again while it swells and shrinks."""
    scan = started("line", (passes, points))
    base = surface(points, points)[points // 2]
    swelling = 0.4e-6 * np.sin(np.linspace(0, np.pi, passes))[:, None]
    heights = base + swelling * np.linspace(0.6, 1.2, points)
    hops = hops_of(scan, heights, bad=0.03)
    return [STARTED, scan, *hops, RunEnded(time=hops[-1].time + 1, outcome="done")]


def point_run(repeats: int = 150) -> list[AnyMessage]:
    """Hop after hop at one point while it swells."""
    scan = started("point", (repeats, 1))
    phase = np.linspace(0, 1, repeats)
    heights = 20e-6 + 1.1e-6 * np.clip(2 * phase - 0.5, 0, 1)[:, None]
    hops = hops_of(scan, heights, bad=0.03)
    return [
        STARTED,
        scan,
        *hops,
        RunEnded(time=hops[-1].time + 1, outcome="stopped", reason="stop"),
    ]


def run_file(folder: Path, messages: list[AnyMessage], name: str = "run") -> Path:
    """Write the run as a journal and build its file."""
    with JournalWriter(folder / f"{name}.sicmlog") as journal:
        for message in messages:
            journal.write(message)
    return build(folder / f"{name}.sicmlog", folder / f"{name}.h5")
