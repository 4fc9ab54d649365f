"""Parameters fitted to published numbers or to a digitised curve, by least squares within their plausible ranges.

What comes out is a fit: that the model then meets what it was fitted to is no evidence for it. What speaks for it is how much it had
to move, how well the data determine it, and what it says of other experiments."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ConfigDict

from simulation import files, parameter_sets
from simulation.assembly.compile import Array
from simulation.experiment.bath import COMPONENTS, Bath
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Protocol
from simulation.studies import validation, workers
from simulation.studies.draws import Drawn, drawn
from simulation.studies.samples import Sample, sample
from simulation.studies.sensitivity import Asked, asked
from simulation.studies.sweep import run_sweep, standard_protocol
from simulation.studies.validation import Row

if TYPE_CHECKING:
    import xarray as xr

RESTARTS = 3
AT_BOUND = 1e-3  # of the range: a value that close to an end of it has been stopped there
_STEP, _COARSE_STEP = 1e-4, 0.02  # of the range, for slopes: of what is exact, and of thresholds, which come in steps of 0.2 %, and of runs
_SAME = 1e-2  # of the range: two starts that end so close have found the same
_NO_ANSWER = 1e3  # what a datum counts that the model has no answer to, in units of the residual's scale
_WEAK = 1e-6  # of the best determined direction
_IDLE = 1e-6  # of the residual's scale, over the whole range: what is left of no effect
_CURVE_POINTS = 60


@dataclass(frozen=True)
class Fitted:
    """One parameter before and after. ``sd``: standard deviation by the scatter of the residuals; NaN where nothing tells it."""

    drawn: Drawn
    value: float
    sd: float
    at_bound: bool


@dataclass(frozen=True, eq=False)
class Fit:
    """What came out of a fit.

    ``labels``, ``data``, ``before``, ``after``: of each datum its name, its number and the model's with the file's and the fitted values;
    ``scale``: what residuals are divided by. ``correlation``: of the parameters. ``agreeing``: how many of ``starts`` ended at the same place.
    ``curve``: of a digitised curve, x and the model before and after on a fine grid; ``check``: that of these, as of a sweep."""

    preparation: Preparation
    parameters: tuple[Fitted, ...]
    to: str
    sources: tuple[str, ...]
    measure: str
    unit: str
    labels: tuple[str, ...]
    data: Array
    before: Array
    after: Array
    scale: Array
    correlation: Array
    determined: str
    starts: int
    agreeing: int
    seed: int
    x: Array | None = None
    over: str = ""
    curve: tuple[Array, Array, Array] | None = None
    check: str = ""

    def rms(self, model: Array) -> float:
        """Root mean square of the residuals, in the unit of the measure."""
        return float(np.sqrt(np.mean((model - self.data) ** 2)))

    @property
    def words(self) -> str:
        """What has to stand beside every use of the values."""
        return f"fitted to {self.to}: no evidence for the model"


# ---- what is fitted to

@dataclass(frozen=True, eq=False)
class Target:
    """Data, and how the model answers to them. ``model``: rows of parameter values -> rows of answers, NaN where there is none; ``step``: of
    the parameters' ranges, for slopes."""

    to: str
    sources: tuple[str, ...]
    measure: str
    unit: str
    labels: tuple[str, ...]
    data: Array
    scale: Array
    step: float
    model: Callable[[Array], Array]
    x: Array | None = None
    over: str = ""
    curve: Callable[[Array], tuple[Array, Array, str]] | None = None


