"""What the models give where something was published, and what they make of the popular claims; misses are shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any

from _ext import markdown
from _ext.equations import linked, sources
from _ext.kept import Keeper, results
from simulation.cli.claims import result
from simulation.clinic import claims
from simulation.figures import validation_page
from simulation.studies import validation
from simulation.studies.validation import GROUPS, VERDICTS, Count, Outcome

JOBS = 2
LEFT_OUT = """
```{{admonition}} Left out of this copy
:class: warning

This copy of the site was built in a hurry, and what stands here takes some minutes to compute. `make docs` puts it in; `{command}` prints it.
```
"""


# ---- validation

def outcomes(keeper: Keeper) -> list[Outcome] | None:
    """Every row run and judged, or None if that takes too long."""
    known = keeper.get("validation", results(), _validated)
    if known is None:
        return None
    found = {o["id"]: o for o in known}
    return [Outcome(row, _number(found[row.id]["value"]), found[row.id]["verdict"], found[row.id]["note"]) for row in validation.rows()]


def _validated() -> list[dict[str, Any]]:
    made = validation.validate(validation.rows(), JOBS)
    values = [None if o.value is None else repr(float(o.value)) for o in made]
    return [{"id": o.row.id, "value": value, "verdict": o.verdict, "note": o.note} for o, value in zip(made, values, strict=True)]


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def validation_text(found: list[Outcome] | None) -> str:
    """Counts, misses and every row."""
    if found is None:
        return LEFT_OUT.format(command="cramplab validate")
    groups = validation.grouped(found)
    counts = [(f"[{_title(name)}](#{markdown.anchor('rows', name)})", *_counts(Count.of(some))) for name, some in groups.items()]
    head = ("group", "experiments", "expectations", "tuned or built", "not yet run")
    parts = [
        f"**{Count.of(found).sentence}**\n",
        '<a href="validation_plots.html">The same with a plot and the sources of every row</a>, as `cramplab validate --html` makes it.\n',
        "## How many come out\n", markdown.table(head, counts), "## What is missed\n", misses(found), "## Every row\n",
    ]
    for name, some in groups.items():
        parts += [f"({markdown.anchor('rows', name)})=\n### {_title(name)}\n", f"{markdown.plain(GROUPS[name])}\n", _rows(some)]
    return "\n".join(parts)


def _counts(count: Count) -> list[str]:
    pairs = (count.experiments, count.expectations, count.built)
    return [*(f"{out} of {all_}" if all_ else "" for out, all_ in pairs), str(count.waits or "")]


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]


def misses(found: list[Outcome] | None) -> str:
    """What does not come out, with its figure."""
    if found is None:
        return LEFT_OUT.format(command="cramplab validate --missed")
    return _rows([o for o in found if o.verdict == "missed"])


def _rows(some: Sequence[Outcome]) -> str:
    rows = []
    for o in some:
        verdict = f"**{VERDICTS[o.verdict]}**" if o.verdict == "missed" else VERDICTS[o.verdict]
        notes = ". ".join(text[:1].upper() + text[1:] for text in (o.note, o.row.remark) if text)
        said = (o.row.published, o.figure, verdict, sources(o.row.source))
        rows.append((markdown.plain(o.row.experiment), *said, markdown.plain(notes), f"`{o.row.id}`"))
    return markdown.table(("experiment", "published", "model", "verdict", "source", "note", "row"), rows)


def plots(found: list[Outcome]) -> str:
    """The page that `cramplab validate --html` makes."""
    made = {"version": version("cramplab"), "date": datetime.now().astimezone().isoformat(" ", "minutes"), "command": "cramplab validate"}
    return validation_page(found, made)


# ---- claims

def claims_text(keeper: Keeper) -> str:
    """Every claim with its experiments, its verdict and what trials and reviews say."""
    known = keeper.get("claims", results(), lambda: [j.to_dict() for j in claims.judge_all(claims.ledger(), JOBS)])
    if known is None:
        return LEFT_OUT.format(command="cramplab claims")
    judged = {j["id"]: j for j in known}
    rows = []
    for c in claims.ledger():
        sides = [f["side"] for f in judged[c.id]["found"]]
        link = f"[{markdown.plain(c.title)}](#{markdown.anchor('claim', c.id)})"
        rows.append((link, f"{sides.count('for')} of {len(sides)}", judged[c.id]["verdict"]))
    table = markdown.table(("claim", "experiments for it", "verdict"), rows)
    return "\n".join([f"{claims.RULE}\n", table, *(_claim(c, judged[c.id]) for c in claims.ledger())])


def _claim(c: claims.Claim, judged: dict[str, Any]) -> str:
    rows = []
    for finding, found in zip(c.findings, judged["found"], strict=True):
        value = found["value"] if found["value"] is not None else math.nan
        shown = result(finding, claims.Found(found["id"], value, found["side"]))
        built = f"no evidence: {finding.built_in}" if finding.built_in else ""
        rows.append((*map(markdown.plain, (finding.text, shown)), found["side"], markdown.plain(built)))
    parts = [
        f"({markdown.anchor('claim', c.id)})=\n## {markdown.plain(c.title)}: {judged['verdict']}\n",
        f"> {markdown.plain(c.claim)}\n", f"What would make it true: {markdown.plain(c.mechanism)}\n",
        markdown.table(("experiment", "result", "speaks", ""), rows), f"The lesson: {markdown.plain(c.lesson)}\n",
    ]
    parts += [f"What trials and reviews say: {linked(c.literature)}\n"] if c.literature else []
    parts += [f"What the model cannot say: {markdown.plain(c.cannot)}\n"] if c.cannot else []
    return "\n".join([*parts, f"`cramplab claims {c.id}` tries it again, with the mechanism switched off and among plausible membranes.\n"])
