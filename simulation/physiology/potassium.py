"""Potassium channels: delayed rectifier, inward rectifier, KCNQ."""

from simulation.physiology.vocabulary import (
    boltzmann,
    cm_s,
    current_per_P,
    dimensionless,
    exp_rate,
    falling_boltzmann,
    gate,
    linoid_rate,
    ms,
    mS_cm2,
    mV,
    per_ms,
    per_ms_mV,
    rising_exp_rate,
    uA_cm2,
)


def alpha_n(V_K: mV, theta_gate: dimensionless, a_n: per_ms_mV, Va_n: mV, ka_n: mV) -> per_ms:
    """Opening rate of the delayed rectifier (Hodgkin & Huxley 1952)."""
    return theta_gate * linoid_rate(V_K, a_n, Va_n, ka_n)


def beta_n(V_K: mV, theta_gate: dimensionless, b_n: per_ms, Vb_n: mV, kb_n: mV) -> per_ms:
    """Closing rate of the delayed rectifier (Hodgkin & Huxley 1952)."""
    return theta_gate * exp_rate(V_K, b_n, Vb_n, kb_n)


def h_K_inf(V_K: mV, Vhalf_hK: mV, k_hK: mV) -> gate:
    """Steady state of the delayed rectifier's inactivation (Adrian, Chandler & Hodgkin 1970)."""
    return falling_boltzmann(V_K, Vhalf_hK, k_hK)


def tau_h_K(theta_gate: dimensionless, tau_hK: ms) -> ms:
    """Time constant of the delayed rectifier's inactivation."""
    return tau_hK / theta_gate


def I_Kdr(P_Kdr: cm_s, theta_P: dimensionless, n: gate, h_K: gate, GHK_K: current_per_P) -> uA_cm2:
    """Delayed-rectifier potassium current (Adrian, Chandler & Hodgkin 1970)."""
    return theta_P * P_Kdr * n**4 * h_K * GHK_K


def I_K_squid(g_K: mS_cm2, n: gate, V: mV, E_K: mV) -> uA_cm2:
    """Potassium current of the squid axon (Hodgkin & Huxley 1952)."""
    return g_K * n**4 * (V - E_K)


def y_Kir(V: mV, E_K: mV, Vhalf_Kir: mV, nu_Kir: mV) -> gate:
    """Share of inward rectifiers open: it follows V - E_K, not V (Hagiwara & Takahashi 1974)."""
    return falling_boltzmann(V - E_K, Vhalf_Kir, nu_Kir)


def I_Kir(P_Kir: cm_s, theta_P: dimensionless, y_Kir: gate, GHK_K: current_per_P) -> uA_cm2:
    """Inward-rectifier potassium current (Hagiwara & Takahashi 1974)."""
    return theta_P * P_Kir * y_Kir * GHK_K


def q_inf(V_K: mV, Vhalf_q: mV, k_q: mV) -> gate:
    """Steady activation of KCNQ."""
    return boltzmann(V_K, Vhalf_q, k_q)


def tau_q(V_K: mV, theta_gate: dimensionless, a_q: per_ms, Va_q: mV, ka_q: mV, b_q: per_ms, Vb_q: mV, kb_q: mV) -> ms:
    """Time constant of KCNQ."""
    return 1 / (theta_gate * (rising_exp_rate(V_K, a_q, Va_q, ka_q) + exp_rate(V_K, b_q, Vb_q, kb_q)))


def I_KCNQ(P_KCNQ: cm_s, theta_P: dimensionless, q: gate, GHK_K: current_per_P) -> uA_cm2:
    """KCNQ potassium current."""
    return theta_P * P_KCNQ * q * GHK_K