class _Trial(Row):
    """A row that is tried with other values: on one preparation, so that its equations are compiled once."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    base: Preparation

    def preparation(self, bath: Mapping[str, float] | None = None) -> Preparation:
        here = replace(self.base, bath=Bath.stated(self.bath if bath is None else bath), mode="chronic", frozen=self.freeze)
        return here.with_values(self.values).scaled(self.scale)


def to_rows(p: Preparation, names: Sequence[str], ids: Iterable[str], given: str) -> Target:
    """Rows of the validation table. A residual is the distance from the published mean, else from the middle of the range, in halves of the
    range. ``given``: name or file of the set that is fitted. Raises ExperimentError."""
    rows = validation.select(ids)
    for row in rows:
        model = parameter_sets.load(row.set).model
        if row.waits:
            raise ExperimentError(f"the row {row.id} cannot be run yet for want of {row.waits}")
        if model != p.bound.name:
            raise ExperimentError(f"the row {row.id} is about the model '{model}' (set {row.set}), not about '{p.bound.name}'")
        if not all(map(math.isfinite, row.expected)) and row.mean is None:
            raise ExperimentError(f"the row {row.id} sets but one limit, {row.expected[0]:g} to {row.expected[1]:g}, so it has no middle to fit to")
    changed = {s: p.parameters[s].value for s in p.parameters.changed}

    tried = [_Trial(**{**row.model_dump(), "set": given, "base": p}) for row in rows]

    def answer(row: Row, values: Array) -> float:
        numbers = {**row.values, **changed, **dict(zip(names, values.tolist(), strict=True))}
        found = validation.judge(row.model_copy(update={"values": numbers}))
        return math.nan if found.value is None else found.value

    width = np.array([0.5 * (row.expected[1] - row.expected[0]) for row in rows])
    data = np.array([row.mean if row.mean is not None else 0.5 * sum(row.expected) for row in rows])
    means = ["mean" if row.mean is not None else "middle of the range" for row in rows]
    said = ", ".join(f"{row.id} ({mean} {d:g} {row.unit})" for row, mean, d in zip(rows, means, data, strict=True))
    units = {row.unit for row in rows}
    exact = all(row.measure in ("rest", "rest_change", "second_rest", "chloride_share", "membrane_resistance", "leak") for row in rows)
    return Target(
        f"the published {'result' if len(rows) == 1 else 'results'} {said}", tuple(dict.fromkeys(s for row in rows for s in row.source)),
        ", ".join(dict.fromkeys(row.measure for row in rows)), units.pop() if len(units) == 1 else "", tuple(row.id for row in rows), data,
        np.where(np.isfinite(width) & (width > 0), width, np.maximum(np.abs(data), 1.0)), _STEP if exact else _COARSE_STEP,
        lambda values: np.array([[answer(row, v) for row in tried] for v in values]),
    )


def read_curve(path: str | Path) -> tuple[tuple[str, str], Array, Array]:
    """Names of both columns, x and y of a .csv file with a header. Raises ExperimentError that says what is wrong."""
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file) if line and any(map(str.strip, line)) and not line[0].lstrip().startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise ExperimentError(f"cannot read {path}: {getattr(error, 'strerror', '') or 'it is not text in UTF-8'}") from None
    if len(lines) < 2 or any(len(line) != 2 for line in lines):
        raise ExperimentError(f"{path.name} needs two columns with a comma between them, and a header with their names, for example K,rest")
    try:
        table = np.array([[float(cell) for cell in line] for line in lines[1:]])
    except ValueError as error:
        raise ExperimentError(f"{path.name}: {error}; decimals are written with a point") from None
    if not np.isfinite(table).all():
        raise ExperimentError(f"{path.name} has a value that is not a number")
    names = lines[0][0].strip(), lines[0][1].strip()
    try:
        float(names[0])
    except ValueError:
        order = np.argsort(table[:, 0], kind="stable")
        return names, table[order, 0], table[order, 1]
    raise ExperimentError(f"{path.name} has no header; its first line names the columns, for example K,rest")


def to_curve(
    p: Preparation, names: Sequence[str], x: Array, y: Array, over: str, measure: str, name: str, protocol: Protocol | None = None,
    jobs: int | None = None,
) -> Target:
    """A curve of a measure over a bath component or parameter, in their units. A residual is the distance of the model from a datum.

    Raises ExperimentError."""
    ask = asked(p, measure)
    if over in names:
        raise ExperimentError(f"the curve goes over {over}, so that it cannot be fitted")
    asks = (measure.partition(".")[0],)
    if protocol is None and sample(p, (over,), x[:, None], asks).of_runs:  # complains about an unknown axis, too
        protocol = standard_protocol(p)

    def study(values: Array, at: Array) -> Sample:
        rows = np.column_stack([np.repeat(values, len(at), axis=0), np.tile(at, len(values))])
        return sample(p, (*names, over), rows, asks, protocol=protocol)

    def model(values: Array) -> Array:
        return _measured(study(values, x), ask, jobs).reshape(len(values), len(x))

    def fine(values: Array) -> tuple[Array, Array, str]:
        log = x[0] > 0 and x[-1] / x[0] > 5
        grid = np.geomspace(x[0], x[-1], _CURVE_POINTS) if log else np.linspace(x[0], x[-1], _CURVE_POINTS)
        found = run_sweep(study(values, grid), jobs=jobs)
        y = np.where(found["status"].values == 0, np.asarray(found[ask.variable].values, dtype=float), math.nan)
        return grid, y.reshape(len(values), len(grid)), found.attrs.get("check", "")

    unit = p.parameters[p.bound.model.bath.get(over, over.removesuffix("_scale"))].unit if not over.endswith("_scale") else ""
    spread = float(np.std(y)) or max(abs(float(y[0])), 1.0)
    return Target(
        f"{name} ({len(x)} points of {measure} over {over})", (), measure, ask.unit, tuple(f"{over} {v:g} {unit}".strip() for v in x), y,
        np.full(len(y), spread), _STEP if ask.at_rest else _COARSE_STEP, model, x, over, fine,
    )


def _measured(study: Sample, ask: Asked, jobs: int | None) -> Array:
    """The measure at each row; unlike a sweep's not checked, as only the last of many is kept."""
    out = np.full(study.count, math.nan)
    for block in workers.done(study, study.blocks, jobs):
        out[list(block.index)] = np.where(block.failed, math.nan, block.values[ask.variable])
    return out


