"""Potassium: less excitable, then paralysed."""

from __future__ import annotations

import math

from simulation.classroom.exercise import Choice, Exercise, Number, Sentence, Solved
from simulation.classroom.lessons.bench import membrane
from simulation.classroom.lessons.words import LESS_MORE, YES_NO, compared
from simulation.experiment.cable import propagate
from simulation.experiment.protocol import Pulse, protocol
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import run
from simulation.experiment.threshold import onset, threshold_current

POLARISED = -80.0  # mV: between the two rests in low potassium
BACK, STAYS = "back at the first rest", "at the second, depolarised rest"
FASTER, SLOWER, BLOCKED = "faster than normal", "slower than normal", "not at all"
BOTH, ONLY_LOW, ONLY_HIGH = "two stable rests, as the healthy one", "only a depolarised rest", "only a polarised rest"


def _higher() -> Solved:
    fibre = membrane("fibre")
    before, after = threshold_current(fibre), threshold_current(fibre.in_bath(K=6))
    return Solved(compared(after, before, LESS_MORE, 0.02 * before), (
        f"It takes {after:.0f} instead of {before:.0f} µA/cm²: rest has come nearer to the potential at which sodium channels open, and few of them "
        "are inactivated yet."
    ))


def _axon() -> Solved:
    axon = membrane("axon")
    before, after = threshold_current(axon, 1.0), threshold_current(axon.in_bath(K=2.5), 1.0)
    return Solved(compared(after, before, LESS_MORE, 0.02 * before), (
        f"The motor axon takes {100 * after / before:.0f} % of the normal current in 2.5 mM potassium. Low potassium alone calms nerve and muscle."
    ))


def _rests() -> Solved:
    rests = find_rest(membrane("fibre").in_bath(K=2)).states
    stable = [f"{s.V:.0f}" for s in rests if s.stable]
    return Solved(
        len(stable), f"There are {len(stable)}: {' and '.join(stable)} mV. Between them lies one that is not stable, the point of no return.",
        slips=((len(rests), "That counts all steady states; one of them is not stable, and the fibre leaves it at the least push."),),
        hint="Look at sim.find_rest(fibre.in_bath(K=2)).stable.",
    )


def _last() -> Solved:
    fibre = membrane("fibre")
    right = onset(lambda K: any(s.V < POLARISED for s in find_rest(fibre.in_bath(K=K)).stable), 0.3, 2.0, 0.02)
    return Solved(
        right, f"Below {right:.2f} mM the polarised rest is gone. (Rat fibres: half of them are depolarised at 1.5 mM; the place was one of the "
        "features that this model was tuned to.)",
        hint="Read the left end of the lower branch, or try baths between 0.5 and 1 mM.",
    )


def _excitable() -> Solved:
    p = membrane("fibre").in_bath({"K": 2.0})
    second = find_rest(p).stable[-1]
    open_ = find_rest(p).at()
    current = threshold_current(p, start=second.state)
    h, s = (second.state[p.states.index(g)] for g in ("h_s", "s_s"))
    h0, s0 = (open_.state[p.states.index(g)] for g in ("h_s", "s_s"))
    return Solved("no" if math.isnan(current) else "yes", (
        f"No current up to 10,000 µA/cm² makes it fire. At {second.V:.0f} mV only {100 * h * s:.1f} % of the sodium channels are left to be "
        "opened, at "
        f"{open_.V:.0f} mV it is {100 * h0 * s0:.0f} %: the others are inactivated."
    ))


def _back() -> Solved:
    p = membrane("fibre").in_bath({"K": 2.0})
    V = run(p, protocol(Pulse(20, 60_000, at=10_000), after=600_000)).features.end_V
    return Solved(BACK if V < POLARISED else STAYS, (
        f"Ten minutes after the push the fibre is still at {V:.0f} mV. With V so far above E_K its inward rectifiers are closed, and nothing "
        "draws it back. "
        "The fibre has two rests and remembers which one it was in."
    ))


