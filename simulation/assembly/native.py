"""From LLVM text to machine code: compiled in less than a second, kept in the user's cache folder, called through pointers.

``Single`` is the compiled reading of a model for one membrane."""

from __future__ import annotations

import ctypes
import hashlib
import os
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from llvmlite import binding as llvm

from simulation.assembly import lanes, newton, rodas
from simulation.assembly.compile import Array, cache_folder
from simulation.assembly.emit import Emitted

_LOCK = threading.Lock()


def _machine() -> llvm.TargetMachine:
    """This computer, as LLVM sees it. An engine takes it for its own, so each wants a new one."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=2, jit=True)


@cache
def _writers() -> str:
    """The text of what writes vector code: code from another version of it is not taken up again."""
    return "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in (lanes, newton, rodas))


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """Object code from the user's cache folder, made and put there if it is not."""
    try:
        return path.read_bytes()
    except OSError:
        code = make()
    aside = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
    try:
        aside.write_bytes(code)
        os.replace(aside, path)
    except OSError:  # without a cache it is made anew each time
        aside.unlink(missing_ok=True)
    return code


def machine_code(model: str, made_of: tuple[object, ...], text: Callable[[], str]) -> llvm.ExecutionEngine:
    """Compiled functions. ``made_of``: what the code depends on beside this computer and what writes it; ``text``: gives the LLVM text if
    there is no code yet."""
    machine = _machine()
    whole = (*made_of, _writers(), machine.triple, llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), llvm.llvm_version_info)
    name = f"cramplab_{model}_{hashlib.sha256(repr(whole).encode()).hexdigest()[:20]}.o"
    code = _kept(cache_folder() / name, lambda: bytes(machine.emit_object(llvm.parse_assembly(text()))))
    with _LOCK:
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
    return engine


def function_of(code: llvm.ExecutionEngine, name: str, arguments: int, *, short: bool = False) -> Callable[..., int]:
    """A compiled function that takes pointers and whole numbers. ``short``: too short to let go of Python's lock for."""
    kind = ctypes.PYFUNCTYPE if short else ctypes.CFUNCTYPE
    return kind(ctypes.c_int64, *[ctypes.c_int64] * arguments)(code.get_function_address(name))


def place(a: Array) -> int:
    """Where an array lies. Raises ValueError for one that is not of floats in one piece."""
    if not (a.flags.c_contiguous and a.dtype == np.float64):
        raise ValueError("compiled functions want arrays of floats that lie in one piece")
    return int(a.ctypes.data)


class _Desk(threading.local):
    """Arrays of one thread that compiled functions read and write, so that their places are asked for once."""

    def __init__(self, states: int) -> None:
        self.time, self.state, self.rate, self.matrix = np.zeros(1), np.zeros(states), np.zeros(states), np.zeros((states, states))
        self.places = tuple(place(a) for a in (self.time, self.state, self.rate, self.matrix))
        self.values, self.at_values = self.time, 0

    def at(self, values: Array) -> int:
        if values is not self.values:
            self.values, self.at_values = values, place(values)
        return self.at_values


class Single:
    """The functions of one model, over flat arrays of floats."""

    def __init__(self, emitted: Emitted) -> None:
        self.states = states = len(emitted.bound.states)
        whole = lanes.Lanes(emitted, tuple(range(states)), width=1)
        self.code = machine_code(emitted.bound.name, (emitted.digest, "single"), lambda: whole.single)
        self.desk = _Desk(states)
        self._prepare, self._rhs, self._jacobian = (
            function_of(self.code, name, count, short=True) for name, count in (("prepare", 2), ("rhs", 4), ("jacobian", 4))
        )
        self._observe, self._rhs_along, self._jacobian_along = (
            function_of(self.code, name, count) for name, count in (("observe_many", 5), ("rhs_along", 7), ("jacobian_along", 5))
        )

    def prepare(self, params: Array, values: Array) -> None:
        self._prepare(place(params), place(values))

    def rhs(self, t: float, state: Array, values: Array, rate: Array) -> None:
        desk = self.desk
        at_time, at_state, at_rate, _ = desk.places
        desk.time[0] = t
        desk.state[:] = state
        self._rhs(at_state, desk.at(values), at_rate, at_time)
        rate[:] = desk.rate

    def jacobian(self, t: float, state: Array, values: Array, matrix: Array) -> None:
        desk = self.desk
        at_time, at_state, _, at_matrix = desk.places
        desk.time[0] = t
        desk.state[:] = state
        self._jacobian(at_state, desk.at(values), at_matrix, at_time)
        matrix[:] = desk.matrix

    def functions_of(self, values: Array) -> tuple[Callable[[float, Array], Array], Callable[[float, Array], Array]]:
        """Arrays of their own, so that a call passes nothing but where these lie."""
        desk, values = _Desk(self.states), values.copy()
        time, here, rate, matrix = desk.time, desk.state, desk.rate, desk.matrix
        (at_time, at_state, at_rate, at_matrix), at_values = desk.places, place(values)
        to_rate, to_matrix = self._rhs, self._jacobian

        def rhs(t: float, state: Array, kept: Array = values) -> Array:  # kept: or there would be nothing where it lay
            time[0] = t
            here[:] = state
            to_rate(at_state, at_values, at_rate, at_time)
            return rate.copy()

        def jacobian(t: float, state: Array, kept: Array = values) -> Array:
            time[0] = t
            here[:] = state
            to_matrix(at_state, at_values, at_matrix, at_time)
            return matrix.copy()

        return rhs, jacobian

    def observe_many(self, times: Array, states: Array, values: Array, out: Array) -> None:
        self._observe(place(times), place(states), place(values), len(times), place(out))

    def rhs_along(self, t: float, states: Array, values: Array, stimulus: Array, at: int, rates: Array) -> None:
        time = np.array([t])
        self._rhs_along(place(time), place(stimulus), place(states), place(values), len(states), at, place(rates))

    def jacobian_along(self, t: float, states: Array, values: Array, matrices: Array) -> None:
        time = np.array([t])
        self._jacobian_along(place(time), place(states), place(values), len(states), place(matrices))
