"""The published results that the model is held to: rows of ``parameters/validation.toml``, each run and judged."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from simulation import parameter_sets
from simulation.assembly.errors import nearest
from simulation.experiment import threshold
from simulation.experiment.bath import Bath
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.features import Features
from simulation.experiment.preparation import Preparation, prepare
from simulation.experiment.protocol import Pulse, protocol, rest_only
from simulation.experiment.recording import Recording
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import run

Verdict = Literal["met", "missed", "fitted", "construction", "waits"]


class Row(BaseModel):
    """One published result: what is done, what came out, where that is written, and how the model is tried."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    experiment: str
    expected: tuple[float, float]
    unit: str
    source: tuple[str, ...]
    species: str
    known: Literal["full text", "abstract", "recalled", "reasoning"]
    evidence: Literal["independent", "fitted", "construction"]
    measure: str = ""
    waits: str = ""
    set: str = "fibre"
    bath: dict[str, float] = {}
    from_: dict[str, float] = {}
    scale: dict[str, float] = {}
    values: dict[str, float] = {}
    freeze: tuple[str, ...] = ()
    factor: float = 1.0
    duration: float = 0.5

    def preparation(self, bath: Mapping[str, float] | None = None) -> Preparation:
        return prepare(
            self.set, Bath.stated(self.bath if bath is None else bath), set=self.values, scale=self.scale, freeze=self.freeze
        )


@dataclass(frozen=True)
class Outcome:
    """A row with what the model gave. ``verdict``: met or missed, or 'fitted' and 'construction' for a row that is met but is
    no evidence, or 'waits' for a row that cannot be run yet. ``note``: why there is no figure."""

    row: Row
    value: float | None
    verdict: Verdict
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        r = self.row
        return {
            "id": r.id, "experiment": r.experiment, "expected": list(r.expected), "unit": r.unit, "value": self.value,
            "verdict": self.verdict, "evidence": r.evidence, "source": list(r.source), "known": r.known, "species": r.species, "note": self.note,
        }


def rows() -> tuple[Row, ...]:
    """All rows of the shipped table. Raises ExperimentError if the file is broken."""
    path = parameter_sets.folder() / "validation.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        found = tuple(Row.model_validate({("from_" if k == "from" else k): v for k, v in row.items()}) for row in data["row"])
    except (OSError, tomllib.TOMLDecodeError, KeyError, ValidationError) as error:
        raise ExperimentError(f"{path.name} cannot be used: {error}") from None
    for row in found:
        if row.measure not in MEASURES and not (row.waits and not row.measure):
            raise ExperimentError(f"{path.name}: row {row.id} has the measure '{row.measure}'{nearest(row.measure, MEASURES)}")
    return found


def select(ids: Iterable[str]) -> tuple[Row, ...]:
    """Rows by id, all if none is named. Raises ExperimentError for an unknown one."""
    known = {row.id: row for row in rows()}
    for name in (wanted := list(ids)):
        if name not in known:
            raise ExperimentError(f"there is no validation row '{name}'{nearest(name, known)}")
    return tuple(known[name] for name in wanted) or tuple(known.values())


def judge(row: Row) -> Outcome:
    """Run one row."""
    if row.waits:
        return Outcome(row, None, "waits", f"not run for want of {row.waits}")
    try:
        value = float(MEASURES[row.measure](row))
    except ModelSaysNo as error:
        return Outcome(row, None, "missed", str(error))
    if not math.isfinite(value):
        return Outcome(row, None, "missed", "the model gives no such figure")
    if not row.expected[0] <= value <= row.expected[1]:
        return Outcome(row, value, "missed")
    return Outcome(row, value, "met" if row.evidence == "independent" else row.evidence)


def validate(chosen: Iterable[Row], jobs: int = 1) -> list[Outcome]:
    """Run some rows, in order."""
    if jobs == 1:
        return [judge(row) for row in chosen]
    from joblib import Parallel, delayed

    return list(Parallel(n_jobs=jobs)(delayed(judge)(row) for row in chosen))


# ---- measures: what is read off for a row

def _rest(row: Row) -> float:
    return find_rest(row.preparation()).V


def _second_rest(row: Row) -> float:
    stable = find_rest(row.preparation()).stable
    return stable[-1].V if len(stable) > 1 else math.nan


def _lowest_K(row: Row) -> float:
    """Potassium at which the hyperpolarised rest disappears, to 0.01 mM."""
    def hyperpolarised(K: float) -> bool:
        return find_rest(row.preparation({"K": K})).V < -75

    low, high = 0.3, 3.0
    if hyperpolarised(low) or not hyperpolarised(high):
        return math.nan
    while high - low > 0.01:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if hyperpolarised(middle) else (middle, high)
    return 0.5 * (low + high)


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


