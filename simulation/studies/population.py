"""Populations: membranes drawn over the ranges of their parameters, kept if they behave plausibly in the control bath, and put into others.

One model membrane proves little. What most plausible ones do is worth teaching, and which of their numbers make the others vulnerable."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation import files, parameter_sets
from simulation.assembly.compile import Array, cache_folder
from simulation.assembly.errors import nearest
from simulation.experiment import features, many, threshold
from simulation.experiment.bath import COMPONENTS, Bath
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Protocol, Pulse, protocol, rest_only
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import Solver, run
from simulation.studies import draws
from simulation.studies.draws import Drawn

if TYPE_CHECKING:
    import xarray as xr

BATHS = ("", "K=2", "K=2.5", "K=3", "K=6", "K=8", "Ca=0.6", "Ca=0.8", "Ca=1.8", "Mg=0.2", "Mg=1.5", "K=3,Ca=0.8,Mg=0.3")
MOST_DRAWS = 200_000
_BLOCK = 256  # draws, or members, that are done and kept together: a power of two, as Sobol's sequence asks
_AFTER, _WATCHED = 300.0, 1000.0  # ms after a step, and without a stimulus
_NUDGE = 1.0  # mV beside the rest, so that an unstable one is left
_CHECKED = 5
_CONFIRM = 1.005
_GUESS = 100.0  # of a threshold current, where the set itself has none
_HOPELESS = 2048  # draws of which none was accepted
_BOTH_WAYS = 0.95
_LEAST = 5  # members on either side of a comparison
OUTCOMES: Mapping[str, str] = {
    "fires by itself": "spikes in the second half of a second without a stimulus",
    "after-discharge": "spikes after a step of twice its own rheobase",
    "paralysed": "no current makes it fire from where it rests",
    "two rests": "two stable resting potentials",
    "excitable": "threshold at most 0.9 of its own in the control bath",
    "less excitable": "threshold at least 1.1 times its own in the control bath, or paralysed",
}


@dataclass(frozen=True)
class Criterion:
    """What a measure in the control bath must lie within."""

    name: str
    range: tuple[float, float]
    unit: str
    text: str
    source: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Acceptance:
    """How a kind of membrane is tried in the control bath, and what counts as plausible. ``pulse``, ``step``: durations, ms; ``probe``: current
    of the step from which the input resistance is read, in the unit of the stimulus."""

    pulse: float
    step: float
    probe: float
    criteria: tuple[Criterion, ...]


def acceptance(model: str) -> Acceptance:
    """Of a parameter set: a hypothetical or diseased one is not held to what is healthy. Raises ExperimentError where none is stated."""
    data = tomllib.loads((parameter_sets.folder() / "acceptance.toml").read_text(encoding="utf-8"))
    if model not in data:
        raise ExperimentError(f"no acceptance is stated for {model}, so no population can be drawn of it; stated for: {', '.join(data)}")
    found = tuple(
        Criterion(name, tuple(x["range"]), x["unit"], x["text"], tuple(x["source"]), x["note"]) for name, x in data[model]["criteria"].items()
    )
    return Acceptance(**data[model]["stimulus"], criteria=found)


@dataclass(frozen=True)
class Study:
    """A population that is asked for: ``count`` plausible membranes like ``preparation``, drawn from ``seed``, each in every bath."""

    preparation: Preparation
    count: int
    seed: int = 1
    baths: tuple[str, ...] = BATHS
    only: tuple[str, ...] = ()
    spread: float = 1.0
    method: str = "sobol"

    def __post_init__(self) -> None:
        if not 1 <= self.count <= 100_000:
            raise ExperimentError(f"a population of {self.count} cannot be drawn; from 1 to 100,000")
        draws.check_method(self.method)
        if self.preparation.bath or self.preparation.frozen or self.preparation.mode != "chronic":
            raise ExperimentError("the members of a population are judged in the control bath, at rest; give the other baths as baths of the study")
        for bath in self.baths:
            replace(self.preparation, bath=Bath(bath))

    @cached_property
    def drawn(self) -> tuple[Drawn, ...]:
        return draws.drawn(self.preparation, self.only or None, self.spread)

    @cached_property
    def acceptance(self) -> Acceptance:
        return acceptance(self.preparation.parameters.name)

    def describe(self) -> dict[str, Any]:
        """What defines it."""
        return {
            **self.preparation.describe(), "count": self.count, "seed": self.seed, "baths": list(self.baths), "method": self.method,
            "spread": self.spread, "drawn": {d.name: [d.low, d.value, d.high] for d in self.drawn},
            "acceptance": {c.name: list(c.range) for c in self.acceptance.criteria},
        }

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.describe(), sort_keys=True).encode()).hexdigest()[:16]


# ---- what a crowd of membranes does

class _Crowd:
    """Draws in one bath, side by side. Measures are NaN for those that have no rest."""

    def __init__(self, study: Study, table: Array, bath: str, threads: int | None) -> None:
        self.study, self.table, self.threads = study, table, threads
        self.p = replace(study.preparation, bath=Bath(bath))
        self.values = draws.rows(self.p, study.drawn, table)
        self.out: dict[str, Array] = {}
        sound = [i for i in range(len(table)) if not self.p.senseless(self.values[i])]
        found = many.resting(self.p, self.values[sound], lambda j: draws.member(self.p, study.drawn, table[sound[j]]), threads=threads)
        self.rests = {i: r for i, r in zip(sound, found, strict=True) if not isinstance(r, str)}
        self.alive = np.array(sorted(self.rests), dtype=np.intp)
        self._put("rest", [r.stable[0] if r.stable else r.unstable[0] for r in self._each()])
        self._put("rest_2", [r.stable[1] if len(r.stable) > 1 else math.nan for r in self._each()])
        self._put("stable_rests", [len(r.stable) for r in self._each()])

    def _each(self) -> list[many.Resting]:
        return [self.rests[i] for i in self.alive]

    def _put(self, name: str, values: Sequence[float] | Array) -> None:
        whole = np.full(len(self.table), math.nan)
        whole[self.alive] = values
        self.out[name] = whole

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Go on with these alone, of all draws."""
        self.alive = self.alive[which[self.alive]]

    @property
    def _starts(self) -> Array:
        return np.array([r.state for r in self._each()]).reshape(-1, len(self.p.states))

    def run(self, stimuli: Protocol, wanted: Mapping[str, str], strength: Array | None = None) -> None:
        """Puts features of a run: ``wanted``: feature -> name."""
        columns = {name: np.full(len(self.alive), math.nan) for name in wanted}
        if len(self.alive):
            for courses, traces in many.follow(self.p, stimuli, self._starts, self.values[self.alive], strength=strength, threads=self.threads):
                for course, seen in zip(courses, features.measure_all(traces, True), strict=True):
                    for name in () if course.failed else wanted:
                        value = getattr(seen, name)
                        columns[name][course.index] = math.nan if value is None else float(value)
        for name, own in wanted.items():
            self._put(own, columns[name])

    def thresholds(self, name: str, duration: float, guess: Array) -> None:
        """Puts threshold currents; NaN where no current makes it fire."""
        if len(self.alive):
            found = many.thresholds(self.p, duration, self._starts, self.values[self.alive], guess[self.alive], threads=self.threads)
        else:
            found = np.zeros(0)
        self._put(name, found)

    def spontaneous(self) -> None:
        """Puts how many spikes there still are in the second half of a time without a stimulus: leaving an unstable rest may take one."""
        starts = self._starts
        starts[:, self.p.potential] += _NUDGE
        found = np.full(len(self.alive), math.nan)
        if len(self.alive):
            for courses, traces in many.follow(self.p, rest_only(_WATCHED), starts, self.values[self.alive], threads=self.threads):
                for course, seen in zip(courses, features.spikes_of(traces), strict=True):
                    found[course.index] = math.nan if course.failed else sum(spike[0] > _WATCHED / 2 for spike in seen)
        self._put("spontaneous", found)


