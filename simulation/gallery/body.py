"""Lecture figures from cause to serum to nerve, and of the claims."""

from __future__ import annotations

import simulation as sim
from simulation import figures
from simulation.clinic import claims, panel
from simulation.clinic.conditions import condition
from simulation.clinic.course import follow, parse_treatment, serum_after
from simulation.gallery.lecture import LectureFigure, Shown
from simulation.studies.population import OUTCOMES, Study, run_study

CAUSES = (
    "thiazide", "loop_diuretic", "coeliac", "diarrhoea", "laxatives", "proton_pump_inhibitor", "alcohol", "poor_diet", "low_vitamin_D",
    "after_thyroid_surgery", "kidney", "pregnancy", "ageing", "dehydration", "sweat_water", "hyperventilation",
)
PANEL = ("K=2.9", "Ca=1.95", "Mg=0.55", "albumin=32", "pH=7.5")


def _course(name: str, days: float, *treatments: str) -> Shown:
    found = follow(condition(name), days, [parse_treatment(text) for text in treatments])
    numbers = {f"{ion} on day {days:g} (mM)": float(found.serum[ion][-1]) for ion in ("K", "iCa", "Mg")}
    numbers |= {f"threshold of the {name} on day {days:g} (% of health)": 100 * float(x[-1]) for name, x in found.threshold.items()}
    return Shown(lambda size: figures.course_figure(found, size), numbers)


def _causes() -> Shown:
    found = [(here, serum_after(here)) for here in map(condition, CAUSES)]
    numbers = {f"{ion}, {here.name} (mM)": serum[ion] for here, serum in found for ion in ("K", "iCa", "Mg")}
    return Shown(lambda size: figures.causes_figure(found, size), numbers)


def _panel() -> Shown:
    reading = panel.examine(panel.read(PANEL))
    numbers = {f"threshold of {panel.MEMBRANES[name]} (% of health)": 100 * x.threshold_ratio for name, x in reading.membranes.items()}
    return Shown(lambda size: figures.panel_figure(reading, size), numbers)


def _claim(name: str) -> Shown:
    (claim,) = claims.select([name])
    judged, without, curves = claims.judge(claim), claims.judge(claim, off=True), claims.curves(claim)
    return Shown(lambda size: figures.claim_figure(claim, judged, without, curves, size),
                 {f.text: found.value for f, found in zip(claim.findings, judged.found, strict=True)})


def _population() -> Shown:
    found = run_study(Study(sim.prepare("axon"), 40, baths=("", "Ca=0.7", "K=3", "K=6")))
    numbers = {f"{outcome}, {bath or 'control'} (%)": 100 * found.fraction(outcome, bath) for bath in found.baths for outcome in OUTCOMES}
    return Shown(lambda size: figures.population_figure(found, size), numbers)


def _sensitivity() -> Shown:
    found = sim.sensitivity(sim.prepare("fibre", "K=2.5"), "rest", method="local")
    effect = dict(zip(map(str, found["parameter"].values), map(float, found["effect"].values), strict=True))
    first = sorted(effect, key=lambda name: -abs(effect[name]))[:5]
    return Shown(lambda size: figures.sensitivity_figure(found, size), {f"rest, {name} 10 % larger (mV)": effect[name] for name in first})


FIGURES = (
    LectureFigure("causes", "Sixteen causes, and the serum that they come to", "Which ions a cause shifts, and in which company.", _causes),
    LectureFigure("diuretic-course", "A thiazide, and potassium for it", "Potassium falls within weeks and comes back with what is swallowed.",
                  lambda: _course("thiazide:severe", 120, "KCl=40/d@60d")),
    LectureFigure("coeliac-course", "Malabsorption, and magnesium for it", "A year of serum, and what of it nerve feels.",
                  lambda: _course("coeliac", 400, "Mg=15/d@300d")),
    LectureFigure("panel", "A serum panel, as nerve and muscle read it", "Several lacks at once may hide one another.", _panel),
    LectureFigure("claim-potassium", "On trial: low potassium makes nerves fire", "An axon in low potassium is harder to excite.",
                  lambda: _claim("k-fire")),
    LectureFigure("claim-calcium", "On trial: low calcium leads to tetany",
                  "What speaks for it, and what was built in.", lambda: _claim("ca-tetany")),
    LectureFigure("population", "Forty plausible axons", "The mean axon is not every axon: a few fire where it is silent.", _population),
    LectureFigure("sensitivity", "On which numbers the rest hangs", "Which parameter matters at 2.5 mM potassium.", _sensitivity),
)
