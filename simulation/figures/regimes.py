"""What a membrane does over two ions, each regime with a colour and a pattern, named in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from simulation.figures import data, marks, style
from simulation.figures.data import Array, Mask, number, quantity
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Cover:
    """How a regime is shown: each is told from the others by its lightness, by its pattern or by both."""

    color: str
    hatch: str = ""
    ink: str = "white"


COVERS: Mapping[int, Cover] = {
    0: Cover("#F2F2F2"),
    1: Cover("#B5DCF2"),
    2: Cover("#4FA3D8"),
    3: Cover("#F0B429", "//", "black"),
    4: Cover("#C44F00"),
    5: Cover("#2E2E2E"),
    6: Cover("#009E73", "\\\\"),
}
FAILED = Cover(style.FAILED, "xxx", style.REFERENCE)


def regime_figure(dataset: xr.Dataset, size: str = "slide") -> Plate:
    """Map of the regimes over two axes, the first one to the right, with a key in words and the control bath as a cross.

    ``dataset``: as from ``map_regimes``. Raises FigureError for another."""
    one, two, regime, names = _read(dataset)
    x, y = data.axis_values(dataset, one), data.axis_values(dataset, two)
    with style.drawing(size) as s:
        title = f"What the membrane does against {data.axis_words(dataset, one)} and {data.axis_words(dataset, two)}"
        plate = new_plate(s, title=title, alt=regime_alt(dataset), provenance=data.provenance(dataset))
        ax = plate.subplots()
        marks.scale_axis(ax, "x", x)
        marks.scale_axis(ax, "y", y)
        borders_x, borders_y = data.edges(x), data.edges(y)
        keys = []
        for k in (*names, -1):
            cells = (regime == k).T
            if cells.any():
                cover = COVERS.get(k, FAILED)
                _cover(ax, borders_x, borders_y, cells, cover)
                keys.append(Patch(facecolor=cover.color, edgecolor=cover.ink, hatch=cover.hatch, linewidth=0, label=names.get(k, "failed")))
        ax.set(xlim=sorted(borders_x[[0, -1]]), ylim=sorted(borders_y[[0, -1]]))
        ax.set_xlabel(data.axis_label(dataset, one))
        ax.set_ylabel(data.wrapped(data.axis_label(dataset, two), s.letters(0.75 * s.height)))
        cross = _cross(ax, dataset, one, two, s)
        _explain(plate, ax, [*keys, *cross], s)
        return plate.settled()


def regime_alt(dataset: xr.Dataset) -> str:
    """What ``regime_figure`` shows, in words."""
    one, two, regime, names = _read(dataset)
    axes = []
    for name in (one, two):
        values, unit = data.axis_values(dataset, name), dataset[name].attrs.get("units", "")
        axes.append(f"{data.axis_words(dataset, name)} from {number(values.min())} to {quantity(values.max(), unit)}")
    parts = [f"what the membrane does against {' and '.join(axes)}"]
    x, y = data.axis_values(dataset, one), data.axis_values(dataset, two)
    for k, name in names.items():
        cells = regime == k
        if cells.any():
            i, j = (np.flatnonzero(cells.any(axis=axis)) for axis in (1, 0))
            spans = [
                f"{n} {number(float(v[[w[0], w[-1]]].min()))} to {quantity(float(v[[w[0], w[-1]]].max()), dataset[n].attrs.get('units', ''))}"
                for n, v, w in ((one, x, i), (two, y, j))
            ]
            share = 100 * float(cells.mean())
            parts.append(f"{name}: {share:.0f} % of the map, within {' and '.join(spans)}" if share >= 0.5 else f"{name}: a few points")
    parts.append(data.failed_words(dataset))
    control = [marks.control_within(dataset, name) for name in (one, two)]
    if control[0] is not None and control[1] is not None:
        parts.append(
            f"a cross marks the control at {data.point_words(dataset, one, control[0])} and {data.point_words(dataset, two, control[1])}"
        )
    return data.sentences(parts)


def _read(dataset: xr.Dataset) -> tuple[str, str, Array, dict[int, str]]:
    """Both axes, the regime at each point, shape (first, second), and the names of the regimes."""
    if "regime" not in dataset or "regimes" not in dataset.attrs or len(dataset["regime"].dims) != 2:
        raise FigureError("this figure needs a map of regimes over two axes, as map_regimes gives it")
    one, two = (str(d) for d in dataset["regime"].dims)
    names = {int(k): str(name) for k, (name, _) in json.loads(dataset.attrs["regimes"]).items()}
    return one, two, np.asarray(dataset["regime"].values), names


def _cover(ax: Axes, x: Array, y: Array, cells: Mask, cover: Cover) -> None:
    """Each run of cells in a row as one rectangle, so that no seams are seen."""
    corners = []
    for i, row in enumerate(cells):
        steps = np.diff(np.concatenate([[0], row.astype(int), [0]]))
        for first, last in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True):
            corners.append([(x[first], y[i]), (x[last], y[i]), (x[last], y[i + 1]), (x[first], y[i + 1])])
    ax.add_collection(PolyCollection(corners, facecolor=cover.color, edgecolor=cover.color, linewidth=0.3, zorder=1), autolim=False)
    if cover.hatch:
        ax.add_collection(
            PolyCollection(corners, facecolor="none", edgecolor=cover.ink, hatch=cover.hatch, linewidth=0, zorder=1.1), autolim=False
        )


def _cross(ax: Axes, dataset: xr.Dataset, one: str, two: str, s: style.Size) -> list[Line2D]:
    x, y = marks.control_within(dataset, one), marks.control_within(dataset, two)
    if x is None or y is None:
        return []
    return [ax.plot(
        [x], [y], marker="X", markersize=0.9 * s.font, markerfacecolor="white", markeredgecolor="black", markeredgewidth=0.3 * s.line,
        linestyle="none", label="control", clip_on=False, zorder=5,
    )[0]]


def _explain(plate: Plate, ax: Axes, handles: list[Patch | Line2D], s: style.Size) -> None:
    """The key: beside the map where there is room, else above it."""
    if s.width > 10:
        ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.02, 0.5), handlelength=1.4, handleheight=1.2, labelspacing=0.6)
    else:
        plate.legend(handles=handles, loc="outside upper left", ncols=2, handlelength=1.2, handleheight=1.0, columnspacing=0.8, borderaxespad=0.3)
