"""Myokit: its CVODES simulation, spike times by its root finding; maps in as many processes as there are cores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import myokit
import numpy as np

from benchmarks import work
from benchmarks.peers.harness import Peer, spread

peer = Peer("Myokit", myokit.__version__)
LATER = 5.0  # ms: a spike is reported once V has fallen again

SQUID = f"""
[[model]]
squid.V = {{V}}
squid.m = {{m}}
squid.h = {{h}}
squid.n = {{n}}

[squid]
t = 0 bind time
E_K = {work.E_K}
I = {work.CURRENT}
u = V + 65
x_m = 0.1 * (u - 25)
x_n = 0.1 * (u - 10)
a_m = if(abs(x_m) < 1e-7, 1 + x_m / 2, x_m / (1 - exp(-x_m)))
a_n = 0.1 * if(abs(x_n) < 1e-7, 1 + x_n / 2, x_n / (1 - exp(-x_n)))
dot(V) = I - {work.G_NA} * m^3 * h * (V - {work.E_NA}) - {work.G_K} * n^4 * (V - E_K) - {work.G_L} * (V - {work.E_L})
dot(m) = a_m * (1 - m) - 4 * exp(-u / 18) * m
dot(h) = 0.07 * exp(-u / 20) * (1 - h) - h / (1 + exp(0.1 * (30 - u)))
dot(n) = a_n * (1 - n) - 0.125 * exp(-u / 80) * n
"""

MEMBRANE = """
[{c}]
x_m = (V + 46) / 10
x_n = (V + 40) / 7
a_m = 2.88 * if(abs(x_m) < 1e-7, 1 + x_m / 2, x_m / (1 - exp(-x_m)))
a_n = 0.0917 * if(abs(x_n) < 1e-7, 1 + x_n / 2, x_n / (1 - exp(-x_n)))
dot(m) = a_m * (1 - m) - 1.38 * exp(-(V + 46) / 18) * m
dot(h) = 0.0081 * exp(-(V + 45) / 14.7) * (1 - h) - 4.38 / (1 + exp(-(V + 45) / 9)) * h
dot(s) = (1 / (1 + exp((V + 68) / 7.1)) - s) * (0.2 + 5.65 * (0.01 * (V + 70))^2) / 60000
dot(n) = a_n * (1 - n) - 0.067 * exp(-(V + 40) / 40) * n
dot(p) = (1 / (1 + exp((V + 40) / 7.5)) - p) * exp((V + 40) / 25.75) / 1000
E_K = bath.V_T * log({K} / bath.K_i)
square = ({K} * exp(-0.4 * E_K / bath.V_T))^2
open = 0.01 * exp(-1.2 * V / bath.V_T) * (1 + square / 950)
I_Na = {g_Na} * m^3 * h * s * (V - bath.E_Na)
I_K = ({g_K} * n^4 * p + {g_Kir} * square / (950 + square) * open / (1 + open)) * (V - E_K)
I_Cl = {g_Cl} * bath.chloride / (1 + exp((V - 70) / 150))^4 * (V - bath.E_Cl)
I_P = {J_pump} * bath.pump / ((1 + 1 / {K})^2 * (1 + 0.12 * exp(-0.1 * V / bath.V_T) + 0.04 * bath.sigma * exp(-V / bath.V_T)))
I = I_Na + I_K + I_Cl + I_P
"""


def squid_model() -> Any:
    return myokit.parse_model(SQUID.format(**dict(zip("Vmhn", work.squid_start().tolist(), strict=True))))


def fibre_model() -> Any:
    p, (V, m, h, s, n, q) = work.FIBRE, work.fibre_start()[:6].tolist()
    start = "".join(f"{c}.{x} = {v!r}\n" for c in ("surface", "tubule") for x, v in zip("Vmhsnp", (V, m, h, s, n, q), strict=True))
    whole = {x: p[x] for x in ("g_Na", "g_K", "g_Kir", "g_Cl", "J_pump")}
    part = {x: v * p["eta_pump" if x == "J_pump" else x.replace("g_", "eta_")] for x, v in whole.items()}
    text = f"""
[[model]]
{start}tubule.K_t = {p["K_o"]}

[bath]
t = 0 bind time
pace = 0 bind pace
K_o = {p["K_o"]}
chloride = 1
K_i = {p["K_i"]}
V_T = {p["V_T"]!r}
E_Na = V_T * log({p["Na_o"]} / {p["Na_i"]})
E_Cl = V_T * log({p["Cl_i"]} / {p["Cl_o"]})
sigma = (exp({p["Na_o"]} / 67.3) - 1) / 7
pump = 1 / (1 + 13 / {p["Na_i"]})^3
access = (surface.V - tubule.V) / {p["R_a"]}
{MEMBRANE.format(c="surface", K="bath.K_o", **whole)}
dot(V) = ({work.PULSE} * bath.pace - bath.access - I) / {p["C_m"]}
{MEMBRANE.format(c="tubule", K="K_t", **part)}
dot(V) = (bath.access / {p["gamma"]} - I) / {p["C_m"]}
dot(K_t) = {1e-3 / (work.FARADAY * p["zeta"])!r} * (I_K - 2 * I_P) - (K_t - bath.K_o) / {p["tau_diff"]}
"""
    return myokit.parse_model(text)


def runner(what: str, tolerance: float | None) -> Callable[[tuple[float, float]], tuple[np.ndarray, float]]:
    """A function that gives spike times and the last state at one point."""
    squid = what in ("W1", "W2")
    pacing = None if squid else myokit.pacing.blocktrain(work.PERIOD, work.WIDTH, offset=work.FIRST, limit=work.PULSES)
    simulation = myokit.Simulation(squid_model() if squid else fibre_model(), pacing)
    if tolerance is not None:
        simulation.set_tolerance(tolerance, tolerance)
    V = "squid.V" if squid else "surface.V"

    def run(point: tuple[float, float]) -> tuple[np.ndarray, float]:
        simulation.reset()
        if squid:
            simulation.set_constant("squid.E_K", point[0])
            simulation.set_constant("squid.I", point[1])
        else:
            simulation.set_constant("bath.K_o", point[0])
            simulation.set_constant("bath.chloride", point[1])
            simulation.set_state(work.fibre_start(point[0]).tolist())
        # Of the fibre the end is wanted at 1,000 ms, where it has long fallen from its last spike.
        duration = work.DURATION + (LATER if squid else 0.0)
        _, events = simulation.run(duration, log=myokit.LOG_NONE, apd_variable=V, apd_threshold=work.LEVEL)
        times = np.array(events["start"])
        return times[times < work.DURATION], simulation.state()[-1]

    return run


def add(tolerance: float | None) -> None:
    @peer.setting("CVODES, default" if tolerance is None else f"CVODES, {tolerance:g}", *work.WORKS)
    def ready(what: str, every: int) -> Callable[[], Any]:
        run = runner(what, tolerance)
        if what == "W1":
            return lambda: run((work.E_K, work.CURRENT))[0]
        if what == "W3":
            return lambda: run((work.FIBRE["K_o"], 1.0))
        do = spread(run, [tuple(x) for x in work.points(what, every).tolist()])

        def answer() -> Any:
            found = do()
            counts = np.array([len(times) for times, _ in found])
            return counts, np.array([(times[-1] if len(times) else np.nan) if what == "W2" else end for times, end in found])

        return answer


for one in (1e-4, 1e-5, None, 1e-7, 1e-8):
    add(one)

if __name__ == "__main__":
    peer.main()
