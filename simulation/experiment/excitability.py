"""How excitable a membrane is, examined as a clinical neurophysiologist does: one class an examination, its settings frozen.

``RecoveryCycle().of(axon)`` is a Dataset with curves and the numbers that are read off them, for every model. What cannot be
measured is NaN: thresholds of a membrane that is blocked, or of one that fires without a stimulus (its threshold is 0)."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from simulation.assembly.compile import Array
from simulation.assembly.errors import nearest
from simulation.experiment.cable import propagate
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.features import LEVEL, REARM, Features, find_spikes
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Protocol, Pulse, protocol, rest_only
from simulation.experiment.recording import Recording
from simulation.experiment.rest import SteadyState, find_rest
from simulation.experiment.solve import run
from simulation.experiment.threshold import SOLVER, WATCH, Conditioned, Warm, of_restless, onset, ramp_threshold, rheobase, threshold_current

if TYPE_CHECKING:
    import xarray as xr

CURRENT = "current"  # stands for the unit of the model's stimulus
Found = dict[str, float | Array]
Texts = Mapping[str, tuple[str, str]]  # name -> (unit, what it is)

_SHORT = 1.0  # ms: test pulses of the clinic
_LEAST_SHARE, _MANY_TIMES = 0.5, 50.0  # thresholds of a hardly excitable membrane are sought up to so many times the resting one


@dataclass(frozen=True)
class Scale:
    """What a curve runs over."""

    name: str
    unit: str
    text: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Examination(ABC):
    """Base of all examinations. ``name``, ``text``: for people; ``numbers``, ``curves``: name -> (unit, what it is)."""

    name: ClassVar[str]
    text: ClassVar[str]
    numbers: ClassVar[Texts] = {}
    curves: ClassVar[Texts] = {}
    seeks_thresholds: ClassVar[bool] = True

    @property
    def scale(self) -> Scale | None:
        """What the curves run over; None if there are none."""
        return None

    @abstractmethod
    def from_rest(self, p: Preparation, start: Array, warm: Warm) -> Found:
        """Every number and curve for one membrane at rest in the state ``start``."""

    def measure(self, p: Preparation, rest: SteadyState, warm: Warm) -> Found:
        """The same for a rest that may be unstable: then a threshold is 0 if the membrane fires by itself, and there is nothing more."""
        restless = of_restless(p, rest)
        if restless is None:
            return self.from_rest(p, rest.state, warm)
        return self.nothing(**{n: restless for n in ("threshold", "rheobase") if n in self.numbers})

    def of(self, p: Preparation, warm: Warm | None = None) -> xr.Dataset:
        """Examine one membrane. ``warm``: thresholds of a neighbouring one. Raises ModelSaysNo if it has no rest."""
        import xarray as xr

        found = self.measure(p, find_rest(p).at(), warm or Warm())
        unit = p.bound.current_unit
        variables = {
            name: ((self.scale.name,) if name in self.curves and self.scale else (), found[name], attributes)
            for name, attributes in self.attributes(unit).items()
        }
        origin = {**p.describe(), "examinations": [self.describe()], "solver": SOLVER.describe()}
        return xr.Dataset(variables, self.coordinates(), {"title": p.bound.model.title, "provenance": json.dumps(origin)})

    def attributes(self, current_unit: str) -> dict[str, dict[str, str]]:
        """Unit and text of every number and curve."""
        return {
            n: {"units": current_unit if unit == CURRENT else unit, "long_name": text}
            for n, (unit, text) in {**self.numbers, **self.curves}.items()
        }

    def coordinates(self) -> dict[str, tuple[str, Array, dict[str, str]]]:
        s = self.scale
        return {} if s is None else {s.name: (s.name, np.array(s.values), {"units": s.unit, "long_name": s.text})}

    def describe(self) -> dict[str, object]:
        return {"name": self.name, **asdict(self)}

    def nothing(self, **known: float) -> Found:
        """NaN for everything but what is ``known``."""
        n = len(self.scale.values) if self.scale else 0
        return {**dict.fromkeys(self.numbers, math.nan), **{c: np.full(n, math.nan) for c in self.curves}, **known}


def _range(threshold: float) -> dict[str, float]:
    """Where the threshold of a test pulse is sought while something else is done to the membrane."""
    return {"highest": _MANY_TIMES * threshold, "look_from": _LEAST_SHARE * threshold}


def _run(p: Preparation, stimuli: Protocol, start: Array) -> Features:
    return run(p, stimuli, solver=SOLVER, start=start, dense=False).features


def _ascending(what: str, values: Sequence[float], lowest: float = 0.0) -> None:
    if not values or any(b <= a for a, b in pairwise(values)) or values[0] < lowest or not all(map(math.isfinite, values)):
        raise ExperimentError(f"{what} have to rise from {lowest:g} up, as in 1,2,5; not {', '.join(f'{v:g}' for v in values)}")


# ---- how much current, and for how long

@dataclass(frozen=True)
class Threshold(Examination):
    """Threshold current of a short pulse and of a long step, and the potential at which the spike takes off."""

    name: ClassVar[str] = "threshold"
    text: ClassVar[str] = "threshold current, rheobase, threshold potential"
    numbers: ClassVar[Texts] = {
        "threshold": (CURRENT, "threshold current of a test pulse"),
        "rheobase": (CURRENT, "rheobase (100 ms step)"),
        "threshold_potential": ("mV", "potential at which a spike takes off (step 5 % above rheobase)"),
        "rest": ("mV", "resting potential"),
    }
    width: float = _SHORT

    def from_rest(self, p: Preparation, start: Array, warm: Warm) -> Found:
        rest = float(start[p.potential])
        short = threshold_current(p, self.width, start=start, warm=warm)
        step = rheobase(p, start=start, warm=warm)
        takes_off = _run(p, protocol(Pulse(1.05 * step, 100.0)), start).threshold if step > 0 else None
        return {"threshold": short, "rheobase": step, "threshold_potential": math.nan if takes_off is None else takes_off, "rest": rest}


@dataclass(frozen=True)
class StrengthDuration(Examination):
    """Threshold current over the duration of the pulse, with the laws of Weiss, Q = I_rh (d + tau), and of Lapicque,
    I = I_rh/(1 - exp(-d/tau)), fitted to it with equal relative weights."""

    name: ClassVar[str] = "strength-duration"
    text: ClassVar[str] = "threshold current over pulse duration: rheobase, chronaxie, strength-duration time constant"
    numbers: ClassVar[Texts] = {
        "rheobase": (CURRENT, "rheobase (100 ms step)"),
        "chronaxie": ("ms", "duration at which the threshold is twice the rheobase"),
        "tau_Weiss": ("ms", "strength-duration time constant (Weiss)"),
        "rheobase_Weiss": (CURRENT, "rheobase by Weiss' law"),
        "tau_Lapicque": ("ms", "strength-duration time constant (Lapicque)"),
        "rheobase_Lapicque": (CURRENT, "rheobase by Lapicque's law"),
    }
    curves: ClassVar[Texts] = {"threshold": (CURRENT, "threshold current")}
    durations: tuple[float, ...] = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2)

    def __post_init__(self) -> None:
        _ascending("durations", self.durations, 1e-3)
        if len(self.durations) < 3:
            raise ExperimentError("a strength-duration curve has three durations or more")

    @property
    def scale(self) -> Scale:
        return Scale("duration", "ms", "duration of the pulse", self.durations)

    def from_rest(self, p: Preparation, start: Array, warm: Warm) -> Found:
        step = rheobase(p, start=start, warm=warm)
        threshold, guess = np.full(len(self.durations), math.nan), step
        if step > 0:
            for i in reversed(range(len(threshold))):  # from long pulses to short ones each guess is close
                threshold[i] = threshold_current(p, self.durations[i], start=start, guess=guess, warm=warm)
                guess = threshold[i] if threshold[i] > 0 else guess
        return self.read(step, threshold)

    def read(self, step: float, threshold: Array) -> Found:
        """The numbers from a rheobase and the threshold of each duration."""
        if not step > 0:
            return self.nothing(rheobase=step)
        d = np.array(self.durations)
        found: Found = {"rheobase": step, "threshold": threshold, "chronaxie": chronaxie(d, threshold, step)}
        for law, fit in (("Weiss", weiss), ("Lapicque", lapicque)):
            found[f"rheobase_{law}"], found[f"tau_{law}"] = fit(d, threshold)
        return found


def weiss(duration: Array, threshold: Array) -> tuple[float, float]:
    """Rheobase and time constant (ms) of Weiss' law through thresholds; NaN through fewer than two."""
    there = threshold > 0
    d, Q = duration[there], (duration * threshold)[there]
    if len(d) < 2:
        return math.nan, math.nan
    (slope, intercept), *_ = np.linalg.lstsq(np.column_stack([d, np.ones_like(d)]) / Q[:, None], np.ones_like(d), rcond=None)
    return float(slope), float(intercept / slope)


