"""A sweep's points side by side, through the sweep engine, and the check of a sample of them by SciPy's solvers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from simulation.assembly.compile import Array
from simulation.experiment import features, many
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.rest import find_rest, held_state
from simulation.experiment.solve import Solver
from simulation.experiment.threshold import of_restless

if TYPE_CHECKING:
    from simulation.studies.sweep import Sweep

Point = tuple[int, Mapping[str, float]]

BLOCK = 512  # points whose rests are sought together: what is finished is soon safe on disk
CHECK_SHARE, CHECK_LEAST = 0.01, 5
CHECKED_BY = Solver(rtol=1e-9, atol=1e-11)
# What engine and SciPy may differ by, in the unit of the measure: absolute, or as a share where that is larger.
TOLERANCES: Mapping[str, tuple[float, float]] = {"ms": (0.05, 0.0), "mV": (0.05, 0.0), "Hz": (0.0, 1e-3), "mV/ms": (0.0, 0.02), "mM": (1e-3, 1e-3)}
_THRESHOLDS = {"rheobase": (100.0, 30.0), "threshold_current": (0.5, 100.0)}  # duration of the pulse, guess
_SPIKES_ONLY = frozenset({"spikes", "latency", "rate", "after_discharge", "after_discharge_duration", "max_V", "end_V"})


def suits(sweep: Sweep) -> bool:
    """Whether the engine can do it: nothing but rests, thresholds and features of a run without clamp or change of bath, no solver
    asked for, and a control that is the same for all points where something is held as in control."""
    if sweep.solver is not None or any(m.examination for m in sweep.asked):
        return False
    p = sweep.preparation
    if p.held and any(a.name not in p.bound.model.bath for a in sweep.axes):
        return False
    return sweep.protocol is None or many.stretches(sweep.protocol) is not None


def measured(sweep: Sweep, todo: Sequence[Point], threads: int | None = None) -> Iterator[dict[str, Any]]:
    """Entries of a sweep's journal, as they are finished. ``threads``: all cores if not given."""
    for i in range(0, len(todo), BLOCK):
        yield from _block(sweep, todo[i : i + BLOCK], threads)


def _block(sweep: Sweep, block: Sequence[Point], threads: int | None) -> Iterator[dict[str, Any]]:
    p = sweep.preparation
    values = _values(sweep, [point for _, point in block])
    entries: dict[int, dict[str, Any]] = {k: {"i": i} for k, (i, _) in enumerate(block)}
    for k, row in enumerate(values):
        if reason := p.senseless(row):
            entries[k]["failed"] = reason
    rests: dict[int, tuple[list[float], list[float], Array]] = {}
    alive = [k for k in entries if "failed" not in entries[k]]
    for k, found in _rests(sweep, block, values, alive, threads):
        if isinstance(found, str):
            entries[k]["failed"] = found
        else:
            rests[k] = found
    for k, (stable, unstable, state) in rests.items():
        entries[k]["values"] = _at_rest(sweep, values[k], stable, unstable, state)
    alive = sorted(rests)
    starts = np.array([rests[k][2] for k in alive]) if alive else np.zeros((0, len(p.states)))
    for m in sweep.asked:
        if m.name in _THRESHOLDS and alive:
            duration, guess = _THRESHOLDS[m.name]
            found_currents = _thresholds(sweep, block, alive, rests, starts, values, duration, guess, threads)
            for k, current in zip(alive, found_currents, strict=True):
                entries[k]["values"][m.name] = current
    wanted = [m.name for m in sweep.asked if m.name in features.UNITS and m.name not in ("rest", *_THRESHOLDS)]
    if not wanted or not alive:
        yield from entries.values()
        return
    assert sweep.protocol is not None
    yield from (entries[k] for k in entries if k not in rests)
    shape = not set(wanted) <= _SPIKES_ONLY
    for courses, traces in many.follow(p, sweep.protocol, starts, values[alive], threads=threads):
        for course, seen in zip(courses, features.measure_all(traces, shape), strict=True):
            entry = entries[alive[course.index]]
            if course.failed:
                entry = {"i": entry["i"], "failed": course.failed}
            else:
                entry["values"] |= {name: math.nan if (x := getattr(seen, name)) is None else float(x) for name in wanted}
            yield entry


def _values(sweep: Sweep, points: Sequence[Mapping[str, float]]) -> Array:
    """Prepared parameters of each point: those of the whole, with what the axes change."""
    p = sweep.preparation
    kernel, base = p.kernel, p.kernel.prepare(p.numbers())
    known: dict[tuple[str, float], tuple[str, float]] = {}

    def number(axis: str, value: float) -> tuple[str, float]:
        if (axis, value) not in known:
            symbol = p.bound.model.bath.get(axis) or (axis if axis in p.parameters.parameters else axis.removesuffix("_scale"))
            known[axis, value] = symbol, sweep.at({axis: value}).numbers()[symbol]
        return known[axis, value]

    return np.array([kernel.changed(base, dict(number(a, v) for a, v in point.items())) for point in points])


