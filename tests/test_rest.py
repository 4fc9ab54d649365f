"""Rests: where squid and fibre rest, all of them, how stable, acute and chronic, free and frozen."""

from __future__ import annotations

import numpy as np
import pytest

from simulation import Bath, BathChange, Solver, Train, find_rest, prepare, protocol, rest_only, run
from simulation.experiment import many
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.rest import V_HIGH, V_LOW, Rest
from simulation.studies import draws

# ---- squid


def test_the_squid_rests_where_hodgkin_and_huxley_found_it(rested):
    rest = rested("squid")
    assert len(rest.states) == 1
    assert rest.at().stable
    assert pytest.approx(-65.0, abs=0.05) == rest.V
    assert [rest.symbol(gate) for gate in "mhn"] == pytest.approx([0.0529, 0.5961, 0.3177], abs=2e-4)
    assert rest.symbol("dV_dt") == pytest.approx(0, abs=1e-9)
    assert rest.at().residual < 1e-9


def squid_at(squid, start, current):
    """Rest of the squid under a steady current (uA/cm2), by Newton's method on the compiled rates, and its eigenvalues."""
    values = squid.kernel.prepare(squid.numbers() | {"I_0": current})
    y, rate, matrix = start.copy(), np.empty(4), np.empty((4, 4))
    for _ in range(50):
        squid.kernel.rhs(0.0, y, values, rate)
        squid.kernel.jacobian(0.0, y, values, matrix)
        y -= np.linalg.solve(matrix, rate)
    assert np.abs(rate).max() < 1e-9
    return np.linalg.eigvals(matrix)


def test_the_squids_rest_loses_its_stability_to_an_oscillation_near_9_78(squid, rested):
    below, above = (squid_at(squid, rested("squid").at().state, current) for current in (9.73, 9.83))
    assert below.real.max() < 0 < above.real.max()
    for eigenvalues in (below, above):
        pair = eigenvalues[eigenvalues.imag != 0]
        assert len(pair) == 2  # a Hopf bifurcation: it is a pair that crosses
        assert pair.real.max() == eigenvalues.real.max()
        assert np.abs(pair.imag).max() * 1000 / (2 * np.pi) == pytest.approx(93, abs=10)  # about the rate of firing there, Hz


# ---- fibre: the table of rests against potassium, against another implementation's

STABLE = {
    0.5: [-57.7], 0.75: [-57.8], 1: [-99.1, -57.9], 1.5: [-99.8, -58.3], 2: [-98.8, -59.0], 2.5: [-97.0, -60.6], 3: [-94.9], 3.5: [-92.7],
    4: [-90.4], 5: [-85.8], 6: [-80.0], 8: [-69.7], 10: [-65.9], 12: [-62.6],
}


@pytest.mark.parametrize("K", STABLE)
def test_the_fibre_rests_where_the_prototype_did(rested, K):
    rest = rested("fibre", f"K={K}")
    assert [s.V for s in rest.stable] == pytest.approx(STABLE[K], abs=0.2)
    # Between two stable states lies an unstable one.
    assert len(rest.states) == 2 * len(rest.stable) - 1
    assert [s.stable for s in rest.states] == [True, False, True][: len(rest.states)]
    for state in rest.states:
        assert state.residual < 1e-9


@pytest.mark.parametrize("K", [0.8, 0.8054, 0.8055, 0.8065, 0.82, 1.05, 2.62, 2.64, 2.6465, 2.6475, 2.6477, 2.66])
def test_close_to_a_fold_states_come_and_go_in_pairs(rested, K):
    """Below 0.80539 mM and above 2.6476 mM a stable and an unstable state have met; close to that both are still told apart."""
    stable = [s.stable for s in rested("fibre", f"K={K}").states]
    assert stable == ([True, False, True] if 0.80539 < K < 2.6476 else [True])


def test_what_is_known_of_the_control_rest(rested):
    rest = rested("fibre")
    assert pytest.approx(-90.41, abs=0.1) == rest.V
    assert rest.symbol("K_t") == pytest.approx(4.03, abs=0.01)
    assert rest.symbol("Cl_i") == pytest.approx(3.95, abs=0.02)
    assert rest.symbol("V_t") == pytest.approx(rest.V, abs=0.5)
    # J_pump is set so that no net sodium flows at rest: what is left moves less than 0.1 mM in ten minutes.
    assert all(abs(rate) * 10 < 0.1 for rate in rest.drift().values())
    assert set(rest.drift()) == {"K_i", "Na_i"}


def test_divalents_move_the_rest_as_in_the_prototype(rested):
    shifts = {"Ca=0.9": (-1.5, -90.0), "Ca=0.6": (-3.4, -89.2), "Ca=0.6,Mg=0.3": (-4.4, -88.3), "Ca=2.4": (4.6, -90.9), "Mg=0.3": (-0.7, -90.3)}
    for bath, (shift, V) in shifts.items():
        rest = rested("fibre", bath)
        assert rest.symbol("dpsi") == pytest.approx(shift, abs=0.1), bath
        assert pytest.approx(V, abs=0.2) == rest.V, bath
    assert pytest.approx(-75.5, abs=0.5) == rested("fibre", "Ca=0.3").V


