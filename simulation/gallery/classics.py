"""The classics of the textbook: phase plane, firing over current, the budget of rest, the spike of 1952 and along a cable, chloride; and all
verdicts at a glance."""

from __future__ import annotations

import simulation as sim
from simulation import figures
from simulation.experiment.budget import budget
from simulation.experiment.phase_plane import phase_plane
from simulation.gallery.lecture import LectureFigure, Shown


def _phase_plane() -> Shown:
    plane = phase_plane(sim.prepare("squid"))
    numbers = {
        "threshold of a 0.2 ms pulse (uA/cm2)": plane.threshold, "h over n in the reduction (1)": plane.reduction.slope,
        "rest (mV)": plane.reduction.rest.V, "n at rest (1)": plane.reduction.rest.symbol("n"),
        "furthest potential below threshold (mV)": plane.below.features.max_V, "furthest potential above threshold (mV)": plane.above.features.max_V,
    }
    return Shown(lambda size: figures.phase_plane_figure(plane, size), numbers)


def _resting_potential() -> Shown:
    found = budget(sim.prepare("muscle"))
    numbers = {f"E_{ion} (mV)": V for ion, V in found.E.items()} | {"GHK without pump (mV)": found.GHK, "rest (mV)": found.V}
    numbers |= {f"net current of {name} (uA/cm2)": flow for name, flow in found.currents.items()}
    return Shown(lambda size: figures.budget_figure(found, size), numbers)


FIGURES: tuple[LectureFigure, ...] = (
    LectureFigure(
        "phase-plane", "The phase plane of the squid axon",
        "A spike is one long way round: the potential runs away, the potassium gate fetches it back.", _phase_plane,
    ),
    LectureFigure(
        "resting-potential", "What makes the resting potential", "Each ion pulls towards a potential of its own; rest is where the currents balance.",
        _resting_potential,
    ),
)
