"""cramplab regimes: what a membrane does over two ions, in one word a point."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import options, output, words
from simulation.cli.errors import Stopped, WrongUse
from simulation.cli.options import Json, Membrane, Plan, Texts, given
from simulation.cli.sweep import check_bath_changes, orderly, progress_bar

if TYPE_CHECKING:
    import xarray as xr

    from simulation.figures.plate import Plate


def register(app: typer.Typer) -> None:
    app.command("regimes")(regimes)


@given(membrane=options.membrane, plan=options.plan)
def regimes(
    *,
    membrane: Membrane,
    over: Annotated[Texts, typer.Option("--over", metavar="NAME=FROM:TO:COUNT", help="What is varied, twice: K=2:9:36 and Ca=0.4:2:33.")] = None,
    plan: Plan,
    out: options.DataFile = None,
    figure: options.FigureFile = None,
    size: options.Size = "slide",
    jobs: Annotated[int | None, typer.Option("--jobs", metavar="N", min=1, help="Threads that share the work. Default: one a core.")] = None,
    json: Json = False,
) -> None:
    """Say in one word what the membrane does, over two ions or parameters.

    Quiet, one spike, fires while stimulated, after-discharge, fires by itself, depolarised block, or two resting
    states. Rests are told by their eigenvalues, the rest by a run at each point: if no stimulus is given, 200 ms at
    twice the control's rheobase, the same current at every point. The words hold for that stimulus.

    \b
    Examples:
      cramplab regimes axon_rhythmic --over K=2:9:36 --over Ca=0.4:2:33
      cramplab regimes fibre --over K=0.5:12:30 --over Ca=0.3:2.4:22 --out r.nc
      cramplab regimes fibre --over K=2:9:30 --over P_Cl_scale=0.05:1:20
      cramplab regimes axon --over Ca=0.4:2:20 --over Mg=0:2:20 --figure m.svg"""
    from simulation.studies.regimes import MEASURES, map_regimes
    from simulation.studies.sweep import Sweep, parse_axis

    if not over or len(over) != 2:
        raise WrongUse("say what is varied, twice: for example --over K=2:9:36 --over Ca=0.4:2:33")
    options.check_files("a map of regimes", out, figure, size)
    axes = [orderly(parse_axis(text)) for text in over]
    protocol = plan.protocol(membrane.here) if plan else None
    check_bath_changes(Sweep(membrane.here, tuple(axes), MEASURES, protocol))
    with progress_bar() as progress:
        try:
            found = map_regimes(membrane.here, *axes, protocol=protocol, jobs=jobs, progress=progress)
        except KeyboardInterrupt:
            raise Stopped from None
    written = _write(found, out, figure, size)
    if json:
        output.as_json({**membrane.facts(), **facts(found), "files": written})
    else:
        _print(membrane, found, written)


def _write(found: xr.Dataset, out: Path | None, figure: Path | None, size: str) -> list[Path]:
    def draw() -> Plate:
        from simulation import figures

        return figures.regime_figure(found, size)

    return output.keep(found, out, draw, figure)


def facts(found: xr.Dataset) -> dict[str, Any]:
    """What ``--json`` says: the axes, the regimes that occur with their share of the points, what was done, failed points, the check."""
    from simulation.studies.regimes import REGIMES, shares

    share = shares(found)
    made = json_format.loads(found.attrs["provenance"])
    return {
        "axes": {name: {"from": v[0], "to": v[-1], "count": len(v), "unit": found[name].attrs["units"]} for name, v in made["axes"].items()},
        "regimes": [{"name": r.name, "number": k, "share": share.get(r.name, 0.0), "text": r.text} for k, r in REGIMES.items()],
        "protocol": made["protocol"],
        "points": int(found["regime"].size),
        "failed": int((found["regime"] < 0).sum()),
        "control_rest": float(found.attrs["control_rest"]),
        "check": json_format.loads(found.attrs["check"]) if "check" in found.attrs else None,
    }


def _print(membrane: Membrane, found: xr.Dataset, written: list[Path]) -> None:
    from simulation.studies.regimes import check_words

    said = facts(found)
    over = [f"{name} from {words.quantity(a['from'])} to {words.quantity(a['to'], a['unit'])}" for name, a in said["axes"].items()]
    done = "; ".join(words.protocol(said["protocol"], membrane.here.bound.current_unit))
    output.say(*membrane.heading(), f"Over: {'; '.join(over)}", f"Done at each point: {done}", "")
    rows = [[r["name"], f"{100 * r['share']:.0f} %" if r["share"] >= 0.005 else "< 1 %", r["text"]] for r in said["regimes"] if r["share"]]
    output.table(rows, head=("what it does", "points", "told by"), right=(1,))
    failed = f"{said['failed']} failed" if said["failed"] else "none failed"
    output.say("", f"{words.count(said['points'], 'point')}, {failed}.", style="bold")
    check = check_words(found)
    output.say(*([f"Check: {check}."] if check else []), *(f"Saved: {path}" for path in written))
