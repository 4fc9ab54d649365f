"""The pieces of work that speed is compared on, their answers and their scoring. Needs NumPy; ``reference`` also SciPy.

W1   the squid membrane of 1952 under 10 uA/cm2 from t = 0 for 1,000 ms: times of its spikes.
W2   the same at 1,000 points, 40 E_K from -90 to -60 mV by 25 currents from 0 to 20 uA/cm2: numbers of spikes.
W3   a muscle fibre of 13 states (sarcolemma, tubule, potassium in the tubule), 20 pulses in 1,000 ms: times of its spikes.
W3S  the same at 200 points, 20 potassium from 2.5 to 12 mM by 10 factors of chloride conductance from 0 to 1.

A spike is an upward crossing of 0 mV. Runs start where a clamp would leave them: the potential given, gates at their steady
state. Run as a program it works the answers out and writes them to reference.npz."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import pairwise
from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np

ANSWERS = Path(__file__).with_name("reference.npz")
WORKS = ("W1", "W2", "W3", "W3S")
DURATION = 1000.0  # ms
LEVEL = 0.0  # mV
SPIKE_TOLERANCE = 0.05  # ms
K_T_TOLERANCE = 0.01  # mM

# ---- the squid membrane: mS/cm2, mV, uF/cm2, uA/cm2

G_NA, G_K, G_L = 120.0, 36.0, 0.3
E_NA, E_K, E_L = 50.0, -77.0, -54.387
V_START, CURRENT = -65.0, 10.0

# ---- the fibre, after Wallinga, Meijer, Alberink, Vliek, Wienk & Ypey (1999) and Cannon, Brown & Corey (1993)

FIBRE: dict[str, float] = {
    "V_T": 8.31441 * 308.0 / 96.485,  # R T/F, mV
    "C_m": 0.58, "R_a": 0.15, "gamma": 4.8, "zeta": 1e-6, "tau_diff": 350.0,  # uF/cm2, kOhm*cm2, 1, cm, ms
    "K_o": 4.0, "K_i": 154.5, "Na_o": 147.0, "Na_i": 12.7, "Cl_o": 128.0, "Cl_i": 5.83,  # mM
    "g_Na": 268.0, "g_K": 21.6, "g_Kir": 3.7, "g_Cl": 6.55, "J_pump": 207e-6 * 96485.0,  # mS/cm2; uA/cm2
    "eta_Na": 0.1, "eta_K": 0.45, "eta_Kir": 1.0, "eta_Cl": 0.1, "eta_pump": 0.1,  # tubule's share of the surface's density
}
FIBRE_START = -83.0  # mV
PULSE, WIDTH, FIRST, PERIOD, PULSES = 150.0, 0.5, 10.0, 50.0, 20  # uA/cm2, ms, ms, ms
FARADAY = 96485.0


def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """What compiles nothing."""
    return function


def squid_equations(compiled: Callable[..., Any] = plain) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """``rates(V)``: opening and closing rates of m, h, n; ``slopes(y, E_K, I, out)`` of V, m, h, n. ``compiled`` wraps each function."""

    @compiled
    def linear_over_exponential(x: float) -> float:
        return 1.0 + 0.5 * x if abs(x) < 1e-7 else x / (1.0 - exp(-x))

    @compiled
    def rates(V: float) -> tuple[float, ...]:
        u = V - V_START
        return (
            linear_over_exponential(0.1 * (u - 25.0)), 4.0 * exp(-u / 18.0), 0.07 * exp(-u / 20.0),
            1.0 / (1.0 + exp(0.1 * (30.0 - u))), 0.1 * linear_over_exponential(0.1 * (u - 10.0)), 0.125 * exp(-u / 80.0),
        )

    @compiled
    def slopes(y: Any, e_k: float, current: float, out: Any) -> None:
        V, m, h, n = y[0], y[1], y[2], y[3]
        a_m, b_m, a_h, b_h, a_n, b_n = rates(V)
        out[0] = current - G_NA * m * m * m * h * (V - E_NA) - G_K * n * n * n * n * (V - e_k) - G_L * (V - E_L)
        out[1] = a_m - (a_m + b_m) * m
        out[2] = a_h - (a_h + b_h) * h
        out[3] = a_n - (a_n + b_n) * n

    return rates, slopes


def fibre_equations(compiled: Callable[..., Any] = plain) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """``gates(V)``: steady state and time constant of m, h, s, n, p; ``slopes(y, I, K_o, chloride, out)`` of V and five gates of the
    sarcolemma, the same of the tubule, and the tubule's potassium."""
    V_T, C_m, R_a, gamma, zeta, tau_diff = (FIBRE[x] for x in ("V_T", "C_m", "R_a", "gamma", "zeta", "tau_diff"))
    K_i, g_Na, g_K, g_Kir, g_Cl = (FIBRE[x] for x in ("K_i", "g_Na", "g_K", "g_Kir", "g_Cl"))
    e_na = V_T * log(FIBRE["Na_o"] / FIBRE["Na_i"])
    e_cl = V_T * log(FIBRE["Cl_i"] / FIBRE["Cl_o"])
    sigma = (exp(FIBRE["Na_o"] / 67.3) - 1.0) / 7.0
    pump = FIBRE["J_pump"] / (1.0 + 13.0 / FIBRE["Na_i"]) ** 3
    eta_Na, eta_K, eta_Kir, eta_Cl, eta_pump = (FIBRE[x] for x in ("eta_Na", "eta_K", "eta_Kir", "eta_Cl", "eta_pump"))
    per_current = 1e-3 / (FARADAY * zeta)  # mM/ms per uA/cm2

    @compiled
    def linear_over_exponential(x: float) -> float:
        return 1.0 + 0.5 * x if abs(x) < 1e-7 else x / (1.0 - exp(-x))

    @compiled
    def gates(V: float) -> tuple[float, ...]:
        a_m, b_m = 2.88 * linear_over_exponential((V + 46.0) / 10.0), 1.38 * exp(-(V + 46.0) / 18.0)
        a_h, b_h = 0.0081 * exp(-(V + 45.0) / 14.7), 4.38 / (1.0 + exp(-(V + 45.0) / 9.0))
        a_n, b_n = 0.0917 * linear_over_exponential((V + 40.0) / 7.0), 0.067 * exp(-(V + 40.0) / 40.0)
        far = 0.01 * (V + 70.0)
        return (
            a_m / (a_m + b_m), 1.0 / (a_m + b_m), a_h / (a_h + b_h), 1.0 / (a_h + b_h),
            1.0 / (1.0 + exp((V + 68.0) / 7.1)), 60000.0 / (0.2 + 5.65 * far * far),
            a_n / (a_n + b_n), 1.0 / (a_n + b_n), 1.0 / (1.0 + exp((V + 40.0) / 7.5)), 1000.0 * exp(-(V + 40.0) / 25.75),
        )

    @compiled
    def currents(V: float, m: float, h: float, s: float, n: float, p: float, K: float) -> tuple[float, ...]:
        """Sodium, delayed rectifier, inward rectifier, chloride, pump, at the surface's densities."""
        e_k = V_T * log(K / K_i)
        square = (K * exp(-0.4 * e_k / V_T)) ** 2
        unblocked = 0.01 * exp(-1.2 * V / V_T) * (1.0 + square / 950.0)
        openness = 1.0 / (1.0 + exp((V - 70.0) / 150.0))
        drive = 1.0 / (1.0 + 0.12 * exp(-0.1 * V / V_T) + 0.04 * sigma * exp(-V / V_T))
        return (
            g_Na * m * m * m * h * s * (V - e_na), g_K * n**4 * p * (V - e_k),
            g_Kir * square / (950.0 + square) * unblocked / (1.0 + unblocked) * (V - e_k),
            g_Cl * openness**4 * (V - e_cl), pump * drive / (1.0 + 1.0 / K) ** 2,
        )

    @compiled
    def slopes(y: Any, current: float, K_o: float, chloride: float, out: Any) -> None:
        surface = currents(y[0], y[1], y[2], y[3], y[4], y[5], K_o)
        inner = currents(y[6], y[7], y[8], y[9], y[10], y[11], y[12])
        access = (y[0] - y[6]) / R_a
        out[0] = (current - access - surface[0] - surface[1] - surface[2] - chloride * surface[3] - surface[4]) / C_m
        of_k = eta_K * inner[1] + eta_Kir * inner[2]
        of_pump = eta_pump * inner[4]
        out[6] = (access / gamma - eta_Na * inner[0] - of_k - eta_Cl * chloride * inner[3] - of_pump) / C_m
        for at in (0, 6):
            m, tau_m, h, tau_h, s, tau_s, n, tau_n, p, tau_p = gates(y[at])
            out[at + 1] = (m - y[at + 1]) / tau_m
            out[at + 2] = (h - y[at + 2]) / tau_h
            out[at + 3] = (s - y[at + 3]) / tau_s
            out[at + 4] = (n - y[at + 4]) / tau_n
            out[at + 5] = (p - y[at + 5]) / tau_p
        out[12] = per_current * (of_k - 2.0 * of_pump) - (y[12] - K_o) / tau_diff

    return gates, slopes


