"""Troponin with two calcium sites, cross-bridges and force (Shorten et al. 2007, after Razumova, Bukatina & Campbell 1999).

T, CaT and CaCaT: tropomyosin blocks the site; D_0 to D_2: it does not; A_1: bridge attached before its stroke; A_2: after it, bearing force.
T is what is left of all regulatory units, so that their number stays."""

from simulation.physiology.vocabulary import dimensionless, gate, kelvin, mM, mM_per_ms, per_mM, per_mM_ms, per_ms, q10


def theta_troponin(Q10_troponin: dimensionless, T: kelvin, T_ref_force: kelvin) -> dimensionless:
    """Factor of temperature on calcium's binding to troponin and on tropomyosin."""
    return q10(Q10_troponin, T, T_ref_force)


def theta_bridge(Q10_bridge: dimensionless, T: kelvin, T_ref_force: kelvin) -> dimensionless:
    """Factor of temperature on the cycle of cross-bridges."""
    return q10(Q10_bridge, T, T_ref_force)


def Tn(Tn_tot: mM, CaT: mM, CaCaT: mM, D_0: mM, D_1: mM, D_2: mM, A_1: mM, A_2: mM) -> mM:
    """Regulatory units without calcium and blocked: all that are in no other state."""
    return Tn_tot - CaT - CaCaT - D_0 - D_1 - D_2 - A_1 - A_2


def J_T1(theta_troponin: dimensionless, k_T: per_mM_ms, k_T_off: per_ms, Ca_i: mM, Tn: mM, CaT: mM) -> mM_per_ms:
    """First calcium on a blocked unit."""
    return theta_troponin * (k_T * Ca_i * Tn - k_T_off * CaT)


def J_T2(theta_troponin: dimensionless, k_T: per_mM_ms, k_T_off: per_ms, Ca_i: mM, CaT: mM, CaCaT: mM) -> mM_per_ms:
    """Second calcium on a blocked unit."""
    return theta_troponin * (k_T * Ca_i * CaT - k_T_off * CaCaT)


def J_D1(theta_troponin: dimensionless, k_T: per_mM_ms, k_T_off: per_ms, Ca_i: mM, D_0: mM, D_1: mM) -> mM_per_ms:
    """First calcium on a unit that is not blocked."""
    return theta_troponin * (k_T * Ca_i * D_0 - k_T_off * D_1)


def J_D2(theta_troponin: dimensionless, k_T: per_mM_ms, k_T_off: per_ms, Ca_i: mM, D_1: mM, D_2: mM) -> mM_per_ms:
    """Second calcium on a unit that is not blocked."""
    return theta_troponin * (k_T * Ca_i * D_1 - k_T_off * D_2)


def J_unblock_0(theta_troponin: dimensionless, k_0: per_ms, k_0_off: per_ms, Tn: mM, D_0: mM) -> mM_per_ms:
    """Tropomyosin that moves away without calcium."""
    return theta_troponin * (k_0 * Tn - k_0_off * D_0)


def J_unblock_1(theta_troponin: dimensionless, k_0: per_ms, k_0_off: per_ms, CaT: mM, D_1: mM) -> mM_per_ms:
    """Tropomyosin that moves away with one calcium."""
    return theta_troponin * (k_0 * CaT - k_0_off * D_1)


def J_unblock_2(theta_troponin: dimensionless, k_2: per_ms, k_2_off: per_ms, CaCaT: mM, D_2: mM) -> mM_per_ms:
    """Tropomyosin that moves away with two calcium."""
    return theta_troponin * (k_2 * CaCaT - k_2_off * D_2)


def J_attach(theta_bridge: dimensionless, f_0: per_ms, f_p: per_ms, D_2: mM, A_1: mM) -> mM_per_ms:
    """Cross-bridges that attach."""
    return theta_bridge * (f_0 * D_2 - f_p * A_1)


def J_stroke(
    theta_bridge: dimensionless, h_0: per_ms, h_p: per_ms, w_Pi: per_mM, Pi: mM, Pi_0_ref: mM, A_1: mM, A_2: mM
) -> mM_per_ms:
    """Strokes, each of which sets a phosphate free; phosphate beyond the reference turns them back."""
    return theta_bridge * (h_0 * A_1 - h_p * (1 + w_Pi * (Pi - Pi_0_ref)) * A_2)


def J_detach(theta_bridge: dimensionless, g_0: per_ms, A_2: mM) -> mM_per_ms:
    """Cross-bridges that let go."""
    return theta_bridge * g_0 * A_2


def J_troponin(J_T1: mM_per_ms, J_T2: mM_per_ms, J_D1: mM_per_ms, J_D2: mM_per_ms) -> mM_per_ms:
    """Calcium that troponin takes up."""
    return J_T1 + J_T2 + J_D1 + J_D2


def dCaT_dt(J_T1: mM_per_ms, J_T2: mM_per_ms, J_unblock_1: mM_per_ms) -> mM_per_ms:
    """Blocked units with one calcium."""
    return J_T1 - J_T2 - J_unblock_1


def dCaCaT_dt(J_T2: mM_per_ms, J_unblock_2: mM_per_ms) -> mM_per_ms:
    """Blocked units with two calcium."""
    return J_T2 - J_unblock_2


def dD_0_dt(J_unblock_0: mM_per_ms, J_D1: mM_per_ms) -> mM_per_ms:
    """Open units without calcium."""
    return J_unblock_0 - J_D1


def dD_1_dt(J_unblock_1: mM_per_ms, J_D1: mM_per_ms, J_D2: mM_per_ms) -> mM_per_ms:
    """Open units with one calcium."""
    return J_unblock_1 + J_D1 - J_D2


def dD_2_dt(J_unblock_2: mM_per_ms, J_D2: mM_per_ms, J_attach: mM_per_ms, J_detach: mM_per_ms) -> mM_per_ms:
    """Open units with two calcium, at which bridges may attach."""
    return J_unblock_2 + J_D2 - J_attach + J_detach


def dA_1_dt(J_attach: mM_per_ms, J_stroke: mM_per_ms) -> mM_per_ms:
    """Bridges attached before their stroke."""
    return J_attach - J_stroke


def dA_2_dt(J_stroke: mM_per_ms, J_detach: mM_per_ms) -> mM_per_ms:
    """Bridges attached after their stroke, which bear force."""
    return J_stroke - J_detach


def Ca_troponin(CaT: mM, CaCaT: mM, D_1: mM, D_2: mM, A_1: mM, A_2: mM) -> mM:
    """Calcium on troponin."""
    return CaT + 2 * CaCaT + D_1 + 2 * D_2 + 2 * A_1 + 2 * A_2


def force(A_2: mM, A_2_max: mM) -> gate:
    """Force relative to that of all units with two calcium, the limit of a fused tetanus."""
    return A_2 / A_2_max