def lapicque(duration: Array, threshold: Array) -> tuple[float, float]:
    """Rheobase and time constant (ms) of Lapicque's law through thresholds; NaN through fewer than two."""
    from scipy.optimize import least_squares

    there = threshold > 0
    d, I = duration[there], threshold[there]  # noqa: E741
    if len(d) < 2:
        return math.nan, math.nan

    def off(x: Array) -> Array:
        return np.asarray(x[0] - np.log(-np.expm1(-d / np.exp(x[1]))) - np.log(I))

    fit = least_squares(off, [math.log(I.min()), math.log(np.median(d))])
    return float(np.exp(fit.x[0])), float(np.exp(fit.x[1]))


def chronaxie(duration: Array, threshold: Array, rheobase: float) -> float:
    """Duration at which the threshold is twice the rheobase, between measured ones by straight lines of the logarithms."""
    with np.errstate(divide="ignore"):
        return math.exp(_crossing(np.log(duration), np.log(threshold / (2 * rheobase))))


def _crossing(x: Array, y: Array) -> float:
    """First x at which y, joined by straight lines, falls from above 0 to 0 or below; NaN if it never does."""
    falls = np.flatnonzero((y[:-1] > 0) & (y[1:] <= 0))
    if len(falls) == 0:
        return math.nan
    i = int(falls[0])
    return float(x[i] + (x[i + 1] - x[i]) * y[i] / (y[i] - y[i + 1]))


