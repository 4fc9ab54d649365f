"""The typeset reading: equations as SymPy expressions and as LaTeX."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy
from sympy.printing.latex import LatexPrinter

from simulation.assembly.bind import Bound, Definition
from simulation.assembly.symbols import symbol_latex
from simulation.assembly.trace import Expr


class linoid(sympy.Function):  # type: ignore[misc]
    """x/(1 - exp(-x)) as a function of its own."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        x = sympy.Dummy()
        return sympy.diff(x / (1 - sympy.exp(-x)), x).subs(x, self.args[0])


_FUNCTIONS = {"exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt, "linoid": linoid, "at_least": sympy.Max, "at_most": sympy.Min}


@dataclass(frozen=True)
class Typeset:
    """An equation in LaTeX. ``scope``: where it was declared; ``text``: what it says in words."""

    symbol: str
    latex: str
    unit: str
    text: str
    scope: str


def to_sympy(e: Expr, evaluate: bool = False) -> sympy.Expr:
    """A traced expression in SymPy's terms. Unless ``evaluate``, terms stay in the order in which they were written."""
    def visit(x: Expr) -> sympy.Expr:
        if x.op == "symbol":
            return sympy.Symbol(x.args[0], real=True)
        if x.op == "number":
            return _number(x.args[0])
        if x.op == "constant":
            return sympy.Symbol(x.args[0].symbol, positive=True) if x.args[0].symbol.isidentifier() else _number(float(x.args[0]))
        if x.op == "call":
            return _FUNCTIONS[x.args[0]](*map(visit, x.args[1:]), evaluate=evaluate)
        if x.op == "root":
            return sympy.Function("root")(visit(x.args[1]))
        if x.op in ("+", "-", "neg"):
            return sympy.Add(*[_signed(visit(term), sign, evaluate) for sign, term in _terms(x)], evaluate=evaluate)
        if x.op == "*":
            return sympy.Mul(*[visit(factor) for factor in _factors(x)], evaluate=evaluate)
        a, b = (visit(arg) for arg in x.args)
        if x.op == "/":
            inverse = sympy.Pow(b, -1, evaluate=evaluate)
            return inverse if a == 1 else sympy.Mul(a, inverse, evaluate=evaluate)
        return sympy.Pow(a, b, evaluate=evaluate)

    return visit(e)


def _terms(e: Expr, sign: int = 1) -> Iterator[tuple[int, Expr]]:
    """Terms of a sum that was written without brackets, with their signs."""
    if e.op == "neg":
        yield from _terms(e.args[0], -sign) if e.args[0].op not in "+-" else [(-sign, e.args[0])]
    elif e.op in ("+", "-"):
        yield from _terms(e.args[0], sign) if sign == 1 else [(sign, e.args[0])]
        bracket = e.args[1].op in ("+", "-")
        own = sign if e.op == "+" else -sign
        yield from [(own, e.args[1])] if bracket else _terms(e.args[1], own)
    else:
        yield sign, e


def _factors(e: Expr) -> Iterator[Expr]:
    if e.op == "*":
        yield from _factors(e.args[0])
        yield e.args[1]
    else:
        yield e


def _signed(term: sympy.Expr, sign: int, evaluate: bool) -> sympy.Expr:
    if sign == 1:
        return term
    return -term if evaluate or term.is_Symbol or term.is_Number else sympy.Mul(-1, term, evaluate=False)


def _number(value: float) -> sympy.Expr:
    """Whole numbers as such, thirds and the like as fractions, decimals as they were written."""
    if value == int(value):
        return sympy.Integer(int(value))
    simple = sympy.Rational(value).limit_denominator(12)
    return simple if abs(float(simple) - value) < 1e-15 and value != round(value, 3) else sympy.Float(repr(value))


class _Printer(LatexPrinter):  # type: ignore[misc]
    def _print_Symbol(self, expr: sympy.Symbol, style: str = "plain") -> str:
        return symbol_latex(expr.name)

    def _print_linoid(self, expr: sympy.Function, exp: str | None = None) -> str:
        x = self._print(expr.args[0])
        return rf"\mathcal{{B}}\left({x}\right)"


def definition_latex(definition: Definition) -> str:
    """One equation in LaTeX. An implicit one is written as its condition, residual = 0."""
    printer = _Printer({"order": "none", "mul_symbol": r" \, ", "ln_notation": True})
    e = definition.expression
    left = symbol_latex(definition.symbol)
    if e.op == "root":
        residual = printer.doprint(to_sympy(e.args[1]).subs(sympy.Symbol(e.args[0], real=True), sympy.Symbol(definition.symbol, real=True)))
        return rf"{left}:\quad 0 = {residual}"
    return f"{left} = {printer.doprint(to_sympy(e))}"


def latex(bound: Bound) -> list[Typeset]:
    """Every equation of a model, in the order in which they are worked out. B(x) = x/(1 - e^-x) stands for the linoid."""
    return [Typeset(d.symbol, definition_latex(d), d.unit, d.text, d.scope) for d in bound.definitions]
