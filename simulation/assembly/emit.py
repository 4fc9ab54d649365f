"""Readable Python source from a bound model: what ``cramplab equations MODEL --source`` prints and what is compiled.

Four functions over flat arrays of floats:

* ``prepare(params, values)`` copies the parameters and works out, once, all that depends on them alone;
* ``rhs(t, state, values, rate)`` the rates of change;
* ``jacobian(t, state, values, matrix)`` their derivatives, by the chain rule along the same equations;
* ``observe(t, state, values, out)`` every symbol that an equation defines.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from simulation.assembly.bind import TIME, Bound
from simulation.assembly.errors import ModelError
from simulation.assembly.trace import ONE, UNKNOWN, Derivatives, Expr, gradient, symbol, symbols_in
from simulation.physiology.vocabulary import Constant

_RANK = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 2, "**": 4}
_COSTLY = ("call", "**", "/", "root")
_CHOICES = ("at_least", "at_most", "step")
_OWN_NAMES = {TIME, UNKNOWN, "state", "values", "rate", "matrix", "out", "params", "exp", "expm1", "log", "sqrt", "linoid", "dlinoid", *_CHOICES}

_PREAMBLE = '''
from math import exp, expm1, log, sqrt


def linoid(x):
    """x/(1 - exp(-x)), 1 at x = 0."""
    if abs(x) < 1e-5:
        return 1.0 + x / 2.0 + x * x / 12.0
    return -x / expm1(-x)


def dlinoid(x):
    """Derivative of linoid, 1/2 at x = 0."""
    if abs(x) < 0.05:
        return 0.5 + x / 6.0 - x**3 / 180.0 + x**5 / 5040.0
    return linoid(x) * (1.0 - linoid(-x)) / x
'''

# What stands before a model that needs it only: the text of the others, by which their compiled code is known, stays as it was.
_CHOOSING = '''

def at_least(x, low):
    return low if low > x else x


def at_most(x, high):
    return high if high < x else x


def step(x):
    return 1.0 if x > 0.0 else 0.0
'''


def to_text(e: Expr, name_of: Callable[[Expr], str | None] = lambda e: None, rank: int = 0) -> str:
    """An expression as Python text; ``name_of`` may give a name for a part that is already worked out."""
    known = name_of(e)
    if known is not None:
        return known
    if e.op == "symbol":
        return str(e.args[0])
    if e.op == "number":
        text = repr(e.args[0])
        return f"({text})" if text.startswith("-") and rank > 1 else text
    if e.op == "constant":
        constant: Constant = e.args[0]
        return constant.symbol if constant.symbol.isidentifier() else repr(float(constant))
    if e.op == "call":
        return f"{e.args[0]}({', '.join(to_text(x, name_of) for x in e.args[1:])})"
    if e.op == "root":
        return f"{_solver_name(e)}({', '.join(sorted(symbols_in(e)))})"
    own = _RANK[e.op]
    if e.op == "neg":
        text = f"-{to_text(e.args[0], name_of, own + 1)}"
    elif e.op == "**":
        text = f"{to_text(e.args[0], name_of, own + 1)}**{_exponent(e.args[1], name_of, own)}"
    else:
        right = own + (e.op in "-/")
        text = f"{to_text(e.args[0], name_of, own)} {e.op} {to_text(e.args[1], name_of, right)}"
    return f"({text})" if own < rank else text


def _exponent(e: Expr, name_of: Callable[[Expr], str | None], rank: int) -> str:
    if e.op == "number" and e.args[0] == int(e.args[0]):
        n = int(e.args[0])
        return str(n) if n >= 0 else f"({n})"
    return to_text(e, name_of, rank)


@dataclass(frozen=True)
class Line:
    target: str
    expression: Expr


class _Body:
    """The lines of one function: names what is shared, in the order in which it is needed."""

    def __init__(self, known: Mapping[Expr, str], share: Sequence[str]) -> None:
        self.names: dict[Expr, str] = dict(known)
        self.share = share
        self.lines: list[str] = []
        self.temporaries = 0

    def write(self, lines: Iterable[Line]) -> None:
        lines = list(lines)
        uses: Counter[Expr] = Counter()
        seen: set[Expr] = set()

        def count(e: Expr) -> None:
            uses[e] += 1
            if e in seen or e in self.names:
                return
            seen.add(e)
            for child in () if e.op == "root" else e.children():
                count(child)

        for line in lines:
            count(line.expression)
        for line in lines:
            self._share(line.expression, uses, top=True)
            known = self.names.get(line.expression)
            self.lines.append(f"{line.target} = {known or to_text(line.expression, self.names.get)}")
            if line.target.isidentifier():
                self.names.setdefault(line.expression, line.target)

    def _share(self, e: Expr, uses: Mapping[Expr, int], top: bool = False) -> None:
        if e in self.names:
            return
        for child in () if e.op == "root" else e.children():
            self._share(child, uses)
        if not top and e.op in self.share and uses[e] > 1:
            self.temporaries += 1
            name = f"x_{self.temporaries}"
            self.lines.append(f"{name} = {to_text(e, self.names.get)}")
            self.names[e] = name


def _solver(e: Expr) -> str:
    """A root as a function of its own: Newton's method, kept inside the bracket by halving."""
    unknown, residual, slope, low, high = e.args
    body = _Body({}, (*_COSTLY, "*", "+", "-"))
    body.write([Line("above", residual), Line("slope", slope)])
    lines = "\n".join(f"        {line}" for line in body.lines)
    return f"""def {_solver_name(e)}({", ".join(sorted(symbols_in(e)))}):
    low, high, {unknown} = {low!r}, {high!r}, {0.5 * (low + high)!r}
    for _ in range(200):
{lines}
        if above > 0.0:
            high = {unknown}
        else:
            low = {unknown}
        after = {unknown} - above / slope
        if not low < after < high:
            after = 0.5 * (low + high)
        if abs(after - {unknown}) <= 1e-15 * (high - low + abs(after)):
            return after
        {unknown} = after
    return {unknown}"""


