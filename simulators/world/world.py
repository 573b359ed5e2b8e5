"""The virtual laboratory as a card sees it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.config import SimConfig, setting
from simulators.daqconfig import INPUTS, LINES, OUTPUTS
from simulators.plant import TICK, Watch
from simulators.world import kernel, stage
from simulators.world.amplifier import Amplifier, bessel
from simulators.world.contact import Contact, leak_gap
from simulators.world.meniscus import meniscus
from simulators.world.pack import Row, packed_row, record
from simulators.world.pipette import Pipette
from simulators.world.rig import (
    CONTACT,
    CURRENT,
    DEPTH,
    GAP,
    STEEPNESS,
    TRUTH,
    Noise,
    Rig,
    State,
    new_state,
)
from simulators.world.rng import stream, uniform
from simulators.world.sample import Sample
from simulators.world.slow import NODE, add_clog, slow
from simulators.world.truth import Recorder, setpoint_height

SLOWEST = 50e3
"""Least internal rate (Hz)."""
_BOLTZMANN, _CHARGE = 1.380649e-23, 1.602176634e-19
_ANY_PERIOD = 2000
_PER_BAND = 10
"""Internal samples per period of the low-pass's -3 dB frequency, at least."""

Array = NDArray[np.float64]
Watches = tuple[NDArray[np.int64], Array, Array, NDArray[np.bool_]]


