"""The cable: its Jacobian, closed-form theory, convergence in space and time, velocities that are known, block."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import solve_banded

import simulation as sim
from simulation import models
from simulation.assembly import Model, State
from simulation.assembly.bind import bind
from simulation.assembly.compile import compile_model
from simulation.experiment.cable import Cable, cable_constants, propagate
from simulation.experiment.errors import ExperimentError
from simulation.experiment.preparation import Preparation
from simulation.experiment.solve import Solver
from simulation.physiology import cable as along
from simulation.physiology import membrane

CABLES = tuple(name for name in models.names() if models.get(name).axial)
EXACT = Solver(rtol=1e-9, atol=1e-11)

# ---- a passive cable, declared here and assembled as every model is

PASSIVE = {"g_L": 0.5, "E_L": -80.0, "C_m": 1.0, "r": 0.004, "R_i": 0.125, "dx": 0.01}  # mS/cm2, mV, uF/cm2, cm, kOhm*cm, cm




@pytest.fixture(scope="module")
def passive():
    def I_ion(I_L: membrane.uA_cm2) -> membrane.uA_cm2:
        return I_L

    model = Model(
        "passive", potential="V", equations=(membrane.I_stim, membrane.I_L, along.g_axial), named={"I_ion": I_ion},
        states=(State("V", membrane.dV_dt, "mV", guess=-80.0),), axial="g_axial", section="dx",
    )
    kernel = compile_model(bind(model), "plain")

    def make(dx=0.01):
        class Passive(Preparation):
            def numbers(self, bath=None):
                return {**PASSIVE, "dx": dx, "I_0": 0.0, "I_slope": 0.0, "t_0": 0.0}

        return Passive(kernel, sim.prepare("squid").parameters)

    return make


def steady(cable, stimulus):
    """Displacement of every section from rest under a constant stimulus, by the cable's own Jacobian (it is linear)."""
    rest = np.tile(sim.find_rest(cable.preparation).at().state, cable.sections)
    pushed = np.outer(stimulus, cable._push).ravel()
    return solve_banded((cable.width, cable.width), -cable.jacobian(0.0, rest), pushed)


def test_passive_cable_falls_off_as_cable_theory_says(passive):
    """Sealed at both ends, current into one: V = I R cosh((l - x)/lambda)/sinh(l/lambda)."""
    errors = []
    for dx in (0.02, 0.01, 0.005):
        p = passive(dx)
        n = round(0.4 / dx)
        cable = Cable(p, n)
        length_constant = math.sqrt(PASSIVE["r"] / (2 * PASSIVE["R_i"] * PASSIVE["g_L"]))  # cm
        density = np.zeros(n)
        density[0] = 1.0
        total = density[0] * 2 * math.pi * PASSIVE["r"] * dx  # uA
        r_axial = PASSIVE["R_i"] / (math.pi * PASSIVE["r"] ** 2)  # kOhm/cm
        x = (np.arange(n) + 0.5) * dx
        exact = total * r_axial * length_constant * np.cosh((0.4 - x) / length_constant) / np.sinh(0.4 / length_constant)
        errors.append(np.max(np.abs(steady(cable, density) / exact - 1)[3:]))
    assert errors[-1] < 1e-3
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.15)


def test_closed_forms_of_the_passive_cable(passive):
    constants = cable_constants(passive())
    length_constant = math.sqrt(PASSIVE["r"] / (2 * PASSIVE["R_i"] * PASSIVE["g_L"]))
    assert constants.length_constant == pytest.approx(10 * length_constant)
    assert constants.time_constant == pytest.approx(PASSIVE["C_m"] / PASSIVE["g_L"])
    by_rall = math.sqrt(PASSIVE["R_i"] / PASSIVE["g_L"] / 2) / (2 * math.pi * PASSIVE["r"] ** 1.5)
    assert constants.input_resistance == pytest.approx(by_rall)


