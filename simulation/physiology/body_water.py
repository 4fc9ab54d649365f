"""Water and sodium of the body: what a gain or loss of either does to the volumes and to the sodium of the serum."""

from simulation.physiology.vocabulary import dimensionless, litre, litre_h, mM, mmol


def water(V_p0: litre, V_is0: litre, V_c0: litre, dW: litre) -> litre:
    """Water of the whole body."""
    return V_p0 + V_is0 + V_c0 + dW


def solute_e(osm_0: mM, V_p0: litre, V_is0: litre, dNa: mmol) -> mmol:
    """Solutes outside the cells; sodium brings an anion with it."""
    return osm_0 * (V_p0 + V_is0) + 2 * dNa


def solute_c(osm_0: mM, V_c0: litre) -> mmol:
    """Solutes of the cells."""
    return osm_0 * V_c0


def V_e(water: litre, solute_e: mmol, solute_c: mmol, dV: litre) -> litre:
    """Extracellular volume: water lies where the solutes are."""
    return water * solute_e / (solute_e + solute_c) + dV


def V_c(water: litre, solute_e: mmol, solute_c: mmol) -> litre:
    """Volume of the cells."""
    return water * solute_c / (solute_e + solute_c)


def r_E(V_e: litre, V_p0: litre, V_is0: litre) -> dimensionless:
    """Extracellular volume, relative to normal."""
    return V_e / (V_p0 + V_is0)


def Na(Na_0: mM, a_Na: dimensionless, b_Na: mM, water: litre, V_p0: litre, V_is0: litre, V_c0: litre, dNa: mmol, Na_set: mM) -> mM:
    """Sodium of the serum from exchangeable sodium and potassium and water (Edelman et al. 1958, as Nguyen & Kurtz write it). Losses of
    potassium do not enter: thirst and vasopressin make up for them."""
    exchangeable = (Na_0 + b_Na) / a_Na * (V_p0 + V_is0 + V_c0) + dNa
    return a_Na * exchangeable / water - b_Na + Na_set


def GFR(GFR_0: litre_h, GFR_rel: dimensionless) -> litre_h:
    """Glomerular filtration rate."""
    return GFR_0 * GFR_rel
