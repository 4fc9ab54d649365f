"""The open lab: a serum panel of one's own, and channels of one's own in the squid axon."""

from __future__ import annotations

from functools import cache

from simulation.assembly.declare import Channel, Gate
from simulation.assembly.dimensions import UnitError
from simulation.classroom.exercise import Choice, Exercise, Solved
from simulation.classroom.laboratory import with_channel
from simulation.classroom.lessons.bench import membrane
from simulation.classroom.lessons.words import EASIER_HARDER, MORE_LESS_NEGATIVE, compared
from simulation.clinic import panel
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Pulse, protocol
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import run
from simulation.physiology.vocabulary import boltzmann, dimensionless, falling_boltzmann, gate, ms, mS_cm2, mV, uA_cm2

STEP = protocol(Pulse(10, 100, at=5), after=5)
PANEL = ("K=2.9", "Ca=1.95", "Mg=0.55", "albumin=32", "pH=7.5")
REFUSED, COMPUTED = "it refuses, because the units do not fit", "it computes with it"


def I_A(g_A: mS_cm2, a: gate, b: gate, V: mV, E_K: mV) -> uA_cm2:
    """A-type potassium current: opens on depolarisation and inactivates again (in the manner of Connor & Stevens 1971)."""
    return g_A * a**3 * b * (V - E_K)


def a_inf(V: mV, Vhalf_a: mV, k_a: mV) -> gate:
    """Steady activation of the A channel."""
    return boltzmann(V, Vhalf_a, k_a)


def tau_a(tau_a_0: ms) -> ms:
    """Time constant of its activation."""
    return tau_a_0


def b_inf(V: mV, Vhalf_b: mV, k_b: mV) -> gate:
    """Steady inactivation of the A channel."""
    return falling_boltzmann(V, Vhalf_b, k_b)


def tau_b(tau_b_0: ms) -> ms:
    """Time constant of its inactivation."""
    return tau_b_0


def I_ion_A(I_Na: uA_cm2, I_K: uA_cm2, I_L: uA_cm2, I_A: uA_cm2) -> uA_cm2:
    """Total ionic current with the A channel."""
    return I_Na + I_K + I_L + I_A


A_channel = Channel(
    "A channel", gates=(Gate("a", inf=a_inf, tau=tau_a), Gate("b", inf=b_inf, tau=tau_b, guess=0.5)), equations=(I_A,),
)
NUMBERS = {  # own choice, to show the effect
    "g_A": (12.0, "mS/cm2"), "Vhalf_a": (-50.0, "mV"), "k_a": (6.0, "mV"), "tau_a_0": (1.0, "ms"), "Vhalf_b": (-60.0, "mV"), "k_b": (5.0, "mV"),
    "tau_b_0": (20.0, "ms"),
}


def squid_with_A() -> Preparation:
    """The squid axon with an A channel whose numbers were chosen to show what it does."""
    return with_channel("squid", A_channel, {"I_ion": I_ion_A}, NUMBERS)


def _open_K(g_open: mS_cm2, V: mV, E_K: mV) -> uA_cm2:
    return g_open * (V - E_K)


def _with_open_K(I_Na: uA_cm2, I_K: uA_cm2, I_L: uA_cm2, I_open: uA_cm2) -> uA_cm2:
    return I_Na + I_K + I_L + I_open


def _without_drive(g_open: mS_cm2, w_open: dimensionless) -> uA_cm2:
    return g_open * w_open


def _rest() -> Solved:
    squid = membrane("squid")
    mine = with_channel("squid", Channel("open", named={"I_open": _open_K}), {"I_ion": _with_open_K}, {"g_open": (0.5, "mS/cm2")})
    before, after = find_rest(squid).V, find_rest(mine).V
    return Solved(compared(after, before, MORE_LESS_NEGATIVE, 0.2), (
        f"Rest goes from {before:.1f} to {after:.1f} mV: one more potassium channel draws it towards E_K, "
        f"{membrane('squid').parameters['E_K'].value:.0f} mV."
    ))


def _units() -> Solved:
    try:
        with_channel(
            "squid", Channel("open", named={"I_open": _without_drive}), {"I_ion": _with_open_K}, {"g_open": (0.5, "mS/cm2"), "w_open": (1.0, "1")})
        found, said = COMPUTED, "nothing"
    except UnitError as error:
        found, said = REFUSED, f"{error}"
    return Solved(found, f"It says: {said}. A conductance is no current: the driving force is lacking.")


def _spikes() -> Solved:
    before, after = (run(p, STEP).features.spikes for p in (membrane("squid"), squid_with_A()))
    return Solved(compared(after, before, ("fewer", "more", "the same number"), 0), (
        f"{after} instead of {before} spikes: between spikes the A channel opens where sodium current would have to win, and recovers from "
        "inactivation "
        "whenever V is low. It tips the balance against firing on. (Its numbers were chosen to show this.)"
    ))


@cache
def _reading() -> panel.Reading:
    return panel.examine(panel.read(PANEL))


def _panel() -> Solved:
    axon = _reading().membranes["axon"]
    return Solved(compared(axon.threshold_ratio, 1.0, EASIER_HARDER, 0.05), (
        f"The threshold is {100 * axon.threshold_ratio:.0f} % of that in health, although ionised calcium ({_reading().panel.Ca_ion:.2f} mM) and "
        "magnesium are low."
    ))


def _driver() -> Solved:
    drives = {name: change for name, (change, _) in _reading().drives.items()}
    right = max(drives, key=lambda name: abs(drives[name]))
    return Solved(right, f"It alone accounts for {drives[right]:+.0f} % of the threshold, the next for "
                  f"{sorted(drives.values(), key=abs)[-2]:+.0f} %. Reset it, and what is left points the other way.")


EXERCISES = (
    Exercise("open_lab.panel", "In the serum of this panel, the motor axon is … to excite.", Choice(EASIER_HARDER), _panel),
    Exercise("open_lab.driver", "Which of these values changes the axon's threshold most?", Choice(("K", "Ca", "Mg", "albumin", "pH")), _driver),
    Exercise("open_lab.rest", "A potassium channel that is always open is added to the squid axon. Its resting potential becomes …",
             Choice(MORE_LESS_NEGATIVE), _rest),
    Exercise("open_lab.units", "Suppose you forget the driving force and write the current as g alone. What does the program do?",
             Choice((REFUSED, COMPUTED)), _units),
    Exercise(
        "open_lab.spikes", "The axon with an A channel gets a step of 10 µA/cm² for 100 ms. It fires …",
        Choice(("fewer", "more", "the same number")), _spikes,
    ),
)
