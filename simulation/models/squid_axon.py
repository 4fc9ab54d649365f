"""The squid giant axon of Hodgkin & Huxley (1952), in the modern sign convention: the reference that everyone knows."""

from simulation.assembly import Channel, Gate, Model, State
from simulation.physiology import cable, equilibrium, membrane, potassium, sodium

sodium_channel = Channel(
    "sodium channel",
    gates=(Gate("m", alpha=sodium.alpha_m, beta=sodium.beta_m, guess=0.05), Gate("h", alpha=sodium.alpha_h_squid, beta=sodium.beta_h, guess=0.6)),
    named={"I_Na": sodium.I_Na_squid},
)
potassium_channel = Channel(
    "potassium channel",
    gates=(Gate("n", alpha=potassium.alpha_n, beta=potassium.beta_n, guess=0.3),),
    named={"I_K": potassium.I_K_squid},
)
squid = Model(
    "squid",
    title="Squid giant axon (Hodgkin & Huxley 1952)",
    citations=("hodgkin1952",),
    parameters="squid",
    potential="V",
    bath={"T": "T"},
    equations=(membrane.I_stim, membrane.I_L, equilibrium.theta_gate, cable.g_axial),
    named={"I_ion": membrane.I_ion_squid},
    states=(State("V", membrane.dV_dt, "mV", guess=-65.0),),
    inner=(sodium_channel, potassium_channel),
    where={"V_Na": "V", "V_K": "V"},
    axial="g_axial",
    section="dx",
    traces=("I_Na", "I_K", "I_L"),
)
