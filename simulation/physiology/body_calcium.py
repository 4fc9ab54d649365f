"""Calcium of the body: serum, gut, bone and kidney.

Exchange with bone, volumes and baseline are those of Peterson & Riggs (2010); absorption follows the balances of Wilz et al. (1979).
The kidney works by a threshold, as Nordin & Peacock drew it. Every flux is its normal size times regulators that are 1 in the normal state."""

from simulation.physiology.vocabulary import (
    at_least,
    at_most,
    dimensionless,
    exp,
    g_L,
    h_per_d,
    litre_h,
    log,
    mM,
    mM_L_g,
    mmol,
    mmol_d,
    mmol_h,
    per_pM,
    pM,
    softplus,
)

# ---- serum


def Ca_rel(nCa: mmol, nCa_0: mmol, r_E: dimensionless) -> dimensionless:
    """Calcium of the extracellular fluid that is not on protein, relative to normal."""
    return nCa / (nCa_0 * r_E)


def Ca_ion(Ca_ion_0: mM, Ca_rel: dimensionless, s_pH: dimensionless, pH: dimensionless, pH_0: dimensionless) -> mM:
    """Ionised calcium: alkalosis binds some of it."""
    return Ca_ion_0 * Ca_rel * 10 ** (-s_pH * (pH - pH_0))


def Ca_total(
    Ca_ion: mM, Ca_complex: mM, Ca_rel: dimensionless, Ca_bound_0: mM, Ca_per_albumin: mM_L_g, albumin: g_L,
    s_bound: dimensionless, pH: dimensionless, pH_0: dimensionless,
) -> mM:
    """Total calcium of the serum: ionised, in complexes and on protein."""
    bound = (Ca_bound_0 + Ca_per_albumin * albumin) * 10 ** (s_bound * (pH - pH_0))
    return Ca_ion + (Ca_complex + bound) * Ca_rel


# ---- gut


def J_Ca_gut(
    m_Ca: dimensionless, f_Ca0: dimensionless, f_CaD: per_pM, gut_D: pM, f_Ca_most: dimensionless,
    intake_Ca: mmol_d, fec_Ca: mmol_d, m_fec: dimensionless,
) -> mmol_h:
    """Calcium taken up from the gut less that of its juices: calcitriol raises the share that is absorbed (after Wilz et al. 1979)."""
    return (at_most(f_Ca0 + f_CaD * gut_D, f_Ca_most) * m_Ca * intake_Ca - fec_Ca * m_fec) / h_per_d


def U_Ca_0(f_Ca0: dimensionless, f_CaD: per_pM, calcitriol_0: pM, intake_Ca0: mmol_d, fec_Ca: mmol_d) -> mmol_h:
    """Calcium that the urine has to carry in the normal state: all that is taken up."""
    return ((f_Ca0 + f_CaD * calcitriol_0) * intake_Ca0 - fec_Ca) / h_per_d


# ---- bone


def h_PTH(PTH_eff: pM, PTH_0: pM) -> dimensionless:
    """Effect of parathyroid hormone on bone: 0 in the normal state, between -1/2 and 1/2."""
    return PTH_eff / (PTH_eff + PTH_0) - 0.5


def answer_of_bone(calcitriol: pM, calcitriol_0: pM, GFR_rel: dimensionless, n_bone: dimensionless) -> dimensionless:
    """How far bone answers a rise of parathyroid hormone: it needs calcitriol, and kidneys."""
    return 2 * calcitriol**3 / (calcitriol_0**3 + calcitriol**3) * at_most(GFR_rel, 1.0) ** n_bone


def J_resorbed(J_bone: mmol_d, g_bone: dimensionless, h_PTH: dimensionless, answer_of_bone: dimensionless,
               GFR_rel: dimensionless, n_bone: dimensionless) -> mmol_h:
    """Calcium that osteoclasts set free. A fall of parathyroid hormone lowers it whatever the calcitriol."""
    rise, fall = at_least(h_PTH, 0.0) * answer_of_bone, at_most(h_PTH, 0.0) * at_most(GFR_rel, 1.0) ** n_bone
    return J_bone / h_per_d * at_least(1 + g_bone * (rise + fall), 0.0)


