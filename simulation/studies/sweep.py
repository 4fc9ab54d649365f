"""Many experiments: one membrane over one or two axes, several processes, results that outlive an interruption."""

from __future__ import annotations

import hashlib
import json
import math
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import product
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from simulation import files, models
from simulation.assembly.compile import Array, Kernel, compile_model
from simulation.assembly.errors import ModelError, nearest
from simulation.experiment import features, threshold
from simulation.experiment.bath import COMPONENTS
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.excitability import CURRENT, EXAMINATIONS, Examination
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Protocol, Pulse, protocol
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import Solver, run
from simulation.studies import side_by_side

if TYPE_CHECKING:
    import xarray as xr

MOST_POINTS = 1_000_000
FEW_CHECKS = 20
RUN_SOLVER = Solver(rtol=1e-6, atol=1e-8)
WARM_START = "thresholds were sought from those of the point before, on one ladder of currents: quicker, and the same result"


@dataclass(frozen=True)
class Axis:
    """One axis of a sweep: a bath component, a parameter, or a parameter's scale as 'SYMBOL_scale', and its values."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Measure:
    """What a sweep asks of each point. ``variables``: name -> (unit, text) of what it gives; ``curves``: those of them that run over the
    examination's own scale."""

    name: str
    variables: Mapping[str, tuple[str, str]]
    examination: Examination | None = None

    @property
    def curves(self) -> Mapping[str, tuple[str, str]]:
        return self.examination.curves if self.examination else {}


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
        if math.prod(self.shape) > MOST_POINTS:
            raise ExperimentError(f"{math.prod(self.shape):,} points are more than the {MOST_POINTS:,} that this sweep can hold")

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(a.values) for a in self.axes)

    @property
    def points(self) -> list[dict[str, float]]:
        """Axis values of every point, the last axis fastest."""
        return [dict(zip((a.name for a in self.axes), values, strict=True)) for values in product(*(a.values for a in self.axes))]

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
        try:
            definition = self.preparation.bound.definition(name)
        except ModelError:
            raise ExperimentError(
                f"'{name}' is neither a measure nor a symbol of {self.preparation.bound.name}"
                f"{nearest(name, [*known, *EXAMINATIONS, *self.preparation.kernel.emitted.symbols])}; measures: {', '.join([*known, *EXAMINATIONS])}"
            ) from None
        return Measure(name, {name: (definition.unit, definition.text)})

    @property
    def variables(self) -> dict[str, tuple[str, str]]:
        return {n: v for m in self.asked for n, v in m.variables.items()}

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
    warm = warm or threshold.Warm()
    out: dict[str, Any] = {}
    recorded: features.Features | None = None
    for m in sweep.asked:
        if m.name == "rest":
            out |= side_by_side.rest_measure([s.V for s in rest.stable], [s.V for s in rest.states if not s.stable])
        elif m.examination is not None:
            out |= {n: np.asarray(x).tolist() for n, x in m.examination.measure(p, rest.at(), warm).items()}
        elif m.name in _THRESHOLDS:
            restless = threshold.of_restless(p, rest.at())
            sought = threshold.rheobase if m.name == "rheobase" else threshold.threshold_current
            out[m.name] = sought(p, start=rest.at().state, warm=warm) if restless is None else restless
        elif m.name in _RUN_FEATURES:
            if recorded is None:
                assert sweep.protocol is not None
                recorded = run(p, sweep.protocol, solver=sweep.solver or RUN_SOLVER, start=rest.at().state, dense=False).features
            value = getattr(recorded, m.name)
            out[m.name] = math.nan if value is None else float(value)
        else:
            out[m.name] = rest.symbol(m.name)
    return out


def _point_or_failure(sweep: Sweep, index: int, point: Mapping[str, float], warm: threshold.Warm) -> dict[str, Any]:
    try:
        return {"i": index, "values": measure_point(sweep, point, warm)}
    except (ModelSaysNo, ExperimentError, ArithmeticError, np.linalg.LinAlgError) as error:
        return {"i": index, "failed": str(error)}


# ---- the journal of an unfinished sweep

