"""Sodium channels: the squid axon's of 1952, the muscle's NaV1.4 with fast and slow inactivation, leaks."""

from simulation.physiology.vocabulary import (
    boltzmann,
    cm_s,
    current_per_P,
    dimensionless,
    exp_rate,
    falling_boltzmann,
    falling_rate,
    gate,
    linoid_rate,
    ms,
    mS_cm2,
    mV,
    per_ms,
    per_ms_mV,
    sigmoid_rate,
    uA_cm2,
)


def alpha_m(V_Na: mV, theta_gate: dimensionless, a_m: per_ms_mV, Va_m: mV, ka_m: mV) -> per_ms:
    """Opening rate of activation (Hodgkin & Huxley 1952)."""
    return theta_gate * linoid_rate(V_Na, a_m, Va_m, ka_m)


def beta_m(V_Na: mV, theta_gate: dimensionless, b_m: per_ms, Vb_m: mV, kb_m: mV) -> per_ms:
    """Closing rate of activation (Hodgkin & Huxley 1952)."""
    return theta_gate * exp_rate(V_Na, b_m, Vb_m, kb_m)


def m_inf(V_Na: mV, Vhalf_m: mV, k_m: mV) -> gate:
    """Steady activation of NaV1.4: m_inf^3 is a Boltzmann curve (Cannon laboratory 2024)."""
    return boltzmann(V_Na, Vhalf_m, k_m) ** (1 / 3)


def tau_m(alpha_m: per_ms, beta_m: per_ms) -> ms:
    """Time constant of activation."""
    return 1 / (alpha_m + beta_m)


def h_inf(V_Na: mV, Vhalf_h: mV, k_h: mV) -> gate:
    """Steady state of fast inactivation."""
    return falling_boltzmann(V_Na, Vhalf_h, k_h)


def alpha_h(V_Na: mV, theta_gate: dimensionless, a_h: per_ms, Va_h: mV, ka_h: mV) -> per_ms:
    """Rate of recovery from fast inactivation, saturating (Cannon laboratory 2024)."""
    return theta_gate * falling_rate(V_Na, a_h, Va_h, ka_h)


def alpha_h_squid(V_Na: mV, theta_gate: dimensionless, a_h: per_ms, Va_h: mV, ka_h: mV) -> per_ms:
    """Rate of recovery from inactivation (Hodgkin & Huxley 1952)."""
    return theta_gate * exp_rate(V_Na, a_h, Va_h, ka_h)


def beta_h(V_Na: mV, theta_gate: dimensionless, b_h: per_ms, Vb_h: mV, kb_h: mV) -> per_ms:
    """Rate of inactivation (Hodgkin & Huxley 1952)."""
    return theta_gate * sigmoid_rate(V_Na, b_h, Vb_h, kb_h)


def tau_h(alpha_h: per_ms, beta_h: per_ms) -> ms:
    """Time constant of fast inactivation."""
    return 1 / (alpha_h + beta_h)


def s_inf(V_Na: mV, Vhalf_s: mV, k_s: mV, s_0: gate) -> gate:
    """Steady state of slow inactivation, which is never complete (Hayward, Brown & Cannon 1997)."""
    return s_0 + (1 - s_0) * falling_boltzmann(V_Na, Vhalf_s, k_s)


def tau_s(V_Na: mV, theta_gate: dimensionless, a_s: per_ms, Va_s: mV, ka_s: mV, b_s: per_ms, Vb_s: mV, kb_s: mV) -> ms:
    """Time constant of slow inactivation (Hayward, Brown & Cannon 1997)."""
    return 1 / (theta_gate * (exp_rate(V_Na, a_s, Va_s, ka_s) + sigmoid_rate(V_Na, b_s, Vb_s, kb_s)))


def I_Na(P_Na: cm_s, theta_P: dimensionless, m: gate, h: gate, s: gate, f_Na: gate, GHK_Na: current_per_P) -> uA_cm2:
    """Sodium current of NaV1.4; the share f_Na of channels does not inactivate fast (Cannon laboratory 2024)."""
    return theta_P * P_Na * m**3 * s * (h * (1 - f_Na) + f_Na) * GHK_Na


def I_NaL(P_NaL: cm_s, theta_P: dimensionless, GHK_Na: current_per_P) -> uA_cm2:
    """Background sodium leak."""
    return theta_P * P_NaL * GHK_Na


def I_Na_squid(g_Na: mS_cm2, m: gate, h: gate, V: mV, E_Na: mV) -> uA_cm2:
    """Sodium current of the squid axon (Hodgkin & Huxley 1952)."""
    return g_Na * m**3 * h * (V - E_Na)


def w_gp(V: mV, Vhalf_gp: mV, k_gp: mV) -> gate:
    """Share of gating pores open: they leak at rest and close on depolarisation (Cannon laboratory 2024)."""
    return falling_boltzmann(V, Vhalf_gp, k_gp)


def I_gp_Na(P_gp: cm_s, theta_P: dimensionless, w_gp: gate, GHK_Na: current_per_P) -> uA_cm2:
    """Sodium current through the gating pore of a mutant channel (hypokalaemic periodic paralysis)."""
    return theta_P * P_gp * w_gp * GHK_Na


def I_gp_K(P_gp: cm_s, theta_P: dimensionless, w_gp: gate, GHK_K: current_per_P) -> uA_cm2:
    """Potassium current through the gating pore of a mutant channel (hypokalaemic periodic paralysis)."""
    return theta_P * P_gp * w_gp * GHK_K