@dataclass(frozen=True)
class Latency(Examination):
    """Time from the start of a pulse to its spike, over the strength of the pulse."""

    name: ClassVar[str] = "latency"
    text: ClassVar[str] = "time from stimulus to spike over the strength of the stimulus"
    numbers: ClassVar[Texts] = {"threshold": (CURRENT, "threshold current of the pulse")}
    curves: ClassVar[Texts] = {"latency": ("ms", "from the start of the stimulus to the spike")}
    strengths: tuple[float, ...] = (1.02, 1.05, 1.1, 1.2, 1.35, 1.5, 2.0, 3.0, 5.0)
    width: float = _SHORT

    def __post_init__(self) -> None:
        _ascending("strengths", self.strengths)

    @property
    def scale(self) -> Scale:
        return Scale("strength", "1", "strength of the stimulus, times threshold", self.strengths)

    def from_rest(self, p: Preparation, start: Array, warm: Warm) -> Found:
        threshold = threshold_current(p, self.width, start=start, warm=warm)
        if not threshold > 0:
            return self.nothing(threshold=threshold)
        seen = [_run(p, protocol(Pulse(x * threshold, self.width), after=WATCH), start).latency for x in self.strengths]
        return {"threshold": threshold, "latency": np.array([math.nan if x is None else x for x in seen])}


# ---- what a spike leaves behind

