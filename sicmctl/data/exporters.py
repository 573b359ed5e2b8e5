"""What a run file can be exported to."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .names import RunFileError

if TYPE_CHECKING:
    from .runfile import RunFile


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format. write: writes the run to a path that does not exist, returns what it wrote."""

    suffix: str
    title: str
    write: Callable[["RunFile", Path], list[Path]]


def _gwy(run: "RunFile", out: Path) -> list[Path]:
    from .export_gwy import export_gwy  # noqa: PLC0415  (imports only what the export needs)

    return export_gwy(run, out)


def _csv(run: "RunFile", out: Path) -> list[Path]:
    from .export_csv import export_csv  # noqa: PLC0415
    from .export_echem import echem_csv  # noqa: PLC0415

    written = export_csv(run, out) if run.scans or not run.echem else []
    return written + (echem_csv(run, out) if run.echem else [])


def _xyz(run: "RunFile", out: Path) -> list[Path]:
    from .export_csv import export_xyz  # noqa: PLC0415

    return export_xyz(run, out)


def _mpt(run: "RunFile", out: Path) -> list[Path]:
    from .export_mpt import export_mpt  # noqa: PLC0415

    return export_mpt(run, out)


def _bdf(run: "RunFile", out: Path) -> list[Path]:
    from .export_echem import echem_bdf  # noqa: PLC0415

    return echem_bdf(run, out)


exporters: dict[str, Exporter] = {
    "gwy": Exporter(".gwy", "Gwyddion: all frames with sizes, units and metadata", _gwy),
    "csv": Exporter(".csv", "hops, and each electrochemical technique, as text with units", _csv),
    "xyz": Exporter(".xyz", "the height of each pixel as x, y, z text, a file per scan", _xyz),
    "mpt": Exporter(".mpt", "electrochemistry as EC-Lab text, a file per technique", _mpt),
    "bdf": Exporter(".bdf.csv", "electrochemistry in Battery Data Format", _bdf),
}


def export(path: Path | str, to: str, out: Path | str | None = None) -> list[Path]:
    """Export a run file; return the paths written.

    out: by default beside the run file. Raises RunFileError for an unknown format, for a file that
    exists already, and for a run file that cannot be read.
    """
    from .runfile import RunFile  # noqa: PLC0415  (h5py is slow to import)

    if to not in exporters:
        raise RunFileError(f"no export to {to!r}; there are: {', '.join(exporters)}")
    exporter = exporters[to]
    target = Path(out) if out else Path(path).with_suffix(exporter.suffix)
    with RunFile(path) as run:
        try:
            return exporter.write(run, target)
        except FileExistsError as error:
            raise RunFileError(
                f"{error.filename} exists; it is not overwritten (choose another name)"
            ) from None
        except OSError as error:
            raise RunFileError(f"cannot write {target}: {error.strerror}") from error
