"""Conditions, serum panels and courses: read, composed, graded, and what follows from them."""

from __future__ import annotations

import json
import math

import pytest

from simulation import figures
from simulation.cli import main
from simulation.clinic import conditions, course, panel
from simulation.clinic.conditions import condition
from simulation.clinic.course import follow, parse_treatment, run_body, serum_after
from simulation.clinic.panel import HEALTH, Panel, read
from simulation.experiment.errors import ExperimentError

GRADED = [f"{name}:{grade}" for name, file in conditions.files().items() for grade in file.grades]


# ---- conditions

@pytest.mark.parametrize("name", GRADED)
def test_every_grade_can_be_followed(name):
    serum = serum_after(condition(name))
    assert all(math.isfinite(x) and x > 0 for x in serum.values())


@pytest.mark.parametrize(
    ("name", "symbol", "sign"),
    [
        ("hypokalaemia", "K", -1), ("hyperkalaemia", "K", 1), ("hypocalcaemia", "iCa", -1), ("hypercalcaemia", "iCa", 1),
        ("hypomagnesaemia", "iMg", -1), ("hypermagnesaemia", "iMg", 1), ("hyponatraemia", "Na", -1), ("hypernatraemia", "Na", 1),
        ("low_vitamin_D", "25OHD", -1),
        ("low_vitamin_D", "PTH", 1), ("poor_diet", "K", -1), ("coeliac", "Mg", -1), ("crohn", "Mg", -1), ("diarrhoea", "K", -1),
        ("laxatives", "K", -1),
        ("thiazide", "K", -1), ("thiazide", "Ca", 1), ("loop_diuretic", "K", -1), ("loop_diuretic", "Ca", -1), ("proton_pump_inhibitor", "Mg", -1),
        ("alcohol", "Mg", -1), ("ageing", "PTH", 1), ("pregnancy", "Ca", -1), ("kidney", "K", 1), ("kidney", "PTH", 1), ("dialysis", "K", -1),
        ("dehydration", "Na", 1), ("sweat_water", "Na", -1), ("hyperventilation", "iCa", -1), ("after_thyroid_surgery", "Ca", -1),
        ("potassium_supplement", "K", 1), ("calcium_supplement", "Ca", 1), ("magnesium_supplement", "Mg", 1), ("vitamin_D_supplement", "25OHD", 1),
    ],
)
def test_a_condition_moves_the_serum_as_its_title_says(name, symbol, sign):
    change = [serum_after(condition(f"{name}:{g}"))[symbol] - serum_after(condition(""))[symbol] for g in conditions.files()[name].grades]
    assert all(sign * c > 0 for c in change)
    assert [sign * c for c in change] == sorted(sign * c for c in change)  # the graver, the further


def test_health_is_health():
    assert condition("").body == {}
    assert serum_after(condition("")) == pytest.approx(serum_after(condition("low_zinc"), 30))
    assert course.bath_after(condition("")) == pytest.approx(HEALTH.bath, rel=1e-9)


def test_conditions_compose():
    both = condition("thiazide+poor_diet")
    assert both.body["flow"] == condition("thiazide").body["flow"]
    assert both.body["intake_K"] == 35
    twice = condition("coeliac+crohn").body
    assert twice["m_Mg"] == pytest.approx(0.35 * 0.5)
    assert twice["loss_K"] == pytest.approx(10 + 15)
    assert condition("diarrhoea+hyperventilation").body["pH"] == pytest.approx(7.33 + 7.55 - 7.4)
    assert serum_after(both)["K"] < min(serum_after(condition(c))["K"] for c in ("thiazide", "poor_diet"))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("thiazid", "nearest: thiazide"), ("thiazide:sever", "severe"), ("thiazide+thiazide", "twice"), ("pregnancy:mild", "no grade"),
        ("hypokalaemia+hyperkalaemia", "cannot be: hypokalaemia imposes K = 2.8, hyperkalaemia K = 6.5"),
    ],
)
def test_what_cannot_be_composed_is_refused(text, match):
    with pytest.raises(ExperimentError, match=match):
        condition(text)


