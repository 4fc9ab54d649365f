"""Examinations of excitability as clinical neurophysiologists draw them: one membrane in black, or a curve for each value of an axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from simulation.experiment.excitability import EXAMINATIONS, Examination
from simulation.figures import data, marks, style
from simulation.figures.data import Array, number, quantity
from simulation.figures.errors import FigureError
from simulation.figures.maps import UPRIGHT, lines
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MOST_NAMED = 7  # curves that are told apart by name; of more, a colour bar says which is which
HIGHEST_CHANGE = 100.0  # %: a recovery cycle is cut there, or refractoriness would flatten all else
CHARGED_FOR = 4.0  # time constants: pulses so short that their charge is what counts
SPARE = 1.04  # length of an axis, as a multiple of what its points need
NO_SPIKE, FIRES_ALONE = "no current evokes a spike", "fires without a stimulus"
_MARKERS = "os^Dv<>"
_WEISS, _LAPICQUE = style.CARRIERS["Na"], style.CARRIERS["K"]
_PHASES = {"refractory": "#F6DCCB", "superexcitable": "#CFE3F1", "subexcitable": "#EFE7D2"}
_CHARGES = {"pA": "fC", "uA/cm2": "nC/cm2"}


@dataclass(frozen=True, eq=False)
class _Membrane:
    """One curve of the figure. ``name``: 'K 4.2 mM (control)', empty if it is alone. ``failed``: it could not be examined."""

    name: str
    found: xr.Dataset
    colour: str
    marker: str
    control: bool
    failed: bool

    def __getitem__(self, variable: str) -> Array:
        values = np.asarray(self.found[variable].values, dtype=float)
        return np.full_like(values, np.nan) if self.failed and variable in self.found.data_vars else values

    def number(self, name: str) -> float:
        return float(self[name])

    def why_nothing(self, plot: _Plot) -> str | None:
        """Why it has no curve; None if it has one."""
        if any(np.isfinite(self[y]).any() for _, y in plot.curves):
            return None
        if self.failed:
            return "failed"
        needed = self.number(next(n for n in ("rheobase", "threshold") if n in self.found and self.found[n].ndim == 0))
        return FIRES_ALONE if needed == 0 else NO_SPIKE if math.isnan(needed) else plot.gap


@dataclass(frozen=True)
class _Scene:
    """What is drawn of an examination. ``gap``: what a missing point means; ``settings``: of the examination; ``rows``: of panels."""

    shown: Sequence[_Membrane]
    settings: Mapping[str, Any]
    gap: str
    rows: int
    s: style.Size

    @property
    def alone(self) -> bool:
        return len(self.shown) == 1 and not self.shown[0].name

    @property
    def reference(self) -> _Membrane:
        """The membrane after which things are named: the control, else the middle one."""
        return next((m for m in self.shown if m.control), self.shown[len(self.shown) // 2])


@dataclass(frozen=True)
class _Plot:
    """``curves``: what runs over what. ``draw`` gives the keys that it needs beside those of the membranes. ``panels``: how many."""

    heading: str
    curves: tuple[tuple[str, str], ...]
    draw: Callable[[_Scene, Sequence[Axes]], list[Artist]]
    gap: str = NO_SPIKE
    panels: int = 1


def excitability_figure(dataset: xr.Dataset, size: str = "slide") -> Plate:
    """Figure of an examination of one membrane, or of a sweep with one over one axis, with the control in black.

    Which examination it is says the dataset's provenance. Those that give only numbers are drawn over their axis as ``lines``.
    Raises FigureError if there is no examination, no curve, or more than one axis."""
    examination, settings = _examined(dataset)
    axes = _axes(dataset, examination)
    if not examination.curves:
        if axes:
            return lines(dataset, list(examination.numbers), size)
        raise FigureError(
            f"the examination {examination.name} gives numbers and no curve; to see them drawn, examine over an axis, for example K=2:8:13"
        )
    plot = _PLOTS[examination.name]
    every = _membranes(dataset, axes)
    if all(m.why_nothing(plot) for m in every):
        raise FigureError(f"there is no curve to draw: {'; '.join(dict.fromkeys(str(m.why_nothing(plot)) for m in every))}")
    stacked = plot.panels > 1 and style.size_of(size).width < 10
    with style.drawing(size, stacked) as s:
        plate = new_plate(s, title=_title(dataset, plot, axes), alt=alt_text(dataset), provenance=data.provenance(dataset))
        rows, columns = (plot.panels, 1) if stacked else (1, plot.panels)
        panels = plate.subplots(rows, columns, squeeze=False)
        scene = _Scene([m for m in every if not m.why_nothing(plot)], settings, plot.gap, rows, s)
        keys = plot.draw(scene, list(panels.flat))
        if len(every) > MOST_NAMED:
            _colour_bar(plate, dataset, axes[0], every, s)
        _legend(plate, [*_names_of(scene, len(every)), *keys], s)
        _note(plate, _missing(every, plot, scene), s)
        return plate.settled()


def _examined(dataset: xr.Dataset) -> tuple[Examination, Mapping[str, Any]]:
    """The examination that a dataset holds, the first with curves if there are several, and its settings."""
    made = [e for e in data.provenance(dataset).get("examinations") or [] if e["name"] in EXAMINATIONS]
    if not made:
        raise FigureError("the result is not of an examination of excitability")
    settings = next((e for e in made if EXAMINATIONS[e["name"]].curves), made[0])
    return EXAMINATIONS[settings["name"]](), settings


def _axes(dataset: xr.Dataset, examination: Examination) -> list[str]:
    axes = [str(d) for d in data.variable(dataset, next(iter(examination.numbers))).dims]
    if len(axes) > 1:
        raise FigureError(f"an examination is drawn over one axis, this result has {' and '.join(axes)}; draw one of its numbers as a map")
    return axes


def _membranes(dataset: xr.Dataset, axes: Sequence[str]) -> list[_Membrane]:
    """Every membrane, along the rising axis, with the look of its curve."""
    if not axes:
        return [_Membrane("", dataset, style.POTENTIAL.color, "o", True, bool(data.failures(dataset).any()))]
    axis = axes[0]
    values, normal = data.axis_values(dataset, axis), data.control(dataset).get(axis)
    colours = style.shades(len(values) + 1)[1:]  # the darkest is too near to the control's black
    out = []
    for place, i in enumerate(np.argsort(values)):
        control = normal is not None and bool(np.isclose(values[i], normal))
        name = data.point_words(dataset, axis, float(values[i])) + (" (control)" if control else "")
        one = dataset.isel({axis: int(i)})
        colour = style.POTENTIAL.color if control else colours[place]
        marker = _MARKERS[place] if len(values) <= MOST_NAMED else "o"
        out.append(_Membrane(name, one, colour, marker, control, bool(data.failures(one).any())))
    return out


def _title(dataset: xr.Dataset, plot: _Plot, axes: Sequence[str]) -> str:
    over = f" over {data.axis_words(dataset, axes[0])}" if axes else ""
    return f"{plot.heading}{over}: {dataset.attrs.get('title', 'a membrane')}"


# ---- in words

def alt_text(dataset: xr.Dataset) -> str:
    """What ``excitability_figure`` shows of an examination with curves, in words."""
    examination, _ = _examined(dataset)
    axes = _axes(dataset, examination)
    plot, every = _PLOTS[examination.name], _membranes(dataset, axes)
    parts = [_title(dataset, plot, axes)]
    if axes:
        values, unit = data.axis_values(dataset, axes[0]), dataset[axes[0]].attrs.get("units", "")
        parts.append(f"{len(values)} curves, from {axes[0]} {number(min(values))} to {quantity(max(values), unit)}, the control in black")
    told = {i for i, m in enumerate(every) if m.control} | set(data.spread(len(every)))
    for m in (every[i] for i in sorted(told)):
        lead = f"{m.name}: " if m.name else ""
        nothing = m.why_nothing(plot)
        if nothing:
            parts.append(f"{lead}{nothing}")
            continue
        for x, y in plot.curves:
            units = [m.found[v].attrs.get("units", "") for v in (x, y)]
            points = data.along(m[x], m[y], units[0], units[1], wanted=3 if axes else 6)
            parts.append(f"{lead}{data.measure_words(m.found[y])} over {data.measure_words(m.found[x])}: {points}")
            gaps = m[x][np.isnan(m[y])]
            if len(gaps):
                parts.append(f"{lead}{plot.gap} at {', '.join(number(v) for v in gaps)} {style.unit(units[0])}".strip())
        parts.append(lead + ", ".join(_numbers(m, examination)))
    return data.sentences([*parts, data.failed_words(dataset)])


def _numbers(m: _Membrane, examination: Examination) -> list[str]:
    there = [n for n in examination.numbers if m.found[n].ndim == 0 and np.isfinite(m.number(n))]
    return [f"{_name(n)} {quantity(m.number(n), m.found[n].attrs.get('units', ''))}" for n in there]


def _name(symbol: str) -> str:
    return symbol.replace("_90_100", " at 90 to 100 ms").replace("_", " ")


# ---- which curve is which

def _names_of(scene: _Scene, count: int) -> list[Artist]:
    """Keys of the membranes: of all, or of the control alone where a colour bar says the rest."""
    if scene.alone:
        return []
    named = [m for m in scene.shown if count <= MOST_NAMED or m.control]
    return [Line2D([], [], label=style.typeset(m.name), **_look(m, scene.s)) for m in named]


def _legend(plate: Plate, keys: Sequence[Artist], s: style.Size) -> None:
    """Keys above the panels, in as few rows as the width allows."""
    for rows in range(1, len(keys) + 1):
        columns = -(-len(keys) // rows)
        legend = plate.legend(handles=list(keys), loc="outside upper center", ncols=columns, columnspacing=1.2, borderaxespad=0.5)
        if columns == 1 or legend.get_window_extent().width < 0.97 * plate.bbox.width:
            return
        legend.remove()


def _colour_bar(plate: Plate, dataset: xr.Dataset, axis: str, every: Sequence[_Membrane], s: style.Size) -> None:
    values = np.sort(data.axis_values(dataset, axis))
    colours = ListedColormap([m.colour for m in every])
    borders = data.edges(values)
    bar = plate.colorbar(ScalarMappable(BoundaryNorm(borders, len(values)), colours), ax=plate.axes, pad=0.02, aspect=25, spacing="proportional")
    bar.set_label(data.wrapped(data.axis_label(dataset, axis), s.letters(UPRIGHT * s.height)))
    bar.set_ticks([values[i] for i in data.spread(len(values), MOST_NAMED)])
    bar.set_ticks([], minor=True)
    bar.ax.yaxis.set_major_formatter(lambda value, _: data.printed(value))
    bar.ax.tick_params(length=0)
    bar.outline.set_visible(False)


def _missing(every: Sequence[_Membrane], plot: _Plot, scene: _Scene) -> str:
    """What has no curve and why, and what gaps mean; empty if all is there."""
    reasons: dict[str, list[str]] = {}
    for m in every:
        if why := m.why_nothing(plot):
            reasons.setdefault(why, []).append(m.name)
    parts = [f"{', '.join(names)}: {why}" for why, names in reasons.items()]
    if any(np.isnan(m[y]).any() for m in scene.shown for _, y in plot.curves) and not scene.alone:
        parts.append(f"gaps: {plot.gap}")
    return data.sentences(parts)


def _note(plate: Plate, text: str, s: style.Size) -> None:
    if text:
        nothing = Line2D([], [], linestyle="none", label=data.wrapped(text, s.letters(0.95 * s.width)))
        plate.legend(handles=[nothing], loc="outside lower left", handlelength=0.0, handletextpad=0.0, borderaxespad=0.4, labelcolor=style.REFERENCE)


# ---- marks of these figures

def _look(m: _Membrane, s: style.Size, hollow: bool = False) -> dict[str, Any]:
    width = (1.2 if m.control else 0.7) * s.line
    return {
        "color": m.colour, "linewidth": width, "marker": m.marker, "markersize": 2.2 * s.line, "markeredgewidth": 0.5 * s.line,
        "markerfacecolor": "white" if hollow else m.colour, "zorder": 3.0 if m.control else 2.0,
    }


def _curve(ax: Axes, m: _Membrane, x: str, y: str, s: style.Size, hollow: bool = False, **more: Any) -> None:
    ax.plot(m[x], m[y], label=m.name or y, **{**_look(m, s, hollow), **more})


def _show_gaps(ax: Axes, scene: _Scene, x: str, y: str) -> list[Artist]:
    """Grey where one membrane has no value, with its key."""
    if not scene.alone:
        return []
    m = scene.shown[0]
    borders, missing = data.edges(m[x]), np.isnan(m[y])
    low, high = ax.get_xlim()
    borders[0], borders[-1] = low, high
    for i in np.flatnonzero(missing):
        ax.axvspan(borders[i], borders[i + 1], color=style.FAILED, linewidth=0, zorder=0)
    ax.set_xlim(low, high)
    return [Patch(facecolor=style.FAILED, label=scene.gap)] if missing.any() else []


def _zero_line(ax: Axes, s: style.Size, at: float = 0.0, which: Literal["x", "y"] = "y") -> None:
    draw = ax.axhline if which == "y" else ax.axvline
    draw(at, color=style.REFERENCE, linewidth=0.35 * s.line, zorder=1.0)


def _log_x(ax: Axes, values: Array) -> None:
    """A logarithmic horizontal axis, however the values are spaced."""
    low, high = float(values.min()), float(values.max())
    marks.scale_axis(ax, "x", np.geomspace(low, high, 4))
    spare = (high / low) ** (0.5 * (SPARE - 1))
    ax.set_xlim(low / spare, high * spare)


def _linear_x(ax: Axes, low: float, high: float, most: int = 6) -> None:
    style.few_ticks(ax.xaxis, most)
    spare = 0.5 * (SPARE - 1) * (high - low)
    ax.set_xlim(low - spare, high + spare)


def _room(ax: Axes, s: style.Size, below: float, panels: int = 1) -> None:
    """Lengthen the vertical axis downwards by so many rows of text."""
    row = marks.LINE_SPACING * s.font / 72 / (marks.LABEL_SHARE * s.height / panels)
    scale = ax.yaxis.get_transform()
    low, high = scale.transform(np.array(ax.get_ylim()))
    ax.set_ylim(*scale.inverted().transform(np.array([high - (high - low) / (1 - row * below), high])))


def _say(ax: Axes, text: str, at: tuple[float, float], s: style.Size, **more: Any) -> None:
    ax.annotate(text, at, **{"textcoords": "offset points", "xytext": (0.0, 0.0), "color": style.REFERENCE, "fontsize": 0.9 * s.font, **more})


def _label(ax: Axes, text: str, unit: str, s: style.Size, rows: int = 1) -> None:
    ax.set_ylabel(data.wrapped(style.axis_label(text, None, unit), s.letters(UPRIGHT * s.height / rows)))


def _label_x(ax: Axes, text: str, s: style.Size) -> None:
    ax.set_xlabel(data.wrapped(text, s.letters(0.8 * s.width)))


def _all(scene: _Scene, *names: str) -> Array:
    """Every finite value of some variables of the membranes shown."""
    values: Array = np.concatenate([m[n].ravel() for m in scene.shown for n in names])
    return values[np.isfinite(values)]


def _share_of(scene: _Scene) -> str:
    """What polarising currents are given in % of: threshold, or rheobase where the threshold would be too much; empty if now this, now that."""
    same = [bool(np.isclose(m.number("unit_current"), m.number("threshold"))) for m in scene.shown]
    return "threshold" if all(same) else "" if any(same) else "rheobase"


# ---- the plots

def _recovery(scene: _Scene, panels: Sequence[Axes]) -> list[Artist]:
    (ax,), s = panels, scene.s
    for m in scene.shown:
        _curve(ax, m, "interval", "threshold_change", s)
    _log_x(ax, scene.reference["interval"])
    style.few_ticks(ax.yaxis, 7)
    change = _all(scene, "threshold_change")
    low, high = min(change.min(), -5.0), min(max(change.max(), 5.0), HIGHEST_CHANGE)
    ax.set_ylim(low - 0.03 * (high - low), high + (0.03 * (high - low) if high < HIGHEST_CHANGE else 0.0))
    _zero_line(ax, s)
    if scene.alone:
        _tint_phases(ax, scene.shown[0])
    _room(ax, s, below=1.2)
    _name_phases(ax, scene.reference, s)
    _label_x(ax, "Interval after the conditioning stimulus (ms)", s)
    _label(ax, "threshold change", "%", s)
    return _show_gaps(ax, scene, "interval", "threshold_change")


def _tint_phases(ax: Axes, m: _Membrane) -> None:
    """Between curve and zero line: refractory until the threshold is back at rest, then super- and subexcitable."""
    interval, change = m["interval"], m["threshold_change"]
    x = np.geomspace(interval[0], interval[-1], 800)
    y = np.interp(np.log(x), np.log(interval), change)
    until = m.number("relative_refractory_period")
    early = x <= (math.inf if math.isnan(until) else until)
    for phase, where in (("refractory", early & (y > 0)), ("superexcitable", y < 0), ("subexcitable", ~early & (y > 0))):
        ax.fill_between(x, y, 0.0, where=where, color=_PHASES[phase], linewidth=0, zorder=0.5)


def _name_phases(ax: Axes, m: _Membrane, s: style.Size) -> None:
    """Names above the axes and at their lower edge, where they are out of the curves' way."""
    inside: dict[str, Any] = {"xycoords": ax.get_xaxis_transform()}
    low, high = ax.get_xlim()
    ax.set_title(" ", pad=0.2 * s.font)  # the layout keeps room above a panel for its title only
    _say(ax, "refractory", (low, 1.0), s, xytext=(0.4 * s.font, 0.2 * s.font), va="bottom", **inside)
    for phase, place, edge in (("superexcitable", "superexcitable_at", 0.0), ("subexcitable", "subexcitable_at", 1.0)):
        at = m.number(place)
        if math.isnan(at):
            continue
        share = math.log(at / low) / math.log(high / low)
        side = "left" if share < 0.3 else "right" if share > 0.7 else "center"
        _say(ax, phase, (at, edge), s, xytext=(0.0, 0.2 * s.font), va="bottom", ha=side, **inside)


