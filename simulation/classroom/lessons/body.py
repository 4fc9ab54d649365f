"""Vitamin D, parathyroid hormone and the kidney: serum over weeks, and what of it reaches nerve."""

from __future__ import annotations

from functools import cache

import numpy as np

from simulation.classroom.exercise import Choice, Exercise, Number, Sentence, Solved
from simulation.clinic.conditions import condition
from simulation.clinic.course import Course, follow, parse_treatment, run_body
from simulation.experiment.body import Course as BodyCourse

NO_SUN, NO_GLANDS, NO_MAGNESIUM = "low_vitamin_D:severe", "after_thyroid_surgery:severe", "proton_pump_inhibitor:severe"
LOWER_HIGHER = ("lower", "higher", "the same")
LITTLE, PART, MOST = "less than a tenth", "a tenth to a half", "more than half"
WHO = {"the one without vitamin D": NO_SUN, "the one without parathyroid glands": NO_GLANDS}
TREATED = {"calcium": "Ca=25/d@200d", "magnesium": "Mg=15/d@200d", "vitamin D": "D=50/d@200d"}


@cache
def after(name: str, days: float) -> BodyCourse:
    return run_body(condition(name), days)


@cache
def _followed(name: str, days: float, treatment: str = "") -> Course:
    return follow(condition(name), days, [parse_treatment(treatment)] if treatment else [], moments=2)


def _change(c: BodyCourse, symbol: str) -> tuple[float, float]:
    return float(c[symbol][0]), float(c[symbol][-1])


def _calcium() -> Solved:
    before, now = _change(after(NO_SUN, 365), "Ca_ion")
    fall = 1 - now / before
    right = LITTLE if fall < 0.1 else PART if fall < 0.5 else MOST
    return Solved(right, (
        f"Ionised calcium goes from {before:.2f} to {now:.2f} mM, though 25-hydroxyvitamin D falls from {after(NO_SUN, 365)['D25'][0]:.0f} to "
        f"{after(NO_SUN, 365)['D25'][-1]:.0f} nmol/L. What falls is not what is defended."
    ))


def _hormone() -> Solved:
    before, now = _change(after(NO_SUN, 365), "PTH")
    right = "the same" if abs(now - before) < 0.1 * before else "higher" if now > before else "lower"
    return Solved(right, f"It goes from {before:.1f} to {now:.1f} pmol/L: the glands feel the little that calcium falls, and answer steeply.")


def _urine() -> Solved:
    before, now = _change(after(NO_SUN, 365), "urine_Ca")
    return Solved(
        before - now, f"{before:.1f} mmol a day were lost in the urine before, {now:.1f} are now. The kidney gives the largest part; bone gives "
        f"{_from_bone():.0f} mmol in the year on top of what its fast pool lends.",
        slips=((now, "That is what is still lost. How much *less* is it?"),), hint="Look at urine_Ca of the course, at its start and its end.",
    )


def _from_bone() -> float:
    c = after(NO_SUN, 365)
    return float(np.trapezoid(c["J_resorbed"] - c["J_formed"], c.t))


def _defence() -> Solved:
    return Solved("parathyroid hormone makes the kidney and the bone give calcium", (
        "Parathyroid hormone makes the kidney keep calcium, bone give some, and the kidney make calcitriol out of what vitamin D is left."
    ))


def _glands() -> Solved:
    before, now = _change(after(NO_GLANDS, 7), "Ca_ion")
    return Solved(
        now, f"Ionised calcium is {now:.2f} instead of {before:.2f} mM after a week. Without the hormone the same body with the same diet cannot "
        "hold it.", slips=((before, "That would be health: without the hormone nothing holds it there."),),
        hint="Look at Ca_ion at the end of the course.",
    )


def _tetany() -> Solved:
    falls = {who: 100 * (1 - float(_followed(name, days).threshold["axon"][-1]))
             for (who, name), days in zip(WHO.items(), (365, 7), strict=True)}
    low = [who for who, fall in falls.items() if fall > 10]
    right = low[0] if len(low) == 1 else "both" if low else "neither"
    return Solved(right, "The threshold of the motor axon falls by " + ", ".join(f"{fall:.0f} % in {who}" for who, fall in falls.items()) + (
        ". It is the ionised calcium of the day that counts for nerve, not the store of vitamin D."
    ))


def _paradox() -> Solved:
    c = after(NO_MAGNESIUM, 365)
    share = float(c["PTH"][-1] / c["PTH"][0])
    right = "hardly raised" if share < 1.5 else "raised several times over"
    return Solved(right, (
        f"It is {share:.1f} times normal, with ionised calcium at {c['Ca_ion'][-1]:.2f} mM. Calcium as low as this calls for {c['S'][-1]:.0f} times "
        f"as much; but without magnesium the glands secrete {100 * c['secretion_Mg'][-1]:.0f} % of what they are told to, and bone and kidney answer "
        f"{100 * c['action_Mg'][-1]:.0f} % as well."
    ))


def _treatment() -> Solved:
    now = {name: float(_followed(NO_MAGNESIUM, 260, text).serum["iCa"][-1]) for name, text in TREATED.items()}
    right = max(now, key=lambda name: now[name])
    return Solved(right, "Ionised calcium after sixty days of it: " + ", ".join(f"with {name} {x:.2f}" for name, x in now.items()) + (
        " mM. Low calcium that does not answer to calcium: think of magnesium."
    ))


EXERCISES = (
    Exercise(
        "body.calcium", "A year with hardly any sun and little calcium in the diet. By how much does ionised calcium fall?",
        Choice((LITTLE, PART, MOST)), _calcium,
    ),
    Exercise("body.hormone", "And parathyroid hormone? It is …", Choice(LOWER_HIGHER), _hormone),
    Exercise("body.urine", "How much less calcium is lost in the urine at the end of that year, in mmol a day?", Number("mmol/d", 0.4), _urine),
    Exercise("body.defence", "Why does calcium fall so little? Say it in a sentence.", Sentence({
        "the hormone": ("parathyroid", "pth"), "where the calcium comes from": ("kidney", "bone", "urine", "renal"),
    }), _defence),
    Exercise(
        "body.glands", "After surgery of the thyroid hardly any parathyroid hormone is left. How much ionised calcium is there a week later?",
        Number("mM", 0.05), _glands,
    ),
    Exercise(
        "body.tetany", "Whose nerves become clearly more excitable (threshold lower by more than 10 %)?", Choice((*WHO, "both", "neither")), _tetany,
    ),
    Exercise(
        "body.paradox", "A drug has kept magnesium from being absorbed for a year; calcium is low as well. Parathyroid hormone is …",
        Choice(("hardly raised", "raised several times over")), _paradox,
    ),
    Exercise(
        "body.treatment", "She goes on taking the drug. Which of these brings her ionised calcium up most, two months on?", Choice(tuple(TREATED)),
        _treatment,
    ),
)
