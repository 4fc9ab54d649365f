"""Anatomy of a cramp: nerve, junction, fibre, store; what ends which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulation.classroom.exercise import Choice, Exercise, Sentence, Solved
from simulation.classroom.lessons.bench import membrane, motor_unit
from simulation.classroom.lessons.words import YES_NO
from simulation.experiment.cramp import FORCE, measure
from simulation.experiment.motor_unit import Drive, MotorUnit, Rate, Stretch, UnitRun, run_unit

TRAIN = Drive((Rate(30, 500.0, 100.0),))
STRETCHED = Stretch(1000.0, 1000.0)
HALF, LITTLE = "to less than half", "hardly"
ELECTRICAL, QUIET, NOTHING = "force with spikes of the fibre", "force without any spike", "no force"


def _site() -> MotorUnit:
    """A unit with an excitable axon that fires by itself in low calcium."""
    return replace(motor_unit("axon_rhythmic"), axon=membrane("axon_rhythmic").in_bath(Ca=0.7))


def _kind(run: UnitRun) -> str:
    return {"electrical": ELECTRICAL, "silent": QUIET}.get(measure(run).verdict, NOTHING)


def _fibre(**values: float) -> MotorUnit:
    whole = motor_unit()
    return replace(whole, muscle=whole.muscle.with_values(values))


def _block() -> Solved:
    site = _site()
    blocked = replace(site, junction=site.junction.in_bath(Mg=6.0))
    runs = [run_unit(u, duration=600) for u in (site, blocked)]
    contracts = runs[1].force.max() > FORCE
    return Solved("yes" if contracts else "no", (
        f"The axon fires on, {len(runs[1].axon.spikes)} spikes as before, but force falls from {100 * runs[0].force.max():.0f} to "
        f"{100 * runs[1].force.max():.0f} %. What comes from nerve needs the "
        "junction; so a block of nerve or junction tells where a cramp comes from."
    ))


def _store() -> Solved:
    run = run_unit(_fibre(caffeine=15.0), duration=1500)
    return Solved(_kind(run), (
        f"Force rises to {100 * run.force.max():.0f} % and the fibre has {len(run.muscle.spikes)} spikes. Caffeine opens the store itself. "
        "That is a *contracture*: a needle in the muscle "
        "would find it silent. (How much caffeine does how much was chosen, not measured; coffee brings a few hundredths of a mM into the blood.)"
    ))


def _pump() -> Solved:
    run = run_unit(replace(motor_unit(), muscle=membrane("muscle").scaled({"nu_SERCA": 0.2})), TRAIN, 2000)
    found = measure(run)
    return Solved(_kind(run), (
        f"Long after the last spike force is still up to {100 * found.involuntary_peak:.0f} %, and the fibre is silent: calcium is not pumped "
        "back into the store. So it is in "
        "Brody's disease, where this pump is lacking."
    ))


def _after() -> Solved:
    run = run_unit(replace(motor_unit(), muscle=membrane("muscle").scaled({"P_Cl": 0.1})), TRAIN, 1500)
    over = 600.0 + run.unit.junction.latency + 10
    late = {name: int(np.count_nonzero(x.spikes > over)) for name, x in (("the axon", run.axon), ("the fibre", run.muscle))}
    makers = [name for name, count in late.items() if count]
    right = makers[0] if len(makers) == 1 else "neither" if not makers else "both"
    return Solved(right, (
        f"After the train the axon has {late['the axon']} spikes, the fibre {late['the fibre']}. This is myotonia: it is electrical, but "
        "curare would not end it, for the fibre "
        "fires by itself."
    ))


def _levels(run: UnitRun) -> tuple[float, float]:
    """Force before the stretch, and late in it."""
    return tuple(float(x) for x in np.interp([990.0, 1900.0], run.muscle.t, run.force))  # type: ignore[return-value]


def _stretch() -> Solved:
    before, late = _levels(run_unit(motor_unit(), Drive((Rate(20, 2000.0, 100.0),), (), (STRETCHED,)), 2100))
    return Solved(HALF if late < 0.5 * before else LITTLE, (
        f"Force falls from {100 * before:.0f} to {100 * late:.0f} %: tendon organs hold the motoneuron down. (How strongly is an assumption "
        "of the model.)"
    ))


def _stretch_site() -> Solved:
    before, late = _levels(run_unit(_site(), Drive((), (), (STRETCHED,)), 2100))
    return Solved(HALF if late < 0.5 * before else LITTLE, (
        f"Force goes from {100 * before:.0f} to {100 * late:.0f} %. In the model, by construction, stretch acts on the motoneuron, and these "
        "spikes arise beyond "
        "it. So where stretching does end a cramp, that speaks for a part of the spinal cord in it."
    ))


def _needle() -> Solved:
    return Solved("whether there are action potentials: a contracture is silent", (
        "A cramp shows action potentials at a high rate, a contracture none."
    ))


EXERCISES: tuple[Exercise, ...] = (
    Exercise("cramp.block", "An excitable axon fires by itself; the junction is blocked. Does the muscle contract?", Choice(YES_NO), _block),
    Exercise(
        "cramp.store", "Caffeine (15 mM, in the dish) opens the release channels of the store. What is found?",
        Choice((ELECTRICAL, QUIET, NOTHING)), _store,
    ),
    Exercise(
        "cramp.pump", "The pump of the store works at a fifth of its speed. Half a second after a short train of the nerve there is …",
        Choice((ELECTRICAL, QUIET, NOTHING)), _pump,
    ),
    Exercise("cramp.after", "The fibre has a tenth of its chloride conductance. After a train of the nerve, who goes on firing?",
             Choice(("the axon", "the fibre", "both", "neither")), _after),
    Exercise("cramp.needle", "What would a needle electrode tell about a cramp and a contracture? Say it in a sentence.", Sentence({
        "what it shows in a cramp": ("action potential", "spike", "electric", "emg", "activity", "discharge", "fir"),
        "what it shows in a contracture": ("silen", "no ", "none", "without", "quiet", "not"),
    }), _needle),
    Exercise("cramp.stretch", "The spinal cord drives the muscle, and it is stretched. How far does force fall?", Choice((HALF, LITTLE)), _stretch),
    Exercise(
        "cramp.stretch_site", "An excitable site on the axon drives the muscle, and it is stretched. How far does force fall?",
        Choice((HALF, LITTLE)), _stretch_site,
    ),
)
