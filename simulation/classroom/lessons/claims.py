"""The claims on trial: how a verdict is made, and what would change it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from functools import cache

from simulation.classroom.exercise import Choice, Exercise, Number, Sentence, Solved
from simulation.clinic.claims import Claim, Judged, judge, ledger, select

VERDICTS = ("supported", "supported in part", "contradicted", "outside the model")


@cache
def judged(name: str, off: bool = False) -> Judged:
    """The verdict on a claim, worked out once; ``off``: with the mechanism that would make it true switched off."""
    return judge(_claim(name), off=off)


def _claim(name: str) -> Claim:
    return select([name])[0]


def _sides(name: str) -> str:
    """Each deciding experiment, what came out, and for whom it speaks."""
    out = []
    for finding, found in zip(_claim(name).findings, judged(name).found, strict=True):
        unit = "" if finding.shown == "1" else f" {finding.shown}"
        value = f"{found.value:.3g}{unit}" if math.isfinite(found.value) else "none"
        side = f"{found.side} it" if found.side in ("for", "against") else found.side
        out.append(f"{finding.text}: {value} ({side})")
    return "; ".join(out)


def _verdict_on(name: str, lesson: str) -> Solved:
    return Solved(judged(name).verdict, f"{_sides(name)}. {lesson}")


def _asked(name: str, solve: Callable[[], Solved]) -> Exercise:
    return Exercise(f"claims.{name}", f'The claim: "{_claim(name).claim}" The verdict is …', Choice(VERDICTS), solve)


def _fire() -> Solved:
    return _verdict_on("k-fire", "Low potassium hyperpolarises the axon; what it does for cramps it would have to do otherwise.")


def _tetany() -> Solved:
    return _verdict_on("ca-tetany", "That the excitable axon fires is no evidence, since it was picked because it does; that the threshold falls is.")


def _blocker() -> Solved:
    return _verdict_on("mg-blocker", "Magnesium inside the fibre matters, magnesium outside hardly does.")


def _replenish() -> Solved:
    return _verdict_on("replenish", "Serum and cells are refilled on different clocks.")


def _stretch() -> Solved:
    return _verdict_on("stretch", "What stretching does tells where a cramp comes from.")


def _off() -> Solved:
    with_it, without = judged("ca-tetany"), judged("ca-tetany", off=True)
    right = "yes" if with_it.verdict != without.verdict else "no"
    return Solved(right, (
        f"With the mechanism the verdict is: {with_it.verdict}. Where {_claim('ca-tetany').without}: {without.verdict}. A verdict that stayed the "
        "same would have come from something else."
    ))


def _count() -> Solved:
    counts: Counter[str] = Counter(judged(claim.id).verdict for claim in ledger())
    told = ", ".join(f"{counts[v]} {v}" for v in VERDICTS if counts[v])
    return Solved(float(counts["supported"]), (
        f"Of {len(ledger())} claims: {told}. Most of the popular account is not false; it is true under conditions that it does not name."
    ), hint="Count the verdict 'supported' in the table.")


def _evidence() -> Solved:
    return Solved("what a model was tuned to show it shows whether or not it is true", (
        "What a model was built or tuned to show, it shows. It becomes evidence only where it could have come out otherwise."
    ))


EXERCISES = (
    _asked("k-fire", _fire),
    _asked("ca-tetany", _tetany),
    _asked("mg-blocker", _blocker),
    _asked("stretch", _stretch),
    _asked("replenish", _replenish),
    Exercise(
        "claims.off", "Surface charge is switched off: calcium no longer shifts the gates. Does the verdict on low calcium and tetany change?",
        Choice(("yes", "no")), _off,
    ),
    Exercise("claims.count", "How many of the claims are supported without reserve?", Number("1", 0.4), _count),
    Exercise("claims.evidence", "An axon was picked because it fires in low calcium. Why is its firing no evidence? Say it in a sentence.", Sentence({
        "how it came to show it": ("pick", "chosen", "chose", "tuned", "select", "built", "fitted"),
    }), _evidence),
)
