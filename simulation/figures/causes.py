"""Several conditions side by side: the serum that each comes to, on the reference bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from simulation.clinic.course import SERUM
from simulation.clinic.panel import analytes
from simulation.figures import data, style
from simulation.figures.data import number
from simulation.figures.plate import Plate, new_plate
from simulation.figures.serum import BAND

if TYPE_CHECKING:
    from simulation.clinic.conditions import Condition

SHOWN: tuple[tuple[str, str], ...] = (("K", "K"), ("iCa", "Ca"), ("Mg", "Mg"))


def causes_figure(found: Sequence[tuple[Condition, Mapping[str, float]]], size: str = "slide") -> Plate:
    """Figure of conditions with the serum of each, a row for each of them: potassium, ionised calcium and magnesium. Filled is what the body
    predicts, open what the condition imposes."""
    names = [condition.title.split(": ")[0].split(" (")[0] for condition, _ in found]
    with style.drawing(size, stacked=True) as s:
        plate = new_plate(s, title="Conditions and the serum that they come to", alt=_alt(names, found), provenance={
            "conditions": [condition.name for condition, _ in found],
        })
        axes = plate.subplots(1, len(SHOWN), sharey=True, squeeze=False)[0].tolist()
        places = range(len(found) - 1, -1, -1)
        for ax, (name, ion) in zip(axes, SHOWN, strict=True):
            look = style.CARRIERS[ion]
            ax.axvspan(*analytes()[name].normal, color=BAND, linewidth=0, zorder=0)
            for y, (condition, serum) in zip(places, found, strict=True):
                imposed = bool({name, name.removeprefix("i")} & set(condition.serum))
                ax.plot(serum[name], y, look.marker, color=look.color, markersize=3.2 * s.line, markerfacecolor="white" if imposed else look.color)
            ax.set_xlabel(f"{SERUM[name][2]} ({SERUM[name][1]})"[:1].upper() + f"{SERUM[name][2]} ({SERUM[name][1]})"[1:])
            ax.grid(axis="y", color=style.NO_VALUE, linewidth=0.5 * s.line)
            ax.set_axisbelow(True)
            ax.tick_params(axis="y", length=0)
            style.few_ticks(ax.xaxis, 4)
        axes[0].set(yticks=list(places), yticklabels=names, ylim=(-0.6, len(found) - 0.4))
        return plate.settled()


def _alt(names: Sequence[str], found: Sequence[tuple[Condition, Mapping[str, float]]]) -> str:
    parts = ["the serum that conditions come to, on reference bands"]
    for name, (_, serum) in zip(names, found, strict=True):
        parts.append(f"{name}: " + ", ".join(f"{SERUM[n][2]} {number(serum[n])} {SERUM[n][1]}" for n, _ in SHOWN))
    return data.sentences(parts)