ACCEPTED, NO_REST = -1, -2


def _control(study: Study, table: Array, threads: int | None) -> dict[str, Array]:
    """Measures of draws in the control bath, and ``refused``: the criterion, the first that fails, which turned each away."""
    crowd, asked = _Crowd(study, table, "", threads), study.acceptance
    criteria = {c.name: (i, c) for i, c in enumerate(asked.criteria)}
    refused = np.where(np.isnan(crowd.out["rest"]), NO_REST, ACCEPTED)
    nominal = threshold.threshold_current(study.preparation, asked.pulse)

    def sieve(*names: str) -> None:
        for name in names:
            if name in criteria:
                i, c = criteria[name]
                inside = (crowd.out[name] >= c.range[0]) & (crowd.out[name] <= c.range[1])
                refused[(refused == ACCEPTED) & ~inside] = i
        crowd.keep(refused == ACCEPTED)

    sieve("rest", "stable_rests")
    guess = np.full(len(table), nominal if nominal > 0 else _GUESS)
    crowd.thresholds("threshold", asked.pulse, guess)
    sieve("threshold")
    spike = protocol(Pulse(1.0, asked.pulse, at=1.0), after=20.0)
    crowd.run(spike, {"peak": "peak", "half_width": "half_width"}, 1.5 * crowd.out["threshold"][crowd.alive])
    sieve("peak", "half_width")
    if "tau_SD" in criteria:
        for name, duration in (("Q_short", 0.2), ("Q_long", 1.0)):
            crowd.thresholds(name, duration, crowd.out["threshold"])
        short, long = 0.2 * crowd.out["Q_short"], 1.0 * crowd.out["Q_long"]
        crowd.out["tau_SD"] = short / ((long - short) / 0.8) - 0.2
        sieve("tau_SD")
    if "resistance" in criteria:
        crowd.run(protocol(Pulse(asked.probe, 300.0), duration=300.0), {"end_V": "end_V"})
        crowd.out["resistance"] = (crowd.out["end_V"] - crowd.out["rest"]) / asked.probe
        sieve("resistance")
    crowd.thresholds("rheobase", asked.step, 0.3 * crowd.out["threshold"])
    refused[(refused == ACCEPTED) & np.isnan(crowd.out["rheobase"])] = criteria["spikes"][0]
    crowd.keep(refused == ACCEPTED)
    _step(crowd, crowd.out["rheobase"], asked)
    sieve("spikes", "after_discharge")
    crowd.spontaneous()
    sieve("spontaneous")
    return {**crowd.out, "refused": refused}


