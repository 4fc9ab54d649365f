"""Potassium of the body: gut, plasma, interstitium, cells and kidney, with aldosterone, insulin and magnesium.

The structure is that of Stadt et al. (2022) and Stadt & Layton (2024). Every flux is its normal size times regulators that are 1 in the
normal state. Three things are added for weeks of depletion: a weaker effect of aldosterone on the pump, conservation of potassium in the
collecting duct, and magnesium, which blocks the channel ROMK (Huang & Kuo 2007)."""

from simulation.physiology.vocabulary import (
    at_least,
    at_most,
    dimensionless,
    exp,
    h_per_d,
    hour,
    litre,
    litre_h,
    mM,
    mmol,
    mmol_d,
    mmol_h,
    per_h,
    per_mM,
    per_mmol,
)

# ---- concentrations


def K_p(nK_p: mmol, V_p0: litre, r_E: dimensionless) -> mM:
    """Potassium of the plasma."""
    return nK_p / (V_p0 * r_E)


def K_is(nK_is: mmol, V_is0: litre, r_E: dimensionless) -> mM:
    """Potassium of the interstitium: what bathes nerve and muscle."""
    return nK_is / (V_is0 * r_E)


def K_c(nK_c: mmol, V_c: litre) -> mM:
    """Potassium of the cells."""
    return nK_c / V_c


def K_e(nK_p: mmol, nK_is: mmol, V_e: litre) -> mM:
    """Potassium of the whole extracellular fluid."""
    return (nK_p + nK_is) / V_e


# ---- gut


def J_K_gut(k_gut: per_h, nK_gut: mmol) -> mmol_h:
    """Potassium taken up from the gut."""
    return k_gut * nK_gut


def J_K_eaten(a_K: dimensionless, intake_K: mmol_d) -> mmol_h:
    """Potassium eaten, without the share that the stool keeps."""
    return a_K * intake_K / h_per_d


def dnK_gut_dt(J_K_eaten: mmol_h, J_K_gut: mmol_h) -> mmol_h:
    """Potassium of the gut."""
    return J_K_eaten - J_K_gut


def nK_gut_0(a_K: dimensionless, intake_K0: mmol_d, k_gut: per_h) -> mmol:
    """Potassium of the gut on the normal diet."""
    return a_K * intake_K0 / h_per_d / k_gut


def dnK_habit_dt(nK_gut: mmol, nK_habit: mmol, nK_gut_0: mmol, habit: dimensionless, tau_habit: hour) -> mmol_h:
    """Potassium of the gut that the kidney has become used to: it adapts in part."""
    return (nK_gut_0 + habit * (nK_gut - nK_gut_0) - nK_habit) / tau_habit


# ---- between plasma, interstitium and cells


def J_K_capillary(P_capillary: litre_h, K_p: mM, K_is: mM) -> mmol_h:
    """Potassium from plasma to interstitium."""
    return P_capillary * (K_p - K_is)


def ins(ins_0: dimensionless, ins_slope: per_h, t: hour, t_0: hour) -> dimensionless:
    """Insulin above its fasting level, as a share of the rise after a meal: straight lines from edge to edge."""
    return ins_0 + ins_slope * (t - t_0)


def pump_ins(a_ins: dimensionless, ins: dimensionless) -> dimensionless:
    """Sodium-potassium pump: effect of insulin."""
    return 1 + a_ins * ins


def pump_ALD(a_ALD: dimensionless, w_ALD: dimensionless, ALD: dimensionless) -> dimensionless:
    """Sodium-potassium pump: effect of aldosterone. ``w_ALD``: what is left of the published effect."""
    return 1 + w_ALD * a_ALD * (ALD - 1)


def pump_pH(a_pH: dimensionless, pH: dimensionless, pH_0: dimensionless) -> dimensionless:
    """Sodium-potassium pump: alkalosis shifts potassium into cells, acidosis out of them."""
    return 1 + a_pH * (pH - pH_0)


def pump_Mg(Mg_cell: dimensionless, n_pump_Mg: dimensionless) -> dimensionless:
    """Sodium-potassium pump: effect of the cells' magnesium."""
    return Mg_cell**n_pump_Mg


def J_K_in(
    J_pump_max: mmol_h, K_m: mM, K_is: mM,
    pump_ins: dimensionless, pump_ALD: dimensionless, pump_pH: dimensionless, pump_Mg: dimensionless,
) -> mmol_h:
    """Potassium pumped into the cells."""
    return J_pump_max * K_is / (K_m + K_is) * pump_ins * pump_ALD * pump_pH * pump_Mg


def P_cell(J_pump_max: mmol_h, K_m: mM, K_0: mM, K_c0: mM) -> litre_h:
    """Permeability of the cells: in the normal state as much leaks out as is pumped in."""
    return J_pump_max * K_0 / (K_m + K_0) / (K_c0 - K_0)


def J_K_out(P_cell: litre_h, K_c: mM, K_is: mM) -> mmol_h:
    """Potassium that leaks out of the cells."""
    return P_cell * (K_c - K_is)


# ---- kidney


def dALD_dt(ALD: dimensionless, raas: dimensionless, k_ALD: per_mM, K_e: mM, K_0: mM, tau_ALD: hour) -> per_h:
    """Aldosterone, relative to normal: it rises with potassium, and with whatever drives renin."""
    return (raas * exp(k_ALD * (K_e - K_0)) - ALD) / tau_ALD


