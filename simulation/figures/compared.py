"""One measure of several membranes over one axis, each against its own control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from simulation.figures import data, marks, style
from simulation.figures.data import Array
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    import xarray as xr

LOOKS = ("K", "Na", "Cl", "Ca", "NKCC", "leak")  # whose looks the membranes have, in turn


def compared_figure(found: Mapping[str, xr.Dataset], measure: str, size: str = "slide", looks: Sequence[str] = LOOKS) -> Plate:
    """Figure of ``measure`` over the axis that all sweeps share, as % of what each membrane has at the axis' control value.

    ``found``: name -> Dataset. ``looks``: carriers whose looks they have. Raises FigureError if axes differ or a membrane has no control value."""
    names, first = list(found), next(iter(found.values()))
    axis = _shared_axis(found, measure)
    with style.drawing(size) as s:
        words = f"{data.measure_words(data.variable(first, measure))} against {data.axis_words(first, axis)}"
        origin = {"compared": {name: data.provenance(one) for name, one in found.items()}, "measure": measure}
        plate = new_plate(s, title=f"{words}: {', '.join(names)}", alt=compared_alt(found, measure), provenance=origin)
        ax = plate.subplots()
        ends = []
        for owner, (name, one) in zip(cycle(looks), found.items(), strict=False):
            look, share = style.CARRIERS[owner], shares(one, measure, axis)
            x = data.axis_values(one, axis)
            ax.plot(x, share, color=look.color, linestyle=look.line, marker=look.marker)
            there = np.flatnonzero(np.isfinite(share))
            ends.append((float(share[there[-1]]) if len(there) else 100.0, name, style.ink(look.color)))
        ax.axhline(100.0, color=style.REFERENCE, linewidth=0.3 * s.line, zorder=0)
        ax.margins(x=0.02)
        marks.scale_axis(ax, "x", data.axis_values(first, axis))
        style.few_ticks(ax.yaxis, 6)
        marks.mark_control(ax, first, axis, s)
        ax.set_xlabel(data.wrapped(data.axis_label(first, axis), s.letters(0.9 * s.width)))
        marks.label_above(ax, data.wrapped(f"{data.measure_words(first[measure]).capitalize()} (% of normal)", s.letters(0.85 * s.width)), s)
        marks.label_right(ax, [(y, data.wrapped(name, 14) if s.width > 5 else name, colour) for y, name, colour in ends], s)
        return plate.settled()


def shares(dataset: xr.Dataset, measure: str, axis: str) -> Array:
    """The measure as % of its value at the control of the axis, between points by a straight line; NaN where there is none.

    Raises FigureError if there is no value at the control."""
    values, _ = data.values_and_failures(dataset, measure)
    x, control = data.axis_values(dataset, axis), marks.control_within(dataset, axis)
    normal = float(np.interp(control, x, values)) if control is not None else float("nan")
    if not np.isfinite(normal) or normal == 0:
        raise FigureError(f"{measure} has no value at the control of {axis}: there is nothing to compare with")
    return np.asarray(100 * values / normal)


def compared_alt(found: Mapping[str, xr.Dataset], measure: str) -> str:
    """What ``compared_figure`` shows, in words."""
    axis = _shared_axis(found, measure)
    first = next(iter(found.values()))
    parts = [f"{data.measure_words(data.variable(first, measure))} against {data.axis_words(first, axis)}, of each membrane in percent of normal"]
    for name, one in found.items():
        unit = one[axis].attrs.get("units", "")
        parts.append(f"{name}: {data.along(data.axis_values(one, axis), shares(one, measure, axis), unit, '%') or 'no value'}")
    return data.sentences(parts)


def _shared_axis(found: Mapping[str, xr.Dataset], measure: str) -> str:
    axes = {tuple(str(d) for d in data.variable(one, measure).dims) for one in found.values()}
    if len(axes) != 1 or len(next(iter(axes))) != 1:
        raise FigureError("membranes are compared over one axis that all of them share")
    return next(iter(axes))[0]