def _step(crowd: _Crowd, rheobase: Array, asked: Acceptance) -> None:
    """A step of twice the rheobase that each had in the control bath."""
    stimulus = protocol(Pulse(1.0, asked.step, at=10.0), after=_AFTER)
    crowd.run(stimulus, {"spikes": "spikes", "after_discharge": "after_discharge"}, 2 * rheobase[crowd.alive])


VARIABLES: Mapping[str, tuple[str, str]] = {
    "rest": ("mV", "resting potential (the most negative stable one)"),
    "rest_2": ("mV", "second stable resting potential"),
    "stable_rests": ("1", "stable resting potentials"),
    "spontaneous": ("1", "spikes in the second half of a second without a stimulus"),
    "threshold": ("", "threshold current of a short pulse"),
    "spikes": ("1", "spikes to a step of twice its own rheobase in the control bath"),
    "after_discharge": ("1", "spikes after that step"),
}


def _in_bath(study: Study, table: Array, bath: str, own: Mapping[str, Array], threads: int | None) -> dict[str, Array]:
    """Measures of accepted members in one bath. ``own``: what they did in the control bath."""
    crowd = _Crowd(study, table, bath, threads)
    crowd.spontaneous()
    crowd.thresholds("threshold", study.acceptance.pulse, own["threshold"])
    # A membrane without a stable rest has no threshold: it fires by itself, or it is blocked.
    restless = (crowd.out["stable_rests"] == 0) | (crowd.out["spontaneous"] > 0)
    crowd.out["threshold"] = np.where(restless, np.where(crowd.out["spontaneous"] > 0, 0.0, math.nan), crowd.out["threshold"])
    _step(crowd, own["rheobase"], study.acceptance)
    return {name: crowd.out[name] for name in VARIABLES}