# ---- the fit

def fit(
    p: Preparation, over: Iterable[str], target: Callable[[Preparation, Sequence[str]], Target], *, seed: int = 1, restarts: int = RESTARTS
) -> Fit:
    """Parameters ``over`` so that the model comes close to the target, by least squares (SciPy's trust region) within their ranges.

    It starts at the values of the file and, seeded, at some others. Raises ExperimentError for a parameter that does nothing, ModelSaysNo
    where the model has no answer to begin with."""
    chosen = drawn(p, over)
    for d in chosen:
        if d.name in p.bound.model.bath or d.name in p.bound.model.bath.values():
            raise ExperimentError(f"{d.name} is of the bath, which an experiment states; fit a parameter of the membrane, for example P_Cl")
    names = [d.name for d in chosen]
    goal = target(p, names)
    problem = _Problem(chosen, goal)
    start = np.array([_share(d, d.value) for d in chosen])
    before = problem.answers(start)
    if not np.isfinite(before).all():
        lacking = [label for label, y in zip(goal.labels, before, strict=True) if not math.isfinite(y)]
        raise ModelSaysNo(f"with the values of the file the model gives no {goal.measure} for {', '.join(lacking)}; leave that out")
    size = np.abs(problem.slopes(start)).max(axis=0)
    for name, reach in zip(names, size, strict=True):
        if reach <= _IDLE:
            raise ExperimentError(f"{name} has no effect on {goal.measure} here; leave it out of the fit")
    random = np.random.default_rng(seed)
    starts = [start, *(random.uniform(0.05, 0.95, len(chosen)) for _ in range(restarts))]
    ends = [problem.solved(u) for u in starts]
    best = min(ends, key=lambda end: end[1])[0]
    agreeing = sum(bool(np.abs(u - best).max() < _SAME) for u, _ in ends)
    after = problem.answers(best)
    sd, correlation, determined = _determined(problem.slopes(best), (after - goal.data) / goal.scale, best)
    parameters = tuple(
        Fitted(d, _value(d, u), s * _slope(d, u), bool(min(u, 1 - u) < AT_BOUND)) for d, u, s in zip(chosen, best, sd, strict=True)
    )
    found = Fit(
        p, parameters, goal.to, goal.sources, goal.measure, goal.unit, goal.labels, goal.data, before, after, goal.scale, correlation, determined,
        len(starts), agreeing, seed, goal.x, goal.over,
    )
    if goal.curve is None:
        return found
    grid, y, check = goal.curve(np.array([[d.value for d in chosen], [f.value for f in parameters]]))
    return replace(found, curve=(grid, y[0], y[1]), check=check)


