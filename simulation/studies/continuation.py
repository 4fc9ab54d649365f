"""Rests followed along an ion or a parameter, through their folds, and the borders of what they do over two."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from simulation.assembly.compile import Array
from simulation.experiment.curves import Branch, Equations, Point, at_parameter, follow, follow_point, polished
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.preparation import Preparation
from simulation.experiment.rest import find_rest, held_state
from simulation.studies.sweep import Axis, Sweep

if TYPE_CHECKING:
    import xarray as xr

STARTS, FEW_STARTS = 13, 5  # values of the parameter at which all rests are sought, to begin branches there
SLICES = 7  # values of the second parameter at which points are looked for that curves may begin at
_SAME = 1e-3  # of the scale of the states: two states closer than that are one


@dataclass(frozen=True)
class Range:
    """A bath component, a parameter, or a parameter's scale as 'SYMBOL_scale', and how far it is followed."""

    name: str
    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def parse_range(text: str | Range) -> Range:
    """'K=0.3:12'. Raises ExperimentError."""
    if isinstance(text, Range):
        return text
    name, _, rest = text.partition("=")
    try:
        low, high = (float(part) for part in rest.split(":"))
    except ValueError:
        low = high = math.nan
    if not name.strip() or not low < high or not math.isfinite(high - low):
        raise ExperimentError(f"'{text}' is not a range; write NAME=FROM:TO, the smaller value first, for example K=0.3:12")
    return Range(name.strip(), low, high)


# ---- a preparation as equations over one or two parameters

class _Followed:
    """Rates of what is free to move at rest, over the values of ``ranges``; what is held stays as ``find_rest`` holds it."""

    def __init__(self, p: Preparation, ranges: tuple[Range, ...]) -> None:
        self.sweep = Sweep(p, tuple(Axis(r.name, (r.low, r.high)) for r in ranges), ("rest",))
        self.p, self.ranges = p, ranges
        self.free = np.array([i for i in range(len(p.states)) if i not in p.held_at_rest])
        self.block, self.count = np.ix_(self.free, self.free), len(p.states)
        self.symbols = [self.sweep.symbol_of(r.name) for r in ranges]
        self.base = self.at(tuple(r.low for r in ranges)).numbers()
        self._values = lru_cache(maxsize=64)(self._values_at)
        self._held = lru_cache(maxsize=64)(self._held_at)
        # What is held stays over the bath; a parameter may move what an acute or frozen membrane holds, which is the rest of the control.
        self.of_control = [i for i, r in enumerate(ranges) if r.name not in p.bound.model.bath]
        self.still = held_state(p) if not self.of_control else None
        self.control = _Followed(p.control, tuple(ranges[i] for i in self.of_control)) if self.of_control and p.held else None

    def at(self, values: Iterable[float]) -> Preparation:
        return self.sweep.at({r.name: value for r, value in zip(self.ranges, values, strict=True)})

    @cached_property
    def lines(self) -> list[tuple[float, float]]:
        """Of each parameter, value and slope of the number that the model gets, which follows it in a straight line (units, degC, scales)."""
        out = []
        lows, highs = [r.low for r in self.ranges], [r.high for r in self.ranges]
        for i, (symbol, r) in enumerate(zip(self.symbols, self.ranges, strict=True)):
            there = self.at([*lows[:i], highs[i], *lows[i + 1:]]).numbers()[symbol]
            slope = (there - self.base[symbol]) / (r.high - r.low)
            out.append((self.base[symbol] - slope * r.low, slope))
        return out

    def _values_at(self, *x: float) -> Array:
        numbers = {s: a + b * v for s, (a, b), v in zip(self.symbols, self.lines, x, strict=True)}
        return self.p.kernel.prepare(self.base | numbers)

    def _held_at(self, *x: float) -> Array:
        assert self.control is not None
        there = np.array([x[i] for i in self.of_control])
        y = polished(self.control.equations(self.control_rest), self.control_rest, there, most=math.inf)
        if y is None:
            raise ModelSaysNo(f"the control membrane has no rest from which {self.p.bound.name} could hold its ions at this value")
        return self.control.whole(y, there)

    @cached_property
    def control_rest(self) -> Array:
        return find_rest(self.p.control).at().state[self.control.free] if self.control is not None else np.zeros(0)

    def whole(self, y: Array, x: Array) -> Array:
        """Every state, from those that are free."""
        held = self.still if self.still is not None else self._held(*map(float, x)) if self.p.held else self._guess(x)
        state = held.copy()
        state[self.free] = y
        return state

    def _guess(self, x: Array) -> Array:
        """The declared guesses, which hold the ions that take hours; they may be the parameter that is followed."""
        numbers = self.base | {s: a + b * float(v) for s, (a, b), v in zip(self.symbols, self.lines, x, strict=True)}
        return np.array([numbers[s.guess] if isinstance(s.guess, str) else s.guess for s in self.p.bound.states])

    def rates(self, y: Array, x: Array) -> Array:
        rate = np.empty(self.count)
        self.p.kernel.rhs(0.0, self.whole(y, x), self._values(*map(float, x)), rate)
        return np.asarray(rate[self.free])

    def jacobian(self, y: Array, x: Array) -> Array:
        matrix = np.empty((self.count, self.count))
        self.p.kernel.jacobian(0.0, self.whole(y, x), self._values(*map(float, x)), matrix)
        return np.asarray(matrix[self.block])

    def equations(self, near: Array) -> Equations:
        """``near``: a state of usual size, shape (free,)."""
        return Equations(self.rates, self.jacobian, 1.0 + np.abs(near), np.array([[r.low, r.high] for r in self.ranges]))


