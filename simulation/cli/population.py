"""cramplab population: what most plausible membranes do, and what sets the others apart."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import options, output
from simulation.cli.errors import Stopped, WrongUse
from simulation.cli.options import Json, Texts
from simulation.cli.sweep import progress_bar

if TYPE_CHECKING:
    from simulation.studies.population import Apart, Population, Study

_SHOWN = ("fires by itself", "after-discharge", "paralysed", "two rests")
_APART_SHOWN = 6


def register(app: typer.Typer) -> None:
    app.command("population")(population)


def population(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="fibre, axon, or a set of these.", show_default=False)],
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="How many plausible membranes.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the draws: the same seed, the same population.")] = 1,
    bath: Annotated[Texts, typer.Option("--bath", metavar="ION=VALUE,...", help="A bath, as often as wanted. Default: twelve.")] = None,
    draw: Annotated[str | None, typer.Option("--draw", metavar="SYMBOL,...", help="Draw these parameters alone.", show_default=False)] = None,
    spread: Annotated[float, typer.Option("--spread", help="Share of the ranges that is drawn from, up to 1.")] = 1.0,
    method: Annotated[str, typer.Option("--method", help="sobol or latin (Latin hypercubes).")] = "sobol",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Save it: .nc.", show_default=False)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what was interrupted.")] = False,
    figure: options.FigureFile = None,
    size: options.Size = "slide",
    jobs: Annotated[int | None, typer.Option("--jobs", metavar="N", min=1, help="Threads that share the work. Default: one a core.")] = None,
    json: Json = False,
) -> None:
    """Draw plausible membranes and put them into many baths.

    Parameters are drawn over the ranges that their files state, half of the draws below the set's own value. Kept is
    what behaves plausibly in the control bath; the criteria and how many draws each turned away are printed. Then
    it is counted what these do in other baths, with exact binomial intervals, and which parameters set those apart
    that fire or are paralysed.

    \b
    Examples:
      cramplab population fibre --count 100
      cramplab population axon --count 200 --bath Ca=0.7 --bath Ca=0.7,K=6
      cramplab population fibre --count 300 --out p.nc --figure p.svg"""
    from simulation.experiment.preparation import prepare
    from simulation.studies.population import BATHS, Study, run_study

    options.check_files("a population", out, figure, size, (".nc",))
    if resume and out is None:
        raise WrongUse("--resume goes on with what is kept beside a file: name it with --out")
    only = tuple(part.strip() for part in draw.split(",")) if draw else ()
    baths = ("", *(b for b in bath if b)) if bath else BATHS
    study = Study(prepare(model), count, seed, baths, only, spread, method)
    with progress_bar() as show:
        try:
            found = run_study(study, out, jobs=jobs, resume=resume, progress=lambda what, done, of: show(done, of))
        except KeyboardInterrupt:
            raise Stopped(f"Stopped; what is finished is kept, go on with --resume --out {out}" if out else "Stopped.") from None
    written = [out] if out is not None else []
    if figure is not None:
        from simulation import figures

        written += figures.save(figures.population_figure(found, size), figure)
    if json:
        output.as_json({**facts(study, found), "files": written})
    else:
        _print(study, found, written)
    if found.check["beyond"]:
        raise typer.Exit(1)


def facts(study: Study, found: Population) -> dict[str, Any]:
    """What ``--json`` says."""
    import json as json_format

    from simulation.studies.population import OUTCOMES

    baths = []
    for bath in found.baths:
        low, middle, high = ratio_quantiles(found, bath)
        outcomes = {
            name: {"count": int(found.shows(name, bath).sum()), "share": found.fraction(name, bath), "interval": list(found.interval(name, bath))}
            for name in OUTCOMES
        }
        baths.append({"bath": bath or "control", "outcomes": outcomes, "threshold": {"median": middle, "5 %": low, "95 %": high}})
    return {
        "model": study.preparation.parameters.name, "seed": study.seed, "method": study.method, "spread": study.spread,
        "members": found.count, "drawn": int(found.data.attrs["drawn"]), "accepted": found.acceptance,
        "refused": json_format.loads(found.data.attrs["refused"]), "parameters": [d.name for d in study.drawn], "baths": baths,
        "apart": [{"bath": b or "control", "outcome": o, "parameters": [vars(a) for a in tail]} for b, o, tail in tails(found)],
        "check": found.check,
    }


def ratio_quantiles(found: Population, bath: str) -> tuple[float, float, float]:
    """5 %, median and 95 % of the threshold as a multiple of each member's own, of those that have one."""
    import numpy as np

    ratio = found.ratio(bath)
    ratio = ratio[np.isfinite(ratio)]
    if not len(ratio):
        return math.nan, math.nan, math.nan
    low, middle, high = np.percentile(ratio, [5, 50, 95])
    return float(low), float(middle), float(high)


