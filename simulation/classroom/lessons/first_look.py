"""A first look: potassium, calcium and the after-discharge of a muscle fibre."""

from __future__ import annotations

from dataclasses import replace

from simulation.classroom.exercise import Choice, Exercise, Sentence, Solved
from simulation.classroom.lessons.bench import membrane
from simulation.classroom.lessons.words import LESS_MORE, MORE_LESS_NEGATIVE, compared
from simulation.experiment.gates import gate_curves
from simulation.experiment.protocol import Pulse, protocol
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import run
from simulation.experiment.threshold import rheobase, threshold_current


def _rest() -> Solved:
    fibre = membrane("fibre")
    before, after = find_rest(fibre), find_rest(fibre.in_bath(K=2.5))
    right = compared(after.V, before.V, MORE_LESS_NEGATIVE, 0.5)
    return Solved(right, (
        f"Rest goes from {before.V:.1f} to {after.V:.1f} mV. With less potassium outside its equilibrium potential moves from "
        f"{before.symbol('E_K_s'):.0f} "
        f"to {after.symbol('E_K_s'):.0f} mV, and rest follows, though not all the way."
    ))


def _threshold() -> Solved:
    fibre = membrane("fibre")
    before, after = threshold_current(fibre), threshold_current(fibre.in_bath(K=2.5))
    return Solved(compared(after, before, LESS_MORE, 0.02 * before), (
        f"It takes {after:.0f} instead of {before:.0f} µA/cm²: rest has moved away from the potential at which sodium channels open. "
        "Low potassium alone makes this fibre harder to excite."
    ))


def _gates() -> Solved:
    fibre = membrane("fibre")
    low = gate_curves(fibre.in_bath(Ca=0.6))
    shift = float(low.attrs["dpsi"])
    return Solved(compared(shift, 0.0, MORE_LESS_NEGATIVE, 0.1), (
        f"The gates shift by {shift:+.1f} mV. Calcium screens the negative charge on the outer face of the membrane; with less of it the "
        "sensors of the "
        "channels feel a depolarised membrane, although the electrode sees none."
    ))


def _after_discharge() -> Solved:
    def spikes(freeze: str) -> int:
        p = replace(membrane("fibre").scaled({"P_Cl": 0.1}), frozen=(freeze,) if freeze else ())
        return run(p, protocol(Pulse(strength, 200, at=10), after=150)).features.after_discharge or 0

    strength = 2 * rheobase(membrane("fibre").scaled({"P_Cl": 0.1}))
    free, without = spikes(""), {"ions in the tubules": spikes("tubule"), "ions inside the fibre": spikes("myoplasm")}
    ends = [name for name, count in without.items() if count < 0.5 * free]
    right = ends[0] if len(ends) == 1 else "neither alone"
    counts = ", ".join(f"{n} with the {name} held" for name, n in without.items())
    return Solved(right, (
        f"There are {free} spikes after the stimulus, {counts}. Each spike leaves potassium in the narrow tubules; it depolarises the "
        "tubular membrane until the next spike comes by itself."
    ))


def _why() -> Solved:
    return Solved("potassium gathers in the tubules and depolarises their membrane, where chloride conductance no longer holds it", (
        "Potassium that gathers in the tubules depolarises their membrane. A healthy chloride conductance holds the potential against "
        "this; in myotonia congenita it is lacking."
    ))


EXERCISES = (
    Exercise("first_look.rest", "Potassium falls from 4 to 2.5 mM. What becomes of the resting potential?", Choice(MORE_LESS_NEGATIVE), _rest),
    Exercise(
        "first_look.threshold", "And how much current does it take to make the fibre fire, compared with before?",
        Choice(LESS_MORE), _threshold,
    ),
    Exercise(
        "first_look.gates", "In 0.6 mM calcium, at which potentials do the sodium channels open, compared with before?",
        Choice(MORE_LESS_NEGATIVE), _gates,
    ),
    Exercise(
        "first_look.after_discharge", "What carries the after-discharge?", Choice(("ions in the tubules", "ions inside the fibre", "neither alone")),
        _after_discharge,
    ),
    Exercise(
        "first_look.why", "Why does a fibre with little chloride conductance go on firing? Say it in a sentence.",
        Sentence({
            "which ion gathers": ("potassium", "k+", "k "), "where": ("tubul", "t-system", "lumen"),
            "what it does to the membrane": ("depolari", "less negative", "threshold"),
        }), _why,
    ),
)
