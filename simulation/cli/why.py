"""cramplab why: what made a file."""

from __future__ import annotations

import json as json_format
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from simulation.cli import output, words
from simulation.cli.errors import WrongUse
from simulation.cli.options import Json


def register(app: typer.Typer) -> None:
    app.command("why")(why)


def why(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A result (.nc, .csv), a figure (.svg, .pdf, .png) or a film.", show_default=False)],
    json: Json = False,
) -> None:
    """What made a result, a figure or a film.

    Model, bath, changed numbers, experiment and solver, in words.

    \b
    Examples:
      cramplab why run.nc
      cramplab why slide.svg"""
    made = provenance(file)
    if json:
        output.as_json({"file": file, "provenance": made})
        return
    output.say(f"{file}: {_kind(made)}", style="bold")
    output.table(rows(made))


def provenance(file: Path) -> dict[str, Any]:
    """What a file says of its own making. Raises WrongUse, FigureError."""
    ending = file.suffix.lower()
    if file.is_dir() and not output.is_zarr(file):
        raise WrongUse(f"{file} is a folder, not a file")
    if not file.exists():
        raise WrongUse(f"there is no file {file}")
    known = (*output.SWEEPS, *output.FIGURES, *output.FILMS)
    if ending not in known:
        raise WrongUse(f"cramplab makes no '{file.suffix or file.name}' files; it makes {', '.join(known)}")
    if ending in (*output.FIGURES, *output.FILMS):
        from simulation import figures

        return figures.provenance_of(file)
    found = {".csv": _of_csv, ".zarr": _of_zarr}.get(ending, _of_netcdf)(file)
    try:
        made = json_format.loads(found)
    except json_format.JSONDecodeError:
        made = None
    if not isinstance(made, dict):
        raise WrongUse(f"{file} does not say what made it: it was not saved by this program, or was changed by another")
    return made


def _of_csv(file: Path) -> str:
    with file.open(encoding="utf-8", errors="replace") as lines:
        head = [next(lines, "") for _ in range(2)]
    return head[1].removeprefix("# ")


def _of_zarr(folder: Path) -> str:
    try:
        return str(json_format.loads((folder / "zarr.json").read_text(encoding="utf-8"))["attributes"]["provenance"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _of_netcdf(file: Path) -> str:
    import netCDF4

    try:
        with netCDF4.Dataset(str(file)) as data:
            return str(getattr(data, "provenance", ""))
    except OSError as error:
        raise WrongUse(f"{file} cannot be read as netCDF: {error.strerror or error}") from None


# ---- in words

def _kind(made: Mapping[str, Any]) -> str:
    if "sensitivity" in made:
        return f"a sensitivity ({made['sensitivity']['method']})"
    if "fit" in made:
        return "a fit: no evidence for the model"
    if "axes" in made:
        return "a sweep"
    if "continued" in made:
        return "rests followed along a parameter" if len(made["continued"]) == 1 else "borders of rests over two parameters"
    if made.get("examinations"):
        return "an examination"
    if made.get("cable"):
        return "a spike along a cable"
    return "a run" if made.get("protocol") else "a membrane in its bath"


def rows(made: Mapping[str, Any]) -> list[list[str]]:
    """The provenance in words, as (what, how)."""
    out = [["model", str(made.get("model", "unknown"))], ["parameters", _parameters(made)]]
    if "bath" in made:
        bath = made["bath"] if isinstance(made["bath"], str) else words.bath(made["bath"])
        out.append(["bath", f"{bath}, all else as in control" if bath else "control"])
    if "mode" in made:
        out.append(["mode", words.mode(made["mode"], made.get("frozen", []))])
    out += [[f"axis {name}", _axis(name, values)] for name, values in made.get("axes", {}).items()]
    out += [[f"followed over {name}", _span(name, ends)] for name, ends in made.get("continued", {}).items()]
    for study in ("sensitivity", "fit"):
        if study in made:
            out += [[name, str(value)] for name, value in made[study].items() if name not in ("over", "parameters")]
            out += [[f"over {name}", " to ".join(f"{v:g}" for v in (ends[0], ends[-1]))] for name, ends in _over(made[study])]
            out += [[f"fitted {name}", f"{after:g}, {before:g} before"] for name, (before, after) in made[study].get("parameters", {}).items()]
    if "measures" in made and "sensitivity" not in made:
        out.append(["measures", ", ".join(made["measures"])])
    out += [["examination", _examination(e)] for e in made.get("examinations") or []]
    if made.get("protocol"):
        lines = words.protocol(made["protocol"], _current_unit(str(made.get("model"))))
        out += [["done to it" if i == 0 else "", line] for i, line in enumerate(lines)]
    if isinstance(made.get("solver"), str):
        out.append(["solver", made["solver"]])
    elif made.get("solver"):
        settings = {"method": "", **made["solver"]}
        out.append(["solver", ", ".join(str(v) if k == "method" else f"{k} {v:g}" for k, v in settings.items() if v is not None)])
    if made.get("control"):
        out.append(["in grey", "the untouched membrane in its control bath"])
    if "equations" in made:
        out.append(["equations", _equations(made)])
    if "cramplab" in made:
        out.append(["made by", f"cramplab {made['cramplab']}"])
    return out


def _over(study: Mapping[str, Any]) -> list[tuple[str, list[float]]]:
    return list(study["over"].items()) if isinstance(study.get("over"), dict) else []


def _parameters(made: Mapping[str, Any]) -> str:
    changed = "; ".join(f"{symbol}: {how}" for symbol, how in made.get("changed", {}).items())
    return f"set {made.get('parameter_set', 'unknown')}{f', changed: {changed}' if changed else ''}"


def _examination(made: Mapping[str, Any]) -> str:
    """Its name, and its settings as far as they are numbers, not what its curves run over."""
    settings = [f"{name.replace('_', ' ')} {value:g}" for name, value in made.items() if isinstance(value, int | float)]
    return ", ".join([str(made["name"]), *settings])


def _axis(name: str, values: list[float]) -> str:
    return f"{_span(name, values)}, {words.count(len(values), 'value')}"


def _span(name: str, values: list[float]) -> str:
    from simulation.experiment.bath import COMPONENTS

    unit = COMPONENTS[name].unit if name in COMPONENTS else ""
    return f"from {words.quantity(values[0])} to {words.quantity(values[-1], unit)}"


def _equations(made: Mapping[str, Any]) -> str:
    """Whether the equations are those of this version."""
    from simulation import models
    from simulation.assembly.emit import Emitted

    if made.get("model") not in models.names():
        return str(made["equations"])
    same = Emitted(models.bound(made["model"])).digest == made["equations"]
    return f"{made['equations']} ({'those of this version' if same else 'not those of this version: run it again to compare'})"


def _current_unit(model: str) -> str:
    from simulation import models

    return models.bound(model).current_unit if model in models.names() else ""
