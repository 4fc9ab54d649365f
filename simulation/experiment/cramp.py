"""Was it a cramp? Numbers that tell involuntary force with electrical activity from a contracture, which is silent.

Involuntary is what goes on when the drive has been over for half a second, in which any muscle relaxes; without a drive it is everything."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from simulation.assembly.compile import Array
from simulation.experiment.motor_unit import Drive, MotorUnit, Rate, UnitRun, run_unit

RELAXES = 500.0  # ms after the drive in which a muscle relaxes
FORCE = 0.05  # of full force: less is no contraction
ACTIVE = 200.0  # ms after a spike of the fibre for which force may be laid to it
AFTER = 50.0  # ms after the last arrival of a train: later spikes are an after-discharge
RATES = (2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)  # Hz, tried one after the other


def _unit(unit: str, text: str) -> Any:
    return field(metadata={"unit": unit, "text": text})


@dataclass(frozen=True)
class Cramp:
    """What was measured on a run of a motor unit; None where there is nothing to measure."""

    axon_spikes: int = _unit("1", "spikes of the axon")
    muscle_spikes: int = _unit("1", "spikes of the fibre")
    transmitted: float | None = _unit("1", "share of the spikes at the junction that the fibre answers")
    peak_force: float = _unit("1", "highest force, as a share of that of full calcium")
    involuntary_from: float = _unit("ms", "from when on force counts as involuntary")
    involuntary_force: float = _unit("s", "integral over time of involuntary force, in seconds of full force")
    involuntary_peak: float = _unit("1", "highest involuntary force")
    involuntary_spikes: int = _unit("1", "spikes of the fibre meanwhile")
    active_share: float | None = _unit("1", "share of involuntary force that has spikes of the fibre within 200 ms before it")
    half_relaxation: float | None = _unit("ms", "from the last peak of force to half of it, if it falls that far")
    fusion: float | None = _unit("1", "lowest force between the last two spikes as a share of the peak that follows: 0 twitches, 1 a smooth tetanus")
    verdict: str = _unit("1", "involuntary force with electrical activity, without, or none")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


UNITS = {f.name: f.metadata["unit"] for f in fields(Cramp)}
TEXTS = {f.name: f.metadata["text"] for f in fields(Cramp)}


def measure(run: UnitRun) -> Cramp:
    """All numbers of a run."""
    t, force, spikes = *smooth(run.muscle.t, run.force), run.muscle.spikes
    begin = 0.0 if run.drive.end is None else min(run.drive.end + run.unit.junction.latency + RELAXES, run.duration)
    inside = t >= begin
    part, level = t[inside], np.clip(force[inside] - force[0] * bool(run.drive), 0.0, None)
    involuntary = float(np.trapezoid(level, part)) / 1000 if len(part) > 1 else 0.0
    peak = float(level.max(initial=0.0))
    active = _active(part, spikes)
    share = float(np.trapezoid(level * active, part)) / 1000 / involuntary if involuntary > 0 and peak >= FORCE else None
    verdict = "no involuntary force" if share is None else "electrical" if share > 0.5 else "silent"
    return Cramp(
        axon_spikes=len(run.axon.spikes), muscle_spikes=len(spikes), transmitted=float(np.mean(run.fired)) if run.fired else None,
        peak_force=float(force.max()), involuntary_from=begin, involuntary_force=involuntary, involuntary_peak=peak,
        involuntary_spikes=int(np.count_nonzero(spikes >= begin)), active_share=share, half_relaxation=relaxation(t, force, spikes),
        fusion=_fusion(t, force, spikes), verdict=verdict,
    )


def smooth(t: Array, y: Array) -> tuple[Array, Array]:
    """A course at every millisecond, by cubics through the solver's steps: where little happens these lie far apart."""
    from scipy.interpolate import CubicSpline

    even = np.append(np.arange(t[0], t[-1], 1.0), t[-1])
    once = np.append(True, np.diff(t) > 1e-6)
    return even, np.asarray(CubicSpline(t[once], y[once])(even))


def _active(t: Array, spikes: Array) -> Array:
    """1 where a spike of the fibre was less than ACTIVE ago, else 0."""
    if not len(spikes):
        return np.zeros(len(t))
    last = np.searchsorted(spikes, t, side="right") - 1
    return np.where((last >= 0) & (t - spikes[np.maximum(last, 0)] < ACTIVE), 1.0, 0.0)


def relaxation(t: Array, force: Array, spikes: Array) -> float | None:
    """From the peak after the last spike to half of what lies above the level at the start, ms; None if force does not fall that far."""
    if not len(spikes):
        return None
    last = np.flatnonzero(t >= spikes[-1])
    if not len(last):
        return None
    peak = int(last[np.argmax(force[last])])
    half = force[0] + (force[peak] - force[0]) / 2
    below = np.flatnonzero(force[peak:] < half)
    if force[peak] - force[0] < 1e-3 or not len(below):
        return None
    i = peak + int(below[0])
    return float(np.interp(half, force[[i, i - 1]], t[[i, i - 1]]) - t[peak])


def _fusion(t: Array, force: Array, spikes: Array) -> float | None:
    if len(spikes) < 2:
        return None
    between, after = (t >= spikes[-2]) & (t <= spikes[-1]), t >= spikes[-1]
    if not (between.any() and after.any()) or force[after].max() < 1e-3:
        return None
    return float(min(1.0, force[between].min() / force[after].max()))


def threshold_frequency(
    unit: MotorUnit, rates: Iterable[float] = RATES, *, train: float = 1000.0, watch: float = 1000.0
) -> float:
    """Cramp threshold frequency: the lowest rate (Hz) of a train that leaves activity of axon or fibre behind it; 0 if there is some without,
    NaN if no rate does.

    ``train``: how long it lasts; ``watch``: for how long after it is looked, ms."""
    if _left_behind(run_unit(unit, Drive(), watch), 0.0):
        return 0.0
    for rate in rates:
        drive = Drive((Rate(rate, train),))
        if _left_behind(run_unit(unit, drive, train + watch), drive.spikes(unit.motoneuron)[-1] + AFTER):
            return float(rate)
    return math.nan


def _left_behind(run: UnitRun, after: float) -> bool:
    return bool(np.any(run.axon.spikes > after) or np.any(run.muscle.spikes > after + run.unit.junction.latency))
