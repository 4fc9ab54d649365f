"""What a notebook calls: a check of an answer, and a prediction that is laid beside the result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from simulation.assembly.errors import nearest
from simulation.classroom import lessons, widgets
from simulation.classroom.errors import ClassroomError
from simulation.classroom.exercise import Answer, Choice, Exercise, Feedback

HOW_TO = "Put your answer in place of the three dots and run the cell again"


def exercise(name: str) -> Exercise:
    """The exercise of that name. Raises ClassroomError with the nearest names."""
    lesson = name.partition(".")[0]
    known = lessons.exercises(lesson) if lesson in lessons.names() else ()
    for e in known:
        if e.name == name:
            return e
    like = nearest(name, [e.name for e in known]) if known else nearest(lesson, lessons.names())
    raise ClassroomError(f"there is no exercise '{name}'{like}; an exercise is named like first_look.threshold")


def check(name: str, answer: Answer = None) -> Feedback | Open:
    """What the model says to an answer. Without one the question, with buttons where the notebook can show them.

    Raises ClassroomError for an exercise that is not there."""
    e = exercise(name)
    found = e.judge(answer)
    return Open(e, found) if found.verdict == "unanswered" else found


def predict(name: str, answer: Answer = None) -> Prediction:
    """A prediction, to be kept and laid beside the result: ``mine = predict('potassium.threshold', 'lower')``, then ``mine.compare()``.

    Raises ClassroomError for an exercise that is not there."""
    return Prediction(exercise(name), answer)


class Open:
    """A question that waits for its answer."""

    verdict, right = "unanswered", False

    def __init__(self, of: Exercise, feedback: Feedback) -> None:
        self.exercise, self.feedback = of, feedback

    def __repr__(self) -> str:
        return f"{self.feedback} {HOW_TO}."

    def _ipython_display_(self) -> None:
        buttons = widgets.buttons(self.exercise, lambda answer: self.exercise.judge(answer))
        widgets.show(self.feedback._repr_markdown_() + f" {HOW_TO}{', or click' if buttons is not None else ''}.", buttons)


class Prediction:
    """What a student expects. Once given it stays: only then is it worth comparing."""

    def __init__(self, of: Exercise, answer: Answer = None) -> None:
        self.exercise, self.answer = of, None
        self._noted = self.note(answer)

    def note(self, answer: Any) -> Feedback:
        """Take an answer, if there is none yet and it can be understood."""
        if self.answer is not None:
            return Feedback("noted", f"You have predicted: {self.answer}. It stays.")
        if answer is None or answer is ...:
            return self.exercise.judge(answer)
        if isinstance(self.exercise.kind, Choice) and str(answer).strip().lower() not in map(str.lower, self.exercise.kind.options):
            return self.exercise.judge(str(answer))  # says which answers there are
        self.answer = answer
        return Feedback("noted", f"You predict: {answer}. Now look.")

    def compare(self) -> Feedback:
        """The prediction beside what the model does."""
        if self.answer is None:
            return Feedback("unanswered", "You have not made a prediction: go back, commit yourself, and run this cell again.")
        solved = self.exercise.solve()
        found = replace(self.exercise, solve=lambda: solved).judge(self.answer)
        if found.verdict == "unclear":
            return found
        right = solved.right if isinstance(solved.right, str) else f"{solved.right:.3g} {getattr(self.exercise.kind, 'unit', '')}".strip()
        beside = f"You predicted: **{self.answer}**. The model: **{right}**."
        lesson = "" if found.right else " A prediction that fails teaches most."
        return Feedback(found.verdict, f"{beside}{lesson} {solved.because}")

    def __repr__(self) -> str:
        return f"{self._noted}{f' {HOW_TO}.' if self.answer is None else ''}"

    def _ipython_display_(self) -> None:
        buttons = widgets.buttons(self.exercise, self.note) if self.answer is None else None
        tail = f" {HOW_TO}{', or click' if buttons is not None else ''}." if self.answer is None else ""
        widgets.show(f"{self._noted._repr_markdown_()}{tail}", buttons)
