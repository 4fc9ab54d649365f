"""A cable: sections of one membrane in a row, and the spike that runs along it.

The sections are the model's own right-hand side and Jacobian; what flows in from the neighbours is their stimulus. The ends are sealed.
The Jacobian is banded, and SciPy's LSODA uses it so."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.integrate import solve_ivp

from simulation.assembly.compile import Array
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.features import LEVEL, crossings
from simulation.experiment.preparation import Preparation
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import Solver

if TYPE_CHECKING:
    import xarray as xr

SOLVER = Solver(rtol=1e-5, atol=1e-7)
MOST_SECTIONS = 2000
_STRONG = 100.0  # mV
_CHUNK = 1.0  # ms
_FADED = 3.0  # ms without an arrival at a further section: the spike is blocked
_LONGEST = 500.0  # ms
_LAST = 0.95  # of the length: sealed ends speed a spike up


@dataclass(frozen=True, eq=False)
class Cable:
    """``sections`` of a preparation in a row, joined by its axial conductance. Raises ExperimentError for a model that says no such thing."""

    preparation: Preparation
    sections: int = 100

    def __post_init__(self) -> None:
        if not self.preparation.bound.model.axial:
            raise ExperimentError(f"{self.preparation.bound.name} does not say what joins its sections: it is no cable")
        if not 3 <= self.sections <= MOST_SECTIONS:
            raise ExperimentError(f"a cable has 3 to {MOST_SECTIONS} sections, not {self.sections}")

    @cached_property
    def rest(self) -> Array:
        """State of every section at rest."""
        return find_rest(self.preparation).at().state

    @property
    def dx(self) -> float:
        """Length of a section, mm."""
        return 10 * self.preparation.numbers()[self.preparation.bound.model.section]

    @property
    def x(self) -> Array:
        """Middle of each section, mm from the stimulated end."""
        return np.asarray(self.dx * (np.arange(self.sections) + 0.5))

    @cached_property
    def g(self) -> float:
        """Conductance from section to section, in the unit of the model's currents per mV."""
        p = self.preparation
        return float(p.values[p.kernel.emitted.values.index(p.bound.model.axial)])

    @cached_property
    def _push(self) -> Array:
        """What a unit of stimulus adds to each rate."""
        p, state = self.preparation, self.rest
        rates = np.empty((2, len(state)))
        for i in (0, 1):
            p.kernel.rhs(0.0, state, p.kernel.changed(p.values, {p.bound.model.stimulus[0]: float(i)}), rates[i])
        push = rates[1] - rates[0]
        return np.where(np.abs(push) > 1e-9 * np.abs(push).max(), push, 0.0)

    @cached_property
    def _moves(self) -> Array:
        p = self.preparation
        return np.array([0.0 if i in p.held else 1.0 for i in range(len(p.states))])

    @cached_property
    def width(self) -> int:
        """Diagonals of the Jacobian on either side of the main one."""
        m, V = len(self.preparation.states), self.preparation.potential
        reach = max(abs(int(k) - V) for k in np.flatnonzero(self._push))
        return max(m - 1, m + reach)

    def rates(self, t: float, y: Array, stimulus: Array) -> Array:
        """Rates of change of every state, section by section. ``stimulus``: into each section."""
        p, states = self.preparation, y.reshape(self.sections, -1)
        along = self.g * np.diff(states[:, p.potential])
        injected = stimulus.astype(float)
        injected[:-1] += along
        injected[1:] -= along
        out = np.empty_like(states)
        p.kernel.rhs_along(t, np.ascontiguousarray(states), p.values.copy(), injected, self._at, out)
        return np.asarray((out * self._moves).ravel())

    @cached_property
    def _at(self) -> int:
        """Where the stimulus stands among the values."""
        return self.preparation.kernel.emitted.values.index(self.preparation.bound.model.stimulus[0])

    def jacobian(self, t: float, y: Array) -> Array:
        """Its derivatives, packed by diagonals: entry [width + row - column, column]."""
        p, n, m, width = self.preparation, self.sections, len(self.preparation.states), self.width
        blocks = np.empty((n, m, m))
        p.kernel.jacobian_along(t, np.ascontiguousarray(y.reshape(n, m)), p.values, blocks)
        # What a section loses to its neighbours, and what it gets from them.
        pushed, neighbours = self._push * self.g, np.full(n, 2.0)
        neighbours[[0, -1]] = 1.0
        blocks[:, :, p.potential] -= neighbours[:, None] * pushed
        band = np.zeros((2 * width + 1, n * m))
        row, column = np.meshgrid(np.arange(m), np.arange(m), indexing="ij")
        band[width + row - column, np.arange(n)[:, None, None] * m + column] = blocks * self._moves[:, None]
        for k in np.flatnonzero(pushed * self._moves):
            band[width + k - p.potential + m, np.arange(n - 1) * m + p.potential] += pushed[k]
            band[width + k - p.potential - m, np.arange(1, n) * m + p.potential] += pushed[k]
        return band

    def integrate(self, start: Array, stimulus: Array, t_0: float, t_1: float, solver: Solver = SOLVER) -> tuple[Array, Array]:
        """Times and states of every section, shape (times, sections, states), under constant stimuli. Raises ModelSaysNo."""
        n, m = self.sections, len(self.preparation.states)

        def rhs(t: float, y: Array) -> Array:
            return self.rates(t, y, stimulus)

        found = solve_ivp(rhs, (t_0, t_1), start.ravel(), rtol=solver.rtol, atol=solver.atol, max_step=solver.max_step, **self._method(solver.method))
        if not found.success or not np.isfinite(found.y).all():
            raise ModelSaysNo(f"{solver.method} gave up on the cable at t = {found.t[-1]:.4g} ms: {found.message}")
        return found.t, found.y.T.reshape(-1, n, m)

    def _method(self, method: str) -> dict[str, Any]:
        if method == "LSODA":
            return {"method": method, "jac": self.jacobian, "lband": self.width, "uband": self.width}
        if method not in ("BDF", "Radau"):
            return {"method": method}
        from scipy.sparse import dia_array

        def sparse(t: float, y: Array) -> Any:
            n = len(y)
            return dia_array((self.jacobian(t, y), np.arange(self.width, -self.width - 1, -1)), shape=(n, n)).tocsc()

        return {"method": method, "jac": sparse}

    def stimulus(self, width: float) -> float:
        """Current into the first section that, by the linear response at rest, would depolarise it by 100 mV within ``width`` ms."""
        from scipy.linalg import solve_banded

        m = len(self.preparation.states)
        matrix = -self.jacobian(0.0, np.tile(self.rest, self.sections))
        matrix[self.width] += 1 / width
        pushed = np.zeros(self.sections * m)
        pushed[:m] = self._push * self._moves
        return float(_STRONG / solve_banded((self.width, self.width), matrix, pushed)[self.preparation.potential])


