"""cramplab models: what there is."""

from __future__ import annotations

from typing import Any

import typer

from simulation.cli import output, words
from simulation.cli.options import Json


def register(app: typer.Typer) -> None:
    app.command("models")(models)


def models(json: Json = False) -> None:
    """The models and parameter sets that there are.

    Any membrane or parameter set can stand for MODEL in the other commands.

    \b
    Example:
      cramplab models"""
    from simulation import models as shipped
    from simulation import parameter_sets

    found, others = ([_model(name) for name in names] for names in (shipped.names(), shipped.others()))
    sets = [parameter_sets.load(name) for name in parameter_sets.available()]
    more = [{"name": s.name, "model": s.model, "title": s.title, "note": s.note} for s in sets if s.name not in shipped.names()]
    if json:
        output.as_json({"models": found, "others": others, "parameter_sets": more})
        return
    output.say("Models", style="bold")
    output.table([f"  {m['name']}", f"{m['title']}; {words.count(m['states'], 'state')}; bath: {', '.join(m['bath'])}"] for m in found)
    output.say("", "What is no membrane (for cramplab equations and parameters)", style="bold")
    output.table([f"  {m['name']}", f"{m['title']}; {words.count(m['states'], 'state')}"] for m in others)
    output.say("", "Parameter sets that change one of them", style="bold")
    output.table([f"  {s['name']}", f"{s['title']}; a {s['model']}"] for s in more)
    output.say("", f"Any of these names is a MODEL, for example: cramplab rest {found[-1]['name']}")


def _model(name: str) -> dict[str, Any]:
    from simulation import models as shipped

    bound = shipped.bound(name)
    model = bound.model
    return {
        "name": name, "title": model.title, "states": len(bound.states), "bath": list(model.bath),
        "parameter_set": model.parameters, "citations": list(model.citations),
    }
