"""The resting potential: equilibrium potentials, what flows, the pump, and chloride that follows."""

from __future__ import annotations

import math

import numpy as np

from simulation.classroom.exercise import Choice, Exercise, Number, Sentence, Solved
from simulation.classroom.lessons.bench import membrane
from simulation.classroom.lessons.words import MORE_LESS_NEGATIVE, compared
from simulation.experiment.bath import Bath
from simulation.experiment.protocol import BathChange, protocol, rest_only
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import run
from simulation.physiology.equilibrium import E_K

HARDLY, BY_HALF, TO_ZERO, BETWEEN = "hardly: less than 3 mV", "by half: 30 to 60 mV", "to zero", "somewhere between"
BODY, ROOM = 310.15, 293.15  # K


def _nernst() -> Solved:
    right = float(E_K(BODY, 140, 4))
    return Solved(
        right, f"E_K = (RT/F) ln(4/140) = {right:.1f} mV. Tenfold in concentration is {float(E_K(BODY, 10, 1)):.0f} mV at 37 °C.",
        slips=(
            (-right, "Mind the sign: potassium is higher inside, and it leaves until the inside is negative enough to hold it."),
            (float(E_K(ROOM, 140, 4)), "That is right at 20 °C. The fibre is at 37 °C: RT/F is larger."),
            (right / math.log(10), "The natural logarithm is meant: RT/F is 26.7 mV with ln, 61.5 mV with the logarithm to base 10."),
        ),
        hint="RT/F is 26.7 mV at 37 °C; outside is 4, inside 140 mM.",
    )


def _nearest() -> Solved:
    rest = find_rest(membrane("fibre"))
    E = {ion: rest.symbol(f"E_{short}_s") for ion, short in (("potassium", "K"), ("sodium", "Na"), ("chloride", "Cl"))}
    right = min(E, key=lambda ion: abs(E[ion] - rest.V))
    told = ", ".join(f"{ion} {E[ion]:.1f} mV" for ion in E)
    return Solved(right, (
        f"Rest is {rest.V:.1f} mV; {told}. Chloride crosses this membrane easily and is free to move: it goes where the potential sends it, so its "
        "equilibrium potential comes to the resting potential, not the other way round. Potassium, which is held by the pump, makes the potential."
    ), {
        "potassium": "Near, and it is potassium that makes the rest; but one is nearer still.",
        "sodium": "That is where the spike goes, not where rest lies.",
    })


def _flow() -> Solved:
    E = find_rest(membrane("fibre")).symbol("E_K_s")
    drive = -90.0 - E
    right = "outward" if drive > 0.1 else "inward" if drive < -0.1 else "not at all"
    return Solved(right, (
        f"E_K is {E:.0f} mV, so at -90 mV the driving force V - E_K is {drive:+.0f} mV: potassium {'leaves' if drive > 0 else 'enters'} the cell. "
        "The pump brings it back."
    ), {"not at all": "It would be still only at its equilibrium potential."})


def _sodium_leak() -> Solved:
    fibre = membrane("fibre")
    before, after = find_rest(fibre).V, find_rest(fibre.scaled({"P_NaL": 2})).V
    return Solved(compared(after, before, MORE_LESS_NEGATIVE, 0.5), (
        f"Rest goes from {before:.1f} to {after:.1f} mV. Each ion draws the potential towards its own equilibrium potential, and the "
        "more of its channels are open the harder: a little more sodium, and rest moves a little towards E_Na."
    ))


def _pump(seconds: float) -> tuple[float, float]:
    fibre = membrane("fibre")
    rest = find_rest(fibre).at()
    return rest.V, run(fibre.scaled({"J_pump": 0}), rest_only(1000 * seconds), start=rest.state).features.end_V


def _pump_now() -> Solved:
    before, after = _pump(1)
    moved = abs(after - before)
    right = HARDLY if moved < 3 else BY_HALF if 30 < moved < 60 else TO_ZERO if after > -10 else BETWEEN
    later = _pump(3600)[1]
    return Solved(right, (
        f"After one second rest is {after:.1f} instead of {before:.1f} mV: this is the pump's own current, 3 Na⁺ out for 2 K⁺ in. After an "
        f"hour it is {later:.0f} mV: "
        "the gradients have run down. The pump makes the battery; it is hardly the current."
    ), {TO_ZERO: "The gradients are still there, and they make the potential."})


