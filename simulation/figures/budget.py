"""The budget of rest: equilibrium potentials as a ladder, and the currents that balance at the rung where the membrane stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from simulation.figures import data, marks, style
from simulation.figures.data import number, quantity
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulation.experiment.budget import Budget

CARRIERS: Mapping[str, str] = {"Na": "Na$^+$", "K": "K$^+$", "Cl": "Cl$^−$", "pump": "pump"}
_RUNG = 0.35  # length of a rung, as a share of the axes; its name begins at _NAME
_NAME = 0.5
_FLOOR, _CEILING = -140.0, 150.0  # mV


def budget_figure(budget: Budget, size: str = "slide") -> Plate:
    """Figure of a fibre's rest: on the left the equilibrium potentials, the GHK potential and rest itself; on the right the net currents,
    which add up to nothing."""
    with style.drawing(size) as s:
        plate = new_plate(s, title="What makes the resting potential of a muscle fibre", alt=alt_text(budget), provenance=budget.provenance)
        ladder, bars = plate.subplots(1, 2, width_ratios=(1.0, 1.05))
        _ladder(ladder, budget, s)
        _bars(bars, budget, s)
        return plate.settled()


def alt_text(budget: Budget) -> str:
    """What ``budget_figure`` shows, in words."""
    E = ", ".join(f"of {ion} at {quantity(V, 'mV')}" for ion, V in sorted(budget.E.items(), key=lambda pair: -pair[1]))
    flows = ", ".join(f"{name} {quantity(flow, 'uA/cm2')}" for name, flow in budget.currents.items())
    ratios = ", ".join(f"{ion} {number(x)}" for ion, x in budget.ratios.items())
    return data.sentences([
        f"ladder of potentials of a muscle fibre at rest: equilibrium potentials {E}; the Goldman-Hodgkin-Katz potential without the pump current "
        f"at {number(budget.GHK, 4)} mV, with permeabilities to that of potassium of {ratios}; the resting potential with the pump at "
        f"{number(budget.V, 4)} mV",
        f"bars of the net currents there, per area of fibre surface with its tubules, outward to the right: {flows}; together they are nothing",
    ])


def _ladder(ax: Axes, budget: Budget, s: style.Size) -> None:
    rungs = [(V, f"{style.symbol(f'E_{ion}')}  {data.printed(round(V))}", style.CARRIERS[ion].color, 1.0) for ion, V in budget.E.items()]
    rungs += [
        (budget.GHK, f"GHK, no pump  {budget.GHK:.1f}".replace("-", "−"), style.REFERENCE, 0.8),
        (budget.V, f"rest  {budget.V:.1f}".replace("-", "−"), style.POTENTIAL.color, 1.8),
    ]
    rungs.sort(key=lambda rung: rung[0])
    ax.set(xlim=(0, 1), ylim=(_FLOOR, _CEILING), xticks=[], yticks=range(-100, 101, 50))
    ax.spines["bottom"].set_visible(False)
    ax.axhline(0.0, color=style.CONTROL.color, linewidth=0.3 * s.line, zorder=0.5)
    gap = (_CEILING - _FLOOR) * marks.LINE_SPACING * s.font / 72 / (0.85 * s.height)
    for (V, text, colour, width), y in zip(rungs, marks.apart([rung[0] for rung in rungs], gap), strict=True):
        ax.plot([0.0, _RUNG], [V, V], color=colour, linewidth=width * s.line, solid_capstyle="butt", zorder=2 + width)
        ax.plot([_RUNG, _NAME - 0.02], [V, y], color=colour, linewidth=0.3 * s.line, zorder=2)
        ax.text(_NAME, y, text, color=style.ink(colour), verticalalignment="center", fontweight="bold" if text.startswith("rest") else "normal")
    marks.label_above(ax, style.axis_label("potential", None, "mV"), s)


def _bars(ax: Axes, budget: Budget, s: style.Size) -> None:
    """Inward to the left, outward to the right, each with its amount; the one before the axis' name is on top."""
    names = sorted(budget.currents, key=lambda name: budget.currents[name])
    span = max(abs(flow) for flow in budget.currents.values())
    for row, name in enumerate(names):
        flow, colour = budget.currents[name], style.CARRIERS[name].color
        ax.barh(row, flow, color=colour, height=0.62)
        ax.annotate(f"{flow:+.2f}".replace("-", "−"), (flow, row), xytext=((0.3 if flow > 0 else -0.3) * s.font, 0), textcoords="offset points",
                    verticalalignment="center", horizontalalignment="left" if flow > 0 else "right")
        ax.annotate(CARRIERS[name], (0.0, row), xytext=((-0.4 if flow > 0 else 0.4) * s.font, 0), textcoords="offset points", color=style.ink(colour),
                    verticalalignment="center", horizontalalignment="right" if flow > 0 else "left", fontweight="bold")
    ax.axvline(0.0, color="black", linewidth=0.4 * s.line)
    ax.set(xlim=(-1.55 * span, 1.55 * span), yticks=[], ylim=(-0.6, len(names) - 0.4))
    ax.spines["left"].set_visible(False)
    style.few_ticks(ax.xaxis, 5)
    ax.set_xlabel(style.axis_label("current", None, "uA/cm2"))
    marks.label_above(ax, "Net currents, out +" if s.width < 5 else "Net currents, outward +: sum 0" if s.width > 10 else "Net currents", s)