def test_fibre_at_rest_attenuates_by_its_length_constant(fibre):
    """Gates and ions held: potentials of sarcolemma and tubule alone."""
    constants = cable_constants(fibre)
    cable = Cable(fibre, 80)
    m, potentials = len(fibre.states), [i for i, s in enumerate(fibre.bound.states) if s.unit == "mV"]
    band = cable.jacobian(0.0, np.tile(sim.find_rest(fibre).at().state, cable.sections))
    rows = [section * m + k for section in range(cable.sections) for k in potentials]
    w = cable.width
    dense = np.array([[band[w + i - j, j] if abs(i - j) <= w else 0.0 for j in rows] for i in rows])
    pushed = np.zeros(len(rows))
    pushed[: len(potentials)] = cable._push[potentials]
    V = np.linalg.solve(-dense, pushed)[:: len(potentials)]
    measured = -cable.dx * 10 / np.log(V[20] / V[10])
    assert measured == pytest.approx(constants.length_constant, rel=0.005)
    # Figures of an independent implementation, which left out the access resistance of the tubules.
    assert constants.length_constant == pytest.approx(0.97, rel=0.05)
    assert constants.input_resistance == pytest.approx(121, rel=0.05)
    assert constants.time_constant == pytest.approx(3.4, rel=0.05)


# ---- the Jacobian

@pytest.mark.parametrize("name", CABLES)
def test_banded_jacobian_is_the_derivative_of_the_rates(prepared, name):
    p = prepared(name)
    cable, rng = Cable(p, 5), np.random.default_rng(1)
    y = np.tile(sim.find_rest(p).at().state, (5, 1))
    y[:, p.potential] += rng.normal(0, 20, 5)
    y = y.ravel()
    stimulus = rng.normal(0, 1, 5)
    n, w, band = len(y), cable.width, cable.jacobian(0.0, y)
    for j in range(n):
        h = 1e-6 * max(1.0, abs(y[j]))
        step = np.zeros(n)
        step[j] = h
        slope = (cable.rates(0.0, y + step, stimulus) - cable.rates(0.0, y - step, stimulus)) / (2 * h)
        packed = np.array([band[w + i - j, j] if abs(i - j) <= w else 0.0 for i in range(n)])
        assert slope == pytest.approx(packed, rel=1e-5, abs=1e-6 * np.abs(band).max())


def test_stimulus_is_nothing_but_what_the_membrane_gets(prepared):
    """Two sections at one potential exchange nothing; a section gets g (V_before - V)."""
    p = prepared("squid")
    cable = Cable(p, 3)
    y = np.tile(sim.find_rest(p).at().state, (3, 1))
    y[0, p.potential] += 10
    rates = cable.rates(0.0, y.ravel(), np.zeros(3)).reshape(3, -1)
    assert rates[1, p.potential] == pytest.approx(cable.g * 10 / p.numbers()["C_m"], rel=1e-6)
    assert rates[2, p.potential] == pytest.approx(0, abs=1e-6)


# ---- spikes

@pytest.fixture(scope="module")
def squid_spike():
    return propagate(sim.prepare("squid", "T=18.5"), 100, solver=EXACT)


def test_squid_conducts_as_hodgkin_and_huxley_computed(squid_spike):
    """18.8 m/s with their constants and their K = 10.47 /ms, 18.73 when solved more accurately."""
    assert squid_spike.velocity == pytest.approx(18.73, rel=0.005)
    assert squid_spike.spike["amplitude"] == pytest.approx(90.5, abs=1.5)


def test_second_order_in_space():
    """Velocities at sections of 1, 0.5 and 0.25 mm: each halving takes away three quarters of the error."""
    squid = sim.prepare("squid", "T=18.5")
    v = [propagate(squid.with_values({"dx": dx}), round(5 / dx), solver=EXACT).velocity for dx in (0.1, 0.05, 0.025)]
    assert (v[1] - v[0]) / (v[2] - v[1]) == pytest.approx(4, rel=0.2)
    assert v[2] + (v[2] - v[1]) / 3 == pytest.approx(18.73, rel=0.002)


