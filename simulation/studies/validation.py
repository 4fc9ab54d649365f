"""The published results that the models are held to: rows of ``parameters/validation.toml`` and ``validation_body.toml``, each run and judged."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from simulation import parameter_sets
from simulation.assembly.errors import nearest
from simulation.experiment import cramp, many, threshold
from simulation.experiment.bath import Bath
from simulation.experiment.cable import Propagation, cable_constants, propagate
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.excitability import EXAMINATIONS
from simulation.experiment.features import Features
from simulation.experiment.junction import junction
from simulation.experiment.motor_unit import run_unit, unit
from simulation.experiment.preparation import Preparation, prepare
from simulation.experiment.protocol import Clamp, Pulse, Train, protocol, rest_only
from simulation.experiment.recording import Recording
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import Solver, run
from simulation.studies import validation_body

TABLES = ("validation.toml", "validation_body.toml")
_FORCE = Solver(rtol=1e-5, atol=1e-8)

# Groups of rows in the order in which they are shown, each with what has to be known of it.
GROUPS: Mapping[str, str] = {
    "resting potential": "",
    "low potassium": "Two resting states of the muscle fibre, and periodic paralysis.",
    "resting conductance": "",
    "spike": "",
    "excitability": "",
    "conduction": "",
    "calcium and magnesium": "",
    "chloride and myotonia": "",
    "axon": "",
    "motor nerve": "Clinical norms; the mean axon was fitted with them in view.",
    "ectopic sites": "Three hypothetical sites of an axon: parameter sets that were picked because they fire in low calcium.",
    "force": "",
    "junction and motor unit": "",
    "conservation and numerics": "",
    "body: potassium": "The whole body, from plate to serum: many of its parameters were tuned with these in view.",
    "body: calcium and vitamin D": "",
    "body: magnesium": "",
    "body: disease and treatment": "What a disease does to the body is imposed on it, not predicted.",
}
Verdict = Literal["met", "missed", "fitted", "construction", "waits"]


VERDICTS: Mapping[Verdict, str] = {
    "met": "met", "missed": "MISSED", "fitted": "met (fitted)", "construction": "met (built in)", "waits": "not yet run",
}


class Curve(BaseModel):
    """Where a row lies on a curve that several rows make: ``name`` of the curve, ``axis`` with its unit, position ``at`` on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    axis: str
    at: float