def _electrotonus(scene: _Scene, panels: Sequence[Axes]) -> list[Artist]:
    (ax,), s = panels, scene.s
    for m in scene.shown:
        _curve(ax, m, "delay", "TEd", s)
        _curve(ax, m, "delay", "TEh", s, hollow=True)
    delay = scene.reference["delay"]
    _linear_x(ax, float(delay[0]), float(delay[-1]))
    style.few_ticks(ax.yaxis, 7)
    _zero_line(ax, s)
    _mark_firing(ax, _all(scene, "TEd", "TEh"), s)
    _room(ax, s, below=2.0)
    length = scene.settings["length"]
    edge = ax.get_xaxis_transform()
    ax.plot([0.0, length], [0.02, 0.02], transform=edge, color=style.REFERENCE, linewidth=2.0 * s.line, solid_capstyle="butt", label="current")
    share = _share_of(scene)
    words = f"current ±{number(scene.settings['percent'])} %" + (f" of {share}" if share else "")
    _say(ax, words, (0.0, 0.02), s, xycoords=edge, xytext=(0.0, 0.3 * s.font), va="bottom")
    _label_x(ax, "Delay after the start of the current (ms)", s)
    _label(ax, "threshold reduction", "%", s)
    look = {**_look(scene.reference, s), "color": style.POTENTIAL.color if scene.alone else style.REFERENCE, "marker": "o", "linestyle": "none"}
    looks = ({**look, "markerfacecolor": look["color"]}, {**look, "markerfacecolor": "white"})
    names = ("depolarising", "hyperpolarising")
    return [*(Line2D([], [], label=name, **x) for name, x in zip(names, looks, strict=True)), *_show_gaps(ax, scene, "delay", "TEd")]