class Journal:
    """Finished points beside the result file, one line each, so that an interrupted sweep goes on where it stopped."""

    def __init__(self, out: Path, sweep: Sweep) -> None:
        self.path = out.with_name(out.name + ".unfinished")
        self.digest = sweep.digest

    def read(self) -> dict[int, dict[str, Any]]:
        """Finished points of the same sweep. Raises ExperimentError if the journal is of another one."""
        if not self.path.exists():
            return {}
        done: dict[int, dict[str, Any]] = {}
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines()):
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue  # the line that was being written when the sweep was stopped
            if number == 0:
                if entry.get("sweep") != self.digest:
                    raise ExperimentError(f"{self.path} is of another sweep; take another --out, or delete it to start afresh")
            else:
                done[entry["i"]] = entry
        return done

    def open(self, fresh: bool) -> IO[str]:
        """The file to add finished points to. Raises FileError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self.path.open("w" if fresh else "a", encoding="utf-8")
        except OSError as error:
            raise files.cannot_write(self.path, error) from None
        if fresh:
            self.add(file, {"sweep": self.digest})
        else:
            self.add(file, None)  # closes a line that was cut short
        return file

    def add(self, file: IO[str], entry: Mapping[str, Any] | None) -> None:
        """One line, on disk before this returns. Raises FileError."""
        try:
            file.write((json.dumps(entry) if entry is not None else "") + "\n")
            file.flush()
        except OSError as error:
            raise files.cannot_write(self.path, error) from None


Progress = Callable[[int, int], None]  # finished points, all points


def run_sweep(
    sweep: Sweep, out: str | Path | None = None, *, jobs: int | None = None, resume: bool = False, progress: Progress | None = None,
    least_checked: int = side_by_side.CHECK_LEAST,
) -> xr.Dataset:
    """Do a sweep; the result is a Dataset over the axes.

    ``out``: where to save it (.nc or .csv); finished points are kept beside it until then, and ``resume`` takes them up.
    ``jobs``: processes (threads of the sweep engine), all cores if not given. A point that fails is a marked cell (``status`` 1, NaN), the
    rest goes on. ``least_checked``: how many points SciPy does again at least. Raises ExperimentError, FileError."""
    if sweep.protocol is None and any(m.name in _RUN_FEATURES for m in sweep.asked):
        sweep = replace(sweep, protocol=standard_protocol(sweep.preparation))
    path = Path(out) if out is not None else None
    if path is not None and path.suffix not in (".nc", ".csv"):
        raise ExperimentError(f"a sweep is written as .nc or .csv, not as '{path.suffix or path.name}'")
    with files.alone(path) if path is not None else nullcontext():
        return _run_sweep(sweep, path, jobs, resume, progress, least_checked)


def _run_sweep(
    sweep: Sweep, path: Path | None, jobs: int | None, resume: bool, progress: Progress | None, least_checked: int
) -> xr.Dataset:
    points = sweep.points
    journal = Journal(path, sweep) if path is not None else None
    done = journal.read() if journal is not None and resume else {}
    if journal is not None and not resume and journal.path.exists():
        raise ExperimentError(f"{journal.path} holds an unfinished sweep; go on with --resume, or delete it to start afresh")
    started = time.perf_counter()
    file = journal.open(fresh=not done) if journal is not None else None
    try:
        todo = [(i, x) for i, x in enumerate(points) if i not in done]
        if progress is not None:
            progress(len(done), len(points))
        with closing(_results(sweep, todo, jobs)) as results:
            for entry in results:
                done[entry["i"]] = entry
                if file is not None and journal is not None:
                    journal.add(file, entry)
                if progress is not None:
                    progress(len(done), len(points))
    finally:
        if file is not None:
            file.close()
    result = _assemble(sweep, done, time.perf_counter() - started)
    if side_by_side.suits(sweep):
        sample = side_by_side.sample(sweep, done, least_checked)
        few = 1 if len(sample) <= FEW_CHECKS else jobs  # starting processes takes longer
        again = {e["i"]: e for e in _results(side_by_side.reference(sweep), [(i, points[i]) for i in sample], few)}
        result.attrs["check"] = json.dumps(side_by_side.check(sweep, done, again))
    if path is not None and journal is not None:
        save(result, path)
        journal.path.unlink(missing_ok=True)
    return result


def sweep(
    p: Preparation, *over: str | Axis, measures: str | Sequence[str | Examination] = "rest", protocol: Protocol | None = None, jobs: int | None = 1
) -> xr.Dataset:
    """The short way: ``sweep(fibre, 'K=0.5:12:24', measures='rest,rheobase')``. Raises ExperimentError."""
    axes = tuple(parse_axis(a) if isinstance(a, str) else a for a in over)
    names = tuple(part.strip() for part in measures.split(",")) if isinstance(measures, str) else tuple(measures)
    return run_sweep(Sweep(p, axes, names, protocol), jobs=jobs)


def _results(sweep: Sweep, todo: Sequence[tuple[int, Mapping[str, float]]], jobs: int | None) -> Generator[dict[str, Any], None, None]:
    if side_by_side.suits(sweep):
        yield from side_by_side.measured(sweep, todo, jobs)
        return
    jobs = min(jobs or os.cpu_count() or 1, max(1, len(todo)))
    if jobs == 1:
        yield from _in_turn(sweep, todo)
        return
    from joblib import Parallel, delayed

    recipe = _recipe(sweep)
    # Small blocks: what is finished is soon safe on disk, and soon seen.
    size = max(1, min(4, len(todo) // (2 * jobs)))
    blocks = [todo[i : i + size] for i in range(0, len(todo), size)]
    with _deaf_to_interrupts():
        finished = Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(_block)(recipe, b) for b in blocks)
    try:
        for block in finished:
            yield from block
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib regrets the blocks that a stopped sweep throws away
            finished.close()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes that are begun inside inherit that they do not hear Ctrl-C: their parent ends them, and none prints a traceback."""
    if sys.platform == "win32":
        import ctypes

        handle = ctypes.windll.kernel32.SetConsoleCtrlHandler
        handle(None, True)
        try:
            yield
        finally:
            handle(None, False)
    elif threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before or signal.SIG_DFL)
    else:
        yield