class Trial(BaseModel):
    """What is done to a membrane, a motor unit or a body, and what is read off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: str = ""
    set: str = "fibre"
    bath: dict[str, float] = {}
    from_: dict[str, float] = {}
    scale: dict[str, float] = {}
    values: dict[str, float] = {}
    freeze: tuple[str, ...] = ()
    factor: float = 1.0
    duration: float = 0.5
    settings: dict[str, float | tuple[float, ...]] = {}

    def preparation(self, bath: Mapping[str, float] | None = None) -> Preparation:
        return _prepared(_membrane(self, bath))


class Row(Trial):
    """One published result: what is done, what came out, where that is written, and how the model is tried."""

    id: str
    group: str
    experiment: str
    expected: tuple[float, float]
    unit: str
    source: tuple[str, ...]
    species: str
    known: Literal["full text", "abstract", "recalled", "reasoning"]
    evidence: Literal["independent", "fitted", "construction"]
    waits: str = ""
    remark: str = ""
    mean: float | None = None
    curve: Curve | None = None

    @field_validator("group")
    @classmethod
    def _known_group(cls, group: str) -> str:
        if group not in GROUPS:
            raise ValueError(f"there is no group '{group}'{nearest(group, GROUPS)}")
        return group

    @property
    def published(self) -> str:
        """Mean and range in words: '3.7 (3 to 5) m/s'."""
        low, high = self.expected
        if self.mean is not None:
            text = f"{self.mean:g} ({low:g} to {high:g})"
        elif math.isinf(low):
            text = f"at most {high:g}"
        elif math.isinf(high):
            text = f"at least {low:g}"
        else:
            text = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        return _with_unit(text, self.unit)


@dataclass(frozen=True)
class Outcome:
    """A row with what the model gave. ``verdict``: met or missed, or 'fitted' and 'construction' for a row that is met but is
    no evidence, or 'waits' for a row that cannot be run yet. ``note``: why there is no figure."""

    row: Row
    value: float | None
    verdict: Verdict
    note: str = ""

    @property
    def deviation(self) -> float | None:
        """Difference from the published mean, % of it, where a mean is published."""
        if self.row.mean is None or self.value is None:
            return None
        return 100 * (self.value - self.row.mean) / abs(self.row.mean)

    @property
    def figure(self) -> str:
        """What the model gave, in words: '3.78 m/s (+2 %)'; '-' if nothing."""
        if self.value is None:
            return "-"
        number = f"{self.value:.1f}" if self.row.unit == "mV" else f"{float(f'{self.value:.3g}'):g}"
        figure = _with_unit("0.0" if number == "-0.0" else number, self.row.unit)
        return figure if self.deviation is None else f"{figure} ({self.deviation:+.0f} %)"

    def to_dict(self) -> dict[str, Any]:
        r = self.row
        return {
            "id": r.id, "group": r.group, "experiment": r.experiment, "expected": list(r.expected), "unit": r.unit, "value": self.value,
            "mean": r.mean, "deviation": self.deviation, "verdict": self.verdict, "evidence": r.evidence,
            "source": list(r.source), "known": r.known, "species": r.species, "note": self.note, "remark": r.remark,
        }


def _with_unit(text: str, unit: str) -> str:
    return text if unit == "1" else f"{text} {unit}"


@dataclass(frozen=True)
class Count:
    """How many rows of which kind came out as published. ``experiments``: independent ones; ``expectations``: from the mechanism,
    without an experiment; ``built``: the parameters were tuned with them in view, or they follow from how the model was put together; each
    as (came out, all that were run). ``waits``: not run."""

    experiments: tuple[int, int]
    expectations: tuple[int, int]
    built: tuple[int, int]
    waits: int

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Count:
        kinds: dict[str, list[bool]] = {"experiments": [], "expectations": [], "built": []}
        waits = 0
        for o in outcomes:
            kind = "built" if o.row.evidence != "independent" else "expectations" if o.row.known == "reasoning" else "experiments"
            if o.verdict == "waits":
                waits += 1
            else:
                kinds[kind].append(o.verdict != "missed")
        return cls(**{kind: (sum(out), len(out)) for kind, out in kinds.items()}, waits=waits)

    @property
    def rows(self) -> int:
        return self.experiments[1] + self.expectations[1] + self.built[1] + self.waits

    @property
    def sentence(self) -> str:
        """The whole in words; what there is none of is left out."""
        (met, tried), (right, reasoned), (built, tuned) = self.experiments, self.expectations, self.built
        parts = [
            f"{self.rows} row{'s' if self.rows != 1 else ''}.",
            f"Independent experiments: {met} of {tried} met, {tried - met} missed." if tried else "",
            f"Expected from the mechanism, without an experiment: {right} of {reasoned} come out." if reasoned else "",
            f"Of {tuned} that the model was tuned or built for {built} come out, which is no evidence." if tuned else "",
            f"{self.waits} cannot be run yet." if self.waits else "",
        ]
        return " ".join(filter(None, parts))

    @property
    def short(self) -> str:
        """'experiments 5 of 7; expectations 2 of 2; tuned or built 4 of 4; 1 not yet run' come out; what there is none of is left out."""
        kinds = {"experiments": self.experiments, "expectations": self.expectations, "tuned or built": self.built}
        parts = [f"{name} {out} of {all_}" for name, (out, all_) in kinds.items() if all_]
        return "; ".join([*parts, *([f"{self.waits} not yet run"] if self.waits else [])])


def grouped(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """Outcomes by group, groups in the order in which they are shown."""
    out: dict[str, list[Outcome]] = {name: [] for name in GROUPS}
    for o in outcomes:
        out[o.row.group].append(o)
    return {name: some for name, some in out.items() if some}


def rows() -> tuple[Row, ...]:
    """All rows of the shipped tables. Raises ExperimentError if a file is broken."""
    return tuple(row for name in TABLES for row in _table(parameter_sets.folder() / name))


def _table(path: Path) -> tuple[Row, ...]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        found = tuple(Row.model_validate({("from_" if k == "from" else k): v for k, v in row.items()}) for row in data["row"])
    except (OSError, tomllib.TOMLDecodeError, KeyError, ValidationError) as error:
        raise ExperimentError(f"{path.name} cannot be used: {error}") from None
    known = measures()
    for row in found:
        if row.measure not in known and not (row.waits and not row.measure):
            raise ExperimentError(f"{path.name}: row {row.id} has the measure '{row.measure}'{nearest(row.measure, known)}")
    return found


def measures() -> list[str]:
    """Names of all that can be read off a trial."""
    return [*MEASURES, *(f"{name}.{number}" for name, e in EXAMINATIONS.items() for number in e.numbers)]


def read(trial: Trial) -> float:
    """Do what a trial says and read off its measure. Raises ModelSaysNo."""
    return float(MEASURES.get(trial.measure, _examined)(trial))


def select(ids: Iterable[str], groups: Iterable[str] = ()) -> tuple[Row, ...]:
    """Rows by id and by group, each once; all if none is named. Raises ExperimentError for an unknown one."""
    known = {row.id: row for row in rows()}
    wanted = dict.fromkeys(ids)
    for name in wanted:
        if name not in known:
            raise ExperimentError(f"there is no validation row '{name}'{nearest(name, known)}")
    for group in groups:
        if group not in GROUPS:
            raise ExperimentError(f"there is no group '{group}'{nearest(group, GROUPS)}; groups: {', '.join(GROUPS)}")
        wanted |= dict.fromkeys(row.id for row in known.values() if row.group == group)
    return tuple(known[name] for name in wanted) or tuple(known.values())


def judge(row: Row) -> Outcome:
    """Run one row."""
    if row.waits:
        return Outcome(row, None, "waits", f"not run for want of {row.waits}")
    try:
        value = read(row)
    except ModelSaysNo as error:
        return Outcome(row, None, "missed", str(error))
    if not math.isfinite(value):
        return Outcome(row, None, "missed", "the model gives no such figure")
    if not row.expected[0] <= value <= row.expected[1]:
        return Outcome(row, value, "missed")
    return Outcome(row, value, "met" if row.evidence == "independent" else row.evidence)


def validate(chosen: Iterable[Row], jobs: int = 1) -> list[Outcome]:
    """Run some rows, in order; rows of one group that ask the same membrane share its runs."""
    chosen = list(chosen)
    together: dict[tuple[str, str], list[Row]] = {}
    for row in chosen:
        together.setdefault((row.group, row.set), []).append(row)
    if jobs == 1:
        judged = [_judge_all(some) for some in together.values()]
    else:
        from joblib import Parallel, delayed

        judged = list(Parallel(n_jobs=jobs, batch_size=1)(delayed(_judge_all)(some) for some in together.values()))
    outcomes = {o.row.id: o for group in judged for o in group}
    return [outcomes[row.id] for row in chosen]


def _judge_all(some: Iterable[Row]) -> list[Outcome]:
    return [judge(row) for row in some]


# ---- what several rows of one membrane share is done once

def _membrane(row: Trial, bath: Mapping[str, float] | None = None) -> str:
    """What tells one membrane in its bath (the row's if not given) from another."""
    return json.dumps([row.set, dict(row.bath if bath is None else bath), row.scale, row.values, row.freeze], sort_keys=True)


def _prepared(membrane: str) -> Preparation:
    parameter_set, bath, scale, values, freeze = json.loads(membrane)
    return prepare(parameter_set, Bath.stated(bath), set=values, scale=scale, freeze=tuple(freeze))


@lru_cache(maxsize=64)
def _threshold(membrane: str, duration: float) -> float:
    return threshold.threshold_current(_prepared(membrane), duration)


@lru_cache(maxsize=16)
def _propagated(membrane: str) -> Propagation:
    return propagate(_prepared(membrane), 60)


@lru_cache(maxsize=4)
def _stimulated(membrane: str, factor: float) -> Recording:
    """200 ms at ``factor`` times rheobase, watched for 1.5 s more."""
    p = _prepared(membrane)
    return run(p, protocol(Pulse(factor * threshold.rheobase(p), 200, at=10), after=1500))


@lru_cache(maxsize=4)
def _examination(name: str, membrane: str, settings: str) -> dict[str, float]:
    of = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(settings).items()}
    found = EXAMINATIONS[name](**of).of(_prepared(membrane))
    return {number: float(found[number]) for number in EXAMINATIONS[name].numbers}


