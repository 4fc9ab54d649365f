"""The table of published results: complete, judged as it says, misses where they are known."""

from __future__ import annotations

import pytest

from simulation import parameter_sets
from simulation.experiment.errors import ExperimentError
from simulation.studies import validation
from simulation.studies.validation import Row, judge, rows, select

KNOWN_DEVIATIONS = {
    "Ca-in-high-K-spike", "persistent-Na-1", "persistent-Na-2", "multiplets-K-3.5", "multiplets-Mg-0.2",
    "shift-Mg20-fibre", "max-dV/dt", "conduction-9", "velocity-after-spike", "velocity-K10", "IV-minimum",
    "nerve-velocity", "near_normal-Mg-Ca", "twitch-soleus",
    "junction-Ca-0.6-frog", "blocking-Mg",
}


@pytest.fixture(scope="module")
def outcomes():
    return {o.row.id: o for o in validation.validate(rows(), jobs=2)}


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
        "id": "x", "experiment": "rest", "measure": "rest", "expected": (-95, -85), "unit": "mV", "source": (), "species": "",
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


def test_unknown_row():
    with pytest.raises(ExperimentError, match="nearest: rest-4"):
        select(["rest4"])