def test_second_order_in_time():
    """The trapezoidal rule, written out here upon the cable's rates and Jacobian, comes to LSODA's answer by the square of its step."""
    cable = Cable(sim.prepare("squid", "T=18.5"), 20)
    m, V = len(cable.preparation.states), cable.preparation.potential
    start = np.tile(sim.find_rest(cable.preparation).at().state, (20, 1))
    start[:4, V] += 60
    nothing, end = np.zeros(20), 0.5
    exact = cable.integrate(start, nothing, 0.0, end, EXACT)[1][-1]

    def trapezoid(steps):
        y, h = start.ravel().copy(), end / steps
        for _ in range(steps):
            before, x = cable.rates(0.0, y, nothing), y.copy()
            for _ in range(30):
                residual = x - y - 0.5 * h * (before + cable.rates(0.0, x, nothing))
                matrix = -0.5 * h * cable.jacobian(0.0, x)
                matrix[cable.width] += 1
                change = solve_banded((cable.width, cable.width), matrix, residual)
                x -= change
                if np.abs(change).max() < 1e-10:
                    break
            y = x
        return y.reshape(-1, m)

    errors = [np.abs(trapezoid(n)[:, V] - exact[:, V]).max() for n in (100, 200, 400)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.15)
    assert errors[2] < 0.05


@pytest.mark.parametrize("method", ["BDF", "Radau"])
def test_solvers_agree(squid_spike, method):
    other = propagate(sim.prepare("squid", "T=18.5"), 100, solver=Solver(method, rtol=1e-6, atol=1e-8))
    assert other.velocity == pytest.approx(squid_spike.velocity, rel=1e-4)


def test_potassium_makes_the_fibre_faster_then_slower_then_blocks_it(fibre):
    v = {K: propagate(fibre.in_bath(K=K)).velocity for K in (2.5, 4, 6, 8, 9)}
    assert v[9] == 0
    assert v[2.5] < v[4] < v[6]
    assert 0 < v[8] < v[4]
    # Figures of an independent implementation.
    assert [v[K] for K in (2.5, 4, 6, 8)] == pytest.approx([3.37, 3.66, 3.82, 1.86], rel=0.05)


def test_a_blocked_spike_says_how_far_it_came(fibre):
    blocked = propagate(fibre.in_bath(K=9), 60)
    assert not blocked.conducted
    assert 0 < blocked.reached < 3
    assert math.isnan(blocked.spike["peak"])
    assert blocked.to_xarray().attrs["provenance"]


def test_what_is_no_cable_says_so(prepared):
    with pytest.raises(ExperimentError, match="no cable"):
        propagate(prepared("node"))
    with pytest.raises(ExperimentError, match="sections"):
        propagate(prepared("squid"), 1)


# ---- figure and command

def test_the_figure_says_what_it_shows(squid_spike, fibre):
    from simulation import figures

    plate = figures.propagation_figure(squid_spike.to_xarray(), "column")
    assert "18.7 m/s" in plate.alt
    assert "the spike arrives at" in plate.alt
    blocked = figures.propagation_figure(propagate(fibre.in_bath(K=9), 30).to_xarray(), "column")
    assert "blocked after" in blocked.alt
    assert "no spike arrives" in blocked.alt


def test_the_command(capsys, tmp_path):
    from simulation.cli import main

    drawn, kept = tmp_path / "v.svg", tmp_path / "v.nc"
    assert main(["conduction", "squid", "--bath", "T=18.5", "--sections", "40", "--figure", str(drawn), "--out", str(kept)]) == 0
    said = capsys.readouterr().out
    assert "The spike runs at 18." in said
    assert drawn.exists()
    assert kept.exists()
    assert main(["conduction", "squid", "--sections", "40", "--again", "0.2"]) == 2
    assert "before the first has ended" in capsys.readouterr().err
    assert main(["conduction", "node"]) == 2
    assert "no cable" in capsys.readouterr().err
