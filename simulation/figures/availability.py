"""How many sodium channels rest leaves available, and what threshold comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from simulation.figures import data, marks, style
from simulation.figures.data import Array, number
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    import xarray as xr

LOOKS = (style.POTENTIAL, style.Look(style.CARRIERS["Na"].color, (0, (5.0, 1.5)), "s"))


def availability_figure(membranes: Mapping[str, xr.Dataset], axis: str = "K", size: str = "slide") -> Plate:
    """Figure of the share of sodium channels available at rest (``available``), and of the threshold current as a multiple of that in the control
    bath (``threshold_current``), over one component of the bath. A line of thresholds ends where no current fires the membrane."""
    with style.drawing(size, stacked=True) as s:
        first, *others = ((name, data.provenance(dataset)) for name, dataset in membranes.items())
        plate = new_plate(s, title=f"Sodium channels available at rest, and threshold, over {axis}", alt=alt_text(membranes, axis),
                          provenance={**first[1], "others": dict(others)})
        upper, lower = plate.subplots(2, 1, sharex=True)
        for look, (name, dataset) in zip(LOOKS, membranes.items(), strict=False):
            x, available, threshold = _curves(dataset, axis)
            known = {"color": look.color, "linestyle": look.line, "linewidth": s.line}
            upper.plot(x, available, label=name, **known)
            lower.plot(x, threshold, **known)
            fires = np.flatnonzero(np.isfinite(threshold))
            if len(fires) and fires[-1] < len(x) - 1:
                end = {"marker": "x", "color": look.color, "markersize": 0.55 * s.font, "markeredgewidth": 0.7 * s.line, "zorder": 4}
                for ax, y in ((upper, available), (lower, threshold)):
                    ax.plot(x[fires[-1]], y[fires[-1]], **end)
        (one, *_) = membranes.values()
        for ax in (upper, lower):
            marks.mark_control(ax, one, axis, s, panels=2, named=ax is lower)
        upper.set_ylim(0.0, 1.03)
        lower.set_ylim(bottom=0.0)
        upper.set_xlim(*data.axis_values(one, axis)[[0, -1]])
        style.few_ticks(lower.xaxis, 7)
        style.few_ticks(upper.yaxis, 3)
        style.few_ticks(lower.yaxis, 4)
        lower.set_xlabel(data.axis_label(one, axis))
        marks.label_above(upper, "Sodium channels available at rest", s)
        marks.label_above(lower, "Threshold current / control (×: no spike beyond)", s)
        upper.legend(loc="upper right")
        return plate.settled()


def alt_text(membranes: Mapping[str, xr.Dataset], axis: str = "K") -> str:
    """What ``availability_figure`` shows, in words."""
    (one, *_) = membranes.values()
    unit = one[axis].attrs.get("units", "")
    parts = [f"share of sodium channels that are available at rest, and threshold current, over {data.axis_words(one, axis)}"]
    for name, dataset in membranes.items():
        x, available, threshold = _curves(dataset, axis)
        parts.append(f"{name}: available {data.along(x, available, unit, '1')}")
        fires = np.flatnonzero(np.isfinite(threshold))
        low = fires[np.argmin(threshold[fires])]
        ends = f", and beyond {number(x[fires[-1]])} {unit} no current fires it" if fires[-1] < len(x) - 1 else ""
        parts.append(f"its threshold is lowest, {number(threshold[low])} times that of the control bath, at {number(x[low])} {unit}{ends}")
    return data.sentences(parts)


def _curves(dataset: xr.Dataset, axis: str) -> tuple[Array, Array, Array]:
    x = data.axis_values(dataset, axis)
    available, threshold = (data.values_and_failures(dataset, name)[0] for name in ("available", "threshold_current"))
    control = marks.control_within(dataset, axis)
    return x, available, threshold / float(np.interp(x[0] if control is None else control, x, threshold))
