"""cramplab why: what made a file."""

from __future__ import annotations

import json as json_format
from collections.abc import Callable, Mapping
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

# What is no single membrane, by the word of its provenance that tells.
_KINDS: Mapping[str, str] = {
    "unit": "a run of a motor unit", "claim": "a claim on trial", "panel": "a serum panel and what follows", "condition": "a condition over days",
    "conditions": "the serum that conditions lead to", "compared": "membranes compared", "membranes": "changes in several places",
    "junction": "release at the junction", "acceptance": "a population of plausible members",
    "claims": "claims and their verdicts",
}


def _kind(made: Mapping[str, Any]) -> str:
    told = next((words for key, words in _KINDS.items() if key in made), None)
    if told is not None:
        return told
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
    if made.get("over"):
        return "a gating shift over an ion"
    if made.get("others"):
        return "runs laid over one another"
    return "a run" if made.get("protocol") else "a membrane in its bath"


def rows(made: Mapping[str, Any]) -> list[list[str]]:
    """The provenance in words, as (what, how)."""
    other = next((said for key, said in _ROWS.items() if key in made), None)
    if other is not None:
        return [*other(made), *([["made by", f"cramplab {made['cramplab']}"]] if "cramplab" in made else [])]
    out = [["model", str(made.get("model", "unknown"))], ["parameters", _parameters(made)]]
    if "bath" in made:
        bath = made["bath"] if isinstance(made["bath"], str) else words.bath(made["bath"])
        out.append(["bath", f"{bath}, all else as in control" if bath else "control"])
    if "mode" in made:
        out.append(["mode", words.mode(made["mode"], made.get("frozen", []))])
    out += [[f"axis {name}", _axis(name, values)] for name, values in made.get("axes", {}).items()]
    out += [[f"followed over {name}", _span(name, ends)] for name, ends in made.get("continued", {}).items()]
    out += [[f"over {name}", _axis(name, values)] for name, values in made.get("over", {}).items()]
    if "acceptance" in made:
        out += _population(made)
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
    if "stimulus" in made:
        out.append(["done to it", made["stimulus"]])
    out += [["laid over it", f"{name} ({_membrane(run)})"] for name, run in made.get("others", {}).items()]
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


# ---- what is no single membrane

def _membrane(made: Mapping[str, Any]) -> str:
    """A membrane or a junction in one line: its set and its bath."""
    bath = words.bath(made["bath"]) if made.get("bath") else "control"
    return f"{_parameters(made)}, bath {bath}"


def _of_unit(made: Mapping[str, Any]) -> list[list[str]]:
    from simulation.cli.motor_unit import drive_words
    from simulation.experiment.motor_unit import Drive
    from simulation.models.motor_unit import STAGES

    stages = [[stage, _membrane(made["unit"][stage])] for stage in STAGES]
    return [*stages, ["drive", drive_words(Drive.of(made["drive"]))], ["watched for", words.duration(made["duration"])], ["solver", made["solver"]]]


def _of_claim(made: Mapping[str, Any]) -> list[list[str]]:
    tried = [["experiment", finding["text"]] for finding in made["findings"]]
    return [["claim", made["claim"]], *tried, ["judged by", f"the rule of cramplab claims, on the code {made['code']}"]]


def _of_panel(made: Mapping[str, Any]) -> list[list[str]]:
    from simulation.clinic.panel import analytes

    serum = ", ".join(f"{n} {words.quantity(v, analytes()[n].unit if n in analytes() else '')}" for n, v in made["panel"].items())
    return [["serum", serum], ["around membranes", words.bath(made["bath"])]]


def _of_course(made: Mapping[str, Any]) -> list[list[str]]:
    return [["condition", made["condition"]], ["followed for", f"{made['days']:g} days"], *(["treatment", text] for text in made["treatments"])]


def _of_conditions(made: Mapping[str, Any]) -> list[list[str]]:
    return [
        [name, f"after {c['days']:g} days; changed in the body: {', '.join(f'{s} = {v:g}' for s, v in c['body'].items()) or 'nothing'}"]
        for name, c in made["conditions"].items()
    ]


def _of_compared(made: Mapping[str, Any]) -> list[list[str]]:
    out = [["measure", made["measure"]]]
    for name, one in made["compared"].items():
        out += [[name, _membrane(one)], *([f"axis {axis}", _axis(axis, values)] for axis, values in one.get("axes", {}).items())]
    return out


def _of_places(made: Mapping[str, Any]) -> list[list[str]]:
    out = [[name, _membrane(one)] for name, one in made["membranes"].items()]
    out += [["junction", _membrane(made["junction"])]] if "junction" in made else []
    return out + [["varied", f"{name}: {', '.join(f'{v:g}' for v in values)}"] for name, values in made["varied"].items()]


def _of_junction(made: Mapping[str, Any]) -> list[list[str]]:
    axes = [[f"axis {name}", _axis(name, values)] for name, values in made.get("axes", {}).items()]
    return [["junction", _membrane(made["junction"])], *axes, ["measures", ", ".join(made.get("measures", []))]]


def _of_claims(made: Mapping[str, Any]) -> list[list[str]]:
    return [["claims", ", ".join(made["claims"])]]


_ROWS: Mapping[str, Callable[[Mapping[str, Any]], list[list[str]]]] = {
    "unit": _of_unit, "claim": _of_claim, "panel": _of_panel, "condition": _of_course, "conditions": _of_conditions, "compared": _of_compared,
    "membranes": _of_places, "junction": _of_junction, "claims": _of_claims,
}


def _population(made: Mapping[str, Any]) -> list[list[str]]:
    spread = "" if made["spread"] == 1 else f", {made['spread']:g} of the way to the ends of their ranges"
    return [
        ["members", f"{made['count']}, from {len(made['drawn'])} parameters drawn over their ranges ({made['method']}, seed {made['seed']}){spread}"],
        ["baths", "; ".join(bath or "control" for bath in made["baths"])],
        ["accepted if", "; ".join(f"{name.replace('_', ' ')} {low:g} to {high:g}" for name, (low, high) in made["acceptance"].items())],
    ]


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
