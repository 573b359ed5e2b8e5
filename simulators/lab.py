"""The virtual laboratory as a program: world, card and server, with a rig.toml that fits them."""

import argparse
import json
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from math import degrees
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from simulators.config import AxisConfig, SimConfig
from simulators.instruments.nidaqmx import Board, Card, Host, Lockstep, Pacing, Realtime, Server
from simulators.world import World

SAMPLE_RATE = "50 kHz"

ROLES = {
    "amplifier.output": "pipette_current",
    "stage.z.sensor": "z_sensor",
    "stage.x.sensor": "x_sensor",
    "stage.y.sensor": "y_sensor",
    "amplifier.gain_telegraph": "gain_telegraph",
    "amplifier.filter_telegraph": "filter_telegraph",
    "amplifier.mode_telegraph": "mode_telegraph",
}
"""Plant signal -> role of the input it is wired to."""


class Lab:
    """World, card and server of one configuration; serves while the context lasts.

    truth: where to write the truth file. rig: where to write rig.toml, by default into a
    directory that goes with the lab.
    """

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
        self._rig = rig
        self._clock = clock or config.clock.mode
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        daq = self.config.daq
        with ExitStack() as stack:
            self.world = stack.enter_context(World(self.config, self.seed, self.truth))
            board = Board(device=daq.device, product=daq.model)
            card = Card(self.world, daq.wiring, self._pacing(), board)
            stack.callback(card.close)
            self.server = stack.enter_context(Server(card, daq.host, daq.port))
            self.address = self.server.address
            if self._rig is None:
                directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="sicm-rig-"))
                self.rig = Path(directory) / "rig.toml"
            else:
                self.rig = self._rig
            self.rig.write_text(rig_toml(self.config, self.address), encoding="utf-8")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _pacing(self) -> Pacing:
        if self._clock == "realtime":
            return Realtime()
        host = self.config.host
        return Lockstep(Host(host.reaction, host.jitter, host.call), self.seed)


def rig_toml(config: SimConfig, address: str) -> str:
    """A rig.toml that describes the virtual rig behind `address` (host:port)."""
    wired = {signal: terminal for terminal, signal in config.daq.wiring.items()}
    analog = {s: t for t, s in config.daq.wiring.items() if t.startswith("ai")}
    inputs = {role: analog[signal] for signal, role in ROLES.items() if signal in analog}
    inputs["z_command"] = f"_{wired['stage.z']}_vs_aognd"  # the card reads its own output back
    comparator = [
        t for t, s in config.daq.wiring.items() if t.startswith("APFI") and s == "amplifier.output"
    ]
    lines = ["schema = 1", 'title = "Virtual rig"', "", "[daq]"]
    lines += _table(
        driver="nidaqmx", device=config.daq.device, server=address, sample_rate=SAMPLE_RATE
    )
    lines += ["", "[daq.inputs]", *_table(**inputs)]
    if comparator:
        lines += ["", "[daq.comparator]", *_table(pipette_current=comparator[0])]
    lines += ["", "[amplifier]", *_amplifier(config, wired), "", "[piezo]"]
    lines += _table(driver="analog-piezo")
    for name, axis in (("x", config.stage.x), ("y", config.stage.y), ("z", config.stage.z)):
        lines += ["", f"[piezo.{name}]", *_axis(name, axis, wired)]
    lines += ["", "[pipette]", *_pipette(config), "", "[bias]", *_table(target="0.7 V")]
    lines += ["", "[safety]", *_table(retract="5 um", cell_rest="ocp")]
    lines += ["", "[host]", *_table(reaction="auto"), ""]
    return "\n".join(lines)


def _table(**values: str | float) -> list[str]:
    """Lines of a TOML table; text is written as a JSON string, which TOML reads the same."""
    return [f"{key} = {json.dumps(value)}" for key, value in values.items()]


def _amplifier(config: SimConfig, wired: dict[str, str]) -> list[str]:
    amplifier = config.amplifier
    table: dict[str, str | float] = {
        "driver": amplifier.model,
        "command": wired["amplifier.command"],
        "command_scale": f"{amplifier.command_scale!r} V/V",
    }
    if amplifier.model == "femto-dlpca-200":
        table |= {"gain": f"{amplifier.gain!r} V/A", "bandwidth": f"{amplifier.filter!r} Hz"}
    return _table(**table)


def _axis(name: str, axis: AxisConfig, wired: dict[str, str]) -> list[str]:
    scale = axis.range / (axis.high_voltage - axis.low_voltage)
    readback = {"readback": "z_command"} if name == "z" else {}
    return _table(
        output=wired[f"stage.{name}"],
        sensor=f"{name}_sensor",
        **readback,
        range=f"{axis.range!r} m",
        scale=f"{scale!r} m/V",
        offset=f"{-axis.low_voltage * scale!r} m",
        sensor_noise=f"{axis.sensor_noise!r} m",
        sensor_delay=f"{axis.sensor_delay!r} s",
        resonance=f"{axis.resonance!r} Hz",
        damping=axis.damping,
        max_speed="3 mm/s" if name == "z" else "10 mm/s",
    )


def _pipette(config: SimConfig) -> list[str]:
    pipette = config.pipette
    return _table(
        inner_radius=f"{pipette.inner_radius!r} m",
        radius_ratio=pipette.radius_ratio,
        half_angle=f"{degrees(pipette.half_cone_angle)!r} deg",
    )


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
    truth = str(lab.truth) if lab.truth else None
    if as_json:
        text = json.dumps({"ready": True, "daq": lab.address, "rig": str(lab.rig), "truth": truth})
    else:
        text = f"card {lab.address}\nrig  {lab.rig}" + (f"\ntruth {truth}" if truth else "")
    print(text, flush=True)


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
