"""Sweeps: right at each point, the same on any number of processes, never lost."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import simulation as sim
from simulation.experiment.errors import ExperimentError
from simulation.experiment.excitability import StrengthDuration
from simulation.studies import sweep as sweeps
from simulation.studies.sweep import Axis, Sweep, open_sweep, parse_axis, run_sweep


@pytest.fixture(scope="module")
def squid_sweep(squid):
    axes = (parse_axis("g_K=30:40:3"), parse_axis("g_Na_scale=0.8:1.2:2"))
    return Sweep(squid, axes, ("rest", "spikes", "latency"), sim.protocol(sim.Pulse(10, 50)))


@pytest.fixture(scope="module")
def squid_result(squid_sweep):
    return run_sweep(squid_sweep, jobs=1)


def test_each_point_is_the_experiment_done_alone(squid, squid_sweep, squid_result):
    p = squid.with_values({"g_K": 35}).scaled({"g_Na": 1.2})
    alone = sim.run(p, squid_sweep.protocol).features
    cell = squid_result.sel(g_K=35, g_Na_scale=1.2)
    assert float(cell["rest"]) == pytest.approx(sim.find_rest(p).V, abs=1e-9)
    assert int(cell["spikes"]) == alone.spikes
    assert float(cell["latency"]) == pytest.approx(alone.latency, abs=1e-3)


def test_bistable_rest_shows_both_branches(fibre):
    result = run_sweep(Sweep(fibre, (parse_axis("K=2,4"),), ("rest", "E_K_s")), jobs=1)
    assert result["rest"].values[0] < -95 < result["rest_unstable"].values[0] < result["rest_2"].values[0] < -55
    assert np.isnan(result["rest_2"].values[1])
    assert result["E_K_s"].attrs["units"] == "mV"
    assert result["K"].attrs["units"] == "mM"
    assert json.loads(result.attrs["control"]) == {"K": 4.0}


def test_result_does_not_depend_on_the_number_of_processes(squid_sweep, squid_result):
    other = run_sweep(squid_sweep, jobs=2)
    for name in squid_sweep.variables:
        assert np.array_equal(other[name].values, squid_result[name].values, equal_nan=True)


def test_a_failed_point_is_a_marked_cell(squid, monkeypatch):
    whole = sweeps.measure_point

    def spoilt(sweep, point, warm):
        if point["g_K"] == 36:
            raise sim.experiment.errors.ModelSaysNo("the solver gave up")
        return whole(sweep, point)

    monkeypatch.setattr(sweeps, "measure_point", spoilt)
    result = run_sweep(Sweep(squid, (parse_axis("g_K=35,36,37"),), ("rest",), solver=sim.Solver()), jobs=1)
    assert result["status"].values.tolist() == [0, 1, 0]
    assert math.isnan(result["rest"].values[1])
    assert result["message"].values[1] == "the solver gave up"


class Interrupted(Exception):
    pass


def stop_after(count):
    def progress(done, total):
        if done == count:
            raise Interrupted

    return progress


@pytest.fixture
def small_blocks(monkeypatch):
    """Two points a block."""
    monkeypatch.setattr(sweeps, "_BLOCK_MOST", 2)
    monkeypatch.setattr(sweeps, "_BLOCK_LEAST", 1)


def same(a, b, names):
    return all(np.array_equal(a[name].values, b[name].values, equal_nan=True) for name in names)


@pytest.mark.parametrize("name", ["map.nc", "map.csv", "map.zarr"])
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.usefixtures("small_blocks")
def test_an_interrupted_sweep_resumes(squid_sweep, squid_result, tmp_path, jobs, name):
    squid_sweep, out = replace(squid_sweep), tmp_path / name
    with pytest.raises(Interrupted):
        run_sweep(squid_sweep, out, jobs=jobs, progress=stop_after(4))
    assert not out.exists()
    with pytest.raises(ExperimentError, match="--resume"):
        run_sweep(squid_sweep, out, jobs=jobs)
    begun = []
    result = run_sweep(squid_sweep, out, jobs=jobs, resume=True, progress=lambda done, total: begun.append(done))
    assert begun == [4, 6]
    assert same(result, squid_result, squid_sweep.variables)
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.usefixtures("small_blocks")
def test_a_block_of_which_not_all_is_written_is_done_again(squid_sweep, squid_result, tmp_path):
    squid_sweep, out = replace(squid_sweep), tmp_path / "map.nc"
    with pytest.raises(Interrupted):
        run_sweep(squid_sweep, out, jobs=1, progress=stop_after(4))
    written = sorted((tmp_path / "map.nc.unfinished/status/c").rglob("0"))
    written[-1].unlink()  # as it is when a process is killed before a block's last array
    begun = []
    result = run_sweep(squid_sweep, out, jobs=1, resume=True, progress=lambda done, total: begun.append(done))
    assert begun == [2, 4, 6]
    assert same(result, squid_result, squid_sweep.variables)


def test_what_lies_unfinished_but_is_no_sweep_is_refused(squid_sweep, tmp_path):
    (tmp_path / "map.nc.unfinished").mkdir()
    with pytest.raises(ExperimentError, match="not an unfinished sweep"):
        run_sweep(squid_sweep, tmp_path / "map.nc", resume=True)


@pytest.mark.usefixtures("small_blocks")
def test_an_unfinished_sweep_of_another_kind_is_refused(squid, squid_sweep, tmp_path):
    out = tmp_path / "map.nc"
    with pytest.raises(Interrupted):
        run_sweep(replace(squid_sweep), out, jobs=1, progress=stop_after(2))
    with pytest.raises(ExperimentError, match="another sweep"):
        run_sweep(Sweep(squid, squid_sweep.axes, ("rest",)), out, jobs=1, resume=True)


def test_blocks_are_tiles_that_cover_every_point_once(squid, monkeypatch):
    monkeypatch.setattr(sweeps, "_BLOCK_LEAST", 1)
    for most in (1, 3, 7, 12, 1000):
        monkeypatch.setattr(sweeps, "_BLOCK_MOST", most)
        for axes in (("T=5:15:7",), ("T=5:15:5", "g_K=30:40:7"), ("T=5:15:12", "g_K=30:40:2")):
            sweep = Sweep(squid, tuple(map(parse_axis, axes)), ("rest",))
            blocks = sweep.blocks
            assert [i for b in blocks for i in b] == list(range(sweep.count))
            assert max(map(len, blocks)) == np.prod(sweep.tile) <= most


def test_a_zarr_folder_holds_the_same_and_takes_the_place_of_an_older_one(squid, squid_sweep, squid_result, tmp_path):
    out = tmp_path / "map.zarr"
    run_sweep(Sweep(squid, (parse_axis("T=5,6"),), ("rest",)), out)
    run_sweep(squid_sweep, out)
    again = open_sweep(out).load()
    assert list(tmp_path.iterdir()) == [out]
    assert same(again, squid_result, (*squid_sweep.variables, *squid_sweep.dims, "status"))
    assert {n: again[n].attrs for n in squid_sweep.variables} == {n: squid_result[n].attrs for n in squid_sweep.variables}
    assert again.attrs["provenance"] == squid_result.attrs["provenance"]
    assert again["message"].values.tolist() == squid_result["message"].values.tolist()


def test_large_sweeps_want_a_folder(fibre):
    axes = (Axis("K", tuple(np.linspace(1, 2, 2000))), Axis("Ca", tuple(np.linspace(1, 2, 2000))))
    with pytest.raises(ExperimentError, match=r"save them as \.zarr"):
        run_sweep(Sweep(fibre, axes, ("rest",)), "map.nc")


def test_extremes_and_end_of_symbols_in_a_run(fibre):
    doing = sim.protocol(sim.Pulse(60, 20, at=5), after=5)
    asked = ("spikes", "max_K_t", "min_I_Na_s", "end_Cl_i", "K_t")
    engine = run_sweep(Sweep(fibre, (parse_axis("K=3,4"),), asked, doing))
    scipy = run_sweep(Sweep(fibre, (parse_axis("K=3,4"),), asked, doing, sim.Solver(rtol=1e-9, atol=1e-11)), jobs=1)
    for name, share in (("max_K_t", 1e-4), ("min_I_Na_s", 0.01), ("end_Cl_i", 1e-4), ("K_t", 1e-6)):
        assert engine[name].values == pytest.approx(scipy[name].values, rel=share), name
    recording = sim.run(fibre, doing)
    assert float(engine["max_K_t"].sel(K=4)) == pytest.approx(recording["K_t"].max(), rel=1e-3)
    assert float(engine["min_I_Na_s"].sel(K=4)) == pytest.approx(recording["I_Na_s"].min(), rel=0.01)
    assert json.loads(engine.attrs["check"])["beyond"] == {}
    assert engine["max_K_t"].attrs == {"units": "mM", "long_name": "K_t, highest value of the run"}


def test_strength_duration_in_lanes_is_that_found_one_by_one(squid):
    asked = StrengthDuration((0.2, 1.0, 5.0))
    engine = run_sweep(Sweep(squid, (parse_axis("g_K=30,40"),), (asked,)))
    assert json.loads(engine.attrs["check"])["beyond"] == {}
    alone = asked.of(squid.with_values({"g_K": 40}))
    cell = engine.sel(g_K=40)
    assert cell["threshold"].values == pytest.approx(alone["threshold"].values, rel=0.005)
    assert float(cell["chronaxie"]) == pytest.approx(float(alone["chronaxie"]), rel=0.02)


def test_files_round_trip(squid_result, tmp_path):
    sweeps.save(squid_result, tmp_path / "map.nc")
    again = open_sweep(tmp_path / "map.nc")
    assert again.drop_vars("message").identical(squid_result.drop_vars("message"))
    sweeps.save(squid_result, tmp_path / "map.csv")
    lines = (tmp_path / "map.csv").read_text().splitlines()
    assert lines[2].startswith("g_K,g_Na_scale,rest")
    assert len(lines) == 3 + 6


@pytest.mark.parametrize("text", ["K", "K=", "K=1:2", "K=1:2:0", "K=a:2:3", "K=1:2:3:lin", "K=1,nan", "=1:2:3", "K=-1:2:3:log"])
def test_bad_axes(text):
    with pytest.raises(ExperimentError, match="axis"):
        parse_axis(text)


def test_log_axis():
    assert parse_axis("Ca=0.1:10:3:log").values == pytest.approx((0.1, 1, 10))


@pytest.mark.parametrize(
    ("axes", "measures", "says"),
    [
        ((Axis("K", (0.0, 1.0)),), ("rest",), "above 0"),
        ((Axis("Kk", (1.0,)),), ("rest",), "no parameter 'Kk'"),
        ((Axis("K", (1.0,)), Axis("K", (2.0,))), ("rest",), "twice"),
        ((Axis("K", (1.0,)),), (), "measures something"),
        ((Axis("K", (1.0,)),), ("rst",), "nearest: rest"),
        ((Axis("P_Na_scale", (-1.0,)),), ("rest",), "factor"),
        ((), ("rest",), "one or two axes"),
        ((Axis("K", tuple(np.linspace(1, 2, 40_000))), Axis("Ca", tuple(np.linspace(1, 2, 40_000)))), ("rest",), "points"),
    ],
)
def test_bad_sweeps(fibre, axes, measures, says):
    with pytest.raises(ValueError, match=says):
        Sweep(fibre, axes, measures)


def test_two_processes_do_not_write_one_result(squid, tmp_path):
    import subprocess
    import sys

    out = tmp_path / "map.nc"
    holder = "import sys, pathlib; from simulation import files\nwith files.alone(pathlib.Path(sys.argv[1])): print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", holder, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(OSError, match="another process is writing"):
            run_sweep(Sweep(squid, (parse_axis("T=5,6"),), ("rest",)), out, jobs=1)
        other.kill()
    run_sweep(Sweep(squid, (parse_axis("T=5,6"),), ("rest",)), out, jobs=1)  # a killed process leaves no lock behind
    assert [f.name for f in tmp_path.iterdir()] == ["map.nc"]