def _share(d: Drawn, value: float) -> float:
    """Where in its range a value lies, 0 to 1; by the logarithm if positive."""
    if d.low > 0:
        return math.log(value / d.low) / math.log(d.high / d.low)
    return (value - d.low) / (d.high - d.low)


def _value(d: Drawn, u: float) -> float:
    y = d.low * (d.high / d.low) ** u if d.low > 0 else d.low + u * (d.high - d.low)
    return float(min(max(y, d.low), d.high))


def _slope(d: Drawn, u: float) -> float:
    return _value(d, u) * math.log(d.high / d.low) if d.low > 0 else d.high - d.low


class _Problem:
    """Residuals over shares of the ranges, in units of the target's scale."""

    def __init__(self, over: Sequence[Drawn], goal: Target) -> None:
        self.over, self.goal = over, goal

    def _rows(self, points: Array) -> Array:
        return self.goal.model(np.array([[_value(d, u) for d, u in zip(self.over, point, strict=True)] for point in points]))

    def answers(self, u: Array) -> Array:
        return np.asarray(self._rows(u[None, :])[0])

    def residuals(self, u: Array) -> Array:
        return np.nan_to_num((self.answers(u) - self.goal.data) / self.goal.scale, nan=_NO_ANSWER)

    def slopes(self, u: Array) -> Array:
        """Derivatives of the residuals, shape (data, parameters), by differences to both sides where the range allows."""
        low, high = np.maximum(u - self.goal.step, 0.0), np.minimum(u + self.goal.step, 1.0)
        n = len(u)
        points = np.tile(u, (2 * n, 1))
        points[np.arange(n), np.arange(n)], points[n + np.arange(n), np.arange(n)] = low, high
        y = self._rows(points)
        out = (y[n:] - y[:n]).T / ((high - low) * self.goal.scale[:, None])
        return np.nan_to_num(np.asarray(out))

    def solved(self, u: Array) -> tuple[Array, float]:
        """Where a search from ``u`` ends, and half the sum of squares there."""
        from scipy.optimize import least_squares

        found = least_squares(
            self.residuals, u, self.slopes, bounds=(0.0, 1.0), method="trf", xtol=1e-8, ftol=1e-10, gtol=1e-10, max_nfev=50 * len(u),
        )
        return np.asarray(found.x), float(found.cost)


def _determined(J: Array, residual: Array, u: Array) -> tuple[Array, Array, str]:
    """Standard deviations (shares of the ranges), correlation, and in words how well the data determine the parameters.

    By the slopes at the end and the scatter of the residuals; a parameter at an end of its range counts as given."""
    m, n = J.shape
    sd, correlation = np.full(n, math.nan), np.full((n, n), math.nan)
    free = np.flatnonzero(np.minimum(u, 1 - u) >= AT_BOUND)
    if len(free) == 0:
        return sd, correlation, "every parameter was stopped at an end of its range"
    if m < len(free):
        return sd, correlation, f"not determined: {len(free)} parameters, but {'one datum' if m == 1 else f'{m} data'}; other values fit as well"
    _, singular, turned = np.linalg.svd(J[:, free], full_matrices=False)
    if singular[-1] <= _WEAK * singular[0]:
        return sd, correlation, "not determined: the parameters can be changed together without a change of what was fitted"
    covariance = (turned.T / singular**2) @ turned
    scatter = np.sqrt(np.diag(covariance))
    correlation[np.ix_(free, free)] = covariance / np.outer(scatter, scatter)
    if m == len(free):
        return sd, correlation, "determined, but as many parameters as data: no scatter is left that would tell how well"
    sd[free] = scatter * math.sqrt(float(residual @ residual) / (m - len(free)))
    loose = [k for k in free if sd[k] > 0.5]
    text = f"{m} data for {len(free)} free {'parameter' if len(free) == 1 else 'parameters'}"
    return sd, correlation, f"badly determined ({text}): a standard deviation beyond half of the range" if loose else f"determined by {text}"


