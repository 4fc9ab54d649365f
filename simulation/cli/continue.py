"""cramplab continue: rests followed along an ion or a parameter, and their borders over two."""  # noqa: N999

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import options, output, words
from simulation.cli.errors import WrongUse
from simulation.cli.options import Json, Membrane, given

if TYPE_CHECKING:
    from simulation.experiment.curves import Branch, Point
    from simulation.figures.plate import Plate
    from simulation.studies.continuation import Borders, Continuation

_MEANS = {
    "fold": "a stable and an unstable rest meet and vanish", "Hopf": "the rest begins to oscillate", "branch point": "two branches cross",
    "cusp": "two folds meet", "Bogdanov-Takens": "folds and Hopf points meet", "stopped": "the branch could not be followed further",
}


def register(app: typer.Typer) -> None:
    app.command("continue")(follow)


@given(membrane=options.membrane)
def follow(
    membrane: Membrane,
    over: Annotated[
        str | None, typer.Option("--over", metavar="NAME=FROM:TO", help="What is changed: K=0.3:12, a parameter, or its share as P_Kir_scale=0.2:1.")
    ] = None,
    and_: Annotated[
        str | None, typer.Option("--and", metavar="NAME=FROM:TO", help="A second one: then the curves of folds and Hopf points over both.")
    ] = None,
    out: options.DataFile = None,
    figure: options.FigureFile = None,
    size: options.Size = "slide",
    json: Json = False,
) -> None:
    """Follow every rest along an ion or a parameter, through its folds.

    A fold is where a stable rest meets an unstable one and both vanish; a Hopf point where a rest begins to
    oscillate, often the onset of firing by itself. Both are found to six digits and more. With --and their curves
    are followed over two ions: the borders of paralysis and of spontaneous firing.

    \b
    Examples:
      cramplab continue fibre --over K=0.3:12 --figure branches.svg
      cramplab continue axon_rhythmic --over Ca=0.3:2.4
      cramplab continue fibre --over K=0.3:6 --and P_Kir_scale=0.5:1.5
      cramplab continue axon_rhythmic --over K=2:9 --and Ca=0.3:2.4 --out b.nc"""
    from simulation.studies.continuation import follow_borders, follow_rests

    if over is None:
        raise WrongUse("say what is changed: --over NAME=FROM:TO, for example --over K=0.3:12")
    options.check_files("a continuation", out, figure, size)
    found = follow_rests(membrane.here, over) if and_ is None else follow_borders(membrane.here, over, and_)
    written = _write(found, out, figure, size)
    if json:
        output.as_json({**membrane.facts(), **facts(found), "files": written})
        return
    output.say(*membrane.heading(), "")
    _print(found)
    if written:
        output.say("", *(f"Saved: {path}" for path in written))


def _write(found: Continuation | Borders, out: Path | None, figure: Path | None, size: str) -> list[Path]:
    from simulation.studies.continuation import Borders

    if out is None and figure is None:
        return []
    dataset = found.to_dataset()

    def draw() -> Plate:
        from simulation import figures

        return (figures.borders_figure if isinstance(found, Borders) else figures.branches_figure)(dataset, size)

    return output.keep(dataset, out, draw, figure)


# ---- the result

def _names(found: Continuation | Borders) -> list[str]:
    from simulation.studies.continuation import Borders

    return [r.name for r in found.over] if isinstance(found, Borders) else [found.over.name]


def _branches(found: Continuation | Borders) -> Sequence[Branch]:
    from simulation.studies.continuation import Borders

    return found.curves if isinstance(found, Borders) else found.branches


def facts(found: Continuation | Borders) -> dict[str, Any]:
    """What ``--json`` says: of each branch or curve its kind, its labelled points and how many points it has."""
    names = _names(found)
    return {
        "over": names,
        "branches": [
            {
                "kind": branch.kind, "closed": branch.closed, "count": len(branch.points),
                "points": [_fact(found, names, q) for q in branch.labelled], "stable": _stable(found, branch),
            }
            for branch in _branches(found)
        ],
    }


def _fact(found: Continuation | Borders, names: list[str], q: Point) -> dict[str, Any]:
    return {
        "label": q.label, **{name: float(v) for name, v in zip(names, q.p, strict=True)}, "V": found.V(q), "period": q.period,
        "growth": q.leading.real, "unstable": q.unstable,
    }


def _stable(found: Continuation | Borders, branch: Branch) -> list[list[float]]:
    """From where to where along the first parameter the rest is stable (or, along a curve, has no other unstable mode)."""
    from simulation.studies.continuation import stretches

    return [sorted(float(branch.points[i].p[0]) for i in (s.first, s.last)) for s in stretches(branch) if s.stable]


def _print(found: Continuation | Borders) -> None:
    from simulation.studies.continuation import Borders

    names = _names(found)
    units = [_unit(found, name) for name in names]
    branches = _branches(found)
    noun = "curve" if isinstance(found, Borders) else "branch"
    if not branches:
        output.say(f"There is no fold and no Hopf point over {' and '.join(names)}." if noun == "curve" else "There is no rest in this range.")
        return
    output.say(f"{words.count(len(branches), noun, 'branches' if noun == 'branch' else None)} over {' and '.join(names)}.", style="bold")
    for i, branch in enumerate(branches):
        title = {"fold": "folds", "Hopf": "Hopf points", "rest": "rests"}[branch.kind]
        output.say("", f"{noun.capitalize()} {i + 1}, {title}{', closed' if branch.closed else ''}:")
        rows = [
            [*(words.quantity(float(v), u, 6) for v, u in zip(q.p, units, strict=True)), words.quantity(found.V(q), "mV"), _said(q)]
            for q in branch.labelled
        ]
        output.table(rows, head=(*names, "V", "what it is"), right=tuple(range(len(names) + 1)))
        spans = [f"{low:.6g} to {high:.6g}" for low, high in _stable(found, branch)]
        if noun == "branch":
            output.say(f"Stable from {' and from '.join(spans)} {units[0]}".strip() + "." if spans else "Stable nowhere.")


def _unit(found: Continuation | Borders, name: str) -> str:
    """Unit of a bath component or a parameter; none for a share."""
    from simulation.experiment.bath import COMPONENTS

    if name in COMPONENTS:
        return COMPONENTS[name].unit
    parameters = found.preparation.parameters
    return parameters[name].unit if name in parameters.parameters else ""


def _said(q: Point) -> str:
    if q.label == "Hopf":
        return f"Hopf: {_MEANS['Hopf']}, every {words.duration(q.period)}"
    return f"{q.label}: {_MEANS[q.label]}" if q.label in _MEANS else "end of the range"