# ---- the study

Progress = Callable[[str, int, int], None]  # what is being done, how much of it is, of how much


def run_study(
    study: Study, out: str | Path | None = None, *, jobs: int | None = None, resume: bool = False, progress: Progress | None = None
) -> Population:
    """Draw until so many are accepted, put them into every bath, and do a sample again with SciPy.

    ``out``: a .nc file; what is finished is kept beside it until then, and ``resume`` takes it up. ``jobs``: threads, all cores if not given; the
    result does not depend on it. Raises ExperimentError, FileError, and ModelSaysNo where hardly any draw is accepted."""
    path = Path(out) if out is not None else None
    if path is not None and path.suffix != ".nc":
        raise ExperimentError(f"a population is written as .nc, not as '{path.suffix or path.name}'")
    with files.alone(path) if path is not None else nullcontext():
        kept = _Kept(study, path.with_name(f"{path.name}.unfinished") if path is not None else None, resume)
        started = time.perf_counter()
        table, own, refused, tried = _accepted(study, kept, jobs, progress)
        in_baths = []
        for i, bath in enumerate(study.baths):
            parts = []
            for first in range(0, study.count, _BLOCK):
                here = slice(first, first + _BLOCK)
                part = {name: x[here] for name, x in own.items()}
                parts.append(kept.done(f"bath_{i}_{first}", partial(_in_bath, study, table[here], bath, part, jobs)))
            in_baths.append({name: np.concatenate([part[name] for part in parts]) for name in VARIABLES})
            if progress is not None:
                progress("baths", i + 1, len(study.baths))
        data = _dataset(study, table, own, in_baths, refused, tried)
        data.attrs["check"] = json.dumps(_check(study, table, data))
        data.attrs["seconds"] = time.perf_counter() - started
        if path is not None:
            _save(data, path)
            kept.clear()
    return Population(data)


class _Kept:
    """Finished blocks in a folder, one file each, written aside and moved into place; in memory without one."""

    def __init__(self, study: Study, folder: Path | None, resume: bool) -> None:
        self.folder = folder
        if folder is None:
            return
        mark = folder / "study.txt"
        if folder.exists() and not resume:
            raise ExperimentError(f"{folder} holds an unfinished population; go on with --resume, or delete it to start afresh")
        if folder.exists() and (not mark.is_file() or mark.read_text(encoding="utf-8").strip() != study.digest):
            raise ExperimentError(f"{folder} is of another population; take another --out, or delete it to start afresh")
        files.write_text(mark, study.digest + "\n")

    def done(self, name: str, do: Callable[[], Mapping[str, Array]]) -> dict[str, Array]:
        """A block, from the folder if it is there."""
        if self.folder is None:
            return dict(do())
        path = self.folder / f"{name}.npz"
        if not path.is_file():
            made = do()
            with files.aside(path) as temporary:
                np.savez(temporary, **made)  # type: ignore[arg-type]
        with np.load(path) as found:
            return {key: found[key] for key in found.files}

    def clear(self) -> None:
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _accepted(
    study: Study, kept: _Kept, jobs: int | None, progress: Progress | None
) -> tuple[Array, dict[str, Array], dict[str, int], int]:
    """Drawn values of the first ``count`` accepted draws, what they do in the control bath, and how many draws each criterion turned away."""
    names = [c.name for c in study.acceptance.criteria]
    tables: list[Array] = []
    own: list[dict[str, Array]] = []
    reasons: list[Array] = []
    found = tried = 0
    while found < study.count:
        if tried >= MOST_DRAWS or (tried >= _HOPELESS and found == 0):
            counts = _counts(names, np.concatenate(reasons))
            worst = max(counts, key=lambda name: counts[name])
            raise ModelSaysNo(
                f"of {tried:,} draws {found} behave plausibly in the control bath, most fail by '{worst}'; draw nearer to the set's own values, "
                f"for example with a spread of {study.spread / 2:g}"
            )
        table = draws.mapped(draws.shares(_BLOCK, len(study.drawn), study.seed, study.method, tried), study.drawn)
        block = kept.done(f"draws_{tried}", partial(_control, study, table, jobs))
        accepted = np.flatnonzero(block["refused"] == ACCEPTED)[: study.count - found]
        found += len(accepted)
        used = int(accepted[-1]) + 1 if found == study.count else _BLOCK  # what follows the last one that is needed was not asked for
        tried += used
        reasons.append(block.pop("refused")[:used])
        tables.append(table[accepted])
        own.append({name: column[accepted] for name, column in block.items()})
        if progress is not None:
            progress("draws", found, study.count)
    together = {name: np.concatenate([o[name] for o in own]) for name in own[0]}
    return np.concatenate(tables), together, _counts(names, np.concatenate(reasons)), tried


