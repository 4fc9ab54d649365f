"""Many experiments: one membrane over one or two axes, several processes or machines, results that outlive an interruption."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from simulation import files
from simulation.assembly.compile import Array
from simulation.assembly.errors import ModelError, nearest
from simulation.experiment import features, threshold
from simulation.experiment.bath import COMPONENTS
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.excitability import CURRENT, EXAMINATIONS, Examination
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Protocol, Pulse, protocol
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import Solver, run
from simulation.studies import side_by_side, workers
from simulation.studies.store import SUFFIXES, Store, open_sweep, save

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Axis", "Measure", "Sweep", "measure_point", "open_sweep", "parse_axis", "run_sweep", "save", "standard_protocol", "sweep"]

MOST_IN_MEMORY = 1_000_000  # points that .nc and .csv hold; .zarr takes more
MOST_POINTS = 1_000_000_000
FEW_CHECKS = 20
RUN_SOLVER = Solver(rtol=1e-6, atol=1e-8)
WARM_START = "thresholds were sought from those of the point before, on one ladder of currents: quicker, and the same result"
_CONFIRM = 1.005  # factor by which a search for a threshold leaves a guess that is right
_BLOCK_TIME = 400_000.0  # ms: of membrane that the engine follows in a block; what is finished is soon safe on disk
_BLOCK_MOST, _BLOCK_LEAST, _BLOCK_THRESHOLDS = 2048, 64, 256  # points
_ALONE_MOST, _ALONE_BLOCKS = 4, 4096  # points of a block that is done one by one; blocks, beyond which these grow


@dataclass(frozen=True)
class Axis:
    """One axis of a sweep: a bath component, a parameter, or a parameter's scale as 'SYMBOL_scale', and its values."""

    name: str
    values: tuple[float, ...]


Extreme = Literal["max", "min", "end"]


@dataclass(frozen=True)
class Measure:
    """What a sweep asks of each point. ``variables``: name -> (unit, text) of what it gives; ``curves``: those of them that run over the
    examination's own scale; ``extreme``: a symbol's highest, lowest or last value in a run."""

    name: str
    variables: Mapping[str, tuple[str, str]]
    examination: Examination | None = None
    extreme: tuple[Extreme, str] | None = None

    @property
    def curves(self) -> Mapping[str, tuple[str, str]]:
        return self.examination.curves if self.examination else {}


_EXTREMES: Mapping[Extreme, str] = {"max": "highest value", "min": "lowest value", "end": "value at the end"}
_REST = Measure(
    "rest",
    {
        "rest": ("mV", "resting potential (the most negative stable one)"),
        "rest_2": ("mV", "second stable resting potential"),
        "rest_unstable": ("mV", "unstable steady state between them"),
    },
)
_THRESHOLDS = {"rheobase": "rheobase (100 ms step)", "threshold_current": "threshold current of a 0.5 ms pulse"}
_RUN_FEATURES = {
    name: Measure(name, {name: (unit, features.TEXTS[name])})
    for name, unit in features.UNITS.items()
    if name not in ("spike_times", "rest")
}


