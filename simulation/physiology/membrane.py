"""Membranes and the spaces that they bound: sarcolemma, tubule, myoplasm."""

from simulation.physiology.vocabulary import (
    F,
    Value,
    cm,
    dimensionless,
    kOhm_cm2,
    mM,
    mM_per_ms,
    ms,
    mS_cm2,
    ms_per_s,
    mV,
    mV_per_ms,
    uA_cm2,
    uA_cm2_ms,
    uF_cm2,
)


def I_stim(t: ms, I_0: uA_cm2, I_slope: uA_cm2_ms, t_0: ms) -> uA_cm2:
    """Stimulus between two edges of the protocol: a constant or a ramp. Depolarising is positive."""
    return I_0 + I_slope * (t - t_0)


# ---- the squid axon

def I_L(g_L: mS_cm2, V: mV, E_L: mV) -> uA_cm2:
    """Leak current (Hodgkin & Huxley 1952)."""
    return g_L * (V - E_L)


def I_ion_squid(I_Na: uA_cm2, I_K: uA_cm2, I_L: uA_cm2) -> uA_cm2:
    """Total ionic current of the squid axon."""
    return I_Na + I_K + I_L


def dV_dt(I_stim: uA_cm2, I_ion: uA_cm2, C_m: uF_cm2) -> mV_per_ms:
    """Membrane equation of a space-clamped axon."""
    return (I_stim - I_ion) / C_m


# ---- the muscle fibre, per area of the membrane concerned

def I_K(I_Kdr: uA_cm2, I_Kir: uA_cm2, I_KCNQ: uA_cm2, I_gp_K: uA_cm2, I_pump: uA_cm2, I_NKCC: uA_cm2) -> uA_cm2:
    """All that potassium carries outward: channels, pump (2 in), NKCC1 (1 in)."""
    return I_Kdr + I_Kir + I_KCNQ + I_gp_K - 2 * I_pump - I_NKCC


def I_Na_all(I_Na: uA_cm2, I_NaL: uA_cm2, I_gp_Na: uA_cm2, I_pump: uA_cm2, I_NKCC: uA_cm2) -> uA_cm2:
    """All that sodium carries outward: channels, pump (3 out), NKCC1 (1 in)."""
    return I_Na + I_NaL + I_gp_Na + 3 * I_pump - I_NKCC


def I_Cl_all(I_Cl: uA_cm2, I_NKCC: uA_cm2) -> uA_cm2:
    """All that chloride carries, outward positive as a current: channel, NKCC1 (2 in)."""
    return I_Cl + 2 * I_NKCC


def I_ion(I_K: uA_cm2, I_Na_all: uA_cm2, I_Cl_all: uA_cm2) -> uA_cm2:
    """Total ionic current."""
    return I_K + I_Na_all + I_Cl_all


def gamma(r: cm, rho: dimensionless, zeta: cm) -> dimensionless:
    """Area of tubular membrane per area of fibre surface, from the tubules' share rho of the volume
    and their volume-to-surface ratio zeta."""
    return r / 2 * rho / zeta


def I_access(V_s: mV, V_t: mV, R_a: kOhm_cm2) -> uA_cm2:
    """Current from the surface into the tubules through their access resistance, per area of fibre surface."""
    return (V_s - V_t) / R_a


def dV_s_dt(I_stim: uA_cm2, I_ion_s: uA_cm2, I_access: uA_cm2, C_m: uF_cm2) -> mV_per_ms:
    """Membrane equation of the sarcolemma."""
    return (I_stim - I_ion_s - I_access) / C_m


def dV_t_dt(I_access: uA_cm2, I_ion_t: uA_cm2, gamma: dimensionless, C_m: uF_cm2) -> mV_per_ms:
    """Membrane equation of the tubule."""
    return (I_access / gamma - I_ion_t) / C_m


def _lumen(outward: Value, c: Value, c_bath: Value, zeta: Value, tau_diff: Value) -> Value:
    return outward / (F * zeta) / ms_per_s - (c - c_bath) / tau_diff


def dK_t_dt(I_K_t: uA_cm2, K_t: mM, K_o: mM, zeta: cm, tau_diff: ms) -> mM_per_ms:
    """Potassium in the tubule: what its membrane lets out less what diffuses away."""
    return _lumen(I_K_t, K_t, K_o, zeta, tau_diff)


def dNa_t_dt(I_Na_all_t: uA_cm2, Na_t: mM, Na_o: mM, zeta: cm, tau_diff: ms) -> mM_per_ms:
    """Sodium in the tubule."""
    return _lumen(I_Na_all_t, Na_t, Na_o, zeta, tau_diff)


def dCl_t_dt(I_Cl_all_t: uA_cm2, Cl_t: mM, Cl_o: mM, zeta: cm, tau_diff: ms) -> mM_per_ms:
    """Chloride in the tubule."""
    return _lumen(-I_Cl_all_t, Cl_t, Cl_o, zeta, tau_diff)


def _myoplasm(I_s: Value, I_t: Value, gamma: Value, r: Value) -> Value:
    return -2 * (I_s + gamma * I_t) / (F * r) / ms_per_s


def dK_i_dt(I_K_s: uA_cm2, I_K_t: uA_cm2, gamma: dimensionless, r: cm) -> mM_per_ms:
    """Potassium in the myoplasm."""
    return _myoplasm(I_K_s, I_K_t, gamma, r)


def dNa_i_dt(I_Na_all_s: uA_cm2, I_Na_all_t: uA_cm2, gamma: dimensionless, r: cm) -> mM_per_ms:
    """Sodium in the myoplasm."""
    return _myoplasm(I_Na_all_s, I_Na_all_t, gamma, r)


def dCl_i_dt(I_Cl_all_s: uA_cm2, I_Cl_all_t: uA_cm2, gamma: dimensionless, r: cm) -> mM_per_ms:
    """Chloride in the myoplasm."""
    return -_myoplasm(I_Cl_all_s, I_Cl_all_t, gamma, r)
