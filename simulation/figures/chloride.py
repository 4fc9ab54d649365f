"""Chloride follows the potential or sets it: V with the equilibrium potentials of chloride and potassium through a change of bath."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from simulation.experiment.bath import COMPONENTS
from simulation.figures import data, marks, style
from simulation.figures.data import quantity
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    from simulation.experiment.recording import Recording

MINUTE = 60_000.0  # ms


def chloride_figure(runs: Mapping[str, Recording], size: str = "slide") -> Plate:
    """Figure of runs of a muscle fibre, a panel each under its name: V in black, E_Cl and E_K in their colours; tinted where another bath flows."""
    with style.drawing(size, stacked=True) as s:
        first, *others = ((name, run.provenance) for name, run in runs.items())
        plate = new_plate(s, title="Chloride through a step of potassium", alt=alt_text(runs), provenance={**first[1], "others": dict(others)})
        beside = s.width > 10
        axes = plate.subplots(1 if beside else len(runs), len(runs) if beside else 1, sharex=True, sharey=True, squeeze=False).ravel().tolist()
        for ax, (name, run) in zip(axes, runs.items(), strict=True):
            t = run.t / MINUTE
            for ion in ("K", "Cl"):
                look = style.CARRIERS[ion]
                ax.plot(t, run[f"E_{ion}_s"], color=look.color, linestyle=look.line, linewidth=0.7 * s.line, label=style.symbol(f"E_{ion}"))
            ax.plot(t, run.V, color=style.POTENTIAL.color, linewidth=s.line, label=style.symbol("V"), zorder=3)
            for start, stop in other_baths(run):
                ax.axvspan(start / MINUTE, stop / MINUTE, color=style.TINT, linewidth=0, zorder=0)
                ax.annotate(bath_words(run, start), (0.5 * (start + stop) / MINUTE, 0.0), xycoords=ax.get_xaxis_transform(), xytext=(0, 0.3 * s.font),
                            textcoords="offset points", horizontalalignment="center", color=style.ink(style.REFERENCE, style.TINT))
            style.few_ticks(ax.xaxis, 6)
            style.few_ticks(ax.yaxis, 5)
            ax.set_xlim(0, t[-1])
            marks.label_above(ax, data.wrapped(f"{name} (mV)", s.letters(s.width * (0.4 if beside else 0.8))), s)
        for ax in axes if beside else axes[-1:]:
            ax.set_xlabel("Time $t$ (min)")
        axes[-1].legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        return plate.settled()


def other_baths(run: Recording) -> list[tuple[float, float]]:
    """From when to when (ms) a bath other than the first flows."""
    return [(segment.start, segment.stop) for segment in run.protocol.segments if segment.bath is not None and segment.bath != run.preparation.bath]


def bath_words(run: Recording, t: float) -> str:
    """'K 10 mM' of the bath that flows from a time (ms) on."""
    (bath,) = (segment.bath for segment in run.protocol.segments if segment.start == t)
    return ", ".join(f"{name} {quantity(value, COMPONENTS[name].unit)}" for name, value in bath or ())


def alt_text(runs: Mapping[str, Recording]) -> str:
    """What ``chloride_figure`` shows, in words."""
    (first, *_) = runs.values()
    baths = " and ".join(
        f"{bath_words(first, a)} around it from {quantity(a / MINUTE, 'min')} to {quantity(b / MINUTE, 'min')}" for a, b in other_baths(first))
    parts = [f"membrane potential and equilibrium potentials of potassium and chloride of a muscle fibre; {baths}"]
    for name, run in runs.items():
        edges = [t for pair in other_baths(run) for t in pair]
        for t in (0.0, *(x for edge in edges for x in (edge - 1.0, edge + 5000.0)), run.t[-1]):
            V, E = (float(np.interp(t, run.t, y)) for y in (run.V, run["E_Cl_s"]))
            parts.append(f"{name}, at {quantity(t / MINUTE, 'min')}: V {quantity(V, 'mV')}, E_Cl {quantity(E, 'mV')}")
    return data.sentences(parts)
