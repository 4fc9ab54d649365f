"""Many membranes of one model at once, through the sweep engine: where they rest, and what a protocol does to them.

The same equations, definitions and searches as for one membrane, done for all side by side. What the engine does not do (the voltage
clamp) or what does not come out clearly in it (two rests close together) is left to the way of the single membrane."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.assembly.compile import Array
from simulation.assembly.engine import Course, Engine, Stretch, aligned
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.features import Traces, spikes_of
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Protocol, Pulse
from simulation.experiment.protocol import protocol as stimulus
from simulation.experiment.rest import MAY_REST, V_HIGH, V_LOW, V_STEP, apart, find_rest, held_state, touches
from simulation.experiment.threshold import WATCH, Search

RTOL = 5e-6
_TOGETHER = 16  # courses whose spikes are looked for at a time
_FINE = 0.1  # of the grid's step: where two rests may lie close together
_CLOSE = 1e-4  # relative change of the last step of Newton's method along the grid, which leaves the square of it
_EXACT = 1e-11


def engine_of(p: Preparation, held: frozenset[int], watch: tuple[str, ...] = (), width: int | None = None) -> Engine:
    """The engine that moves all states but the ``held`` ones and notes the symbols to ``watch`` at every step, in ``width`` lanes."""
    return p.kernel.engine(tuple(i for i in range(len(p.states)) if i not in held), watch, width)


# ---- steady states

@dataclass(frozen=True, eq=False)
class Rests:
    """Steady states of many membranes: those of membrane i are the rows with ``membrane == i``, the most negative first."""

    membrane: NDArray[np.int64]
    states: Array
    stable: NDArray[np.bool_]
    V: Array


class _Groups:
    """Arrays of many membranes as [group][row][lane], and back."""

    def __init__(self, engine: Engine, count: int, threads: int | None = None) -> None:
        self.width, self.count = engine.width, count
        self.groups = -(-count // engine.width)
        self.threads = min(threads or os.cpu_count() or 1, self.groups)

    def packed(self, rows: Array, extra: int = 0) -> Array:
        """From shape (membranes, rows); the last lanes repeat the last membrane."""
        out = aligned(self.groups, rows.shape[1] + extra, self.width)
        full = np.concatenate([rows, np.repeat(rows[-1:], self.groups * self.width - self.count, axis=0)])
        out[:, : rows.shape[1], :] = full.reshape(self.groups, self.width, -1).transpose(0, 2, 1)
        return out

    def unpacked(self, packed: Array) -> Array:
        """To shape (membranes, rows)."""
        return packed.transpose(0, 2, 1).reshape(self.groups * self.width, -1)[: self.count]

    def each(self, packed: NDArray[Any]) -> NDArray[Any]:
        """Of [group][lane], one for each membrane."""
        return packed.ravel()[: self.count]

    def in_threads(self, do: Callable[[int, int], None]) -> None:
        """``do(first, last)`` for ranges of groups, in as many threads as help."""
        if self.threads <= 1:
            do(0, self.groups)
            return
        edges = np.linspace(0, self.groups, self.threads + 1).astype(int).tolist()
        list(self.pool.map(do, edges[:-1], edges[1:]))

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads)


def settle(engine: Engine, groups: _Groups, state: Array, values: Array, tolerance: float) -> NDArray[np.bool_]:
    """Newton's method on the moving states of every membrane, in place; which of them came to rest."""
    function = engine.settle  # compiled before the threads begin
    settled, limit = aligned(groups.groups, groups.width), np.array([tolerance])

    def do(first: int, last: int) -> None:
        function(state[first:].ctypes.data, values[first:].ctypes.data, last - first, limit.ctypes.data, settled[first:].ctypes.data)

    groups.in_threads(do)
    return settled > 0.5


def rates(engine: Engine, groups: _Groups, state: Array, values: Array) -> Array:
    """Rates of the moving states of every membrane, shape [group][moving][lane]."""
    function = engine.rates  # compiled before the threads begin
    out = aligned(groups.groups, len(engine.moving), groups.width)

    def do(first: int, last: int) -> None:
        function(state[first:].ctypes.data, values[first:].ctypes.data, last - first, out[first:].ctypes.data)

    groups.in_threads(do)
    return out


