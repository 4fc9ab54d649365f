"""A finding: one experiment on membrane, motor unit or body, what comes out of it, and whether that speaks for a claim or against it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulation import models, parameter_sets
from simulation.assembly.errors import nearest
from simulation.clinic import course
from simulation.clinic.conditions import Condition, condition
from simulation.experiment import cramp
from simulation.experiment.bath import COMPONENTS, Bath
from simulation.experiment.errors import ModelSaysNo
from simulation.experiment.junction import junction
from simulation.experiment.motor_unit import Drive, MotorUnit, Rate, Stretch, UnitRun, run_unit, unit
from simulation.experiment.preparation import prepare
from simulation.experiment.protocol import Pulse, protocol
from simulation.experiment.solve import run
from simulation.studies import population, validation
from simulation.studies.validation import Trial

Side = Literal["for", "against", "neither"]
Interval = tuple[float, float]


class Changes(BaseModel):
    """What is done to a set of numbers: parameters replaced and multiplied."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    set: str = ""
    values: dict[str, float] = {}
    scale: dict[str, float] = {}


class Off(Changes):
    """A finding with the mechanism behind it switched off. ``values``, ``scale``, ``set``: another membrane; ``stages``: of the motor unit;
    ``body``: knobs of the body; ``change``: what is done beside the deviation and takes its effect away; ``bath``: instead of the deviation's."""

    stages: dict[str, Changes] = {}
    change: dict[str, float] = {}
    body: dict[str, float] = {}
    bath: dict[str, float] | None = None


@dataclass(frozen=True)
class Robust:
    """Of how many plausible membranes how many say the same, with an exact 95 % interval of the share."""

    members: int
    same: int
    interval: tuple[float, float]


_OF_MEMBERS: Mapping[str, Callable[[population.Population, str, Any], Any]] = {
    "threshold": lambda found, bath, rest: 100 * (found.ratio(bath) - 1),
    "spontaneous_spikes": lambda found, bath, rest: found.of("spontaneous", bath),
    "rest": lambda found, bath, rest: found.of("rest", bath) - rest,
}


