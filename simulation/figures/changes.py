"""How much some things change in some cases: bars with their numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulation.figures import data, style
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate, new_plate

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")
_HATCHES = ("", "//", "\\\\", "xx")
_ROOM = 0.34  # of the reach, beside the longest bar for its number


def changes_figure(
    rows: Mapping[str, Mapping[str, float]], title: str, label: str, provenance: Mapping[str, Any], size: str = "slide"
) -> Plate:
    """Figure of changes, a group of bars for each row with a bar for each case, each with its number; ``label``: of the axis, with its unit.

    ``rows``: what -> case -> change. Raises FigureError if rows have different cases, or more than there are colours."""
    cases = _cases(rows)
    with style.drawing(size, stacked=True) as s:
        plate = new_plate(s, title=title, alt=changes_alt(rows, title, label), provenance=provenance)
        ax = plate.subplots()
        y = np.arange(len(rows))[::-1].astype(float)
        height = 0.62 / len(cases)
        values = np.array([[row[case] for case in cases] for row in rows.values()])
        reach = float(np.nanmax(np.abs(values))) or 1.0
        for k, case in enumerate(cases):
            place = y - 0.12 + height * ((len(cases) - 1) / 2 - k)
            look: dict[str, Any] = {"color": COLOURS[k], "hatch": _HATCHES[k], "edgecolor": "white", "linewidth": 0}
            ax.barh(place, np.nan_to_num(values[:, k]), height=height, label=case, **look)
            for at, value in zip(place, values[:, k], strict=True):
                words = f"{'+' if value > 0 else ''}{data.printed(float(f'{value:.2g}'))}" if math.isfinite(value) else "none"
                ax.annotate(words, (value if math.isfinite(value) else 0.0, at), xytext=((-0.3 if value < 0 else 0.3) * s.font, 0),
                            textcoords="offset points", ha="right" if value < 0 else "left", va="center", fontsize=0.9 * s.font)
        for at, name in zip(y, rows, strict=True):
            ax.annotate(data.wrapped(name[:1].upper() + name[1:], s.letters(0.9 * s.width)), (0.0, at + 0.22), xycoords=("axes fraction", "data"),
                        va="bottom", ha="left", fontsize=s.font)
        ax.axvline(0, color=style.REFERENCE, linewidth=0.4 * s.line, zorder=0)
        low, high = min(0.0, float(np.nanmin(values))), max(0.0, float(np.nanmax(values)))
        ax.set(yticks=[], ylim=(-0.6, len(rows) - 0.3), xlim=(low - _ROOM * reach, high + _ROOM * reach))
        ax.spines["left"].set_visible(False)
        style.few_ticks(ax.xaxis, 6)
        ax.set_xlabel(label)
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(cases), columnspacing=1.2)
        return plate.settled()


def changes_alt(rows: Mapping[str, Mapping[str, float]], title: str, label: str) -> str:
    """What ``changes_figure`` shows, in words."""
    def said(value: float) -> str:
        return data.number(value) if math.isfinite(value) else "none"

    parts = [f"{title}: {label.lower()}"]
    return data.sentences([*parts, *(f"{name}: {', '.join(f'{said(v)} for {case}' for case, v in row.items())}" for name, row in rows.items())])


def _cases(rows: Mapping[str, Mapping[str, float]]) -> Sequence[str]:
    cases = {tuple(row) for row in rows.values()}
    if len(cases) != 1 or not 1 <= len(next(iter(cases))) <= len(COLOURS):
        raise FigureError(f"every row has the same cases, from one to {len(COLOURS)} of them")
    return next(iter(cases))