@dataclass(frozen=True)
class RecoveryCycle(Examination):
    """Threshold at intervals after a spike. The interval runs from the start of one stimulus to the start of the next.

    ``conditioning``: strength of the first stimulus, times threshold; ``strong``: the highest that is tried for the absolute
    refractory period."""

    name: ClassVar[str] = "recovery"
    text: ClassVar[str] = "threshold after a spike: refractory periods, superexcitability, subexcitability"
    numbers: ClassVar[Texts] = {
        "threshold": (CURRENT, "threshold current of the pulse"),
        "absolute_refractory_period": ("ms", "shortest interval at which a second stimulus evokes a spike"),
        "relative_refractory_period": ("ms", "interval at which the threshold is back at its resting value"),
        "superexcitability": ("%", "lowest threshold after that, as a change"),
        "superexcitable_at": ("ms", "interval of the lowest threshold"),
        "subexcitability": ("%", "highest threshold later still, as a change"),
        "subexcitable_at": ("ms", "interval of that highest threshold"),
    }
    curves: ClassVar[Texts] = {"threshold_change": ("%", "change of threshold")}
    intervals: tuple[float, ...] = (2, 2.5, 3.2, 4, 5, 6.3, 7.9, 10, 13, 18, 24, 32, 42, 56, 75, 100, 140, 200)
    width: float = _SHORT
    conditioning: float = 1.5
    strong: float = 3.0

    def __post_init__(self) -> None:
        _ascending("intervals", self.intervals, self.width)

    @property
    def scale(self) -> Scale:
        return Scale("interval", "ms", "interval between the stimuli", self.intervals)

    def from_rest(self, p: Preparation, start: Array, warm: Warm) -> Found:
        threshold = threshold_current(p, self.width, start=start, warm=warm)
        if not threshold > 0:
            return self.nothing(threshold=threshold)
        first = Pulse(self.conditioning * threshold, self.width)
        after_spike = run(p, protocol(first, duration=self.intervals[-1] + 1.0), solver=SOLVER, start=start)
        over = _spike_over(after_spike)
        if over is None:
            return self.nothing(threshold=threshold)
        tests, guess = Conditioned(after_spike, "after a spike"), threshold
        change = np.full(len(self.intervals), math.nan)
        for i in reversed(range(len(change))):  # from rest to refractoriness
            if self.intervals[i] > over:
                found = tests.threshold(self.intervals[i], self.width, guess=guess, **_range(threshold), warm=warm)
                change[i] = 100 * (found / threshold - 1)
                guess = found if found > 0 else guess
        out: Found = {"threshold": threshold, "threshold_change": change}
        out["absolute_refractory_period"] = self._absolute(tests, threshold, max(over, self.width))
        return out | read_recovery(np.array(self.intervals), change)

    def _absolute(self, tests: Conditioned, threshold: float, over: float) -> float:
        """To 0.02 ms; NaN if there is none after the spike is ``over``. A stimulus may be too strong to be answered by a spike that
        can be told from it, so every strength up to the given one is tried."""
        warm = Warm()

        def second(interval: float) -> bool:
            found = tests.threshold(interval, self.width, guess=threshold, highest=self.strong * threshold, look_from=threshold, warm=warm)
            return not math.isnan(found)

        return onset(second, over, self.intervals[-1], 0.02)


def _spike_over(recording: Recording) -> float | None:
    """Time at which the first spike is so far down that another could be told from it, ms; None if there is no spike."""
    spikes = find_spikes(recording)
    if not spikes:
        return None
    end = spikes[0][2]
    below = np.flatnonzero(recording.V[end:] < LEVEL - REARM)
    return float(recording.t[end + below[0]]) if len(below) else None


def read_recovery(interval: Array, change: Array) -> dict[str, float]:
    """Relative refractory period, super- and subexcitability of a recovery cycle; NaN for what it does not show."""
    out = dict.fromkeys(("relative_refractory_period", "superexcitability", "superexcitable_at", "subexcitability", "subexcitable_at"), math.nan)
    finite = np.where(np.isnan(change), 1e6, change)  # no current evoked a spike
    period = math.exp(_crossing(np.log(interval), finite))
    out["relative_refractory_period"] = period
    if math.isnan(period):
        return out
    later = interval > period
    lowest = int(np.argmin(np.where(later, finite, math.inf)))
    if change[lowest] < 0:
        out["superexcitability"], out["superexcitable_at"] = float(change[lowest]), float(interval[lowest])
    highest = lowest + int(np.argmax(finite[lowest:]))
    if change[highest] > 0:
        out["subexcitability"], out["subexcitable_at"] = float(change[highest]), float(interval[highest])
    return out


# ---- what a current does to the threshold

