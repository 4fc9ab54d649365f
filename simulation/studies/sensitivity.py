"""How much each parameter matters: about the values that it has (local), and over the ranges that it may have (Morris, Sobol).

Local: the slope of a measure, at rest exactly, by the implicit function theorem. Morris 1991 (mu* of Campolongo et al. 2007): how much a measure
moves, on average, when one parameter goes over its range. Sobol 2001: shares of the variance that a parameter makes alone (S1), and with
all in which others take part (ST; Saltelli et al. 2010). The global methods are SALib's, their intervals its bootstrap's."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation.assembly.compile import Array
from simulation.assembly.duals import duals
from simulation.assembly.errors import nearest
from simulation.experiment import features
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Protocol
from simulation.experiment.rest import find_rest
from simulation.studies.draws import Drawn, drawn, mapped
from simulation.studies.samples import in_model, sample
from simulation.studies.store import save
from simulation.studies.sweep import Measure, Progress, run_sweep

if TYPE_CHECKING:
    import xarray as xr

METHODS: Mapping[str, str] = {
    "local": "slopes about the values of the parameter set",
    "morris": "elementary effects over the ranges, one parameter at a time (Morris)",
    "sobol": "shares of the variance over the ranges (Sobol)",
}
RANKED_BY: Mapping[str, str] = {"local": "effect", "morris": "mu_star", "sobol": "ST"}
SAMPLES: Mapping[str, int] = {"morris": 32, "sobol": 256}
WITHOUT_EFFECT = 1e-9  # of the largest: what is left of a slope of zero
MOST_DROPPED = 0.1  # of the trajectories or base points
_LEVELS, _RESAMPLES = 4, 1000
_COUNTS = ("spikes", "after_discharge", "depolarisation_block")


# ---- what is varied

# ---- any function of some numbers

def design(method: str, count: int, samples: int, seed: int) -> Array:
    """Points in the unit cube of ``count`` dimensions: ``samples`` trajectories (Morris), or base points with all that go with them (Sobol).

    Raises ExperimentError."""
    if samples < 2 or (method == "sobol" and samples & (samples - 1)):
        near = 2 ** max(1, round(math.log2(max(samples, 2))))
        wanted = f"a power of two for Sobol's sequence, for example {near}" if method == "sobol" else "2 or more"
        raise ExperimentError(f"{samples} samples will not do: the number has to be {wanted}")
    if method == "morris":
        from SALib.sample import morris

        return np.asarray(morris.sample(_problem(count), samples, num_levels=_LEVELS, seed=seed), dtype=float)
    from SALib.sample import sobol

    return np.asarray(sobol.sample(_problem(count), samples, calc_second_order=False, seed=np.random.default_rng(seed)), dtype=float)


def whole_groups(method: str, count: int, y: Array) -> NDArray[np.bool_]:
    """Of the points of a design, which belong to a trajectory or base point all of whose points have an answer."""
    size = count + (1 if method == "morris" else 2)
    return np.repeat(np.isfinite(y).reshape(-1, size).all(axis=1), size)


def indices(method: str, u: Array, y: Array, seed: int) -> dict[str, Array]:
    """What comes out of a design at which a function gave ``y``: of each dimension mu_star, mu and sigma, in the unit of ``y`` per whole range
    (Morris), or S1 and ST (Sobol), with the half-width of their 95 % intervals ('_conf').

    Trajectories or base points with a point that has no answer (NaN) are left out whole. Raises ModelSaysNo if they are too many."""
    count = u.shape[1]
    whole = whole_groups(method, count, y)
    lost, failed = 1 - float(whole.mean()), 1 - float(np.isfinite(y).mean())
    if lost > MOST_DROPPED:
        raise ModelSaysNo(
            f"{100 * failed:.2g} % of the points have no answer, which spoils {100 * lost:.0f} % of the {_groups(method)}, more than the "
            f"{100 * MOST_DROPPED:.0f} % that can be left out; narrow the ranges, for example --spread 0.5, or vary fewer parameters with --over"
        )
    u, y, random = u[whole], y[whole], np.random.default_rng(seed)
    if method == "morris":
        from SALib.analyze import morris

        found = morris.analyze(_problem(count), u, y, num_resamples=_RESAMPLES, num_levels=_LEVELS, seed=random)
        names = ("mu_star", "mu_star_conf", "mu", "sigma")
    else:
        names = ("S1", "S1_conf", "ST", "ST_conf")
        if np.ptp(y) == 0:
            return {name: np.zeros(count) for name in names}
        from SALib.analyze import sobol

        found = sobol.analyze(_problem(count), y, calc_second_order=False, num_resamples=_RESAMPLES, seed=random)
    return {name: np.asarray(np.ma.filled(found[name], np.nan), dtype=float) for name in names}


def _groups(method: str) -> str:
    return "trajectories" if method == "morris" else "base points"


def _problem(count: int) -> dict[str, Any]:
    return {"num_vars": count, "names": [f"x{j}" for j in range(count)], "bounds": [[0.0, 1.0]] * count}


# ---- a membrane

@dataclass(frozen=True)
class Asked:
    """A number that a study asks of a membrane: a measure of sweeps and, of what that gives, the variable."""

    measure: Measure
    variable: str

    @property
    def unit(self) -> str:
        return self.measure.variables[self.variable][0]

    @property
    def text(self) -> str:
        return self.measure.variables[self.variable][1]

    @property
    def at_rest(self) -> bool:
        """Whether it is a symbol at rest, the resting potential included."""
        m = self.measure
        other = (*(set(features.UNITS) - {"rest"}), "rheobase", "threshold_current")
        return not (m.extreme or m.examination or m.name in other) and self.variable == m.name


def asked(p: Preparation, name: str) -> Asked:
    """A measure by name, as for a sweep; of an examination one number, as 'recovery.superexcitability'. Raises ExperimentError."""
    whole, _, number = name.partition(".")
    measure = sample(p, (), np.zeros((1, 0)), (whole,)).asked[0]
    numbers = [n for n in measure.variables if n not in measure.curves]
    if number and number not in numbers:
        raise ExperimentError(f"{whole} gives no number '{number}'{nearest(number, numbers)}; it gives {', '.join(numbers)}")
    if measure.examination and not number:
        raise ExperimentError(f"say which number of {whole}: {', '.join(f'{whole}.{n}' for n in numbers)}")
    return Asked(measure, number or numbers[0])


def sensitivity(
    p: Preparation, measure: str = "rest", *, method: str = "local", over: Iterable[str] | None = None, samples: int | None = None, seed: int = 1,
    spread: float = 1.0, protocol: Protocol | None = None, out: str | Path | None = None, resume: bool = False, jobs: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """How a measure depends on parameters; the result is a Dataset over the dimension 'parameter'.

    ``method``: see METHODS; ``over``: names, by default all that ``drawn`` takes; ``samples``: trajectories or base points; ``spread``: share of
    the ranges that is gone over; ``protocol``: of measures of a run, as for a sweep; ``out``: .nc file to keep it in, beside which finished
    blocks of points are kept until then, taken up by ``resume``. Raises ExperimentError, ModelSaysNo, FileError."""
    if method not in METHODS:
        raise ExperimentError(f"there is no method '{method}'{nearest(method, METHODS)}; methods: {', '.join(METHODS)}")
    if out is not None and Path(out).suffix != ".nc":
        raise ExperimentError(f"a sensitivity is written as .nc, not as '{Path(out).suffix or out}'")
    ask, chosen = asked(p, measure), drawn(p, over, spread)
    count = 0 if method == "local" else SAMPLES[method] if samples is None else samples
    settings = {} if method == "local" else {"samples": count, "seed": seed, "spread": spread}
    about = {"sensitivity": {"method": method, "measure": measure, **settings, "over": {d.name: [d.low, d.value, d.high] for d in chosen}}}
    study = _Study(p, ask, measure, chosen, about, protocol, Path(out) if out is not None else None, resume, jobs, progress)
    result = study.local() if method == "local" else study.overall(method, count, seed)
    if out is not None:
        save(result, out)
    return result


@dataclass(frozen=True)
class _Study:
    p: Preparation
    ask: Asked
    measure: str
    over: tuple[Drawn, ...]
    about: Mapping[str, Any]
    protocol: Protocol | None
    out: Path | None
    resume: bool
    jobs: int | None
    progress: Progress | None

    def at(self, rows: Array, out: Path | None = None) -> tuple[Array, dict[str, Any]]:
        """The measure at each row, NaN where there is none, and what the run says of itself."""
        name = self.measure.partition(".")[0]
        study = sample(self.p, [d.name for d in self.over], rows, (name,), protocol=self.protocol, about=self.about)
        found = run_sweep(study, out, jobs=self.jobs, resume=self.resume, progress=self.progress)
        y = np.where(found["status"].values == 0, np.asarray(found[self.ask.variable].values, dtype=float), math.nan)
        return y, dict(found.attrs)

    def dataset(self, variables: Mapping[str, tuple[str, str, Array]], attributes: Mapping[str, Any], more: Mapping[str, Any]) -> xr.Dataset:
        """``variables``: of each parameter, with unit and text."""
        import xarray as xr

        columns = {"value": [d.value for d in self.over], "low": [d.low for d in self.over], "high": [d.high for d in self.over]}
        units = [d.unit for d in self.over]
        return xr.Dataset(
            {n: ("parameter", y, {"units": unit, "long_name": text}) for n, (unit, text, y) in variables.items()}
            | {n: ("parameter", np.array(y), {"units": "of the parameter", "long_name": f"{n} of the parameter"}) for n, y in columns.items()}
            | {"unit": ("parameter", np.array(units, dtype=object), {"long_name": "unit of the parameter"})},
            {"parameter": np.array([d.name for d in self.over], dtype=object)},
            {
                "title": self.p.bound.model.title, "provenance": json.dumps({**self.p.describe(), "axes": {}, **self.about}), **attributes,
                "method": self.about["sensitivity"]["method"], "measure": self.measure, "measure_text": self.ask.text, "measure_unit": self.ask.unit,
            },
        ).assign(more)

    # ---- about the values

    def local(self) -> xr.Dataset:
        """Effects are the slope times a step: 10 % of the parameter, 1 mV for one that is a potential. They are in mV for a measure in mV,
        else in % of it; 'below' and 'above' are those of half a step down and up, where differences were taken."""
        if self.measure in _COUNTS:
            raise ExperimentError(f"{self.measure} counts: it does not change by a little, or it jumps; take --method morris, or another measure")
        for d in self.over:
            if d.step == 0:
                raise ExperimentError(f"{d.name} is 0 here, and 10 % of that is nothing; take --method morris, or give it a value with --set")
        steps = np.array([d.step for d in self.over])
        attributes: dict[str, Any] = {}
        if self.ask.at_rest:
            value, slopes = at_rest(self.p, self.ask.variable, self.over)
            sides: dict[str, Array] = {}
        else:
            value, slopes, sides, attributes = self._differences(steps)
        if not math.isfinite(value):
            raise ModelSaysNo(f"the model gives no {self.measure} here, so there is nothing to vary; give another bath or measure")
        scale, unit = (1.0, "mV") if self.ask.unit == "mV" else (100 / abs(value) if value else math.nan, "%")
        if not math.isfinite(scale):
            raise ModelSaysNo(f"{self.measure} is 0 here, and has no change in per cent; give another bath or measure")
        plain = np.array([not d.potential for d in self.over]) & (unit == "%")
        elasticity = np.where(plain, slopes * np.array([d.value for d in self.over]) / (value or 1.0), math.nan)
        variables = {
            "effect": (unit, "change of the measure by 10 % (a potential: 1 mV) of the parameter", slopes * steps * scale),
            "elasticity": ("1", "relative change of the measure by that of the parameter", elasticity),
            "slope": (f"{self.ask.unit} per unit of the parameter", "slope of the measure", slopes),
        } | {n: (unit, f"the same from half a step {n} the value alone", y * steps * scale) for n, y in sides.items()}
        exact = "exact, by the implicit function theorem" if self.ask.at_rest else "central differences over 10 % (a potential: 1 mV)"
        kept = {k: v for k, v in attributes.items() if k in ("check", "seconds")}
        return self.dataset(variables, {"value": value, "how": exact, **kept}, {})

    def _differences(self, steps: Array) -> tuple[float, Array, dict[str, Array], dict[str, Any]]:
        base = np.array([d.value for d in self.over])
        moved = np.diag(0.5 * steps)
        y, attributes = self.at(np.concatenate([base[None, :], base - moved, base + moved]))
        n = len(base)
        below, above = (y[0] - y[1 : n + 1]) / (0.5 * steps), (y[n + 1 :] - y[0]) / (0.5 * steps)
        return float(y[0]), 0.5 * (below + above), {"below": below, "above": above}, attributes

    # ---- over the ranges

    def overall(self, method: str, samples: int, seed: int) -> xr.Dataset:
        u = design(method, len(self.over), samples, seed)
        rows = mapped(u, self.over)
        y, attributes = self.at(rows, self.out)
        found = indices(method, u, y, seed)
        whole, unit = whole_groups(method, len(self.over), y), self.ask.unit
        texts = {
            "mu_star": (unit, "mean size of the change when the parameter goes over its range"), "mu": (unit, "mean change"),
            "mu_star_conf": (unit, "half of the 95 % interval of mu_star"),
            "sigma": (unit, "standard deviation of the change: interactions, or a curve"),
            "S1": ("1", "share of the variance that the parameter makes alone"), "S1_conf": ("1", "half of the 95 % interval of S1"),
            "ST": ("1", "share of the variance that it takes part in"), "ST_conf": ("1", "half of the 95 % interval of ST"),
        }
        size = len(self.over) + (1 if method == "morris" else 2)
        more = {
            "samples": (("sample", "parameter"), rows, {"long_name": "values of the parameters at each point"}),
            "y": ("sample", y, {"units": unit, "long_name": self.ask.text}),
        }
        counted = {
            "points": len(y), "without_answer": int(np.count_nonzero(~np.isfinite(y))), "groups": len(y) // size, "groups_named": _groups(method),
            "groups_left_out": int(np.count_nonzero(~whole)) // size, "mean": float(np.mean(y[whole])), "sd": float(np.std(y[whole])),
            "lowest": float(np.min(y[whole])), "highest": float(np.max(y[whole])), "how": METHODS[method],
        }
        kept = {k: v for k, v in attributes.items() if k in ("check", "seconds")}
        return self.dataset({n: (*texts[n], x) for n, x in found.items()}, {**counted, **kept, "seed": seed}, more)


def ranked(result: xr.Dataset) -> list[int]:
    """Places of the parameters, the one that matters most first; those without an answer last."""
    size = np.abs(np.nan_to_num(np.asarray(result[RANKED_BY[result.attrs["method"]]].values, dtype=float), nan=-1.0))
    return [int(i) for i in np.argsort(-size, kind="stable")]


# ---- slopes at rest

def at_rest(p: Preparation, symbol: str, over: Sequence[Drawn]) -> tuple[float, Array]:
    """A symbol at the most negative stable rest ('rest': its potential), and its slope against each parameter, in the unit of its file.

    By the implicit function theorem: where the rates f(x, p) of the free states stay zero, dx/dp = -J^-1 df/dp with J = df/dx. What is held
    moves with the parameter that it is set to, or as the rest of the control does. Raises ModelSaysNo at a fold, where there is no slope."""
    slopes = _Slopes(p, [d.name for d in over])
    if symbol == "rest":
        return slopes.V, slopes.states[p.potential]
    if symbol in p.states:
        i = p.states.index(symbol)
        return float(slopes.state[i]), slopes.states[i]
    found = slopes.known[symbol]
    n = len(p.states)
    return found.value, found.slope[n:] * slopes.factors + found.slope[:n] @ slopes.states


class _Slopes:
    """Slopes of every state at rest against parameters or bath components, shape (states, names)."""

    def __init__(self, p: Preparation, names: Sequence[str]) -> None:
        bath = p.bound.model.bath
        symbols = [bath.get(name, name) for name in names]
        rest = find_rest(p).at()
        self.V, self.state = rest.V, rest.state
        self.factors = np.array([1.0 if name in bath else in_model(p, name)[1] for name in names])
        self.known = duals(p.bound, {**p.numbers(), **dict(zip(p.states, rest.state.tolist(), strict=True)), "t": 0.0}, [*p.states, *symbols])
        n = len(p.states)
        rates = np.array([self.known[d].slope for d in p.bound.derivatives])
        self.states = np.zeros((n, len(names)))
        for i in p.held_at_rest - p.held:
            self.states[i] = [factor if p.bound.states[i].guess == s else 0.0 for s, factor in zip(symbols, self.factors, strict=True)]
        if p.held:
            held, own = sorted(p.held), [j for j, name in enumerate(names) if name not in bath]
            control = _Slopes(p.control, [names[j] for j in own])
            self.states[np.ix_(held, own)] = control.states[held]
        free = [i for i in range(n) if i not in p.held_at_rest]
        fixed = sorted(p.held_at_rest)
        pushed = rates[free, n:] * self.factors + rates[np.ix_(free, fixed)] @ self.states[fixed]
        try:
            self.states[free] = -np.linalg.solve(rates[np.ix_(free, free)], pushed)
        except np.linalg.LinAlgError:
            raise ModelSaysNo("the rest lies at a fold, where it has no slope; move a little away from it") from None
