"""The gating shift by surface charge over one ion: sodium and potassium gates with their bands, and the closed form beside the root."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import to_rgb

from simulation.figures import data, marks, style
from simulation.figures.data import Array, number, quantity
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

GATES = {"shift_K": "K", "shift_Na": "Na"}  # the wider band behind
NAMES = {"Na": "sodium gates", "K": "potassium gates"}
_EDGE = {"Na": 1.0, "K": 1.1}  # the potassium band's dashes over the sodium band's line
SHORT = {"Na": "Na gates", "K": "K gates"}
FAINT = 0.25  # of the ion's colour in its band, the rest is white: bands that shine through each other have no ion's colour
LOWER = 0.3  # height of the lower panel, as a share of that of the upper
REFERENCE = "the reference bath"
SMALLEST = 0.5  # mV: the lower panel is never scaled finer, or a small difference would look large


def shift_figure(dataset: xr.Dataset, size: str = "slide") -> Plate:
    """Figure of the shift of sodium and of potassium gates over one component of the bath, each with its band, the closed form dotted,
    below it what the closed form adds to the exact shift; the reference bath is marked in grey, the bath asked for in black.

    ``dataset``: as from ``gating_shift`` over an ion. Raises FigureError for a dataset over none."""
    axis = _axis(dataset)
    x = data.axis_values(dataset, axis)
    with style.drawing(size, stacked=True) as s:
        plate = new_plate(
            s, title=f"Gating shift by surface charge against {data.axis_words(dataset, axis)}", alt=alt_text(dataset),
            provenance=data.provenance(dataset),
        )
        upper, lower = plate.subplots(2, 1, sharex=True, height_ratios=(1, LOWER))
        for name, ion in GATES.items():
            look = style.CARRIERS[ion]
            low, high = _values(dataset, f"{name}_low"), _values(dataset, f"{name}_high")
            upper.fill_between(x, low, high, color=_pale(look.color), linewidth=0, zorder=0.3)
            # Of the band behind one sees how far it goes.
            upper.plot(x, np.column_stack([low, high]), color=look.color, linestyle=look.line, linewidth=0.3 * s.line, zorder=_EDGE[ion])
            upper.plot(x, _values(dataset, name), color=look.color, linestyle=look.line, linewidth=s.line, label=SHORT[ion])
        upper.plot(x, _values(dataset, "closed"), color="black", linestyle=":", linewidth=0.8 * s.line, label="closed form")
        lower.plot(x, _values(dataset, "difference"), color="black", linestyle=":", linewidth=0.8 * s.line)
        for ax in (upper, lower):
            ax.axhline(0.0, color=style.CONTROL.color, linewidth=0.3 * s.line, zorder=0.5)
        _scale(upper, lower, dataset, x)
        _mark_baths(upper, lower, dataset, axis, s)
        lower.set_xlabel(data.axis_label(dataset, axis))
        marks.label_above(upper, style.axis_label("gating shift, bands: plausible range", None, "mV"), s, rows=1)
        marks.label_above(lower, style.axis_label("closed form less exact shift", None, "mV"), s)
        _explain(upper)
        return plate.settled()


def alt_text(dataset: xr.Dataset) -> str:
    """What ``shift_figure`` shows, in words."""
    axis = _axis(dataset)
    x, unit = data.axis_values(dataset, axis), dataset[axis].attrs.get("units", "")
    keep = _baths(dataset, axis).values()
    parts = [f"gating shift by surface charge against {data.axis_words(dataset, axis)} from {number(min(x))} to {quantity(max(x), unit)}"]
    for name, ion in reversed(GATES.items()):
        parts.append(f"{NAMES[ion]}: {data.along(x, _values(dataset, name), unit, 'mV', keep)}")
        low, high = _values(dataset, f"{name}_low"), _values(dataset, f"{name}_high")
        widest = int(np.argmax(high - low))
        parts.append(
            f"their band ({band_words(dataset, name)}) is widest at {quantity(x[widest], unit)}, from {number(low[widest])} to "
            f"{quantity(high[widest], 'mV')}"
        )
    worst = float(np.max(np.abs(_values(dataset, "difference"))))
    parts.append(f"the closed form, dotted, is never further from the exact shift than {quantity(worst, 'mV')}")
    parts += [f"{words} is marked at {quantity(value, unit)}" for words, value in _baths(dataset, axis).items()]
    return data.sentences(parts)


def band_words(dataset: xr.Dataset, name: str) -> str:
    """What a band goes over: 'w_Mg 0.5 to 1, K_Mg 28000 to 560000'."""
    ranges = json.loads(dataset[name].attrs.get("band", "{}"))
    return ", ".join(f"{symbol} {number(low)} to {number(high)}" for symbol, (low, high) in ranges.items())


def _axis(dataset: xr.Dataset) -> str:
    dims = [str(d) for d in data.variable(dataset, "shift_Na").dims]
    if len(dims) != 1:
        raise FigureError("a figure of the gating shift needs values over one ion, for example gating_shift(p, over='Ca', values=[0.6, 1.2, 2.4])")
    return dims[0]


def _values(dataset: xr.Dataset, name: str) -> Array:
    return np.asarray(data.variable(dataset, name).values, dtype=float)


def _baths(dataset: xr.Dataset, axis: str) -> dict[str, float]:
    """Where the reference bath and the bath asked for lie on the axis; one of them if they lie at one place, none beyond the axis."""
    x = data.axis_values(dataset, axis)
    reference, asked = (json.loads(dataset.attrs.get(name, "{}")).get(axis) for name in ("reference", "bath"))
    places = {REFERENCE: reference, "the bath asked for": asked if asked != reference else None}
    return {words: float(value) for words, value in places.items() if value is not None and min(x) <= value <= max(x)}


# ---- how it is drawn

def _scale(upper: Axes, lower: Axes, dataset: xr.Dataset, x: Array) -> None:
    marks.scale_axis(upper, "x", x)
    upper.set_xlim(*sorted(x[[0, -1]] if len(x) > 1 else data.edges(x)))
    style.few_ticks(upper.yaxis, 7)
    largest = max(SMALLEST, 1.1 * float(np.max(np.abs(_values(dataset, "difference")))))
    lower.set_ylim(-largest, largest)
    style.few_ticks(lower.yaxis, 3)


def _mark_baths(upper: Axes, lower: Axes, dataset: xr.Dataset, axis: str, s: style.Size) -> None:
    """A line through both panels for each bath, named at the foot of the upper one, each name in a row of its own."""
    for row, (words, value) in enumerate(_baths(dataset, axis).items()):
        colour, dashes, name = (style.REFERENCE, "-", "reference") if words == REFERENCE else ("black", (0, (4.0, 2.0)), "asked")
        for ax in (upper, lower):
            ax.axvline(value, color=colour, linewidth=0.4 * s.line, linestyle=dashes, zorder=0.7)
        share = upper.transAxes.inverted().transform(upper.transData.transform((value, 0.0)))[0]
        left = share > 0.8  # no room for the name on the right
        upper.annotate(
            name, (value, 0.0), xycoords=upper.get_xaxis_transform(), textcoords="offset points",
            xytext=((-0.4 if left else 0.4) * s.font, (0.4 + marks.LINE_SPACING * row) * s.font), color=colour, fontsize=0.9 * s.font,
            verticalalignment="bottom", horizontalalignment="right" if left else "left",
            bbox={"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none"},
        )


def _explain(upper: Axes) -> None:
    """The lines by name above the upper panel, below the label of its axis."""
    potassium, sodium, closed = upper.get_legend_handles_labels()[0]
    upper.legend(handles=[sodium, potassium, closed], loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, handlelength=1.8, columnspacing=1.0)


def _pale(colour: str) -> tuple[float, float, float]:
    r, g, b = (1 - FAINT * (1 - part) for part in to_rgb(colour))
    return r, g, b
