"""A sweep on a cluster: a real scheduler, two real worker processes, one of which dies on the way."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

import simulation as sim
from simulation.experiment.errors import ExperimentError
from simulation.studies import sweep as sweeps
from simulation.studies.sweep import Sweep, parse_axis, run_sweep

pytest.importorskip("distributed", reason="needs dask.distributed: pip install 'cramplab[cluster]'")

CLI = "distributed.cli.dask_"


def process(*arguments):
    return subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def cluster(tmp_path):
    """Address of a scheduler, and its two workers."""
    import json

    found = tmp_path / "scheduler.json"
    scheduler = process(CLI + "scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(found))
    deadline = time.monotonic() + 60
    while not (found.exists() and found.read_text()):
        assert time.monotonic() < deadline, "the scheduler does not start"
        time.sleep(0.05)
    address = json.loads(found.read_text())["address"]
    options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path))
    workers = [process(CLI + "worker", address, *options) for _ in range(2)]
    yield address, workers
    for one in (*workers, scheduler):
        one.kill()
        one.wait()


@pytest.fixture
def wide(squid, monkeypatch):
    monkeypatch.setattr(sweeps, "_BLOCK_MOST", 8)
    monkeypatch.setattr(sweeps, "_BLOCK_LEAST", 1)
    axes = (parse_axis("g_K=30:42:12"), parse_axis("T=4:14:8"))
    return Sweep(squid, axes, ("rest", "spikes", "latency", "max_I_Na"), sim.protocol(sim.Pulse(10, 300)))


def test_a_killed_worker_costs_its_block_and_nothing_else(cluster, wide, tmp_path):
    address, workers = cluster
    here = run_sweep(wide, jobs=1)
    seen = []

    def progress(done, total):
        seen.append(done)
        if done >= 16 and workers[0].poll() is None:
            workers[0].kill()

    there = run_sweep(wide, tmp_path / "map.zarr", progress=progress, cluster=address)
    assert workers[0].wait() != 0
    assert seen == list(range(0, 97, 8))
    for name in wide.variables:
        assert np.array_equal(here[name].values, there[name].values, equal_nan=True), name
    assert here.attrs["provenance"] == there.attrs["provenance"]


def test_a_cluster_of_its_own(wide):
    few = Sweep(wide.preparation, wide.axes[:1], ("rest",))
    assert np.array_equal(run_sweep(few, jobs=1)["rest"], run_sweep(few, jobs=2, cluster="local")["rest"])


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_a_cluster_that_is_not_there(wide, address, monkeypatch):
    monkeypatch.setattr("simulation.studies.workers._WAIT", "1s")
    with pytest.raises(ExperimentError, match="cannot be used"):
        run_sweep(wide, cluster=address)
