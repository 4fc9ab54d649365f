"""Vector code from a bound model: the same traced equations as LLVM instructions on several membranes at once.

A lane is one membrane. Every array lies as [symbol][lane], so one instruction works on all lanes. These functions come out:

* ``invert(values, inverse)`` reciprocals of the values that equations divide by, worked out once for as long as the values stand;
* ``rhs(state, values, inverse, rate)`` the rates of change of the states that move;
* ``slopes(state, values, inverse, rate, matrix)`` the same, the Jacobian's entries that can differ from zero, the rates' derivatives by time,
  dV/dt without the stimulus, and the symbols that are watched;
* ``factor(matrix, shift, parts)`` and ``solve(parts, x)``: (shift - Jacobian) in triangular parts, and a system solved with them.
  The order of elimination is found here, so the text has no zero in it and no loop;
* ``advance``: one error-controlled step after the other, see ``simulation.assembly.rodas``.

Each function is readable as LLVM text (``Lanes.text``). Branches on values become selections, so no lane waits for another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from llvmlite import ir

from simulation.assembly import newton, rodas
from simulation.assembly.bind import TIME, Bound
from simulation.assembly.emit import Emitted
from simulation.assembly.trace import ONE, ZERO, Derivatives, Expr, gradient, symbol, symbols_in

WIDTH = 8  # lanes of one vector: what the widest common processors hold; others take it in two or four bites

_DOUBLE, _INT, _BIT = ir.DoubleType(), ir.IntType(64), ir.IntType(1)


class Words:
    """The vocabulary on vectors: arithmetic with ``fast`` contraction and the few functions that equations need, without branches."""

    def __init__(self, builder: ir.IRBuilder, width: int) -> None:
        self.b, self.width = builder, width
        self.vector = ir.VectorType(_DOUBLE, width)
        self.ints = ir.VectorType(_INT, width)
        self.bits = ir.VectorType(_BIT, width)

    # ---- numbers and arithmetic

    def number(self, x: float) -> ir.Constant:
        return ir.Constant(self.vector, [x] * self.width)

    def _int(self, x: int) -> ir.Constant:
        return ir.Constant(self.ints, [x] * self.width)

    def add(self, a: Any, b: Any) -> Any:
        return self.b.fadd(a, b, flags=("contract",))

    def sub(self, a: Any, b: Any) -> Any:
        return self.b.fsub(a, b, flags=("contract",))

    def mul(self, a: Any, b: Any) -> Any:
        return self.b.fmul(a, b, flags=("contract",))

    def div(self, a: Any, b: Any) -> Any:
        return self.b.fdiv(a, b)

    def neg(self, a: Any) -> Any:
        return self.b.fneg(a)

    def below(self, a: Any, b: Any) -> Any:
        """Whether a < b, false where either is no number."""
        return self.b.fcmp_ordered("<", a, b)

    def some(self, which: Any) -> Any:
        """Whether a mask holds in any lane."""
        bits = self.b.bitcast(which, ir.IntType(self.width))
        return self.b.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    def choose(self, which: Any, a: Any, b: Any) -> Any:
        return self.b.select(which, a, b)

    def intrinsic(self, name: str, *arguments: Any) -> Any:
        full = f"llvm.{name}.v{self.width}f64"
        function = self.b.module.globals.get(full)
        if function is None:
            function = ir.Function(self.b.module, ir.FunctionType(self.vector, [self.vector] * len(arguments)), name=full)
        return self.b.call(function, arguments)

    def sqrt(self, x: Any) -> Any:
        return self.intrinsic("sqrt", x)

    def absolute(self, x: Any) -> Any:
        return self.intrinsic("fabs", x)

    def least(self, a: Any, b: Any) -> Any:
        return self.choose(self.below(a, b), a, b)

    def most(self, a: Any, b: Any) -> Any:
        return self.choose(self.below(b, a), a, b)

    def at_least(self, x: Any, low: Any) -> Any:
        """The larger; where x is no number, x."""
        return self.choose(self.below(x, low), low, x)

    def at_most(self, x: Any, high: Any) -> Any:
        """The smaller; where x is no number, x."""
        return self.choose(self.below(high, x), high, x)

    def step(self, x: Any) -> Any:
        return self.choose(self.below(self.number(0.0), x), self.number(1.0), self.number(0.0))

    def polynomial(self, x: Any, coefficients: Sequence[float]) -> Any:
        """By Estrin's scheme, which leaves a processor more to do at a time than Horner's; the constant term first."""
        terms = [self.number(c) for c in coefficients]
        while len(terms) > 1:
            pairs = [self.add(self.mul(b, x), a) for a, b in zip(terms[::2], terms[1::2], strict=False)]
            terms, x = pairs + terms[2 * len(pairs) :], self.mul(x, x)
        return terms[0]

    # ---- functions: each is written once and called, which keeps the text short and its compilation quick

    def called(self, name: str, x: Any) -> Any:
        """The function ``name`` of this vocabulary ('exp', 'log', 'linoid', 'dlinoid') of x."""
        function = self.b.module.globals.get(name)
        if function is None:
            function = ir.Function(self.b.module, ir.FunctionType(self.vector, [self.vector]), name=name)
            function.linkage = "internal"
            function.calling_convention = "fastcc"
            inner = Words(ir.IRBuilder(function.append_basic_block("entry")), self.width)
            inner.b.ret(getattr(inner, f"write_{name}")(function.args[0]))
        return self.b.call(function, [x], cconv="fastcc")

    def exp(self, x: Any) -> Any:
        return self.called("exp", x)

    def log(self, x: Any) -> Any:
        return self.called("log", x)

    def linoid(self, x: Any) -> Any:
        return self.called("linoid", x)

    def dlinoid(self, x: Any) -> Any:
        return self.called("dlinoid", x)

    def write_exp(self, x: Any) -> Any:
        """2^k exp(r) with |r| <= ln 2 / 2; infinite beyond 709, 0 below -708, NaN for NaN."""
        inside = self.most(self.least(x, self.number(709.0)), self.number(-708.0))
        k = self.intrinsic("rint", self.mul(inside, self.number(1 / math.log(2))))
        high, low = 6.93145751953125e-1, 1.42860682030941723212e-6  # ln 2 in two pieces
        r = self.sub(self.sub(inside, self.mul(k, self.number(high))), self.mul(k, self.number(low)))
        series = self.polynomial(r, [1 / math.factorial(i) for i in range(14)])
        power = self.b.shl(self.b.add(self.b.fptosi(k, self.ints), self._int(1023)), self._int(52))
        out = self.mul(series, self.b.bitcast(power, self.vector))
        out = self.choose(self.below(self.number(709.0), x), self.number(math.inf), out)
        out = self.choose(self.below(x, self.number(-708.0)), self.number(0.0), out)
        return self.choose(self.b.fcmp_unordered("uno", x, x), x, out)

    def write_log(self, x: Any) -> Any:
        """From the exponent and 2 artanh((m - 1)/(m + 1)) of the mantissa; NaN below 0, minus infinity at 0."""
        bits = self.b.bitcast(x, self.ints)
        exponent = self.b.sub(self.b.lshr(bits, self._int(52)), self._int(1023))
        mantissa = self.b.bitcast(self.b.or_(self.b.and_(bits, self._int((1 << 52) - 1)), self._int(1023 << 52)), self.vector)
        large = self.below(self.number(math.sqrt(2)), mantissa)
        m = self.choose(large, self.mul(mantissa, self.number(0.5)), mantissa)
        k = self.add(self.b.sitofp(exponent, self.vector), self.choose(large, self.number(1.0), self.number(0.0)))
        z = self.div(self.sub(m, self.number(1.0)), self.add(m, self.number(1.0)))
        series = self.mul(self.mul(z, self.number(2.0)), self.polynomial(self.mul(z, z), [1 / (2 * i + 1) for i in range(11)]))
        out = self.add(series, self.mul(k, self.number(math.log(2))))
        out = self.choose(self.below(self.number(0.0), x), out, self.number(math.nan))
        return self.choose(self.b.fcmp_ordered("==", x, self.number(0.0)), self.number(-math.inf), out)

    def write_linoid(self, x: Any) -> Any:
        """x/(1 - exp(-x)) with its limit 1 at 0."""
        near = self.below(self.absolute(x), self.number(0.1))
        square = self.mul(x, x)
        even = self.polynomial(square, [1.0, 1 / 12, -1 / 720, 1 / 30240, -1 / 1209600])
        limit = self.add(even, self.mul(x, self.number(0.5)))
        away = self.div(x, self.sub(self.number(1.0), self.exp(self.neg(self.choose(near, self.number(1.0), x)))))
        return self.choose(near, limit, away)

    def write_dlinoid(self, x: Any) -> Any:
        """Derivative of linoid, 1/2 at 0."""
        near = self.below(self.absolute(x), self.number(0.2))
        square = self.mul(x, x)
        odd = self.mul(x, self.polynomial(square, [1 / 6, -1 / 180, 1 / 5040, -1 / 151200, 1 / 4790016]))
        safe = self.choose(near, self.number(1.0), x)
        e = self.exp(self.neg(safe))
        d = self.sub(self.number(1.0), e)
        away = self.div(self.sub(d, self.mul(safe, e)), self.mul(d, d))
        return self.choose(near, self.add(odd, self.number(0.5)), self.choose(self.below(x, self.number(-700.0)), self.number(0.0), away))

    def power(self, x: Any, n: float) -> Any:
        """x**n: products where n is whole, else exp(n log x)."""
        if n != int(n):
            return self.exp(self.mul(self.number(n), self.log(x)))
        out, factor, left = None, x, abs(int(n))
        while left:
            if left & 1:
                out = factor if out is None else self.mul(out, factor)
            left >>= 1
            factor = self.mul(factor, factor) if left else factor
        out = self.number(1.0) if out is None else out
        return self.div(self.number(1.0), out) if n < 0 else out


class Equations:
    """Turns traced expressions into vector instructions, each once; ``leaf`` gives what symbols and hoisted parts stand for.

    A vector takes as long to divide as for a dozen products: with ``inverse``, which gives the reciprocal of what stands for the whole
    run (None for anything else), each divisor is inverted once and multiplied with."""

    def __init__(self, words: Words, leaf: Callable[[Expr], Any], inverse: Callable[[Expr], Any] | None = None) -> None:
        self.w, self.leaf, self.inverse = words, leaf, inverse
        self.done: dict[Expr, Any] = {}
        self.inverted: dict[Expr, Any] = {}

    def value(self, e: Expr) -> Any:
        if e not in self.done:
            self.done[e] = self._new(e)
        return self.done[e]

    def _new(self, e: Expr) -> Any:
        known = self.leaf(e)
        if known is not None:
            return known
        w = self.w
        if e.op in ("number", "constant"):
            return w.number(float(e.args[0]))
        if e.op == "neg":
            return w.neg(self.value(e.args[0]))
        if e.op == "call":
            return getattr(w, e.args[0])(*map(self.value, e.args[1:]))
        if e.op == "**":
            base, exponent = e.args
            if exponent.op == "number":
                return w.power(self.value(base), exponent.args[0])
            return w.exp(w.mul(self.value(exponent), w.log(self.value(base))))
        if e.op == "root":
            return self.root(e)
        if e.op == "/" and self.inverse is not None:
            over = self.over(e.args[1])
            return over if e.args[0] is ONE else w.mul(self.value(e.args[0]), over)
        a, b = map(self.value, e.args)
        return {"+": w.add, "-": w.sub, "*": w.mul, "/": w.div}[e.op](a, b)

    def over(self, e: Expr) -> Any:
        """The reciprocal of an expression."""
        assert self.inverse is not None
        if e not in self.inverted:
            known = self.inverse(e)
            self.inverted[e] = self.w.div(self.w.number(1.0), self.value(e)) if known is None else known
        return self.inverted[e]

    def root(self, e: Expr) -> Any:
        """The zero of a rising residual: Newton's method kept in a bracket by halving, until every lane is there (200 rounds at most)."""
        w, b = self.w, self.w.b
        unknown, residual, slope, low, high = e.args
        outer = {name: self.value(symbol(name)) for name in sorted(symbols_in(e))}
        x, below, above, rounds = (b.alloca(kind) for kind in (w.vector, w.vector, w.vector, _INT))
        b.store(w.number(low), below)
        b.store(w.number(high), above)
        b.store(w.number(0.5 * (low + high)), x)
        b.store(ir.Constant(_INT, 0), rounds)
        again, done = b.append_basic_block("again"), b.append_basic_block("found")
        b.branch(again)
        b.position_at_end(again)
        here = b.load(x)
        inside = Equations(w, lambda part: (here if part.args[0] == unknown else outer[part.args[0]]) if part.op == "symbol" else None)
        over, steep = inside.value(residual), inside.value(slope)
        high_side = w.below(w.number(0.0), over)
        lower, upper = w.choose(high_side, b.load(below), here), w.choose(high_side, here, b.load(above))
        b.store(lower, below)
        b.store(upper, above)
        newton = w.sub(here, w.div(over, steep))
        kept = b.and_(w.below(lower, newton), w.below(newton, upper))
        after = w.choose(kept, newton, w.mul(w.number(0.5), w.add(lower, upper)))
        b.store(after, x)
        limit = w.mul(w.number(1e-15), w.add(w.sub(upper, lower), w.absolute(after)))
        moving = w.below(limit, w.absolute(w.sub(after, here)))
        count = b.add(b.load(rounds), ir.Constant(_INT, 1))
        b.store(count, rounds)
        b.cbranch(b.and_(w.some(moving), b.icmp_signed("<", count, ir.Constant(_INT, 200))), again, done)
        b.position_at_end(done)
        return b.load(x)


