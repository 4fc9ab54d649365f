"""The human motor axon: node of Ranvier and internode, as lumps with absolute conductances (nS), capacitances (pF), currents (pA)."""

from simulation.physiology.vocabulary import (
    F,
    R,
    current_per_P,
    dimensionless,
    exp,
    exp_rate,
    falling_linoid_rate,
    gate,
    kelvin,
    linoid_rate,
    mM,
    ms,
    mV,
    mV_per_ms,
    nL_s,
    nS,
    pA,
    pA_ms,
    per_ms,
    per_ms_mV,
    pF,
    q10,
    rising_exp_rate,
    sigmoid_rate,
)

# ---- temperature: each kind of gate has its Q10


def theta_m(Q10_m: dimensionless, T: kelvin, T_ref: kelvin) -> dimensionless:
    """Factor of temperature on sodium activation, transient and persistent."""
    return q10(Q10_m, T, T_ref)


def theta_h(Q10_h: dimensionless, T: kelvin, T_ref: kelvin) -> dimensionless:
    """Factor of temperature on sodium inactivation."""
    return q10(Q10_h, T, T_ref)


def theta_K(Q10_K: dimensionless, T: kelvin, T_ref: kelvin) -> dimensionless:
    """Factor of temperature on potassium gates and HCN."""
    return q10(Q10_K, T, T_ref)


def theta_s(Q10_K: dimensionless, T: kelvin, T_ref_s: kelvin) -> dimensionless:
    """Factor of temperature on the slow potassium gate, whose rate is stated at a temperature of its own."""
    return q10(Q10_K, T, T_ref_s)


# ---- gates


def alpha_m(V_Na: mV, theta_m: dimensionless, a_m: per_ms_mV, Va_m: mV, ka_m: mV) -> per_ms:
    """Opening rate of sodium activation (Schwarz, Reid & Bostock 1995)."""
    return theta_m * linoid_rate(V_Na, a_m, Va_m, ka_m)


def beta_m(V_Na: mV, theta_m: dimensionless, b_m: per_ms_mV, Vb_m: mV, kb_m: mV) -> per_ms:
    """Closing rate of sodium activation (Schwarz, Reid & Bostock 1995)."""
    return theta_m * falling_linoid_rate(V_Na, b_m, Vb_m, kb_m)


def alpha_h(V_Na: mV, theta_h: dimensionless, a_h: per_ms_mV, Va_h: mV, ka_h: mV) -> per_ms:
    """Rate of recovery from inactivation (Schwarz, Reid & Bostock 1995)."""
    return theta_h * falling_linoid_rate(V_Na, a_h, Va_h, ka_h)


def beta_h(V_Na: mV, theta_h: dimensionless, b_h: per_ms, Vb_h: mV, kb_h: mV) -> per_ms:
    """Rate of inactivation (Schwarz, Reid & Bostock 1995)."""
    return theta_h * sigmoid_rate(V_Na, b_h, Vb_h, kb_h)


def alpha_p(V_Na: mV, theta_m: dimensionless, a_p: per_ms_mV, Va_p: mV, ka_p: mV) -> per_ms:
    """Opening rate of the persistent sodium channel: half that of m, 20 mV more negative (Hennings et al. 2005)."""
    return theta_m * linoid_rate(V_Na, a_p, Va_p, ka_p)


def beta_p(V_Na: mV, theta_m: dimensionless, b_p: per_ms_mV, Vb_p: mV, kb_p: mV) -> per_ms:
    """Closing rate of the persistent sodium channel (Hennings et al. 2005)."""
    return theta_m * falling_linoid_rate(V_Na, b_p, Vb_p, kb_p)


def alpha_n(V_K: mV, theta_K: dimensionless, a_n: per_ms_mV, Va_n: mV, ka_n: mV) -> per_ms:
    """Opening rate of the fast potassium channel (Schwarz, Reid & Bostock 1995)."""
    return theta_K * linoid_rate(V_K, a_n, Va_n, ka_n)


def beta_n(V_K: mV, theta_K: dimensionless, b_n: per_ms_mV, Vb_n: mV, kb_n: mV) -> per_ms:
    """Closing rate of the fast potassium channel (Schwarz, Reid & Bostock 1995)."""
    return theta_K * falling_linoid_rate(V_K, b_n, Vb_n, kb_n)


def alpha_s_node(V_K: mV, theta_K: dimensionless, a_s: per_ms_mV, Va_s: mV, ka_s: mV) -> per_ms:
    """Opening rate of the slow potassium channel as measured in the node (Schwarz, Reid & Bostock 1995)."""
    return theta_K * linoid_rate(V_K, a_s, Va_s, ka_s)