def _counts(names: Sequence[str], refused: Array) -> dict[str, int]:
    """How many draws each criterion turned away."""
    return {"no rest": int((refused == NO_REST).sum())} | {name: int((refused == i).sum()) for i, name in enumerate(names)}


def _check(study: Study, table: Array, data: xr.Dataset) -> dict[str, Any]:
    """A sample of members in a sample of baths once more by SciPy: the worst deviations of rest (mV) and threshold (share), and whether both
    say the same of firing by itself."""
    random = np.random.default_rng(int(study.digest, 16))
    solver = Solver(rtol=1e-9, atol=1e-11)
    worst = {"rest": 0.0, "threshold": 0.0}
    differ = 0
    count = min(_CHECKED, study.count * len(study.baths))
    points = [divmod(int(i), len(study.baths)) for i in random.choice(study.count * len(study.baths), count, replace=False)]
    for member, bath in points:
        p = draws.member(replace(study.preparation, bath=Bath(study.baths[bath])), study.drawn, table[member])
        here = {name: float(data[name].values[member, bath]) for name in ("rest", "threshold", "spontaneous")}
        rest = find_rest(p).at()
        worst["rest"] = max(worst["rest"], abs(rest.V - here["rest"]))
        alone = run(p, rest_only(_WATCHED), solver=solver, start=p.beside(rest.state, _NUDGE))
        fires = any(t > _WATCHED / 2 for t in alone.features.spike_times)
        differ += fires != (here["spontaneous"] > 0)
        if here["threshold"] > 0 and rest.stable:
            known = threshold.Warm({threshold.pulse_of(study.acceptance.pulse): here["threshold"]}, stride=_CONFIRM, solver=solver)
            again = threshold.threshold_current(p, study.acceptance.pulse, start=rest.state, warm=known)
            worst["threshold"] = max(worst["threshold"], abs(again / here["threshold"] - 1))
    beyond = differ > 0 or worst["rest"] > 0.05 or not worst["threshold"] <= 0.005
    return {"by": solver.describe(), "points": count, "worst": worst, "firing differs": differ, "beyond": beyond}


def _dataset(
    study: Study, table: Array, own: Mapping[str, Array], in_baths: Sequence[Mapping[str, Array]], refused: Mapping[str, int], tried: int
) -> xr.Dataset:
    import xarray as xr

    current = study.preparation.bound.current_unit
    variables: dict[str, Any] = {
        name: (("member", "bath"), np.stack([b[name] for b in in_baths], axis=1), {"units": unit or current, "long_name": text})
        for name, (unit, text) in VARIABLES.items()
    }
    variables["value"] = (("member", "parameter"), table, {"long_name": "drawn value, in the unit of its parameter"})
    variables["own_threshold"] = ("member", own["threshold"], {"units": current, "long_name": "threshold in the control bath"})
    for c in study.acceptance.criteria:
        variables[f"control_{c.name}"] = ("member", own[c.name], {"units": c.unit, "long_name": f"{c.text}, in the control bath"})
    return xr.Dataset(
        variables,
        {
            "bath": list(study.baths), "parameter": [d.name for d in study.drawn],
            "unit": ("parameter", [d.unit for d in study.drawn]), "nominal": ("parameter", [d.value for d in study.drawn]),
        },
        {
            "title": f"population of {study.preparation.parameters.title}", "provenance": json.dumps(study.describe()),
            "drawn": tried, "accepted": study.count, "refused": json.dumps(dict(refused)),
        },
    )


