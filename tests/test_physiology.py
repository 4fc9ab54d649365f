"""The equations against the textbook: values, limits, signs and reversals."""

from __future__ import annotations

from functools import cache

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation import models, parameter_sets
from simulation.assembly.emit import Emitted
from simulation.physiology import chloride, equilibrium, gating, membrane, potassium, pumps, sodium, surface_charge
from simulation.physiology.vocabulary import (
    F,
    R,
    boltzmann,
    exp_rate,
    ghk_current,
    linoid,
    linoid_rate,
    nernst,
    q10,
    sigmoid_rate,
)

BODY = 310.15
potentials = st.floats(-150, 100)
concentrations = st.floats(0.01, 300)
arguments = st.one_of(st.floats(-500, 500), st.floats(-1e-4, 1e-4), st.floats(-0.1, 0.1))


@cache
def numbers(model: str) -> dict[str, float]:
    """The shipped values of a model's parameters, without stimulus."""
    return parameter_sets.load(model).values(models.bound(model).parameters)


def pick(given: dict[str, float], *names: str) -> dict[str, float]:
    return {name: given[name] for name in names}


# ---- words

NOUGHT = 1e-20  # nearer to zero the limit is exact to twenty digits


def exact_linoid(x: float) -> mpmath.mpf:
    return mpmath.mpf(x) / (1 - mpmath.exp(-mpmath.mpf(x))) if abs(x) > NOUGHT else mpmath.mpf(1)


def exact_slope(x: float) -> mpmath.mpf:
    y = mpmath.mpf(x)
    return (1 - mpmath.exp(-y) * (1 + y)) / (1 - mpmath.exp(-y)) ** 2 if abs(x) > NOUGHT else mpmath.mpf(1) / 2


@given(arguments)
def test_linoid_is_x_over_1_minus_exp_minus_x(x):
    with mpmath.workdps(60):
        assert float(linoid(x)) == pytest.approx(float(exact_linoid(x)), rel=1e-12, abs=0)


@given(arguments)
def test_emitted_linoid_and_its_slope_are_the_exact_ones(written_out, x):
    module = written_out("squid")
    with mpmath.workdps(60):
        assert module.linoid(x) == pytest.approx(float(exact_linoid(x)), rel=1e-12, abs=0)
        assert module.dlinoid(x) == pytest.approx(float(exact_slope(x)), rel=1e-12, abs=0)


def test_linoid_takes_its_limits_at_zero(written_out):
    module = written_out("squid")
    assert linoid(0.0) == 1.0
    assert module.linoid(0.0) == 1.0
    assert module.dlinoid(0.0) == 0.5


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(("word", "switch"), [("linoid", 1e-5), ("dlinoid", 0.05)])
def test_nothing_jumps_where_a_series_takes_over(written_out, word, switch, sign):
    f = getattr(written_out("squid"), word)
    inside, outside = sign * np.nextafter(switch, 0), sign * switch
    assert f(inside) == pytest.approx(f(outside), rel=1e-12)
    if word == "linoid":
        assert linoid(inside) == pytest.approx(linoid(outside), rel=1e-12)


def test_words_read_arrays():
    x = np.array([-30.0, -1e-9, 0.0, 1e-9, 30.0])
    assert linoid(x) == pytest.approx([linoid(v) for v in x], rel=1e-14)
    assert linoid(x).shape == x.shape
    V = np.linspace(-120, 60, 7)
    assert linoid_rate(V, 0.1, -40.0, 10.0) == pytest.approx([linoid_rate(v, 0.1, -40.0, 10.0) for v in V], rel=1e-14)


def test_rates_are_finite_and_smooth_at_their_0_over_0():
    alpha = linoid_rate(np.array([-40 - 1e-7, -40.0, -40 + 1e-7]), 0.1, -40.0, 10.0)
    assert alpha[1] == pytest.approx(0.1 * 10, rel=1e-15)
    # The slope there is a/2; the step of 1e-7 mV leaves seven digits to see it in.
    assert np.diff(alpha) / 1e-7 == pytest.approx(0.05, rel=1e-6)


