"""Numbers that describe a run: the spike's shape, when it fires, and what it does once the stimulus is over.

A spike is an upward crossing of -20 mV that the membrane's own current drives (faster than 10 mV/ms without the
stimulus); the next one counts after V has been 10 mV below that level."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from simulation.assembly.compile import Array
from simulation.experiment.protocol import Protocol as Stimulation

LEVEL = -20.0  # mV
REARM = 10.0  # mV below LEVEL
OWN_SLOPE = 10.0  # mV/ms: the usual definition of a spike's threshold
SPIKE_SPAN = 5.0  # ms: a spike this soon after a stimulus was evoked by it
BLOCK_LEVEL = -50.0  # mV
BLOCK_TIME = 50.0  # ms


def _unit(unit: str, text: str) -> Any:
    return field(default=None, metadata={"unit": unit, "text": text})


@dataclass(frozen=True)
class Features:
    """What was measured on a run; None where there is nothing to measure. Shape features are those of the first spike."""

    rest: float = field(metadata={"unit": "mV", "text": "potential at the start"})
    spikes: int = field(metadata={"unit": "1", "text": "number of spikes"})
    spike_times: tuple[float, ...] = field(metadata={"unit": "ms", "text": "times of the upward crossings of -20 mV"})
    latency: float | None = _unit("ms", "first spike after the start of the stimulus")
    rate: float | None = _unit("Hz", "mean rate from the first spike to the last")
    threshold: float | None = _unit("mV", "potential at which the membrane's own current first drives it at 10 mV/ms")
    peak: float | None = _unit("mV", "overshoot: peak potential")
    amplitude: float | None = _unit("mV", "peak less rest")
    half_width: float | None = _unit("ms", "duration at half amplitude")
    max_dV_dt: float | None = _unit("mV/ms", "steepest rise that the membrane's own current makes")
    undershoot: float | None = _unit("mV", "lowest potential within 20 ms after the peak, less rest")
    after_potential: float | None = _unit("mV", "potential 5 ms after the peak, less rest")
    after_discharge: int | None = _unit("1", "spikes later than 5 ms after the stimulus ended")
    after_discharge_duration: float | None = _unit("ms", "from the end of the stimulus to the last of these")
    depolarisation_block: bool | None = _unit("1", "fired, then stayed above -50 mV for 50 ms of stimulus or more")
    max_V: float = field(default=float("nan"), metadata={"unit": "mV", "text": "highest potential"})
    end_V: float = field(default=float("nan"), metadata={"unit": "mV", "text": "potential at the end"})

    def to_dict(self) -> dict[str, Any]:
        out = asdict(self)
        out["spike_times"] = list(self.spike_times)
        return out


UNITS: Mapping[str, str] = {f.name: f.metadata["unit"] for f in fields(Features)}
TEXTS: Mapping[str, str] = {f.name: f.metadata["text"] for f in fields(Features)}


class Trace(Protocol):
    """What features are read from: times, V, dV/dt by the model's equation, dV/dt without the stimulus, and what was done."""

    @property
    def t(self) -> Array: ...
    @property
    def V(self) -> Array: ...
    @property
    def dV_dt(self) -> Array: ...
    @property
    def own_dV_dt(self) -> Array: ...
    @property
    def protocol(self) -> Stimulation: ...


@dataclass(frozen=True, eq=False)
class Traces:
    """Traces of one protocol, one behind the other in each array: trace k has the rows from ``first[k]`` to before ``first[k + 1]``."""

    t: Array
    V: Array
    dV_dt: Array
    own_dV_dt: Array
    first: NDArray[np.intp]
    protocol: Stimulation

    @classmethod
    def alone(cls, trace: Trace) -> Traces:
        return cls(trace.t, trace.V, trace.dV_dt, trace.own_dV_dt, np.array([0, len(trace.t)]), trace.protocol)

    @property
    def last(self) -> NDArray[np.intp]:
        """The last row of each trace."""
        return self.first[1:] - 1

    def of(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """The traces that rows belong to."""
        return np.searchsorted(self.first, rows, side="right") - 1

    def rows_at(self, trace: NDArray[np.intp], t: Array) -> NDArray[np.intp]:
        """In each of some traces, the first row that is not before a time."""
        long = 2 * float(self.t.max() - self.t.min()) + 1.0  # puts one trace behind the other in time, too
        which = np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))
        return np.clip(np.searchsorted(self.t + long * which, t + long * trace), self.first[trace], self.first[trace + 1])


def _cubic(y0: Any, y1: Any, m0: Any, m1: Any) -> tuple[Any, Any]:
    """Coefficients of x^2 and x^3 of the cubic from y0 at x = 0 to y1 at 1 with slopes m0 and m1 there."""
    return 3 * (y1 - y0) - 2 * m0 - m1, 2 * (y0 - y1) + m0 + m1


