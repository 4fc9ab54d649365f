"""A channel put into the muscle fibre: an ATP-sensitive potassium channel in sarcolemma and tubule."""

from dataclasses import replace
from pathlib import Path

import simulation as sim
from simulation import parameter_sets
from simulation.assembly import Channel, Compartment, Model, bind
from simulation.assembly.compile import compile_model
from simulation.assembly.dimensions import check_units
from simulation.models.muscle_fibre import fibre, reference_bath, sarcolemma, tubule
from simulation.physiology import membrane
from simulation.physiology.vocabulary import cm_s, current_per_P, dimensionless, gate, mM, uA_cm2

NUMBERS = Path(__file__).with_name("katp.toml")


# 1. Its equations. In the package they stand in physiology/potassium.py.
def y_ATP(ATP: mM, K_ATP: mM, n_ATP: dimensionless) -> gate:
    """Share of ATP-sensitive channels that ATP leaves open."""
    return 1 / (1 + (ATP / K_ATP) ** n_ATP)


def I_KATP(P_KATP: cm_s, theta_P: dimensionless, y_ATP: gate, GHK_K: current_per_P) -> uA_cm2:
    """ATP-sensitive potassium current."""
    return theta_P * P_KATP * y_ATP * GHK_K


def I_K_with_KATP(
    I_Kdr: uA_cm2, I_Kir: uA_cm2, I_KCNQ: uA_cm2, I_KATP: uA_cm2, I_gp_K: uA_cm2, I_pump: uA_cm2, I_NKCC: uA_cm2
) -> uA_cm2:
    """All that potassium carries outward, with the new channel."""
    return membrane.I_K(I_Kdr, I_Kir, I_KCNQ, I_gp_K, I_pump, I_NKCC) + I_KATP


# 2. Its declaration. In the package it stands in models/muscle_fibre.py, in the compartments that have it.
K_ATP_channel = Channel("KATP", equations=(y_ATP, I_KATP))


def with_KATP(compartment: Compartment) -> Compartment:
    """The compartment with the channel, and its current in the sum of potassium."""
    others = tuple(e for e in compartment.equations if e is not membrane.I_K)
    return replace(compartment, inner=(*compartment.inner, K_ATP_channel), equations=others, named={"I_K": I_K_with_KATP})


def model() -> Model:
    """The fibre with the channel in sarcolemma and tubule; the tubule has less of it."""
    inside = replace(with_KATP(tubule), density={**tubule.density, "P_KATP": "eta_KATP"})
    return replace(fibre, name="fibre_katp", parameters="katp", inner=(with_KATP(sarcolemma), inside, reference_bath))


# 3. Its numbers, in a file that extends those of the fibre: katp.toml.
def prepared() -> sim.Preparation:
    """The fibre with the channel, ready for any experiment of a single membrane. Units and names are checked first."""
    numbers, bound = parameter_sets.load(NUMBERS), bind(model())
    bound.check_parameters([*numbers.parameters, *bound.model.stimulus])
    check_units(bound)
    return sim.Preparation(compile_model(bound), numbers)


# 4. What it does.
def main() -> None:
    fibre_katp = prepared()
    for ATP in (8.0, 1.0, 0.2):
        here = fibre_katp.with_values({"ATP": ATP})
        print(f"ATP {ATP:3g} mM: rest {sim.find_rest(here).V:6.1f} mV, threshold {sim.threshold_current(here, 0.5):4.0f} uA/cm2")


if __name__ == "__main__":
    main()
