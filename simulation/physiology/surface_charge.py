"""Charge on the outer face of the membrane, and what calcium, magnesium, protons and salt make of it.

The charges lend the channels' voltage sensors a potential psi that no electrode sees. Divalent cations screen and bind
the charges; with fewer of them the sensors feel a depolarised membrane, and all gates open at more negative V."""

from simulation.physiology.vocabulary import (
    F,
    R,
    Value,
    dimensionless,
    e_nm2,
    eps_0,
    exp,
    kelvin,
    log,
    mJ_per_J,
    mM,
    mV,
    per_nm2,
    root,
    sqrt,
)


def _diffuse_charge(u: Value, T: Value, eps_r: Value, M: Value, D: Value) -> Value:
    # Grahame's sign(u) sqrt(M (e^-u + e^u - 2) + D (e^-2u + 2 e^u - 3)), with (1 - e^-u)^2 drawn out of the root:
    # the same number, smooth at u = 0.
    x = exp(u)
    return (1 - 1 / x) * sqrt(2 * eps_r * eps_0 * R * T / mJ_per_J * (M * x + D * (2 * x + 1)))


def _bound_charge(
    u: Value, pH: Value, Ca: Value, Mg: Value, d_1: Value, pK_1: Value, d_2: Value, pK_2: Value, d_b: Value, pK_b: Value,
    K_Ca: Value, K_Mg: Value,
) -> Value:
    H = 10 ** -pH * exp(-u)
    bound = exp(-2 * u) * (Ca / K_Ca + Mg / K_Mg)
    acids = d_1 / (1 + H / 10 ** -pK_1 + bound) + d_2 / (1 + H / 10 ** -pK_2 + bound)
    return e_nm2 * (d_b * H / (H + 10 ** -pK_b) - acids)


def psi(
    T: kelvin, K_o: mM, Na_o: mM, Ca_o: mM, Mg_o: mM, pH: dimensionless, sigma_scale: dimensionless, eps_r: dimensionless,
    w_Mg: dimensionless, d_1: per_nm2, pK_1: dimensionless, d_2: per_nm2, pK_2: dimensionless, d_b: per_nm2,
    pK_b: dimensionless, K_Ca: mM, K_Mg: mM,
) -> mV:
    """Surface potential: where the charge on the membrane equals that of the diffuse layer before it
    (Grahame 1947; sites after Hille, Woodhull & Shapiro 1975)."""
    def residual(x: Value) -> Value:
        u = x * F / (R * T)
        return _diffuse_charge(u, T, eps_r, Na_o + K_o, Ca_o + w_Mg * Mg_o) - sigma_scale * _bound_charge(
            u, pH, Ca_o, Mg_o, d_1, pK_1, d_2, pK_2, d_b, pK_b, K_Ca, K_Mg)

    return root(residual, -300.0, 200.0, T, Ca_o, sigma_scale)


def dpsi(psi: mV, psi_ref: mV) -> mV:
    """Gating shift: surface potential in this bath less that in the reference bath; negative = gates open more easily."""
    return psi - psi_ref


def dpsi_closed(Ca_o: mM, Mg_o: mM, Ca_ref: mM, Mg_ref: mM, k_closed: mV, a_closed: dimensionless, c_closed: mM) -> mV:
    """Gating shift in closed form, fitted to the root. It follows Ca and Mg alone, with K, Na, pH and T as in the reference bath;
    ``c_closed`` keeps it finite without calcium, where k ln(Ca/Ca_ref) diverges. No gate uses it."""
    return k_closed * log((Ca_o + a_closed * Mg_o + c_closed) / (Ca_ref + a_closed * Mg_ref + c_closed))


def V_Na(V: mV, w_Na: dimensionless, dpsi: mV) -> mV:
    """Potential that the gates of sodium channels sense."""
    return V - w_Na * dpsi


def V_K(V: mV, w_K: dimensionless, dpsi: mV) -> mV:
    """Potential that the gates of potassium channels sense; they feel a part of the surface charge (Costantin 1968)."""
    return V - w_K * dpsi


def V_Cl(V: mV, w_Cl: dimensionless, dpsi: mV) -> mV:
    """Potential that the gate of ClC-1 senses."""
    return V - w_Cl * dpsi
