"""Magnesium: four places where it acts, and what it does not do."""

from __future__ import annotations

from dataclasses import replace

from simulation.classroom.exercise import Choice, Exercise, Number, Solved
from simulation.classroom.lessons.bench import membrane, motor_unit
from simulation.classroom.lessons.words import LESS_MORE, YES_NO, compared
from simulation.experiment.cramp import measure
from simulation.experiment.excitability import SpontaneousRate
from simulation.experiment.junction import junction
from simulation.experiment.motor_unit import Drive, MotorUnit, Rate, run_unit
from simulation.experiment.rest import Rest, find_rest
from simulation.experiment.shift import gating_shift
from simulation.experiment.threshold import onset

LOW = 0.3  # mM: ionised magnesium outside, half of normal
LOW_INSIDE = 0.5  # mM: free magnesium in the myoplasm, half of normal
FALLS, SAME, RISES = "falls by a quarter or more", "changes by less than a tenth", "rises by a quarter or more"
SMALLER, LARGER = "smaller", "larger"


def _shift() -> Solved:
    Mg, Ca = (float(gating_shift(membrane("axon").in_bath(bath))["shift_Na"]) for bath in ({"Mg": 0.15}, {"Ca": 0.8}))
    right = "the same" if abs(Mg - Ca) < 0.1 else SMALLER if abs(Mg) < abs(Ca) else LARGER
    return Solved(right, (
        f"Magnesium shifts the gates by {Mg:+.1f} mV, calcium by {Ca:+.1f} mV. Both screen the charge, magnesium "
        "less well. (How much less is assumed: it was not published.)"
    ))


def _release() -> Solved:
    share = 100 * junction(bath={"Mg": LOW}).release
    return Solved(
        compared(share, 100.0, LESS_MORE, 2.0),
        f"It is {share:.0f} % of normal. At the sites of release magnesium takes places that calcium needs: here, at the ending of the nerve, "
        "it is indeed calcium's opponent.",
    )


def _block() -> Solved:
    whole = motor_unit()
    depolarisation = whole.fibre_threshold.depolarisation
    right = onset(lambda Mg: whole.junction.in_bath(Mg=Mg).safety_factor(depolarisation) < 1, 1.0, 6.0, 0.05)
    return Solved(
        right, f"At {right:.1f} mM around the nerve's ending the end-plate potential no longer reaches the threshold of the fibre. With the fibre "
        "in the same bath its threshold rises, too, and it takes less: 2.6 mM. (In man it takes 3 and more, so this is a miss of the model.)",
        hint="Find the bath in which the safety factor passes 1, as in the cell above.",
    )


def _twitch_of(whole: MotorUnit, Mg: float) -> tuple[float, float]:
    """Peak force of a twitch and its half-relaxation (ms) with so much magnesium inside."""
    done = measure(run_unit(replace(whole, muscle=whole.muscle.with_values({"Mg_i_0": Mg})), Drive((Rate(1, 1.0, 20.0),)), 600))
    assert done.half_relaxation is not None
    return done.peak_force, done.half_relaxation


def _twitch() -> Solved:
    whole = motor_unit()
    (before, slow), (after, slower) = _twitch_of(whole, 1.0), _twitch_of(whole, LOW_INSIDE)
    change = after / before - 1
    right = FALLS if change <= -0.25 else RISES if change >= 0.25 else SAME if abs(change) < 0.1 else "changes a little"
    return Solved(right, (
        f"Peak force changes by {100 * change:+.0f} %, half-relaxation goes from {slow:.0f} to {slower:.0f} ms. More calcium is set free, but "
        "more of it "
        "is bound by ATP that magnesium has left. So of \"the muscle stays contracted longer\" a trace is there, at a magnesium inside the cell "
        "that falls so far only in long deficiency."
    ))


def _rests() -> list[Rest]:
    """The fibre with normal and with low magnesium inside, at rest."""
    muscle = membrane("muscle")
    return [find_rest(muscle.with_values({"Mg_i_0": Mg})) for Mg in (1.0, LOW_INSIDE)]


