"""Causes: from diuretics to age, what each does to serum, and what that does to nerve and muscle."""

from __future__ import annotations

from functools import cache

from simulation.classroom.exercise import Choice, Exercise, Number, Sentence, Solved
from simulation.classroom.lessons.words import EASIER_HARDER, YES_NO, compared
from simulation.clinic.conditions import condition
from simulation.clinic.course import bath_after, follow, parse_treatment, serum_after
from simulation.clinic.panel import analytes, excitability

LOWER_HIGHER = ("lower", "higher", "the same")
DIURETICS = {"the thiazide": "thiazide:severe", "the loop diuretic": "loop_diuretic:severe"}
DIARRHOEA = "diarrhoea:severe"


@cache
def serum(name: str) -> dict[str, float]:
    return serum_after(condition(name))


@cache
def threshold(name: str, membrane: str = "axon") -> float:
    """Threshold in what a condition leaves around the membrane, as a share of that in health."""
    return excitability(membrane, bath_after(condition(name))).threshold_ratio


def _imposed() -> Solved:
    right = "imposed" if "K" in condition("hypokalaemia").serum else "predicted"
    return Solved(right, (
        "The card says so. 'Low potassium' is no cause, so the number has to be put in; of a thiazide the body predicts "
        f"{serum('thiazide')['K']:.2f} mM, and that may be wrong, which a number that was put in cannot be."
    ))


def _potassium() -> Solved:
    now, health = serum("thiazide")["K"], analytes()["K"].middle
    return Solved(compared(now, health, LOWER_HIGHER, 0.05), (
        f"{now:.2f} instead of {health:.1f} mM after two months: more sodium and more flow reach the segment of the kidney that gives potassium away."
    ))


def _calcium() -> Solved:
    health = analytes()["iCa"].middle
    now = {who: serum(name)["iCa"] for who, name in DIURETICS.items()}
    low = [who for who, x in now.items() if x < health - 0.01]
    right = low[0] if len(low) == 1 else "both" if low else "neither"
    return Solved(right, "Ionised calcium: " + ", ".join(f"{who} {x:.2f} mM" for who, x in now.items()) + (
        f" ({health:.1f} in health). A thiazide makes the kidney keep calcium, a loop diuretic makes it lose some."
    ))


def _diarrhoea() -> Solved:
    bath, share = bath_after(condition(DIARRHOEA)), threshold(DIARRHOEA)
    return Solved(compared(share, 1.0, EASIER_HARDER, 0.05), (
        f"Potassium is {bath['K']:.1f}, ionised calcium {bath['Ca']:.2f}, magnesium {bath['Mg']:.2f} mM, pH {bath['pH']:.2f}. The threshold of the "
        f"axon is {100 * share:.0f} % of that in health: low potassium hyperpolarises it, and that outweighs what low calcium and magnesium do."
    ))


def _unmasked() -> Solved:
    b = bath_after(condition(DIARRHOEA))
    mended = excitability("axon", {**b, "K": analytes()["K"].middle}).threshold_ratio
    return Solved(
        100 * mended, f"{100 * mended:.0f} % of that in health; it was {100 * threshold(DIARRHOEA):.0f} % before. Who gives potassium alone "
        "uncovers what low calcium and magnesium had done all the while.",
        slips=((100 * threshold(DIARRHOEA), "That is before the drip."),),
        hint="excitability('axon', {**bath, 'K': 4.2}).threshold_ratio is a share of 1.",
    )


def _breath() -> Solved:
    now = serum("hyperventilation:severe")
    return Solved(
        now["iCa"], f"{now['iCa']:.2f} mM, while total calcium is {now['Ca']:.2f}: nothing was lost, but protons that left albumin made room for "
        f"calcium. Potassium moves into cells, too ({now['K']:.1f} mM): in the model both together leave the axon's threshold at "
        f"{100 * threshold('hyperventilation:severe'):.0f} %.",
        slips=((now["Ca"], "That is total calcium. The membrane feels the ionised part."),), hint="Look for iCa in serum_after(...).",
    )