# ---- one parameter

@dataclass(frozen=True, eq=False)
class Continuation:
    """Every rest of ``preparation`` along ``over``: stable and unstable branches with their folds and Hopf points."""

    preparation: Preparation
    over: Range
    branches: tuple[Branch, ...]

    def points(self, label: str) -> tuple[Point, ...]:
        """Labelled points of all branches, by the value of the parameter: 'fold', 'Hopf', 'end'."""
        return tuple(sorted((q for branch in self.branches for q in branch.of(label)), key=lambda q: q.p[0]))

    def values(self, label: str) -> list[float]:
        """Where along the parameter they lie."""
        return [float(q.p[0]) for q in self.points(label)]

    def V(self, point: Point) -> float:
        """mV."""
        return _potential(self.preparation, point)

    @property
    def stable_stretches(self) -> list[tuple[float, float]]:
        """From where to where along the parameter a branch is stable, lowest value first."""
        out = []
        for branch in self.branches:
            for run in stretches(branch):
                if run.stable:
                    ends = [float(branch.points[i].p[0]) for i in (run.first, run.last)]
                    out.append((min(ends), max(ends)))
        return sorted(out)

    def to_dataset(self) -> xr.Dataset:
        """All points in one row (dimension 'point'), branch after branch: the parameter, every state (also those held), 'branch' (its number),
        'stable' (0 or 1), 'unstable' (eigenvalues with a positive real part), 'growth' and 'frequency' (of the leading mode), 'label' ('fold',
        'Hopf', 'end' or nothing) and 'period' (of the oscillation that begins at a Hopf point)."""
        return _dataset(self.preparation, (self.over,), self.branches)


def follow_rests(p: Preparation, over: str | Range) -> Continuation:
    """Every branch of rests of ``p`` along ``over`` ('K=0.3:12').

    Branches begin at all steady states that ``find_rest`` finds at thirteen values from end to end and in the control bath, so that also those
    that are not joined to the others are seen, unless they are short and lie between two of these values. Raises ExperimentError, ModelSaysNo."""
    r = parse_range(over)
    return Continuation(p, r, _branches(p, r, {}, STARTS))


def _branches(p: Preparation, r: Range, others: Mapping[str, float], count: int) -> tuple[Branch, ...]:
    """Branches along ``r``, other parameters set to what ``others`` says."""
    followed = _Followed(p if not others else Sweep(p, tuple(Axis(n, (v,)) for n, v in others.items()), ("rest",)).at(others), (r,))
    found: list[Branch] = []
    equations: Equations | None = None
    for value in _starts(followed, r, count):
        for state in find_rest(followed.at([value])).states:
            y = state.state[followed.free]
            if equations is None:
                equations = followed.equations(y)
            if any(_passes(equations, branch, value, y) for branch in found):
                continue
            branch = follow(equations, y, value)
            if branch is not None:
                found.append(branch if branch.points[0].p[0] <= branch.points[-1].p[0] else Branch(branch.points[::-1], "rest", branch.closed))
    return tuple(found)


def _starts(followed: _Followed, r: Range, count: int) -> list[float]:
    control = followed.sweep.control()[r.name]
    return list(dict.fromkeys(v for v in (r.low, control, *np.linspace(r.low, r.high, count).tolist()) if v in r))