def _save(data: xr.Dataset, path: Path) -> None:
    with files.aside(path) as temporary:
        data.to_netcdf(temporary, engine="netcdf4")


# ---- reading it

@dataclass(frozen=True, eq=False)
class Population:
    """Plausible membranes and what they did. ``data``: over member, bath and parameter."""

    data: xr.Dataset

    @property
    def count(self) -> int:
        return int(self.data.sizes["member"])

    @property
    def baths(self) -> tuple[str, ...]:
        return tuple(str(b) for b in self.data["bath"].values)

    @property
    def acceptance(self) -> float:
        """Share of the draws that were accepted."""
        return float(self.data.attrs["accepted"]) / float(self.data.attrs["drawn"])

    def of(self, name: str, bath: str) -> Array:
        """A measure of every member in one bath. Raises ExperimentError for an unknown bath."""
        if bath not in self.baths:
            had = ", ".join(filter(None, self.baths))
            raise ExperimentError(f"this population was not put into '{bath}'{nearest(bath, self.baths)}; baths: {had}")
        return np.asarray(self.data[name].values[:, self.baths.index(bath)], dtype=float)

    def ratio(self, bath: str) -> Array:
        """Threshold of every member as a multiple of its own in the control bath: 0 where it fires by itself, NaN where nothing makes it fire."""
        return np.asarray(self.of("threshold", bath) / np.asarray(self.data["own_threshold"].values, dtype=float))

    def shows(self, outcome: str, bath: str) -> NDArray[np.bool_]:
        """Which members show one of ``OUTCOMES``. Raises ExperimentError for another."""
        if outcome not in OUTCOMES:
            raise ExperimentError(f"there is no outcome '{outcome}'{nearest(outcome, OUTCOMES)}; outcomes: {', '.join(OUTCOMES)}")
        ratio, fires = self.ratio(bath), self.of("spontaneous", bath) > 0
        found: dict[str, Any] = {
            "fires by itself": fires, "after-discharge": self.of("after_discharge", bath) > 0,
            "paralysed": np.isnan(ratio) & ~fires & np.isfinite(self.of("rest", bath)),
            "two rests": self.of("stable_rests", bath) > 1, "excitable": ratio <= 0.9, "less excitable": ~(ratio < 1.1),
        }
        return np.asarray(found[outcome], dtype=bool)

    def fraction(self, outcome: str, bath: str) -> float:
        """Share of the members that show it."""
        return float(self.shows(outcome, bath).mean())

    def interval(self, outcome: str, bath: str) -> tuple[float, float]:
        """Where the share of all such membranes lies with 95 % confidence."""
        return exact_interval(int(self.shows(outcome, bath).sum()), self.count)

    def tail(self, outcome: str, bath: str) -> list[Apart]:
        """What sets the members that show it apart from the others, the strongest first; empty where either side has fewer than five."""
        from scipy.stats import mannwhitneyu

        shows = self.shows(outcome, bath)
        n, m = int(shows.sum()), int((~shows).sum())
        if min(n, m) < _LEAST:
            return []
        out = []
        values = np.asarray(self.data["value"].values, dtype=float)
        for i, symbol in enumerate(self.data["parameter"].values):
            test = mannwhitneyu(values[shows, i], values[~shows, i])
            share = float(test.statistic) / (n * m)
            q1, q2 = share / (2 - share), 2 * share**2 / (1 + share)
            error = math.sqrt((share * (1 - share) + (n - 1) * (q1 - share**2) + (m - 1) * (q2 - share**2)) / (n * m))
            p = min(1.0, float(test.pvalue) * values.shape[1])
            out.append(Apart(str(symbol), share, (max(0.0, share - 1.96 * error), min(1.0, share + 1.96 * error)), p))
        return sorted(out, key=lambda a: -abs(a.share - 0.5))

    @property
    def check(self) -> dict[str, Any]:
        return dict(json.loads(self.data.attrs["check"]))


