"""cramplab course: a condition over days, and its treatment."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import options, output, words
from simulation.cli.options import Json, Texts

if TYPE_CHECKING:
    from simulation.clinic.course import Course

_ROWS = 6


def register(app: typer.Typer) -> None:
    app.command("course")(course)


def course(
    condition: Annotated[str, typer.Argument(metavar="CONDITION", help="As thiazide, thiazide:severe or thiazide+poor_diet.", show_default=False)],
    days: Annotated[float, typer.Option("--days", help="How long it is followed.")] = 60.0,
    treat: Annotated[Texts, typer.Option("--treat", metavar="NAME=DOSE/d@DAYd", help="Mg=15/d@30d, ivCa=1/h@2d, or stop@30d.")] = None,
    out: options.DataFile = None,
    figure: options.FigureFile = None,
    size: options.Size = "slide",
    json: Json = False,
) -> None:
    """Follow a condition over days: the serum, the excitability, the recovery.

    What is given is added to what is eaten, from a day on: K or KCl, Ca, Mg in mmol a day, D (vitamin D) in ug a
    day; into a vein ivK, ivCa, ivMg in mmol an hour. With stop the cause ends.

    \b
    Examples:
      cramplab course thiazide --days 60 --treat KCl=40/d@30d
      cramplab course coeliac --days 400 --treat Mg=15/d@365d --figure c.svg
      cramplab course dehydration --days 1 --treat stop@0.5d"""
    from simulation.clinic.conditions import condition as conditions
    from simulation.clinic.course import follow, parse_treatment

    options.check_files("a course", out, figure, size)
    found = follow(conditions(condition), days, [parse_treatment(text) for text in treat or []])

    def draw() -> Any:
        from simulation import figures

        return figures.course_figure(found, size)

    written = output.keep(found.to_dataset(), out, draw, figure)
    if json:
        output.as_json({**facts(found), "files": written})
    else:
        _print(found, written)


def facts(found: Course) -> dict[str, Any]:
    """What ``--json`` says."""
    import numpy as np

    return {
        "condition": found.condition.name, "treatments": [vars(t) for t in found.treatments], "imposed": list(found.imposed), "day": found.moments,
        "serum": {n: np.interp(found.moments, found.days, y) for n, y in found.serum.items()},
        "rest": dict(found.rest), "threshold": dict(found.threshold),
    }


def _print(found: Course, written: list[Path]) -> None:
    import numpy as np

    from simulation.clinic.course import SERUM
    from simulation.clinic.panel import DISCLAIMER

    output.say(found.condition.title, style="bold")
    output.say(*(f"From day {t.day:g}: {t.text}." for t in found.treatments), "")
    chosen = np.unique(np.round(np.linspace(0, len(found.moments) - 1, _ROWS)).astype(int))
    at = found.moments[chosen]
    shown = ("K", "Na", "Ca", "iCa", "Mg", "PTH", "25OHD")
    rows = [[f"{n} ({SERUM[n][1]})", *(words.quantity(float(v), digits=3) for v in np.interp(at, found.days, found.serum[n]))] for n in shown]
    for name in found.rest:
        rows.append([f"{name}: threshold", *(_change(found.threshold[name][i]) for i in chosen)])
        rows.append([f"{name}: rest (mV)", *(f"{found.rest[name][i]:.1f}" for i in chosen)])
    output.table(rows, head=("day", *(f"{d:.3g}" for d in at)), right=tuple(range(1, len(at) + 1)))
    output.say(
        "", "Thresholds against health (0.5 ms).", *([f"Imposed, not predicted: {', '.join(found.imposed)}."] if found.imposed else []), DISCLAIMER,
        *(f"Saved: {path}" for path in written),
    )


def _change(ratio: float) -> str:
    return "none" if not math.isfinite(ratio) else "fires" if ratio == 0 else f"{100 * (ratio - 1):+.0f} %"
