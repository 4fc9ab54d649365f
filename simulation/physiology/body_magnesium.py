"""Magnesium of the body: serum, gut, kidney, cells and the slow pool of bone and muscle.

Absorption follows Fine et al. (1991): a saturable part and a share of what is eaten. Pools and their half-times are of the order that
tracers showed (Silver et al. 1960; Avioli & Berman 1966). Calcitriol has no effect on absorption: in man none was found (Wilz et al. 1979)."""

from simulation.physiology.vocabulary import (
    dimensionless,
    exp,
    g_L,
    h_per_d,
    hour,
    litre_h,
    log,
    mM,
    mmol,
    mmol_d,
    mmol_h,
    pM,
    softplus,
)

# ---- serum


def Mg_rel(nMg: mmol, nMg_0: mmol, r_E: dimensionless) -> dimensionless:
    """Magnesium of the extracellular fluid, relative to normal."""
    return nMg / (nMg_0 * r_E)


def Mg_ion_0(f_ion_Mg: dimensionless, Mg_0: mM) -> mM:
    """Ionised magnesium in the normal state."""
    return f_ion_Mg * Mg_0


def Mg_ion(Mg_ion_0: mM, Mg_rel: dimensionless) -> mM:
    """Ionised magnesium."""
    return Mg_ion_0 * Mg_rel


def Mg_total(
    Mg_0: mM, Mg_rel: dimensionless, f_UF_Mg: dimensionless, f_albumin: dimensionless, albumin: g_L, albumin_0: g_L
) -> mM:
    """Total magnesium of the serum; part of it is on protein, most of that on albumin."""
    return Mg_0 * Mg_rel * (f_UF_Mg + (1 - f_UF_Mg) * (1 - f_albumin + f_albumin * albumin / albumin_0))


def Mg_cell(nMg_cell: mmol, nMg_cell_0: mmol) -> dimensionless:
    """Magnesium of the cells, relative to normal."""
    return nMg_cell / nMg_cell_0


# ---- gut


def J_Mg_gut(
    m_Mg: dimensionless, f_Mg: dimensionless, intake_Mg: mmol_d, V_Mg: mmol_d, K_Mg: mmol_d,
    fec_Mg: mmol_d, Mg_rel: dimensionless, m_fec: dimensionless,
) -> mmol_h:
    """Magnesium taken up from the gut less that of its juices, which follows that of the serum."""
    return (m_Mg * (f_Mg * intake_Mg + V_Mg * intake_Mg / (K_Mg + intake_Mg)) - fec_Mg * Mg_rel * m_fec) / h_per_d


def U_Mg_0(f_Mg: dimensionless, intake_Mg0: mmol_d, V_Mg: mmol_d, K_Mg: mmol_d, fec_Mg: mmol_d) -> mmol_h:
    """Magnesium that the urine has to carry in the normal state: all that is taken up."""
    return (f_Mg * intake_Mg0 + V_Mg * intake_Mg0 / (K_Mg + intake_Mg0) - fec_Mg) / h_per_d


# ---- kidney


def UF_Mg(f_UF_Mg: dimensionless, Mg_0: mM, Mg_rel: dimensionless) -> mM:
    """Magnesium of the filtrate."""
    return f_UF_Mg * Mg_0 * Mg_rel


def T_Mg_0(f_UF_Mg: dimensionless, Mg_0: mM, w_Mg_kidney: mM, U_Mg_0: mmol_h, GFR_0: litre_h) -> mM:
    """Threshold of the kidney in the normal state, from the balance of the whole body."""
    return f_UF_Mg * Mg_0 - w_Mg_kidney * log(exp(U_Mg_0 / (GFR_0 * w_Mg_kidney)) - 1)


def T_Mg(
    T_Mg_0: mM, dT_Mg_PTH: mM, PTH_eff: pM, PTH_0: pM, dT_Mg_Ca: mM, Ca_ion: mM, Ca_ion_0: mM, dT_Mg: mM
) -> mM:
    """Filtered magnesium above which it is lost: parathyroid hormone raises it a little, calcium lowers it."""
    return T_Mg_0 + dT_Mg_PTH * (2 * PTH_eff / (PTH_eff + PTH_0) - 1) - dT_Mg_Ca * (Ca_ion / Ca_ion_0 - 1) + dT_Mg


def U_Mg(GFR: litre_h, w_Mg_kidney: mM, UF_Mg: mM, T_Mg: mM) -> mmol_h:
    """Magnesium of the urine."""
    return GFR * w_Mg_kidney * softplus((UF_Mg - T_Mg) / w_Mg_kidney)


# ---- pools and balances


def J_Mg_cell(nMg_cell_0: mmol, Mg_rel: dimensionless, nMg_cell: mmol, t_half_cell: hour) -> mmol_h:
    """Magnesium into the cells."""
    return log(2.0) / t_half_cell * (nMg_cell_0 * Mg_rel - nMg_cell)


def J_Mg_slow(nMg_slow_0: mmol, Mg_cell: dimensionless, nMg_slow: mmol, t_half_slow: hour) -> mmol_h:
    """Magnesium from the cells into the slow pool."""
    return log(2.0) / t_half_slow * (nMg_slow_0 * Mg_cell - nMg_slow)


def J_Mg_lost(loss_Mg: mmol_d) -> mmol_h:
    """Magnesium lost by other ways than the urine: diarrhoea, a fetus."""
    return loss_Mg / h_per_d


def dnMg_dt(J_Mg_gut: mmol_h, U_Mg: mmol_h, J_Mg_cell: mmol_h, J_Mg_lost: mmol_h, iv_Mg: mmol_h) -> mmol_h:
    """Magnesium of the extracellular fluid."""
    return J_Mg_gut - U_Mg - J_Mg_cell - J_Mg_lost + iv_Mg


def dnMg_cell_dt(J_Mg_cell: mmol_h, J_Mg_slow: mmol_h) -> mmol_h:
    """Magnesium of the cells that exchanges within days."""
    return J_Mg_cell - J_Mg_slow


def dnMg_slow_dt(J_Mg_slow: mmol_h) -> mmol_h:
    """Magnesium of the slow pool."""
    return 1.0 * J_Mg_slow


def urine_Mg(U_Mg: mmol_h) -> mmol_d:
    """Magnesium of the urine a day."""
    return U_Mg * h_per_d
