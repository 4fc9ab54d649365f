"""A claim on trial: what its experiments gave, beside the results that would speak for it and against it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Patch

from simulation.experiment.bath import COMPONENTS
from simulation.figures import data, style
from simulation.figures.data import number
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulation.clinic.claims import Claim, Curve, Judged
    from simulation.clinic.findings import Finding

FOR, AGAINST = "#B7E0D2", "#F3C6A5"
_HATCH = {FOR: "", AGAINST: "//"}
_NO_LIMIT = 1e3


def claim_figure(claim: Claim, judged: Judged, without: Judged, curves: Sequence[Curve] = (), size: str = "slide") -> Plate:
    """Figure of one claim: each experiment a row with its result (full) and that with the mechanism switched off (open), over the results that
    speak for the claim and against it; with ``curves``, the first of them above."""
    with style.drawing(size, stacked=True) as s:
        plate = new_plate(s, title=f"{claim.title}: {judged.verdict}", alt=claim_alt(claim, judged, without), provenance=provenance(claim, judged))
        count = len(claim.findings)
        heights = ([2.6] if curves else []) + [1.0] * count
        axes = plate.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0].tolist()
        if curves:
            _curve(axes[0], curves[0], s)
        for ax, finding, here, off in zip(axes[-count:], claim.findings, judged.found, without.found, strict=True):
            _row(ax, finding, here.value, off.value, s)
        plate.suptitle(data.wrapped(f"{claim.title}: {judged.verdict}", s.letters(0.95 * s.width)), fontsize=1.1 * s.font, fontweight="bold")
        _key(plate, s)
        return plate.settled()


def provenance(claim: Claim, judged: Judged) -> dict[str, Any]:
    """What made it."""
    return {"claim": claim.id, "code": judged.code, "findings": [f.model_dump(by_alias=True, exclude_defaults=True) for f in claim.findings]}


def claim_alt(claim: Claim, judged: Judged, without: Judged) -> str:
    """What ``claim_figure`` shows, in words."""
    parts = [f"the claim '{claim.title}' on trial, {judged.verdict}"]
    for f, here, off in zip(claim.findings, judged.found, without.found, strict=True):
        unit = "" if f.shown == "1" else f" {f.shown}"
        said = "says neither" if here.side == "neither" else f"speaks {here.side} it"
        parts.append(f"{f.text}: {_words(here.value)}{unit}, which {said}; with the mechanism switched off {_words(off.value)}{unit}")
    return data.sentences(parts)


def _words(value: float) -> str:
    return number(value) if math.isfinite(value) else "no such state"


def _row(ax: Axes, finding: Finding, here: float, off: float, s: style.Size) -> None:
    low, high = _span(finding, here, off)
    _sides(ax, finding, low, high, ax.axvspan)
    ax.set(xlim=(low, high), ylim=(-1, 1), yticks=[])
    ax.spines["left"].set_visible(False)
    dot: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 0.75 * s.font, "clip_on": False, "color": "black"}
    if math.isfinite(off):
        ax.plot([off], [0], **dot, markerfacecolor="white", markeredgewidth=0.6 * s.line, zorder=4)
    if math.isfinite(here):
        ax.plot([here], [0], **dot, zorder=5)
    else:
        ax.text(0.5, 0.5, "no such state", ha="center", va="center", transform=ax.transAxes)
    style.few_ticks(ax.xaxis, 7)
    unit = "" if finding.shown == "1" else f" ({style.unit(finding.shown)})"
    text = f"{finding.text[:1].upper()}{finding.text[1:]}{unit}"
    ax.set_title(data.wrapped(text, s.letters((1.05 if s.width > 5 else 0.9) * s.width)), loc="left", fontsize=0.9 * s.font, pad=0.25 * s.font)


def _span(finding: Finding, *values: float) -> tuple[float, float]:
    """From and to where a row goes: all results and every limit that is one."""
    sides = [i for i in (finding.speaks_for, finding.against) if i is not None]
    limits = [x for i in sides for x in i if abs(x) < _NO_LIMIT and not (finding.relative and abs(x) == 100)]
    points = [x for x in (*values, *limits, *([0.0] if finding.relative else [])) if math.isfinite(x)]
    low, high = min(points), max(points)
    room = 0.12 * (high - low or abs(high) or 1.0)
    whole = finding.shown == "1" and not finding.relative and low >= 0
    return (-0.3 * room if whole and low == 0 else low - room), high + room


def _sides(ax: Axes, finding: Finding, low: float, high: float, span: Any) -> None:
    for interval, colour in ((finding.speaks_for, FOR), (finding.against, AGAINST)):
        if interval is not None:
            a, b = max(interval[0], low), min(interval[1], high)
            if a < b or interval[0] == interval[1]:
                width = 0.008 * (high - low)
                a, b = (a - width, b + width) if interval[0] == interval[1] else (a, b)
                span(a, b, facecolor=colour, edgecolor="white", hatch=_HATCH[colour], linewidth=0, zorder=0)


def _curve(ax: Axes, curve: Curve, s: style.Size) -> None:
    f = curve.finding
    x = np.array(curve.x)
    y, off = np.array(curve.y), np.array(curve.without)
    if f.off.change:  # it takes away the effect of the one deviation that is tried
        off = np.full(len(x), math.nan)
    low, high = _span(f, *y, *off)
    _sides(ax, f, low, high, ax.axhspan)
    ax.plot(x, off, color=style.REFERENCE, linestyle=(0, (4, 1.5)), linewidth=0.7 * s.line, marker="o", markerfacecolor="white", zorder=3)
    ax.plot(x, y, color="black", marker="o", zorder=4)
    ax.set(ylim=(low, high))
    component = COMPONENTS.get(curve.name)
    ax.set_xlabel(f"{component.name.capitalize()} around it ({component.unit})" if component else style.symbol(curve.name))
    ax.set_ylabel(f"Change ({f.shown})" if f.relative else f"Result ({f.shown})" if f.shown != "1" else "Result")
    style.few_ticks(ax.yaxis, 5)


def _key(plate: Plate, s: style.Size) -> None:
    from matplotlib.lines import Line2D

    dot: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 0.6 * s.font, "color": "black"}
    plate.legend(
        handles=[
            Patch(facecolor=FOR, label="for the claim"),
            Patch(facecolor=AGAINST, hatch=_HATCH[AGAINST], edgecolor="white", linewidth=0, label="against it"),
            Line2D([], [], **dot, label="result"),
            Line2D([], [], **dot, markerfacecolor="white", label="mechanism off"),
        ],
        loc="outside lower center", ncols=4, columnspacing=1.2,
    )