@dataclass(frozen=True)
class ThresholdElectrotonus(Examination):
    """Threshold during and after long weak currents of ``percent`` of the threshold either way (see ``unit_of_polarisation``)."""

    name: ClassVar[str] = "electrotonus"
    text: ClassVar[str] = "threshold during and after weak polarising currents"
    numbers: ClassVar[Texts] = {
        "threshold": (CURRENT, "threshold current of the test pulse"),
        "unit_current": (CURRENT, "current that is called 100 %"),
        "TEd_peak": ("%", "largest threshold reduction by depolarising current"),
        "TEd_90_100": ("%", "threshold reduction by depolarising current, at 90 to 100 ms"),
        "accommodation": ("%", "its fall from the peak"),
        "TEh_90_100": ("%", "threshold reduction by hyperpolarising current, at 90 to 100 ms"),
    }
    curves: ClassVar[Texts] = {
        "TEd": ("%", "threshold reduction by depolarising current"),
        "TEh": ("%", "threshold reduction by hyperpolarising current"),
    }
    percent: float = 40.0
    delays: tuple[float, ...] = (
        0, 1, 3, 6, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 100, 101, 103, 106, 110, 120, 140, 160, 180, 200,
    )
    length: float = 100.0
    width: float = _SHORT

    def __post_init__(self) -> None:
        _ascending("delays", self.delays)
        if not 0 < self.percent < 100:
            raise ExperimentError(f"percent = {self.percent:g}: the polarising current lies between 0 and 100 % of the threshold")

    @property
    def scale(self) -> Scale:
        return Scale("delay", "ms", "delay after the start of the current", self.delays)

    def from_rest(self, p: Preparation, start: Array, warm: Warm) -> Found:
        threshold = threshold_current(p, self.width, start=start, warm=warm)
        if not threshold > 0:
            return self.nothing(threshold=threshold)
        t, unit = np.array(self.delays), unit_of_polarisation(p, threshold, self.percent, start, warm)
        found: Found = {"threshold": threshold, "unit_current": unit}
        for name, sign in (("TEd", 1), ("TEh", -1)):
            current = sign * self.percent / 100 * unit
            found[name] = reduced(p, Pulse(current, self.length), self.delays, self.width, threshold, start, warm)
        late = (t >= 0.9 * self.length) & (t < self.length)
        d, h = np.asarray(found["TEd"]), np.asarray(found["TEh"])
        found["TEd_peak"], found["TEd_90_100"], found["TEh_90_100"] = _most(d), _mean(d[late]), _mean(h[late])
        found["accommodation"] = float(found["TEd_peak"]) - float(found["TEd_90_100"])
        return found


def _most(x: Array) -> float:
    return float(np.nanmax(x)) if np.isfinite(x).any() else math.nan


def _mean(x: Array) -> float:
    return float(np.mean(x)) if len(x) else math.nan


def unit_of_polarisation(p: Preparation, threshold: float, percent: float, start: Array, warm: Warm) -> float:
    """The current that polarising ones are given in % of: the threshold of the test pulse, as in the clinic, or the rheobase where
    ``percent`` of that threshold would fire by itself, as in membranes with a long time constant."""
    step = rheobase(p, start=start, warm=warm)
    return step if step > 0 and percent / 100 * threshold >= step else threshold


def reduced(
    p: Preparation, current: Pulse, times: Sequence[float], width: float, threshold: float, start: Array, warm: Warm
) -> Array:
    """Threshold reduction (%) at some times of a polarising current; 100 where that alone makes the membrane fire, NaN where the
    membrane does not stand it."""
    try:
        polarised = run(p, protocol(current, duration=max(times[-1], current.duration) + 1.0), solver=SOLVER, start=start)
    except ModelSaysNo:
        return np.full(len(times), math.nan)
    tests, guess = Conditioned(polarised, f"{100 * current.amplitude / threshold:.0f} % of threshold"), threshold
    out = np.empty(len(times))
    for i, t in enumerate(times):
        found = tests.threshold(t, width, guess=guess, **_range(threshold), warm=warm)
        out[i] = 100 * (1 - found / threshold)
        guess = found if found > 0 else guess
    return out


