"""This project's own side of the comparison: the squid axon as shipped, the 13-state fibre declared here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from math import exp, log
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy.interpolate import CubicHermiteSpline

import simulation as sim
from benchmarks import work
from benchmarks.peers.harness import CORES, Peer
from simulation.assembly import Compartment, Gate, Model, State, bind
from simulation.assembly.compile import compile_model
from simulation.experiment import features, many
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Protocol
from simulation.experiment.recording import Recording
from simulation.experiment.solve import Solver, run
from simulation.parameter_sets import Parameter, ParameterSet
from simulation.physiology import membrane, vocabulary
from simulation.physiology.vocabulary import dimensionless, falling_boltzmann, gate, linoid_rate, mM, ms, mS_cm2, mV, per_ms, uA_cm2

# ---- the fibre of the comparison


def alpha_m(V: mV, a_m: vocabulary.per_ms_mV, V_m: mV, ka_m: mV) -> per_ms:
    """Opening rate of sodium channels."""
    return linoid_rate(V, a_m, V_m, ka_m)


def beta_m(V: mV, b_m: per_ms, V_m: mV, kb_m: mV) -> per_ms:
    """Closing rate of sodium channels."""
    return vocabulary.exp_rate(V, b_m, V_m, kb_m)


def alpha_h(V: mV, a_h: per_ms, V_h: mV, ka_h: mV) -> per_ms:
    """Rate of recovery from fast inactivation."""
    return vocabulary.exp_rate(V, a_h, V_h, ka_h)


def beta_h(V: mV, b_h: per_ms, V_h: mV, kb_h: mV) -> per_ms:
    """Rate of fast inactivation."""
    return vocabulary.sigmoid_rate(V, b_h, V_h, kb_h)


def alpha_n(V: mV, a_n: vocabulary.per_ms_mV, V_n: mV, ka_n: mV) -> per_ms:
    """Opening rate of the delayed rectifier."""
    return linoid_rate(V, a_n, V_n, ka_n)


def beta_n(V: mV, b_n: per_ms, V_n: mV, kb_n: mV) -> per_ms:
    """Closing rate of the delayed rectifier."""
    return vocabulary.exp_rate(V, b_n, V_n, kb_n)


def s_inf(V: mV, Vhalf_s: mV, k_s: mV) -> gate:
    """Steady state of slow inactivation."""
    return falling_boltzmann(V, Vhalf_s, k_s)


def tau_s(V: mV, tau_s_0: ms, V_s_0: mV, k_s_0: mV) -> ms:
    """Time constant of slow inactivation."""
    return tau_s_0 / (0.2 + 5.65 * ((V - V_s_0) / k_s_0) ** 2)


def p_inf(V: mV, Vhalf_p: mV, k_p: mV) -> gate:
    """Steady state of the delayed rectifier's inactivation."""
    return falling_boltzmann(V, Vhalf_p, k_p)


def tau_p(V: mV, tau_p_0: ms, Vhalf_p: mV, k_tau: mV) -> ms:
    """Time constant of the delayed rectifier's inactivation."""
    return tau_p_0 * vocabulary.exp((Vhalf_p - V) / k_tau)


def E_K(V_T: mV, K_o: mM, K_i: mM) -> mV:
    """Potassium equilibrium potential."""
    return V_T * vocabulary.log(K_o / K_i)


def I_Na(g_Na: mS_cm2, m: gate, h: gate, s: gate, V: mV, E_Na: mV) -> uA_cm2:
    """Sodium current."""
    return g_Na * m**3 * h * s * (V - E_Na)


def I_Kdr(g_K: mS_cm2, n: gate, p: gate, V: mV, E_K: mV) -> uA_cm2:
    """Delayed-rectifier current."""
    return g_K * n**4 * p * (V - E_K)


def site(K_o: mM, E_K: mV, V_T: mV, K_half: mM) -> dimensionless:
    """Potassium at the inward rectifier's outer site, as the square of its share of half saturation."""
    return (K_o * vocabulary.exp(-0.4 * E_K / V_T) / K_half) ** 2


