"""All claims at a glance: each a tile with its verdict."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from simulation.figures import data, style
from simulation.figures.claim import AGAINST, FOR
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulation.clinic.claims import Claim, Judged, Verdict

TILES: Mapping[Verdict, tuple[str, str]] = {  # verdict -> fill, sign
    "supported": (FOR, "full"), "supported in part": (style.TINT, "left"), "contradicted": (AGAINST, "none"), "outside the model": (style.FAILED, ""),
}
_GAP = 0.06  # of a tile's height
_LETTERS = 0.6  # width of a letter in heights of the font, with room to spare


def verdicts_figure(claims: Sequence[Claim], judged: Sequence[Judged], size: str = "slide") -> Plate:
    """Figure of claims in their order, column by column: a tile's colour and the disc on it (full, half, empty) are its verdict."""
    with style.drawing(size, stacked=True) as s:
        plate = new_plate(s, title="The popular account on trial: every verdict", alt=alt_text(claims, judged),
                          provenance={"claims": {j.id: j.to_dict() for j in judged}})
        ax = plate.subplots()
        columns = 3 if s.width > 10 else 1
        rows = math.ceil(len(claims) / columns)
        ax.set(xlim=(0, columns), ylim=(rows, 0))
        ax.set_axis_off()
        for i, (claim, verdict) in enumerate(zip(claims, judged, strict=True)):
            _tile(ax, claim, verdict.verdict, (i // rows, i % rows), (s.width / columns, 0.88 * s.height / rows), s)
        _key(plate, judged, s)
        return plate.settled()


def alt_text(claims: Sequence[Claim], judged: Sequence[Judged]) -> str:
    """What ``verdicts_figure`` shows, in words."""
    counts = Counter(j.verdict for j in judged)
    summary = ", ".join(f"{counts[v]} {v}" for v in TILES if counts[v])
    return data.sentences([f"{len(claims)} claims of the popular account and their verdicts: {summary}", *(
        f"{claim.title}: {j.verdict}" for claim, j in zip(claims, judged, strict=True))])


def _tile(ax: Axes, claim: Claim, verdict: Verdict, at: tuple[int, int], inches: tuple[float, float], s: style.Size) -> None:
    """One claim, in as large letters as its tile holds up to 0.9 of the font."""
    (x, y), fill = at, TILES[verdict][0]
    ax.add_patch(Rectangle((x + 0.01, y + _GAP), 0.98, 1 - 2 * _GAP, facecolor=fill, linewidth=0))
    disc = 0.11 if inches[0] < 5 and s.width > 10 else 0.05
    ax.plot(x + 0.5 * disc + 0.01, y + 0.5, **_disc(verdict, s))
    lines = 2 if s.width > 10 else 1
    font = min(0.9 * s.font, 72 * inches[1] / (lines * 1.3))
    letters = int((0.97 - disc) * inches[0] * 72 / (_LETTERS * font))
    ax.text(x + disc + 0.01, y + 0.5, data.wrapped(claim.title, letters), verticalalignment="center", fontsize=font, linespacing=1.05)


def _disc(verdict: Verdict, s: style.Size) -> dict[str, Any]:
    sign = TILES[verdict][1]
    return {
        "linestyle": "none", "marker": "o" if sign else "_", "markersize": 0.7 * s.font, "color": "black", "fillstyle": sign or "full",
        "markerfacecoloralt": "none", "markeredgewidth": 0.4 * s.line,
    }


def _key(plate: Plate, judged: Sequence[Judged], s: style.Size) -> None:
    counts = Counter(j.verdict for j in judged)
    handles = [Line2D([], [], **_disc(v, s), label=f"{v} ({counts[v]})") for v in TILES if counts[v]]
    plate.legend(handles=handles, loc="outside lower center", ncols=len(handles) if s.width > 5 else 2, columnspacing=1.0, handletextpad=0.2,
                 fontsize=0.9 * s.font if s.width > 10 else 0.75 * s.font)
