"""The classics: what their experiments find, and that the figures show it."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

import simulation as sim
from simulation import figures
from simulation.clinic import claims
from simulation.experiment.budget import budget
from simulation.experiment.errors import ExperimentError
from simulation.experiment.firing import firing_rates, late_rate
from simulation.experiment.phase_plane import phase_plane
from simulation.figures import cable, chloride, style, verdicts
from simulation.figures.spike import conductance
from simulation.gallery import classics
from simulation.physiology.vocabulary import ghk_current


@pytest.fixture(scope="module")
def plane(squid):
    return phase_plane(squid)


@pytest.fixture(scope="module")
def balance(prepared):
    return budget(prepared("muscle"))


def _line(plate, label: str, panel: int = 0):
    return next(line for line in plate.axes[panel].get_lines() if line.get_label() == label)


# ---- phase plane

def test_on_a_nullcline_the_models_own_rate_vanishes(plane, squid):
    rates = np.empty(4)
    for which, n in ((0, plane.V_nullcline), (3, plane.n_nullcline)):
        there = np.flatnonzero(np.isfinite(n))
        assert len(there) > 100
        for i in there[::10]:
            V = plane.V[i]
            m_inf = float(sim.gate_curves(squid, [V], plane.reduction.rest)["m_inf"][0])
            state = np.array([V, m_inf, float(plane.reduction.h(n[i])), n[i]])
            squid.kernel.rhs(0.0, state, squid.values, rates)
            assert abs(rates[which]) < 1e-5


def test_both_nullclines_go_through_the_rest_of_the_full_model(plane):
    V, n = plane.reduction.rest.V, plane.reduction.rest.symbol("n")
    assert plane.reduction.nullcline(np.array([V]), "V") == pytest.approx(n, abs=1e-4)
    assert plane.reduction.nullcline(np.array([V]), "n") == pytest.approx(n, abs=1e-9)


def test_the_reduction_fires_as_the_full_model_does(plane, squid):
    _, V, n = plane.reduction.run(plane.above.protocol.events[0].amplitude, 0.2, 30.0)
    assert V.max() == pytest.approx(plane.above.V.max(), abs=15)
    assert n.max() == pytest.approx(plane.above["n"].max(), abs=0.05)
    assert (plane.below.features.spikes, plane.above.features.spikes) == (0, 1)
    assert plane.threshold == pytest.approx(sim.threshold_current(squid, 0.2), rel=3e-3)


def test_the_phase_plane_shows_the_runs(plane):
    plate = figures.phase_plane_figure(plane, "column")
    for label, run in (("full model, 5 % below threshold", plane.below), ("full model, 5 % above", plane.above)):
        x, y = _line(plate, label).get_data()
        assert np.array_equal(x, run.V)
        assert np.array_equal(y, run["n"])
    assert np.array_equal(_line(plate, "V stands still (reduction)").get_ydata(), plane.V_nullcline, equal_nan=True)
    assert "reduction" in plate.alt
    assert plate.provenance["phase_plane"]["h_over_n"] == plane.reduction.slope


def test_only_a_membrane_of_three_gates_has_a_phase_plane(fibre):
    with pytest.raises(ExperimentError, match="such as squid"):
        phase_plane(fibre)


# ---- the budget of rest

def test_the_currents_of_rest_balance(balance):
    assert sum(balance.currents.values()) == pytest.approx(0.0, abs=1e-9)
    assert balance.currents["K"] > 0 > balance.currents["Na"]
    assert balance.E["K"] < balance.V < balance.E["Cl"] < 0 < balance.E["Na"] < balance.E["Ca"]


def test_at_the_GHK_potential_the_channels_alone_balance(balance):
    p, rest = balance.rest.preparation, balance.rest
    numbers = p.numbers()
    total = 0.0
    for ion, z in (("K", 1), ("Na", 1), ("Cl", -1)):
        inside, outside = rest.symbol(f"{ion}_i"), numbers[f"{ion}_o"]
        P = balance.currents[ion] / ghk_current(z, rest.V, numbers["T"], inside, outside)
        assert P > 0
        total += P * ghk_current(z, balance.GHK, numbers["T"], inside, outside)
    assert total == pytest.approx(0.0, abs=1e-9)
    assert balance.V < balance.GHK  # the pump's current adds to the negativity


def test_the_ladder_and_the_bars_show_the_budget(balance):
    plate = figures.budget_figure(balance, "column")
    rungs = {float(line.get_ydata()[0]) for line in plate.axes[0].get_lines() if len(set(line.get_ydata())) == 1}
    assert {*balance.E.values(), balance.GHK, balance.V} <= rungs
    assert sorted(bar.get_width() for bar in plate.axes[1].patches) == pytest.approx(sorted(balance.currents.values()))


def test_only_a_fibre_has_this_budget(squid):
    with pytest.raises(ExperimentError, match="muscle fibre"):
        budget(squid)


# ---- firing over current

@pytest.fixture(scope="module")
def rates(squid):
    return firing_rates({"squid": squid}, [0.0, 5.0, 7.0, 20.0, 60.0, 65.0], length=400.0)


def test_rates_of_the_engine_are_those_of_direct_runs(rates, squid):
    for current in (7.0, 60.0):
        run = sim.run(squid, sim.protocol(sim.Pulse(current, 400.0), duration=400.0))
        times = np.array(run.features.spike_times)
        late = times[times > 200.0]
        assert float(rates["rate"].sel(membrane="squid", current=current)) == pytest.approx(1000 / np.diff(late).mean(), rel=1e-3)
        assert float(rates["spikes"].sel(membrane="squid", current=current)) == len(times)


def test_the_squid_axon_jumps_into_firing_and_fades(rates):
    rate = rates["rate"].sel(membrane="squid").values
    assert rate[:2].tolist() == [0.0, 0.0]
    assert rate[2] > 50  # no low rates: type II
    assert rate[2] < rate[3] < rate[4]
    assert rate[5] == 0.0


def test_one_late_spike_is_no_rate():
    assert late_rate(np.array([10.0, 60.0]), 100.0) == 0.0
    assert late_rate(np.array([10.0, 60.0, 80.0]), 100.0) == 50.0


def test_a_line_of_rates_ends_where_spikes_do(rates):
    plate = figures.firing_figure({"Squid axon": rates}, "column")
    x, y = _line(plate, "squid").get_data()
    assert x.tolist() == [0.0, 5.0, 7.0, 7.0, 20.0, 60.0]  # up at one current
    assert y[[2, 3, 5]].tolist() == [0.0, *rates["rate"].values[0, [2, 4]]]
    assert "no full spikes" in plate.alt
    assert [t.get_text() for t in plate.legends[0].get_texts()] == ["beyond it no full spikes"]


def test_firing_is_compared_within_one_model(squid, fibre):
    with pytest.raises(ExperimentError, match="one model"):
        firing_rates({"a": squid, "b": fibre}, [1.0])


# ---- the spike of 1952 and along a cable

def test_conductances_are_those_of_the_gates(squid):
    run = sim.run(squid, sim.protocol(sim.Pulse(30.0, 0.5, at=0.5), duration=6.0))
    numbers = squid.numbers()
    assert conductance(run, "Na") == pytest.approx(numbers["g_Na"] * run["m"] ** 3 * run["h"], rel=1e-9)
    plate = figures.spike_figure(run, "column")
    assert np.array_equal(_line(plate, "potassium", 1).get_ydata(), conductance(run, "K"))
    assert np.array_equal(_line(plate, "sodium", 2).get_ydata(), run["I_Na"])


@pytest.fixture(scope="module")
def spikes_in_space(fibre):
    return {K: sim.propagate(fibre.in_bath(K=K), 30) for K in (4.0, 9.0)}


def test_the_cable_shows_the_run_at_its_times(spikes_in_space):
    plate = figures.cable_figure(spikes_in_space, (4.0, 9.0), size="column")
    axes = [ax for part in plate.subfigs for ax in part.axes]
    run = spikes_in_space[4.0]
    lines = axes[0].get_lines()
    assert len(lines) == len(cable.SHARES)
    for line, t in zip(lines, cable.moments(run), strict=True):
        i = int(np.searchsorted(run.t, t))
        between = np.sort(run.V[[i - 1, i]], axis=0)
        assert (line.get_ydata() >= between[0] - 0.1).all()
        assert (line.get_ydata() <= between[1] + 0.1).all()
    assert run.profile(run.t[5]) == pytest.approx(run.V[5])
    assert axes[2].get_lines()[0].get_ydata().tolist() == [run.velocity]
    assert spikes_in_space[9.0].velocity == 0.0
    assert "blocked" in plate.alt


# ---- sodium channels, chloride, verdicts

def test_availability_is_the_product_of_the_gates_at_rest(fibre):
    swept = sim.sweep(fibre, "K=4:12:3", measures="rest,threshold_current,h_s,s_s")
    data = swept.assign(available=swept["h_s"] * swept["s_s"])
    rest = sim.find_rest(fibre.in_bath(K=8))
    assert float(data["available"].sel(K=8)) == pytest.approx(rest.symbol("h_s") * rest.symbol("s_s"), rel=1e-3)
    plate = figures.availability_figure({"muscle fibre": data}, size="column")
    assert np.array_equal(_line(plate, "muscle fibre").get_ydata(), data["available"].values)
    assert plate.axes[1].get_lines()[0].get_ydata()[0] == 1.0
    assert np.isnan(plate.axes[1].get_lines()[0].get_ydata()[-1])
    assert "no current fires it" in plate.alt


def test_chloride_holds_the_potential_where_it_has_channels(fibre):
    step = sim.protocol(sim.BathChange(sim.Bath("K=10"), at=60_000.0), duration=90_000.0)
    silent = fibre.scaled({"P_Na": 0})
    runs = {"normal": sim.run(silent, step), "few": sim.run(silent.scaled({"P_Cl": 0.1}), step)}
    at_once = {name: float(np.interp(65_000.0, run.t, run.V) - run.V[0]) for name, run in runs.items()}
    assert 0 < at_once["normal"] < 0.6 * at_once["few"]
    assert chloride.other_baths(runs["few"]) == [(60_000.0, 90_000.0)]
    plate = figures.chloride_figure(runs, "column")
    assert np.array_equal(_line(plate, style.symbol("V"), 1).get_ydata(), runs["few"].V)
    assert np.array_equal(_line(plate, style.symbol("E_Cl")).get_ydata(), runs["normal"]["E_Cl_s"])
    assert "K 10 mM" in plate.alt


def test_every_tile_has_its_verdict():
    chosen = claims.select(["mg-release", "zinc", "k-gradient"])
    judged = claims.judge_all(chosen)
    for size in ("slide", "column"):
        plate = figures.verdicts_figure(chosen, judged, size)
        tiles = plate.axes[0].patches
        assert [to_hex(t.get_facecolor()).upper() for t in tiles] == [verdicts.TILES[j.verdict][0] for j in judged]
        assert [t.get_text().replace("\n", " ") for t in plate.axes[0].texts] == [c.title for c in chosen]
    assert all(f"{c.title}: {j.verdict}" in plate.alt for c, j in zip(chosen, judged, strict=True))


# ---- the catalogue

def test_names_are_told_apart_and_every_figure_teaches():
    names = [f.name for f in classics.FIGURES]
    assert len(set(names)) == len(names) == 8
    assert all(f.title and f.teaches.endswith(".") for f in classics.FIGURES)


def test_a_lecture_figure_comes_with_its_numbers():
    shown = next(f for f in classics.FIGURES if f.name == "resting-potential").make()
    assert shown.numbers["rest (mV)"] == pytest.approx(-90.39, abs=0.01)
    assert shown.draw("half").alt
