"""cramplab overview: the main job, tables and figures of the fibre over potassium, calcium, magnesium and ClC-1."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulation.cli import output, words
from simulation.cli.options import Json

if TYPE_CHECKING:
    from simulation.figures.plate import Plate
    from simulation.studies.overview import Overview
    from simulation.studies.sweep import Progress


def register(app: typer.Typer) -> None:
    app.command("overview")(overview)


def overview(
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where tables and figures go.")] = Path("results"),
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    json: Json = False,
) -> None:
    """Rest and firing of the muscle fibre as potassium, calcium, magnesium and ClC-1 vary.

    Writes tables (.csv, .nc) and figures (.svg, .pdf, .png) and says in words what came out. Takes some minutes.

    \b
    Example:
      cramplab overview --out results"""
    from simulation import figures
    from simulation.studies import overview as study
    from simulation.studies import sweep

    started = time.perf_counter()
    with _following() as progress:
        found = study.make(jobs, progress)
    files = [sweep.save(data, out / f"{name}{ending}") for name, data in study.tables(found).items() for ending in (".nc", ".csv")]
    for name, plate in _plates(found).items():
        files += figures.save(plate, out / name, ("svg", "pdf", "png"))
    seconds = time.perf_counter() - started
    if json:
        output.as_json({"summary": study.summary(found), "files": files, "seconds": seconds})
        return
    output.say(*study.summary(found), "")
    output.say(f"{words.count(len(files), 'file')} in {out}, after {words.duration(1000 * seconds)}. It teaches; it gives no advice on a patient.")


@contextmanager
def _following() -> Iterator[Callable[[str], Progress]]:
    """What tells on standard error how far each part has come: bars on a terminal, names elsewhere."""
    if not sys.stderr.isatty():

        def name_it(name: str) -> Progress:
            print(f"{name} ...", file=sys.stderr, flush=True)
            return lambda done, total: None

        yield name_it
        return
    from rich.progress import Progress as Bars

    with Bars(console=output.console(stderr=True), transient=True) as bars:

        def add_bar(name: str) -> Progress:
            task = bars.add_task(name, total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        yield add_bar


def _plates(found: Overview) -> dict[str, Plate]:
    from simulation import figures

    control, low = found.gates
    plates = {
        "1_rest_over_potassium": figures.rest_curve(found.rest, "K"),
        "5_gates_in_low_calcium": figures.gate_figure(low, control),
        "6_spike_in_low_potassium": figures.traces(found.runs["low potassium"], found.runs["control"]),
        "7_spike_in_high_potassium": figures.traces(found.runs["high potassium"], found.runs["control"]),
        "8_spike_in_low_calcium": figures.traces(found.runs["low calcium"], found.runs["control"]),
        "9_loss_of_ClC-1": figures.traces(found.runs["ClC-1 at 10 %"], found.runs["normal ClC-1"], symbols=["K_t"]),
    }
    for number, (ion, name) in enumerate((("K", "potassium"), ("Ca", "calcium"), ("Mg", "magnesium"))):
        plates[f"{2 + number}_excitability_over_{name}"] = figures.lines(found.excitability[ion], ("threshold_current", "rheobase"))
        plates[f"{10 + number}_after-discharge_over_{name}_and_ClC-1"] = figures.map_figure(found.firing[ion], "after_discharge")
    return plates
