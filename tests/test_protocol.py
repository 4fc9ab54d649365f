"""Protocols: edges and sums, noise, clamp, changes of bath, and what a wrong one says."""

from __future__ import annotations

import json
from itertools import pairwise
from math import exp, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation import Bath, BathChange, Clamp, Noise, Protocol, Pulse, Ramp, Solver, Train, protocol, rest_only, run
from simulation.experiment.errors import ExperimentError
from simulation.experiment.protocol import from_dict, read

amounts = st.floats(-50, 50)
times = st.floats(0, 40).map(lambda t: round(t, 3))
durations = st.floats(0.05, 30).map(lambda t: round(t, 3))
pulses = st.builds(Pulse, amounts, durations, times)
ramps = st.builds(Ramp, amounts, amounts, durations, times)
trains = st.builds(Train, st.floats(20, 300), durations, amounts, st.floats(0.05, 3), times)
noises = st.builds(Noise, st.floats(0.1, 5), durations, st.integers(0, 2**32), st.floats(0.5, 5), amounts, times)
baths = st.builds(BathChange, st.builds(Bath, st.fixed_dictionaries({"T": st.floats(0, 40)})), times)
clamps = st.builds(Clamp, amounts, durations, times)


def current_of(stimulus, t):
    """Current of a stimulus at a time, straight from what its words mean."""
    at = t - stimulus.at
    match stimulus:
        case Pulse():
            return stimulus.amplitude if 0 <= at < stimulus.duration else 0.0
        case Ramp():
            return stimulus.start + (stimulus.end - stimulus.start) * at / stimulus.duration if 0 <= at < stimulus.duration else 0.0
        case Train():
            period = 1000 / stimulus.rate
            count = max(1, int(stimulus.duration / period + 1e-9))
            return stimulus.amplitude if any(0 <= at - i * period < stimulus.width for i in range(count)) else 0.0
        case Noise():
            knots, x = stimulus.samples
            return float(np.interp(t, knots, x)) if knots[0] <= t < knots[-1] else 0.0


# ---- edges and sums


def test_a_pulse_cuts_the_run_in_three():
    segments = protocol(Pulse(20, 0.5, at=5), duration=30).segments
    assert [(s.start, s.stop, s.I_0) for s in segments] == [(0, 5, 0), (5, 5.5, 20), (5.5, 30, 0)]


def test_overlapping_stimuli_add_up():
    segments = protocol(Pulse(20, 10, at=0), Pulse(-5, 10, at=5), Ramp(0, 8, 8, at=2), duration=20).segments
    assert [(s.start, s.stop, pytest.approx(s.I_0), s.I_slope) for s in segments] == [
        (0, 2, 20, 0), (2, 5, 20, 1), (5, 10, 18, 1), (10, 15, -5, 0), (15, 20, 0, 0),
    ]