@lru_cache(maxsize=32)
def _tetanus(membrane: str, rate: float, duration: float = 700.0) -> float:
    """Mean force over the last period of a train."""
    r = run(_prepared(membrane), protocol(Train(rate, duration, 400), duration=duration), solver=_FORCE)
    last = r.t >= duration - 1000 / rate
    return float(np.trapezoid(r["force"][last], r.t[last]) / np.ptp(r.t[last]))


@lru_cache(maxsize=8)
def _twitch(membrane: str) -> tuple[float, float, float]:
    """Time to peak and half relaxation (ms) of the twitch, and its height."""
    r = run(_prepared(membrane), protocol(Pulse(400, 0.5), duration=600), solver=_FORCE)
    force = r["force"] - r["force"][0]
    peak = int(force.argmax())
    falling = np.flatnonzero(force[peak:] < force[peak] / 2)
    return float(r.t[peak]), float(r.t[peak + falling[0]] - r.t[peak]) if len(falling) else math.nan, float(force[peak])


# ---- measures: what is read off for a row

def _rest(row: Trial) -> float:
    return find_rest(row.preparation()).V


def _second_rest(row: Trial) -> float:
    stable = find_rest(row.preparation()).stable
    return stable[-1].V if len(stable) > 1 else math.nan


def _lowest_K(row: Trial) -> float:
    """Potassium at which the hyperpolarised rest disappears, to 0.01 mM."""
    def hyperpolarised(K: float) -> bool:
        return find_rest(row.preparation({"K": K})).V < -75

    return threshold.onset(hyperpolarised, 0.3, 3.0, 0.01)