def crossings(t: Array, V: Array, slope: Array, level: float, rising: bool = True) -> tuple[NDArray[np.intp], Array]:
    """Indices i with a crossing of ``level`` upward (or downward) between t[i] and t[i + 1], and its times: V is taken for a cubic with
    known slopes. Between two traces, where time goes back, there is none."""
    above = level <= V
    i = np.flatnonzero(above[:-1] < above[1:] if rising else above[:-1] > above[1:])
    i = i[t[i + 1] >= t[i]]
    h, y0, y1 = t[i + 1] - t[i], V[i] - level, V[i + 1] - level
    m0, m1 = h * slope[i], h * slope[i + 1]
    c2, c3 = _cubic(y0, y1, m0, m1)
    low, high, x = np.zeros(len(i)), np.ones(len(i)), y0 / (y0 - y1)
    for _ in range(60):  # Newton's method, kept in a bracket by halving
        value, steep = y0 + x * (m0 + x * (c2 + x * c3)), m0 + x * (2 * c2 + x * 3 * c3)
        short = (value < 0) == rising
        low, high = np.where(short, x, low), np.where(short, high, x)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = x - value / steep
        before, x = x, np.where((newton >= low) & (newton <= high), newton, 0.5 * (low + high))
        if np.all(np.abs(x - before) <= 1e-12):
            break
    return i, t[i] + x * h


Spike = tuple[float, int, int]  # time, row of the crossing, row at which V is below -20 mV again or the trace ends


def spikes_of(traces: Traces) -> list[list[Spike]]:
    """The spikes of each trace; rows count through all of them."""
    t, V, own = traces.t, traces.V, traces.own_dV_dt
    out: list[list[Spike]] = [[] for _ in traces.last]
    up, times = crossings(t, V, traces.dV_dt, LEVEL)
    if not len(up):
        return out
    trace = traces.of(up)
    last = traces.last[trace]
    below = np.append(np.flatnonzero(V < LEVEL), len(V))
    end = np.minimum(below[np.searchsorted(below, up, side="right")], last)
    # The membrane's own current may have driven the foot of the spike before the stimulus carried V across.
    begin = traces.rows_at(trace, t[up] - 1.0)
    driven = np.maximum.reduceat(own, np.column_stack([begin, np.maximum(end, up + 1)]).ravel())[::2] >= OWN_SLOPE
    # How low V goes from there to the next crossing.
    following = np.where(np.append(np.diff(trace) == 0, False), np.append(up[1:], 0) + 1, last)
    lowest = np.minimum.reduceat(V, np.column_stack([end, np.maximum(following, end)]).ravel())[::2]
    since, before = -np.inf, -1
    for k, time, row, over, is_driven, low in zip(*(x.tolist() for x in (trace, times, up, end, driven, lowest)), strict=True):
        since = since if k == before else -np.inf
        before = k
        if is_driven and since < LEVEL - REARM:
            out[k].append((time, row, over))
            since = np.inf
        since = min(since, low)
    return out


def find_spikes(trace: Trace) -> tuple[Spike, ...]:
    """The spikes of one trace."""
    return tuple(spikes_of(Traces.alone(trace))[0])


def measure(recording: Trace, shape: bool = True) -> Features:
    """All features of a run. ``shape``: also those of the first spike's shape."""
    return measure_all(Traces.alone(recording), shape)[0]