def ALD_kidney(ALD: dimensionless, MR: dimensionless) -> dimensionless:
    """Aldosterone as the kidney feels it: through the receptors that are free."""
    return MR * ALD


def J_K_delivered(f_delivered: dimensionless, GFR: litre_h, K_p: mM) -> mmol_h:
    """Potassium that the filtrate brings to the distal tubule."""
    return f_delivered * GFR * K_p


def J_K_delivered_0(f_delivered: dimensionless, GFR_0: litre_h, K_0: mM) -> mmol_h:
    """The same in the normal state."""
    return f_delivered * GFR_0 * K_0


def U_K_0(a_K: dimensionless, intake_K0: mmol_d) -> mmol_h:
    """Potassium that the urine has to carry in the normal state: all that is taken up."""
    return a_K * intake_K0 / h_per_d


def J_K_distal_0(U_K_0: mmol_h, J_K_collecting_0: mmol_h, A_CD0: dimensionless, J_K_delivered_0: mmol_h) -> mmol_h:
    """Distal secretion in the normal state, from the balance of the whole body."""
    return (U_K_0 - J_K_collecting_0) / (1 - A_CD0) - J_K_delivered_0


def feedforward(k_FF: per_mmol, nK_gut: mmol, nK_habit: mmol) -> dimensionless:
    """What potassium in the gut beyond the usual tells the kidney."""
    return at_least(1 + k_FF * (nK_gut - nK_habit), 1.0)


def ROMK(b_ROMK: dimensionless, Mg_cell: dimensionless) -> dimensionless:
    """Open ROMK, relative to normal: without magnesium in the cell it lets potassium out freely (after Huang & Kuo 2007; own form)."""
    return (1 + b_ROMK) / (1 + b_ROMK * Mg_cell)


def nephrons(GFR_rel: dimensionless, n_nephron: dimensionless) -> dimensionless:
    """Secretion left when nephrons are lost: each of those that are left secretes more."""
    return GFR_rel**n_nephron


def J_K_distal(
    J_K_distal_0: mmol_h, ALD_kidney: dimensionless, n_ALD_distal: dimensionless, w_MR: dimensionless, feedforward: dimensionless,
    K_p: mM, K_0: mM, n_K: dimensionless, flow: dimensionless, ROMK: dimensionless, nephrons: dimensionless,
) -> mmol_h:
    """Potassium secreted by the distal tubule. ``flow``: index of all that brings sodium and fluid there."""
    return J_K_distal_0 * ALD_kidney ** (n_ALD_distal * w_MR) * feedforward * (K_p / K_0) ** n_K * flow * ROMK * nephrons


def J_K_collecting(
    J_K_collecting_0: mmol_h, ALD_kidney: dimensionless, n_ALD_collecting: dimensionless, w_MR: dimensionless, nephrons: dimensionless
) -> mmol_h:
    """Potassium secreted by the collecting duct."""
    return J_K_collecting_0 * ALD_kidney ** (n_ALD_collecting * w_MR) * nephrons


def A_CD(
    A_CD0: dimensionless, k_conserve: per_mM, K_0: mM, K_e: mM, Mg_cell: dimensionless, n_conserve_Mg: dimensionless,
    A_least: dimensionless, A_most: dimensionless,
) -> dimensionless:
    """Share of potassium that the collecting duct takes back: more when potassium is low, unless magnesium is lacking."""
    wanted = A_CD0 * (1 + k_conserve * (K_0 - K_e) * at_most(Mg_cell, 1.0) ** n_conserve_Mg)
    return at_most(at_least(wanted, A_least), A_most)


def U_K(J_K_delivered: mmol_h, J_K_distal: mmol_h, A_CD: dimensionless, J_K_collecting: mmol_h) -> mmol_h:
    """Potassium of the urine."""
    return (J_K_delivered + J_K_distal) * (1 - A_CD) + J_K_collecting


# ---- balances


def J_K_lost(loss_K: mmol_d) -> mmol_h:
    """Potassium lost by other ways than the urine: diarrhoea, drains."""
    return loss_K / h_per_d


def dnK_p_dt(J_K_gut: mmol_h, iv_K: mmol_h, J_K_capillary: mmol_h, U_K: mmol_h, J_K_lost: mmol_h) -> mmol_h:
    """Potassium of the plasma."""
    return J_K_gut + iv_K - J_K_capillary - U_K - J_K_lost


def dnK_is_dt(J_K_capillary: mmol_h, J_K_in: mmol_h, J_K_out: mmol_h) -> mmol_h:
    """Potassium of the interstitium."""
    return J_K_capillary - J_K_in + J_K_out


def dnK_c_dt(J_K_in: mmol_h, J_K_out: mmol_h) -> mmol_h:
    """Potassium of the cells."""
    return J_K_in - J_K_out


def K_deficit(K_0: mM, K_c0: mM, V_p0: litre, V_is0: litre, V_c0: litre, nK_p: mmol, nK_is: mmol, nK_c: mmol) -> mmol:
    """Potassium that the body lacks."""
    return K_0 * (V_p0 + V_is0) + K_c0 * V_c0 - nK_p - nK_is - nK_c


def urine_K(U_K: mmol_h) -> mmol_d:
    """Potassium of the urine a day."""
    return U_K * h_per_d