# ---- the parameter file

def write(found: Fit, path: str | Path) -> Path:
    """A parameter file that inherits the set and states the fitted values, as such. Raises FileError, and ParameterError if it could not be
    read back."""
    path, p = Path(path), found.preparation
    lines = [
        f"name = {_text(path.stem)}", f"inherits = {_text(p.parameters.name)}",
        f"title = {_text(f'{p.parameters.title}; {found.words}')}",
        f"note = {_text(f'Least squares; {found.determined}; seed {found.seed}.')}", "", "[parameters]",
    ]
    fitted = {f.drawn.name: f for f in found.parameters}
    for symbol in [*fitted, *(s for s in p.parameters.changed if s not in fitted)]:
        old = p.parameters[symbol]
        if symbol in fitted:
            bound = "; at an end of its range" if fitted[symbol].at_bound else ""
            value, kind, sources = fitted[symbol].value, "fitted", list(found.sources)
            note = f"own choice: {found.words}{bound}; {old.value:g} before" if not sources else f"{found.words}{bound}; {old.value:g} before"
        else:
            value, kind, sources, note = old.value, "assumed", [], f"set by hand for the fit: {p.parameters.changed[symbol]}"
        low, high = min(old.range[0], value), max(old.range[1], value)
        lines.append(
            f"{symbol} = {{ value = {value!r}, unit = {_text(old.unit)}, kind = {_text(kind)}, source = {json.dumps(sources)}, "
            f"range = [{low!r}, {high!r}], note = {_text(note)} }}"
        )
    with files.aside(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
        again = parameter_sets.load(temporary)
        for name, f in fitted.items():
            assert again[name].value == f.value
    return path


def _text(text: str) -> str:
    return json.dumps(text)


# ---- the figure's data

def curve_dataset(found: Fit) -> xr.Dataset:
    """Data and model before and after the fit, of a curve. Raises ExperimentError for a fit to single numbers."""
    import xarray as xr

    if found.curve is None or found.x is None:
        raise ExperimentError("a figure needs a curve to fit to: --to FILE.csv; single numbers are told by the table")
    p, (grid, before, after) = found.preparation, found.curve
    whole = asked(p, found.measure)
    component = found.over in p.bound.model.bath
    about: dict[str, Any] = {
        "units": COMPONENTS[found.over].unit or "1" if component else "1" if found.over.endswith("_scale") else p.parameters[found.over].unit,
        "long_name": COMPONENTS[found.over].name if component else found.over,
    }
    y = {"units": whole.unit, "long_name": whole.text}
    made = {**p.describe(), "axes": {}, "fit": {
        "to": found.to, "measure": found.measure, "over": found.over, "seed": found.seed,
        "parameters": {f.drawn.name: [f.drawn.value, f.value] for f in found.parameters},
    }}
    return xr.Dataset(
        {
            "before": (found.over, before, y), "after": (found.over, after, y), "x_data": ("datum", found.x, about),
            "data": ("datum", found.data, y), "fitted": ("parameter", np.array([f.value for f in found.parameters])),
            "stated": ("parameter", np.array([f.drawn.value for f in found.parameters])),
            "unit": ("parameter", np.array([f.drawn.unit for f in found.parameters], dtype=object)),
        },
        {found.over: (found.over, grid, about), "parameter": np.array([f.drawn.name for f in found.parameters], dtype=object)},
        {"title": p.bound.model.title, "provenance": json.dumps(made), "to": found.to, "words": found.words},
    )