_CURRENTS = ("I_Kdr", "I_Kir", "I_KCNQ", "I_Cl", "I_NaL", "I_Na", "I_gp_K", "I_gp_Na")


def conductances(p: Preparation) -> dict[str, float]:
    """Slope conductance of each channel at rest with its gates held, sarcolemma and tubule together, mS per cm2 of fibre surface."""
    state = find_rest(p).at().state
    names = p.kernel.emitted.symbols
    step = 0.1
    both = np.array([state, state])
    for i, symbol in enumerate(p.states):
        if symbol in ("V_s", "V_t"):
            both[:, i] += (-step, step)
    seen = p.kernel.observe(np.zeros(2), both, p.values)
    slopes = (seen[1] - seen[0]) / (2 * step)
    gamma = seen[0, names.index("gamma")]
    return {c: float(slopes[names.index(f"{c}_s")] + gamma * slopes[names.index(f"{c}_t")]) for c in _CURRENTS}


def _chloride_share(row: Trial) -> float:
    g = conductances(row.preparation())
    return 100 * g["I_Cl"] / sum(g.values())


def _chloride_conductance(row: Trial) -> float:
    return 1000 * conductances(row.preparation())["I_Cl"]


def _potassium_conductance(row: Trial) -> float:
    g = conductances(row.preparation())
    return 1000 * sum(g[c] for c in ("I_Kdr", "I_Kir", "I_KCNQ", "I_gp_K"))


def _capacitance(row: Trial) -> float:
    """Of surface and tubules together, uF per cm2 of fibre surface."""
    p = row.preparation()
    return p.numbers()["C_m"] * (1 + find_rest(p).symbol("gamma"))


