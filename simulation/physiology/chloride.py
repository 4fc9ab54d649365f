"""The chloride channel ClC-1, most of the resting conductance of muscle."""

from simulation.physiology.vocabulary import (
    cm_s,
    current_per_P,
    dimensionless,
    falling_rate,
    gate,
    mV,
    per_ms,
    sigmoid_rate,
    uA_cm2,
)


def alpha_c(V_Cl: mV, theta_gate: dimensionless, a_c: per_ms, Va_c: mV, ka_c: mV) -> per_ms:
    """Opening rate of ClC-1: rises on depolarisation."""
    return theta_gate * sigmoid_rate(V_Cl, a_c, Va_c, ka_c)


def beta_c(V_Cl: mV, theta_gate: dimensionless, b_c: per_ms, Vb_c: mV, kb_c: mV) -> per_ms:
    """Closing rate of ClC-1: falls on depolarisation."""
    return theta_gate * falling_rate(V_Cl, b_c, Vb_c, kb_c)


def I_Cl(P_Cl: cm_s, theta_P: dimensionless, c: gate, GHK_Cl: current_per_P) -> uA_cm2:
    """ClC-1 chloride current (Cannon laboratory 2024)."""
    return theta_P * P_Cl * c * GHK_Cl