def elimination(pattern: Iterable[tuple[int, int]], n: int) -> tuple[list[int], list[tuple[int, int]]]:
    """Order in which to eliminate n unknowns, fewest neighbours first, and the entries that then arise (fill included)."""
    rows: dict[int, set[int]] = {i: {i} for i in range(n)}
    for i, j in pattern:
        rows[i].add(j)
    columns = {j: {i for i in range(n) if j in rows[i]} for j in range(n)}
    left, order = set(range(n)), []
    while left:
        pivot = min(left, key=lambda i: ((len(rows[i] & left) - 1) * (len(columns[i] & left) - 1), i))
        left.remove(pivot)
        order.append(pivot)
        for i in columns[pivot] & left:
            for j in rows[pivot] & left:
                rows[i].add(j)
                columns[j].add(i)
    return order, sorted((i, j) for i in range(n) for j in rows[i])


@dataclass(frozen=True)
class Lanes:
    """The vector reading of one model. ``moving``: positions of the states that move; the others are read and never written.
    ``watch``: symbols that are noted at every step beside the potential."""

    emitted: Emitted
    moving: tuple[int, ...]
    width: int = WIDTH
    watch: tuple[str, ...] = ()

    @property
    def bound(self) -> Bound:
        return self.emitted.bound

    @cached_property
    def entries(self) -> tuple[tuple[int, int], ...]:
        """Of the Jacobian, as positions among the moving states, that can differ from zero, in their order in ``matrix``."""
        return tuple(self._jacobian)

    @cached_property
    def _definitions(self) -> dict[str, Expr]:
        return {d.symbol: d.expression for d in self.bound.definitions}

    @cached_property
    def _rates(self) -> list[str]:
        return [self.bound.derivatives[i] for i in self.moving]

    @cached_property
    def _gradients(self) -> list[Derivatives]:
        """Of each rate by the states that move, by time and by the stimulus: the chain rule through the definitions."""
        memo: dict[Expr, Derivatives] = {}
        known: dict[str, Derivatives] = {s: {s: ONE} for s in (*self._position, TIME, self._stimulus[0])}
        fixed = {s.symbol for s in self.bound.states} - set(known)

        def of(name: str) -> Derivatives:
            if name not in known:
                moves = name in self._definitions and name not in self.bound.constant and name not in fixed
                known[name] = gradient(self._definitions[name], of, memo) if moves else {}
            return known[name]

        return [of(rate) for rate in self._rates]

    @cached_property
    def _position(self) -> dict[str, int]:
        return {self.bound.states[i].symbol: k for k, i in enumerate(self.moving)}

    @property
    def _stimulus(self) -> tuple[str, ...]:
        return self.bound.model.stimulus

    @cached_property
    def _jacobian(self) -> dict[tuple[int, int], Expr]:
        return {
            (i, j): by[state] for i, by in enumerate(self._gradients) for state, j in self._position.items() if state in by
        }

    @cached_property
    def by_time(self) -> dict[int, Expr]:
        """Derivatives of the rates by time, where there are any."""
        return {i: by[TIME] for i, by in enumerate(self._gradients) if TIME in by}

    @property
    def rows(self) -> int:
        """Rows of ``matrix`` as ``slopes`` fills it."""
        return len(self.entries) + len(self.by_time) + self.runs + len(self.watch)

    @property
    def runs(self) -> bool:
        """Whether the potential moves: else there is nothing to follow."""
        return bool(self.bound.model.potential) and self.bound.index(self.bound.model.potential) in self.moving

    @cached_property
    def _own(self) -> Expr:
        """What dV/dt would be without the stimulus."""
        i = self.moving.index(self.bound.index(self.bound.model.potential))
        I_0, I_slope, t_0 = map(symbol, self._stimulus)
        push = self._gradients[i].get(self._stimulus[0], ZERO)
        return symbol(self._rates[i]) - push * (I_0 + I_slope * (symbol(TIME) - t_0))

    @cached_property
    def elimination(self) -> tuple[list[int], list[tuple[int, int]]]:
        return elimination(self.entries, len(self.moving))

    # ---- the functions

    @cached_property
    def module(self) -> ir.Module:
        module = ir.Module(name=f"{self.bound.name}_lanes")
        self._function(module, "rhs", ("state", "values", "inverse", "rate"), self._write_rhs)
        self._function(module, "slopes", ("state", "values", "inverse", "rate", "matrix"), self._write_slopes)
        self._function(module, "invert", ("values", "inverse"), self._write_invert)
        self._function(module, "factor", ("matrix", "shift", "parts"), self._write_factor)
        self._function(module, "solve", ("parts", "x"), self._write_solve)
        if self.runs:
            rodas.write(self, module)
        newton.write(self, module)
        return module

    @cached_property
    def text(self) -> str:
        """The module as LLVM text, readable."""
        return str(self.module)

    @cached_property
    def single(self) -> str:
        """The functions that one membrane needs, as LLVM text: ``prepare(params, values)``, ``rhs(state, values, rate, time)``,
        ``jacobian`` with every entry, ``observe`` of every symbol that an equation defines, and loops of these over many states."""
        module = ir.Module(name=f"{self.bound.name}_single")
        self._function(module, "prepare", ("params", "values"), self._write_prepare)
        self._function(module, "rhs", ("state", "values", "rate", "time"), self._write_rhs_at)
        self._function(module, "jacobian", ("state", "values", "matrix", "time"), self._write_jacobian)
        self._function(module, "observe", ("state", "values", "out", "time"), self._write_observe)
        newton.write_along(self, module)
        return str(module)

    def _function(self, module: ir.Module, name: str, arguments: Sequence[str], write: Callable[..., object]) -> ir.Function:
        vector = ir.VectorType(_DOUBLE, self.width).as_pointer()
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [vector] * len(arguments)), name=name)
        for argument, label in zip(function.args, arguments, strict=True):
            argument.name = label
            argument.add_attribute("noalias")
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        write(Words(builder, self.width), *function.args)
        builder.ret_void()
        return function

    def at(self, w: Words, array: Any, index: int) -> Any:
        return w.b.gep(array, [ir.Constant(_INT, index)], inbounds=True)

    def load(self, w: Words, array: Any, index: int, name: str = "") -> Any:
        return w.b.load(self.at(w, array, index), name=name, align=8)  # arrays may lie anywhere

    def store(self, w: Words, x: Any, array: Any, index: int) -> None:
        w.b.store(x, self.at(w, array, index), align=8)

    @cached_property
    def divisors(self) -> list[Expr]:
        """What ``rhs`` and ``slopes`` divide by that stands for the whole run, in the order of ``inverse``; known once these are written."""
        return []

    def _equations(self, w: Words, state: Any, values: Any, time: Any = None, inverse: Any = None) -> Equations:
        """``time``: where it stands, if not behind the values."""
        states = {s.symbol: i for i, s in enumerate(self.bound.states)}
        constants = {name: i for i, name in enumerate(self.emitted.values)}
        hoisted = self.emitted.hoisted

        def leaf(e: Expr) -> Any:
            if e in hoisted:
                return self.load(w, values, constants[hoisted[e]], hoisted[e])
            if e.op != "symbol":
                return None
            name = e.args[0]
            if name in states:
                return self.load(w, state, states[name], name)
            if name == TIME:
                return self.load(w, values, len(self.emitted.values)) if time is None else self.load(w, time, 0)
            return self.load(w, values, constants[name], name) if name in constants else equations.value(self._definitions[name])

        def reciprocal(e: Expr) -> Any:
            if e.op in ("number", "constant"):
                return w.number(1 / float(e.args[0]))
            if e not in hoisted and (e.op != "symbol" or e.args[0] not in constants):
                return None
            if e not in self.divisors:
                self.divisors.append(e)
            return self.load(w, inverse, self.divisors.index(e))

        equations = Equations(w, leaf, None if inverse is None else reciprocal)
        return equations

    def _write_rhs(self, w: Words, state: Any, values: Any, inverse: Any, rate: Any) -> Equations:
        equations = self._equations(w, state, values, inverse=inverse)
        self._write_rates(equations, rate)
        return equations

    def _write_rhs_at(self, w: Words, state: Any, values: Any, rate: Any, time: Any) -> None:
        self._write_rates(self._equations(w, state, values, time), rate)

    def _write_rates(self, equations: Equations, rate: Any) -> None:
        for i, name in enumerate(self._rates):
            self.store(equations.w, equations.value(symbol(name)), rate, i)

    def _write_invert(self, w: Words, values: Any, inverse: Any) -> None:
        equations = self._equations(w, None, values)
        for i, e in enumerate(self.divisors):
            self.store(w, w.div(w.number(1.0), equations.value(e)), inverse, i)

    def _write_slopes(self, w: Words, state: Any, values: Any, inverse: Any, rate: Any, matrix: Any) -> None:
        equations = self._write_rhs(w, state, values, inverse, rate)
        for k, e in enumerate((*self._jacobian.values(), *self.by_time.values(), *([self._own] if self.runs else []), *map(symbol, self.watch))):
            self.store(w, equations.value(e), matrix, k)

    def _write_prepare(self, w: Words, params: Any, values: Any) -> None:
        given = {name: i for i, name in enumerate(self.emitted.parameters)}

        def leaf(e: Expr) -> Any:
            if e.op != "symbol":
                return None
            name = e.args[0]
            return self.load(w, params, given[name]) if name in given else equations.value(self._definitions[name])

        equations = Equations(w, leaf)
        hoisted = {name: e for e, name in self.emitted.hoisted.items()}
        for i, name in enumerate(self.emitted.values):
            self.store(w, equations.value(hoisted.get(name, symbol(name))), values, i)

    def _write_jacobian(self, w: Words, state: Any, values: Any, matrix: Any, time: Any) -> None:
        equations, n = self._equations(w, state, values, time), len(self.moving)
        for i in range(n):
            for j in range(n):
                e = self._jacobian.get((i, j))
                self.store(w, w.number(0.0) if e is None else equations.value(e), matrix, i * n + j)

    def _write_observe(self, w: Words, state: Any, values: Any, out: Any, time: Any) -> None:
        equations = self._equations(w, state, values, time)
        for i, name in enumerate(self.emitted.symbols):
            self.store(w, equations.value(symbol(name)), out, i)

    def _write_factor(self, w: Words, matrix: Any, shift: Any, parts: Any) -> None:
        """Of shift - Jacobian, without pivoting; the diagonal is kept as its inverse."""
        order, filled = self.elimination
        given = {entry: k for k, entry in enumerate(self.entries)}
        a: dict[tuple[int, int], Any] = {}
        diagonal = w.b.load(shift)
        for entry in filled:
            x = w.neg(self.load(w, matrix, given[entry])) if entry in given else None
            if entry[0] == entry[1]:
                x = diagonal if x is None else w.add(diagonal, x)
            a[entry] = x  # None: a zero that may be filled
        rank = {unknown: k for k, unknown in enumerate(order)}
        for p in order:
            a[p, p] = w.div(w.number(1.0), a[p, p])
            later = [j for j in order[rank[p] + 1 :] if (p, j) in a and a[p, j] is not None]
            for i in order[rank[p] + 1 :]:
                if a.get((i, p)) is None:
                    continue
                a[i, p] = w.mul(a[i, p], a[p, p])
                for j in later:
                    product = w.mul(a[i, p], a[p, j])
                    a[i, j] = w.neg(product) if a[i, j] is None else w.sub(a[i, j], product)
        for k, entry in enumerate(filled):
            if a[entry] is not None:
                self.store(w, a[entry], parts, k)

    def _write_solve(self, w: Words, parts: Any, x: Any) -> None:
        order, filled = self.elimination
        place = {entry: k for k, entry in enumerate(filled)}
        y = {i: self.load(w, x, i) for i in order}
        rank = {unknown: k for k, unknown in enumerate(order)}
        for i in order:
            for j in order[: rank[i]]:
                if (i, j) in place:
                    y[i] = w.sub(y[i], w.mul(self.load(w, parts, place[i, j]), y[j]))
        for i in reversed(order):
            for j in order[rank[i] + 1 :]:
                if (i, j) in place:
                    y[i] = w.sub(y[i], w.mul(self.load(w, parts, place[i, j]), y[j]))
            y[i] = w.mul(y[i], self.load(w, parts, place[i, i]))
        for i in order:
            self.store(w, y[i], x, i)