def _mark_firing(ax: Axes, reduction: Array, s: style.Size, which: Literal["x", "y"] = "y") -> None:
    """A line at 100 %, where the polarising current fires the membrane by itself, if any does."""
    if reduction.max() < 100:
        return
    _zero_line(ax, s, 100.0, which)
    if which == "y":
        _say(ax, "fires by itself", (1.0, 100.0), s, xycoords=ax.get_yaxis_transform(), xytext=(0.0, -0.2 * s.font), ha="right", va="top")
    else:
        ax.set_title(" ", pad=0.2 * s.font)  # the layout keeps room above a panel for its title only
        _say(ax, "fires by itself", (100.0, 1.0), s, xycoords=ax.get_xaxis_transform(), xytext=(0.0, 0.2 * s.font), ha="right", va="bottom")


def _current_threshold(scene: _Scene, panels: Sequence[Axes]) -> list[Artist]:
    (ax,), s = panels, scene.s
    for m in scene.shown:
        _curve(ax, m, "threshold_reduction", "polarising_current", s)
    reduction = _all(scene, "threshold_reduction")
    _linear_x(ax, min(reduction.min(), 0.0), max(reduction.max(), 0.0), 6)
    style.few_ticks(ax.yaxis, 7)
    _zero_line(ax, s)
    _zero_line(ax, s, which="x")
    _mark_firing(ax, reduction, s, "x")
    ax.set_xlabel("Threshold reduction (%)")
    _label(ax, "current", f"% of {_share_of(scene) or 'threshold or rheobase'}", s)
    return []


