"""The phase plane: the potassium gate over the potential, with the lines on which either stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulation.figures import data, marks, style
from simulation.figures.data import number, quantity
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulation.experiment.phase_plane import PhasePlane
    from simulation.figures.data import Array

NULLCLINES = (("Na", "V stands still"), ("K", "n stands still"))  # whose look, and what is meant
ARROWS = (0.04, 0.3, 0.62, 0.85)  # of the way along the spike, as it is drawn
ROOM = 0.06  # of the span of n, above and below


def phase_plane_figure(plane: PhasePlane, size: str = "slide") -> Plate:
    """Figure of n over V: runs of the full model from rest after a pulse below its threshold (grey) and one above (black), over the
    nullclines of the reading in two variables; rest is marked."""
    with style.drawing(size) as s:
        plate = new_plate(s, title="Phase plane of the squid axon: n over V", alt=alt_text(plane), provenance=plane.provenance)
        ax = plate.subplots()
        for (owner, words), n in zip(NULLCLINES, (plane.V_nullcline, plane.n_nullcline), strict=True):
            look = style.CARRIERS[owner]
            ax.plot(plane.V, n, color=look.color, linestyle=look.line, linewidth=0.8 * s.line, label=f"{words} (reduction)", zorder=2)
        ax.plot(plane.below.V, plane.below["n"], color=style.REFERENCE, linewidth=1.1 * s.line, label="full model, 5 % below threshold", zorder=4)
        ax.plot(plane.above.V, plane.above["n"], color=style.POTENTIAL.color, linewidth=s.line, label="full model, 5 % above", zorder=3)
        _scale(ax, plane, s)
        _arrows(ax, plane.above.V, plane.above["n"], s)
        _mark_rest(ax, plane, s)
        ax.set_xlabel(style.axis_label("membrane potential", "V", "mV"))
        marks.label_above(ax, f"Potassium gate {style.symbol('n')}", s, rows=2 if s.width > 10 else 4)
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2 if s.width > 10 else 1, columnspacing=1.2)
        return plate.settled()


def alt_text(plane: PhasePlane) -> str:
    """What ``phase_plane_figure`` shows, in words."""
    rest = plane.reduction.rest
    low = int(np.nanargmin(plane.V_nullcline))
    parts = [
        f"phase plane of the squid axon, the potassium gate n over the membrane potential, rest at {quantity(rest.V, 'mV')} and n "
        f"{number(rest.symbol('n'))}",
        f"the trajectories are those of the full model with all four variables: after a pulse 5 % below the threshold V comes to "
        f"{quantity(plane.below.features.max_V, 'mV')} and goes back, after one 5 % above it runs round a loop by way of "
        f"{quantity(plane.above.features.max_V, 'mV')} and n {number(float(plane.above['n'].max()))}",
        f"the nullclines are those of a reduction to V and n, with m at its steady state and h = {number(plane.reduction.slope)} n + "
        f"{number(float(plane.reduction.h(np.array(0.0))))}: the line on which V stands still falls, rises and falls, with its lowest bend at "
        f"{quantity(plane.V[low], 'mV')}; the one on which n stands still rises; they meet at rest only",
        "so the trajectories need not obey the nullclines to the letter",
    ]
    return data.sentences(parts)


def _scale(ax: Axes, plane: PhasePlane, s: style.Size) -> None:
    seen = np.concatenate([plane.above["n"], plane.V_nullcline[(plane.V > -70) & np.isfinite(plane.V_nullcline)]])
    room = ROOM * float(np.ptp(seen))
    ax.set(xlim=(min(plane.above.V.min(), -78.0) - 2.0, plane.above.V.max() + 5.0), ylim=(seen.min() - 2 * room, seen.max() + room))
    style.few_ticks(ax.xaxis, 7)
    style.few_ticks(ax.yaxis, 8)


def _arrows(ax: Axes, V: Array, n: Array, s: style.Size) -> None:
    """Which way the point runs."""
    places = np.column_stack([V / np.ptp(V), n / np.ptp(n)])
    way = np.append(0.0, np.cumsum(np.hypot(*np.diff(places, axis=0).T)))
    for share in ARROWS:
        ends = [(np.interp(x * way[-1], way, V), np.interp(x * way[-1], way, n)) for x in (share, share + 0.012)]
        ax.annotate("", ends[1], xytext=ends[0], zorder=5, arrowprops={
            "arrowstyle": "-|>,head_length=0.6,head_width=0.35", "mutation_scale": 0.9 * s.font, "shrinkA": 0, "shrinkB": 0, "color": "black",
            "linewidth": 0})


def _mark_rest(ax: Axes, plane: PhasePlane, s: style.Size) -> None:
    at = (plane.reduction.rest.V, plane.reduction.rest.symbol("n"))
    ax.plot(*at, marker="o", markersize=3.4 * s.line, color="black", markerfacecolor="white", markeredgewidth=0.5 * s.line, zorder=6)
    ax.annotate("rest", at, xytext=(0.2 * s.font, -0.5 * s.font), textcoords="offset points", verticalalignment="top")
