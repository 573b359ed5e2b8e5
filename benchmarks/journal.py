"""How fast runs are kept: journal, run file and the compression of curves.

    python benchmarks/journal.py [--hops 1500] [--folder DIR]

Each hop carries 67 ms of current, x, y and z at 50 kHz (53 kB). A rig makes 0.8 MB/s of this.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from sicmctl.data.journal import JournalWriter, read_journal
from sicmctl.data.live import RunFileWriter
from sicmctl.data.runfile import RunFile
from sicmctl.data.writer import build
from sicmctl.messages import Array, HopDone, RunStarted, ScanStarted

SAMPLES = 3350
RATE = 50e3
STORAGE = {
    "none": {},
    "shuffle + lzf": {"shuffle": True, "compression": "lzf"},
    "shuffle + gzip 1": {"shuffle": True, "compression": "gzip", "compression_opts": 1},
    "shuffle + gzip 4": {"shuffle": True, "compression": "gzip", "compression_opts": 4},
}


def curves(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One approach: current (A), x, y, z (m) with the noise of amplifier and sensors."""
    z = np.linspace(2e-6, 5e-8, SAMPLES)
    current = 3.2e-9 / (1 + 1e-9 / z) + 6e-12 * rng.normal(size=SAMPLES)
    sensors = {axis: 5e-6 + 3e-10 * rng.normal(size=SAMPLES) for axis in "xy"}
    return {"current": current, "z": z + 3e-10 * rng.normal(size=SAMPLES), **sensors}


def hop(index: int, columns: int, packed: dict[str, Array]) -> HopDone:
    """A hop of the benchmark's raster."""
    row, column = divmod(index, columns)
    return HopDone(
        time=0.1 * index, scan=0, index=index, attempt=0, accepted=True, row=row, column=column,
        status="ok", first=5000 * index, stop=SAMPLES - 1, x=5e-6, y=5e-6, start=2e-6,
        reference=3.2e-9, reference_sd=1e-12, z_stop=5e-8, height=5e-8, height_sd=3e-9,
        method="fit", heights={}, curves=packed, bandwidth=5e3, timing={"approach": 0.067},
    )  # fmt: skip


def messages(hops: int) -> tuple[RunStarted, ScanStarted, list[HopDone]]:
    """A run of so many hops."""
    columns = 50
    rows = -(-hops // columns)
    row, column = np.divmod(np.arange(rows * columns), columns)
    rng = np.random.default_rng(0)
    packed = [{k: Array.of(v) for k, v in curves(rng).items()} for _ in range(50)]
    started = RunStarted(
        time=0.0, run="b", title="b", epoch="2026-01-01T00:00:00Z", rate=RATE, rig="", experiment=""
    )
    scan = ScanStarted(
        time=0.0, scan=0, pattern="raster", shape=(rows, columns), x=Array.of(column * 1e-7, "<f8"),
        y=Array.of(row * 1e-7, "<f8"), row=Array.of(row, "<i4"), column=Array.of(column, "<i4"),
        extent=(0.0, columns * 1e-7, 0.0, rows * 1e-7),
    )  # fmt: skip
    return started, scan, [hop(i, columns, packed[i % 50]) for i in range(hops)]


@contextmanager
def measured(what: str, size: int, hops: int) -> Iterator[None]:
    """Print how long the block took."""
    begun = time.perf_counter()
    yield
    seconds = time.perf_counter() - begun
    print(f"{what:34s} {size / 1e6 / seconds:8.0f} MB/s {hops / seconds:9.0f} hops/s")


def slowest(write: Callable[[HopDone], None], hops: list[HopDone]) -> None:
    """Print how long the caller waits for one write."""
    waits = np.empty(len(hops))
    for i, message in enumerate(hops):
        begun = time.perf_counter()
        write(message)
        waits[i] = time.perf_counter() - begun
        time.sleep(1e-3)
    print(f"{'one write: median, longest':34s} {1e6 * np.median(waits):8.0f} us "
          f"{1e3 * waits.max():9.2f} ms")  # fmt: skip


def main() -> None:
    """Run all benchmarks in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hops", type=int, default=1500)
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    started, scan, hops = messages(arguments.hops)
    size = sum(len(c.data) for h in hops for c in h.curves.values())
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        with measured("journal, write and sync", size, len(hops)), JournalWriter(
            folder / "a.sicmlog"
        ) as journal:  # fmt: skip
            for message in (started, scan, *hops):
                journal.write(message)
        with measured("journal, read", size, len(hops)):
            assert sum(1 for _ in read_journal(folder / "a.sicmlog")) == len(hops) + 2
        with JournalWriter(folder / "b.sicmlog") as journal:
            slowest(journal.write, hops[:500])
        with measured("run file from the journal", size, len(hops)):
            build(folder / "a.sicmlog", folder / "a.h5")
        with (
            measured("journal and run file live, until closed", size, len(hops)),
            JournalWriter(folder / "c.sicmlog") as journal,
            RunFileWriter(folder / "c.h5", folder / "c.sicmlog", after=0) as writer,
        ):
            for message in (started, scan, *hops):
                journal.write(message)
                writer.see(message)
        with (
            measured("run file, read all curves", size, len(hops)),
            RunFile(folder / "a.h5") as run,
        ):
            for i in range(len(hops)):
                run.scan().curves(i)
        compression(folder)


def compression(folder: Path) -> None:
    """Print speed and size of ways to store curves."""
    rng = np.random.default_rng(1)
    parts = [curves(rng) for _ in range(300)]
    flat = {k: np.concatenate([p[k] for p in parts]).astype("f4") for k in parts[0]}
    size = sum(v.nbytes for v in flat.values())
    for name, how in STORAGE.items():
        path = folder / "c.h5"
        with measured(f"curves, {name}", size, len(parts)), h5py.File(path, "w") as file:
            for key, values in flat.items():
                file.create_dataset(key, data=values, chunks=(1 << 16,), **how)
        print(f"{'':34s} {100 * path.stat().st_size / size:8.0f} % of the size")


if __name__ == "__main__":
    main()