def test_words_say_what_their_names_say():
    assert boltzmann(-30.0, -30.0, 5.0) == 0.5
    assert boltzmann(-20.0, -30.0, 5.0) > 0.5 > boltzmann(-20.0, -30.0, -5.0)
    assert exp_rate(-65.0, 4.0, -65.0, 18.0) == 4.0
    assert exp_rate(-47.0, 4.0, -65.0, 18.0) == pytest.approx(4 / np.e)
    assert sigmoid_rate(-35.0, 1.0, -35.0, 10.0) == 0.5
    assert q10(3.0, 293.15, 283.15) == pytest.approx(3.0)
    assert q10(3.0, 288.15, 283.15) == pytest.approx(np.sqrt(3.0))


# ---- equilibrium

def test_nernst_gives_58_mV_a_decade_at_20_degC():
    assert nernst(+1, 293.15, 1.0, 10.0) == pytest.approx(58.17, abs=0.005)
    assert nernst(-1, 293.15, 1.0, 10.0) == pytest.approx(-58.17, abs=0.005)
    assert nernst(+2, 293.15, 1.0, 10.0) == pytest.approx(29.08, abs=0.005)


@given(st.sampled_from([-1, 1, 2]), potentials, concentrations, concentrations)
def test_ghk_is_the_textbook_formula(z, V, c_i, c_o):
    with mpmath.workdps(60):
        u = z * mpmath.mpf(V) * float(F) / (float(R) * BODY)
        expected = z * float(F) * exact_linoid(u) * (c_i - c_o * mpmath.exp(-u))
        size = abs(z) * float(F) * (c_i + c_o) * (1 + abs(u))  # of the two fluxes whose difference the current is
        assert abs(float(ghk_current(z, V, BODY, c_i, c_o)) - expected) <= 1e-13 * float(size)


@given(concentrations, concentrations)
def test_ghk_at_0_mV_is_diffusion(c_i, c_o):
    assert ghk_current(+1, 0.0, BODY, c_i, c_o) == pytest.approx(F * (c_i - c_o), abs=1e-14 * F * (c_i + c_o))


def test_ghk_for_chloride_is_the_formula_of_the_charged_pore():
    # As the Cannon laboratory prints it: (V-V')(F2/RT) ([Cl]o e^{V'F/RT} - [Cl]i e^{-(V-V')F/RT})/(1-e^{-(V-V')F/RT}), V' = -120 mV
    f = float(F) / (float(R) * BODY)
    for V in (-150.0, -120.5, -85.0, 0.0, 40.0):
        u = (V + 120) * f
        expected = F * u * (110 * np.exp(-120 * f) - 4 * np.exp(-u)) / (1 - np.exp(-u))
        assert equilibrium.GHK_Cl(V, BODY, 4.0, 110.0, -120.0) == pytest.approx(expected, rel=1e-12)
    assert np.isfinite(equilibrium.GHK_Cl(-120.0, BODY, 4.0, 110.0, -120.0))


# ---- reversal: no current at the ion's own equilibrium, outward above it, inward below

def fibre_current(name: str, V: float, c_i: float, c_o: float) -> float:
    P = {"P": 1e-4, "theta_P": 1.3}
    gates = {"m": 0.3, "h": 0.4, "s": 0.5, "n": 0.6, "h_K": 0.7, "q": 0.2, "c": 0.3, "w_gp": 0.9}
    K, Na = equilibrium.GHK_K(V, BODY, c_i, c_o), equilibrium.GHK_Na(V, BODY, c_i, c_o)
    Cl = equilibrium.GHK_Cl(V, BODY, c_i, c_o, -120.0)
    return {
        "I_Na": lambda: sodium.I_Na(P["P"], P["theta_P"], gates["m"], gates["h"], gates["s"], 0.01, Na),
        "I_NaL": lambda: sodium.I_NaL(P["P"], P["theta_P"], Na),
        "I_gp_Na": lambda: sodium.I_gp_Na(P["P"], P["theta_P"], gates["w_gp"], Na),
        "I_gp_K": lambda: sodium.I_gp_K(P["P"], P["theta_P"], gates["w_gp"], K),
        "I_Kdr": lambda: potassium.I_Kdr(P["P"], P["theta_P"], gates["n"], gates["h_K"], K),
        "I_Kir": lambda: potassium.I_Kir(P["P"], P["theta_P"], potassium.y_Kir(V, equilibrium.E_K(BODY, c_i, c_o), 0.0, 12.0), K),
        "I_KCNQ": lambda: potassium.I_KCNQ(P["P"], P["theta_P"], gates["q"], K),
        "I_Cl": lambda: chloride.I_Cl(P["P"], P["theta_P"], gates["c"], Cl),
    }[name]()


