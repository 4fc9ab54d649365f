"""Numbers that describe a run: the spike's shape, when it fires, and what it does once the stimulus is over.

A spike is an upward crossing of -20 mV that the membrane's own current drives (faster than 10 mV/ms without the
stimulus); the next one counts after V has been 10 mV below that level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline

from simulation.assembly.compile import Array
from simulation.experiment.recording import Recording

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


def _crossings(t: Array, V: Array, level: float) -> NDArray[np.intp]:
    """Indices i with an upward crossing of ``level`` between t[i] and t[i + 1]."""
    return np.flatnonzero((V[:-1] < level) & (V[1:] >= level))


def _crossing_time(t: Array, V: Array, slope: Array, i: int, level: float) -> float:
    """Time between t[i] and t[i + 1] at which V, a cubic with known slopes, equals ``level``."""
    piece = CubicHermiteSpline(t[i : i + 2], V[i : i + 2], slope[i : i + 2])
    roots = piece.solve(level, extrapolate=False)
    if len(roots):
        return float(roots[0])
    return float(t[i] + (level - V[i]) * (t[i + 1] - t[i]) / (V[i + 1] - V[i]))


def find_spikes(recording: Recording) -> tuple[tuple[float, int, int], ...]:
    """Spikes as (time, index of the crossing, index of the peak)."""
    t, V, slope, own = recording.t, recording.V, recording.dV_dt, recording.own_dV_dt
    out: list[tuple[float, int, int]] = []
    armed_from = 0
    for i in _crossings(t, V, LEVEL):
        if out and not (V[armed_from : i + 1] < LEVEL - REARM).any():
            continue
        falls = np.flatnonzero(V[i + 1 :] < LEVEL)
        end = i + 1 + (int(falls[0]) if len(falls) else len(V) - i - 1)
        peak = i + 1 + int(np.argmax(V[i + 1 : end])) if end > i + 1 else i + 1
        # The membrane's own current may have driven the foot of the spike before the stimulus carried V across.
        begin = int(np.searchsorted(t, t[i] - 1.0))
        if own[begin : peak + 1].max() < OWN_SLOPE:
            continue
        out.append((_crossing_time(t, V, slope, int(i), LEVEL), int(i), peak))
        armed_from = peak
    return tuple(out)


def measure(recording: Recording) -> Features:
    """All features of a run."""
    t, V = recording.t, recording.V
    rest = float(V[0])
    spikes = find_spikes(recording)
    times = tuple(s[0] for s in spikes)
    start, end = recording.protocol.stimulus_start, recording.protocol.stimulus_end
    after = [x for x in times if end is not None and x > end + SPIKE_SPAN]
    shape = _shape(recording, spikes[0], rest) if spikes else {}
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
        **shape,
    )


def _shape(recording: Recording, spike: tuple[float, int, int], rest: float) -> dict[str, float | None]:
    t, V, slope, own = recording.t, recording.V, recording.dV_dt, recording.own_dV_dt
    _, crossing, top = spike
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
    rising = np.flatnonzero((V[:top] < level) & (V[1 : top + 1] >= level))
    falling = np.flatnonzero((V[top:-1] >= level) & (V[top + 1 :] < level))
    if not len(rising) or not len(falling):
        return None
    down = top + int(falling[0])
    return _crossing_time(t, V, slope, down, level) - _crossing_time(t, V, slope, int(rising[-1]), level)


def _block(t: Array, V: Array, times: tuple[float, ...], start: float | None, end: float | None) -> bool | None:
    if start is None or end is None:
        return None
    fired = [x for x in times if start <= x <= end]
    if not fired or end - fired[-1] < BLOCK_TIME:
        return False
    late = (t >= end - BLOCK_TIME) & (t <= end)
    return bool(V[late].min() > BLOCK_LEVEL) if late.any() else False
