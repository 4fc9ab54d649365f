"""The unit reading: every equation is walked once with quantities, and a wrong unit names its equation."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import cache
from typing import Any

import pint

from simulation.assembly.bind import Bound, Definition
from simulation.assembly.trace import UNKNOWN, Expr

_FUNCTIONS: dict[str, Callable[..., float]] = {
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "linoid": lambda x: -x / math.expm1(-x) if x else 1.0,
}
_CHOICES: dict[str, Callable[[Any, Any], Any]] = {"at_least": max, "at_most": min}
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
}


class UnitError(ValueError):
    """Units that do not fit."""


@cache
def _registry() -> pint.UnitRegistry[float]:
    return pint.UnitRegistry()


@cache
def _unit(name: str) -> Any:
    """A unit as written in this project's files: 'mS/cm2', '1/ms/mV', 'uA*s/cm3', 'mM'."""
    ureg = _registry()
    text = name.replace("mM2", "(mmol/L)**2").replace("mM3", "(mmol/L)**3").replace("mM", "(mmol/L)").replace("um3", "um**3")
    text = text.replace("Ohm", "ohm").replace("nm2", "nm**2").replace("cm2", "cm**2").replace("cm3", "cm**3")
    text = text.replace("/m2", "/m**2").replace("*m2", "*m**2").replace("kOhm", "kohm")
    try:
        return ureg.Unit("" if name == "1" else text)
    except Exception:  # pint's parser meets nonsense with errors of many kinds
        raise UnitError(f"'{name}' is not a unit that is known") from None


def factor(unit: str, wanted: str) -> float:
    """What a number in ``unit`` is to be multiplied with to be in ``wanted``. Raises UnitError."""
    try:
        zero, one = (float(_registry().Quantity(x, _unit(unit)).to(_unit(wanted)).magnitude) for x in (0.0, 1.0))
    except pint.errors.PintError as error:
        raise UnitError(f"{error}") from None
    if zero:
        raise UnitError(f"'{unit}' has another zero than '{wanted}', no factor leads from one to the other")
    return one


def _evaluate(e: Expr, values: dict[str, Any], memo: dict[Expr, Any]) -> Any:
    if e in memo:
        return memo[e]
    ureg = _registry()

    def value(x: Expr) -> Any:
        return _evaluate(x, values, memo)

    if e.op == "symbol":
        out = values[e.args[0]]
    elif e.op == "number":
        out = ureg.Quantity(e.args[0], "")
    elif e.op == "constant":
        out = ureg.Quantity(float(e.args[0]), _unit(e.args[0].unit))
    elif e.op == "neg":
        out = -value(e.args[0])
    elif e.op == "call":
        name, x = e.args[:2]
        q = value(x)
        if name in _CHOICES:
            out = _CHOICES[name](q, value(e.args[2]))
        elif name == "sqrt":
            out = q**0.5
        else:
            n = q.to("").magnitude
            out = ureg.Quantity(_FUNCTIONS[name](n), "")
    elif e.op == "root":
        unknown, residual, *_ = e.args
        inner = {**values, unknown: ureg.Quantity(0.4, values[unknown])}
        parts: dict[Expr, Any] = {}
        _evaluate(residual, inner, parts)
        if residual.op in ("+", "-"):
            plain = {n: q.magnitude for n, q in inner.items()}
            left, right = (parts[side].to_root_units().magnitude / evaluate_plain(side, plain) for side in residual.args)
            if abs(left / right - 1) > 1e-9:
                raise UnitError(f"the sides of the implicit equation differ by a factor of {left / right:g}")
        out = inner[unknown]
    elif e.op == "**":
        out = value(e.args[0]) ** value(e.args[1]).to("").magnitude
    else:
        out = _OPERATORS[e.op](value(e.args[0]), value(e.args[1]))
    memo[e] = out
    return out


def check_definition(definition: Definition, units: dict[str, str]) -> None:
    """Walk one equation. Raises UnitError that names it where the units do not fit, be it by a factor of 1000."""
    for argument, wanted in definition.argument_units.items():
        bound = definition.arguments[argument]
        try:
            fits = units[bound] == wanted or abs(factor(units[bound], wanted) - 1) <= 1e-12
        except UnitError:
            fits = False
        if not fits:
            raise UnitError(f"{definition.symbol}: '{argument}' is wanted in {wanted}, but {bound} is in {units[bound]}")
    ureg = _registry()
    # Odd numbers, so that nothing cancels by chance.
    values = {n: ureg.Quantity(0.37 + 0.11 * i, _unit(units[n])) for i, n in enumerate(sorted(set(definition.arguments.values())))}
    try:
        # The unknown of an implicit equation is in the unit of what the equation defines.
        result = _evaluate(definition.expression, {**values, UNKNOWN: _unit(definition.unit)}, {})
        own = result.to(_unit(definition.unit)).magnitude
    except (pint.errors.DimensionalityError, UnitError) as error:
        raise UnitError(f"{definition.symbol} = {definition.expression}: {error}") from None
    plain = evaluate_plain(definition.expression, {n: q.magnitude for n, q in values.items()})
    if definition.expression.op != "root" and abs(own - plain) > 1e-9 * abs(plain):
        raise UnitError(
            f"{definition.symbol} = {definition.expression}: comes out in another multiple of {definition.unit} "
            f"(by a factor of {plain / own:g})"
        )


def evaluate_plain(e: Expr, values: dict[str, float]) -> float:
    """The number that an expression has, given its symbols."""
    def value(x: Expr) -> float:
        return evaluate_plain(x, values)

    if e.op == "symbol":
        return values[e.args[0]]
    if e.op in ("number", "constant"):
        return float(e.args[0])
    if e.op == "neg":
        return -value(e.args[0])
    if e.op == "call":
        return float((_CHOICES | _FUNCTIONS)[e.args[0]](*map(value, e.args[1:])))
    if e.op == "root":
        return float("nan")
    return float(_OPERATORS[e.op](value(e.args[0]), value(e.args[1])))


def check_units(bound: Bound) -> int:
    """Walk every equation of a model; gives how many. Raises UnitError."""
    units = dict(bound.units)
    for definition in bound.definitions:
        check_definition(definition, units)
    return len(bound.definitions)
