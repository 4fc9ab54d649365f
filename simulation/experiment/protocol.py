"""What is done to a membrane: stimuli, clamp and changes of bath, cut at their edges into smooth segments."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import pairwise
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

from simulation.assembly.errors import nearest
from simulation.experiment.bath import Bath
from simulation.experiment.errors import ExperimentError

_SAME_EDGE = 1e-9  # ms


@dataclass(frozen=True)
class Pulse:
    """A constant current (uA/cm2) of some duration (ms); a long one is a step."""

    amplitude: float
    duration: float
    at: float = 0.0

    @property
    def edges(self) -> tuple[float, ...]:
        return (self.at, self.at + self.duration)

    def current(self, t: float) -> tuple[float, float]:
        """Current (uA/cm2) and its slope (uA/cm2/ms) at a time between edges."""
        return (self.amplitude, 0.0) if self.at <= t < self.at + self.duration else (0.0, 0.0)


@dataclass(frozen=True)
class Train:
    """Pulses at a rate (Hz) for some duration (ms)."""

    rate: float
    duration: float
    amplitude: float
    width: float = 0.5
    at: float = 0.0

    @cached_property
    def pulses(self) -> tuple[Pulse, ...]:
        period = 1000.0 / self.rate
        count = max(1, math.floor(self.duration / period + 1e-9))
        return tuple(Pulse(self.amplitude, self.width, self.at + i * period) for i in range(count))

    @property
    def edges(self) -> tuple[float, ...]:
        return tuple(edge for pulse in self.pulses for edge in pulse.edges)

    def current(self, t: float) -> tuple[float, float]:
        index = int((t - self.at) * self.rate / 1000.0)
        return self.pulses[index].current(t) if 0 <= index < len(self.pulses) else (0.0, 0.0)


@dataclass(frozen=True)
class Ramp:
    """A current that goes in a straight line from ``start`` to ``end`` (uA/cm2)."""

    start: float
    end: float
    duration: float
    at: float = 0.0

    @property
    def edges(self) -> tuple[float, ...]:
        return (self.at, self.at + self.duration)

    def current(self, t: float) -> tuple[float, float]:
        slope = (self.end - self.start) / self.duration
        return (self.start + slope * (t - self.at), slope) if self.at <= t < self.at + self.duration else (0.0, 0.0)


@dataclass(frozen=True)
class Noise:
    """Noise current: an Ornstein-Uhlenbeck process of standard deviation ``sd`` (uA/cm2) and correlation time (ms),
    drawn from ``seed`` at five points per correlation time and joined by straight lines."""

    sd: float
    duration: float
    seed: int
    correlation: float = 2.0
    mean: float = 0.0
    at: float = 0.0

    @cached_property
    def samples(self) -> tuple[np.ndarray, np.ndarray]:
        n = max(1, math.ceil(self.duration / (self.correlation / 5)))
        times = self.at + np.linspace(0.0, self.duration, n + 1)
        keep = math.exp(-(self.duration / n) / self.correlation)
        shocks = np.random.default_rng(self.seed).standard_normal(n + 1)
        x = np.empty(n + 1)
        x[0] = shocks[0]
        for i in range(n):
            x[i + 1] = keep * x[i] + math.sqrt(1 - keep**2) * shocks[i + 1]
        return times, self.mean + self.sd * x

    @property
    def edges(self) -> tuple[float, ...]:
        return tuple(self.samples[0])

    def current(self, t: float) -> tuple[float, float]:
        times, x = self.samples
        i = int(np.searchsorted(times, t, side="right")) - 1
        if not 0 <= i < len(times) - 1:
            return 0.0, 0.0
        slope = (x[i + 1] - x[i]) / (times[i + 1] - times[i])
        return float(x[i] + slope * (t - times[i])), float(slope)


@dataclass(frozen=True)
class Clamp:
    """The potential is held at ``V`` (mV) by the voltage clamp."""

    V: float
    duration: float
    at: float = 0.0

    @property
    def edges(self) -> tuple[float, ...]:
        return (self.at, self.at + self.duration)


@dataclass(frozen=True)
class BathChange:
    """From ``at`` on the membrane lies in another bath (components not named go back to control)."""

    bath: Bath
    at: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "bath", Bath(self.bath))

    @property
    def edges(self) -> tuple[float, ...]:
        return (self.at,)


Stimulus = Pulse | Train | Ramp | Noise
Event = Stimulus | Clamp | BathChange
_KINDS: dict[str, type[Any]] = {
    "pulse": Pulse, "step": Pulse, "train": Train, "ramp": Ramp, "noise": Noise, "clamp": Clamp, "bath": BathChange,
}


@dataclass(frozen=True)
class Segment:
    """A stretch of time without an edge inside: current ``I_0 + I_slope (t - start)``, clamp and bath are what they are throughout."""

    start: float
    stop: float
    I_0: float
    I_slope: float
    V: float | None
    bath: Bath | None


@dataclass(frozen=True)
class Protocol:
    """Events and how long to watch (ms). Stimuli that overlap add up."""

    duration: float
    events: tuple[Event, ...] = field(default=())

    def __post_init__(self) -> None:
        _positive("the protocol", "duration", self.duration)
        for event in self.events:
            _check(event)
            if event.at >= self.duration:
                name = type(event).__name__.lower()
                raise ExperimentError(f"{name}: at = {event.at:g} ms lies after the end of the run at {self.duration:g} ms")

    @property
    def stimuli(self) -> tuple[Stimulus, ...]:
        return tuple(e for e in self.events if isinstance(e, Stimulus))

    @property
    def stimulus_start(self) -> float | None:
        """Time at which the first stimulus begins, ms."""
        return min((min(s.edges) for s in self.stimuli), default=None)

    @property
    def stimulus_end(self) -> float | None:
        """Time at which the last stimulus ends, ms."""
        return max((min(max(s.edges), self.duration) for s in self.stimuli), default=None)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The run, cut at every edge."""
        edges = sorted({0.0, self.duration, *(e for event in self.events for e in event.edges if 0 < e < self.duration)})
        cut = [edges[0]]
        for e in edges[1:]:
            if e - cut[-1] > _SAME_EDGE:
                cut.append(e)
        # Each stimulus is asked only where it may flow: a run may hold thousands.
        flowing: list[list[Stimulus]] = [[] for _ in cut]
        for s in self.stimuli:
            first, last = np.searchsorted(cut, (min(s.edges) - _SAME_EDGE, max(s.edges) + _SAME_EDGE))
            for here in flowing[max(0, int(first) - 1) : int(last) + 1]:
                here.append(s)
        clamps_given = [e for e in self.events if isinstance(e, Clamp)]
        baths_given = sorted((e for e in self.events if isinstance(e, BathChange)), key=lambda e: e.at)
        out = []
        for (start, stop), near in zip(pairwise(cut), flowing, strict=False):
            middle = 0.5 * (start + stop)
            parts = [s.current(middle) for s in near]
            slope = sum(p[1] for p in parts)
            current = sum(p[0] for p in parts) - slope * (middle - start)
            clamps = [e.V for e in clamps_given if e.at <= middle < e.at + e.duration]
            baths = [e for e in baths_given if e.at <= middle]
            out.append(Segment(start, stop, current, slope, clamps[-1] if clamps else None, baths[-1].bath if baths else None))
        return tuple(out)

    def to_dict(self) -> dict[str, Any]:
        """As in a protocol file."""
        kinds = {cls: name for name, cls in reversed(_KINDS.items())}
        events = []
        for event in self.events:
            entry: dict[str, Any] = {"kind": kinds[type(event)]}
            for f in fields(event):
                value = getattr(event, f.name)
                entry[f.name] = dict(value.ions) if isinstance(value, Bath) else value
            events.append(entry)
        return {"duration": self.duration, "event": events}


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _positive(what: str, quantity: str, value: float) -> None:
    if not (_is_number(value) and math.isfinite(value) and value > 0):
        raise ExperimentError(f"{what}: {quantity} = {format(value, 'g') if _is_number(value) else repr(value)} has to be above 0")


