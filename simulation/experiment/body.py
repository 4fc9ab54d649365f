"""The body over days: what diet, disease and treatment make of the serum, and the bath that this is for nerve and muscle."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import OdeSolver, solve_ivp
from scipy.linalg import solve as solve_linear

from simulation import models, parameter_sets
from simulation.assembly.bind import Bound
from simulation.assembly.compile import Array, Kernel, compile_model
from simulation.assembly.errors import ModelError, nearest
from simulation.experiment.bath import Bath
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.solve import Solver, watched
from simulation.models.body import KNOBS
from simulation.parameter_sets import ParameterSet

NAME = "body"
HOURS = 24.0  # of a day
SERUM = ("K_p", "Na", "Ca_total", "Ca_ion", "Mg_total", "Mg_ion", "PTH", "calcitriol", "D25", "albumin", "pH")
BATH = {"K": "K_is", "Na": "Na", "Ca": "Ca_ion", "Mg": "Mg_ion", "pH": "pH"}  # component of a bath -> symbol of the body
_MEAL = ((1.5, 1.0), (6.0, 0.0))  # insulin after a meal: hours, and level reached by a straight line
_SOLVER = Solver(rtol=1e-8, atol=1e-10)
_POINTS_PER_STEP = 4


@dataclass(frozen=True)
class Knob:
    """A parameter that a scenario imposes. ``neutral``: its value in health; ``range``: what the model is for; ``group``: what it belongs to."""

    symbol: str
    unit: str
    neutral: float
    range: tuple[float, float]
    meaning: str
    group: str


def knobs(parameters: ParameterSet | None = None) -> dict[str, Knob]:
    """Every knob by symbol, as a parameter set states them (that of the healthy body if none is given)."""
    of = parameters or parameter_sets.load(NAME)
    return {
        s: Knob(s, of[s].unit, of[s].value, of[s].range, of[s].note, group) for group, symbols in KNOBS.items() for s in symbols
    }


@dataclass(frozen=True, eq=False, repr=False)
class Body:
    """A body with its numbers. ``imposed``: knobs that are not neutral, by symbol, in their units."""

    kernel: Kernel
    parameters: ParameterSet
    imposed: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = knobs(self.parameters)
        for symbol, value in self.imposed.items():
            if symbol not in known:
                raise ExperimentError(f"a body has no knob '{symbol}'{nearest(symbol, known)}; knobs: {', '.join(known)}")
            low, high = known[symbol].range
            if not low <= value <= high:
                unit = "" if known[symbol].unit == "1" else f" {known[symbol].unit}"
                raise ExperimentError(f"{symbol} = {value:g}{unit} is beyond what the model of the body is for: {low:g} to {high:g}{unit}")

    def __repr__(self) -> str:
        imposed = ", ".join(f"{symbol} {value:g}" for symbol, value in self.imposed.items())
        return f"<{self.parameters.name}; {imposed or 'nothing imposed'}>"

    @property
    def bound(self) -> Bound:
        return self.kernel.bound

    @property
    def states(self) -> tuple[str, ...]:
        return tuple(s.symbol for s in self.bound.states)

    @property
    def healthy(self) -> Body:
        """The same body with every knob at its neutral value."""
        return replace(self, imposed={})

    def changed(self, knobs: Mapping[str, float] | None = None, **more: float) -> Body:
        """The same with some knobs at other values."""
        return replace(self, imposed={**self.imposed, **(knobs or {}), **more})

    @cached_property
    def numbers(self) -> dict[str, float]:
        """Every parameter by symbol, in the model's units, insulin at its fasting level."""
        given = self.parameters.with_values(self.imposed)
        return given.values(self.bound.parameters) | dict.fromkeys(self.bound.model.stimulus, 0.0)

    @cached_property
    def values(self) -> Array:
        """What the compiled functions want of the parameters."""
        return self.kernel.prepare(self.numbers)

    @cached_property
    def normal(self) -> Array:
        """About what the states are in health: where a search begins, and by what errors are weighed."""
        return np.array([self.numbers[s.guess] if isinstance(s.guess, str) else s.guess for s in self.bound.states])

    def describe(self) -> dict[str, Any]:
        """What defines this body, enough to make it again."""
        return {
            "model": self.bound.name, "equations": self.kernel.emitted.digest, "parameter_set": self.parameters.name,
            "changed": dict(self.parameters.changed), "imposed": dict(self.imposed),
        }