@dataclass(frozen=True)
class CableConstants:
    """What cable theory says of a membrane at rest with its gates held (Hodgkin & Rushton 1946).

    ``length_constant``: mm; ``input_resistance``: of a cable endless both ways, in kOhm where the model counts per area, else in
    GOhm; ``time_constant``: the slowest of the potentials, ms; ``resistance``: of the membrane, kOhm*cm2 or GOhm per section."""

    length_constant: float
    input_resistance: float
    time_constant: float
    resistance: float


def cable_constants(p: Preparation) -> CableConstants:
    """Closed forms from the slope conductance at rest. Raises ExperimentError for a model that is no cable."""
    cable = Cable(p, 3)
    potentials = [i for i, s in enumerate(p.bound.states) if s.unit == "mV"]
    matrix = np.empty((len(p.states), len(p.states)))
    p.kernel.jacobian(0.0, cable.rest, p.values, matrix)
    of_V = matrix[np.ix_(potentials, potentials)]
    response = np.linalg.solve(-of_V, cable._push[potentials])
    resistance = float(response[potentials.index(p.potential)])
    length = cable.dx * math.sqrt(cable.g * resistance)
    numbers = p.numbers()
    area = 2 * math.pi * numbers["r"] * cable.dx / 10 if p.bound.current_unit == "uA/cm2" else 1.0
    slowest = float(-1 / np.linalg.eigvals(of_V).real.max())
    return CableConstants(length, resistance / area * cable.dx / (2 * length), slowest, resistance)


