"""Junction and motor unit: release by its law, trains, drives, stages in baths of their own, and what tells a cramp from a contracture."""

from __future__ import annotations

import json
import math
from functools import cache

import numpy as np
import pytest

from simulation import figures, parameter_sets, prepare
from simulation.cli import main
from simulation.cli.errors import WrongUse
from simulation.cli.quantities import drive as read_drive
from simulation.experiment import cramp, motor_unit
from simulation.experiment.errors import ExperimentError
from simulation.experiment.junction import junction
from simulation.experiment.motor_unit import Drive, Rate, Shaking, Stretch, run_unit, unit
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import Solver
from simulation.physiology import junction as law

VOLUNTARY = Drive((Rate(20, 500, 200),))


@cache
def driven():
    return run_unit(unit(), VOLUNTARY, 1500)


@cache
def by_itself(stage: str, bath: str, axon: str = "axon_rhythmic"):
    return run_unit(unit(axon, baths={stage: bath}), duration=1000)


# ---- junction


@pytest.mark.parametrize("name", parameter_sets.parts())
def test_numbers_of_the_parts_lie_in_their_range_and_have_known_sources(name):
    numbers = parameter_sets.load(name)
    assert numbers.name == name
    assert numbers.implausible() == []
    for symbol, parameter in numbers.parameters.items():
        assert set(parameter.source) <= parameter_sets.references().keys(), symbol


def test_release_follows_its_law():
    """By hand: (rho/rho_ref)^4 with rho = (Ca/K1)/(1 + Ca/K1 + Mg/K2)."""
    def rho(Ca, Mg):
        return (Ca / 0.4) / (1 + Ca / 0.4 + Mg / 2.97)

    j = junction(bath="Ca=0.6,Mg=0.3")
    assert j.release == pytest.approx((rho(0.6, 0.3) / rho(1.2, 0.6)) ** 4)
    assert j.potential == pytest.approx(20 * j.release / (1 + 0.8 * 20 * j.release / 80))
    assert junction().release == pytest.approx(1)


def test_the_sets_for_mammal_and_frog_disagree_about_low_calcium():
    assert 100 * junction(bath="Ca=0.6").release == pytest.approx(38, abs=6)
    assert 100 * junction("junction_frog", "Ca=0.6").release == pytest.approx(19, abs=2)


def test_magnesium_outside_competes_with_calcium():
    less, more = (junction(bath={"Mg": Mg}).release for Mg in (0.3, 1.2))
    assert more < 0.9 < 1 < less < 1.2


def test_recovery_between_spikes_is_exact():
    """Against small steps of the two equations."""
    ready, reserve, dt = 0.4, 0.7, 0.01
    for _ in range(100_000):
        ready, reserve = ready + dt * (reserve - ready) / 400, reserve + dt * (1 - reserve) / 8000
    assert law.ready_later(1000.0, 0.4, 0.7, 400.0, 8000.0) == pytest.approx(ready, rel=1e-4)
    assert law.reserve_later(1000.0, 0.7, 8000.0) == pytest.approx(reserve, rel=1e-4)


def test_a_train_wears_the_junction_out_and_rest_restores_it():
    slow, fast = (junction().potentials(np.arange(0, 1000, 1000 / rate)).quanta for rate in (10, 50))
    assert 1 > slow[-1] / slow[0] > fast[-1] / fast[0] > 0.4
    assert np.all(np.diff(fast) < 0)
    again = junction().potentials([*np.arange(0, 1000, 20), 60_000.0]).quanta
    assert again[-1] == pytest.approx(again[0], rel=1e-3)
    low = junction(bath="Ca=0.5").potentials(np.arange(0, 1000, 20)).quanta
    assert low[-1] / low[0] > fast[-1] / fast[0]  # what releases less is worn out less
    assert len(junction().potentials([]).quanta) == 0


def test_a_junction_takes_its_own_ions_and_sets_only():
    with pytest.raises(ExperimentError, match="no K"):
        junction(bath="K=3")
    with pytest.raises(ExperimentError, match="for axon, not for a junction"):
        junction("axon")


# ---- drives


def test_drives():
    numbers = unit().motoneuron
    assert Drive().spikes(numbers) == []
    assert VOLUNTARY.spikes(numbers) == [200 + 50 * i for i in range(10)]
    rising = np.diff(Drive((Rate(5, 2000, 0, 40),)).spikes(numbers))
    assert np.all(np.diff(rising) < 0)
    assert 1000 / rising[-1] == pytest.approx(40, rel=0.05)
    relieved = np.array(Drive((Rate(25, 3000),), stretches=(Stretch(1000, 1000),)).spikes(numbers))
    counts = [np.count_nonzero((relieved >= t) & (relieved < t + 1000)) for t in (0, 1000, 2000)]
    assert counts[1] < 0.5 * counts[0] < 0.6 * counts[2]
    silent = np.array(Drive((Rate(10, 3000),), stretches=(Stretch(1000, 1000),)).spikes(numbers))
    assert not np.any((silent > 1200) & (silent < 2000))


