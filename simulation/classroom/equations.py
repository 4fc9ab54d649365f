"""Equations as a notebook shows them: typeset from the code that is computed, with the numbers that stand in them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulation.assembly.bind import Bound, Definition, units_of
from simulation.assembly.symbols import symbol_latex
from simulation.assembly.trace import as_expr, symbol
from simulation.experiment.body import Body
from simulation.experiment.junction import Junction
from simulation.experiment.preparation import Preparation, prepare
from simulation.figures.style import unit as printed
from simulation.parameter_sets import ParameterSet, citation, references

MOST_NUMBERS = 12


@dataclass(frozen=True)
class Equation:
    """An equation in LaTeX, what it says in words, its unit, and the parameters that stand in it, as rows of a table."""

    latex: str
    text: str
    unit: str
    numbers: tuple[tuple[str, str, str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.latex}  ({self.text})"

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        unit = f" In {printed(self.unit)}." if printed(self.unit) else ""
        rows = "".join(f"\n| {' | '.join(row)} |" for row in self.numbers)
        table = f"\n\n| | value | how it is known | source |\n|:--|--:|:--|:--|{rows}" if rows else ""
        return f"$$\n{self.latex}\n$$\n\n{self.text}{unit}{table}"


def equation(what: str | Callable[..., Any], of: str | Preparation | Junction | Body | None = None) -> Equation:
    """An equation of a model by its symbol, ``equation('I_Kdr', fibre)``, or any function of ``simulation.physiology``.

    ``of``: a model's name, a preparation, a junction or a body, whose numbers are then listed. A symbol without suffix is that of the outer
    membrane. Raises ModelError with the nearest names, TypeError for a symbol without model."""
    if isinstance(of, str):
        of = prepare(of)
    if callable(what):
        return _typeset(_bare(what), of.parameters if of is not None else None)
    if not isinstance(of, Preparation | Body):
        raise TypeError(f"equation('{what}') needs the model that it stands in, for example equation('{what}', 'fibre')")
    return _typeset(_definition(of.bound, what), of.parameters)


def _definition(bound: Bound, name: str) -> Definition:
    outer = name + bound.model.potential.removeprefix("V")
    known = {d.symbol for d in bound.definitions}
    return bound.definition(outer if name not in known and outer in known else name)


def _bare(function: Callable[..., Any]) -> Definition:
    """A function of the physiology as an equation that stands in no model: each argument means itself."""
    units = units_of(function)
    arguments = list(inspect.signature(function).parameters)
    traced = as_expr(function(*(symbol(a) for a in arguments)))
    return Definition(function.__name__, function, {a: a for a in arguments}, units.get("return", ""), units, traced, "")


def _typeset(definition: Definition, numbers: ParameterSet | None) -> Equation:
    from simulation.assembly.typeset import definition_latex

    used = [s for s in dict.fromkeys(definition.arguments.values()) if numbers is not None and s in numbers.parameters]
    rows = [_row(s, numbers, references()) for s in used[:MOST_NUMBERS]] if numbers is not None else []
    return Equation(definition_latex(definition), definition.text, definition.unit, tuple(rows))


def _row(name: str, numbers: ParameterSet, known: Mapping[str, str]) -> tuple[str, str, str, str]:
    p = numbers[name]
    unit = f" {printed(p.unit)}" if printed(p.unit) else ""
    source = "; ".join(citation(known[key]) if key in known else key for key in p.source)
    return f"${symbol_latex(name)}$", f"{p.value:g}{unit}", p.kind, source
