"""Serum: a panel on its reference bands with what follows from it, a course over days, and what conditions do to it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Patch, Rectangle

from simulation.clinic.panel import MEMBRANES, analytes
from simulation.figures import data, style
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulation.clinic.course import Course
    from simulation.clinic.panel import Reading

BAND = "#CFE8DC"
_BAD = "#C44F00"
_COLOURS = {"axon": "#0072B2", "axon_rhythmic": "#CC79A7", "fibre": "#000000"}


# ---- a panel

def panel_figure(reading: Reading, size: str = "slide") -> Plate:
    """Figure of a serum panel: each value on its reference band, and beside it the thresholds of axon and fibre against health."""
    with style.drawing(size, stacked=True) as s:
        made = {"panel": dict(reading.panel.values), "bath": reading.panel.bath}
        plate = new_plate(s, title="A serum panel and what follows", alt=panel_alt(reading), provenance=made)
        left, right = plate.subplots(1, 2, width_ratios=(1.25, 1.0), squeeze=False)[0].tolist()
        _bands(left, reading, s)
        _thresholds(right, reading, s)
        return plate.settled()


def panel_alt(reading: Reading) -> str:
    """What ``panel_figure`` shows, in words."""
    parts = ["a serum panel: " + ", ".join(f"{n} {data.number(v)} ({reading.panel.grades[n]})" for n, v in reading.panel.values.items())]
    parts += [f"{MEMBRANES[n]}: {_says(e.threshold_ratio)}" for n, e in reading.membranes.items()]
    return data.sentences(parts)


def _says(ratio: float) -> str:
    return "no current makes it fire" if math.isnan(ratio) else "fires by itself" if ratio == 0 else f"threshold {100 * (ratio - 1):+.0f} %"


def _bands(ax: Axes, reading: Reading, s: style.Size) -> None:
    shown = [n for n in analytes() if n in reading.panel.values]
    for y, name in zip(range(len(shown) - 1, -1, -1), shown, strict=True):
        a, value = analytes()[name], reading.panel.values[name]
        low, high = a.low[-1], a.high[-1]
        x = float(np.clip(_along(value, a.normal, low, high), -1.4, 2.4))
        ax.barh([y], [1.0], left=[0.0], height=0.5, color=BAND)
        ax.plot([-1, 2], [y, y], color=style.CONTROL.color, linewidth=0.3 * s.line, zorder=0)
        normal = reading.panel.grades[name] == "normal"
        ax.plot([x], [y], marker="o" if normal else "D", markersize=0.6 * s.font, color="black" if normal else _BAD)
        ax.text(2.5, y, f"{data.number(value)} {a.unit}".rstrip(), va="center", fontsize=0.9 * s.font)
    ax.set(yticks=range(len(shown)), yticklabels=[_short(n) for n in reversed(shown)], xlim=(-1.5, 4.2), ylim=(-0.7, len(shown) - 0.3))
    ax.set_xticks([-1, 0.5, 2], ["severely\nlow", "normal", "severely\nhigh"])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _short(name: str) -> str:
    return {"Ca": "Ca total", "iCa": "Ca ionised", "Mg": "Mg total", "25OHD": "vitamin D"}.get(name, name)


def _along(value: float, normal: tuple[float, float], low: float, high: float) -> float:
    """Place of a value: 0 to 1 the reference band, -1 and 2 where it is severe."""
    if value < normal[0]:
        return (value - normal[0]) / (normal[0] - low)
    return 1 + (value - normal[1]) / (high - normal[1]) if value > normal[1] else (value - normal[0]) / (normal[1] - normal[0])


def _thresholds(ax: Axes, reading: Reading, s: style.Size) -> None:
    names = [n for n in MEMBRANES if n in reading.membranes]
    ax.axvline(0, color=style.REFERENCE, linewidth=0.4 * s.line, zorder=0)
    for y, name in zip(range(len(names) - 1, -1, -1), names, strict=True):
        ratio = reading.membranes[name].threshold_ratio
        if math.isfinite(ratio) and ratio > 0:
            change = 100 * (ratio - 1)
            ax.barh([y], [change], height=0.45, color=_COLOURS[name])
        words = _says(ratio).removeprefix("threshold ")
        ax.text(0, y + 0.36, f"{MEMBRANES[name].split(' (')[0]}: {words}", ha="center", fontsize=0.9 * s.font, backgroundcolor="white")
    ratios = [reading.membranes[n].threshold_ratio for n in names]
    reach = max([20.0, *(abs(100 * (x - 1)) for x in ratios if math.isfinite(x))])
    ax.set(yticks=[], ylim=(-0.6, len(names) - 0.2), xlim=(-1.15 * reach, 1.15 * reach))
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("Change of threshold (%)\neasier to fire   |   harder")


# ---- a course

_PANELS: tuple[tuple[str, str], ...] = (("K", "K"), ("iCa", "Ca"), ("Mg", "Mg"), ("PTH", ""))
_PTH_BAND = (1.5, 7.0)


def course_figure(found: Course, size: str = "slide") -> Plate:
    """Figure of a course: potassium, ionised calcium, magnesium and parathyroid hormone over days on their reference bands, and the thresholds
    of axon and fibre against health below; a dashed line where a treatment begins."""
    from simulation.clinic.course import SERUM

    with style.drawing(size, stacked=True) as s:
        given = [f"{t.text} from day {t.day:g}" for t in found.treatments]
        made = {"condition": found.condition.name, "days": float(found.days[-1]), "treatments": given}
        plate = new_plate(s, title=found.condition.title, alt=course_alt(found), provenance=made)
        grid = plate.subplots(3, 2, sharex=True, squeeze=False, height_ratios=(1, 1, 1.2))
        axes = [*grid[0], *grid[1]]
        for ax, (name, ion) in zip(axes, _PANELS, strict=True):
            band = analytes()[name].normal if name in analytes() else _PTH_BAND
            ax.axhspan(*band, color=BAND, linewidth=0, zorder=0)
            ax.plot(found.days, found.serum[name], color=style.ink(style.CARRIERS[ion].color, least=3.0) if ion else "black")
            low, high = float(np.min(found.serum[name])), float(np.max(found.serum[name]))
            ax.set_ylim(min(low, band[0]) - 0.1 * (band[1] - band[0]), max(high, band[1]) + 0.1 * (band[1] - band[0]))
            style.few_ticks(ax.yaxis, 4)
            named = name if name == "PTH" and s.width < 5 else SERUM[name][2].capitalize()
            ax.set_title(f"{named} ({SERUM[name][1]})", loc="left", fontsize=0.9 * s.font)
        for ax, name in zip(grid[2], found.threshold, strict=True):
            change = 100 * (found.threshold[name] - 1)
            ax.axhline(0, color=style.REFERENCE, linewidth=0.3 * s.line, zorder=0)
            ax.plot(found.moments, change, color=_COLOURS[name])
            ax.set_ylim(min(-12.0, float(np.nanmin(change)) - 3), max(12.0, float(np.nanmax(change)) + 3))
            ax.set_title(f"Threshold of the {name} (%)", loc="left", fontsize=0.9 * s.font)
            ax.set_xlabel("Time (d)")
            style.few_ticks(ax.yaxis, 4)
        look: dict[str, Any] = {"color": style.REFERENCE, "linestyle": (0, (4, 2)), "linewidth": 0.4 * s.line}
        for ax in grid.ravel():
            for t in found.treatments:
                ax.axvline(t.day, **look)
            ax.set_xlim(0, float(found.days[-1]))
        words = "; ".join(f"from day {t.day:g}: {t.text}" for t in found.treatments).replace(" ug/", " µg/")
        plate.suptitle(data.wrapped(f"{found.condition.title}{'; ' + words if words else ''}", s.letters(0.95 * s.width)), fontsize=s.font)
        return plate.settled()


def course_alt(found: Course) -> str:
    """What ``course_figure`` shows, in words."""
    parts = [f"the course of {found.condition.title} over {found.days[-1]:g} days"]
    for name, _ in _PANELS:
        y = found.serum[name]
        parts.append(f"{name} from {data.number(float(y[0]))} to {data.number(float(y[-1]))}")
    parts += [f"threshold of the {n} at the end {_says(float(y[-1]))}" for n, y in found.threshold.items()]
    return data.sentences(parts)


# ---- what conditions do

_COLUMNS = ("K", "Na", "iCa", "Mg", "PTH")
_SHADES = {
    "low": {"mild": "#D6E8F5", "moderate": "#7FBCE6", "severe": "#2E86C1"},
    "high": {"mild": "#FBE3CC", "moderate": "#F2A766", "severe": "#D35400"},
}
_NORMAL = "#F4F4F4"


def serum_table(found: Mapping[str, Mapping[str, float]], made: Mapping[str, Any], title: str, size: str = "slide") -> Plate:
    """Figure of the serum that conditions give: a row for each, its values coloured by how far they lie below or above their reference bands.

    ``found``: name -> value by analyte, in the units of a panel; ``made``: its provenance."""
    from simulation.clinic.course import SERUM

    with style.drawing(size, stacked=True) as s:
        plate = new_plate(s, title=title, alt=serum_table_alt(found, title), provenance=made)
        ax = plate.subplots()
        for y, serum in zip(range(len(found) - 1, -1, -1), found.values(), strict=True):
            for x, analyte in enumerate(_COLUMNS):
                side, _, grade = serum_grade(analyte, serum[analyte]).partition(", ")
                colour = _SHADES[side][grade] if grade else _NORMAL
                ax.add_patch(Rectangle((x - 0.48, y - 0.45), 0.96, 0.9, facecolor=colour, edgecolor="none"))
                ax.text(x, y, data.number(serum[analyte]), ha="center", va="center", color=style.ink("#000000", colour))
        names = [data.wrapped(name, 24) for name in reversed(list(found))]
        ax.set(xlim=(-0.5, len(_COLUMNS) - 0.5), ylim=(-0.5, len(found) - 0.5), yticks=range(len(found)), yticklabels=names)
        ax.set_xticks(range(len(_COLUMNS)), [f"{_short(n)}\n({SERUM[n][1]})" for n in _COLUMNS])
        ax.tick_params(length=0, labeltop=True, labelbottom=False)
        ax.spines[:].set_visible(False)
        keys = [Patch(facecolor=_SHADES[side][grade], label=f"{side}, {grade}") for side in _SHADES for grade in _SHADES[side]]
        plate.legend(handles=keys, loc="outside lower center", ncols=6 if s.width > 10 else 3, columnspacing=1.0, handlelength=1.0)
        return plate.settled()


def serum_grade(name: str, value: float) -> str:
    """'normal', or 'low, mild' and the like. Parathyroid hormone has no grades: outside of its band it is mildly low or high."""
    if name in analytes():
        return analytes()[name].grade(value)
    low, high = _PTH_BAND
    return "low, mild" if value < low else "high, mild" if value > high else "normal"


def serum_table_alt(found: Mapping[str, Mapping[str, float]], title: str) -> str:
    """What ``serum_table`` shows, in words."""
    parts = [title]
    for name, serum in found.items():
        off = [f"{_short(n)} {data.number(serum[n])} ({grade})" for n in _COLUMNS if (grade := serum_grade(n, serum[n])) != "normal"]
        parts.append(f"{name}: {', '.join(off) or 'all normal'}")
    return data.sentences(parts)
