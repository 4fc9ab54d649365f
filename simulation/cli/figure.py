"""cramplab figure: a figure of a run, a sweep or an examination that was kept."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import options, output
from simulation.cli.errors import WrongUse
from simulation.cli.options import Json, Texts

if TYPE_CHECKING:
    import xarray as xr

    from simulation.experiment.recording import Recording
    from simulation.figures.plate import Plate

EXCITABILITY = "excitability"
OF = {
    "run": ("traces", "gates"), "sweep": ("rest", "map", "lines", EXCITABILITY, "regimes"), "examination": (EXCITABILITY,),
    "continuation": ("branches",), "plane": ("borders",), "sensitivity": ("rank",),
}
_A = {"examination": "an examination", "plane": "a continuation over two parameters"}
KINDS = tuple(dict.fromkeys(kind for kinds in OF.values() for kind in kinds))
FORMATS = tuple(ending.removeprefix(".") for ending in output.FIGURES)


def register(app: typer.Typer) -> None:
    app.command("figure")(figure)


def figure(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A run, a sweep or an examination, kept as .nc.", show_default=False)],
    kind: Annotated[str | None, typer.Option("--kind", metavar="|".join(KINDS), help="What is drawn. Default: what suits the file.")] = None,
    measure: Annotated[
        Texts, typer.Option("--measure", metavar="NAME,...", help="Which measures of a sweep, symbols of a run (I_Na,K_t), or gates (m,h).")
    ] = None,
    size: options.Size = "slide",
    theme: options.Theme = "light",
    control: options.Control = True,
    format_: Annotated[Texts, typer.Option("--format", metavar="svg,pdf,png", help="Default: what --out ends with, else svg.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="NAME", help="Name of the figure. Default: that of the file.")] = None,
    json: Json = False,
) -> None:
    """Draw a run, a sweep or an examination that was kept.

    \b
    Of a run:   traces (default) or gates, the gates' curves in its bath
    Of a sweep: map (default for two axes), rest or lines (for one)
    Of a map of regimes: regimes (default), or a measure of it as map
    Of an examination, of one membrane or over one axis: excitability
    Of a continuation: branches (one parameter) or borders (two)
    Of a sensitivity: rank
    \b
    Examples:
      cramplab figure run.nc
      cramplab figure run.nc --measure I_Na,I_Kdr,K_t --format svg,png
      cramplab figure map.nc --measure rheobase --size half --out rheobase.png
      cramplab figure k.nc --kind rest
      cramplab figure recovery.nc --size half --theme dark"""
    from simulation import figures
    from simulation.figures.dark import known_theme, themed

    options.check_size(size)
    known_theme(theme)
    target, formats = _target(file, out, options.parts(format_))
    plate, kind = _draw(file, kind, options.parts(measure), size, control)
    written = figures.save(themed(plate, theme), target, formats)
    if json:
        output.as_json({"file": file, "kind": kind, "size": size, "theme": theme, "files": written, "title": plate.title, "alt": plate.alt})
        return
    output.say(*(f"Saved: {path}" for path in written), "", "What it shows, for those who cannot see it:", plate.alt)


def _target(file: Path, out: Path | None, formats: list[str]) -> tuple[Path, list[str]]:
    """Where the figure goes and in which formats. Raises WrongUse before any work is done."""
    from simulation.assembly.errors import nearest

    name = out if out is not None else file.with_suffix("")
    if out is not None and out.is_dir():
        name = out / file.with_suffix("").name
    ending = name.suffix.lower().removeprefix(".")
    chosen = [f.lower().removeprefix(".") for f in formats] or [ending if ending in FORMATS else "svg"]
    for f in chosen:
        if f not in FORMATS:
            raise WrongUse(f"a figure is written as {', '.join(FORMATS)}, not as '{f}'{nearest(f, FORMATS)}")
    base = name.with_suffix("") if ending in FORMATS else name
    for f in chosen:
        output.destination(base.with_name(f"{base.name}.{f}"), [f".{f}"], "a figure")
    return base, chosen


def _draw(file: Path, kind: str | None, names: list[str], size: str, control: bool) -> tuple[Plate, str]:
    """The figure and its kind."""
    from simulation.assembly.errors import nearest

    if kind is not None and kind not in KINDS:
        raise WrongUse(f"there is no kind of figure '{kind}'{nearest(kind, KINDS)}; kinds: {', '.join(KINDS)}")
    what = content(file)
    if kind is not None and kind not in OF[what]:
        raise WrongUse(f"{file} is {_A.get(what, f'a {what}')}: what can be drawn of it is {', '.join(OF[what])}, not {kind}")
    if what == "run":
        from simulation.experiment.recording import open_recording

        return _of_run(open_recording(file), kind or "traces", names, size, control)
    if what == "examination":
        return _of_examination(file, names, size)
    if what in ("continuation", "plane"):
        return _of_continuation(file, what, names, size)
    if what == "sensitivity":
        return _of_sensitivity(file, names, size)
    from simulation.studies.sweep import open_sweep

    return _of_sweep(open_sweep(file), kind, names, size)


def content(file: Path) -> str:
    """'run', 'sweep', 'examination' (of one membrane), 'continuation', 'plane' (one over two parameters) or 'sensitivity'. Raises WrongUse for
    anything else."""
    if file.suffix.lower() == ".csv":
        raise WrongUse(f"figures are made from .nc files, not from {file.name}; keep the result with --out {file.stem}.nc")
    if not file.exists():
        raise WrongUse(f"there is no file {file}")
    if output.is_zarr(file):
        return "sweep"
    if not file.is_file():
        raise WrongUse(f"{file} is a folder; a figure is made from one file, such as run.nc")
    import netCDF4

    try:
        with netCDF4.Dataset(str(file)) as data:
            made: dict[str, Any] = json_format.loads(getattr(data, "provenance", "{}"))
    except (OSError, ValueError):
        made = {}
    if "sensitivity" in made:
        return "sensitivity"
    if "axes" in made:
        return "sweep"
    if "continued" in made:
        return "continuation" if len(made["continued"]) == 1 else "plane"
    if "protocol" in made:
        return "run"
    if "examinations" in made:
        return "examination"
    raise WrongUse(f"{file} is neither a run nor a sweep of cramplab, nor an examination; make one with: cramplab run ... --out run.nc")


def _of_run(recording: Recording, kind: str, names: list[str], size: str, with_control: bool) -> tuple[Plate, str]:
    from simulation import figures, parameter_sets

    p = recording.preparation
    shipped = p.parameters.name in parameter_sets.available()
    membrane = options.Membrane(p, parameter_sets.load(p.parameters.name) if shipped else p.parameters)
    if kind == "gates":
        from simulation.experiment.gates import gate_curves

        control = gate_curves(membrane.control) if with_control and membrane.control is not None else None
        plate = figures.gate_figure(gate_curves(p), control, gates=names or None, size=size)
        plate.provenance = recording.provenance
        return plate, kind
    behind = membrane.control_run(recording) if with_control else None
    return figures.traces(recording, control=behind, symbols=names or None, size=size), kind


def _of_examination(file: Path, names: list[str], size: str) -> tuple[Plate, str]:
    import xarray as xr

    from simulation import figures

    if names:
        raise WrongUse("an examination is drawn whole; leave out --measure")
    with xr.open_dataset(file, engine="netcdf4") as found:
        return figures.excitability_figure(found.load(), size), EXCITABILITY


def _of_continuation(file: Path, what: str, names: list[str], size: str) -> tuple[Plate, str]:
    import xarray as xr

    from simulation import figures

    if names:
        raise WrongUse("a continuation is drawn whole; leave out --measure")
    with xr.open_dataset(file, engine="netcdf4") as found:
        draw = figures.branches_figure if what == "continuation" else figures.borders_figure
        return draw(found.load(), size), OF[what][0]


def _of_sensitivity(file: Path, names: list[str], size: str) -> tuple[Plate, str]:
    import xarray as xr

    from simulation import figures

    if names:
        raise WrongUse("a sensitivity is drawn whole; leave out --measure")
    with xr.open_dataset(file, engine="netcdf4") as found:
        return figures.sensitivity_figure(found.load(), size), OF["sensitivity"][0]


def _of_sweep(dataset: xr.Dataset, kind: str | None, names: list[str], size: str) -> tuple[Plate, str]:
    from simulation import figures

    if kind == "regimes" or (kind is None and "regime" in dataset and not names):
        return figures.regime_figure(dataset, size), "regimes"
    axes = [str(d) for d in dataset["status"].dims]
    numbers = [n for n in (str(v) for v in dataset.data_vars) if n not in ("status", "message") and len(dataset[n].dims) == len(axes)]
    wanted = names or numbers
    if kind is None:
        curves = len(dataset.data_vars) > len(numbers) + 2 and not names
        kind = "map" if len(axes) == 2 else EXCITABILITY if curves else "rest" if wanted[0] == "rest" and not names else "lines"
    if kind == EXCITABILITY:
        if names:
            raise WrongUse("an examination is drawn whole; leave out --measure, or take --kind lines")
        return figures.excitability_figure(dataset, size), kind
    if kind == "map" and len(axes) != 2:
        raise WrongUse(f"a map needs a sweep over two axes, this is one over {axes[0]}; take --kind lines or rest")
    if kind == "lines" and len(axes) != 1:
        raise WrongUse(f"lines need a sweep over one axis, this is one over {' and '.join(axes)}; take --kind map or rest")
    if kind == "rest":
        return figures.rest_curve(dataset, axes[0], size=size), kind
    if kind == "lines":
        return figures.lines(dataset, wanted, size=size), kind
    if len(names) > 1:
        raise WrongUse(f"a map shows one measure; take {' or '.join(names)}")
    return figures.map_figure(dataset, wanted[0], size=size), kind
