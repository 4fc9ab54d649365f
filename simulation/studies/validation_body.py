"""What is read off the model of the body for rows of ``parameters/validation_body.toml``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any, Protocol

from simulation.experiment.body import SERUM, Course, body, course, steady

SYMBOLS = (*SERUM, "urine_K", "urine_Ca", "urine_Mg", "K_deficit", "K_c", "Mg_cell")


class BodyRow(Protocol):
    """What a row says of a body. ``values``: knobs imposed from day 0; ``from_``: those of the time before, settings['before'] days of it;
    ``settings``: 'days' of the course, 'load' (mmol of potassium swallowed at its start), 'meal' (1: eaten at its start)."""

    @property
    def values(self) -> Mapping[str, float]: ...

    @property
    def from_(self) -> Mapping[str, float]: ...

    @property
    def settings(self) -> Mapping[str, Any]: ...


def _course(row: BodyRow) -> Course:
    return _followed(*(tuple(sorted(of.items())) for of in (row.values, row.from_, row.settings)))


@lru_cache(maxsize=64)
def _followed(imposed: tuple[tuple[str, float], ...], before: tuple[tuple[str, float], ...], settings: tuple[tuple[str, float], ...]) -> Course:
    of = dict(settings)
    start = course(body(dict(before)), of["before"]).end if "before" in of else None
    loads, meals = [(0.0, of["load"])] if "load" in of else [], [0.0] if of.get("meal") else []
    return course(body(dict(imposed)), of["days"], start=start, loads=loads, meals=meals)


def _end(symbol: str, row: BodyRow) -> float:
    return _course(row).end[symbol]


def _change(symbol: str, row: BodyRow) -> float:
    return float(_course(row).end[symbol] - _course(row)[symbol][0])


def _ratio(symbol: str, row: BodyRow) -> float:
    """To health."""
    c = _course(row)
    return c.end[symbol] / steady(c.body.healthy)[symbol]


def _rise(symbol: str, row: BodyRow) -> float:
    along = _course(row)[symbol]
    return float(along.max() - along[0])


def _deficit_per_fall(row: BodyRow) -> float:
    """Potassium that the body lacks for each mM that serum potassium has fallen, mmol/mM."""
    c = _course(row)
    return c.end["K_deficit"] / float(c["K_p"][0] - c.end["K_p"])


def _measures() -> Iterator[tuple[str, Callable[[BodyRow], float]]]:
    for how, read in (("end", _end), ("change", _change), ("ratio", _ratio), ("rise", _rise)):
        for symbol in SYMBOLS:
            yield f"body_{how}_{symbol}", partial(read, symbol)
    yield "body_deficit_per_fall", _deficit_per_fall


MEASURES: Mapping[str, Callable[[BodyRow], float]] = dict(_measures())
