"""Calcium: surface charge and tetany, the axon before the fibre."""

from __future__ import annotations

from simulation.classroom.exercise import Choice, Exercise, Number, Sentence, Solved
from simulation.classroom.lessons.bench import membrane
from simulation.classroom.lessons.words import LESS_MORE, YES_NO, compared
from simulation.experiment.excitability import SpontaneousRate
from simulation.experiment.junction import junction
from simulation.experiment.motor_unit import run_unit, unit
from simulation.experiment.protocol import Pulse, protocol
from simulation.experiment.rest import find_rest
from simulation.experiment.shift import gating_shift
from simulation.experiment.solve import run
from simulation.experiment.threshold import threshold_current

LOW = 0.6  # mM: ionised calcium, half of normal
ALIKE = 5.0  # percentage points: less is no difference
STAGES = {"the axon": "axon", "the junction": "junction", "the fibre": "muscle"}
FASTER, SAME, SILENT = "faster", "as before", "not at all"
WEAKER, UNCHANGED, STRONGER = "much weaker", "about the same", "much stronger"


def _fall(model: str) -> float:
    """Threshold to a 1 ms pulse in low calcium, as a percentage of normal."""
    p = membrane(model)
    return 100 * threshold_current(p.in_bath(Ca=LOW), 1.0) / threshold_current(p, 1.0)


def _shift() -> Solved:
    right = float(gating_shift(membrane("fibre").in_bath({"Ca": LOW}))["shift_Na"])
    return Solved(
        right, f"The sodium gates shift by {right:.1f} mV: they open at potentials that much more negative. It is little; what it does "
        "depends on how near the membrane is to its threshold.",
        slips=((-right, "The size is right, but the gates move to *more negative* potentials: the shift is negative."),),
        hint="Look at shift_Na of sim.gating_shift in that bath.",
    )


def _axon() -> Solved:
    share = _fall("axon")
    return Solved(compared(share, 100.0, LESS_MORE, 2.0), (
        f"The axon takes {share:.0f} % of the normal current. Its gates open more easily, while its rest hardly moves."
    ))


def _who() -> Solved:
    axon, fibre = _fall("axon"), _fall("fibre")
    right = "both alike" if abs(axon - fibre) < ALIKE else "the axon" if axon < fibre else "the fibre"
    return Solved(right, (
        f"The threshold of the axon falls to {axon:.0f} %, that of the fibre to {fibre:.0f} %. The shift is the same; the axon's threshold "
        "lies nearer "
        "to its rest, and a large chloride conductance calms the fibre."
    ))


def _mean() -> Solved:
    p = membrane("axon").in_bath({"Ca": LOW})
    rest = find_rest(p).at()
    fires = float(SpontaneousRate(length=500).of(p)["spontaneous_rate"]) > 0
    return Solved("yes" if fires else "no", (
        f"It rests at {rest.V:.0f} mV and stays there. In the model no average axon fires by itself in calcium that one survives; tetany begins at "
        "sites that are more "
        "excitable than the average."
    ))


def _breath() -> Solved:
    shift = float(gating_shift(membrane("axon").in_bath({"pH": 7.6}))["shift_Na"])
    right = "no effect" if abs(shift) < 0.1 else "in the same direction as low calcium" if shift < 0 else "in the opposite direction"
    return Solved(right, (
        f"At pH 7.6 the gates shift by {shift:+.1f} mV: protons leave the surface charge uncovered. On top of that more calcium is bound to "
        "albumin, so that "
        "ionised calcium falls. That is why hyperventilation gives tingling fingers."
    ))


def _junction() -> Solved:
    man, frog = (100 * junction(name, {"Ca": LOW}).release for name in ("junction", "junction_frog"))
    return Solved(
        man, f"{man:.0f} % of normal is left ({frog:.0f} % if man's junction had the frog's affinity). Here low calcium works *against* spasm; "
        "with a safety factor of 2 transmission just holds. Which affinity holds in man is not settled.",
        slips=((100 * LOW / junction().whole_bath["Ca"], "So it would be if release went in proportion to calcium. It takes several ions."),),
        hint="sim.junction(bath={'Ca': 0.6}).release is a share of 1.",
    )