def _input_resistance_change(row: Trial) -> float:
    """By how much the input resistance of a long fibre differs from that in the other bath, %."""
    here, there = (cable_constants(row.preparation(bath)).input_resistance for bath in (row.bath, row.from_))
    return 100 * (here / there - 1)


def _membrane_resistance(row: Trial) -> float:
    return 1000 / sum(conductances(row.preparation()).values())


def _leak(row: Trial) -> float:
    """Chord conductance of the gating pore at rest (it reverses near 0 mV), uS per cm2 of fibre surface."""
    rest = find_rest(row.preparation())
    surface, tubule = (sum(rest.symbol(f"I_gp_{ion}_{side}") for ion in ("Na", "K")) for side in "st")
    return 1000 * (surface + rest.symbol("gamma") * tubule) / rest.V


def _threshold_potential(row: Trial) -> float:
    p = row.preparation()
    recording = run(p, protocol(Pulse(1.05 * threshold.rheobase(p), 100, at=5)))
    return math.nan if recording.features.threshold is None else recording.features.threshold


def _threshold_change(row: Trial) -> float:
    return 100 * (_threshold(_membrane(row), row.duration) / _threshold(_membrane(row, {}), row.duration) - 1)


def _spontaneous_spikes(row: Trial) -> float:
    """Spikes in 300 ms without a stimulus, from 1 mV beside the rest, so that an unstable one is left."""
    p = row.preparation()
    return run(p, rest_only(300), start=p.beside(find_rest(p).at().state, 1.0)).features.spikes


def _threshold_of_change(row: Trial) -> float:
    """Change of threshold current by the row's ``scale``, %."""
    untouched = row.model_copy(update={"scale": {}})
    return 100 * (_threshold(_membrane(row), row.duration) / _threshold(_membrane(untouched), row.duration) - 1)


def _refractory_change(row: Trial) -> float:
    """Relative refractory period against control, %."""
    here, there = (_examination("recovery", _membrane(row, bath), _settings(row))["relative_refractory_period"] for bath in (row.bath, {}))
    return 100 * (here / there - 1)


def _largest_conductance(row: Trial, ion: str) -> float:
    """Largest chord conductance of the surface's channels in 20 ms at -20 to 40 mV, each after 50 ms at -120 mV, mS/cm2."""
    p, found = row.preparation(), []
    for V in (-20, 0, 20, 40):
        r = run(p, protocol(Clamp(-120, 50), Clamp(V, 20, at=50), duration=70))
        stepped = r.t > 50
        current, reversal = r[{"Na": "I_Na_s", "K": "I_Kdr_s"}[ion]], r[f"E_{ion}_s"]
        found.append((current[stepped] / (r.V[stepped] - reversal[stepped])).max())
    return float(max(found))


def _tubular_rise(row: Trial) -> float:
    """By how much one spike raises the potassium in the tubules, mM."""
    K = _spike(_membrane(row), after=30)["K_t"]
    return float(K.max() - K[0])


def _tubular_share(row: Trial, density: str) -> float:
    """The tubules' share of all channels of a kind, %."""
    p = row.preparation()
    there = find_rest(p).symbol("gamma") * p.numbers()[density]
    return 100 * there / (1 + there)


def _spikes_of_pulse(row: Trial) -> float:
    """Spikes within a second of one short pulse."""
    return float(_spike(_membrane(row), after=1000).features.spikes)


def _after_work(row: Trial) -> float:
    """Change of the rest 10 s after ``row.duration`` ms at ``row.factor`` Hz, mV."""
    p = row.preparation()
    start = find_rest(p).at().state
    work = protocol(Train(row.factor, row.duration, 400), duration=row.duration + 10_000)
    ((course,), _) = next(many.follow(p, work, start[None, :], p.values[None, :], threads=1))
    return float(course.state[p.potential] - start[p.potential])


def _fired(row: Trial) -> Features:
    return _stimulated(_membrane(row), row.factor).features


def _late_potential(row: Trial) -> float:
    recording = _stimulated(_membrane(row), row.factor)
    return float(np.interp(710, recording.t, recording.V))


