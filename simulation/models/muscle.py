"""A human muscle fibre that contracts: the fibre M37, release of calcium driven by its tubules, calcium and magnesium of the myoplasm and the
store, troponin, cross-bridges and force. Calcium through the membrane and the space between the fibres are off until their parameters are set."""

from dataclasses import replace

from simulation.assembly import Channel, Compartment, Gate, Scope, State
from simulation.models import muscle_fibre
from simulation.models.muscle_fibre import fibre
from simulation.physiology import calcium, contraction, membrane, release
from simulation.physiology import sarcolemmal_calcium as membrane_calcium

release_channel = Channel(
    "voltage sensor and release channel",
    equations=(
        release.theta_release, release.V_sensor, release.k_C, release.k_Cm, release.k_open, release.k_close, release.C_0,
        release.out_C_0, release.out_C_1, release.out_C_2, release.out_C_3, release.out_O_0, release.out_O_1, release.out_O_2, release.out_O_3,
        release.open_0, release.open_1, release.open_2, release.open_3, release.open_4, release.P_release, release.J_release,
    ),
    states=(
        State("C_1", release.dC_1_dt, "1", guess=0.03), State("C_2", release.dC_2_dt, "1", guess=3e-4),
        State("C_3", release.dC_3_dt, "1", guess=2e-6), State("C_4", release.dC_4_dt, "1", guess=3e-9),
        State("O_0", release.dO_0_dt, "1", guess=2e-6), State("O_1", release.dO_1_dt, "1", guess=1.5e-6),
        State("O_2", release.dO_2_dt, "1", guess=4e-7), State("O_3", release.dO_3_dt, "1", guess=5e-8),
        State("O_4", release.dO_4_dt, "1", guess=2e-9),
    ),
)
# One text for both regions of the half sarcomere; they differ in what else comes to their calcium.
buffers = (calcium.Pv, calcium.ATP, calcium.J_CaPv, calcium.J_MgPv, calcium.J_CaATP, calcium.J_MgATP)
pump_and_leak = (calcium.J_CaCs, calcium.phi_SERCA, calcium.J_SERCA, calcium.J_leak)
bound_ions = (
    State("CaPv", calcium.dCaPv_dt, "mM", guess=0.02),
    State("MgPv", calcium.dMgPv_dt, "mM", guess=0.03),
    State("CaATP", calcium.dCaATP_dt, "mM", guess=3e-4),
    State("MgATP", calcium.dMgATP_dt, "mM", guess=7.2),
    State("CaCs", calcium.dCaCs_dt, "mM", guess=16.9),
)


def beyond(region: str) -> dict[str, str]:
    """What lies beyond the border of a region: the same species in the other."""
    return {f"{name}_beyond": f"{name}_{region}" for name in ("Ca", "Ca_SR", "CaATP", "MgATP", "Mg")}


