"""Names bound to what they mean: a declared model becomes an ordered list of definitions, states and parameters."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from simulation.assembly.declare import Equation, Gate, Model, Scope, State
from simulation.assembly.errors import ModelError, nearest
from simulation.assembly.trace import Expr, as_expr, symbol, symbols_in
from simulation.physiology import gating
from simulation.physiology.vocabulary import Unit, Value

TIME = "t"


@dataclass(frozen=True)
class Definition:
    """A symbol and the equation that defines it.

    ``arguments``: the equation's own argument names -> symbols that they are bound to. ``unit``: of the symbol.
    ``argument_units``: what the equation wants (empty for generic equations). ``expression``: its trace."""

    symbol: str
    equation: Equation
    arguments: Mapping[str, str]
    unit: str
    argument_units: Mapping[str, str]
    expression: Expr
    scope: str

    @property
    def text(self) -> str:
        """First line of the equation's docstring."""
        return (inspect.getdoc(self.equation) or "").split("\n\n")[0].replace("\n", " ")


@dataclass(frozen=True, eq=False)
class Bound:
    """A model with every name resolved.

    ``definitions``: in an order in which each needs only earlier ones. ``states``: with flat symbols;
    ``derivatives[i]``: symbol of the rate of change of ``states[i]``. ``parameters``: symbol -> unit."""

    model: Model
    definitions: tuple[Definition, ...]
    states: tuple[State, ...]
    derivatives: tuple[str, ...]
    gates: tuple[str, ...]
    parameters: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def current_unit(self) -> str:
        """Unit of the model's currents, as of its stimulus: per area (uA/cm2), or of the whole cell (pA)."""
        return self.parameters[self.model.stimulus[0]]

    @cached_property
    def units(self) -> Mapping[str, str]:
        """Unit of every symbol."""
        out = {TIME: self.model.time, **self.parameters, **{s.symbol: s.unit for s in self.states}}
        return out | {d.symbol: d.unit for d in self.definitions}

    @cached_property
    def constant(self) -> frozenset[str]:
        """Definitions that depend on parameters alone."""
        moving = {TIME, *(s.symbol for s in self.states)}
        for d in self.definitions:
            if symbols_in(d.expression) & moving:
                moving.add(d.symbol)
        return frozenset(d.symbol for d in self.definitions) - moving

    def index(self, state: str) -> int:
        """Position of a state, or a ModelError with the nearest names."""
        names = [s.symbol for s in self.states]
        if state not in names:
            raise ModelError(f"{self.name} has no state '{state}'{nearest(state, names)}")
        return names.index(state)

    def definition(self, name: str) -> Definition:
        for d in self.definitions:
            if d.symbol == name:
                return d
        known = [d.symbol for d in self.definitions]
        raise ModelError(f"{self.name} has no equation for '{name}'{nearest(name, known)}")

    def check_parameters(self, given: Iterable[str]) -> None:
        """Complain about parameters that are lacking or that nothing uses."""
        given = set(given)
        lacking = [p for p in self.parameters if p not in given]
        known = {d.symbol for d in self.definitions} | {s.symbol for s in self.states} | given
        if lacking:
            users = [d for d in self.definitions if lacking[0] in d.arguments.values()]
            where = f"in the equation {users[0].symbol} ({users[0].scope})" if users else "as a factor of density"
            raise ModelError(
                f"unknown name '{lacking[0]}' {where} of {self.name}: "
                f"no equation, state or parameter has that name{nearest(lacking[0], known)}"
            )
        unused = sorted(given - set(self.parameters))
        if unused:
            raise ModelError(f"nothing in {self.name} uses the parameter '{unused[0]}'{nearest(unused[0], self.parameters)}")


def units_of(equation: Equation) -> dict[str, str]:
    """Argument names -> units, and 'return' -> unit, as the equation declares them."""
    hints = typing.get_type_hints(equation, include_extras=True)
    units = {}
    for name, hint in hints.items():
        for mark in getattr(hint, "__metadata__", ()):
            if isinstance(mark, Unit):
                units[name] = mark.name
    return units