def _chloride_passive() -> Solved:
    rest = find_rest(membrane("fibre").scaled({"J_NKCC": 0}))
    gap = rest.symbol("E_Cl_s") - rest.V
    right = "equal to rest" if abs(gap) < 0.1 else "less negative than rest" if gap > 0 else "more negative than rest"
    return Solved(right, (
        f"Without the cotransporter E_Cl is {rest.symbol('E_Cl_s'):.1f} and rest {rest.V:.1f} mV. Nothing carries chloride uphill, so it "
        "comes to rest where no net "
        "chloride flows: at its equilibrium. That is Donnan's condition for an ion that is free to pass."
    ))


def _step() -> Solved:
    fibre = membrane("fibre")
    done = run(fibre, protocol(BathChange(Bath(K=10), at=100.0), duration=1100.0))
    V, E_K_now, E_Cl_now = (float(done[s][-1]) for s in ("V_s", "E_K_s", "E_Cl_s"))
    near = abs(V - E_Cl_now) < abs(V - E_K_now)
    settled = find_rest(fibre.in_bath(K=10)).V
    return Solved("near E_Cl, where it was" if near else "near the new E_K", (
        f"After one second V is {V:.0f} mV, E_Cl {E_Cl_now:.0f} and the new E_K {E_K_now:.0f} mV. Chloride conductance is most of the "
        "conductance at rest and holds the "
        f"potential, until chloride itself has moved in: that takes minutes, and V comes to {settled:.0f} mV."
    ))


def _holds() -> Solved:
    return Solved("chloride conductance is high and its concentration inside changes slowly, so it holds the potential", (
        "The chloride conductance of resting muscle is high, so E_Cl pulls hard; and it takes minutes until enough chloride has entered to move E_Cl."
    ))


def _run_down() -> Solved:
    fibre = membrane("fibre")
    rest = find_rest(fibre).at()
    done = run(fibre.scaled({"J_pump": 0}), rest_only(3_600_000.0), start=rest.state)
    i = int(np.searchsorted(done.t, 1_800_000.0))
    right = float(done["K_i"][i])
    return Solved(
        right, f"After half an hour without the pump {right:.0f} mM are left of {done['K_i'][0]:.0f}; sodium has come in instead.",
        slips=((float(done["Na_i"][i]), "That is the sodium inside."), (float(done["K_i"][-1]), "That is after a whole hour.")),
        hint="Read the curve of K_i at 30 minutes.",
    )


EXERCISES = (
    Exercise("rest.nernst", "Potassium is 140 mM inside and 4 mM outside, at 37 °C. What is its equilibrium potential?", Number("mV", 1.0), _nernst),
    Exercise(
        "rest.nearest", "Which equilibrium potential lies nearest to the resting potential of a muscle fibre?",
        Choice(("potassium", "sodium", "chloride")), _nearest,
    ),
    Exercise(
        "rest.flow", "The fibre rests at -90 mV. Which way does potassium flow through its channels?",
        Choice(("inward", "outward", "not at all")), _flow,
    ),
    Exercise(
        "rest.sodium_leak", "The small leak of sodium doubles. What becomes of the resting potential?",
        Choice(MORE_LESS_NEGATIVE), _sodium_leak,
    ),
    Exercise(
        "rest.pump", "The pump is stopped. How far has the resting potential fallen after one second?",
        Choice((HARDLY, BY_HALF, TO_ZERO, BETWEEN)), _pump_now,
    ),
    Exercise("rest.run_down", "How much potassium is left inside after half an hour without the pump?", Number("mM", 5.0), _run_down),
    Exercise(
        "rest.chloride", "The cotransporter NKCC1, which carries chloride in, is stopped. Where does E_Cl come to lie?",
        Choice(("equal to rest", "less negative than rest", "more negative than rest")), _chloride_passive,
    ),
    Exercise(
        "rest.step", "Potassium outside jumps from 4 to 10 mM. Where is the potential one second later?",
        Choice(("near the new E_K", "near E_Cl, where it was")), _step,
    ),
    Exercise(
        "rest.holds", "Why does the potential of muscle follow potassium only after minutes? Say it in a sentence.",
        Sentence({
            "which ion holds it": ("chlor", "cl-", "cl⁻", "clc"), "why that ion can": ("conduct", "permeab", "open", "high", "large", "slow"),
        }), _holds,
    ),
)
