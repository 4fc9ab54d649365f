"""The sweep engine: many membranes of one model at once, several in the lanes of a vector, error-controlled, each at its own pace.

The vector code (``simulation.assembly.lanes``) is compiled by LLVM in less than a second and kept in the user's cache folder. A lane
that has come to the end of its protocol is given the next membrane; threads share the work, for compiled code lets go of Python's lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from llvmlite import binding as llvm
from numpy.typing import NDArray

from simulation.assembly import rodas
from simulation.assembly.compile import Array
from simulation.assembly.emit import Emitted
from simulation.assembly.lanes import WIDTH, Lanes
from simulation.assembly.native import function_of, machine_code

Ints = NDArray[np.int64]

IDLE = -1
_ROOM = 8192  # rows of a lane's trace before it is fetched
_ATTEMPTS = 50_000  # steps between two looks at whether the user wants to stop
_LONGEST = 2_000_000  # steps of one membrane before it counts as failed
_FIRST_STEP = 1e-3  # ms
_SCALES = {"mV": 50.0, "1": 0.05, "mM": 0.5}  # of a state's error beside rtol |y|


def aligned(*shape: int) -> Array:
    """Zeros that lie as vector instructions like it."""
    size = int(np.prod(shape))
    room = np.zeros(size + 8)
    skip = (-room.ctypes.data // 8) % 8
    return room[skip : skip + size].reshape(shape)


@dataclass(frozen=True)
class Stretch:
    """A stretch of the protocol without an edge inside: its end (ms), and the stimulus I_0 + I_slope (t - t_0)."""

    end: float
    I_0: float
    I_slope: float
    t_0: float


@dataclass(frozen=True, eq=False)
class Course:
    """What became of one membrane. ``steps``: rows of what was noted at every step, see below; ``state``: at the end; ``failed``: why it
    could not be followed, else empty."""

    index: int
    steps: Array
    state: Array
    failed: str = ""

    @property
    def t(self) -> Array:
        """Time, ms."""
        return np.asarray(self.steps[0])

    @property
    def V(self) -> Array:
        """Potential, mV."""
        return np.asarray(self.steps[1])

    @property
    def own(self) -> Array:
        """dV/dt without the stimulus, mV/ms."""
        return np.asarray(self.steps[2])

    @property
    def watched(self) -> Array:
        """The symbols asked for, a row each."""
        return self.steps[3:]


@dataclass(frozen=True)
class Engine:
    """The compiled vector code of one model. ``moving``: positions of the states that move; ``watch``: symbols noted at every step."""

    emitted: Emitted
    moving: tuple[int, ...]
    width: int = WIDTH
    watch: tuple[str, ...] = ()

    @cached_property
    def lanes(self) -> Lanes:
        return Lanes(self.emitted, self.moving, self.width, self.watch)

    @cached_property
    def _code(self) -> llvm.ExecutionEngine:
        made_of = (self.emitted.digest, self.width, self.moving, self.watch, "lanes")
        return machine_code(self.emitted.bound.name, made_of, lambda: self.lanes.text)

    @cached_property
    def advance(self) -> Callable[..., int]:
        """The compiled function of that name, which takes pointers and whole numbers, as they come from NumPy; so do those below."""
        return function_of(self._code, "advance", 12)

    @cached_property
    def settle(self) -> Callable[..., int]:
        return function_of(self._code, "settle", 5)

    @cached_property
    def rates(self) -> Callable[..., int]:
        return function_of(self._code, "rates", 4)

    @cached_property
    def jacobians(self) -> Callable[..., int]:
        return function_of(self._code, "jacobians", 5)

    @cached_property
    def scale(self) -> Array:
        """Of each moving state, what is added to its size before the relative tolerance is taken of it."""
        units = [self.emitted.bound.states[i].unit for i in self.moving]
        return np.array([_SCALES.get(unit, 1.0) for unit in units])

    def run(
        self, starts: Array, values: Array, stretches: Sequence[Stretch], *, strength: Array | None = None, rtol: float = 1e-5,
        threads: int | None = None,
    ) -> Iterator[Course]:
        """Follow membranes through a protocol; courses come as they are finished.

        ``starts``: shape (membranes, states); ``values``: shape (membranes, len(emitted.values));
        ``strength``: what the stimulus is multiplied with for each membrane, 1 if not given."""
        count = len(starts)
        threads = min(threads or os.cpu_count() or 1, max(1, -(-count // self.width)))
        next_one = iter(range(count))
        lock = threading.Lock()

        def take() -> int | None:
            with lock:
                return next(next_one, None)

        self.advance  # noqa: B018  compiled before the threads begin
        strength = np.ones(count) if strength is None else strength
        batches = [_Batch(self, starts, values, stretches, strength, rtol, take) for _ in range(threads)]
        if threads == 1:
            yield from batches[0].courses()
            return
        finished: list[Course] = []
        news = threading.Condition()

        def work(batch: _Batch) -> None:
            for course in batch.courses():
                with news:
                    finished.append(course)
                    news.notify()

        with ThreadPoolExecutor(threads) as pool:
            jobs = [pool.submit(work, batch) for batch in batches]
            try:
                given = 0
                while given < count:
                    with news:
                        while not finished and not any(job.done() and job.exception() for job in jobs):
                            news.wait(0.1)
                        ready, finished[:] = list(finished), []
                    for job in jobs:
                        if job.done():
                            job.result()
                    yield from ready
                    given += len(ready)
            finally:
                for batch in batches:
                    batch.stopped = True


class _Batch:
    """The lanes of one thread."""

    def __init__(
        self, engine: Engine, starts: Array, values: Array, stretches: Sequence[Stretch], strength: Array, rtol: float,
        take: Callable[[], int | None],
    ) -> None:
        width, names = engine.width, engine.emitted.values
        self.engine, self.starts, self.prepared, self.stretches, self.strength, self.take = engine, starts, values, stretches, strength, take
        self.state = aligned(starts.shape[1], width)
        self.values = aligned(len(names) + 1, width)
        self.clock = aligned(5, width)
        self.clock[rodas.RTOL] = rtol
        self.scale = aligned(len(engine.moving), width)
        self.scale[:] = engine.scale[:, None]
        self.status: Ints = np.full(width, IDLE, dtype=np.int64)
        self.segment: Ints = np.zeros(width, dtype=np.int64)
        self.count: Ints = np.zeros(width, dtype=np.int64)
        self.trace = np.zeros((width, 3 + len(engine.watch), _ROOM))
        self.edges = np.array([[s.end, s.I_0, s.I_slope, s.t_0] for s in stretches]).T.copy()
        self.stimulus = [names.index(symbol) for symbol in engine.emitted.bound.model.stimulus]
        self.points: list[int | None] = [None] * width
        self.parts: list[list[Array]] = [[] for _ in range(width)]
        self.steps = [0] * width
        self.stopped = False

    def courses(self) -> Iterator[Course]:
        for lane in range(self.engine.width):
            self._load(lane)
        arrays = (self.state, self.values, self.clock, self.scale, self.status, self.segment, self.edges)
        pointers = [a.ctypes.data for a in arrays]
        more = [self.trace.ctypes.data, self.count.ctypes.data, _ROOM, _ATTEMPTS]
        while any(p is not None for p in self.points) and not self.stopped:
            self.engine.advance(*pointers, len(self.stretches), *more)
            for lane, point in enumerate(self.points):
                if point is not None and (self.status[lane] != rodas.RUNNING or self.count[lane] == _ROOM):
                    course = self._attend(lane, point)
                    if course is not None:
                        yield course

    def _load(self, lane: int) -> None:
        point = self.take()
        self.points[lane], self.parts[lane], self.steps[lane], self.count[lane] = point, [], 0, 0
        if point is None:
            self.status[lane] = IDLE
            # An idle lane goes on computing: with numbers that are known to be sound.
            self.state[:, lane], self.values[:-1, lane] = self.starts[0], self.prepared[0]
            return
        first = self.stretches[0]
        self.state[:, lane] = self.starts[point]
        self.values[:-1, lane] = self.prepared[point]
        with np.errstate(invalid="ignore"):  # a strength that is no number is this lane's own affair
            strength = self.strength[point]
            self.values[self.stimulus, lane] = strength * first.I_0, strength * first.I_slope, first.t_0
        self.clock[:3, lane] = 0.0, _FIRST_STEP, first.end
        self.clock[rodas.STRENGTH, lane] = self.strength[point]
        self.segment[lane], self.status[lane] = 0, rodas.RUNNING

    def _attend(self, lane: int, point: int) -> Course | None:
        rows = int(self.count[lane])
        self.parts[lane].append(self.trace[lane, :, :rows].copy())
        self.steps[lane] += rows
        self.count[lane] = 0
        status = int(self.status[lane])
        if status in (rodas.FULL, rodas.RUNNING) and self.steps[lane] < _LONGEST:
            self.status[lane] = rodas.RUNNING
            return None
        parts = self.parts[lane]
        failed = "" if status == rodas.DONE else f"gave up at t = {self.clock[rodas.TIME, lane]:.4g} ms"
        course = Course(point, parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1), self.state[:, lane].copy(), failed)
        self._load(lane)
        return course
