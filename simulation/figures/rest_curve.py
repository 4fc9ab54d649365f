"""Where a membrane rests along an axis: every branch, stable and unstable, and the range in which there are two rests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulation.figures import data, marks, style
from simulation.figures.data import Array, quantity
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

MOST_LINES = 8
JUMP = 25.0  # mV: neighbours further apart (beyond what the Nernst potential moves) lie on different branches
STABLE = ("rest", "rest_2")
UNSTABLE = ("rest_unstable",)
NERNST = ("E_K", "E_K_s")
TWO_RESTS = "two stable rests"
BAR = 0.03  # of the height of the axes: a bar that shows the range of one line


@dataclass(frozen=True, eq=False)
class _Family:
    """The rests for one value of the second axis (or of none). ``stable``, ``unstable``: shape (n, branches), mV.
    ``E_K``: shape (n,), mV, or None."""

    name: str
    stable: Array
    unstable: Array
    E_K: Array | None


def rest_curve(dataset: xr.Dataset, axis: str = "K", size: str = "slide") -> Plate:
    """Figure of the resting potential along ``axis``: stable solid, unstable dashed, Nernst potential of potassium dotted,
    the control bath marked, the range with two stable rests shaded.

    ``dataset``: variables rest, and if there are any rest_2, rest_unstable, E_K or E_K_s (mV; NaN where there is none) over ``axis``
    and over at most one more axis of up to eight values, each of which becomes a line. Failed points are left out.
    Raises FigureError."""
    x = data.axis_values(dataset, axis)
    families = _families(dataset, axis)
    colours = _colours(families, axis)
    with style.drawing(size) as s:
        plate = new_plate(
            s, title=f"Resting potential against {data.axis_words(dataset, axis)}", alt=alt_text(dataset, axis), provenance=data.provenance(dataset)
        )
        ax = plate.subplots()
        for i, (family, colour) in enumerate(zip(families, colours, strict=True)):
            # Thinner and thinner, so that a line on top of another does not hide it.
            width = s.line * (1 - 0.5 * i / len(families)) * (1.5 if len(families) > 1 else 1.0)
            for V, dashes, share in ((family.stable, "-", 1.0), (family.unstable, (0, (2.5, 1.5)), 0.7)):
                for indices, piece in branches(x, V, family.E_K):
                    # A branch of one point has no line to be seen by.
                    marker = style.look(axis).marker if len(indices) == 1 else ""
                    ax.plot(x[indices], piece, color=colour, linestyle=dashes, linewidth=share * width, marker=marker, clip_on=not marker)
        nernst = next((f.E_K for f in families if f.E_K is not None), None)
        if nernst is not None:
            ax.plot(x, nernst, color=style.REFERENCE, linestyle=":", linewidth=0.8 * s.line, zorder=1.5)
        marks.scale_axis(ax, "x", x)
        ax.set_xlim(*sorted(x[[0, -1]] if len(x) > 1 else data.edges(x)))
        ax.set_xlabel(data.axis_label(dataset, axis))
        ax.set_ylabel(style.axis_label("membrane potential at rest", "V", "mV"))
        _show_two_rests(ax, x, families, colours, s)
        marks.mark_control(ax, dataset, axis, s)
        _label_ends(ax, x, families, colours, nernst, s)
        if len(families) == 1:
            _label_unstable(ax, x, families[0], s)
        return plate.settled()


def alt_text(dataset: xr.Dataset, axis: str = "K") -> str:
    """What ``rest_curve`` shows, in words."""
    x, unit = data.axis_values(dataset, axis), dataset[axis].attrs.get("units", "")
    keep = [value for value in [marks.control_within(dataset, axis)] if value is not None]
    sentences = [
        f"Resting potential against {data.axis_words(dataset, axis)} from {data.number(min(x))} to {quantity(max(x), unit)}"
    ]
    families = _families(dataset, axis)
    for family in families:
        lead = f"{family.name}: " if family.name else ""
        points = data.along(x, family.stable[:, 0], unit, "mV", keep, 5 if len(families) == 1 else 3)
        sentences.append(lead + (points or "no stable rest"))
        for low, high in stretches(np.isfinite(family.stable).sum(axis=1) > 1):
            ends = sorted({data.number(float(V)) for V in family.stable[[low, high], 1]}, key=float)
            sentences.append(f"{lead}{TWO_RESTS} {_between(x[low], x[high], unit)}, the second at {' to '.join(ends)} mV")
    sentences += [f"The control is marked at {quantity(value, unit)}" for value in keep]
    return data.sentences([*sentences, data.failed_words(dataset)])


def _between(low: float, high: float, unit: str) -> str:
    return f"between {data.number(min(low, high))} and {quantity(max(low, high), unit)}" if high != low else f"at {quantity(low, unit)}"


# ---- branches

def branches(x: Array, V: Array, E_K: Array | None = None) -> list[tuple[list[int], Array]]:
    """Points joined to lines: for each branch the indices along ``x`` and the potentials there (mV).

    ``V``: shape (n, columns), in any order within a row, NaN where there is none. Neighbours are joined nearest first; a point
    further off than 25 mV, less what the Nernst potential moves, begins a branch of its own: no line bridges a fold."""
    open_ends: list[tuple[list[int], list[float]]] = []
    finished: list[tuple[list[int], list[float]]] = []
    for i in range(len(x)):
        values = [float(v) for v in V[i] if np.isfinite(v)]
        drift = float(E_K[i] - E_K[i - 1]) if E_K is not None and i and np.isfinite(E_K[i] - E_K[i - 1]) else 0.0
        # Distances of every open end to every new point, the nearest first.
        pairs = sorted((abs(v - end[1][-1] - drift), a, b) for a, end in enumerate(open_ends) for b, v in enumerate(values))
        joined: dict[int, int] = {}
        for distance, a, b in pairs:
            if distance <= JUMP and a not in joined and b not in joined.values():
                joined[a] = b
        finished += [end for a, end in enumerate(open_ends) if a not in joined]
        grown = [(open_ends[a][0] + [i], open_ends[a][1] + [values[b]]) for a, b in joined.items()]
        fresh = [([i], [v]) for b, v in enumerate(values) if b not in joined.values()]
        open_ends = grown + fresh
    return [(indices, np.array(V)) for indices, V in finished + open_ends]


def stretches(mask: data.Mask) -> list[tuple[int, int]]:
    """First and last index of each run of True."""
    steps = np.diff(np.concatenate([[0], mask.astype(int), [0]]))
    return list(zip(np.flatnonzero(steps == 1).tolist(), (np.flatnonzero(steps == -1) - 1).tolist(), strict=True))


def _families(dataset: xr.Dataset, axis: str) -> list[_Family]:
    rest = data.variable(dataset, "rest")
    others = [str(d) for d in rest.dims if d != axis]
    if len(others) > 1:
        raise FigureError(f"a rest curve has the axis {axis} and at most one more, not {', '.join(others)}")
    if not others:
        return [_family(dataset, axis, "")]
    other = others[0]
    values = data.axis_values(dataset, other)
    if len(values) > MOST_LINES:
        raise FigureError(f"a line for each of {len(values)} values of {other} cannot be told apart: choose up to {MOST_LINES}, or draw a map")
    return [_family(dataset.isel({other: i}), axis, data.point_words(dataset, other, value)) for i, value in enumerate(values)]


def _family(dataset: xr.Dataset, axis: str, name: str) -> _Family:
    def columns(names: Sequence[str]) -> Array:
        given = [data.values_and_failures(dataset, n)[0] for n in names if n in dataset]
        return np.column_stack(given or [np.full(dataset.sizes[axis], np.nan)])

    nernst = next((n for n in NERNST if n in dataset), None)
    return _Family(name, columns(STABLE), columns(UNSTABLE), columns([nernst])[:, 0] if nernst else None)


# ---- how it is drawn

def _colours(families: Sequence[_Family], axis: str) -> list[str]:
    if len(families) == 1:
        return [style.look(axis).color]
    return style.shades(len(families))


def _show_two_rests(ax: Axes, x: Array, families: Sequence[_Family], colours: Sequence[str], s: style.Size) -> None:
    """Shade where two rests are stable; with several lines a bar for each at the top, for their ranges overlap."""
    # A fold lies between two points of the axis; halfway is the best guess.
    borders = data.edges(x).clip(*ax.get_xlim())
    ranges = [
        (i, *sorted((borders[low], borders[high + 1])))
        for i, family in enumerate(families) for low, high in stretches(np.isfinite(family.stable).sum(axis=1) > 1)
    ]
    if not ranges:
        return
    if len(families) > 1:
        low, high = ax.get_ylim()
        ax.set_ylim(low, high + BAR * len(families) * (high - low))
    for i, left, right in ranges:
        if len(families) == 1:
            ax.axvspan(left, right, color=style.TINT, zorder=0, linewidth=0)
        else:
            y = 1.0 - BAR * (i + 0.5)
            ax.plot([left, right], [y, y], transform=ax.get_xaxis_transform(), color=colours[i], linewidth=1.6 * s.line, solid_capstyle="butt")
    start = min(left for _, left, _ in ranges)
    ax.annotate(TWO_RESTS, (start, 1.0), xycoords=ax.get_xaxis_transform(), xytext=(0.0, 0.3 * s.font), textcoords="offset points",
                color=style.REFERENCE, fontsize=0.9 * s.font)


def _label_ends(ax: Axes, x: Array, families: Sequence[_Family], colours: Sequence[str], nernst: Array | None, s: style.Size) -> None:
    """The name of each line right of its end."""
    last = int(np.argmax(x))
    names = [(f.stable[last, 0], style.typeset(f.name) or "rest", style.ink(c)) for f, c in zip(families, colours, strict=True)]
    if nernst is not None:
        names.append((nernst[last], style.symbol("E_K"), style.REFERENCE))
    marks.label_right(ax, [n for n in names if np.isfinite(n[0])], s)


def _label_unstable(ax: Axes, x: Array, family: _Family, s: style.Size) -> None:
    there = np.flatnonzero(np.isfinite(family.unstable[:, 0]))
    if len(there):
        at = int(there[len(there) // 3])
        ax.annotate("unstable", (x[at], family.unstable[at, 0]), xytext=(0.5 * s.font, -0.2 * s.font), textcoords="offset points",
                    verticalalignment="top", fontsize=0.9 * s.font, color=style.ink(style.REFERENCE, style.TINT))
