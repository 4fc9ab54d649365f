"""Continuation: on systems whose points are known to every digit, on the squid axon, the fibre and the motor axon."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.optimize import brentq

import simulation as sim
from simulation.experiment.curves import Equations, at_parameter, follow, follow_point
from simulation.experiment.errors import ExperimentError
from simulation.studies.continuation import Range, follow_borders, follow_rests, parse_range, pieces

VARIANTS = ("axon_rhythmic", "axon_near_normal", "axon_multiplets")


def equations(rates, jacobian, n, *box):
    return Equations(lambda y, p: np.array(rates(y, p)), lambda y, p: np.array(jacobian(y, p)), np.ones(n), np.array(box, dtype=float))


# ---- normal forms

def test_a_fold_is_where_its_formula_says():
    """0 = p - y^2 - 0.3 y^3 folds at y = 0, p = 0 and at y = -2/0.9, p = 4/2.43."""
    e = equations(lambda y, p: [p[0] - y[0]**2 - 0.3 * y[0]**3], lambda y, p: [[-2 * y[0] - 0.9 * y[0]**2]], 1, (-3, 3))
    branch = follow(e, np.array([1.0]), 1.3)
    assert [q.label for q in branch.labelled] == ["end", "fold", "fold", "end"] or [q.label for q in branch.labelled][::-1]
    assert sorted(q.p[0] for q in branch.of("fold")) == pytest.approx([0.0, 4 / 2.43], abs=1e-12)
    assert sorted(q.y[0] for q in branch.of("fold")) == pytest.approx([-2 / 0.9, 0.0], abs=1e-6)
    assert [s.stable for s in pieces(q.unstable for q in branch.points)] == [True, False, True]


@pytest.mark.parametrize("where", [-0.3, 0.123456789, 0.7])
def test_a_hopf_point_is_where_its_formula_says(where):
    def rates(y, p):
        a, r = p[0] - where, y @ y
        return [a * y[0] - 2 * y[1] - r * y[0], 2 * y[0] + a * y[1] - r * y[1]]

    def jacobian(y, p):
        a, r = p[0] - where, y @ y
        return [[a - r - 2 * y[0]**2, -2 - 2 * y[0] * y[1]], [2 - 2 * y[0] * y[1], a - r - 2 * y[1]**2]]

    (found,) = follow(equations(rates, jacobian, 2, (-1, 1)), np.zeros(2), -1.0).of("Hopf")
    assert found.p[0] == pytest.approx(where, abs=1e-12)
    assert found.period == pytest.approx(math.pi, rel=1e-9)


def test_a_neutral_saddle_is_no_hopf_point():
    """Eigenvalues p and -1: their sum vanishes at p = 1, but nothing oscillates."""
    e = equations(lambda y, p: [p[0] * y[0], -y[1]], lambda y, p: [[p[0], 0], [0, -1]], 2, (0.5, 2))
    assert [q.label for q in follow(e, np.zeros(2), 0.5).labelled] == ["end", "end"]


def test_a_branch_that_crosses_another_is_told_of():
    e = equations(lambda y, p: [p[0] * y[0] - y[0]**2], lambda y, p: [[p[0] - 2 * y[0]]], 1, (-1, 0.9))
    (found,) = follow(e, np.zeros(1), -1.0).of("branch point")
    assert found.p[0] == pytest.approx(0.0, abs=1e-9)


def test_a_closed_branch_ends_where_it_began():
    """p^2 + y^2 = 1/4: an island with a fold at either end."""
    e = equations(lambda y, p: [p[0]**2 + y[0]**2 - 0.25], lambda y, p: [[2 * y[0]]], 1, (-1, 1))
    branch = follow(e, np.array([-0.5]), 0.0)
    assert branch.closed
    assert sorted(q.p[0] for q in branch.of("fold")) == pytest.approx([-0.5, 0.5], abs=1e-12)
    np.testing.assert_allclose((branch.p**2 + branch.y**2), 0.25, atol=1e-9)


def test_the_folds_of_a_cusp_lie_on_its_parabola():
    """0 = p + q y - y^3: folds where 27 p^2 = 4 q^3, both together at 0."""
    e = equations(lambda y, p: [p[0] + p[1] * y[0] - y[0]**3], lambda y, p: [[p[1] - 3 * y[0]**2]], 1, (-1, 1), (-0.5, 1))
    slice_ = equations(lambda y, p: e.rates(y, [p[0], 0.5]), lambda y, p: e.jacobian(y, [p[0], 0.5]), 1, (-1, 1))
    fold = follow(slice_, np.array([1.1]), 1.1**3 - 0.55).of("fold")[0]
    curve = follow_point(e, fold, np.array([fold.p[0], 0.5]))
    p, q = curve.p.T
    np.testing.assert_allclose(27 * p**2, 4 * q**3, atol=1e-9)
    (cusp,) = curve.of("cusp")
    assert cusp.p == pytest.approx([0, 0], abs=1e-9)
    assert {round(float(end.p[1]), 12) for end in curve.of("end")} == {1.0}
    exact = at_parameter(e, "fold", fold.y, np.array([fold.p[0], 0.51]), held=1)
    assert abs(exact.p[0]) == pytest.approx(math.sqrt(4 * 0.51**3 / 27), abs=1e-10)


def test_folds_and_hopf_points_meet_where_two_eigenvalues_vanish():
    """y1' = y2, y2' = p + q y2 + y1^2 + y1 y2 (Bogdanov and Takens): folds at p = 0, Hopf points at p = -q^2 for q > 0."""
    def rates(y, p):
        return [y[1], p[0] + p[1] * y[1] + y[0]**2 + y[0] * y[1]]

    def jacobian(y, p):
        return [[0, 1], [2 * y[0] + y[1], p[1] + y[0]]]

    e = equations(rates, jacobian, 2, (-1, 1), (-1, 1))
    slice_ = equations(lambda y, p: rates(y, [p[0], 0.5]), lambda y, p: jacobian(y, [p[0], 0.5]), 2, (-1, 1))
    branch = follow(slice_, np.array([-1.0, 0.0]), -1.0)
    (fold,), (hopf,) = branch.of("fold"), branch.of("Hopf")
    assert [fold.p[0], hopf.p[0]] == pytest.approx([0.0, -0.25], abs=1e-12)
    folds, hopfs = (follow_point(e, q, np.array([q.p[0], 0.5])) for q in (fold, hopf))
    np.testing.assert_allclose(folds.p[:, 0], 0, atol=1e-10)
    p, q = hopfs.p.T
    np.testing.assert_allclose(p, -(q**2), atol=1e-10)
    assert q.min() > -1e-6  # beyond it the pair is real: no oscillation
    for curve in (folds, hopfs):
        (both,) = curve.of("Bogdanov-Takens")
        assert both.p == pytest.approx([0, 0], abs=1e-6)
    assert [point.period for point in hopfs.points if point.p[1] > 0.1] == pytest.approx(
        [2 * math.pi / math.sqrt(2 * point.p[1]) for point in hopfs.points if point.p[1] > 0.1], rel=1e-8
    )


# ---- models of the literature

class MorrisLecar:
    """Barnacle muscle (Morris & Lecar 1981) with the numbers of Rinzel & Ermentrout (1989) for the Hopf and for the saddle-node regime."""

    C, g_L, V_L, g_Ca, V_Ca, g_K, V_K, V1, V2 = 20.0, 2.0, -60.0, 4.4, 120.0, 8.0, -84.0, -1.2, 18.0

    def __init__(self, V3, V4, phi, g_Ca=4.4):
        self.V3, self.V4, self.phi, self.g_Ca = V3, V4, phi, g_Ca

    def curves(self, V):
        x, z = (V - self.V1) / self.V2, (V - self.V3) / self.V4
        m, w = 0.5 * (1 + math.tanh(x)), 0.5 * (1 + math.tanh(z))
        return m, 0.5 / self.V2 / math.cosh(x)**2, w, 0.5 / self.V4 / math.cosh(z)**2, self.phi * math.cosh(z / 2)

    def rates(self, y, p):
        m, _, w, _, rate = self.curves(y[0])
        I = p[0] - self.g_L * (y[0] - self.V_L) - self.g_Ca * m * (y[0] - self.V_Ca) - self.g_K * y[1] * (y[0] - self.V_K)  # noqa: E741
        return [I / self.C, rate * (w - y[1])]

    def jacobian(self, y, p):
        m, dm, w, dw, rate = self.curves(y[0])
        by_V = -self.g_L - self.g_Ca * (m + dm * (y[0] - self.V_Ca)) - self.g_K * y[1]
        slope = 0.5 * self.phi / self.V4 * math.sinh((y[0] - self.V3) / (2 * self.V4))
        return [[by_V / self.C, -self.g_K * (y[0] - self.V_K) / self.C], [slope * (w - y[1]) + rate * dw, -rate]]

    def equations(self, low, high):
        """Over a steady current, uA/cm2."""
        both = (lambda y, p: np.array(self.rates(y, p))), (lambda y, p: np.array(self.jacobian(y, p)))
        return Equations(*both, np.array([60.0, 1.0]), np.array([[low, high]], dtype=float))

    def current(self, V):
        """Steady current at a potential: its extrema are the folds."""
        m, _, w, _, _ = self.curves(V)
        return self.g_L * (V - self.V_L) + self.g_Ca * m * (V - self.V_Ca) + self.g_K * w * (V - self.V_K)

    def trace(self, V):
        _, _, w, _, _ = self.curves(V)
        return sum(np.diag(self.jacobian([V, w], [0.0])))

    def slope(self, V, h=1e-5):
        return (self.current(V + h) - self.current(V - h)) / (2 * h)


def test_the_hopf_points_of_morris_and_lecar():
    cell = MorrisLecar(2.0, 30.0, 0.04)
    e = cell.equations(0, 300)
    found = follow(e, np.array([-60.9, 0.014]), 0.0).of("Hopf")
    assert [q.p[0] for q in found] == pytest.approx([93.86, 212.02], abs=0.01)  # as published
    V = [brentq(cell.trace, *between, xtol=1e-13) for between in ((-35, -20), (0, 20))]
    assert [q.p[0] for q in found] == pytest.approx([cell.current(v) for v in V], abs=1e-6)


def test_the_folds_of_morris_and_lecar():
    cell = MorrisLecar(12.0, 17.4, 1 / 15, g_Ca=4.0)
    e = cell.equations(-50, 150)
    y = np.array([brentq(lambda v: cell.current(v), -80, -40), 0.0])
    y[1] = cell.curves(y[0])[2]
    found = follow(e, y, 0.0).of("fold")
    V = [brentq(cell.slope, *between) for between in ((-15, 0), (-40, -20))]
    assert sorted(q.p[0] for q in found) == pytest.approx([cell.current(v) for v in V], abs=1e-6)
    assert max(q.p[0] for q in found) == pytest.approx(39.96, abs=0.01)  # as published: firing begins there


def test_the_squid_axon_fires_between_its_published_currents(squid, rested):
    """9.78 and 154.5 uA/cm2 at 6.3 degC (Hassard 1978; Rinzel & Miller 1980)."""
    numbers, start = squid.numbers(), rested("squid").at().state

    def rates(y, p):
        out = np.empty(4)
        squid.kernel.rhs(0.0, y, squid.kernel.prepare(numbers | {"I_0": float(p[0])}), out)
        return out

    def jacobian(y, p):
        out = np.empty((4, 4))
        squid.kernel.jacobian(0.0, y, squid.kernel.prepare(numbers | {"I_0": float(p[0])}), out)
        return out

    branch = follow(Equations(rates, jacobian, 1 + np.abs(start), np.array([[0.0, 200.0]])), start, 0.0)
    assert [q.label for q in branch.labelled] == ["end", "Hopf", "Hopf", "end"]
    found = [q.p[0] for q in branch.of("Hopf")]
    assert found[0] == pytest.approx(9.78, abs=0.005)
    assert found[1] == pytest.approx(154.5, abs=0.05)
    assert found == pytest.approx([9.775438, 154.522434], abs=1e-6)
    for q in branch.of("Hopf"):
        assert np.abs(np.linalg.eigvals(jacobian(q.y, q.p)).real).min() < 1e-9
        assert np.abs(rates(q.y, q.p)).max() < 1e-9


# ---- fibre and axon

@pytest.fixture(scope="module")
def over_potassium(fibre):
    return follow_rests(fibre, "K=0.3:12")


def test_the_folds_of_the_fibre_bracket_what_the_root_finder_finds(fibre, over_potassium):
    low, high = over_potassium.values("fold")
    assert (low, high) == (pytest.approx(0.80539, abs=1e-5), pytest.approx(2.64759, abs=1e-5))
    for K, inward in ((low, 2e-5), (high, -1e-4)):  # closer to a fold the root finder takes two for none
        counts = [len(sim.find_rest(fibre.in_bath(K=K + side * inward)).states) for side in (-1, 1)]
        assert counts == [1, 3]
    for q in over_potassium.points("fold"):
        assert np.abs(q.eigenvalues).min() < 1e-7 * np.abs(q.eigenvalues).max()
    assert [round(s, 3) for pair in over_potassium.stable_stretches for s in pair] == [0.3, 2.648, 0.805, 12]
    assert len(over_potassium.branches) == 1


@pytest.mark.parametrize("K", [0.5, 1.0, 2.0, 2.6, 4.0, 8.0])
def test_on_the_branch_lies_every_rest_that_is_found_alone(rested, over_potassium, K):
    d = over_potassium.to_dataset()
    x, V, stable = d["K"].values, d["V_s"].values, d["stable"].values
    crossed = sorted(
        (V[i] + (K - x[i]) / (x[i + 1] - x[i]) * (V[i + 1] - V[i]), bool(stable[i] and stable[i + 1]))
        for i in np.flatnonzero((x[:-1] - K) * (x[1:] - K) < 0)
    )
    found = rested("fibre", f"K={K}").states
    assert [v for v, _ in crossed] == pytest.approx([s.V for s in found], abs=0.05)
    assert [s for _, s in crossed] == [s.stable for s in found]


def test_an_island_between_the_ends_is_seen(rested):
    """The fibre of hypokalaemic paralysis has three rests at 3 mM potassium, one at either end: two of them lie on a closed branch."""
    c = follow_rests(sim.prepare("fibre_hypopp"), "K=0.5:8")
    (island,) = (branch for branch in c.branches if branch.closed)
    low, high = sorted({float(q.p[0]) for q in island.of("fold")})
    assert sorted(c.stable_stretches) == [(0.5, 8.0), (low, high)]
    assert low < 3 < high
    assert [len(rested("fibre_hypopp", f"K={K}").states) for K in (0.5, round(low - 0.05, 3), 3, round(high + 0.05, 3), 8)] == [1, 1, 3, 1, 1]


@pytest.mark.parametrize(("factor", "K"), [(1.1, 0.9), (1.3, 0.7), (1.6, 0.5)])
def test_all_rests_are_found_where_the_tubule_has_several_states_at_one_potential(fibre, factor, K):
    """A search along V alone jumps from one to another there; what continuation follows through this bath is what is to be found."""
    p = fibre.scaled({"P_Kir": factor})
    followed = follow_rests(p, f"K={K - 0.05:g}:{K + 0.05:g}").to_dataset()
    rests = sim.find_rest(p.in_bath(K=K)).states
    assert len(rests) == 3
    for V in (s.V for s in rests):
        near = np.abs(followed["V_s"].values - V) + 100 * np.abs(followed["K"].values - K)
        assert near.min() < 2.0
    assert [i for i, s in enumerate(rests) if s.stable] == [0, 2]


def test_an_acute_fibre_is_followed_with_what_it_holds(prepared):
    p = prepared("fibre", mode="acute")
    c = follow_rests(p, "K=2:10")
    (branch,) = c.branches
    assert c.V(branch.points[-1]) == pytest.approx(sim.find_rest(p.in_bath(K=10)).V, abs=1e-6)
    assert np.ptp(c.to_dataset()["Cl_i"].values) == 0


def test_a_parameter_moves_what_an_acute_membrane_holds(prepared):
    p = prepared("fibre", mode="acute")
    c = follow_rests(p, "P_Kir_scale=0.8:1.2")
    for branch in c.branches:
        for q in branch.of("end"):
            rests = sim.find_rest(p.scaled({"P_Kir": float(q.p[0])})).states
            assert min(abs(s.V - c.V(q)) for s in rests) < 1e-6


def spikes_from_rest(p):
    """Spikes in 400 ms without a stimulus, from a start 0.2 mV beside the rest."""
    rest = sim.find_rest(p).at()
    return sim.run(p, sim.rest_only(600), start=p.beside(rest.state, 0.2), solver=sim.Solver(rtol=1e-7, atol=1e-9)).features.spikes


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_axon_begins_to_fire_where_its_rest_loses_stability(name):
    p = sim.prepare(name)
    (onset,) = follow_rests(p, "Ca=0.5:2").points("Hopf")
    Ca = float(onset.p[0])
    assert 0.7 < Ca < 1.0  # silent in the control bath of 1.2 mM
    assert spikes_from_rest(p.in_bath(Ca=0.98 * Ca)) > 3
    assert spikes_from_rest(p.in_bath(Ca=1.02 * Ca)) == 0


def test_the_mean_axon_never_loses_its_rest():
    c = follow_rests(sim.prepare("axon"), "Ca=0.3:2.4")
    assert (c.values("Hopf"), c.values("fold")) == ([], [])
    assert c.stable_stretches == [(0.3, 2.4)]


# ---- borders

def test_borders_go_through_the_points_found_alone():
    b = follow_borders(sim.prepare("axon_rhythmic"), "Ca=0.3:2", "Mg=0.1:1.5")
    for value, c in b.slices:
        assert b.crossings("Hopf", {"Mg": value}) == pytest.approx(c.values("Hopf"), abs=1e-8)
    at_normal = b.crossings("Hopf", {"Mg": 0.55})[-1]
    assert at_normal == pytest.approx(0.83383, abs=1e-5)
    # Magnesium screens too: with less of it firing begins at higher calcium.
    assert b.crossings("Hopf", {"Mg": 0.2})[-1] > at_normal + 0.05
    with pytest.raises(ExperimentError, match="the borders go over Ca and Mg, not over K"):
        b.crossings("Hopf", {"K": 4})


def test_the_border_of_paralysis_moves_with_the_inward_rectifier(fibre):
    b = follow_borders(fibre, "K=0.3:5", "P_Kir_scale=0.8:1.1")
    for value, c in b.slices:
        assert b.crossings("fold", {"P_Kir_scale": value}) == pytest.approx(c.values("fold"), abs=1e-7)
    borders = [b.crossings("fold", {"P_Kir_scale": share})[0] for share in (0.85, 0.9, 1.0, 1.1)]
    assert borders == sorted(borders, reverse=True)  # with fewer channels the fibre falls at higher potassium
    assert borders[2] == pytest.approx(0.80539, abs=1e-5)


# ---- what it gives

def test_the_dataset_says_what_it_holds(over_potassium, fibre):
    d = over_potassium.to_dataset()
    assert list(d.dims) == ["point"]
    assert set(fibre.states) < set(d.data_vars)
    assert list(d["label"].values[d["label"].values != ""]) == ["end", "fold", "fold", "end"]
    assert set(d["K_i"].values) == {float(fibre.guess()[fibre.states.index("K_i")])}
    for name in ("K", "V_s", "growth", "frequency", "period"):
        assert {"units", "long_name"} <= set(d[name].attrs), name
    made = json.loads(d.attrs["provenance"])
    assert made["continued"] == {"K": [0.3, 12.0]}
    assert made["model"] == "fibre"
    on_fold = d["label"].values == "fold"
    assert np.abs(d["growth"].values[on_fold]).max() < 1e-6


def test_ranges():
    assert parse_range("K=0.3:12") == Range("K", 0.3, 12.0)
    assert 4 in parse_range("K=0.3:12")
    for text in ("K", "K=3", "K=3:2", "K=1:2:3", "=1:2", "K=a:b", "K=1:inf", "K=nan:2"):
        with pytest.raises(ExperimentError, match="is not a range; write NAME=FROM:TO"):
            parse_range(text)
    with pytest.raises(ExperimentError, match="a concentration is above 0"):
        follow_rests(sim.prepare("fibre"), "K=0:12")
