"""A population in many baths: what share of it does what, and which parameters set those apart that do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simulation.figures import data, style
from simulation.figures.plate import Plate, new_plate
from simulation.studies.population import bath_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulation.studies.population import Apart, Population

_LOOKS = (("fires by itself", "#C44F00", "o"), ("after-discharge", "#E69F00", "^"), ("paralysed", "#2E2E2E", "s"), ("two rests", "#009E73", "D"))
_ROWS = 8


def population_figure(found: Population, size: str = "slide") -> Plate:
    """Figure of a population: for each bath the share of members that fire by themselves, go on firing, are paralysed or have two rests,
    with exact 95 % intervals; beside it the parameters that set those apart that show the most telling of these."""
    outcome, bath, tail = telling(found)
    with style.drawing(size, stacked=True) as s:
        plate = new_plate(s, title=f"What {found.count} plausible membranes do", alt=population_alt(found), provenance=data.provenance(found.data))
        beside = s.width > 5
        shape: dict[str, Any] = {"ncols": 2, "width_ratios": (1.5, 1.0)} if beside else {"nrows": 2, "height_ratios": (1.5, 1.0)}
        axes = plate.subplots(**shape).tolist() if tail else [plate.subplots()]
        _shares(axes[0], found, s)
        if tail:
            _tail(axes[1], tail[:_ROWS], outcome, bath, s)
        return plate.settled()


def telling(found: Population) -> tuple[str, str, list[Apart]]:
    """The outcome and bath that divide the population most evenly, and what sets those apart that show it."""
    pairs = [(outcome, bath) for outcome, _, _ in _LOOKS for bath in found.baths]
    outcome, bath = min(pairs, key=lambda pair: abs(found.fraction(*pair) - 0.5))
    return outcome, bath, found.tail(outcome, bath)


def population_alt(found: Population) -> str:
    """What ``population_figure`` shows, in words."""
    parts = [f"what {found.count} plausible membranes do in {len(found.baths)} baths, in percent of them"]
    for bath in found.baths:
        seen = [f"{100 * found.fraction(o, bath):.0f} % {o}" for o, _, _ in _LOOKS if found.fraction(o, bath) > 0]
        parts.append(f"{bath_words(bath)}: {', '.join(seen) or 'none of these'}")
    outcome, bath, tail = telling(found)
    if tail:
        parts.append(f"{outcome} in {bath_words(bath)} goes with {', '.join(f'{a.symbol} {_side(a)}' for a in tail[:3])}")
    return data.sentences(parts)


def _side(a: Apart) -> str:
    return "higher" if a.share > 0.5 else "lower"


def _shares(ax: Axes, found: Population, s: style.Size) -> None:
    baths = found.baths
    y = np.arange(len(baths))[::-1].astype(float)
    shown = [look for look in _LOOKS if any(found.fraction(look[0], b) > 0 for b in baths)] or list(_LOOKS[:1])
    for k, (outcome, colour, marker) in enumerate(shown):
        place = y + 0.55 * ((len(shown) - 1) / 2 - k) / max(1, len(shown) - 1 or 1)
        share = np.array([found.fraction(outcome, b) for b in baths])
        ends = np.array([found.interval(outcome, b) for b in baths])
        ax.hlines(place, 100 * ends[:, 0], 100 * ends[:, 1], color=colour, linewidth=0.5 * s.line)
        ax.plot(100 * share, place, linestyle="none", marker=marker, color=colour, markersize=0.4 * s.font, label=outcome)
    furthest = max(found.interval(o, b)[1] for o, _, _ in shown for b in baths)
    for edge in y[:-1] - 0.5:
        ax.axhline(edge, color=style.CONTROL.color, linewidth=0.15 * s.line, zorder=0)
    ax.set(ylim=(-0.6, len(baths) - 0.4), xlim=(-2, min(102.0, 110 * furthest)), yticks=y, yticklabels=[bath_words(b) for b in baths])
    ax.tick_params(axis="y", length=0, labelsize=0.9 * s.font)
    ax.set_xlabel(f"Share of {found.count} members (%)")
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2, columnspacing=1.0, handletextpad=0.2)


def _tail(ax: Axes, tail: Sequence[Apart], outcome: str, bath: str, s: style.Size) -> None:
    y = np.arange(len(tail))[::-1].astype(float)
    for place, a in zip(y, tail, strict=True):
        colour = "black" if a.p < 0.05 else style.CONTROL.color
        ax.hlines(place, 100 * a.interval[0], 100 * a.interval[1], color=colour, linewidth=0.6 * s.line)
        ax.plot([100 * a.share], [place], marker="o", markersize=0.5 * s.font, color=colour)
    ax.axvline(50, color=style.REFERENCE, linewidth=0.3 * s.line, zorder=0)
    ax.set(yticks=y, yticklabels=[style.symbol(a.symbol) for a in tail], ylim=(-0.6, len(tail) - 0.4), xlim=(0, 100))
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("Pairs in which it is higher\nin the one that does (%)")
    ax.set_xticks([0, 25, 50, 75, 100])
    letters = s.letters((0.38 if s.width > 5 else 0.8) * s.width)
    ax.set_title(data.wrapped(f"{outcome.capitalize()} in {bath_words(bath)}: who?", letters), fontsize=0.95 * s.font, loc="left")