def test_a_broken_condition_says_where(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\ntitle = "m"\ncause = "c"\ndays = 1\nnote = "n"\n[grades.moderate]\nbody = { flw = 2 }\n', encoding="utf-8")
    with pytest.raises(ExperimentError, match=r"mine.toml: the body model has no 'flw'; nearest: flow"):
        condition(str(path))


# ---- panels

def test_both_kinds_of_units_give_the_same_panel():
    si = read(["K=2.9", "Ca=1.95", "Mg=0.55mmol/L", "albumin=32"])
    conventional = read(["K=2.9", "Ca=7.8153", "Mg=1.33677", "albumin=3.2"], conventional=True)
    mixed = read(["K=2.9mEq/L", "Ca=7.8153mg/dL", "Mg=1.1mEq/L", "albumin=3.2g/dL"])
    for other in (conventional, mixed):
        assert dict(other.values) == pytest.approx(dict(si.values), rel=2e-5)
        assert other.bath == pytest.approx(si.bath, rel=2e-5)
        assert other.grades == si.grades


@pytest.mark.parametrize(
    ("item", "match"),
    [
        ("Ca=9.6", r"if 9.6 mg/dL is meant, write Ca=9.6mg/dL"), ("Mg=2.0", r"is that 2 mmol/L \(high, mild\) or 2 mg/dL \(normal\)\?"),
        ("albumin=4.1", "albumin=4.1g/dL"), ("25OHD=30", "ng/mL"), ("K=41", "cannot be"), ("Kalium=4", "nearest"), ("Ca=2.2mg", "mg/dL"),
        ("Ca", "NAME=NUMBER"), ("K=nan", "NAME=NUMBER|not a number"), ("pH=74", "cannot be"),
    ],
)
def test_a_value_in_the_wrong_unit_is_asked_about(item, match):
    with pytest.raises(ExperimentError, match=match):
        read([item])


def test_what_is_missing_is_normal_and_listed():
    p = read(["K=2.9"])
    assert p.missing == ("Na", "Ca", "Mg", "albumin", "pH")
    assert p.bath == pytest.approx({**HEALTH.bath, "K": 2.9})
    assert read(["iCa=1.0"]).missing == ("K", "Na", "Mg", "albumin", "pH")
    with pytest.raises(ExperimentError, match="one of them"):
        read(["iCa=1.0", "Ca=2.2"])


def test_alkalosis_and_albumin():
    """The same exchangeable calcium at pH 7.5: ionised calcium is 0.04 to 0.05 mM lower. Low albumin lowers the total, not the ionised."""
    alkalosis = run_body(condition("hyperventilation"), 1e-4).at(0.0)
    p = Panel({"pH": alkalosis["pH"], "Ca": alkalosis["Ca_total"]})
    assert p.Ca_ion == pytest.approx(alkalosis["Ca_ion"], rel=1e-9)
    assert 0.04 < 0.1 * (HEALTH.Ca_ion - p.Ca_ion) / (p["pH"] - 7.4) < 0.05
    assert Panel({"Ca": 2.4 - 20 * 0.02, "albumin": 20.0}).Ca_ion == pytest.approx(1.2, abs=1e-9)


def test_low_calcium_drives_the_axon_and_low_potassium_hides_it():
    low = panel.examine(read(["iCa=0.75"]))
    assert low.membranes["axon"].threshold_ratio < 0.9
    assert low.drives["iCa"][0] < -10
    both = panel.examine(read(["iCa=0.75", "K=2.8"]))
    assert both.membranes["axon"].threshold_ratio > low.membranes["axon"].threshold_ratio
    assert both.drives["K"][0] > 0 > both.drives["iCa"][0]
    plate = figures.panel_figure(both)
    assert "iCa 0.75 (low, severe)" in plate.alt


def test_the_command(capsys, tmp_path):
    assert main(["panel", "K=2.9", "Ca=7.8mg/dL", "25OHD=18nmol/L", "--members", "0"]) == 0
    text = capsys.readouterr().out
    assert "taken as normal: Na 140 mmol/L" in text
    assert text.rstrip().endswith("It teaches. It gives no advice on a patient.")
    assert main(["panel", "Ca=9.6"]) == 2
    assert main(["panel"]) == 2
    table, out = tmp_path / "p.csv", tmp_path / "r.csv"
    table.write_text("name,K,Ca\nbert,2.6,\nclara,4,9.6\n", encoding="utf-8")
    assert main(["panel", "--csv", str(table), "--out", str(out)]) == 0
    assert "line 3: Ca = 9.6" in capsys.readouterr().err
    rows = out.read_text(encoding="utf-8").splitlines()
    assert len(rows) == 3
    assert ",K," in rows[1]  # what drives it


# ---- courses

def test_treatment_brings_back_what_was_lacking():
    found = follow(condition("proton_pump_inhibitor:severe"), 200, [parse_treatment("stop@150d"), parse_treatment("Mg=15/d@150d")], moments=3)
    Mg = found.serum["Mg"]
    treated = found.days >= 150.5
    assert Mg[~treated].min() < 0.55
    assert Mg[treated][-1] > 0.7
    assert found.threshold["axon"].shape == (3,)
    assert found.threshold["axon"][0] == pytest.approx(1.0, abs=5e-3)
    assert "day" in figures.course_figure(found).alt


@pytest.mark.parametrize(("text", "match"), [("Mg=15", "NAME=DOSE"), ("Mn=15/d@3d", "Mg"), ("ivCa=1/d@3d", "mmol/h")])
def test_treatments_that_are_none(text, match):
    with pytest.raises(ExperimentError, match=match):
        parse_treatment(text)


def test_a_course_from_the_shell(capsys, tmp_path):
    out = tmp_path / "c.nc"
    assert main(["course", "thiazide", "--days", "20", "--treat", "KCl=40/d@10d", "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["serum"]["K"][-1] < 4.0
    assert out.exists()
    assert main(["course", "thiazide", "--days", "20", "--treat", "KCl=40/d@30d"]) == 2
    assert main(["conditions", "thiazide:severe"]) == 0
    assert "predicted" in capsys.readouterr().out
    assert main(["conditions"]) == 0
