"""The rig.toml that describes a virtual rig to the program that is to drive it."""

import json
from math import degrees

from simulators.cellconfig import PotentiostatConfig
from simulators.config import AxisConfig, SimConfig
from simulators.world.amplifier import Amplifier

SAMPLE_RATE = "50 kHz"
CELL_SAMPLE_RATE = "5 kHz"
"""Of a card with nothing but an analog potentiostat on it."""

ROLES = {
    "amplifier.output": "pipette_current",
    "stage.z.sensor": "z_sensor",
    "stage.x.sensor": "x_sensor",
    "stage.y.sensor": "y_sensor",
    "amplifier.gain_telegraph": "gain_telegraph",
    "amplifier.filter_telegraph": "filter_telegraph",
    "amplifier.mode_telegraph": "mode_telegraph",
    "potentiostat.potential": "cell_potential",
    "potentiostat.current": "cell_current",
}
"""Plant signal -> role of the input it is wired to."""


def rig_toml(config: SimConfig, card: str = "", resource: str = "") -> str:
    """A rig.toml of the virtual rig.

    card: host:port of the card's server. resource: where the potentiostat is, as its driver
    takes it. Each is needed only if the rig has it.
    """
    wired = {signal: terminal for terminal, signal in config.wiring.items()}
    lines = ["schema = 1", 'title = "Virtual rig"']
    if config.wiring:
        lines += _card(config, wired, card)
    if config.scanner:
        lines += _scanner(config, wired)
    if config.potentiostat is not None:
        lines += ["", "[potentiostat]", *_potentiostat(config.potentiostat, wired, resource)]
    retract = {"retract": "5 um"} if config.scanner else {}
    lines += ["", "[safety]", *_table(**retract, cell_rest="ocp")]
    if config.scanner:
        lines += ["", "[host]", *_table(reaction="auto")]
    return "\n".join([*lines, ""])


def _table(**values: str | float) -> list[str]:
    """Lines of a TOML table; text is written as a JSON string, which TOML reads the same."""
    return [f"{key} = {json.dumps(value)}" for key, value in values.items()]


def _card(config: SimConfig, wired: dict[str, str], address: str) -> list[str]:
    analog = {s: t for t, s in config.wiring.items() if t.startswith("ai")}
    inputs = {role: analog[signal] for signal, role in ROLES.items() if signal in analog}
    if "stage.z" in wired:
        inputs["z_command"] = f"_{wired['stage.z']}_vs_aognd"  # the card reads its own output back
    if "amplifier.command" in wired:
        inputs["bias_command"] = f"_{wired['amplifier.command']}_vs_aognd"
    if "potentiostat.command" in wired:
        inputs["cell_command"] = f"_{wired['potentiostat.command']}_vs_aognd"
    rate = SAMPLE_RATE if config.scanner else CELL_SAMPLE_RATE
    lines = ["", "[daq]"]
    lines += _table(driver="nidaqmx", device=config.daq.device, server=address, sample_rate=rate)
    lines += ["", "[daq.inputs]", *_table(**inputs)]
    comparator = [
        t for t, s in config.wiring.items() if t.startswith("APFI") and s == "amplifier.output"
    ]
    if comparator:
        lines += ["", "[daq.comparator]", *_table(pipette_current=comparator[0])]
    return lines


def _scanner(config: SimConfig, wired: dict[str, str]) -> list[str]:
    lines = ["", "[amplifier]", *_amplifier(config, wired), "", "[piezo]"]
    lines += _table(driver="analog-piezo")
    for name, axis in (("x", config.stage.x), ("y", config.stage.y), ("z", config.stage.z)):
        lines += ["", f"[piezo.{name}]", *_axis(name, axis, wired)]
    return [*lines, "", "[pipette]", *_pipette(config), "", "[bias]", *_table(target="0.7 V")]


def _amplifier(config: SimConfig, wired: dict[str, str]) -> list[str]:
    amplifier = config.amplifier
    table: dict[str, str | float] = {
        "driver": amplifier.model,
        "command": wired["amplifier.command"],
        "command_scale": f"{amplifier.command_scale!r} V/V",
        "readback": "bias_command",
    }
    if amplifier.model == "femto-dlpca-200":
        band = Amplifier(amplifier).band  # high gains are slower than the filter behind them
        table |= {"gain": f"{amplifier.gain!r} V/A", "bandwidth": f"{band!r} Hz"}
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


def _potentiostat(config: PotentiostatConfig, wired: dict[str, str], resource: str) -> list[str]:
    if config.model != "analog":
        on_low = config.model.startswith("keithley-") and config.working_on == "LO"
        polarity = {"working_electrode": "LO"} if on_low else {}
        return _table(driver=driver(config.model), resource=resource, **polarity)
    panel = config.analog
    table = {
        "driver": "analog-potentiostat",
        "command": wired["potentiostat.command"],
        "control": panel.control,
        "potential_scale": f"{panel.potential_scale:.12g} V/V",
        "current_scale": f"{panel.current_scale / panel.current_range:.12g} V/A",
        "current_range": f"{panel.current_range:.12g} A",
        "potential_limit": f"{config.hardware.reach:.12g} V",
    }
    if panel.control == "potential":
        table["command_scale"] = f"{panel.command_scale:.12g} V/V"
    else:
        table["current_command_scale"] = f"{panel.command_scale * panel.current_range:.12g} A/V"
    if "potentiostat.cell" in wired:
        table["cell_switch"] = wired["potentiostat.cell"]
    return _table(**table)


def driver(model: str) -> str:
    """The driver that runs a model of potentiostat."""
    if model.startswith("keithley-"):
        return "keithley-2450"
    return "rodeostat" if model == "rodeostat" else "methodscript"
