"""Errors of assembly, and the nearest names that go with them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ModelError(ValueError):
    """A model that cannot be assembled, or a name that it does not know."""


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """'; nearest: a, b' for the names most like ``name``, or an empty string."""
    known = list(dict.fromkeys(known))
    lower: dict[str, str] = {}
    for k in known:
        lower.setdefault(k.lower(), k)
    hits = [lower[h] for h in difflib.get_close_matches(name.lower(), list(lower), n=count, cutoff=0.5)]
    return f"; nearest: {', '.join(hits)}" if hits else ""
