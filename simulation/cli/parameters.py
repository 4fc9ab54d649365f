"""cramplab parameters: the numbers, and where they come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import output, words
from simulation.cli.errors import WRONG_USE
from simulation.cli.options import Json, Texts

if TYPE_CHECKING:
    from simulation.parameter_sets import Parameter, ParameterSet

Set = Annotated[str, typer.Argument(metavar="SET", help="A parameter set (fibre, fibre_hypopp, squid) or a file (mine.toml).", show_default=False)]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=__doc__.split(":", 1)[1].strip().capitalize() if __doc__ else None)
    group.command("list")(list_sets)
    group.command("show")(show)
    group.command("diff")(diff)
    group.command("check")(check)
    group.command("cite")(cite)
    app.add_typer(group, name="parameters")


def list_sets(json: Json = False) -> None:
    """The parameter sets that come with the program.

    \b
    Example:
      cramplab parameters list"""
    from simulation import parameter_sets

    sets = [parameter_sets.load(name) for name in parameter_sets.available()]
    if json:
        output.as_json({"parameter_sets": [_about(s) for s in sets]})
        return
    output.table([[s.name, f"{s.title}; model {s.model}, {len(s.parameters)} parameters"] for s in sets], head=("set", "what it is"))


def show(
    set_: Set,
    symbols: Annotated[Texts, typer.Argument(metavar="[SYMBOL]...", help="Only these, in full, with note and source.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """The numbers of a set, and how each is known.

    \b
    Examples:
      cramplab parameters show fibre
      cramplab parameters show fibre P_Kir P_Na        with notes and sources"""
    from simulation import parameter_sets

    found = parameter_sets.load(set_)
    chosen = {s: found[s] for s in symbols or found.parameters}
    if json:
        output.as_json({**_about(found), "parameters": {s: _facts(found, s) for s in chosen}})
        return
    output.say(f"{found.title} ({found.name})", *([found.note] if found.note else []), "")
    if symbols:
        for symbol in chosen:
            _print_card(found, symbol)
        return
    rows = [[s, f"{p.value:g}", _unit(p), f"{p.range[0]:g} to {p.range[1]:g}", p.kind, ", ".join(p.source)] for s, p in chosen.items()]
    output.table(rows, head=("symbol", "value", "unit", "plausible", "known", "source"), right=(1,))
    output.say("", f"One in full, with its note: cramplab parameters show {set_} {next(iter(chosen))}")


def diff(first: Set, second: Set, json: Json = False) -> None:
    """What two sets say differently.

    \b
    Example:
      cramplab parameters diff fibre fibre_hypopp"""
    from simulation import parameter_sets

    a, b = parameter_sets.load(first), parameter_sets.load(second)
    symbols = [s for s in dict.fromkeys([*a.parameters, *b.parameters]) if _differ(a.parameters.get(s), b.parameters.get(s))]
    if json:
        output.as_json({"sets": [a.name, b.name], "parameters": {s: [_facts(x, s) if s in x.parameters else None for x in (a, b)] for s in symbols}})
        return
    if not symbols:
        output.say(f"{a.name} and {b.name} have the same values.")
        return
    rows = []
    for s in symbols:
        pair = [x.parameters.get(s) for x in (a, b)]
        values = [f"{p.value:g} {_unit(p)}".strip() if p else "none" for p in pair]
        rows.append([s, *values, _ratio(*pair)])
    output.table(rows, head=("symbol", a.name, b.name, "ratio"), right=(1, 2, 3))


def check(
    sets: Annotated[Texts, typer.Argument(metavar="[FILE|SET]...", help="Files or sets; without, all shipped ones.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Whether parameter files are sound.

    Sound is a file that can be read, is complete for its model, has units that fit and names sources that are in the
    bibliography. The exit code is 0 if all are sound, and 2 if not.

    \b
    Examples:
      cramplab parameters check
      cramplab parameters check mine.toml"""
    from simulation import parameter_sets

    complaints = {name: _complaint(name) for name in sets or parameter_sets.available()}
    if json:
        output.as_json({name: {"sound": not complaint, "complaint": complaint or None} for name, complaint in complaints.items()})
    else:
        output.say(*(f"{name}: {complaint or 'sound'}" for name, complaint in complaints.items()))
    if any(complaints.values()):
        raise typer.Exit(WRONG_USE)


