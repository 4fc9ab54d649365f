"""How a model is declared: scopes inside scopes, each with equations and states.

A name in an equation is looked up as in a program: first in the scope that holds the equation, then in the scopes
around it. What no equation or state defines is a parameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Equation = Callable[..., Any]


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class State:
    """A symbol that a differential equation moves.

    ``symbol``: its name; ``derivative``: the equation of its rate of change; ``unit``; ``guess``: a number near its
    resting value, or the symbol of the parameter that holds one; ``pace``: 'minutes' for what acute experiments hold, 'hours'
    for what is held even while the rest is sought, 'conserved' for what is held then because nothing makes or takes away
    the sum that it belongs to, though it moves in every run; ``store``: name of the ion store that it belongs to, to be frozen together."""

    symbol: str
    derivative: Equation
    unit: str
    guess: float | str
    pace: str = ""
    store: str = ""


@dataclass(frozen=True)
class Gate:
    """A gating variable between 0 and 1, given by its rates ``alpha`` and ``beta``, or by its steady state ``inf`` and time constant ``tau``."""

    symbol: str
    alpha: Equation | None = None
    beta: Equation | None = None
    inf: Equation | None = None
    tau: Equation | None = None
    guess: float = 0.1
    pace: str = ""

    def __post_init__(self) -> None:
        by_rates = self.alpha is not None and self.beta is not None and self.inf is None and self.tau is None
        by_curves = self.inf is not None and self.tau is not None and self.alpha is None and self.beta is None
        if not (by_rates or by_curves):
            raise ValueError(f"gate {self.symbol}: give alpha and beta, or inf and tau")


@dataclass(frozen=True)
class Scope:
    """Equations that share their names.

    ``named``: an equation under a symbol other than its function's name, as {symbol: equation}.
    ``where``: a name in this scope's text -> the symbol around it that is meant.
    ``density``: a parameter -> the factor by which this scope has more or less of it than the scopes around.
    ``suffix``: added to every symbol that the scope defines. ``at_rest``: its gates do not move but stand at their steady state."""

    name: str
    equations: tuple[Equation, ...] = ()
    gates: tuple[Gate, ...] = ()
    states: tuple[State, ...] = ()
    inner: tuple[Scope, ...] = ()
    named: Mapping[str, Equation] = field(default_factory=_nothing)
    where: Mapping[str, str] = field(default_factory=_nothing)
    density: Mapping[str, str] = field(default_factory=_nothing)
    suffix: str = ""
    at_rest: bool = False


class Channel(Scope):
    """The equations of one channel or transporter."""


class Compartment(Scope):
    """A membrane or space, whose symbols carry its suffix."""


@dataclass(frozen=True)
class Model(Scope):
    """The outermost scope, with what experiments need to know about it.

    ``title``, ``citations``: for people. ``potential``: the state that an electrode reads. ``bath``: ion as users name it
    -> parameter. ``parameters``: name of the shipped parameter set. ``stimulus``: parameters that the
    protocol sets. ``traces``: currents that a figure of a run stacks.
    ``axial``, ``section``: where sections of it make a cable, the conductance from one to the next and the parameter that holds
    a section's length.
    ``not_negative``: symbols that must come out positive or zero for the parameters to make sense.
    ``time``: the unit of time. A model that has no ``potential`` is no membrane."""

    title: str = ""
    citations: tuple[str, ...] = ()
    potential: str = "V"
    bath: Mapping[str, str] = field(default_factory=_nothing)
    parameters: str = ""
    stimulus: tuple[str, ...] = ("I_0", "I_slope", "t_0")
    traces: tuple[str, ...] = ()
    axial: str = ""
    section: str = ""
    not_negative: tuple[str, ...] = ()
    time: str = "ms"
