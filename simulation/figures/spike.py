"""The spike as Hodgkin and Huxley drew it: the potential, the conductances that make it, and the currents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulation.figures import data, marks, style
from simulation.figures.data import Array, quantity
from simulation.figures.plate import Plate, new_plate

if TYPE_CHECKING:
    from simulation.experiment.recording import Recording

IONS = ("Na", "K")
_HEIGHTS = (1.2, 1.0, 1.0)


def spike_figure(recording: Recording, size: str = "slide") -> Plate:
    """Figure of a run of a membrane that has I_Na, I_K, E_Na and E_K: V, conductances I/(V - E), currents."""
    with style.drawing(size, stacked=True) as s:
        plate = new_plate(s, title=f"{recording.preparation.bound.model.title}: potential, conductances, currents", alt=alt_text(recording),
                          provenance=recording.provenance)
        axes = plate.subplots(len(_HEIGHTS), 1, sharex=True, height_ratios=_HEIGHTS).tolist()
        axes[0].plot(recording.t, recording.V, color=style.POTENTIAL.color, linewidth=s.line)
        for ion in IONS:
            look = style.CARRIERS[ion]
            for ax, y in ((axes[1], conductance(recording, ion)), (axes[2], recording[f"I_{ion}"])):
                ax.plot(recording.t, y, color=look.color, linestyle=look.line, linewidth=s.line, label=f"{'sodium' if ion == 'Na' else 'potassium'}")
        for ax, most in zip(axes, (4, 3, 3), strict=True):
            style.few_ticks(ax.yaxis, most)
        axes[2].axhline(0.0, color=style.CONTROL.color, linewidth=0.3 * s.line, zorder=0.5)
        axes[1].legend(loc="upper right")
        axes[2].set_xlim(0.0, recording.protocol.duration)
        style.few_ticks(axes[2].xaxis, 7)
        axes[2].set_xlabel("Time $t$ (ms)")
        labels = (style.axis_label("membrane potential", "V", "mV"), style.axis_label("conductances", "g", "mS/cm2"),
                  f"{style.axis_label('currents', 'I', 'uA/cm2')}, inward negative")
        for ax, label in zip(axes, labels, strict=True):
            marks.label_above(ax, label, s)
        return plate.settled()


def conductance(recording: Recording, ion: str) -> Array:
    """Chord conductance of an ion's channels along a run, mS/cm2."""
    return recording[f"I_{ion}"] / (recording.V - recording.preparation.numbers()[f"E_{ion}"])


def alt_text(recording: Recording) -> str:
    """What ``spike_figure`` shows, in words."""
    f, t = recording.features, recording.t
    parts = [
        f"an action potential of the {recording.preparation.bound.name} axon: from {quantity(f.rest, 'mV')} to "
        f"{quantity(f.max_V, 'mV')} at {quantity(float(t[recording.V.argmax()]), 'ms')}",
    ]
    for ion, name in zip(IONS, ("sodium", "potassium"), strict=True):
        g, flow = conductance(recording, ion), recording[f"I_{ion}"]
        extreme = flow[abs(flow).argmax()]
        parts.append(
            f"the {name} conductance is highest, {quantity(float(g.max()), 'mS/cm2')}, at {quantity(float(t[g.argmax()]), 'ms')}; its current "
            f"goes as far as {quantity(float(extreme), 'uA/cm2')}")
    return data.sentences(parts)