def _check(event: Event) -> None:
    """Complain about numbers that an event cannot use."""
    name = type(event).__name__.lower()
    for f in fields(event):
        value = getattr(event, f.name)
        if f.name != "bath" and not (_is_number(value) and math.isfinite(value)):
            raise ExperimentError(f"{name}: {f.name} = {value} is not a number that a protocol can use")
    for quantity in ("duration", "rate", "width", "correlation"):
        if hasattr(event, quantity):
            _positive(name, quantity, getattr(event, quantity))
    if event.at < 0:
        raise ExperimentError(f"{name}: at = {event.at:g} ms lies before the start of the run")
    if isinstance(event, Train) and event.width * event.rate > 1000:
        raise ExperimentError(f"train: pulses of {event.width:g} ms overlap at {event.rate:g} Hz")
    if isinstance(event, Noise) and event.sd < 0:
        raise ExperimentError(f"noise: sd = {event.sd:g} is no standard deviation: that is 0 or more")
    if isinstance(event, Noise) and not (isinstance(event.seed, Integral) and event.seed >= 0):
        raise ExperimentError(f"noise: seed = {event.seed} is not a whole number from 0 up")


def protocol(*events: Event, duration: float | None = None, after: float = 20.0) -> Protocol:
    """A protocol of some events that goes on for ``after`` ms beyond the last edge, or lasts ``duration`` ms."""
    for event in events:
        _check(event)
    last = max((e for event in events for e in event.edges), default=0.0)
    return Protocol(last + after if duration is None else duration, tuple(events))


