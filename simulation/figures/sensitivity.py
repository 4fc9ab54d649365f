"""Which parameters matter: ranked, with intervals, in the colour of their ion."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from simulation.figures import data, style
from simulation.figures.data import Array, number, printed, quantity
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

MOST_ROWS = 15
_ROW = 1.3 * 0.9  # height of a row, of the font's
_SHARE = 0.62  # of the figure's height that the rows take, about
_RANKED_BY = {"local": "effect", "morris": "mu_star", "sobol": "ST"}
_SECOND = {"morris": "sigma", "sobol": "S1"}
_NAMES = {"Na": "sodium", "K": "potassium", "Cl": "chloride", "Ca": "calcium", "Mg": "magnesium", "pump": "pump", "NKCC": "NKCC1", "leak": "leak"}


def sensitivity_figure(dataset: xr.Dataset, size: str = "slide") -> Plate:
    """The parameters that matter most, one below the other: effects of 10 % (local), mu* with sigma (Morris), or ST with S1 (Sobol).

    ``dataset``: as from ``sensitivity``. Raises FigureError for another."""
    method, order = _read(dataset)
    with style.drawing(size) as s:
        what = data.measure_words(dataset[_RANKED_BY[method]])
        plate = new_plate(s, title=f"{_words(dataset)}: {what}", alt=sensitivity_alt(dataset), provenance=data.provenance(dataset))
        ax = plate.subplots()
        rows = order[: min(MOST_ROWS, int(_SHARE * s.height * 72 / (_ROW * s.font)))]
        colours = [_colour(str(dataset["parameter"].values[i])) for i in rows]
        _draw(ax, dataset, method, rows, colours, s)
        _others(ax, dataset, method, order[len(rows) :], len(rows), s)
        ax.set_yticks(range(len(rows)), [_name(dataset, i, s.width > 5) for i in rows])
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(method == "local")
        if method == "local":
            ax.spines["left"].set_position("zero")
            ax.spines["left"].set_color(style.REFERENCE)
            ax.tick_params(axis="y", pad=0)
            for label in ax.get_yticklabels():
                label.set_x(0.0)
            _labels_outside(ax)
        style.few_ticks(ax.xaxis, 6)
        plate.supxlabel(data.wrapped(_axis_label(dataset, method), s.letters(0.98 * s.width)), fontsize=s.font)
        _explain(plate, method, colours, s)
        return plate.settled()


def sensitivity_alt(dataset: xr.Dataset) -> str:
    """What ``sensitivity_figure`` shows, in words."""
    method, order = _read(dataset)
    key, second = _RANKED_BY[method], _SECOND.get(method)
    unit = dataset[key].attrs.get("units", "1")
    named = dataset["parameter"].values
    said = []
    for i in order[:5]:
        more = f" ± {number(float(dataset[f'{key}_conf'].values[i]), 2)}" if f"{key}_conf" in dataset else ""
        also = f" ({second} {number(float(dataset[second].values[i]), 2)})" if second else ""
        said.append(f"{named[i]} {number(float(dataset[key].values[i]))}{more} {style.unit(unit)}".strip() + also)
    count = len(order)
    parts = [
        f"which of {count} parameters matter for: {_words(dataset)}",
        f"ranked by {data.measure_words(dataset[key])}, {'which is' if len(said) == 1 else 'the first of which are'} {', '.join(said)}",
    ]
    if "groups_left_out" in dataset.attrs and int(dataset.attrs["groups_left_out"]):
        parts.append(f"{int(dataset.attrs['groups_left_out'])} of {int(dataset.attrs['groups'])} {dataset.attrs['groups_named']} are left out, "
                     "as a point of them has no answer")
    return data.sentences(parts)


def _read(dataset: xr.Dataset) -> tuple[str, list[int]]:
    """The method, and the places of the parameters in order, those without an answer left out."""
    method = str(dataset.attrs.get("method", ""))
    if _RANKED_BY.get(method) not in dataset:
        raise FigureError("this figure needs what sensitivity gives")
    size = np.abs(np.asarray(dataset[_RANKED_BY[method]].values, dtype=float))
    order = [int(i) for i in np.argsort(-np.nan_to_num(size, nan=-1.0), kind="stable") if np.isfinite(size[i])]
    if not order:
        raise FigureError("no parameter has an answer to draw")
    return method, order


def _words(dataset: xr.Dataset) -> str:
    """The measure, and the bath."""
    made = json.loads(dataset.attrs.get("provenance", "{}"))
    units = {"T": "degC", "pH": ""}
    bath = ", ".join(f"{k} {quantity(v, units.get(k, 'mM'))}" for k, v in made.get("bath", {}).items())
    text = str(dataset.attrs["measure_text"]).split(" (")[0]
    return f"{text}{f' at {bath}' if bath else ''}"


def _axis_label(dataset: xr.Dataset, method: str) -> str:
    unit = style.unit(str(dataset[_RANKED_BY[method]].attrs.get("units", "1")))
    words = style.typeset(_words(dataset))
    if method == "local":
        return f"Change of {words} by 10\N{NO-BREAK SPACE}% of each parameter (potentials: 1\N{NO-BREAK SPACE}mV) ({unit})"
    if method == "morris":
        return f"Change of {words} over the range of each parameter{f' ({unit})' if unit else ''}"
    return f"Share of the variance of {words}"


def _name(dataset: xr.Dataset, i: int, with_value: bool) -> str:
    symbol = style.symbol(str(dataset["parameter"].values[i]))
    if not with_value:
        return symbol
    value, unit = float(dataset["value"].values[i]), style.unit(str(dataset["unit"].values[i]))
    return f"{symbol}  {_plain(value)} {unit}".strip()


def _plain(value: float) -> str:
    """A number for people: powers of ten as such."""
    text = printed(value)
    if "e" not in text:
        return text
    digits, power = f"{value:.2g}".split("e")
    return f"{digits}·$10^{{{int(power)}}}$"


def _colour(symbol: str) -> str:
    owner = _owner(symbol)
    return style.CARRIERS[owner].color if owner else style.POTENTIAL.color


def _owner(symbol: str) -> str | None:
    """The ion of a parameter: by its name, else by the gate that it belongs to."""
    return style.carrier(symbol) or next((o for part in (symbol.partition("_")[2],) if part and (o := style.carrier(part))), None)


def _draw(ax: Axes, dataset: xr.Dataset, method: str, rows: list[int], colours: list[str], s: style.Size) -> None:
    places = np.arange(len(rows))
    ax.set_ylim(len(rows) - 0.4 + 1.0, -0.6)
    x = _column(dataset, _RANKED_BY[method], rows)
    if method == "local":
        ax.barh(places, x, height=0.66, color=colours, zorder=2)
        ends = np.sort([_column(dataset, n, rows) for n in ("below", "above")], axis=0) if "below" in dataset else np.array([x, x])
        if "below" in dataset:
            ax.hlines(places, ends[0], ends[1], color=style.POTENTIAL.color, linewidth=0.5 * s.line, zorder=3)
        low, high = min(0.0, float(np.nanmin([x, ends[0]]))), max(0.0, float(np.nanmax([x, ends[1]])))
        ax.set_xlim(low - 0.03 * (high - low), high + 0.03 * (high - low))
        return
    half = _column(dataset, f"{_RANKED_BY[method]}_conf", rows)
    second = _SECOND[method]
    for k, colour in enumerate(colours):
        ax.plot([x[k] - half[k], x[k] + half[k]], [k, k], color=colour, linewidth=s.line, solid_capstyle="butt", zorder=2)
        ax.plot([x[k]], [k], marker="o", color=colour, markersize=0.5 * s.font, linestyle="none", zorder=4)
        ax.plot(_column(dataset, second, rows)[[k]], [k], marker="D", markerfacecolor="white", markeredgecolor=colour, linestyle="none",
                markersize=0.4 * s.font, markeredgewidth=0.5 * s.line, zorder=3)
    highest = float(np.nanmax(np.concatenate([x + half, _column(dataset, second, rows)])))
    lowest = min(0.0, float(np.nanmin(_column(dataset, second, rows))))
    ax.set_xlim(lowest - 0.03 * highest, 1.03 * highest)
    ax.grid(axis="x", color=style.NO_VALUE, linewidth=0.5 * s.line, zorder=0)
    ax.hlines(places, lowest - 0.03 * highest, 1.03 * highest, color=style.NO_VALUE, linewidth=0.3 * s.line, zorder=0)


def _column(dataset: xr.Dataset, name: str, rows: list[int]) -> Array:
    return np.asarray(dataset[name].values, dtype=float)[rows]


def _labels_outside(ax: Axes) -> None:
    """Names at the left edge of the panel, though the line that the bars begin at is elsewhere."""
    for tick in ax.yaxis.get_major_ticks():
        tick.label1.set_transform(ax.get_yaxis_transform())


def _others(ax: Axes, dataset: xr.Dataset, method: str, others: list[int], place: int, s: style.Size) -> None:
    """What is not drawn, counted below."""
    missing = len(dataset["parameter"]) - len(others) - place
    if not others and not missing:
        ax.set_ylim(place - 0.4, -0.6)
        return
    said = []
    if others:
        top = float(f"{np.abs(_column(dataset, _RANKED_BY[method], others)).max():.2g}")
        unit = str(dataset[_RANKED_BY[method]].attrs.get("units", "1"))
        said.append(f"{len(others)} more, each {quantity(top, unit)} or less" if len(others) > 1 else f"1 more, {quantity(top, unit)}")
    if missing:
        said.append(f"{missing} without an answer")
    low, high = ax.get_xlim()
    ax.annotate("; ".join(said), (low + 0.01 * (high - low), place), verticalalignment="center", color=style.REFERENCE, fontsize=0.9 * s.font)


def _explain(plate: Plate, method: str, colours: list[str], s: style.Size) -> None:
    """The key, above the rows."""
    names = {style.CARRIERS[owner].color: text for owner, text in _NAMES.items()} | {style.POTENTIAL.color: "other"}
    grey: dict[str, Any] = {"color": style.REFERENCE, "linestyle": "none"}
    marks = {"morris": ("mean size, 95 % interval", "spread"), "sobol": ("with others, 95 % interval", "alone")}.get(method)
    signs = [] if marks is None else [
        Line2D([], [], marker="o", markersize=0.5 * s.font, label=marks[0], **grey),
        Line2D([], [], marker="D", markerfacecolor="white", markersize=0.4 * s.font, label=marks[1], **grey),
    ]
    ions = [Line2D([], [], color=colour, linewidth=2 * s.line, label=text) for colour, text in names.items() if colour in colours]
    columns = 6 if s.width > 10 else 3
    handles = signs if len(ions) > 2 * columns else [*signs, *ions]
    plate.legend(handles=_by_rows(handles, columns), loc="outside upper right", ncols=columns, handlelength=0.9, columnspacing=1.0, borderaxespad=0.3)


def _by_rows(handles: list[Line2D], columns: int) -> list[Line2D]:
    """In the order in which a legend, which fills its columns first, has them row by row."""
    return [h for c in range(min(columns, len(handles))) for h in handles[c::columns]]
