"""Figures of results: for slides, half slides and journal columns. They take results and never solve.

Each function returns a Plate: a Matplotlib figure (no pyplot, shown by a notebook as it is) with its description in ``alt``
and its origin in ``provenance``, both of which ``save`` writes into the file."""

from simulation.figures.availability import availability_figure
from simulation.figures.branches import borders_figure, branches_figure
from simulation.figures.budget import budget_figure
from simulation.figures.cable import cable_figure
from simulation.figures.chloride import chloride_figure
from simulation.figures.claim import claim_figure
from simulation.figures.compared import compared_figure
from simulation.figures.dark import THEMES, in_dark
from simulation.figures.errors import FigureError
from simulation.figures.excitability import excitability_figure
from simulation.figures.firing import firing_figure
from simulation.figures.fit import fit_figure
from simulation.figures.gates import gate_figure
from simulation.figures.maps import lines, map_figure
from simulation.figures.overlay import overlaid
from simulation.figures.phase_plane import phase_plane_figure
from simulation.figures.plate import Plate
from simulation.figures.population import population_figure
from simulation.figures.propagation import propagation_figure
from simulation.figures.regimes import regime_figure
from simulation.figures.rest_curve import rest_curve
from simulation.figures.save import provenance_of, save
from simulation.figures.sensitivity import sensitivity_figure
from simulation.figures.serum import course_figure, panel_figure
from simulation.figures.shift import shift_figure
from simulation.figures.spike import spike_figure
from simulation.figures.strip import strip
from simulation.figures.style import SIZES, axis_label
from simulation.figures.traces import traces
from simulation.figures.validation_page import validation_page
from simulation.figures.verdicts import verdicts_figure

__all__ = [
    "SIZES", "THEMES", "FigureError", "Plate", "availability_figure", "axis_label", "borders_figure", "branches_figure", "budget_figure",
    "cable_figure", "chloride_figure", "claim_figure", "compared_figure", "course_figure", "excitability_figure", "firing_figure", "fit_figure",
    "gate_figure", "in_dark", "lines", "map_figure", "overlaid", "panel_figure", "phase_plane_figure", "population_figure", "propagation_figure",
    "provenance_of", "regime_figure", "rest_curve", "save", "sensitivity_figure", "shift_figure", "spike_figure", "strip", "traces",
    "validation_page", "verdicts_figure",
]