def _rests(
    sweep: Sweep, block: Sequence[Point], values: Array, alive: Sequence[int], threads: int | None
) -> Iterator[tuple[int, Any]]:
    """(stable rests, unstable ones, the state to begin from) of each point, or why there is none."""
    p = sweep.preparation
    if not alive:
        return
    names = p.kernel.emitted.values
    start = np.tile(held_state(p), (len(alive), 1))
    for i, s in enumerate(p.bound.states):
        if isinstance(s.guess, str) and i not in p.held:
            start[:, i] = values[alive, names.index(s.guess)]
    found, unclear = many.find_rests(p, values[alive], start, threads=threads)
    bounds = np.searchsorted(found.membrane, np.arange(len(alive) + 1))
    for j, k in enumerate(alive):
        rows = slice(bounds[j], bounds[j + 1])
        V, stable, states = found.V[rows], found.stable[rows], found.states[rows]
        if unclear[j]:
            try:
                rest = find_rest(sweep.at(block[k][1]))
                if not rest.states:
                    rest.at()
            except (ModelSaysNo, ExperimentError, ArithmeticError, np.linalg.LinAlgError) as error:
                yield k, str(error)
                continue
            V, stable = np.array([s.V for s in rest.states]), np.array([s.stable for s in rest.states], dtype=bool)
            states = np.array([s.state for s in rest.states])
        first = int(np.argmax(stable)) if stable.any() else 0
        yield k, (V[stable].tolist(), V[~stable].tolist(), states[first])


def rest_measure(stable: Sequence[float], unstable: Sequence[float]) -> dict[str, float]:
    """The measure 'rest' from the potentials of all steady states, each kind the most negative first."""
    return {
        "rest": stable[0] if stable else math.nan, "rest_2": stable[1] if len(stable) > 1 else math.nan,
        "rest_unstable": unstable[0] if unstable else math.nan,
    }


def _at_rest(sweep: Sweep, values: Array, stable: list[float], unstable: list[float], state: Array) -> dict[str, float]:
    out: dict[str, float] = {}
    p = sweep.preparation
    for m in sweep.asked:
        if m.name == "rest":
            out |= rest_measure(stable, unstable)
        elif m.name not in features.UNITS and m.name not in _THRESHOLDS:
            names = p.kernel.emitted.symbols
            out[m.name] = float(p.kernel.observe(np.zeros(1), state[None, :], values)[0, names.index(m.name)])
    return out


def _thresholds(
    sweep: Sweep, block: Sequence[Point], alive: Sequence[int], rests: Mapping[int, tuple[list[float], list[float], Array]], starts: Array,
    values: Array, duration: float, guess: float, threads: int | None,
) -> Array:
    """Threshold currents; 0 or NaN for a membrane whose rest is not stable, see ``threshold.of_restless``."""
    p = sweep.preparation
    out = many.thresholds(p, duration, starts, values[list(alive)], np.full(len(alive), guess), threads=threads)
    for j, k in enumerate(alive):
        if not rests[k][0]:
            here = sweep.at(block[k][1])
            restless = of_restless(here, find_rest(here).at())
            out[j] = out[j] if restless is None else restless
    return out


# ---- the check

def sample(sweep: Sweep, finished: Mapping[int, Mapping[str, Any]], least: int = CHECK_LEAST) -> list[int]:
    """Points to be done again by SciPy: one in a hundred, ``least`` at least, drawn by a seed that the sweep itself gives."""
    done = sorted(i for i, entry in finished.items() if "values" in entry)
    count = min(len(done), max(least, math.ceil(CHECK_SHARE * len(done))))
    if not done:
        return []
    chosen = np.random.default_rng(int(sweep.digest, 16)).choice(len(done), count, replace=False)
    return sorted(done[int(k)] for k in chosen)


def check(sweep: Sweep, finished: Mapping[int, Mapping[str, Any]], again: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """How far the engine's results lie from SciPy's: for each measure the worst deviation, and the points beyond tolerance."""
    worst: dict[str, float] = {}
    beyond: dict[str, list[int]] = {}
    for i, entry in again.items():
        ours = finished[i]["values"]
        for name, theirs in entry.get("values", {}).items():
            unit = sweep.variables[name][0]
            deviation = _deviation(ours[name], theirs)
            worst[name] = max(worst.get(name, 0.0), deviation)
            if deviation > _allowed(name, unit, theirs):
                beyond.setdefault(name, []).append(i)
    return {"by": CHECKED_BY.describe(), "points": sorted(again), "worst": worst, "beyond": beyond}


def _deviation(a: float, b: float) -> float:
    if math.isnan(a) or math.isnan(b):
        return 0.0 if math.isnan(a) and math.isnan(b) else math.inf
    return abs(a - b)


def _allowed(name: str, unit: str, value: float) -> float:
    if name in _THRESHOLDS:
        return 0.005 * abs(value)  # two rungs of the ladder of currents
    absolute, share = TOLERANCES.get(unit, (0.0, 1e-3))
    return max(absolute, share * abs(value) if math.isfinite(value) else 0.0)


def reference(sweep: Sweep) -> Sweep:
    """The same sweep as SciPy does it for the check."""
    return replace(sweep, solver=CHECKED_BY)


def said(result: Mapping[str, Any]) -> str:
    """The check in a sentence."""
    count = len(result["points"])
    done = "1 point was done again" if count == 1 else f"{count} points were done again"
    if result["beyond"]:
        names = "; ".join(f"{name} at {len(points)}" for name, points in result["beyond"].items())
        return f"{done} with SciPy, and the engine lies BEYOND TOLERANCE: {names} of them"
    worst = ", ".join(f"{name} {value:.2g}" for name, value in result["worst"].items())
    return f"{done} with SciPy (rtol 1e-9); the largest differences: {worst}"
