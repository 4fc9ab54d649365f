"""Sweeps: a measure over two axes as a map, measures over one axis as lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from simulation.figures import data, marks, style
from simulation.figures.data import Array, Mask, number, quantity
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

MOST_COLOURS = 10  # that are told apart as steps
MOST_MARKERS = 40  # points of a line that are shown one by one; of more, only those without neighbours stand out
MOST_VECTOR_CELLS = 10_000  # a larger map becomes an image within the SVG or PDF
UPRIGHT = 0.8  # of the height of a figure that an upright label may take
FOLD = 2.0  # contour steps: neighbours further apart lie on either side of a jump, through which no contour runs
HATCH = "////"
CROSS = "control"


# ---- two axes

def map_figure(dataset: xr.Dataset, measure: str, size: str = "slide") -> Plate:
    """Figure of ``measure`` over the two axes of a sweep, the first one to the right: colours with contours, the control bath a cross.

    A count (whole numbers without unit) has a colour for each step and no contours. Points that failed are hatched, points
    without a value left light; neither is ever coloured as a value. An axis spaced by a factor is logarithmic.
    Raises FigureError if the measure is not there, has not two axes, or has no value at all."""
    x_name, y_name = _two_axes(dataset, measure)
    array = data.variable(dataset, measure)
    values, failed = data.values_and_failures(dataset, measure)
    nothing = np.isnan(values) & ~failed
    if not np.isfinite(values).any():
        raise FigureError(f"{measure} has no value at any point: there is nothing to draw")
    x, y = data.axis_values(dataset, x_name), data.axis_values(dataset, y_name)
    title = f"{data.measure_words(array)} against {data.axis_words(dataset, x_name)} and {data.axis_words(dataset, y_name)}"
    with style.drawing(size) as s:
        plate = new_plate(s, title=title, alt=alt_text(dataset, measure), provenance=data.provenance(dataset))
        ax = plate.subplots()
        marks.scale_axis(ax, "x", x)
        marks.scale_axis(ax, "y", y)
        mesh = _mesh(ax, x, y, values.T, data.is_integer(array))
        bar = plate.colorbar(mesh, ax=ax, pad=0.02, aspect=25)
        upright = s.letters(UPRIGHT * s.height)
        bar.set_label(data.wrapped(data.measure_label(array), upright))
        bar.outline.set_visible(False)
        ax.set_xlabel(data.axis_label(dataset, x_name))
        ax.set_ylabel(data.wrapped(data.axis_label(dataset, y_name), upright))
        _hatch(ax, x, y, failed.T, nothing.T)
        cross = _cross(ax, dataset, x_name, y_name, s)
        _explain(plate, failed, nothing, cross)
        if data.is_integer(array):
            _tick_steps(bar, mesh)
        else:
            _contours(plate, ax, x, y, values.T, mesh, s)
        return plate.settled()


def alt_text(dataset: xr.Dataset, measure: str) -> str:
    """What ``map_figure`` shows, in words."""
    names = _two_axes(dataset, measure)
    array = data.variable(dataset, measure)
    values, failed = data.values_and_failures(dataset, measure)
    x, y = (data.axis_values(dataset, name) for name in names)
    unit, units = array.attrs.get("units", ""), [dataset[name].attrs.get("units", "") for name in names]
    axes = " and ".join(
        f"{data.axis_words(dataset, name)} from {number(v.min())} to {quantity(v.max(), u)}" for name, v, u in zip(names, (x, y), units, strict=True)
    )
    parts = [f"{data.measure_words(array)} against {axes}, as colours"]
    for what, find in (("lowest", np.nanargmin), ("highest", np.nanargmax)):
        if np.isfinite(values).any():
            i, j = map(int, np.unravel_index(int(find(values)), values.shape))
            where = f"{data.point_words(dataset, names[0], x[i])} and {data.point_words(dataset, names[1], y[j])}"
            parts.append(f"{what} {quantity(values[i, j], unit)} at {where}")
    control = [marks.control_within(dataset, name) for name in names]
    if control[0] is not None and control[1] is not None:
        where = f"{data.point_words(dataset, names[0], control[0])} and {data.point_words(dataset, names[1], control[1])}"
        i, j = int(np.argmin(abs(x - control[0]))), int(np.argmin(abs(y - control[1])))
        there = f", where the nearest point has {quantity(values[i, j], unit)}" if np.isfinite(values[i, j]) else ""
        parts.append(f"a cross marks the control bath, {where}{there}")
    nothing = int((np.isnan(values) & ~failed).sum())
    parts += [data.failed_words(dataset), f"{nothing} of {values.size} points have no value" if nothing else ""]
    return data.sentences(parts)


def _two_axes(dataset: xr.Dataset, measure: str) -> tuple[str, str]:
    dims = [str(d) for d in data.variable(dataset, measure).dims]
    if len(dims) != 2:
        hint = "; use lines" if len(dims) == 1 else ""
        raise FigureError(f"a map has two axes, {measure} has {len(dims)}: {', '.join(dims)}{hint}")
    return dims[0], dims[1]


def _mesh(ax: Axes, x: Array, y: Array, values: Array, counts: bool) -> QuadMesh:
    """Coloured cells around the points; ``values``: shape (len(y), len(x))."""
    style_of_values: dict[str, Any] = {}
    if counts:
        levels = _steps(values)
        colours = ListedColormap(matplotlib.colormaps[style.COLOURS](np.linspace(0, 1, len(levels) - 1)))
        style_of_values = {"cmap": colours, "norm": BoundaryNorm(levels, len(levels) - 1)}
    return ax.pcolormesh(
        data.edges(x), data.edges(y), np.ma.masked_invalid(values), rasterized=values.size > MOST_VECTOR_CELLS,
        edgecolors="face", linewidth=0.3, **style_of_values,  # without edges viewers of SVG and PDF show white seams
    )


def _steps(values: Array) -> Array:
    """Borders between the colours of a count: one colour for each number, or for some together if there are many."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if high - low < MOST_COLOURS:
        return np.arange(low, high + 2) - 0.5
    ticks = MaxNLocator(nbins=MOST_COLOURS, integer=True, steps=[1, 2, 5, 10]).tick_values(low, high)
    return np.asarray(ticks, dtype=float) - 0.5


