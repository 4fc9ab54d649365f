"""cramplab sensitivity: which parameters a result hangs on."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import options, output, words
from simulation.cli.errors import Stopped, WrongUse
from simulation.cli.options import Json, Membrane, Plan, Texts, given
from simulation.cli.sweep import complain_of_check, progress_bar

if TYPE_CHECKING:
    import xarray as xr

_SHOWN = 15
_WIDE = 0.25  # half an interval of a share of the variance


def register(app: typer.Typer) -> None:
    app.command("sensitivity")(sensitivity)


@given(membrane=options.membrane, plan=options.plan)
def sensitivity(
    *,
    membrane: Membrane,
    measure: Annotated[
        str, typer.Option("--measure", metavar="NAME", help="What is asked: rest, rheobase, a feature of a run, a symbol at rest, recovery.NUMBER.")
    ] = "rest",
    method: Annotated[str, typer.Option("--method", metavar="NAME", help="local, morris or sobol.")] = "local",
    over: Annotated[
        Texts, typer.Option("--over", metavar="NAME,...", help="What is varied: parameters, or ions of the bath as K. Default: all but the bath, "
                            "references, what derives from others and what is absent.")
    ] = None,
    samples: Annotated[
        int | None, typer.Option("--samples", metavar="N", help="morris: trajectories (32); sobol: base points, a power of two (256).")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", min=0, help="The same seed gives the same numbers.")] = 1,
    spread: Annotated[float, typer.Option("--spread", metavar="X", help="Share of the plausible ranges that is gone over, 1 or less.")] = 1.0,
    plan: Plan,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Keep the result: .nc (to draw later).")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with one that was stopped: the same command, with --resume.")] = False,
    figure: options.FigureFile = None,
    size: options.Size = "slide",
    jobs: Annotated[int | None, typer.Option("--jobs", metavar="N", min=1, help="Threads that share the work. Default: one a core.")] = None,
    json: Json = False,
) -> None:
    """Rank the parameters by how much a result depends on them.

    \b
    local   how far it moves when a parameter is 10 % larger (a potential: 1 mV
            higher), all else as it is; exact for what is asked at rest
    morris  how far it moves, on average, when a parameter goes over its whole
            plausible range, begun from many places in those of the others
    sobol   which share of its variance the parameter makes when all go over
            their ranges: alone (S1), and with all that others add to it (ST)

    With --out finished points are kept while it runs, and --resume goes on after Ctrl-C.

    \b
    Examples:
      cramplab sensitivity fibre --bath K=2.5
      cramplab sensitivity fibre --measure rheobase --over P_Na,P_Kdr,P_Cl
      cramplab sensitivity fibre --method morris --spread 0.5 --figure m.svg
      cramplab sensitivity fibre --method sobol --over P_Kir,P_Cl --out s.nc"""
    from simulation.studies import draws
    from simulation.studies import sensitivity as study

    options.check_files("a sensitivity", out, figure, size, (".nc",))
    if resume and out is None:
        raise WrongUse("--resume goes on with what was kept beside --out FILE; name the file")
    protocol = plan.protocol(membrane.here) if plan else None
    kept = f"finished points are kept in {out}.unfinished; make room, and give the same command with --resume" if out is not None else ""
    with output.saving(out or Path("the result"), kept), progress_bar() as progress:
        try:
            found = study.sensitivity(
                membrane.here, measure, method=method, over=None if over is None else options.parts(over), samples=samples, seed=seed, spread=spread,
                protocol=protocol, out=out, resume=resume, jobs=jobs, progress=progress,
            )
        except KeyboardInterrupt:
            raise Stopped(progress.farewell(out) if out is not None else "stopped by Ctrl-C; with --out FILE finished points are kept.") from None
    written = [out] if out is not None else []
    if figure is not None:
        from simulation import figures

        written += figures.save(figures.sensitivity_figure(found, size), figure)
    if json:
        output.as_json({**membrane.facts(), **facts(found), "left_out": draws.left_out(membrane.here) if over is None else {}, "files": written})
    else:
        _print(membrane, found, draws.left_out(membrane.here) if over is None else {}, written)
    complain_of_check(found, "Vary less, with --spread or --over, or ask for each point with cramplab sweep --solver LSODA")


_COLUMNS = {
    "local": ("effect", "elasticity", "slope", "below", "above"),
    "morris": ("mu_star", "mu_star_conf", "mu", "sigma"),
    "sobol": ("S1", "S1_conf", "ST", "ST_conf"),
}
_COUNTED = ("value", "how", "points", "without_answer", "groups", "groups_left_out", "mean", "sd", "lowest", "highest", "seed", "seconds")


def facts(found: xr.Dataset) -> dict[str, Any]:
    """What ``--json`` says: the parameters, the one that matters most first, with what the method gives, and what was counted."""
    from simulation.studies.sensitivity import ranked

    a, columns = found.attrs, [n for n in _COLUMNS[found.attrs["method"]] if n in found]
    return {
        "measure": {"name": a["measure"], "text": a["measure_text"], "unit": a["measure_unit"]}, "method": a["method"],
        "units": {n: found[n].attrs["units"] for n in columns},
        **{n: a[n] for n in _COUNTED if n in a},
        "ranked": [
            {"parameter": str(found["parameter"].values[i]), "unit": str(found["unit"].values[i])}
            | {n: float(found[n].values[i]) for n in ("value", "low", "high", *columns)}
            for i in ranked(found)
        ],
        "check": json_format.loads(a["check"]) if "check" in a else None,
    }


def _print(membrane: Membrane, found: xr.Dataset, left_out: dict[str, list[str]], written: list[Path]) -> None:
    from simulation.studies import side_by_side
    from simulation.studies.sensitivity import WITHOUT_EFFECT

    said, unit = facts(found), found.attrs["measure_unit"]
    text, method = said["measure"]["text"], said["method"]
    now = f"{text}: {words.quantity(said['value'], unit)} ({said['how']})" if method == "local" else (
        f"{text}: {words.quantity(said['mean'], unit)} on average, from {words.quantity(said['lowest'])} to {words.quantity(said['highest'], unit)}"
    )
    output.say(*membrane.heading(), now, "")
    key = {"local": "effect", "morris": "mu_star", "sobol": "ST"}[method]
    top = max((abs(r[key]) for r in said["ranked"]), default=0.0)
    moving = [r for r in said["ranked"] if abs(r[key]) > WITHOUT_EFFECT * top]
    rows = [[r["parameter"], words.quantity(r["value"], r["unit"]), *_cells(r, method, said["units"])] for r in moving[:_SHOWN]]
    head = {
        "local": ("by 10 %", "elasticity"), "morris": ("mean size", "95 % interval", "spread"), "sobol": ("alone", "with others", "95 % interval"),
    }[method]
    output.table(rows, head=("parameter", "value", *head), right=tuple(range(1, 2 + len(head))))
    more = [f"{len(moving) - _SHOWN} more matter less than {moving[_SHOWN - 1]['parameter']}."] if len(moving) > _SHOWN else []
    idle = len(said["ranked"]) - len(moving)
    more += [f"{words.count(idle, 'parameter')} {'has' if idle == 1 else 'have'} no effect."] if idle else []
    output.say("", *more)
    if method == "local":
        potentials = [r["parameter"] for r in moving[:_SHOWN] if r["unit"] == "mV" and r["elasticity"] != r["elasticity"]]
        output.say(*(["A potential is moved by 1 mV, not by 10 %."] if potentials and unit != "mV" else
                     ["Each is made 10 % larger, a potential 1 mV higher."] if unit == "mV" else []))
    else:
        output.say(_counted(said), *([] if method == "morris" else [_together(said)]))
    if method == "local" and said["measure"]["name"] in ("rheobase", "threshold_current"):
        output.say("Thresholds come in steps of 0.2 %: smaller effects are not seen.")
    if left_out:
        output.say("Not varied: " + "; ".join(f"{', '.join(names)} ({why})" for why, names in left_out.items()) + ". With --over they can be.")
    if said["check"] and not said["check"]["beyond"]:
        output.say(f"Check: {side_by_side.said(said['check'])}.")
    output.say(*(f"Saved: {path}" for path in written))


def _cells(r: dict[str, Any], method: str, units: dict[str, str]) -> list[str]:
    if method == "local":
        number = "none" if r["effect"] != r["effect"] else f"{r['effect']:+.3g} {units['effect']}"
        return [number, "" if r["elasticity"] != r["elasticity"] else f"{r['elasticity']:.3g}"]
    if method == "morris":
        unit = "" if units["mu_star"] == "1" else f" {units['mu_star']}"
        low, high = r["mu_star"] - r["mu_star_conf"], r["mu_star"] + r["mu_star_conf"]
        return [f"{r['mu_star']:.3g}{unit}", f"{low:.2g} to {high:.2g}", f"{r['sigma']:.2g}"]
    return [f"{r['S1']:.2f}", f"{r['ST']:.2f}", f"{r['ST'] - r['ST_conf']:.2f} to {r['ST'] + r['ST_conf']:.2f}"]


def _counted(said: dict[str, Any]) -> str:
    named = "trajectories" if said["method"] == "morris" else "base points"
    lost, dropped = said["without_answer"], f"{said['groups_left_out']} of {said['groups']} {named} are left out"
    failed = f"{words.count(lost, 'point')} without an answer, so that {dropped}" if lost else "each with an answer"
    return f"{said['points']} points ({said['groups']} {named}) in {words.duration(1000 * said['seconds'])}, {failed}; seed {said['seed']}."


def _together(said: dict[str, Any]) -> str:
    alone = sum(r["S1"] for r in said["ranked"])
    if max(r["ST_conf"] for r in said["ranked"]) > _WIDE:
        return "The intervals are wide: more --samples make them narrower."
    return f"Alone they make {100 * alone:.0f} % of the variance; the rest is what they do together."
