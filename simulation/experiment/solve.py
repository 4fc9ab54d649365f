"""One run: SciPy's solvers, from edge to edge of the protocol."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import integrate
from scipy.integrate import OdeSolver, solve_ivp

from simulation.assembly.compile import Array
from simulation.assembly.errors import nearest
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Protocol, Segment
from simulation.experiment.recording import Recording
from simulation.experiment.rest import find_rest

METHODS = ("LSODA", "BDF", "Radau", "RK45", "DOP853")
_IMPLICIT = ("LSODA", "BDF", "Radau")
_POINTS_PER_STEP = 4
_MOST_STEPS = 100_000  # between two points that lie evenly
_BEFORE_EDGE = 1e-9  # ms: the last point before an edge stands just before it, so that time rises strictly


@dataclass(frozen=True)
class Solver:
    """How a run is solved. ``rtol``: relative tolerance; ``atol``: absolute one, in the states' units;
    ``max_step``: ms. ``every``: ms between the points of the recording, which are those of the solver's steps if it is not given; LSODA then
    runs in a loop of its own and takes a third of the time, but the shape of a spike is only as fine as these points."""

    method: str = "LSODA"
    rtol: float = 1e-7
    atol: float = 1e-9
    max_step: float = np.inf
    every: float | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ExperimentError(f"there is no solver '{self.method}'{nearest(self.method, METHODS)}; solvers: {', '.join(METHODS)}")
        if not (0 < self.rtol < 1 and self.atol > 0 and self.max_step > 0):
            raise ExperimentError("rtol lies between 0 and 1, atol and max_step are above 0")
        if self.every is not None and not (self.method == "LSODA" and self.every > 0):
            raise ExperimentError("points of a recording lie apart by more than 0 ms, and are chosen with LSODA only")

    @property
    def implicit(self) -> bool:
        """Whether its method wants a Jacobian."""
        return self.method in _IMPLICIT

    def describe(self) -> dict[str, Any]:
        """Its settings, as JSON can hold them."""
        return {name: None if value == np.inf else value for name, value in vars(self).items() if name != "every" or value is not None}


def run(
    p: Preparation, protocol: Protocol, *, solver: Solver | None = None, start: Array | None = None, dense: bool = True
) -> Recording:
    """Do an experiment.

    ``start``: every state at the beginning, in the order of ``p.states``; the resting state if not given. ``dense``: with points
    between the solver's steps, as a figure wants them; features are read from the steps alone, in half the time.
    Raises ModelSaysNo if the solver gives up or a number is no longer finite."""
    solver = solver or Solver()
    y = find_rest(p).at().state.copy() if start is None else np.array(start, dtype=float)
    if y.shape != (len(p.states),) or not np.isfinite(y).all():
        raise ExperimentError(f"a start has {len(p.states)} finite numbers, one for each state: {', '.join(p.states)}")
    times, states, values, counts = [], [], [], []
    for segment in protocol.segments:
        q = segment_values(p, segment)
        clamped = segment.V is not None
        if clamped:
            y[p.potential] = segment.V
        held = p.held | {p.potential} if clamped else p.held
        t, trace = _integrate(p, q, held, segment, y, solver, dense)
        y = trace[-1].copy()
        times.append(t)
        states.append(trace)
        values.append(q)
        counts.append(len(t))
    return Recording(p, protocol, solver, np.concatenate(times), np.concatenate(states), tuple(values), tuple(counts))


def segment_values(p: Preparation, segment: Segment) -> Array:
    """What the compiled functions want of the parameters during one segment."""
    here = p if segment.bath is None else replace(p, bath=segment.bath)
    I_0, I_slope, t_0 = p.bound.model.stimulus
    return p.kernel.prepare(here.numbers() | {I_0: segment.I_0, I_slope: segment.I_slope, t_0: segment.start})


def _integrate(
    p: Preparation, q: Array, held: frozenset[int], segment: Segment, y: Array, solver: Solver, dense: bool
) -> tuple[Array, Array]:
    """Times and states of one segment at every step of the solver, with points between if ``dense``."""
    n = len(y)
    free = np.array([i for i in range(n) if i not in held])
    if len(free) == 0:
        t = np.array([segment.start, segment.stop - _BEFORE_EDGE])
        return t, np.array([y, y])
    rhs, jacobian = _functions(p, q, free, y)
    if solver.every is not None:
        return _evenly(p, rhs, jacobian, free, segment, y, solver)
    kept: list[OdeSolver] = []
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            solution = solve_ivp(
                rhs, (segment.start, segment.stop), y[free], method=watched(solver.method, kept), rtol=solver.rtol, atol=solver.atol,
                max_step=solver.max_step, dense_output=dense, **({"jac": jacobian} if solver.implicit else {}),
            )
    except (ArithmeticError, ValueError) as error:
        reached, last = segment.start, y.copy()
        if kept:
            reached, last[free] = kept[0].t, kept[0].y
        raise ModelSaysNo(_why(p, solver, reached, last, str(error))) from None
    if not solution.success:
        more = "; ".join(dict.fromkeys(str(w.message) for w in said))
        last = y.copy()
        last[free] = solution.y[:, -1]
        raise ModelSaysNo(_why(p, solver, float(solution.t[-1]), last, f"{solution.message}{'; ' + more if more else ''}"))
    steps = solution.t
    each = _POINTS_PER_STEP if dense else 1
    share = np.arange(each) / each
    t = np.append((steps[:-1, None] + np.diff(steps)[:, None] * share).ravel(), steps[-1])
    trace = np.tile(y, (len(t), 1))
    if dense:
        trace[:, free] = solution.sol(t).T
    trace[::each, free] = solution.y.T
    t[-1] = max(t[-1] - _BEFORE_EDGE, np.nextafter(t[-2], np.inf))
    return t, trace


def _evenly(
    p: Preparation, rhs: Callable[..., Array], jacobian: Callable[..., Array], free: Array, segment: Segment, y: Array, solver: Solver
) -> tuple[Array, Array]:
    """The same at even times."""
    assert solver.every is not None
    t = np.append(np.arange(segment.start, segment.stop - 1e-6 * solver.every, solver.every), segment.stop)
    longest = 0.0 if np.isinf(solver.max_step) else solver.max_step
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what went wrong is told in its message, too
        found, told = integrate.odeint(
            rhs, y[free], t, Dfun=jacobian, tfirst=True, rtol=solver.rtol, atol=solver.atol, hmax=longest, mxstep=_MOST_STEPS, full_output=True
        )
    broken = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if told["message"] != "Integration successful." or len(broken):
        reached = int(broken[0]) - 1 if len(broken) else int(np.count_nonzero(told["nst"])) - 1
        last, why = y.copy(), "a state is no longer a finite number" if len(broken) else told["message"].rstrip(".")
        last[free] = found[max(reached, 0)]
        raise ModelSaysNo(_why(p, solver, float(t[max(reached, 0)]), last, why))
    trace = np.tile(y, (len(t), 1))
    trace[:, free] = found
    t[-1] = max(t[-1] - _BEFORE_EDGE, np.nextafter(t[-2], np.inf))
    return t, trace


def watched(method: str, kept: list[OdeSolver]) -> type[OdeSolver]:
    """SciPy's solver, which gives up where time stands still (LSODA would go on forever) or where a state is no longer a
    number, and which leaves itself in ``kept``."""
    base: Any = getattr(integrate, method)

    class Watched(base):  # type: ignore[misc]
        status: str

        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **settings)
            kept.append(self)
            self.stood = 0

        def step(self) -> str | None:
            before = self.t
            message: str | None = super().step()
            if self.status != "failed" and not np.isfinite(self.y).all():
                self.status, message = "failed", "a state is no longer a finite number"
            self.stood = self.stood + 1 if self.t == before else 0
            if self.status == "running" and self.stood > 100:
                self.status, message = "failed", "the rates are so large that time stands still"
            return message

    return Watched


def _functions(p: Preparation, q: Array, free: Array, y: Array) -> tuple[Callable[..., Array], Callable[..., Array]]:
    n = len(y)
    if len(free) == n:
        return p.kernel.functions_of(q)
    kernel_rhs, kernel_jacobian = p.kernel.rhs, p.kernel.jacobian
    full, rate, matrix = y.copy(), np.empty(n), np.empty((n, n))
    block = np.ix_(free, free)

    def rhs_of_free(t: float, x: Array) -> Array:
        full[free] = x
        kernel_rhs(t, full, q, rate)
        return np.asarray(rate[free])

    def jacobian_of_free(t: float, x: Array) -> Array:
        full[free] = x
        kernel_jacobian(t, full, q, matrix)
        return np.asarray(matrix[block])

    return rhs_of_free, jacobian_of_free


def _why(p: Preparation, solver: Solver, t: float, y: Array, reason: str) -> str:
    V = y[p.potential]
    other = "Radau" if solver.method != "Radau" else "BDF"
    return f"{solver.method} gave up at t = {t:.4g} ms, V = {V:.4g} mV: {reason}. Try another solver ({other}) or a bath nearer to control."