@dataclass
class _Pending:
    symbol: str
    equation: Equation
    local: Mapping[str, str]  # argument -> name in the scope's text
    unit: str
    argument_units: Mapping[str, str]
    scope: _Names


class _Names:
    """Lookup of names in one scope, then in those around it."""

    def __init__(self, scope: Scope, outer: _Names | None) -> None:
        self.scope, self.outer = scope, outer
        # A channel has no suffix: what it defines belongs to the compartment around it.
        self.defined: dict[str, str] = {} if scope.suffix or outer is None else outer.defined
        self.suffix: str = (outer.suffix if outer else "") + (f"_{scope.suffix}" if scope.suffix else "")
        self.at_rest: bool = scope.at_rest or (outer is not None and outer.at_rest)
        self.taken: set[str] = outer.taken if outer else set()  # flat names of the whole model

    def define(self, name: str, flat: str = "") -> str:
        flat = flat or name + self.suffix
        if name in self.defined or flat in self.taken:
            raise ModelError(f"'{flat}' is defined twice (the second time in {self.scope.name})")
        self.taken.add(flat)
        self.defined[name] = flat
        return flat

    def resolve(self, name: str) -> str:
        if name in self.scope.where:
            meant = self.scope.where[name]
            return self.outer.resolve(meant) if self.outer else meant
        if name in self.defined:
            return self.defined[name]
        return self.outer.resolve(name) if self.outer else name


def bind(model: Model) -> Bound:
    """Resolve every name of a model.

    Raises ModelError for a cycle, a name defined twice, or a parameter wanted in two different units."""
    pending: list[_Pending] = []
    states: list[State] = []
    derivatives: list[str] = []
    gates: list[str] = []

    def add(
        names: _Names, name: str, equation: Equation, rename: Mapping[str, str] | None = None, unit: str | None = None, flat: str = ""
    ) -> str:
        units = units_of(equation)
        local = {a: (rename or {}).get(a, a) for a in inspect.signature(equation).parameters}
        unit = unit or units.get("return")
        if unit is None:
            raise ModelError(f"the equation {equation.__name__} does not say the unit of its result")
        flat = names.define(name, flat)
        pending.append(_Pending(flat, equation, local, unit, {k: v for k, v in units.items() if k != "return"}, names))
        return flat

    def add_rate(names: _Names, x: str, equation: Equation, rename: Mapping[str, str] | None = None, unit: str | None = None) -> None:
        derivatives.append(add(names, f"d{x}_dt", equation, rename, unit, flat=f"d{x}{names.suffix}_dt"))

    def add_state(names: _Names, state: State) -> None:
        flat = names.define(state.symbol)
        guess = names.resolve(state.guess) if isinstance(state.guess, str) else state.guess
        states.append(State(flat, state.derivative, state.unit, guess, state.pace, state.store))

    def add_gate(names: _Names, gate: Gate) -> None:
        x = gate.symbol
        if not names.at_rest:
            add_state(names, State(x, lambda: None, "1", gate.guess, gate.pace))
            gates.append(states[-1].symbol)
        # A gate that does not move is its own steady state.
        steady = x if names.at_rest else f"{x}_inf"
        own = {"x": x, "x_inf": f"{x}_inf", "tau_x": f"tau_{x}", "alpha_x": f"alpha_{x}", "beta_x": f"beta_{x}"}
        if gate.alpha is not None and gate.beta is not None:
            add(names, f"alpha_{x}", gate.alpha)
            add(names, f"beta_{x}", gate.beta)
            add(names, steady, gating.steady_state, own, "1")
            if not names.at_rest:
                add(names, f"tau_{x}", gating.time_constant, own, "ms")
                add_rate(names, x, gating.opening_and_closing, own, "1/ms")
        elif gate.inf is not None and gate.tau is not None:
            add(names, steady, gate.inf)
            if not names.at_rest:
                add(names, f"tau_{x}", gate.tau)
                add_rate(names, x, gating.relaxation, own, "1/ms")

    def visit(scope: Scope, outer: _Names | None) -> None:
        names = _Names(scope, outer)
        for parameter, factor in scope.density.items():
            above = (outer or names).resolve(parameter)

            def scaled(factor: Value, outside: Value) -> Value:
                """Density in this compartment, as a share of that around it."""
                return factor * outside

            flat = names.define(parameter)
            pending.append(_Pending(flat, scaled, {"factor": factor, "outside": above}, "", {}, names))
        for equation in scope.equations:
            add(names, equation.__name__, equation)
        for name, equation in scope.named.items():
            add(names, name, equation)
        for gate in scope.gates:
            add_gate(names, gate)
        for state in scope.states:
            add_state(names, state)
            add_rate(names, state.symbol, state.derivative)
        for inner in scope.inner:
            visit(inner, names)

    visit(model, None)
    return _order(model, pending, states, derivatives, gates)


