"""cramplab equations: what a model says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import output
from simulation.cli.errors import WrongUse
from simulation.cli.options import Json, Model, Texts, known_model

if TYPE_CHECKING:
    from simulation.assembly.bind import Bound, Definition
    from simulation.assembly.declare import Model as Declared
    from simulation.assembly.declare import Scope


def register(app: typer.Typer) -> None:
    app.command("equations")(equations)


def equations(
    model: Model,
    symbols: Annotated[Texts, typer.Argument(metavar="[SYMBOL]...", help="Only these, for example I_Na_s.", show_default=False)] = None,
    latex: Annotated[bool, typer.Option("--latex", help="As LaTeX, to paste into a handout.")] = False,
    source: Annotated[bool, typer.Option("--source", help="As Python text: right-hand side and Jacobian.")] = False,
    llvm: Annotated[bool, typer.Option("--llvm", help="As the text that the sweep engine's machine code is made of.")] = False,
    json: Json = False,
) -> None:
    """The equations of a model, structure by structure.

    \b
    Examples:
      cramplab equations squid
      cramplab equations fibre I_Na_s E_K_s
      cramplab equations fibre --latex > fibre.tex
      cramplab equations squid --source"""
    from simulation import models

    if (source or llvm) and (latex or symbols):
        raise WrongUse(f"{'--source' if source else '--llvm'} prints the whole model; leave out --latex and the symbols")
    if source and llvm:
        raise WrongUse("--source and --llvm are two texts of one model; ask for one of them")
    bound = models.bound(_model_of(model))
    chosen = [bound.definition(s) for s in symbols] if symbols else list(bound.definitions)
    if source or llvm:
        _print_source(bound, llvm, json)
    elif json:
        typeset = _latex(bound) if latex else {}
        output.as_json({"model": bound.name, "equations": [_facts(d, typeset) for d in chosen]})
    elif latex:
        _print_latex(chosen, _latex(bound))
    else:
        _print_list(bound, chosen)


def _model_of(name: str) -> str:
    """The model that a MODEL argument means."""
    from simulation import models, parameter_sets

    known_model(name)
    return name if name in (*models.names(), *models.others()) else parameter_sets.load(name).model


def expression(definition: Definition) -> str:
    """Right-hand side of an equation as text."""
    from simulation.assembly.emit import to_text
    from simulation.assembly.trace import symbol

    e = definition.expression
    if e.op == "root":
        unknown = symbol(e.args[0])
        text = f"the {definition.symbol} at which {to_text(e.args[1], lambda part: definition.symbol if part == unknown else None)} = 0"
    else:
        text = to_text(e)
    return re.sub(r"\b(\d+)\.0\b", r"\1", text)


def _facts(d: Definition, typeset: dict[str, str]) -> dict[str, Any]:
    out = {"symbol": d.symbol, "expression": expression(d), "unit": d.unit, "text": d.text, "scope": d.scope}
    return out | ({"latex": typeset[d.symbol]} if d.symbol in typeset else {})


def _latex(bound: Bound) -> dict[str, str]:
    from simulation.assembly.typeset import latex

    return {entry.symbol: entry.latex for entry in latex(bound)}


def _print_source(bound: Bound, llvm: bool, json: bool) -> None:
    from simulation.assembly.emit import Emitted

    if llvm:
        from simulation.assembly.lanes import Lanes

        text = Lanes(Emitted(bound), tuple(range(len(bound.states)))).text
    else:
        text = Emitted(bound).source
    if json:
        output.as_json({"model": bound.name, "source": text})
    else:
        print(text, end="")


def _print_latex(chosen: Sequence[Definition], typeset: dict[str, str]) -> None:
    for d in chosen:
        print(f"% {d.symbol} ({d.unit}): {d.text}\n\\begin{{equation*}}\n  {typeset[d.symbol]}\n\\end{{equation*}}\n")


def headed(bound: Bound, chosen: Iterable[Definition]) -> list[tuple[str, Definition]]:
    """Equations with the name of the structure that each belongs to, structure by structure."""
    place = dict(_places(bound.model))
    order = list(dict.fromkeys(place.values()))

    def heading(d: Definition) -> str:
        name = d.symbol.removesuffix("_dt")  # of dm_s_dt it is m_s that says where it belongs
        suffixes = [suffix for scope, suffix in place if scope == d.scope and name.endswith(suffix)]
        return place[d.scope, max(suffixes, key=len)] if suffixes else d.scope

    def position(pair: tuple[str, Definition]) -> int:
        return order.index(pair[0]) if pair[0] in order else len(order)

    return sorted(((heading(d), d) for d in chosen), key=position)


def _print_list(bound: Bound, chosen: Sequence[Definition]) -> None:
    for number, (name, group) in enumerate(groupby(headed(bound, chosen), lambda pair: pair[0])):
        output.say(*[""] * (number > 0), name, style="bold")
        for _, d in group:
            unit = "" if d.unit == "1" else f"   [{d.unit}]"
            print(output.wrapped(f"{expression(d)}{unit}", first=f"  {d.symbol} = ", indent="      "))
            if d.text:
                print(output.wrapped(d.text, first="      # ", indent="      # "))


def _places(model: Declared) -> Iterator[tuple[tuple[str, str], str]]:
    """(scope, suffix of its symbols) -> heading, for every scope of a model."""

    def visit(scope: Scope, suffix: str, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, str], str]]:
        suffix += f"_{scope.suffix}" if scope.suffix else ""
        path = (*above, scope.name)
        yield (scope.name, suffix), ", ".join(path[1:]) or model.title
        for inner in scope.inner:
            yield from visit(inner, suffix, path)

    return visit(model, "", ())
