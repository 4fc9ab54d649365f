"""Thresholds and examinations: against brute force, against laws that they must obey, and where nothing or everything fires."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulation as sim
from simulation.experiment.errors import ExperimentError
from simulation.experiment.excitability import EXAMINATIONS, chronaxie, examination, lapicque, read_recovery, weiss
from simulation.experiment.gates import gate_curves
from simulation.experiment.threshold import HIGHEST, TOLERANCE, Warm, fires, lowest_that_fires, rheobase, threshold_current

# ---- the search itself

@given(st.floats(1e-4, 9e3), st.floats(1e-3, 9e3))
def test_the_search_brackets_whatever_threshold_there_is(threshold, guess):
    found = lowest_that_fires(lambda x: x >= threshold, guess)
    assert found == pytest.approx(threshold, rel=TOLERANCE)
    assert found == lowest_that_fires(lambda x: x >= threshold, 1.0)  # the guess makes it quicker, never different


def test_the_search_where_all_and_where_nothing_fires():
    assert lowest_that_fires(lambda x: True, 10.0) == 0
    assert math.isnan(lowest_that_fires(lambda x: False, 10.0))
    assert math.isnan(lowest_that_fires(lambda x: False, 10 * HIGHEST))


@given(st.floats(1, 3e3), st.floats(1.2, 3), st.floats(1e-3, 9e3))
def test_the_search_finds_a_window_of_currents_from_anywhere(threshold, width, guess):
    found = lowest_that_fires(lambda x: threshold <= x <= width * threshold, guess)
    assert found == pytest.approx(threshold, rel=TOLERANCE)


def test_a_warm_start_tries_fewer_stimuli(squid):
    cold, warm = Warm(), Warm()
    threshold_current(squid, warm=cold)
    first = cold.runs
    threshold_current(squid.in_bath(T=6.0), warm=warm)
    before = warm.runs
    assert threshold_current(squid, warm=warm) == threshold_current(squid)
    assert warm.runs - before < first


# ---- against brute force

@settings(max_examples=6)
@given(st.floats(3.0, 7.0), st.floats(0.7, 2.0), st.sampled_from([0.2, 1.0]))
def test_threshold_agrees_with_brute_force_in_any_bath(K, Ca, duration):
    p = sim.prepare("axon", {"K": K, "Ca": Ca})
    start = sim.find_rest(p).at().state
    found = threshold_current(p, duration, start=start)
    grid = found * np.linspace(0.94, 1.04, 26)
    first = next(x for x in grid if fires(p, x, duration, start))
    assert first == pytest.approx(found, rel=TOLERANCE + 0.1 / 25)


@pytest.mark.parametrize("bath", [{}, {"K": 6}, {"Ca": 0.6}])
def test_threshold_of_the_fibre_agrees_with_brute_force(fibre, bath):
    p = fibre.in_bath(bath)
    found = threshold_current(p)
    start = sim.find_rest(p).at().state
    grid = np.linspace(0.95, 1.05, 41) * found
    first = next(x for x in grid if fires(p, x, 0.5, start))
    assert first == pytest.approx(found, rel=2 * TOLERANCE + 0.1 / 40)


def test_does_not_depend_on_the_guess(squid):
    assert threshold_current(squid, guess=1.0) == threshold_current(squid, guess=500.0)


def test_a_blocked_membrane_has_no_threshold(fibre):
    assert math.isnan(threshold_current(fibre.scaled({"P_Na": 0})))


def test_a_membrane_that_fires_by_itself_has_threshold_zero(squid):
    """Without potassium channels' late opening a held state far from rest fires at once."""
    start = sim.find_rest(squid).at().state.copy()
    start[squid.states.index("V")] = -50
    assert threshold_current(squid, start=start) == 0


def test_longer_pulses_need_less_current(fibre):
    currents = [threshold_current(fibre, d) for d in (0.2, 0.5, 2.0)] + [rheobase(fibre)]
    assert currents == sorted(currents, reverse=True)


# ---- what is read off curves

@given(st.floats(0.01, 10), st.floats(1, 1000))
def test_weiss_and_lapicque_find_their_own_laws(tau, I_rh):
    d = np.array([0.1, 0.3, 1, 3, 10, 30]) * tau
    assert weiss(d, I_rh * (1 + tau / d)) == pytest.approx((I_rh, tau), rel=1e-6)
    assert lapicque(d, I_rh / -np.expm1(-d / tau)) == pytest.approx((I_rh, tau), rel=1e-4)


def test_chronaxie_is_where_the_threshold_is_twice_the_rheobase():
    d = np.geomspace(0.05, 50, 40)
    assert chronaxie(d, 7 * (1 + 0.4 / d), 7.0) == pytest.approx(0.4, rel=0.01)  # Weiss: chronaxie equals the time constant
    assert math.isnan(chronaxie(d[20:], 7 * (1 + 0.4 / d[20:]), 7.0))  # it lies before the shortest pulse


def test_reading_a_recovery_cycle():
    interval = np.array([2.0, 3.0, 4.0, 6.0, 10.0, 40.0, 100.0])
    found = read_recovery(interval, np.array([math.nan, 50.0, -10.0, -25.0, -5.0, 12.0, 1.0]))
    assert 3 < found["relative_refractory_period"] < 4
    assert (found["superexcitability"], found["superexcitable_at"]) == (-25, 6)
    assert (found["subexcitability"], found["subexcitable_at"]) == (12, 40)
    none = read_recovery(interval, np.full(7, 20.0))
    assert all(math.isnan(x) for x in none.values())


# ---- examinations

@pytest.fixture(scope="module")
def axon(prepared):
    return prepared("axon")


