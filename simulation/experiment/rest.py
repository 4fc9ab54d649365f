"""Where a membrane rests: every steady state, its stability and what is left of its rates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dgesv

from simulation.assembly.compile import LEAP, Array
from simulation.experiment.errors import ModelSaysNo
from simulation.experiment.preparation import Preparation

V_LOW, V_HIGH, V_STEP = -180.0, 40.0, 2.0
MAY_REST = (-130.0, 10.0)  # mV: a point of the grid without an answer matters here
_AROUND = 4.0  # mV
_BESIDE = 0.04  # share by which states differ that are no further apart than the points of a curve
_APART = 1e-4  # share by which two rates differ that are of two states
_ON_GRID = 1e-5  # the last step's share where only a sign is wanted: Newton's method leaves the square of it


Point = tuple[float, Array, float]  # V, state, dV/dt


@dataclass(frozen=True, eq=False)
class SteadyState:
    """One steady state.

    ``V``: mV. ``state``: every state. ``eigenvalues``: of the Jacobian of what can move, 1/ms. ``residual``: the largest
    rate of change that is left, in the states' units per ms."""

    V: float
    state: Array
    eigenvalues: Array
    residual: float

    @property
    def max_real_eigenvalue(self) -> float:
        return float(self.eigenvalues.real.max())

    @property
    def stable(self) -> bool:
        return self.max_real_eigenvalue < 0


@dataclass(frozen=True, eq=False)
class Rest:
    """All steady states of a preparation, the most negative first."""

    preparation: Preparation
    states: tuple[SteadyState, ...]

    @property
    def stable(self) -> tuple[SteadyState, ...]:
        return tuple(s for s in self.states if s.stable)

    def at(self, V: float | None = None) -> SteadyState:
        """The stable state nearest to ``V``; without ``V`` the most negative one, or the unstable one if there is no other.

        Raises ModelSaysNo if there is no steady state at all."""
        candidates = self.stable or self.states
        if not candidates:
            raise ModelSaysNo(f"{self.preparation.bound.name} has no steady state between {V_LOW:g} and {V_HIGH:g} mV in this bath")
        return candidates[0] if V is None else min(candidates, key=lambda s: abs(s.V - V))

    @property
    def V(self) -> float:
        """Resting potential, mV."""
        return self.at().V

    def drift(self) -> dict[str, float]:
        """Rates of what takes hours to move, in units per minute."""
        p = self.preparation
        rate = np.empty(len(p.states))
        p.kernel.rhs(0.0, self.at().state, p.values, rate)
        return {p.states[i]: float(rate[i]) * 60_000 for i in sorted(p.held_at_rest - p.held)}

    def symbol(self, name: str) -> float:
        """Any symbol of the model at rest, for example 'E_K_s'."""
        p, s = self.preparation, self.at()
        names = p.kernel.emitted.symbols
        if name in p.states:
            return float(s.state[p.states.index(name)])
        p.bound.definition(name)
        return float(p.kernel.observe(np.zeros(1), s.state[None, :], p.values)[0, names.index(name)])