def y_Kir(site: dimensionless, V: mV, V_T: mV, block: dimensionless) -> gate:
    """Share of inward rectifiers open."""
    return 1 - 1 / (1 + block * vocabulary.exp(-1.2 * V / V_T) * (1 + site))


def I_Kir(g_Kir: mS_cm2, site: dimensionless, y_Kir: gate, V: mV, E_K: mV) -> uA_cm2:
    """Inward-rectifier current."""
    return g_Kir * site / (1 + site) * y_Kir * (V - E_K)


def I_Cl(g_Cl: mS_cm2, V: mV, E_Cl: mV, Vhalf_Cl: mV, k_Cl: mV) -> uA_cm2:
    """Chloride current."""
    return g_Cl * falling_boltzmann(V, Vhalf_Cl, k_Cl) ** 4 * (V - E_Cl)


def I_pump(J_pump: uA_cm2, V: mV, V_T: mV, sigma: dimensionless, K_o: mM, K_pump: mM, Na_i: mM, Na_pump: mM) -> uA_cm2:
    """Net current of the sodium pump."""
    drive = 1 / (1 + 0.12 * vocabulary.exp(-0.1 * V / V_T) + 0.04 * sigma * vocabulary.exp(-V / V_T))
    return J_pump * drive / ((1 + K_pump / K_o) ** 2 * (1 + Na_pump / Na_i) ** 3)


def I_K(I_Kdr: uA_cm2, I_Kir: uA_cm2, I_pump: uA_cm2) -> uA_cm2:
    """All that potassium carries outward."""
    return I_Kdr + I_Kir - 2 * I_pump


def I_ion(I_K: uA_cm2, I_Na: uA_cm2, I_Cl: uA_cm2, I_pump: uA_cm2) -> uA_cm2:
    """Total ionic current."""
    return I_K + I_Na + I_Cl + 3 * I_pump


sarcolemma = Compartment(
    "sarcolemma",
    suffix="s",
    equations=(E_K, I_Na, I_Kdr, site, y_Kir, I_Kir, I_Cl, I_pump, I_K, I_ion),
    gates=(
        Gate("m", alpha=alpha_m, beta=beta_m), Gate("h", alpha=alpha_h, beta=beta_h), Gate("s", inf=s_inf, tau=tau_s),
        Gate("n", alpha=alpha_n, beta=beta_n), Gate("p", inf=p_inf, tau=tau_p),
    ),
    where={"V": "V_s"},
)
tubule = replace(
    sarcolemma,
    name="tubule",
    suffix="t",
    where={"V": "V_t", "K_o": "K_t"},
    density={"g_Na": "eta_Na", "g_K": "eta_K", "g_Kir": "eta_Kir", "g_Cl": "eta_Cl", "J_pump": "eta_pump"},
)
model = Model(
    "benchmark_fibre",
    title="Muscle fibre of 13 states, for comparison",
    potential="V_s",
    bath={"K": "K_o"},
    equations=(membrane.I_stim, membrane.I_access),
    states=(
        State("V_s", membrane.dV_s_dt, "mV", guess=work.FIBRE_START),
        State("V_t", membrane.dV_t_dt, "mV", guess=work.FIBRE_START),
        State("K_t", membrane.dK_t_dt, "mM", guess="K_o"),
    ),
    inner=(sarcolemma, tubule),
)
_SHARED = ("V_T", "C_m", "R_a", "gamma", "zeta", "tau_diff", "K_o", "K_i", "Na_i", "g_Na", "g_K", "g_Kir", "g_Cl", "J_pump")
NUMBERS: dict[str, float] = {name: work.FIBRE[name] for name in (*_SHARED, *(x for x in work.FIBRE if x.startswith("eta_")))} | {
    "E_Na": work.FIBRE["V_T"] * log(work.FIBRE["Na_o"] / work.FIBRE["Na_i"]),
    "E_Cl": work.FIBRE["V_T"] * log(work.FIBRE["Cl_i"] / work.FIBRE["Cl_o"]),
    "sigma": (exp(work.FIBRE["Na_o"] / 67.3) - 1) / 7,
    "a_m": 0.288, "V_m": -46.0, "ka_m": 10.0, "b_m": 1.38, "kb_m": 18.0,
    "a_h": 0.0081, "V_h": -45.0, "ka_h": 14.7, "b_h": 4.38, "kb_h": 9.0,
    "a_n": 0.0131, "V_n": -40.0, "ka_n": 7.0, "b_n": 0.067, "kb_n": 40.0,
    "Vhalf_s": -68.0, "k_s": 7.1, "tau_s_0": 60000.0, "V_s_0": -70.0, "k_s_0": 100.0,
    "Vhalf_p": -40.0, "k_p": 7.5, "tau_p_0": 1000.0, "k_tau": 25.75,
    "K_half": 950.0**0.5, "block": 0.01, "Vhalf_Cl": 70.0, "k_Cl": 150.0, "K_pump": 1.0, "Na_pump": 13.0,
}


