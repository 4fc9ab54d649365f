"""Parathyroid hormone and vitamin D: what calcium and magnesium of the serum do to the gland, and the gland to kidney, bone and gut.

Secretion and removal of parathyroid hormone and calcitriol have the sizes of Peterson & Riggs (2010). That lack of magnesium stops secretion is
in Dutta & Layton (2024), for the rat; here it has a human size, and stops the hormone's action, too (Fatemi et al. 1991)."""

from simulation.physiology.vocabulary import (
    Value,
    at_most,
    dimensionless,
    hour,
    mM,
    nM,
    nM_d_ug,
    nM_h,
    per_h,
    pM,
    pM_h,
    ug_d,
)


def _needs(z: Value, half: Value, n: Value) -> Value:
    """What is left with a share z of the normal magnesium: 1 from z = 1 up, falling to 0."""
    return at_most((1 + half**n) * z**n / (z**n + half**n), 1.0)


# ---- parathyroid hormone


def sensed(Ca_ion: mM, w_Mg: dimensionless, Mg_ion: mM, Mg_ion_0: mM, Ca_ion_0: mM) -> dimensionless:
    """What the calcium-sensing receptor sees, relative to normal: calcium, and more weakly magnesium."""
    return (Ca_ion + w_Mg * (Mg_ion - Mg_ion_0)) / Ca_ion_0


def S_half(S_max: dimensionless, S_min: dimensionless) -> dimensionless:
    """Power n_S of the calcium, relative to normal, at half of the curve: where it is 1 the secretion is 1."""
    return (S_max - S_min) / (S_max - 1) - 1


def S(S_max: dimensionless, S_min: dimensionless, S_half: dimensionless, sensed: dimensionless, n_S: dimensionless) -> dimensionless:
    """Secretion against calcium, relative to normal: the steep falling curve of Peterson & Riggs (2010)."""
    return S_max - (S_max - S_min) * sensed**n_S / (sensed**n_S + S_half)


def drive_CKD(GFR_rel: dimensionless, n_drive: dimensionless) -> dimensionless:
    """What failing kidneys add to secretion. It stands for phosphate and FGF23, which the model does not have."""
    return at_most(GFR_rel, 1.0) ** -n_drive


def secretion_Mg(Mg_rel: dimensionless, K_secretion: dimensionless, n_Mg: dimensionless) -> dimensionless:
    """Share of the secretion that lack of magnesium leaves."""
    return _needs(Mg_rel, K_secretion, n_Mg)


def action_Mg(Mg_rel: dimensionless, K_action: dimensionless, n_Mg: dimensionless) -> dimensionless:
    """Share of the hormone's action that lack of magnesium leaves."""
    return _needs(Mg_rel, K_action, n_Mg)


def dPTH_dt(
    PTH: pM, k_PTH: per_h, PTH_0: pM, x_PTH: dimensionless, gland: dimensionless, S: dimensionless, drive_CKD: dimensionless,
    secretion_Mg: dimensionless,
) -> pM_h:
    """Parathyroid hormone of the plasma."""
    return k_PTH * (PTH_0 * x_PTH * gland * S * drive_CKD * secretion_Mg - PTH)


def PTH_eff(PTH: pM, action_Mg: dimensionless) -> pM:
    """Parathyroid hormone that acts."""
    return PTH * action_Mg


def dgland_dt(gland: dimensionless, g_gland: dimensionless, calcitriol: pM, calcitriol_0: pM, tau_gland: hour) -> per_h:
    """Mass of the parathyroid gland, relative to normal: it grows over months where calcitriol is low."""
    return ((1 + g_gland) / (1 + g_gland * calcitriol / calcitriol_0) - gland) / tau_gland


# ---- vitamin D


def OHase_PTH(PTH_eff: pM, PTH_0: pM, f_PTH: dimensionless) -> dimensionless:
    """Effect of parathyroid hormone on the 1-alpha-hydroxylase."""
    return f_PTH * PTH_eff / (PTH_eff + (f_PTH - 1) * PTH_0)


def OHase_D25(D25: nM, D25_0: nM, K_D25: nM) -> dimensionless:
    """Effect of its substrate."""
    return D25 / (D25 + K_D25) * (D25_0 + K_D25) / D25_0


def dOHase_dt(
    OHase: dimensionless, k_OHase: per_h, Mg_rel: dimensionless, n_OHase_Mg: dimensionless, GFR_rel: dimensionless, n_OHase_GFR: dimensionless,
    OHase_PTH: dimensionless, OHase_D25: dimensionless, Ca_ion: mM, Ca_ion_0: mM, n_OHase_Ca: dimensionless, x_OHase: dimensionless,
) -> per_h:
    """Activity of the 1-alpha-hydroxylase, relative to normal: it needs magnesium and kidneys, and falls as calcium rises."""
    wanted = (
        at_most(Mg_rel, 1.0) ** n_OHase_Mg * GFR_rel**n_OHase_GFR * OHase_D25 * OHase_PTH * (Ca_ion / Ca_ion_0) ** -n_OHase_Ca * x_OHase
    )
    return k_OHase * (wanted - OHase)


def dcalcitriol_dt(calcitriol: pM, k_D: per_h, calcitriol_0: pM, OHase: dimensionless, dose_calcitriol: pM) -> pM_h:
    """Calcitriol of the plasma. ``dose_calcitriol``: the level that what is swallowed would hold."""
    return k_D * (calcitriol_0 * OHase + dose_calcitriol - calcitriol)


def D25_sun(D25_0: nM, D25_per_dose: nM_d_ug, dose_D0: ug_d) -> nM:
    """25-hydroxyvitamin D that the sun alone would hold."""
    return D25_0 - D25_per_dose * dose_D0


def dD25_dt(
    D25: nM, D25_sun: nM, sun: dimensionless, D25_per_dose: nM_d_ug, dose_D: ug_d, m_D: dimensionless, tau_D25: hour
) -> nM_h:
    """25-hydroxyvitamin D of the plasma: from sun and food."""
    return (D25_sun * sun + D25_per_dose * dose_D * m_D - D25) / tau_D25


def dgut_D_dt(gut_D: pM, calcitriol: pM, tau_gut: hour) -> pM_h:
    """Calcitriol as the gut answers to it: with a delay of a day."""
    return (calcitriol - gut_D) / tau_gut
