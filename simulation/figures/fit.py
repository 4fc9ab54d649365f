"""A digitised curve with the model before and after it was fitted to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulation.figures import data, marks, style
from simulation.figures.data import number
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    import xarray as xr

_AFTER = style.Look("#D55E00", "-", "")


def fit_figure(dataset: xr.Dataset, size: str = "slide") -> Plate:
    """``dataset``: as from ``curve_dataset``. Raises FigureError for another."""
    if "after" not in dataset or "x_data" not in dataset:
        raise FigureError("this figure needs a fit to a curve")
    over = str(dataset["after"].dims[0])
    x = np.asarray(dataset[over].values, dtype=float)
    with style.drawing(size) as s:
        plate = new_plate(s, title=f"A fit over {data.axis_words(dataset, over)}", alt=fit_alt(dataset), provenance=data.provenance(dataset))
        ax = plate.subplots()
        marks.scale_axis(ax, "x", x)
        ax.plot(x, dataset["before"].values, color=style.REFERENCE, linestyle=(0, (4.0, 1.5)), label="before", zorder=2)
        ax.plot(x, dataset["after"].values, color=_AFTER.color, label="fitted: no evidence", zorder=3)
        ax.plot(dataset["x_data"].values, dataset["data"].values, linestyle="none", marker="o", markerfacecolor="white",
                markeredgecolor=style.POTENTIAL.color, markeredgewidth=0.5 * s.line, markersize=0.45 * s.font, label="data", zorder=4)
        style.few_ticks(ax.yaxis, 6)
        ax.set_xlabel(data.wrapped(data.axis_label(dataset, over), s.letters(0.7 * s.width)))
        ax.set_ylabel(data.wrapped(data.measure_label(dataset["after"]), s.letters(0.7 * s.height)))
        plate.legend(loc="outside upper right", ncols=3, columnspacing=1.2, borderaxespad=0.3)
        return plate.settled()


def fit_alt(dataset: xr.Dataset) -> str:
    """What ``fit_figure`` shows, in words."""
    over = str(dataset["after"].dims[0])
    x, unit = np.asarray(dataset[over].values, dtype=float), str(dataset[over].attrs["units"])
    y_unit = str(dataset["after"].attrs["units"])
    moved = [
        f"{name} {number(float(a), 4)} {style.unit(str(u))}, {number(float(b), 4)} before"
        for name, a, b, u in zip(dataset["parameter"].values, dataset["fitted"].values, dataset["stated"].values, dataset["unit"].values, strict=True)
    ]
    return data.sentences([
        f"{data.measure_words(dataset['after'])} against {data.axis_words(dataset, over)}: {dataset['data'].size} data as circles, the model before "
        f"the fit as a broken grey line and fitted as a red one, which is no evidence for the model",
        f"before: {data.along(x, np.asarray(dataset['before'].values, dtype=float), unit, y_unit, wanted=3)}",
        f"fitted: {data.along(x, np.asarray(dataset['after'].values, dtype=float), unit, y_unit, wanted=3)}",
        "; ".join(moved),
    ])
