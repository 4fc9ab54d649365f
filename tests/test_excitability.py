"""Thresholds: against brute force, and where nothing or everything fires."""

from __future__ import annotations

import math

import numpy as np
import pytest

import simulation as sim
from simulation.experiment.threshold import TOLERANCE, fires, rheobase, threshold_current
from simulation.experiment.gates import gate_curves


@pytest.mark.parametrize("bath", [{}, {"K": 6}, {"Ca": 0.6}])
def test_threshold_agrees_with_brute_force(fibre, bath):
    p = fibre.in_bath(bath)
    found = threshold_current(p)
    start = sim.find_rest(p).at().state
    grid = np.linspace(0.95, 1.05, 41) * found
    first = next(x for x in grid if fires(p, x, 0.5, start))
    assert first == pytest.approx(found, rel=2 * TOLERANCE + 0.1 / 40)


def test_does_not_depend_on_the_guess(squid):
    assert threshold_current(squid, guess=1.0) == pytest.approx(threshold_current(squid, guess=500.0), rel=2 * TOLERANCE)


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


def test_gate_curves_are_those_of_the_equations(fibre, squid):
    curves = gate_curves(fibre.in_bath(Ca=0.6))
    assert curves.attrs["dpsi"] == pytest.approx(-3.35, abs=0.05)
    V = curves["V"].values
    control = gate_curves(fibre)
    shifted = np.interp(V + curves.attrs["dpsi"], V, curves["h_inf"].values)
    inside = (V > -110) & (V < 30)
    assert control["h_inf"].values[inside] == pytest.approx(shifted[inside], abs=1e-3)
    assert set(gate_curves(squid)) == {"m_inf", "tau_m", "h_inf", "tau_h", "n_inf", "tau_n"}
