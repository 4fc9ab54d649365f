"""Scenes of films: what stands still is drawn once, and the lines that a result moves are set for each moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simulation.figures import data, marks, style
from simulation.figures.data import Array

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

    from simulation.experiment.cable import Propagation
    from simulation.figures.animation import Move, Scene
    from simulation.figures.plate import Plate

SECOND = 1000.0  # ms
BACK = 500.0  # ms of the past that a scrolling trace shows
_V = (-105.0, 60.0)  # mV
_NOW: dict[str, Any] = {"linestyle": "none", "marker": "o", "color": "black"}


# ---- a spike in space

def running_spikes(runs: Mapping[str, Propagation], slower: float, outcome: Mapping[str, str]) -> Scene:
    """V over distance of several cables, one above the other. ``slower``: seconds of film per second of the cables; ``outcome``: of each, in
    words."""

    def scene(figure: Plate | SubFigure, s: style.Size) -> Move:
        axes = figure.subplots(len(runs), 1, sharex=True, squeeze=False)[:, 0].tolist()
        lines = []
        for ax, (name, run) in zip(axes, runs.items(), strict=True):
            ax.set(xlim=(0, run.cable.sections * run.cable.dx), ylim=_V, yticks=(-80, 0))
            lines += ax.plot(run.cable.x, run.profile(0.0), color=style.POTENTIAL.color, linewidth=1.2 * s.line)
            _label(ax, f"{name}: {outcome[name]}", s)
        _label(axes[0], f"{next(iter(runs))} ({style.symbol('V')} in mV): {outcome[next(iter(runs))]}", s)
        axes[-1].set_xlabel("Distance (mm)")
        clock = _corner(axes[0], s)

        def move(t: float) -> Sequence[Artist]:
            ms = SECOND * t / slower
            for line, run in zip(lines, runs.values(), strict=True):
                line.set_ydata(run.profile(min(ms, float(run.t[-1]))))
            clock.set_text(f"{ms:.1f} ms")
            return [*lines, clock]

        return move

    return scene


# ---- courses in time

@dataclass(frozen=True, eq=False)
class Course:
    """A line over time: ``t``: ms; ``look``: colour and line style; ``name``: for the legend, empty for none."""

    t: Array
    y: Array
    look: style.Look
    name: str = ""


@dataclass(frozen=True, eq=False)
class Growing:
    """A panel whose courses grow from the left as time goes on, with a dot at the present."""

    label: str
    courses: tuple[Course, ...]
    y: tuple[float, float]
    height: float = 1.0
    bars: tuple[tuple[float, float], ...] = ()  # ms: when the nerve is told to fire
    tinted: tuple[tuple[float, float], ...] = ()  # ms: another bath


@dataclass(frozen=True, eq=False)
class Scrolling:
    """A panel that shows the last half second of one course."""

    label: str
    course: Course
    y: tuple[float, float]
    height: float = 1.0


def through_time(panels: Sequence[Growing | Scrolling], duration: float, words: Sequence[tuple[float, str]]) -> Scene:
    """Panels one above the other, played at the speed of life. ``duration``: ms; ``words``: from when on (ms) what stands in the corner."""

    def scene(figure: Plate | SubFigure, s: style.Size) -> Move:
        grid = {"height_ratios": [p.height for p in panels]}
        axes = figure.subplots(len(panels), 1, squeeze=False, gridspec_kw=grid)[:, 0].tolist()
        moved = [
            _grow(ax, panel, duration, s) if isinstance(panel, Growing) else _scroll(ax, panel, s) for ax, panel in zip(axes, panels, strict=True)
        ]
        growing = [ax for ax, panel in zip(axes, panels, strict=True) if isinstance(panel, Growing)]
        for ax in growing[:-1]:
            ax.tick_params(labelbottom=False)
        growing[-1].set_xlabel("Time (s)")
        corner = _corner(axes[0], s)

        def move(t: float) -> Sequence[Artist]:
            ms = SECOND * t
            corner.set_text([text for start, text in words if start <= ms][-1])
            return [artist for move in moved for artist in move(ms)] + [corner]

        return move

    return scene


def _grow(ax: Axes, panel: Growing, duration: float, s: style.Size) -> Move:
    ax.set(xlim=(0, duration / SECOND), ylim=panel.y)
    style.few_ticks(ax.xaxis, 10)
    style.few_ticks(ax.yaxis, 3)
    for start, stop in panel.tinted:
        ax.axvspan(start / SECOND, stop / SECOND, color=style.TINT, linewidth=0, zorder=0)
    for start, stop in panel.bars:
        high = panel.y[1] - 0.06 * (panel.y[1] - panel.y[0])
        ax.plot([start / SECOND, stop / SECOND], [high, high], color="black", linewidth=2.0 * s.line, solid_capstyle="butt")
    lines = [ax.plot([], [], color=c.look.color, linestyle=c.look.line, linewidth=s.line, label=c.name)[0] for c in panel.courses]
    dots = [ax.plot([], [], **{**_NOW, "color": c.look.color}, markersize=2.2 * s.line, clip_on=False)[0] for c in panel.courses]
    _label(ax, panel.label, s)
    if any(c.name for c in panel.courses):
        ax.legend(loc="lower left", handlelength=1.5)

    def move(ms: float) -> Sequence[Artist]:
        for line, dot, c in zip(lines, dots, panel.courses, strict=True):
            end = int(np.searchsorted(c.t, ms, side="right"))
            now = float(np.interp(ms, c.t, c.y))
            line.set_data(np.append(c.t[:end], ms) / SECOND, np.append(c.y[:end], now))
            dot.set_data([ms / SECOND], [now])
        return [*lines, *dots]

    return move


def _scroll(ax: Axes, panel: Scrolling, s: style.Size) -> Move:
    ax.set(xlim=(-BACK, 0.02 * BACK), ylim=panel.y)
    style.few_ticks(ax.yaxis, 4)
    style.few_ticks(ax.xaxis, 6)
    ax.set_xlabel("Time before now (ms)")
    c = panel.course
    (line,) = ax.plot([], [], color=c.look.color, linestyle=c.look.line, linewidth=0.7 * s.line)
    (dot,) = ax.plot([], [], **{**_NOW, "color": c.look.color}, markersize=2.2 * s.line, clip_on=False)
    _label(ax, panel.label, s)

    def move(ms: float) -> Sequence[Artist]:
        rows = slice(*np.searchsorted(c.t, [ms - BACK, ms], side="right"))
        now = float(np.interp(ms, c.t, c.y))
        line.set_data(np.append(c.t[rows], ms) - ms, np.append(c.y[rows], now))
        dot.set_data([0.0], [now])
        return [line, dot]

    return move


def _label(ax: Axes, text: str, s: style.Size) -> None:
    marks.label_above(ax, text, s)


def _corner(ax: Axes, s: style.Size) -> Any:
    """Words over the upper right corner, which change."""
    return ax.annotate("", (1.0, 1.0), xycoords="axes fraction", xytext=(0, 0.15 * s.font), textcoords="offset points", fontweight="bold",
                       horizontalalignment="right", verticalalignment="bottom", annotation_clip=False)


def thinned(t: Array, y: Array, step: float) -> tuple[Array, Array]:
    """A course with no more than its first, lowest and highest point in every ``step`` of time: as it looks, in fewer points."""
    bins = np.floor(t / step).astype(int)
    first = np.append(0, np.flatnonzero(np.diff(bins)) + 1)
    last = np.append(first[1:], len(t))
    keep = {int(i) for a, b in zip(first, last, strict=True) for i in (a, a + int(np.argmin(y[a:b])), a + int(np.argmax(y[a:b])))}
    chosen = sorted(keep | {len(t) - 1})
    return t[chosen], y[chosen]


def spike_counts(times: Sequence[float] | Array, span: tuple[float, float]) -> str:
    """How many spikes fall into a span (ms), and at what mean rate, in words."""
    inside = [t for t in times if span[0] <= t < span[1]]
    rate = 1000 * (len(inside) - 1) / (inside[-1] - inside[0]) if len(inside) > 1 else 0.0
    return f"{len(inside)} spikes{f' at {data.number(rate)} Hz' if rate else ''}"