def measure_all(traces: Traces, shape: bool = True) -> list[Features]:
    """The features of each trace."""
    t, V, first = traces.t, traces.V, traces.first
    start, end = traces.protocol.stimulus_start, traces.protocol.stimulus_end
    out = []
    for k, spikes in enumerate(spikes_of(traces)):
        rows = slice(int(first[k]), int(first[k + 1]))
        rest = float(V[rows.start])
        times = tuple(s[0] for s in spikes)
        after = [x for x in times if end is not None and x > end + SPIKE_SPAN]
        later = [x for x in times if start is not None and x >= start]
        of_first = _shape(traces, rows, spikes[0], rest) if spikes and shape else {}
        out.append(Features(
            rest=rest,
            spikes=len(times),
            spike_times=times,
            latency=later[0] - start if later and start is not None else None,
            rate=1000 * (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else None,
            after_discharge=len(after) if end is not None else None,
            after_discharge_duration=(after[-1] - end if after else 0.0) if end is not None else None,
            depolarisation_block=_block(t[rows], V[rows], times, start, end),
            max_V=_peak(t[rows], V[rows], traces.dV_dt[rows], int(np.argmax(V[rows])))[1],
            end_V=float(V[rows.stop - 1]),
            **of_first,
        ))  # fmt: skip
    return out


def _shape(traces: Traces, rows: slice, spike: Spike, rest: float) -> dict[str, float | None]:
    t, V, slope, own = (x[rows] for x in (traces.t, traces.V, traces.dV_dt, traces.own_dV_dt))
    crossing, end = spike[1] - rows.start, spike[2] - rows.start
    top = crossing + 1 + int(np.argmax(V[crossing + 1 : max(end, crossing + 2)]))
    begin = int(np.searchsorted(t, t[crossing] - 2.0))
    steepest = begin + int(np.argmax(own[begin : top + 1]))
    slow = np.flatnonzero(own[begin : steepest + 1] < OWN_SLOPE)
    foot = begin + int(slow[-1]) if len(slow) else None
    peak_time, peak = _peak(t, V, slope, top)
    half = 0.5 * (peak + rest)
    after = slice(*np.searchsorted(t, [peak_time, peak_time + 20.0], side="right"))
    later, low = peak_time + 5.0, math.inf
    if after.start < after.stop:
        low = min(-_peak(t, -V, -slope, after.start + int(np.argmin(V[after])))[1], _at(t, V, slope, min(peak_time + 20.0, float(t[-1]))))
    return {
        "threshold": _takes_off(V, own, foot) if foot is not None and foot + 1 < len(t) else None,
        "peak": peak,
        "amplitude": peak - rest,
        "half_width": _width(t, V, slope, top, half),
        "max_dV_dt": _summit(t, own, steepest),
        "undershoot": low - rest if math.isfinite(low) else None,
        "after_potential": _at(t, V, slope, later) - rest if later <= t[-1] else None,
    }


def _takes_off(V: Array, own: Array, foot: int) -> float:
    """Potential at which the membrane's own current drives it at 10 mV/ms, between a row and the next: V as a cubic of dV/dt through the
    rows around, a straight line where dV/dt does not rise through all of them."""
    rows = slice(foot - 1, foot + 3) if 1 <= foot < len(V) - 2 and (np.diff(own[foot - 1 : foot + 3]) > 0).all() else slice(foot, foot + 2)
    x, y = own[rows], V[rows]
    others = ~np.eye(len(x), dtype=bool)
    return float(sum(y[i] * np.prod((OWN_SLOPE - x[j]) / (x[i] - x[j])) for i, j in enumerate(others)))


def extreme(kind: Literal["max", "min", "end"], t: Array, y: Array) -> float:
    """The highest, lowest or last value of a symbol in a run."""
    if kind == "end":
        return float(y[-1])
    return _summit(t, y, int(np.argmax(y))) if kind == "max" else -_summit(t, -y, int(np.argmin(y)))


def _summit(t: Array, y: Array, top: int) -> float:
    """Height of a peak by the parabola through the highest point and those beside it; that point itself at an edge, where y may jump."""
    if not 0 < top < len(t) - 1 or min(t[top] - t[top - 1], t[top + 1] - t[top]) < 1e-6:
        return float(y[top])
    left, right = (y[top] - y[top - 1]) / (t[top] - t[top - 1]), (y[top + 1] - y[top]) / (t[top + 1] - t[top])
    if left <= 0 or right >= 0 or not 0.1 < -left / right < 10:  # a corner is no parabola
        return float(y[top])
    curvature = (right - left) / (t[top + 1] - t[top - 1])
    slope = left + curvature * (t[top] - t[top - 1])
    return float(y[top] - slope**2 / (4 * curvature))


def _at(t: Array, V: Array, slope: Array, time: float) -> float:
    """V at a time, by the cubic between two rows."""
    i = min(int(np.searchsorted(t, time, side="right")), len(t) - 1) - 1
    h = t[i + 1] - t[i]
    x, m0, m1 = (time - t[i]) / h, h * slope[i], h * slope[i + 1]
    c2, c3 = _cubic(V[i], V[i + 1], m0, m1)
    return float(V[i] + x * (m0 + x * (c2 + x * c3)))


def _peak(t: Array, V: Array, slope: Array, top: int) -> tuple[float, float]:
    """Time and height of the peak by the cubics through the highest point and those beside it."""
    best = float(t[top]), float(V[top])
    for i in range(max(top - 1, 0), min(top, len(t) - 2) + 1):
        h = float(t[i + 1] - t[i])
        y0, y1, m0, m1 = float(V[i]), float(V[i + 1]), h * float(slope[i]), h * float(slope[i + 1])
        c2, c3 = _cubic(y0, y1, m0, m1)
        within = c2 * c2 - 3 * c3 * m0  # of the derivative m0 + 2 c2 x + 3 c3 x^2
        if m0 <= 0 or within < 0:
            continue
        x = m0 / (math.sqrt(within) - c2) if math.sqrt(within) != c2 else 1.0  # the zero at which it falls
        if 0 <= x <= 1:
            best = max(best, (float(t[i]) + x * h, y0 + x * (m0 + x * (c2 + x * c3))), key=lambda found: found[1])
    return best


def _width(t: Array, V: Array, slope: Array, top: int, level: float) -> float | None:
    rising = crossings(t[: top + 1], V[: top + 1], slope[: top + 1], level)[1]
    falling = crossings(t[top:], V[top:], slope[top:], level, rising=False)[1]
    return float(falling[0] - rising[-1]) if len(rising) and len(falling) else None


def _block(t: Array, V: Array, times: tuple[float, ...], start: float | None, end: float | None) -> bool | None:
    if start is None or end is None:
        return None
    fired = [x for x in times if start <= x <= end]
    if not fired or end - fired[-1] < BLOCK_TIME:
        return False
    late = (t >= end - BLOCK_TIME) & (t <= end)
    return bool(V[late].min() > BLOCK_LEVEL) if late.any() else False