def _strength_duration(scene: _Scene, panels: Sequence[Axes]) -> list[Artist]:
    (ax, charges), s, rows = panels, scene.s, scene.rows
    one = scene.reference
    unit = one.found["rheobase"].attrs.get("units", "")
    d = one["duration"]
    for m in scene.shown:
        _curve(ax, m, "duration", "threshold", s, linestyle="none" if scene.alone else "-")
    _log_x(ax, d)
    threshold = _all(scene, "threshold", "rheobase", "rheobase_Weiss")
    ax.set_yscale("log")
    ax.set_ylim(threshold.min() / 1.2, threshold.max() * 1.2)
    keys = _laws(ax, one, s) if scene.alone else []
    marks.scale_axis(ax, "y", np.geomspace(*ax.get_ylim(), 4))
    if scene.alone:
        keys += _mark_rheobase(ax, one, unit, s)
    else:
        for m in scene.shown:
            ax.plot(m["chronaxie"], 2 * m["rheobase"], **{**_look(m, s, hollow=True), "markersize": 3.5 * s.line, "marker": "o", "zorder": 4.0})
        keys = [Line2D([], [], color=style.REFERENCE, marker="o", markerfacecolor="white", markersize=3.5 * s.line, linestyle="none",
                       markeredgewidth=0.5 * s.line, label="chronaxie")]
    _label(ax, "threshold current", unit, s, rows)
    ax.set_xlabel("Duration of the pulse (ms)")
    _charges(charges, scene)
    return keys


