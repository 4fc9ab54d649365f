"""Arbor: its own squid channel at fixed steps; a map is one recipe of so many cells with a thread for each core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import arbor
import numpy as np
from arbor import units

from benchmarks import work
from benchmarks.peers.harness import CORES, Peer

peer = Peer("Arbor", arbor.__version__)
SIDE = 10.0  # um


class Patches(arbor.recipe):
    def __init__(self, points: list[tuple[float, float]]) -> None:
        super().__init__()
        self.points = points
        self.properties = arbor.neuron_cable_properties()

    def num_cells(self) -> int:
        return len(self.points)

    def cell_kind(self, gid: int) -> Any:
        return arbor.cell_kind.cable

    def global_properties(self, kind: Any) -> Any:
        return self.properties

    def cell_description(self, gid: int) -> Any:
        e_k, current = self.points[gid]
        tree = arbor.segment_tree()
        tree.append(arbor.mnpos, arbor.mpoint(-SIDE / 2, 0, 0, SIDE / 2), arbor.mpoint(SIDE / 2, 0, 0, SIDE / 2), tag=1)
        decor = arbor.decor()
        decor.set_property(Vm=work.V_START * units.mV, tempK=(6.3 + 273.15) * units.Kelvin, cm=0.01 * units.F / units.m2)
        decor.set_ion("na", rev_pot=work.E_NA * units.mV)
        decor.set_ion("k", rev_pot=e_k * units.mV)
        channel = arbor.mechanism("hh", {"gnabar": work.G_NA / 1e3, "gkbar": work.G_K / 1e3, "gl": work.G_L / 1e3, "el": work.E_L})
        decor.paint("(all)", arbor.density(channel))
        amplitude = current * np.pi * SIDE**2 * 1e-5  # nA
        decor.place("(location 0 0.5)", arbor.i_clamp(0 * units.ms, 1e6 * units.ms, amplitude * units.nA))
        decor.place("(location 0 0.5)", arbor.threshold_detector(work.LEVEL * units.mV), "detector")
        return arbor.cable_cell(tree, decor, arbor.label_dict(), arbor.cv_policy_single())


def add(dt: float) -> None:
    @peer.setting(f"fixed {dt:g} ms", "W1", "W2")
    def ready(what: str, every: int) -> Callable[[], Any]:
        points = [(work.E_K, work.CURRENT)] if what == "W1" else [tuple(x) for x in work.points(what, every).tolist()]
        recipe = Patches(points)
        context = arbor.context(threads=CORES if len(points) > 1 else 1)
        simulation = arbor.simulation(recipe, context, arbor.partition_load_balance(recipe, context))
        simulation.record(arbor.spike_recording.local)

        def answer() -> Any:
            simulation.reset()
            simulation.clear_samplers()
            simulation.run(work.DURATION * units.ms, dt * units.ms)
            found = simulation.spikes()
            who, t = found["source"]["gid"].astype(int), found["time"].astype(float)
            inside = t < work.DURATION
            who, t = who[inside], t[inside]
            if what == "W1":
                return np.sort(t)
            last = np.full(len(points), np.nan)
            np.fmax.at(last, who, t)
            return np.bincount(who, minlength=len(points)), last

        return answer


for step in (0.025, 0.01, 0.005, 0.0025, 0.001):
    add(step)

if __name__ == "__main__":
    peer.main()