def test_noise_is_the_same_again_for_the_same_seed():
    u = unit()
    a, b, c = (motor_unit.run_axon(u, Drive(noise=(Shaking(1.0, 300, seed),)), 300).spikes for seed in (1, 1, 2))
    assert len(a) > 0
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_what_a_drive_cannot_be():
    for wrong in ({"rate": 0, "duration": 5}, {"rate": 900, "duration": 5}, {"rate": 5, "duration": 5, "at": -1}):
        with pytest.raises(ExperimentError, match="drive"):
            Rate(**wrong)
    with pytest.raises(ExperimentError, match="after the end"):
        run_unit(unit(), Drive((Rate(5, 10, 500),)), 100)


def test_drives_are_read():
    assert read_drive(["20Hz:2s@0.5s", "none"]) == Drive((Rate(20, 2000, 500),))
    assert read_drive(["5Hz..40Hz:1s@0"]) == Drive((Rate(5, 1000, 0, 40),))
    assert read_drive(["noise:1s:0.5:3@0", "stretch:1s@2s"]) == Drive((), (Shaking(0.5, 1000, 3, at=0),), (Stretch(1000, 2000),))
    for wrong in ("20Hz", "noise:1s", "20V:1s", "noise:1s:0.5:-1"):
        with pytest.raises(WrongUse, match="--drive"):
            read_drive([wrong])


# ---- the unit


def test_a_voluntary_contraction():
    r = driven()
    assert len(r.axon.spikes) == len(r.muscle.spikes) == 10
    assert all(r.fired)
    assert r.end_plate.times == pytest.approx(r.axon.spikes + r.unit.junction.latency)
    found = cramp.measure(r)
    assert found.transmitted == 1
    assert 0.3 < found.peak_force < 0.9
    assert found.verdict == "no involuntary force"
    assert 50 < found.half_relaxation < 150
    assert 0.5 < found.fusion <= 1
    assert r.muscle.t[-1] == r.duration
    assert r.unit.safety_factor == pytest.approx(2, rel=0.05)  # what the junction was fitted to


def test_engine_and_scipy_agree():
    drive, ends = Drive((Rate(25, 100, 10),)), []
    for solver in (None, Solver("LSODA", 1e-7, 1e-9)):
        r = run_unit(unit(), drive, 250, solver=solver)
        ends.append((r.muscle.spikes, r.force.max(), r.Ca_i.max(), r.axon.spikes))
    for engine, scipy in zip(*ends, strict=True):
        assert engine == pytest.approx(scipy, rel=5e-3, abs=0.02)


def test_low_calcium_acts_on_the_axon_not_on_the_fibre():
    axon, fibre = by_itself("axon", "Ca=0.7"), by_itself("muscle", "Ca=0.7")
    assert len(axon.axon.spikes) > 10
    assert axon.force.max() > 0.3
    assert cramp.measure(axon).verdict == "electrical"
    assert len(fibre.axon.spikes) == len(fibre.muscle.spikes) == 0
    assert fibre.force.max() < 0.02
    assert len(by_itself("axon", "Ca=0.7", "axon").axon.spikes) == 0  # the mean axon stays silent


def test_low_potassium_protects_the_axon():
    assert len(by_itself("axon", "Ca=0.7,K=2.5").axon.spikes) == 0


def test_low_calcium_everywhere_still_transmits_with_the_mammals_constants_and_not_with_the_frogs():
    baths = {stage: "Ca=0.6" for stage in ("axon", "junction", "muscle")}
    mammal, frog = (run_unit(unit("axon_rhythmic", name, baths=baths), duration=600) for name in ("junction", "junction_frog"))
    assert len(mammal.muscle.spikes) > 10
    assert mammal.force.max() > 0.3
    assert len(frog.axon.spikes) > 10
    assert not any(frog.fired)
    assert frog.force.max() < 0.02


def test_magnesium_blocks_at_the_junction():
    r = run_unit(unit(baths={"junction": "Mg=5"}), VOLUNTARY, 800)
    assert len(r.axon.spikes) == 10
    assert len(r.muscle.spikes) == 0
    assert r.unit.safety_factor < 1


def test_a_depolarised_fibre_answers_without_force():
    r = run_unit(unit(baths={"muscle": "K=10"}), VOLUNTARY, 1000)
    assert r.force.max() < 0.02


def test_a_bath_for_all_stages_goes_to_those_that_have_it():
    u = unit(baths="K=5,Ca=1")
    assert dict(u.axon.bath) == dict(u.muscle.bath) == {"K": 5, "Ca": 1}
    assert dict(u.junction.bath) == {"Ca": 1}
    assert u.control.junction.release == pytest.approx(1)
    with pytest.raises(ExperimentError, match="no stage 'nerve'"):
        unit(baths={"nerve": "K=5"})
    with pytest.raises(ExperimentError, match="has no force"):
        unit(muscle="fibre")
    with pytest.raises(ExperimentError, match="axon of a unit"):
        unit("node")