def _laws(ax: Axes, m: _Membrane, s: style.Size) -> list[Artist]:
    """The fitted curves of Weiss and of Lapicque."""
    d = np.geomspace(*ax.get_xlim(), 300)
    drawn = []
    for law, look in (("Weiss", _WEISS), ("Lapicque", _LAPICQUE)):
        rheobase, tau = m.number(f"rheobase_{law}"), m.number(f"tau_{law}")
        with np.errstate(divide="ignore", invalid="ignore"):
            current = rheobase * (1 + tau / d) if law == "Weiss" else rheobase / -np.expm1(-d / tau)
        if np.isfinite(current).all():
            drawn += ax.plot(d, current, color=look.color, linestyle=look.line, linewidth=0.7 * s.line, label=law, zorder=1.5)
    return list(drawn)


def _mark_rheobase(ax: Axes, m: _Membrane, unit: str, s: style.Size) -> list[Artist]:
    """Lines at the rheobase and at the chronaxie; their names are keys, for the points leave no place that is always free."""
    rheobase, chronaxie = m.number("rheobase"), m.number("chronaxie")
    thin: dict[str, Any] = {"color": style.REFERENCE, "linewidth": 0.5 * s.line, "zorder": 1.0}
    drawn = [ax.axhline(rheobase, linestyle="-", label=f"rheobase {quantity(rheobase, unit)}", **thin)]
    if math.isfinite(chronaxie):
        ends = [ax.get_ylim()[0], 2 * rheobase]
        drawn += ax.plot([chronaxie, chronaxie], ends, linestyle=":", label=f"chronaxie {quantity(chronaxie, 'ms')}", **thin)
    return list(drawn)


