"""Calcium and magnesium of the myoplasm and calcium of the store (Shorten et al. 2007, after Baylor & Hollingworth 1998).

A half sarcomere has a terminal region near the release channels (r) and the bulk of the myoplasm (i), each with its part of the
store. What binds or crosses is one flux that enters two equations with opposite sign, so nothing is made or lost."""

from simulation.physiology.vocabulary import (
    F,
    Value,
    cm,
    dimensionless,
    kelvin,
    linoid,
    mM,
    mM2,
    mM_per_ms,
    mM_um3_ms,
    ms,
    ms_per_s,
    per_mM2_ms,
    per_mM3_ms,
    per_mM_ms,
    per_ms,
    pi,
    q10,
    uA_cm2,
    um,
    um3,
    um3_ms,
    umol_cm2_s,
)


def theta_SERCA(Q10_SERCA: dimensionless, T: kelvin, T_ref_force: kelvin) -> dimensionless:
    """Factor of temperature on the calcium pump of the store."""
    return q10(Q10_SERCA, T, T_ref_force)


def theta_buffer(Q10_buffer: dimensionless, T: kelvin, T_ref_force: kelvin) -> dimensionless:
    """Factor of temperature on binding to parvalbumin, ATP and calsequestrin, on and off alike."""
    return q10(Q10_buffer, T, T_ref_force)


# ---- volumes

def vol_half_sarcomere(L_x: um, R_x: um) -> um3:
    """Volume of the half sarcomere of one myofibril (Shorten et al. 2007)."""
    return pi * R_x * R_x * L_x


def vol_r(vol_half_sarcomere: um3, f_SR: dimensionless, f_terminal: dimensionless) -> um3:
    """Myoplasm near the release channels."""
    return f_terminal * (1 - f_SR) * vol_half_sarcomere


def vol_i(vol_half_sarcomere: um3, f_SR: dimensionless, f_terminal: dimensionless) -> um3:
    """Bulk of the myoplasm."""
    return (1 - f_terminal) * (1 - f_SR) * vol_half_sarcomere


def vol_SR_r(vol_half_sarcomere: um3, f_SR: dimensionless, f_terminal: dimensionless) -> um3:
    """Store near the release channels."""
    return f_terminal * f_SR * vol_half_sarcomere


def vol_SR_i(vol_half_sarcomere: um3, f_SR: dimensionless, f_terminal: dimensionless) -> um3:
    """Bulk of the store."""
    return (1 - f_terminal) * f_SR * vol_half_sarcomere


# ---- binding

def _binding(k_on: Value, k_off: Value, ion: Value, free: Value, bound: Value) -> Value:
    return k_on * ion * free - k_off * bound


def Pv(Pv_tot: mM, CaPv: mM, MgPv: mM) -> mM:
    """Sites of parvalbumin that hold neither calcium nor magnesium."""
    return Pv_tot - CaPv - MgPv


def ATP(ATP_tot: mM, CaATP: mM, MgATP: mM) -> mM:
    """ATP that holds neither calcium nor magnesium; all three diffuse alike, so their sum stays what it is everywhere."""
    return ATP_tot - CaATP - MgATP


def J_CaPv(theta_buffer: dimensionless, k_CaPv: per_mM_ms, k_CaPv_off: per_ms, Ca: mM, Pv: mM, CaPv: mM) -> mM_per_ms:
    """Calcium that parvalbumin binds (Shorten et al. 2007)."""
    return theta_buffer * _binding(k_CaPv, k_CaPv_off, Ca, Pv, CaPv)


def J_MgPv(theta_buffer: dimensionless, k_MgPv: per_mM_ms, k_MgPv_off: per_ms, Mg: mM, Pv: mM, MgPv: mM) -> mM_per_ms:
    """Magnesium that parvalbumin binds, at the same sites (Shorten et al. 2007)."""
    return theta_buffer * _binding(k_MgPv, k_MgPv_off, Mg, Pv, MgPv)


def J_CaATP(theta_buffer: dimensionless, k_CaATP: per_mM_ms, k_CaATP_off: per_ms, Ca: mM, ATP: mM, CaATP: mM) -> mM_per_ms:
    """Calcium that ATP binds (Baylor & Hollingworth 1998)."""
    return theta_buffer * _binding(k_CaATP, k_CaATP_off, Ca, ATP, CaATP)


def J_MgATP(theta_buffer: dimensionless, k_MgATP: per_mM_ms, k_MgATP_off: per_ms, Mg: mM, ATP: mM, MgATP: mM) -> mM_per_ms:
    """Magnesium that ATP binds (Shorten et al. 2007)."""
    return theta_buffer * _binding(k_MgATP, k_MgATP_off, Mg, ATP, MgATP)


