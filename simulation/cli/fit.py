"""cramplab fit: parameters fitted to published numbers or a digitised curve."""

from __future__ import annotations

import json as json_format
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import options, output, words
from simulation.cli.errors import WrongUse
from simulation.cli.options import Json, Membrane, Plan, Texts, given

if TYPE_CHECKING:
    from simulation.studies.fit import Fit


def register(app: typer.Typer) -> None:
    app.command("fit")(fit)


@given(membrane=options.membrane, plan=options.plan)
def fit(
    *,
    membrane: Membrane,
    parameters: Annotated[Texts, typer.Argument(metavar="NAME,...", help="What is fitted: P_Cl,P_Kir.", show_default=False)] = None,
    to: Annotated[
        Texts, typer.Option("--to", metavar="ROW|FILE.csv", help="Rows of the validation table (cramplab validate), or a curve in two columns.")
    ] = None,
    over: Annotated[str | None, typer.Option("--over", metavar="NAME", help="Of a curve: the first column. Default: its name in the header.")] = None,
    measure: Annotated[str | None, typer.Option("--measure", metavar="NAME", help="Of a curve: the second column. Default: its name.")] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", min=0, help="Of the other values from which the search begins again.")] = 1,
    restarts: Annotated[int, typer.Option("--restarts", metavar="N", min=0, help="How often it begins again.")] = 3,
    plan: Plan,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write a parameter file: fitted.toml.")] = None,
    figure: Annotated[Path | None, typer.Option("--figure", metavar="FILE", help="Draw a curve before and after: .svg, .pdf or .png.")] = None,
    size: options.Size = "slide",
    jobs: Annotated[int | None, typer.Option("--jobs", metavar="N", min=1, help="Threads that share the work. Default: one a core.")] = None,
    json: Json = False,
) -> None:
    """Fit parameters to published numbers or to a digitised curve.

    Least squares within the plausible ranges of the parameter file, begun at its values and at some others. What a
    model was fitted to is no evidence for it, and the file that --out writes says so.

    A row of the validation table is fitted to its mean, else to the middle of its range. A curve is a .csv file:
    a line with both names (K,rest) and then two numbers a line, in the units of the program.

    \b
    Examples:
      cramplab fit fibre P_Kir --to rest-8
      cramplab fit fibre P_Kir,P_NaL --to rest-3 --to rest-4 --to rest-8
      cramplab fit fibre P_Kir,J_NKCC --to curve.csv --figure fit.svg
      cramplab fit fibre P_Cl --to c.csv --over K --measure rest --out mine.toml"""
    from simulation.studies import fit as study

    names, targets = options.parts(parameters), options.parts(to)
    if not names:
        raise WrongUse("say what is fitted, for example: cramplab fit fibre P_Kir --to rest-8")
    if not targets:
        raise WrongUse("say what it is fitted to: --to ROW (see cramplab validate) or --to FILE.csv")
    curves = [t for t in targets if t.lower().endswith(".csv")]
    options.check_files("a parameter file", out, figure, size, (".toml",))
    if curves and len(targets) > 1:
        raise WrongUse("one curve at a time, and without rows beside it: give one --to")
    if curves:
        (x_name, y_name), x, y = study.read_curve(curves[0])
        over, measure = over or x_name, measure or y_name
        protocol = plan.protocol(membrane.here) if plan else None

        def target(p: Any, chosen: Any) -> study.Target:
            return study.to_curve(p, chosen, x, y, over, measure, Path(curves[0]).name, protocol, jobs)
    else:
        if over or measure or plan or figure or membrane.here.bath or membrane.here.mode != "chronic" or membrane.here.frozen:
            raise WrongUse("a row says what is measured, in which bath and how; --over, --measure, --figure, --bath and stimuli go with a curve")

        def target(p: Any, chosen: Any) -> study.Target:
            return study.to_rows(p, chosen, targets, membrane.named)

    found = study.fit(membrane.here, names, target, seed=seed, restarts=restarts)
    written = []
    if figure is not None:
        from simulation import figures

        written += figures.save(figures.fit_figure(study.curve_dataset(found), size), figure)
    if out is not None:
        written.append(study.write(found, out))
    if json:
        output.as_json({**membrane.facts(), **facts(found), "files": written})
    else:
        _print(membrane, found, written)


