"""An exercise: a question, what may be answered, and a right answer that the model works out whenever it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any, Literal

from simulation.assembly.errors import nearest
from simulation.parameter_sets import ParameterError, convert

Answer = str | float | EllipsisType | None
Verdict = Literal["right", "wrong", "unanswered", "unclear", "noted"]
_QUANTITY = re.compile(r"^\s*([-+\N{MINUS SIGN}]?\s*\d*[.,]?\d+(?:[eE][-+]?\d+)?)\s*(.*?)\s*$")
_HEADS: Mapping[Verdict, str] = {
    "right": "Right.", "wrong": "Not so.", "unanswered": "Not answered yet.", "unclear": "I do not understand.", "noted": "Noted.",
}


@dataclass(frozen=True)
class Choice:
    """One of some answers."""

    options: tuple[str, ...]

    @property
    def how(self) -> str:
        return "one of " + ", ".join(f'"{o}"' for o in self.options)


@dataclass(frozen=True)
class Number:
    """A number in ``unit``, right within ``tolerance`` of the model's."""

    unit: str
    tolerance: float

    @property
    def how(self) -> str:
        unit = f" in {self.unit}" if self.unit != "1" else ""
        return f"a number{unit}, to within {self.tolerance:g}{'' if self.unit == '1' else ' ' + self.unit}"


@dataclass(frozen=True)
class Sentence:
    """A sentence that has some ideas in it. ``ideas``: what each is called -> beginnings of words, one of which says it."""

    ideas: Mapping[str, tuple[str, ...]]

    @property
    def how(self) -> str:
        return "a sentence of your own, in quotation marks"


@dataclass(frozen=True)
class Solved:
    """What the model found. ``right``: the answer (for a sentence one that has every idea); ``because``: why, with the model's numbers;
    ``wrong``: of options, why they are not right; ``slips``: of numbers, those that a known mistake leads to, and which; ``hint``: where to
    look, for any other number."""

    right: str | float
    because: str
    wrong: Mapping[str, str] = field(default_factory=dict)
    slips: Sequence[tuple[float, str]] = ()
    hint: str = ""


@dataclass(frozen=True)
class Feedback:
    """What is said to an answer; a notebook shows it typeset."""

    verdict: Verdict
    text: str

    @property
    def right(self) -> bool:
        return self.verdict == "right"

    def __str__(self) -> str:
        return f"{_HEADS[self.verdict]} {self.text}"

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return f"> **{_HEADS[self.verdict]}** {self.text}"


@dataclass(frozen=True)
class Exercise:
    """``name``: lesson and exercise, as 'potassium.flow'; ``solve``: asks the model, anew at every call."""

    name: str
    question: str
    kind: Choice | Number | Sentence
    solve: Callable[[], Solved]

    def judge(self, answer: Answer) -> Feedback:
        """What to say to an answer. The model is asked only if there is one that can be understood."""
        if answer is ...:  # where three dots stand the question stands above them
            return Feedback("unanswered", f"Wanted is {self.kind.how}.")
        if answer is None or (isinstance(answer, str) and not answer.strip()):
            return Feedback("unanswered", f"{self.question} Answer with {self.kind.how}.")
        if isinstance(self.kind, Number):
            return self._judge_number(self.kind, answer)
        if not isinstance(answer, str):
            return Feedback("unclear", f"The answer is {self.kind.how}, not {answer!r}.")
        return self._judge_choice(self.kind, answer) if isinstance(self.kind, Choice) else self._judge_sentence(self.kind, answer)

    def _judge_choice(self, kind: Choice, answer: str) -> Feedback:
        meant = {_bare(o): o for o in kind.options}.get(_bare(answer))
        if meant is None:
            return Feedback("unclear", f'"{answer}" is none of the answers{nearest(answer, kind.options, 1)}. Answer with {kind.how}.')
        solved = self.solve()
        if meant == solved.right:
            return Feedback("right", solved.because)
        return Feedback("wrong", " ".join(filter(None, (solved.wrong.get(meant, ""), solved.because))))

    def _judge_number(self, kind: Number, answer: Answer) -> Feedback:
        try:
            value = _in_unit(answer, kind.unit)
        except (ValueError, ParameterError):
            return Feedback("unclear", f"The answer is {kind.how}, not {answer!r}.")
        solved = self.solve()
        right = float(solved.right)
        if abs(value - right) <= kind.tolerance:
            return Feedback("right", solved.because)
        for slip, text in solved.slips:
            if abs(value - slip) <= kind.tolerance:
                return Feedback("wrong", text)
        if value and right and 700 < abs(right / value) < 1400:
            return Feedback("wrong", f"Mind the unit: the answer is in {kind.unit}.")
        side = "above" if value > right else "below"
        return Feedback("wrong", f"That lies {side} what the model finds. {solved.hint}".rstrip())

    def _judge_sentence(self, kind: Sentence, answer: str) -> Feedback:
        words = answer.lower()
        lacking = [idea for idea, starts in kind.ideas.items() if not any(re.search(rf"\b{re.escape(s.lower())}", words) for s in starts)]
        if lacking:
            return Feedback("wrong", f"Something is still to be said of {' and of '.join(lacking)}. (I look for words only: be kind to me.)")
        return Feedback("right", self.solve().because)


def _bare(text: str) -> str:
    return re.sub(r"[\s_.-]+", " ", text).strip().lower()


def _in_unit(answer: Any, unit: str) -> float:
    """A number, or a text like '-95 mV' or '-0.095 V', in ``unit``. Raises ValueError or ParameterError."""
    if not isinstance(answer, str):
        if isinstance(answer, bool):
            raise ValueError
        return float(answer)
    match = _QUANTITY.match(answer)
    if not match:
        raise ValueError
    value = float(re.sub(r"\s", "", match[1]).replace("\N{MINUS SIGN}", "-").replace(",", "."))
    given = match[2].replace("\N{MICRO SIGN}", "u").replace("\N{GREEK SMALL LETTER MU}", "u").replace("%", "percent")
    return convert(value, given, unit, "the answer") if given else value
