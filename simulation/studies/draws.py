"""Plausible membranes: parameters drawn over the ranges that their files state."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.assembly.compile import Array
from simulation.assembly.errors import nearest
from simulation.experiment.errors import ExperimentError
from simulation.experiment.preparation import Preparation
from simulation.parameter_sets import convert

METHODS = ("sobol", "latin")
_WIDE = 1.5  # ends of a range that lie further apart than this factor are drawn by their logarithm
_REFERENCES = ("_ref", "_balance", "_closed")  # in which bath or at which temperature a number holds; a form that no gate uses


@dataclass(frozen=True)
class Drawn:
    """A parameter and the range that it is drawn from; ``log``: by its logarithm. The set's own value is the median of the draws."""

    symbol: str
    value: float
    low: float
    high: float
    log: bool
    unit: str

    def at(self, share: Array) -> Array:
        """Values at shares from 0 to 1 of the way: half of them below the set's own value, half above."""
        low, value, high = np.log([self.low, self.value, self.high]) if self.log else (self.low, self.value, self.high)
        below = low + 2 * share * (value - low)
        above = value + (2 * share - 1) * (high - value)
        out = np.where(share < 0.5, below, above)
        return np.asarray(np.exp(out) if self.log else out, dtype=float)


def drawn(p: Preparation, only: Sequence[str] = (), spread: float = 1.0) -> tuple[Drawn, ...]:
    """The parameters that a study draws, or ``only`` some. ``spread``: share of the way from the value to either end of its range.

    Not drawn are the bath, what tells in which bath or at which temperature other numbers hold, what is derived from others, a length that
    is numerical, what is absent from the set (0), what has no range, and what nothing in the membrane depends on. Raises ExperimentError."""
    if not 0 < spread <= 1:
        raise ExperimentError(f"a spread of {spread:g} is not possible: it is a share of the ranges, above 0 and up to 1")
    matter = _matter(p)
    known = [s for s in p.parameters.parameters if not _why_not(p, s, matter)]
    for symbol in only:
        p.parameters[symbol]
        if symbol not in known:
            raise ExperimentError(f"{symbol} is not drawn: {_why_not(p, symbol, matter)}{nearest(symbol, known)}")
    return tuple(_narrowed(p, s, spread) for s in known if not only or s in only)


def _narrowed(p: Preparation, symbol: str, spread: float) -> Drawn:
    x = p.parameters[symbol]
    low, high = x.range
    log = low > 0 and high / low > _WIDE
    a, b = (x.value * (end / x.value) ** spread if log else x.value + spread * (end - x.value) for end in (low, high))
    return Drawn(symbol, x.value, a, b, log, x.unit)


def _why_not(p: Preparation, symbol: str, matter: Container[str]) -> str:
    x, model = p.parameters[symbol], p.bound.model
    if symbol in model.bath.values():
        return "it is part of the bath"
    if symbol.startswith("T_") or any(end in symbol for end in _REFERENCES):
        return "it says where other numbers hold"
    if symbol == model.section or "numerical" in x.note:
        return "it is numerical"
    if x.kind == "derived":
        return "it is derived from others"
    if x.range[0] == x.range[1]:
        return "it has no range"
    if x.value == x.range[0] == 0:
        return "it is absent from this set"
    if symbol not in matter:
        return "nothing in this membrane depends on it"
    return ""


def _matter(p: Preparation) -> set[str]:
    """What the rates depend on, at a state away from rest in a bath away from control, or a state begins with."""
    kernel = p.kernel
    random = np.random.default_rng(0)
    bath = set(p.bound.model.bath.values())
    numbers = {s: v * (0.95 if s in bath else 1.0) for s, v in p.numbers().items()}
    values = kernel.prepare(numbers)
    state = p.guess() * random.uniform(0.8, 1.2, len(p.states))
    before, after = np.empty(len(state)), np.empty(len(state))
    kernel.rhs(0.0, state, values, before)
    out = {s.guess for s in p.bound.states if isinstance(s.guess, str)}
    for symbol in p.parameters.parameters:
        if symbol in numbers:
            kernel.rhs(0.0, state, kernel.changed(values, {symbol: 1.01 * numbers[symbol] + (numbers[symbol] == 0)}), after)
            if not np.array_equal(before, after):
                out.add(symbol)
    return out


def shares(count: int, dimensions: int, seed: int, method: str = "sobol", first: int = 0) -> NDArray[np.float64]:
    """``count`` points in the unit cube from the ``first`` on, shape (count, dimensions): the same whatever was asked for before.

    A Latin hypercube is a new one every ``count`` points. Raises ExperimentError for an unknown method."""
    from scipy.stats import qmc

    if method not in METHODS:
        raise ExperimentError(f"draws by '{method}' are not known{nearest(method, METHODS)}; known: {', '.join(METHODS)}")
    if method == "latin":
        return np.asarray(qmc.LatinHypercube(dimensions, rng=np.random.default_rng([seed, first])).random(count))
    sequence = qmc.Sobol(dimensions, rng=np.random.default_rng(seed))
    if first:
        sequence.fast_forward(first)
    return np.asarray(sequence.random(count))


def table(parameters: Sequence[Drawn], share: NDArray[np.float64]) -> Array:
    """Values in the units of the files, shape as ``share``: (draws, parameters)."""
    return np.column_stack([d.at(share[:, i]) for i, d in enumerate(parameters)])


def rows(p: Preparation, parameters: Sequence[Drawn], values: Array) -> Array:
    """What the compiled functions want of each draw, shape (draws, prepared values)."""
    units = p.bound.parameters
    changed = {
        d.symbol: np.array([convert(v, d.unit, units[d.symbol], d.symbol) for v in values[:, i]]) for i, d in enumerate(parameters)
    }
    return p.kernel.spread(p.kernel.prepare(p.numbers()), changed)


def member(p: Preparation, parameters: Sequence[Drawn], values: Array) -> Preparation:
    """One draw as a preparation of its own."""
    return p.with_values({d.symbol: float(v) for d, v in zip(parameters, values, strict=True)})
