"""Numbers that describe a run: the spike's shape, when it fires, and what it does once the stimulus is over.

A spike is an upward crossing of -20 mV that the membrane's own current drives (faster than 10 mV/ms without the
stimulus); the next one counts after V has been 10 mV below that level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline

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


def crossings(t: Array, V: Array, slope: Array, level: float, rising: bool = True) -> tuple[NDArray[np.intp], Array]:
    """Indices i with a crossing of ``level`` upward (or downward) between t[i] and t[i + 1], and its times: V is taken for a cubic with
    known slopes."""
    above = level <= V
    i = np.flatnonzero(~above[:-1] & above[1:] if rising else above[:-1] & ~above[1:])
    h, y0, y1 = t[i + 1] - t[i], V[i] - level, V[i + 1] - level
    m0, m1 = h * slope[i], h * slope[i + 1]
    c2, c3 = 3 * (y1 - y0) - 2 * m0 - m1, 2 * (y0 - y1) + m0 + m1
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


def find_spikes(trace: Trace) -> tuple[tuple[float, int, int], ...]:
    """Spikes as (time, index of the crossing, index at which V is below -20 mV again or the trace ends)."""
    t, V, own = trace.t, trace.V, trace.own_dV_dt
    if V.max() < LEVEL:
        return ()
    up, times = crossings(t, V, trace.dV_dt, LEVEL)
    if not len(up):
        return ()
    below = np.flatnonzero(V < LEVEL)
    place = np.searchsorted(below, up, side="right")
    end = np.where(place < len(below), below[np.minimum(place, len(below) - 1)], len(V) - 1)
    # The membrane's own current may have driven the foot of the spike before the stimulus carried V across.
    begin = np.searchsorted(t, t[up] - 1.0)
    driven = np.maximum.reduceat(own, np.column_stack([begin, np.maximum(end, up + 1)]).ravel())[::2] >= OWN_SLOPE
    # How low V goes from there to the next crossing.
    following = np.append(up[1:] + 1, len(V) - 1)
    lowest = np.minimum.reduceat(V, np.column_stack([end, np.maximum(following, end)]).ravel())[::2]
    out, since = [], -np.inf
    for k, is_driven in enumerate(driven.tolist()):
        if is_driven and since < LEVEL - REARM:
            out.append((float(times[k]), int(up[k]), int(end[k])))
            since = np.inf
        since = min(since, float(lowest[k]))
    return tuple(out)


def measure(recording: Trace, shape: bool = True) -> Features:
    """All features of a run. ``shape``: also those of the first spike's shape."""
    t, V = recording.t, recording.V
    rest = float(V[0])
    spikes = find_spikes(recording)
    times = tuple(s[0] for s in spikes)
    start, end = recording.protocol.stimulus_start, recording.protocol.stimulus_end
    after = [x for x in times if end is not None and x > end + SPIKE_SPAN]
    of_first = _shape(recording, spikes[0], rest) if spikes and shape else {}
    later = [x for x in times if start is not None and x >= start]
    return Features(
        rest=rest,
        spikes=len(times),
        spike_times=times,
        latency=later[0] - start if later and start is not None else None,
        rate=1000 * (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else None,
        after_discharge=len(after) if end is not None else None,
        after_discharge_duration=(after[-1] - end if after else 0.0) if end is not None else None,
        depolarisation_block=_block(t, V, times, start, end),
        max_V=float(V.max()),
        end_V=float(V[-1]),
        **of_first,
    )


def _shape(recording: Trace, spike: tuple[float, int, int], rest: float) -> dict[str, float | None]:
    t, V, slope, own = recording.t, recording.V, recording.dV_dt, recording.own_dV_dt
    _, crossing, end = spike
    top = crossing + 1 + int(np.argmax(V[crossing + 1 : max(end, crossing + 2)]))
    begin = int(np.searchsorted(t, t[crossing] - 2.0))
    steepest = begin + int(np.argmax(own[begin : top + 1]))
    slow = np.flatnonzero(own[begin : steepest + 1] < OWN_SLOPE)
    foot = begin + int(slow[-1]) if len(slow) else None
    peak_time, peak = _peak(t, V, slope, top)
    threshold = None
    if foot is not None and foot + 1 < len(t):
        share = (OWN_SLOPE - own[foot]) / (own[foot + 1] - own[foot])
        threshold = float(V[foot] + share * (V[foot + 1] - V[foot]))
    half = 0.5 * (peak + rest)
    after = (t > peak_time) & (t <= peak_time + 20.0)
    later = peak_time + 5.0
    return {
        "threshold": threshold,
        "peak": peak,
        "amplitude": peak - rest,
        "half_width": _width(t, V, slope, top, half),
        "max_dV_dt": float(own[begin : top + 1].max()),
        "undershoot": float(V[after].min() - rest) if after.any() else None,
        "after_potential": float(np.interp(later, t, V) - rest) if later <= t[-1] else None,
    }


def _peak(t: Array, V: Array, slope: Array, top: int) -> tuple[float, float]:
    """Time and height of the peak by the cubic through the points around the highest one."""
    low, high = max(top - 1, 0), min(top + 1, len(t) - 1)
    piece = CubicHermiteSpline(t[low : high + 1], V[low : high + 1], slope[low : high + 1])
    candidates = [float(x) for x in np.atleast_1d(piece.derivative().roots(extrapolate=False)) if np.isfinite(x)] + [float(t[top])]
    best = max(candidates, key=lambda x: float(piece(x)))
    return best, float(piece(best))


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
