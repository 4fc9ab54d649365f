"""The functions that experiments call, whichever way the equations are run: as machine code, or as the emitted Python text."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, wraps
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation.assembly.bind import Bound
from simulation.assembly.emit import Emitted

if TYPE_CHECKING:
    from simulation.assembly.engine import Engine
    from simulation.assembly.native import Single

Array = NDArray[np.float64]
LEAP = 20.0  # mV: no potential goes further in one step of Newton's method


def cache_folder() -> Path:
    """Folder for compiled models: $CRAMPLAB_CACHE, else the user's cache folder, else a temporary one."""
    import platformdirs

    wanted = os.environ.get("CRAMPLAB_CACHE")
    for folder in [Path(wanted)] if wanted else [platformdirs.user_cache_path("cramplab", appauthor=False)]:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return _temporary_folder()


@cache
def _temporary_folder() -> Path:
    """One for this process, removed when it ends."""
    folder = tempfile.mkdtemp(prefix="cramplab-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _import(name: str, text: str) -> ModuleType:
    path = cache_folder() / f"{name}.py"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        handle, aside = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(aside, path)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _quiet(function: Callable[..., None]) -> Callable[..., None]:
    """A plain function that answers NaN where Python's floats raise, as the compiled one does."""

    @wraps(function)
    def call(*arguments: Any) -> None:
        try:
            with np.errstate(all="ignore"):
                function(*arguments)
        except (ArithmeticError, ValueError):
            arguments[-1][...] = np.nan

    return call


class Plain:
    """The emitted text as Python runs it: slower, and readable to the last line. The same functions as ``native.Single``."""

    def __init__(self, emitted: Emitted) -> None:
        module = _import(f"cramplab_{emitted.bound.name}_{emitted.digest}", emitted.source)
        self.prepare, self.rhs, self.jacobian, self.observe_many = (
            _quiet(getattr(module, name)) for name in ("prepare", "rhs", "jacobian", "observe_many")
        )

    def functions_of(self, values: Array) -> tuple[Callable[[float, Array], Array], Callable[[float, Array], Array]]:
        def rhs(t: float, state: Array) -> Array:
            rate = np.empty(len(state))
            self.rhs(t, state, values, rate)
            return rate

        def jacobian(t: float, state: Array) -> Array:
            matrix = np.empty((len(state), len(state)))
            self.jacobian(t, state, values, matrix)
            return matrix

        return rhs, jacobian

    def rhs_along(self, t: float, states: Array, values: Array, stimulus: Array, at: int, rates: Array) -> None:
        for state, current, rate in zip(states, stimulus, rates, strict=True):
            values[at] = current
            self.rhs(t, state, values, rate)

    def jacobian_along(self, t: float, states: Array, values: Array, matrices: Array) -> None:
        for state, matrix in zip(states, matrices, strict=True):
            self.jacobian(t, state, values, matrix)


@dataclass(frozen=True)
class Kernel:
    """The compiled reading of a model: right-hand side, Jacobian and observers over flat arrays.

    ``kind`` is 'llvm', machine code made from the traced equations, or 'plain', the emitted Python text."""

    emitted: Emitted
    kind: str

    @property
    def bound(self) -> Bound:
        return self.emitted.bound

    @cached_property
    def _functions(self) -> Plain | Single:
        if self.kind == "plain":
            return Plain(self.emitted)
        from simulation.assembly.native import Single

        return Single(self.emitted)

    @cached_property
    def rhs(self) -> Callable[[float, Array, Array, Array], None]:
        """(t, state, values, rate): rates of change of every state."""
        return self._functions.rhs

    @cached_property
    def jacobian(self) -> Callable[[float, Array, Array, Array], None]:
        """(t, state, values, matrix): their derivatives by every state."""
        return self._functions.jacobian

    def functions_of(self, values: Array) -> tuple[Callable[[float, Array], Array], Callable[[float, Array], Array]]:
        """Right-hand side and Jacobian as SciPy's solvers call them, for one set of values and one thread."""
        return self._functions.functions_of(values)

    @cached_property
    def rhs_along(self) -> Callable[[float, Array, Array, Array, int, Array], None]:
        """(t, states, values, stimulus, at, rates): rates of many states, each with a stimulus of its own at place ``at`` of ``values``."""
        return self._functions.rhs_along

    @cached_property
    def jacobian_along(self) -> Callable[[float, Array, Array, Array], None]:
        """(t, states, values, matrices): Jacobians of many states."""
        return self._functions.jacobian_along

    def engine(self, moving: tuple[int, ...], watch: tuple[str, ...] = (), width: int | None = None) -> Engine:
        """The sweep engine that moves the states at these positions and watches these symbols, made once. ``width``: lanes of it, as many
        as suit many membranes if not given; a single one is done soonest with 1."""
        from simulation.assembly.engine import Engine
        from simulation.assembly.lanes import WIDTH

        return self._engines.setdefault((moving, watch, width), Engine(self.emitted, moving, width or WIDTH, watch))

    @cached_property
    def _engines(self) -> dict[object, Engine]:
        return {}

    def prepare(self, parameters: Mapping[str, float]) -> Array:
        """Values that the other functions need, from parameters by symbol."""
        return self._prepared(np.array([parameters[p] for p in self.emitted.parameters], dtype=float))

    def changed(self, values: Array, parameters: Mapping[str, float]) -> Array:
        """``values`` as they would be if some parameters were others."""
        params = values[: len(self.emitted.parameters)].copy()
        for name, value in parameters.items():
            params[self.emitted.parameters.index(name)] = value
        return self._prepared(params)

    def spread(self, values: Array, parameters: Mapping[str, Array]) -> Array:
        """Rows of ``values``, each as it would be if some parameters had the numbers that stand for this row."""
        count = len(next(iter(parameters.values())))
        n = len(self.emitted.parameters)
        out, params = np.empty((count, len(self.emitted.values))), np.tile(values[:n], (count, 1))
        for name, numbers in parameters.items():
            params[:, self.emitted.parameters.index(name)] = numbers
        for row, of_row in zip(out, params, strict=True):
            self._functions.prepare(of_row, row)
        return out

    def _prepared(self, params: Array) -> Array:
        values = np.empty(len(self.emitted.values))
        self._functions.prepare(params, values)
        return values

    def observe(self, t: Array, states: Array, values: Array) -> Array:
        """Every symbol that an equation defines, shape (times, symbols), in the order of ``emitted.symbols``."""
        out = np.empty((len(t), len(self.emitted.symbols)))
        self._functions.observe_many(np.ascontiguousarray(t), np.ascontiguousarray(states), values, out)
        return out


def compile_model(bound: Bound, kind: str | None = None) -> Kernel:
    """The kernel of a model. ``kind``: 'llvm', 'plain' or None, which is what $CRAMPLAB_KERNEL says, else 'llvm'.

    Raises ValueError for another kind."""
    kind = kind or os.environ.get("CRAMPLAB_KERNEL") or "llvm"
    if kind not in ("llvm", "plain"):
        raise ValueError(f"kernel '{kind}' is neither 'llvm' nor 'plain'")
    return _kernel(bound, kind)


@lru_cache(maxsize=64)
def _kernel(bound: Bound, kind: str) -> Kernel:
    """The same for every preparation of a model: what it compiles is compiled once."""
    return Kernel(Emitted(bound), kind)
