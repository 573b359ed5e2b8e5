"""A potentiostat's analog front end: the `CellPort` that a virtual instrument's firmware works."""

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulators.cellconfig import PotentiostatConfig
from simulators.cellport import Control, Reading
from simulators.clocks import Clock
from simulators.world.cell import Cell
from simulators.world.rng import normals, stream

_GROWTH = 0.1
"""A sub-step's share of the time since the control last changed."""
_STEERED = 5e-5
"""Seconds of the first sub-step after a small change."""
_COARSEST = 2e-3
"""Volts a ramp may go in one sub-step of a cell that is not exact."""
_UNDERLOAD = 0.02
"""Share of full scale below which a lower current range would do."""
_REMEMBERED = 4096
"""Sub-steps that an average can reach back over."""
_NOISE = 0x40

Listener = Callable[[float, float, float], None]


@dataclass
class _Low:
    """A first-order low-pass for an input that is linear in time; exact for any step."""

    value: float

    def follow(self, dt: float, start: float, end: float, tau: float) -> float:
        lag = (end - start) / dt * tau
        self.value = end - lag + (self.value - start + lag) * math.exp(-dt / tau)
        return self.value


class FrontEnd:
    """Control loop, counter electrode, current ranges and converters around one cell.

    What is held reaches the cell through a first-order loop; readings pass the measurement's
    first-order low-pass, are averaged, get the noise of one reading (which falls with averaging
    and bandwidth) and are rounded to the converter's steps. Where the counter electrode would
    need more than the compliance voltage, the cell gets what that voltage gives.

    listener: called with time (s), true potential (V) and true current (A) after each sub-step.
    """

    def __init__(
        self,
        cell: Cell,
        config: PotentiostatConfig,
        clock: Clock,
        seed: int = 1,
        listener: Listener | None = None,
    ) -> None:
        self.cell, self.config, self.clock = cell, config, clock
        self._listener = listener
        self._hardware = config.hardware
        self._loop_tau = 1 / (2 * math.pi * config.bandwidth)
        self._key, self._count = stream(seed, _NOISE), 0
        normals(self._key, np.uint64(0))  # compiled here, not while a client waits for a reading
        self._lock = threading.RLock()
        self._mode, self._value, self._slope = Control.OPEN, 0.0, 0.0
        self._now = self._since = clock.time
        self._applied = _Low(0.0)
        self._lost = False
        self.full_scale = self._hardware.ranges[-1]
        """Of the present current range, A."""
        self._true = cell.step(0.0, Control.OPEN, 0.0, 0.0)
        self._shown = _Low(self._true[0]), _Low(self._true[1])
        self._areas = deque([(self._now, 0.0, 0.0)], _REMEMBERED)
        self.set_bandwidth(config.measurement_bandwidth)

    @property
    def time(self) -> float:
        return self.clock.look(self._now)

    @property
    def reach(self) -> float:
        """Greatest potential (V), either way, that can be asked for."""
        return self._hardware.reach

    @property
    def truth(self) -> tuple[float, float, float]:
        """Time (s), potential (V) and current (A) as they are, at the last sub-step."""
        with self._lock:
            return self._now, *self._true

    def control(
        self, mode: Control, value: float = 0.0, slope: float = 0.0, at: float | None = None
    ) -> None:
        with self._lock:
            now = self.clock.present(self._now)
            self.advance(now if at is None else at)
            if mode is not self._mode:
                held = self.cell.step(0.0, Control.OPEN, 0.0, 0.0)[0], 0.0
                before = self._true if self._mode is not Control.OPEN else held
                self._applied.value = before[0] if mode is Control.POTENTIAL else before[1]
            if mode is Control.POTENTIAL:
                value = min(max(value, -self.reach), self.reach)
            self._mode, self._value, self._slope = mode, value, slope
            self._since, self._lost = self._now, False
            if mode is Control.OPEN:
                self._true = self.cell.step(0.0, mode, 0.0, 0.0)

    def steer(self, value: float) -> None:
        """Hold a value not far from the last one: it may be reached in some 50 us."""
        with self._lock:
            by_potential = self._mode is Control.POTENTIAL
            self._since = max(self._since, self._now - _STEERED / _GROWTH)
            self._value = min(max(value, -self.reach), self.reach) if by_potential else value
            self._slope, self._lost = 0.0, False

    def set_current_range(self, full_scale: float) -> None:
        with self._lock:
            self.full_scale = full_scale

    def set_bandwidth(self, hertz: float) -> None:
        with self._lock:
            self._measured_hz = max(hertz, 1e-3)

    def read(self, at: float, average: float = 0.0) -> Reading:
        self.clock.wait(at)
        with self._lock:
            self.advance(at - average)
            self.advance(at)
            return self._convert(self._now, *self._mean(average), self._quiet(average))

    def impedance(self, frequency: float, amplitude: float, periods: int = 3) -> complex:
        """As `CellPort.impedance`: the cell linearised about its state when the periods are over.

        The sine itself is not played to the cell: it is taken to be small and to leave no trace.
        """
        duration = periods / frequency
        end = self.clock.present(self._now) + duration
        self.clock.wait(end)
        with self._lock:
            self.advance(end)
            z = self.cell.impedance(frequency)
            by_potential = self._mode is Control.POTENTIAL
            potential = amplitude if by_potential else amplitude * abs(z)
            current = amplitude / abs(z) if by_potential else amplitude
            sigma = self._quiet(duration) * math.sqrt(2)  # of each part of a complex amplitude
            e_sigma, i_sigma = self._sigmas()
            (a, b), (c, d) = self._normals(), self._normals()
            e = potential + sigma * e_sigma * complex(a, b)
            i = current + sigma * i_sigma * complex(c, d)
            return z / abs(z) * e / i

    def interrupt(self) -> None:
        self.clock.interrupt()

    def resume(self) -> None:
        """Forget an interrupt that ended no read yet."""
        self.clock.resume()

    def advance(self, until: float) -> None:
        """Let the cell's time pass until then, with what is held."""
        with self._lock:
            while self._now < until:
                self._substep(until)

    def trace(self, until: float) -> list[tuple[float, float, float]]:
        """As `advance`; time (s), potential (V) and current (A) as measured after each sub-step."""
        rows: list[tuple[float, float, float]] = []
        with self._lock:
            while self._now < until:
                self._substep(until)
                rows.append((self._now, self._shown[0].value, self._shown[1].value))
        return rows

    def _substep(self, until: float) -> None:
        """Pass one sub-step, at most `until` then."""
        age = self._now - self._since
        longest = self.cell.longest_step
        if longest < math.inf and self._mode is Control.POTENTIAL and self._slope:
            longest = min(longest, _COARSEST / abs(self._slope))
        dt = min(longest, max(0.25 * self._loop_tau, _GROWTH * age))
        end = self._now + dt
        if end > until - 0.01 * dt:
            end, dt = until, until - self._now
        target = self._value + self._slope * age
        before = self._applied.value
        after = self._applied.follow(dt, target, target + self._slope * dt, self._loop_tau)
        was, (e, i) = self._true, self._shown
        self._true = self._drive(dt, before, after)
        tau = 1 / (2 * math.pi * self._measured_hz)
        _, e_area, i_area = self._areas[-1]
        e_area += 0.5 * dt * (e.value + e.follow(dt, was[0], self._true[0], tau))
        i_area += 0.5 * dt * (i.value + i.follow(dt, was[1], self._true[1], tau))
        self._areas.append((end, e_area, i_area))
        self._now = end
        if self._listener:
            self._listener(end, *self._true)

    def _mean(self, span: float) -> tuple[float, float]:
        """Potential and current shown, averaged over the last `span` s (as far as is known)."""
        last, e_last, i_last = self._areas[-1]
        start = max(last - span, self._areas[0][0])
        if start >= last:
            return self._shown[0].value, self._shown[1].value
        before = after = self._areas[-1]
        for before in reversed(self._areas):
            if before[0] <= start:
                break
            after = before
        share = (start - before[0]) / (after[0] - before[0])
        e_first, i_first = (x + share * (y - x) for x, y in zip(before[1:], after[1:], strict=True))
        return (e_last - e_first) / (last - start), (i_last - i_first) / (last - start)

    def _drive(self, dt: float, before: float, after: float) -> tuple[float, float]:
        """Step the cell; beyond compliance, with what the counter electrode can still give."""
        limit, state = self._hardware.compliance, self.cell.state
        if self._lost:
            before = after
        result = self.cell.step(dt, self._mode, before, after)
        needed = self._counter(result)
        self._lost = self._mode is not Control.OPEN and abs(needed) > limit
        if not self._lost:
            return result
        self.cell.state = state
        rest = self.cell.step(0.0, Control.OPEN, 0.0, 0.0)[0]
        inside = rest if self._mode is Control.POTENTIAL else 0.0
        edge = math.copysign(limit, needed)

        def miss(value: float) -> float:
            self.cell.state = state
            return self._counter(self.cell.step(dt, self._mode, value, value)) - edge

        value = _root(miss, inside, after)
        self.cell.state = state
        self._applied.value = value
        return self.cell.step(dt, self._mode, value, value)

    def _counter(self, result: tuple[float, float]) -> float:
        """Voltage (V) between working and counter electrode."""
        return result[0] + result[1] * self.config.counter_resistance

    def _convert(self, time: float, potential: float, current: float, quiet: float) -> Reading:
        """What the converters make of a mean; `quiet` is what averaging leaves of the noise."""
        config, full = self.config, self.full_scale
        e_sigma, i_sigma = self._sigmas()
        e_noise, i_noise = self._normals()
        potential += config.offset + quiet * e_sigma * e_noise
        current = current * (1 + config.gain_error) + quiet * i_sigma * i_noise
        if config.potential_step:
            potential = round(potential / config.potential_step) * config.potential_step
        overload = abs(current) > full
        current = min(max(current, -full), full)
        if config.current_bits:
            step = 2 * full / 2**config.current_bits
            current = round(current / step) * step
        underload = abs(current) < _UNDERLOAD * full and full > self._hardware.ranges[0]
        return Reading(time, potential, current, overload, underload, self._lost)

    def _sigmas(self) -> tuple[float, float]:
        """rms noise of potential (V) and current (A) in one reading at the chosen bandwidth."""
        share = math.sqrt(self._measured_hz / self.config.noise_bandwidth)
        return share * self.config.potential_noise, (
            share * self.config.current_noise * self.full_scale
        )

    def _quiet(self, average: float) -> float:
        """What averaging leaves of white noise behind a first-order low-pass."""
        return 1 / math.sqrt(1 + math.pi * self._measured_hz * average)

    def _normals(self) -> tuple[float, float]:
        self._count += 1
        return normals(self._key, np.uint64(self._count))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Zero of a monotone function between two points (regula falsi after Illinois)."""
    f_low, f_high = function(low), function(high)
    if f_low * f_high > 0:
        return low
    middle = low
    for _ in range(60):
        middle = high - f_high * (high - low) / (f_high - f_low)
        f = function(middle)
        if abs(f) < 1e-9:
            break
        if f * f_high < 0:
            low, f_low = high, f_high
        else:
            f_low *= 0.5
        high, f_high = middle, f
    return middle