def tails(found: Population) -> list[tuple[str, str, list[Apart]]]:
    """Of each outcome that is shown, the bath in which it tells most: nearest to half of the members."""
    out = []
    for outcome in _SHOWN:
        bath = min(found.baths, key=lambda b: abs(found.fraction(outcome, b) - 0.5))
        tail = found.tail(outcome, bath)
        if tail:
            out.append((bath, outcome, tail))
    return out


def _print(study: Study, found: Population, written: list[Path]) -> None:
    import json as json_format

    from simulation.studies.population import bath_words

    drawn = int(found.data.attrs["drawn"])
    spread = "" if study.spread == 1 else f", {study.spread:g} of the way to their ends"
    output.say(
        f"{found.count} plausible members like {study.preparation.parameters.name}: {study.preparation.parameters.title}", style="bold"
    )
    output.say(
        f"{len(study.drawn)} parameters drawn over their ranges{spread} (seed {study.seed}); of {drawn:,} draws {found.count:,} were accepted, "
        f"{100 * found.acceptance:.2g} %.", "",
    )
    refused = json_format.loads(found.data.attrs["refused"])
    rows = [["a steady state", "", f"{refused['no rest']:,}"]] if refused["no rest"] else []
    for c in study.acceptance.criteria:
        low, high = c.range
        within = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        rows.append([c.text, f"{within} {c.unit}".removesuffix(" 1"), f"{refused[c.name]:,}"])
    output.table(rows, head=("accepted in the control bath", "within", "turned away"), right=(1, 2))
    output.say("")
    rows = []
    for bath in found.baths:
        low, _, high = ratio_quantiles(found, bath)
        rows.append([bath_words(bath), *(share(found, o, bath) for o in _SHOWN), f"{low:.2f}-{high:.2f}"])
    output.table(rows, head=("bath", "fires alone", "fires on", "paralysed", "two rests", "threshold"), right=(1, 2, 3, 4, 5))
    output.say(
        "", "Shares in % with their 95 % confidence: of members that fire without a stimulus, go on after one, that no current makes fire, that have "
        "two resting potentials. Threshold: as a multiple of each member's own in the control bath, from 5 to 95 % of the members.",
    )
    for bath, outcome, tail in tails(found):
        sure = [a for a in tail if a.p < 0.05][:_APART_SHOWN]
        if sure:
            told = ", ".join(f"{a.symbol} {'higher' if a.share > 0.5 else 'lower'} ({100 * max(a.share, 1 - a.share):.0f} %)" for a in sure)
            output.say(f"Who shows '{outcome}' in {bath_words(bath)}: {told}.")
        else:
            output.say(f"Who shows '{outcome}' in {bath_words(bath)}: no single parameter sets them apart beyond chance.")
    if tails(found):
        output.say("(In brackets: of all pairs of one that does and one that does not, those in which the parameter lies so.)")
    check = found.check
    beyond = " BEYOND TOLERANCE" if check["beyond"] else ""
    output.say(
        f"Check{beyond}: {check['points']} points were done again with SciPy; largest differences: rest {check['worst']['rest']:.2g} mV, "
        f"threshold {100 * check['worst']['threshold']:.2g} %.",
        *(f"Saved: {path}" for path in written),
    )


def share(found: Population, outcome: str, bath: str) -> str:
    """'12 (8 to 16)', in percent."""
    low, high = found.interval(outcome, bath)
    return f"{100 * found.fraction(outcome, bath):.0f} ({100 * low:.0f}-{100 * high:.0f})"
