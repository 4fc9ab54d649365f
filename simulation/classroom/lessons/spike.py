"""The action potential: the squid axon of 1952, then the muscle fibre."""

from __future__ import annotations

import numpy as np

from simulation.classroom.exercise import Choice, Exercise, Number, Sentence, Solved
from simulation.classroom.lessons.bench import membrane
from simulation.classroom.lessons.words import YES_NO, compared
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Pulse, protocol
from simulation.experiment.recording import Recording
from simulation.experiment.solve import run
from simulation.experiment.threshold import onset, threshold_current

STRENGTH = 20.0  # uA/cm2: of the 1 ms pulse that the squid axon gets in this lesson
MUCH_HIGHER, ABOUT_THE_SAME, LOWER = "much higher", "about the same", "lower"
OUTWARD = {"the delayed rectifier": "I_Kdr_s", "the inward rectifier": "I_Kir_s", "chloride channels": "I_Cl_s"}


def _squid(p: Preparation | None = None, strength: float = STRENGTH) -> Recording:
    return run(p or membrane("squid"), protocol(Pulse(strength, 1, at=2), duration=22))


def _spike(p: Preparation, strength: float = STRENGTH) -> tuple[float, float]:
    """Peak (mV) and half-width (ms)."""
    f = _squid(p, strength).features
    assert f.peak is not None
    assert f.half_width is not None
    return f.peak, f.half_width


def _all_or_none() -> Solved:
    squid = membrane("squid")
    once, twice = _spike(squid)[0], _spike(squid, 2 * STRENGTH)[0]
    right = MUCH_HIGHER if twice > once + 10 else LOWER if twice < once - 2 else ABOUT_THE_SAME
    return Solved(right, (
        f"The peak is {twice:.1f} instead of {once:.1f} mV. Once the sodium channels open each other the stimulus has nothing more to say: the "
        "spike is all or none, and its peak is set by the sodium gradient and by how many channels open."
    ))


def _threshold() -> Solved:
    right = threshold_current(membrane("squid"), 1.0)
    return Solved(
        right, f"At {right:.2f} µA/cm² for 1 ms sodium current just outweighs potassium and leak: from there on the membrane goes by itself.",
        hint="Halve the distance between a pulse that fires and one that does not, or ask sim.threshold_current(squid, 1.0).",
    )


def _at_peak() -> Solved:
    done = _squid()
    i = int(np.argmax(done.V))
    Na, K, L = (float(done[s][i]) for s in ("I_Na", "I_K", "I_L"))
    even = abs(Na + K + L) < 0.1 * abs(Na)
    return Solved("they balance" if even else "sodium" if abs(Na) > abs(K) else "potassium", (
        f"At the peak sodium carries {Na:.0f}, potassium {K:+.0f} and the leak {L:+.0f} µA/cm². At a peak V stands still for a moment, so the "
        "whole ionic current is zero there, whatever its parts are."
    ))


def _fewer_K() -> Solved:
    squid = membrane("squid")
    before, after = _spike(squid)[1], _spike(squid.scaled({"g_K": 0.5}))[1]
    return Solved(compared(after, before, ("shorter", "longer", "the same"), 0.02), (
        f"Half-width goes from {before:.2f} to {after:.2f} ms. The inactivation of sodium channels would end the spike alone; potassium channels "
        "make it end soon."
    ))


def _anode_break() -> Solved:
    done = run(membrane("squid"), protocol(Pulse(-10, 20, at=5), duration=50))
    right = "yes" if done.features.spikes else "no"
    return Solved(right, (
        f"While the membrane is held down, to {done.V.min():.0f} mV, sodium channels recover from inactivation and potassium channels close. Let go, "
        "it is more excitable than at rest: a spike without any depolarising stimulus, called anode-break excitation."
    ))


def _second() -> Solved:
    squid = membrane("squid")

    def fires(interval: float) -> bool:
        pulses = Pulse(STRENGTH, 1, at=2), Pulse(STRENGTH, 1, at=2 + interval)
        return run(squid, protocol(*pulses, duration=interval + 25)).features.spikes == 2

    right = onset(fires, 5.0, 20.0, 0.1)
    return Solved(
        right, f"From {right:.1f} ms on the second pulse fires, too. Before that sodium channels are still inactivated, potassium channels open.",
        hint="Move the second pulse and count the spikes; between 10 and 15 ms something changes.",
    )


