"""Calcium across the membrane of the tubules: L-type channel, sodium-calcium exchange, calcium pump, background leak.

Standard forms of cardiac models, not fitted to skeletal muscle: a hypothesis to be switched on, not part of contraction in health. The
calcium of the tubule's lumen is taken as that of the bath."""

from simulation.physiology.vocabulary import (
    F,
    R,
    boltzmann,
    cm,
    cm_s,
    current_per_P,
    dimensionless,
    exp,
    falling_boltzmann,
    gate,
    ghk_current,
    kelvin,
    mM,
    mM_per_ms,
    ms,
    ms_per_s,
    mV,
    uA_cm2,
    umol_cm2_s,
)


def GHK_Ca(V: mV, T: kelvin, Ca_i: mM, Ca_o: mM) -> current_per_P:
    """Calcium current of an open pore per permeability (Goldman 1943, Hodgkin & Katz 1949)."""
    return ghk_current(+2, V, T, Ca_i, Ca_o)


def d_inf(V_K: mV, Vhalf_d: mV, k_d: mV) -> gate:
    """Steady activation of the L-type channel."""
    return boltzmann(V_K, Vhalf_d, k_d)


def tau_d(theta_gate: dimensionless, tau_d_0: ms) -> ms:
    """Time constant of the L-type channel's activation, slow in skeletal muscle."""
    return tau_d_0 / theta_gate


def f_inf(V_K: mV, Vhalf_f: mV, k_f: mV) -> gate:
    """Steady inactivation of the L-type channel."""
    return falling_boltzmann(V_K, Vhalf_f, k_f)


def tau_f(theta_gate: dimensionless, tau_f_0: ms) -> ms:
    """Time constant of the L-type channel's inactivation."""
    return tau_f_0 / theta_gate


def I_CaL(P_CaL: cm_s, theta_P: dimensionless, d_L: gate, f_L: gate, GHK_Ca: current_per_P) -> uA_cm2:
    """L-type calcium current."""
    return theta_P * P_CaL * d_L * f_L * GHK_Ca


def I_CaB(P_CaB: cm_s, theta_P: dimensionless, GHK_Ca: current_per_P) -> uA_cm2:
    """Background calcium leak."""
    return theta_P * P_CaB * GHK_Ca


def I_PMCA(J_PMCA: umol_cm2_s, theta_P: dimensionless, Ca_i: mM, K_PMCA: mM) -> uA_cm2:
    """Current of the sarcolemma's calcium pump."""
    return 2 * (F * J_PMCA) * theta_P * Ca_i / (Ca_i + K_PMCA)


def I_NCX(
    J_NCX: umol_cm2_s, theta_P: dimensionless, V: mV, T: kelvin, Na_i: mM, Na_o: mM, Ca_i: mM, Ca_o: mM, eta_NCX: dimensionless,
    k_sat: dimensionless, K_NCX_Na: mM, K_NCX_Ca: mM,
) -> uA_cm2:
    """Sodium-calcium exchange, 3 Na for 1 Ca, which turns at E_NCX = 3 E_Na - 2 E_Ca (form of Luo & Rudy 1994).

    Outward when sodium leaves and calcium enters."""
    u = V * F / (R * T)
    turn = exp(eta_NCX * u) * Na_i**3 * Ca_o - exp((eta_NCX - 1) * u) * Na_o**3 * Ca_i
    return F * J_NCX * theta_P * turn / ((K_NCX_Na**3 + Na_o**3) * (K_NCX_Ca + Ca_o) * (1 + k_sat * exp((eta_NCX - 1) * u)))


def I_Na_exchanging(I_Na: uA_cm2, I_NaL: uA_cm2, I_gp_Na: uA_cm2, I_pump: uA_cm2, I_NKCC: uA_cm2, I_NCX: uA_cm2) -> uA_cm2:
    """All that sodium carries outward: channels, pump (3 out), NKCC1 (1 in), exchange (3 for a calcium)."""
    return I_Na + I_NaL + I_gp_Na + 3 * I_pump - I_NKCC + 3 * I_NCX


def I_Ca_all(I_CaL: uA_cm2, I_CaB: uA_cm2, I_PMCA: uA_cm2, I_NCX: uA_cm2) -> uA_cm2:
    """All that calcium carries outward: channel, leak, pump, exchange (1 for 3 sodium)."""
    return I_CaL + I_CaB + I_PMCA - 2 * I_NCX


def I_ion_calcium(I_K: uA_cm2, I_Na_all: uA_cm2, I_Cl_all: uA_cm2, I_Ca_all: uA_cm2) -> uA_cm2:
    """Total ionic current with that of calcium."""
    return I_K + I_Na_all + I_Cl_all + I_Ca_all


def J_Ca_membrane(I_Ca_all_t: uA_cm2, gamma: dimensionless, r: cm) -> mM_per_ms:
    """Calcium that the myoplasm gains through the tubules' membrane, per volume of fibre."""
    return -gamma * I_Ca_all_t / (F * r) / ms_per_s
