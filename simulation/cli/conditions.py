"""cramplab conditions: what they do to the body, and what serum follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import output, words
from simulation.cli.options import Json

if TYPE_CHECKING:
    from simulation.clinic.conditions import Condition


def register(app: typer.Typer) -> None:
    app.command("conditions")(conditions)


def conditions(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="CONDITION", help="As thiazide:severe or thiazide+poor_diet; all if none.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """List the conditions, or say what one does and what serum follows.

    A condition changes the body (its serum is then predicted), or imposes the serum, or acts on nerve or muscle
    themselves. Several are joined with +, a grade stands behind a colon.

    \b
    Examples:
      cramplab conditions
      cramplab conditions thiazide
      cramplab conditions thiazide:severe+poor_diet"""
    from simulation.clinic.conditions import condition, files

    if not names:
        listed = files()
        if json:
            output.as_json([{"name": f.name, "title": f.title, "grades": list(f.grades), "days": f.days} for f in listed.values()])
            return
        output.table([[f.name, f.title, ", ".join(f.grades)] for f in listed.values()], head=("condition", "what it is", "grades"))
        output.say("", "More on one: cramplab conditions NAME. Over time: cramplab course NAME --days 60.")
        return
    cards = [card(condition(name)) for name in names]
    if json:
        output.as_json(cards)
        return
    for i, c in enumerate(cards):
        if i:
            output.say("")
        output.say(c["title"], style="bold")
        output.say(*c["causes"], "")
        if c["body"]:
            output.table([[symbol, x["text"], f"{x['normal']:g}", words.quantity(x["value"], x["unit"])] for symbol, x in c["body"].items()],
                         head=("changed in the body", "", "normal", "here"), right=(2, 3))
            output.say("")
        when = f"after {c['days']:g} days" if c["days"] >= 1 else f"after {24 * c['days']:g} h" if c["days"] else "at once"
        rows = [[n, *(words.quantity(x[k], x["unit"], 3) for k in ("value", "normal")), x["known"]] for n, x in c["serum"].items()]
        output.table(rows, head=(f"serum {when}", "here", "in health", "how it is known"), right=(1, 2))
        sources = [f"Sources: {', '.join(c['sources'])}."] if c["sources"] else []
        output.say(*(f"{line}." for line in c["beside"]), *sources, f"Note: {c['note']}.")


def card(condition: Condition) -> dict[str, Any]:
    """All that there is to say of a condition."""
    from simulation.clinic import course
    from simulation.clinic.conditions import body_knobs
    from simulation.clinic.conditions import condition as health

    knobs = body_knobs()
    normal, here = course.serum_after(health("")), course.serum_after(condition)
    beside = [f"Around the muscle fibres alone: {words.bath(condition.bath)}"] if condition.bath else []
    beside += [f"The axon is the set {condition.axon}"] if condition.axon != "axon" else []
    beside += [f"The muscle has {', '.join(f'{s} = {v:g}' for s, v in condition.muscle.items())}"] if condition.muscle else []
    moved = {"iCa": "Ca", "iMg": "Mg"}
    return {
        "name": condition.name, "title": condition.title, "causes": [f.cause for f, _ in condition.parts], "days": condition.days,
        "body": {
            s: {"value": v, "normal": knobs[s].value, "unit": knobs[s].unit, "text": knobs[s].note.removeprefix("knob: ")}
            for s, v in condition.body.items()
        },
        "serum": {
            n: {
                "value": here[n], "normal": normal[n], "unit": course.SERUM[n][1],
                "known": "imposed" if moved.get(n, n) in condition.serum else "predicted" if condition.predicted else "normal",
            }
            for n in course.SERUM
        },
        "beside": beside, "sources": sorted({s for f, _ in condition.parts for s in f.source}), "note": "; ".join(f.note for f, _ in condition.parts),
    }
