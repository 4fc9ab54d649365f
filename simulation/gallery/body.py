"""From cause to serum to membrane, and how far all of it can be trusted: courses, panels, populations, a claim on trial."""

from __future__ import annotations

import numpy as np

import simulation as sim
from simulation import figures
from simulation.clinic import claims as court
from simulation.clinic.conditions import condition
from simulation.clinic.course import follow, parse_treatment, serum_after
from simulation.clinic.panel import MEMBRANES, examine, read
from simulation.figures.serum import serum_table
from simulation.gallery.lecture import LectureFigure, Shown
from simulation.studies.population import bath_words, population
from simulation.studies.sensitivity import ranked

CONDITIONS = {
    "thiazide": "thiazide diuretic", "loop_diuretic": "loop diuretic", "laxatives": "laxatives", "diarrhoea": "chronic diarrhoea",
    "coeliac": "coeliac disease", "crohn": "Crohn disease", "proton_pump_inhibitor": "proton-pump inhibitor", "poor_diet": "poor diet",
    "alcohol": "alcohol", "low_vitamin_D": "lack of vitamin D", "after_thyroid_surgery": "after thyroid surgery", "kidney": "kidney disease",
    "dehydration": "dehydration",
}
PANEL = ("K=2.9", "Ca=1.95", "Mg=0.55", "albumin=32", "pH=7.5")
BATHS = ("K=2.5", "K=6", "Ca=0.8", "Ca=0.6", "Mg=0.2", "K=3,Ca=0.8,Mg=0.3")
MEMBERS = 60


def _course(what: str, days: float, *treatments: str) -> Shown:
    found = follow(condition(what), days, [parse_treatment(t) for t in treatments])
    numbers = {}
    for name in ("K", "iCa", "Mg", "PTH"):
        for day in (0.5 * days, days):
            numbers[f"{name} on day {day:g}"] = float(np.interp(day, found.days, found.serum[name]))
    numbers |= {f"threshold of the {name} at the end (of that in health)": float(y[-1]) for name, y in found.threshold.items()}
    return Shown(lambda size: figures.course_figure(found, size), numbers)


def _diuretic() -> Shown:
    return _course("thiazide:severe", 60, "KCl=40/d@30d")


def _coeliac() -> Shown:
    return _course("coeliac:severe", 600, "Mg=15/d@365d")


def _vitamin_D() -> Shown:
    return _course("low_vitamin_D:severe", 400, "D=25/d@200d")


def _panel() -> Shown:
    reading = examine(read(PANEL))
    numbers = {f"{MEMBRANES[name]}: threshold (of that in health)": e.threshold_ratio for name, e in reading.membranes.items()}
    numbers |= {f"{MEMBRANES[name]}: rest (mV)": e.rest for name, e in reading.membranes.items()}
    return Shown(lambda size: figures.panel_figure(reading, size), numbers | {"force at 20 Hz (of that in health)": reading.force_ratio})


def _conditions() -> Shown:
    asked = {name: condition(f"{name}:severe") for name in CONDITIONS}
    found = {CONDITIONS[name]: serum_after(c) for name, c in asked.items()}
    made = {"conditions": {c.name: {"days": c.days, "body": dict(c.body), "serum": dict(c.serum)} for c in asked.values()}}
    numbers = {f"{name}: {n}": serum[n] for name, serum in found.items() for n in ("K", "Na", "iCa", "Mg", "PTH")}
    return Shown(lambda size: serum_table(found, made, "Serum that conditions lead to, each in its severe form", size), numbers)


def _axons() -> Shown:
    found = population(sim.prepare("axon"), MEMBERS, baths=("", *BATHS), jobs=1)
    numbers = {f"{outcome} in {bath_words(bath)} (share of {found.count})": found.fraction(outcome, bath)
               for bath in BATHS for outcome in ("fires by itself", "paralysed")}
    return Shown(lambda size: figures.population_figure(found, size), numbers)


def _sensitivity() -> Shown:
    found = sim.sensitivity(sim.prepare("fibre"), "rheobase", jobs=1)
    effect, unit = found["effect"], found["effect"].attrs["units"]
    numbers = {f"effect of {found['parameter'].values[i]} ({unit})": float(effect.values[i]) for i in ranked(found)[:8]}
    return Shown(lambda size: figures.sensitivity_figure(found, size), numbers)


def _claim(name: str) -> Shown:
    (claim,) = court.select([name])
    judged, without, curves = court.judge(claim), court.judge(claim, off=True), court.curves(claim)
    numbers = {f"{f.text}{'' if f.shown == '1' else f' ({f.shown})'}": v.value for f, v in zip(claim.findings, judged.found, strict=True)}
    return Shown(lambda size: figures.claim_figure(claim, judged, without, curves, size), numbers)


def _low_potassium_on_trial() -> Shown:
    return _claim("k-fire")


def _low_calcium_on_trial() -> Shown:
    return _claim("ca-tetany")


FIGURES = (
    LectureFigure(
        "diuretic", "Two months of a thiazide, potassium given from day 30",
        "A diuretic lowers potassium within days, and nerve and muscle become harder to excite, not easier.", _diuretic,
    ),
    LectureFigure(
        "coeliac", "Malabsorption, severe: magnesium falls, and calcium with it",
        "A lack comes seldom alone: magnesium that is given restores calcium, too.", _coeliac,
    ),
    LectureFigure(
        "low-vitamin-D", "Lack of vitamin D over a year", "Parathyroid hormone rises and holds ionised calcium up.", _vitamin_D,
    ),
    LectureFigure(
        "panel", "A serum panel and what follows", "Values that are all off by a little act together on membranes, and against each other.", _panel,
    ),
    LectureFigure(
        "conditions", "Which condition gives which serum", "Few causes lower one ion alone.", _conditions,
    ),
    LectureFigure(
        "plausible-axons", "What plausible axons do in many baths",
        "What most of many plausible axons do is worth more than what one published set does.", _axons,
    ),
    LectureFigure(
        "sensitivity", "Which parameters the rheobase hangs on", "A result is as sure as the few numbers that it hangs on.", _sensitivity,
    ),
    LectureFigure(
        "low-potassium-on-trial", "A claim on trial: low potassium makes nerve and muscle fire",
        "A claim is decided by experiments that could have come out the other way.", _low_potassium_on_trial,
    ),
    LectureFigure(
        "low-calcium-on-trial", "A claim on trial: low calcium leads to tetany",
        "The same rule speaks for a claim where the experiments do.", _low_calcium_on_trial,
    ),
)