def _calcium_inside() -> Solved:
    before, after = (1e6 * rest.symbol("Ca_i") for rest in _rests())
    return Solved(
        after, f"Free calcium at rest is {after:.0f} instead of {before:.0f} nM. Magnesium holds the release channel shut at rest; with half of it "
        "the channel leaks more. (A twitch reaches about 10,000 nM.)",
        slips=((before, "That is the normal value."), (after / 1e6, "That is in mM; the answer is in nM.")),
        hint="sim.find_rest(...).symbol('Ca_i') is in mM; 1 mM is a million nM.",
    )


def _pump() -> Solved:
    rests = _rests()
    speed = [r.symbol("phi_SERCA_i") for r in rests]
    right = "hardly: by less than 2 %" if abs(speed[1] / speed[0] - 1) < 0.02 else "by half" if speed[1] < 0.6 * speed[0] else "in between"
    return Solved(right, (
        f"MgATP falls from {rests[0].symbol('MgATP_i'):.1f} to {rests[1].symbol('MgATP_i'):.1f} mM, the speed of the pump by "
        f"{100 * (1 - speed[1] / speed[0]):.1f} %. There is far more MgATP than the pumps need."
    ))


def _axon() -> Solved:
    rate = float(SpontaneousRate(length=500).of(membrane("axon").in_bath({"Mg": 0.2}))["spontaneous_rate"])
    return Solved("yes" if rate else "no", (
        "The average axon stays silent in magnesium that is as low as one survives. Of the three excitable sites (hypotheses all) only the "
        "one that has lost most of its slow potassium channels fires."
    ))


def _together() -> Solved:
    of = SpontaneousRate(length=500)
    alone, both = (float(of.of(membrane("axon_rhythmic").in_bath(bath))["spontaneous_rate"]) for bath in ({"Mg": 0.2}, {"Mg": 0.2, "Ca": 1.1}))
    right = "yes" if both and not alone else "no"
    return Solved(right, (
        f"In 0.2 mM magnesium alone it fires at {alone:.0f} Hz, with calcium at 1.1 mM in addition at {both:.0f} Hz. Lack of magnesium brings "
        "low calcium, for it hampers "
        "parathyroid hormone; low magnesium prepares, low calcium does it."
    ))


EXERCISES = (
    Exercise(
        "magnesium.shift", "Magnesium falls by 0.4 mM (0.55 to 0.15), or calcium does (1.2 to 0.8). The shift of the gates by magnesium is …",
        Choice((SMALLER, LARGER, "the same")), _shift,
    ),
    Exercise("magnesium.axon", "Does the average axon fire by itself in 0.2 mM magnesium?", Choice(YES_NO), _axon),
    Exercise(
        "magnesium.together", "An excitable axon is silent in 0.2 mM magnesium. Does it fire if calcium falls from 1.2 to 1.1 mM, too?",
        Choice(YES_NO), _together,
    ),
    Exercise(
        "magnesium.release", "Magnesium around the junction is halved. How much transmitter does a spike of the nerve release?",
        Choice(LESS_MORE), _release,
    ),
    Exercise("magnesium.block", "From which magnesium on does the junction fail?", Number("mM", 0.2), _block),
    Exercise(
        "magnesium.twitch", "Free magnesium *inside* the fibre falls from 1 to 0.5 mM. The force of a twitch …",
        Choice((FALLS, SAME, RISES, "changes a little")), _twitch,
    ),
    Exercise(
        "magnesium.calcium_inside", "And free calcium in the resting fibre, with 0.5 mM magnesium inside, is …",
        Number("nM", 10.0), _calcium_inside,
    ),
    Exercise(
        "magnesium.pump", "The pumps split MgATP. By how much does the pump of the store slow down with 0.5 mM magnesium inside?",
        Choice(("hardly: by less than 2 %", "in between", "by half")), _pump,
    ),
)