class UnitTrial(BaseModel):
    """A motor unit: baths and changes by stage, and its drive, as (rate in Hz, duration in ms) with an optional stretch (ms)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    baths: dict[str, dict[str, float]] = {}
    stages: dict[str, Changes] = {}
    drive: tuple[float, float] | None = None
    stretch: tuple[float, float] | None = None
    duration: float = 2000.0


class Finding(Trial):
    """An experiment, and the results that speak for or against a claim.

    ``bath``, ``change``: the deviation that is tried (what is left out is the control); ``values``, ``scale``: the membrane that it is
    tried on, ``than`` the set of the control where that is another one. ``relative``: how the result is held against the control. A result
    inside ``speaks_for`` or ``against`` says so, any other says neither. ``off``: the same with the mechanism switched off. ``built_in``: why
    the result is no evidence, where the model was tuned or picked to show it. ``curve``: of the figure, a component of the bath or a
    parameter and its values.

    ``condition``: what the body comes to after ``days`` (those of the condition if not given) under ``treat`` is the bath, against health;
    ``body``: further knobs of it; ``symbol``: the value of the serum that is read off."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: str
    text: str
    shown: str = Field(description="unit of the result, 1 for none")
    change: dict[str, float] = Field(default={})
    condition: str | None = None
    days: float | None = None
    treat: tuple[str, ...] = ()
    body: dict[str, float] = Field(default={})
    symbol: str = ""
    than: str = ""
    relative: Literal["", "percent", "difference"] = ""
    speaks_for: Interval | None = Field(default=None, alias="for")
    against: Interval | None = None
    off: Off = Off()
    built_in: str = ""
    motor_unit: UnitTrial = UnitTrial()
    curve: dict[str, tuple[float, ...]] = Field(default={})

    @model_validator(mode="after")
    def _sensible(self) -> Finding:
        if self.speaks_for is None and self.against is None:
            raise ValueError(f"{self.id} says for no result what it means")
        known = [*validation.measures(), *MEASURES]
        if self.measure not in known:
            raise ValueError(f"{self.id} has the measure '{self.measure}'{nearest(self.measure, known)}")
        return self

    def side(self, value: float) -> Side:
        """What a result says. NaN, a model without an answer, says nothing."""
        for side, interval in (("for", self.speaks_for), ("against", self.against)):
            if interval is not None and interval[0] <= value <= interval[1]:
                return side  # type: ignore[return-value]
        return "neither"

    def switched_off(self) -> Finding:
        """The same experiment without the mechanism."""
        off = self.off
        stages = {s: _both(self.motor_unit.stages.get(s), off.stages.get(s)) for s in {*self.motor_unit.stages, *off.stages}}
        return self.model_copy(update={
            "set": off.set or self.set, "values": {**self.values, **off.values}, "scale": {**self.scale, **off.scale},
            "bath": self.bath if off.bath is None else off.bath, "change": {**self.change, **off.change}, "body": {**self.body, **off.body},
            "motor_unit": self.motor_unit.model_copy(update={"stages": stages}),
        })

    def at(self, name: str, value: float) -> Finding:
        """The same experiment with another value of a component of the bath, or of a parameter."""
        where = "bath" if name in COMPONENTS else "change"
        return self.model_copy(update={where: {**getattr(self, where), name: value}})

    def control(self) -> Finding:
        """The same membrane without the deviation."""
        unit = self.motor_unit.model_copy(update={"baths": {}})
        healthy = {} if self.condition is None else {"condition": "", "body": {}, "treat": ()}
        return self.model_copy(update={"set": self.than or self.set, "bath": {}, "change": {}, "motor_unit": unit, **healthy})

    def value(self) -> float:
        """The result; NaN where the model has none. Raises ExperimentError for what cannot be set."""
        try:
            here = self._measured()
            there = self.control()._measured() if self.relative else 0.0
        except ModelSaysNo:
            return math.nan
        return 100 * (here / there - 1) if self.relative == "percent" else here - there

    def among(self, count: int, side: Side) -> Robust | None:
        """How many of ``count`` plausible membranes come out on this side; None where no population is drawn for this experiment."""
        if self.set not in ("axon", "fibre") or self.measure not in _OF_MEMBERS or self.values or self.scale or self.change or self.than:
            return None
        crowd = population.members(prepare(self.set), count)
        found, bath = crowd.in_bath(self._in_the_body().get("bath", self.bath))
        results = _OF_MEMBERS[self.measure](found, bath, np.asarray(crowd.own["rest"]))
        same = sum(self.side(float(x)) == side for x in results)
        return Robust(count, same, population.exact_interval(same, count))

    def asked(self) -> Condition:
        """The condition, with the further knobs of the body."""
        known = condition(self.condition or "")
        return replace(known, body={**known.body, **self.body})

    def _in_the_body(self) -> dict[str, Any]:
        """Bath and set of a membrane that lies in what the body comes to."""
        if self.condition is None:
            return {}
        asked = self.asked()
        bath = {**course.bath_after(asked, self.days), **(asked.bath if self.set != "axon" else {})}
        known = models.get(parameter_sets.load(self.set).model).bath
        return {"bath": {k: v for k, v in bath.items() if k in known}, "set": asked.axon if self.set == "axon" else self.set}

    def _measured(self) -> float:
        tried = self.model_copy(update={"values": {**self.values, **self.change}, **({} if self.measure in _OF_BODY else self._in_the_body())})
        return float(MEASURES[self.measure](tried)) if self.measure in MEASURES else validation.read(tried)


def _both(a: Changes | None, b: Changes | None) -> Changes:
    a, b = a or Changes(), b or Changes()
    return Changes(set=b.set or a.set, values={**a.values, **b.values}, scale={**a.scale, **b.scale})