@dataclass(frozen=True, eq=False)
class Moment:
    """A body at one time. ``day``: of its course, NaN for a steady state; ``values``: parameters as they then are."""

    body: Body
    day: float
    state: Array
    values: Array

    def __getitem__(self, symbol: str) -> float:
        """Any symbol of the model. Raises ModelError with the nearest names."""
        return float(_observed(self.body, np.array([HOURS * self.day]), self.state[None, :], self.values, symbol)[0])

    @property
    def serum(self) -> dict[str, float]:
        """The panel: concentrations of the serum by symbol."""
        return {symbol: self[symbol] for symbol in SERUM}

    @property
    def residual(self) -> float:
        """Fastest change of any state, as a share of its normal size, 1/h."""
        rate = np.empty(len(self.state))
        self.body.kernel.rhs(0.0, self.state, self.values, rate)
        return float(np.max(np.abs(rate) / self.body.normal))

    @property
    def eigenvalues(self) -> NDArray[np.complex128]:
        """Of the Jacobian, 1/h."""
        matrix = np.empty((len(self.state),) * 2)
        self.body.kernel.jacobian(0.0, self.state, self.values, matrix)
        return np.asarray(np.linalg.eigvals(matrix), dtype=complex)


@dataclass(frozen=True, eq=False)
class Course:
    """What became of a body. ``t``: days, shape (n,), two points at an edge, one before it and one after it; ``states``: shape (n, states);
    ``values``, ``counts``: parameters of each segment and how many points it has."""

    body: Body
    t: Array
    states: Array
    values: tuple[Array, ...]
    counts: tuple[int, ...]

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol that can be asked for."""
        return (*self.body.states, *self.body.kernel.emitted.symbols, *self.body.bound.parameters)

    def __getitem__(self, symbol: str) -> Array:
        """Any symbol of the model along the course, without solving again. Raises ModelError with the nearest names."""
        parts = zip(np.split(self.t, self._ends), np.split(self.states, self._ends), self.values, strict=True)
        return np.concatenate([_observed(self.body, HOURS * t, states, values, symbol) for t, states, values in parts])

    @property
    def _ends(self) -> NDArray[np.int_]:
        return np.cumsum(self.counts)[:-1]

    def at(self, day: float) -> Moment:
        """The body on a day, after whatever changes then. Raises ExperimentError for one outside of the course."""
        if not self.t[0] <= day <= self.t[-1]:
            raise ExperimentError(f"day {day:g} is not in the course, which goes from {self.t[0]:g} to {self.t[-1]:g}")
        i = int(np.clip(np.searchsorted(self.t, day, side="right") - 1, 0, len(self.t) - 1))
        values = self.values[int(np.searchsorted(np.cumsum(self.counts), i, side="right"))]
        if self.t[i] == day:
            return Moment(self.body, day, self.states[i].copy(), values)
        from scipy.interpolate import CubicHermiteSpline

        rates, two = np.empty((2, self.states.shape[1])), slice(i, i + 2)
        for k in (0, 1):
            self.body.kernel.rhs(HOURS * self.t[i + k], self.states[i + k], values, rates[k])
        return Moment(self.body, day, np.asarray(CubicHermiteSpline(self.t[two], self.states[two], HOURS * rates)(day)), values)

    @property
    def end(self) -> Moment:
        """The body on the last day."""
        return Moment(self.body, float(self.t[-1]), self.states[-1].copy(), self.values[-1])


def _observed(body: Body, t: Array, states: Array, values: Array, symbol: str) -> Array:
    """A symbol at some hours ``t`` of one segment."""
    if symbol in body.states:
        return states[:, body.states.index(symbol)]
    names = body.kernel.emitted.symbols
    if symbol in names:
        return body.kernel.observe(t, states, values)[:, names.index(symbol)]
    if symbol in body.bound.parameters:
        return np.full(len(t), values[body.kernel.emitted.values.index(symbol)])
    known = (*body.states, *names, *body.bound.parameters)
    raise ModelError(f"{body.bound.name} has no symbol '{symbol}'{nearest(symbol, known)}")


def body(
    knobs: Mapping[str, float] | None = None, *, parameters: str | Path = NAME, set: Mapping[str, float] | None = None,
    scale: Mapping[str, float] | None = None, kernel: str | None = None, **more: float
) -> Body:
    """A body of 70 kg, healthy but for the knobs: body(flow=3.4, dT_Ca=0.05), or body({"flow": 3.4, "dT_Ca": 0.05}).

    ``set`` and ``scale``: other parameters replaced and multiplied, as in ``prepare``. Raises ParameterError or ExperimentError."""
    numbers = parameter_sets.load(parameters)
    if numbers.model != NAME:
        raise ExperimentError(f"'{numbers.name}' is a set for {numbers.model}, not for a body")
    bound = models.bound(numbers.model)
    bound.check_parameters([*numbers.parameters, *bound.model.stimulus])
    return Body(compile_model(bound, kernel), numbers.with_values(set or {}).scaled(scale or {}), {**(knobs or {}), **more})


def steady(b: Body, start: Moment | None = None) -> Moment:
    """The steady state of a body, by Newton's method from health (or from ``start``), or from what it has become after ten years.

    Raises ModelSaysNo if there is none."""
    found = _newton(b, b.normal if start is None else start.state)
    if found is None:
        found = _newton(b, course(b, 3650.0, start=start).end.state)
    if found is None:
        raise ModelSaysNo(f"{b!r} comes to no steady state")
    return Moment(b, float("nan"), found, b.values)


def _newton(b: Body, start: Array) -> Array | None:
    """Zero of the rates; None if it is not reached. Every state is positive, and never loses more than two thirds of itself in one step."""
    y, n = start.copy(), len(start)
    rate, matrix = np.empty(n), np.empty((n, n))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a matrix that is nearly singular gives a step that leads nowhere, which is seen below
        for _ in range(100):
            b.kernel.rhs(0.0, y, b.values, rate)
            b.kernel.jacobian(0.0, y, b.values, matrix)
            try:
                step = solve_linear(matrix * y, rate) * y  # by the logarithms of the states
            except (np.linalg.LinAlgError, ValueError):
                return None
            y = y - step / max(1.0, 1.5 * float(np.max(step / y)), 0.5 * float(np.max(-step / y)))
            if np.max(np.abs(step) / y) < 1e-13:
                break
    b.kernel.rhs(0.0, y, b.values, rate)
    return y if np.max(np.abs(rate) / b.normal) < 1e-11 else None


def course(
    b: Body, days: float, *, changes: Iterable[tuple[float, Mapping[str, float]]] = (), meals: Iterable[float] = (),
    loads: Iterable[tuple[float, float]] = (), start: Moment | None = None, solver: Solver | None = None,
) -> Course:
    """Follow a body.

    It begins on day 0 in health, all that ``b`` imposes setting in there, or from ``start``. ``changes``: (day, {knob: value}); ``meals``: days on
    which carbohydrate is eaten, which raises insulin for six hours (what is eaten of the ions goes on evenly); ``loads``: (day, mmol) of
    potassium swallowed at once. Raises ExperimentError, or ModelSaysNo if the solver gives up."""
    if not 0 < days < np.inf:
        raise ExperimentError(f"a course lasts more than 0 days, not {days:g}")
    solver, stop = solver or _SOLVER, HOURS * days
    changes, meals, loads = sorted(changes, key=lambda c: c[0]), sorted(meals), sorted(loads)
    for what, when in (("change", [c[0] for c in changes]), ("meal", meals), ("load", [at for at, _ in loads])):
        for day in when:
            if not 0 <= day < days:
                raise ExperimentError(f"the {what} on day {day:g} is not in the course, which goes from 0 to {days:g}")
    y = (steady(b.healthy) if start is None else start).state.copy()
    insulin = list(_insulin([HOURS * m for m in meals]))
    edges = sorted({0.0, stop, *(t for t, _ in insulin if t < stop), *(HOURS * c[0] for c in changes), *(HOURS * at for at, _ in loads)})
    times, states, values, counts = [], [], [], []
    here = b
    for low, high in pairwise(edges):
        for day, more in changes:
            if HOURS * day == low:
                here = here.changed(more)
        y[b.states.index("nK_gut")] += here.numbers["a_K"] * sum(mmol for at, mmol in loads if HOURS * at == low)
        level, slope = _straight(insulin, low)
        ins_0, ins_slope, t_0 = b.bound.model.stimulus
        q = b.kernel.changed(here.values, {ins_0: level, ins_slope: slope, t_0: low})
        t, trace = _integrate(here, q, low, high, y, solver)
        y = trace[-1].copy()
        times.append(t / HOURS)
        states.append(trace)
        values.append(q)
        counts.append(len(t))
    return Course(b, np.concatenate(times), np.concatenate(states), tuple(values), tuple(counts))


def _insulin(meals: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Corners of the line that insulin follows after meals (h): time, level. A meal before the last is over lifts it from where it stands."""
    level = 0.0
    for meal, after in pairwise([*meals, np.inf]):
        corners = [(meal, level), *((meal + hours, of) for hours, of in _MEAL)]
        level = float(np.interp(after, [t for t, _ in corners], [of for _, of in corners]))
        yield from (corner for corner in corners if corner[0] < after)


