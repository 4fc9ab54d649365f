"""Numbers and protocols in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def quantity(value: float | None, unit: str = "", digits: int = 4) -> str:
    """A number with its unit: '-90.4 mV'. Potentials have one decimal."""
    if value is None or not math.isfinite(value):
        return "none"
    text = f"{value:.1f}" if unit == "mV" else f"{value:.{digits}g}"
    text = "0.0" if text == "-0.0" else text
    return text if unit in ("", "1") else f"{text} {unit}"


def duration(ms: float) -> str:
    """A time in the unit that suits it."""
    for size, least, unit in ((3_600_000.0, 2.0, "h"), (60_000.0, 2.0, "min"), (1000.0, 1.0, "s")):
        if ms >= least * size:
            return f"{ms / size:.2g} {unit}" if ms < 100 * size else f"{ms / size:.0f} {unit}"
    return f"{ms:.3g} ms"


def count(n: int, one: str, many: str | None = None) -> str:
    """'1 spike', '2 spikes'."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def bath(ions: Mapping[str, float]) -> str:
    """'K 2.5 mM, pH 7.4'."""
    from simulation.experiment.bath import COMPONENTS

    return ", ".join(f"{name} {quantity(value, COMPONENTS[name].unit if name in COMPONENTS else '')}" for name, value in ions.items())


def mode(name: str, frozen: list[str] | tuple[str, ...] = ()) -> str:
    """What 'chronic' and 'acute' mean."""
    text = {
        "chronic": "chronic: everything has come to rest in this bath",
        "acute": "acute: slow gates and the ions inside are still as in the control bath",
    }.get(name, name)
    return f"{text}; held as in control: {', '.join(frozen)}" if frozen else text


def event(entry: Mapping[str, Any], current: str) -> str:
    """One event of a protocol, as ``Protocol.to_dict`` gives it; ``current``: unit of the stimulus."""
    start = f"from {quantity(entry['at'], 'ms')}"
    match entry["kind"]:
        case "pulse" | "step":
            return f"a pulse of {quantity(entry['amplitude'], current)} for {quantity(entry['duration'], 'ms')} {start}"
        case "train":
            return (
                f"a train of pulses of {quantity(entry['amplitude'], current)} for {quantity(entry['width'], 'ms')}, "
                f"at {quantity(entry['rate'], 'Hz')} for {quantity(entry['duration'], 'ms')} {start}"
            )
        case "ramp":
            return f"a ramp of {quantity(entry['start'])} to {quantity(entry['end'], current)} in {quantity(entry['duration'], 'ms')} {start}"
        case "noise":
            return (
                f"noise of {quantity(entry['sd'], current)} (standard deviation, seed {entry['seed']}) "
                f"for {quantity(entry['duration'], 'ms')} {start}"
            )
        case "clamp":
            return f"voltage clamp at {quantity(entry['V'], 'mV')} for {quantity(entry['duration'], 'ms')} {start}"
    return f"bath changed to {bath(entry['bath']) or 'control'} {start}"


def protocol(data: Mapping[str, Any], current: str) -> list[str]:
    """A protocol, as ``Protocol.to_dict`` gives it, one line an event; ``current``: unit of the stimulus."""
    events = [event(entry, current) for entry in data["event"]] or ["nothing is done to the membrane"]
    return [*events, f"watched for {duration(data['duration'])}"]
