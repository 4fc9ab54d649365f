"""Runs laid over one another: the potential, or another symbol, of each in a colour of its own, with the control run in grey behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

from simulation.figures import data, marks, style
from simulation.figures.data import number, quantity
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    from simulation.experiment.recording import Recording

# Whose looks the runs have, in turn: far from one another, and from the black and grey of run and control.
TURN = ("K", "Na", "Cl", "Ca", "NKCC", "leak", "Mg", "pump")


def overlaid(
    recording: Recording, others: Mapping[str, Recording], control: Recording | None = None, symbol: str | None = None, size: str = "slide",
    looks: Sequence[str] = TURN, called: str = "now",
) -> Plate:
    """Figure of a run in black over others by name, each in a colour of its own.

    ``control``: another run of the same membrane, in grey behind. ``symbol``: what is shown, the membrane potential if not given; a run whose
    model does not have it is left out. ``looks``: whose looks the others have, by carrier. ``called``: the name of the run in black.
    Raises FigureError if no other run has it, ModelError for an unknown symbol."""
    runs = {name: run for name, run in others.items() if symbol is None or symbol in run.symbols}
    if not runs:
        raise FigureError(f"there is no other run to lay over this one{f' that has {symbol}' if symbol else ''}")
    origin = recording.provenance | {"others": {name: run.provenance for name, run in runs.items()}}
    origin |= {"control": control.provenance} if control is not None else {}
    with style.drawing(size) as s:
        plate = new_plate(s, title=_title(recording, runs, symbol), alt=alt_text(recording, others, control, symbol, called), provenance=origin)
        ax = plate.subplots()
        if control is not None:
            ax.plot(control.t, _of(control, symbol), color=style.CONTROL.color, linewidth=1.2 * s.line, label="control")
        for owner, (name, other) in zip(cycle(looks), others.items(), strict=False):
            if name in runs:
                look, label = style.CARRIERS[owner], style.typeset(name).replace(", ", "\n")
                ax.plot(other.t, _of(other, symbol), color=look.color, linestyle=look.line, linewidth=0.8 * s.line, label=label)
        ax.plot(recording.t, _of(recording, symbol), color=style.POTENTIAL.color, linewidth=0.8 * s.line, label=called)
        ax.set_xlim(0.0, recording.protocol.duration)
        style.few_ticks(ax.xaxis, 6)
        style.few_ticks(ax.yaxis, 6)
        ax.set_xlabel("Time $t$ (ms)")
        marks.label_above(ax, _label(recording, symbol), s)
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        return plate.settled()


def alt_text(
    recording: Recording, others: Mapping[str, Recording], control: Recording | None = None, symbol: str | None = None, called: str = "now"
) -> str:
    """What ``overlaid`` shows, in words."""
    model = recording.preparation.bound.name
    parts = [f"{symbol or 'membrane potential'} of runs of the {model} laid over one another, from 0 to {number(recording.protocol.duration)} ms"]
    named = {f"{called}, in black": recording, **others} | ({"control, in grey behind": control} if control is not None else {})
    for name, run in named.items():
        if symbol is None or symbol in run.symbols:
            y = _of(run, symbol)
            unit = run.preparation.bound.units[symbol or run.preparation.bound.model.potential]
            parts.append(f"{name}: {quantity(float(y[0]), unit)} at the start, at most {quantity(float(y.max()), unit)}, {_spikes(run)}")
    return data.sentences(parts)


def _spikes(run: Recording) -> str:
    return {0: "no spike", 1: "one spike"}.get(run.features.spikes, f"{run.features.spikes} spikes")


def _title(recording: Recording, runs: Mapping[str, Recording], symbol: str | None) -> str:
    return f"{recording.preparation.bound.model.title}: {symbol or 'membrane potential'} with {', '.join(runs)}"


def _of(run: Recording, symbol: str | None) -> data.Array:
    return run.V if symbol is None else run[symbol]


def _label(recording: Recording, symbol: str | None) -> str:
    if symbol is None:
        return style.axis_label("membrane potential", "V", "mV")
    return style.axis_label(symbol, None, recording.preparation.bound.units[symbol])

