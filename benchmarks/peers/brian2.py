"""Brian2: C++ standalone, also with OpenMP; a map is one group of neurons. It needs a C++ compiler."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from math import exp, log
from typing import Any

import brian2 as b2
import numpy as np

from benchmarks import work
from benchmarks.peers.harness import CORES, Peer

peer = Peer("Brian2", b2.__version__)

SQUID = f"""
dV/dt = (I - {work.G_NA} * m**3 * h * (V - {work.E_NA}) - {work.G_K} * n**4 * (V - E_K) - {work.G_L} * (V - ({work.E_L}))) / ms : 1
dm/dt = (exprel_(-0.1 * (V + 40)) * (1 - m) - 4 * exp(-(V + 65) / 18) * m) / ms : 1
dh/dt = (0.07 * exp(-(V + 65) / 20) * (1 - h) - h / (1 + exp(-0.1 * (V + 35)))) / ms : 1
dn/dt = (0.1 * exprel_(-0.1 * (V + 55)) * (1 - n) - 0.125 * exp(-(V + 65) / 80) * n) / ms : 1
E_K : 1 (constant)
I : 1 (constant)
""".replace("exprel_(", "1 / exprel(")

# One membrane of the fibre; {c} is its suffix, {K} the potassium that it sees.
MEMBRANE = """
am{c} = 2.88 / exprel(-(V{c} + 46) / 10) : 1
an{c} = 0.0917 / exprel(-(V{c} + 40) / 7) : 1
dm{c}/dt = (am{c} * (1 - m{c}) - 1.38 * exp(-(V{c} + 46) / 18) * m{c}) / ms : 1
dh{c}/dt = (0.0081 * exp(-(V{c} + 45) / 14.7) * (1 - h{c}) - 4.38 / (1 + exp(-(V{c} + 45) / 9)) * h{c}) / ms : 1
ds{c}/dt = (1 / (1 + exp((V{c} + 68) / 7.1)) - s{c}) * (0.2 + 5.65 * (0.01 * (V{c} + 70))**2) / (60000 * ms) : 1
dn{c}/dt = (an{c} * (1 - n{c}) - 0.067 * exp(-(V{c} + 40) / 40) * n{c}) / ms : 1
dp{c}/dt = (1 / (1 + exp((V{c} + 40) / 7.5)) - p{c}) * exp((V{c} + 40) / 25.75) / (1000 * ms) : 1
EK{c} = V_T * log({K} / K_i) : 1
square{c} = ({K} * exp(-0.4 * EK{c} / V_T))**2 : 1
open{c} = 0.01 * exp(-1.2 * V{c} / V_T) * (1 + square{c} / 950) : 1
IK{c} = ({g_K} * n{c}**4 * p{c} + {g_Kir} * square{c} / (950 + square{c}) * open{c} / (1 + open{c})) * (V{c} - EK{c}) : 1
IP{c} = {J_pump} / ((1 + 1 / {K})**2 * (1 + 0.12 * exp(-0.1 * V{c} / V_T) + 0.04 * sigma * exp(-V{c} / V_T))) : 1
I{c} = {g_Na} * m{c}**3 * h{c} * s{c} * (V{c} - E_Na) + {g_Cl} * chloride / (1 + exp((V{c} - 70) / 150))**4 * (V{c} - E_Cl) + IK{c} + IP{c} : 1
"""


def fibre_text() -> tuple[str, dict[str, float]]:
    p = work.FIBRE
    pump = p["J_pump"] / (1 + 13 / p["Na_i"]) ** 3
    whole = {"g_Na": p["g_Na"], "g_K": p["g_K"], "g_Kir": p["g_Kir"], "g_Cl": p["g_Cl"], "J_pump": pump}
    part = {x: v * p["eta_pump" if x == "J_pump" else x.replace("g_", "eta_")] for x, v in whole.items()}
    text = MEMBRANE.format(c="_s", K="K_o", **whole) + MEMBRANE.format(c="_t", K="K_t", **part) + """