def _pregnancy() -> Solved:
    now = serum("pregnancy")
    total, ion = (1 - now[x] / analytes()[x].middle for x in ("Ca", "iCa"))
    right = "both alike" if abs(total - ion) < 0.02 else "total calcium" if total > ion else "ionised calcium"
    return Solved(right, (
        f"Total calcium falls by {100 * total:.0f} %, ionised by {100 * ion:.0f} %: there is less albumin to carry it. A panel of total calcium "
        "alone sees a lack where there is hardly any."
    ))


def _age() -> Solved:
    share = threshold("ageing:severe")
    return Solved("yes" if abs(share - 1) > 0.1 else "no", (
        f"It is {100 * share:.0f} % of that in health: fewer nephrons, less sun and a poor diet pull in different directions. That the old have "
        "more cramps needs another reason than these."
    ))


def _dehydration() -> Solved:
    now = serum("dehydration:severe")
    lower = [n for n in ("K", "Na", "Ca", "Mg") if now[n] < 0.98 * analytes()[n].middle]
    return Solved("some" if lower else "none", (
        f"None: potassium {now['K']:.1f}, sodium {now['Na']:.0f}, calcium {now['Ca']:.2f}, magnesium {now['Mg']:.2f} mM. Water is lost, not salt; "
        "what is dissolved becomes more concentrated."
        if not lower else f"These are lower: {', '.join(lower)}."
    ))


def _together() -> Solved:
    def end(*treatments: str) -> float:
        return float(follow(condition(DIARRHOEA), 60, [parse_treatment(t) for t in treatments], moments=2).serum["K"][-1])

    alone, both = end("KCl=40/d@30d"), end("KCl=40/d@30d", "Mg=15/d@30d")
    return Solved("yes" if both > alone + 0.05 else "no", (
        f"After a month of 40 mmol a day potassium is {alone:.2f} mM alone and {both:.2f} mM with magnesium: inside the cells of the kidney "
        "magnesium closes the channels through which potassium is lost. How much it matters is not known well; here it is a part of it."
    ))


def _panel() -> Solved:
    return Solved("total calcium counts what is bound to albumin; nerve feels the ionised part", (
        "The membrane feels ionised calcium. Albumin and pH move it without moving the total, or the total without moving it."
    ))


EXERCISES = (
    Exercise("causes.imposed", "In 'hypokalaemia', is serum potassium imposed or predicted?", Choice(("imposed", "predicted")), _imposed),
    Exercise("causes.potassium", "Two months of a thiazide. Potassium is …", Choice(LOWER_HIGHER), _potassium),
    Exercise("causes.calcium", "Which of the two diuretics lowers ionised calcium?", Choice((*DIURETICS, "both", "neither")), _calcium),
    Exercise(
        "causes.diarrhoea", "Severe diarrhoea for a month: potassium, calcium and magnesium are all low. To fire the motor axon is now …",
        Choice(EASIER_HARDER), _diarrhoea,
    ),
    Exercise(
        "causes.unmasked", "A drip brings potassium alone back to 4.2 mM. What is the axon's threshold then, as a percentage of that in health?",
        Number("percent", 4.0), _unmasked,
    ),
    Exercise("causes.together", "Does potassium come back further if magnesium is given as well?", Choice(YES_NO), _together),
    Exercise(
        "causes.breath", "Someone hyperventilates until pH is 7.65. How much ionised calcium is there?", Number("mM", 0.03), _breath,
    ),
    Exercise(
        "causes.pregnancy", "In the third trimester, which falls by the larger part?", Choice(("total calcium", "ionised calcium", "both alike")),
        _pregnancy,
    ),
    Exercise("causes.panel", "Why can total calcium mislead? Say it in a sentence.", Sentence({
        "what the membrane feels": ("ionised", "ionized", "free"), "what binds the rest": ("albumin", "protein", "bound", "ph"),
    }), _panel),
    Exercise(
        "causes.dehydration", "Three litres of water are lost and not drunk. Of potassium, sodium, calcium and magnesium, how many are lower now?",
        Choice(("none", "some")), _dehydration,
    ),
    Exercise(
        "causes.age", "Old age: half the filtration, little sun, a poor diet. Does the threshold of the motor axon differ by more than 10 %?",
        Choice(YES_NO), _age,
    ),
)
