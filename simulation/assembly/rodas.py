"""Rodas4 in lanes: the Rosenbrock method of order 4(3) of Hairer & Wanner (Solving Ordinary Differential Equations II, 1996, section
IV.10), stiffly accurate, one system of equations a step. Each lane has a step and a time of its own.

``advance`` takes steps until a lane has come to the end of its protocol, or a buffer is full, or a lane fails. Within a segment of the
protocol the stimulus is a straight line; no step crosses an edge. Nothing that happens in one lane is seen by another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir

if TYPE_CHECKING:
    from simulation.assembly.lanes import Lanes

GAMMA = 0.25
A = (
    (1.544,),
    (0.9466785280815826, 0.2557011698983284),
    (3.314825187068521, 2.896124015972201, 0.9986419139977817),
    (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895),
    (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895, 1.0),
)
C = (
    (-5.6688,),
    (-2.430093356833875, -0.2063599157091915),
    (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
    (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.7089089320616),
    (8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054),
)
ALPHA = (0.0, 0.386, 0.21, 0.63, 1.0, 1.0)
D = (0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0)
STAGES = 6

SAFETY, LEAST, MOST = 0.9, 0.2, 5.0
RUNNING, DONE, FAILED, FULL = range(4)  # status of a lane

# Rows of ``clock``, a vector each.
TIME, STEP, STOP, RTOL, STRENGTH = range(5)  # STRENGTH: what the protocol's stimulus is multiplied with
# Rows of ``edges``, a number for each segment: its end, and the stimulus there (start, slope, time of start).
END, I_0, I_SLOPE, T_0 = range(4)

_DOUBLE, _INT = ir.DoubleType(), ir.IntType(64)


def write(lanes: Lanes, module: ir.Module) -> None:
    """Add ``advance`` to a module that has rhs, slopes, factor and solve.

    advance(state, values, clock, scale, status, segment, edges, segments, trace, count, room, attempts) -> attempts made.
    ``scale``: of each moving state's error beside rtol |y|. ``trace``: t, V, dV/dt without stimulus and what is watched at the start of
    each step, lane by lane and one after the other, with ``room`` for so many steps; ``count``: those in use."""
    _Writer(lanes, module).write()


class _Writer:
    def __init__(self, lanes: Lanes, module: ir.Module) -> None:
        from simulation.assembly.lanes import Words

        self.lanes, self.module, self.n = lanes, module, len(lanes.moving)
        vector = ir.VectorType(_DOUBLE, lanes.width).as_pointer()
        number, integer = _DOUBLE.as_pointer(), _INT.as_pointer()
        kinds = [vector, vector, vector, vector, integer, integer, number, _INT, number, integer, _INT, _INT]
        self.function = ir.Function(module, ir.FunctionType(_INT, kinds), name="advance")
        names = ("state", "values", "clock", "scale", "status", "segment", "edges", "segments", "trace", "count", "room", "attempts")
        for argument, name in zip(self.function.args, names, strict=True):
            argument.name = name
            setattr(self, name, argument)
        self.b = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.w = Words(self.b, lanes.width)

    state: Any
    values: Any
    clock: Any
    scale: Any
    status: Any
    segment: Any
    edges: Any
    segments: Any
    trace: Any
    count: Any
    room: Any
    attempts: Any

    def array(self, rows: int, name: str) -> Any:
        return self.b.alloca(self.w.vector, ir.Constant(_INT, rows), name=name)

    def call(self, name: str, *arguments: Any) -> None:
        self.b.call(self.module.get_global(name), arguments)

    def each_lane(self, which: Any, then: Any) -> None:
        """Branches for the lanes of a mask, none taken if the mask is empty."""
        b = self.b
        with b.if_then(self.w.some(which), likely=False):
            for i in range(self.lanes.width):
                lane = ir.Constant(ir.IntType(32), i)
                with b.if_then(b.extract_element(which, lane)):
                    then(lane, ir.Constant(_INT, i))

    def spot(self, array: Any, row: int, index: Any) -> Any:
        """Address of one lane's number in a row of vectors."""
        at = self.b.add(ir.Constant(_INT, row * self.lanes.width), index)
        return self.b.gep(self.b.bitcast(array, _DOUBLE.as_pointer()), [at], inbounds=True)

    # ---- the function

    def write(self) -> None:
        b, w, L = self.b, self.w, self.lanes
        rate, matrix, parts = self.array(self.n, "rate"), self.array(L.rows, "matrix"), self.array(len(L.elimination[1]), "parts")
        shift, stage = self.array(1, "shift"), self.array(len(L.bound.states), "stage")
        self.inverse = self.array(max(1, len(L.divisors)), "inverse")
        self.call("invert", self.values, self.inverse)
        k = [self.array(self.n, f"k{i + 1}") for i in range(STAGES)]
        made = b.alloca(_INT, name="made")
        b.store(ir.Constant(_INT, 0), made)
        for i in range(len(L.bound.states)):
            L.store(w, L.load(w, self.state, i), stage, i)
        loop, after = self.function.append_basic_block("loop"), self.function.append_basic_block("after")
        b.branch(loop)
        b.position_at_end(loop)

        running = self._status("==")
        t, wanted, stop = (L.load(w, self.clock, row) for row in (TIME, STEP, STOP))
        left = w.sub(stop, t)
        last = b.fcmp_ordered("<=", w.mul(left, w.number(0.999999)), wanted)
        h = w.choose(last, left, wanted)
        h = w.choose(running, h, w.number(1e-3))
        L.store(w, w.div(w.number(1.0), w.mul(h, w.number(GAMMA))), shift, 0)
        time_row = len(L.emitted.values)
        L.store(w, t, self.values, time_row)
        self.call("slopes", self.state, self.values, self.inverse, rate, matrix)
        self.call("factor", matrix, shift, parts)
        new, error = self._stages(t, h, rate, matrix, parts, stage, k, time_row)

        fine = b.fcmp_ordered("<", error, w.number(1e30))
        accepted = b.and_(b.fcmp_ordered("<=", error, w.number(1.0)), running)
        V = L.load(w, self.state, L.bound.index(L.bound.model.potential))
        self._keep(accepted, [t, V, *(L.load(w, matrix, L.rows - 1 - len(L.watch) + i) for i in range(1 + len(L.watch)))])
        for i, position in enumerate(L.moving):
            y = w.choose(accepted, new[i], L.load(w, self.state, position))
            L.store(w, y, self.state, position)
        L.store(w, w.choose(accepted, w.choose(last, stop, w.add(t, h)), t), self.clock, TIME)
        grow = w.div(w.number(SAFETY), w.most(w.sqrt(w.sqrt(error)), w.number(1e-3)))
        grow = w.choose(fine, w.most(w.least(grow, w.number(MOST)), w.number(LEAST)), w.number(LEAST))
        following = w.mul(h, grow)
        # A step that an edge cut short says little about the next one: it may be as long as was wanted.
        following = w.choose(b.and_(accepted, last), w.most(following, wanted), following)
        L.store(w, w.choose(running, following, wanted), self.clock, STEP)
        self.each_lane(b.and_(accepted, last), self._edge)
        tiny = w.below(following, w.mul(w.number(1e-13), w.add(w.absolute(t), w.number(1.0))))
        self.each_lane(b.and_(b.and_(tiny, running), b.not_(accepted)), self._fail)

        tries = b.add(b.load(made), ir.Constant(_INT, 1))
        b.store(tries, made)
        go_on = b.and_(b.icmp_signed("<", tries, self.attempts), b.not_(w.some(self._status(">"))))
        b.cbranch(go_on, loop, after)
        b.position_at_end(after)
        b.ret(b.load(made))

    def _status(self, relation: str) -> Any:
        """Which lanes have a status that is ==, > RUNNING; that of an idle one lies below."""
        b = self.b
        status = b.load(b.bitcast(self.status, self.w.ints.as_pointer()), align=8)
        return b.icmp_signed(relation, status, ir.Constant(self.w.ints, [RUNNING] * self.lanes.width))

    def _stages(self, t: Any, h: Any, rate: Any, matrix: Any, parts: Any, stage: Any, k: list[Any], time_row: int) -> tuple[list[Any], Any]:
        w, L = self.w, self.lanes
        per_h = w.div(w.number(1.0), h)
        new: list[Any] = []
        for s in range(STAGES):
            if s:
                for i, position in enumerate(L.moving):
                    y = L.load(w, self.state, position)
                    for a, earlier in zip(A[s - 1], k, strict=False):
                        y = w.add(y, w.mul(w.number(a), L.load(w, earlier, i)))
                    L.store(w, y, stage, position)
                L.store(w, w.add(t, w.mul(w.number(ALPHA[s]), h)), self.values, time_row)
                self.call("rhs", stage, self.values, self.inverse, rate)
            for i in range(self.n):
                x = L.load(w, rate, i)
                if s:
                    sums = None
                    for c, earlier in zip(C[s - 1], k, strict=False):
                        term = w.mul(w.number(c), L.load(w, earlier, i))
                        sums = term if sums is None else w.add(sums, term)
                    x = w.add(x, w.mul(sums, per_h))
                if i in L.by_time and D[s]:
                    by_time = L.load(w, matrix, len(L.entries) + list(L.by_time).index(i))
                    x = w.add(x, w.mul(w.mul(w.number(D[s]), h), by_time))
                L.store(w, x, k[s], i)
            self.call("solve", parts, k[s])
        total = w.number(0.0)
        rtol = L.load(w, self.clock, RTOL)
        for i, position in enumerate(L.moving):
            before, e = L.load(w, self.state, position), L.load(w, k[-1], i)
            after = w.add(L.load(w, stage, position), e)
            new.append(after)
            allowed = w.mul(rtol, w.add(w.most(w.absolute(before), w.absolute(after)), L.load(w, self.scale, i)))
            ratio = w.div(e, allowed)
            total = w.add(total, w.mul(ratio, ratio))
        return new, w.sqrt(w.mul(total, w.number(1 / self.n)))

    # ---- what happens to single lanes

    def _keep(self, accepted: Any, columns: list[Any]) -> None:
        b = self.b

        def keep(lane: Any, index: Any) -> None:
            place = b.gep(self.count, [index], inbounds=True)
            used = b.load(place)
            first = b.mul(index, ir.Constant(_INT, len(columns)))
            for column, x in enumerate(columns):
                at = b.add(b.mul(b.add(first, ir.Constant(_INT, column)), self.room), used)
                b.store(b.extract_element(x, lane), b.gep(self.trace, [at], inbounds=True))
            more = b.add(used, ir.Constant(_INT, 1))
            b.store(more, place)
            with b.if_then(b.icmp_signed(">=", more, self.room), likely=False):
                b.store(ir.Constant(_INT, FULL), b.gep(self.status, [index], inbounds=True))

        self.each_lane(accepted, keep)

    def _edge(self, lane: Any, index: Any) -> None:
        """A lane has come to the end of a segment: on with the next one, or done."""
        b, L = self.b, self.lanes
        place = b.gep(self.segment, [index], inbounds=True)
        following = b.add(b.load(place), ir.Constant(_INT, 1))
        b.store(following, place)
        status = b.gep(self.status, [index], inbounds=True)
        with b.if_else(b.icmp_signed(">=", following, self.segments)) as (over, more):
            with over:
                b.store(ir.Constant(_INT, DONE), status)
            with more:
                def table(row: int) -> Any:
                    at = b.add(b.mul(ir.Constant(_INT, row), self.segments), following)
                    return b.load(b.gep(self.edges, [at], inbounds=True))

                b.store(table(END), self.spot(self.clock, STOP, index))
                names = list(L.emitted.values)
                strength = b.load(self.spot(self.clock, STRENGTH, index))
                for row, symbol in zip((I_0, I_SLOPE, T_0), L.bound.model.stimulus, strict=True):
                    x = table(row) if row == T_0 else b.fmul(table(row), strength)
                    b.store(x, self.spot(self.values, names.index(symbol), index))

    def _fail(self, lane: Any, index: Any) -> None:
        self.b.store(ir.Constant(_INT, FAILED), self.b.gep(self.status, [index], inbounds=True))
