"""Virtual rigs for tests: small, quick, and open to whoever wants to break them."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, Self

from sicmctl import client
from sicmctl.config.load import load_rig
from sicmctl.hal.capabilities import CurrentAmplifier, Daq, Positioner
from sicmctl.hal.nearby import nearby
from sicmctl.messages import AnyMessage, HopDone, RunEnded
from simulators.config import SimConfig
from simulators.lab import Lab

SIM = """\
schema = 1
seed = 9
[sample]
kind = "{kind}"
size = "2 um"
points = 16
height = "4 um"
[stage.z]
range = "10 um"
[host]
reaction = "0.1 ms"
jitter = "0.03 ms"
call = "0.02 ms"
"""

EXPERIMENT = """\
schema = 1
title = "Small scan"
[[step]]
[step.scan]
pattern = "{pattern}"
{where}
[step.scan.hop]
engine = "{engine}"
amplitude = "500 nm"
setpoint = "1 %"
{hop}
"""

RASTER = 'size = "1 um"\npixels = {pixels}'


def sim_text(*events: str, kind: str = "flat", more: str = "") -> str:
    """A SIM.toml of a small flat sample under a short stage, 6 um below the top of its travel.

    events: each "at; name; value", e.g. "0.7 s; pipette.bubble; on". more: further tables.
    """
    text = SIM.format(kind=kind) + more
    for event in events:
        at, name, value = (part.strip() for part in event.split(";"))
        text += f'[[event]]\nat = "{at}"\nset = "{name}"\nvalue = "{value}"\n'
    return text


def quick_sim(*events: str, more: str = "") -> str:
    """As `sim_text`, but only 3 um below the top, so that the first approach is short."""
    text = sim_text(*events, more=more)
    return text.replace('range = "10 um"', 'range = "5 um"').replace('"4 um"', '"2 um"')


DUMMY_CELL = """\
kind = "rc"
series_resistance = "1 kohm"
resistance = "100 kohm"
capacitance = "1 uF"
"""


def cell_sim(model: str = "emstat4-lr", cell: str = DUMMY_CELL, more: str = "") -> str:
    """A SIM.toml of a potentiostat alone. more: further keys of it, and further tables."""
    return f'schema = 1\nseed = 3\n[cell]\n{cell}[potentiostat]\nmodel = "{model}"\n{more}'


def sim_at_edge(*events: str) -> str:
    """As `sim_text`, but at 0 V the stage rests at the ends of its travel: x, y low and z high."""
    low = '[stage.x]\nlow_voltage = "0 V"\n[stage.y]\nlow_voltage = "0 V"\n'
    z = 'range = "10 um"\nlow_voltage = "10 V"\nhigh_voltage = "0 V"\n'
    return sim_text(*events, more=low).replace('range = "10 um"\n', z)


def experiment_text(
    engine: str = "comparator",
    pixels: int = 3,
    hop: str = "",
    *,
    pattern: str = "raster",
    where: str | None = None,
) -> str:
    """An experiment.toml: by default a raster of 1 um in the middle of the travel."""
    where = RASTER.format(pixels=pixels) if where is None else where
    return EXPERIMENT.format(pattern=pattern, where=where, engine=engine, hop=hop)


@dataclass
class Recorded:
    """A run that is over: what it returned and every message it sent."""

    result: client.RunResult
    messages: list[AnyMessage]

    @property
    def hops(self) -> list[HopDone]:
        return [m for m in self.messages if isinstance(m, HopDone)]

    @property
    def accepted(self) -> list[HopDone]:
        return [hop for hop in self.hops if hop.accepted]

    @property
    def statuses(self) -> list[str]:
        """The status of each pixel, in the order of the scan."""
        return [hop.status for hop in self.accepted]

    @property
    def ended(self) -> RunEnded:
        (ended,) = (m for m in self.messages if isinstance(m, RunEnded))
        return ended


def only(messages: Sequence[AnyMessage], kind: type[Any]) -> list[Any]:
    """The messages of one kind."""
    return [message for message in messages if isinstance(message, kind)]


@dataclass
class Virtual:
    """A laboratory in this process, and a folder for its files."""

    lab: Lab
    folder: Path
    _runs: int = field(default=0)

    @property
    def rig(self) -> Path:
        return self.lab.rig

    def set(self, name: str, value: float | str) -> None:
        """Turn a knob, break a tip ... at once."""
        with self.lab.server.card.lock:
            self.lab.world.set(name, value)

    def suspend(self, seconds: float) -> None:
        """Let world time pass while the program does nothing, as if its computer had stopped."""
        card = self.lab.server.card
        with card.lock:
            until = card.engine.now + round(seconds * 1e8)
            while card.engine.now < until:
                card.engine.advance(until)

    @property
    def gap(self) -> float:
        """From the tip to the sample, m."""
        return self.lab.world.gap

    @property
    def bias(self) -> float:
        """At the pipette, V."""
        return self.volts("ao0") * self.lab.config.amplifier.command_scale

    def volts(self, channel: str) -> float:
        """What an analog output puts out."""
        return self.lab.server.card.engine.volts[channel]

    def moved(self) -> dict[str, float]:
        """Volts of all outputs."""
        return dict(self.lab.server.card.engine.volts)

    def run(
        self,
        experiment: str,
        on_message: Callable[[AnyMessage], None] = lambda message: None,
        stop: Event | None = None,
        rig: Path | None = None,
        *,
        prompt: bool = True,
        aside: Executor | None = None,
    ) -> Recorded:
        """Run an experiment, given as text, to its end."""
        self._runs += 1
        path = self.folder / f"experiment-{self._runs}.toml"
        path.write_text(experiment, encoding="utf-8")
        messages: list[AnyMessage] = []

        def see(message: AnyMessage) -> None:
            messages.append(message)
            on_message(message)

        out = self.folder / f"run-{self._runs}.h5"
        result = client.run(rig or self.rig, path, out, see, stop, prompt=prompt, aside=aside)
        return Recorded(result, messages)

    @contextmanager
    def drivers(self) -> Iterator["Drivers"]:
        """Open the drivers themselves, without limits around them."""
        loaded = load_rig(self.rig)
        daq: Daq = loaded.drivers["daq"].open(loaded.options["daq"])
        try:
            amplifier = loaded.drivers["amplifier"].open(loaded.options["amplifier"], daq)
            stage = loaded.drivers["piezo"].open(loaded.options["piezo"], daq)
            yield Drivers(self, daq, amplifier, stage)
        finally:
            daq.close()


@dataclass
class Drivers:
    """The open drivers of a virtual rig."""

    virtual: Virtual
    daq: Daq
    amplifier: CurrentAmplifier
    stage: Positioner


def state_reaction(rig: Path, reaction: str) -> None:
    """Write down in rig.toml how fast the host is, so that it need not be measured."""
    text = rig.read_text(encoding="utf-8")
    assert 'reaction = "auto"' in text
    rig.write_text(text.replace('reaction = "auto"', f'reaction = "{reaction}"'), encoding="utf-8")


@contextmanager
def virtual(
    folder: Path, sim: str | None = None, reaction: str | None = None, network: bool = False
) -> Iterator[Virtual]:
    """A laboratory in this process, in lockstep. reaction: of the host, for rig.toml to state.

    network: reach it through the network, as another process would, though it takes longer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = SimConfig.parse(sim_text() if sim is None else sim)
    with (
        Lab(config, rig=folder / "rig.toml", truth=folder / "truth.h5") as lab,
        nearby({} if network else lab.channels),
    ):
        if reaction is not None:
            state_reaction(lab.rig, reaction)
        yield Virtual(lab, folder)