near = Compartment(
    "terminal region",
    suffix="r",
    equations=(*buffers, *pump_and_leak),
    states=(
        State("Ca", calcium.dCa_r_dt, "mM", guess=1e-4), State("Ca_SR", calcium.dCa_SR_r_dt, "mM", guess="Ca_SR_0"), *bound_ions,
        State("Mg", calcium.dMg_dt, "mM", guess="Mg_i_0"),
    ),
    where={**beyond("i"), "vol": "vol_r", "vol_SR": "vol_SR_r"},
)
bulk = Compartment(
    "bulk of the myoplasm",
    suffix="i",
    equations=(*buffers, *pump_and_leak),
    states=(
        State("Ca", calcium.dCa_i_dt, "mM", guess=5e-5), State("Ca_SR", calcium.dCa_SR_i_dt, "mM", guess="Ca_SR_0", pace="conserved"),
        *bound_ions, State("Mg", calcium.dMg_dt, "mM", guess="Mg_i_0", pace="conserved"),
    ),
    where={**beyond("r"), "vol": "vol_i", "vol_SR": "vol_SR_i"},
)
phosphate = Scope(
    "phosphate",
    equations=(calcium.J_CaPi,),
    states=(
        State("Pi", calcium.dPi_dt, "mM", guess=1.0),
        State("Pi_SR", calcium.dPi_SR_dt, "mM", guess="Pi_SR_0", pace="conserved"),
        State("CaPi", calcium.dCaPi_dt, "mM", guess=1e-6, pace="conserved"),
    ),
)
bridges = Scope(
    "troponin and cross-bridges",
    equations=(
        contraction.theta_troponin, contraction.theta_bridge, contraction.Tn, contraction.J_T1, contraction.J_T2, contraction.J_D1,
        contraction.J_D2, contraction.J_unblock_0, contraction.J_unblock_1, contraction.J_unblock_2, contraction.J_attach,
        contraction.J_stroke, contraction.J_detach, contraction.J_troponin, contraction.Ca_troponin, contraction.force,
    ),
    states=(
        State("CaT", contraction.dCaT_dt, "mM", guess=8e-3), State("CaCaT", contraction.dCaCaT_dt, "mM", guess=6e-5),
        State("D_0", contraction.dD_0_dt, "mM", guess=1e-3), State("D_1", contraction.dD_1_dt, "mM", guess=4e-4),
        State("D_2", contraction.dD_2_dt, "mM", guess=4e-4), State("A_1", contraction.dA_1_dt, "mM", guess=4e-5),
        State("A_2", contraction.dA_2_dt, "mM", guess=4e-5),
    ),
)
contractile = Scope(
    "calcium and force",
    equations=(
        calcium.theta_SERCA, calcium.theta_buffer, calcium.vol_half_sarcomere, calcium.vol_r, calcium.vol_i, calcium.vol_SR_r, calcium.vol_SR_i,
        calcium.Ca_total, calcium.Mg_total, calcium.Pi_total,
    ),
    inner=(release_channel, near, bulk, phosphate, bridges),
)

calcium_transport = Channel(
    "calcium through the membrane",
    gates=(
        Gate("d_L", inf=membrane_calcium.d_inf, tau=membrane_calcium.tau_d, guess=1e-3),
        Gate("f_L", inf=membrane_calcium.f_inf, tau=membrane_calcium.tau_f, guess=0.99),
    ),
    equations=(
        membrane_calcium.GHK_Ca, membrane_calcium.I_CaL, membrane_calcium.I_CaB, membrane_calcium.I_PMCA, membrane_calcium.I_NCX,
        membrane_calcium.I_Ca_all,
    ),
)
sarcolemma = replace(muscle_fibre.sarcolemma, where={**muscle_fibre.sarcolemma.where, "K_o": "K_is"})
tubule = replace(
    muscle_fibre.tubule,
    inner=(*muscle_fibre.tubule.inner, calcium_transport),
    equations=(membrane.I_K, membrane.I_Cl_all),
    named={"I_Na_all": membrane_calcium.I_Na_exchanging, "I_ion": membrane_calcium.I_ion_calcium},
)
of_fibre = {s.symbol: s for s in fibre.states}
interstitium = Scope(
    "space between the fibres",
    states=(
        replace(of_fibre["K_t"], guess="K_blood"),
        State("K_is", calcium.dK_is_dt, "mM", guess="K_blood", store="interstitium"),
    ),
    where={"K_o": "K_is", "K_blood": "K_o"},
)
muscle = replace(
    fibre,
    name="muscle",
    title="Human muscle fibre with calcium, magnesium and force (M37 and Shorten et al. 2007)",
    citations=(*fibre.citations, "shorten2007"),
    parameters="muscle",
    equations=(*fibre.equations, calcium.J_pump_fed, membrane_calcium.J_Ca_membrane),
    states=tuple(s for s in fibre.states if s.symbol != "K_t"),
    inner=(sarcolemma, tubule, muscle_fibre.reference_bath, interstitium, contractile),
    where={"J_pump": "J_pump_fed", "J_pump_full": "J_pump"},
    axial="",  # a cable of it would be dear, and conduction is the fibre's
    section="",
)
