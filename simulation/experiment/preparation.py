"""A preparation: one model with its numbers in its bath, ready for an experiment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from simulation import models, parameter_sets
from simulation.assembly.bind import Bound
from simulation.assembly.compile import Array, Kernel, compile_model
from simulation.assembly.errors import nearest
from simulation.experiment.bath import Bath
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.parameter_sets import ParameterSet

MODES = ("chronic", "acute")


@dataclass(frozen=True, eq=False, repr=False)
class Preparation:
    """A model, its parameters and its bath.

    ``mode``: 'chronic', everything has come to rest in this bath, or 'acute', the slow gates and the myoplasm's ions stay as
    they were in the control bath. ``frozen``: ion stores that stay as they are in the control bath, whatever flows."""

    kernel: Kernel
    parameters: ParameterSet
    bath: Bath = field(default_factory=Bath)
    mode: str = "chronic"
    frozen: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ExperimentError(f"the mode '{self.mode}' is not known{nearest(self.mode, MODES)}; modes: {', '.join(MODES)}")
        stores = dict.fromkeys(s.store for s in self.bound.states if s.store)
        for name in self.frozen:
            if name not in (*stores, "ions"):
                where = f"stores of {self.bound.name}: {', '.join(stores)}, or 'ions' for all" if stores else f"{self.bound.name} has none"
                raise ExperimentError(f"there is no ion store '{name}'{nearest(name, stores)}; {where}")
        for name, _ in self.bath:
            if name not in self.bound.model.bath:
                has = ", ".join(self.bound.model.bath)
                raise ExperimentError(f"the bath of {self.bound.name} has no {name}: it has {has}; other numbers are set with --set SYMBOL=VALUE")

    def __repr__(self) -> str:
        """Short: its numbers would fill pages."""
        changed = [f"{symbol} {how}" for symbol, how in self.parameters.changed.items()]
        held = [f"held: {', '.join(self.frozen)}"] if self.frozen else []
        return f"<{self.parameters.name} in {str(self.bath) or 'the control bath'}; {'; '.join([self.mode, *changed, *held])}>"

    @property
    def bound(self) -> Bound:
        return self.kernel.bound

    @property
    def states(self) -> tuple[str, ...]:
        return tuple(s.symbol for s in self.bound.states)

    @property
    def potential(self) -> int:
        """Position of the membrane potential among the states."""
        return self.bound.index(self.bound.model.potential)

    def numbers(self, bath: Bath | None = None) -> dict[str, float]:
        """Every parameter of the model by symbol, in its units, without stimulus."""
        out = self.parameters.values(self.bound.parameters) | dict.fromkeys(self.bound.model.stimulus, 0.0)
        for name, value in self.bath if bath is None else bath:
            symbol = self.bound.model.bath[name]
            out[symbol] = value + parameter_sets.ZERO_CELSIUS if name == "T" else value
        return out

    @cached_property
    def values(self) -> Array:
        """What the compiled functions want of the parameters. Raises ModelSaysNo for parameters that make no sense together."""
        values = self.kernel.prepare(self.numbers())
        reason = self.senseless(values)
        if reason:
            raise ModelSaysNo(reason)
        return values

    def senseless(self, values: Array) -> str:
        """Why prepared parameters make no sense together; empty if they do."""
        for name in self.bound.model.not_negative:
            value = values[self.kernel.emitted.values.index(name)]
            if value < 0:
                unit = self.bound.units[name]
                return f"these parameters make no {self.bound.name}: {name} would have to be {value:.3g} {unit}, below zero"
        return ""

    @property
    def whole_bath(self) -> dict[str, float]:
        """The bath with every component, also those left at control, in mM (T in degC)."""
        given = dict(self.bath)
        return {name: given.get(name, self.parameters[symbol].value) for name, symbol in self.bound.model.bath.items()}

    def describe(self) -> dict[str, Any]:
        """What defines this preparation, enough to make it again."""
        return {
            "cramplab": version_here(),
            "model": self.bound.name,
            "equations": self.kernel.emitted.digest,
            "parameter_set": self.parameters.name,
            "changed": dict(self.parameters.changed),
            "parameters": {s: x.value for s, x in self.parameters.parameters.items()},
            "units": {s: x.unit for s, x in self.parameters.parameters.items()},
            "bath": dict(self.bath),
            "mode": self.mode,
            "frozen": list(self.frozen),
        }

    @cached_property
    def held(self) -> frozenset[int]:
        """Positions of states that do not move in this preparation."""
        return frozenset(
            i for i, s in enumerate(self.bound.states)
            if (s.store and (s.store in self.frozen or "ions" in self.frozen)) or (self.mode == "acute" and s.pace in ("minutes", "hours"))
        )

    @cached_property
    def held_at_rest(self) -> frozenset[int]:
        """Positions of states that are held while the rest is sought: also those that take hours, and one of each sum that is conserved."""
        return self.held | {i for i, s in enumerate(self.bound.states) if s.pace in ("hours", "conserved")}

    @cached_property
    def control(self) -> Preparation:
        """The same membrane in the control bath of its parameter set, everything equilibrated."""
        return replace(self, bath=Bath(), mode="chronic", frozen=()) if self.bath or self.mode != "chronic" or self.frozen else self

    def guess(self) -> Array:
        """A state near rest, from the declared guesses."""
        numbers = self.numbers()
        return np.array([numbers[s.guess] if isinstance(s.guess, str) else s.guess for s in self.bound.states])

    def beside(self, state: Array, mV: float) -> Array:
        """A state whose potential lies so far from that of another, so that an unstable one is left."""
        out = state.copy()
        out[self.potential] += mV
        return out

    def in_bath(self, bath: Bath | Mapping[str, float] | str | None = None, **ions: float) -> Preparation:
        """The same membrane in another bath."""
        return replace(self, bath=Bath(bath, **ions))

    def with_values(self, values: Mapping[str, float]) -> Preparation:
        """The same with other parameter values (see ParameterSet.with_values)."""
        self._not_in_bath(values)
        return replace(self, parameters=self.parameters.with_values(values))

    def _not_in_bath(self, symbols: Iterable[str]) -> None:
        known_bath = {symbol: name for name, symbol in self.bound.model.bath.items()}
        for symbol in symbols:
            if symbol in known_bath and known_bath[symbol] in dict(self.bath):
                raise ExperimentError(f"{symbol} is set twice: in the bath as {known_bath[symbol]} and as a parameter")

    def scaled(self, factors: Mapping[str, float]) -> Preparation:
        """The same with some parameters multiplied."""
        self._not_in_bath(factors)
        return replace(self, parameters=self.parameters.scaled(factors))


def prepare(
    model: str,
    bath: Bath | Mapping[str, float] | str | None = None,
    *,
    set: Mapping[str, float] | None = None,
    scale: Mapping[str, float] | None = None,
    freeze: tuple[str, ...] | str = (),
    mode: str = "chronic",
    parameters: str | Path | None = None,
    kernel: str | None = None,
) -> Preparation:
    """A preparation of the named model or parameter set.

    ``model``: 'squid', 'fibre', or a parameter set such as 'fibre_hypopp'; ``bath``: what differs from control, as
    'K=2.5,Ca=0.6' or {'K': 2.5}; ``set`` and ``scale``: parameters replaced and multiplied; ``freeze``: ion stores that
    stay as they are; ``kernel``: 'llvm' or 'plain'. Raises ModelError, ParameterError or ExperimentError."""
    if model not in models.names():
        if parameters is not None or (model not in parameter_sets.available() and not model.endswith(".toml")):
            models.get(model)
        parameters = model
    numbers = parameter_sets.load(parameters or models.get(model).parameters)
    if parameters is not None and model in models.names() and numbers.model != model:
        raise ExperimentError(f"the parameter set '{numbers.name}' is for the model '{numbers.model}', not for '{model}'")
    bound = models.bound(numbers.model)
    if not bound.model.potential:
        raise ExperimentError(f"{bound.name} is no membrane: simulation.{bound.name}() makes one in Python, and cramplab equations {bound.name} "
                              "shows what it says")
    bound.check_parameters([*numbers.parameters, *bound.model.stimulus])
    frozen = (freeze,) if isinstance(freeze, str) else tuple(freeze)
    out = Preparation(compile_model(bound, kernel), numbers, Bath(bath), mode, frozen)
    return out.with_values(set or {}).scaled(scale or {})


def version_here() -> str:
    """The version of this program, for the provenance of what it makes."""
    try:
        return version("cramplab")
    except PackageNotFoundError:
        return "not installed"