def test_strength_and_duration(axon, prepared):
    found = sim.StrengthDuration(durations=(0.2, 0.4, 0.8, 1.0)).of(axon)
    assert found["threshold"].values.tolist() == sorted(found["threshold"].values, reverse=True)
    assert found["threshold"].attrs["units"] == "pA"
    node = sim.StrengthDuration(durations=(0.2, 0.4, 0.8, 1.0)).of(prepared("node"))
    # Without persistent sodium it is short; an independent implementation has 0.147.
    assert float(node["tau_Weiss"]) == pytest.approx(0.147, abs=0.01)
    assert float(found["tau_Weiss"]) > 2 * float(node["tau_Weiss"])


def test_recovery_of_the_axon(axon):
    found = sim.RecoveryCycle(intervals=(2, 3, 5, 8, 20, 40, 100)).of(axon)
    assert 1 < float(found["absolute_refractory_period"]) < float(found["relative_refractory_period"]) < 4
    assert -30 < float(found["superexcitability"]) < -5
    assert 2 < float(found["subexcitability"]) < 20
    assert abs(float(found["threshold_change"][-1])) < 2


def test_electrotonus_of_the_axon(axon):
    found = sim.ThresholdElectrotonus(delays=(0, 15, 95, 150)).of(axon)
    d, h = found["TEd"].values, found["TEh"].values
    assert d[0] == pytest.approx(40, abs=2)  # at once it is nothing but the current
    assert h[0] == pytest.approx(-40, abs=2)
    assert d[1] > d[2] > 20  # accommodation
    assert h[2] < h[1] < -40
    assert abs(d[3]) < 15


def test_current_threshold_shows_outward_rectification(axon):
    found = sim.CurrentThreshold(percents=(-50, -10, 0, 10, 40)).of(axon)
    reduction = found["threshold_reduction"].values
    assert reduction.tolist() == sorted(reduction)
    assert reduction[2] == 0
    assert -reduction[0] / 50 > reduction[4] / 40


def test_slow_ramps_need_to_go_higher(axon):
    found = sim.Accommodation(durations=(5, 50)).of(axon)["ramp_threshold"].values
    assert found[1] > found[0] > 1


def test_rate_of_the_squid_axon_rises_with_current(squid):
    found = sim.FiringRate(steps=(0.5, 1.5, 4, 8), length=200).of(squid)
    assert found["spikes"].values[0] == 0
    assert found["spikes"].values[1] == 1
    assert 0 < found["rate"].values[2] < found["rate"].values[3]
    assert float(found["repetitive_from"]) == 4


def test_latency_falls_with_strength(squid):
    latency = sim.Latency(strengths=(1.02, 1.5, 3)).of(squid)["latency"].values
    assert latency.tolist() == sorted(latency, reverse=True)


def test_spontaneous_firing(prepared):
    quiet = sim.SpontaneousRate(length=200).of(prepared("axon"))
    firing = sim.SpontaneousRate(length=200).of(sim.prepare("axon_rhythmic", "Ca=0.6"))
    assert (float(quiet["spontaneous_spikes"]), float(quiet["stable"])) == (0, 1)
    assert float(firing["spontaneous_rate"]) > 10
    assert float(firing["stable"]) == 0


@pytest.mark.parametrize("name", [n for n in EXAMINATIONS if n not in ("spontaneous", "conduction")])
def test_a_membrane_that_cannot_fire_has_no_numbers_but_no_error_either(squid, name):
    found = examination(name).of(squid.scaled({"g_Na": 0}))
    assert all(np.isnan(found[n].values).all() for n in found.data_vars if n not in ("rest", "threshold_potential"))


def test_a_membrane_that_fires_by_itself_has_threshold_zero_and_nothing_more():
    found = sim.RecoveryCycle(intervals=(5, 50)).of(sim.prepare("axon_multiplets", "Ca=0.3"))
    assert float(found["threshold"]) == 0
    assert np.isnan(found["threshold_change"].values).all()
    assert threshold_current(sim.prepare("axon_multiplets", "Ca=0.3")) == 0


@pytest.mark.parametrize("make", [
    lambda: sim.RecoveryCycle(intervals=(5, 2)), lambda: sim.RecoveryCycle(intervals=(0.5, 2)), lambda: sim.StrengthDuration(durations=(1, 2)),
    lambda: sim.ThresholdElectrotonus(percent=200), lambda: sim.FiringRate(steps=()), lambda: sim.Latency(strengths=(1, math.nan)),
])
def test_settings_that_make_no_sense(make):
    with pytest.raises(ExperimentError):
        make()


def test_unknown_examination():
    with pytest.raises(ExperimentError, match="nearest: recovery"):
        examination("recover")


def test_a_sweep_of_an_examination_is_what_each_membrane_gives_alone(squid):
    asked = sim.Latency(strengths=(1.1, 2))
    swept = sim.sweep(squid, "T=6,8", measures=[asked])
    alone = asked.of(squid.in_bath(T=8))
    assert swept["latency"].dims == ("T", "strength")
    assert swept["latency"].sel(T=8).values == pytest.approx(alone["latency"].values, rel=1e-9)
    assert "point before" in swept.attrs["warm_start"]


# ---- gate curves

def test_gate_curves_are_those_of_the_equations(fibre, squid):
    curves = gate_curves(fibre.in_bath(Ca=0.6))
    assert curves.attrs["dpsi"] == pytest.approx(-3.35, abs=0.05)
    V = curves["V"].values
    control = gate_curves(fibre)
    shifted = np.interp(V + curves.attrs["dpsi"], V, curves["h_inf"].values)
    inside = (V > -110) & (V < 30)
    assert control["h_inf"].values[inside] == pytest.approx(shifted[inside], abs=1e-3)
    assert set(gate_curves(squid)) == {"m_inf", "tau_m", "h_inf", "tau_h", "n_inf", "tau_n"}
