"""The sweep engine: its vocabulary and linear algebra, its method, its agreement with SciPy, and lanes that leave one another alone."""

from __future__ import annotations

import json

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llvmlite import ir

import simulation as sim
from simulation import models
from simulation.assembly import native, rodas
from simulation.assembly.engine import Engine, Stretch
from simulation.assembly.lanes import WIDTH, Words, elimination
from simulation.experiment import many
from simulation.experiment.features import measure
from simulation.experiment.protocol import rest_only
from simulation.experiment.rest import find_rest
from simulation.experiment.threshold import TOLERANCE, Warm, threshold_current
from simulation.studies import side_by_side
from simulation.studies.sweep import Sweep, parse_axis, run_sweep

each_model = pytest.mark.parametrize("name", models.names())


def rested(p):
    return find_rest(p).at().state


# ---- vocabulary

@pytest.fixture(scope="module")
def word():
    """``word(name, x)``: a function of the vocabulary on an array, compiled on its own."""
    module = ir.Module()
    vector = ir.VectorType(ir.DoubleType(), WIDTH).as_pointer()
    for name in ("exp", "log", "linoid", "dlinoid"):
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [vector, vector]), name=f"of_{name}")
        w = Words(ir.IRBuilder(function.append_basic_block()), WIDTH)
        w.b.store(getattr(w, name)(w.b.load(function.args[0], align=8)), function.args[1], align=8)
        w.b.ret_void()
    code = native.llvm.create_mcjit_compiler(native.llvm.parse_assembly(str(module)), native._machine())
    code.finalize_object()

    def of(name, x):
        import ctypes

        given = np.resize(np.asarray(x, dtype=float), -(-len(x) // WIDTH) * WIDTH)
        out = np.empty_like(given)
        function = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)(code.get_function_address(f"of_{name}"))
        for i in range(0, len(given), WIDTH):
            function(given[i:].ctypes.data, out[i:].ctypes.data)
        return out[: len(x)]

    of.code = code
    return of


EXACT = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "linoid": lambda x: x / (1 - mpmath.exp(-x)) if x else mpmath.mpf(1),
    "dlinoid": lambda x: (1 - mpmath.exp(-x) - x * mpmath.exp(-x)) / (1 - mpmath.exp(-x)) ** 2 if x else mpmath.mpf(0.5),
}


@pytest.mark.parametrize("name", EXACT)
def test_words_are_right_to_the_last_digits(word, name):
    near = np.concatenate([np.linspace(-60, 60, 401), np.geomspace(1e-9, 1, 60), [0.0, 0.1, -0.1, 0.2, -0.2]])
    x = np.geomspace(1e-300, 1e300, 400) if name == "log" else near
    with mpmath.workdps(50):
        exact = np.array([float(EXACT[name](mpmath.mpf(float(v)))) for v in x])
    assert word(name, x) == pytest.approx(exact, rel=3e-14, abs=1e-300)


def test_words_at_the_ends_of_the_numbers(word):
    assert word("exp", [800.0, -800.0, np.inf, -np.inf]).tolist() == [np.inf, 0.0, np.inf, 0.0]
    assert np.isnan(word("exp", [np.nan, 1.0])).tolist() == [True, False]
    assert np.isnan(word("log", [-1.0, 2.0])).tolist() == [True, False]
    assert word("log", [0.0])[0] == -np.inf


# ---- linear algebra

@given(st.integers(2, 12), st.integers(0, 10_000))
def test_the_order_of_elimination_keeps_every_entry_that_arises(n, seed):
    rng = np.random.default_rng(seed)
    A = np.where(rng.random((n, n)) < 0.3, rng.normal(size=(n, n)), 0.0) + 10 * np.eye(n)
    order, filled = elimination([tuple(x) for x in np.argwhere(A)], n)
    assert sorted(order) == list(range(n))
    L = A[np.ix_(order, order)].copy()
    for k in range(n):
        for i in range(k + 1, n):
            L[i, k] /= L[k, k]
            L[i, k + 1 :] -= L[i, k] * L[k, k + 1 :]
    arisen = {(order[i], order[j]) for i, j in np.argwhere(np.abs(L) > 0)}
    assert arisen <= set(filled)