def test_every_root_of_the_current_is_found(fibre):
    """A scan far finer than the search's own grid sees no other sign change of dV/dt."""
    from simulation.experiment.rest import _System, held_state

    for K in (1.0, 2.5, 4.0):
        p = fibre.in_bath(K=K)
        system = _System(p, held_state(p))
        points = list(system.along_V(held_state(p), np.arange(-120.0, -40.0, 0.25)))
        assert len(points) > 310
        signs = np.sign([rate for _, _, rate in points])
        crossings = [points[i][0] + 0.125 for i in np.flatnonzero(np.diff(signs))]
        assert [s.V for s in find_rest(p).states] == pytest.approx(crossings, abs=0.2)


@pytest.mark.parametrize(("model", "bath"), [("squid", ""), ("fibre", "K=1"), ("fibre", "K=2"), ("fibre", "K=4"), ("fibre", "K=10")])
def test_a_small_kick_grows_or_dies_as_the_eigenvalue_says(prepared, rested, model, bath):
    """Kicked along the slowest or the unstable direction, each steady state answers with its own e-fold."""
    p = prepared(model, bath)
    free = np.array([i for i in range(len(p.states)) if i not in p.held_at_rest])
    for state in rested(model, bath).states:
        matrix = np.empty((len(p.states), len(p.states)))
        p.kernel.jacobian(0.0, state.state, p.values, matrix)
        eigenvalues, vectors = np.linalg.eig(matrix[np.ix_(free, free)])
        leading = np.argmax(eigenvalues.real)
        assert eigenvalues[leading].real == pytest.approx(state.max_real_eigenvalue, rel=1e-6)
        kick = np.zeros(len(p.states))
        kick[free] = np.real(vectors[:, leading])
        kick *= 0.02 / np.abs(kick[p.potential])  # mV
        # For a fiftieth of an e-fold, before what takes hours has moved; kicked both ways, so that curvature cancels.
        T, solver = 0.02 / abs(eigenvalues[leading].real), Solver("BDF", 1e-10, 1e-12)
        down, up = (run(p, rest_only(T), start=state.state + x * kick, solver=solver).V[-1] for x in (-1, 1))
        ahead = np.real(np.exp(eigenvalues[leading] * T) * vectors[:, leading])[free == p.potential].item()
        now = np.real(vectors[:, leading])[free == p.potential].item()
        assert (up - down) / (2 * kick[p.potential]) - 1 == pytest.approx(ahead / now - 1, rel=0.1)


def test_ten_minutes_with_all_ions_free_change_little(fibre, rested):
    recording = run(fibre, rest_only(600_000), start=rested("fibre").at().state)
    assert np.ptp(recording.V) < 0.5
    for name in ("K_t", "Na_t", "Cl_t", "K_i", "Na_i", "Cl_i"):
        assert np.ptp(recording[name]) < 0.1, name


# ---- acute and chronic, free and frozen


def test_an_acute_rise_of_potassium_leaves_the_fibre_polarised(fibre, rested):
    chronic, acute = rested("fibre", "K=10"), rested("fibre", "K=10", mode="acute")
    assert pytest.approx(-65.9, abs=0.2) == chronic.V
    assert pytest.approx(-84, abs=1) == acute.V
    control = rested("fibre").at().state
    for name in ("s_s", "s_t", "Cl_i", "K_i", "Na_i"):
        assert acute.at().state[fibre.states.index(name)] == control[fibre.states.index(name)]
    # In time: 1.5 s after the step the whole model, nothing held, is still there.
    recording = run(fibre, protocol(BathChange(Bath(K=10), 10), duration=1510), start=control)
    assert recording.V[-1] == pytest.approx(-84, abs=1)
    # In half an hour it is at the chronic rest, near that for the ions it began with and at that for those it has by then:
    # the chloride that has come in has brought potassium with it.
    later = run(fibre, protocol(BathChange(Bath(K=10), 10), duration=1_800_000), start=control)
    assert later.V[-1] == pytest.approx(chronic.V, abs=2)
    there = find_rest(fibre.in_bath(K=10).with_values({"K_i_0": later["K_i"][-1], "Na_i_0": later["Na_i"][-1]}))
    assert later.V[-1] == pytest.approx(there.V, abs=0.02)


def test_in_the_control_bath_acute_and_chronic_are_one(rested):
    assert pytest.approx(rested("fibre").V, abs=1e-6) == rested("fibre", mode="acute").V


