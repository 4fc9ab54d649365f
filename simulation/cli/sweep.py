"""cramplab sweep: one membrane over a range of baths or parameters."""

from __future__ import annotations

import json as json_format
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import options, output, words
from simulation.cli.errors import Stopped, WrongUse
from simulation.cli.options import Json, Membrane, Plan, Texts, given

if TYPE_CHECKING:
    import xarray as xr

    from simulation.studies.sweep import Axis, Sweep

_SECONDS_BETWEEN_LINES = 10.0
_GUESS_FROM = 8  # points: the first ones also start the processes
_SHOWN_FAILURES = 5

Over = Annotated[
    Texts,
    typer.Option(
        "--over", metavar="NAME=FROM:TO:COUNT",
        help="What is varied, once or twice: K=0.5:12:24, K=0.5:12:24:log, K=2,4,8, a parameter, or its share as P_Kir_scale=0.2:1:9.",
    ),
]
Measures = Annotated[
    Texts,
    typer.Option(
        "--measure", metavar="NAME,...",
        help="What is asked of each point: rest, rheobase, threshold_current, strength-duration, a feature of a run (spikes, after_discharge), "
        "any symbol at rest (E_K_s), or its extremes and its end in a run (max_K_t, min_I_Na_s, end_Cl_i). Default: rest.",
    ),
]


def register(app: typer.Typer) -> None:
    app.command("sweep")(sweep)


@given(membrane=options.membrane, plan=options.plan, solver=options.solver_choice)
def sweep(
    *,
    over: Over = None,
    measure: Measures = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Keep the result: .nc, .csv (for a spreadsheet) or .zarr (a folder, for large ones).")
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", metavar="N", min=1, help="Processes that share the work. Default: one a core.")] = None,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="ADDRESS", help="Let a dask cluster do it: tcp://HOST:8786, or local to start one here.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a sweep that was stopped: the same command, with --resume.")] = False,
    membrane: Membrane,
    plan: Plan,
    solver: dict[str, Any],
    json: Json = False,
) -> None:
    """Vary one or two ions or parameters, and measure at each point.

    Measures of a run need a stimulus; if none is given it is a step of 200 ms at twice the control's rheobase, the
    same current at every point. Ctrl-C stops a sweep; what is finished is kept, and --resume goes on.
    The sweep engine does many points at once, and a sample of them is done again with SciPy; with --solver SciPy
    does every point.

    \b
    Examples:
      cramplab sweep fibre --over K=0.5:12:24 --out k.nc
      cramplab sweep fibre --over K=1:8:8 --over Ca=0.3:2.4:8 --out map.nc
      cramplab sweep fibre --over K=2,4,8 --measure rest,rheobase --out r.nc
      cramplab sweep fibre --over P_Kir_scale=0.2:1:9 --bath K=3 --out kir.nc
      cramplab sweep fibre --over T=20:40:9 --measure spikes --out t.csv
      cramplab sweep fibre --over K=2:9:1000 --over Ca=1:2:1000 --out large.zarr"""
    from simulation.studies.sweep import RUN_SOLVER, Sweep, parse_axis, run_sweep

    if not over:
        raise WrongUse("say what is varied: --over NAME=FROM:TO:COUNT, for example --over K=0.5:12:24")
    if out is None:
        raise WrongUse("say where the result is kept: --out FILE, for example --out map.nc")
    output.destination(out, output.SWEEPS, "a sweep")
    measures = options.parts(["rest"] if measure is None else measure)
    axes = tuple(orderly(parse_axis(text)) for text in over)
    asked = Sweep(membrane.here, axes, tuple(dict.fromkeys(measures)), plan.protocol(membrane.here) if plan else None)
    if solver:
        asked = replace(asked, solver=replace(RUN_SOLVER, **solver))
    check_bath_changes(asked)
    kept = f"finished points are kept in {out}.unfinished; make room, and give the same command with --resume"
    with output.saving(out, kept), progress_bar() as progress:
        try:
            result = run_sweep(asked, out, jobs=jobs, resume=resume, progress=progress, cluster=cluster)
        except KeyboardInterrupt:
            raise Stopped(progress.farewell(out)) from None
    if json:
        output.as_json({**membrane.facts(), **summary(asked, result), "files": [out]})
    else:
        _print(membrane, asked, result, out)
    complain_of_check(result, "The result is saved; with --solver LSODA every point is done by SciPy")


def complain_of_check(result: xr.Dataset, advice: str) -> None:
    """Raises ModelSaysNo if the engine's results do not stand the check."""
    from simulation.experiment.errors import ModelSaysNo
    from simulation.studies import side_by_side

    if "check" in result.attrs:
        found = json_format.loads(result.attrs["check"])
        if found["beyond"]:
            raise ModelSaysNo(f"{side_by_side.said(found)}. {advice}.")


def orderly(axis: Axis) -> Axis:
    """The axis, if a figure can be drawn over it. Raises WrongUse."""
    steps = [b - a for a, b in pairwise(axis.values)]
    if not (all(step > 0 for step in steps) or all(step < 0 for step in steps)):
        raise WrongUse(f"the values of the axis {axis.name} have to rise or fall throughout, as in {axis.name}=2,4,8")
    return axis