@dataclass(frozen=True)
class CurrentThreshold(Examination):
    """Threshold at the end of polarising currents of many strengths: the threshold's analogue of a current-voltage curve.

    Slopes are of current against threshold reduction, both in % of the threshold, so a steep slope is a high conductance."""

    name: ClassVar[str] = "current-threshold"
    text: ClassVar[str] = "threshold over polarising current: rectification"
    numbers: ClassVar[Texts] = {
        "threshold": (CURRENT, "threshold current of the test pulse"),
        "unit_current": (CURRENT, "current that is called 100 %"),
        "resting_slope": ("1", "slope without current"),
        "minimum_slope": ("1", "smallest slope"),
        "hyperpolarising_slope": ("1", "slope at the strongest hyperpolarising current"),
    }
    curves: ClassVar[Texts] = {"threshold_reduction": ("%", "threshold reduction")}
    percents: tuple[float, ...] = (-100, -90, -80, -70, -60, -50, -40, -30, -20, -10, 0, 10, 20, 30, 40, 50)
    length: float = 200.0
    width: float = _SHORT

    def __post_init__(self) -> None:
        _ascending("percents", self.percents, -1000.0)

    @property
    def scale(self) -> Scale:
        return Scale("polarising_current", "%", "polarising current, in % of the threshold", self.percents)

    def from_rest(self, p: Preparation, start: Array, warm: Warm) -> Found:
        threshold = threshold_current(p, self.width, start=start, warm=warm)
        if not threshold > 0:
            return self.nothing(threshold=threshold)
        unit = unit_of_polarisation(p, threshold, self.percents[-1], start, warm)
        currents = [Pulse(x / 100 * unit, self.length + self.width) for x in self.percents]  # on until the test pulse ends
        reduction = np.array([float(reduced(p, c, (self.length,), self.width, threshold, start, warm)[0]) for c in currents])
        return {"threshold": threshold, "unit_current": unit, "threshold_reduction": reduction, **_slopes(np.array(self.percents), reduction)}


def _slopes(current: Array, reduction: Array) -> dict[str, float]:
    rises = np.diff(reduction)
    with np.errstate(divide="ignore"):
        slopes = np.where(rises > 0, np.diff(current) / rises, math.nan)
    slopes = np.where(reduction[1:] < 100, slopes, math.nan)
    around = (current[1:] > 0) & (current[:-1] <= 0) | (current[1:] >= 0) & (current[:-1] < 0)
    finite = slopes[np.isfinite(slopes)]
    return {
        "resting_slope": _mean(slopes[around]),
        "minimum_slope": float(finite.min()) if len(finite) else math.nan,
        "hyperpolarising_slope": float(slopes[0]) if current[0] < 0 else math.nan,
    }


@dataclass(frozen=True)
class Accommodation(Examination):
    """How high a slowly rising current must go before the membrane fires; NaN where it never does, however high within reason."""

    name: ClassVar[str] = "accommodation"
    text: ClassVar[str] = "threshold of slowly rising currents"
    numbers: ClassVar[Texts] = {"rheobase": (CURRENT, "rheobase (100 ms step)")}
    curves: ClassVar[Texts] = {"ramp_threshold": ("1", "height at which a ramp fires, times rheobase")}
    durations: tuple[float, ...] = (1, 2, 5, 10, 20, 50, 100, 200, 500)

    def __post_init__(self) -> None:
        _ascending("durations", self.durations, 1e-3)

    @property
    def scale(self) -> Scale:
        return Scale("rise", "ms", "duration of the rise", self.durations)

    def from_rest(self, p: Preparation, start: Array, warm: Warm) -> Found:
        step = rheobase(p, start=start, warm=warm)
        if not step > 0:
            return self.nothing(rheobase=step)
        found = [ramp_threshold(p, d, start=start, guess=1.5 * step, highest=_MANY_TIMES * step, warm=warm) / step for d in self.durations]
        return {"rheobase": step, "ramp_threshold": np.array(found)}


# ---- how fast it fires

