"""The published results and what the model made of them as one page of HTML: no script, nothing fetched, a plot for every row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

from simulation import parameter_sets
from simulation.figures.style import unit
from simulation.studies.validation import GROUPS, VERDICTS, Count, Outcome, Row, grouped

_EVIDENCE = {
    "independent": "independent: the parameters were not tuned with this in view",
    "fitted": "fitted: the parameters were tuned with this in view",
    "construction": "built in: follows from how the model was put together",
}
_KNOWN = {
    "full text": "read in full", "abstract": "read in the abstract or an excerpt", "recalled": "recalled, still to be looked up",
    "reasoning": "no experiment: expected from the mechanism",
}
# Contrast of words and marks against their ground is 4.5 or more in either theme; verdicts differ in words and shapes, too.
_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1a1a1a; --soft: #585858; --line: #c8c8c8; --card: #f6f6f4; --range: #9ecae8;
  --edge: #0064a8; --good: #00603f; --bad: #a83c00; --link: #00558f; }
@media (prefers-color-scheme: dark) { :root { --ground: #16181b; --ink: #e8e8e8; --soft: #a9adb3; --line: #44484e; --card: #1f2226;
  --range: #1f4f74; --edge: #7cc0f0; --good: #5fd0a2; --bad: #ff9a5c; --link: #8ec7f5; } }
@media print { :root { color-scheme: light; --ground: #fff; --ink: #000; --soft: #444; --line: #bbb; --card: #fff; --range: #9ecae8; --edge: #0064a8;
  --good: #00603f; --bad: #a83c00; --link: #000; } .row { break-inside: avoid; } h2 { break-after: avoid; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h1 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 2px solid var(--line); }
h3 { margin: 0 0 .3rem; font-size: 1.05rem; line-height: 1.3; }
a { color: var(--link); }
.soft, footer { color: var(--soft); } code { font-size: .9em; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; } caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.wide { overflow-x: auto; }
.row { background: var(--card); border: 1px solid var(--line); border-left: .35rem solid var(--line); border-radius: .3rem;
  padding: .8rem; margin: .8rem 0; }
.row.met { border-left-color: var(--good); } .row.missed { border-left-color: var(--bad); }
.verdict { font-weight: 700; } .met .verdict { color: var(--good); } .missed .verdict { color: var(--bad); }
.inside { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: .5rem 2rem; }
.inside svg { display: block; width: 100%; height: auto; } .inside svg + svg { margin-top: .6rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; font-size: .9rem; line-height: 1.4; align-content: start; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 48rem) { .inside { grid-template-columns: 1fr; } .inside svg { max-width: 30rem; } }
@media (max-width: 32rem) { body { padding: .6rem; } th, td { padding-right: .3rem; } table { font-size: .8rem; } dl { column-gap: .6rem; } }
@media print { html { font-size: 11px; } body { max-width: none; } .row { padding: .5rem; margin: .5rem 0; }
  .inside { grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); } }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .soft { fill: var(--soft); }
.axis { stroke: var(--soft); stroke-width: 1; } .range { fill: var(--range); stroke: var(--edge); stroke-width: 1; }
.mean { stroke: var(--edge); stroke-width: 3; } .open { stroke: var(--edge); stroke-width: 2; fill: none; }
.in { fill: var(--good); stroke: var(--good); stroke-width: 2; } .out { fill: var(--ground); stroke: var(--bad); stroke-width: 2.5; }
.other { opacity: .4; } .path { fill: none; stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; }
"""


