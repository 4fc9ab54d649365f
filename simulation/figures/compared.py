"""One measure of several membranes over one axis, each as a share of its own control: whose excitability changes first."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from simulation.figures import data, marks, style
from simulation.figures.data import number
from simulation.figures.errors import FigureError
from simulation.figures.overlay import TURN
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    import xarray as xr


def compared(found: Mapping[str, xr.Dataset], measure: str, size: str = "slide") -> Plate:
    """Figure of a measure of sweeps over the same axis, in per cent of what it is in each one's control bath.

    ``found``: name of the membrane -> its sweep. Raises FigureError where an axis differs or holds no control."""
    first = next(iter(found.values()))
    axis = str(first[measure].dims[0])
    shares = {}
    for name, one in found.items():
        x = data.axis_values(one, axis)
        control = marks.control_within(one, axis)
        if one[measure].dims != (axis,) or control is None:
            raise FigureError(f"the sweep of {name} does not go over {axis} through the control bath")
        y = np.asarray(one[measure].values, dtype=float)
        shares[name] = x, 100.0 * y / float(np.interp(control, x, y))
    said = f"{data.measure_words(first[measure])}, per cent of control"
    alt = data.sentences([f"{said}, over {data.axis_words(first, axis)}", *(
        f"{name}: {number(float(y[0]))} per cent at {number(float(x[0]))}, {number(float(y[-1]))} at {number(float(x[-1]))}"
        for name, (x, y) in shares.items()
    )])
    origin = {name: data.provenance(one) for name, one in found.items()}
    with style.drawing(size) as s:
        plate = new_plate(s, title=f"{said} over {data.axis_words(first, axis)}: {', '.join(found)}", alt=alt,
                          provenance=next(iter(origin.values())) | {"others": dict(list(origin.items())[1:])})
        ax = plate.subplots()
        ax.axhline(100.0, color=style.REFERENCE, linewidth=0.5 * s.line)
        for owner, (name, (x, y)) in zip(cycle(TURN), shares.items(), strict=False):
            look = style.CARRIERS[owner]
            ax.plot(x, y, color=look.color, linestyle=look.line, marker=look.marker, markersize=2.0 * s.line, label=name)
        marks.mark_control(ax, first, axis, s, 1, named=True)
        ax.set_xlabel(data.axis_label(first, axis))
        marks.label_above(ax, f"{data.measure_words(first[measure])[:1].upper()}{data.measure_words(first[measure])[1:]} (% of control)", s)
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        return plate.settled()
