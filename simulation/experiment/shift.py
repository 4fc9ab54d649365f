"""Surface charge as a quantity: the potential, the shift that it gives the gates, how sure that is, and the closed form beside the root."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from simulation import models
from simulation.assembly.compile import Array
from simulation.assembly.errors import nearest
from simulation.experiment.bath import COMPONENTS, Bath
from simulation.experiment.errors import ExperimentError
from simulation.experiment.preparation import Preparation
from simulation.parameter_sets import convert

if TYPE_CHECKING:
    import xarray as xr

# What the bands go over: magnesium is the least known of the ions, and how much potassium channels feel is not known.
BANDS: Mapping[str, tuple[str, ...]] = {"shift_Na": ("w_Mg", "K_Mg"), "shift_K": ("w_Mg", "K_Mg", "w_K")}
TEXTS: Mapping[str, str] = {
    "psi": "surface potential",
    "psi_ref": "surface potential in the reference bath",
    "shift_Na": "shift of sodium gates",
    "shift_Na_low": "lowest plausible shift of sodium gates",
    "shift_Na_high": "highest plausible shift of sodium gates",
    "shift_K": "shift of potassium gates",
    "shift_K_low": "lowest plausible shift of potassium gates",
    "shift_K_high": "highest plausible shift of potassium gates",
    "closed": "shift in closed form",
    "difference": "closed form less the exact shift",
}


def gating_shift(p: Preparation, over: str | None = None, values: Sequence[float] | Array | None = None) -> xr.Dataset:
    """Surface potential and gating shift (mV) in the bath of ``p``, or over ``values`` of one component of it (``over``: 'Ca').

    Variables psi and psi_ref (surface potential here and in the reference bath), shift_Na and shift_K (of the gates of these
    channels; negative: they open at more negative potentials), each with _low and _high over the plausible ranges of the parameters in its
    attribute 'band', closed and difference (closed form less root). Attributes 'bath' and 'reference': the bath asked for and the one in
    which the shift is zero. Raises ExperimentError for a model without surface charge, or for values that a bath cannot have."""
    import xarray as xr

    _has_surface_charge(p)
    baths, coordinates = _baths(p, over, values)
    points = [_point(p, bath) for bath in baths]
    dims = () if over is None else (over,)
    variables = {
        name: (dims, np.array([point[name] for point in points]).reshape([len(points)] * len(dims)), {"units": "mV", "long_name": text})
        for name, text in TEXTS.items()
    }
    for name, symbols in BANDS.items():
        variables[name][2]["band"] = json.dumps({s: _range(p, s) for s in symbols})
    reference = _reference(p)
    attributes = {
        "title": p.bound.model.title,
        "provenance": json.dumps({**p.describe(), "over": {} if over is None else {over: [float(v) for v in coordinates[over][1]]}}),
        "bath": json.dumps(p.whole_bath),
        "reference": json.dumps(reference),
    }
    return xr.Dataset(variables, coordinates, attributes)


def _has_surface_charge(p: Preparation) -> None:
    def has(name: str) -> bool:
        return any(d.symbol == "dpsi_closed" for d in models.bound(name).definitions)

    if not has(p.bound.name):
        raise ExperimentError(f"{p.bound.name} has no surface charge; models that have it: {', '.join(filter(has, models.names()))}")


def _baths(
    p: Preparation, over: str | None, values: Sequence[float] | Array | None
) -> tuple[list[Bath], dict[str, tuple[str, Array, dict[str, str]]]]:
    """The bath of each point, and the axis if there is one."""
    if (over is None) != (values is None):
        raise ExperimentError("a shift over an ion needs its name and its values, for example over='Ca', values=[0.6, 1.2]")
    if over is None or values is None:
        return [p.bath], {}
    if over not in p.bound.model.bath:
        raise ExperimentError(
            f"the bath of {p.bound.name} has no {over}{nearest(over, p.bound.model.bath)}; it has {', '.join(p.bound.model.bath)}"
        )
    axis = np.asarray(values, dtype=float)
    if axis.ndim != 1 or axis.size == 0:
        raise ExperimentError(f"the values of {over} are a list of numbers, for example [0.6, 1.2]")
    component = COMPONENTS[over]
    baths = [p.bath.changed(**{over: float(v)}) for v in axis]
    return baths, {over: (over, axis, {"units": component.unit or "1", "long_name": component.name})}


def _point(p: Preparation, bath: Bath) -> dict[str, float]:
    """Every variable in one bath, mV."""
    numbers = p.numbers(bath)
    here = _charged(p, numbers)
    dpsi = here["dpsi"]
    plausible = [_charged(p, numbers | chosen)["dpsi"] for chosen in _choices(p, numbers, ("w_Mg", "K_Mg"))]
    shares_K = [chosen["w_K"] for chosen in _choices(p, numbers, ("w_K",))]
    shifts_Na = [numbers["w_Na"] * d for d in plausible]
    shifts_K = [w * d for w, d in product(shares_K, plausible)]
    return {
        "psi": here["psi"],
        "psi_ref": here["psi_ref"],
        "shift_Na": numbers["w_Na"] * dpsi,
        "shift_Na_low": min(shifts_Na),
        "shift_Na_high": max(shifts_Na),
        "shift_K": numbers["w_K"] * dpsi,
        "shift_K_low": min(shifts_K),
        "shift_K_high": max(shifts_K),
        "closed": here["dpsi_closed"],
        "difference": here["dpsi_closed"] - dpsi,
    }


def _charged(p: Preparation, numbers: Mapping[str, float]) -> dict[str, float]:
    """What the model's own equations say of the surface charge."""
    values = p.kernel.prepare(numbers)
    names = p.kernel.emitted.values
    return {s: float(values[names.index(s)]) for s in ("psi", "psi_ref", "dpsi", "dpsi_closed")}


def _choices(p: Preparation, numbers: Mapping[str, float], symbols: Iterable[str]) -> Iterator[dict[str, float]]:
    """Each parameter as it is, at the lower and at the upper end of its range, in every combination: so a band holds the value itself."""
    names = list(symbols)
    for combination in product(*((numbers[s], *_range(p, s)) for s in names)):
        yield dict(zip(names, combination, strict=True))


def _range(p: Preparation, symbol: str) -> tuple[float, float]:
    """Plausible range of a parameter, in the unit of the model."""
    parameter = p.parameters[symbol]
    low, high = (convert(edge, parameter.unit, p.bound.parameters[symbol], symbol) for edge in parameter.range)
    return low, high


def _reference(p: Preparation) -> dict[str, float]:
    """The reference bath, as far as it is stated: its temperature is always that of the bath."""
    symbols = {name: f"{symbol.removesuffix('_o')}_ref" for name, symbol in p.bound.model.bath.items() if name != "T"}
    return {name: p.numbers()[symbol] for name, symbol in symbols.items() if symbol in p.bound.parameters}