def beta_s_node(V_K: mV, theta_K: dimensionless, b_s: per_ms_mV, Vb_s: mV, kb_s: mV) -> per_ms:
    """Closing rate of the slow potassium channel as measured in the node (Schwarz, Reid & Bostock 1995)."""
    return theta_K * falling_linoid_rate(V_K, b_s, Vb_s, kb_s)


def alpha_s_K(V_K: mV, theta_s: dimensionless, A_s: per_ms, B_s: mV, C_s: mV) -> per_ms:
    """Opening rate of the KCNQ-like slow potassium channel, which gives late subexcitability (Howells et al. 2012)."""
    return theta_s * rising_exp_rate(V_K, A_s, B_s, C_s)


def beta_s_K(V_K: mV, theta_s: dimensionless, A_s: per_ms, B_s: mV, C_s: mV) -> per_ms:
    """Closing rate of the KCNQ-like slow potassium channel (Howells et al. 2012)."""
    return theta_s * exp_rate(V_K, A_s, B_s, C_s)


def alpha_q(V_K: mV, theta_K: dimensionless, A_H: per_ms, V_H: mV, k_H: mV) -> per_ms:
    """Opening rate of HCN: rises on hyperpolarisation (Howells et al. 2012)."""
    return theta_K * exp_rate(V_K, A_H, V_H, k_H)


def beta_q(V_K: mV, theta_K: dimensionless, A_H: per_ms, V_H: mV, k_H: mV) -> per_ms:
    """Closing rate of HCN (Howells et al. 2012)."""
    return theta_K * rising_exp_rate(V_K, A_H, V_H, k_H)


# ---- currents


def block(V: mV, T: kelvin, Ca_o: mM, w_block: dimensionless, K_block: mM, d_block: dimensionless) -> dimensionless:
    """Share of open sodium channels that calcium does not block (Woodhull 1973)."""
    return 1 / (1 + w_block * Ca_o / (K_block * exp(2 * d_block * V * F / (R * T))))


def I_NaT(P_Na: nL_s, f_p: dimensionless, m: gate, h: gate, block: dimensionless, GHK_Na: current_per_P) -> pA:
    """Transient sodium current."""
    return (1 - f_p) * P_Na * m**3 * h * block * GHK_Na


def I_NaP(P_Na: nL_s, f_p: dimensionless, p: gate, block: dimensionless, GHK_Na: current_per_P) -> pA:
    """Persistent sodium current."""
    return f_p * P_Na * p**3 * block * GHK_Na


def I_Na_node(P_Na: nL_s, m: gate, h: gate, GHK_Na: current_per_P) -> pA:
    """Sodium current of the isolated node (Schwarz, Reid & Bostock 1995)."""
    return P_Na * m**3 * h * GHK_Na


def I_Kf(g_Kf: nS, n: gate, V: mV, E_K: mV) -> pA:
    """Fast potassium current (Schwarz, Reid & Bostock 1995)."""
    return g_Kf * n**4 * (V - E_K)


def I_Ks(g_Ks: nS, s_K: gate, V: mV, E_K: mV) -> pA:
    """Slow potassium current (Schwarz, Reid & Bostock 1995)."""
    return g_Ks * s_K * (V - E_K)


def I_LK(g_LK: nS, V: mV, E_K: mV) -> pA:
    """Potassium leak."""
    return g_LK * (V - E_K)


def I_LNa(g_LNa: nS, phi: dimensionless, V: mV, E_Na: mV) -> pA:
    """Sodium leak (NALCN)."""
    return g_LNa * phi * (V - E_Na)


def I_L_node(g_L: nS, V: mV, E_L: mV) -> pA:
    """Leak current of the isolated node (Schwarz, Reid & Bostock 1995)."""
    return g_L * (V - E_L)


def I_H_K(g_H: nS, share_H_Na: dimensionless, q: gate, V: mV, E_K: mV) -> pA:
    """Potassium's part of the HCN current."""
    return (1 - share_H_Na) * g_H * q * (V - E_K)


def I_H_Na(g_H: nS, share_H_Na: dimensionless, q: gate, V: mV, E_Na: mV) -> pA:
    """Sodium's part of the HCN current."""
    return share_H_Na * g_H * q * (V - E_Na)


def pump_occupancy(K_o: mM, Na_i: mM, K_mK: mM, K_mNa: mM) -> dimensionless:
    """How far the pump is occupied by outer potassium and inner sodium."""
    return (1 + K_mK / K_o) ** -2 * (1 + K_mNa / Na_i) ** -3