@each_model
def test_rates_and_jacobian_are_those_of_the_single_membrane(prepared, name):
    p = prepared(name)
    rng = np.random.default_rng(3)
    states = np.tile(rested(p), (11, 1))
    states[:, p.potential] += rng.normal(0, 25, 11)
    values = np.tile(p.values, (11, 1))
    whole = p.kernel.engine(tuple(range(len(p.states))))
    groups = many._Groups(whole, 11)
    found = groups.unpacked(many.rates(whole, groups, groups.packed(states), groups.packed(values, extra=1)))
    J = many.jacobians(whole, groups, groups.packed(states), groups.packed(values, extra=1))
    rate, matrix = np.empty(len(p.states)), np.empty((len(p.states),) * 2)
    for i in range(11):
        p.kernel.rhs(0.0, states[i], p.values, rate)
        p.kernel.jacobian(0.0, states[i], p.values, matrix)
        assert found[i] == pytest.approx(rate, rel=1e-9, abs=1e-11)
        assert J[i] == pytest.approx(matrix, rel=1e-9, abs=1e-11 * np.abs(matrix).max())


# ---- the method

def rodas_step(f, jacobian, y, h):
    """One step of the method as its authors write it, and the estimate of its error."""
    E = np.eye(len(y)) / (h * rodas.GAMMA) - jacobian(y)
    k = []
    for s in range(rodas.STAGES):
        at = y + sum((a * x for a, x in zip(rodas.A[s - 1], k, strict=False)), np.zeros_like(y)) if s else y
        right = f(at) + (sum((c / h * x for c, x in zip(rodas.C[s - 1], k, strict=False)), np.zeros_like(y)) if s else 0)
        k.append(np.linalg.solve(E, right))
    return at + k[-1], k[-1]


def test_the_tableau_is_of_fourth_order():
    """Van der Pol's oscillator: halving the step divides the error by sixteen."""
    def f(y):
        return np.array([y[1], 3 * (1 - y[0] ** 2) * y[1] - y[0]])

    def jacobian(y):
        return np.array([[0, 1], [-6 * y[0] * y[1] - 1, 3 * (1 - y[0] ** 2)]])

    def at_one(steps):
        y = np.array([2.0, 0.5])
        for _ in range(steps):
            y = rodas_step(f, jacobian, y, 1 / steps)[0]
        return y

    exact = at_one(5120)
    errors = [np.abs(at_one(n) - exact).max() for n in (80, 160, 320)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.35)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(4, abs=0.35)


def test_a_step_of_the_engine_is_a_step_of_the_method(squid):
    p = squid
    start = rested(p).copy()
    start[p.potential] += 12
    n = len(start)

    def f(y):
        out = np.empty(n)
        p.kernel.rhs(0.0, y, p.values, out)
        return out

    def jacobian(y):
        out = np.empty((n, n))
        p.kernel.jacobian(0.0, y, p.values, out)
        return out

    course = next(iter(p.kernel.engine(tuple(range(n))).run(start[None], p.values[None], [Stretch(1e-3, 0.0, 0.0, 0.0)], rtol=1e-3)))
    assert len(course.t) == 1
    assert course.state == pytest.approx(rodas_step(f, jacobian, start, 1e-3)[0], rel=1e-13)


def test_tighter_tolerances_come_closer(squid):
    stretches = [Stretch(60.0, 10.0, 0.0, 0.0)]
    whole = squid.kernel.engine(tuple(range(4)))
    ends = [next(iter(whole.run(rested(squid)[None], squid.values[None], stretches, rtol=r))).state for r in (1e-3, 1e-4, 1e-5, 1e-6, 1e-9)]
    errors = [np.abs(end - ends[-1]).max() for end in ends[:-1]]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-3


# ---- against SciPy

PROTOCOLS = {
    "pulse": sim.protocol(sim.Pulse(1.0, 0.5, at=2), after=20),
    "step": sim.protocol(sim.Pulse(0.3, 60, at=5), after=15),
    "ramp": sim.protocol(sim.Ramp(0.0, 0.5, 40, at=3), after=10),
    "train": sim.protocol(sim.Train(50, 80, 1.0), after=10),
    "noise": sim.protocol(sim.Noise(0.2, 60, 7, mean=0.15), after=5),
}


