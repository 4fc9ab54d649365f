"""numbalsoda: LSODA and DOP853 called from compiled loops, all cores."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from numba import carray, cfunc, njit, prange
from numbalsoda import dop853, lsoda, lsoda_sig

from benchmarks import work
from benchmarks.peers.harness import Peer

peer = Peer("numbalsoda", version("numbalsoda"))
squid_slopes = work.squid_equations(njit)[1]
fibre_slopes = work.fibre_equations(njit)[1]
crossings = work.crossing_finder(njit)


@cfunc(lsoda_sig)
def squid(t, y, dy, p):
    q = carray(p, (2,))
    squid_slopes(carray(y, (4,)), q[0], q[1], carray(dy, (4,)))


@cfunc(lsoda_sig)
def fibre(t, y, dy, p):
    q = carray(p, (3,))
    fibre_slopes(carray(y, (13,)), q[0], q[1], q[2], carray(dy, (13,)))


SQUID, FIBRE = squid.address, fibre.address
PARTS = np.array(work.segments())


def map_functions(solve: Callable[..., Any], rtol: float, atol: float, step: float) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Compiled sweeps over points of squid and fibre; the trace is asked for every ``step`` ms."""

    @njit(parallel=True)
    def squid_map(start, points, counts, times):
        t = np.linspace(0.0, work.DURATION, round(work.DURATION / step) + 1)
        for i in prange(len(points)):
            data = points[i].copy()
            y, ok = solve(SQUID, start, t, data, rtol, atol)
            counts[i] = crossings(t, y[:, 0].copy(), times[i]) if ok else -1

    @njit(parallel=True)
    def fibre_map(starts, points, counts, times, K_t):
        for i in prange(len(points)):
            y0, found = starts[i].copy(), 0
            for k in range(len(PARTS)):
                begin, end, current = PARTS[k]
                t = np.linspace(begin, end, max(2, round((end - begin) / step) + 1))
                data = np.array([current, points[i, 0], points[i, 1]])
                y, ok = solve(FIBRE, y0, t, data, rtol, atol)
                found = found + crossings(t, y[:, 0].copy(), times[i, found:]) if ok else -1
                if not ok:
                    break
                y0 = y[-1].copy()
            counts[i] = found
            K_t[i] = y0[12]

    return squid_map, fibre_map


@njit
def by_lsoda(address, y, t, data, rtol, atol):
    return lsoda(address, y, t, data, rtol, atol)


@njit
def by_dop853(address, y, t, data, rtol, atol):
    return dop853(address, y, t, data, rtol, atol)


def add(name: str, solve: Callable[..., Any], rtol: float, atol: float, step: float) -> None:
    squid_map, fibre_map = map_functions(solve, rtol, atol, step)

    @peer.setting(name, *work.WORKS)
    def ready(what: str, every: int) -> Callable[[], Any]:
        single = {"W1": np.array([[work.E_K, work.CURRENT]]), "W3": np.array([[work.FIBRE["K_o"], 1.0]])}
        points = single[what] if what in single else work.points(what, every)
        counts, times = np.empty(len(points), dtype=np.int64), np.full((len(points), 400), np.nan)
        start, starts, K_t = work.squid_start(), np.array([work.fibre_start(p[0]) for p in points]), np.empty(len(points))

        def answer() -> Any:
            if what in ("W1", "W2"):
                squid_map(start, points, counts, times)
            else:
                fibre_map(starts, points, counts, times, K_t)
            found = times[0, : counts[0]]
            last = np.array([x[n - 1] if n > 0 else np.nan for x, n in zip(times, counts, strict=True)])
            return {"W1": found, "W2": (counts, last), "W3": (found, K_t[0]), "W3S": (counts, K_t)}[what]

        return answer


for rtol, atol in ((1e-3, 1e-6), (1e-5, 1e-7), (1e-6, 1e-8), (1e-8, 1e-8)):
    add(f"lsoda {rtol:g}", by_lsoda, rtol, atol, 0.1)
for rtol, atol in ((1e-4, 1e-6), (1e-6, 1e-8)):
    add(f"dop853 {rtol:g}", by_dop853, rtol, atol, 0.1)

if __name__ == "__main__":
    peer.main()
