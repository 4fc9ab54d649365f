"""Runs: published behaviour of the squid, solvers against each other, pulses that may not be missed, failures that say so."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import find_peaks

from simulation import Clamp, Noise, Pulse, Solver, Train, prepare, protocol, rest_only, run
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.solve import METHODS

IMPLICIT = ("LSODA", "BDF", "Radau")


def spike_times(recording) -> np.ndarray:
    t, V = recording.resample(0.01)
    return t[find_peaks(V, height=0, prominence=30)[0]]


# ---- points at even times

def test_at_even_times_the_result_is_the_same(squid, rested):
    start = rested("squid").at().state
    doing = protocol(Pulse(10, 30.02, at=5), Pulse(-3, 0.5, at=40), after=5)
    free, even = (run(squid, doing, start=start, solver=Solver(every=every)) for every in (None, 0.1))
    assert even.features.spike_times == pytest.approx(free.features.spike_times, abs=5e-3)
    assert even.V[-1] == pytest.approx(free.V[-1], abs=1e-4)
    assert np.diff(even.t).max() <= 0.1 + 1e-9
    assert all(np.abs(even.t - edge).min() < 1e-12 for edge in (5.0, 35.02, 40.0, 40.5))
    clamped = run(squid, protocol(Clamp(-20, 5, at=1), after=2), start=start, solver=Solver(every=0.05))
    assert np.all(clamped.V[(clamped.t > 1) & (clamped.t < 6 - 1e-6)] == -20)


def test_even_times_that_cannot_be(squid):
    for wrong in ({"method": "BDF", "every": 0.1}, {"every": 0.0}):
        with pytest.raises(ExperimentError, match="LSODA only"):
            Solver(**wrong)
    with pytest.raises(ModelSaysNo, match=r"LSODA gave up at t = 4.*another solver"):
        run(squid, protocol(Pulse(1e300, 5, at=40)), solver=Solver(every=0.1), start=squid.guess())


# ---- squid: what Hodgkin and Huxley, and those after them, got out of it


def displaced(squid, start, by: float, duration: float = 30.0):
    """The membrane let go ``by`` mV away from its rest."""
    y = start.copy()
    y[squid.potential] += by
    return run(squid, rest_only(duration), start=y)


def test_a_displacement_of_15_mV_gives_a_spike_of_105_mV(squid, rested):
    start = rested("squid").at().state
    assert displaced(squid, start, 15).V.max() - start[squid.potential] == pytest.approx(105, abs=2)


def test_threshold_lies_between_6_and_7_mV(squid, rested):
    start = rested("squid").at().state
    below, above = (displaced(squid, start, by).V.max() - start[squid.potential] for by in (6, 7))
    assert below < 20
    assert above > 80


def test_10_uA_cm2_makes_the_squid_fire_at_68_to_70_Hz(squid, rested):
    times = spike_times(run(squid, protocol(Pulse(10, 400), duration=400), start=rested("squid").at().state))
    assert np.all((1000 / np.diff(times)[-5:] > 68) & (1000 / np.diff(times)[-5:] < 70))


def test_steady_firing_sets_in_with_a_jump_between_6_and_6_5(squid, rested):
    start = rested("squid").at().state
    silent = spike_times(run(squid, protocol(Pulse(6.0, 1000), duration=1000), start=start))
    firing = spike_times(run(squid, protocol(Pulse(6.5, 1000), duration=1000), start=start))
    assert len(silent) <= 3
    assert silent.max(initial=0) < 100
    assert firing.max() > 950
    assert np.all(1000 / np.diff(firing) > 40)


def test_after_hyperpolarisation_the_squid_fires_by_itself(squid, rested):
    recording = run(squid, protocol(Pulse(-5, 50, at=5), duration=100), start=rested("squid").at().state)
    assert recording.V[recording.t < 55].max() < -60
    assert recording.V[recording.t > 55].max() > 0


def test_warmth_shortens_the_spike(prepared, rested):
    """At 18.5 degC the spike is the faster and the smaller one (Hodgkin & Huxley 1952)."""
    widths, peaks = [], []
    for bath in ("", "T=18.5"):
        _, V = run(prepared("squid", bath), protocol(Pulse(60, 0.3, at=1), duration=15), start=rested("squid", bath).at().state).resample(0.001)
        widths.append(0.001 * np.sum(V > -20))
        peaks.append(V.max())
    assert 2.5 < widths[0] / widths[1] < 3.82  # the rates go up by a factor of 3.82
    assert peaks[1] < peaks[0]


# ---- solvers against each other


CASES = [("squid", "", 20), ("squid", "T=15", 40), ("fibre", "", 400), ("fibre", "K=2.5", 500), ("fibre", "K=6", 400), ("fibre", "Ca=0.6", 400)]


@pytest.mark.parametrize(("model", "bath", "amplitude"), CASES)
def test_solvers_agree(prepared, rested, model, bath, amplitude):
    traces = []
    for method in IMPLICIT:
        solver = Solver(method, 1e-9, 1e-11)
        recording = run(prepared(model, bath), protocol(Pulse(amplitude, 0.5, at=1), duration=8), solver=solver, start=rested(model, bath).at().state)
        traces.append(recording.resample(0.005)[1])
    assert max(traces[0]) > 0
    for trace in traces[1:]:
        assert np.abs(trace - traces[0]).max() < 1e-3


@pytest.fixture(scope="module")
def spike(prepared, rested):
    """``spike(model, method, rtol)``: the potential of one spike, at even times."""

    @cache
    def solve(model: str, method: str, rtol: float, atol: float) -> np.ndarray:
        p = protocol(Pulse(20 if model == "squid" else 400, 0.5, at=1), duration=5)
        return run(prepared(model), p, solver=Solver(method, rtol, atol), start=rested(model).at().state).resample(0.01)[1]

    return solve


@pytest.mark.parametrize(("model", "method"), [(m, s) for m in ("squid", "fibre") for s in METHODS])
def test_the_error_falls_with_the_tolerance(spike, model, method):
    exact = spike(model, "Radau", 1e-10, 1e-12)
    errors = [np.abs(spike(model, method, rtol, rtol * 1e-2) - exact).max() for rtol in (1e-4, 1e-6, 1e-8)]
    # A hundred times tighter: at least three times nearer, at every step.
    assert errors[1] < errors[0] / 3
    assert errors[2] < errors[1] / 3
    assert errors[2] < 0.01


@pytest.mark.parametrize("model", ["squid", "fibre"])
def test_the_default_solver_is_good_to_a_hundredth_of_a_millivolt(spike, model):
    usual = Solver()
    assert np.abs(spike(model, usual.method, usual.rtol, usual.atol) - spike(model, "Radau", 1e-10, 1e-12)).max() < 0.01


def test_points_between_steps_lie_on_the_solution(squid, rested):
    """The recorded points are dense enough that the potential between them is known."""
    p, start = protocol(Pulse(20, 0.5, at=1), duration=15), rested("squid").at().state
    t, V = run(squid, p, start=start).resample(0.0071)
    _, fine = run(squid, p, start=start, solver=Solver(max_step=0.005)).resample(0.0071)
    assert np.abs(V - fine).max() < 0.01
    assert len(t) == len(fine)


# ---- pulses are not missed


@settings(max_examples=20)
@given(method=st.sampled_from(METHODS), at=st.floats(0, 1000), width=st.floats(0.05, 5), amplitude=st.sampled_from([-40.0, 2.0, 60.0]))
def test_a_pulse_is_never_missed_whenever_it_comes(squid, rested, method, at, width, amplitude):
    """From rest it makes no difference when a pulse comes: right after it the membrane is where it is if it comes at once."""
    start, solver = rested("squid").at().state, Solver(method, 1e-8, 1e-10)
    late = run(squid, protocol(Pulse(amplitude, width, at=at), after=0.2), start=start, solver=solver)
    soon = run(squid, protocol(Pulse(amplitude, width), after=0.2), start=start, solver=Solver("LSODA", 1e-10, 1e-12))
    assert late.states[-1] == pytest.approx(soon.states[-1], abs=2e-3)
    # For a short one that is the charge that it brings, on 1 uF/cm2.
    if width < 0.1:
        i = np.searchsorted(late.t, at + width)
        assert late.V[i] - start[squid.potential] == pytest.approx(amplitude * width, rel=0.2)


@settings(max_examples=8)
@given(method=st.sampled_from(IMPLICIT), at=st.floats(0, 1000), width=st.floats(0.05, 1))
def test_the_fibre_misses_no_pulse_either(fibre, rested, method, at, width):
    start = rested("fibre").at().state
    late = run(fibre, protocol(Pulse(100.0, width, at=at), after=0.2), start=start, solver=Solver(method))
    soon = run(fibre, protocol(Pulse(100.0, width), after=0.2), start=start, solver=Solver("LSODA", 1e-10, 1e-12))
    assert np.ptp(soon.V) > 1
    assert late.V[-1] == pytest.approx(soon.V[-1], abs=0.01)


@pytest.mark.parametrize("method", IMPLICIT)
def test_no_pulse_of_a_train_is_missed(fibre, rested, method):
    recording = run(fibre, protocol(Train(10, 500, 400, at=100), duration=650), start=rested("fibre").at().state, solver=Solver(method, 1e-6, 1e-8))
    assert spike_times(recording) == pytest.approx([101 + 100 * i for i in range(5)], abs=1.0)


def test_a_membrane_at_rest_stays_there(prepared, rested):
    for model in ("squid", "fibre"):
        for method in METHODS:
            if (model, method) not in (("fibre", "RK45"), ("fibre", "DOP853")):  # explicit ones take forever to do nothing
                recording = run(prepared(model), rest_only(200), start=rested(model).at().state, solver=Solver(method))
                assert np.ptp(recording.V) < 1e-3


# ---- gates and ions in a train


@settings(max_examples=5)
@given(K=st.floats(2.5, 8), Ca=st.floats(0.6, 2.4), Mg=st.floats(0.3, 3))
def test_gates_stay_between_0_and_1_through_a_train(fibre, rested, K, Ca, Mg):
    bath = f"K={K:.3f},Ca={Ca:.3f},Mg={Mg:.3f}"
    tight = Solver("LSODA", 1e-9, 1e-11)  # the bound below is one on the equations, not on the solver's error
    recording = run(fibre.in_bath(bath), protocol(Train(30, 200, 500), duration=220), start=rested("fibre", bath).at().state, solver=tight)
    gates = recording.states[:, [fibre.states.index(g) for g in fibre.bound.gates]]
    assert gates.min() >= -1e-9
    assert gates.max() <= 1 + 1e-9
    ions = recording.states[:, [i for i, s in enumerate(fibre.bound.states) if s.unit == "mM"]]
    assert ions.min() > 0


def test_ions_balance_over_a_run(fibre, rested):
    """What the fibre and its tubules lost over a train is what crossed, integrated along the run."""
    recording = run(fibre, protocol(Train(30, 300, 400), duration=350), start=rested("fibre").at().state, solver=Solver("LSODA", 1e-9, 1e-11))
    numbers, F = fibre.numbers(), 96485.33212
    myoplasm, lumen = numbers["r"] / 2, numbers["r"] / 2 * numbers["rho"]
    for ion, z, current in (("K", 1, "I_K_s"), ("Na", 1, "I_Na_all_s"), ("Cl", -1, "I_Cl_all_s")):
        content = myoplasm * recording[f"{ion}_i"] + lumen * recording[f"{ion}_t"]
        crossing = -z * recording[current] / F / 1000 - lumen * (recording[f"{ion}_t"] - numbers[f"{ion}_o"]) / numbers["tau_diff"]
        gained = np.trapezoid(crossing, recording.t)
        assert content[-1] - content[0] == pytest.approx(gained, rel=2e-3), ion
        assert gained != 0


def test_a_train_of_30_Hz_does_to_tubular_potassium_what_the_prototype_found(fibre, rested):
    """As in another implementation: 30 spikes, potassium up to 9.35 mM, and peaks that fall."""
    recording = run(fibre, protocol(Train(30, 1000, 400), duration=1000), start=rested("fibre").at().state)
    _, V = recording.resample(0.01)
    peaks = V[find_peaks(V, height=0, prominence=30)[0]]
    assert len(peaks) == 30
    assert recording["K_t"].max() == pytest.approx(9.35, abs=0.1)
    assert peaks[-1] < peaks[0] - 1


# ---- asked wrongly, or without an answer


@pytest.mark.parametrize(("given", "said"), [
    ({"method": "LSODE"}, "there is no solver 'LSODE'; nearest: LSODA; solvers: LSODA, BDF, Radau, RK45, DOP853"),
    ({"rtol": 0.0}, "rtol lies between 0 and 1"), ({"rtol": 2.0}, "rtol"), ({"rtol": float("nan")}, "rtol"),
    ({"atol": 0.0}, "atol and max_step are above 0"), ({"atol": -1.0}, "atol"), ({"max_step": 0.0}, "max_step"),
])
def test_a_wrong_solver_is_refused(given, said):
    with pytest.raises(ExperimentError, match=said):
        Solver(**given)


@pytest.mark.parametrize("start", [[0.0], [0.0] * 5, [np.nan] * 4, [np.inf, 0.1, 0.1, 0.1], [[-65.0, 0.1, 0.1, 0.1]]])
def test_a_wrong_start_is_refused(squid, start):
    with pytest.raises(ExperimentError, match="a start has 4 finite numbers, one for each state: V, m, h, n"):
        run(squid, rest_only(), start=np.array(start))


def test_a_start_is_not_changed_by_the_run(squid, rested):
    start = rested("squid").at().state
    before = start.copy()
    run(squid, protocol(Clamp(0.0, 5), Pulse(10, 5, at=6)), start=start)
    assert np.array_equal(start, before)


ABSURD = [
    ("squid", {}, protocol(Pulse(-1e6, 5, at=1), after=5)), ("squid", {"C_m": 0.0}, rest_only(5)), ("squid", {"ka_m": 0.0}, rest_only(5)),
    ("squid", {"g_Na": 1e308}, rest_only(5)), ("fibre", {"tau_diff": 1e-300}, rest_only(5)),
    ("fibre", {"R_a": 0.0}, rest_only(5)), ("fibre", {"zeta": 0.0}, rest_only(5)),
]


@pytest.mark.parametrize("kind", ["llvm", "plain"])
@pytest.mark.parametrize("method", IMPLICIT)
@pytest.mark.parametrize(("model", "change", "protocol"), ABSURD)
def test_a_solver_that_gives_up_says_when_and_where(rested, kind, method, model, change, protocol):
    p = prepare(model, set=change, kernel=kind)
    with pytest.raises(ModelSaysNo, match=rf"^{method} gave up at t = [-+.e\d]+ ms, V = \S+ mV: .*Try another solver \((Radau|BDF)\)"):
        run(p, protocol, start=rested(model).at().state, solver=Solver(method))


def test_a_failure_names_the_last_time_that_was_reached(squid, rested):
    """The squid is well until a stimulus at 40 ms that no membrane stands."""
    for method in IMPLICIT:
        with pytest.raises(ModelSaysNo, match=r"at t = (4\d|4\d\.\d+) ms, V = -?\d") as error:
            run(squid, protocol(Pulse(-1e6, 5, at=40), after=5), start=rested("squid").at().state, solver=Solver(method))
        assert "nan mV" not in str(error.value)


def test_the_plain_kernel_runs_like_the_compiled_one(rested):
    for model, amplitude in (("squid", 20), ("fibre", 400)):
        p, start = protocol(Pulse(amplitude, 0.5, at=1), duration=4), rested(model).at().state
        traces = [run(prepare(model, kernel=kind), p, start=start).resample(0.01)[1] for kind in ("llvm", "plain")]
        assert np.abs(traces[0] - traces[1]).max() < 1e-3


def test_a_run_repeats_itself_to_the_last_bit(squid, rested):
    p, start = protocol(Noise(3, 30, seed=5, mean=7), duration=40), rested("squid").at().state
    one, other = (run(squid, p, start=start) for _ in range(2))
    assert np.array_equal(one.t, other.t)
    assert np.array_equal(one.states, other.states)
