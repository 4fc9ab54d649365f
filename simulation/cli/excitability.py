"""cramplab excitability: one examination of excitability, of one membrane or over a range of baths or parameters."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import options, output, words
from simulation.cli.errors import Stopped, WrongUse
from simulation.cli.options import Json, Membrane, given
from simulation.cli.sweep import Over, orderly, progress_bar, summary

if TYPE_CHECKING:
    import xarray as xr

    from simulation.experiment.excitability import Examination
    from simulation.studies.sweep import Sweep

_SHOWN_POINTS, _SHOWN_ROWS = 12, 40
_SHOWN_FAILURES = 5
_LEFT_OUT = ("superexcitable_at", "subexcitable_at", "unit_current")  # of the table over an axis, which has to fit a terminal
# Why a membrane that can be excited has no value.
_NONE = {
    "threshold": "no current evokes a spike",
    "rheobase": "no current evokes a spike",
    "threshold_potential": "the step evoked no spike",
    "chronaxie": "not within these durations",
    "absolute_refractory_period": "not between the end of the spike and the longest interval",
    "relative_refractory_period": "the threshold does not come back within these intervals, or was never raised",
    "superexcitability": "the threshold does not fall below that at rest",
    "superexcitable_at": "the threshold does not fall below that at rest",
    "subexcitability": "the threshold does not rise again",
    "subexcitable_at": "the threshold does not rise again",
    "resting_slope": "the threshold reduction does not grow with the current",
    "minimum_slope": "the threshold reduction does not grow with the current",
    "hyperpolarising_slope": "the threshold reduction does not grow with the current",
    "repetitive_from": "it does not go on firing at any of these currents",
}


def register(app: typer.Typer) -> None:
    app.command("excitability")(excitability)


@given(membrane=options.membrane)
def excitability(
    *,
    examination: Annotated[
        str,
        typer.Argument(
            metavar="EXAMINATION", show_default=False,
            help="threshold, strength-duration, latency, recovery, electrotonus, current-threshold, accommodation, f-I, spontaneous or conduction.",
        ),
    ],
    membrane: Membrane,
    over: Over = None,
    out: options.DataFile = None,
    figure: options.FigureFile = None,
    size: options.Size = "slide",
    jobs: Annotated[int | None, typer.Option("--jobs", metavar="N", min=1, help="Processes that share the work. Default: one a core.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an --over that was stopped: the same command, with --resume.")] = False,
    json: Json = False,
) -> None:
    """Examine excitability as a clinical neurophysiologist does.

    Without --over one membrane is examined; with it, one at each point. What cannot be measured is none: a membrane that
    is blocked has no threshold, one that fires without a stimulus has the threshold 0.

    \b
    Examples:
      cramplab excitability recovery axon
      cramplab excitability electrotonus axon --bath K=6 --figure te.svg
      cramplab excitability strength-duration fibre --out sd.csv
      cramplab excitability recovery axon --over K=2:8:13 --out rc.nc
      cramplab excitability threshold fibre --over K=2:8:7 --over Ca=0.6,1.2"""
    from simulation.experiment import excitability as examinations

    asked = examinations.examination(examination)
    _check(asked, over or [], out, figure, size, resume)
    if over:
        _over(asked, membrane, over, out, figure, size, jobs, resume, json)
        return
    found = asked.of(membrane.here)
    written = _write(found, membrane, out, figure, size)
    if json:
        output.as_json({
            **membrane.facts(), "examination": asked.describe(), "remark": remark(found),
            "numbers": _listed(found, asked.numbers, "value"), "curves": _listed(found, _curves(asked), "values"), "files": written,
        })
    else:
        _print_one(asked, membrane, found, written)


def _check(asked: Examination, over: list[str], out: Path | None, figure: Path | None, size: str, resume: bool) -> None:
    """Raises WrongUse or FigureError before any work is done."""
    for path, endings, what in ((out, output.DATA, "an examination"), (figure, output.FIGURES, "a figure")):
        if path is not None:
            output.destination(path, endings, what)
    if resume and not (over and out):
        raise WrongUse("--resume goes on with --over that was kept with --out; give both as before")
    if figure is None:
        return
    options.check_size(size)
    if not asked.curves and not over:
        raise WrongUse(f"the examination {asked.name} gives numbers and no curve: leave out --figure, or vary something with --over K=2:8:13")
    if len(over) > 1:
        raise WrongUse(
            "a figure of an examination has one axis; over two, keep the result with --out map.nc and draw one number of it: "
            f"cramplab figure map.nc --measure {next(iter(asked.numbers))}"
        )


def _curves(asked: Examination) -> list[str]:
    """The scale of the curves and the curves."""
    return [asked.scale.name, *asked.curves] if asked.scale else []


def _listed(found: xr.Dataset, names: Any, key: str) -> dict[str, Any]:
    return {n: {"unit": found[n].attrs["units"], "text": found[n].attrs["long_name"], key: found[n].values} for n in names}


def _write(found: xr.Dataset, membrane: Membrane, out: Path | None, figure: Path | None, size: str) -> list[Path]:
    from simulation.studies import sweep

    written = []
    if out is not None:
        # A table has at least one row to name.
        kept = found.expand_dims(model=[membrane.here.bound.name]) if out.suffix == ".csv" and not found.dims else found
        with output.saving(out):
            written.append(sweep.save(kept, out))
    return [*written, *_draw(found, figure, size)]


def _draw(found: xr.Dataset, figure: Path | None, size: str) -> list[Path]:
    from simulation import figures

    if figure is None:
        return []
    try:
        plate = figures.excitability_figure(found, size)
    except figures.FigureError as error:  # a blocked membrane is a result, not a mistake
        output.warn(str(error))
        return []
    return figures.save(plate, figure)


# ---- one membrane

def remark(found: Mapping[Any, xr.DataArray] | xr.Dataset) -> str | None:
    """What keeps a membrane from being examined, if anything does."""
    needed = [float(found[n]) for n in ("rheobase", "threshold") if n in found and found[n].ndim == 0]
    if 0.0 in needed:
        return "fires without a stimulus"
    return "cannot be excited" if needed and all(map(math.isnan, needed)) else None


_SENTENCES = {
    "cannot be excited": "It cannot be excited: it has no threshold up to 10,000 {}.",
    "fires without a stimulus": "It fires without a stimulus: its threshold is 0 {}, and nothing more can be measured.",
}


def _name(symbol: str) -> str:
    return symbol.replace("_90_100", " 90-100 ms").replace("_", " ")


def _head(found: xr.Dataset, name: str) -> str:
    return _name(name) + _unit(found, name)


def _unit(found: xr.Dataset, name: str) -> str:
    unit = found[name].attrs["units"]
    return f" ({unit})" if unit != "1" else ""


def _print_one(asked: Examination, membrane: Membrane, found: xr.Dataset, written: list[Path]) -> None:
    output.say(*membrane.heading(), f"Examined: {asked.text}", "")
    nothing = remark(found)
    if nothing:
        output.say(_SENTENCES[nothing].format(membrane.here.bound.current_unit), "", style="bold")
    rows = []
    for name in asked.numbers:
        value, text = float(found[name]), found[name].attrs["long_name"]
        why = _NONE.get(name, "") if math.isnan(value) and not nothing else ""
        rows.append([_name(name), words.quantity(value, found[name].attrs["units"]), f"{text}; none: {why}" if why else text])
    output.table(rows, right=(1,))
    if asked.scale and not nothing:
        _print_curves(asked, found)
    if written:
        output.say("", *_saved(written, bool(asked.curves and not nothing)))


def _saved(written: list[Path], drawable: bool) -> list[str]:
    """What was written, and what draws it if it was kept undrawn."""
    undrawn = drawable and len(written) == 1 and written[0].suffix == ".nc"
    return [*(f"Saved: {path}" for path in written), *([f"To see it: cramplab figure {written[0]}"] if undrawn else [])]


def _print_curves(asked: Examination, found: xr.Dataset) -> None:
    names = _curves(asked)
    count = found.sizes[names[0]]
    rows = [[words.quantity(float(found[n][i])) for n in names] for i in _spread(count, _SHOWN_POINTS)]
    output.say("")
    output.table(rows, head=[_head(found, n) for n in names], right=range(len(names)))
    if count > _SHOWN_POINTS:
        output.say(f"({_SHOWN_POINTS} of {count} points; --out FILE keeps all)")


def _spread(count: int, most: int) -> list[int]:
    """Up to ``most`` indices that go from the first to the last of ``count``."""
    return list(range(count)) if count <= most else sorted({round(i * (count - 1) / (most - 1)) for i in range(most)})


# ---- over an axis

def _over(
    asked: Examination, membrane: Membrane, over: list[str], out: Path | None, figure: Path | None, size: str, jobs: int | None, resume: bool,
    json: bool,
) -> None:
    from simulation.studies.sweep import Sweep, parse_axis, run_sweep

    study = Sweep(membrane.here, tuple(orderly(parse_axis(text)) for text in over), (asked,))
    kept = f"finished points are kept in {out}.unfinished; make room, and give the same command with --resume"
    with output.saving(out, kept) if out else contextlib.nullcontext(), progress_bar() as progress:
        try:
            result = run_sweep(study, out, jobs=jobs, resume=resume, progress=progress)
        except KeyboardInterrupt:
            raise Stopped(progress.farewell(out) if out else "stopped by Ctrl-C; without --out FILE nothing is kept.") from None
    written = [*([out] if out else []), *_draw(result, figure, size)]
    if json:
        told = summary(study, result)
        for name, axis in told["axes"].items():
            axis["values"] = result[name].values
        output.as_json({
            **membrane.facts(), "examination": asked.describe(), **told, "numbers": _listed(result, asked.numbers, "values"),
            "curves": _listed(result, _curves(asked), "values"), "warm_start": result.attrs.get("warm_start"), "files": written,
        })
    else:
        _print_over(study, membrane, asked, result, written)


def _print_over(study: Sweep, membrane: Membrane, asked: Examination, result: xr.Dataset, written: list[Path]) -> None:
    told = summary(study, result)
    axes = list(told["axes"])
    output.say(*membrane.heading(), f"Examined: {asked.text}", "")
    numbers = [n for n in asked.numbers if n not in _LEFT_OUT]
    chosen = _spread(study.count, _SHOWN_ROWS)
    rows = []
    for point in (study.point(i) for i in chosen):
        here = result.sel(point)
        why = "failed" if int(here["status"]) else remark(here) or ""
        rows.append([*(words.quantity(v) for v in point.values()), *(words.quantity(float(here[n])) for n in numbers), why])
    # One word a line: names side by side would not fit a terminal.
    head = [_head(result, n).replace(" ", "\n").replace("90-100\nms", "90-100 ms") for n in numbers]
    head = [*(a + _unit(result, a).replace(" ", "\n") for a in axes), *head, ""]
    output.table(rows, head=head, right=range(len(head) - 1))
    if len(chosen) < study.count:
        output.say(f"({len(chosen)} of {study.count} points; --out FILE keeps all)")
    failed = f"{told['failed']} failed" if told["failed"] else "none failed"
    output.say("", f"{words.count(told['points'], 'point')} in {words.duration(1000 * told['seconds'])}, {failed}.", style="bold")
    output.say(*(f"{words.count(n, 'point')}: {reason}" for reason, n in list(told["failures"].items())[:_SHOWN_FAILURES]))
    if result.attrs.get("warm_start"):
        output.say(f"Note: {result.attrs['warm_start']}.")
    output.say(*_saved(written, True))
