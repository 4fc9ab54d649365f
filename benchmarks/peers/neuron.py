"""NEURON: its own squid channel, CVODE or fixed steps; maps in as many processes as there are cores. The fibre is not declared for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi
from typing import Any

import neuron
import numpy as np
from neuron import h

from benchmarks import work
from benchmarks.peers.harness import CORES, Peer, spread

peer = Peer("NEURON", neuron.__version__)
h.load_file("stdrun.hoc")
SIDE = 10.0  # um
NA_PER_UA_CM2 = pi * SIDE**2 * 1e-8 * 1e3


def membrane() -> tuple[Any, Any, Any, Any]:
    """A patch of the squid axon, its electrode, its detector and its record of spikes."""
    patch = h.Section(name="patch")
    patch.L = patch.diam = SIDE
    patch.nseg, patch.cm = 1, 1.0
    patch.insert("hh")
    here = patch(0.5)
    here.hh.gnabar, here.hh.gkbar, here.hh.gl, here.hh.el = work.G_NA / 1e3, work.G_K / 1e3, work.G_L / 1e3, work.E_L
    patch.ena, patch.ek = work.E_NA, work.E_K
    electrode = h.IClamp(here)
    electrode.delay, electrode.dur = 0.0, 1e9
    detector, times = h.NetCon(here._ref_v, None, sec=patch), h.Vector()
    detector.threshold = work.LEVEL
    detector.record(times)
    return patch, electrode, detector, times


patches: list[tuple[Any, Any, Any, Any]] = []  # all that there are: NEURON runs every one
together = h.ParallelContext()
together.set_maxstep(10.0)
solver = h.CVode()


@dataclass(frozen=True)
class Setting:
    """``atol``: CVODE's, or None for fixed steps of ``dt`` ms. ``table``: rates looked up in the channel's own table. ``at_once``: the points
    of a map as so many patches in one run with threads (CVODE with a step for each), rather than one after the other in processes."""

    atol: float | None = None
    dt: float = 0.025
    order: int = 0
    table: bool = True
    at_once: bool = False

    @property
    def name(self) -> str:
        how = f"CVODE, atol {self.atol:g}" if self.atol else f"fixed {self.dt:g} ms{', second order' if self.order else ''}"
        return how + ("" if self.table else ", no table") + (", all at once" if self.at_once else "")


def run(setting: Setting, points: list[tuple[float, float]]) -> list[np.ndarray]:
    """Spike times at each point."""
    if len(patches) != len(points):
        patches.clear()
        patches.extend(membrane() for _ in points)
    together.nthread(CORES if len(points) > 1 else 1)
    h.celsius, h.usetable_hh, h.secondorder = 6.3, int(setting.table), setting.order
    for (patch, electrode, _, _), point in zip(patches, points, strict=True):
        patch.ek, electrode.amp = point[0], point[1] * NA_PER_UA_CM2
    solver.active(setting.atol is not None)
    if setting.atol is None:
        h.dt = setting.dt
    else:
        solver.use_local_dt(len(points) > 1)
        solver.atol(setting.atol)
        solver.condition_order(2)
    h.finitialize(work.V_START)
    if setting.atol is None:
        together.psolve(work.DURATION)
    else:
        solver.solve(work.DURATION)
    found = [np.array(times) for *_, times in patches]
    return [t[t < work.DURATION] for t in found]


def add(setting: Setting) -> None:
    @peer.setting(setting.name, *(("W2",) if setting.at_once else ("W1", "W2")))
    def ready(what: str, every: int) -> Callable[[], Any]:
        if what == "W1":
            return lambda: run(setting, [(work.E_K, work.CURRENT)])[0]
        points = [tuple(x) for x in work.points(what, every).tolist()]
        run(setting, points[:1])
        apart = spread(lambda point: run(setting, [point])[0], points) if not setting.at_once else None

        def answer() -> Any:
            found = apart() if apart else run(setting, points)
            return np.array([len(x) for x in found]), np.array([x[-1] if len(x) else np.nan for x in found])

        return answer


for at_once in (False, True):
    for one in (1e-3, 1e-4, 1e-5):
        add(Setting(one, at_once=at_once))
        add(Setting(one, table=False, at_once=at_once))
    for step in (0.025, 0.01):
        add(Setting(None, step, at_once=at_once))
        add(Setting(None, step, order=2, at_once=at_once))
        add(Setting(None, step, order=2, table=False, at_once=at_once))

if __name__ == "__main__":
    peer.main()
