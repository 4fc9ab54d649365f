"""Where an ion is at equilibrium, and what flows when it is not."""

from simulation.physiology.vocabulary import (
    F,
    R,
    current_per_P,
    dimensionless,
    exp,
    ghk_current,
    kelvin,
    linoid,
    mM,
    mV,
    nernst,
    q10,
)


def E_K(T: kelvin, K_i: mM, K_o: mM) -> mV:
    """Potassium equilibrium potential (Nernst)."""
    return nernst(+1, T, K_i, K_o)


def E_Na(T: kelvin, Na_i: mM, Na_o: mM) -> mV:
    """Sodium equilibrium potential (Nernst)."""
    return nernst(+1, T, Na_i, Na_o)


def E_Cl(T: kelvin, Cl_i: mM, Cl_o: mM) -> mV:
    """Chloride equilibrium potential (Nernst)."""
    return nernst(-1, T, Cl_i, Cl_o)


def GHK_K(V: mV, T: kelvin, K_i: mM, K_o: mM) -> current_per_P:
    """Potassium current of an open pore per permeability (Goldman 1943, Hodgkin & Katz 1949)."""
    return ghk_current(+1, V, T, K_i, K_o)


def GHK_Na(V: mV, T: kelvin, Na_i: mM, Na_o: mM) -> current_per_P:
    """Sodium current of an open pore per permeability (Goldman 1943, Hodgkin & Katz 1949)."""
    return ghk_current(+1, V, T, Na_i, Na_o)


def GHK_Cl(V: mV, T: kelvin, Cl_i: mM, Cl_o: mM, V_Cl_pore: mV) -> current_per_P:
    """Chloride current of an open ClC-1 pore per permeability.

    A charge at the mouth of the pore moves the field by V_Cl_pore, which takes away the outward rectification and
    leaves the reversal potential where it is (Cannon laboratory 2024)."""
    u = (V - V_Cl_pore) * F / (R * T)
    return F * Cl_o * exp(V_Cl_pore * F / (R * T)) * linoid(u) - F * Cl_i * linoid(-u)


def theta_gate(Q10_gate: dimensionless, T: kelvin, T_ref: kelvin) -> dimensionless:
    """Factor of temperature on the rates of gating."""
    return q10(Q10_gate, T, T_ref)


def theta_P(Q10_P: dimensionless, T: kelvin, T_ref: kelvin) -> dimensionless:
    """Factor of temperature on permeabilities, pump and cotransport."""
    return q10(Q10_P, T, T_ref)
