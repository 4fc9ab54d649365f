"""What a condition does over days: serum, the excitability that follows, and how both come back under treatment."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simulation.assembly.compile import Array
from simulation.assembly.errors import nearest
from simulation.clinic.conditions import Condition, body_knobs
from simulation.clinic.panel import HEALTH, Panel, bath_for
from simulation.experiment import many
from simulation.experiment.body import Course as BodyCourse
from simulation.experiment.body import body, course, knobs, steady
from simulation.experiment.errors import ExperimentError
from simulation.experiment.preparation import Preparation, prepare

if TYPE_CHECKING:
    import xarray as xr

MOMENTS = 25  # at which the membranes are examined
PULSE = 0.5  # ms
# Serum as it is shown: name -> symbol of the body model, unit, what it is.
SERUM: Mapping[str, tuple[str, str, str]] = {
    "K": ("K_p", "mM", "potassium"), "Na": ("Na", "mM", "sodium"), "Ca": ("Ca_total", "mM", "total calcium"),
    "iCa": ("Ca_ion", "mM", "ionised calcium"), "Mg": ("Mg_total", "mM", "total magnesium"), "iMg": ("Mg_ion", "mM", "ionised magnesium"),
    "PTH": ("PTH", "pmol/L", "parathyroid hormone"), "calcitriol": ("calcitriol", "pmol/L", "calcitriol"),
    "25OHD": ("D25", "nmol/L", "25-hydroxyvitamin D"),
}
_TREATMENTS: Mapping[str, tuple[str, str]] = {
    "K": ("intake_K", "mmol/d"), "KCl": ("intake_K", "mmol/d"), "Ca": ("intake_Ca", "mmol/d"), "Mg": ("intake_Mg", "mmol/d"),
    "D": ("dose_D", "ug/d"), "ivK": ("iv_K", "mmol/h"), "ivCa": ("iv_Ca", "mmol/h"), "ivMg": ("iv_Mg", "mmol/h"),
}
_TREAT = re.compile(r"^\s*(\w+)\s*=\s*([\d.]+)\s*(?:/\s*([dh]))?\s*@\s*([\d.]+)\s*d?\s*$")
_STOP = re.compile(r"^\s*stop\s*@\s*([\d.]+)\s*d?\s*$")


@dataclass(frozen=True)
class Treatment:
    """Something given from a day on: a knob of the body and what is added to it. Without a knob the cause ends."""

    day: float
    knob: str = ""
    dose: float = 0.0
    text: str = ""


def parse_treatment(text: str) -> Treatment:
    """'Mg=15/d@30d', 'ivCa=1/h@2d', or 'stop@30d', where the cause ends. Raises ExperimentError."""
    if match := _STOP.match(text):
        return Treatment(float(match[1]), text="the cause ends")
    match = _TREAT.match(text)
    if not match:
        raise ExperimentError(f"'{text}' is no treatment; write NAME=DOSE/d@DAYd, for example Mg=15/d@30d, or stop@30d")
    name, dose, per, day = match.groups()
    if name not in _TREATMENTS:
        raise ExperimentError(f"the treatment '{name}' is not known{nearest(name, _TREATMENTS)}; known: {', '.join(_TREATMENTS)}")
    knob, unit = _TREATMENTS[name]
    if per and not unit.endswith(per):
        raise ExperimentError(f"'{text}': {name} is given in {unit}")
    amount = float(dose)
    return Treatment(float(day), knob, amount, f"{name} {amount:g} {unit}")


@dataclass(frozen=True, eq=False)
class Course:
    """A condition over days. ``days``: shape (n,); ``serum``: of each value, shape (n,); ``moments``: days at which the membranes were examined,
    and of each of them ``rest`` (mV) and ``threshold`` as a multiple of that in health."""

    condition: Condition
    treatments: tuple[Treatment, ...]
    days: Array
    serum: Mapping[str, Array]
    imposed: tuple[str, ...]
    moments: Array
    rest: Mapping[str, Array]
    threshold: Mapping[str, Array]

    def to_dataset(self) -> xr.Dataset:
        import json

        import xarray as xr

        of_serum = {n: ("day", self.serum[n], {"units": SERUM[n][1], "long_name": SERUM[n][2]}) for n in self.serum}
        of_membranes: dict[str, Any] = {}
        for name in self.rest:
            of_membranes[f"rest_{name}"] = ("moment", self.rest[name], {"units": "mV", "long_name": f"resting potential of the {name}"})
            of_membranes[f"threshold_{name}"] = (
                "moment", self.threshold[name], {"units": "1", "long_name": f"threshold of the {name} as a multiple of that in health"})
        made = {
            "condition": self.condition.name, "body": dict(self.condition.body), "serum": dict(self.condition.serum),
            "treatments": [t.text and f"{t.text} from day {t.day:g}" for t in self.treatments],
        }
        return xr.Dataset(
            {**of_serum, **of_membranes}, {"day": self.days, "moment": self.moments},
            {"title": self.condition.title, "provenance": json.dumps(made), "imposed": json.dumps(list(self.imposed))},
        )


def run_body(condition: Condition, days: float, treatments: Sequence[Treatment] = ()) -> BodyCourse:
    """The body under a condition from day 0 on, with what is given meanwhile."""
    known, normal = knobs(), body_knobs()
    numbers = {s: v for s, v in condition.body.items() if s not in known}
    now = {s: v for s, v in condition.body.items() if s in known}
    start, given = body(set=numbers).changed(now), dict[str, float]()
    changes = []
    for treatment in sorted(treatments, key=lambda t: t.day):
        if not treatment.day < days:
            raise ExperimentError(f"'{treatment.text}' begins on day {treatment.day:g}, not before the end on day {days:g}")
        if treatment.knob:
            given[treatment.knob] = given.get(treatment.knob, 0.0) + treatment.dose
        else:
            now = {symbol: known[symbol].neutral for symbol in now}
        changes.append((treatment.day, {**now, **{knob: now.get(knob, normal[knob].value) + dose for knob, dose in given.items()}}))
    return course(start, days, changes=changes)


def serum_after(condition: Condition, days: float | None = None) -> dict[str, float]:
    """Serum at the end: predicted by the body, what is imposed put in its place."""
    end = run_body(condition, max(condition.days if days is None else days, 1e-3)).end if condition.predicted else steady(body())
    return _with_imposed(condition, {name: end[symbol] for name, (symbol, _, _) in SERUM.items()})


def _with_imposed(condition: Condition, serum: dict[str, Any]) -> dict[str, Any]:
    """With what is imposed in place of what was predicted; an imposed total moves its ionised part."""
    if not condition.serum:
        return serum
    moved = {k: float(np.ravel(serum[k])[-1]) for k in ("Ca", "Mg") if k not in condition.serum and {"pH", "albumin"} & set(condition.serum)}
    panel = Panel({**condition.serum, **moved})
    out = {**serum, **{k: v for k, v in condition.serum.items() if k in serum}}
    if {"Ca", "pH", "albumin"} & set(condition.serum):
        out["iCa"] = panel.Ca_ion
    if {"Mg", "albumin"} & set(condition.serum):
        out["iMg"] = panel.Mg_ion
    return out


def bath_after(condition: Condition, days: float | None = None) -> dict[str, float]:
    """What nerve and muscle lie in at the end."""
    serum = serum_after(condition, days)
    pH = condition.serum.get("pH", condition.body.get("pH", body_knobs()["pH"].value))
    return {"K": serum["K"], "Na": serum["Na"], "Ca": serum["iCa"], "Mg": serum["iMg"], "pH": pH}


def follow(condition: Condition, days: float, treatments: Sequence[Treatment] = (), moments: int = MOMENTS) -> Course:
    """A condition over so many days. Raises ExperimentError."""
    if not 0 < days <= 3650:
        raise ExperimentError(f"a course of {days:g} days cannot be followed; above 0 and up to 3650")
    found = run_body(condition, days, treatments)
    serum = _with_imposed(condition, {name: np.asarray(found[symbol]) for name, (symbol, _, _) in SERUM.items()})
    serum = {name: np.broadcast_to(np.asarray(x, dtype=float), found.t.shape).copy() for name, x in serum.items()}
    at = np.linspace(0.0, days, moments)
    pH = np.interp(at, found.t, np.broadcast_to(np.asarray(found["pH"], dtype=float), found.t.shape))
    baths = [
        {"K": k, "Na": na, "Ca": ca, "Mg": mg, "pH": condition.serum.get("pH", h)}
        for k, na, ca, mg, h in zip(*(np.interp(at, found.t, serum[n]).tolist() for n in ("K", "Na", "iCa", "iMg")), pH.tolist(), strict=True)
    ]
    rest, threshold = {}, {}
    for name, of in (("axon", condition.axon), ("fibre", "fibre")):
        own = [{**b, **condition.bath} for b in baths] if name == "fibre" else baths
        rest[name], threshold[name] = _examined(prepare(of), [HEALTH.bath, *own])
    imposed = tuple(n for n in SERUM if n in condition.serum)
    return Course(condition, tuple(treatments), np.asarray(found.t), serum, imposed, at, rest, threshold)


def _examined(p: Preparation, baths: Sequence[Mapping[str, float]]) -> tuple[Array, Array]:
    """Rests, and thresholds as multiples of the first bath's, in all further baths, side by side."""
    here = [bath_for(p, b) for b in baths]
    values = np.array([q.values for q in here])
    found = many.resting(p, values, lambda i: here[i])
    rests = [r if not isinstance(r, str) else None for r in found]
    known = [i for i, r in enumerate(rests) if r is not None and r.stable]
    threshold, V = np.full(len(baths), math.nan), np.full(len(baths), math.nan)
    V[known] = [r.stable[0] for r in rests if r is not None and r.stable]
    starts = np.array([r.state for r in rests if r is not None and r.stable])
    threshold[known] = many.thresholds(p, PULSE, starts, values[known], np.full(len(known), 300.0))
    return V[1:], threshold[1:] / threshold[0]