def jacobians(engine: Engine, groups: _Groups, state: Array, values: Array) -> Array:
    """Jacobians of the moving states, shape (membranes, moving, moving)."""
    function = engine.jacobians  # compiled before the threads begin
    n, lanes = len(engine.moving), engine.lanes
    rate = aligned(groups.groups, n, groups.width)
    packed = aligned(groups.groups, lanes.rows, groups.width)

    def do(first: int, last: int) -> None:
        pointers = [a[first:].ctypes.data for a in (rate, packed)]
        function(state[first:].ctypes.data, values[first:].ctypes.data, last - first, *pointers)

    groups.in_threads(do)
    out = np.zeros((groups.count, n, n))
    entries = np.array(lanes.entries)
    out[:, entries[:, 0], entries[:, 1]] = groups.unpacked(packed)[:, : len(entries)]
    return out


def find_rests(p: Preparation, values: Array, start: Array, *, threads: int | None = None) -> tuple[Rests, NDArray[np.bool_]]:
    """Steady states of every membrane as ``find_rest`` seeks them, and which membranes are unclear and are to be sought one by one.

    ``values``: prepared parameters, shape (membranes, values); ``start``: a state near rest, shape (membranes, states), in which held
    states have the values that they keep; ``threads``: all cores if not given."""
    grid = np.arange(V_LOW, V_HIGH + V_STEP, V_STEP)
    found, unclear, torn, spots = _on_grid(p, values, start, grid, V_STEP, threads)
    if (lost := ~np.isin(np.arange(len(values)), found.membrane)).any():
        unclear, spots = unclear | lost, grid
    again = np.flatnonzero(unclear & ~torn)
    if len(again):
        fine = np.arange(V_LOW, V_HIGH, _FINE * V_STEP)
        fine = fine[np.min(np.abs(fine[:, None] - spots), axis=1) <= 2 * V_STEP]
        finer, still, _, _ = _on_grid(p, values[again], start[again], fine, _FINE * V_STEP, threads)
        found = _united(found, replace(finer, membrane=again[finer.membrane]))
        unclear[again] = still
    # dV/dt falls from one end to the other, so that an even number of rests lacks one.
    even = np.bincount(found.membrane, minlength=len(values)) % 2 == 0
    return found, unclear | torn | even


def _united(a: Rests, b: Rests) -> Rests:
    """Those of both, one where both have the same."""
    membrane, states, stable, V = (np.concatenate([getattr(a, x), getattr(b, x)]) for x in ("membrane", "states", "stable", "V"))
    order = np.lexsort((V, membrane))
    order = order[~_same(membrane[order], V[order])]
    return Rests(membrane[order], states[order], stable[order], V[order])


def _same(membrane: NDArray[np.int64], V: Array) -> NDArray[np.bool_]:
    """Which of sorted steady states are that before once more."""
    return np.append(False, (membrane[1:] == membrane[:-1]) & (np.abs(np.diff(V)) < 1e-6)) if len(V) else np.zeros(0, dtype=bool)


