"""The body of a person of 70 kg, from plate to serum: potassium, calcium and magnesium over hours to months, with parathyroid hormone,
calcitriol, vitamin D and aldosterone. It is no membrane: its time is in hours, and what it gives is the bath of nerve and muscle.

What it does not have: phosphate and FGF23 (kidney disease is imposed through what stands for them), acid-base balance (pH is imposed), cells that
hold their volume, bone cells, calcitonin, sex and age. Known to be wrong: potassium falls too little without magnesium; calcitriol too little as
kidneys fail; aldosterone alone fills cells with potassium rather than empty the body of it; water loss raises potassium too much."""

from collections.abc import Mapping
from types import MappingProxyType

from simulation.assembly import Model, Scope, State
from simulation.physiology import body_calcium as calcium
from simulation.physiology import body_hormones as hormones
from simulation.physiology import body_magnesium as magnesium
from simulation.physiology import body_potassium as potassium
from simulation.physiology import body_water as water

_water = Scope(
    "water and sodium",
    equations=(water.water, water.solute_e, water.solute_c, water.V_e, water.V_c, water.r_E, water.Na, water.GFR),
)
_potassium = Scope(
    "potassium",
    equations=(
        potassium.K_p, potassium.K_is, potassium.K_c, potassium.K_e, potassium.J_K_eaten, potassium.J_K_gut, potassium.nK_gut_0,
        potassium.J_K_capillary, potassium.ins, potassium.pump_ins, potassium.pump_ALD, potassium.pump_pH, potassium.pump_Mg,
        potassium.J_K_in, potassium.P_cell, potassium.J_K_out, potassium.J_K_delivered, potassium.J_K_delivered_0, potassium.U_K_0,
        potassium.J_K_distal_0, potassium.feedforward, potassium.ALD_kidney, potassium.ROMK, potassium.nephrons, potassium.J_K_distal,
        potassium.J_K_collecting, potassium.A_CD, potassium.U_K, potassium.J_K_lost, potassium.K_deficit, potassium.urine_K,
    ),
    states=(
        State("nK_gut", potassium.dnK_gut_dt, "mmol", guess=4.375), State("nK_habit", potassium.dnK_habit_dt, "mmol", guess=4.375),
        State("nK_p", potassium.dnK_p_dt, "mmol", guess=18.9), State("nK_is", potassium.dnK_is_dt, "mmol", guess=42.0),
        State("nK_c", potassium.dnK_c_dt, "mmol", guess=3120.0), State("ALD", potassium.dALD_dt, "1", guess=1.0),
    ),
)
_calcium = Scope(
    "calcium",
    equations=(
        calcium.Ca_rel, calcium.Ca_ion, calcium.Ca_total, calcium.J_Ca_gut, calcium.U_Ca_0, calcium.h_PTH, calcium.answer_of_bone,
        calcium.J_resorbed, calcium.J_formed, calcium.J_Ca_in, calcium.J_Ca_out, calcium.UF_Ca, calcium.T_Ca_0, calcium.T_Ca, calcium.U_Ca,
        calcium.J_Ca_lost, calcium.urine_Ca,
    ),
    states=(State("nCa", calcium.dnCa_dt, "mmol", guess="nCa_0"), State("nCa_bone", calcium.dnCa_bone_dt, "mmol", guess="nCa_bone_0")),
)
_hormones = Scope(
    "parathyroid hormone and vitamin D",
    equations=(
        hormones.sensed, hormones.S_half, hormones.S, hormones.drive_CKD, hormones.secretion_Mg, hormones.action_Mg, hormones.PTH_eff,
        hormones.OHase_PTH, hormones.OHase_D25, hormones.D25_sun,
    ),
    states=(
        State("PTH", hormones.dPTH_dt, "pmol/L", guess="PTH_0"), State("gland", hormones.dgland_dt, "1", guess=1.0),
        State("OHase", hormones.dOHase_dt, "1", guess=1.0), State("calcitriol", hormones.dcalcitriol_dt, "pmol/L", guess="calcitriol_0"),
        State("D25", hormones.dD25_dt, "nmol/L", guess="D25_0"), State("gut_D", hormones.dgut_D_dt, "pmol/L", guess="calcitriol_0"),
    ),
)
_magnesium = Scope(
    "magnesium",
    equations=(
        magnesium.Mg_rel, magnesium.Mg_ion_0, magnesium.Mg_ion, magnesium.Mg_total, magnesium.Mg_cell, magnesium.J_Mg_gut, magnesium.U_Mg_0,
        magnesium.UF_Mg, magnesium.T_Mg_0, magnesium.T_Mg, magnesium.U_Mg, magnesium.J_Mg_cell, magnesium.J_Mg_slow, magnesium.J_Mg_lost,
        magnesium.urine_Mg,
    ),
    states=(
        State("nMg", magnesium.dnMg_dt, "mmol", guess="nMg_0"), State("nMg_cell", magnesium.dnMg_cell_dt, "mmol", guess="nMg_cell_0"),
        State("nMg_slow", magnesium.dnMg_slow_dt, "mmol", guess="nMg_slow_0"),
    ),
)
body = Model(
    "body",
    title="Potassium, calcium and magnesium of the body, from plate to serum",
    citations=("stadt2022", "stadt2024", "peterson2010", "dutta2024"),
    parameters="body",
    potential="",
    time="h",
    stimulus=("ins_0", "ins_slope", "t_0"),
    inner=(_water, _potassium, _calcium, _hormones, _magnesium),
)
# Parameters that a scenario imposes, by what they are; in the parameter file they stand at their neutral values.
KNOBS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "diet and tablets": ("intake_K", "intake_Ca", "intake_Mg", "dose_D", "dose_calcitriol", "sun"),
    "gut": ("m_Ca", "m_Mg", "m_D", "m_fec"),
    "losses and infusions": ("loss_K", "loss_Ca", "loss_Mg", "iv_K", "iv_Ca", "iv_Mg"),
    "kidney and hormones": ("GFR_rel", "flow", "raas", "MR", "w_MR", "dT_Ca", "dT_Mg", "x_OHase", "x_PTH"),
    "water, sodium, protein and pH": ("dNa", "dW", "dV", "Na_set", "albumin", "pH"),
})
