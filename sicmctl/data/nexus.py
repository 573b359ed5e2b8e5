"""Turns the messages of a run into an HDF5 file with NeXus groups, whoever feeds it."""

import logging
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import h5py
import msgspec

from sicmctl import __version__
from sicmctl.messages import (
    Alarm,
    AnyMessage,
    DriftMeasured,
    EchemBlock,
    EchemEnded,
    EchemStarted,
    EchemStepEnded,
    HopDone,
    Note,
    ReactionMeasured,
    RunEnded,
    RunStarted,
    ScanEnded,
    ScanStarted,
    SpectrumBlock,
    TipMeasured,
)

from .columns import Table
from .echemgroup import EchemGroup, ended_unknown
from .names import SCHEMA, WATCHED_UNITS, RunFileError, safe_name
from .scangroup import ScanGroup, write_number, write_numbers

_CLASSES = {
    "piezo": "NXpositioner",
    "stage": "NXpositioner",
    "stepper": "NXpositioner",
    "daq": "NXdetector",
    "amplifier": "NXdetector",
    "potentiostat": "NXdetector",
}
_TEXT = h5py.string_dtype()
_log = logging.getLogger(__name__)


class NexusWriter:
    """Builds a run file from messages in order. Not thread-safe; the caller says when to flush.

    The content depends on the messages alone, not on when it was flushed.
    """

    def __init__(self, path: Path) -> None:
        """Create the file. Raises RunFileError if it cannot be made."""
        try:
            self._file = h5py.File(path, "w", libver=("earliest", "v110"))
        except OSError as error:
            raise RunFileError(f"cannot create {path}: {error}") from error
        self._file.attrs.update(NX_class="NXroot", default="entry", creator="sicmctl")
        self._file.attrs["sicmctl_schema"] = SCHEMA
        self._entry = self._file.create_group("entry")
        self._entry.attrs["NX_class"] = "NXentry"
        program = self._entry.create_dataset("program_name", data="sicmctl", dtype=_TEXT)
        program.attrs["version"] = __version__
        self._epoch: str = ""
        self._last = 0.0
        self._scans: dict[int, ScanGroup] = {}
        self._echem: dict[int, EchemGroup] = {}
        self._notes = Table(self._collection("notes"))
        self._alarms = Table(self._collection("alarms"))
        self._watched: dict[str, Table] = {}
        self._ended: RunEnded | None = None

    def feed(self, message: AnyMessage) -> None:
        """Take one message; kinds that the file does not keep are passed over."""
        self._last = max(self._last, message.time)
        match message:
            case RunStarted():
                self._write_started(message)
            case ScanStarted():
                self._start_scan(message)
            case HopDone():
                self._scan(message.scan).add(message)
            case ScanEnded():
                self._scan(message.scan).end(message.outcome, message.time, message.timing)
            case Alarm(time=time, level=level, source=source, text=text, remedy=remedy):
                self._alarms.append(
                    {"time": time, "level": level, "source": source, "text": text, "remedy": remedy}
                )
            case Note(time=time, text=text, author=author, uncertainty=uncertainty):
                self._notes.append(
                    {"time": time, "text": text, "author": author, "uncertainty": uncertainty}
                )
            case TipMeasured():
                self._watch("tip", message)
            case DriftMeasured():
                self._watch("drift", message)
            case ReactionMeasured():
                self._watch("reaction", message)
            case RunEnded():
                self._ended = message
            case _:
                self._feed_echem(message)

    def _feed_echem(self, message: AnyMessage) -> None:
        match message:
            case EchemStarted():
                self._start_echem(message)
            case EchemBlock():
                self._technique(message.echem).add(message)
            case SpectrumBlock():
                self._technique(message.echem).add_points(message)
            case EchemStepEnded():
                self._technique(message.echem).end_step(message)
            case EchemEnded():
                self._technique(message.echem).end(message)
            case _:
                pass

    def flush(self) -> None:
        """Bring what came so far to the disk."""
        self._write_pending()
        self._file.flush()

    def close(self, losses: Sequence[str] = ()) -> None:
        """Complete the file. A run without RunEnded is marked `interrupted`."""
        try:
            self._write_pending()
            self._write_end(losses)
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Close the file without completing it."""
        self._file.close()

    def _collection(self, name: str) -> h5py.Group:
        group = self._entry.require_group(name)
        group.attrs["NX_class"] = "NXcollection"
        return group

    def _write_pending(self) -> None:
        for scan in self._scans.values():
            if not scan.done:
                scan.flush()
        for technique in self._echem.values():
            technique.flush()
        for table in (self._notes, self._alarms, *self._watched.values()):
            table.flush()

    def _write_started(self, started: RunStarted) -> None:
        if self._epoch:
            _log.warning("run file: a second RunStarted is passed over")
            return
        entry, self._epoch = self._entry, started.epoch
        entry["title"] = started.title
        entry["entry_identifier"] = started.run
        entry["start_time"] = self._wall_clock(started.time)
        epoch = entry.create_dataset("epoch", data=started.epoch, dtype=_TEXT)
        epoch.attrs["long_name"] = "wall-clock time of timeline zero"
        if math.isfinite(started.rate):
            write_number(entry, "sample_rate", started.rate, "Hz")
        self._named("user", "NXuser", started.operator)
        self._named("sample", "NXsample", started.sample)
        self._note("rig", "rig.toml", started.rig)
        self._note("experiment", "experiment.toml", started.experiment)
        instrument = self._write_instruments(started.instruments)
        write_numbers(instrument, "calibration", started.calibration)
        versions = self._collection("versions")
        for package, version in started.versions.items():
            versions[safe_name(package)] = version

    def _watch(self, name: str, message: TipMeasured | DriftMeasured | ReactionMeasured) -> None:
        """Add a row to a table that only runs have in which there was something to watch."""
        if name not in self._watched:
            self._watched[name] = Table(self._collection(name), units=WATCHED_UNITS)
        self._watched[name].append(msgspec.structs.asdict(message))

    def _named(self, name: str, nexus: str, text: str) -> None:
        group = self._entry.create_group(name)
        group.attrs["NX_class"] = nexus
        group["name"] = text

    def _note(self, name: str, file_name: str, text: str) -> None:
        group = self._entry.create_group(name)
        group.attrs["NX_class"] = "NXnote"
        group["type"], group["file_name"], group["data"] = "application/toml", file_name, text

    def _write_instruments(self, instruments: Mapping[str, str]) -> h5py.Group:
        group = self._entry.create_group("instrument")
        group.attrs["NX_class"] = "NXinstrument"
        alone = "potentiostat" in instruments and "piezo" not in instruments
        group["name"] = "potentiostat" if alone else "scanning ion conductance microscope"
        for role, identity in instruments.items():
            part = group.create_group(safe_name(role))
            part.attrs["NX_class"] = _CLASSES.get(role, "NXcollection")
            part["name"] = identity
        return group

    def _start_scan(self, started: ScanStarted) -> None:
        if started.scan in self._scans:
            _log.warning("run file: scan %d started twice", started.scan)
            return
        self._open_scan(started.scan, started)

    def _scan(self, number: int) -> ScanGroup:
        if number not in self._scans:
            _log.warning("run file: the start of scan %d is missing", number)
            self._open_scan(number, None)
        return self._scans[number]

    def _open_scan(self, number: int, started: ScanStarted | None) -> None:
        self._scans[number] = ScanGroup(self._entry, number, started)
        default = self._entry.attrs.get("default")
        if default is None or self._entry[default].attrs.get("prescan", False):
            self._entry.attrs["default"] = f"scan_{number}"

    def _start_echem(self, started: EchemStarted) -> None:
        if started.echem in self._echem:
            _log.warning("run file: technique %d started twice", started.echem)
            return
        self._open_echem(started.echem, started)

    def _technique(self, number: int) -> EchemGroup:
        if number not in self._echem:
            _log.warning("run file: the start of technique %d is missing", number)
            self._open_echem(number, None)
        return self._echem[number]

    def _open_echem(self, number: int, started: EchemStarted | None) -> None:
        self._echem[number] = EchemGroup(self._entry, number, started)
        self._entry.attrs.setdefault("default", f"echem_{number}")

    def _wall_clock(self, time: float) -> str:
        try:
            return (datetime.fromisoformat(self._epoch) + timedelta(seconds=time)).isoformat()
        except (ValueError, OverflowError):
            return ""

    def _write_end(self, losses: Sequence[str]) -> None:
        ended = self._ended
        for scan in self._scans.values():
            scan.end("interrupted", self._last)
        for number, technique in self._echem.items():
            technique.end(ended_unknown(number, self._last))
        entry = self._entry
        entry["end_time"] = self._wall_clock(self._last)
        write_number(entry, "duration", self._last, "s")
        entry["outcome"] = ended.outcome if ended else "interrupted"
        entry["reason"] = ended.reason if ended else "the journal has no end of the run"
        for name, texts in (("safe", ended.safe if ended else ()), ("losses", losses)):
            entry.create_dataset(name, data=list(texts), shape=(len(texts),), dtype=_TEXT)
