"""The virtual laboratory as a program: world, instruments, and a rig.toml that fits them."""

import argparse
import json
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from simulators.bench import Served, clock_for, serve
from simulators.cellconfig import PotentiostatConfig
from simulators.cellplant import CellPlant, Together
from simulators.celltruth import CellRecorder
from simulators.clocks import FollowClock
from simulators.config import SimConfig
from simulators.followed import Followed
from simulators.frontend import FrontEnd
from simulators.instruments.nidaqmx import (
    Board,
    Card,
    DirectChannel,
    Host,
    Lockstep,
    Pacing,
    Realtime,
    Server,
)
from simulators.plant import Plant
from simulators.rigfile import rig_toml
from simulators.world import World
from simulators.world.cell import make_cell


class Lab:
    """World, instruments and servers of one configuration; serves while the context lasts.

    truth: where to write the truth file. rig: where to write rig.toml, by default into a
    directory that goes with the lab. Which of `world`, `server` (the card's), `front` and `served`
    (the potentiostat's) there are is for the configuration to say.
    """

    world: World
    server: Server
    front: FrontEnd
    served: Served

    def __init__(
        self,
        config: SimConfig,
        *,
        seed: int | None = None,
        truth: Path | None = None,
        rig: Path | None = None,
        clock: Literal["lockstep", "realtime"] | None = None,
    ) -> None:
        self.config = config
        self.seed = config.seed if seed is None else seed
        self.truth = truth or config.truth.file
        self.address = ""
        self._rig = rig
        self._clock: Literal["lockstep", "realtime"] = clock or config.clock.mode
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            plant: Plant | None = None
            if self.config.scanner:
                plant = self.world = stack.enter_context(World(self.config, self.seed, self.truth))
            if self.config.potentiostat is not None:
                plant = self._set_up_cell(self.config.potentiostat, plant, stack)
            if plant is not None:
                self._serve_card(plant, stack)
            if self._rig is None:
                directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="sicm-rig-"))
                self.rig = Path(directory) / "rig.toml"
            else:
                self.rig = self._rig
            text = rig_toml(self.config, self.address, self.resource)
            self.rig.write_text(text, encoding="utf-8")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def resource(self) -> str:
        """Where drivers find the potentiostat; empty if there is none with a cable of its own."""
        return self.served.resource if hasattr(self, "served") else ""

    @property
    def addresses(self) -> dict[str, str]:
        """What is served where."""
        found = {"daq": self.address, "potentiostat": self.resource}
        if hasattr(self, "served") and self.served.pty:
            found["potentiostat_tcp"] = self.served.address
        return {what: where for what, where in found.items() if where}

    @property
    def channels(self) -> dict[str, DirectChannel]:
        """What a program in this process may call directly, by the address of its server.

        Nothing in real time: there calls would hold up the clock.
        """
        if not self.address or self._clock == "realtime":
            return {}
        return {self.address: DirectChannel(self.server.service)}

    def _set_up_cell(
        self, config: PotentiostatConfig, plant: Plant | None, stack: ExitStack
    ) -> Plant | None:
        """Serve the potentiostat on its cell; what the card sees from then on."""
        listener = None
        if self.truth is not None:
            listener = stack.enter_context(CellRecorder(self.truth, self.config, self.seed))
        clock = clock_for(config, self._clock, beside_card=plant is not None)
        cell = make_cell(self.config.electrode)
        self.front = FrontEnd(cell, config, clock, self.seed, listener)
        if self.config.analog is not None:
            switched = "potentiostat.cell" in self.config.wiring.values()
            analog = CellPlant(self.front, switched, self.seed)
            return analog if plant is None else Together(plant, analog)
        self.served = stack.enter_context(serve(self.front, config, self._clock == "realtime"))
        if plant is not None and isinstance(clock, FollowClock):
            return Followed(plant, clock)
        return plant

    def _serve_card(self, plant: Plant, stack: ExitStack) -> None:
        daq = self.config.daq
        pacing = self._pacing()
        if isinstance(pacing, Lockstep) and hasattr(self, "world"):
            self.world.on_host_reaction = pacing.slow_down
        ao = tuple(f"ao{k}" for k in range(daq.analog_outputs))
        card = Card(
            plant,
            self.config.wiring,
            pacing,
            Board(device=daq.device, product=daq.model, ao=ao),
        )
        stack.callback(card.close)
        self.server = stack.enter_context(Server(card, daq.host, daq.port))
        self.address = self.server.address

    def _pacing(self) -> Pacing:
        if self._clock == "realtime":
            return Realtime()
        host = self.config.host
        return Lockstep(Host(host.reaction, host.jitter, host.call), self.seed)


def inside(sim: Path, *, rig: Path, truth: Path | None = None, seed: int | None = None) -> Lab:
    """Return a laboratory that serves SIM.toml in this process while its context lasts."""
    return Lab(SimConfig.load(sim), seed=seed, truth=truth, rig=rig)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve a virtual rig from the command line; returns the exit code."""
    options = _parser().parse_args(argv)
    try:
        config = SimConfig.load(options.sim) if options.sim else SimConfig()
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    lab = Lab(config, seed=options.seed, truth=options.truth, rig=options.rig, clock=options.clock)
    with lab:
        _announce(lab, options.json)
        with suppress(KeyboardInterrupt):
            _serve(options.until_stdin_closes)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulators", description="Serve the virtual instruments of a rig."
    )
    parser.add_argument("sim", nargs="?", type=Path, metavar="SIM.toml")
    parser.add_argument("--rig", type=Path, metavar="OUT.toml", help="where to write rig.toml")
    parser.add_argument("--truth", type=Path, metavar="T.h5", help="where to write the truth")
    parser.add_argument("--seed", type=int, help="of every random number")
    parser.add_argument("--clock", choices=("lockstep", "realtime"), help="how time passes")
    parser.add_argument("--json", action="store_true", help="announce in one line of JSON")
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="stop at the end of standard input"
    )
    return parser


def _announce(lab: Lab, as_json: bool) -> None:
    files = {"rig": str(lab.rig), "truth": str(lab.truth) if lab.truth else None}
    if as_json:
        print(json.dumps({"ready": True, **lab.addresses, **files}), flush=True)
        return
    for what, where in (lab.addresses | files).items():
        if where:
            print(f"{what.replace('_', ' '):16} {where}", flush=True)


def _serve(until_stdin_closes: bool) -> None:
    """Wait for the end of standard input, or for Ctrl-C.

    Whoever holds our standard input decides when we end. A terminal sends Ctrl-C to both, and a run
    that is being stopped still needs the laboratory to lift the tip.
    """
    if until_stdin_closes:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.stdin.read()
    else:
        forever = threading.Event()
        while not forever.wait(1.0):  # a wait without end would not see Ctrl-C on Windows
            pass
