"""A run of a motor unit as a strip: axon, end plate, fibre, calcium and force beneath one another, the control in grey behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulation.experiment.cramp import smooth
from simulation.figures import data, marks, style
from simulation.figures.data import number, quantity
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulation.experiment.motor_unit import Stage, UnitRun

FORCE = style.Look("#7A4B1E", "-", "h")
_HEIGHTS = (1.3, 0.9, 1.3, 1.0, 1.5)
_LEAST_CALCIUM, _LEAST_FORCE = 1.0, 0.05  # uM and share of full force: what moves less looks flat


def strip(run: UnitRun, control: UnitRun | None = None, size: str = "slide") -> Plate:
    """Figure of a run of a motor unit; ``control``: the same drive of the untouched unit, in grey behind.

    An end-plate potential that the fibre answers is a full mark, one that it does not is an open one. A black bar shows the drive, a red
    one stretch."""
    divisor, unit = (1000.0, "s") if run.duration >= 2000 else (1.0, "ms")
    with style.drawing(size, stacked=True) as s:
        plate = new_plate(s, title=_title(run), alt=alt_text(run, control), provenance=run.provenance)
        axes = plate.subplots(len(_HEIGHTS), 1, sharex=True, squeeze=False, height_ratios=_HEIGHTS)[:, 0].tolist()
        for r, grey in ((control, True), (run, False)):
            if r is not None:
                _draw(axes, r, grey, divisor, s)
        labels = (
            style.axis_label("axon, node", "V", "mV"), style.axis_label("end-plate potential", None, "mV"),
            style.axis_label("muscle fibre", "V", "mV"), style.axis_label("calcium in the fibre", None, "uM"), "Force (share of full force)",
        )
        _finish(axes, run, control)
        axes[-1].set_xlim(0, run.duration / divisor)
        style.few_ticks(axes[-1].xaxis, 6)
        axes[-1].set_xlabel(f"Time $t$ ({unit})")
        _mark_drive(axes[0], run, divisor, s)
        axes[0].set_yticks([-80, 0])
        for ax, label in zip(axes, labels, strict=True):
            marks.label_above(ax, label, s)
        return plate.settled()


def _draw(axes: list[Axes], run: UnitRun, grey: bool, divisor: float, s: style.Size) -> None:
    def colour(of: str) -> str:
        return style.CONTROL.color if grey else of

    look: dict[str, Any] = {"linewidth": (0.8 if grey else 0.45) * s.line, "zorder": 1.5 if grey else 3}
    thick = {**look, "linewidth": 0.8 * s.line}
    _plot(axes[0], run.axon, colour(style.POTENTIAL.color), divisor, look)
    t, y = run.end_plate.times / divisor, run.end_plate.potentials
    fired = np.array(run.fired, dtype=bool)
    axes[1].vlines(t, 0, y, color=colour(style.REFERENCE), linewidth=look["linewidth"], zorder=look["zorder"])
    for chosen, full in ((fired, True), (~fired, False)):
        axes[1].plot(
            t[chosen], y[chosen], linestyle="none", marker="o", markersize=1.3 * s.line, color=colour(style.POTENTIAL.color),
            markerfacecolor=colour(style.POTENTIAL.color) if full else "white", markeredgewidth=0.35 * s.line, zorder=look["zorder"],
        )
    _plot(axes[2], run.muscle, colour(style.POTENTIAL.color), divisor, look)
    axes[3].plot(run.muscle.t / divisor, 1000 * run.Ca_i, color=colour(style.CARRIERS["Ca"].color), **look)
    t_even, force = smooth(run.muscle.t, run.force)
    axes[4].plot(t_even / divisor, force, color=colour(FORCE.color), **thick)


def _plot(ax: Axes, stage: Stage, colour: str, divisor: float, look: dict[str, Any]) -> None:
    ax.plot(stage.t / divisor, stage.V, color=colour, **look)


def _finish(axes: list[Axes], run: UnitRun, control: UnitRun | None) -> None:
    runs = [r for r in (run, control) if r is not None]
    threshold = run.unit.fibre_threshold
    needed = threshold.depolarisation * run.unit.junction.of["ease"]
    if threshold.excitable:
        axes[1].axhline(needed, color=style.REFERENCE, linestyle="--", linewidth=0.8, zorder=1)
        axes[1].annotate("threshold", (1.0, needed), xycoords=axes[1].get_yaxis_transform(), xytext=(3, 0), textcoords="offset points",
                         verticalalignment="center", color=style.REFERENCE, annotation_clip=False)
    highest = max(float(r.end_plate.potentials.max(initial=r.unit.junction.potential)) for r in runs)
    highest = max(highest, needed if threshold.excitable else 0.0)
    axes[1].set_ylim(0, 1.2 * highest)
    for ax, least, low in ((axes[3], _LEAST_CALCIUM, 0.0), (axes[4], _LEAST_FORCE, 0.0)):
        ax.set_ylim(low, max(least, 1.05 * max(float(line.get_ydata().max()) for line in ax.get_lines())))  # type: ignore[union-attr]
    for ax in (axes[0], axes[2]):
        low, high = ax.get_ylim()
        ax.set_ylim(min(low, -100.0), max(high, -50.0))
    for ax, most in zip(axes, (3, 2, 3, 2, 3), strict=True):
        style.few_ticks(ax.yaxis, most)


def _mark_drive(ax: Axes, run: UnitRun, divisor: float, s: style.Size) -> None:
    """A bar above the spikes for each part of the drive, and one for each stretch above that."""
    low, high = ax.get_ylim()
    drive = run.drive
    spans = [(x.at, x.at + x.duration) for x in drive.rates] + [(x.at, x.at + x.duration) for x in drive.noise]
    stretched = [(x.at, x.at + x.duration) for x in drive.stretches]
    for parts, colour in ((spans, style.POTENTIAL.color), (stretched, style.CARRIERS["Na"].color)):
        if not parts:
            continue
        high += 0.16 * (high - low)
        for start, end in parts:
            span = [start / divisor, min(end, run.duration) / divisor]
            ax.plot(span, [high] * 2, color=colour, linewidth=1.2 * s.line, solid_capstyle="butt")
    ax.set_ylim(low, high + 0.06 * (high - low))


def _title(run: UnitRun) -> str:
    from simulation.models.motor_unit import motor_unit

    return f"{motor_unit.title}: {_baths(run)}"


def _baths(run: UnitRun) -> str:
    u = run.unit
    said = [f"{name} {part.parameters.name} in {str(part.bath) or 'the control bath'}" for name, part in (
        ("axon", u.axon), ("junction", u.junction), ("muscle", u.muscle))]
    return "; ".join(said)


def alt_text(run: UnitRun, control: UnitRun | None = None) -> str:
    """What ``strip`` shows, in words."""
    parts = [f"a motor unit from 0 to {number(run.duration)} ms, from top to bottom axon, end-plate potentials, muscle fibre, calcium and force"]
    for r, name in ((run, _baths(run)), (control, "in grey behind, the control")):
        if r is None:
            continue
        parts.append(
            f"{name}: {len(r.axon.spikes)} spikes of the axon, {len(r.muscle.spikes)} of the fibre, "
            f"calcium up to {quantity(1000 * float(r.Ca_i.max()), 'uM')}, force up to {data.number(float(r.force.max()))}")
    return data.sentences(parts)
