"""A spike in space: the potential along a cable at several times, where it runs and where it is blocked, and its velocity over the bath."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from simulation.figures import data, marks, style
from simulation.figures.data import Array, number, quantity
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulation.experiment.cable import Propagation

SHARES = (0.2, 0.45, 0.7, 0.95)  # of the way of the spike at which a moment is shown


def cable_figure(runs: Mapping[float, Propagation], shown: tuple[float, ...], ion: str = "K", size: str = "slide") -> Plate:
    """Figure of spikes along a cable in baths with so much of an ion (mM): on the left V over distance at some times, for each bath ``shown`` a
    panel; on the right conduction velocity over the bath, 0 where the spike is blocked."""
    with style.drawing(size, stacked=True) as s:
        others = {f"{ion} {value:g} mM": run.provenance for value, run in runs.items() if value != shown[0]}
        origin = {**runs[shown[0]].provenance, "others": others}
        plate = new_plate(s, title=f"The spike along a cable over {ion}", alt=alt_text(runs, shown, ion), provenance=origin)
        beside: dict[str, Any] = {"ncols": 2, "width_ratios": (1.25, 1.0)}
        below: dict[str, Any] = {"nrows": 2, "height_ratios": (1.6, 1.0)}
        left, right = np.ravel(np.asarray(plate.subfigures(**(beside if s.width > 10 else below)))).tolist()
        panels = left.subplots(len(shown), 1, sharex=True, sharey=True, squeeze=False)[:, 0].tolist()
        for ax, value in zip(panels, shown, strict=True):
            _profiles(ax, runs[value], s)
            marks.label_above(ax, f"{ion} {value:g} mM: {verdict(runs[value])}", s)
        panels[-1].set_xlabel(style.axis_label("distance from the stimulus", None, "mm"))
        _velocities(right.subplots(), runs, shown, ion, s)
        return plate.settled()


def verdict(run: Propagation) -> str:
    """How fast, or how far."""
    return f"{number(run.velocity)} m/s" if run.velocity > 0 else f"blocked after {quantity(run.reached, 'mm')}"


def alt_text(runs: Mapping[float, Propagation], shown: tuple[float, ...], ion: str = "K") -> str:
    """What ``cable_figure`` shows, in words."""
    (first, *_) = runs.values()
    parts = [f"membrane potential along a cable of the {first.cable.preparation.bound.name}, {quantity(first.cable.sections * first.cable.dx, 'mm')} "
             "long and stimulated at its start, in millivolts over distance at several times"]
    for value in shown:
        at = ", ".join(number(t) for t in moments(runs[value]))
        parts.append(f"in {ion} {quantity(value, 'mM')} at {at} ms after the stimulus began: {verdict(runs[value])}")
    velocities = ", ".join(f"{number(run.velocity) if run.velocity > 0 else 'blocked'} at {quantity(value, 'mM')}" for value, run in runs.items())
    return data.sentences([*parts, f"conduction velocity over {ion}, m/s: {velocities}"])


def moments(run: Propagation) -> Array:
    """Times (ms) at which the spike's front, or, after a block, the time that was watched, has come so far as ``SHARES`` say."""
    came = np.isfinite(run.arrival)
    if not run.conducted:
        return np.asarray(run.t[-1] * np.array([0.08, 0.2, 0.45, 0.95]))
    return np.asarray(np.interp(np.array(SHARES) * run.cable.x[-1], run.cable.x[came], run.arrival[came]))


def _profiles(ax: Axes, run: Propagation, s: style.Size) -> None:
    times = moments(run)
    for t, V, colour in zip(times, run.profile(times), style.shades(len(times)), strict=True):
        ax.plot(run.cable.x, V, color=colour, linewidth=0.9 * s.line, label=f"{t:.2g} ms")
    ax.set(xlim=(0.0, run.cable.sections * run.cable.dx), ylim=(-100, 60), yticks=(-80, -40, 0, 40))
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=1.0)


def _velocities(ax: Axes, runs: Mapping[float, Propagation], shown: tuple[float, ...], ion: str, s: style.Size) -> None:
    x, y = np.array(list(runs)), np.array([run.velocity for run in runs.values()])
    look = style.CARRIERS[ion]
    runs_on = y > 0
    ax.plot(x[runs_on], y[runs_on], color=look.color, marker="o", linewidth=s.line)
    ax.plot(x[~runs_on], y[~runs_on], color=look.color, marker="X", markersize=3.5 * s.line, linestyle="none", clip_on=False)
    if (~runs_on).any():
        ax.annotate("block", (x[~runs_on][0], 0.0), xytext=(0.0, 0.8 * s.font), textcoords="offset points", horizontalalignment="center")
    ax.set_ylim(0.0, 1.12 * y.max())
    ax.set_xlim(x.min() - 0.04 * np.ptp(x), x.max() + 0.08 * np.ptp(x))
    style.few_ticks(ax.xaxis, 5)
    style.few_ticks(ax.yaxis, 5)
    ax.set_xlabel(f"Extracellular {style.symbol(f'{ion}_o')} (mM)")
    marks.label_above(ax, style.axis_label("velocity", None, "m/s"), s)