@dataclass(frozen=True, eq=False)
class Propagation:
    """A spike along a cable, started at its first section.

    ``t``: ms, shape (n,); ``V``, ``dV_dt``: mV and mV/ms, shape (n, sections). ``amplitude``, ``width``: of the stimulus, which was
    given ``starts`` (ms)."""

    cable: Cable
    t: Array
    V: Array
    dV_dt: Array
    amplitude: float
    width: float
    starts: tuple[float, ...]
    solver: Solver

    @cached_property
    def arrivals(self) -> Array:
        """When V crosses -20 mV upward, ms, shape (stimuli, sections); NaN where it does not."""
        out = np.full((len(self.starts), self.cable.sections), math.nan)
        for i, (V, slope) in enumerate(zip(self.V.T, self.dV_dt.T, strict=True)):
            times = crossings(self.t, V, slope, LEVEL)[1][: len(out)]
            out[: len(times), i] = times
        return out

    def profile(self, t: Array | float) -> Array:
        """V along the cable at some times (ms), shape (times, sections), by cubic Hermite interpolation between the solver's points."""
        return np.asarray(self._spline(t))

    @cached_property
    def _spline(self) -> Any:
        from scipy.interpolate import CubicHermiteSpline

        return CubicHermiteSpline(self.t, self.V, self.dV_dt)

    @property
    def arrival(self) -> Array:
        """That of the first spike, shape (sections,)."""
        return np.asarray(self.arrivals[0])

    @property
    def reached(self) -> float:
        """How far the first spike came, mm."""
        return float(self.cable.x[np.isfinite(self.arrival)].max(initial=0.0))

    @property
    def conducted(self) -> bool:
        """Whether it came to the far end."""
        return self.reached >= _LAST * self.cable.dx * self.cable.sections

    @property
    def velocity(self) -> float:
        """Conduction velocity in the middle third, m/s; 0 if the spike is blocked before the far end."""
        return self.velocities[0]

    @cached_property
    def velocities(self) -> tuple[float, ...]:
        """That of each spike."""
        n = self.cable.sections
        third = slice(n // 3, 2 * n // 3 + 1)
        there = np.isfinite(self.arrivals[:, math.ceil(_LAST * n) - 1])
        return tuple(
            float(1 / np.polynomial.Polynomial.fit(self.cable.x[third], times[third], 1).convert().coef[1]) if came else 0.0
            for times, came in zip(self.arrivals, there, strict=True)
        )

    @cached_property
    def spike(self) -> dict[str, float]:
        """Shape of the spike half way: peak, amplitude, half_width, max_dV_dt; NaN if it does not come so far."""
        i = self.cable.sections // 2
        V, slope = self.V[:, i], self.dV_dt[:, i]
        if math.isnan(self.arrival[i]):
            return dict.fromkeys(("peak", "amplitude", "half_width", "max_dV_dt"), math.nan)
        top = int(np.argmax(V))
        half = 0.5 * (V[top] + V[0])
        up, down = (crossings(self.t, V, slope, half, rising)[1] for rising in (True, False))
        after = down[down > self.t[top]]
        width = float(after[0] - up[0]) if len(after) else math.nan
        return {"peak": float(V[top]), "amplitude": float(V[top] - V[0]), "half_width": width, "max_dV_dt": float(slope.max())}

    @property
    def provenance(self) -> dict[str, Any]:
        """What made it, enough to make it again."""
        cable = {"sections": self.cable.sections, "stimulus": self.amplitude, "width": self.width, "starts": self.starts}
        return {**self.cable.preparation.describe(), "cable": cable, "solver": self.solver.describe()}

    def to_xarray(self) -> xr.Dataset:
        """Dataset: V over time and position, arrival over position; velocity and what else was read off as attributes."""
        import xarray as xr

        p = self.cable.preparation
        return xr.Dataset(
            {
                "V": (("time", "x"), self.V, {"units": "mV", "long_name": "membrane potential"}),
                "arrival": ("x", self.arrival, {"units": "ms", "long_name": "arrival of the spike"}),
                "velocity": ((), self.velocity, {"units": "m/s", "long_name": "conduction velocity, 0 if blocked"}),
            },
            {
                "time": ("time", self.t, {"units": "ms", "long_name": "time"}),
                "x": ("x", self.cable.x, {"units": "mm", "long_name": "distance from the stimulated end"}),
            },
            {"title": p.bound.model.title, "provenance": json.dumps(self.provenance)},
        )


def propagate(
    p: Preparation, sections: int = 100, *, width: float = 0.5, again: float | None = None, least: float = 0.0, solver: Solver = SOLVER
) -> Propagation:
    """Excite the first section of a cable at rest and follow the spike until it has passed, or faded.

    ``again``: a second stimulus so many ms after the first; ``least``: ms that are followed in any case.
    Raises ExperimentError for a model that is no cable, ModelSaysNo if the solver gives up or there is no rest."""
    cable = Cable(p, sections)
    V = p.potential
    y = np.tile(cable.rest, (sections, 1))
    amplitude = cable.stimulus(width)
    starts = (0.0,) if again is None else (0.0, again)
    if again is not None and again <= width:
        raise ExperimentError(f"the second stimulus begins at {again:g} ms, before the first has ended ({width:g} ms)")
    edges = [e for start in starts for e in (start, start + width)]
    parts: list[tuple[Array, Array, Array]] = []
    t, since, reached = 0.0, 0.0, -1
    while t < _LONGEST:
        stop = min([e for e in edges if e > t + 1e-9] or [t + _CHUNK])
        stimulus = np.zeros(sections)
        stimulus[0] = amplitude if any(start <= t + 1e-9 < start + width for start in starts) else 0.0
        ts, ys = cable.integrate(y, stimulus, t, stop, solver)
        slopes = [cable.rates(time, state.ravel(), stimulus).reshape(sections, -1)[:, V] for time, state in zip(ts, ys, strict=True)]
        parts.append((ts, ys[:, :, V], np.array(slopes)))
        if t in starts:
            since, reached = stop, -1
        y, t = ys[-1], stop
        crossed = np.flatnonzero(ys[:, :, V].max(axis=0) >= LEVEL)
        if len(crossed) and crossed[-1] > reached:
            reached, since = int(crossed[-1]), t
        passed = reached >= _LAST * sections - 1 and bool((y[:, V] < LEVEL).all())
        if t >= max(edges[-1], least) and (passed or t - since > _FADED):
            break
    # Each stretch starts on the point where the one before it ended, with the stimulus of its own: the earlier point goes.
    t_all, V_all, slope_all = (np.concatenate([x[:-1] for x in column[:-1]] + [column[-1]]) for column in zip(*parts, strict=True))
    return Propagation(cable, t_all, V_all, slope_all, amplitude, width, starts, solver)