def _charges(ax: Axes, scene: _Scene) -> None:
    """Charge over duration of short pulses: Weiss' law is a straight line, which leaves the axis at minus its time constant."""
    s, one, rows = scene.s, scene.reference, scene.rows
    d = one["duration"]
    taus = [m.number("tau_Weiss") for m in scene.shown if np.isfinite(m.number("tau_Weiss"))]
    short = d <= max([*(CHARGED_FOR * t for t in taus), d[2]])
    last = float(d[short][-1])
    for m in scene.shown:
        look = _look(m, s)
        ax.plot(d[short], (d * m["threshold"])[short], label=f"charge {m.name}".strip(), **{**look, "linestyle": "none"})
        tau, rheobase = m.number("tau_Weiss"), m.number("rheobase_Weiss")
        if math.isfinite(tau):
            colour = _WEISS.color if scene.alone else m.colour
            ax.plot([-tau, last], [0.0, rheobase * (last + tau)], color=colour, linewidth=look["linewidth"] * 0.6, zorder=1.5, label="Weiss")
    _linear_x(ax, min([*(-t for t in taus), 0.0]), last)
    ax.set_ylim(0.0, ax.get_ylim()[1])
    style.few_ticks(ax.yaxis, 5)
    _room(ax, s, below=1.3 if scene.alone else 0.3, panels=rows)
    _zero_line(ax, s)
    ax.vlines(0.0, 0.0, ax.get_ylim()[1], color=style.REFERENCE, linewidth=0.35 * s.line, zorder=1.0)
    if scene.alone and taus:
        words = f"time constant {quantity(taus[0], 'ms')}"
        _say(ax, words, (-taus[0], 0.0), s, xytext=(0.0, -0.3 * s.font), va="top", ha="left")
    unit = one.found["rheobase"].attrs.get("units", "")
    _label(ax, "threshold charge", _CHARGES.get(unit, f"{unit}*ms"), s, rows)
    ax.set_xlabel("Duration of the pulse (ms)")


