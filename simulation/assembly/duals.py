"""Every symbol of a model at one point, with its exact derivatives by states and parameters: the equations' trace walked forward with numbers.

For what is asked once, such as how a rest depends on every parameter; the compiled Jacobian is for what is asked at every step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.assembly.bind import Bound
from simulation.assembly.trace import Expr
from simulation.physiology.vocabulary import linoid


@dataclass(frozen=True, eq=False)
class Dual:
    """A number and its derivatives, in the order of the names that they are by."""

    value: float
    slope: NDArray[np.float64]


def duals(bound: Bound, point: Mapping[str, float], by: Sequence[str]) -> dict[str, Dual]:
    """Every symbol that an equation defines. ``point``: every state, parameter and the time; ``by``: states or parameters."""
    known = {name: Dual(value, np.zeros(len(by))) for name, value in point.items()}
    for name, slope in zip(by, np.eye(len(by)), strict=True):
        known[name] = Dual(point[name], slope)
    memo: dict[Expr, Dual] = {}
    for d in bound.definitions:
        known[d.symbol] = _dual(d.expression, known, memo)
    return {d.symbol: known[d.symbol] for d in bound.definitions}


def _dual(e: Expr, known: Mapping[str, Dual], memo: dict[Expr, Dual]) -> Dual:
    if e not in memo:
        memo[e] = _worked_out(e, known, memo)
    return memo[e]


def _worked_out(e: Expr, known: Mapping[str, Dual], memo: dict[Expr, Dual]) -> Dual:
    if e.op == "symbol":
        return known[e.args[0]]
    if e.op in ("number", "constant"):
        return Dual(float(e.args[0]), np.zeros_like(next(iter(known.values())).slope))
    if e.op == "root":
        return _root(e, known)
    if e.op == "call":
        name, x = e.args[0], _dual(e.args[1], known, memo)
        y, rise = _CALLS[name](x.value)
        return Dual(y, rise * x.slope)
    a = _dual(e.args[0], known, memo)
    if e.op == "neg":
        return Dual(-a.value, -a.slope)
    b = _dual(e.args[1], known, memo)
    if e.op == "+":
        return Dual(a.value + b.value, a.slope + b.slope)
    if e.op == "-":
        return Dual(a.value - b.value, a.slope - b.slope)
    if e.op == "*":
        return Dual(a.value * b.value, b.value * a.slope + a.value * b.slope)
    if e.op == "/":
        return Dual(a.value / b.value, a.slope / b.value - a.value / b.value**2 * b.slope)
    value = a.value**b.value
    slope = b.value * a.value ** (b.value - 1) * a.slope if a.slope.any() else np.zeros_like(a.slope)
    return Dual(value, slope + value * math.log(a.value) * b.slope if b.slope.any() else slope)


def _root(e: Expr, known: Mapping[str, Dual]) -> Dual:
    """The implicit function theorem at the zero of the residual."""
    from scipy.optimize import brentq

    unknown, residual, _, low, high = e.args
    plain = {name: Dual(x.value, np.zeros(0)) for name, x in known.items()}

    def above(x: float) -> float:
        return _dual(residual, {**plain, unknown: Dual(x, np.zeros(0))}, {}).value

    x = brentq(above, low, high, xtol=1e-14, rtol=1e-15)
    with_x = {name: Dual(y.value, np.append(y.slope, 0.0)) for name, y in known.items()}
    r = _dual(residual, {**with_x, unknown: Dual(x, np.append(np.zeros(len(next(iter(known.values())).slope)), 1.0))}, {})
    return Dual(x, -r.slope[:-1] / r.slope[-1])


def _exp(x: float) -> tuple[float, float]:
    y = math.exp(x)
    return y, y


def _log(x: float) -> tuple[float, float]:
    return math.log(x), 1 / x


def _sqrt(x: float) -> tuple[float, float]:
    y = math.sqrt(x)
    return y, 0.5 / y


def _linoid(x: float) -> tuple[float, float]:
    y = float(linoid(x))
    return y, 0.5 + x / 6 - x**3 / 180 + x**5 / 5040 if abs(x) < 0.05 else y * (1 - float(linoid(-x))) / x


_CALLS = {"exp": _exp, "log": _log, "sqrt": _sqrt, "linoid": _linoid}