# ---- cramp and contracture


def test_a_contracture_is_silent():
    """In caffeine, and when magnesium is gone from the myoplasm."""
    caffeine = cramp.measure(run_unit(unit(muscle=prepare("muscle", set={"caffeine": 20})), duration=3000))
    p = prepare("muscle")
    start, of = find_rest(p).at().state.copy(), p.numbers()
    for region in "ri":
        start[p.states.index(f"Mg_{region}")] = 0.01
        start[p.states.index(f"MgATP_{region}")] = of["ATP_tot"] * 0.01 / (0.01 + of["k_MgATP_off"] / of["k_MgATP"])
    magnesium = cramp.measure(run_unit(unit(), duration=5000, muscle_start=start))
    for found in (caffeine, magnesium):
        assert found.involuntary_peak > 0.1
        assert found.muscle_spikes == 0
        assert found.verdict == "silent"


def test_threshold_frequency():
    """Near the calcium at which it begins to fire by itself, a train leaves the excitable axon firing; at normal calcium none does."""
    edge = unit("axon_rhythmic", baths={"axon": "Ca=0.838"})
    assert find_rest(edge.axon).at().stable
    assert 0 < cramp.threshold_frequency(edge, (10, 30), train=500, watch=500) <= 30
    assert math.isnan(cramp.threshold_frequency(unit("axon_rhythmic"), (30,), train=300, watch=300))
    assert cramp.threshold_frequency(unit("axon_rhythmic", baths={"axon": "Ca=0.7"}), (30,), train=300, watch=300) == 0


def test_potassium_between_the_fibres_is_washed_out_and_blood_flow_decides_how_fast():
    """3 s at 30 Hz, then rest."""
    left = {}
    for tau_wash in (20_000.0, 1e9):
        r = run_unit(unit(muscle=prepare("muscle_in_situ", set={"tau_wash": tau_wash})), Drive((Rate(30, 3000),)), 8000)
        K = r.muscle.watched["K_is"]
        assert K.max() > 4.5
        left[tau_wash] = K[-1]
    assert left[20_000.0] < left[1e9]


def test_an_electrical_cramp_needs_no_calcium_from_outside():
    """The unit in low calcium at its axon, with and without the L-type channel of the fibre's membrane."""
    force = [
        run_unit(unit("axon_rhythmic", muscle=prepare("muscle_calcium", set=off), baths={"axon": "Ca=0.7"}), duration=1000).force.max()
        for off in ({}, {"P_CaL": 0.0})
    ]
    assert force[1] == pytest.approx(force[0], rel=0.05)


# ---- figure, files, command


def test_figure_and_file(tmp_path):
    r = driven()
    plate = figures.strip(r, control=by_itself("axon", "Ca=0.7"), size="column")
    assert len(plate.axes) == 5
    assert "10 spikes of the axon" in plate.alt
    data = r.to_xarray()
    assert json.loads(data.attrs["provenance"])["unit"]["junction"]["parameter_set"] == "junction"
    assert data["force"].shape == data["V_muscle"].shape
    data.to_netcdf(tmp_path / "unit.nc", engine="netcdf4")


def test_command(capsys, tmp_path):
    out = tmp_path / "unit.nc"
    assert main(["run", "motor_unit", "--drive", "20Hz:0.3s@0.1s", "--bath", "muscle:K=5", "--duration", "800ms", "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["bath"]["muscle"]["K"] == 5
    assert told["axon_spikes"] == told["muscle_spikes"] == 6
    assert out.is_file()
    assert main(["run", "motor_unit", "--axon", "axon_rhythmic", "--bath", "Ca=0.7", "--duration", "500ms"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for words in ("by itself", "Safety factor", "the frog's", "electrical cramp"):
        assert words in said


@pytest.mark.parametrize(("arguments", "complaint"), [
    (["motor_unit"], "say how the unit is driven"),
    (["motor_unit", "--duration", "1s", "--pulse", "1ms:3"], "driven with --drive"),
    (["motor_unit", "--duration", "1s", "--bath", "nerve:K=5"], "no stage 'nerve'"),
    (["motor_unit", "--duration", "1s", "--set", "tau_wash=5"], "say of which stage"),
    (["fibre", "--drive", "20Hz:1s"], "belongs to a motor unit"),
])
def test_wrong_use(capsys, arguments, complaint):
    assert main(["run", *arguments]) == 2
    assert complaint in capsys.readouterr().err


def test_a_muscle_alone_tells_of_its_force(capsys):
    assert main(["run", "muscle", "--pulse", "0.5ms:400@5", "--duration", "300ms", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert 50 < told["time_to_peak"] < 70
    assert told["half_relaxation"] > 50