pulse = amplitude * int(t > first - half) * int((t - first + half) % period < width) : 1
access = (V_s - V_t) / R_a : 1
dV_s/dt = (pulse - access - I_s) / (C_m * ms) : 1
dV_t/dt = (access / gamma - I_t) / (C_m * ms) : 1
dK_t/dt = (per_current * (IK_t - 2 * IP_t) - (K_t - K_o) / tau_diff) / ms : 1
K_o : 1 (constant)
chloride : 1 (constant)
"""
    names = {x: p[x] for x in ("V_T", "K_i", "R_a", "gamma", "C_m", "tau_diff")} | {
        "E_Na": p["V_T"] * log(p["Na_o"] / p["Na_i"]), "E_Cl": p["V_T"] * log(p["Cl_i"] / p["Cl_o"]),
        "sigma": (exp(p["Na_o"] / 67.3) - 1) / 7, "per_current": 1e-3 / (work.FARADAY * p["zeta"]), "amplitude": work.PULSE,
        "first": work.FIRST * b2.ms, "period": work.PERIOD * b2.ms, "width": work.WIDTH * b2.ms,
    }
    return text, names


def build(what: str, every: int, method: str, dt: float) -> tuple[Any, Any, Any]:
    """The network of one piece of work: group, spikes, all."""
    b2.defaultclock.dt = dt * b2.ms
    squid = what in ("W1", "W2")
    alone = (work.E_K, work.CURRENT) if squid else (work.FIBRE["K_o"], 1.0)
    points = np.array([alone]) if what in ("W1", "W3") else work.points(what, every)
    text, names = (SQUID, {}) if squid else fibre_text()
    V = "V" if squid else "V_s"
    if not squid:
        names["half"] = dt / 2 * b2.ms  # keeps the edges of the pulses off the steps, where they could fall on either side
    group = b2.NeuronGroup(len(points), text, method=method, threshold=f"{V} >= 0", refractory=f"{V} >= 0", namespace=names)
    if squid:
        group.V, group.m, group.h, group.n = work.squid_start()
        group.E_K, group.I = points[:, 0], points[:, 1]
    else:
        for c in ("_s", "_t"):
            for x, value in zip("Vmhsnp", work.fibre_start()[:6], strict=True):
                setattr(group, x + c, value)
        group.K_o, group.K_t, group.chloride = points[:, 0], points[:, 0], points[:, 1]
    spikes = b2.SpikeMonitor(group)
    return group, spikes, b2.Network(group, spikes)


def gather(what: str, group: Any, spikes: Any, dt: float) -> Any:
    """A spike stands at the start of the step in which V crossed: half a step later is the best guess."""
    t, i = np.asarray(spikes.t / b2.ms) + dt / 2, np.asarray(spikes.i)
    if what in ("W1", "W3"):
        return t if what == "W1" else (t, group.K_t[0])
    counts, last = np.bincount(i, minlength=len(group)), np.full(len(group), np.nan)
    last[i] = t
    return counts, last if what == "W2" else np.array(group.K_t)


def add_standalone(method: str, dt: float, threads: int) -> None:
    @peer.setting(f"C++ standalone, {threads or 'no'} threads, {method}, {dt:g} ms", *(work.WORKS if not threads else ("W2", "W3S")))
    def ready(what: str, every: int) -> Callable[[], Any]:
        folder = tempfile.mkdtemp(prefix="brian2-")

        def answer() -> Any:
            # A build can be run again only while it is the device's own, so the first call of each builds.
            if current.get("folder") != folder:
                b2.device.reinit()
                b2.device.activate(build_on_run=False)
                b2.prefs.devices.cpp_standalone.openmp_threads = threads
                current.update(folder=folder, parts=build(what, every, method, dt))
                current["parts"][2].run(work.DURATION * b2.ms)
                b2.device.build(directory=folder, compile=True, run=False, debug=False)
            b2.device.run(folder, with_output=False, run_args=[])
            group, spikes, _ = current["parts"]
            return gather(what, group, spikes, dt)

        return answer


current: dict[str, Any] = {}
b2.set_device("cpp_standalone", build_on_run=False)
for step in (0.025, 0.01):
    for one in ("rk4", "exponential_euler"):
        add_standalone(one, step, 0)
        if CORES > 1:
            add_standalone(one, step, CORES)

if __name__ == "__main__":
    peer.main()