@pytest.mark.parametrize("kind", PROTOCOLS)
@each_model
def test_engine_and_scipy_agree(prepared, name, kind):
    """Spike counts equal, times within 0.05 ms, V within 0.05 mV off the upstroke."""
    p = prepared(name)
    strength = 1.6 * threshold_current(p, 0.5)
    whole = PROTOCOLS[kind]
    scaled = sim.experiment.protocol.from_dict({**whole.to_dict(), "event": [
        {k: v * strength if k in ("amplitude", "start", "end", "sd", "mean") else v for k, v in e.items()} for e in whole.to_dict()["event"]]})
    start = rested(p)
    reference = sim.run(p, scaled, solver=sim.Solver(rtol=1e-9, atol=1e-11), start=start)
    _, followed = next(iter(many.follow(p, whole, start[None], p.values[None], strength=np.array([strength]))))
    ours, theirs = measure(followed), reference.features
    assert ours.spikes == theirs.spikes
    assert ours.spike_times == pytest.approx(theirs.spike_times, abs=0.05)
    steep = np.abs(np.interp(followed.t, reference.t, reference.dV_dt)) > 20
    off = followed.V - np.interp(followed.t, reference.t, reference.V)
    assert np.abs(off[~steep]).max() < 0.05


@settings(max_examples=15)
@given(st.floats(0.5, 2), st.floats(0.5, 2), st.floats(0.3, 3), st.floats(0, 20))
def test_engine_and_scipy_agree_on_any_squid(g_Na, g_K, g_L, current):
    p = sim.prepare("squid").scaled({"g_Na": g_Na, "g_K": g_K, "g_L": g_L})
    step = sim.protocol(sim.Pulse(current, 50, at=1), after=10) if current else rest_only(60)
    start = p.beside(rested(p), 1.0)  # when an unstable rest is left is a matter of rounding
    theirs = sim.run(p, step, solver=sim.Solver(rtol=1e-9, atol=1e-11), start=start).features
    ours = measure(next(iter(many.follow(p, step, start[None], p.values[None])))[1])
    assert ours.spikes == theirs.spikes
    assert ours.spike_times == pytest.approx(theirs.spike_times, abs=0.05)
    assert ours.end_V == pytest.approx(theirs.end_V, abs=0.05)


# ---- lanes leave one another alone

def crowd(p, currents):
    """States at the end of 20 ms for each current, whichever lane it is in."""
    starts, values = np.tile(rested(p), (len(currents), 1)), np.tile(p.values, (len(currents), 1))
    step = [Stretch(1.0, 0.0, 0.0, 0.0), Stretch(20.0, 1.0, 0.0, 1.0)]
    out = {}
    for course in p.kernel.engine(tuple(range(len(p.states)))).run(starts, values, step, strength=np.array(currents)):
        out[course.index] = course
    return [out[i] for i in range(len(currents))]


def test_a_result_does_not_depend_on_lane_neighbours_or_threads(squid):
    currents = [float(x) for x in np.linspace(0, 20, 21)]
    straight, back = crowd(squid, currents), crowd(squid, currents[::-1])[::-1]
    alone = [crowd(squid, [c])[0] for c in currents[:3]]
    for a, b in zip(straight, back, strict=True):
        assert np.array_equal(a.state, b.state)
        assert np.array_equal(a.t, b.t)
    for a, b in zip(straight, alone, strict=False):
        assert np.array_equal(a.state, b.state)


def test_not_a_number_in_one_lane_never_touches_another(squid):
    whole = crowd(squid, [1.0, 5.0, 10.0])
    with_bad = crowd(squid, [1.0, np.nan, 5.0, np.inf, 10.0])
    for a, b in zip(whole, [with_bad[0], with_bad[2], with_bad[4]], strict=True):
        assert np.array_equal(a.state, b.state)
    assert "gave up" in with_bad[1].failed
    assert "gave up" in with_bad[3].failed


def test_extreme_parameters_end_as_marked_cells(squid):
    result = run_sweep(Sweep(squid, (parse_axis("g_Na_scale=1,1e12"),), ("spikes", "end_V"), sim.protocol(sim.Pulse(10, 20))), jobs=1)
    assert int(result["status"][0]) == 0
    assert np.isfinite(result["end_V"].values[0])
    assert int(result["status"][1]) in (0, 1)


# ---- rests and thresholds

@pytest.mark.parametrize(("name", "axis"), [("fibre", "K=0.5,1.2,2,2.6,3,4,6,9,12"), ("axon", "K=2,4.2,6,8"), ("axon_rhythmic", "Ca=0.4,0.8,1.2"),
                                            ("fibre_hypopp", "K=1.5,2.5,4")])
