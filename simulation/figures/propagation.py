"""A spike along a cable: potentials at some places, one above the other, and when it arrived there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulation.figures import data, marks, style
from simulation.figures.data import Array, number, quantity
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    import xarray as xr

PLACES = 6
SPACING = 1.1  # from one trace to the next, in heights of a spike


def propagation_figure(dataset: xr.Dataset, size: str = "slide") -> Plate:
    """Figure of V over time at places along a cable (the Dataset of a Propagation); a line joins the arrivals.

    Where the spike does not come the trace stays flat, and the figure says how far it came."""
    t, x, V = (np.asarray(dataset[name].values, dtype=float) for name in ("time", "x", "V"))
    chosen = _places(x)
    step = SPACING * float(V[:, chosen[1:]].max() - V[0].min())
    with style.drawing(size, stacked=True) as s:
        plate = new_plate(s, title=f"{dataset.attrs['title']}: {_verdict(dataset)}", alt=alt_text(dataset), provenance=data.provenance(dataset))
        ax = plate.subplots()
        for row, i in enumerate(chosen):
            ax.plot(t, V[:, i] - V[0, i] + row * step, color=style.POTENTIAL.color, linewidth=0.8 * s.line, zorder=3)
        arrival = np.asarray(dataset["arrival"].values, dtype=float)
        came = [(arrival[i], row * step + np.interp(arrival[i], t, V[:, i]) - V[0, i]) for row, i in enumerate(chosen) if np.isfinite(arrival[i])]
        if came:
            ax.plot(*zip(*came, strict=True), color=style.CARRIERS["Na"].color, marker="o", linestyle="--", linewidth=0.5 * s.line, zorder=4)
        ax.set_yticks([row * step for row in range(len(chosen))], labels=[f"{data.printed(x[i])} mm" for i in chosen])
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_xlim(0, t[-1])
        style.few_ticks(ax.xaxis, 6)
        ax.set_xlabel(style.axis_label("time", "t", "ms"))
        marks.label_above(ax, f"Potential along the cable: {_verdict(dataset)}", s)
        _scale_bar(ax, s)
        return plate.settled()


def _places(x: Array) -> list[int]:
    return [int(i) for i in np.linspace(0, len(x) - 1, min(PLACES, len(x))).round()]


def _scale_bar(ax: object, s: style.Size) -> None:
    """50 mV, at the right edge above the last trace's foot."""
    from matplotlib.axes import Axes

    assert isinstance(ax, Axes)
    low, high = ax.get_ylim()
    right, top = ax.get_xlim()[1], low + 0.45 * (high - low)
    ax.plot([right, right], [top, top + 50], color="black", linewidth=1.2 * s.line, clip_on=False, solid_capstyle="butt")
    ax.annotate("50 mV", (right, top + 25), xytext=(0.4 * s.font, 0), textcoords="offset points", verticalalignment="center", annotation_clip=False)


def _verdict(dataset: xr.Dataset) -> str:
    velocity = float(dataset["velocity"])
    if velocity > 0:
        return f"{number(velocity)} m/s"
    x, arrival = (np.asarray(dataset[name].values, dtype=float) for name in ("x", "arrival"))
    return f"blocked after {quantity(float(x[np.isfinite(arrival)].max(initial=0.0)), 'mm')}"


def alt_text(dataset: xr.Dataset) -> str:
    """What ``propagation_figure`` shows, in words."""
    x, arrival = (np.asarray(dataset[name].values, dtype=float) for name in ("x", "arrival"))
    V = np.asarray(dataset["V"].values, dtype=float)
    length = quantity(float(x[-1]), "mm")
    parts = [f"membrane potential over time at places along a cable {length} long, stimulated at its start: {_verdict(dataset)}"]
    for i in _places(x):
        when = f"the spike arrives at {quantity(float(arrival[i]), 'ms')}" if np.isfinite(arrival[i]) else "no spike arrives"
        parts.append(f"at {quantity(float(x[i]), 'mm')} {when}, highest potential {quantity(float(V[:, i].max()), 'mV')}")
    return data.sentences(parts)