@dataclass(frozen=True)
class Sweep:
    """A study: ``preparation`` over ``axes``, asking for ``measures``.

    ``protocol``: what is done at each point for measures of a run; if not given, a step of 200 ms at twice the rheobase of
    the control bath. The scaled rheobase is found once, so every point gets the same current. ``solver``: one of SciPy's for every
    point; if not given, the sweep engine does what it can do, held against SciPy at a sample of the points."""

    preparation: Preparation
    axes: tuple[Axis, ...]
    measures: tuple[str | Examination, ...]
    protocol: Protocol | None = None
    solver: Solver | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.axes) <= 2:
            raise ExperimentError(f"a sweep has one or two axes, not {len(self.axes)}")
        if len({a.name for a in self.axes}) < len(self.axes):
            raise ExperimentError(f"the axis {self.axes[0].name} is there twice")
        if not self.measures:
            raise ExperimentError("a sweep measures something, for example rest")
        scales: dict[str, object] = {a.name: a for a in self.axes}
        for m in self.asked:
            scale = m.examination.scale if m.examination else None
            if scale is not None and scales.setdefault(scale.name, scale) != scale:
                raise ExperimentError(f"two measures run over a {scale.name} of different values; ask for them one by one")
        for axis in self.axes:
            if not axis.values:
                raise ExperimentError(f"the axis {axis.name} has no values")
            for value in (min(axis.values), max(axis.values)):
                self.at({axis.name: value})
        if self.count > MOST_POINTS:
            raise ExperimentError(f"{self.count:,} points are more than the {MOST_POINTS:,} that a sweep can hold")

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(a.values) for a in self.axes)

    @property
    def dims(self) -> tuple[str, ...]:
        return tuple(a.name for a in self.axes)

    @property
    def count(self) -> int:
        return math.prod(self.shape)

    def point(self, i: int) -> dict[str, float]:
        """Axis values of a point, the last axis fastest."""
        places = np.unravel_index(i, self.shape)
        return {a.name: a.values[int(k)] for a, k in zip(self.axes, places, strict=True)}

    @cached_property
    def tile(self) -> tuple[int, ...]:
        """Shape of the blocks in which the sweep is done: whole rows, or a part of one."""
        size = min(self._block_size, self.count)
        *rows, inner = self.shape
        if not rows:
            return (min(size, inner),)
        return (size // inner, inner) if size >= inner else (1, size)

    @property
    def _block_size(self) -> int:
        if not side_by_side.suits(self):
            return max(_ALONE_MOST, -(-self.count // _ALONE_BLOCKS)) if self.count > 2 * _ALONE_MOST else 1
        duration = self.protocol.duration if self.protocol else 0.0
        size = _BLOCK_THRESHOLDS if self.warm else _BLOCK_MOST
        return max(_BLOCK_LEAST, min(size, int(_BLOCK_TIME / max(duration, 1.0))))

    @property
    def blocks(self) -> list[range]:
        """Places of the points of each block: a tile of the axes, and in one piece in the order of the points."""
        *rows, inner = self.shape
        *high, wide = self.tile
        if not rows:
            return [range(i, min(i + wide, inner)) for i in range(0, inner, wide)]
        if wide == inner:
            return [range(i * inner, min(i + high[0], rows[0]) * inner) for i in range(0, rows[0], high[0])]
        return [range(i * inner + j, i * inner + min(j + wide, inner)) for i in range(rows[0]) for j in range(0, inner, wide)]

    @cached_property
    def asked(self) -> tuple[Measure, ...]:
        """What is measured at each point. Raises ExperimentError for what is not known."""
        return tuple(self.measure(m) for m in self.measures)

    def measure(self, name: str | Examination) -> Measure:
        """A measure by name: rest, rheobase, threshold_current, an examination (recovery, electrotonus), a feature of a run, or any
        symbol of the model at rest. An examination may be given with settings of its own."""
        unit = self.preparation.bound.current_unit
        thresholds = {n: Measure(n, {n: (unit, text)}) for n, text in _THRESHOLDS.items()}
        known = {"rest": _REST} | thresholds | _RUN_FEATURES
        if isinstance(name, str) and name in EXAMINATIONS and name not in known:
            name = EXAMINATIONS[name]()
        if isinstance(name, Examination):
            texts = {**name.numbers, **name.curves}
            return Measure(name.name, {n: (unit if u == CURRENT else u, text) for n, (u, text) in texts.items()}, name)
        if name in known:
            return known[name]
        for kind, text in _EXTREMES.items():
            symbol = name.removeprefix(f"{kind}_")
            if symbol != name and (found := self._symbol(symbol)):
                return Measure(name, {name: (found[0], f"{symbol}, {text} of the run")}, extreme=(kind, symbol))
        if found := self._symbol(name):
            return Measure(name, {name: found})
        raise ExperimentError(
            f"'{name}' is neither a measure nor a symbol of {self.preparation.bound.name}"
            f"{nearest(name, [*known, *EXAMINATIONS, *self.preparation.kernel.emitted.symbols])}; measures: {', '.join([*known, *EXAMINATIONS])}"
        )

    def _symbol(self, name: str) -> tuple[str, str] | None:
        """Unit and text of a symbol of the model."""
        bound = self.preparation.bound
        for state in bound.states:
            if state.symbol == name:
                return state.unit, f"{name} of the membrane at rest"
        try:
            definition = bound.definition(name)
        except ModelError:
            return None
        return definition.unit, definition.text

    @cached_property
    def variables(self) -> dict[str, tuple[str, str]]:
        return {n: v for m in self.asked for n, v in m.variables.items()}

    @cached_property
    def inner_dims(self) -> dict[str, tuple[str, ...]]:
        """Of each variable, the dimension that an examination's curve has beside the axes."""
        scales = {n: m.examination.scale for m in self.asked if m.examination for n in m.curves}
        return {n: (scale.name,) if (scale := scales.get(n)) is not None else () for n in self.variables}

    @cached_property
    def inner(self) -> dict[str, tuple[int, ...]]:
        """Of each variable, the shape that it has at one point."""
        lengths = {s.name: len(s.values) for m in self.asked if m.examination and (s := m.examination.scale) is not None}
        return {n: tuple(lengths[d] for d in dims) for n, dims in self.inner_dims.items()}

    def coordinates(self) -> dict[str, tuple[str, Array, dict[str, str]]]:
        """Values and attributes of every dimension."""
        out = {a.name: (a.name, np.array(a.values), _axis_attributes(self.preparation, a.name)) for a in self.axes}
        for m in self.asked:
            out |= m.examination.coordinates() if m.examination else {}
        return out

    @property
    def of_runs(self) -> bool:
        """Whether something is asked of a run, which then wants a protocol."""
        return any(m.name in _RUN_FEATURES or m.extreme for m in self.asked)

    @property
    def warm(self) -> bool:
        """Whether thresholds are sought, which each point then begins at those of the point before."""
        return any(m.examination.seeks_thresholds if m.examination else m.name in _THRESHOLDS for m in self.asked)

    def at(self, point: Mapping[str, float]) -> Preparation:
        """The preparation at one point of the axes. Raises ExperimentError or ParameterError for what cannot be set."""
        p = self.preparation
        for name, value in point.items():
            if name in p.bound.model.bath:
                p = replace(p, bath=p.bath.changed(**{name: value}))
            elif name.endswith("_scale") and name not in p.parameters.parameters:
                p = p.scaled({name.removesuffix("_scale"): value})
            elif name in COMPONENTS:
                raise ExperimentError(f"the bath of {p.bound.name} has no {name}")
            else:
                p = p.with_values({name: value})
        return p

    def changed(self, index: Sequence[int]) -> dict[str, Array]:
        """What the axes change at some points: the numbers of each symbol, in the model's units."""
        out: dict[str, Array] = {}
        for axis, places in zip(self.axes, np.unravel_index(np.asarray(index), self.shape), strict=True):
            symbol = self.symbol_of(axis.name)
            used, where = np.unique(places, return_inverse=True)
            out[symbol] = np.array([self.at({axis.name: axis.values[int(k)]}).numbers()[symbol] for k in used])[where]
        return out

    def part(self, index: Sequence[int]) -> dict[str, Any]:
        """What makes the sweep of these points alone, a block of this one, beside its preparation."""
        places = [np.unravel_index(i, self.shape) for i in (index[0], index[-1])]
        axes = tuple(replace(a, values=a.values[first : last + 1]) for a, first, last in zip(self.axes, *places, strict=True))
        return {"axes": axes, "measures": self.measures, "protocol": self.protocol, "solver": self.solver}

    def symbol_of(self, name: str) -> str:
        """The parameter that an axis of that name changes."""
        p = self.preparation
        return p.bound.model.bath.get(name) or (name if name in p.parameters.parameters else name.removesuffix("_scale"))

    def control(self) -> dict[str, float]:
        """Value of each axis in the control bath and parameter set."""
        whole = replace(self.preparation, bath=type(self.preparation.bath)()).whole_bath
        numbers = self.preparation.parameters
        return {
            a.name: whole[a.name] if a.name in whole else 1.0 if a.name not in numbers.parameters else numbers[a.name].value
            for a in self.axes
        }

    def describe(self) -> dict[str, Any]:
        """What defines this sweep, for provenance and to tell whether an interrupted one is the same."""
        return {
            **self.preparation.describe(),
            "axes": {a.name: list(a.values) for a in self.axes},
            "measures": [m.name for m in self.asked],
            "examinations": [m.examination.describe() for m in self.asked if m.examination],
            "protocol": self.protocol.to_dict() if self.protocol else None,
            "solver": self.solver.describe() if self.solver else "the sweep engine",
        }

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.describe(), sort_keys=True).encode()).hexdigest()[:16]


def parse_axis(text: str) -> Axis:
    """'K=0.5:12:24' (24 even steps), 'K=0.5:12:24:log', or 'K=2,4,8'. Raises ExperimentError."""
    name, equals, rest = text.partition("=")
    if not equals or not name.strip() or not rest.strip():
        raise ExperimentError(f"'{text}' is not an axis; write NAME=FROM:TO:COUNT, for example K=0.5:12:24")
    try:
        if ":" not in rest:
            values = [float(x) for x in rest.split(",")]
        else:
            low, high, count, *kind = rest.split(":")
            n = int(count)
            if n < 1 or kind not in ([], ["log"]) or (kind and min(float(low), float(high)) <= 0):
                raise ValueError
            spaced = np.geomspace if kind else np.linspace
            values = [float(f"{x:.12g}") for x in spaced(float(low), float(high), n)]
    except ValueError:
        raise ExperimentError(f"'{text}' is not an axis; write NAME=FROM:TO:COUNT (COUNT whole, from 1 up), for example K=0.5:12:24") from None
    if not all(math.isfinite(v) for v in values):
        raise ExperimentError(f"the axis {name} has a value that is not a number")
    return Axis(name.strip(), tuple(values))


def standard_protocol(p: Preparation) -> Protocol:
    """What a run does if nothing is said: 200 ms at twice the rheobase of the control, watched for 300 ms more."""
    current = threshold.rheobase(replace(p, bath=type(p.bath)(), mode="chronic"))
    if not current > 0:
        raise ModelSaysNo("the control membrane has no rheobase to stimulate at; give a protocol")
    return protocol(Pulse(2 * round(current, 2), 200.0, at=10.0), after=300.0)


# ---- one point

def measure_point(sweep: Sweep, point: Mapping[str, float], warm: threshold.Warm | None = None) -> dict[str, Any]:
    """All variables at one point. ``warm``: thresholds of a point beside it. Raises ModelSaysNo where the model has no answer."""
    p = sweep.at(point)
    rest = find_rest(p)
    warm = warm or threshold.Warm(solver=sweep.solver)
    out: dict[str, Any] = {}
    recorded, seen = None, None
    if sweep.of_runs:
        assert sweep.protocol is not None
        recorded = run(p, sweep.protocol, solver=sweep.solver or RUN_SOLVER, start=rest.at().state, dense=False)
        seen = recorded.features
    for m in sweep.asked:
        if m.name == "rest":
            out |= side_by_side.rest_measure([s.V for s in rest.stable], [s.V for s in rest.states if not s.stable])
        elif m.examination is not None:
            out |= {n: np.asarray(x).tolist() for n, x in m.examination.measure(p, rest.at(), warm).items()}
        elif m.name in _THRESHOLDS:
            restless = threshold.of_restless(p, rest.at())
            sought = threshold.rheobase if m.name == "rheobase" else threshold.threshold_current
            out[m.name] = sought(p, start=rest.at().state, warm=warm) if restless is None else restless
        elif m.extreme is not None:
            assert recorded is not None
            kind, symbol = m.extreme
            out[m.name] = features.extreme(kind, recorded.t, recorded[symbol])
        elif m.name in _RUN_FEATURES:
            value = getattr(seen, m.name)
            out[m.name] = math.nan if value is None else float(value)
        else:
            out[m.name] = rest.symbol(m.name)
    return out


def measure_points(sweep: Sweep, index: Sequence[int], known: Mapping[str, float] | None = None) -> list[dict[str, Any] | str]:
    """All variables at some points, or why there are none. ``known``: thresholds that are only to be confirmed, by name."""
    warm = threshold.Warm(known, stride=_CONFIRM if known else None, solver=sweep.solver)
    out: list[dict[str, Any] | str] = []
    for i in index:
        try:
            out.append(measure_point(sweep, sweep.point(i), warm))
        except (ModelSaysNo, ExperimentError, ArithmeticError, np.linalg.LinAlgError) as error:
            out.append(str(error))
    return out


Progress = Callable[[int, int], None]  # finished points, all points


def run_sweep(
    sweep: Sweep, out: str | Path | None = None, *, jobs: int | None = None, resume: bool = False, progress: Progress | None = None,
    least_checked: int = side_by_side.CHECK_LEAST, cluster: str | None = None,
) -> xr.Dataset:
    """Do a sweep; the result is a Dataset over the axes.

    ``out``: where to save it (.nc, .csv, or .zarr, a folder for large ones); finished blocks are kept beside it until then, and ``resume``
    takes them up. ``jobs``: processes (threads of the sweep engine), all cores if not given. ``cluster``: address of a dask scheduler that
    does the blocks instead, or 'local'. A point that fails is a marked cell (``status`` 1, NaN), the rest goes on. ``least_checked``: how
    many points SciPy does again at least. Raises ExperimentError, FileError."""
    if sweep.protocol is None and sweep.of_runs:
        sweep = replace(sweep, protocol=standard_protocol(sweep.preparation))
    path = Path(out) if out is not None else None
    if path is not None and path.suffix not in SUFFIXES:
        raise ExperimentError(f"a sweep is written as {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}, not as '{path.suffix or path.name}'")
    if sweep.count > MOST_IN_MEMORY and (path is None or path.suffix != ".zarr"):
        raise ExperimentError(f"{sweep.count:,} points are more than the {MOST_IN_MEMORY:,} that memory may hold; save them as .zarr")
    with files.alone(path) if path is not None else nullcontext():
        store = Store(sweep, path.with_name(f"{path.name}.unfinished") if path is not None else None, resume=resume)
        started = time.perf_counter()
        if progress is not None:
            progress(store.finished, sweep.count)
        with closing(workers.done(sweep, store.todo(), jobs, cluster)) as blocks:
            for block in blocks:
                store.write(block)
                if progress is not None:
                    progress(store.finished, sweep.count)
        attributes = _attributes(sweep, time.perf_counter() - started)
        if side_by_side.suits(sweep):
            attributes["check"] = json.dumps(_checked(sweep, store, least_checked, jobs, cluster))
        return store.dataset(attributes) if path is None else store.close(path, attributes)


def _checked(sweep: Sweep, store: Store, least: int, jobs: int | None, cluster: str | None) -> dict[str, Any]:
    """What comes out where SciPy does a sample of the points again."""
    sample = side_by_side.sample(sweep, store.status, least)
    few = len(sample) <= FEW_CHECKS  # starting processes takes longer
    again = workers.done(
        side_by_side.reference(sweep), [[i] for i in sample], 1 if few else jobs, None if few else cluster,
        known=lambda index: side_by_side.known(sweep, store, index[0]),
    )
    return side_by_side.check(sweep, store, again)


def _attributes(sweep: Sweep, seconds: float) -> dict[str, Any]:
    return {
        "title": sweep.preparation.bound.model.title,
        "provenance": json.dumps(sweep.describe()),
        "control": json.dumps(sweep.control()),
        "seconds": seconds,
    } | ({"warm_start": WARM_START} if sweep.warm else {})


def sweep(
    p: Preparation, *over: str | Axis, measures: str | Sequence[str | Examination] = "rest", protocol: Protocol | None = None, jobs: int | None = 1
) -> xr.Dataset:
    """The short way: ``sweep(fibre, 'K=0.5:12:24', measures='rest,rheobase')``. Raises ExperimentError."""
    axes = tuple(parse_axis(a) if isinstance(a, str) else a for a in over)
    names = tuple(part.strip() for part in measures.split(",")) if isinstance(measures, str) else tuple(measures)
    return run_sweep(Sweep(p, axes, names, protocol), jobs=jobs)


def _axis_attributes(p: Preparation, name: str) -> dict[str, str]:
    if name in p.bound.model.bath:
        component = COMPONENTS[name]
        return {"units": component.unit or "1", "long_name": component.name}
    if name.endswith("_scale") and name not in p.parameters.parameters:
        return {"units": "1", "long_name": f"{name.removesuffix('_scale')} as a share of normal"}
    return {"units": p.parameters[name].unit, "long_name": name}
