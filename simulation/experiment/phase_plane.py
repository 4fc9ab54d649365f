"""The phase plane of the squid axon: four variables read as two, the potential V and the potassium gate n.

The reduction of the textbooks: m is where it would settle at V, and h lies on a straight line over n. The line goes through rest; its
slope is fitted to a spike of the full model. Every rate is the model's own right-hand side, asked at such states."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline

from simulation.assembly.compile import Array
from simulation.experiment.errors import ExperimentError
from simulation.experiment.gates import gate_curves
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Pulse, protocol
from simulation.experiment.recording import Recording
from simulation.experiment.rest import Rest, find_rest
from simulation.experiment.solve import run
from simulation.experiment.threshold import threshold_current

GATES = ("m", "h", "n")
SHARES = (0.95, 1.05)  # of the threshold current: a pulse below it and one above
_HALVINGS = 50


@dataclass(frozen=True, eq=False)
class Reduction:
    """The reading in two variables. ``rest``: of the full model and of this; ``slope``: of h over n, so that h = h_rest + slope (n - n_rest)."""

    preparation: Preparation
    rest: Rest
    slope: float

    def h(self, n: Array) -> Array:
        """Inactivation that goes with n."""
        return self._at_rest("h") + self.slope * (n - self._at_rest("n"))

    @property
    def n_range(self) -> tuple[float, float]:
        """Where both n and h lie between 0 and 1: beyond it the sodium current of the reading has no sense."""
        ends = self._at_rest("n") + (np.array([0.0, 1.0]) - self._at_rest("h")) / self.slope
        return max(0.0, float(ends.min())), min(1.0, float(ends.max()))

    def _at_rest(self, state: str) -> float:
        return float(self.rest.at().state[self.preparation.states.index(state)])

    @cached_property
    def _m_inf(self) -> CubicSpline:
        curves = gate_curves(self.preparation, np.arange(-130.0, 80.01, 0.1), self.rest)
        return CubicSpline(curves["V"].values, curves["m_inf"].values)

    def rates(self, V: Array, n: Array, stimulus: float = 0.0) -> tuple[Array, Array]:
        """dV/dt (mV/ms) and dn/dt (1/ms), from the model's right-hand side. ``stimulus``: uA/cm2."""
        p = self.preparation
        V, n = np.broadcast_arrays(np.asarray(V, dtype=float), np.asarray(n, dtype=float))
        states = np.empty((V.size, len(p.states)))
        for name, y in {"V": V, "m": self._m_inf(V), "h": self.h(n), "n": n}.items():
            states[:, p.states.index(name)] = y.ravel()
        out = np.empty_like(states)
        at = p.kernel.emitted.values.index(p.bound.model.stimulus[0])
        p.kernel.rhs_along(0.0, states, p.values.copy(), np.full(V.size, stimulus), at, out)
        return out[:, p.potential].reshape(V.shape), out[:, p.states.index("n")].reshape(V.shape)

    def nullcline(self, V: Array, of: str) -> Array:
        """The n at which dV/dt (``of`` 'V') or dn/dt ('n') is zero at each V, by halving; NaN where there is none in ``n_range``
        (for n, which h does not act on, between 0 and 1)."""
        V, which = np.asarray(V, dtype=float), ("V", "n").index(of)
        low, high = (np.full(V.shape, end) for end in (self.n_range, (0.0, 1.0))[which])
        sign = np.sign(self.rates(V, low)[which])
        there = sign * self.rates(V, high)[which] < 0
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            same = np.sign(self.rates(V, middle)[which]) == sign
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        return np.where(there, 0.5 * (low + high), np.nan)

    def run(self, amplitude: float, width: float, duration: float) -> tuple[Array, Array, Array]:
        """Times (ms), V and n of the two-variable model from rest through a pulse at 0 ms."""
        y = np.array([self._at_rest("V"), self._at_rest("n")])
        parts: list[Any] = []
        for start, stop, stimulus in ((0.0, width, amplitude), (width, duration, 0.0)):
            def rhs(_: float, y: Array, stimulus: float = stimulus) -> Array:
                return np.array(self.rates(y[0], y[1], stimulus))

            found = solve_ivp(rhs, (start, stop), y, method="LSODA", rtol=1e-6, atol=1e-8, max_step=0.1)
            parts.append((found.t, *found.y))
            y = found.y[:, -1]
        t, V, n = (np.concatenate(column) for column in zip(*parts, strict=True))
        return t, V, n


@dataclass(frozen=True, eq=False)
class PhasePlane:
    """Two runs of the full model, by a pulse below and one above its threshold, and the two-variable reading.

    ``V``: mV, shape (n,); ``V_nullcline``, ``n_nullcline``: n where the potential stands still, and where n does, shape (n,);
    ``threshold``: current of the pulse that just fires, uA/cm2."""

    reduction: Reduction
    threshold: float
    below: Recording
    above: Recording
    V: Array
    V_nullcline: Array
    n_nullcline: Array

    @property
    def provenance(self) -> dict[str, Any]:
        """What made it."""
        return self.above.provenance | {"phase_plane": {"h_over_n": self.reduction.slope, "below": self.below.provenance["protocol"]}}


def phase_plane(p: Preparation, *, width: float = 0.2, duration: float = 30.0, V: Array | None = None) -> PhasePlane:
    """The phase plane of a membrane whose gates are m, h and n alone. ``width``: of the pulses, ms; ``duration``: how long they are followed.

    Raises ExperimentError for another model, ModelSaysNo if it has no rest."""
    if sorted(p.states) != sorted(("V", *GATES)):
        raise ExperimentError(f"a phase plane is drawn of a membrane with the gates m, h and n alone, such as squid; {p.bound.name} has others")
    rest = find_rest(p)
    threshold = threshold_current(p, width, start=rest.at().state, guess=30.0)
    below, above = (run(p, protocol(Pulse(share * threshold, width), duration=duration), start=rest.at().state) for share in SHARES)
    n, h = (above[gate] - rest.symbol(gate) for gate in ("n", "h"))
    weight = np.gradient(above.t)  # the solver's points lie close together in the upstroke
    reduction = Reduction(p, rest, float(np.sum(weight * n * h) / np.sum(weight * n * n)))
    V = np.arange(-80.0, 45.01, 0.5) if V is None else np.asarray(V, dtype=float)
    return PhasePlane(reduction, threshold, below, above, V, reduction.nullcline(V, "V"), reduction.nullcline(V, "n"))