def _tick_steps(bar: Any, mesh: QuadMesh) -> None:
    levels = np.asarray(mesh.norm.boundaries)  # type: ignore[attr-defined]
    single = bool(np.all(np.diff(levels) == 1))
    names = [number(low + 0.5) if single else f"{number(low + 0.5)} to {number(high - 0.5)}" for low, high in pairwise(levels)]
    bar.set_ticks(0.5 * (levels[1:] + levels[:-1]), labels=names)
    bar.ax.tick_params(length=0)
    bar.minorticks_off()


def _contours(plate: Plate, ax: Axes, x: Array, y: Array, values: Array, mesh: QuadMesh, s: style.Size) -> None:
    """Labelled lines at round values, light on dark colours and dark on light ones."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if min(values.shape) < 3 or not low < high:
        return
    ticks = MaxNLocator(nbins=7, steps=[1, 2, 5, 10]).tick_values(low, high)
    levels = [float(v) for v in ticks if low < v < high]
    colours = ["black" if style.luminance(mesh.cmap((v - low) / (high - low))) > style.MIDDLE else "white" for v in levels]
    plate.arrange()  # labels are turned and lines cut for the axes as they finally lie
    for part in _smooth_parts(values, FOLD * float(ticks[1] - ticks[0])):
        inside = np.ma.masked_where(~part, values)
        crossing = [(v, c) for v, c in zip(levels, colours, strict=True) if inside.min() < v < inside.max()]
        if crossing:
            lines = ax.contour(x, y, inside, levels=[v for v, _ in crossing], colors=[c for _, c in crossing], linewidths=0.4 * s.line)
            places = [_label_place(ax, segment) for segments in lines.allsegs for segment in segments]
            for text in ax.clabel(lines, fmt=data.printed, fontsize=0.85 * s.font, manual=[p for p in places if p is not None]):
                text.set_rotation(0)  # a minus along its line would look like a piece of it


def _smooth_parts(values: Array, jump: float) -> list[Mask]:
    """Parts of a map, three cells wide and high at least, within which no step from a cell to the next is higher than ``jump``."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    cells = np.arange(values.size).reshape(values.shape)
    links = []
    for a, b in ((cells[:, :-1], cells[:, 1:]), (cells[:-1], cells[1:])):
        near = np.abs(values.flat[a.ravel()] - values.flat[b.ravel()]) <= jump
        links.append(np.array([a.ravel()[near], b.ravel()[near]]))
    start, stop = np.concatenate(links, axis=1)
    count, label = connected_components(coo_matrix((np.ones(len(start)), (start, stop)), shape=(values.size, values.size)), directed=False)
    parts = [(label == i).reshape(values.shape) for i in range(count) if np.sum(label == i) >= 9]
    return [p for p in parts if p.any(axis=0).sum() >= 3 and p.any(axis=1).sum() >= 3]


