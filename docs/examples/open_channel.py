"""A channel put into the squid axon: one equation, one number, and the sum that it joins."""

import simulation as sim
from simulation.assembly import Channel
from simulation.classroom import with_channel
from simulation.physiology.vocabulary import mS_cm2, mV, uA_cm2


def I_open(g_open: mS_cm2, V: mV, E_K: mV) -> uA_cm2:
    """A potassium channel that is always open."""
    return g_open * (V - E_K)


def I_ion_open(I_Na: uA_cm2, I_K: uA_cm2, I_L: uA_cm2, I_open: uA_cm2) -> uA_cm2:
    """Total ionic current, with the new one."""
    return I_Na + I_K + I_L + I_open


def main() -> None:
    squid = sim.prepare("squid")
    mine = with_channel("squid", Channel("open channel", equations=(I_open,)), {"I_ion": I_ion_open}, {"g_open": (0.5, "mS/cm2")})
    for name, axon in (("without", squid), ("with", mine)):
        print(f"{name:>7} it: rest {sim.find_rest(axon).V:5.1f} mV, threshold {sim.threshold_current(axon, 1.0):4.1f} uA/cm2")


if __name__ == "__main__":
    main()
