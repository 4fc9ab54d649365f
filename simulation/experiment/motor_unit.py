"""A motor unit: a motor axon, its junction and a muscle fibre, each in a bath of its own, and the force that follows.

What does not act back is solved first: the axon, then release spike by spike, then fibre and force together with the space around them.
The end-plate current of a spike is a pulse whose size is that spike's safety factor in thresholds of the fibre, so whether it
fires is the fibre's own affair. All fibres of the unit are taken to do the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from simulation import parameter_sets
from simulation.assembly.compile import Array
from simulation.experiment import many
from simulation.experiment.bath import Bath
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.features import LEVEL, Traces, find_spikes, spikes_of
from simulation.experiment.junction import BATH, EndPlate, Junction, junction
from simulation.experiment.preparation import Preparation, prepare
from simulation.experiment.protocol import Noise, Protocol, Pulse
from simulation.experiment.rest import SteadyState, find_rest
from simulation.experiment.solve import Solver, run
from simulation.experiment.threshold import SOLVER, rheobase, threshold_current
from simulation.models.motor_unit import STAGES, motor_unit
from simulation.parameter_sets import ParameterSet

if TYPE_CHECKING:
    import xarray as xr

_NUDGE = 1.0  # mV beside a rest that is not stable
_BELOW = 0.99  # of the threshold current: how far the membrane comes without firing
_FIRED_WITHIN = 10.0  # ms after an end-plate potential in which the spike that it evoked is looked for
_FINE = 1.0  # ms: steps in which a rate that changes is followed
_RTOL = 1e-5  # of the engine
WATCHED = ("Ca_i", "force", "K_is")
DRUGS = ("caffeine", "dantrolene")


# ---- the drive

@dataclass(frozen=True)
class Rate:
    """Spikes at a rate (Hz) for some time (ms), or at one that goes in a straight line to ``end``."""

    rate: float
    duration: float
    at: float = 0.0
    end: float | None = None

    def __post_init__(self) -> None:
        for name in ("rate", "duration"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ExperimentError(f"drive: {name} = {getattr(self, name):g} has to be above 0")
        if self.at < 0 or (self.end is not None and not self.end >= 0):
            raise ExperimentError("drive: it begins at 0 ms or later, and a rate is 0 or more")
        if max(self.rate, self.end or 0.0) > 500:
            raise ExperimentError(f"drive: no motoneuron fires at {max(self.rate, self.end or 0.0):g} Hz; up to 500 Hz is taken")


@dataclass(frozen=True)
class Shaking:
    """Noise current into the axon: mean and standard deviation in rheobases of the untouched axon, drawn from ``seed``."""

    sd: float
    duration: float
    seed: int
    mean: float = 0.0
    at: float = 0.0


@dataclass(frozen=True)
class Stretch:
    """The muscle is stretched: tendon organs lower the rates of the drive meanwhile."""

    duration: float
    at: float = 0.0


@dataclass(frozen=True)
class Drive:
    """What comes from the spinal cord; nothing, if nothing is named."""

    rates: tuple[Rate, ...] = ()
    noise: tuple[Shaking, ...] = ()
    stretches: tuple[Stretch, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rates or self.noise)

    @property
    def start(self) -> float | None:
        """When the drive begins, ms."""
        return min((*(x.at for x in self.rates), *(x.at for x in self.noise)), default=None)

    @property
    def end(self) -> float | None:
        """When it is over, ms."""
        return max((*(x.at + x.duration for x in self.rates), *(x.at + x.duration for x in self.noise)), default=None)

    def spikes(self, motoneuron: ParameterSet) -> list[float]:
        """Times at which the motoneuron starts a spike, ms: whenever the rate has summed up to one more."""
        return sorted({round(t, 9) for rate in self.rates for t in self._of(rate, motoneuron)})

    def _of(self, drive: Rate, motoneuron: ParameterSet) -> list[float]:
        if drive.end is None and not self.stretches:
            period = 1000.0 / drive.rate
            return [drive.at + i * period for i in range(max(1, math.floor(drive.duration / period + 1e-9)))]
        t = np.arange(0.0, drive.duration + 0.5 * _FINE, _FINE)
        rate = drive.rate + ((drive.rate if drive.end is None else drive.end) - drive.rate) * t / drive.duration
        rate = rate * (1 - motoneuron["w_Golgi"].value * self._stretched(drive.at + t, motoneuron["tau_Golgi"].value))
        if self.stretches:
            rate = np.where(rate >= motoneuron["rate_least"].value, rate, 0.0)
        sum_ = np.append(0.0, np.cumsum(0.5 * (rate[1:] + rate[:-1]) * _FINE / 1000))
        whole = np.arange(0, math.floor(sum_[-1] + 1e-9) + 1)
        return [float(drive.at + t[0] + x) for x in np.interp(whole[whole < sum_[-1] + 1e-9], sum_, t)] if sum_[-1] > 0 else []

    def _stretched(self, t: Array, tau: float) -> Array:
        """Inhibition from 0 to 1, which follows each stretch with a time constant."""
        out = np.zeros(len(t))
        for s in self.stretches:
            end = s.at + s.duration
            up = 1 - np.exp(-np.clip(t - s.at, 0, s.duration) / tau)
            out += np.where(t < s.at, 0.0, up * np.exp(-np.clip(t - end, 0, None) / tau))
        return np.clip(out, 0.0, 1.0)

    def to_dict(self) -> dict[str, Any]:
        return {name: [vars(x) for x in getattr(self, name)] for name in ("rates", "noise", "stretches")}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Drive:
        """A drive from what ``to_dict`` gave."""
        return cls(
            tuple(Rate(**x) for x in data["rates"]), tuple(Shaking(**x) for x in data["noise"]), tuple(Stretch(**x) for x in data["stretches"])
        )


# ---- the unit

@dataclass(frozen=True, eq=False, repr=False)
class MotorUnit:
    """An axon, its junction and a muscle fibre, each with its numbers and its bath; ``motoneuron``: numbers of the drive."""

    axon: Preparation
    junction: Junction
    muscle: Preparation
    motoneuron: ParameterSet

    def __post_init__(self) -> None:
        if "force" not in self.muscle.kernel.emitted.symbols:
            raise ExperimentError(f"{self.muscle.bound.name} has no force: the muscle of a unit is 'muscle' or a set of it, as muscle_slow")
        if self.axon.bound.name != "axon":
            raise ExperimentError(f"the axon of a unit is 'axon' or a set of it, as axon_rhythmic, not {self.axon.bound.name}")

    def __repr__(self) -> str:
        return f"<motor unit: {self.axon!r} -> {self.junction!r} -> {self.muscle!r}>"

    @property
    def control(self) -> MotorUnit:
        """The same unit with every stage in its control bath."""
        return replace(self, axon=self.axon.control, junction=replace(self.junction, bath=Bath()), muscle=self.muscle.control)

    def describe(self) -> dict[str, Any]:
        """What defines this unit, enough to make it again."""
        return {name: getattr(self, name).describe() for name in STAGES} | {
            "motoneuron": {s: x.value for s, x in self.motoneuron.parameters.items()}}

    @cached_property
    def fibre_threshold(self) -> Threshold:
        """Of the fibre in its bath, or, where it cannot fire there, of the same fibre in the control bath."""
        found = _threshold(self.muscle, self.junction.of["width_EPC"])
        return found or replace(_threshold(self.muscle.control, self.junction.of["width_EPC"]) or Threshold(100.0, 40.0), excitable=False)

    @cached_property
    def starts(self) -> tuple[Array, Array]:
        """Where axon and fibre begin: at rest in their baths, or beside a rest that is not stable. Drugs act from the beginning of the run on:
        a rest in which they hold the store open, with all its calcium kept up, is not one that a fibre comes to."""
        without = {s: 0.0 for s in DRUGS if self.muscle.parameters[s].value}
        return _start(self.axon), _start(self.muscle.with_values(without) if without else self.muscle)

    @property
    def safety_factor(self) -> float:
        """Of the rested junction on the fibre in its bath; 0 where that cannot fire at all."""
        at = self.fibre_threshold
        return self.junction.safety_factor(at.depolarisation) if at.excitable else 0.0


@dataclass(frozen=True)
class Threshold:
    """Threshold current of a pulse as long as the end-plate current (uA/cm2), and how far it depolarises (mV)."""

    current: float
    depolarisation: float
    excitable: bool = True


def unit(
    axon: Preparation | str = motor_unit.axon, junction_: Junction | str = motor_unit.junction, muscle: Preparation | str = motor_unit.muscle,
    *, baths: Mapping[str, Bath | Mapping[str, float] | str] | Bath | str | None = None,
) -> MotorUnit:
    """A motor unit of named sets. ``baths``: by stage, as {'axon': 'Ca=0.7'}, or one for all stages, of which each takes the ions that it has.

    Raises ExperimentError."""
    stages: dict[str, Any] = {
        "axon": prepare(axon) if isinstance(axon, str) else axon,
        "junction": junction(junction_) if isinstance(junction_, str) else junction_,
        "muscle": prepare(muscle) if isinstance(muscle, str) else muscle,
    }
    if isinstance(baths, Bath | str):
        shared = dict(Bath(baths))
        baths = {s: {k: v for k, v in shared.items() if k in (BATH if s == "junction" else stages[s].bound.model.bath)} for s in STAGES}
    for name, bath in (baths or {}).items():
        if name not in STAGES:
            raise ExperimentError(f"a motor unit has no stage '{name}'; stages: {', '.join(STAGES)}")
        stages[name] = stages[name].in_bath(Bath(bath) if isinstance(bath, Bath | str) else Bath.stated(bath))
    return MotorUnit(**stages, motoneuron=parameter_sets.load(motor_unit.motoneuron))


# ---- a run

@dataclass(frozen=True, eq=False)
class Stage:
    """What a membrane did: time (ms), potential (mV), spike times (ms) and whatever else was watched."""

    t: Array
    V: Array
    spikes: Array
    watched: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class UnitRun:
    """What a motor unit did. ``end_plate``: of each spike that reached the junction; ``fired``: whether the fibre answered it."""

    unit: MotorUnit
    drive: Drive
    duration: float
    axon: Stage
    end_plate: EndPlate
    fired: tuple[bool, ...]
    muscle: Stage
    solver: str

    @property
    def force(self) -> Array:
        """Force relative to that of full calcium, at the times of ``muscle``."""
        return self.muscle.watched["force"]

    @property
    def Ca_i(self) -> Array:
        """Free calcium of the myoplasm, mM."""
        return self.muscle.watched["Ca_i"]

    @property
    def safety_factors(self) -> Array:
        """Of each spike that reached the junction."""
        at = self.unit.fibre_threshold
        return np.array([self.unit.junction.safety_factor(at.depolarisation, v) if at.excitable else 0.0 for v in self.end_plate.potentials])

    @property
    def provenance(self) -> dict[str, Any]:
        """What made this run, enough to make it again."""
        return {"unit": self.unit.describe(), "drive": self.drive.to_dict(), "duration": self.duration, "solver": self.solver}

    def to_xarray(self) -> xr.Dataset:
        """Dataset with a time of its own for axon and muscle, and one row for each end-plate potential."""
        import json

        import xarray as xr

        units = self.unit.muscle.bound.units
        of_muscle = {s: ("time_muscle", y, {"units": units[s]}) for s, y in self.muscle.watched.items()}
        return xr.Dataset(
            {
                "V_axon": ("time_axon", self.axon.V, {"units": "mV"}), "V_muscle": ("time_muscle", self.muscle.V, {"units": "mV"}), **of_muscle,
                "EPP": ("time_EPP", self.end_plate.potentials, {"units": "mV"}), "quanta": ("time_EPP", self.end_plate.quanta, {"units": "1"}),
                "fired": ("time_EPP", np.array(self.fired, dtype=np.int8)),
                "axon_spikes": ("axon_spike", self.axon.spikes, {"units": "ms"}),
                "muscle_spikes": ("muscle_spike", self.muscle.spikes, {"units": "ms"}),
            },
            {
                "time_axon": ("time_axon", self.axon.t, {"units": "ms"}), "time_muscle": ("time_muscle", self.muscle.t, {"units": "ms"}),
                "time_EPP": ("time_EPP", self.end_plate.times, {"units": "ms"}),
            },
            {"title": motor_unit.title, "provenance": json.dumps(self.provenance)},
        )


def run_unit(
    unit: MotorUnit, drive: Drive | None = None, duration: float | None = None, *, solver: Solver | None = None, muscle_start: Array | None = None
) -> UnitRun:
    """Drive a motor unit and follow it, through the sweep engine, or through SciPy if a ``solver`` is given.

    ``duration``: ms; two seconds beyond the end of the drive if not given. ``muscle_start``: every state of the fibre at the beginning.
    Raises ModelSaysNo if a stage cannot be followed, ExperimentError for a drive that begins after the end."""
    drive = Drive() if drive is None else drive
    if duration is None:
        duration = (drive.end or 0.0) + 2000.0
    if drive.start is not None and drive.start >= duration:
        raise ExperimentError(f"drive: it begins at {drive.start:g} ms, after the end of the run at {duration:g} ms")
    return answer(unit, run_axon(unit, drive, duration, solver=solver), drive, duration, solver=solver, muscle_start=muscle_start)


def answer(
    unit: MotorUnit, axon: Stage, drive: Drive, duration: float, *, solver: Solver | None = None, muscle_start: Array | None = None
) -> UnitRun:
    """What junction and fibre of a unit make of what its axon did. ``drive``: what the spinal cord had a part in."""
    arriving = axon.spikes + unit.junction.latency
    end_plate = unit.junction.potentials(arriving[arriving < duration])
    at, width = unit.fibre_threshold, unit.junction.of["width_EPC"]
    pulses = _one_after_another(end_plate, width, [at.current * unit.junction.safety_factor(at.depolarisation, v) for v in end_plate.potentials])
    start = unit.starts[1] if muscle_start is None else muscle_start
    muscle = _follow(unit.muscle, Protocol(duration, pulses), start, WATCHED, solver)
    return UnitRun(
        unit, drive, duration, axon, end_plate, _answered(end_plate.times, muscle.spikes), muscle, "engine" if solver is None else solver.method)


def run_axon(unit: MotorUnit, drive: Drive, duration: float, *, solver: Solver | None = None) -> Stage:
    """The axon of a unit alone."""
    return _follow(unit.axon, Protocol(duration, _into_axon(unit, drive, duration)), unit.starts[0], (), solver)


def _into_axon(unit: MotorUnit, drive: Drive, duration: float) -> tuple[Pulse | Noise, ...]:
    of = {s: x.value for s, x in unit.motoneuron.parameters.items()}
    out: list[Pulse | Noise] = []
    times = [t for t in drive.spikes(unit.motoneuron) if t < duration]
    if times:
        strength = of["strength"] * _of_untouched_axon(of["width_pulse"])
        out += [Pulse(strength, of["width_pulse"], t) for t in times]
    if drive.noise:
        unit_of_noise = _of_untouched_axon(0.0)
        out += [
            Noise(x.sd * unit_of_noise, min(x.duration, duration - x.at), x.seed, of["correlation"], x.mean * unit_of_noise, x.at)
            for x in drive.noise
        ]
    return tuple(out)


@cache
def _of_untouched_axon(width: float) -> float:
    """Threshold current of a pulse of so many ms, pA; the rheobase for 0."""
    p = prepare(motor_unit.axon)
    return threshold_current(p, width, guess=1000.0) if width else rheobase(p, guess=300.0)


def _one_after_another(end_plate: EndPlate, width: float, currents: Sequence[float]) -> tuple[Pulse, ...]:
    """End-plate currents; one that follows before the last is over cuts that short."""
    times = end_plate.times
    until = np.append(times, np.inf)[1:]
    return tuple(Pulse(c, float(min(width, after - t)), float(t)) for c, t, after in zip(currents, times, until, strict=True))


def _start(p: Preparation) -> Array:
    """The resting state, or one beside it if that is not stable, so that it is left."""
    rest: SteadyState = find_rest(p).at()
    return rest.state if rest.stable else p.beside(rest.state, _NUDGE)


def _follow(p: Preparation, protocol: Protocol, start: Array, watch: tuple[str, ...], solver: Solver | None) -> Stage:
    if solver is not None:
        recording = run(p, protocol, solver=solver, start=start)
        spikes = np.array([s[0] for s in find_spikes(recording)])
        return Stage(recording.t, recording.V, spikes, {s: recording[s] for s in watch})
    courses: list[Any]
    traces: Traces
    ((courses, traces),) = many.follow(p, protocol, start[None, :], p.values[None, :], rtol=_RTOL, threads=1, watch=watch, width=1)
    (course,) = courses
    if course.failed:
        raise ModelSaysNo(f"the {p.bound.name} could not be followed: the engine {course.failed}; try --solver BDF or a bath nearer to control")
    t, watched = many.watched_to_end(p, protocol, course, p.values, watch)
    spikes = np.array([s[0] for s in spikes_of(traces)[0]])
    return Stage(t, np.append(course.V, course.state[p.potential]), spikes, dict(zip(watch, watched, strict=True)))


def _answered(times: Array, spikes: Array) -> tuple[bool, ...]:
    """Whether a spike of the fibre followed each end-plate potential before the next one."""
    until = np.minimum(np.append(times, np.inf)[1:], times + _FIRED_WITHIN)
    first = np.searchsorted(spikes, times)
    return tuple(bool(i < len(spikes) and spikes[i] < end) for i, end in zip(first, until, strict=True))


def _threshold(p: Preparation, width: float) -> Threshold | None:
    """None if no current fires it, or if it fires without."""
    rest = find_rest(p).at()
    if not rest.stable:
        return None
    current = threshold_current(p, width, start=rest.state, guess=150.0)
    if not (math.isfinite(current) and current > 0):
        return None
    below = run(p, Protocol(width + 3.0, (Pulse(_BELOW * current, width),)), solver=SOLVER, start=rest.state, dense=False)
    return Threshold(current, min(float(below.V.max()), LEVEL) - rest.V)
