"""How long things take here: printed, never asserted."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

import simulation as sim
from simulation.studies.sweep import Sweep, parse_axis, run_sweep

Row = tuple[str, str, str]  # what, figure, ratio
FIRST_CURVE = """
import simulation as sim
recording = sim.run(sim.prepare({model!r}), sim.protocol(sim.Pulse({current}, 0.5, at=10), duration=100))
assert recording.features.spikes == 1
"""


def median_time(action: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def first_curve(model: str, current: float, cache: str, kernel: str) -> float:
    """A fresh process from start to the curve, s."""
    environment = os.environ | {"CRAMPLAB_CACHE": cache, "CRAMPLAB_KERNEL": kernel}
    code = FIRST_CURVE.format(model=model, current=current)
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    return time.perf_counter() - start


def model_rows(model: str, current: float, repeats: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as cache:
        cold, *warm = (first_curve(model, current, cache, "llvm") for _ in range(1 + repeats))
        plain = first_curve(model, current, cache, "plain")
    first = f"{cold:.1f} / {statistics.median(warm):.1f} / {plain:.1f} s"
    compiled_run, plain_run = (run_time(model, current, kernel, repeats) for kernel in ("llvm", "plain"))
    rest = median_time(lambda: sim.find_rest(sim.prepare(model)), repeats)
    return [
        (f"{model}: new process to first curve, cold cache / warm / plain kernel", first, ""),
        (
            f"{model}: 100 ms with a spike, compiled / plain", f"{1e3 * compiled_run:.0f} / {1e3 * plain_run:.0f} ms",
            f"{plain_run / compiled_run:.1f}",
        ),
        (f"{model}: all steady states", f"{1e3 * rest:.0f} ms", ""),
        (f"{model}: one call of the right-hand side", f"{rhs_call(model):.2f} us", ""),
    ]


def run_time(model: str, current: float, kernel: str, repeats: int) -> float:
    """Median s of one run of 100 ms with a spike, the rest known."""
    protocol = sim.protocol(sim.Pulse(current, 0.5, at=10), duration=100)
    p = sim.prepare(model, kernel=kernel)
    start = sim.find_rest(p).at().state
    sim.run(p, protocol, start=start)
    return median_time(lambda: sim.run(p, protocol, start=start), repeats)


def rhs_call(model: str, calls: int = 100_000) -> float:
    """us per call, from Python."""
    p = sim.prepare(model, kernel="llvm")
    state, rate = sim.find_rest(p).at().state, np.empty(len(p.states))
    rhs, values = p.kernel.rhs, p.values
    start = time.perf_counter()
    for _ in range(calls):
        rhs(0.0, state, values, rate)
    return 1e6 * (time.perf_counter() - start) / calls


def sweep_rows(model: str, side: int) -> list[Row]:
    """A K x Ca map of runs of 200 ms, as users do it: with its rests, its features and its check. Twice as many points, and two cores."""
    current = {"fibre": 60.0, "axon": 700.0}[model]
    protocol = sim.protocol(sim.Pulse(current, 100.0, at=10.0), duration=200.0)

    def rate(points: int, jobs: int) -> tuple[float, float]:
        """Points a second of the engine alone, and with the check."""
        axes = (parse_axis(f"K=2.5:8:{points}"), parse_axis(f"Ca=0.6:2.4:{side}"))
        sweep = Sweep(sim.prepare(model), axes, ("rest", "spikes"), protocol)
        start = time.perf_counter()
        result = run_sweep(sweep, jobs=jobs)
        return sweep.count / result.attrs["seconds"], sweep.count / (time.perf_counter() - start)

    rate(8, 2)  # compiles
    small, whole, alone = rate(side, 2), rate(2 * side, 2), rate(2 * side, 1)
    name = f"{model}: K x Ca map, 200 ms a point"
    return [
        (f"{name}, {side * side} points, engine / with the check by SciPy", f"{small[0]:.0f} / {small[1]:.0f} points/s", ""),
        (f"{name}, twice as many: rate against that", f"{whole[0]:.0f} points/s", f"{whole[0] / small[0]:.2f}"),
        (f"{name}, the same, one thread / two", f"{alone[0]:.0f} / {whole[0]:.0f} points/s", f"{whole[0] / alone[0]:.2f}"),
    ]


def threshold_row(model: str) -> Row:
    sweep = Sweep(sim.prepare(model), (parse_axis("K=2.5:6:8"), parse_axis("Ca=0.8:2.4:8")), ("threshold_current", "rheobase"))
    run_sweep(sweep)
    start = time.perf_counter()
    run_sweep(sweep)
    return f"{model}: threshold and rheobase in lanes, with the check", f"{sweep.count / (time.perf_counter() - start):.1f} points/s", ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--side", type=int, default=40, help="points along a side of the maps")
    given = parser.parse_args()
    table = [row for model, current in (("squid", 30.0), ("fibre", 300.0), ("axon", 2500.0)) for row in model_rows(model, current, given.repeats)]
    table += [row for model in ("fibre", "axon") for row in (*sweep_rows(model, given.side), threshold_row(model))]
    width = max(len(r[0]) for r in table)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    for name, figure, ratio in table:
        print(f"{name:<{width}}  {figure:<22}  {ratio}")


if __name__ == "__main__":
    main()
