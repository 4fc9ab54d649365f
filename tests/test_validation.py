"""The table of published results: complete, judged as it says, misses where they are known."""

from __future__ import annotations

import math

import pytest

from simulation import parameter_sets
from simulation.experiment.errors import ExperimentError
from simulation.studies import validation
from simulation.studies.validation import Count, Outcome, Row, judge, rows, select

KNOWN_DEVIATIONS = {
    "rest-4-mouse", "rest-after-work", "hypopp-4", "hypopp-4-second",
    "g_Cl-6", "g_K-6", "chloride-share-6", "g_Cl-37", "Cl-free-resistance", "tubular-Cl",
    "max-dV/dt", "tubular-Kdr", "tubular-K", "overshoot-K7",
    "conduction-9", "velocity-after-spike", "velocity-K10", "overshoot-K9-propagated", "velocity-recovered", "nerve-velocity",
    "Ca-in-high-K-spike", "shift-Mg20-fibre",
    "persistent-Na-1", "persistent-Na-2", "myotonia-38", "myotonia-20",
    "IV-minimum", "multiplets-K-3.5", "multiplets-Mg-0.2", "near_normal-Mg-Ca",
    "twitch-soleus", "twitch-K8", "tetanus-K8", "junction-Ca-0.6-frog", "blocking-Mg",
    "body-aldosterone", "body-Mg120-Mg", "body-Mg120-K", "body-CKD20-calcitriol",
}


@pytest.fixture(scope="module")
def outcomes():
    return {o.row.id: o for o in validation.validate(rows())}


def test_only_known_rows_are_missed(outcomes):
    assert {name for name, o in outcomes.items() if o.verdict == "missed"} == KNOWN_DEVIATIONS


def test_rows_that_are_met_lie_in_their_range(outcomes):
    for o in outcomes.values():
        if o.verdict in ("met", "fitted", "construction"):
            assert o.row.expected[0] <= o.value <= o.row.expected[1]


def test_sources_are_in_the_bibliography():
    known = parameter_sets.references()
    assert {key for row in rows() for key in row.source} <= set(known)


def test_ids_are_unique():
    names = [row.id for row in rows()]
    assert len(names) == len(set(names))


def row(**changes):
    base = {
        "id": "x", "group": "spike", "experiment": "rest", "measure": "rest", "expected": (-95, -85), "unit": "mV", "source": (), "species": "",
        "known": "recalled", "evidence": "independent",
    }
    return Row(**(base | changes))


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "met"),
        ({"expected": (-80, -70)}, "missed"),
        ({"evidence": "fitted"}, "fitted"),
        ({"evidence": "fitted", "expected": (-80, -70)}, "missed"),
        ({"evidence": "construction"}, "construction"),
        ({"waits": "a cable"}, "waits"),
        ({"measure": "second_rest"}, "missed"),  # there is none at 4 mM
    ],
)
def test_verdicts(changes, verdict):
    assert judge(row(**changes)).verdict == verdict


def test_unknown_row_and_group():
    with pytest.raises(ExperimentError, match="nearest: rest-4"):
        select(["rest4"])
    with pytest.raises(ExperimentError, match=r"nearest: low potassium, .*; groups: resting potential"):
        select([], ["low potasium"])
    with pytest.raises(ValueError, match="nearest: spike"):
        row(group="spikes")


def test_selection_by_group_and_row():
    chosen = select(["velocity"], ["low potassium", "low potassium"])
    assert chosen[0].id == "velocity"
    assert {r.id for r in chosen[1:]} == {r.id for r in rows() if r.group == "low potassium"}
    assert len({r.id for r in chosen}) == len(chosen)
    assert select([]) == rows()


def test_every_group_has_rows():
    assert {r.group for r in rows()} == set(validation.GROUPS)


def test_rows_that_cannot_run_say_why_and_the_others_do_not():
    for r in rows():
        assert bool(r.waits) != bool(r.measure)


def test_counts():
    def outcome(verdict, **changes):
        return Outcome(row(**changes), None, verdict)

    count = Count.of([
        outcome("met"), outcome("missed"), outcome("met", known="reasoning"), outcome("missed", known="reasoning"),
        outcome("fitted", evidence="fitted"), outcome("missed", evidence="construction", known="reasoning"), outcome("waits"),
    ])
    assert (count.experiments, count.expectations, count.built, count.waits, count.rows) == ((1, 2), (1, 2), (1, 2), 1, 7)
    assert count.sentence.startswith("7 rows. Independent experiments: 1 of 2 met, 1 missed.")
    assert count.short == "experiments 1 of 2; expectations 1 of 2; tuned or built 1 of 2; 1 not yet run"


@pytest.mark.parametrize(
    ("changes", "value", "published", "figure"),
    [
        ({}, -90.44, "-95 to -85 mV", "-90.4 mV"),
        ({"mean": -90.0}, -99.0, "-90 (-95 to -85) mV", "-99.0 mV (-10 %)"),
        ({"expected": (3, math.inf), "unit": "1"}, 8.0, "at least 3", "8"),
        ({"expected": (-math.inf, -0.1), "unit": "%"}, None, "at most -0.1 %", "-"),
        ({"expected": (150, 700), "unit": "mV/ms"}, 1013.4, "150 to 700 mV/ms", "1010 mV/ms"),
    ],
)
def test_words(changes, value, published, figure):
    outcome = Outcome(row(**changes), value, "met")
    assert (outcome.row.published, outcome.figure) == (published, figure)


def test_the_spike_of_a_row_is_the_membranes_not_the_stimulus():
    """A pulse as strong as 1000 uA/cm2 lifts a fibre in 10 mM potassium over the level of a spike by itself."""
    here = row(measure="amplitude_change", bath={"K": 10, "Ca": 10}, from_={"K": 10, "Ca": 1.3}, expected=(16, 54))
    assert 40 < judge(here).value < 90


def test_rows_of_a_curve_share_axis_and_unit():
    curves = {}
    for r in rows():
        if r.curve:
            curves.setdefault(r.curve.name, []).append(r)
    for some in curves.values():
        assert len({(r.curve.axis, r.unit, r.measure, r.set) for r in some}) == 1
        assert len({r.curve.at for r in some}) == len(some) > 2
