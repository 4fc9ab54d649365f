"""A human skeletal muscle fibre at 37 degC: sarcolemma, lumped tubule, myoplasm (22 states, parameter set M37)."""

from dataclasses import replace

from simulation.assembly import Channel, Compartment, Gate, Model, Scope, State
from simulation.physiology import cable, chloride, equilibrium, membrane, potassium, pumps, sodium, surface_charge

NaV = Channel(
    "NaV1.4",
    gates=(
        Gate("m", inf=sodium.m_inf, tau=sodium.tau_m, guess=0.05),
        Gate("h", inf=sodium.h_inf, tau=sodium.tau_h, guess=0.9),
        Gate("s", inf=sodium.s_inf, tau=sodium.tau_s, guess=0.9, pace="minutes"),
    ),
    equations=(
        surface_charge.V_Na, sodium.alpha_m, sodium.beta_m, sodium.alpha_h, sodium.beta_h, sodium.I_Na, sodium.I_NaL,
        sodium.w_gp, sodium.I_gp_Na, sodium.I_gp_K, equilibrium.E_Na, equilibrium.GHK_Na,
    ),
)
K_channels = Channel(
    "potassium channels",
    gates=(
        Gate("n", alpha=potassium.alpha_n, beta=potassium.beta_n, guess=0.01),
        Gate("h_K", inf=potassium.h_K_inf, tau=potassium.tau_h_K, guess=0.9),
        Gate("q", inf=potassium.q_inf, tau=potassium.tau_q, guess=0.01),
    ),
    equations=(
        surface_charge.V_K, potassium.I_Kdr, potassium.y_Kir, potassium.I_Kir, potassium.I_KCNQ, equilibrium.E_K, equilibrium.GHK_K,
    ),
)
ClC1 = Channel(
    "ClC-1",
    gates=(Gate("c", alpha=chloride.alpha_c, beta=chloride.beta_c, guess=0.1),),
    equations=(surface_charge.V_Cl, chloride.I_Cl, equilibrium.E_Cl, equilibrium.GHK_Cl),
)
transport = Channel("pump and NKCC1", equations=(pumps.f_pump, pumps.I_pump, pumps.I_NKCC))

# One text for both membranes: the tubule reads its own lumen where the sarcolemma reads the bath.
sarcolemma = Compartment(
    "sarcolemma",
    suffix="s",
    inner=(NaV, K_channels, ClC1, transport),
    equations=(membrane.I_K, membrane.I_Na_all, membrane.I_Cl_all, membrane.I_ion),
    where={"V": "V_s", "alpha_2": "alpha_2_s"},
)
tubule = replace(
    sarcolemma,
    name="tubule",
    suffix="t",
    where={"V": "V_t", "alpha_2": "alpha_2_t", "K_o": "K_t", "Na_o": "Na_t", "Cl_o": "Cl_t"},
    density={
        "P_Na": "eta_Na", "P_Kdr": "eta_Kdr", "P_Kir": "eta_Kir", "P_KCNQ": "eta_KCNQ", "P_Cl": "eta_Cl",
        "P_NaL": "eta_leak", "P_gp": "eta_leak", "J_pump": "eta_pump", "J_NKCC": "eta_NKCC",
    },
)
reference_bath = Scope(
    "reference bath",
    suffix="ref",
    equations=(surface_charge.psi,),
    where={"K_o": "K_ref", "Na_o": "Na_ref", "Ca_o": "Ca_ref", "Mg_o": "Mg_ref", "pH": "pH_ref"},
)
fibre = Model(
    "fibre",
    title="Human skeletal muscle fibre, M37 (after the Cannon laboratory's equation set of 2024)",
    citations=("cannon2024", "cannon1993", "hille1975"),
    parameters="fibre",
    potential="V_s",
    bath={"K": "K_o", "Na": "Na_o", "Cl": "Cl_o", "Ca": "Ca_o", "Mg": "Mg_o", "pH": "pH", "T": "T"},
    equations=(
        equilibrium.theta_gate, equilibrium.theta_P, surface_charge.psi, surface_charge.dpsi, surface_charge.dpsi_closed,
        membrane.gamma, membrane.I_stim, membrane.I_access, cable.g_axial,
    ),
    states=(
        State("V_s", membrane.dV_s_dt, "mV", guess=-85.0),
        State("V_t", membrane.dV_t_dt, "mV", guess=-85.0),
        State("K_t", membrane.dK_t_dt, "mM", guess="K_o", store="tubule"),
        State("Na_t", membrane.dNa_t_dt, "mM", guess="Na_o", store="tubule"),
        State("Cl_t", membrane.dCl_t_dt, "mM", guess="Cl_o", store="tubule"),
        State("K_i", membrane.dK_i_dt, "mM", guess="K_i_0", pace="hours", store="myoplasm"),
        State("Na_i", membrane.dNa_i_dt, "mM", guess="Na_i_0", pace="hours", store="myoplasm"),
        State("Cl_i", membrane.dCl_i_dt, "mM", guess=4.0, pace="minutes", store="myoplasm"),
    ),
    inner=(sarcolemma, tubule, reference_bath),
    axial="g_axial",
    section="dx",
    traces=("I_Na", "I_Kdr", "I_Kir", "I_KCNQ", "I_Cl", "I_pump"),
)