@np.errstate(divide="ignore", invalid="ignore", over="ignore")  # parameters without sense give rates that are no numbers
def _on_grid(
    p: Preparation, values: Array, start: Array, grid: Array, step: float, threads: int | None
) -> tuple[Rests, NDArray[np.bool_], NDArray[np.bool_], Array]:
    """Steady states between points of a grid of potentials ``step`` apart (or more, where there is nothing to look for), which membranes
    are unclear, which have several states of all else at one potential, and the potentials that make them unclear."""
    V, held = p.potential, p.held_at_rest
    whole, others = engine_of(p, held), engine_of(p, held | {V})
    groups = _Groups(whole, len(values), threads)
    packed, fresh = groups.packed(values, extra=1), groups.packed(start)
    row = whole.moving.index(V)
    unclear, torn = np.zeros(len(values), dtype=bool), np.zeros(len(values), dtype=bool)
    there: dict[float, Array] = {}
    brackets: list[tuple[NDArray[np.intp], Array]] = []
    spots: list[float] = []
    state = fresh
    for potentials in (grid, grid[::-1]):
        before: list[tuple[Array, Array]] = []  # the last two points: dV/dt and state
        for k, v in enumerate(potentials):
            if abs(v - potentials[k - 1]) > 1.5 * step:
                before = []
            state, came = _all_else(others, groups, state, fresh, packed, V, v)
            f = np.where(came, rates(whole, groups, state, packed)[:, row, :], np.nan)
            torn |= groups.each(apart(there.setdefault(v, f), f))  # the way back is not the way there
            if before:
                f_1, state_1 = before[-1]
                found = np.flatnonzero(groups.each(f * f_1 <= 0))
                if len(found):
                    # The root lies where a straight line between the two points is zero.
                    share = np.clip(f_1 / np.where(f_1 == f, 1.0, f_1 - f), 0.0, 1.0)[:, None, :]
                    brackets.append((found, groups.unpacked(state_1 + share * (state - state_1))[found]))
                doubtful = groups.each(np.isnan(f) | np.isnan(f_1)) & (MAY_REST[0] < v < MAY_REST[1])
                if len(before) > 1:
                    doubtful |= touches(*(groups.each(x) for x in (before[-2][0], f_1, f)))
                if doubtful.any():
                    unclear |= doubtful
                    spots.append(v)
            before = [*before[-1:], (f, state)]
            state = np.where(came[:, None, :], state, fresh)
    rests, strayed = _polished(p, whole, values, brackets, step)
    for membrane, v in strayed:
        unclear[membrane] = True
        spots.append(v)
    return rests, unclear, torn, np.array(spots)


def _all_else(
    others: Engine, groups: _Groups, state: Array, fresh: Array, packed: Array, V: int, v: float
) -> tuple[Array, NDArray[np.bool_]]:
    """Everything but the potential at its steady state, from where it was, else from afresh; which membranes came there."""
    here = state.copy()
    here[:, V, :] = v
    if not others.moving:
        return here, np.ones((groups.groups, groups.width), dtype=bool)
    came = settle(others, groups, here, packed, _CLOSE)
    if came.all():
        return here, came
    retry = np.where(came[:, None, :], here, fresh)
    retry[:, V, :] = v
    again = settle(others, groups, retry, packed, _CLOSE)
    return np.where(came[:, None, :], here, retry), came | again


def _polished(
    p: Preparation, whole: Engine, values: Array, brackets: Sequence[tuple[NDArray[np.intp], Array]], step: float
) -> tuple[Rests, list[tuple[int, float]]]:
    """Newton's method on everything from each bracket; roots found twice are taken once. Also the membranes, and potentials, from which
    it went astray."""
    V = p.potential
    membrane = np.concatenate([m for m, _ in brackets]) if brackets else np.zeros(0, dtype=np.int64)
    near = np.concatenate([s for _, s in brackets]) if brackets else np.zeros((0, len(p.states)))
    if not len(membrane):
        return Rests(membrane, near, np.zeros(0, dtype=bool), np.zeros(0)), []
    groups = _Groups(whole, len(membrane))
    state, packed = groups.packed(near), groups.packed(values[membrane], extra=1)
    settled = groups.each(settle(whole, groups, state, packed, _EXACT))
    found = groups.unpacked(state)
    astray = ~settled | (np.abs(found[:, V] - near[:, V]) > 1.5 * step)
    strayed = list(zip(membrane[astray].tolist(), near[astray, V].tolist(), strict=True))
    membrane, found = membrane[~astray], found[~astray]
    order = np.lexsort((found[:, V], membrane))
    order = order[~_same(membrane[order], found[order, V])]
    membrane, found = membrane[order], found[order]
    if not len(membrane):
        return Rests(membrane, found, np.zeros(0, dtype=bool), np.zeros(0)), strayed
    groups = _Groups(whole, len(membrane))
    J = jacobians(whole, groups, groups.packed(found), groups.packed(values[membrane], extra=1))
    sound = np.asarray(np.isfinite(J).all(axis=(1, 2)), dtype=bool)
    strayed += zip(membrane[~sound].tolist(), found[~sound, V].tolist(), strict=True)
    stable = np.linalg.eigvals(np.where(sound[:, None, None], J, 0.0)).real.max(axis=1) < 0
    return Rests(membrane, found, stable, found[:, V]), strayed