@pytest.mark.parametrize("name", ["I_Na", "I_NaL", "I_gp_Na", "I_gp_K", "I_Kdr", "I_Kir", "I_KCNQ", "I_Cl"])
@given(st.floats(0.5, 200), st.floats(0.5, 200))
def test_a_channel_carries_nothing_at_its_ions_equilibrium(name, c_i, c_o):
    ion = {"I_Cl": equilibrium.E_Cl, "I_Na": equilibrium.E_Na, "I_NaL": equilibrium.E_Na, "I_gp_Na": equilibrium.E_Na}
    E = ion.get(name, equilibrium.E_K)(BODY, c_i, c_o)
    above, at, below = (fibre_current(name, E + d, c_i, c_o) for d in (5.0, 0.0, -5.0))
    assert below < 0 < above
    assert abs(at) <= 1e-12 * (above - below)


@given(st.floats(-100, 60), st.floats(0.01, 1))
def test_squid_currents_vanish_at_their_battery(E, x):
    assert sodium.I_Na_squid(120.0, x, x, E, E) == 0
    assert potassium.I_K_squid(36.0, x, E, E) == 0
    assert membrane.I_L(0.3, E, E) == 0
    assert sodium.I_Na_squid(120.0, x, x, E + 1, E) > 0 > sodium.I_Na_squid(120.0, x, x, E - 1, E)


@given(st.floats(5, 200), st.floats(2, 50), st.floats(1, 30), st.floats(50, 200), st.floats(2, 80))
def test_NKCC1_stands_still_at_its_thermodynamic_equilibrium(Na_o, Na_i, K_o, K_i, Cl_i):
    Cl_o = Cl_i * np.sqrt(Na_i * K_i / (Na_o * K_o))
    flux = [pumps.I_NKCC(2e-7, 1.3, Na_o, Na_i, K_o, K_i, Cl_o * f, Cl_i) for f in (0.9, 1.0, 1.1)]
    assert flux[0] < 0 < flux[2]
    assert abs(flux[1]) <= 1e-12 * (flux[2] - flux[0])


@given(potentials, st.floats(0.1, 30), st.floats(0.5, 60), st.floats(50, 200))
def test_the_pump_has_no_reversal_and_works_harder_when_it_has_to(V, K_o, Na_i, Na_o):
    def pump(V, K_o, Na_i):
        return pumps.I_pump(5.6e-5, 1.3, pumps.f_pump(V, BODY, Na_o, 67.3), 0.62, K_o, Na_i, 1.0, 2.5, 13.0)

    here = pump(V, K_o, Na_i)
    assert here > 0
    assert pump(V, 1.1 * K_o, Na_i) > here
    assert pump(V, K_o, 1.1 * Na_i) > here
    assert pump(V + 5, K_o, Na_i) > here


def test_cotransport_and_pump_move_ions_in_their_ratios():
    none = dict.fromkeys(("I_Kdr", "I_Kir", "I_KCNQ", "I_gp_K"), 0.0)
    K = membrane.I_K(**none, I_pump=1.0, I_NKCC=0.0)
    Na = membrane.I_Na_all(I_Na=0.0, I_NaL=0.0, I_gp_Na=0.0, I_pump=1.0, I_NKCC=0.0)
    assert (K, Na) == (-2, 3)
    K = membrane.I_K(**none, I_pump=0.0, I_NKCC=1.0)
    Na = membrane.I_Na_all(I_Na=0.0, I_NaL=0.0, I_gp_Na=0.0, I_pump=0.0, I_NKCC=1.0)
    Cl = membrane.I_Cl_all(I_Cl=0.0, I_NKCC=1.0)
    assert (K, Na, Cl) == (-1, -1, 2)
    assert membrane.I_ion(K, Na, Cl) == 0


def test_inward_rectifier_follows_V_minus_E_K():
    assert potassium.y_Kir(-90.0, -90.0, 0.0, 12.0) == 0.5
    assert potassium.y_Kir(-80.0, -90.0, 0.0, 12.0) < 0.5 < potassium.y_Kir(-100.0, -90.0, 0.0, 12.0)
    assert potassium.y_Kir(-60.0, -70.0, 0.0, 12.0) == potassium.y_Kir(-80.0, -90.0, 0.0, 12.0)


# ---- gates