def _solver_name(e: Expr) -> str:
    return "root_of_" + hashlib.sha256(repr(e.args[1]).encode()).hexdigest()[:6]


def _roots(e: Expr) -> Iterable[Expr]:
    if e.op == "root":
        yield e
    for child in e.children():
        yield from _roots(child)


def _needed(definitions: Mapping[str, Expr], wanted: Iterable[str]) -> set[str]:
    out: set[str] = set()
    stack = [w for w in wanted if w in definitions]
    while stack:
        name = stack.pop()
        if name not in out:
            out.add(name)
            stack.extend(s for s in symbols_in(definitions[name]) if s in definitions)
    return out


@dataclass(frozen=True)
class Emitted:
    """Source of one bound model, and where things lie in its arrays."""

    bound: Bound

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        return tuple(self.bound.parameters)

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Names of what ``observe`` writes, in order."""
        return tuple(d.symbol for d in self.bound.definitions)

    @cached_property
    def _expressions(self) -> dict[str, Expr]:
        return {d.symbol: d.expression for d in self.bound.definitions}

    @cached_property
    def hoisted(self) -> dict[Expr, str]:
        """Unnamed parts of the moving equations that depend on parameters alone and are worth working out once."""
        moving = {TIME, *(s.symbol for s in self.bound.states)} | (set(self._expressions) - self.bound.constant)
        found: dict[Expr, str] = {}

        def visit(e: Expr) -> None:
            if e.op in ("symbol", "number", "constant"):
                return
            if not symbols_in(e) & moving:
                if _is_costly(e):
                    found.setdefault(e, f"c_{len(found) + 1}")
                return
            for child in () if e.op == "root" else e.children():  # inside a root its unknown moves, too
                visit(child)

        for name, e in self._expressions.items():
            if name not in self.bound.constant:
                visit(e)
        return found

    @cached_property
    def values(self) -> tuple[str, ...]:
        """Names of what ``prepare`` writes, in order: parameters, constant definitions, hoisted parts."""
        constant = [s for s in self.symbols if s in self.bound.constant]
        return (*self.parameters, *constant, *self.hoisted.values())

    @cached_property
    def source(self) -> str:
        """The module. Raises ModelError for a name that it needs for itself."""
        constants = {c.symbol: c for e in self._expressions.values() for c in _constants(e) if c.symbol.isidentifier()}
        for name in (*self.parameters, *self.symbols, *(s.symbol for s in self.bound.states)):
            if name in constants or name in _OWN_NAMES or re.fullmatch(r"[cx]_\d+", name):
                raise ModelError(f"'{name}' cannot be a name in {self.bound.name}: the emitted source uses it for itself")
        chooses = any(_calls(e, _CHOICES) for e in self._expressions.values())
        head = [f'"""The model {self.bound.name}, written out from its equations."""', _PREAMBLE + _CHOOSING * chooses]
        head += [f"{name} = {float(c)!r}  # {c.unit}" for name, c in sorted(constants.items())]
        solvers = {_solver_name(r): _solver(r) for e in self._expressions.values() for r in _roots(e)}
        parts = ["\n".join(head), *solvers.values(), self._prepare(), self._rhs(), self._jacobian(), self._observe(), _OBSERVE_MANY]
        return "\n\n\n".join(parts) + "\n"

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.source.encode()).hexdigest()[:16]

    # ---- one method a function

    def _prepare(self) -> str:
        body = _Body({}, _COSTLY)
        lines = [Line(s, self._expressions[s]) for s in self.symbols if s in self.bound.constant]
        lines += [Line(name, e) for e, name in self.hoisted.items()]
        body.write(lines)
        n = len(self.parameters)
        used = set().union(*(symbols_in(line.expression) for line in lines)) if lines else set()
        text = ["def prepare(params, values):", f"    for i in range({n}):", "        values[i] = params[i]"]
        text += [f"    {p} = params[{i}]" for i, p in enumerate(self.parameters) if p in used]
        text += [f"    {line}" for line in body.lines]
        text += [f"    values[{i}] = {name}" for i, name in enumerate(self.values) if i >= n]
        return "\n".join(text)

    def _unpack(self, used: set[str]) -> list[str]:
        states = [f"    {s.symbol} = state[{i}]" for i, s in enumerate(self.bound.states) if s.symbol in used]
        return states + [f"    {name} = values[{i}]" for i, name in enumerate(self.values) if name in used]

    def _moving(self, wanted: Iterable[str]) -> list[Line]:
        needed = _needed(self._expressions, wanted)
        return [Line(s, self._expressions[s]) for s in self.symbols if s in needed and s not in self.bound.constant]

    def _used(self, lines: Iterable[Line]) -> set[str]:
        used: set[str] = set()

        def visit(e: Expr) -> None:
            if e in self.hoisted:
                used.add(self.hoisted[e])
            elif e.op == "symbol":
                used.add(e.args[0])
            else:
                for child in e.children():
                    visit(child)

        for line in lines:
            visit(line.expression)
        return used

    def _rhs(self) -> str:
        lines = self._moving(self.bound.derivatives)
        body = _Body(self.hoisted, _COSTLY)
        body.write(lines)
        text = ["def rhs(t, state, values, rate):", *self._unpack(self._used(lines))]
        text += [f"    {line}" for line in body.lines]
        text += [f"    rate[{i}] = {d}" for i, d in enumerate(self.bound.derivatives)]
        return "\n".join(text)

    def _jacobian(self) -> str:
        states = [s.symbol for s in self.bound.states]
        known: dict[str, Derivatives] = {s: {s: ONE} for s in states}
        memo: dict[Expr, Derivatives] = {}
        slopes: dict[str, Expr] = {}
        for line in self._moving(self.bound.derivatives):
            named: Derivatives = {}
            for state, e in gradient(line.expression, lambda n: known.get(n, {}), memo).items():
                if e.op in ("number", "constant", "symbol"):
                    named[state] = e
                else:
                    name = f"d_{line.target}__{state}"
                    slopes[name] = e
                    named[state] = symbol(name)
            known[line.target] = named
        entries = [
            (i, j, known[d][s]) for i, d in enumerate(self.bound.derivatives) for j, s in enumerate(states) if s in known[d]
        ]
        wanted = set().union(*(symbols_in(e) for _, _, e in entries)) if entries else set()
        live = _needed(slopes, wanted)
        lines = [Line(name, e) for name, e in slopes.items() if name in live]
        values = self._moving(set().union(*(symbols_in(line.expression) for line in lines)) if lines else set())
        body = _Body(self.hoisted, (*_COSTLY, "*", "+", "-"))
        body.write([*values, *lines])
        text = ["def jacobian(t, state, values, matrix):", *self._unpack(self._used([*values, *lines]))]
        text += ["    matrix[:, :] = 0.0", *[f"    {line}" for line in body.lines]]
        text += [f"    matrix[{i}, {j}] = {to_text(e)}" for i, j, e in entries]
        return "\n".join(text)

    def _observe(self) -> str:
        lines = self._moving(self.symbols)
        body = _Body(self.hoisted, _COSTLY)
        body.write(lines)
        used = self._used(lines) | self.bound.constant
        text = ["def observe(t, state, values, out):", *self._unpack(used)]
        text += [f"    {line}" for line in body.lines]
        text += [f"    out[{i}] = {name}" for i, name in enumerate(self.symbols)]
        return "\n".join(text)


_OBSERVE_MANY = '''def observe_many(times, states, values, out):
    for i in range(times.shape[0]):
        observe(times[i], states[i], values, out[i])'''


def _is_costly(e: Expr) -> bool:
    return e.op in _COSTLY or any(_is_costly(child) for child in e.children())


def _calls(e: Expr, names: Iterable[str]) -> bool:
    return (e.op == "call" and e.args[0] in names) or any(_calls(child, names) for child in e.children())


def _constants(e: Expr) -> Iterable[Constant]:
    if e.op == "constant":
        yield e.args[0]
    for child in e.children():
        yield from _constants(child)
