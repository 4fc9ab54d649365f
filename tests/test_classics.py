"""The classics: what their experiments find, and that the figures show it."""

from __future__ import annotations

import numpy as np
import pytest

import simulation as sim
from simulation import figures
from simulation.experiment.budget import budget
from simulation.experiment.errors import ExperimentError
from simulation.experiment.phase_plane import phase_plane
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
