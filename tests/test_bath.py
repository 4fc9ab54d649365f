"""The bath: what is taken, what is asked back, what is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation import Bath, prepare
from simulation.experiment.bath import COMPONENTS
from simulation.experiment.errors import ExperimentError


def test_a_bath_is_what_differs_from_control(fibre):
    assert not Bath()
    assert dict(Bath("K=2.5, Ca = 0.6")) == {"K": 2.5, "Ca": 0.6}
    assert dict(Bath({"K": 2.5}, Ca=0.6)) == {"K": 2.5, "Ca": 0.6}
    assert dict(Bath(Bath(K=2.5), K=3.0)) == {"K": 3.0}
    assert dict(Bath("")) == {}
    assert str(Bath("K=2.5,pH=7.2,T=30")) == "K 2.5 mM, pH 7.2, T 30 degC"
    p = fibre.in_bath("K=2.5,T=30")
    assert p.numbers()["K_o"] == 2.5
    assert p.numbers()["T"] == pytest.approx(303.15)
    assert p.numbers()["Na_o"] == fibre.numbers()["Na_o"]
    assert p.whole_bath == {"K": 2.5, "Na": 140.0, "Cl": 110.0, "Ca": 1.2, "Mg": 0.6, "pH": 7.4, "T": 30.0}
    assert dict(p.bath.changed(K=3.0)) == {"K": 3.0, "T": 30.0}


@pytest.mark.parametrize(("text", "name", "mM"), [
    ("Ca=9.5mg/dL", "Ca", 2.370), ("Ca=9.5 mg/dL", "Ca", 2.370), ("Ca=9.5MG/DL", "Ca", 2.370), ("Mg=2mg/dL", "Mg", 0.823),
    ("Ca=2.4mEq/L", "Ca", 1.2), ("Mg=1.2mEq/L", "Mg", 0.6), ("K=4mEq/L", "K", 4.0), ("K=4mmol/L", "K", 4.0), ("K=4mM", "K", 4.0),
    ("K=4000uM", "K", 4.0), ("K=4e0", "K", 4.0), ("K=4e3uM", "K", 4.0), ("K=50mM", "K", 50.0), ("K=1e-3mM", "K", 0.001),
    ("T=37degC", "T", 37.0), ("pH=7.4", "pH", 7.4), ("Mg=0", "Mg", 0.0), ("Ca=0mM", "Ca", 0.0),
])
def test_units_are_understood(text, name, mM):
    assert Bath(text)[name] == pytest.approx(mM, abs=5e-4)


def test_calcium_in_mg_per_dL_is_2_370_mM():
    assert Bath("Ca=9.5mg/dL")["Ca"] == pytest.approx(9.5 * 10 / 40.078, rel=1e-12)


@pytest.mark.parametrize(("given", "said"), [
    ("K=0", r"bath K = 0 mM: a concentration is above 0 \(at 0 the Nernst potential is infinite\); the lowest that works is 0.001 mM"),
    ("K=-4", r"bath K = -4 mM: a concentration is above 0"),
    ("K=-4mM", r"bath K = -4 mM: a concentration is above 0"),
    ("Ca=-1", r"bath Ca = -1 mM is not possible: ionised calcium goes from 0 to 50 mM"),
    ("K=abc", r"bath K = 'abc' is not a number"),
    ("K=", r"bath K = '' is not a number"),
    ("K=nan", r"bath K = 'nan' is not a number"),
    ("K=inf", r"bath K = 'inf' is not a number"),
    ("K=1e400", r"bath K = inf is not a number that a bath can have"),
    ("K=1_0", r"'K=1_0' is not of the form NAME=NUMBER"),
    ("K=4.5.6", r"bath K = '4.5.6' is not a number"),
    ("K 4", r"'K 4' is not of the form NAME=NUMBER, for example K=2.5 or Ca=9.5mg/dL"),
    ("K=4=5", r"'K=4=5' is not of the form NAME=NUMBER"),
    ("=4", r"'=4' is not of the form NAME=NUMBER"),
    ("K=4,K=5", r"the bath names K twice"),
    ("potassium=4", r"the bath has no 'potassium'.*it has K, Na, Cl, Ca, Mg, pH, T"),
    ("k=4", r"the bath has no 'k'; nearest: K; it has"),
    ("Ca2=1.2", r"the bath has no 'Ca2'; nearest: Ca"),
    ("Ca=9.5", r"bath Ca = 9.5: is that in mM\? Expected is 0.05 to 5 mM. If 9.5 mg/dL is meant, write Ca=9.5mg/dL \(2.37 mM\)."),
    ("Ca=20", r"bath Ca = 20: is that in mM\?.* If 20 mM is meant, write Ca=20mM."),
    ("K=50", r"bath K = 50: is that in mM\?.* If 50 mM is meant, write K=50mM."),
    ("K=500mM", r"bath K = 500 mM is not possible: potassium goes from 0.001 to 200 mM"),
    ("K=4mg", r"bath K: the unit 'mg' is not known.*known: mmol/L, mM, mEq/L, mg/dL, uM"),
    ("K=4 mmol/l/h", r"bath K: the unit 'mmol/l/h' is not known; nearest: mmol/L"),
    ("pH=7.4mM", r"bath pH is given in no unit, not in 'mM'"),
    ("T=37K", r"bath T is given in degC, not in 'K'"),
    ("pH=6", r"bath pH = 6: is that in pH units\? Expected is 6.5 to 8.2."),
    ("T=310", r"If 310 K is meant, write T=36.85"),
    ({"K": float("nan")}, r"bath K = nan is not a number that a bath can have"),
    ({"K": "four"}, r"bath K = 'four' is not a number"),
    ({"K": None}, r"bath K = None is not a number"),
    ({"Ca": 9.5}, r"write Ca=9.5mg/dL"),
    (4.0, r"a bath is written as"),
    (["K", 4.0], r"a bath is written as"),
])
def test_what_cannot_be_or_may_be_meant_otherwise_is_said(given, said):
    with pytest.raises(ExperimentError, match=said):
        Bath(given)


def test_a_value_with_its_unit_is_taken_at_its_word():
    assert Bath("Ca=20mM")["Ca"] == 20.0
    assert Bath.stated({"Ca": 20.0})["Ca"] == 20.0
    with pytest.raises(ExperimentError, match="not possible"):
        Bath.stated({"Ca": 60.0})


def test_a_membrane_has_the_ions_of_its_equations():
    with pytest.raises(ExperimentError, match="the bath of squid has no K: it has T; other numbers are set with --set SYMBOL=VALUE"):
        prepare("squid", "K=5")


@given(st.text(max_size=20))
def test_whatever_is_written_ends_in_a_bath_or_an_experiment_error(text):
    with suppress(ExperimentError):
        Bath(text)


@given(st.sampled_from(list(COMPONENTS)), st.text(max_size=10))
def test_whatever_is_given_for_a_component_ends_in_a_bath_or_an_experiment_error(name, text):
    try:
        bath = Bath(f"{name}={text}")
    except ExperimentError:
        return
    low, high = COMPONENTS[name].possible
    assert all(low <= value <= high for _, value in bath)