def _label_place(ax: Axes, segment: Array) -> tuple[float, float] | None:
    """A point of a contour for its label: inside, far from the cross of the control; None on a line too short for one."""
    seen = ax.transAxes.inverted().transform(ax.transData.transform(segment))
    if len(segment) < 3 or np.hypot(*np.diff(seen, axis=0).T).sum() < 0.25:
        return None
    crosses = [ax.transAxes.inverted().transform(ax.transData.transform(line.get_xydata()))[0] for line in ax.lines if line.get_label() == CROSS]
    candidates = np.linspace(0, len(segment) - 1, 7).round().astype(int)[1:-1]
    # The middle is best, unless the cross is there.
    best = min(candidates, key=lambda i: (any(np.hypot(*(seen[i] - c)) < 0.2 for c in crosses), abs(i - len(segment) / 2)))
    return float(segment[best, 0]), float(segment[best, 1])


def _hatch(ax: Axes, x: Array, y: Array, failed: Mask, nothing: Mask) -> None:
    borders_x, borders_y = data.edges(x), data.edges(y)
    for cells, look in ((failed, _FAILED), (nothing, _NOTHING)):
        corners = [
            [(borders_x[j], borders_y[i]), (borders_x[j + 1], borders_y[i]), (borders_x[j + 1], borders_y[i + 1]), (borders_x[j], borders_y[i + 1])]
            for i, j in zip(*np.nonzero(cells), strict=True)
        ]
        if corners:
            ax.add_collection(PolyCollection(corners, linewidth=0, **look), autolim=False)


_FAILED: dict[str, Any] = {"facecolor": style.FAILED, "edgecolor": style.REFERENCE, "hatch": HATCH, "label": "failed"}
_NOTHING: dict[str, Any] = {"facecolor": style.NO_VALUE, "edgecolor": style.REFERENCE, "label": "no value"}


def _cross(ax: Axes, dataset: xr.Dataset, x_name: str, y_name: str, s: style.Size) -> Line2D | None:
    x, y = marks.control_within(dataset, x_name), marks.control_within(dataset, y_name)
    if x is None or y is None:
        return None
    return ax.plot(
        [x], [y], marker="X", markersize=0.9 * s.font, markerfacecolor="white", markeredgecolor="black", markeredgewidth=0.3 * s.line,
        linestyle="none", label=CROSS, clip_on=False, zorder=5,
    )[0]


def _explain(plate: Plate, failed: Mask, nothing: Mask, cross: Line2D | None = None) -> None:
    """A key for what has no colour in the scale, if there is any of it."""
    keys = [Patch(linewidth=0.5, **look) for cells, look in ((failed, _FAILED), (nothing, _NOTHING)) if cells.any()]
    if keys or cross:
        handles = ([cross] if cross else []) + keys
        plate.legend(handles=handles, loc="outside lower left", ncols=3, handlelength=1.4, handleheight=1.0, borderaxespad=0.4)


# ---- one axis

