"""Equations as they are computed, the numbers that stand in them, and the works that these come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from _ext import markdown
from simulation import models, parameter_sets
from simulation.assembly.bind import Bound, Definition
from simulation.assembly.symbols import symbol_latex
from simulation.assembly.typeset import definition_latex
from simulation.classroom.equations import equation
from simulation.cli.equations import headed
from simulation.figures.style import unit
from simulation.parameter_sets import Parameter, ParameterSet
from simulation.physiology import junction

JUNCTION = (
    junction.rho, junction.release, junction.m, junction.EPP, junction.safety_factor, junction.used, junction.ready_later, junction.reserve_later,
)
COLUMNS = ("", "value", "unit", "how known", "plausible", "source", "note", "name")
_CHECKED = {
    "full text": "read in full", "abstract": "read in the abstract or an excerpt", "bibliographic record": "only its bibliographic record was seen",
    "recalled": "from memory, not looked up",
}


def names() -> tuple[str, ...]:
    """Models with equations of their own."""
    return (*models.names(), *models.others())


def pages() -> Iterator[tuple[str, str]]:
    """A page a model, one for the junction, one for the references."""
    sets = [parameter_sets.load(name) for name in (*parameter_sets.available(), *parameter_sets.parts())]
    for name in names():
        yield f"equations/{name}.md", _model(models.bound(name), [s for s in sets if s.model == name])
    yield "equations/junction.md", _junction([s for s in sets if s.model not in names()])
    yield "references.md", references(sets)


def _model(bound: Bound, sets: Sequence[ParameterSet]) -> str:
    parts = [
        f"# {markdown.plain(bound.model.title)}\n",
        f"`{bound.name}`: {len(bound.states)} states, {len(bound.definitions)} equations, {len(bound.parameters)} parameters. "
        f"{'After' if bound.model.citations else ''} {_cited(bound.model.citations)}\n",
        f"On this page: [](#{bound.name}-states), the equations structure by structure, {_links(sets)}. "
        "Below, $\\mathcal{B}(x) = x/(1 - e^{-x})$.\n",
        f"({bound.name}-states)=\n## States\n",
        markdown.table(
            ("", "unit", "what it is", "name in the program"),
            [(f"${symbol_latex(s.symbol)}$", unit(s.unit) or "1", markdown.plain(_about(bound, s.symbol)), f"`{s.symbol}`") for s in bound.states],
        ),
    ]
    for heading, group in groupby(headed(bound, bound.definitions), lambda pair: pair[0]):
        title = "As a whole" if heading == bound.model.title else heading[:1].upper() + heading[1:]
        parts += [f"## {markdown.plain(title)}\n", *(_equation(d) for _, d in group)]
    return "\n".join([*parts, *map(_numbers, sorted(sets, key=lambda s: s.name != bound.model.parameters))])


def _about(bound: Bound, state: str) -> str:
    """What the equation of a state says of it."""
    rate = next((d for d in bound.definitions if d.symbol == f"d{state}_dt"), None)
    return rate.text if rate is not None else ""


def _equation(d: Definition) -> str:
    return _shown(definition_latex(d), d.text, d.unit, d.symbol)


def _shown(latex: str, text: str, in_unit: str, name: str) -> str:
    said = f"{markdown.plain(text)} In {unit(in_unit)}." if unit(in_unit) else markdown.plain(text)
    return f"$$\n{latex}\n$$\n\n{said} `{name}`\n"


def _junction(sets: Sequence[ParameterSet]) -> str:
    parts = ["# Junction and drive of a motor unit\n", "From spike to spike: the equations are worked out at each of them.\n"]
    for function in JUNCTION:
        e = equation(function)
        parts.append(_shown(e.latex, e.text, e.unit, function.__name__))
    return "\n".join([*parts, *map(_numbers, sets)])


# ---- numbers

def _links(sets: Iterable[ParameterSet]) -> str:
    links = [f"[{s.name}](#{markdown.anchor('set', s.name)})" for s in sets]
    return f"and the numbers of {', '.join(links)}" if links else "no numbers"


def _numbers(found: ParameterSet) -> str:
    """The numbers that a set states; what it takes over from another stands there."""
    own = {s: p for s, p in found.parameters.items() if found.origin[s] == found.name}
    others = sorted(set(found.origin.values()) - {found.name})
    links = ", ".join(f"[{name}](#{markdown.anchor('set', name)})" for name in others)
    taken = f"The other {len(found.parameters) - len(own)} are those of {links}.\n" if others else ""
    return "\n".join([
        f"({markdown.anchor('set', found.name)})=\n## Numbers: {found.name}\n",
        f"{markdown.plain(found.title)}. {markdown.plain(found.note)}\n",
        taken,
        markdown.table(COLUMNS, [_row(s, p) for s, p in own.items()], right=(1,)),
    ])


def _row(name: str, p: Parameter) -> tuple[str, ...]:
    low, high = p.range
    known = (p.kind, f"{low:g} to {high:g}", sources(p.source), markdown.plain(p.note))
    return (f"${symbol_latex(name)}$", f"{p.value:g}", unit(p.unit), *known, f"`{name}`")


def only_assumed() -> str:
    """Every number that nothing was found for, set by set."""
    parts = []
    for name in (*parameter_sets.available(), *parameter_sets.parts()):
        found = parameter_sets.load(name)
        rows = [_row(s, p) for s, p in found.parameters.items() if p.kind == "assumed" and found.origin[s] == name]
        own = sum(origin == name for origin in found.origin.values())
        if rows:
            kept = [i for i, head in enumerate(COLUMNS) if head != "how known"]
            table = markdown.table([COLUMNS[i] for i in kept], [[row[i] for i in kept] for row in rows], right=(1,))
            parts.append(f"### {name}: {len(rows)} of {own} that it states\n\n{table}")
    return "\n".join(parts)


# ---- references

def _link(key: str) -> str:
    entry = parameter_sets.references().get(key)
    return f"[{markdown.plain(parameter_sets.citation(entry))}](#ref-{key})" if entry else key


def _cited(keys: Iterable[str]) -> str:
    return ", ".join(map(_link, keys)) + "." if keys else ""


def sources(keys: Iterable[str]) -> str:
    """Links to the references."""
    return "; ".join(map(_link, keys))


def linked(text: str) -> str:
    """A text in which [@key] and [@one; @two] became links to the references."""
    return parameter_sets.with_citations(text, lambda keys: f"({sources(keys)})", markdown.plain)


def references(sets: Iterable[ParameterSet]) -> str:
    """Every work, what was seen of it, and the numbers that come from it."""
    users = _users(sets)
    entries = sorted(parameter_sets.references().items(), key=lambda pair: pair[0])
    parts = [
        "# References\n",
        f"{len(entries)} works. For each is said what was seen of it: the whole, an abstract or an excerpt, or only its bibliographic record. "
        "What is from memory says so and may be wrong.\n",
    ]
    return "\n".join([*parts, *(_reference(key, entry, users.get(key, {})) for key, entry in entries)])


def _users(sets: Iterable[ParameterSet]) -> dict[str, dict[str, list[str]]]:
    out: dict[str, dict[str, list[str]]] = {}
    for found in sets:
        for symbol, p in found.parameters.items():
            for key in p.source if found.origin[symbol] == found.name else ():
                out.setdefault(key, {}).setdefault(found.name, []).append(symbol)
    return out


def _reference(key: str, entry: str, users: Mapping[str, Sequence[str]]) -> str:
    fields = parameter_sets.entry_fields(entry)
    text = parameter_sets.reference(entry)
    doi = fields.get("doi", "")
    shown = markdown.plain(text.replace(f" doi:{doi}", "")) + (f" [doi:{markdown.plain(doi)}](https://doi.org/{doi})" if doi else "")
    checked = fields.get("checked", "")
    seen = _CHECKED.get(checked, f"seen: {checked}") if checked else "not said what was seen of it"
    recalled = f"; recalled: {markdown.plain(fields['recalled'])}" if "recalled" in fields else ""
    used = "; ".join(f"[{name}](#{markdown.anchor('set', name)}) {', '.join(f'`{s}`' for s in symbols)}" for name, symbols in users.items())
    lines = [f"(ref-{key})=\n**{key}** {shown} *({seen}{recalled})*"]
    lines += [markdown.plain(fields["annote"])] if "annote" in fields else []
    return "\n".join([*lines, *([f"Numbers: {used}"] if used else [])]).replace("\n", "\\\n").replace("=\\\n", "=\n", 1) + "\n"