def _rectifier() -> Solved:
    fibre = membrane("fibre")
    rests = find_rest(fibre.scaled({"P_Kir": 0.5})).stable
    right = ONLY_LOW if all(s.V > POLARISED for s in rests) else ONLY_HIGH if len(rests) == 1 else BOTH
    return Solved(right, (
        f"With half of its inward rectifiers the fibre rests at {', '.join(f'{s.V:.0f}' for s in rests)} mV, in normal potassium. It is this "
        "channel that holds the membrane near "
        "E_K; where it is lost (barium; its mutation in Andersen-Tawil syndrome) paralysis threatens sooner. That half is enough is this model's "
        "figure, and it stands near the edge."
    ))


def _hypopp() -> Solved:
    rests = find_rest(membrane("fibre_hypopp").in_bath({"K": 2.0})).stable
    low = [s for s in rests if s.V < POLARISED]
    right = BOTH if low and len(rests) > 1 else ONLY_HIGH if low else ONLY_LOW
    return Solved(right, (
        f"It rests at {', '.join(f'{s.V:.0f}' for s in rests)} mV only. A leak through the voltage sensor of mutant channels, small as it is, "
        "takes away the polarised "
        "rest at a potassium at which a healthy fibre still has it."
    ))


def _conduction() -> Solved:
    fibre = membrane("fibre")
    here = propagate(fibre.in_bath(K=9)).velocity
    right = BLOCKED if not here else FASTER if here > propagate(fibre).velocity else SLOWER
    return Solved(right, (
        f"At 9 mM the velocity is {here:.1f} m/s: the spike dies out, too many sodium channels are inactivated. (Here the model is too sensitive: "
        "rat muscle still conducts at 9 and 10 mM.)"
    ))


def _why() -> Solved:
    return Solved("it is depolarised, so its sodium channels are inactivated", (
        "The fibre is depolarised, its sodium channels are inactivated, and so nothing can fire it: paralysis with a resting potential, not "
        "without one."
    ))


EXERCISES = (
    Exercise("potassium.higher", "Potassium rises from 4 to 6 mM. How much current does it take to fire the fibre?", Choice(LESS_MORE), _higher),
    Exercise("potassium.axon", "And a motor axon, in *low* potassium (2.5 mM)?", Choice(LESS_MORE), _axon),
    Exercise("potassium.rests", "How many stable resting potentials has the fibre in 2 mM potassium?", Number("1", 0.4), _rests),
    Exercise("potassium.last", "Below which potassium is there only the depolarised rest?", Number("mM", 0.1), _last),
    Exercise(
        "potassium.back", "A fibre in 2 mM potassium is depolarised by a current for a minute. Where is it ten minutes later?",
        Choice((BACK, STAYS)), _back,
    ),
    Exercise(
        "potassium.excitable", "Can a fibre that rests at the second, depolarised rest fire, if only the stimulus is strong enough?",
        Choice(YES_NO), _excitable,
    ),
    Exercise("potassium.why", "So why is such a fibre paralysed? Say it in a sentence.", Sentence({
        "its potential": ("depolari", "less negative"), "the sodium channels": ("inactiv",),
    }), _why),
    Exercise(
        "potassium.rectifier", "Half of the inward rectifiers are lost; potassium is normal. The fibre has …",
        Choice((BOTH, ONLY_LOW, ONLY_HIGH)), _rectifier,
    ),
    Exercise(
        "potassium.hypopp", "In 2 mM potassium the fibre of hypokalaemic periodic paralysis has …",
        Choice((BOTH, ONLY_LOW, ONLY_HIGH)), _hypopp,
    ),
    Exercise("potassium.conduction", "In 9 mM potassium the spike travels along the fibre …", Choice((FASTER, SLOWER, BLOCKED)), _conduction),
)
