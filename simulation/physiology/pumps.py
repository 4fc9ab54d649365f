"""What keeps the gradients: the sodium-potassium pump and the cotransporter NKCC1."""

from simulation.physiology.vocabulary import (
    F,
    R,
    Value,
    dimensionless,
    exp,
    gate,
    kelvin,
    log,
    mM,
    mV,
    uA_cm2,
    umol_cm2_s,
)


def f_pump(V: mV, T: kelvin, Na_o: mM, Na_sigma: mM) -> dimensionless:
    """Dependence of the pump on V and outer sodium (Luo & Rudy 1994 form, as in Wallinga et al. 1999)."""
    u = V * F / (R * T)
    sigma = (exp(Na_o / Na_sigma) - 1) / 7
    return 1 / (1 + 0.12 * exp(-0.1 * u) + 0.04 * sigma * exp(-u))


def _saturation(K_o: Value, K_mK: Value, Na_i: Value, K_mNa: Value) -> Value:
    return (1 + K_mK / K_o) ** -2 * (1 + K_mNa / Na_i) ** -3


def I_pump(
    J_pump: umol_cm2_s, theta_P: dimensionless, f_pump: dimensionless, alpha_2: gate, K_o: mM, Na_i: mM,
    K_mK_1: mM, K_mK_2: mM, K_mNa: mM,
) -> uA_cm2:
    """Net outward current of the pump, 3 Na out for 2 K in; isoforms alpha1 and alpha2 in the shares 1 - alpha_2 and alpha_2."""
    isoforms = (1 - alpha_2) * _saturation(K_o, K_mK_1, Na_i, K_mNa) + alpha_2 * _saturation(K_o, K_mK_2, Na_i, K_mNa)
    return F * J_pump * theta_P * f_pump * isoforms


def I_NKCC(
    J_NKCC: umol_cm2_s, theta_P: dimensionless, Na_o: mM, Na_i: mM, K_o: mM, K_i: mM, Cl_o: mM, Cl_i: mM
) -> uA_cm2:
    """Flux of NKCC1 into the cell, as the current that its sodium carries; Na : K : 2 Cl, so no net current (Gallaher 2009)."""
    return F * J_NKCC * theta_P * (log(Na_o / Na_i) + log(K_o / K_i) + 2 * log(Cl_o / Cl_i))
