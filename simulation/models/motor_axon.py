"""The human motor axon: the isolated node of Schwarz, Reid & Bostock (1995), and node with internode (ten states).

The axon's sodium leak and pump are not set by hand: in the reference bath and at V_0 sodium and potassium are in balance
in node and internode, and the same equations, written for that state, say how large they must be. So V_0 is an exact rest, and
potassium, sodium, a block of the pump and calcium all move it."""

from simulation.assembly import Channel, Compartment, Gate, Model, Scope, State
from simulation.physiology import axon as ax
from simulation.physiology import cable, equilibrium, surface_charge

gate_m = Gate("m", alpha=ax.alpha_m, beta=ax.beta_m, guess=0.02)
gate_h = Gate("h", alpha=ax.alpha_h, beta=ax.beta_h, guess=0.7)
gate_p = Gate("p", alpha=ax.alpha_p, beta=ax.beta_p, guess=0.1)
gate_n = Gate("n", alpha=ax.alpha_n, beta=ax.beta_n, guess=0.2)
gate_s_node = Gate("s_K", alpha=ax.alpha_s_node, beta=ax.beta_s_node, guess=0.3)
gate_s = Gate("s_K", alpha=ax.alpha_s_K, beta=ax.beta_s_K, guess=0.2)
gate_q = Gate("q", alpha=ax.alpha_q, beta=ax.beta_q, guess=0.1)

node = Model(
    "node",
    title="Human node of Ranvier (Schwarz, Reid & Bostock 1995)",
    citations=("schwarz1995",),
    parameters="node",
    potential="V",
    bath={"Na": "Na_o", "T": "T"},
    gates=(gate_m, gate_h, gate_n, gate_s_node),
    equations=(ax.theta_m, ax.theta_h, ax.theta_K, equilibrium.GHK_Na, ax.I_stim, ax.I_Kf, ax.I_Ks),
    named={"I_Na": ax.I_Na_node, "I_L": ax.I_L_node, "I_ion": ax.I_ion_node},
    states=(State("V", ax.dV_dt, "mV", guess=-84.0),),
    where={"V_Na": "V", "V_K": "V"},
    traces=("I_Na", "I_Kf", "I_Ks", "I_L"),
)

sodium = Channel(
    "sodium channels",
    gates=(gate_m, gate_h, gate_p),
    equations=(equilibrium.E_Na, equilibrium.GHK_Na, ax.block, ax.I_NaT, ax.I_NaP),
    named={"I_Na": ax.I_Na_gated},
)
node_potassium = Channel(
    "potassium channels",
    gates=(gate_n, gate_s),
    equations=(equilibrium.E_K, ax.I_Kf, ax.I_Ks, ax.I_LK),
    named={"I_K": ax.I_K_node},
)
internode_channels = Channel(
    "potassium channels and HCN",
    gates=(gate_n, gate_s, gate_q),
    equations=(equilibrium.E_K, equilibrium.E_Na, ax.I_Kf, ax.I_Ks, ax.I_LK, ax.I_H_K, ax.I_H_Na),
    named={"I_K": ax.I_K_internode, "I_Na": ax.I_Na_H},
)
leak_and_pump = (surface_charge.V_Na, surface_charge.V_K, ax.pump_occupancy, ax.I_LNa, ax.I_pump, ax.I_ion)
balance = (ax.pump_occupancy, ax.g_LNa, ax.I_max)
reference = {"K_o": "K_ref", "Na_o": "Na_ref", "Ca_o": "Ca_ref", "Mg_o": "Mg_ref", "pH": "pH_ref"}
at_V_0 = {**reference, "V": "V_0", "V_Na": "V_0", "V_K": "V_0", "Na_i": "Na_i_ref", "T": "T_balance"}
of_internode = {"g_Kf": "g_Kf_i", "g_Ks": "g_Ks_i", "g_LK": "g_LK_i"}

nodal = (sodium, node_potassium)
internodal = (internode_channels,)
axon = Model(
    "axon",
    title="Human motor axon, node and internode (fitted to nerve excitability)",
    citations=("schwarz1995", "howells2012", "hille1975"),
    parameters="axon",
    potential="V_n",
    bath={"K": "K_o", "Na": "Na_o", "Ca": "Ca_o", "Mg": "Mg_o", "pH": "pH", "T": "T"},
    equations=(
        ax.theta_m, ax.theta_h, ax.theta_K, ax.theta_s, surface_charge.psi, surface_charge.dpsi, ax.relief, ax.phi, ax.K_periaxonal,
        ax.I_stim, ax.I_BB, ax.into_node, ax.into_internode, surface_charge.dpsi_closed,
    ),
    states=(State("V_n", ax.dV_n_dt, "mV", guess="V_0"), State("V_i", ax.dV_i_dt, "mV", guess="V_0")),
    inner=(
        Compartment(
            "node", suffix="n", inner=nodal, equations=leak_and_pump,
            where={"V": "V_n", "g_LNa": "g_LNa_n0", "I_max": "I_max_n0"},
        ),
        Compartment(
            "internode", suffix="i", inner=internodal, equations=leak_and_pump,
            where={"V": "V_i", "K_o": "K_periaxonal", "g_LNa": "g_LNa_i0", "I_max": "I_max_i0", **of_internode},
        ),
        Compartment("balance of the node", suffix="n0", inner=nodal, equations=balance, where=at_V_0, at_rest=True),
        Compartment("balance of the internode", suffix="i0", inner=internodal, equations=balance, where={**at_V_0, **of_internode}, at_rest=True),
        Scope("reference bath", suffix="ref", equations=(surface_charge.psi, ax.relief), where=reference),
    ),
    named={"g_axial": cable.g_axial_internode},
    axial="g_axial",
    section="L",
    not_negative=("g_LNa_n0", "g_LNa_i0", "I_max_n0", "I_max_i0"),
    traces=("I_NaT", "I_NaP", "I_Kf", "I_Ks", "I_LK"),
)