def _passes(equations: Equations, branch: Branch, value: float, y: Array) -> bool:
    """Whether a branch goes through the state ``y``."""
    p = branch.p[:, 0]
    for i in np.flatnonzero((p[:-1] - value) * (p[1:] - value) <= 0):
        a, b = branch.points[i], branch.points[i + 1]
        share = 0.5 if a.p[0] == b.p[0] else (value - a.p[0]) / (b.p[0] - a.p[0])
        guess = a.y + share * (b.y - a.y)
        if np.abs((guess - y) / equations.scale).max() > 0.1:
            continue
        exact = polished(equations, guess, np.array([value]))
        if np.abs(((guess if exact is None else exact) - y) / equations.scale).max() < _SAME:
            return True
    return False


# ---- two parameters

@dataclass(frozen=True, eq=False)
class Borders:
    """Curves over two parameters along which rests come and go (folds) or begin to oscillate (Hopf).

    ``slices``: the continuations along the first parameter in which their points were first seen."""

    preparation: Preparation
    over: tuple[Range, Range]
    curves: tuple[Branch, ...]
    slices: tuple[tuple[float, Continuation], ...]

    def V(self, point: Point) -> float:
        """mV."""
        return _potential(self.preparation, point)

    def crossings(self, kind: str, at: Mapping[str, float]) -> list[float]:
        """Where curves of a kind ('fold', 'Hopf') lie along the other parameter at a value of one of them, {'Ca': 1.2}."""
        ((name, value),) = at.items()
        names = [r.name for r in self.over]
        if name not in names:
            raise ExperimentError(f"the borders go over {' and '.join(names)}, not over {name}")
        held = names.index(name)
        plane = _Followed(self.preparation, self.over)
        out: list[float] = []
        for curve in self.curves:
            x = curve.p[:, held] - value
            for i in np.flatnonzero((x[:-1] * x[1:] <= 0) & (curve.kind == kind)):
                a, b = curve.points[i], curve.points[i + 1]
                share = 0.5 if x[i] == x[i + 1] else x[i] / (x[i] - x[i + 1])
                p = a.p + share * (b.p - a.p)
                p[held] = value
                exact = at_parameter(plane.equations(a.y), kind, a.y + share * (b.y - a.y), p, held)
                other = float((p if exact is None else exact.p)[1 - held])
                if not any(abs(other - seen) < 1e-7 for seen in out):
                    out.append(other)
        return sorted(out)

    def to_dataset(self) -> xr.Dataset:
        """As ``Continuation.to_dataset``, with both parameters; 'kind' says for each point what its curve consists of ('fold', 'Hopf'), and
        'unstable' counts the eigenvalues beside the critical ones: where there is none, a stable rest ends at the curve."""
        return _dataset(self.preparation, self.over, self.curves)


def follow_borders(p: Preparation, first: str | Range, second: str | Range) -> Borders:
    """Curves of the folds and Hopf points of ``p`` in the plane of two parameters.

    The rests are followed along the first at seven values of the second, or at its control instead of the nearest of them; through each
    fold and Hopf point that no curve has met yet a curve is followed. Curves that close between two slices are not seen.
    Raises ExperimentError, ModelSaysNo."""
    one, two = parse_range(first), parse_range(second)
    plane = _Followed(p, (one, two))
    values = np.linspace(two.low, two.high, SLICES)
    control = plane.sweep.control()[two.name]
    if control in two:
        values[np.argmin(np.abs(values - control))] = control
    curves: list[Branch] = []
    slices: list[tuple[float, Continuation]] = []
    for value in sorted(values.tolist(), key=lambda v: abs(v - control)):
        branches = _branches(p, one, {two.name: value}, FEW_STARTS if slices else STARTS)
        slices.append((value, Continuation(plane.sweep.at({two.name: value}), one, branches)))
        for point in (q for branch in branches for q in branch.labelled if q.label in ("fold", "Hopf")):
            equations = plane.equations(point.y)
            place = np.array([point.p[0], value])
            if any(_meets(equations, curve, point, place) for curve in curves):
                continue
            curve = follow_point(equations, point, place)
            if curve is not None:
                curves.append(curve)
    return Borders(p, (one, two), tuple(curves), tuple(slices))