def J_formed(J_bone: mmol_d, Ca_ion: mM, Ca_ion_0: mM) -> mmol_h:
    """Calcium that new bone takes."""
    return J_bone / h_per_d * Ca_ion / Ca_ion_0


def J_Ca_in(J_exchange: mmol_d, nCa: mmol, nCa_0: mmol) -> mmol_h:
    """Calcium into the fast pool of bone."""
    return J_exchange / h_per_d * nCa / nCa_0


def J_Ca_out(J_exchange: mmol_d, nCa_bone: mmol, nCa_bone_0: mmol, e_PTH: dimensionless, h_PTH: dimensionless) -> mmol_h:
    """Calcium out of the fast pool of bone; parathyroid hormone speeds it."""
    return J_exchange / h_per_d * nCa_bone / nCa_bone_0 * (1 + e_PTH * h_PTH)


# ---- kidney


def UF_Ca(f_UF_Ca: dimensionless, Ca_ion: mM) -> mM:
    """Calcium of the filtrate."""
    return f_UF_Ca * Ca_ion


def T_Ca_0(
    f_UF_Ca: dimensionless, Ca_ion_0: mM, w_Ca: mM, U_Ca_0: mmol_h, GFR_0: litre_h, dT_PTH: mM, PTH_0: pM, K_PTH: pM
) -> mM:
    """Threshold of the kidney without parathyroid hormone, from the balance of the whole body."""
    normal = f_UF_Ca * Ca_ion_0 - w_Ca * log(exp(U_Ca_0 / (GFR_0 * w_Ca)) - 1)
    return normal - dT_PTH * PTH_0 / (PTH_0 + K_PTH)


def T_Ca(
    T_Ca_0: mM, dT_PTH: mM, PTH_eff: pM, K_PTH: pM, dT_D: mM, calcitriol: pM, calcitriol_0: pM, dT_Ca: mM
) -> mM:
    """Filtered calcium above which it is lost: parathyroid hormone and calcitriol raise it."""
    return T_Ca_0 + dT_PTH * PTH_eff / (PTH_eff + K_PTH) + dT_D * (2 * calcitriol / (calcitriol + calcitriol_0) - 1) + dT_Ca


def U_Ca(GFR: litre_h, w_Ca: mM, UF_Ca: mM, T_Ca: mM) -> mmol_h:
    """Calcium of the urine."""
    return GFR * w_Ca * softplus((UF_Ca - T_Ca) / w_Ca)


# ---- balances


def J_Ca_lost(loss_Ca: mmol_d, J_deposit: mmol_d, GFR_rel: dimensionless) -> mmol_h:
    """Calcium lost by other ways: to a fetus, into milk, and, as kidneys fail, into soft tissue with phosphate."""
    return (loss_Ca + J_deposit * at_least(1 - GFR_rel, 0.0)) / h_per_d


def dnCa_dt(
    J_Ca_gut: mmol_h, J_resorbed: mmol_h, J_formed: mmol_h, J_Ca_out: mmol_h, J_Ca_in: mmol_h, U_Ca: mmol_h, J_Ca_lost: mmol_h, iv_Ca: mmol_h
) -> mmol_h:
    """Exchangeable calcium of the extracellular fluid."""
    return J_Ca_gut + J_resorbed - J_formed + J_Ca_out - J_Ca_in - U_Ca - J_Ca_lost + iv_Ca


def dnCa_bone_dt(J_Ca_in: mmol_h, J_Ca_out: mmol_h) -> mmol_h:
    """Calcium of the fast pool of bone."""
    return J_Ca_in - J_Ca_out


def urine_Ca(U_Ca: mmol_h) -> mmol_d:
    """Calcium of the urine a day."""
    return U_Ca * h_per_d