def cite(
    set_: Set, bibtex: Annotated[bool, typer.Option("--bibtex", help="As BibTeX entries, for a reference manager.")] = False, json: Json = False
) -> None:
    """Where a set's numbers and its model come from.

    \b
    Examples:
      cramplab parameters cite fibre
      cramplab parameters cite fibre --bibtex > fibre.bib"""
    from simulation import models, parameter_sets

    found = parameter_sets.load(set_)
    entries = parameter_sets.references()
    keys = sorted({*parameter_sets.cited(found.parameters.values()), *(models.get(found.model).citations if found.model in models.names() else ())})
    lacking = [key for key in keys if key not in entries]
    users = {key: [s for s, p in found.parameters.items() if key in p.source] for key in keys}
    if lacking:
        output.warn(f"the bibliography lacks {', '.join(lacking)}")
    if json:
        sources = [{"key": key, "reference": parameter_sets.reference(entries.get(key, "")), "parameters": users[key]} for key in keys]
        output.as_json({"set": found.name, "sources": sources})
    elif bibtex:
        print("\n\n".join(entries[key] for key in keys if key in entries))
    else:
        for key in keys:
            what = f"{words.count(len(users[key]), 'parameter')}" if users[key] else "the model"
            print(output.wrapped(f"{parameter_sets.reference(entries.get(key, key))} ({what})", first=f"{key}: ", indent="    "))


# ---- parts

def _about(found: ParameterSet) -> dict[str, Any]:
    return {"name": found.name, "model": found.model, "title": found.title, "note": found.note}


def _facts(found: ParameterSet, symbol: str) -> dict[str, Any]:
    return {**found[symbol].model_dump(), "stated_in": found.origin[symbol]}


def _unit(p: Parameter) -> str:
    return "" if p.unit == "1" else p.unit


def _print_card(found: ParameterSet, symbol: str) -> None:
    p = found[symbol]
    output.say(f"{symbol} = {p.value:g} {_unit(p)}".rstrip(), style="bold")
    rows = [
        ["  known", p.kind],
        ["  plausible", f"{p.range[0]:g} to {p.range[1]:g} {_unit(p)}"],
        ["  source", ", ".join(p.source) or "none"],
        ["  stated in", found.origin[symbol]],
    ]
    output.table([*rows, ["  note", p.note]] if p.note else rows)


def _differ(a: Parameter | None, b: Parameter | None) -> bool:
    return a is None or b is None or (a.value, a.unit) != (b.value, b.unit)


def _ratio(a: Parameter | None, b: Parameter | None) -> str:
    return f"{b.value / a.value:.3g}" if a and b and a.unit == b.unit and a.value else ""


def _complaint(name: str) -> str:
    """What is wrong with a set, or an empty string."""
    from simulation import models, parameter_sets
    from simulation.assembly.errors import ModelError
    from simulation.parameter_sets import ParameterError

    try:
        found = parameter_sets.load(name)
        bound = models.bound(found.model)
        bound.check_parameters([*found.parameters, *bound.model.stimulus])
        found.values(bound.parameters)
    except (ParameterError, ModelError) as error:
        return str(error)
    known = parameter_sets.references()
    lacking = [f"{s} cites '{key}'" for s, p in found.parameters.items() for key in p.source if key not in known]
    return f"{_list(lacking)}, which references.bib does not have" if lacking else ""


def _list(items: Iterable[str], most: int = 3) -> str:
    items = list(items)
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")
