"""What joins sections of membrane into a cable: current along the axoplasm or myoplasm.

A section is stimulated by what flows in from its neighbours, g_axial (V before - V) + g_axial (V behind - V)."""

from simulation.physiology.vocabulary import Constant, cm, kOhm_cm, mS_cm2, nS, pi

_nS_per_mS = Constant(1e6, "1000000", "nS/mS")


def g_axial(r: cm, R_i: kOhm_cm, dx: cm) -> mS_cm2:
    """Conductance to the next section of a uniform fibre, per area of its surface (Hodgkin & Huxley 1952)."""
    return r / (2 * R_i * dx * dx)


def g_axial_internode(d: cm, R_i: kOhm_cm, L: cm) -> nS:
    """Conductance of the axoplasm from one node of Ranvier to the next."""
    return pi * (d / 2) ** 2 / (R_i * L) * _nS_per_mS
