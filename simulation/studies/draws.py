"""Parameters drawn over the ranges that their files state: which are, from where to where, and so many points among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulation.assembly.compile import Array
from simulation.assembly.errors import nearest
from simulation.assembly.trace import symbols_in
from simulation.experiment.errors import ExperimentError
from simulation.experiment.preparation import Preparation
from simulation.parameter_sets import convert

SHIFT, SHARE = 1.0, 0.1  # mV and share that local effects are given for: slopes times that step
METHODS = ("sobol", "latin")


@dataclass(frozen=True)
class Drawn:
    """A parameter (or bath component) with its value and the range over which it is varied, in the unit of its file."""

    name: str
    value: float
    low: float
    high: float
    unit: str

    @property
    def potential(self) -> bool:
        """Whether it is a place on the scale of potentials, which is shifted rather than multiplied."""
        return self.unit == "mV" and (self.name[0] in "VE" or self.low <= 0)

    @property
    def step(self) -> float:
        """What local effects are given for: 1 mV for a potential, 10 % for all else."""
        return SHIFT if self.potential else SHARE * abs(self.value)

    def at(self, u: Array) -> Array:
        """From shares 0 to 1 of all draws: half of them lie below the value, half above, each half even in the logarithm where the range
        is positive. Where the value is an end of the range there is but one half."""
        log = self.low > 0
        ends = [self.low, self.high] if self.value in (self.low, self.high) else [self.low, self.value, self.high]
        y = np.interp(u, np.linspace(0, 1, len(ends)), np.log(ends) if log else ends)
        return np.clip(np.exp(y), self.low, self.high) if log else y

    def narrowed(self, spread: float) -> Drawn:
        """The same with both ends brought nearer to the value: to that share of their distance from it, in the logarithm if positive."""
        if self.low > 0:
            low, high = (self.value * (end / self.value) ** spread for end in (self.low, self.high))
        else:
            low, high = (self.value + spread * (end - self.value) for end in (self.low, self.high))
        return replace(self, low=min(low, self.value), high=max(high, self.value))


def drawn(p: Preparation, over: Iterable[str] | None = None, spread: float = 1.0) -> tuple[Drawn, ...]:
    """What is varied, over the ranges of the parameter files narrowed by ``spread`` (1: as they are).

    ``over``: parameters or bath components by name; if not given, all parameters but those that ``left_out`` names.
    Raises ExperimentError, ParameterError."""
    if not 0 < spread <= 1:
        raise ExperimentError(f"the spread {spread:g} is no share of the ranges; take a number above 0 up to 1, for example 0.5")
    passed = {s for symbols in left_out(p).values() for s in symbols}
    names = [s for s in p.parameters.parameters if s not in passed] if over is None else list(dict.fromkeys(over))
    if not names:
        raise ExperimentError("say which parameters are varied, for example P_Na")
    return tuple(_drawn(p, name).narrowed(spread) for name in names)


def _drawn(p: Preparation, name: str) -> Drawn:
    bath, parameters = p.bound.model.bath, p.parameters
    if name not in bath and name not in parameters.parameters:
        known = [*parameters.parameters, *bath]
        raise ExperimentError(f"{parameters.name} has no parameter '{name}'{nearest(name, known)}; see: cramplab parameters show {parameters.name}")
    parameter = parameters[bath.get(name, name)]
    value = p.whole_bath[name] if name in bath else parameter.value
    low, high = min(parameter.range[0], value), max(parameter.range[1], value)
    if low == high:
        raise ExperimentError(f"{name} has no range to vary over: its file gives {low:g} to {high:g}")
    return Drawn(name, value, low, high, parameter.unit)


def left_out(p: Preparation) -> dict[str, list[str]]:
    """Parameters that are not varied unless they are named, by the reason."""
    out: dict[str, list[str]] = {}
    used = _used(p)
    for symbol, parameter in p.parameters.parameters.items():
        if symbol in p.bound.model.bath.values():
            reason = "bath"
        elif re.search(r"_ref(_|$)", symbol):
            reason = "reference at which curves were measured"
        elif parameter.unit == "degC":
            reason = "temperature"
        elif symbol not in used:
            reason = "does not enter a rate of change"
        elif parameter.kind == "derived":
            reason = "derived from others"
        elif parameter.value == parameter.range[0] == 0:
            reason = "absent in this set"
        elif parameter.range[0] == parameter.range[1]:
            reason = "without a range"
        else:
            continue
        out.setdefault(reason, []).append(symbol)
    return out


def _used(p: Preparation) -> set[str]:
    """Symbols that a rate of change depends on, or a state that is held at rest."""
    expressions = {d.symbol: d.expression for d in p.bound.definitions}
    guesses = (p.bound.states[i].guess for i in p.held_at_rest)
    found: set[str] = set()
    stack = [*p.bound.derivatives, *(g for g in guesses if isinstance(g, str))]
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack.extend(symbols_in(expressions[name]) if name in expressions else ())
    return found


def check_method(method: str) -> None:
    """Raises ExperimentError for a way to draw that is not known."""
    if method not in METHODS:
        raise ExperimentError(f"draws by '{method}' are not known{nearest(method, METHODS)}; known: {', '.join(METHODS)}")


def shares(count: int, dimensions: int, seed: int, method: str = "sobol", first: int = 0) -> NDArray[np.float64]:
    """``count`` points in the unit cube from the ``first`` on, shape (count, dimensions): the same whatever was asked for before.

    A Latin hypercube is a new one every ``count`` points. Raises ExperimentError for an unknown method."""
    from scipy.stats import qmc

    check_method(method)
    if method == "latin":
        return np.asarray(qmc.LatinHypercube(dimensions, rng=np.random.default_rng([seed, first])).random(count))
    sequence = qmc.Sobol(dimensions, rng=np.random.default_rng(seed))
    if first:
        sequence.fast_forward(first)
    return np.asarray(sequence.random(count))


def mapped(u: Array, over: Sequence[Drawn]) -> Array:
    """Rows of values, in the units of the files, from rows of shares between 0 and 1."""
    return np.column_stack([d.at(u[:, j]) for j, d in enumerate(over)])


def rows(p: Preparation, parameters: Sequence[Drawn], values: Array) -> Array:
    """What the compiled functions want of each draw, shape (draws, prepared values)."""
    units = p.bound.parameters
    changed = {
        d.name: np.array([convert(v, d.unit, units[d.name], d.name) for v in values[:, i]]) for i, d in enumerate(parameters)
    }
    return p.kernel.spread(p.kernel.prepare(p.numbers()), changed)


def member(p: Preparation, parameters: Sequence[Drawn], values: Array) -> Preparation:
    """One draw as a preparation of its own."""
    return p.with_values({d.name: float(v) for d, v in zip(parameters, values, strict=True)})