# ---- the runs

@cache
def preparation(what: str) -> Preparation:
    """'squid' or 'fibre' as at the first point of the comparison."""
    if what == "squid":
        return sim.prepare("squid", set={"E_K": work.E_K, "E_L": work.E_L})
    bound = bind(model)
    unit = {name: bound.parameters[name] for name in NUMBERS}
    numbers = {
        name: Parameter(value=value, unit=unit[name], kind="assumed", range=(value, value), note="of the comparison")
        for name, value in NUMBERS.items()
    }
    return Preparation(compile_model(bound), ParameterSet(model.name, model.name, model.title, "", numbers, {}))


def at(what: str, point: Sequence[float]) -> tuple[Preparation, Protocol, np.ndarray]:
    """What is run at one point, and from which state."""
    p, (first, second) = preparation(what), point
    if what == "squid":
        start = dict(zip(("V", "m", "h", "n"), work.squid_start(), strict=True))
        doing = sim.protocol(sim.Pulse(second, work.DURATION), duration=work.DURATION)
        return p.with_values({"E_K": first}), doing, np.array([start[x] for x in p.states])
    train = sim.Train(1000 / work.PERIOD, work.PERIOD * work.PULSES, work.PULSE, work.WIDTH, work.FIRST)
    p = p.with_values({"K_o": first}).scaled({"g_Cl": second})
    return p, sim.protocol(train, duration=work.DURATION), _fibre_start(first)


def _fibre_start(K_o: float) -> np.ndarray:
    symbols = [f"{x}_{c}" for c in ("s", "t") for x in "Vmhsnp"]
    start = dict(zip((*symbols, "K_t"), work.fibre_start(K_o), strict=True))
    return np.array([start[x] for x in preparation("fibre").states])


def spikes(recording: Recording) -> np.ndarray:
    """Times of upward crossings of the comparison's level, on the cubics between the recording's points."""
    t, V, slope = recording.t, recording.V, recording.dV_dt
    out = []
    for i in np.flatnonzero((V[:-1] < work.LEVEL) & (V[1:] >= work.LEVEL)):
        roots = CubicHermiteSpline(t[i : i + 2], V[i : i + 2], slope[i : i + 2]).solve(work.LEVEL, extrapolate=False)
        out.append(roots[0] if len(roots) else t[i + 1])
    return np.array(out)


def one(what: str, point: Sequence[float], solver: Solver) -> tuple[np.ndarray, float]:
    """Spike times and the last K_t (NaN for the squid axon) at one point."""
    p, doing, start = at(what, point)
    recording = run(p, doing, solver=solver, start=start, dense=False)
    return spikes(recording), float(recording["K_t"][-1]) if what == "fibre" else np.nan


def _some(what: str, points: Sequence[Sequence[float]], solver: Solver) -> list[tuple[np.ndarray, float]]:
    return [one(what, point, solver) for point in points]