def exact_interval(count: int, of: int) -> tuple[float, float]:
    """Where a share lies with 95 % confidence, ``count`` having been seen among ``of`` (Clopper & Pearson's exact binomial interval)."""
    from scipy.stats import binomtest

    found = binomtest(count, of).proportion_ci(_BOTH_WAYS, method="exact")
    return float(found.low), float(found.high)


def bath_words(bath: str) -> str:
    """'K=3,Ca=0.8' as 'K 3, Ca 0.8'."""
    return bath.replace("=", " ").replace(",", ", ") or "control"


@dataclass(frozen=True)
class Apart:
    """How a parameter sets a group apart. ``share``: of all pairs of a member and one that is not, those in which the member's value is the larger
    one: 0.5 says nothing; ``interval``: with 95 % confidence (Hanley & McNeil 1982); ``p``: of no difference, Mann-Whitney, times the number
    of parameters looked at (Bonferroni)."""

    symbol: str
    share: float
    interval: tuple[float, float]
    p: float


def population(
    p: Preparation, count: int, *, seed: int = 1, baths: Sequence[str] = BATHS, spread: float = 1.0, jobs: int | None = None
) -> Population:
    """The short way: ``population(prepare('fibre'), 100).fraction('paralysed', 'K=2')``."""
    return run_study(Study(p, count, seed, tuple(baths), spread=spread), jobs=jobs)


@dataclass(frozen=True, eq=False)
class Members:
    """Plausible membranes, drawn and accepted, that can be put into any bath. ``table``: their drawn values; ``own``: what they do in control."""

    study: Study
    table: Array
    own: Mapping[str, Array]
    refused: Mapping[str, int]
    tried: int

    def in_bath(self, ions: Mapping[str, float]) -> tuple[Population, str]:
        """All of them in one bath, to the last digit of its components, of which each takes what it knows, and the name that it has there."""
        known = self.study.preparation.bound.model.bath
        bath = ",".join(f"{k}={v!r}{COMPONENTS[k].unit}" for k, v in ions.items() if k in known)
        return self.population((bath,)), bath

    def population(self, baths: Sequence[str], jobs: int | None = None) -> Population:
        """All of them in some baths."""
        study = replace(self.study, baths=tuple(baths))
        found = [_in_bath(study, self.table, bath, self.own, jobs) for bath in study.baths]
        return Population(_dataset(study, self.table, self.own, found, self.refused, self.tried))


def members(p: Preparation, count: int, seed: int = 1, jobs: int | None = None) -> Members:
    """Plausible membranes like ``p``; they are kept in the user's cache, since most draws are turned away."""
    study = Study(p, count, seed, ("",))
    procedure = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    kept = _Kept(study, cache_folder() / f"population-{study.digest}-{procedure}", resume=True)
    table, own, refused, tried = _accepted(study, kept, jobs, None)
    return Members(study, table, own, refused, tried)


def open_population(path: str | Path) -> Population:
    """From the file that holds it. Raises ExperimentError."""
    import xarray as xr

    path = Path(path)
    if not path.is_file():
        raise ExperimentError(f"there is no file {path}")
    try:
        with xr.open_dataset(path, engine="netcdf4") as data:
            data.load()
        json.loads(data.attrs["provenance"])["acceptance"]
    except (OSError, KeyError, ValueError) as error:
        raise ExperimentError(f"{path} holds no population: {error}") from None
    return Population(data)
