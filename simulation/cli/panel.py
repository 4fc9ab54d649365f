"""cramplab panel: a serum panel, and what nerve and muscle do in it."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation import files
from simulation.cli import options, output, words
from simulation.cli.errors import WrongUse
from simulation.cli.options import Json

if TYPE_CHECKING:
    from simulation.clinic.panel import Excitability, Panel, Reading


def register(app: typer.Typer) -> None:
    app.command("panel")(panel)


def panel(
    values: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE...", help="K, Na, Ca, iCa, Mg, albumin, pH, 25OHD, eGFR.", show_default=False)
    ] = None,
    units: Annotated[str, typer.Option("--units", help="Of bare numbers: si, or conventional (mg/dL and the like).")] = "si",
    csv_file: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Panels, one a row.", show_default=False)] = None,
    members: Annotated[int, typer.Option("--members", min=0, help="How many plausible axons are asked as well; 0 for none.")] = 40,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Save the table of a CSV file: .csv.", show_default=False)] = None,
    figure: options.FigureFile = None,
    size: options.Size = "slide",
    json: Json = False,
) -> None:
    """Read a serum panel and say what nerve and muscle do in it.

    Totals as a laboratory prints them become the ionised bath of the membranes, by albumin and pH. What was not
    measured is taken as normal, and said. Each value is graded; then rest, thresholds, spontaneous firing and force
    are computed, and which of the values does it, by setting one at a time back to normal.

    \b
    Examples:
      cramplab panel K=2.9 Ca=1.95 Mg=0.55 albumin=32 pH=7.5
      cramplab panel Ca=7.8mg/dL albumin=3.2g/dL 25OHD=18nmol/L eGFR=40
      cramplab panel K=2.9 Ca=7.8 Mg=1.3 --units conventional
      cramplab panel --csv panels.csv --out results.csv"""
    from simulation.clinic import panel as lab

    if units not in ("si", "conventional"):
        raise WrongUse(f"the units '{units}' are not known; write --units si or --units conventional")
    if bool(values) == (csv_file is not None):
        raise WrongUse("give the values of a panel, for example cramplab panel K=2.9 Ca=1.95, or a table with --csv FILE")
    options.check_files("a table of panels", out, figure, size, (".csv",))
    if out is not None and csv_file is None:
        raise WrongUse("--out saves what comes of a table of panels: name it with --csv; for one panel there is --json")
    conventional = units == "conventional"
    if csv_file is not None:
        if figure is not None:
            raise WrongUse("a figure is drawn of one panel, not of a table")
        _many(lab.read_csv(csv_file, conventional), out, json)
        return
    reading = lab.examine(lab.read(values or [], conventional), members=members)
    written: list[Path] = []
    if figure is not None:
        from simulation import figures

        written = figures.save(figures.panel_figure(reading, size), figure)
    if json:
        output.as_json({**facts(reading), "files": written})
    else:
        _print(reading, written)


def facts(reading: Reading) -> dict[str, Any]:
    """What ``--json`` says."""
    from simulation.clinic.panel import DISCLAIMER, analytes

    p = reading.panel
    return {
        "values": {n: {"value": v, "unit": analytes()[n].unit, "grade": p.grades[n]} for n, v in p.values.items()},
        "taken as normal": {n: p[n] for n in p.missing}, "bath": p.bath, "membranes": {n: vars(e) for n, e in reading.membranes.items()},
        "force": {"at 20 Hz, of that in health": reading.force_ratio, "involuntary": reading.involuntary, "safety factor": reading.safety},
        "drives": {n: {"threshold of the axon, %": a, "rest of the fibre, mV": r} for n, (a, r) in reading.drives.items()},
        "population": dict(reading.tail), "disclaimer": DISCLAIMER,
    }


def _print(reading: Reading, written: list[Path]) -> None:
    from simulation.clinic.panel import DISCLAIMER, MEMBRANES, analytes

    p = reading.panel
    rows = []
    for n, a in analytes().items():
        if n in p.values:
            rows.append([a.name, words.quantity(p[n], a.unit, 3), _band(a.normal, a.unit), p.grades[n]])
    output.table(rows, head=("serum", "value", "normal", "grade"), right=(1, 2))
    if p.missing:
        output.say("", f"Not given, taken as normal: {', '.join(f'{n} {words.quantity(p[n], analytes()[n].unit)}' for n in p.missing)}.")
    for n in p.values:
        if analytes()[n].no_effect:
            output.say(f"{n}: {analytes()[n].no_effect}.")
    bath = p.bath
    output.say(f"Around nerve and muscle: {words.bath(bath)} (ionised).", "")
    rows = [
        [MEMBRANES[n], f"{e.rest:.1f} ({e.rest_change:+.1f})", ratio(e.threshold_ratio), ratio(e.rheobase_ratio), does(e)]
        for n, e in reading.membranes.items()
    ]
    output.table(rows, head=("membrane", "rest (change), mV", "threshold", "rheobase", "what it does"), right=(1, 2, 3))
    output.say("Thresholds against health; 'what it does' without a stimulus and after 200 ms of twice the rheobase in health.")
    if reading.tail:
        of = {name: x["count"] for name, x in reading.tail.items() if isinstance(x, dict)}
        output.say(
            f"Of {reading.tail['members']} plausible axons {of['fires by itself']} fire by themselves, {of['paralysed']} cannot be excited, "
            f"{of['excitable']} need at least a tenth less current."
        )
    alone = "no force" if reading.involuntary < 0.05 else f"{100 * reading.involuntary:.0f} % of full force"
    output.say(
        f"Motor unit at 20 Hz: {100 * reading.force_ratio:.0f} % of the force in health; without a command: {alone}; "
        f"safety factor of the junction {reading.safety:.1f}.", "",
    )
    if reading.drives:
        ranked = sorted(reading.drives.items(), key=lambda d: -abs(d[1][0]) if math.isfinite(d[1][0]) else -math.inf)
        output.table(
            [[n, "none" if not math.isfinite(a) else f"{a:+.0f} %", "none" if not math.isfinite(r) else f"{r:+.1f} mV"] for n, (a, r) in ranked],
            head=("which value does it", "axon's threshold", "fibre's rest"), right=(1, 2))
        output.say("How much of the change goes if this value alone is normal.")
    output.say("", DISCLAIMER, *(f"Saved: {path}" for path in written))


def _band(normal: tuple[float, float], unit: str) -> str:
    return f"{normal[0]:g} to {normal[1]:g} {unit}".rstrip()


def ratio(value: float) -> str:
    """A threshold against health in words."""
    return "nothing fires it" if math.isnan(value) else "fires alone" if value == 0 else f"{100 * (value - 1):+.0f} %"


def does(e: Excitability) -> str:
    """What a membrane does, in words."""
    if e.spontaneous:
        return "fires by itself"
    if math.isnan(e.threshold_ratio):
        return "paralysed"
    if e.after:
        return "goes on firing"
    return "could fall to a second rest" if e.two_rests else "silent, ready" if e.spikes else "silent"


def _many(panels: list[tuple[str, Panel | str]], out: Path | None, json: bool) -> None:
    from simulation.clinic.panel import DISCLAIMER, examine

    rows = []
    for name, p in panels:
        if isinstance(p, str):
            rows.append({"name": name, "problem": p})
            continue
        reading = examine(p)
        axon, fibre = (reading.membranes.get(m) for m in ("axon", "fibre"))
        drives = {n: abs(a) for n, (a, _) in reading.drives.items() if math.isfinite(a)}
        rows.append({
            "name": name, **{f"bath_{k}": f"{v:.4g}" for k, v in reading.panel.bath.items()},
            "axon_threshold": f"{axon.threshold_ratio:.4g}" if axon else "", "fibre_threshold": f"{fibre.threshold_ratio:.4g}" if fibre else "",
            "fibre_rest": f"{fibre.rest:.4g}" if fibre else "", "axon_does": does(axon) if axon else "no steady state",
            "fibre_does": does(fibre) if fibre else "no steady state", "force": f"{reading.force_ratio:.4g}",
            "driven_by": max(drives, key=lambda n: drives[n]) if drives else "", "taken_as_normal": " ".join(reading.panel.missing), "problem": "",
        })
    columns = list(dict.fromkeys(k for row in rows for k in row))
    if out is not None:
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(rows)
        files.write_text(out, text.getvalue())
    if json:
        output.as_json({"panels": rows, "disclaimer": DISCLAIMER, "files": [out] if out else []})
        return
    shown = ("name", "axon_threshold", "axon_does", "fibre_does", "force", "driven_by")
    output.table(
        [[row["name"], *(row.get(k, "") for k in shown[1:])] if not row["problem"] else [row["name"], *[""] * 5] for row in rows],
        head=("panel", "axon's threshold", "axon", "fibre", "force", "driven by"), right=(1, 4))
    for row in rows:
        if row["problem"]:
            output.warn(str(row["problem"]))
    output.say("Threshold and force as multiples of those in health.", DISCLAIMER, *([f"Saved: {out}"] if out else []))