def validation_page(outcomes: Sequence[Outcome], made: Mapping[str, str]) -> str:
    """A whole page. ``made``: version, date and command, for its foot."""
    groups, count = grouped(outcomes), Count.of(outcomes)
    curves: dict[str, list[Outcome]] = {}
    for o in outcomes:
        if o.row.curve is not None:
            curves.setdefault(o.row.curve.name, []).append(o)
    entries = parameter_sets.references()
    sections = "\n".join(_section(name, some, curves, entries) for name, some in groups.items())
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>cramplab: published experiments and what the models give</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>Published experiments and what the models give</h1>
<p>{escape(count.sentence)}</p>
<p>A range is the experiment's spread, set before the run. What is missed stays, with its figure. Where the parameters were tuned to a result, or
a result follows from how the model was put together, it is said and is no evidence.</p>
{_legend()}
</header>
<main>
<nav aria-labelledby="contents">
<h2 id="contents">Contents</h2>
{_contents(groups)}
</nav>
{sections}
</main>
<footer>
<p>Made by cramplab {escape(made["version"])} on {escape(made["date"])} with <code>{escape(made["command"])}</code>. It teaches; it gives no
advice on a patient.</p>
</footer>
</body>
</html>
"""


def _contents(groups: Mapping[str, Sequence[Outcome]]) -> str:
    lines = []
    for name, some in groups.items():
        count = Count.of(some)
        cells = "".join(f"<td>{f'{out} of {all_}' if all_ else '-'}</td>" for out, all_ in (count.experiments, count.expectations, count.built))
        lines.append(f'<tr><th scope="row"><a href="#{_anchor(name)}">{_title(name)}</a></th>{cells}<td>{count.waits or "-"}</td></tr>')
    body = "\n".join(lines)
    head = "".join(f'<th scope="col">{h}</th>' for h in ("Group", "Experiments", "Expectations", "Tuned or built", "Not yet run"))
    caption = "Rows that come out, of those that were run. Experiments are evidence; expectations rest on the mechanism alone."
    return f'<div class="wide"><table><caption>{caption}</caption><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


def _section(name: str, outcomes: Sequence[Outcome], curves: Mapping[str, Sequence[Outcome]], entries: Mapping[str, str]) -> str:
    about = f"<p>{escape(GROUPS[name])}</p>" if GROUPS[name] else ""
    rows = "\n".join(_article(o, curves, entries) for o in outcomes)
    return (
        f'<section aria-labelledby="{_anchor(name)}">\n<h2 id="{_anchor(name)}">{_title(name)}</h2>\n{about}'
        f'<p class="soft">{escape(Count.of(outcomes).short)}</p>\n{rows}\n</section>'
    )


def _article(o: Outcome, curves: Mapping[str, Sequence[Outcome]], entries: Mapping[str, str]) -> str:
    r = o.row
    kind = {"missed": "missed", "waits": "waits"}.get(o.verdict, "met")
    siblings = curves.get(r.curve.name, ()) if r.curve is not None else ()
    curve = _curve(o, siblings) if len(siblings) > 2 else ""
    outside = ": outside the range" if o.verdict == "missed" and o.value is not None else ""
    facts = {
        "Verdict": f'<span class="verdict">{escape(VERDICTS[o.verdict])}</span>{outside}',
        "Published": escape(_printed(r.published, r)),
        "Model": escape(_printed(o.figure.partition(" (")[0], r)) if o.value is not None else "no figure",
        "Deviation": f"{_minus(f'{o.deviation:+.0f}')} % from the published mean" if o.deviation is not None else "",
        "Species": _words(r.species),
        "Source": "<br>".join(_citation(key, entries) for key in r.source) or "none looked up",
        "How known": _KNOWN[r.known],
        "Evidence": _EVIDENCE[r.evidence],
        "Note": _words(". ".join(text[:1].upper() + text[1:] for text in (o.note, r.remark) if text)),
        "Again with": f"<code>cramplab validate {escape(r.id)}</code>",
    }
    items = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts.items() if text)
    title = _words(r.experiment[:1].upper() + r.experiment[1:])
    return (
        f'<article class="row {kind}" id="{escape(r.id)}">\n<h3>{title}</h3>\n'
        f'<div class="inside"><div>{_plot(o)}{curve}</div>\n<dl>{items}</dl></div>\n</article>'
    )


def _citation(key: str, entries: Mapping[str, str]) -> str:
    """The full citation, its DOI as a link, and what of it was only recalled."""
    fields = parameter_sets.entry_fields(entries.get(key, ""))
    if not fields:
        return escape(key)
    authors = [" ".join(reversed(name.split(", ", 1))) for name in fields["author"].split(" and ")]
    who = f"{', '.join(authors[:-1])} et al." if authors[-1] == "others" else ", ".join(authors)
    where = next((fields[name] for name in ("journal", "booktitle", "howpublished", "publisher") if name in fields), "")
    place = where + (f" {fields['volume']}" if "volume" in fields else "") + (f":{fields['pages']}" if "pages" in fields else "")
    text = escape(f"{who} ({fields.get('year', 'no year')}). {fields['title']}. {place}.")
    doi = fields.get("doi", "")
    link = f' <a href="https://doi.org/{escape(doi)}">doi:{escape(doi)}</a>' if doi else ""
    seen = f"seen: {fields.get('checked', 'recalled')}" + (f"; recalled: {fields['recalled']}" if "recalled" in fields else "")
    return f'{text}{link} <span class="soft">({escape(seen)})</span>'


# ---- plots

_LEFT, _RIGHT = 78.0, 350.0  # of the plot in a drawing 360 wide


def _legend() -> str:
    return (
        '<p class="soft">In the plots the bar is the published range (open to one side where it ends in an arrow), the thick line in it the '
        "published mean; a filled circle is a model's figure inside the range, an open diamond one outside.</p>"
    )


def _plot(o: Outcome) -> str:
    """Published range and mean over the model's figure, on one axis with its unit."""
    r = o.row
    low, high = _domain([o])

    def x(value: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (value - low) / (high - low)

    left, right = (x(low) if math.isinf(r.expected[0]) else x(r.expected[0])), (x(high) if math.isinf(r.expected[1]) else x(r.expected[1]))
    parts = ['<text x="0" y="24">published</text><text x="0" y="52">model</text>']
    parts.append(f'<rect class="range" x="{left:.1f}" y="12" width="{max(right - left, 2.0):.1f}" height="16"/>')
    for end, way, bound in ((left, 1, r.expected[0]), (right, -1, r.expected[1])):
        if math.isinf(bound):
            parts.append(f'<path class="open" d="M{end + 9 * way:.1f} 15l{-6 * way} 5l{6 * way} 5"/>')
    if r.mean is not None:
        parts.append(f'<line class="mean" x1="{x(r.mean):.1f}" x2="{x(r.mean):.1f}" y1="12" y2="28"/>')
    if o.value is None:
        words = "not yet run" if o.verdict == "waits" else "no figure: the model does not do this"
        parts.append(f'<text class="soft" x="{_LEFT + 6}" y="52">{words}</text>')
    else:
        at = x(o.value)
        parts.append(_mark(at, 48, o.verdict != "missed"))
        where = f'x="{at + 11:.1f}"' if at < 0.65 * _RIGHT else f'text-anchor="end" x="{at - 11:.1f}"'
        parts.append(f'<text {where} y="52">{_tick(float(f"{o.value:.3g}"))}</text>')
    parts.append(_axis(low, high, x, 62))
    parts.append(f'<text class="soft" x="0" y="80">{_axis_unit(r)}</text>')
    published = _printed(r.published, r)
    label = f"Published {published}; model {_printed(o.figure, r) if o.value is not None else 'no figure'}: {VERDICTS[o.verdict]}"
    return _drawing("".join(parts), 84, label)


def _curve(own: Outcome, outcomes: Iterable[Outcome]) -> str:
    """Ranges and figures of all rows of a curve over its axis, the row's own in full colour."""
    points = sorted(((o.row.curve.at, o) for o in outcomes if o.row.curve is not None), key=lambda p: p[0])
    assert own.row.curve is not None
    low, high = _domain([o for _, o in points])
    first, last = points[0][0], points[-1][0]
    margin = 0.08 * (last - first)

    def x(value: float) -> float:
        return 46 + 300 * (value - first + margin) / (last - first + 2 * margin)

    def y(value: float) -> float:
        return 130 - 112 * (value - low) / (high - low)

    parts = ['<line class="axis" x1="46" x2="346" y1="130" y2="130"/><line class="axis" x1="46" x2="46" y1="18" y2="130"/>']
    parts += [f'<text text-anchor="end" x="41" y="{y(tick) + 4:.1f}">{_tick(tick)}</text>' for tick in _ticks(low, high, 4)]
    parts += [f'<text text-anchor="middle" x="{x(tick):.1f}" y="146">{_tick(tick)}</text>' for tick in _ticks(first, last, 6)]
    parts.append(f'<text class="soft" text-anchor="middle" x="196" y="162">{escape(own.row.curve.axis)}</text>')
    parts.append(f'<text class="soft" x="0" y="12">{_axis_unit(own.row)}</text>')
    line = " ".join(f"{x(at):.1f},{y(o.value):.1f}" for at, o in points if o.value is not None)
    parts.append(f'<polyline class="path" points="{line}"/>')
    for at, o in sorted(points, key=lambda p: p[1] is own):
        bottom, top = (y(min(max(bound, low), high)) for bound in o.row.expected)
        mark = "" if o.value is None else _mark(x(at), y(o.value), o.verdict != "missed")
        shade = "" if o is own else ' class="other"'
        parts.append(f'<g{shade}><rect class="range" x="{x(at) - 4:.1f}" y="{top:.1f}" width="8" height="{max(bottom - top, 2.0):.1f}"/>{mark}</g>')
    label = f"The same among {len(points)} rows, {own.row.curve.name}: " + ", ".join(
        f"{at:g}: {_printed(o.figure, o.row) if o.value is not None else 'no figure'}" for at, o in points
    )
    return _drawing("".join(parts), 168, label)


def _drawing(inside: str, height: int, label: str) -> str:
    return f'<svg viewBox="0 0 360 {height}" role="img" aria-label="{escape(label)}">{inside}</svg>'


def _mark(x: float, y: float, inside: bool) -> str:
    if inside:
        return f'<circle class="in" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
    return f'<path class="out" d="M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7z"/>'


def _axis(low: float, high: float, x: Callable[[float], float], y: float) -> str:
    ticks = "".join(
        f'<line class="axis" x1="{x(t):.1f}" x2="{x(t):.1f}" y1="{y}" y2="{y + 4}"/>'
        f'<text text-anchor="middle" x="{x(t):.1f}" y="{y + 18}">{_tick(t)}</text>'
        for t in _ticks(low, high, 7)
    )
    return f'<line class="axis" x1="{_LEFT}" x2="{_RIGHT}" y1="{y}" y2="{y}"/>{ticks}'


def _domain(outcomes: Iterable[Outcome]) -> tuple[float, float]:
    """What an axis has to hold: ranges, means and figures, with a margin; some way beyond where a range is open."""
    values = [v for o in outcomes for v in (*o.row.expected, o.row.mean, o.value) if v is not None and math.isfinite(v)]
    low, high = min(values), max(values)
    span = high - low or max(abs(low), 1.0)
    return low - 0.12 * span, high + 0.12 * span


def _ticks(low: float, high: float, most: int) -> list[float]:
    """At most so many round numbers from ``low`` to ``high``."""
    raw = (high - low) / most
    decade = 10.0 ** math.floor(math.log10(raw))
    step = next(m * decade for m in (1, 2, 5, 10) if m * decade >= raw * (1 - 1e-9))
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _tick(value: float) -> str:
    return _minus(f"{float(f'{value:.6g}') + 0.0:g}")


# ---- words

def _axis_unit(r: Row) -> str:
    return escape(unit(r.unit)) or ("spikes" if "spikes" in r.experiment or "after-discharge" in r.experiment else "ratio")


def _printed(text: str, r: Row) -> str:
    """A figure with its unit as it is printed."""
    return _minus(text if r.unit == "1" else text.replace(r.unit, unit(r.unit)))


def _words(text: str) -> str:
    """A sentence with its units as they are printed, for HTML."""
    for written, printed in ((" degC", " °C"), (" um ", " µm "), ("+-", "±")):
        text = text.replace(written, printed)
    return escape(text)


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def _title(group: str) -> str:
    return escape(group[:1].upper() + group[1:])


def _anchor(group: str) -> str:
    return "group-" + group.replace(" ", "-")
