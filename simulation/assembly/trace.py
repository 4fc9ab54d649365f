"""What becomes of an equation that is called once with symbols: a small graph of operations.

Equal operations are one object (so shared work is seen), and every operation knows how to differentiate itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from simulation.physiology.vocabulary import Constant

Derivatives = dict[str, "Expr"]
UNKNOWN = "x_root"  # the symbol that stands for the unknown of an implicit equation


class Expr:
    """One operation: ``op`` applied to ``args``.

    ============ =========================== =======================================================
    op           args                        means
    ============ =========================== =======================================================
    symbol       (name,)                     a state, a parameter, time, or what another equation defines
    number       (value,)                    a number
    constant     (Constant,)                 a number with symbol and unit
    + - * / **   two expressions
    neg          one expression
    call         (name, x, ...)              exp, log, sqrt, linoid, dlinoid, the derivative of linoid, at_least and at_most of two
                                             arguments, and step, which is 1 above 0 and 0 elsewhere
    root         (unknown, residual, slope,  the zero of a rising residual in the symbol ``unknown``; slope is the
                 low, high)                  residual's derivative
    ============ =========================== =======================================================
    """

    __slots__ = ("__weakref__", "args", "op")
    _known: ClassVar[WeakValueDictionary[tuple[Any, ...], Expr]] = WeakValueDictionary()
    __array_ufunc__ = None  # NumPy numbers leave the arithmetic to us
    op: str
    args: tuple[Any, ...]

    def __new__(cls, op: str, *args: Any) -> Expr:
        if op == "constant":
            key: tuple[Any, ...] = (op, args[0].symbol, args[0].unit, float(args[0]))
        else:
            key = (op, *[id(a) if isinstance(a, Expr) else a for a in args])
        found = cls._known.get(key)
        if found is None:
            found = object.__new__(cls)
            found.op, found.args = op, args
            cls._known[key] = found
        return found

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int | float):
            bool(self)
        return self is other

    def __add__(self, other: Any) -> Expr:
        return add(self, other)

    def __radd__(self, other: Any) -> Expr:
        return add(other, self)

    def __sub__(self, other: Any) -> Expr:
        return sub(self, other)

    def __rsub__(self, other: Any) -> Expr:
        return sub(other, self)

    def __mul__(self, other: Any) -> Expr:
        return mul(self, other)

    def __rmul__(self, other: Any) -> Expr:
        return mul(other, self)

    def __truediv__(self, other: Any) -> Expr:
        return div(self, other)

    def __rtruediv__(self, other: Any) -> Expr:
        return div(other, self)

    def __pow__(self, other: Any) -> Expr:
        return power(self, other)

    def __rpow__(self, other: Any) -> Expr:
        return power(other, self)

    def __neg__(self) -> Expr:
        return neg(self)

    def __bool__(self) -> bool:
        raise TypeError("an equation must not branch on a value: it is traced once for all of them")

    def primitive(self, name: str, *arguments: Any) -> Expr:
        return call(name, *arguments)

    def root(self, residual: Callable[[Any], Any], low: float, high: float) -> Expr:
        r = residual(symbol(UNKNOWN))
        return Expr("root", UNKNOWN, r, derivative(r, UNKNOWN), low, high)

    def children(self) -> Iterator[Expr]:
        return (a for a in self.args if isinstance(a, Expr))

    def __repr__(self) -> str:
        from simulation.assembly.emit import to_text

        return to_text(self)


def symbol(name: str) -> Expr:
    return Expr("symbol", name)


def number(value: float) -> Expr:
    return Expr("number", float(value))


def as_expr(x: Any) -> Expr:
    if isinstance(x, Expr):
        return x
    return Expr("constant", x) if isinstance(x, Constant) else number(x)


def is_number(x: Any, value: float) -> bool:
    return isinstance(x, Expr) and x.op == "number" and x.args[0] == value


ZERO, ONE = number(0), number(1)


def add(left: Any, right: Any) -> Expr:
    a, b = as_expr(left), as_expr(right)
    if a is ZERO:
        return b
    if b is ZERO:
        return a
    return a - b.args[0] if b.op == "neg" else Expr("+", a, b)


def sub(left: Any, right: Any) -> Expr:
    a, b = as_expr(left), as_expr(right)
    if b is ZERO:
        return a
    if a is ZERO:
        return neg(b)
    return ZERO if a is b else Expr("-", a, b)


def mul(left: Any, right: Any) -> Expr:
    a, b = as_expr(left), as_expr(right)
    if a is ZERO or b is ZERO:
        return ZERO
    if a is ONE:
        return b
    if b is ONE:
        return a
    if a.op == "neg":
        return neg(mul(a.args[0], b))
    if b.op == "neg":
        return neg(mul(a, b.args[0]))
    if is_number(a, -1):
        return neg(b)
    if a.op == "/" and a.args[0] is ONE:
        return div(b, a.args[1])
    return Expr("*", a, b)


def div(left: Any, right: Any) -> Expr:
    a, b = as_expr(left), as_expr(right)
    if a is ZERO or b is ONE:
        return a
    if a.op == "neg":
        return neg(div(a.args[0], b))
    return Expr("/", a, b)


def power(left: Any, right: Any) -> Expr:
    a, b = as_expr(left), as_expr(right)
    if b is ONE:
        return a
    return ONE if b is ZERO else Expr("**", a, b)


def neg(value: Any) -> Expr:
    a = as_expr(value)
    if a.op == "number":
        return number(-a.args[0])
    if a.op == "neg":
        inner: Expr = a.args[0]
        return inner
    return Expr("neg", a)


def call(name: str, *arguments: Any) -> Expr:
    return Expr("call", name, *map(as_expr, arguments))


def symbols_in(e: Expr) -> frozenset[str]:
    """Names of all symbols that an expression depends on."""
    found: set[str] = set()
    seen: set[Expr] = set()
    stack = [e]
    while stack:
        x = stack.pop()
        if x in seen:
            continue
        seen.add(x)
        if x.op == "symbol":
            found.add(x.args[0])
        elif x.op == "root":
            found |= symbols_in(x.args[1]) - {x.args[0]}
        else:
            stack.extend(x.children())
    return frozenset(found)


def gradient(e: Expr, wrt: Callable[[str], Derivatives], memo: dict[Expr, Derivatives] | None = None) -> Derivatives:
    """Derivatives of ``e`` by the chain rule; ``wrt(name)`` gives those of each symbol in it."""
    memo = {} if memo is None else memo
    if e in memo:
        return memo[e]
    out: Derivatives
    if e.op == "symbol":
        out = wrt(e.args[0])
    elif e.op in ("number", "constant"):
        out = {}
    elif e.op == "root":
        unknown, residual, slope, *_ = e.args
        inner = gradient(residual, lambda n: {} if n == unknown else wrt(n))
        out = {k: -replace(d, unknown, e) / replace(slope, unknown, e) for k, d in inner.items()}
    else:
        parts = [(gradient(a, wrt, memo), factor) for a, factor in _local(e)]
        out = {}
        for ds, factor in parts:
            for k, d in ds.items():
                term = factor() * d
                out[k] = out[k] + term if k in out else term
    memo[e] = out
    return out


def _local(e: Expr) -> Iterable[tuple[Expr, Callable[[], Expr]]]:
    """Operands of ``e`` with the partial derivative by each."""
    if e.op == "call" and e.args[0] in ("at_least", "at_most"):
        name, x, limit = e.args
        beyond = call("step", limit - x if name == "at_least" else x - limit)
        return [(x, lambda: 1 - beyond), (limit, lambda: beyond)]
    if e.op == "call":
        name, x = e.args
        rules = {
            "exp": lambda: e,
            "log": lambda: 1 / x,
            "sqrt": lambda: 0.5 / e,
            "linoid": lambda: call("dlinoid", x),
        }
        if name not in rules:
            raise TypeError(f"no derivative is known for {name}")
        return [(x, rules[name])]
    if e.op == "neg":
        return [(e.args[0], lambda: number(-1))]
    a, b = e.args
    if e.op == "+":
        return [(a, lambda: ONE), (b, lambda: ONE)]
    if e.op == "-":
        return [(a, lambda: ONE), (b, lambda: number(-1))]
    if e.op == "*":
        return [(a, lambda: b), (b, lambda: a)]
    if e.op == "/":
        return [(a, lambda: 1 / b), (b, lambda: -e / b)]
    exponent = number(b.args[0] - 1) if b.op == "number" else b - 1
    return [(a, lambda: b * power(a, exponent)), (b, lambda: e * call("log", a))]


def derivative(e: Expr, name: str) -> Expr:
    """Partial derivative of ``e`` by the symbol ``name``, other symbols held."""
    return gradient(e, lambda n: {name: ONE} if n == name else {}).get(name, ZERO)


def replace(e: Expr, name: str, by: Expr, memo: dict[Expr, Expr] | None = None) -> Expr:
    """``e`` with the symbol ``name`` replaced."""
    memo = {} if memo is None else memo
    if e in memo:
        return memo[e]
    if e.op == "symbol":
        out = by if e.args[0] == name else e
    elif e.op in ("number", "constant"):
        out = e
    else:
        out = Expr(e.op, *[replace(a, name, by, memo) if isinstance(a, Expr) else a for a in e.args])
    memo[e] = out
    return out