def test_squid_rates_are_those_of_hodgkin_and_huxley():
    p = numbers("squid")
    theta = equilibrium.theta_gate(p["Q10_gate"], p["T"], p["T_ref"])
    assert theta == 1
    for V in (-90.0, -65.0, -53.21, -20.0, 33.0):
        v = V + 65  # depolarisation from rest, as in the paper with its sign turned
        rates = {
            "alpha_m": 0.1 * (25 - v) / (np.exp((25 - v) / 10) - 1), "beta_m": 4 * np.exp(-v / 18),
            "alpha_h": 0.07 * np.exp(-v / 20), "beta_h": 1 / (np.exp((30 - v) / 10) + 1),
            "alpha_n": 0.01 * (10 - v) / (np.exp((10 - v) / 10) - 1), "beta_n": 0.125 * np.exp(-v / 80),
        }
        ours = {
            "alpha_m": sodium.alpha_m(V, theta, **pick(p, "a_m", "Va_m", "ka_m")),
            "beta_m": sodium.beta_m(V, theta, **pick(p, "b_m", "Vb_m", "kb_m")),
            "alpha_h": sodium.alpha_h_squid(V, theta, **pick(p, "a_h", "Va_h", "ka_h")),
            "beta_h": sodium.beta_h(V, theta, **pick(p, "b_h", "Vb_h", "kb_h")),
            "alpha_n": potassium.alpha_n(V, theta, **pick(p, "a_n", "Va_n", "ka_n")),
            "beta_n": potassium.beta_n(V, theta, **pick(p, "b_n", "Vb_n", "kb_n")),
        }
        assert ours == pytest.approx(rates, rel=1e-12)


def test_fibre_gates_open_and_close_the_right_way():
    p, V = numbers("fibre"), np.linspace(-150, 80, 461)
    theta = equilibrium.theta_gate(p["Q10_gate"], p["T"], p["T_ref"])
    rising = {
        "m": sodium.m_inf(V, p["Vhalf_m"], p["k_m"]),
        "n": gating.steady_state(
            potassium.alpha_n(V, theta, **pick(p, "a_n", "Va_n", "ka_n")), potassium.beta_n(V, theta, **pick(p, "b_n", "Vb_n", "kb_n"))
        ),
        "q": potassium.q_inf(V, p["Vhalf_q"], p["k_q"]),
        "c": gating.steady_state(
            chloride.alpha_c(V, theta, **pick(p, "a_c", "Va_c", "ka_c")), chloride.beta_c(V, theta, **pick(p, "b_c", "Vb_c", "kb_c"))
        ),
    }
    falling = {
        "h": sodium.h_inf(V, p["Vhalf_h"], p["k_h"]),
        "s": sodium.s_inf(V, p["Vhalf_s"], p["k_s"], p["s_0"]),
        "h_K": potassium.h_K_inf(V, p["Vhalf_hK"], p["k_hK"]),
        "gating pore": sodium.w_gp(V, p["Vhalf_gp"], p["k_gp"]),
    }
    for sign, curves in ((1, rising), (-1, falling)):
        for name, curve in curves.items():
            assert np.all(sign * np.diff(curve) > 0), name
            assert np.all((curve > 0) & (curve < 1)), name
    assert sodium.m_inf(p["Vhalf_m"], p["Vhalf_m"], p["k_m"]) ** 3 == pytest.approx(0.5)
    assert falling["s"].min() > p["s_0"]


def test_fibre_time_constants_are_positive_and_ordered():
    p, V = numbers("fibre"), np.linspace(-150, 80, 461)
    theta = equilibrium.theta_gate(p["Q10_gate"], p["T"], p["T_ref"])
    tau_m = sodium.tau_m(sodium.alpha_m(V, theta, **pick(p, "a_m", "Va_m", "ka_m")), sodium.beta_m(V, theta, **pick(p, "b_m", "Vb_m", "kb_m")))
    tau_h = sodium.tau_h(sodium.alpha_h(V, theta, **pick(p, "a_h", "Va_h", "ka_h")), sodium.beta_h(V, theta, **pick(p, "b_h", "Vb_h", "kb_h")))
    tau_s = sodium.tau_s(V, theta, **pick(p, "a_s", "Va_s", "ka_s", "b_s", "Vb_s", "kb_s"))
    assert np.all(tau_m > 0)
    assert np.all(tau_h > tau_m)
    assert np.all(tau_s > tau_h)


# ---- surface charge