def facts(found: Fit) -> dict[str, Any]:
    """What ``--json`` says."""
    return {
        "fitted_to": found.to, "evidence": "none: a fit", "sources": list(found.sources), "measure": found.measure, "unit": found.unit,
        "parameters": [
            {
                "parameter": f.drawn.name, "unit": f.drawn.unit, "before": f.drawn.value, "after": f.value, "low": f.drawn.low, "high": f.drawn.high,
                "at_bound": f.at_bound, "sd": f.sd,
            }
            for f in found.parameters
        ],
        "correlation": found.correlation, "determined": found.determined,
        "data": [
            {"name": n, "data": d, "before": b, "after": a, "residual_before": b - d, "residual_after": a - d}
            for n, d, b, a in zip(found.labels, found.data, found.before, found.after, strict=True)
        ],
        "rms_before": found.rms(found.before), "rms_after": found.rms(found.after),
        "starts": found.starts, "agreeing": found.agreeing, "seed": found.seed, "check": json_format.loads(found.check) if found.check else None,
    }


_SHOWN = 12


def _print(membrane: Membrane, found: Fit, written: list[Path]) -> None:
    from simulation.studies import side_by_side

    output.say(*membrane.heading(), f"This is a fit. {found.words[0].upper()}{found.words[1:]}.", "")
    rows = []
    for f in found.parameters:
        d = f.drawn
        bound = "stopped at an end of it" if f.at_bound else ""
        scatter = f"+/- {f.sd:.2g}" if math.isfinite(f.sd) else ""
        rows.append([d.name, words.quantity(d.value, digits=4), words.quantity(f.value, d.unit), scatter, f"{d.low:g} to {d.high:g}", bound])
    output.table(rows, head=("parameter", "before", "fitted", "scatter", "range", ""), right=(1, 2, 3))
    output.say("")
    step = max(1, -(-len(found.labels) // _SHOWN))
    numbers = list(zip(found.labels, found.data, found.before, found.after, strict=True))[::step]
    output.table(
        [[n, f"{d:.4g}", f"{b:.4g}", f"{a:.4g}", f"{b - d:+.2g}", f"{a - d:+.2g}"] for n, d, b, a in numbers],
        head=(f"{found.measure}{f' ({found.unit})' if found.unit not in ('', '1') else ''}", "data", "before", "fitted", "off before", "off after"),
        right=(1, 2, 3, 4, 5),
    )
    unit = found.unit
    shown = f" (every {step}th is shown)" if step > 1 else ""
    output.say("", *([
        f"Root mean square of the distances: {words.quantity(found.rms(found.before), digits=3)} before, "
        f"{found.rms(found.after):.3g} {unit} after{shown}.".replace("  ", " "),
    ] if unit or len(found.data) == 1 else []))
    output.say(f"The values are {found.determined}.")
    pairs = [
        f"{a.drawn.name} and {b.drawn.name} {found.correlation[i, j]:+.2f}"
        for i, a in enumerate(found.parameters) for j, b in enumerate(found.parameters) if i < j and abs(found.correlation[i, j]) > 0.8
    ]
    output.say(*([f"What one does the other can undo (correlation): {', '.join(pairs)}."] if pairs else []))
    output.say(f"{found.agreeing} of {words.count(found.starts, 'start')} ended at these values; seed {found.seed}.")
    if found.check:
        output.say(f"Check: {side_by_side.said(json_format.loads(found.check))}.")
    output.say(*(f"Saved: {path}" for path in written))