class _System:
    """Rates and Jacobian of what is free to move, and Newton's method on them."""

    def __init__(self, p: Preparation, state: Array) -> None:
        self.p, self.state = p, state.copy()
        self.free = np.array([i for i in range(len(p.states)) if i not in p.held_at_rest])
        self.positive = np.array([p.bound.states[i].unit == "mM" for i in range(len(p.states))])
        self.potentials = np.array([s.unit == "mV" for s in p.bound.states])
        self.rate = np.empty(len(p.states))
        self.matrix = np.empty((len(p.states), len(p.states)))

    def rates(self, state: Array) -> Array:
        self.p.kernel.rhs(0.0, state, self.p.values, self.rate)
        return self.rate

    def jacobian(self, state: Array) -> Array:
        self.p.kernel.jacobian(0.0, state, self.p.values, self.matrix)
        return self.matrix

    def newton(self, state: Array, index: Array, tolerance: float = 1e-12, steps: int = 40) -> Array | None:
        """Zero of the rates of ``index`` from ``state``, other states held; None if it is not reached. ``tolerance``: of the last step, as a
        share."""
        found = self._newton(state, index, tolerance, steps, together=True)
        return self._newton(state, index, tolerance, steps, together=False) if found is None else found

    def _newton(self, state: Array, index: Array, tolerance: float, steps: int, together: bool) -> Array | None:
        y = state.copy()
        block, ions, potentials = np.ix_(index, index), self.positive[index], self.potentials[index]
        for _ in range(steps):
            f = self.rates(y)[index]
            _, _, step, singular = dgesv(self.jacobian(y)[block], f)
            if singular or not math.isfinite(step.sum()):
                return None
            if np.abs(step).max() > LEAP:
                step *= min(1.0, LEAP / np.abs(step[potentials]).max(initial=LEAP))
            # A concentration never loses more than nine tenths in one step: the whole step is shortened, which keeps its direction; where
            # one of many concentrations would then hold up all others, each for itself.
            here = y[index]
            fall = np.max(step[ions] / here[ions], initial=0.0)
            if together:
                step *= min(1.0, 0.9 / fall if fall > 0 else 1.0)
            else:
                step[ions] = np.minimum(step[ions], 0.9 * here[ions])
            here -= step
            y[index] = here
            if fall < 0.9 and np.abs(step / (1 + np.abs(here))).max() <= tolerance:
                return y
        return y if np.max(np.abs(self.rates(y)[index])) < 1e-10 else None

    def along_V(self, start: Array, grid: Array) -> Iterator[Point]:
        """For each V of a grid: V, the steady state of everything else, and dV/dt."""
        V = self.p.potential
        others = self.free[self.free != V]
        y = start
        for v in grid:
            y = y.copy()
            y[V] = v
            found = self.newton(y, others, _ON_GRID) if len(others) else y
            if found is None:
                fresh = start.copy()
                fresh[V] = v
                found = self.newton(fresh, others, _ON_GRID)
            if found is not None:
                y = found
                yield float(v), y, float(self.rates(y)[V])


@lru_cache(maxsize=128)  # by the preparation itself: one that is examined in many ways rests once
def find_rest(p: Preparation) -> Rest:
    """All steady states between -180 and +40 mV.

    For every V on a grid, upwards and back, all else is brought to its steady state; where dV/dt then changes sign lies a root, which Newton's
    method on the whole system polishes. Where dV/dt only comes near zero the grid is refined, so that two close roots are seen. Where the way
    back is not the way there, all else has several steady states at one V: then the curve of these is followed through its turns; an island of
    it, cut off from both ways, is not found. States of pace 'hours' (potassium and sodium of the myoplasm) are held, and ``Rest.drift`` says how
    they still move. Where chloride is loaded together with potassium they move within minutes: at 10 mM potassium by 4.5 mM, and the rest by -1.4
    mV."""
    system = _System(p, held_state(p))
    roots, more = _on_grid(system)
    for y in more:
        if not _known(y, roots, p.potential):
            roots.append(y)
    roots.sort(key=lambda y: y[p.potential])
    return Rest(p, tuple(_describe(system, y) for y in roots))


def _on_grid(system: _System) -> tuple[list[Array], list[Array]]:
    """Steady states that the search along V finds, and those on the curves that it leaves where it finds two ways."""
    grid = np.arange(V_LOW, V_HIGH + V_STEP, V_STEP)
    roots: list[Array] = []
    ways: list[dict[float, Point]] = []
    start = system.state
    for sweep in (grid, grid[::-1]):
        points = list(system.along_V(start, sweep))
        ways.append({point[0]: point for point in points})
        if points:
            start = points[-1][1]
        for low, high in (*pairwise(points), *_close_pairs(system, points)):
            if low[2] * high[2] > 0 or abs(high[0] - low[0]) > 1.5 * V_STEP:
                continue
            polished = _polish(system, *sorted((low, high), key=lambda point: point[0]))
            if polished is not None and not _known(polished, roots, system.p.potential):
                roots.append(polished)
    there, back = ways
    two = [v for v in there if v in back and apart(there[v][2], back[v][2])]
    return roots, _on_curves(system, [way[v][1] for v in two[:1] for way in ways], two)


