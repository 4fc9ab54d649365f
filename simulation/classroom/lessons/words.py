"""Answers that several exercises offer, and the one of them that two numbers give."""

from __future__ import annotations

MORE_LESS_NEGATIVE = ("more negative", "less negative", "the same")
LESS_MORE = ("less", "more", "the same")
EASIER_HARDER = ("easier", "harder", "the same")
YES_NO = ("yes", "no")


def compared(now: float, before: float, answers: tuple[str, str, str], tolerance: float) -> str:
    """The first answer if a number became smaller, the second if it became larger, the third within ``tolerance``."""
    if abs(now - before) <= tolerance:
        return answers[2]
    return answers[0] if now < before else answers[1]