def _where() -> Solved:
    parts = membrane("axon_rhythmic"), junction(), membrane("muscle")
    force = {name: float(run_unit(unit(*parts, baths={stage: {"Ca": 0.7}}), duration=300).force.max()) for name, stage in STAGES.items()}
    acting = [name for name, f in force.items() if f > 0.05]
    right = acting[0] if len(acting) == 1 else "none of them" if not acting else "more than one of them"
    return Solved(right, (
        "Highest force with 0.7 mM calcium at one stage: " + ", ".join(f"{name} {100 * f:.0f} %" for name, f in force.items()) + ". Tetany "
        "is an affair of "
        "nerve: a nerve block below the excitable site would end it. (That this axon fires is no finding: it was picked because it does.)"
    ))


def _potassium() -> Solved:
    of = SpontaneousRate(length=500)
    before, after = (float(of.of(membrane("axon_rhythmic").in_bath(bath))["spontaneous_rate"]) for bath in ({"Ca": 0.7}, {"Ca": 0.7, "K": 3.0}))
    right = SILENT if after == 0 else FASTER if after > 1.1 * before else SAME
    return Solved(right, (
        f"It fires at {before:.0f} Hz, with potassium at 3 mM at {after:.0f} Hz. Low potassium hyperpolarises the axon and takes back what "
        "low calcium gave. Who "
        "mends potassium alone may uncover tetany."
    ))


def _twitch() -> Solved:
    def peak(Ca: float) -> float:
        return float(run(membrane("muscle").in_bath({"Ca": Ca}), protocol(Pulse(300, 0.5, at=5), duration=250))["force"].max())

    normal, low = peak(1.2), peak(LOW)
    right = WEAKER if low < 0.8 * normal else STRONGER if low > 1.2 * normal else UNCHANGED
    return Solved(right, (
        f"The twitch reaches {100 * low:.1f} instead of {100 * normal:.1f} % of full force. The calcium of contraction comes from the store "
        "inside the fibre and goes "
        "back there; none has to enter from outside."
    ))


def _store() -> Solved:
    return Solved("its calcium comes from the store inside", (
        "Skeletal muscle contracts on calcium out of its own store, and the gate of the store is opened by voltage, not by calcium from outside."
    ))


EXERCISES = (
    Exercise("calcium.shift", "By how much do the sodium gates shift when ionised calcium falls from 1.2 to 0.6 mM?", Number("mV", 0.5), _shift),
    Exercise("calcium.axon", "Calcium is halved. How much current does it take to fire a motor axon?", Choice(LESS_MORE), _axon),
    Exercise(
        "calcium.who", "Whose threshold falls by more, that of the axon or that of the muscle fibre?",
        Choice(("the axon", "the fibre", "both alike")), _who,
    ),
    Exercise("calcium.mean", "Does the average axon fire by itself in 0.6 mM calcium?", Choice(YES_NO), _mean),
    Exercise(
        "calcium.potassium", "An excitable axon fires in 0.7 mM calcium. Now potassium falls, too, to 3 mM. It fires …",
        Choice((FASTER, SAME, SILENT)), _potassium,
    ),
    Exercise(
        "calcium.breath", "Someone breathes too fast, the pH of the blood rises to 7.6. In which direction do the gates shift?",
        Choice(("in the same direction as low calcium", "in the opposite direction", "no effect")), _breath,
    ),
    Exercise("calcium.junction", "How much of transmitter release is left at the junction in 0.6 mM calcium?", Number("percent", 3.0), _junction),
    Exercise("calcium.twitch", "A fibre lies in 0.6 mM calcium and is fired once. Its twitch is …", Choice((WEAKER, UNCHANGED, STRONGER)), _twitch),
    Exercise("calcium.store", "Why does the twitch depend so little on calcium outside? Say it in a sentence.", Sentence({
        "where its calcium comes from": ("store", "reticulum", "sr", "inside", "terminal cistern"),
    }), _store),
    Exercise(
        "calcium.where", "A motor unit with an excitable axon. Calcium is lowered to 0.7 mM around one part only. Which part makes the  …"
        "muscle contract?",
        Choice((*STAGES, "none of them", "more than one of them")), _where,
    ),
)
