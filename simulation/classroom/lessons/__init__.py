"""The exercises, one module a lesson; nothing is imported before it is asked for."""

from __future__ import annotations

import importlib

from simulation.classroom.exercise import Exercise

_WHERE = ("first_look", "rest", "spike", "potassium", "calcium", "magnesium", "body", "causes", "cramp", "claims", "open_lab")


def names() -> tuple[str, ...]:
    """Names of all lessons."""
    return _WHERE


def exercises(lesson: str) -> tuple[Exercise, ...]:
    """The exercises of a lesson, in the order of its notebook."""
    found = importlib.import_module(f"simulation.classroom.lessons.{lesson}").EXERCISES
    assert isinstance(found, tuple)
    return found