def _order(model: Model, pending: list[_Pending], states: list[State], derivatives: list[str], gates: list[str]) -> Bound:
    by_symbol = {p.symbol: p for p in pending}
    state_names = {s.symbol for s in states}
    bound_to: dict[str, dict[str, str]] = {}
    for p in pending:
        if p.equation.__name__ == "scaled" and not p.unit:  # the outside density is already a flat symbol
            bound_to[p.symbol] = {"factor": p.scope.resolve(p.local["factor"]), "outside": p.local["outside"]}
        else:
            bound_to[p.symbol] = {a: p.scope.resolve(n) for a, n in p.local.items()}

    graph = {s: [n for n in args.values() if n in by_symbol] for s, args in bound_to.items()}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        path = " -> ".join(reversed(error.args[1]))
        raise ModelError(f"the equations of {model.name} go in a circle: {path}") from None
    # Stable order: as declared, but never before what is needed.
    position = {p.symbol: i for i, p in enumerate(pending)}
    depth: dict[str, int] = {}
    for s in order:
        depth[s] = max((depth[n] for n in graph[s]), default=-1) + 1
    order.sort(key=lambda s: (depth[s], position[s]))

    parameters: dict[str, str] = {}
    wanted_by: dict[str, str] = {}

    def want(name: str, unit: str | None, by: str) -> None:
        if name in state_names or name in by_symbol or name == TIME:
            return
        unit = unit or parameters.get(name, "")
        if parameters.get(name) not in (None, "", unit):
            raise ModelError(
                f"{by} wants the parameter '{name}' in {unit}, {wanted_by[name]} wants it in {parameters[name]}"
            )
        parameters[name] = unit
        wanted_by[name] = by

    definitions = []
    for p in sorted(pending, key=lambda p: p.unit != ""):
        for argument, name in bound_to[p.symbol].items():
            unit = "1" if argument == "factor" and not p.unit else p.argument_units.get(argument)
            want(name, unit, p.symbol)
    for state in states:
        if isinstance(state.guess, str):
            want(state.guess, state.unit, f"the state {state.symbol}")
    units_of_densities = {}
    for p in pending:
        if not p.unit:
            outside = bound_to[p.symbol]["outside"]
            units_of_densities[p.symbol] = by_symbol[outside].unit if outside in by_symbol else parameters.get(outside, "")
    for s in order:
        p = by_symbol[s]
        arguments = bound_to[s]
        try:
            expression = as_expr(p.equation(**{a: symbol(n) for a, n in arguments.items()}))
        except TypeError as error:
            raise ModelError(f"the equation {p.equation.__name__} for {s} cannot be traced: {error}") from None
        definitions.append(
            Definition(s, p.equation, arguments, p.unit or units_of_densities[s], p.argument_units, expression, p.scope.scope.name)
        )
    return Bound(model, tuple(definitions), tuple(states), tuple(derivatives), tuple(gates), parameters)
