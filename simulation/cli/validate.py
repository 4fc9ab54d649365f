"""cramplab validate: published experiments, run and judged."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulation.cli import output
from simulation.cli.options import Json

if TYPE_CHECKING:
    from simulation.studies.validation import Outcome, Verdict

_STYLES = {"met": "green", "missed": "bold red"}


def register(app: typer.Typer) -> None:
    app.command("validate")(validate)


def validate(
    rows: Annotated[list[str] | None, typer.Argument(metavar="ROW", help="Rows to run; all if none is named.")] = None,
    group: Annotated[list[str] | None, typer.Option("--group", metavar="NAME", help="Rows of a group, as 'low potassium'. Repeat for more.")] = None,
    missed: Annotated[bool, typer.Option("--missed", help="Show only what is missed (the counts stay those of all that was run).")] = False,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="A page (.html) with a plot and the sources of every row.")] = None,
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
      cramplab validate rest-4 refractory
      cramplab validate --group "low potassium"
      cramplab validate --missed
      cramplab validate --html validation.html"""
    from simulation.studies import validation

    chosen = validation.select(rows or [], group or []) if rows or group else validation.rows()
    if html is not None:
        output.destination(html, (".html",), "the page")
    outcomes = validation.validate(chosen, jobs)
    if html is not None:
        _write(html, outcomes, ["cramplab", "validate", *(rows or []), *(part for name in group or [] for part in ("--group", name))])
    shown = [o for o in outcomes if o.verdict == "missed" or not missed]
    if json:
        output.as_json([o.to_dict() for o in shown])
        return
    head, lines = _lines(shown, validation.VERDICTS)
    out = output.console()
    out.print(head if shown else "None of these is missed.", style="bold", soft_wrap=True)
    whole = validation.grouped(outcomes)
    for name, here in validation.grouped(shown).items():
        output.say(name[:1].upper() + name[1:], style="bold")
        if validation.GROUPS[name]:
            out.print(output.wrapped(validation.GROUPS[name], out.width, first="  ", indent="  "))
        for o in here:
            out.print("\n".join(lines[o.row.id]), style=_STYLES.get(o.verdict), soft_wrap=True)
        out.print(output.wrapped(f"= {validation.Count.of(whole[name]).short}", out.width, first="  ", indent="    "), style="bold")
        out.print()
    output.say(validation.Count.of(outcomes).sentence)
    reasons: dict[str, list[str]] = {}
    for o in shown:
        if o.note:
            reasons.setdefault(o.note, []).append(o.row.id)
    output.say(*(f"{', '.join(names)}: {note}." for note, names in reasons.items()))
    if html is not None:
        output.say("", f"Saved: {html}")


def _write(path: Path, outcomes: list[Outcome], command: list[str]) -> None:
    from datetime import datetime
    from importlib.metadata import version

    from simulation.figures import validation_page
    from simulation.files import write_text

    made = {"version": version("cramplab"), "date": datetime.now().astimezone().isoformat(" ", "minutes"), "command": shlex.join(command)}
    write_text(path, validation_page(outcomes, made))


def _lines(outcomes: list[Outcome], words: Mapping[Verdict, str]) -> tuple[str, dict[str, list[str]]]:
    """The head, and each row as lines: the experiment over the whole width, behind it or, where there is no room, below it the figures."""
    figures = {o.row.id: (o.row.published, o.figure, words[o.verdict]) for o in outcomes}
    names = ("published", "model", "verdict")
    widths = [max(map(len, column)) for column in zip(names, *figures.values(), strict=True)]
    width = output.console().width
    room = max(width - sum(widths) - 6, 0)

    def columns(published: str, figure: str, verdict: str) -> str:
        return f"  {published:>{widths[0]}}  {figure:>{widths[1]}}  {verdict}"

    out = {}
    for o in outcomes:
        text = output.wrapped(o.row.experiment, width, first="  ", indent="    ").split("\n")
        row = columns(*figures[o.row.id])
        out[o.row.id] = [f"{text[0]:<{room}}{row}"] if len(text) == 1 and len(text[0]) <= room else [*text, " " * room + row]
    return " " * room + columns(*names), out