class World:
    """Pipette, sample, scanner and amplifier behind the `Plant` protocol.

    config: the rig. seed: draws every random number; the same seed gives the same bits.
    truth: where to write the truth file, if anywhere (else as configured).
    """

    inputs: tuple[str, ...] = INPUTS
    outputs: tuple[str, ...] = OUTPUTS
    lines: tuple[str, ...] = LINES

    def __init__(self, config: SimConfig, seed: int, truth: Path | None = None) -> None:
        self.config, self.seed = config, seed
        self.on_host_reaction: Callable[[float], None] = lambda seconds: None
        axes = stage.axes(config.stage)
        self.sample = Sample.build(
            config.sample, seed, (config.stage.x.range / 2, config.stage.y.range / 2)
        )
        self.pipette = Pipette.new(config.pipette, self.sample.permeability)
        self.amplifier = Amplifier(config.amplifier)
        self._axes, self._noise = axes, _noise(config, seed)
        self._slow = slow(config.stage, config.noise, stream(seed, 3))
        self._state_row = packed_row(new_state())
        self._state: State = record(self._state_row)
        self._time, self._scalars = self._state.time, self._state.scalars
        self._rates = np.zeros(4)
        self._shortening, self._clog, self._bubble = 0.0, 0.0, False
        self._contacts, self._contact_key = 0, stream(seed, 4)
        self._touch: Contact | None = None
        self._steppings: dict[float, stage.Stepping] = {}
        self._plans: dict[int, tuple[int, Row]] = {}
        self._nodes = np.empty((64, len(TRUTH)))
        self._events = sorted(config.event, key=lambda event: event.at)
        path = truth or config.truth.file
        self._truth = Recorder(path, config, seed, self.sample) if path else None
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write out what truth is waiting."""
        if self._truth:
            if self._touch:
                self._end_contact(self._touch)
            self._truth.close()

    def _begin(self) -> None:
        kernel.rest(self._rig_row(_ANY_PERIOD, 1), self.sample.map, self._state_row)
        self._happen()

    # the Plant ------------------------------------------------------------------------------

    @property
    def time(self) -> int:
        """Plant time, in units of 10 ns."""
        return int(self._time[0])

    def run(
        self, drive: NDArray[np.float64], period: int, watches: Sequence[Watch] = ()
    ) -> NDArray[np.float64]:
        """Advance by up to len(drive) steps; see `Plant.run`."""
        drive = np.ascontiguousarray(drive, dtype=np.float64)
        if drive.ndim != 2 or drive.shape[1] != len(INPUTS) or not len(drive):
            raise ValueError(f"drive must have shape (n > 0, {len(INPUTS)}), not {drive.shape}")
        if period < 1:
            raise ValueError(f"period must be at least one tick, not {period}")
        watch = _watch_arrays(tuple(watches))
        out = np.empty((len(drive), len(OUTPUTS)))
        done = 0
        while done < len(drive):
            block = drive[done : done + self._steps_to_event(period)]
            steps, watched = self._block(block, period, watch, out[done : done + len(block)])
            done += steps
            self._attend_contact()
            self._happen()
            if watched:
                break
        return out[:done]

    def set_line(self, line: str, high: bool) -> None:
        """Set a digital input, at the present plant time."""
        if line not in LINES:
            raise ValueError(f"no line {line!r}; allowed: {', '.join(LINES)}")
        self.amplifier.set_line(line, high)
        self._changed()

    def _block(self, drive: Array, period: int, watches: Watches, out: Array) -> tuple[int, bool]:
        """Run until something wants attention; steps done, and whether a watch changed state."""
        substeps, rig = self._plan(period)
        crossed = len(drive) * period // NODE + 2
        if crossed > len(self._nodes):
            self._nodes = np.empty((2 * crossed, len(TRUTH)))
        nodes, state = self._nodes, self._state_row
        steps, rows, watched = kernel.run(
            rig, self.sample.map, state, drive, period, substeps, watches, out, nodes
        )
        if rows and self._truth:
            self._truth.stream(nodes[:rows])
        return steps, watched

    def _substeps(self, period: int) -> int:
        rate = max(SLOWEST, _PER_BAND * self.amplifier.band)
        return max(1, math.ceil(period * TICK * rate - 1e-9))

    # interventions --------------------------------------------------------------------------

    def set(self, name: str, value: float | str | bool) -> None:
        """Change something now, as an `[[event]]` would; ValueError lists what can be set."""
        self._apply(name, setting(name, value))

    def _apply(self, name: str, value: float | str) -> None:
        if self._truth:
            self._truth.event(self.time * TICK, name, value)
        match name, value:
            case "amplifier.gain", float():
                self.amplifier.gain = self.config.amplifier.check("gain", value)
            case "amplifier.filter", float():
                self.amplifier.filter = self.config.amplifier.check("filter", value)
            case "amplifier.mode" | "amplifier.offset", _:
                setattr(self.amplifier, name.removeprefix("amplifier."), value)
            case "pipette.break", float():
                self._break(value)
            case "pipette.clog", float():
                self._clog = value
            case "pipette.dirt", float():
                self.pipette = replace(self.pipette, dirt=value)
            case "pipette.bubble", str():
                self._bubble = value == "on"
            case "drift.x" | "drift.y" | "drift.z" | "drift.reference", float():
                place = ("drift.x", "drift.y", "drift.z", "drift.reference").index(name)
                self._rates[place] = value
            case "sample.offset", float():
                self.sample = self.sample.moved(value)
                self._state.looked[:] = math.inf
            case "host.reaction", float():
                self.on_host_reaction(value)
            case _:
                raise AssertionError(name)
        self._changed()

    def _happen(self) -> None:
        while self._events and round(self._events[0].at / TICK) <= self.time:
            event = self._events.pop(0)
            self._apply(event.set, event.value)

    def _steps_to_event(self, period: int) -> int:
        if not self._events:
            return 1 << 62
        left = round(self._events[0].at / TICK) - self.time
        return max(1, -(-left // period))

    def _break(self, length: float) -> None:
        self.pipette = self.pipette.broken(length)
        self._shortening += length
        self._state.looked[:] = math.inf
        self._changed()

    # contacts -------------------------------------------------------------------------------

    def _attend_contact(self) -> None:
        s = self._scalars
        if s[CONTACT] and not self._touch:
            self._begin_contact()
        elif self._touch and not s[CONTACT]:
            self._end_contact(self._touch)
        elif self._touch and -s[GAP] > self._touch.breaks_at:
            self._break(self._touch.snap())
        else:
            return
        self._changed()

    def _begin_contact(self) -> None:
        x, y, _ = self.tip_position
        self._touch = Contact.begin(
            self._contact_key,
            self._contacts,
            start=self.time * TICK,
            x=x,
            y=y,
            speed=max(0.0, -float(self._state.axes[2, stage.VELOCITY])),
            steepness=float(self._state.scalars[STEEPNESS]),
        )

    def _end_contact(self, contact: Contact) -> None:
        depth = float(self._state.scalars[DEPTH])
        share, stays = contact.clog(depth)
        add_clog(self._state.slow, share, stays)
        if self._truth:
            self._truth.contact(contact, self.time * TICK, depth, self.pipette.inner_radius)
        self._contacts += 1
        self._touch = None

    # truth ----------------------------------------------------------------------------------

    @property
    def tip_position(self) -> tuple[float, float, float]:
        """Where the tip's end is in the sample's frame: x, y, z (m)."""
        s = self._state
        share = (self.time - s.time[1] * NODE) / NODE
        disturbed = s.before[:6] + share * (s.after[:6] - s.before[:6])
        x, y, z = s.axes[:, stage.POSITION] + disturbed[:3] + disturbed[3:]
        return float(x), float(y), float(z) + self._shortening

    @property
    def gap(self) -> float:
        """From the rim to the highest point under it (m); negative in contact."""
        return float(self._state.scalars[GAP])

    @property
    def current(self) -> float:
        """Noise-free pipette current (A), drift and clogs included."""
        return float(self._state.scalars[CURRENT])

    @property
    def in_contact(self) -> bool:
        """Whether the tip touches the sample."""
        return bool(self._state.scalars[CONTACT])

    def setpoint_height(self, x: ArrayLike, y: ArrayLike, drop: float) -> NDArray[np.float64]:
        """z (m, sample frame) where the present tip's current has dropped by the share `drop`.

        x, y: places in the sample's frame (m), broadcast against each other.
        """
        return setpoint_height(self.pipette, self.sample, x, y, drop)

    # the compiled code's constants ----------------------------------------------------------

    def _changed(self) -> None:
        self._plans.clear()

    def _stepping(self, dt: float) -> stage.Stepping:
        if dt not in self._steppings:
            self._steppings[dt] = stage.stepping(self.config.stage, dt)
        return self._steppings[dt]

    def _plan(self, period: int) -> tuple[int, Row]:
        """How steps of one length are computed, until something is changed."""
        if period not in self._plans:
            substeps = self._substeps(period)
            self._plans[period] = substeps, self._rig_row(period, substeps)
        return self._plans[period]

    def _rig_row(self, period: int, substeps: int) -> Row:
        dt = period * TICK / substeps
        return packed_row(
            Rig(
                tip=self.pipette.tip(),
                meniscus=meniscus(self.config.pipette, self.pipette),
                surface=self.sample.surface(),
                axes=self._axes,
                stepping=self._stepping(dt),
                slow=self._slow,
                chain=self.amplifier.chain(),
                bessel=bessel(self.amplifier.band, dt),
                noise=self._noise,
                open_share=0.0 if self._bubble else 1.0 - self._clog,
                rates=self._rates,
                shortening=self._shortening,
                sample_offset=self.sample.offset,
                floor=leak_gap(self._contact_key, self._contacts),
                break_depth=self._touch.breaks_at if self._touch else math.inf,
            )
        )


class NotBegun(World):
    """A world that has not come to rest, and for which nothing was compiled yet."""

    def _begin(self) -> None:
        pass

    @property
    def rows(self) -> tuple[Row, Row]:
        """Its rig and its state, as the kernel takes them."""
        return self._rig_row(_ANY_PERIOD, 1), self._state_row


def _noise(config: SimConfig, seed: int) -> Noise:
    noise = config.noise
    phase = np.linspace(0, 2 * np.pi, 2001)
    start = [2 * np.pi * uniform(stream(seed, 5), np.uint64(k)) for k in range(3)]
    amplitudes = (noise.mains, noise.mains_harmonics, noise.mains_harmonics)
    mains = sum(
        a * np.sin(n * phase + p) for n, a, p in zip((1, 3, 5), amplitudes, start, strict=True)
    )
    return Noise(
        current_key=stream(seed, 0),
        lateral_key=stream(seed, 1),
        vertical_key=stream(seed, 2),
        thermal=4 * _BOLTZMANN * config.pipette.temperature if noise.thermal else 0.0,
        shot=2 * _CHARGE * noise.shot,
        voltage=noise.voltage,
        capacitance=noise.capacitance,
        mains=np.asarray(mains),
        mains_frequency=noise.mains_frequency,
    )


@lru_cache(maxsize=16)
def _watch_arrays(watches: tuple[Watch, ...]) -> Watches:
    return (
        np.array([w.output for w in watches], dtype=np.int64),
        np.array([w.low for w in watches], dtype=np.float64),
        np.array([w.high for w in watches], dtype=np.float64),
        np.array([w.is_high for w in watches], dtype=np.bool_),
    )