def _after_discharge(row: Trial) -> float:
    return float(_fired(row).after_discharge or 0)


def _spikes_during(row: Trial) -> float:
    features = _fired(row)
    return features.spikes - (features.after_discharge or 0)


def _after_discharge_rate(row: Trial) -> float:
    features = _fired(row)
    after = features.spike_times[features.spikes - (features.after_discharge or 0) :]
    return 1000 * (len(after) - 1) / (after[-1] - after[0]) if len(after) > 1 else math.nan


def _change_of_velocity(row: Trial) -> float:
    """By how much a spike ``row.duration`` ms after another runs faster, %."""
    first, second = propagate(row.preparation(), 60, again=row.duration).velocities
    return 100 * (second / first - 1)


def _recovered_velocity(row: Trial) -> float:
    """Interval from which a second spike runs as fast as the first, to 1 ms."""
    def recovered(interval: float) -> bool:
        first, second = propagate(row.preparation(), 40, again=interval).velocities
        return second >= first

    return threshold.onset(recovered, 2.0, 32.0, 1.0)


def _rise_of_velocity(row: Trial) -> float:
    """Change of velocity from one bath to the other, %; -100 if the spike is blocked."""
    here, there = (_propagated(_membrane(row, bath)).velocity for bath in (row.bath, row.from_))
    return 100 * (here / there - 1)


def _rise_of_conducted(row: Trial) -> float:
    """Steepest rise of the propagated spike as a share of that in the other bath; 0 if it is blocked."""
    here, there = (_propagated(_membrane(row, bath)).spike["max_dV_dt"] for bath in (row.bath, row.from_))
    return 0.0 if math.isnan(here) else here / there


def _change_of_conducted_peak(row: Trial) -> float:
    """Peak of the propagated spike less that in the other bath, mV; NaN if it is blocked."""
    here, there = (_propagated(_membrane(row, bath)).spike["peak"] for bath in (row.bath, row.from_))
    return here - there


def _node_spike(row: Trial) -> Features:
    return run(row.preparation(), protocol(Pulse(1500, 0.1, at=1), after=10)).features


def _highest_Ca(row: Trial) -> float:
    """Highest calcium at which the membrane fires without a stimulus, to 0.01 mM, by the stability of its rest."""
    def silent(Ca: float) -> bool:
        return bool(find_rest(row.preparation({**row.bath, "Ca": Ca})).stable)

    return threshold.onset(silent, 0.3, 1.5, 0.01)


def _gating_shift(row: Trial) -> float:
    return _psi(row.preparation()) - _psi(row.preparation(row.from_))


def _Mg_to_Ca(row: Trial) -> float:
    """Shift by the magnesium that is added, as a share of that by as much calcium in its place."""
    calcium = {**row.from_, "Ca": row.from_["Ca"] + row.bath["Mg"] - row.from_["Mg"]}
    before = _psi(row.preparation(row.from_))
    return (_psi(row.preparation()) - before) / (_psi(row.preparation(calcium)) - before)


def _shift_at_pH(row: Trial) -> float:
    """Shift between two baths at the pH that they state, as a share of that at the pH of the parameter set."""
    before, after = ({name: value for name, value in bath.items() if name != "pH"} for bath in (row.from_, row.bath))
    return _gating_shift(row) / (_psi(row.preparation(after)) - _psi(row.preparation(before)))


def _psi(p: Preparation) -> float:
    return float(p.values[p.kernel.emitted.values.index("psi")])


def _rest_change(row: Trial) -> float:
    return find_rest(row.preparation()).V - find_rest(row.preparation(row.from_)).V


def _spike(membrane: str, after: float = 20.0) -> Recording:
    """A spike evoked by 1.2 times the threshold of 0.5 ms: by more, what the stimulus does is not told from what the membrane does."""
    return run(_prepared(membrane), protocol(Pulse(1.2 * _threshold(membrane, 0.5), 0.5, at=1), after=after))


