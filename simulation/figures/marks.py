"""Marks that several kinds of figure share: the scale of an axis, the control, names beside lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from simulation.figures import data, style
from simulation.figures.data import Array

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

LINE_SPACING = 1.25
LABEL_SHARE = 0.72  # of the figure's height that the axes take, about


def scale_axis(ax: Axes, which: Literal["x", "y"], values: Array) -> None:
    """Logarithmic where the values are spaced by a factor, with plain numbers on round values."""
    if not data.is_geometric(values):
        style.few_ticks(ax.xaxis if which == "x" else ax.yaxis, 7)
        return
    low, high = float(min(values)), float(max(values))
    ax.set(**{f"{which}scale": "log"})
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(FixedLocator(_round_numbers(low, high)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: data.number(value)))
    axis.set_minor_locator(NullLocator())


def _round_numbers(low: float, high: float) -> list[float]:
    """Of 1, 2, 5 and their tenfolds those between two values; powers of ten alone where the span is wide, even steps where it is
    too narrow for either."""
    decades = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    steps = (1.0, 2.0, 5.0) if high / low < 200 else (1.0,)
    every = [step * 10.0**d for d in decades for step in steps]
    found = [v for v in every if low * 0.999 <= v <= high * 1.001]
    if len(found) > 1:
        return found
    return [float(v) for v in MaxNLocator(nbins=4, steps=[1, 2, 5, 10]).tick_values(low, high) if low * 0.999 <= v <= high * 1.001]


def plain_decades(ax: Axes) -> None:
    """Powers of ten on a logarithmic vertical axis as plain numbers, no more than the axis has room for."""
    ax.yaxis.set_major_locator(LogLocator(numticks=6))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_locator(NullLocator())


def mark_control(ax: Axes, dataset: xr.Dataset, axis: str, s: style.Size, panels: int = 1, named: bool = True) -> None:
    """A grey line at the control value of the axis, if it lies within, named below the data. ``panels``: how many share the height."""
    value = control_within(dataset, axis)
    if value is None:
        return
    ax.axvline(value, color=style.CONTROL.color, zorder=0.5, linewidth=0.6 * s.line)
    if not named:
        return
    low, high = ax.get_ylim()
    ax.set_ylim(low - (high - low) * LINE_SPACING * s.font / 72 / (LABEL_SHARE * s.height / panels), high)
    ax.annotate(
        "control", (value, 0.0), xycoords=ax.get_xaxis_transform(), xytext=(0.3 * s.font, 0.25 * s.font), textcoords="offset points",
        color=style.REFERENCE, fontsize=0.9 * s.font, verticalalignment="bottom",
    )


def control_within(dataset: xr.Dataset, axis: str) -> float | None:
    """The control value of an axis; None if it is not known or the axis does not reach it."""
    value, x = data.control(dataset).get(axis), data.axis_values(dataset, axis)
    return value if value is not None and min(x) <= value <= max(x) else None


def label_above(ax: Axes, label: str, s: style.Size, rows: int = 0) -> None:
    """The label of the vertical axis over its upper end, above so many rows of other names: upright it would not fit a low panel."""
    lines = label.count("\n")
    points = (0.15 + LINE_SPACING * rows) * s.font
    ax.set_ylabel(label, rotation="horizontal", horizontalalignment="left", verticalalignment="bottom")
    ax.yaxis.set_label_coords(0.0, 1.0, transform=ax.transAxes + ScaledTranslation(0.0, points / 72, ax.figure.dpi_scale_trans))
    ax.yaxis.get_offset_text().set(x=1.0, horizontalalignment="right")  # a power of ten would stand where the label is
    # The layout keeps room above a panel for its title only.
    ax.set_title("\n".join(" " * (lines + 1)), pad=points + 0.15 * s.font)


def label_right(ax: Axes, names: Sequence[tuple[float, str, str]], s: style.Size) -> None:
    """Names (y, text, colour) right of the axes beside the ends of their lines, moved apart where they would overlap."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, high)
    gap = (high - low) * LINE_SPACING * s.font / 72 / (LABEL_SHARE * s.height)
    ordered = sorted(names, key=lambda n: n[0])
    for (_, text, colour), y in zip(ordered, apart([n[0] for n in ordered], gap), strict=True):
        ax.annotate(text, (1.0, y), xycoords=ax.get_yaxis_transform(), xytext=(0.4 * s.font, 0.0), textcoords="offset points",
                    color=colour, verticalalignment="center", annotation_clip=False)


def apart(places: Sequence[float], gap: float) -> list[float]:
    """Rising places moved as little as needed to lie ``gap`` apart."""
    blocks: list[tuple[float, int]] = []  # middle and number of places that stand together
    for place in places:
        middle, count = place, 1
        while blocks and blocks[-1][0] + 0.5 * gap * (blocks[-1][1] - 1) + gap > middle - 0.5 * gap * (count - 1):
            before, number = blocks.pop()
            middle, count = (before * number + middle * count) / (number + count), number + count
        blocks.append((middle, count))
    return [middle + gap * (i - 0.5 * (count - 1)) for middle, count in blocks for i in range(count)]