# ---- measures that the validation table does not have

def made(asked: UnitTrial) -> MotorUnit:
    """The motor unit that is described. Raises ExperimentError."""
    baths = {stage: Bath.stated(bath) for stage, bath in asked.baths.items()}
    sets = {stage: c.set for stage, c in asked.stages.items() if c.set}
    plain = unit(sets.get("axon", "axon"), sets.get("junction", "junction"), sets.get("muscle", "muscle"))
    parts: dict[str, Any] = {"axon": plain.axon, "muscle": plain.muscle}
    for stage in parts:
        if stage in asked.stages:
            parts[stage] = parts[stage].with_values(asked.stages[stage].values).scaled(asked.stages[stage].scale)
    of_junction = asked.stages.get("junction", Changes())
    own = junction(of_junction.set or "junction", set={**of_junction.values})
    out = unit(parts["axon"], own, parts["muscle"], baths=baths)
    if "motoneuron" in asked.stages:
        out = replace(out, motoneuron=out.motoneuron.with_values(asked.stages["motoneuron"].values))
    return out


def _run(f: Finding) -> UnitRun:
    return _unit_run(f.motor_unit.model_dump_json())


@cache
def _unit_run(recipe: str) -> UnitRun:
    asked = UnitTrial.model_validate_json(recipe)
    rates = (Rate(*asked.drive),) if asked.drive else ()
    stretches = (Stretch(*asked.stretch),) if asked.stretch else ()
    return run_unit(made(asked), Drive(rates, stretches=stretches), asked.duration)


def _spikes_while_stretched(f: Finding) -> float:
    """Spikes of the axon from the stretch on until it ends."""
    assert f.motor_unit.stretch is not None
    duration, at = f.motor_unit.stretch
    spikes = _run(f).axon.spikes
    return float(((spikes >= at) & (spikes < at + duration)).sum())


def _excitable(f: Finding) -> float:
    """1 if a strong pulse evokes a spike, else 0."""
    return float(bool(run(f.preparation(), protocol(Pulse(1000, 0.5, at=1), after=20)).features.spikes))


def _release(f: Finding) -> float:
    """Release of the junction relative to its reference bath."""
    return junction(f.set, Bath.stated(f.bath), set=dict(f.values)).release


def _serum(f: Finding) -> float:
    """A value of the serum at the end."""
    return course.serum_after(f.asked(), f.days)[f.symbol]


def _recovery(f: Finding) -> float:
    """Days from the first treatment until nine tenths of what a value of the serum had fallen are made up for; NaN if they are not."""
    given = [course.parse_treatment(text) for text in f.treat]
    begin = min(t.day for t in given)
    assert f.days is not None
    found = course.run_body(f.asked(), f.days, given)
    y, start = np.asarray(found[course.SERUM[f.symbol][0]]), course.serum_after(condition(""))[f.symbol]
    lowest = float(np.interp(begin, found.t, y))
    back = np.flatnonzero((found.t > begin) & ((y - lowest) / (start - lowest) >= 0.9))
    return float(found.t[back[0]] - begin) if len(back) else math.nan


_OF_BODY = ("serum", "recovery_days")
MEASURES: Mapping[str, Callable[[Finding], float]] = {
    "serum": _serum,
    "recovery_days": _recovery,
    "excitable": _excitable,
    "release": _release,
    "unit_peak_force": lambda f: float(_run(f).force.max()),
    "unit_involuntary_force": lambda f: cramp.measure(_run(f)).involuntary_peak,
    "unit_muscle_spikes": lambda f: float(len(_run(f).muscle.spikes)),
    "unit_axon_spikes": lambda f: float(len(_run(f).axon.spikes)),
    "unit_safety": lambda f: made(f.motor_unit).safety_factor,
    "spikes_while_stretched": _spikes_while_stretched,
}
