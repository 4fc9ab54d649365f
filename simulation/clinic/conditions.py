"""Conditions: named causes, graded, and what each does to the body, to the serum or to the membrane. They compose."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simulation import parameter_sets
from simulation.assembly.errors import nearest
from simulation.experiment.bath import COMPONENTS
from simulation.experiment.errors import ExperimentError

GRADES = ("mild", "moderate", "severe")
SERUM = ("K", "Na", "Ca", "Mg", "pH", "albumin")  # what may be imposed: totals as a laboratory prints them, mM; g/L


class Grade(BaseModel):
    """What one grade of a condition does. ``body``: knobs of the body model; ``serum``: values that are imposed instead of predicted;
    ``bath``: on top of the serum, around the muscle fibres alone; ``axon``: the set of an axon that is damaged; ``muscle``: parameters of the
    muscle that are changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    body: dict[str, float] = {}
    serum: dict[str, float] = {}
    bath: dict[str, float] = {}
    axon: str = ""
    muscle: dict[str, float] = {}

    @model_validator(mode="after")
    def _known(self) -> Grade:
        for name in self.serum:
            if name not in SERUM:
                raise ValueError(f"serum has no '{name}'{nearest(name, SERUM)}; it has {', '.join(SERUM)}")
        for name in self.bath:
            if name not in COMPONENTS:
                raise ValueError(f"the bath has no '{name}'{nearest(name, COMPONENTS)}")
        return self


class ConditionFile(BaseModel):
    """A condition as its file states it. ``days``: after which it is read, if nothing else is said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    cause: str
    days: float = Field(ge=0)
    default: str = "moderate"
    source: tuple[str, ...] = ()
    note: str
    grades: dict[str, Grade]

    @model_validator(mode="after")
    def _graded(self) -> ConditionFile:
        for grade in self.grades:
            if grade not in GRADES:
                raise ValueError(f"the grade '{grade}' is not known{nearest(grade, GRADES)}; grades: {', '.join(GRADES)}")
        if self.default not in self.grades:
            raise ValueError(f"the default grade '{self.default}' is not there; grades: {', '.join(self.grades)}")
        return self


@dataclass(frozen=True)
class Condition:
    """One condition, or several at once. ``parts``: (file, grade) of each."""

    parts: tuple[tuple[ConditionFile, str], ...]
    body: Mapping[str, float]
    serum: Mapping[str, float]
    bath: Mapping[str, float] = field(default_factory=dict)
    axon: str = "axon"
    muscle: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return "+".join(file.name if grade == file.default else f"{file.name}:{grade}" for file, grade in self.parts)

    @property
    def title(self) -> str:
        return " and ".join(file.title if len(file.grades) == 1 else f"{file.title} ({grade})" for file, grade in self.parts) or "Health"

    @property
    def days(self) -> float:
        """After how long it is read, if nothing else is said: the longest of its parts."""
        return max((file.days for file, _ in self.parts), default=0.0)

    @property
    def predicted(self) -> bool:
        """Whether the body model is asked at all."""
        return bool(self.body)


def folder() -> Path:
    return parameter_sets.folder() / "conditions"


@cache
def files() -> Mapping[str, ConditionFile]:
    """All shipped conditions by name. Raises ExperimentError for a broken file."""
    return {path.stem: _read(path) for path in sorted(folder().glob("*.toml"))}


def _read(path: Path) -> ConditionFile:
    try:
        found = ConditionFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        where = f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}" if first else str(error)
        raise ExperimentError(f"{path.name} is no condition: {where}") from None
    knobs = body_knobs()
    for grade in found.grades.values():
        for symbol in grade.body:
            if symbol not in knobs:
                raise ExperimentError(f"{path.name}: the body model has no '{symbol}'{nearest(symbol, knobs)}")
    return found


@cache
def body_knobs() -> Mapping[str, parameter_sets.Parameter]:
    """Everything of the body model that a condition may change, in its normal state."""
    return parameter_sets.load("body").parameters


def condition(text: str) -> Condition:
    """'thiazide', 'thiazide:severe', 'thiazide+poor_diet', or a file ending in .toml; nothing is health.

    What several parts do to one knob of the body multiplies, or adds up where its normal value is 0 or it is pH; what is imposed
    twice with different values is refused. Raises ExperimentError."""
    parts: list[tuple[ConditionFile, str]] = []
    for item in filter(None, (part.strip() for part in text.split("+"))):
        name, _, grade = item.partition(":") if not item.endswith(".toml") else (item, "", "")
        file = _read(Path(name)) if name.endswith(".toml") else _named(name)
        grade = grade or file.default
        if grade not in file.grades:
            raise ExperimentError(f"{file.name} has no grade '{grade}'{nearest(grade, file.grades)}; grades: {', '.join(file.grades)}")
        if any(file.name == other.name for other, _ in parts):
            raise ExperimentError(f"'{text}' names {file.name} twice")
        parts.append((file, grade))
    grades = [(file.name, file.grades[grade]) for file, grade in parts]
    body: dict[str, float] = {}
    for _, g in grades:
        for symbol, value in g.body.items():
            body[symbol] = _both(symbol, body.get(symbol), value)
    merged: dict[str, Any] = {
        kind: _imposed(text, [(name, getattr(g, kind)) for name, g in grades]) for kind in ("serum", "bath", "muscle")
    }
    axons = {g.axon for _, g in grades if g.axon}
    if len(axons) > 1:
        raise ExperimentError(f"'{text}' asks for two kinds of axon at once: {' and '.join(sorted(axons))}")
    return Condition(tuple(parts), body, axon=axons.pop() if axons else "axon", **merged)


def _named(name: str) -> ConditionFile:
    if name not in files():
        raise ExperimentError(f"there is no condition '{name}'{nearest(name, files())}; cramplab conditions lists them")
    return files()[name]


def _both(symbol: str, before: float | None, value: float) -> float:
    if before is None:
        return value
    neutral = body_knobs()[symbol].value
    return before + value - neutral if neutral == 0 or symbol == "pH" else before * value / neutral


def _imposed(text: str, parts: list[tuple[str, Mapping[str, float]]]) -> dict[str, float]:
    out: dict[str, float] = {}
    whose: dict[str, str] = {}
    for name, values in parts:
        for symbol, value in values.items():
            if out.get(symbol, value) != value:
                raise ExperimentError(f"'{text}' cannot be: {whose[symbol]} imposes {symbol} = {out[symbol]:g}, {name} {symbol} = {value:g}")
            out[symbol], whose[symbol] = value, name
    return out