def I_pump(I_max: pA, pump_share: dimensionless, pump_occupancy: dimensionless) -> pA:
    """Net outward current of the pump, 3 Na out for 2 K in; pump_share is what a block leaves of it."""
    return pump_share * I_max * pump_occupancy


def relief(Ca_o: mM, Mg_o: mM, K_Ca_NALCN: mM, K_Mg_NALCN: mM) -> dimensionless:
    """Share of the sodium leak that divalents do not hold shut (Lu et al. 2010)."""
    return 1 / (1 + Ca_o / K_Ca_NALCN + Mg_o / K_Mg_NALCN)


def phi(w_NALCN: dimensionless, relief: dimensionless, relief_ref: dimensionless) -> dimensionless:
    """Sodium leak relative to that in the reference bath (Lu et al. 2010; its size is uncertain)."""
    return 1 + w_NALCN * (relief / relief_ref - 1)


def K_periaxonal(K_o: mM, dK_periaxonal: mM) -> mM:
    """Potassium beneath the myelin: that of the bath and what activity has gathered there."""
    return K_o + dK_periaxonal


# ---- what each ion carries


def I_K_node(I_Kf: pA, I_Ks: pA, I_LK: pA) -> pA:
    """Potassium current of the node without the pump."""
    return I_Kf + I_Ks + I_LK


def I_K_internode(I_Kf: pA, I_Ks: pA, I_LK: pA, I_H_K: pA) -> pA:
    """Potassium current of the internode without the pump."""
    return I_Kf + I_Ks + I_LK + I_H_K


def I_Na_gated(I_NaT: pA, I_NaP: pA) -> pA:
    """Gated sodium current of the node."""
    return I_NaT + I_NaP


def I_Na_H(I_H_Na: pA) -> pA:
    """Gated sodium current of the internode."""
    return I_H_Na


def I_ion(I_K: pA, I_Na: pA, I_LNa: pA, I_pump: pA) -> pA:
    """Total ionic current."""
    return I_K + I_Na + I_LNa + I_pump


def I_ion_node(I_Na: pA, I_Kf: pA, I_Ks: pA, I_L: pA) -> pA:
    """Total ionic current of the isolated node."""
    return I_Na + I_Kf + I_Ks + I_L


# ---- balance at the reference: at V_0 and in the reference bath no sodium or potassium flows on balance


def g_LNa(I_K: pA, I_Na: pA, V_0: mV, E_Na: mV) -> nS:
    """Sodium leak that together with the gated sodium current brings in 3 sodium for 2 potassium that leave."""
    return (-3 * I_K / 2 - I_Na) / (V_0 - E_Na)


def I_max(I_K: pA, pump_occupancy: dimensionless) -> pA:
    """Pump that carries back what potassium loses."""
    return I_K / 2 / pump_occupancy


# ---- potentials: node and internode share the capacitance of the myelin


def I_stim(t: ms, I_0: pA, I_slope: pA_ms, t_0: ms) -> pA:
    """Stimulus between two edges of the protocol: a constant or a ramp. Depolarising is positive."""
    return I_0 + I_slope * (t - t_0)


def I_BB(G_BB: nS, V_n: mV, V_i: mV) -> pA:
    """Current from node to internode beneath and through the myelin (Barrett & Barrett 1982)."""
    return G_BB * (V_n - V_i)


def into_node(I_stim: pA, I_ion_n: pA, I_BB: pA) -> pA:
    """Current that charges the node."""
    return I_stim - I_ion_n - I_BB


def into_internode(I_BB: pA, I_ion_i: pA) -> pA:
    """Current that charges the internode."""
    return I_BB - I_ion_i


def dV_n_dt(into_node: pA, into_internode: pA, C_n: pF, C_my: pF, C_i: pF) -> mV_per_ms:
    """Membrane equation of the node, (C_n + C_my) V_n' - C_my V_i' = into_node solved with that of the internode."""
    return ((C_i + C_my) * into_node + C_my * into_internode) / ((C_n + C_my) * (C_i + C_my) - C_my * C_my)


def dV_i_dt(into_node: pA, into_internode: pA, C_n: pF, C_my: pF, C_i: pF) -> mV_per_ms:
    """Membrane equation of the internode, (C_i + C_my) V_i' - C_my V_n' = into_internode solved with that of the node."""
    return (C_my * into_node + (C_n + C_my) * into_internode) / ((C_n + C_my) * (C_i + C_my) - C_my * C_my)


def dV_dt(I_stim: pA, I_ion: pA, C_n: pF) -> mV_per_ms:
    """Membrane equation of the isolated node."""
    return (I_stim - I_ion) / C_n