def _straight(corners: Sequence[tuple[float, float]], t: float) -> tuple[float, float]:
    """Level and slope of a broken line just after t; 0 before its first corner, level behind its last."""
    before = [corner for corner in corners if corner[0] <= t]
    after = corners[len(before) :]
    if not before or not after:
        return 0.0, 0.0
    (t_1, level), (t_2, reached) = before[-1], after[0]
    slope = (reached - level) / (t_2 - t_1)
    return level + slope * (t - t_1), slope


def _integrate(b: Body, q: Array, low: float, high: float, y: Array, solver: Solver) -> tuple[Array, Array]:
    """Times (h) and states of one segment, at the solver's steps and between them."""
    rhs, jacobian = b.kernel.functions_of(q)
    kept: list[OdeSolver] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what went wrong is told in its message, too
            told = solve_ivp(
                rhs, (low, high), y, method=watched(solver.method, kept), rtol=solver.rtol, atol=solver.atol * b.normal,
                max_step=solver.max_step, dense_output=True, **({"jac": jacobian} if solver.implicit else {}),
            )
    except (ArithmeticError, ValueError) as error:
        raise ModelSaysNo(f"{solver.method} gave up on {b!r} on day {low / HOURS:.4g}: {error}") from None
    if not told.success:
        raise ModelSaysNo(f"{solver.method} gave up on {b!r} on day {told.t[-1] / HOURS:.4g}: {told.message}")
    share = np.arange(_POINTS_PER_STEP) / _POINTS_PER_STEP
    t = np.append((told.t[:-1, None] + np.diff(told.t)[:, None] * share).ravel(), told.t[-1])
    trace = told.sol(t).T
    trace[::_POINTS_PER_STEP] = told.y.T
    return t, trace


def bath_of(moment: Moment, like: Mapping[str, float] | None = None) -> Bath:
    """The bath that nerve and muscle lie in: potassium of the interstitium, sodium, ionised calcium and magnesium (mM), and pH.

    ``like``: a control bath that the healthy body is to stand for, as ``Preparation.whole_bath`` gives it: each of its components is then changed
    in the proportion in which the body's own is (pH by the difference), and a healthy body gives the control bath itself."""
    here = {name: moment[symbol] for name, symbol in BATH.items()}
    if like is None:
        return Bath.stated(here)
    healthy = steady(moment.body.healthy)
    normal = {name: healthy[symbol] for name, symbol in BATH.items()}
    return Bath.stated({
        name: like[name] + here[name] - normal[name] if name == "pH" else like[name] * here[name] / normal[name]
        for name in BATH if name in like
    })


def cell_potassium(moment: Moment, like: float | None = None) -> float:
    """Potassium inside of cells, mM, which falls in long depletion. ``like``: the K_i of a membrane, to be changed in the same proportion."""
    here = moment["K_c"]
    return here if like is None else like * here / steady(moment.body.healthy)["K_c"]