class LabProcess:
    """A laboratory in a process of its own."""

    def __init__(self, folder: Path, sim: str | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.rig, self.truth = folder / "rig.toml", folder / "truth.h5"
        path = folder / "sim.toml"
        path.write_text(sim_text() if sim is None else sim, encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulators", str(path), "--json", "--until-stdin-closes",
             "--rig", str(self.rig), "--truth", str(self.truth)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert self.process.stdout
        self.addresses: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.address: str = self.addresses.get("daq", "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(30)

    def end(self) -> None:
        """End it by closing its input; the truth file is complete then."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        try:
            self.process.wait(30)
        finally:
            if self.process.poll() is None:
                self.kill()
            self.process.stdout.close()


class Program:
    """`python -m sicmctl ...` under way; what it says on standard error can be waited for."""

    def __init__(self, *arguments: str | Path, cwd: Path | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sicmctl", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
        )
        self.stdout = self.stderr = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def wait_for(self, text: str) -> None:
        """Read standard error until a line holds the text."""
        assert self.process.stderr
        for line in self.process.stderr:
            self.stderr += line
            if text in line:
                return
        raise AssertionError(f"never said {text!r}, but:\n{self.stderr}")

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(30)

    def end(self, timeout: float = 60) -> int:
        """Wait for the end; returns the exit code."""
        out, err = self.process.communicate(timeout=timeout)
        self.stdout += out
        self.stderr += err
        return self.process.returncode