@pytest.mark.parametrize(("freeze", "still"), [
    (("tubule",), {"K_t", "Na_t", "Cl_t"}), (("myoplasm",), {"K_i", "Na_i", "Cl_i"}), (("ions",), {"K_t", "Na_t", "Cl_t", "K_i", "Na_i", "Cl_i"}),
    ((), set()),
])
def test_frozen_stores_stay_and_others_move(prepared, rested, freeze, still):
    p = prepared("fibre", "K=5", freeze=freeze)
    assert {p.states[i] for i in p.held} == still
    recording = run(p, protocol(Train(100, 100, 400), duration=120), start=rested("fibre", "K=5", freeze=freeze).at().state)
    control = rested("fibre").at().state
    for name in ("K_t", "Na_t", "Cl_t", "K_i", "Na_i", "Cl_i"):
        if name in still:
            assert np.all(recording[name] == control[p.states.index(name)]), name
        else:
            assert np.ptp(recording[name]) > 0, name


def test_freezing_is_asked_for_by_name(fibre):
    assert prepare("fibre", freeze="tubule").frozen == ("tubule",)
    with pytest.raises(ExperimentError, match=r"there is no ion store 'tubul'; nearest: tubule; stores of fibre: tubule, myoplasm, or 'ions'"):
        prepare("fibre", freeze="tubul")
    with pytest.raises(ExperimentError, match=r"there is no ion store 'tubule'; squid has none"):
        prepare("squid", freeze="tubule")
    with pytest.raises(ExperimentError, match="the mode 'akut' is not known; nearest: acute; modes: chronic, acute"):
        prepare("fibre", mode="akut")


# ---- the leaky fibre


def test_the_leak_of_hypokalaemic_paralysis_is_what_patients_have(rested):
    """12 to 19.5 uS/cm2 of fibre surface (Jurkat-Rott et al. 2009): both ions, sarcolemma and tubule, per mV from the reversal near 0."""
    rest = rested("fibre_hypopp")
    current = sum(rest.symbol(f"I_gp_{ion}_s") + rest.symbol("gamma") * rest.symbol(f"I_gp_{ion}_t") for ion in ("Na", "K"))
    assert 12 <= current / rest.V * 1000 <= 19.5


# ---- what has no rest


def test_what_does_not_rest_is_said_to(squid):
    nowhere = Rest(squid, ())
    with pytest.raises(ModelSaysNo, match=f"squid has no steady state between {V_LOW:g} and {V_HIGH:g} mV"):
        nowhere.at()
    pumped = squid.with_values({"g_K": 0.0, "g_L": 0.0, "E_Na": 500.0})
    with pytest.raises(ModelSaysNo, match="no steady state"):
        find_rest(pumped).at()


def test_an_unstable_rest_is_given_where_there_is_no_other(squid):
    """A squid whose leak depolarises it fires on its own: its one rest is unstable."""
    rest = find_rest(squid.with_values({"E_L": -15.0}))
    assert len(rest.states) == 1
    assert not rest.stable
    assert rest.at().max_real_eigenvalue > 0
    recording = run(rest.preparation, rest_only(200), start=rest.at().state + 0.1)
    assert np.ptp(recording.V[recording.t > 100]) > 50


def test_the_rest_nearest_to_a_potential_is_chosen(rested):
    rest = rested("fibre", "K=2")
    assert rest.at().V == rest.V == rest.stable[0].V
    assert rest.at(-50).V == rest.stable[1].V
    assert rest.at(-74).V in (rest.stable[0].V, rest.stable[1].V)


@pytest.mark.parametrize("change", [
    {"K_i_0": -5.0}, {"K_i_0": 0.0}, {"Na_sigma": 0.01}, {"r": 0.0}, {"R_a": 0.0}, {"w_Mg": -100.0}, {"eps_r": -80.0}, {"Q10_gate": -1.0},
    {"P_Na": 1e10},
])
@pytest.mark.parametrize("kind", ["llvm", "plain"])
def test_absurd_parameters_end_in_a_sentence(kind, change):
    rest = find_rest(prepare("fibre", set=change, kernel=kind))
    assert all(np.isfinite(s.state).all() and s.residual < 1e-6 for s in rest.states)
    if not rest.states:
        with pytest.raises(ModelSaysNo, match="no steady state"):
            rest.at()


def test_every_rest_of_drawn_membranes_is_found_by_both_searches(prepared):
    """In low potassium, with all parameters drawn over their ranges: as many for one membrane as for many side by side, and never an even number."""
    p = prepared("fibre", "K=1.5")
    drawn = draws.drawn(p)
    table = draws.mapped(draws.shares(64, len(drawn), 7), drawn)
    together = many.resting(p, draws.rows(p, drawn, table), lambda i: draws.member(p, drawn, table[i]))
    for row, found in zip(table[:12], together, strict=False):
        V = [s.V for s in find_rest(draws.member(p, drawn, row)).states]
        assert sorted([*found.stable, *found.unstable]) == pytest.approx(V, abs=1e-6)
    assert all((len(r.stable) + len(r.unstable)) % 2 == 1 for r in together)
    assert {len(r.stable) for r in together} >= {1, 2}