def check_bath_changes(asked: Sweep) -> None:
    """A change of bath sets every ion, so it has to name those that the sweep varies."""
    from simulation.experiment.protocol import BathChange

    for event in asked.protocol.events if asked.protocol else ():
        if isinstance(event, BathChange):
            undone = [a.name for a in asked.axes if a.name in asked.preparation.bound.model.bath and a.name not in dict(event.bath)]
            if undone:
                raise WrongUse(f"the bath change at {event.at:g} ms would undo the axis {undone[0]}; let it name {undone[0]} too")


# ---- progress

class Progress:
    """Finished points, as ``run_sweep`` reports them."""

    def __init__(self, show: Callable[[int, int, float | None], None]) -> None:
        self.done, self.points, self.show = 0, 0, show
        self.started, self.at_start = time.perf_counter(), 0

    def __call__(self, done: int, points: int) -> None:
        if self.points == 0:
            self.started, self.at_start = time.perf_counter(), done
        self.done, self.points = done, points
        fresh = done - self.at_start
        passed = time.perf_counter() - self.started
        left = passed / fresh * (points - done) if fresh > _GUESS_FROM else None
        self.show(done, points, left)

    def farewell(self, out: Path) -> str:
        """What to say when the user stopped it."""
        if not self.points:
            return "stopped by Ctrl-C before the first point; nothing was begun."
        return (
            f"stopped by Ctrl-C; {self.done} of {words.count(self.points, 'point')} are finished and kept in {out}.unfinished. "
            "To go on, give the same command with --resume."
        )


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on a terminal, now and then a line elsewhere; both on standard error."""
    if not sys.stderr.isatty():
        yield Progress(_Lines())
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("points"), TimeRemainingColumn(), TextColumn("left"),
        console=output.console(stderr=True), transient=True,
    )
    with bar:
        task = bar.add_task("preparing", total=None)

        def show(done: int, points: int, left: float | None) -> None:
            bar.update(task, completed=done, total=points, description="sweeping")

        yield Progress(show)


class _Lines:
    """A line on standard error every so many seconds, and at the start if something is done already."""

    def __init__(self) -> None:
        self.last: float | None = None

    def __call__(self, done: int, points: int, left: float | None) -> None:
        now = time.perf_counter()
        due = done > 0 if self.last is None else now - self.last >= _SECONDS_BETWEEN_LINES
        self.last = now if self.last is None else self.last
        if due and done < points:
            self.last = now
            hope = f", about {words.duration(1000 * left)} left" if left is not None else ""
            print(f"{done} of {points} points{hope}", file=sys.stderr, flush=True)


# ---- the result

def summary(asked: Sweep, result: xr.Dataset) -> dict[str, Any]:
    """What ``--json`` says: axes, what was measured from lowest to highest, failed points."""
    failed = int((result["status"] != 0).sum())
    units = {a.name: result[a.name].attrs["units"] for a in asked.axes}
    return {
        "axes": {a.name: {"from": a.values[0], "to": a.values[-1], "count": len(a.values), "unit": units[a.name]} for a in asked.axes},
        "measures": {name: {"unit": unit, "text": text, **_extent(result, name)} for name, (unit, text) in asked.variables.items()},
        "protocol": json_format.loads(result.attrs["provenance"])["protocol"],
        "points": int(result["status"].size),
        "failed": failed,
        "failures": _failures(result),
        "seconds": float(result.attrs["seconds"]),
        "check": json_format.loads(result.attrs["check"]) if "check" in result.attrs else None,
    }


def _extent(result: xr.Dataset, name: str) -> dict[str, float | None]:
    values = result[name]
    there = int(values.notnull().sum())
    return {"lowest": float(values.min()) if there else None, "highest": float(values.max()) if there else None, "points": there}


def _failures(result: xr.Dataset) -> dict[str, int]:
    """Why points failed, and how many for each reason."""
    return dict(Counter(str(m) for m in result["message"].values.ravel() if str(m)).most_common())


def _print(membrane: Membrane, asked: Sweep, result: xr.Dataset, out: Path) -> None:
    from simulation.studies import side_by_side

    s = summary(asked, result)
    over = [
        f"{name} from {words.quantity(a['from'])} to {words.quantity(a['to'], a['unit'])} ({words.count(a['count'], 'value')})"
        for name, a in s["axes"].items()
    ]
    done = [f"Done at each point: {'; '.join(words.protocol(s['protocol'], membrane.here.bound.current_unit))}"] if s["protocol"] else []
    output.say(*membrane.heading(), f"Over: {'; '.join(over)}", *done, "")
    rows = [
        [name, words.quantity(m["lowest"], m["unit"]), words.quantity(m["highest"], m["unit"]), str(m["points"]), m["text"]]
        for name, m in s["measures"].items() if m["points"] or name in asked.measures
    ]
    output.table(rows, head=("measure", "lowest", "highest", "points", "what it is"), right=(1, 2, 3))
    failed = f"{s['failed']} failed" if s["failed"] else "none failed"
    output.say("", f"{words.count(s['points'], 'point')} in {words.duration(1000 * s['seconds'])}, {failed}.", style="bold")
    failures = list(s["failures"].items())
    output.say(*(f"{words.count(n, 'point')}: {reason}" for reason, n in failures[:_SHOWN_FAILURES]))
    if s["check"] and not s["check"]["beyond"]:
        output.say(f"Check: {side_by_side.said(s['check'])}.")
    output.say(f"Saved: {out}", *([f"To see it: cramplab figure {out}"] if out.suffix != ".csv" else []))