RINGER = {"T": 288.15, "K_o": 2.5, "Na_o": 115.0, "Ca_o": 2.0, "Mg_o": 0.0, "pH": 7.4}
SITES = ("sigma_scale", "eps_r", "w_Mg", "d_1", "pK_1", "d_2", "pK_2", "d_b", "pK_b", "K_Ca", "K_Mg")


def psi(**changed: float) -> float:
    return float(surface_charge.psi(**{**RINGER, **pick(numbers("fibre"), *SITES), **changed}))


def charges(x: float, given: dict[str, float]) -> tuple[float, float]:
    """Charge of the diffuse layer and of the membrane (C/m2) at the surface potential x, written out as in the paper."""
    u = x * float(F) / (float(R) * given["T"])
    M, D = given["K_o"] + given["Na_o"], given["Ca_o"] + given["w_Mg"] * given["Mg_o"]
    field = M * (np.exp(-u) + np.exp(u) - 2) + D * (np.exp(-2 * u) - 1) + 2 * D * (np.exp(u) - 1)
    diffuse = np.sign(u) * np.sqrt(2 * given["eps_r"] * 8.8541878128e-12 * 8.314462618 * given["T"] * field)
    H = 10 ** -given["pH"] * np.exp(-u)
    bound = np.exp(-2 * u) * (given["Ca_o"] / given["K_Ca"] + given["Mg_o"] / given["K_Mg"])
    sites = -sum(given[f"d_{i}"] / (1 + H / 10 ** -given[f"pK_{i}"] + bound) for i in (1, 2)) + given["d_b"] * H / (H + 10 ** -given["pK_b"])
    return diffuse, given["sigma_scale"] * 0.1602176634 * sites


baths = st.fixed_dictionaries({
    "T": st.floats(275, 315), "K_o": st.floats(0.5, 30), "Na_o": st.floats(80, 200), "Ca_o": st.floats(0, 20), "Mg_o": st.floats(0, 6),
    "pH": st.floats(6.5, 8.2), "sigma_scale": st.floats(0.3, 1),
})


@given(baths)
def test_surface_potential_balances_the_charges_in_both_readings(written_out, bath):
    given = {**pick(numbers("fibre"), *SITES), **bath}
    emitted = Emitted(models.bound("fibre"))
    values = np.empty(len(emitted.values))
    parameters = {"I_0": 0.0, "I_slope": 0.0, "t_0": 0.0, **numbers("fibre"), **bath}
    written_out("fibre").prepare(np.array([parameters[s] for s in emitted.parameters]), values)
    compiled = values[emitted.values.index("psi")]
    number = surface_charge.psi(**given)
    assert compiled == pytest.approx(number, abs=1e-9)
    # Between a microvolt below and above, the difference of the charges changes its sign.
    below, above = (np.subtract(*charges(number + d, given)) for d in (-1e-3, 1e-3))
    assert below < 0 < above


@given(baths, st.floats(0.05, 5))
def test_divalents_and_acid_make_the_surface_less_negative(bath, more):
    here = psi(**bath)
    assert psi(**bath | {"Ca_o": bath["Ca_o"] + more}) > here
    assert psi(**bath | {"Mg_o": bath["Mg_o"] + more}) > here
    assert psi(**bath | {"pH": bath["pH"] - 0.1 * more}) > here


def test_shifts_in_frog_ringer_are_those_of_hille_woodhull_and_shapiro():
    at_2 = psi(Ca_o=2.0)
    assert 20 <= psi(Ca_o=20.0) - at_2 <= 25
    assert psi(Ca_o=0.0) - at_2 == pytest.approx(-18, abs=3)


def test_surface_potential_reads_arrays():
    Ca = np.array([0.1, 1.2, 20.0])
    assert surface_charge.psi(**{**RINGER, **pick(numbers("fibre"), *SITES), "Ca_o": Ca}) == pytest.approx([psi(Ca_o=c) for c in Ca], abs=1e-9)
    pH = np.array([6.8, 7.4])
    assert surface_charge.psi(**{**RINGER, **pick(numbers("fibre"), *SITES), "pH": pH}) == pytest.approx([psi(pH=x) for x in pH], abs=1e-9)


def test_gates_feel_their_share_of_the_shift():
    assert surface_charge.V_Na(-60.0, 1.0, surface_charge.dpsi(-40.0, -50.0)) == -70.0
    assert surface_charge.V_K(-60.0, 0.4, 10.0) == -64.0
    assert surface_charge.V_Cl(-60.0, 0.0, 10.0) == -60.0
