"""Newton's method in lanes, and loops over many groups of lanes: what the search for steady states is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir

from simulation.assembly.compile import LEAP

if TYPE_CHECKING:
    from simulation.assembly.lanes import Lanes

_DOUBLE, _INT = ir.DoubleType(), ir.IntType(64)
STEPS = 40
_FALL = 0.9  # a concentration never loses more than this share of itself in one step


def write(lanes: Lanes, module: ir.Module) -> None:
    """Add ``rates(state, values, groups, rate)``, ``jacobians(state, values, groups, rate, matrix)`` and
    ``settle(state, values, groups, tolerance, settled)`` to a module that has rhs, slopes, factor and solve.

    All arrays hold one group of lanes after the other. ``settle`` moves the moving states to where their rates vanish; ``settled``: 1 for
    each lane that came to rest within 40 steps, else 0."""
    sizes = {"state": len(lanes.bound.states), "values": len(lanes.emitted.values) + 1, "rate": len(lanes.moving), "matrix": lanes.rows}
    _loop(lanes, module, "rates", "rhs", ("state", "values", "rate"), sizes)
    _loop(lanes, module, "jacobians", "slopes", ("state", "values", "rate", "matrix"), sizes)
    _settle(lanes, module, sizes)


def _start(lanes: Lanes, module: ir.Module, name: str, kinds: list[ir.Type], names: tuple[str, ...]) -> tuple[ir.IRBuilder, dict[str, Any]]:
    function = ir.Function(module, ir.FunctionType(_INT, kinds), name=name)
    for argument, label in zip(function.args, names, strict=True):
        argument.name = label
    return ir.IRBuilder(function.append_basic_block("entry")), dict(zip(names, function.args, strict=True))


def _loop(lanes: Lanes, module: ir.Module, name: str, called: str, arrays: tuple[str, ...], sizes: dict[str, int]) -> None:
    vector = ir.VectorType(_DOUBLE, lanes.width).as_pointer()
    names = (*arrays[:2], "groups", *arrays[2:])
    b, given = _start(lanes, module, name, [_INT if n == "groups" else vector for n in names], names)
    inverse = b.alloca(vector.pointee, ir.Constant(_INT, max(1, len(lanes.divisors))))
    with _each(b, given["groups"]) as group:
        state, values, *out = (b.gep(given[n], [b.mul(group, ir.Constant(_INT, sizes[n]))]) for n in arrays)
        b.call(module.get_global("invert"), [values, inverse])
        b.call(module.get_global(called), [state, values, inverse, *out])
    b.ret(ir.Constant(_INT, 0))


def write_along(lanes: Lanes, module: ir.Module) -> None:
    """Add loops over many states of one membrane to a module of width 1: ``observe_many(times, states, values, count, out)``,
    ``rhs_along(time, stimulus, states, values, count, at, rates)`` and ``jacobian_along(time, states, values, count, matrices)``.
    ``stimulus``: of each state, put into ``values`` at place ``at``."""
    vector = ir.VectorType(_DOUBLE, lanes.width).as_pointer()
    n, m = len(lanes.bound.states), len(lanes.moving)

    def row(b: ir.IRBuilder, array: Any, i: Any, size: int = 1) -> Any:
        return b.gep(array, [b.mul(i, ir.Constant(_INT, size))])

    b, of = _start(lanes, module, "observe_many", [vector, vector, vector, _INT, vector], ("times", "states", "values", "count", "out"))
    with _each(b, of["count"]) as i:
        out = row(b, of["out"], i, len(lanes.emitted.symbols))
        b.call(module.get_global("observe"), [row(b, of["states"], i, n), of["values"], out, row(b, of["times"], i)])
    b.ret(ir.Constant(_INT, 0))
    kinds = [vector, vector, vector, vector, _INT, _INT, vector]
    b, of = _start(lanes, module, "rhs_along", kinds, ("time", "stimulus", "states", "values", "count", "at", "rates"))
    with _each(b, of["count"]) as i:
        b.store(b.load(row(b, of["stimulus"], i), align=8), b.gep(of["values"], [of["at"]]), align=8)
        b.call(module.get_global("rhs"), [row(b, of["states"], i, n), of["values"], row(b, of["rates"], i, m), of["time"]])
    b.ret(ir.Constant(_INT, 0))
    b, of = _start(lanes, module, "jacobian_along", [vector, vector, vector, _INT, vector], ("time", "states", "values", "count", "matrices"))
    with _each(b, of["count"]) as i:
        b.call(module.get_global("jacobian"), [row(b, of["states"], i, n), of["values"], row(b, of["matrices"], i, m * m), of["time"]])
    b.ret(ir.Constant(_INT, 0))


class _each:
    """A loop from 0 to ``count`` around what is written inside."""

    def __init__(self, builder: ir.IRBuilder, count: Any) -> None:
        self.b, self.count = builder, count

    def __enter__(self) -> Any:
        b = self.b
        self.place = b.alloca(_INT)
        b.store(ir.Constant(_INT, 0), self.place)
        function = b.function
        self.head, self.body, self.over = (function.append_basic_block(n) for n in ("head", "body", "over"))
        b.branch(self.head)
        b.position_at_end(self.head)
        i = b.load(self.place)
        b.cbranch(b.icmp_signed("<", i, self.count), self.body, self.over)
        b.position_at_end(self.body)
        return i

    def __exit__(self, *error: object) -> None:
        b = self.b
        b.store(b.add(b.load(self.place), ir.Constant(_INT, 1)), self.place)
        b.branch(self.head)
        b.position_at_end(self.over)


def _settle(lanes: Lanes, module: ir.Module, sizes: dict[str, int]) -> None:
    from simulation.assembly.lanes import Words

    vector = ir.VectorType(_DOUBLE, lanes.width)
    names = ("state", "values", "groups", "tolerance", "settled")
    kinds = [vector.as_pointer(), vector.as_pointer(), _INT, _DOUBLE.as_pointer(), vector.as_pointer()]
    b, given = _start(lanes, module, "settle", kinds, names)
    w, n = Words(b, lanes.width), len(lanes.moving)

    def array(rows: int) -> Any:
        return b.alloca(vector, ir.Constant(_INT, rows))

    rate, matrix, parts, shift = array(n), array(sizes["matrix"]), array(len(lanes.elimination[1])), array(1)
    inverse = array(max(1, len(lanes.divisors)))
    b.store(w.number(0.0), shift)
    tolerance = b.load(given["tolerance"])
    allowed = w.number(0.0)
    lane_type = ir.IntType(32)
    for i in range(lanes.width):
        allowed = b.insert_element(allowed, tolerance, ir.Constant(lane_type, i))
    mask, tries = b.alloca(w.bits), b.alloca(_INT)
    sound = b.alloca(w.bits)
    none, every = ir.Constant(w.bits, [0] * lanes.width), ir.Constant(w.bits, [1] * lanes.width)
    with _each(b, given["groups"]) as group:
        state = b.gep(given["state"], [b.mul(group, ir.Constant(_INT, sizes["state"]))])
        values = b.gep(given["values"], [b.mul(group, ir.Constant(_INT, sizes["values"]))])
        b.call(module.get_global("invert"), [values, inverse])
        b.store(none, mask)
        b.store(every, sound)
        b.store(ir.Constant(_INT, 0), tries)
        step_block, done_block = b.function.append_basic_block("step"), b.function.append_basic_block("settled")
        b.branch(step_block)
        b.position_at_end(step_block)
        b.call(module.get_global("slopes"), [state, values, inverse, rate, matrix])
        b.call(module.get_global("factor"), [matrix, shift, parts])
        b.call(module.get_global("solve"), [parts, rate])
        fall, leap, size = w.number(0.0), w.number(0.0), w.number(0.0)
        for i, position in enumerate(lanes.moving):
            y, x = lanes.load(w, state, position), lanes.load(w, rate, i)
            if lanes.bound.states[position].unit == "mM":
                fall = w.most(fall, w.div(w.neg(x), y))
            elif lanes.bound.states[position].unit == "mV":
                leap = w.most(leap, w.absolute(x))
            size = w.add(size, w.div(w.absolute(x), w.add(w.number(1.0), w.absolute(y))))  # a sum: NaN anywhere is NaN here
        finite = b.fcmp_ordered("<", size, w.number(1e12))
        b.store(b.and_(b.load(sound), finite), sound)
        short = w.choose(w.below(w.number(_FALL), fall), w.div(w.number(_FALL), fall), w.number(1.0))
        near = w.choose(w.below(w.number(LEAP), leap), w.div(w.number(LEAP), leap), w.number(1.0))
        short = w.choose(w.below(near, short), near, short)
        moves = b.and_(b.load(sound), b.not_(b.load(mask)))
        for i, position in enumerate(lanes.moving):
            y = lanes.load(w, state, position)
            lanes.store(w, w.choose(moves, w.add(y, w.mul(short, lanes.load(w, rate, i))), y), state, position)
        arrived = b.and_(b.and_(w.below(size, allowed), w.below(fall, w.number(_FALL))), b.load(sound))
        b.store(b.or_(b.load(mask), arrived), mask)
        b.store(b.add(b.load(tries), ir.Constant(_INT, 1)), tries)
        waiting = b.and_(b.not_(b.load(mask)), b.load(sound))
        b.cbranch(b.and_(w.some(waiting), b.icmp_signed("<", b.load(tries), ir.Constant(_INT, STEPS))), step_block, done_block)
        b.position_at_end(done_block)
        b.store(w.choose(b.load(mask), w.number(1.0), w.number(0.0)), b.gep(given["settled"], [group]), align=8)
    b.ret(ir.Constant(_INT, 0))
