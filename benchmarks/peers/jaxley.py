"""Jaxley: its own squid channel at fixed steps in double precision; a map is one vectorised call, cut into pieces that fit into memory."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from math import pi
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platform_name", "cpu")

import jax.numpy as jnp  # noqa: E402
import jaxley as jx  # noqa: E402
import numpy as np  # noqa: E402
from jaxley.channels import HH  # noqa: E402

from benchmarks import work  # noqa: E402
from benchmarks.peers.harness import Peer  # noqa: E402

peer = Peer("Jaxley", version("jaxley"))
RADIUS = 5.0  # um
NA_PER_UA_CM2 = 2 * pi * RADIUS * 2 * RADIUS * 1e-5
PIECE = 25  # points to a call


def cell() -> Any:
    out = jx.Cell([jx.Branch([jx.Compartment()])], parents=[-1])
    out.insert(HH())
    for name, value in {
        "radius": RADIUS, "length": 2 * RADIUS, "capacitance": 1.0, "HH_gNa": work.G_NA / 1e3, "HH_gK": work.G_K / 1e3,
        "HH_gLeak": work.G_L / 1e3, "HH_eNa": work.E_NA, "HH_eK": work.E_K, "HH_eLeak": work.E_L, "v": work.V_START,
    }.items():
        out.set(name, value)
    for name, value in zip(("HH_m", "HH_h", "HH_n"), work.squid_start()[1:], strict=True):
        out.set(name, value)
    out.record("v", verbose=False)
    return out


def add(dt: float, solver: str) -> None:
    @peer.setting(f"{solver}, {dt:g} ms", "W1", "W2")
    def ready(what: str, every: int) -> Callable[[], Any]:
        patch = cell()
        steps = round(work.DURATION / dt)

        def trace(point: Any) -> Any:
            parameters = patch.data_set("HH_eK", point[0], None)
            current = jnp.full(steps, point[1] * NA_PER_UA_CM2)
            stimuli = patch.data_stimulate(current)
            return jx.integrate(patch, param_state=parameters, data_stimuli=stimuli, delta_t=dt, solver=solver)[0]

        t = np.arange(steps + 1) * dt
        if what == "W1":
            one = jax.jit(trace)
            alone = jnp.array([work.E_K, work.CURRENT])
            return lambda: work.spike_times(t, np.asarray(one(alone))[: len(t)])
        many = jax.jit(jax.vmap(trace))
        points = work.points(what, every)
        padded = np.resize(points, (-(-len(points) // PIECE) * PIECE, 2))

        def answer() -> Any:
            times = []
            for i in range(0, len(padded), PIECE):
                times += [work.spike_times(t, V[: len(t)]) for V in np.asarray(many(jnp.array(padded[i : i + PIECE])))]
            del times[len(points) :]
            return np.array([len(x) for x in times]), np.array([x[-1] if len(x) else np.nan for x in times])

        return answer


for one_solver in ("bwd_euler", "crank_nicolson"):
    for step in (0.025, 0.01, 0.005, 0.0025):
        add(step, one_solver)

if __name__ == "__main__":
    peer.main()