@dataclass(frozen=True, eq=False)
class Resting:
    """Where one membrane rests: stable and unstable potentials (mV), each kind the most negative first, and the state to begin from."""

    stable: list[float]
    unstable: list[float]
    state: Array


def resting(p: Preparation, values: Array, here: Callable[[int], Preparation], *, threads: int | None = None) -> list[Resting | str]:
    """Where every membrane rests, or why there is no answer. ``values``: prepared parameters, one row a membrane; ``here``: the preparation of
    membrane i, for those that are to be sought one by one."""
    if not len(values):
        return []
    names = p.kernel.emitted.values
    start = np.tile(held_state(p), (len(values), 1))
    for i, s in enumerate(p.bound.states):
        if isinstance(s.guess, str) and i not in p.held:
            start[:, i] = values[:, names.index(s.guess)]
    found, unclear = find_rests(p, values, start, threads=threads)
    bounds = np.searchsorted(found.membrane, np.arange(len(values) + 1))
    rows = [slice(first, last) for first, last in pairwise(bounds.tolist())]
    return [_alone(here(i)) if unclear[i] else _resting(found.V[r], found.stable[r], found.states[r]) for i, r in enumerate(rows)]


def _alone(p: Preparation) -> Resting | str:
    """As the search for one membrane finds it."""
    try:
        rest = find_rest(p)
        if not rest.states:
            rest.at()
    except (ModelSaysNo, ExperimentError, ArithmeticError, np.linalg.LinAlgError) as error:
        return str(error)
    V, stable = np.array([s.V for s in rest.states]), np.array([s.stable for s in rest.states], dtype=bool)
    return _resting(V, stable, np.array([s.state for s in rest.states]))


def _resting(V: Array, stable: NDArray[np.bool_], states: Array) -> Resting:
    first = int(np.argmax(stable)) if stable.any() else 0
    return Resting(V[stable].tolist(), V[~stable].tolist(), states[first])


# ---- runs

def stretches(protocol: Protocol) -> list[Stretch] | None:
    """The protocol as the engine takes it; None if it clamps or changes the bath, which the engine does not do."""
    if any(s.V is not None or s.bath is not None for s in protocol.segments):
        return None
    return [Stretch(s.stop, s.I_0, s.I_slope, s.start) for s in protocol.segments]


def follow(
    p: Preparation, protocol: Protocol, starts: Array, values: Array, *, strength: Array | None = None, rtol: float = RTOL,
    threads: int | None = None, watch: tuple[str, ...] = (), width: int | None = None,
) -> Iterator[tuple[list[Course], Traces]]:
    """Every membrane through one protocol, some at a time, as they are finished: trace k is that of course k. ``starts``, ``values``: one
    row a membrane; ``strength``: what the protocol's stimulus is multiplied with, for each membrane; ``watch``: symbols that the courses
    shall tell of; ``width``: lanes of a vector, 1 for a single membrane in a hurry."""
    parts = stretches(protocol)
    assert parts is not None
    moving = engine_of(p, p.held, watch, width)
    push = _push(p, moving, values) if strength is None else _push(p, moving, values) * strength
    courses = moving.run(starts, values, parts, strength=strength, rtol=rtol, threads=threads)
    while some := list(islice(courses, _TOGETHER)):
        yield some, _traces(some, parts, protocol, push[[c.index for c in some]], p.potential)


def watched_to_end(p: Preparation, protocol: Protocol, course: Course, values: Array, watch: Sequence[str]) -> tuple[Array, list[Array]]:
    """Times and the symbols that a course was asked to watch: where each step began, and what the last one came to."""
    last, values = protocol.segments[-1], values.copy()
    values[[p.kernel.emitted.values.index(s) for s in p.bound.model.stimulus]] = last.I_0, last.I_slope, last.start
    at_end = p.kernel.observe(np.array([float(last.stop)]), course.state[None, :], values)[0]
    seen = dict(zip(p.kernel.emitted.symbols, at_end, strict=True)) | dict(zip(p.states, course.state, strict=True))
    return np.append(course.t, last.stop), [np.append(y, seen[s]) for s, y in zip(watch, course.watched, strict=True)]


