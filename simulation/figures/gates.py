"""Gate curves: steady states above, time constants below, and how far the bath has shifted them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from simulation.assembly.errors import nearest
from simulation.figures import data, marks, style
from simulation.figures.data import Array, number, quantity
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

SMALLEST_SHIFT = 0.3  # mV: a smaller one has no arrow


def gate_figure(
    dataset: xr.Dataset, control: xr.Dataset | None = None, *, shift: float | None = None, gates: Sequence[str] | None = None, size: str = "slide",
) -> Plate:
    """Figure of gate curves over the membrane potential: steady states above, time constants (logarithmic) below.

    ``dataset``: variables such as m_inf (1) and tau_m (ms) over V (mV); ``control``: the same in the control bath, in grey
    behind. ``shift``: mV, positive towards depolarised potentials, shown by an arrow that ends on the first gate's steady
    state at half its height; if not given, what the attribute dpsi of both datasets says. ``gates``: those to show
    ('m', 'h'), all if not given. Raises FigureError for an unknown gate, or where there is no curve at all."""
    names = _gates(dataset, gates)
    V = data.axis_values(dataset, "V")
    shift = _shift(dataset, control) if shift is None else shift
    with style.drawing(size, stacked=True) as s:
        origin = data.provenance(dataset) | ({"control": data.provenance(control)} if control is not None else {})
        plate = new_plate(s, title=f"Gates over the membrane potential: {', '.join(names)}", provenance=origin,
                          alt=alt_text(dataset, control, shift=shift, gates=gates))
        upper, lower = plate.subplots(2, 1, sharex=True)
        for ax, kind in ((upper, "{}_inf"), (lower, "tau_{}")):
            _draw(ax, dataset, control, [kind.format(g) for g in names], ax is upper, s)
        lower.set_yscale("log")
        upper.set_ylim(-0.02, 1.02)
        upper.set_xlim(V.min(), V.max())
        style.few_ticks(lower.xaxis, 8 if s.width > s.height else 5)
        lower.set_xlabel(style.axis_label("membrane potential", "V", "mV"))
        marks.label_above(upper, "Steady state", s)
        marks.label_above(lower, style.axis_label("time constant", None, "ms"), s)
        marks.plain_decades(lower)
        if shift and abs(shift) >= SMALLEST_SHIFT:
            _arrow(plate, upper, dataset, names, shift, s)
        return plate.settled()


def alt_text(
    dataset: xr.Dataset, control: xr.Dataset | None = None, *, shift: float | None = None, gates: Sequence[str] | None = None,
) -> str:
    """What ``gate_figure`` shows, in words."""
    names = _gates(dataset, gates)
    V = data.axis_values(dataset, "V")
    shift = _shift(dataset, control) if shift is None else shift
    span = f"from {number(V.min())} to {quantity(V.max(), 'mV')}"
    parts = [f"steady states and time constants of the gates {', '.join(names)} over the membrane potential {span}"]
    for gate in names:
        if f"{gate}_inf" in dataset:
            half = half_way(V, _values(dataset, f"{gate}_inf"))
            before = half_way(V, _values(control, f"{gate}_inf")) if control is not None and f"{gate}_inf" in control else None
            grey = f", in the control (grey) at {quantity(before, 'mV')}" if before is not None else ""
            parts.append(f"gate {gate} is half-way at {quantity(half, 'mV')}{grey}" if half is not None else f"gate {gate} is never half-way")
        if f"tau_{gate}" in dataset:
            tau = _values(dataset, f"tau_{gate}")
            top = int(np.nanargmax(tau))
            parts.append(f"the longest tau_{gate} is {quantity(tau[top], 'ms')} at {quantity(V[top], 'mV')}")
    parts.append(f"an arrow shows the shift of {quantity(shift, 'mV')}" if shift and abs(shift) >= SMALLEST_SHIFT else "")
    return data.sentences(parts)


def half_way(V: Array, curve: Array) -> float | None:
    """Potential (mV) at which a curve passes the middle between its lowest and its highest value; None if it never does."""
    over = curve - 0.5 * (np.nanmin(curve) + np.nanmax(curve))
    crossings = np.flatnonzero(over[:-1] * over[1:] < 0)
    if len(crossings) == 0:
        return None
    i = int(crossings[0])
    return float(V[i] + (V[i + 1] - V[i]) * over[i] / (over[i] - over[i + 1]))


def _gates(dataset: xr.Dataset, wanted: Sequence[str] | None) -> list[str]:
    curves = [str(n) for n in dataset.data_vars]
    there = list(dict.fromkeys(n.removesuffix("_inf").removeprefix("tau_") for n in curves if n.endswith("_inf") or n.startswith("tau_")))
    if not there:
        raise FigureError("there is no gate curve: a variable is called m_inf or tau_m")
    for name in wanted or ():
        if name not in there:
            raise FigureError(f"there is no gate '{name}'{nearest(name, there)}; gates: {', '.join(there)}")
    return list(wanted or there)


def _shift(dataset: xr.Dataset, control: xr.Dataset | None) -> float:
    before = float(control.attrs.get("dpsi", 0.0)) if control is not None else 0.0
    return float(dataset.attrs.get("dpsi", 0.0)) - before


def _values(dataset: xr.Dataset, name: str) -> Array:
    return np.asarray(dataset[name].values, dtype=float)


def _draw(ax: Axes, dataset: xr.Dataset, control: xr.Dataset | None, curves: Sequence[str], named: bool, s: style.Size) -> None:
    for name in curves:
        look = style.look(name)
        for source, colour, width, order, label in (
            (control, style.CONTROL.color, 1.2, 1.5, None), (dataset, look.color, 0.8, 2.0, style.symbol(name)),
        ):
            if source is not None and name in source:
                ax.plot(source["V"].values, _values(source, name), color=colour, linestyle=look.line, linewidth=width * s.line, zorder=order,
                        label=label)
    handles, labels = ax.get_legend_handles_labels()
    if control is not None and named:
        handles.append(Line2D([], [], color=style.CONTROL.color, linewidth=1.2 * s.line))
        labels.append("control")
    ax.legend(handles, labels, loc="center left", bbox_to_anchor=(1.01, 0.5))


def _arrow(plate: Plate, ax: Axes, dataset: xr.Dataset, names: Sequence[str], shift: float, s: style.Size) -> None:
    """An arrow as long as the shift, to the first steady state that passes half-way; its size in words beside it."""
    V = data.axis_values(dataset, "V")
    for curve in (_values(dataset, f"{g}_inf") for g in names if f"{g}_inf" in dataset):
        end = half_way(V, curve)
        if end is None:
            continue
        level = 0.5 * float(np.nanmin(curve) + np.nanmax(curve))
        plate.arrange()
        length = abs(shift) / float(np.ptp(V)) * ax.get_window_extent().width * 72 / plate.dpi
        head = min(0.9 * s.font, 0.9 * length)
        ax.annotate("", (end, level), xytext=(end - shift, level), arrowprops={
            "arrowstyle": "-|>,head_length=0.5,head_width=0.3", "mutation_scale": head, "shrinkA": 0, "shrinkB": 0, "color": "black",
            "linewidth": 0.4 * s.line,
        })
        # In the line of the label: beside the arrow the words would lie on the curves.
        words = f"{'←' if shift < 0 else '→'} shift {data.printed(shift)} mV"
        ax.annotate(words, (1.0, 1.0), xycoords="axes fraction", xytext=(0.0, 0.35 * s.font), textcoords="offset points", horizontalalignment="right")
        return
