"""The exercises: what the model answers, and what is said to right and wrong answers."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from simulation.classroom import lessons, notebooks
from simulation.classroom.asking import exercise
from simulation.classroom.exercise import Choice, Number, Sentence, Solved

EXERCISES = [e for lesson in lessons.names() for e in lessons.exercises(lesson)]


@cache
def solved(name: str) -> Solved:
    return exercise(name).solve()


@pytest.mark.parametrize("e", EXERCISES, ids=lambda e: e.name)
def test_exercise(e):
    """Its right answer is right, any other is wrong, and both are told why."""
    found = solved(e.name)
    known = replace(e, solve=lambda: found)
    right = known.judge(found.right)
    assert right.right, right
    assert len(right.text) > 40
    others = {
        Choice: lambda: [o for o in e.kind.options if o != found.right],
        Number: lambda: [float(found.right) + 3 * e.kind.tolerance, float(found.right) - 3 * e.kind.tolerance, *(x for x, _ in found.slips)],
        Sentence: lambda: ["because"],
    }[type(e.kind)]()
    for other in others:
        wrong = known.judge(other)
        assert wrong.verdict == "wrong", (other, wrong)
        assert len(wrong.text) > 20
    if isinstance(e.kind, Choice):
        assert set(found.wrong) <= set(e.kind.options)
    assert e.question[0].isupper()
    assert "nan" not in found.because.split()


def test_exercise_names():
    names = [e.name for e in EXERCISES]
    assert len(names) == len(set(names))
    assert all(e.name.startswith(f"{lesson}.") for lesson in lessons.names() for e in lessons.exercises(lesson))


@pytest.mark.parametrize("name", notebooks.names())
def test_answers_of_the_solutions_are_right(name):
    for of, answer in notebooks.answers(name):
        found = replace(exercise(of), solve=lambda of=of: solved(of)).judge(answer)
        assert found.right, (of, answer, found)


def test_every_exercise_is_asked_once():
    asked = [of for name in notebooks.names() for of, _ in notebooks.answers(name)]
    assert sorted(asked) == sorted(e.name for e in EXERCISES)
