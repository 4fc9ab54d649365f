"""Features of a run: against closed forms on made-up traces, and against eFEL on real ones."""

from __future__ import annotations

import warnings

import efel
import numpy as np
import pytest

import simulation as sim
from simulation.experiment import features


@pytest.fixture(scope="module")
def runs(squid, fibre):
    return {
        "squid, one spike": sim.run(squid, sim.protocol(sim.Pulse(30, 0.5, at=50), after=50)),
        "squid, firing": sim.run(squid, sim.protocol(sim.Pulse(10, 300, at=50), after=100)),
        "fibre, one spike": sim.run(fibre, sim.protocol(sim.Pulse(36, 100, at=20), after=50)),
        "fibre, train": sim.run(fibre, sim.protocol(sim.Train(30, 300, 300, at=20), after=50)),
    }


def by_efel(recording, names, dt=0.005):
    t, V = recording.resample(dt)
    efel.reset()
    efel.set_setting("Threshold", features.LEVEL)
    efel.set_setting("interp_step", dt)
    efel.set_setting("DerivativeThreshold", features.OWN_SLOPE)
    trace = {"T": t, "V": V, "stim_start": [recording.protocol.stimulus_start], "stim_end": [recording.protocol.stimulus_end]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return efel.get_feature_values([trace], names)[0]


@pytest.mark.parametrize("name", ["squid, one spike", "squid, firing", "fibre, one spike", "fibre, train"])
def test_agrees_with_efel(runs, name):
    ours = runs[name].features
    theirs = by_efel(runs[name], ["peak_time", "peak_voltage", "voltage_base", "AP_amplitude_from_voltagebase"])
    assert ours.spikes == len(theirs["peak_time"])
    assert ours.peak == pytest.approx(theirs["peak_voltage"][0], abs=0.05)
    assert ours.rest == pytest.approx(theirs["voltage_base"][0], abs=1e-3)
    assert ours.amplitude == pytest.approx(theirs["AP_amplitude_from_voltagebase"][0], abs=0.05)
    if ours.spikes > 1:  # the level is crossed a fixed time before the peak
        assert np.diff(ours.spike_times) == pytest.approx(np.diff(theirs["peak_time"]), abs=0.1)


def test_threshold_and_upstroke_agree_with_efel_once_the_stimulus_is_over(runs):
    ours = runs["squid, one spike"].features
    theirs = by_efel(runs["squid, one spike"], ["AP_begin_voltage", "AP_peak_upstroke"])
    assert ours.threshold == pytest.approx(theirs["AP_begin_voltage"][0], abs=0.1)
    assert ours.max_dV_dt == pytest.approx(theirs["AP_peak_upstroke"][0], rel=2e-3)


def test_shape_agrees_with_a_fine_grid(runs):
    recording = runs["fibre, one spike"]
    t, V = recording.resample(1e-4)
    ours = recording.features
    half = 0.5 * (V.max() + V[0])
    above = t[half <= V]
    assert ours.half_width == pytest.approx(above[-1] - above[0], abs=5e-4)
    assert ours.after_potential == pytest.approx(np.interp(t[V.argmax()] + 5, t, V) - V[0], abs=1e-3)
    assert ours.latency == pytest.approx(t[np.argmax(V > features.LEVEL)] - 20, abs=2e-4)


def test_rate_of_the_squid_axon_at_10_uA(squid):
    ours = sim.run(squid, sim.protocol(sim.Pulse(10, 1000), after=0.1)).features
    assert 68 <= ours.rate <= 70


def test_a_strong_stimulus_alone_is_no_spike(fibre):
    """100 us of a huge current lifts a fibre that cannot fire (no sodium channels) over the level."""
    dead = fibre.scaled({"P_Na": 0})
    recording = sim.run(dead, sim.protocol(sim.Pulse(3000, 0.1, at=1), after=10))
    assert recording.V.max() > features.LEVEL
    assert recording.features.spikes == 0


def test_nothing_to_measure_is_none(fibre):
    ours = sim.run(fibre, sim.rest_only(20)).features
    assert ours.spikes == 0
    assert ours.spike_times == ()
    assert (ours.peak, ours.threshold, ours.latency, ours.rate, ours.after_discharge, ours.depolarisation_block) == (None,) * 6
    assert ours.max_V == pytest.approx(ours.rest, abs=1e-6)


def test_after_discharge_counts_what_comes_after_the_stimulus(fibre):
    myotonic = sim.run(fibre.scaled({"P_Cl": 0.1}), sim.protocol(sim.Pulse(7.1, 200, at=10), after=600))
    ours = myotonic.features
    late = [x for x in ours.spike_times if x > 210 + features.SPIKE_SPAN]
    assert len(late) >= 3
    assert ours.after_discharge == len(late)
    assert ours.after_discharge_duration == pytest.approx(late[-1] - 210)


def test_a_spike_that_a_pulse_evokes_is_no_after_discharge(runs):
    assert runs["squid, one spike"].features.after_discharge == 0


def test_depolarisation_block(squid):
    """Far beyond the upper end of repetitive firing (about 154 uA/cm2) the squid axon fires and then stays depolarised."""
    assert sim.run(squid, sim.protocol(sim.Pulse(300, 300, at=5), after=50)).features.depolarisation_block is True
    assert sim.run(squid, sim.protocol(sim.Pulse(10, 300, at=5), after=50)).features.depolarisation_block is False


def test_every_feature_has_unit_and_text():
    assert set(features.UNITS) == set(features.TEXTS) == set(features.Features.__dataclass_fields__)
