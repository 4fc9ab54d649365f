"""cramplab validate: published experiments, run and judged."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from simulation.cli import output, words
from simulation.cli.options import Json

if TYPE_CHECKING:
    from simulation.studies.validation import Outcome, Row

_WORDS = {
    "met": "met",
    "missed": "MISSED",
    "fitted": "met (fitted)",
    "construction": "met (built in)",
    "waits": "not yet run",
}
_STYLES = {"met": "green", "missed": "bold red"}


def register(app: typer.Typer) -> None:
    app.command("validate")(validate)


def validate(
    rows: Annotated[list[str] | None, typer.Argument(metavar="ROW", help="Rows to run; all if none is named.")] = None,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    json: Json = False,
) -> None:
    """Hold the models against published experiments, misses shown.

    \b
    met            inside the experiment's spread, which was set before the run
    met (fitted)   the parameters were tuned with this in view: no evidence
    met (built in) follows from how the model was put together
    MISSED         outside; the figure stands beside
    not yet run    the model lacks something that the experiment needs

    Where a mean is published it stands before the range, and the model's deviation from it behind the figure.

    \b
    Examples:
      cramplab validate
      cramplab validate rest-4 refractory"""
    from simulation.studies import validation

    outcomes = validation.validate(validation.select(rows or []), jobs)
    if json:
        output.as_json([o.to_dict() for o in outcomes])
        return
    output.table(
        [[o.row.experiment, _expected(o.row), _figure(o), _WORDS[o.verdict]] for o in outcomes],
        head=["experiment", "published", "model", "verdict"],
        right=(1, 2),
        styles=[_STYLES.get(o.verdict, "") for o in outcomes],
    )
    count = Counter(o.verdict for o in outcomes)
    experiments = Counter(o.verdict for o in outcomes if o.row.known != "reasoning")
    evidence = experiments["met"] + experiments["missed"]
    reasoned = sum(count[v] - experiments[v] for v in ("met", "missed"))
    output.say(
        "",
        f"Independent experiments: {experiments['met']} of {evidence} met, {experiments['missed']} missed. "
        f"Expected from the mechanism, without an experiment: {count['met'] - experiments['met']} of {reasoned} come out. "
        f"{count['fitted'] + count['construction']} more come out because the model was tuned or built so; "
        f"{count['waits']} cannot be run yet.",
    )
    reasons: dict[str, list[str]] = {}
    for o in outcomes:
        if o.note:
            reasons.setdefault(o.note, []).append(o.row.id)
    output.say(*(f"{', '.join(names)}: {note}." for note, names in reasons.items()))


def _expected(row: Row) -> str:
    low, high = row.expected
    unit = "" if row.unit == "1" else f" {row.unit}"
    if row.mean is not None:
        return f"{row.mean:g} ({low:g} to {high:g}){unit}"
    if math.isinf(low):
        return f"at most {high:g}{unit}"
    if low == high:
        return f"{low:g}{unit}"
    if math.isinf(high):
        return f"at least {low:g}{unit}"
    return f"{low:g} to {high:g}{unit}"


def _figure(outcome: Outcome) -> str:
    figure = "-" if outcome.value is None else words.quantity(outcome.value, outcome.row.unit, digits=3)
    return figure if outcome.deviation is None else f"{figure} ({outcome.deviation:+.0f} %)"