def test_rests_side_by_side_are_those_found_one_by_one(name, axis):
    p, along = sim.prepare(name), parse_axis(axis)
    sweep = Sweep(p, (along,), ("rest",))
    found = side_by_side.measured(sweep, range(sweep.count)).values
    for i, value in enumerate(along.values):
        rest = find_rest(p.in_bath({along.name: value}))
        assert found["rest"][i] == pytest.approx(rest.stable[0].V if rest.stable else np.nan, abs=1e-6, nan_ok=True)
        assert np.isfinite(found["rest_2"][i]) == (len(rest.stable) > 1)


def test_two_rests_close_together_are_both_found(fibre):
    """3 mV apart, near where they vanish."""
    bath = {"K": 2.72413793103, "Ca": 1.96551724138}
    result = sim.sweep(fibre, sim.Axis("K", (bath["K"],)), sim.Axis("Ca", (bath["Ca"],)), measures="rest")
    states = find_rest(fibre.in_bath(bath)).states
    assert len(states) == 3
    assert [float(result[n].values[0, 0]) for n in ("rest", "rest_unstable", "rest_2")] == pytest.approx([s.V for s in states], abs=1e-6)


def test_thresholds_side_by_side_are_those_found_one_by_one(fibre):
    result = sim.sweep(fibre, "K=3,4,7", measures="threshold_current")
    for K in (3, 4, 7):
        assert float(result["threshold_current"].sel(K=K)) == pytest.approx(threshold_current(fibre.in_bath(K=K)), rel=2 * TOLERANCE)


def test_a_threshold_that_is_known_is_confirmed_in_a_few_runs(squid):
    found, cold = threshold_current(squid, 0.5), Warm()
    assert threshold_current(squid, 0.5, warm=cold) == found
    for off in (1.0, 1.004, 0.99):
        near = Warm({"0.5 ms": off * found}, stride=1.005)
        assert threshold_current(squid, 0.5, warm=near) == found
        assert near.runs <= 6 < cold.runs


def test_thresholds_of_a_membrane_that_is_blocked_or_fires_by_itself(fibre):
    blocked = sim.sweep(fibre, "P_Na_scale=0,1", measures="threshold_current")
    assert np.isnan(blocked["threshold_current"].values[0])
    assert blocked["threshold_current"].values[1] > 0
    restless = sim.sweep(sim.prepare("axon_rhythmic"), "Ca=0.5,1.2", measures="threshold_current")
    assert restless["threshold_current"].values[0] == 0


# ---- the check of every sweep

@pytest.fixture(scope="module")
def checked(squid):
    return Sweep(squid, (parse_axis("g_K=30:40:7"),), ("rest", "spikes", "latency"), sim.protocol(sim.Pulse(10, 50)))


def test_every_sweep_says_how_far_it_lies_from_scipy(checked):
    result = run_sweep(checked, jobs=1)
    check = json.loads(result.attrs["check"])
    assert len(check["points"]) == 5
    assert check["beyond"] == {}
    assert check["worst"]["spikes"] == 0
    assert check["worst"]["latency"] < 0.01
    assert json.loads(run_sweep(checked, jobs=1).attrs["check"])["points"] == check["points"]


def test_a_sweep_beyond_tolerance_says_so_and_exits_1(monkeypatch, tmp_path, capsys):
    from simulation.cli import main

    monkeypatch.setattr(side_by_side, "TOLERANCES", {"ms": (1e-12, 0.0)})
    out = tmp_path / "x.nc"
    assert main(["sweep", "squid", "--over", "g_K=30:40:6", "--measure", "latency", "--pulse", "50ms:10@0", "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert "BEYOND TOLERANCE" in said
    assert out.exists()


def test_with_a_solver_scipy_does_every_point(checked):
    result = run_sweep(Sweep(checked.preparation, checked.axes, checked.measures, checked.protocol, sim.Solver()), jobs=1)
    assert "check" not in result.attrs
    assert result["latency"].values == pytest.approx(run_sweep(checked, jobs=1)["latency"].values, abs=0.01)


def test_vector_code_is_readable(squid):
    text = Engine(squid.kernel.emitted, (0, 1, 2, 3)).lanes.text
    assert 'define void @"rhs"' in text
    assert 'define i64 @"advance"' in text
