"""cramplab shift: how far surface charge shifts the gates."""

from __future__ import annotations

import json as json_format
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import options, output, words
from simulation.cli.options import Json, Membrane, given

if TYPE_CHECKING:
    import xarray as xr

    from simulation.figures.plate import Plate

DRAWN = "Ca=0.1:5:50"
_SHOWN = 9  # points of a curve that are printed
_NO_SHIFT = 0.05  # mV: less is not seen with one decimal
_GATES = {"shift_Na": "sodium", "shift_K": "potassium"}
_COMES_FROM = {
    "w_Mg": "how well magnesium screens beside calcium", "K_Mg": "how weakly it binds", "w_K": "the share of the shift that potassium gates feel",
}


def register(app: typer.Typer) -> None:
    app.command("shift")(shift)


@given(membrane=partial(options.membrane, model="axon"))
def shift(
    membrane: Membrane,
    over: Annotated[
        str | None, typer.Option("--over", metavar="ION=FROM:TO:COUNT", help="Over values of one ion: Ca=0.1:5:50, Mg=0.1:5:30:log, pH=7,7.4,7.8."),
    ] = None,
    out: options.DataFile = None,
    figure: options.FigureFile = None,
    size: options.Size = "slide",
    json: Json = False,
) -> None:
    """How far surface charge shifts the gates in a bath, and how sure that is.

    Calcium, magnesium, acid and salt screen and bind the charges on the membrane. With fewer of them the gates
    open at more negative potentials. MODEL is axon (if none is named) or fibre, or a set of theirs. A figure or a
    file without --over goes over Ca from 0.1 to 5 mM.

    \b
    Examples:
      cramplab shift --bath Ca=0.6,Mg=0.2
      cramplab shift fibre --bath Ca=0.8 --figure shift.svg
      cramplab shift --over Mg=0.1:2:20 --figure mg.png --size half
      cramplab shift --bath pH=7.6
      cramplab shift --bath Ca=0.8 --over pH=7:7.8:9 --out ph.csv"""
    from simulation.experiment.shift import gating_shift

    options.check_files("a shift", out, figure, size)
    here = gating_shift(membrane.here)
    curve = _curve(membrane, over or DRAWN) if over is not None or out is not None or figure is not None else None
    written = _write(curve, out, figure, size) if curve is not None else []
    if json:
        output.as_json({**membrane.facts(), **facts(here), "over": _values(curve) if curve is not None else None, "files": written})
    else:
        _print(membrane, here, curve if over is not None else None, written)


def _curve(membrane: Membrane, over: str) -> xr.Dataset:
    from simulation.experiment.shift import gating_shift
    from simulation.studies.sweep import parse_axis

    axis = parse_axis(over)
    return gating_shift(membrane.here, axis.name, axis.values)


def _write(curve: xr.Dataset, out: Path | None, figure: Path | None, size: str) -> list[Path]:
    def draw() -> Plate:
        from simulation import figures

        return figures.shift_figure(curve, size)

    return output.keep(curve, out, draw, figure)


# ---- the result

def facts(here: xr.Dataset) -> dict[str, Any]:
    """What ``--json`` says about the shift in one bath, all in mV; ``band``: what each band comes from."""
    return {
        "psi": float(here["psi"]),
        "psi_ref": float(here["psi_ref"]),
        **{
            name: {
                "value": float(here[name]), "low": float(here[f"{name}_low"]), "high": float(here[f"{name}_high"]),
                "band": json_format.loads(here[name].attrs["band"]),
            }
            for name in _GATES
        },
        "closed": float(here["closed"]),
        "difference": float(here["difference"]),
        "reference": json_format.loads(here.attrs["reference"]),
    }


def _values(curve: xr.Dataset) -> dict[str, list[float]]:
    return {str(name): [float(v) for v in curve[name].values] for name in (*curve.dims, *curve.data_vars)}


def sentence(shift: float) -> str:
    """What a shift of the sodium gates (mV) means."""
    if abs(shift) < _NO_SHIFT:
        return "The gates open as in the reference bath: surface charge makes the membrane neither more nor less excitable."
    how, what = ("negative", "more") if shift < 0 else ("positive", "less")
    return (
        f"Sodium gates open at potentials that are {words.quantity(abs(shift), 'mV')} more {how} than in the reference bath: "
        f"as far as surface charge goes, the membrane is {what} excitable."
    )


def _print(membrane: Membrane, here: xr.Dataset, curve: xr.Dataset | None, written: list[Path]) -> None:
    reference = json_format.loads(here.attrs["reference"])
    output.say(*membrane.heading(), f"Reference bath, in which the shift is zero: {words.bath(reference)}", "")
    output.say(sentence(float(here["shift_Na"])), style="bold")
    output.say("")
    rows = [["surface potential here", _mV(here["psi"]), ""], ["surface potential, reference bath", _mV(here["psi_ref"]), ""]]
    rows += [
        [f"shift of {gates} gates", _mV(here[name]), f"between {_mV(here[f'{name}_low'])} and {_mV(here[f'{name}_high'])}"]
        for name, gates in _GATES.items()
    ]
    rows += [["closed form, from Ca and Mg alone", _mV(here["closed"]), f"off by {float(here['difference']):+.2f} mV"]]
    output.table(rows, right=(1,))
    output.say("", *(_band(here, name, membrane.here.bound.parameters) for name in _GATES))
    if curve is not None:
        output.say("")
        _print_curve(curve)
    if written:
        output.say("", *(f"Saved: {path}" for path in written))


def _mV(value: Any) -> str:
    return words.quantity(float(value), "mV")


def _band(here: xr.Dataset, name: str, units: Mapping[str, str]) -> str:
    """What the band of some gates comes from, as a sentence."""
    ranges = json_format.loads(here[name].attrs["band"])
    parts = [f"{_COMES_FROM[s]} ({s} {low:g} to {words.quantity(high, units[s])})" for s, (low, high) in ranges.items()]
    return f"The range for {_GATES[name]} gates comes from {', '.join(parts[:-1])} and {parts[-1]}."


def _print_curve(curve: xr.Dataset) -> None:
    axis = str(next(iter(curve.dims)))
    unit = curve[axis].attrs["units"]
    count = curve.sizes[axis]
    chosen = sorted({round(i * (count - 1) / (_SHOWN - 1)) for i in range(_SHOWN)})
    points = [curve.isel({axis: i}) for i in chosen]
    rows = [[words.quantity(float(x[axis]), unit), *(_mV(x[name]) for name in ("psi", *_GATES, "closed"))] for x in points]
    output.table(rows, head=(axis, "surface potential", "Na gates", "K gates", "closed form"), right=(0, 1, 2, 3, 4))
