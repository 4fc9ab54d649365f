"""Sweeps: right at each point, the same on any number of processes, never lost."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import simulation as sim
from simulation.experiment.errors import ExperimentError
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


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupted_sweep_resumes(squid_sweep, squid_result, tmp_path, jobs):
    out = tmp_path / "map.nc"
    with pytest.raises(Interrupted):
        run_sweep(squid_sweep, out, jobs=jobs, progress=stop_after(3))
    assert not out.exists()
    with pytest.raises(ExperimentError, match="--resume"):
        run_sweep(squid_sweep, out, jobs=jobs)
    begun = []
    result = run_sweep(squid_sweep, out, jobs=jobs, resume=True, progress=lambda done, total: begun.append(done))
    assert begun[0] >= 3
    assert np.array_equal(result["latency"].values, squid_result["latency"].values)
    assert list(tmp_path.iterdir()) == [out]


def test_a_line_cut_short_is_done_again(squid_sweep, squid_result, tmp_path):
    out = tmp_path / "map.nc"
    with pytest.raises(Interrupted):
        run_sweep(squid_sweep, out, jobs=1, progress=stop_after(2))
    journal = tmp_path / "map.nc.unfinished"
    journal.write_text(journal.read_text()[:-25])
    result = run_sweep(squid_sweep, out, jobs=1, resume=True)
    assert np.array_equal(result["rest"].values, squid_result["rest"].values)


def test_a_journal_of_another_sweep_is_refused(squid, squid_sweep, tmp_path):
    out = tmp_path / "map.nc"
    with pytest.raises(Interrupted):
        run_sweep(squid_sweep, out, jobs=1, progress=stop_after(1))
    with pytest.raises(ExperimentError, match="another sweep"):
        run_sweep(Sweep(squid, squid_sweep.axes, ("rest",)), out, jobs=1, resume=True)


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
        ((Axis("K", tuple(np.linspace(1, 2, 2000))), Axis("Ca", tuple(np.linspace(1, 2, 2000)))), ("rest",), "points"),
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