def squid_start() -> np.ndarray:
    """V, m, h, n."""
    rates = squid_equations()[0](V_START)
    return np.array([V_START, *(a / (a + b) for a, b in zip(rates[::2], rates[1::2], strict=True))])


def fibre_start(K_o: float = FIBRE["K_o"]) -> np.ndarray:
    """V, m, h, s, n, p of the sarcolemma, the same of the tubule, K_t."""
    membrane = [FIBRE_START, *fibre_equations()[0](FIBRE_START)[::2]]
    return np.array([*membrane, *membrane, K_o])


def segments() -> list[tuple[float, float, float]]:
    """W3's run cut at the edges of its pulses: start, stop, current."""
    on = [FIRST + PERIOD * i for i in range(PULSES)]
    edges = sorted({0.0, DURATION, *on, *(t + WIDTH for t in on)})
    return [(a, b, PULSE if a in on else 0.0) for a, b in pairwise(edges)]


def points(work: str, every: int = 1) -> np.ndarray:
    """Axis values of each point of a map, shape (points, 2): E_K and current, or potassium and chloride factor."""
    first, second = {
        "W2": (np.linspace(-90.0, -60.0, 40), np.linspace(0.0, 20.0, 25)),
        "W3S": (np.linspace(2.5, 12.0, 20), np.linspace(0.0, 1.0, 10)),
    }[work]
    return np.array([(a, b) for a in first for b in second])[::every]