def _chloride_share(row: Row) -> float:
    g = conductances(row.preparation())
    return 100 * g["I_Cl"] / sum(g.values())


def _membrane_resistance(row: Row) -> float:
    return 1000 / sum(conductances(row.preparation()).values())


def _leak(row: Row) -> float:
    """Chord conductance of the gating pore at rest (it reverses near 0 mV), uS per cm2 of fibre surface."""
    rest = find_rest(row.preparation())
    surface, tubule = (sum(rest.symbol(f"I_gp_{ion}_{side}") for ion in ("Na", "K")) for side in "st")
    return 1000 * (surface + rest.symbol("gamma") * tubule) / rest.V


def _threshold_potential(row: Row) -> float:
    p = row.preparation()
    recording = run(p, protocol(Pulse(1.05 * threshold.rheobase(p), 100, at=5)))
    return math.nan if recording.features.threshold is None else recording.features.threshold


def _threshold_change(row: Row) -> float:
    control = threshold.threshold_current(row.preparation({}), row.duration)
    return 100 * (threshold.threshold_current(row.preparation(), row.duration) / control - 1)


def _spontaneous_spikes(row: Row) -> float:
    """Spikes in 300 ms without a stimulus, from 1 mV beside the rest, so that an unstable one is left."""
    p = row.preparation()
    start = find_rest(p).at().state.copy()
    start[p.potential] += 1.0
    return run(p, rest_only(300), start=start).features.spikes


def _stimulated(row: Row) -> Recording:
    """200 ms at ``row.factor`` times rheobase, watched for 1.5 s more."""
    p = row.preparation()
    current = row.factor * threshold.rheobase(p)
    return run(p, protocol(Pulse(current, 200, at=10), after=1500))


def _fired(row: Row) -> Features:
    return _stimulated(row).features


def _late_potential(row: Row) -> float:
    recording = _stimulated(row)
    return float(np.interp(710, recording.t, recording.V))


def _after_discharge(row: Row) -> float:
    return float(_fired(row).after_discharge or 0)


def _spikes_during(row: Row) -> float:
    features = _fired(row)
    return features.spikes - (features.after_discharge or 0)


def _after_discharge_rate(row: Row) -> float:
    features = _fired(row)
    after = features.spike_times[features.spikes - (features.after_discharge or 0) :]
    return 1000 * (len(after) - 1) / (after[-1] - after[0]) if len(after) > 1 else math.nan


def _absolute_refractory_period(row: Row) -> float:
    """Shortest interval, to 0.05 ms, at which a second pulse of three times threshold evokes a second spike."""
    p = row.preparation()
    state = find_rest(p).at().state
    current = threshold.threshold_current(p, start=state)

    def second(interval: float) -> bool:
        twice = protocol(Pulse(1.1 * current, 0.5, at=1), Pulse(3 * current, 0.5, at=1 + interval), after=10)
        return run(p, twice, start=state).features.spikes > 1

    low, high = 0.6, 20.0
    if not second(high):
        return math.nan
    while high - low > 0.05:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if second(middle) else (middle, high)
    return high


def _gating_shift(row: Row) -> float:
    return _psi(row.preparation()) - _psi(row.preparation(row.from_))


def _psi(p: Preparation) -> float:
    return float(p.values[p.kernel.emitted.values.index("psi")])


def _rest_change(row: Row) -> float:
    return find_rest(row.preparation()).V - find_rest(row.preparation(row.from_)).V


def _amplitude(p: Preparation) -> float:
    """Height of the spike that a strong pulse evokes; 0 if it evokes none."""
    features = run(p, protocol(Pulse(1000, 0.5, at=1))).features
    return features.amplitude or 0.0


def _amplitude_change(row: Row) -> float:
    return _amplitude(row.preparation()) - _amplitude(row.preparation(row.from_))


def _drift(row: Row, unit: str) -> float:
    p = row.preparation()
    recording = run(p, rest_only(600_000))
    states = [i for i, s in enumerate(p.bound.states) if s.unit == unit]
    return float(np.max(np.abs(recording.states[-1, states] - recording.states[0, states])))


MEASURES: Mapping[str, Callable[[Row], float]] = {
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
    "absolute_refractory_period": _absolute_refractory_period,
    "spontaneous_spikes": _spontaneous_spikes,
    "gating_shift": _gating_shift,
    "rest_change": _rest_change,
    "amplitude_change": _amplitude_change,
    "drift_V": lambda row: _drift(row, "mV"),
    "drift_ions": lambda row: _drift(row, "mM"),
}