def J_CaCs(theta_buffer: dimensionless, k_CaCs: per_mM_ms, k_CaCs_off: per_ms, Ca_SR: mM, Cs_tot: mM, CaCs: mM) -> mM_per_ms:
    """Calcium that calsequestrin binds in the store (Shorten et al. 2007)."""
    return theta_buffer * _binding(k_CaCs, k_CaCs_off, Ca_SR, Cs_tot - CaCs, CaCs)


# ---- transport between myoplasm and store

def phi_SERCA(MgATP: mM, MgATP_ref: mM, K_MgATP: mM) -> dimensionless:
    """Speed of the store's pump for want of MgATP, which is what it splits; 1 at the reference."""
    return MgATP / (K_MgATP + MgATP) * (K_MgATP + MgATP_ref) / MgATP_ref


def J_SERCA(nu_SERCA: mM_um3_ms, theta_SERCA: dimensionless, phi_SERCA: dimensionless, Ca: mM, K_SERCA: mM) -> mM_um3_ms:
    """Calcium that the pump takes into the store (Shorten et al. 2007)."""
    return nu_SERCA * theta_SERCA * phi_SERCA * Ca / (Ca + K_SERCA)


def J_leak(L_SR: um3_ms, theta_release: dimensionless, Ca_SR: mM, Ca: mM) -> mM_um3_ms:
    """Calcium that leaks out of the store (Shorten et al. 2007)."""
    return L_SR * theta_release * (Ca_SR - Ca)


# ---- what each region gains

def dCa_r_dt(
    J_release: mM_um3_ms, J_leak: mM_um3_ms, J_SERCA: mM_um3_ms, D_Ca: um3_ms, Ca: mM, Ca_beyond: mM, vol: um3, J_CaPv: mM_per_ms,
    J_CaATP: mM_per_ms,
) -> mM_per_ms:
    """Free calcium near the release channels."""
    return (J_release + J_leak - J_SERCA + D_Ca * (Ca_beyond - Ca)) / vol - J_CaPv - J_CaATP


def dCa_i_dt(
    J_leak: mM_um3_ms, J_SERCA: mM_um3_ms, D_Ca: um3_ms, Ca: mM, Ca_beyond: mM, vol: um3, J_CaPv: mM_per_ms, J_CaATP: mM_per_ms,
    J_troponin: mM_per_ms, J_Ca_membrane: mM_per_ms, vol_half_sarcomere: um3,
) -> mM_per_ms:
    """Free calcium in the bulk of the myoplasm."""
    return (
        (J_leak - J_SERCA + D_Ca * (Ca_beyond - Ca) + J_Ca_membrane * vol_half_sarcomere) / vol - J_CaPv - J_CaATP - J_troponin
    )


def dCa_SR_r_dt(
    J_release: mM_um3_ms, J_leak: mM_um3_ms, J_SERCA: mM_um3_ms, D_Ca_SR: um3_ms, Ca_SR: mM, Ca_SR_beyond: mM, vol_SR: um3, J_CaCs: mM_per_ms
) -> mM_per_ms:
    """Free calcium in the store near the release channels."""
    return (J_SERCA - J_leak - J_release + D_Ca_SR * (Ca_SR_beyond - Ca_SR)) / vol_SR - J_CaCs


def dCa_SR_i_dt(
    J_leak: mM_um3_ms, J_SERCA: mM_um3_ms, D_Ca_SR: um3_ms, Ca_SR: mM, Ca_SR_beyond: mM, vol_SR: um3, J_CaCs: mM_per_ms, J_CaPi: mM_per_ms
) -> mM_per_ms:
    """Free calcium in the bulk of the store."""
    return (J_SERCA - J_leak + D_Ca_SR * (Ca_SR_beyond - Ca_SR)) / vol_SR - J_CaCs - J_CaPi


def dCaPv_dt(J_CaPv: mM_per_ms) -> mM_per_ms:
    """Calcium on parvalbumin, which does not diffuse between the regions."""
    return J_CaPv


def dMgPv_dt(J_MgPv: mM_per_ms) -> mM_per_ms:
    """Magnesium on parvalbumin."""
    return J_MgPv


def dCaCs_dt(J_CaCs: mM_per_ms) -> mM_per_ms:
    """Calcium on calsequestrin."""
    return J_CaCs


def dCaATP_dt(J_CaATP: mM_per_ms, D_ATP: um3_ms, CaATP: mM, CaATP_beyond: mM, vol: um3) -> mM_per_ms:
    """Calcium on ATP."""
    return J_CaATP + D_ATP * (CaATP_beyond - CaATP) / vol


def dMgATP_dt(J_MgATP: mM_per_ms, D_ATP: um3_ms, MgATP: mM, MgATP_beyond: mM, vol: um3) -> mM_per_ms:
    """Magnesium on ATP."""
    return J_MgATP + D_ATP * (MgATP_beyond - MgATP) / vol