def _on_curves(system: _System, starts: list[Array], torn: list[float]) -> list[Array]:
    """Steady states on the curves on which all but V rests, followed by arclength around the V at which there is more than one such state."""
    if not torn:
        return []
    from simulation.experiment.curves import Equations, follow

    V = system.p.potential
    others = system.free[system.free != V]
    block, scale = np.ix_(others, others), 1.0 + np.abs(starts[0][others])
    box = np.array([[min(torn) - _AROUND, max(torn) + _AROUND]])

    def whole(y: Array, v: Array) -> Array:
        state = starts[0].copy()
        state[others], state[V] = y, v[0]
        return state

    equations = Equations(lambda y, v: system.rates(whole(y, v))[others], lambda y, v: system.jacobian(whole(y, v))[block], scale, box)
    roots: list[Array] = []
    seen: list[Array] = []
    for start in starts:
        if any(np.abs((state - start)[others] / scale).max() < _BESIDE for state in seen):
            continue  # on the curve that was followed before
        curve = follow(equations, start[others], float(start[V]), stability=False)
        states = [whole(point.y, point.p) for point in curve.points] if curve is not None else []
        f = np.array([system.rates(state)[V] for state in states])
        for i in np.flatnonzero(f[:-1] * f[1:] <= 0):
            share = f[i] / (f[i] - f[i + 1]) if f[i] != f[i + 1] else 0.0
            found = system.newton(states[i] + share * (states[i + 1] - states[i]), system.free)
            if found is not None and V_LOW <= found[V] <= V_HIGH:
                roots.append(found)
        seen += states
    return roots


def _known(y: Array, roots: list[Array], V: int) -> bool:
    return any(abs(r[V] - y[V]) < 1e-6 for r in roots)


def apart(f: Array | float, g: Array | float) -> NDArray[np.bool_]:
    """Whether the potential's rates at one value of it are those of two different steady states of all else."""
    return np.asarray(np.abs(f - g) > _APART * (1 + np.abs(f) + np.abs(g)))


def _close_pairs(system: _System, points: list[Point]) -> Iterator[tuple[Point, Point]]:
    f = np.array([point[2] for point in points])
    for i in np.flatnonzero(touches(f[:-2], f[1:-1], f[2:])):
        (first, state, _), (last, *_) = points[i], points[i + 2]
        yield from pairwise(system.along_V(state, np.linspace(first, last, 41)))


@np.errstate(divide="ignore", invalid="ignore", over="ignore")  # parameters without sense give rates that are no numbers
def touches(f0: Array, f1: Array, f2: Array) -> NDArray[np.bool_]:
    """Where dV/dt comes near zero between three points of the grid without changing its sign."""
    curvature, slope = f0 - 2 * f1 + f2, 0.5 * (f2 - f0)
    vertex = np.where(curvature == 0, f1, f1 - slope**2 / (2 * curvature))
    dips = (f0 * f1 > 0) & (f1 * f2 > 0) & (np.abs(f1) <= np.minimum(np.abs(f0), np.abs(f2)))
    return np.asarray(dips & (vertex * f1 <= 0.3 * f1 * f1))


def _polish(system: _System, low: Point, high: Point) -> Array | None:
    """The root between two neighbouring points of the grid: Newton's method on everything, else by halving first."""
    V, slack = system.p.potential, 0.01 * (high[0] - low[0])  # with more of it two close roots are taken for one
    for _ in range(30):
        for _, y, _ in (low, high):
            found = system.newton(y, system.free)
            if found is not None and low[0] - slack <= found[V] <= high[0] + slack:
                return found
        middle = 0.5 * (low[0] + high[0])
        point = next(system.along_V(low[1], np.array([middle])), None)
        if point is None:
            return None
        low, high = (point, high) if point[2] * low[2] > 0 else (low, point)
    return None


def _describe(system: _System, y: Array) -> SteadyState:
    residual = float(np.max(np.abs(system.rates(y)[system.free])))
    eigenvalues = np.linalg.eigvals(system.jacobian(y)[np.ix_(system.free, system.free)])
    y.setflags(write=False)  # several experiments begin from it
    return SteadyState(float(y[system.p.potential]), y, eigenvalues, residual)


def held_state(p: Preparation) -> Array:
    """A state to start from, in which whatever this preparation holds has the value that it has at rest in the control bath."""
    start = p.guess()
    held = p.held
    if held:
        control = find_rest(p.control).at().state
        start[list(held)] = control[list(held)]
    return start


def rest_near(p: Preparation, state: Array) -> SteadyState | None:
    """The steady state that Newton's method reaches from a state, held as they are there what this preparation holds; None if it reaches none.

    A fiftieth of the work of ``find_rest``, for a membrane that has changed a little; there may be other rests, also more negative ones."""
    system = _System(p, state)
    found = system.newton(state, system.free)
    return None if found is None or not V_LOW <= found[p.potential] <= V_HIGH else _describe(system, found)