def sweep_rate(what: str, points: np.ndarray, solver: Solver) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of spikes, times of the last one and last K_t over a map: the one place where a map is run."""
    size = max(1, len(points) // (8 * CORES))
    blocks = [points[i : i + size].tolist() for i in range(0, len(points), size)]
    found = [x for block in Parallel(n_jobs=CORES)(delayed(_some)(what, b, solver) for b in blocks) for x in block]
    counts = np.array([len(times) for times, _ in found])
    return counts, np.array([times[-1] if len(times) else np.nan for times, _ in found]), np.array([K_t for _, K_t in found])


peer = Peer("cramplab", version("cramplab"))


def add(method: str, rtol: float, atol: float, every: float | None = None) -> None:
    solver = Solver(method, rtol, atol, every=every)

    @peer.setting(f"{method} {rtol:g}{f', every {every:g} ms' if every else ''}", *work.WORKS)
    def ready(what: str, every: int) -> Callable[[], Any]:
        if what == "W1":
            return lambda: one("squid", (work.E_K, work.CURRENT), solver)[0]
        if what == "W3":
            return lambda: one("fibre", (work.FIBRE["K_o"], 1.0), solver)
        points = work.points(what, every)

        def answer() -> Any:
            counts, last, K_t = sweep_rate("squid" if what == "W2" else "fibre", points, solver)
            return (counts, last) if what == "W2" else (counts, K_t)

        return answer


def by_engine(what: str, points: np.ndarray, rtol: float) -> list[tuple[np.ndarray, float]]:
    """Spike times and the last K_t at each point, by the sweep engine. Points with one stimulus in common only differ in its strength."""
    p, doing, start = at(what, points[0].tolist())
    if what == "squid":
        doing, strong = sim.protocol(sim.Pulse(1.0, work.DURATION), duration=work.DURATION), points[:, 1]
        values, starts = [p.kernel.changed(p.values, {"E_K": e_k}) for e_k, _ in points], np.tile(start, (len(points), 1))
    else:
        base, strong = preparation(what), np.ones(len(points))
        values = [p.kernel.changed(base.values, {"K_o": K, "g_Cl": work.FIBRE["g_Cl"] * share}) for K, share in points]
        starts = np.array([_fibre_start(K) for K, _ in points])
    out: list[Any] = [None] * len(points)
    for courses, traces in many.follow(p, doing, starts, np.array(values), strength=strong, rtol=rtol, width=1 if len(points) == 1 else None):
        rows, times = features.crossings(traces.t, traces.V, traces.dV_dt, work.LEVEL)
        of_course = np.split(times, np.searchsorted(rows, traces.first[1:-1]))
        for course, found in zip(courses, of_course, strict=True):
            out[course.index] = found, float(course.state[p.states.index("K_t")]) if what == "fibre" else np.nan
    return out


def add_engine(rtol: float) -> None:
    @peer.setting(f"sweep engine {rtol:g}", *work.WORKS)
    def ready(what: str, every: int) -> Callable[[], Any]:
        if what == "W1":
            return lambda: by_engine("squid", np.array([(work.E_K, work.CURRENT)]), rtol)[0][0]
        if what == "W3":
            return lambda: by_engine("fibre", np.array([(work.FIBRE["K_o"], 1.0)]), rtol)[0]
        points = work.points(what, every)

        def answer() -> Any:
            found = by_engine("squid" if what == "W2" else "fibre", points, rtol)
            counts = np.array([len(times) for times, _ in found])
            if what == "W2":
                return counts, np.array([times[-1] if len(times) else np.nan for times, _ in found])
            return counts, np.array([K_t for _, K_t in found])

        return answer


for one_rtol, one_atol in ((1e-5, 1e-7), (1e-6, 1e-8)):
    add("LSODA", one_rtol, one_atol)
    add("LSODA", one_rtol, one_atol, every=0.1)
for one_rtol in (1e-4, 5e-5, 3e-5, 1e-5):
    add_engine(one_rtol)

if __name__ == "__main__":
    from benchmarks import ours  # as a module of that name it is found again by the processes of a map

    ours.peer.main()