def _recipe(sweep: Sweep) -> dict[str, Any]:
    p = sweep.preparation
    return {
        "model": p.bound.name,
        "kernel": p.kernel.kind,
        "preparation": (p.parameters, p.bath, p.mode, p.frozen),
        "sweep": {"axes": sweep.axes, "measures": sweep.measures, "protocol": sweep.protocol, "solver": sweep.solver},
    }


@cache
def _kernel(model: str, kind: str) -> Kernel:
    """Compiled functions, read once by each process."""
    return compile_model(models.bound(model), kind)


def _block(recipe: Mapping[str, Any], points: Sequence[tuple[int, Mapping[str, float]]]) -> list[dict[str, Any]]:
    kernel = _kernel(recipe["model"], recipe["kernel"])
    return list(_in_turn(Sweep(Preparation(kernel, *recipe["preparation"]), **recipe["sweep"]), points))


def _in_turn(sweep: Sweep, points: Sequence[tuple[int, Mapping[str, float]]]) -> Iterator[dict[str, Any]]:
    warm = threshold.Warm()
    return (_point_or_failure(sweep, i, x, warm) for i, x in points)


def _assemble(sweep: Sweep, done: Mapping[int, Mapping[str, Any]], seconds: float) -> xr.Dataset:
    import xarray as xr

    dims = tuple(a.name for a in sweep.axes)
    count = math.prod(sweep.shape)

    scales = {name: m.examination.scale for m in sweep.asked if m.examination for name in m.curves}

    def column(name: str) -> tuple[tuple[str, ...], Array]:
        scale = scales.get(name)
        inner = () if scale is None else (len(scale.values),)
        none = np.full(inner, math.nan)
        values = np.array([done[i].get("values", {}).get(name, none) for i in range(count)], dtype=float)
        return (*dims, *([scale.name] if scale else [])), values.reshape(*sweep.shape, *inner)

    variables = {n: (*column(n), {"units": u, "long_name": t}) for n, (u, t) in sweep.variables.items()}
    failed = np.array(["failed" in done[i] for i in range(count)], dtype=np.int8).reshape(sweep.shape)
    messages = np.array([done[i].get("failed", "") for i in range(count)], dtype=object).reshape(sweep.shape)
    status = {
        "status": (dims, failed, {"units": "1", "long_name": "0 done, 1 failed"}),
        "message": (dims, messages, {"long_name": "why a point failed"}),
    }
    coordinates = {a.name: (a.name, np.array(a.values), _axis_attributes(sweep.preparation, a.name)) for a in sweep.axes}
    for m in sweep.asked:
        coordinates |= m.examination.coordinates() if m.examination else {}
    attributes = {
        "title": sweep.preparation.bound.model.title,
        "provenance": json.dumps(sweep.describe()),
        "control": json.dumps(sweep.control()),
        "seconds": seconds,
    }
    if sweep.warm:
        attributes["warm_start"] = WARM_START
    return xr.Dataset({**variables, **status}, coordinates, attributes)


def _axis_attributes(p: Preparation, name: str) -> dict[str, str]:
    if name in p.bound.model.bath:
        component = COMPONENTS[name]
        return {"units": component.unit or "1", "long_name": component.name}
    if name.endswith("_scale") and name not in p.parameters.parameters:
        return {"units": "1", "long_name": f"{name.removesuffix('_scale')} as a share of normal"}
    return {"units": p.parameters[name].unit, "long_name": name}


def save(result: xr.Dataset, path: str | Path) -> Path:
    """Write a sweep to .nc or .csv. Raises FileError."""
    path = Path(path)
    with files.aside(path) as temporary:
        if path.suffix == ".csv":
            head = f"# {result.attrs['title']}\n# {result.attrs['provenance']}\n"
            temporary.write_text(head + result.to_dataframe().reset_index().to_csv(index=False, lineterminator="\n"), encoding="utf-8", newline="\n")
        else:
            result.to_netcdf(temporary, engine="netcdf4")
    return path


def open_sweep(path: str | Path) -> xr.Dataset:
    """A sweep from the netCDF file that ``save`` wrote. Raises ExperimentError if the file is not one."""
    import xarray as xr

    path = Path(path)
    try:
        with xr.open_dataset(path, engine="netcdf4") as data:
            data.load()
        json.loads(data.attrs["provenance"])["axes"]
    except FileNotFoundError:
        raise ExperimentError(f"there is no file {path}") from None
    except (OSError, KeyError, ValueError) as error:
        raise ExperimentError(f"{path} is not a sweep of this program: {error}") from None
    return data
