"""The motor axon: the node of Schwarz, Reid & Bostock, the balance of the ten-state axon, and what the serum does to it."""

from __future__ import annotations

import pytest

import simulation as sim
from simulation.experiment.errors import ModelSaysNo

VARIANTS = ("axon_rhythmic", "axon_near_normal", "axon_multiplets")


@pytest.fixture(scope="module")
def axon(prepared):
    return prepared("axon")


@pytest.fixture(scope="module")
def control_threshold(axon):
    return sim.threshold_current(axon, 1.0)


def relative_threshold(axon, control_threshold, bath):
    """Threshold of a 1 ms pulse against the reference bath, %."""
    return 100 * sim.threshold_current(axon.in_bath(bath), 1.0) / control_threshold


def spontaneous(name, bath, duration=300):
    """Spikes without a stimulus, from a start 1 mV away from rest."""
    p = sim.prepare(name, bath)
    start = sim.find_rest(p).at().state.copy()
    start[p.potential] += 1
    return sim.run(p, sim.rest_only(duration), start=start, solver=sim.Solver(rtol=1e-6, atol=1e-8)).features.spikes


# ---- the isolated node


@pytest.mark.parametrize(("T", "half_width"), [(37, 0.235), (20, 1.43)])
def test_the_nodes_rest_and_spike(prepared, T, half_width):
    """Half-widths are an independent implementation's."""
    node = prepared("node").in_bath(T=T)
    assert pytest.approx(-83.8, abs=0.05) == sim.find_rest(node).V
    spike = sim.run(node, sim.protocol(sim.Pulse(1500, 0.1, at=1), after=10)).features
    assert spike.spikes == 1
    assert spike.half_width == pytest.approx(half_width, rel=0.05)


# ---- balance


def test_V_0_is_an_exact_rest(axon):
    rest = sim.find_rest(axon)
    assert len(rest.states) == 1
    assert pytest.approx(-81.5, abs=1e-9) == rest.V
    assert rest.at().residual < 1e-9
    assert rest.at().stable


def test_at_rest_sodium_and_potassium_are_in_balance(axon):
    rest = sim.find_rest(axon)
    for side in "ni":
        pump = rest.symbol(f"I_pump_{side}")
        assert rest.symbol(f"I_K_{side}") == pytest.approx(2 * pump)
        assert rest.symbol(f"I_Na_{side}") + rest.symbol(f"I_LNa_{side}") == pytest.approx(-3 * pump)


@pytest.mark.parametrize("change", [{"K_o": 3.0}, {"Na_o": 120}, {"pump_share": 0.5}, {"Ca_o": 0.6}, {"Na_i": 20}, {"dK_periaxonal": 2}])
def test_everything_moves_the_rest(axon, change):
    assert abs(sim.find_rest(axon.with_values(change)).V - (-81.5)) > 0.05


def test_a_set_that_needs_a_negative_leak_is_refused(axon):
    with pytest.raises(ModelSaysNo, match="g_LNa_n0"):
        sim.find_rest(axon.with_values({"f_p": 0.3, "V_0": -70}))


# ---- what the serum does (orders and signs; figures are an independent prototype's)


@pytest.mark.parametrize(
    ("bath", "low", "high"),
    [({"Ca": 1.6}, 105, 140), ({"Ca": 0.8}, 60, 95), ({"Ca": 0.6}, 40, 80), ({"Mg": 0.2}, 75, 95), ({"K": 2.5}, 130, 170), ({"K": 6}, 45, 80)],
)
def test_thresholds(axon, control_threshold, bath, low, high):
    assert low < relative_threshold(axon, control_threshold, bath) < high


def test_high_potassium_blocks(axon, control_threshold):
    assert relative_threshold(axon, control_threshold, {"K": 8}) > 150


@pytest.mark.parametrize("Ca", [0.3, 0.6, 1.2])
def test_the_mean_axon_never_fires_by_itself(Ca):
    assert spontaneous("axon", {"Ca": Ca}) == 0


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_are_silent_at_normal_calcium_and_fire_in_low(name):
    assert spontaneous(name, {}) == 0
    assert spontaneous(name, {"Ca": 0.6}) > 3


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_fire_in_raised_potassium_and_are_blocked_at_8(name):
    assert spontaneous(name, {"K": 6}) > 3
    assert spontaneous(name, {"K": 8}) == 0


@pytest.mark.parametrize("name", VARIANTS[:2])
def test_low_potassium_silences_them(name):
    assert spontaneous(name, {"Ca": 0.6, "K": 3.5}) == 0


def test_less_persistent_sodium_stops_firing_in_low_calcium():
    """As mexiletine would."""
    p = sim.prepare("axon_rhythmic", {"Ca": 0.6})
    weaker = p.scaled({"f_p": 0.6})
    assert not sim.find_rest(p).stable
    assert sim.find_rest(weaker).stable


def test_relief_of_the_sodium_leak_makes_low_calcium_worse(axon):
    leaky = axon.with_values({"w_NALCN": 0.25})
    assert pytest.approx(-81.5, abs=1e-9) == sim.find_rest(leaky).V
    low = {"Ca": 0.6}
    assert sim.threshold_current(leaky.in_bath(low), 1.0) < sim.threshold_current(axon.in_bath(low), 1.0)


def test_variants_are_called_hypotheses():
    for name in VARIANTS:
        parameters = sim.prepare(name).parameters
        assert parameters.title.startswith("HYPOTHESIS")
        assert all(parameters[s].kind == "assumed" for s, origin in parameters.origin.items() if origin == name)