def _change_of(row: Trial, feature: str) -> float:
    """A feature of the spike less that in the other bath; NaN where there is no spike."""
    here, there = (getattr(_spike(_membrane(row, bath)).features, feature) for bath in (row.bath, row.from_))
    return math.nan if here is None or there is None else here - there


def _drift(row: Trial, unit: str) -> float:
    p = row.preparation()
    recording = run(p, rest_only(600_000))
    states = [i for i, s in enumerate(p.bound.states) if s.unit == unit]
    return float(np.max(np.abs(recording.states[-1, states] - recording.states[0, states])))


def _twitch_change(row: Trial) -> float:
    """Height of the twitch against that in the other bath, %."""
    here, there = (_twitch(_membrane(row, bath))[2] for bath in (row.bath, row.from_))
    return 100 * (here / there - 1)


def _tetanus_share(row: Trial) -> float:
    """Force of a tetanus of 80 Hz as a share of that in the other bath, %."""
    here, there = (_tetanus(_membrane(row, bath), 80, 500) for bath in (row.bath, row.from_))
    return 100 * here / there


def _rate_of_half_force(row: Trial) -> float:
    """Rate of stimulation at which force is half of that at 80 Hz, between rates in even steps of their logarithm."""
    membrane = _membrane(row)
    half, rates = _tetanus(membrane, 80, 500) / 2, np.geomspace(6, 30, 5)
    force = [_tetanus(membrane, float(rate)) for rate in rates]
    return float(np.exp(np.interp(half, force, np.log(rates)))) if force[0] < half < force[-1] else math.nan


def _gathered_potassium(row: Trial) -> float:
    """Potassium between the fibres after 30 s at ``row.factor`` Hz, mM."""
    p = row.preparation()
    start, work = find_rest(p).at().state, protocol(Train(row.factor, 30_000, 400), duration=30_000)
    ((course,), _) = next(many.follow(p, work, start[None, :], p.values[None, :], threads=1))
    return float(course.state[p.states.index("K_is")])


def _opening_Mg(row: Trial) -> float:
    """Free magnesium, the bound in equilibrium with it, at which the resting store opens by itself: force above 0.1 within 10 s; to 0.01 mM."""
    p = row.preparation()
    rested, of = find_rest(p).at().state, p.numbers()

    def quiet(Mg: float) -> bool:
        start = rested.copy()
        for region in "ri":
            start[p.states.index(f"Mg_{region}")] = Mg
            start[p.states.index(f"MgATP_{region}")] = of["ATP_tot"] * Mg / (Mg + of["k_MgATP_off"] / of["k_MgATP"])
        return bool(run(p, rest_only(10_000), start=start, solver=_FORCE)["force"].max() < 0.1)

    return threshold.onset(quiet, 0.01, 1.0, 0.01)


def _unit_force(row: Trial, stage: str) -> float:
    """Highest force in 2 s without a drive of a motor unit with the row's axon, one stage of which lies in the row's bath."""
    return float(run_unit(unit(row.set, baths={stage: row.bath}), duration=2000).force.max())


def _safety(row: Trial) -> float:
    """Safety factor of the row's junction where it and the fibre lie in the row's bath."""
    return unit(junction_=row.set, baths={"junction": row.bath, "muscle": row.bath}).safety_factor


def _blocking_Mg(row: Trial) -> float:
    """Magnesium at which the safety factor falls to 1, to 0.05 mM."""
    def blocked(Mg: float) -> bool:
        return unit(junction_=row.set, baths={stage: {"Mg": Mg} for stage in ("junction", "muscle")}).safety_factor < 1

    return threshold.onset(blocked, 0.6, 15.0, 0.05)


def _release_slope(row: Trial) -> float:
    """Slope of release against calcium, both in logarithms, between the two baths."""
    here, there = (junction(row.set, Bath.stated(bath)).release for bath in (row.bath, row.from_))
    return math.log(here / there) / math.log(row.bath["Ca"] / row.from_["Ca"])


def _release_change(row: Trial) -> float:
    """Release against control, %."""
    return 100 * (junction(row.set, Bath.stated(row.bath)).release - 1)


