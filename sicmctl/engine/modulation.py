"""Setting a scan up under an alternating bias: what it needs, what it finds, and the way out."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from math import inf

import numpy as np

from sicmctl.config.hop import Hop
from sicmctl.hal.admittance import Admittance
from sicmctl.hal.capabilities import F64, Block
from sicmctl.hal.errors import LimitExceeded, SicmError
from sicmctl.hal.limited import LimitedAmplifier, LimitedPositioner
from sicmctl.hal.quantity import show
from sicmctl.scan.bessel import power_gain
from sicmctl.scan.hopper import DaqHopEngine
from sicmctl.scan.lockin import LockIn, noise_bandwidth
from sicmctl.scan.modulated import BiasWave, Detector, LockInStream
from sicmctl.scan.noise import NoiseModel

from . import tuneup
from .rig import Rig
from .tuneup import Tuneup

_LOWER = 8
"""How much lower the second frequency is at which the pipette is measured."""
_FEWEST = 8
"""Samples in a period, at least."""
_TIME = 0.5
"""Time for which the pipette is measured at each frequency, s."""
_UNSETTLED = 0.05
"""Time in which a stage comes to rest, s: the bias swings that much longer."""
_FULL = 0.98
"""Share of the output range that counts as saturated."""
_AVERAGED = 16
"""Periods over which the reference at the top of a hop is averaged, at least."""
QUIET = 2 / 3
"""Share of the smallest setpoint that the slow noise behind a lock-in does not reach."""
_WHAT = "modulate the bias"


def refuse(rig: Rig, hop: Hop) -> None:
    """Refuse a modulation that rig or card cannot do, before anything moves.

    Raises LimitExceeded or NotSupported.
    """
    wave, amplifier = _wave(rig, hop), _amplifier(rig)
    amplifier.command_volts(wave.steady + wave.amplitude * np.array([-1.0, 1.0]))
    amplifier.bias(Block(0, rig.daq.roles, np.zeros((len(rig.daq.roles), 1))))
    _ = _stage(rig).carrier


def period(hop: Hop, rate: float, model: str) -> int:
    """Return the samples in a period; raises LimitExceeded if they are too few or no whole number.

    Only averages over whole periods know nothing of the direct current.
    """
    exact, shown = rate / hop.modulation_frequency, show(hop.modulation_frequency, "Hz")
    whole = round(exact)
    if whole < _FEWEST:
        raise LimitExceeded(
            model,
            _WHAT,
            f"at {shown} a period has {exact:.3g} samples; it must have {_FEWEST} at least",
            f"lower hop.modulation_frequency to {show(rate / _FEWEST, 'Hz')} or less, or raise "
            "daq.sample_rate",
        )
    if abs(exact - whole) > 1e-6 * exact:
        near = " or ".join(show(rate / n, "Hz") for n in (int(exact) + 1, int(exact)))
        raise LimitExceeded(
            model,
            _WHAT,
            f"at {shown} a period has {exact:.5g} samples, which is no whole number",
            f"choose {near}",
        )
    return whole


def hopping(
    rig: Rig, hops: DaqHopEngine, hop: Hop, found: Tuneup
) -> AbstractContextManager[tuple[DaqHopEngine, Tuneup]]:
    """Return what a scan hops with: what there is already, unless the bias is to swing."""
    if hop.mode != "modulated":
        return nullcontext((hops, found))
    return engaged(rig, hops, hop, found)


@contextmanager
def engaged(
    rig: Rig, hops: DaqHopEngine, hop: Hop, found: Tuneup
) -> Iterator[tuple[DaqHopEngine, Tuneup]]:
    """Have the bias swing; yield a hop engine for it, and what it will find.

    The tip is lifted first. Whatever happens, the stage is held in the end, and the bias is what it
    was. Raises LimitExceeded where the amplifier cannot show
    such a current, UnexpectedState where none is seen.
    """
    refuse(rig, hop)
    _fits_amplifier(hop, found, rig.amplifier.identify().model)
    tuneup.lift(rig, hops)
    hops.safe_state()  # what it knew of where the stage is will not hold any more
    stage = _stage(rig)
    engine: DaqHopEngine | None = None
    try:
        low = hop.model_copy(update={"modulation_frequency": hop.modulation_frequency / _LOWER})
        slow, here = _swung(rig, low, found), _swung(rig, hop, found)
        engine, better = _engine(rig, hops, hop, found, slow, here)
        stage.carry(_wave(rig, hop))
        yield engine, better
    except BaseException:
        with suppress(SicmError):  # the way to safety begins with the same, and tells of it
            _let_go(stage, engine)
        raise
    _let_go(stage, engine)


def _let_go(stage: LimitedPositioner, engine: DaqHopEngine | None) -> None:
    try:
        if engine is not None:
            engine.safe_state()
    finally:
        stage.carry(None)


def _swung(rig: Rig, hop: Hop, found: Tuneup) -> Block:
    """Hold the stage while the bias swings; return what was seen, when all had settled."""
    rate, stage, wave = rig.daq.rate, _stage(rig), _wave(rig, hop)
    lockin = LockIn(wave.period, wave.amplitude)
    late = 2 * lockin.settling + round(4 * found.reaction.worst * rate)
    samples = late + max(round(_TIME * rate), _FEWEST * wave.period)
    here = np.array([[stage.commanded[axis]] for axis in stage.axes])
    stage.carry(wave)
    try:
        stage.play(np.repeat(here, samples + late, axis=1))
        block = LockInStream(rig.daq, _amplifier(rig), lockin).read(samples).tail(samples - late)
    finally:
        stage.carry(None)
    if np.abs(block["pipette_current"]).max() < _FULL * rig.amplifier.output_limit:
        return block
    raise LimitExceeded(
        rig.amplifier.identify().model,
        _WHAT,
        f"the amplifier saturates under {show(wave.amplitude, 'V')} at "
        f"{show(rate / wave.period, 'Hz')}: most of that current may charge the stray capacitance",
        "lower the gain, hop.modulation_amplitude or hop.modulation_frequency, or compensate the "
        "capacitance at the amplifier",
    )


def _engine(  # noqa: PLR0917
    rig: Rig, hops: DaqHopEngine, hop: Hop, found: Tuneup, slow: Block, here: Block
) -> tuple[DaqHopEngine, Tuneup]:
    """Return the hop engine, and level and noise of what it will watch.

    slow, here: what was seen at a low frequency, and at the one to be used.
    """
    frequency, corner = hop.modulation_frequency, found.state.bandwidth
    lockin = LockIn(period(hop, rig.daq.rate, ""), hop.modulation_amplitude)
    least_reference = _AVERAGED * lockin.period / rig.daq.rate
    hold = max(hop.reference_time, least_reference) + _UNSETTLED + 4 * found.reaction.worst
    detector = Detector(
        _amplifier(rig),
        lockin,
        rig.daq.rate,
        hop.modulation_amplitude,
        hop.modulated_by,
        rig.loaded.model.safety.touch_drop,
        found.sigma,
        2 * lockin.settling + round(hold * rig.daq.rate),
    )
    state, seen = detector.state(here), detector.top(here)
    detector.state(slow)
    low = abs(detector.top(slow)) / _gain(frequency / _LOWER, rig.daq.rate, corner)
    pipette = Admittance.of_two(abs(seen) / _gain(frequency, rig.daq.rate, corner), low, _LOWER)
    detector.turn = pipette.amplitude * np.exp(1j * pipette.phase) / seen
    detector.top(here)
    current, watched = detector.current(here), detector.watched(here)
    white = _steady(current).var() / noise_bandwidth(lockin.period, rig.daq.rate)
    engine = DaqHopEngine(
        LockInStream(rig.daq, _amplifier(rig), lockin),
        rig.stage,
        detector,
        False,
        hops.host_reaction,
        hops.tuning,
        detector=detector,
        reads_ahead=hops.reads_ahead,
    )
    told = np.isfinite(watched).all()  # a phase that noise turns round tells nothing
    better = replace(
        found,
        current=float(current.mean()),
        sigma=float(_steady(watched).std()) if told else inf,
        noise=NoiseModel(white=float(white), rise=0.0),
        state=state,
        mains=None,
        capacitive=hop.modulation_amplitude * pipette.susceptance,
        least_reference=least_reference,
        period=lockin.period,
    )
    return engine, better


def _gain(frequency: float, rate: float, corner: float) -> float:
    """Return what amplifier and card leave of an amplitude, a share.

    The bias goes up in steps, of which its samples tell the height and the pipette feels the mean.
    """
    return float(np.sqrt(power_gain(frequency, corner)) * np.sinc(frequency / rate))


def _steady(values: F64) -> F64:
    """Return values without their slow course: mean, slope and bend."""
    x = np.linspace(-1.0, 1.0, len(values))
    return values - np.polynomial.Polynomial.fit(x, values, 2)(x)


def _fits_amplifier(hop: Hop, found: Tuneup, model: str) -> None:
    if hop.modulation_frequency > found.state.bandwidth:
        raise LimitExceeded(
            model,
            _WHAT,
            f"{show(hop.modulation_frequency, 'Hz')} are beyond its filter of "
            f"{show(found.state.bandwidth, 'Hz')}",
            "lower hop.modulation_frequency, or open the filter",
        )


def _wave(rig: Rig, hop: Hop) -> BiasWave:
    amplifier, bias = _amplifier(rig), rig.loaded.model.bias
    assert bias is not None, "a microscope has a bias: config.wiring sees to it"
    samples = period(hop, rig.daq.rate, amplifier.identify().model)
    pause = LockIn(samples, hop.modulation_amplitude).settling
    return BiasWave(amplifier, bias.target, hop.modulation_amplitude, samples, pause)


def _amplifier(rig: Rig) -> LimitedAmplifier:
    assert isinstance(rig.amplifier, LimitedAmplifier), "the rig hands out nothing else"
    return rig.amplifier


def _stage(rig: Rig) -> LimitedPositioner:
    assert isinstance(rig.stage, LimitedPositioner), "the rig hands out nothing else"
    return rig.stage