@dataclass(frozen=True)
class FiringRate(Examination):
    """Firing during long steps: spikes in all, and the rate in the second half, when the first burst is over."""

    name: ClassVar[str] = "f-I"
    text: ClassVar[str] = "firing rate over stimulating current"
    numbers: ClassVar[Texts] = {
        "rheobase": (CURRENT, "rheobase (100 ms step)"),
        "repetitive_from": ("1", "lowest current with firing in the second half of the step, times rheobase"),
        "highest_rate": ("Hz", "highest rate in the second half of the step"),
    }
    curves: ClassVar[Texts] = {
        "current": (CURRENT, "stimulating current"),
        "spikes": ("1", "number of spikes"),
        "rate": ("Hz", "rate in the second half of the step"),
    }
    steps: tuple[float, ...] = (0.5, 0.8, 1.02, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    length: float = 500.0

    def __post_init__(self) -> None:
        _ascending("steps", self.steps)

    @property
    def scale(self) -> Scale:
        return Scale("step", "1", "current, times rheobase", self.steps)

    def from_rest(self, p: Preparation, start: Array, warm: Warm) -> Found:
        step = rheobase(p, start=start, warm=warm)
        if not step > 0:
            return self.nothing(rheobase=step)
        times = [_run(p, protocol(Pulse(x * step, self.length), duration=self.length), start).spike_times for x in self.steps]
        late = [sum(t > 0.5 * self.length for t in found) for found in times]
        rate = np.array([2000.0 * n / self.length for n in late])
        firing = np.flatnonzero(rate)
        return {
            "rheobase": step, "current": step * np.array(self.steps), "spikes": np.array([float(len(t)) for t in times]), "rate": rate,
            "repetitive_from": self.steps[firing[0]] if len(firing) else math.nan, "highest_rate": float(rate.max()),
        }


@dataclass(frozen=True)
class SpontaneousRate(Examination):
    """Firing without a stimulus, begun ``nudge`` mV beside the rest, so that an unstable one is left."""

    name: ClassVar[str] = "spontaneous"
    text: ClassVar[str] = "firing without a stimulus"
    numbers: ClassVar[Texts] = {
        "spontaneous_spikes": ("1", "spikes without a stimulus"),
        "spontaneous_rate": ("Hz", "rate without a stimulus, in the second half of the time"),
        "rest": ("mV", "resting potential"),
        "stable": ("1", "1 if the rest is stable, 0 if not"),
    }
    seeks_thresholds: ClassVar[bool] = False
    length: float = 1000.0
    nudge: float = 1.0

    def measure(self, p: Preparation, rest: SteadyState, warm: Warm) -> Found:
        return self.from_rest(p, rest.state, warm) | {"rest": rest.V, "stable": float(rest.stable)}

    def from_rest(self, p: Preparation, start: Array, warm: Warm) -> Found:
        times = _run(p, rest_only(self.length), p.beside(start, self.nudge)).spike_times
        late = sum(t > 0.5 * self.length for t in times)
        return {"spontaneous_spikes": float(len(times)), "spontaneous_rate": 2000.0 * late / self.length}


@dataclass(frozen=True)
class Conduction(Examination):
    """The spike that runs along a cable of this membrane."""

    name: ClassVar[str] = "conduction"
    text: ClassVar[str] = "the spike that runs along a cable: velocity, shape, block"
    numbers: ClassVar[Texts] = {
        "velocity": ("m/s", "conduction velocity (0 where the spike is blocked)"),
        "propagated_peak": ("mV", "peak of the propagated spike"),
        "propagated_amplitude": ("mV", "amplitude of the propagated spike"),
        "propagated_half_width": ("ms", "half-width of the propagated spike"),
        "propagated_max_dV_dt": ("mV/ms", "steepest rise of the propagated spike"),
    }
    seeks_thresholds: ClassVar[bool] = False
    sections: int = 100

    def from_rest(self, p: Preparation, start: Array, warm: Warm) -> Found:
        spike = propagate(p, self.sections)
        return {"velocity": spike.velocity, **{f"propagated_{name}": value for name, value in spike.spike.items()}}


EXAMINATIONS: Mapping[str, type[Examination]] = {
    e.name: e
    for e in (
        Threshold, StrengthDuration, Latency, RecoveryCycle, ThresholdElectrotonus, CurrentThreshold, Accommodation, FiringRate, SpontaneousRate,
        Conduction,
    )
}


def examination(name: str) -> Examination:
    """The examination of that name with its usual settings. Raises ExperimentError with the nearest names."""
    if name not in EXAMINATIONS:
        raise ExperimentError(f"there is no examination '{name}'{nearest(name, EXAMINATIONS)}; examinations: {', '.join(EXAMINATIONS)}")
    return EXAMINATIONS[name]()