def _spikes_of_contracture(row: Trial) -> float:
    """Spikes of the fibre in 5 s without a drive; NaN if there is no involuntary force, too."""
    measured = cramp.measure(run_unit(unit(muscle=row.preparation()), duration=5000))
    return float(measured.muscle_spikes) if measured.involuntary_peak >= cramp.FORCE else math.nan


def _examined(row: Trial) -> float:
    """A number that an examination gives, as 'recovery.superexcitability'."""
    name, _, number = row.measure.partition(".")
    return _examination(name, _membrane(row), _settings(row))[number]


def _settings(row: Trial) -> str:
    return json.dumps(row.settings, sort_keys=True)


MEASURES: Mapping[str, Callable[[Trial], float]] = {
    "rest": _rest,
    "second_rest": _second_rest,
    "lowest_K": _lowest_K,
    "chloride_share": _chloride_share,
    "membrane_resistance": _membrane_resistance,
    "leak": _leak,
    "threshold_potential": _threshold_potential,
    "threshold_change": _threshold_change,
    "after_discharge": _after_discharge,
    "after_discharge_rate": _after_discharge_rate,
    "late_potential": _late_potential,
    "spikes_during": _spikes_during,
    "change_of_velocity": _change_of_velocity,
    "rise_of_velocity": _rise_of_velocity,
    "rise_of_conducted": _rise_of_conducted,
    "highest_Ca": _highest_Ca,
    "node_amplitude": lambda row: _node_spike(row).amplitude or math.nan,
    "node_half_width": lambda row: _node_spike(row).half_width or math.nan,
    "spontaneous_spikes": _spontaneous_spikes,
    "gating_shift": _gating_shift,
    "Mg_to_Ca": _Mg_to_Ca,
    "shift_at_pH": _shift_at_pH,
    "rest_change": _rest_change,
    "amplitude_change": lambda row: _change_of(row, "amplitude"),
    "peak_change": lambda row: _change_of(row, "peak"),
    "change_of_conducted_peak": _change_of_conducted_peak,
    "spikes_of_pulse": _spikes_of_pulse,
    "after_work": _after_work,
    "tubular_rise": _tubular_rise,
    "tubular_Kdr": lambda row: _tubular_share(row, "eta_Kdr"),
    "tubular_Cl": lambda row: row.preparation().numbers()["eta_Cl"],
    "largest_g_Na": lambda row: _largest_conductance(row, "Na"),
    "largest_g_K": lambda row: _largest_conductance(row, "K"),
    "capacitance": _capacitance,
    "chloride_conductance": _chloride_conductance,
    "potassium_conductance": _potassium_conductance,
    "input_resistance_change": _input_resistance_change,
    "threshold_of_change": _threshold_of_change,
    "refractory_change": _refractory_change,
    "recovered_velocity": _recovered_velocity,
    "K_gating_shift": lambda row: _gating_shift(row) * row.preparation().numbers()["w_K"],
    "twitch_time": lambda row: _twitch(_membrane(row))[0],
    "threshold": lambda row: _threshold(_membrane(row), row.duration),
    "twitch_height": lambda row: _twitch(_membrane(row))[2],
    "half_relaxation": lambda row: _twitch(_membrane(row))[1],
    "twitch_tetanus": lambda row: _twitch(_membrane(row))[2] / _tetanus(_membrane(row), 80),
    "twitch_change": _twitch_change,
    "tetanus_share": _tetanus_share,
    "rate_of_half_force": _rate_of_half_force,
    "opening_Mg": _opening_Mg,
    "gathered_potassium": _gathered_potassium,
    "force_of_axon": lambda row: _unit_force(row, "axon"),
    "force_of_fibre": lambda row: _unit_force(row, "muscle"),
    "safety_factor": _safety,
    "blocking_Mg": _blocking_Mg,
    "release_slope": _release_slope,
    "release_change": _release_change,
    "spikes_of_contracture": _spikes_of_contracture,
    "drift_V": lambda row: _drift(row, "mV"),
    "drift_ions": lambda row: _drift(row, "mM"),
    **validation_body.MEASURES,
}