def _accommodation(scene: _Scene, panels: Sequence[Axes]) -> list[Artist]:
    (ax,), s = panels, scene.s
    for m in scene.shown:
        _curve(ax, m, "rise", "ramp_threshold", s)
    _log_x(ax, scene.reference["rise"])
    height = _all(scene, "ramp_threshold")
    ax.set_yscale("log")
    ax.set_ylim(min(height.min(), 1.0) / 1.1, height.max() * 1.15)
    marks.scale_axis(ax, "y", np.geomspace(*ax.get_ylim(), 4))
    _room(ax, s, below=1.0)
    _zero_line(ax, s, 1.0)
    _say(ax, "rheobase of a step", (0.0, 1.0), s, xycoords=ax.get_yaxis_transform(), xytext=(0.4 * s.font, -0.2 * s.font), va="top")
    ax.set_xlabel("Duration of the rise (ms)")
    _label(ax, "height at which a ramp fires (times rheobase)", "1", s)
    return _show_gaps(ax, scene, "rise", "ramp_threshold")


def _latency(scene: _Scene, panels: Sequence[Axes]) -> list[Artist]:
    (ax,), s = panels, scene.s
    for m in scene.shown:
        _curve(ax, m, "strength", "latency", s)
    _linear_x(ax, min(1.0, float(scene.reference["strength"][0])), float(scene.reference["strength"][-1]))
    ax.set_ylim(0.0, SPARE * _all(scene, "latency").max())
    style.few_ticks(ax.yaxis, 6)
    _label_x(ax, "Strength of the stimulus (times threshold)", s)
    _label(ax, "time from stimulus to spike", "ms", s)
    return _show_gaps(ax, scene, "strength", "latency")


def _firing(scene: _Scene, panels: Sequence[Axes]) -> list[Artist]:
    (ax,), s = panels, scene.s
    for m in scene.shown:
        _curve(ax, m, "current", "rate", s)
    _linear_x(ax, 0.0, float(_all(scene, "current").max()))
    highest = _all(scene, "rate").max()
    ax.set_ylim(-0.03 * (highest or 10.0), SPARE * (highest or 10.0))
    style.few_ticks(ax.yaxis, 6)
    if highest == 0:
        spikes = _all(scene, "spikes").max()
        words = f"no more than {number(spikes)} spike{'' if spikes == 1 else 's'},\nthen silent, at every current"
        _say(ax, words, (0.5, 0.5), s, xycoords="axes fraction", ha="center", va="center")
    ax.set_xlabel(style.axis_label("stimulating current", None, scene.reference.found["current"].attrs.get("units", "")))
    _label(ax, "rate in the second half of the step", "Hz", s)
    return []


_PLOTS: Mapping[str, _Plot] = {
    "strength-duration": _Plot("strength-duration curve", (("duration", "threshold"),), _strength_duration, panels=2),
    "latency": _Plot("time from stimulus to spike", (("strength", "latency"),), _latency, gap="no spike"),
    "recovery": _Plot("recovery cycle", (("interval", "threshold_change"),), _recovery, gap="no current evokes a second spike"),
    "electrotonus": _Plot("threshold electrotonus", (("delay", "TEd"), ("delay", "TEh")), _electrotonus),
    "current-threshold": _Plot("current-threshold relationship", (("polarising_current", "threshold_reduction"),), _current_threshold),
    "accommodation": _Plot("accommodation to rising currents", (("rise", "ramp_threshold"),), _accommodation, gap="no ramp evokes a spike"),
    "f-I": _Plot("firing rate over stimulating current", (("current", "rate"),), _firing),
}