def rest_only(duration: float = 100.0) -> Protocol:
    """Nothing is done."""
    return Protocol(duration)


def from_dict(data: Mapping[str, Any], where: str = "protocol", *, stated: bool = False) -> Protocol:
    """A protocol from {'duration': ms, 'event': [{'kind': 'pulse', 'amplitude': ..., ...}]}. Raises ExperimentError.

    ``stated``: the values of baths are meant as they are, however rare."""
    unknown = set(data) - {"duration", "event"}
    if unknown:
        name = sorted(unknown)[0]
        raise ExperimentError(f"{where}: '{name}' is not known{nearest(name, ('duration', 'event'))}")
    if not _is_number(data.get("duration", 0.0)):
        raise ExperimentError(f"{where}: duration = {data['duration']!r} is not a number of ms")
    entries = data.get("event", [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ExperimentError(f"{where}: events are tables, each begun by a line [[event]]")
    events: list[Event] = []
    for number, entry in enumerate(entries, start=1):
        entry = dict(entry)
        kind = str(entry.pop("kind", None))
        if kind not in _KINDS:
            raise ExperimentError(f"{where}: event {number} has the kind '{kind}'{nearest(kind, _KINDS)}; kinds: {', '.join(_KINDS)}")
        known = [f.name for f in fields(_KINDS[kind])]
        for key, value in entry.items():
            if key not in known:
                raise ExperimentError(f"{where}: event {number} ({kind}) has no '{key}'{nearest(key, known)}; it has {', '.join(known)}")
            if key != "bath" and not _is_number(value):
                raise ExperimentError(f"{where}: event {number} ({kind}): {key} = {value!r} is not a number")
        if "bath" in entry:
            entry["bath"] = Bath.stated(entry["bath"]) if stated and isinstance(entry["bath"], Mapping) else Bath(entry["bath"])
        try:
            events.append(_KINDS[kind](**entry))
        except TypeError as error:
            raise ExperimentError(f"{where}: event {number} ({kind}): {str(error).split('__init__() ')[-1]}") from None
    if "duration" in data:
        return Protocol(float(data["duration"]), tuple(events))
    return protocol(*events)


def read(path: str | Path) -> Protocol:
    """A protocol from a TOML file. Raises ExperimentError that says what is wrong where."""
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows' editors may put a mark in front
    except OSError as error:
        raise ExperimentError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path.name} is not valid TOML: {error}") from None
    return from_dict(data, path.name)
