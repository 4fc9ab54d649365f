"""Rests followed along a parameter, with their folds and Hopf points, and the curves of these points over two."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from simulation.figures import data, style
from simulation.figures.data import Array, number, quantity
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

DASHES = (0, (2.5, 1.5))
THIN = 0.7  # of a line: what is unstable
MARKS = {"fold": "o", "Hopf": "D", "branch point": "X", "cusp": "v", "Bogdanov-Takens": "s"}
WORDS = {
    "fold": "fold: two rests meet", "Hopf": "Hopf: the rest begins to oscillate", "branch point": "two branches cross",
    "cusp": "cusp: two folds meet", "Bogdanov-Takens": "fold and Hopf meet",
}
COLOURS = {"fold": style.CARRIERS["K"].color, "Hopf": style.CARRIERS["Na"].color}
SLOW = 1000.0  # ms: an oscillation of a longer period is none of spikes


@dataclass(frozen=True, eq=False)
class _Piece:
    """A part of one branch with one stability. ``x``, ``y``: shape (n,)."""

    x: Array
    y: Array
    steady: bool
    kind: str


def branches_figure(dataset: xr.Dataset, size: str = "slide") -> Plate:
    """Figure of the resting potential along a parameter: stable rests solid, unstable ones dashed, folds and Hopf points marked with their
    value, the control in grey.

    ``dataset``: as from ``Continuation.to_dataset``. Raises FigureError."""
    (axis,) = _axes(dataset, 1)
    look = style.look(axis)
    with style.drawing(size) as s:
        plate = new_plate(
            s, title=f"Branches of rests against {data.axis_words(dataset, axis)}", alt=branches_alt(dataset), provenance=data.provenance(dataset)
        )
        ax = plate.subplots()
        potential = str(dataset.attrs["potential"])
        for piece in _pieces(dataset, axis, potential):
            width, dashes = (s.line, "-") if piece.steady else (THIN * s.line, DASHES)
            ax.plot(piece.x, piece.y, color=look.color, linestyle=dashes, linewidth=width)
        _scale(ax, dataset, axis, "x")
        ax.set_xlabel(data.axis_label(dataset, axis))
        ax.set_ylabel(style.axis_label("membrane potential at rest", "V", "mV"))
        ax.margins(y=0.08)
        _mark_control(ax, dataset, axis, s)
        _mark_points(ax, dataset, axis, potential, s)
        lines = [
            Line2D([], [], color=look.color, label="stable"),
            Line2D([], [], color=look.color, linestyle=DASHES, linewidth=THIN * s.line, label="unstable"),
        ]
        _explain(ax, [*lines, *_handles(dataset, s)], s)
        return plate.settled()


def borders_figure(dataset: xr.Dataset, size: str = "slide") -> Plate:
    """Figure of the curves of folds and Hopf points over two parameters, the first one to the right: solid where a stable rest ends
    there, dashed where the rest is unstable anyway; the control a cross.

    ``dataset``: as from ``Borders.to_dataset``. Raises FigureError, also where there is no curve at all."""
    one, two = _axes(dataset, 2)
    if not dataset.sizes["point"]:
        raise FigureError(f"over {one} and {two} there are no folds and no Hopf points: there is nothing to draw")
    with style.drawing(size) as s:
        title = f"Borders of rests against {data.axis_words(dataset, one)} and {data.axis_words(dataset, two)}"
        plate = new_plate(s, title=title, alt=borders_alt(dataset), provenance=data.provenance(dataset))
        ax = plate.subplots()
        for piece in _pieces(dataset, one, two):
            # Hopf curves thinner, so that neither hides the other where they lie close together.
            width, dashes = (1.0, "-") if piece.steady else (THIN, DASHES)
            width *= s.line * (1.0 if piece.kind == "fold" else 0.8)
            ax.plot(piece.x, piece.y, color=COLOURS[piece.kind], linestyle=dashes, linewidth=width)
        for name, which in ((one, "x"), (two, "y")):
            _scale(ax, dataset, name, which)
        ax.set_xlabel(data.axis_label(dataset, one))
        ax.set_ylabel(data.wrapped(data.axis_label(dataset, two), s.letters(0.8 * s.height)))
        for label in ("cusp", "Bogdanov-Takens"):
            there = _labels(dataset) == label
            ax.plot(dataset[one].values[there], dataset[two].values[there], linestyle="", marker=MARKS[label], color="black", zorder=4)
        cross = _cross(ax, dataset, one, two, s)
        _explain(ax, [*_curve_handles(dataset, s), *_handles(dataset, s), *cross], s)
        return plate.settled()


# ---- words

def branches_alt(dataset: xr.Dataset) -> str:
    """What ``branches_figure`` shows, in words."""
    (axis,) = _axes(dataset, 1)
    unit = dataset[axis].attrs.get("units", "")
    potential = str(dataset.attrs["potential"])
    low, high = _range(dataset, axis)
    parts = [f"resting potential against {data.axis_words(dataset, axis)} from {number(low)} to {quantity(high, unit)}, all branches"]
    for piece in _pieces(dataset, axis, potential):
        ends = sorted(((piece.x[i], piece.y[i]) for i in (0, -1)), key=lambda end: end[0])
        said = " to ".join(f"{quantity(V, 'mV')} at {quantity(x, unit)}" for x, V in ends)
        parts.append(f"{'stable' if piece.steady else 'unstable'} from {said}")
    parts += [f"{words} at {quantity(x, unit)}, {quantity(V, 'mV')}" for words, x, V in _points(dataset, axis, potential)]
    control = _control(dataset, axis)
    return data.sentences([*parts, f"the control is marked at {quantity(control, unit)}" if control is not None else ""])


def borders_alt(dataset: xr.Dataset) -> str:
    """What ``borders_figure`` shows, in words."""
    one, two = _axes(dataset, 2)
    units = [dataset[name].attrs.get("units", "") for name in (one, two)]
    ranges = [_range(dataset, name) for name in (one, two)]
    spans = [
        f"{data.axis_words(dataset, name)} from {number(low)} to {quantity(high, unit)}"
        for name, unit, (low, high) in zip((one, two), units, ranges, strict=True)
    ]

    def where(x: float, y: float) -> str:
        return f"{data.point_words(dataset, one, x)} with {data.point_words(dataset, two, y)}"

    parts = [f"borders in the plane of {' and '.join(spans)}"]
    for k in np.unique(dataset["branch"].values):
        there = np.flatnonzero(dataset["branch"].values == k)
        chosen = there[sorted({int(i) for i in np.linspace(0, len(there) - 1, 3).round()})]
        kind = str(dataset["kind"].values[there[0]])
        how = " (period " + _period_words(dataset["period"].values[there]) + ")" if kind == "Hopf" else ""
        through = ", ".join(where(float(dataset[one].values[i]), float(dataset[two].values[i])) for i in chosen)
        parts.append(f"a curve of {'folds' if kind == 'fold' else 'Hopf points'}{how} through {through}")
    parts += [
        f"{WORDS[label].split(':')[0]} at {where(x, y)}" for label, x, y in _labelled(dataset, one, two) if label in ("cusp", "Bogdanov-Takens")
    ]
    x, y = _control(dataset, one), _control(dataset, two)
    return data.sentences([*parts, f"a cross marks the control at {where(x, y)}" if x is not None and y is not None else ""])


def _period_words(periods: Array) -> str:
    there = periods[np.isfinite(periods)]
    if not len(there):
        return "none"
    low, high = float(there.min()), float(there.max())
    size, unit = (1000.0, "s") if low > SLOW else (1.0, "ms")
    return f"{number(low / size)} to {quantity(high / size, unit)}" if high < 1000 * low else f"from {quantity(low / size, unit)} up"


# ---- what the dataset holds

def _axes(dataset: xr.Dataset, count: int) -> list[str]:
    names = list(data.provenance(dataset).get("continued", {}))
    if len(names) != count:
        wanted = "one parameter, as follow_rests gives it" if count == 1 else "two parameters, as follow_borders gives it"
        raise FigureError(f"this figure needs a continuation over {wanted}")
    return names


def _range(dataset: xr.Dataset, axis: str) -> tuple[float, float]:
    low, high = data.provenance(dataset)["continued"][axis]
    return float(low), float(high)


def _control(dataset: xr.Dataset, axis: str) -> float | None:
    value = data.control(dataset).get(axis)
    low, high = _range(dataset, axis)
    return value if value is not None and low <= value <= high else None


def _labels(dataset: xr.Dataset) -> Array:
    return np.asarray(dataset["label"].values, dtype=str)


def _pieces(dataset: xr.Dataset, x: str, y: str) -> Iterator[_Piece]:
    """Branches cut where their stability changes; both parts have the point of change."""
    branch, unstable = dataset["branch"].values, dataset["unstable"].values
    for k in np.unique(branch):
        there = np.flatnonzero(branch == k)
        steady = np.minimum(unstable[there[:-1]], unstable[there[1:]]) == 0
        cuts = [0, *(np.flatnonzero(steady[1:] != steady[:-1]) + 1).tolist(), len(there) - 1]
        for first, last in pairwise(cuts):
            part = there[first: last + 1]
            if len(part) > 1:
                yield _Piece(dataset[x].values[part], dataset[y].values[part], bool(steady[first]), str(dataset["kind"].values[part[0]]))


def _labelled(dataset: xr.Dataset, x: str, y: str) -> list[tuple[str, float, float]]:
    labels = _labels(dataset)
    found = [(str(labels[i]), float(dataset[x].values[i]), float(dataset[y].values[i])) for i in np.flatnonzero(labels != "") if labels[i] in MARKS]
    return sorted(found, key=lambda point: point[1])


def _points(dataset: xr.Dataset, axis: str, potential: str) -> list[tuple[str, float, float]]:
    """Words, place and potential of each fold and Hopf point."""
    periods = {(float(dataset[axis].values[i])): float(dataset["period"].values[i]) for i in np.flatnonzero(_labels(dataset) == "Hopf")}
    return [
        (f"Hopf point (period {_period_words(np.array([periods[x]])).split(' to ')[-1]})" if label == "Hopf" else label, x, V)
        for label, x, V in _labelled(dataset, axis, potential)
    ]


# ---- how it is drawn

def _scale(ax: Axes, dataset: xr.Dataset, axis: str, which: str) -> None:
    low, high = _range(dataset, axis)
    style.few_ticks(ax.xaxis if which == "x" else ax.yaxis, 7)
    ax.set(**{f"{which}lim": (low, high)})


def _mark_control(ax: Axes, dataset: xr.Dataset, axis: str, s: style.Size) -> None:
    value = _control(dataset, axis)
    if value is None:
        return
    ax.axvline(value, color=style.CONTROL.color, zorder=0.5, linewidth=0.6 * s.line)
    ax.annotate("control", (value, 0.0), xycoords=ax.get_xaxis_transform(), xytext=(0.3 * s.font, 0.25 * s.font), textcoords="offset points",
                color=style.REFERENCE, fontsize=0.9 * s.font, verticalalignment="bottom")


def _mark_points(ax: Axes, dataset: xr.Dataset, axis: str, potential: str, s: style.Size) -> None:
    """Each fold and Hopf point with its value, on the side that its branch leaves free."""
    unit = style.unit(dataset[axis].attrs.get("units", ""))
    labels, branch = _labels(dataset), dataset["branch"].values
    x, V = dataset[axis].values, dataset[potential].values
    for i in np.flatnonzero(np.isin(labels, list(MARKS))).tolist():
        ax.plot(x[i], V[i], marker=MARKS[str(labels[i])], color="black", markersize=3.2 * s.line, zorder=4, clip_on=False)
        beside = [k for k in (i - 1, i + 1) if 0 <= k < len(x) and branch[k] == branch[i]]
        dx, dy = _direction(x, V, i, beside)
        low, high = _range(dataset, axis)
        share = (x[i] - low) / (high - low)
        if labels[i] == "fold":  # the branch lies on one side; on the other is room, or between its two arms
            left, up = dx > 0 and share > 0.15, 0.35
        else:  # on a line that rises: below on the right, or above on the left
            left = share > 0.75
            up = (-1.0 if dx * dy > 0 else 1.0) * (-1.0 if left else 1.0)
        ax.annotate(
            f"{number(float(x[i]))} {unit}".strip(), (x[i], V[i]), textcoords="offset points", xytext=((-0.8 if left else 0.8) * s.font, up * s.font),
            fontsize=0.9 * s.font, horizontalalignment="right" if left else "left", verticalalignment="center", zorder=5,
        )


def _direction(x: Array, V: Array, i: int, beside: list[int]) -> tuple[float, float]:
    """At a fold the way to the neighbours; elsewhere the way from one to the other."""
    if len(beside) < 2:
        return 0.0, 0.0
    a, b = beside
    if (x[a] - x[i]) * (x[b] - x[i]) > 0:
        return float(x[a] + x[b] - 2 * x[i]), 0.0
    return float(x[b] - x[a]), float(V[b] - V[a])


def _handles(dataset: xr.Dataset, s: style.Size) -> list[Line2D]:
    """A sign for each kind of point that is marked."""
    there = set(_labels(dataset))
    return [
        Line2D([], [], linestyle="", marker=marker, color="black", markersize=3.2 * s.line, label=WORDS[label])
        for label, marker in MARKS.items() if label in there
    ]


def _curve_handles(dataset: xr.Dataset, s: style.Size) -> list[Line2D]:
    kinds = [k for k in COLOURS if k in set(dataset["kind"].values)]
    words = {"fold": "a rest comes or goes (fold)", "Hopf": _hopf_words(dataset)}
    out = [Line2D([], [], color=COLOURS[k], linewidth=s.line, label=words[k]) for k in kinds]
    if any(not piece.steady for piece in _pieces(dataset, *_axes(dataset, 2))):
        out.append(Line2D([], [], color="black", linestyle=DASHES, linewidth=THIN * s.line, label="of an unstable rest"))
    return out


def _hopf_words(dataset: xr.Dataset) -> str:
    """Whether the oscillation that begins is one of spikes, or of minutes."""
    periods = dataset["period"].values[(dataset["kind"].values == "Hopf") & np.isfinite(dataset["period"].values)]
    if len(periods) and math.isfinite(periods.min()) and periods.min() > SLOW:
        return "the rest begins to oscillate, slowly (Hopf)"
    return "the rest begins to oscillate (Hopf)"


def _cross(ax: Axes, dataset: xr.Dataset, one: str, two: str, s: style.Size) -> list[Line2D]:
    x, y = _control(dataset, one), _control(dataset, two)
    if x is None or y is None:
        return []
    width = 0.8 * s.line
    return [ax.plot([x], [y], linestyle="", marker="+", markersize=0.9 * s.font, markeredgewidth=width, color="black", zorder=5, label="control")[0]]


def _explain(ax: Axes, handles: list[Line2D], s: style.Size) -> None:
    """The signs in words above the axes, in as many columns as have room."""
    columns = 2 if s.width > 10 else 1
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.01), ncols=columns, columnspacing=1.2)