def lines(dataset: xr.Dataset, measures: Sequence[str] | str | None = None, size: str = "slide") -> Plate:
    """Figure of measures over the one axis of a sweep, a panel for each, the control value of the axis in grey.

    ``measures``: all that the result holds if not given. Points that failed are hatched bands, points without a value gaps.
    Raises FigureError if a measure is not there or the result has not one axis."""
    names = _names(dataset, measures)
    axis = _one_axis(dataset, names)
    x = data.axis_values(dataset, axis)
    columns = 1 if len(names) <= 3 or style.size_of(size).width < 5 else 2
    rows = -(-len(names) // columns)
    with style.drawing(size, stacked=rows > 1) as s:
        title = f"{', '.join(data.measure_words(dataset[n]) for n in names)} against {data.axis_words(dataset, axis)}"
        plate = new_plate(s, title=title, alt=alt_text_of_lines(dataset, names), provenance=data.provenance(dataset))
        axes = plate.subplots(rows, columns, sharex=True, squeeze=False)
        shown = list(axes.flat)[:len(names)]
        for ax, name in zip(shown, names, strict=True):
            _draw_line(ax, dataset, name, x, axis, s)
            marks.scale_axis(ax, "x", x)
            ax.margins(x=0.02)
            marks.mark_control(ax, dataset, axis, s, rows, named=ax is shown[0])
            marks.label_above(ax, data.wrapped(data.measure_label(dataset[name]), s.letters(0.9 * s.width / columns)), s)
        for ax in list(axes.flat)[len(names):]:
            ax.set_visible(False)
        for ax in shown[-columns:]:
            ax.set_xlabel(data.wrapped(data.axis_label(dataset, axis), s.letters(0.9 * s.width / columns)))
            ax.xaxis.set_tick_params(labelbottom=True)
        _explain(plate, data.failures(dataset), np.zeros(0, dtype=bool))
        return plate.settled()


def alt_text_of_lines(dataset: xr.Dataset, measures: Sequence[str] | str | None = None) -> str:
    """What ``lines`` shows, in words."""
    names = _names(dataset, measures)
    axis = _one_axis(dataset, names)
    x, x_unit = data.axis_values(dataset, axis), dataset[axis].attrs.get("units", "")
    keep = [v for v in [marks.control_within(dataset, axis)] if v is not None]
    parts = [f"lines against {data.axis_words(dataset, axis)} from {number(min(x))} to {quantity(max(x), x_unit)}"]
    for name in names:
        array = data.variable(dataset, name)
        points = data.along(x, data.values_and_failures(dataset, name)[0], x_unit, array.attrs.get("units", ""), keep)
        parts.append(f"{data.measure_words(array)}: {points or 'no value'}")
    parts += [f"the control is marked at {quantity(v, x_unit)}" for v in keep]
    return data.sentences([*parts, data.failed_words(dataset)])


def _names(dataset: xr.Dataset, measures: Sequence[str] | str | None) -> list[str]:
    if isinstance(measures, str):
        return [measures]
    names = list(measures) if measures is not None else data.measures(dataset)
    if not names:
        raise FigureError("the result holds no measure: there is nothing to draw")
    return names


def _one_axis(dataset: xr.Dataset, names: Sequence[str]) -> str:
    for name in names:
        dims = [str(d) for d in data.variable(dataset, name).dims]
        if len(dims) != 1:
            hint = "; use map_figure" if len(dims) == 2 else ""
            raise FigureError(f"lines are drawn over one axis, {name} has {len(dims)}: {', '.join(dims)}{hint}")
    return str(dataset[names[0]].dims[0])


def _draw_line(ax: Axes, dataset: xr.Dataset, name: str, x: Array, axis: str, s: style.Size) -> None:
    values, failed = data.values_and_failures(dataset, name)
    look = style.look(axis)
    points = 2.2 if len(x) <= MOST_MARKERS else 0.8
    ax.plot(x, values, color=look.color, marker=look.marker, markersize=points * s.line, linewidth=0.8 * s.line, clip_on=False)
    borders = data.edges(x)
    for i in np.flatnonzero(failed):
        ax.axvspan(borders[i], borders[i + 1], zorder=0, linewidth=0, **_FAILED)
    if data.is_integer(dataset[name]):
        ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
        ax.set_ylim(np.nanmin(values) - 0.5, np.nanmax(values) + 0.5)
    else:
        style.few_ticks(ax.yaxis, 5)