def _warm() -> Solved:
    squid = membrane("squid")
    (peak, width), (warm_peak, warm_width) = _spike(squid), _spike(squid.in_bath(T=25))
    right = f"{'shorter' if warm_width < width else 'longer'} and {'lower' if warm_peak < peak else 'higher'}"
    return Solved(right, (
        f"At 25 °C the spike lasts {warm_width:.2f} instead of {width:.2f} ms and reaches {warm_peak:.0f} instead of {peak:.0f} mV. All gates "
        "move faster, "
        "but the capacitance has to be charged as before: potassium channels catch up with the sodium channels earlier."
    ))


def _tubule() -> Solved:
    done = run(membrane("fibre"), protocol(Pulse(300, 0.5, at=2), duration=25))
    right = float(done["K_t"].max() - done["K_t"][0])
    return Solved(
        right, f"One spike raises potassium in the tubules by {right:.2f} mM. (A model's value: measurements on frog and goat gave about 0.3 mM.)",
        slips=((float(done["K_t"].max()), "That is the highest concentration; how much of it did the spike add?"),),
        hint="recording['K_t'] is the concentration in the tubules at every time.",
    )


def _repolarises() -> Solved:
    done = run(membrane("fibre"), protocol(Pulse(300, 0.5, at=2), duration=25))
    top = int(np.argmax(done.V))
    falling = (done.t > done.t[top]) & (done.t < done.t[top] + 1.0)
    most = {name: float(done[s][falling].max()) for name, s in OUTWARD.items()}
    right = max(most, key=lambda name: most[name])
    told = ", ".join(f"{name} {most[name]:.0f}" for name in most)
    return Solved(right, (
        f"In the millisecond after the peak the largest outward currents are: {told} µA/cm². The inward rectifier closes on depolarisation, "
        "chloride channels open too slowly; they are for rest."
    ))


def _refractory() -> Solved:
    return Solved("sodium channels are inactivated and potassium channels are still open", (
        "Inactivated sodium channels need time at a negative potential before they can open again, and open potassium channels work against "
        "the stimulus."
    ))


EXERCISES = (
    Exercise("spike.all_or_none", "A pulse fires the axon. The pulse is made twice as strong. The peak of the spike will be …",
             Choice((MUCH_HIGHER, ABOUT_THE_SAME, LOWER)), _all_or_none),
    Exercise("spike.threshold", "What is the smallest current of a 1 ms pulse that makes the squid axon fire?", Number("uA/cm2", 0.3), _threshold),
    Exercise("spike.at_peak", "At the peak of the spike, which current is larger, that of sodium or that of potassium (with the leak)?",
             Choice(("sodium", "potassium", "they balance")), _at_peak),
    Exercise("spike.fewer_K", "Half of the potassium channels are blocked. The spike becomes …", Choice(("shorter", "longer", "the same")), _fewer_K),
    Exercise(
        "spike.anode_break", "The axon is held *down* by a current of -10 µA/cm² for 20 ms, then let go. Does it fire?",
        Choice(YES_NO), _anode_break,
    ),
    Exercise("spike.second", "Two equal pulses (20 µA/cm², 1 ms). How far apart must they be for both to fire?", Number("ms", 1.0), _second),
    Exercise("spike.refractory", "Why does the second pulse fail when it comes too early? Say it in a sentence.", Sentence({
        "sodium channels": ("sodium", "na"), "their inactivation": ("inactiv", "refractor", "recover", "not yet ready"),
    }), _refractory),
    Exercise("spike.warm", "The axon is warmed from 6.3 to 25 °C. Its spike becomes …",
             Choice(("shorter and lower", "shorter and higher", "longer and lower", "longer and higher")), _warm),
    Exercise("spike.repolarises", "Which channels bring a muscle fibre down from the peak?", Choice(tuple(OUTWARD)), _repolarises),
    Exercise("spike.tubule", "By how much does one spike raise potassium in the tubules of the fibre?", Number("mM", 0.2), _tubule),
)