def crossing_finder(compiled: Callable[..., Any] = plain) -> Callable[..., Any]:
    """``find(t, V, out)`` writes the times of upward crossings of LEVEL and gives their number; a cubic through the four points around."""

    @compiled
    def find(t: Any, V: Any, out: Any) -> int:
        found = 0
        for i in range(len(V) - 1):
            if V[i] < LEVEL <= V[i + 1]:
                time = t[i] + (LEVEL - V[i]) / (V[i + 1] - V[i]) * (t[i + 1] - t[i])
                if 1 <= i < len(V) - 2 and V[i - 1] < V[i] and V[i + 1] < V[i + 2]:
                    inverse = 0.0
                    for j in range(i - 1, i + 3):
                        weight = t[j]
                        for k in range(i - 1, i + 3):
                            if k != j:
                                weight *= (LEVEL - V[k]) / (V[j] - V[k])
                        inverse += weight
                    if t[i] <= inverse <= t[i + 1]:
                        time = inverse
                out[found] = time
                found += 1
        return found

    return find


def spike_times(t: np.ndarray, V: np.ndarray) -> np.ndarray:
    """Times of upward crossings of LEVEL in a sampled trace."""
    i = np.flatnonzero((V[:-1] < LEVEL) & (V[1:] >= LEVEL))
    find, out, times = crossing_finder(), np.empty(2), []
    for k in i:
        low, high = max(k - 1, 0), min(k + 3, len(V))
        if find(t[low:high], V[low:high], out) == 1:
            times.append(out[0])
    return np.array(times)


# ---- answers and scores

@cache
def answers() -> dict[str, np.ndarray]:
    if not ANSWERS.exists():
        raise SystemExit("there are no reference answers yet: python -m benchmarks.work --jobs 2 works them out, in half an hour or so")
    with np.load(ANSWERS) as file:
        return dict(file)