def dMg_dt(J_MgPv: mM_per_ms, J_MgATP: mM_per_ms, D_Mg: um3_ms, Mg: mM, Mg_beyond: mM, vol: um3) -> mM_per_ms:
    """Free magnesium."""
    return D_Mg * (Mg_beyond - Mg) / vol - J_MgPv - J_MgATP


# ---- phosphate, and its precipitate with calcium in the store

def J_CaPi(a_CaPi: per_mM3_ms, b_CaPi: per_mM2_ms, Ca_SR_i: mM, Pi_SR: mM, CaPi: mM, S_CaPi: mM2, ds_CaPi: mM2) -> mM_per_ms:
    """Calcium phosphate that falls out above the solubility product and dissolves below it (Shorten et al. 2007).

    Their switch at the solubility product is a corner; here it is rounded over ds_CaPi."""
    over = (Ca_SR_i * Pi_SR - S_CaPi) / ds_CaPi
    return ds_CaPi * (a_CaPi * Ca_SR_i * Pi_SR * linoid(over) - b_CaPi * CaPi * linoid(-over))


def dPi_dt(J_stroke: mM_per_ms, b_Pi: per_ms, Pi: mM, Pi_0: mM, D_Pi: um3_ms, Pi_SR: mM, vol_i: um3) -> mM_per_ms:
    """Phosphate of the myoplasm: cross-bridges set it free, metabolism takes it up, some enters the store (Shorten et al. 2007)."""
    return J_stroke - b_Pi * (Pi - Pi_0) - D_Pi * (Pi - Pi_SR) / vol_i


def dPi_SR_dt(D_Pi: um3_ms, Pi: mM, Pi_SR: mM, vol_SR_i: um3, J_CaPi: mM_per_ms) -> mM_per_ms:
    """Phosphate of the store."""
    return D_Pi * (Pi - Pi_SR) / vol_SR_i - J_CaPi


def dCaPi_dt(J_CaPi: mM_per_ms) -> mM_per_ms:
    """Precipitate of calcium phosphate in the store."""
    return J_CaPi


# ---- MgATP for the pump of the sarcolemma

def J_pump_fed(J_pump_full: umol_cm2_s, MgATP_i: mM, MgATP_ref: mM, K_MgATP_pump: mM) -> umol_cm2_s:
    """Sodium-potassium pump for want of MgATP; as given at the reference."""
    return J_pump_full * MgATP_i / (K_MgATP_pump + MgATP_i) * (K_MgATP_pump + MgATP_ref) / MgATP_ref


# ---- totals, to be read off: per volume of the half sarcomere

def Ca_total(
    vol_half_sarcomere: um3, vol_r: um3, vol_i: um3, vol_SR_r: um3, vol_SR_i: um3, Ca_r: mM, CaPv_r: mM, CaATP_r: mM, Ca_i: mM, CaPv_i: mM,
    CaATP_i: mM, Ca_troponin: mM, Ca_SR_r: mM, CaCs_r: mM, Ca_SR_i: mM, CaCs_i: mM, CaPi: mM,
) -> mM:
    """All calcium, free and bound, in myoplasm and store."""
    return (
        vol_r * (Ca_r + CaPv_r + CaATP_r) + vol_i * (Ca_i + CaPv_i + CaATP_i + Ca_troponin)
        + vol_SR_r * (Ca_SR_r + CaCs_r) + vol_SR_i * (Ca_SR_i + CaCs_i + CaPi)
    ) / vol_half_sarcomere


def Mg_total(
    vol_half_sarcomere: um3, vol_r: um3, vol_i: um3, Mg_r: mM, MgPv_r: mM, MgATP_r: mM, Mg_i: mM, MgPv_i: mM, MgATP_i: mM
) -> mM:
    """All magnesium, free and bound, of the myoplasm."""
    return (vol_r * (Mg_r + MgPv_r + MgATP_r) + vol_i * (Mg_i + MgPv_i + MgATP_i)) / vol_half_sarcomere


def Pi_total(vol_half_sarcomere: um3, vol_i: um3, vol_SR_i: um3, Pi: mM, Pi_SR: mM, CaPi: mM) -> mM:
    """All phosphate of myoplasm and store."""
    return (vol_i * Pi + vol_SR_i * (Pi_SR + CaPi)) / vol_half_sarcomere


# ---- interstitial space

def dK_is_dt(
    K_is: mM, K_blood: mM, kappa_is: dimensionless, tau_wash: ms, I_K_s: uA_cm2, r: cm, rho: dimensionless, K_t: mM, tau_diff: ms
) -> mM_per_ms:
    """Potassium between the fibres: what leaves them, thinned by the space's volume, less what the blood washes out.

    kappa_is is the volume of fibres per volume of the space; at 0 the fibre lies in a bath."""
    return kappa_is * (2 * I_K_s / (F * r) / ms_per_s + rho * (K_t - K_is) / tau_diff) - (K_is - K_blood) / tau_wash
