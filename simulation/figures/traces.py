"""A run: membrane potential, currents and stimulus beneath one another, with the control run in grey behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from simulation.experiment.bath import Bath
from simulation.figures import data, marks, style
from simulation.figures.data import number, quantity
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulation.experiment.protocol import BathChange, Protocol
    from simulation.experiment.recording import Recording

Array = npt.NDArray[np.float64]
Window = tuple[float, float]
Symbols = Sequence[str | Sequence[str]]

SAME_SCALE = 10.0  # currents whose peaks differ by less share a panel
NEGLIGIBLE = 1e-3  # uA/cm2 or pA: a current that stays below gets no panel of its own
MOST_PANELS = 3  # of currents that are grouped here: more are too low to be read
TUBULE_CHANGE = 0.2  # mM: a smaller change of tubular potassium gets no panel
QUIET = 0.05  # of the whole excursion of V: what stays nearer to the start is quiet
THIN = 0.35  # of the width of a line: what belongs to the tubule, where the surface has the like
POTENTIAL_HEIGHT, PANEL_HEIGHT, STRIP_HEIGHT = 3.2, 1.3, 0.75  # shares of the figure
_QUANTITIES = {"mV": "potential", "mM": "concentration", "1": "share", "ms": "time constant"}  # by unit
_LEAST_SPAN = {"mV": 5.0, "uA/cm2": 2 * NEGLIGIBLE, "pA": 2 * NEGLIGIBLE, "mM": 0.1, "1": 0.05}  # by unit: what moves less looks flat
_TIME_UNITS = ((120_000.0, 60_000.0, "min"), (2_000.0, 1_000.0, "s"), (0.0, 1.0, "ms"))  # from how many ms on, ms in it, name


@dataclass(frozen=True)
class _Panel:
    symbols: tuple[str, ...]
    label: str
    height: float


@dataclass(frozen=True, eq=False)
class _Strip:
    label: str
    t: Array
    y: Array


def traces(
    recording: Recording, control: Recording | None = None, symbols: Symbols | None = None,
    size: str = "slide", window: Window | None = None,
) -> Plate:
    """Figure of a run: V on top (the tubule's thinner), currents beneath, stimulus and clamp at the bottom, changes of bath marked.

    ``control``: another run of the same model, in grey behind. ``symbols``: what to show beneath V, by default the model's
    currents and tubular potassium if it moves; names without suffix are those of the outer membrane ('I_Na' is the
    fibre's I_Na_s, per area of sarcolemma). Symbols of one unit whose peaks are within a factor of ten share a panel; a
    sequence within the sequence is a panel as it stands. ``window``: start and stop, ms; by default the whole run, or what
    lies around the one spike of a run that is quiet otherwise.
    Raises FigureError for a control of another model and a window outside of the run, ModelError for an unknown symbol."""
    start, stop = _window(recording, control, window)
    runs = [recording] if control is None else [recording, control]
    panels = [_potential(recording), *_panels(recording, symbols, (start, stop))]
    strips = _strips(recording)
    divisor, time_unit = _time_unit(stop - start)
    origin = recording.provenance | ({"control": control.provenance} if control else {})
    with style.drawing(size, stacked=True) as s:
        plate = new_plate(s, title=_title(recording), alt=alt_text(recording, control, symbols, window), provenance=origin)
        heights = [p.height for p in panels] + [STRIP_HEIGHT] * len(strips)
        axes = plate.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0].tolist()
        for ax, panel in zip(axes, panels, strict=False):
            _draw_panel(ax, panel, runs, (start, stop), divisor, s)
        for ax, strip in zip(axes[len(panels):], strips, strict=True):
            _draw_strip(ax, strip, divisor, s)
        axes[-1].set_xlim(start / divisor, stop / divisor)
        style.few_ticks(axes[-1].xaxis, 6)
        axes[-1].set_xlabel(f"Time $t$ ({time_unit})")
        rows = _mark_baths(axes, recording, (start, stop), divisor, s)
        for ax, label in zip(axes, [*(p.label for p in panels), *(strip.label for strip in strips)], strict=True):
            marks.label_above(ax, label, s, rows if ax is axes[0] else 0)
        return plate.settled()


def alt_text(
    recording: Recording, control: Recording | None = None, symbols: Symbols | None = None, window: Window | None = None,
) -> str:
    """What ``traces`` shows, in words."""
    start, stop = _window(recording, control, window)
    parts = [
        f"membrane potential and currents of the {recording.preparation.bound.name} from {number(start)} to {number(stop)} ms",
        _in_words(recording, _name(recording, control)),
    ]
    if control is not None:
        parts.append(_in_words(control, f"in grey behind, the control: {_name(control, None)}"))
    seen = _near(recording.t, (start, stop))
    for symbol in (s for panel in _panels(recording, symbols, (start, stop)) for s in panel.symbols):
        parts.append(_course(symbol, recording[symbol][seen], recording))
    parts += [f"at {number(e.at)} ms the bath becomes {_bath_name(e.bath)}" for e in _bath_changes(recording.protocol)]
    return data.sentences(parts)


def _course(symbol: str, y: Array, recording: Recording) -> str:
    unit = recording.preparation.bound.units[symbol]
    name = "potassium in the tubule" if symbol == "K_t" else f"symbol {_short(symbol, recording)}"
    if unit == recording.preparation.bound.current_unit:
        return f"the current {_short(symbol, recording)} reaches {quantity(float(y[np.argmax(np.abs(y))]), unit)}"
    return f"{name} starts at {quantity(float(y[0]), unit)} and goes as far as {quantity(float(y[np.argmax(np.abs(y - y[0]))]), unit)}"


def _in_words(recording: Recording, start: str) -> str:
    f = recording.features
    spikes = {0: "no spike", 1: "one spike"}.get(f.spikes, f"{f.spikes} spikes")
    highest = f"{'the first ' if f.spikes > 1 else ''}with its peak at {quantity(f.peak, 'mV')}" if f.peak is not None else (
        f"highest potential {quantity(f.max_V, 'mV')}")
    return f"{start}, {quantity(f.rest, 'mV')} at the start, {spikes}, {highest}"


def _title(recording: Recording) -> str:
    p = recording.preparation
    return f"{p.bound.model.title}: membrane potential and currents with {_name(recording, None)}"


# ---- what is shown

def default_window(*runs: Recording) -> Window:
    """Start and stop (ms) of what is worth seeing: everything, unless all runs are quiet but for a short while around one
    spike or one stimulus."""
    end = max(run.protocol.duration for run in runs)
    if any(run.features.spikes > 1 or _is_long_story(run.protocol) for run in runs):
        return 0.0, end
    lively = [_lively(run) for run in runs]
    start, stop = min(x[0] for x in lively), max(x[1] for x in lively)
    length = stop - start
    if not 0 < length < 0.3 * end:
        return 0.0, end
    return max(0.0, start - 0.4 * length), min(end, stop + 0.6 * length)


def _is_long_story(protocol: Protocol) -> bool:
    from simulation.experiment.protocol import Pulse

    return len(protocol.events) != 1 or not isinstance(protocol.events[0], Pulse)


def _lively(run: Recording) -> Window:
    """From the first stimulus or movement of V to the last, ms."""
    away = np.abs(run.V - run.V[0])
    moving = run.t[away > QUIET * away.max()] if away.max() > 0 else run.t[:0]
    edges = [e for event in run.protocol.events for e in event.edges if e <= run.protocol.duration]
    times = [*edges, *(moving[[0, -1]] if len(moving) else ())]
    return float(min(times, default=0.0)), float(max(times, default=run.protocol.duration))


def _window(recording: Recording, control: Recording | None, window: Window | None) -> Window:
    """What is shown, ms, after a look at whether the two runs and the window can be shown at all."""
    if control is not None and control.preparation.bound.name != recording.preparation.bound.name:
        raise FigureError(f"the control is a run of {control.preparation.bound.name}, the run one of {recording.preparation.bound.name}")
    if window is None:
        return default_window(*filter(None, (recording, control)))
    start, stop = map(float, window)
    end = recording.protocol.duration
    if not start < stop or start >= end or stop <= 0:
        raise FigureError(f"the window from {start:g} to {stop:g} ms shows nothing of a run from 0 to {end:g} ms")
    return start, stop


def _time_unit(span: float) -> tuple[float, str]:
    return next((divisor, name) for least, divisor, name in _TIME_UNITS if span >= least)


def _potential(recording: Recording) -> _Panel:
    outer = recording.preparation.bound.model.potential
    tubule = ("V_t",) if "V_t" in recording.preparation.states and outer != "V_t" else ()
    return _Panel((outer, *tubule), style.axis_label("membrane potential", "V", "mV"), POTENTIAL_HEIGHT)


def _panels(recording: Recording, symbols: Symbols | None, window: Window) -> list[_Panel]:
    if symbols is None:
        moving = ("K_t",) if _tubule_moves(recording) else ()
        symbols = (*recording.preparation.bound.model.traces, *moving)
    loose = [_resolved(recording, s) for s in symbols if isinstance(s, str)]
    fixed = [tuple(_resolved(recording, s) for s in group) for group in symbols if not isinstance(group, str)]
    return [_Panel(group, _panel_label(recording, group), PANEL_HEIGHT) for group in (*_by_size(recording, loose, window), *fixed)]


def _resolved(recording: Recording, symbol: str) -> str:
    """The flat name of a symbol: that of the outer membrane where several membranes have it."""
    if symbol in recording.symbols:
        return symbol
    outer = symbol + _suffix(recording)
    if outer not in recording.symbols:
        recording[symbol]  # complains with the nearest names
    return outer


def _short(symbol: str, recording: Recording) -> str:
    """A symbol without the suffix that says 'outer membrane', which goes without saying."""
    return symbol.removesuffix(_suffix(recording))


def _suffix(recording: Recording) -> str:
    return recording.preparation.bound.model.potential.removeprefix("V")


def _by_size(recording: Recording, symbols: Iterable[str], window: Window) -> list[tuple[str, ...]]:
    """Symbols in groups of one unit and similar peaks, so that none of a group is flat beside the others."""
    units = recording.preparation.bound.units
    seen = (recording.t >= window[0]) & (recording.t <= window[1])
    peaks = {s: float(np.max(np.abs(recording[s][seen]), initial=0.0)) for s in symbols}
    currents = {s: peak for s, peak in peaks.items() if units[s] == recording.preparation.bound.current_unit}
    scale = SAME_SCALE
    while len(groups := by_peak(currents, scale)) > MOST_PANELS:
        scale *= 2
    for unit in dict.fromkeys(units[s] for s in peaks if s not in currents):
        groups += by_peak({s: peak for s, peak in peaks.items() if units[s] == unit}, SAME_SCALE)
    return groups


def by_peak(peaks: Mapping[str, float], scale: float = SAME_SCALE) -> list[tuple[str, ...]]:
    """Symbols by falling peak, a new group wherever the peak is ``scale`` times lower than the first of the group."""
    groups: list[tuple[str, ...]] = []
    for s in sorted(peaks, key=lambda s: -peaks[s]):
        if groups and (peaks[groups[-1][0]] <= scale * peaks[s] or peaks[s] < NEGLIGIBLE):
            groups[-1] += (s,)
        else:
            groups.append((s,))
    return groups


def _panel_label(recording: Recording, group: Sequence[str]) -> str:
    unit = recording.preparation.bound.units[group[0]]
    if group == ("K_t",):
        return style.axis_label("potassium in the tubule", "K_t", unit)
    if unit == recording.preparation.bound.current_unit:
        return style.axis_label("ionic current" if len(group) == 1 else "ionic currents", "I", unit)
    return style.axis_label(_QUANTITIES.get(unit, ""), _short(group[0], recording) if len(group) == 1 else None, unit)


def _tubule_moves(recording: Recording) -> bool:
    return "K_t" in recording.preparation.states and float(np.ptp(recording["K_t"])) > TUBULE_CHANGE


def _strips(recording: Recording) -> list[_Strip]:
    """Stimulus and clamp, each with two points at an edge so that a step is a step."""
    protocol, segments = recording.protocol, recording.protocol.segments
    t = np.array([x for s in segments for x in (s.start, s.stop)])
    out = []
    if protocol.stimuli:
        current = np.array([x for s in segments for x in (s.I_0, s.I_0 + s.I_slope * (s.stop - s.start))])
        out.append(_Strip(style.axis_label("stimulus", "I_stim", recording.preparation.bound.current_unit), t, current))
    if any(s.V is not None for s in segments):
        command = np.array([np.nan if s.V is None else s.V for s in segments for _ in range(2)])
        out.append(_Strip(style.axis_label("command potential", None, "mV"), t, command))
    return out


def _bath_changes(protocol: Protocol) -> list[BathChange]:
    from simulation.experiment.protocol import BathChange

    return sorted((e for e in protocol.events if isinstance(e, BathChange)), key=lambda e: e.at)


# ---- names

def _name(recording: Recording, control: Recording | None) -> str:
    """What sets a run apart from its control: its bath and its changed parameters."""
    p = recording.preparation
    if control is None:
        bath = {k: v for k, v in p.bath}
    else:
        before = control.preparation.whole_bath
        bath = {k: v for k, v in p.whole_bath.items() if v != before[k]}
    in_bath = set(p.bound.model.bath.values())
    changed = [f"{s} {how.split(' instead')[0].replace('scaled by', '×')}" for s, how in p.parameters.changed.items() if s not in in_bath]
    return ", ".join([*filter(None, [str(Bath.stated(bath))]), *changed]) or "the control bath"


def _bath_name(bath: Bath) -> str:
    return str(bath) or "the control bath"


def _line_name(symbol: str, run: Recording, control: Recording | None) -> str:
    model = run.preparation.bound.model
    if symbol == "V_t":
        return "tubule"
    if symbol == model.potential:
        return style.typeset(_name(run, control)).removeprefix("the ").replace(", ", "\n") if control else "surface"
    return style.symbol(_short(symbol, run))


# ---- how it is drawn

def _draw_panel(ax: Axes, panel: _Panel, runs: Sequence[Recording], window: Window, divisor: float, s: style.Size) -> None:
    run, control = runs[0], runs[1] if len(runs) > 1 else None
    outer = run.preparation.bound.model.potential
    for symbol in panel.symbols:
        look, near = style.look(symbol), _near(run.t, window)
        dashes = look.line if len(panel.symbols) > 1 else "-"  # dashes break spikes up: only where lines have to be told apart
        thin = _is_second(symbol, run)
        ax.plot(run.t[near] / divisor, run[symbol][near], color=look.color, linestyle=dashes, linewidth=(THIN if thin else 0.8) * s.line,
                label=_line_name(symbol, run, control))
        if control is not None and not thin:
            near = _near(control.t, window)
            ax.plot(control.t[near] / divisor, control[symbol][near], color=style.CONTROL.color, linestyle=dashes,
                    linewidth=1.2 * s.line, zorder=1.5, label="control" if symbol == outer else None)
    style.few_ticks(ax.yaxis, 4 if outer in panel.symbols else 2)
    _widen(ax, _LEAST_SPAN.get(run.preparation.bound.units[panel.symbols[0]], 0.0))
    handles, labels = ax.get_legend_handles_labels()
    if len(handles) > 1 or panel.symbols[0].startswith("I_"):
        order = sorted(range(len(handles)), key=lambda i: labels[i] == "control")
        ax.legend([handles[i] for i in order], [labels[i] for i in order], loc="center left", bbox_to_anchor=(1.01, 0.5))


def _is_second(symbol: str, run: Recording) -> bool:
    """Whether a symbol is the tubule's and the surface has one of that name, too."""
    return symbol.endswith("_t") and f"{symbol.removesuffix('_t')}_s" in run.symbols


def _widen(ax: Axes, span: float) -> None:
    low, high = ax.get_ylim()
    lacking = max(0.0, span - (high - low))
    ax.set_ylim(low - 0.5 * lacking, high + 0.5 * lacking)


def _draw_strip(ax: Axes, strip: _Strip, divisor: float, s: style.Size) -> None:
    ax.plot(strip.t / divisor, strip.y, color=style.POTENTIAL.color, linewidth=0.5 * s.line, solid_joinstyle="miter")
    ax.margins(y=0.15)
    ends = sorted({float(np.nanmin(strip.y)), float(np.nanmax(strip.y))})
    ax.set_yticks(ends, labels=[data.printed(v) for v in ends])


def _near(t: Array, window: Window) -> slice:
    """The points within a window and one more on either side."""
    first, last = np.searchsorted(t, window)
    return slice(max(0, int(first) - 1), int(last) + 1)


def _mark_baths(axes: Sequence[Axes], recording: Recording, window: Window, divisor: float, s: style.Size) -> int:
    """A dashed line through all panels at each change of bath, its name above; returns the rows that the names take."""
    ends: list[float] = []  # where the last name of each row ends
    letter = (window[1] - window[0]) * 0.6 * s.font / 72 / (0.75 * s.width)  # ms that a letter is wide
    for change in _bath_changes(recording.protocol):
        if not window[0] <= change.at < window[1]:
            continue
        name = _bath_name(change.bath).removeprefix("the ")
        row = next((i for i, end in enumerate(ends) if end < change.at), len(ends))
        ends[row:row + 1] = [change.at + letter * (len(name) + 1)]
        for ax in axes:
            ax.axvline(change.at / divisor, color=style.REFERENCE, linestyle="--", linewidth=0.35 * s.line, zorder=0)
        axes[0].annotate(
            name, (change.at / divisor, 1.0), xycoords=axes[0].get_xaxis_transform(), xytext=(0, 2 + row * s.font * marks.LINE_SPACING),
            textcoords="offset points", verticalalignment="bottom", color=style.REFERENCE, fontsize=0.9 * s.font,
        )
    return len(ends)