def score(work: str, answer: Any, every: int = 1) -> dict[str, Any]:
    """How far an answer is from the reference.

    W1: spike times. W2: (counts, times of the last spike). W3: (spike times, K_t at the end). W3S: (counts, K_t at the end).
    A point of W2 is frail where the reference itself hangs on less than 0.05 ms at the end or on less than 0.5 mV at a peak."""
    known = answers()
    if work in ("W1", "W3"):
        times, K_t = (answer, None) if work == "W1" else answer
        times, wanted = np.asarray(times, dtype=float), known[f"{work}_times"]
        n = min(len(times), len(wanted))
        worst = float(np.abs(times[:n] - wanted[:n]).max()) if n else float("nan")
        out = {"mismatches": abs(len(times) - len(wanted)), "worst_time_error_ms": worst}
        meets = out["mismatches"] == 0 and worst <= SPIKE_TOLERANCE
        if K_t is not None:
            out["worst_K_t_error_mM"] = abs(float(K_t) - float(known["W3_K_t"]))
            meets = meets and out["worst_K_t_error_mM"] <= K_T_TOLERANCE
        return out | {"meets": bool(meets)}
    counts, second = (np.asarray(x) for x in answer)
    wrong = counts != known[f"{work}_counts"][::every]
    right = ~wrong
    out = {"mismatches": int(wrong.sum())}
    if work == "W2":
        frail = known["W2_frail"][::every].astype(bool)
        spikes = right & (counts > 0)
        errors = np.abs(second - known["W2_last"][::every])[spikes]
        out["mismatches_not_frail"] = int((wrong & ~frail).sum())
        out["worst_time_error_ms"] = float(errors.max()) if errors.size else float("nan")
        return out | {"meets": out["mismatches_not_frail"] == 0}
    errors = np.abs(second - known["W3S_K_t"][::every])[right]
    out["worst_K_t_error_mM"] = float(errors.max()) if errors.size else float("nan")
    return out | {"meets": out["mismatches"] == 0}


@cache
def _slopes(equations: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled where numba is installed: the reference is then ready some times sooner."""
    try:
        from numba import njit
    except ImportError:
        return equations()[1]
    return equations(njit)[1]


def _solve(equations: Callable[..., Any], y: np.ndarray, span: tuple[float, float], arguments: tuple[float, ...]) -> Any:
    from scipy.integrate import solve_ivp

    slopes = _slopes(equations)

    def rhs(t: float, x: np.ndarray) -> np.ndarray:
        out = np.empty(len(x))
        slopes(x, *arguments, out)
        return out

    def rises(t: float, x: np.ndarray) -> float:
        return float(x[0] - LEVEL)

    def peaks(t: float, x: np.ndarray) -> float:
        return float(rhs(t, x)[0])

    rises.direction, peaks.direction = 1.0, -1.0  # type: ignore[attr-defined]
    return solve_ivp(rhs, span, y, method="DOP853", rtol=1e-10, atol=1e-12, events=(rises, peaks))


def _squid_answer(point: tuple[float, float]) -> tuple[np.ndarray, float]:
    """Spike times up to a little beyond the end, and how near to LEVEL a peak comes."""
    solution = _solve(squid_equations, squid_start(), (0.0, DURATION + 1.0), point)
    tops = solution.y_events[1][:, 0] if len(solution.y_events[1]) else np.array([np.inf])
    return solution.t_events[0], float(np.abs(tops - LEVEL).min())


def _fibre_answer(point: tuple[float, float]) -> tuple[np.ndarray, float]:
    """Spike times and K_t at the end."""
    K_o, chloride = point
    y, times = fibre_start(K_o), []
    for start, stop, current in segments():
        solution = _solve(fibre_equations, y, (start, stop), (current, K_o, chloride))
        y = solution.y[:, -1]
        times.extend(solution.t_events[0])
    return np.array(times), float(y[12])


def reference(jobs: int = 1) -> dict[str, np.ndarray]:
    """The answers by SciPy's DOP853 at rtol 1e-10 and atol 1e-12."""
    with ProcessPoolExecutor(jobs) as pool:
        w1 = _squid_answer((E_K, CURRENT))[0]
        w3, w3_K_t = _fibre_answer((FIBRE["K_o"], 1.0))
        squid = list(pool.map(_squid_answer, map(tuple, points("W2").tolist()), chunksize=5))
        fibre = list(pool.map(_fibre_answer, map(tuple, points("W3S").tolist()), chunksize=2))
    inside = [times[times < DURATION] for times, _ in squid]
    margin = np.array([np.abs(times - DURATION).min(initial=np.inf) for times, _ in squid])
    near = np.array([x for _, x in squid])
    return {
        "W1_times": w1[w1 < DURATION],
        "W2_counts": np.array([len(x) for x in inside], dtype=np.int16),
        "W2_last": np.array([x[-1] if len(x) else np.nan for x in inside]),
        "W2_frail": (margin < SPIKE_TOLERANCE) | (near < 0.5),
        "W3_times": w3,
        "W3_K_t": np.array(w3_K_t),
        "W3S_counts": np.array([len(x) for x, _ in fibre], dtype=np.int16),
        "W3S_K_t": np.array([x for _, x in fibre]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=1)
    np.savez_compressed(ANSWERS, **reference(parser.parse_args().jobs))


if __name__ == "__main__":
    main()