def _push(p: Preparation, moving: Engine, values: Array) -> Array:
    """What a unit of stimulus adds to dV/dt of each membrane: it is in the capacitance alone, so any state will do."""
    groups, row = _Groups(moving, len(values)), moving.moving.index(p.potential)
    state = groups.packed(np.tile(p.guess(), (len(values), 1)))
    at = p.kernel.emitted.values.index(p.bound.model.stimulus[0])
    packed = groups.packed(values, extra=1)
    packed[:, at, :] = 0.0
    without = rates(moving, groups, state, packed)[:, row, :]
    packed[:, at, :] = 1.0
    return groups.each(rates(moving, groups, state, packed)[:, row, :] - without)


def _traces(courses: Sequence[Course], parts: Sequence[Stretch], protocol: Protocol, push: Array, V: int) -> Traces:
    """With both sides of every edge: just before it a membrane has the potential that it has there, but still the stimulus from before."""
    edges, n = np.array([s.end for s in parts[:-1]]), len(parts)
    steps = np.array([len(c.t) for c in courses])
    ends = [np.array([[parts[-1].end], [c.state[V]], [c.own[-1]]]) for c in courses]
    t, potential, own = np.concatenate([x for c, end in zip(courses, ends, strict=True) for x in (c.steps[:3], end)], axis=1)
    first = np.append(0, np.cumsum(steps + 1))
    cuts = np.array([np.searchsorted(c.t, edges) for c in courses]) + first[:-1, None]
    rows = np.diff(np.column_stack([first[:-1], cuts, first[1:]]))
    rows[:, :-1] += 1
    twice = np.ones(len(t), dtype=np.intp)
    np.add.at(twice, cuts, 1)
    t, potential, own = (np.repeat(x, twice) for x in (t, potential, own))
    after = np.cumsum(rows)
    t[after.reshape(rows.shape)[:, :-1] - 1] -= 1e-9
    I_0, slope, start = (np.array([getattr(s, name) for s in parts]) for name in ("I_0", "I_slope", "t_0"))
    dV_dt = own + np.repeat((push[:, None] * (I_0 - slope * start)).ravel(), rows.ravel())
    if slope.any():
        dV_dt += np.repeat((push[:, None] * slope).ravel(), rows.ravel()) * t
    return Traces(t, potential, dV_dt, own, np.append(0, after[n - 1 :: n]), protocol)


# ---- thresholds

def thresholds(p: Preparation, duration: float, starts: Array, values: Array, guess: Array, *, threads: int | None = None) -> Array:
    """Threshold current of each membrane for a pulse of ``duration`` ms from its start, on the same ladder of currents as for one membrane:
    0 where it fires without, NaN where no current makes it fire."""
    pulse = stimulus(Pulse(1.0, duration), after=WATCH)

    def fire(which: NDArray[np.intp], amplitude: Array) -> NDArray[np.bool_]:
        fired = np.zeros(len(which), dtype=bool)
        for courses, traces in follow(p, pulse, starts[which], values[which], strength=amplitude, threads=threads):
            for course, spikes in zip(courses, spikes_of(traces), strict=True):
                fired[course.index] = bool(not course.failed and spikes)
        return fired

    return lowest_that_fire(fire, guess)


def lowest_that_fire(fire: Callable[[NDArray[np.intp], Array], NDArray[np.bool_]], guess: Array) -> Array:
    """``lowest_that_fires`` for many at once, each with a search of its own. ``fire``: given which are asked and what they get."""
    searches = [Search(g) for g in guess]
    waiting = np.arange(len(guess))
    while len(waiting):
        fired = fire(waiting, np.array([searches[i].amplitude for i in waiting]))
        for i, answer in zip(waiting, fired, strict=True):
            searches[i].tell(bool(answer))
        waiting = np.array([i for i in waiting if searches[i].found is None], dtype=np.intp)
    return np.array([s.found for s in searches], dtype=float)
