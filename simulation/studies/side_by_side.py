"""A sweep's points side by side, through the sweep engine, and the check of a sample of them by SciPy's solvers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation.assembly.compile import Array
from simulation.experiment import features, many
from simulation.experiment.excitability import StrengthDuration
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import Solver
from simulation.experiment.threshold import of_restless, pulse_of
from simulation.studies.store import Block

if TYPE_CHECKING:
    from simulation.studies.store import Store
    from simulation.studies.sweep import Sweep

CHECK_SHARE, CHECK_LEAST = 0.01, 5
CHECKED_BY = Solver(rtol=1e-9, atol=1e-11)
_EVERY, _EVENLY_UP_TO = 0.025, 5000.0  # ms: recordings of the check, quicker at even times
# What engine and SciPy may differ by, in the unit of the measure: absolute, or as a share where that is larger.
TOLERANCES: Mapping[str, tuple[float, float]] = {"ms": (0.05, 0.0), "mV": (0.05, 0.0), "Hz": (0.0, 1e-3), "mV/ms": (0.0, 0.02), "mM": (1e-3, 1e-3)}
_RUNGS = 0.005  # of a threshold current: two rungs of the ladder of currents
_OF_THRESHOLDS = 0.02  # of what is read off several
_EXTREME = 0.02
_THRESHOLDS = {"rheobase": (100.0, 30.0), "threshold_current": (0.5, 100.0)}  # duration of the pulse, guess
_SPIKES_ONLY = frozenset({"spikes", "latency", "rate", "after_discharge", "after_discharge_duration", "depolarisation_block", "max_V", "end_V"})


def suits(sweep: Sweep) -> bool:
    """Whether the engine can do it: nothing but rests, thresholds, strength-duration curves and features of a run without clamp or change
    of bath, no solver asked for, and a control that is the same for all points where something is held as in control."""
    if sweep.solver is not None or any(m.examination and not isinstance(m.examination, StrengthDuration) for m in sweep.asked):
        return False
    p = sweep.preparation
    if p.held and any(a.name not in p.bound.model.bath for a in sweep.axes):
        return False
    return sweep.protocol is None or many.stretches(sweep.protocol) is not None


def measured(sweep: Sweep, index: Sequence[int], threads: int | None = None) -> Block:
    """One block of a sweep. ``threads``: all cores if not given."""
    return _Work(sweep, index, threads).done()


class _Work:
    """The points of one block, side by side. Those that fail drop out: ``alive`` are the places of the others."""

    def __init__(self, sweep: Sweep, index: Sequence[int], threads: int | None) -> None:
        self.sweep, self.index, self.threads = sweep, index, threads
        p = sweep.preparation
        self.values = p.kernel.spread(p.kernel.prepare(p.numbers()), sweep.changed(index))
        self.messages = [sweep.preparation.senseless(row) or "" for row in self.values]
        self.out = {name: np.full((len(index), *inner), math.nan) for name, inner in sweep.inner.items()}

    def done(self) -> Block:
        rests = self._rests()
        alive = sorted(rests)
        if alive:
            self._at_rest(rests)
            starts = np.array([rests[k].state for k in alive])
            restless = self._restless(rests)
            for m in self.sweep.asked:
                if m.name in _THRESHOLDS:
                    duration, guess = _THRESHOLDS[m.name]
                    found = self._thresholds(duration, alive, starts, np.full(len(alive), guess))
                    self.out[m.name][alive] = [restless.get(k, x) for k, x in zip(alive, found, strict=True)]
                elif isinstance(m.examination, StrengthDuration):
                    self._strength_duration(m.examination, alive, starts, restless)
            self._runs(alive, starts)
        for k, message in enumerate(self.messages):
            if message:
                for column in self.out.values():
                    column[k] = math.nan
        return Block(self.index, self.out, self.messages)

    def _rests(self) -> dict[int, many.Resting]:
        alive = [k for k, message in enumerate(self.messages) if not message]
        found = many.resting(self.sweep.preparation, self.values[alive], lambda j: self._here(alive[j]), threads=self.threads)
        for k, resting in zip(alive, found, strict=True):
            if isinstance(resting, str):
                self.messages[k] = resting
        return {k: resting for k, resting in zip(alive, found, strict=True) if not isinstance(resting, str)}

    def _here(self, k: int) -> Any:
        return self.sweep.at(self.sweep.point(self.index[k]))

    def _at_rest(self, rests: Mapping[int, many.Resting]) -> None:
        p = self.sweep.preparation
        other = {"rest", *features.UNITS, *_THRESHOLDS}
        symbols = [m.name for m in self.sweep.asked if not (m.extreme or m.examination or m.name in other)]
        for k, resting in rests.items():
            if "rest" in self.out:
                for name, V in rest_measure(resting.stable, resting.unstable).items():
                    self.out[name][k] = V
            if symbols:
                seen = p.kernel.observe(np.zeros(1), resting.state[None, :], self.values[k])[0]
                for name in symbols:
                    self.out[name][k] = resting.state[p.states.index(name)] if name in p.states else seen[p.kernel.emitted.symbols.index(name)]

    def _restless(self, rests: Mapping[int, many.Resting]) -> dict[int, float]:
        """0 or NaN for a membrane whose rest is not stable, see ``threshold.of_restless``."""
        if not self.sweep.warm:
            return {}
        out = {}
        for k, resting in rests.items():
            if not resting.stable:
                here = self._here(k)
                found = of_restless(here, find_rest(here).at())
                if found is not None:
                    out[k] = found
        return out

    def _thresholds(self, duration: float, which: Sequence[int], starts: Array, guess: Array) -> Array:
        return many.thresholds(self.sweep.preparation, duration, starts, self.values[list(which)], guess, threads=self.threads)

    def _strength_duration(self, asked: StrengthDuration, alive: Sequence[int], starts: Array, restless: Mapping[int, float]) -> None:
        duration, first_guess = _THRESHOLDS["rheobase"]
        step = self._thresholds(duration, alive, starts, np.full(len(alive), first_guess))
        rheobase = np.array([restless.get(k, x) for k, x in zip(alive, step, strict=True)])
        sound = np.flatnonzero(rheobase > 0).tolist()
        found = np.full((len(alive), len(asked.durations)), math.nan)
        guess = step[sound]
        for i in reversed(range(len(asked.durations))):  # from long pulses to short ones each guess is close
            found[sound, i] = self._thresholds(asked.durations[i], [alive[j] for j in sound], starts[sound], guess)
            guess = np.where(found[sound, i] > 0, found[sound, i], guess)
        for j, k in enumerate(alive):
            for name, value in asked.read(float(rheobase[j]), found[j]).items():
                self.out[name][k] = value

    def _runs(self, alive: Sequence[int], starts: Array) -> None:
        p, protocol = self.sweep.preparation, self.sweep.protocol
        wanted = [m.name for m in self.sweep.asked if m.name in features.UNITS and m.name not in ("rest", *_THRESHOLDS)]
        extremes = {m.name: m.extreme for m in self.sweep.asked if m.extreme}
        if not wanted and not extremes:
            return
        assert protocol is not None
        watch = tuple(dict.fromkeys(symbol for _, symbol in extremes.values()))
        for courses, traces in many.follow(p, protocol, starts, self.values[list(alive)], threads=self.threads, watch=watch):
            for course, seen in zip(courses, features.measure_all(traces, not set(wanted) <= _SPIKES_ONLY), strict=True):
                k = alive[course.index]
                self.messages[k] = course.failed
                for name in wanted:
                    self.out[name][k] = math.nan if (x := getattr(seen, name)) is None else float(x)
                if extremes and not course.failed:
                    t, watched = many.watched_to_end(p, protocol, course, self.values[k], watch)
                    for name, (kind, symbol) in extremes.items():
                        self.out[name][k] = features.extreme(kind, t, watched[watch.index(symbol)])


def rest_measure(stable: Sequence[float], unstable: Sequence[float]) -> dict[str, float]:
    """The measure 'rest' from the potentials of all steady states, each kind the most negative first."""
    return {
        "rest": stable[0] if stable else math.nan, "rest_2": stable[1] if len(stable) > 1 else math.nan,
        "rest_unstable": unstable[0] if unstable else math.nan,
    }


# ---- the check

def sample(sweep: Sweep, status: NDArray[np.int8], least: int = CHECK_LEAST) -> list[int]:
    """Points to be done again by SciPy: one in a hundred, ``least`` at least, drawn by a seed that the sweep itself gives."""
    done, random = status.ravel() == 0, np.random.default_rng(int(sweep.digest, 16))
    there = int(np.count_nonzero(done))
    count = min(there, max(least, math.ceil(CHECK_SHARE * there)))
    drawn = random.choice(len(done), min(len(done), 4 * count), replace=False)  # of all, or a billion places would have to be listed
    chosen = drawn[done[drawn]][:count]
    if len(chosen) < count:
        chosen = random.choice(np.flatnonzero(done), count, replace=False)
    return sorted(chosen.tolist())


def known(sweep: Sweep, store: Store, i: int) -> dict[str, float]:
    """Thresholds that the engine found at one point, by the names under which a search for them remembers them: SciPy tries the rungs around
    them, which it would come to from anywhere."""
    here = {name: values[0] for name, values in store.at([i]).items()}
    out = {pulse_of(duration): here[name] for name, (duration, _) in _THRESHOLDS.items() if name in here}
    for m in sweep.asked:
        if isinstance(m.examination, StrengthDuration):
            out |= dict(zip(map(pulse_of, m.examination.durations), here["threshold"].tolist(), strict=True))
            out[pulse_of(_THRESHOLDS["rheobase"][0])] = here["rheobase"]
    return {name: float(value) for name, value in out.items() if value > 0}


def check(sweep: Sweep, store: Store, again: Iterable[Block]) -> dict[str, Any]:
    """How far the engine's results lie from SciPy's: for each measure the worst deviation, and the points beyond tolerance."""
    worst: dict[str, float] = {}
    beyond: dict[str, list[int]] = {}
    points: list[int] = []
    for block in again:
        points += block.index
        ours = store.at(block.index)
        for name, theirs in block.values.items():
            for i, a, b, failed in zip(block.index, ours[name], theirs, block.failed, strict=True):
                deviation = math.inf if failed else _deviation(a, b)
                worst[name] = max(worst.get(name, 0.0), deviation)
                if deviation > _allowed(sweep, name, b):
                    beyond.setdefault(name, []).append(i)
    beyond = {name: sorted(found) for name, found in beyond.items()}
    return {"by": CHECKED_BY.describe(), "points": sorted(points), "worst": {n: worst[n] for n in sweep.variables if n in worst}, "beyond": beyond}


def _deviation(a: Array, b: Array) -> float:
    if (np.isnan(a) != np.isnan(b)).any():
        return math.inf
    return _size(a - b)


def _size(a: Array) -> float:
    return float(np.abs(np.nan_to_num(a)).max(initial=0.0))


def _allowed(sweep: Sweep, name: str, value: Array) -> float:
    size = _size(value)
    if name in _THRESHOLDS or name == "threshold":
        return _RUNGS * size
    whose = next(m for m in sweep.asked if name in m.variables)
    if whose.examination or whose.extreme:
        return (_OF_THRESHOLDS if whose.examination else _EXTREME) * size + 1e-9
    absolute, share = TOLERANCES.get(sweep.variables[name][0], (0.0, 1e-3))
    return max(absolute, share * size)


def reference(sweep: Sweep) -> Sweep:
    """The same sweep as SciPy does it for the check. A spike's shape is read from the solver's own steps, which are dense where it is steep."""
    of_runs = {m.name for m in sweep.asked if m.extreme or m.name in features.UNITS} - {"rest"}
    even = of_runs <= _SPIKES_ONLY and (sweep.protocol is None or sweep.protocol.duration <= _EVENLY_UP_TO)
    return replace(sweep, solver=replace(CHECKED_BY, every=_EVERY) if even else CHECKED_BY)


def said(result: Mapping[str, Any]) -> str:
    """The check in a sentence."""
    count = len(result["points"])
    done = "1 point was done again" if count == 1 else f"{count} points were done again"
    if result["beyond"]:
        names = "; ".join(f"{name} at {len(points)}" for name, points in result["beyond"].items())
        return f"{done} with SciPy, and the engine lies BEYOND TOLERANCE: {names} of them"
    worst = ", ".join(f"{name} {value:.2g}" for name, value in result["worst"].items())
    return f"{done} with SciPy (rtol 1e-9); the largest differences: {worst}"