def _meets(equations: Equations, curve: Branch, point: Point, place: Array) -> bool:
    """Whether a curve goes through a fold or Hopf point of its kind."""
    if curve.kind != point.label:
        return False
    u = np.column_stack([curve.p / equations.span, curve.y / equations.scale])
    target = np.append(place / equations.span, point.y / equations.scale)
    along = np.diff(u, axis=0)
    size = np.maximum((along**2).sum(axis=1), 1e-300)
    share = np.clip(((target - u[:-1]) * along).sum(axis=1) / size, 0, 1)
    return bool(np.linalg.norm(u[:-1] + share[:, None] * along - target, axis=1).min(initial=math.inf) < 0.01)


# ---- stretches of one stability, and the dataset

@dataclass(frozen=True)
class Stretch:
    """Points ``first`` to ``last`` of a branch, between which its stability does not change."""

    first: int
    last: int
    stable: bool


def stretches(branch: Branch) -> list[Stretch]:
    """A branch in pieces of one stability. Curves of folds and Hopf points count as stable where no other eigenvalue is."""
    return pieces([point.unstable for point in branch.points])


def pieces(unstable: Iterable[int]) -> list[Stretch]:
    """The same from how many eigenvalues are unstable at each point; at a point of change it is the larger number of both sides."""
    counts = list(unstable)
    out: list[Stretch] = []
    for i in range(len(counts) - 1):
        stable = min(counts[i], counts[i + 1]) == 0
        if out and out[-1].stable == stable:
            out[-1] = Stretch(out[-1].first, i + 1, stable)
        else:
            out.append(Stretch(i, i + 1, stable))
    return out


def _potential(p: Preparation, point: Point) -> float:
    return float(point.y[[i for i in range(len(p.states)) if i not in p.held_at_rest].index(p.potential)])


def _dataset(p: Preparation, ranges: tuple[Range, ...], branches: tuple[Branch, ...]) -> xr.Dataset:
    import xarray as xr

    followed = _Followed(p, ranges)
    points = [point for branch in branches for point in branch.points]
    units = {s.symbol: s.unit for s in p.bound.states}

    def row(of: Callable[[Point], Any], kind: type) -> Any:
        return np.array([of(point) for point in points], dtype=kind)

    states = np.array([followed.whole(q.y, q.p) for q in points]).reshape(len(points), len(p.states))
    attributes = followed.sweep.coordinates()
    variables: dict[str, tuple[str, Any, dict[str, str]]] = {
        r.name: ("point", row(lambda q, i=i: q.p[i], float), attributes[r.name][2]) for i, r in enumerate(ranges)  # type: ignore[misc]
    }
    variables |= {
        name: ("point", states[:, i], {"units": units[name], "long_name": f"{name} of the membrane at rest"}) for i, name in enumerate(p.states)
    }
    number = [i for i, branch in enumerate(branches) for _ in branch.points]
    kinds = [branch.kind for branch in branches for _ in branch.points]
    steady = [_is_stable(branch, i) for branch in branches for i in range(len(branch.points))]
    variables |= {
        "branch": ("point", np.array(number, dtype=int), {"units": "1", "long_name": "number of the branch"}),
        "kind": ("point", np.array(kinds, dtype=object), {"long_name": "what the branch consists of"}),
        "stable": ("point", np.array(steady, dtype=int), {"units": "1", "long_name": "whether the rest is stable"}),
        "unstable": ("point", row(lambda q: q.unstable, int), {"units": "1", "long_name": "unstable modes"}),
        "growth": ("point", row(lambda q: q.leading.real, float), {"units": "1/ms", "long_name": "rate at which the leading mode grows"}),
        "frequency": (
            "point", row(lambda q: 1000 * q.leading.imag / (2 * math.pi), float), {"units": "Hz", "long_name": "frequency of the leading mode"}
        ),
        "label": ("point", row(lambda q: q.label, object), {"long_name": "what the point is"}),
        "period": ("point", row(lambda q: q.period, float), {"units": "ms", "long_name": "period of the oscillation that begins there"}),
    }
    made = {**p.describe(), "continued": {r.name: [r.low, r.high] for r in ranges}}
    return xr.Dataset(
        variables,
        attrs={
            "title": p.bound.model.title, "provenance": json.dumps(made), "control": json.dumps(followed.sweep.control()),
            "potential": p.bound.model.potential,
        },
    )


def _is_stable(branch: Branch, i: int) -> bool:
    """At a point where the stability changes it is that of the stable side: the branch is drawn up to there."""
    if branch.points[i].unstable == 0:
        return True
    changes = branch.points[i].label in ("fold", "Hopf", "branch point")
    return changes and min(branch.points[k].unstable for k in (i - 1, i + 1) if 0 <= k < len(branch.points)) == 0