@given(st.lists(st.one_of(pulses, ramps, trains, noises), min_size=1, max_size=4))
def test_the_segments_are_the_sum_of_the_stimuli_everywhere(stimuli):
    p = protocol(*stimuli, duration=80.0)
    segments = p.segments
    assert segments[0].start == 0
    assert segments[-1].stop == p.duration
    for before, after in pairwise(segments):
        assert before.stop == after.start
    for s in segments[:: max(1, len(segments) // 30)]:
        for share in (0.25, 0.5, 0.75):
            t = s.start + share * (s.stop - s.start)
            expected = sum(current_of(stimulus, t) for stimulus in stimuli)
            assert s.I_0 + s.I_slope * (t - s.start) == pytest.approx(expected, abs=1e-6)


def test_edges_that_rounding_tears_apart_are_one():
    segments = protocol(Pulse(1, 0.2, at=0.1), Pulse(1, 0.2, at=0.3), duration=1).segments
    assert [s.start for s in segments] == [0.0, 0.1, 0.3, 0.5]


def test_a_train_has_its_pulses():
    train = Train(rate=30, duration=1000, amplitude=400, width=0.5, at=10)
    assert len(train.pulses) == 30
    assert train.pulses[29].at == pytest.approx(10 + 29 * 1000 / 30)
    assert len(Train(rate=1, duration=10, amplitude=1).pulses) == 1
    on = [s for s in protocol(train).segments if s.I_0]
    assert len(on) == 30
    assert sum(s.stop - s.start for s in on) == pytest.approx(15)


def test_a_protocol_knows_when_its_stimuli_begin_and_end():
    p = protocol(Pulse(1, 2, at=5), Clamp(-60, 3, at=12), Ramp(0, 1, 10, at=8), duration=15)
    assert (p.stimulus_start, p.stimulus_end) == (5, 15)
    assert (rest_only().stimulus_start, rest_only().stimulus_end) == (None, None)
    assert protocol(Pulse(1, 2, at=5)).duration == 27
    assert protocol(Pulse(1, 2, at=5), after=3).duration == 10


def test_a_later_bath_and_a_later_clamp_win():
    p = protocol(BathChange(Bath(T=20), 30), BathChange(Bath(T=10), 10), Clamp(-80, 20, at=0), Clamp(-60, 5, at=5), duration=40)
    told = [(s.start, s.V, dict(s.bath)["T"] if s.bath else None) for s in p.segments]
    assert told == [(0, -80, None), (5, -60, None), (10, -80, 10), (20, None, 10), (30, None, 20)]


def test_the_stimulus_is_what_the_membrane_gets(squid, rested):
    p = protocol(Ramp(-2, 3, 10, at=5), Pulse(1, 4, at=8), duration=20)
    recording = run(squid, p, start=rested("squid").at().state)
    expected = [sum(current_of(s, t) for s in p.stimuli) for t in recording.t]
    assert recording["I_stim"] == pytest.approx(expected, abs=1e-9)
    assert np.all(np.diff(recording.t) > 0)
    assert recording.t[0] == 0
    assert recording.t[-1] == pytest.approx(20, abs=1e-8)


# ---- noise


def test_noise_is_seeded():
    one, again, other = (Noise(sd=2, duration=100, seed=seed).samples[1] for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_noise_has_the_spread_and_memory_that_it_claims():
    sd, tau, mean, duration = 2.0, 4.0, 3.0, 40_000.0
    knots, x = Noise(sd=sd, duration=duration, seed=20261122, correlation=tau, mean=mean).samples
    assert np.diff(knots) == pytest.approx(tau / 5)
    # Standard errors of an Ornstein-Uhlenbeck process seen for this long; four of them are allowed.
    samples = duration / (2 * tau)
    assert x.mean() == pytest.approx(mean, abs=4 * sd / sqrt(samples))
    assert x.std() == pytest.approx(sd, rel=4 / sqrt(2 * duration / tau))
    z = (x - mean) / sd
    for lag in (1, 5, 10):
        rho = exp(-lag / 5)
        assert np.mean(z[:-lag] * z[lag:]) == pytest.approx(rho, abs=4 * sqrt(2 * tau / duration))
    # The density near the mean and in the tail is the normal one.
    assert np.mean(np.abs(z) < 0.5) == pytest.approx(0.3829, abs=4 * 0.5 / sqrt(samples))


def test_noise_begins_as_it_goes_on():
    first = np.array([Noise(sd=3, duration=10, seed=seed).samples[1][0] for seed in range(2000)])
    assert first.std() == pytest.approx(3, rel=4 / sqrt(2 * 2000))
    assert first.mean() == pytest.approx(0, abs=4 * 3 / sqrt(2000))


# ---- clamp and change of bath


def squid_rates(V):
    v = V + 65
    return {
        "m": (0.1 * (25 - v) / (np.exp((25 - v) / 10) - 1), 4 * np.exp(-v / 18)),
        "h": (0.07 * np.exp(-v / 20), 1 / (np.exp((30 - v) / 10) + 1)),
        "n": (0.01 * (10 - v) / (np.exp((10 - v) / 10) - 1), 0.125 * np.exp(-v / 80)),
    }


@pytest.mark.parametrize("method", ["LSODA", "BDF", "Radau", "RK45", "DOP853"])
def test_under_clamp_the_squids_gates_are_exponentials(squid, rested, method):
    recording = run(squid, protocol(Clamp(-20.0, 12, at=3), duration=20), solver=Solver(method, 1e-9, 1e-11), start=rested("squid").at().state)
    on = (recording.t >= 3) & (recording.t < 15)
    assert np.all(recording.V[on] == -20.0)
    for gate, (alpha, beta) in squid_rates(-20.0).items():
        x_0, x_inf, tau = rested("squid").symbol(gate), alpha / (alpha + beta), 1 / (alpha + beta)
        assert recording[gate][on] == pytest.approx(x_inf + (x_0 - x_inf) * np.exp(-(recording.t[on] - 3) / tau), abs=1e-6)


@pytest.mark.parametrize(("model", "parts"), [("squid", ("I_ion",)), ("fibre", ("I_ion_s", "I_access"))])
def test_clamp_holds_V_and_its_current_is_the_whole_membrane_current(prepared, rested, model, parts):
    p = protocol(Clamp(-20.0, 4, at=2), Pulse(7.0, 1, at=3), duration=10)
    recording = run(prepared(model), p, start=rested(model).at().state)
    on = (recording.t >= 2) & (recording.t < 6)
    assert np.all(recording.V[on] == -20.0)
    assert np.all(np.isnan(recording.clamp_current[~on]))
    whole = sum(recording[part] for part in parts) - recording["I_stim"]
    assert recording.clamp_current[on] == pytest.approx(whole[on], rel=1e-9, abs=1e-9)
    t, V = recording.resample(0.01)
    inside = (t > 2.01) & (t < 5.99)
    assert np.all(np.abs(V[inside] + 20.0) < 1e-9)


def test_a_bath_changes_in_mid_run(fibre, rested):
    start = rested("fibre").at().state
    recording = run(fibre, protocol(BathChange(Bath(K=8), at=50), Pulse(20, 5, at=70), duration=100), start=start)
    before = recording.t < 50
    assert np.all(recording["E_K_s"][before] == pytest.approx(rested("fibre").symbol("E_K_s"), abs=1e-3))
    assert np.ptp(recording.V[before]) < 1e-3
    assert recording["E_K_s"][~before] == pytest.approx(fibre.in_bath(K=8).kernel.observe(
        recording.t[~before], recording.states[~before], fibre.in_bath(K=8).values)[:, fibre.kernel.emitted.symbols.index("E_K_s")])
    alone = run(fibre.in_bath(K=8), protocol(Pulse(20, 5, at=20), duration=50), start=start)
    assert recording.V[-1] == pytest.approx(alone.V[-1], abs=1e-4)
    assert recording.V[-1] > recording.V[0] + 2


def test_what_a_new_bath_does_not_name_goes_back_to_control(fibre):
    p = protocol(BathChange(Bath(Ca=0.6), at=5), duration=10)
    recording = run(fibre.in_bath(K=6), p)
    assert recording.values[0][fibre.kernel.emitted.values.index("K_o")] == 6
    assert recording.values[1][fibre.kernel.emitted.values.index("K_o")] == 4
    assert recording.values[1][fibre.kernel.emitted.values.index("Ca_o")] == 0.6


def test_a_bath_that_the_model_does_not_have_is_refused(squid):
    with pytest.raises(ExperimentError, match="the bath of squid has no K"):
        run(squid, protocol(BathChange(Bath(K=5), at=5), duration=10))


# ---- as files


@given(st.lists(st.one_of(pulses, ramps, trains, noises, baths, clamps), max_size=4))
def test_a_protocol_goes_to_a_file_and_back(events):
    p = protocol(*events, duration=60.0)
    assert from_dict(p.to_dict()) == p
    assert from_dict(json.loads(json.dumps(p.to_dict()))) == p


def test_a_rare_bath_goes_to_a_file_and_back():
    p = protocol(BathChange(Bath("K=50mM,Ca=20mM,pH=7.0,T=30"), at=3), duration=10)
    assert from_dict(json.loads(json.dumps(p.to_dict())), stated=True) == p
    with pytest.raises(ExperimentError, match="bath K = 50: is that in mM"):
        from_dict(p.to_dict())


def test_a_protocol_is_read_from_toml(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text("""
duration = 100
[[event]]
kind = "step"
amplitude = 3
duration = 50.0
at = 10
[[event]]
kind = "train"
rate = 30
duration = 60
amplitude = 400
[[event]]
kind = "bath"
at = 20
bath = { K = 2.5, T = 30 }
[[event]]
kind = "bath"
at = 40
bath = "Ca=9.5mg/dL"
[[event]]
kind = "noise"
sd = 2
duration = 20
seed = 7
""", encoding="utf-8")
    assert read(path) == Protocol(100.0, (
        Pulse(3, 50.0, 10), Train(30, 60, 400), BathChange(Bath(K=2.5, T=30), 20), BathChange(Bath("Ca=9.5mg/dL"), 40), Noise(2, 20, 7),
    ))


PULSE = {"kind": "pulse", "amplitude": 1.0, "duration": 2.0}


@pytest.mark.parametrize(("data", "said"), [
    ({"duration": 0}, r"the protocol: duration = 0 has to be above 0"),
    ({"duration": -1.0}, r"duration = -1 has to be above 0"),
    ({"duration": float("nan")}, r"duration = nan has to be above 0"),
    ({"duration": "long"}, r"duration = 'long' is not a number"),
    ({"duration": True}, r"duration = True is not a number"),
    ({"durations": 3}, r"protocol: 'durations' is not known; nearest: duration"),
    ({"events": []}, r"protocol: 'events' is not known; nearest: event"),
    ({"event": PULSE}, r"\[\[event\]\]"),
    ({"event": "pulse"}, r"\[\[event\]\]"),
    ({"event": [3]}, r"\[\[event\]\]"),
    ({"event": [{"amplitude": 1}]}, r"event 1 has the kind 'None'; .*kinds: pulse, step, train"),
    ({"event": [PULSE | {"kind": "puls"}]}, r"event 1 has the kind 'puls'; nearest: pulse"),
    ({"event": [PULSE | {"kind": ["pulse"]}]}, r"event 1 has the kind"),
    ({"event": [PULSE | {"amplitud": 1}]}, r"event 1 \(pulse\) has no 'amplitud'; nearest: amplitude; it has amplitude, duration, at"),
    ({"event": [PULSE, {"kind": "pulse", "amplitude": 1.0}]}, r"event 2 \(pulse\): .*'duration'"),
    ({"event": [PULSE | {"amplitude": "1"}]}, r"event 1 \(pulse\): amplitude = '1' is not a number"),
    ({"event": [PULSE | {"amplitude": True}]}, r"amplitude = True is not a number"),
    ({"event": [PULSE | {"amplitude": float("nan")}]}, r"pulse: amplitude = nan is not a number that a protocol can use"),
    ({"event": [PULSE | {"duration": 0}]}, r"pulse: duration = 0 has to be above 0"),
    ({"event": [PULSE | {"duration": float("inf")}]}, r"pulse: duration = inf"),
    ({"event": [PULSE | {"at": -3}]}, r"pulse: at = -3 ms lies before the start of the run"),
    ({"duration": 10, "event": [PULSE | {"at": 10}]}, r"pulse: at = 10 ms lies after the end of the run at 10 ms"),
    ({"event": [{"kind": "train", "rate": 0, "duration": 10, "amplitude": 1}]}, r"train: rate = 0 has to be above 0"),
    ({"event": [{"kind": "train", "rate": -5, "duration": 10, "amplitude": 1}]}, r"train: rate = -5 has to be above 0"),
    ({"event": [{"kind": "train", "rate": 500, "duration": 10, "amplitude": 1, "width": 3}]}, r"train: pulses of 3 ms overlap at 500 Hz"),
    ({"event": [{"kind": "ramp", "start": 0, "end": 1, "duration": 0}]}, r"ramp: duration = 0 has to be above 0"),
    ({"event": [{"kind": "noise", "sd": 1, "duration": 10, "seed": 1, "correlation": 0}]}, r"noise: correlation = 0 has to be above 0"),
    ({"event": [{"kind": "noise", "sd": -1, "duration": 10, "seed": 1}]}, r"noise: sd = -1"),
    ({"event": [{"kind": "noise", "sd": 1, "duration": 10}]}, r"event 1 \(noise\): .*'seed'"),
    ({"event": [{"kind": "noise", "sd": 1, "duration": 10, "seed": 1.5}]}, r"noise: seed = 1.5 is not a whole number"),
    ({"event": [{"kind": "noise", "sd": 1, "duration": 10, "seed": -1}]}, r"noise: seed = -1 is not a whole number"),
    ({"event": [{"kind": "clamp", "V": float("inf"), "duration": 10}]}, r"clamp: V = inf"),
    ({"event": [{"kind": "bath", "at": 0}]}, r"event 1 \(bath\): .*'bath'"),
    ({"event": [{"kind": "bath", "at": 0, "bath": {"K": 0}}]}, r"bath K = 0 mM"),
    ({"event": [{"kind": "bath", "at": 0, "bath": "K=abc"}]}, r"bath K = 'abc'"),
    ({"event": [{"kind": "bath", "at": 0, "bath": {"Q": 1}}]}, r"the bath has no 'Q'"),
    ({"event": [{"kind": "bath", "at": 0, "bath": 4}]}, r"a bath is written as"),
])
def test_a_wrong_protocol_says_what_is_wrong(data, said):
    with pytest.raises(ExperimentError, match=said):
        from_dict(data)
    if "duration" not in data:
        with pytest.raises(ExperimentError, match=said.replace("after the end", "(after the end)?")):
            from_dict({"duration": 50.0} | data)


@pytest.mark.parametrize("event", [
    Train(0, 10, 1), Train(float("nan"), 10, 1), Noise(1, 10, 1, correlation=0), Noise(1, float("nan"), 1), Noise(1, float("inf"), 1),
    Train(30, float("inf"), 1), Pulse(1, float("nan")), Ramp(0, 1, 0), Clamp(float("nan"), 1),
])
def test_wrong_events_are_refused_before_anything_is_worked_out(event):
    for make in (lambda: protocol(event), lambda: Protocol(50.0, (event,))):
        with pytest.raises(ExperimentError, match=type(event).__name__.lower()):
            make()


@pytest.mark.parametrize(("text", "said"), [
    ("duration = ", r"own\.toml is not valid TOML"), (b"\xff\xfe", r"own\.toml is not valid TOML"), ("[[evnt]]", r"own\.toml: 'evnt' is not known"),
    ("[event]\nkind = 'pulse'", r"own\.toml: .*\[\[event\]\]"), ("duration = 2024-01-01", r"own\.toml: duration = .* is not a number"),
])
def test_a_wrong_file_says_what_is_wrong(tmp_path, text, said):
    path = tmp_path / "own.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ExperimentError, match=said):
        read(path)


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(ExperimentError, match=r"cannot read .*none\.toml: No such file"):
        read(tmp_path / "none.toml")
    with pytest.raises(ExperimentError, match=r"cannot read .*: Is a directory"):
        read(tmp_path)


def test_the_area_under_a_ramp_is_its_charge(squid):
    """The charge that a membrane without channels collects is the area under the stimulus."""
    dead = squid.with_values({"g_Na": 0.0, "g_K": 0.0, "g_L": 0.0})
    start = np.array([0.1, 0.1, 0.1, -65.0])[[("m", "h", "n", "V").index(s) for s in squid.states]]
    p = protocol(Ramp(0, 4, 10, at=2), Pulse(3, 0.7, at=15), Noise(1, 5, 3, at=20), duration=30)
    knots, x = p.stimuli[2].samples
    recording = run(dead, p, start=start, solver=Solver("Radau", 1e-10, 1e-12))
    charge = 4 * 10 / 2 + 3 * 0.7 + float(np.sum(np.diff(knots) * (x[1:] + x[:-1]) / 2))
    assert recording.V[-1] + 65 == pytest.approx(charge / 1.0, abs=1e-7)
