"""Firing rate over stimulating current: each membrane a line, which ends where its spikes become too small to be spikes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from simulation.figures import data, marks, style
from simulation.figures.data import Array, number, quantity
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

LOOKS = ("Ca", "K", "NKCC", "leak")  # of the membranes that follow the first, which is black
END = "x"


def firing_figure(panels: Mapping[str, xr.Dataset], size: str = "slide") -> Plate:
    """Figure of firing rates over current, a panel for each dataset (of ``firing_rates``) under its name."""
    with style.drawing(size) as s:
        first, *others = ((name, data.provenance(dataset)) for name, dataset in panels.items())
        plate = new_plate(s, title="Firing rate over stimulating current", alt=alt_text(panels), provenance={**first[1], "others": dict(others)})
        beside = s.width > 10
        axes = plate.subplots(1 if beside else len(panels), len(panels) if beside else 1, squeeze=False).ravel().tolist()
        ended = False
        for ax, (name, dataset) in zip(axes, panels.items(), strict=True):
            ended |= _panel(ax, dataset, s)
            letters = s.letters((0.8 if beside else 1.5) * s.width / (len(panels) if beside else 1))
            marks.label_above(ax, data.wrapped(f"{name}: {style.axis_label('rate', None, 'Hz')}", letters), s)
            ax.set_xlabel(style.axis_label("current", None, dataset["current"].attrs["units"]))
        if ended:
            key = Line2D([], [], linestyle="", marker=END, color=style.REFERENCE, markersize=0.5 * s.font, markeredgewidth=0.7 * s.line)
            plate.legend(handles=[key], labels=["beyond it no full spikes"], loc="outside lower right", handletextpad=0.2)
        return plate.settled()


def alt_text(panels: Mapping[str, xr.Dataset]) -> str:
    """What ``firing_figure`` shows, in words."""
    parts = [f"firing rate during long steps over the stimulating current, of {' and of '.join(panels)}"]
    for name, dataset in panels.items():
        unit = dataset["current"].attrs["units"]
        for membrane in dataset["membrane"].values:
            x, y = _line(dataset, str(membrane))
            who = f"{name}, {membrane}" if dataset.sizes["membrane"] > 1 else name
            firing = np.flatnonzero(y > 0)
            if not len(firing):
                parts.append(f"{who}: no repetitive firing up to {quantity(float(dataset['current'][-1]), unit)}")
                continue
            first, last = int(firing[0]), int(firing[-1])
            parts.append(
                f"{who}: from {quantity(x[first], unit)}, with {quantity(y[first], 'Hz')} at once, to {quantity(y[last], 'Hz')} at "
                f"{quantity(x[last], unit)}{', beyond which there are no full spikes' if _ends(dataset, str(membrane)) else ''}")
    lengths = {number(data.provenance(d)["firing"]["length"]) for d in panels.values()}
    return data.sentences([*parts, f"the rate is that in the second half of steps of {' and '.join(sorted(lengths))} ms"])


def _line(dataset: xr.Dataset, membrane: str) -> tuple[Array, Array]:
    """Currents and rates up to the last current that makes it fire on and on."""
    x, y = (np.asarray(a, dtype=float) for a in (dataset["current"].values, dataset["rate"].sel(membrane=membrane).values))
    firing = np.flatnonzero(y > 0)
    last = int(firing[-1]) + 1 if len(firing) else len(x)
    return x[:last], y[:last]


def _ends(dataset: xr.Dataset, membrane: str) -> bool:
    x, y = _line(dataset, membrane)
    return len(x) < dataset.sizes["current"] and bool(y[-1] > 0)


def _panel(ax: Axes, dataset: xr.Dataset, s: style.Size) -> bool:
    """Whether a line ends."""
    ended = False
    for i, membrane in enumerate(map(str, dataset["membrane"].values)):
        look = style.POTENTIAL if i == 0 else style.CARRIERS[LOOKS[i - 1]]
        x, y = _line(dataset, membrane)
        # Between rest and firing the line jumps: nothing lies between.
        jump = int(np.flatnonzero(y > 0)[0]) if (y > 0).any() else len(y)
        ax.plot(np.insert(x, jump, x[min(jump, len(x) - 1)]), np.insert(y, jump, 0.0), color=look.color, linestyle=look.line, linewidth=s.line,
                label=membrane, zorder=3 if i == 0 else 2)
        if _ends(dataset, membrane):
            ax.plot(x[-1], y[-1], marker=END, color=look.color, markersize=0.5 * s.font, markeredgewidth=0.7 * s.line, zorder=4)
            ended = True
    ax.set_xlim(float(dataset["current"][0]), float(dataset["current"][-1]))
    ax.set_ylim(bottom=0)
    style.few_ticks(ax.xaxis, 5)
    style.few_ticks(ax.yaxis, 5)
    if dataset.sizes["membrane"] > 1:
        ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return ended
