"""What is written after an option: times, currents and events such as '0.5ms:300@10'."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from simulation.cli.errors import WrongUse

if TYPE_CHECKING:
    from simulation.experiment.motor_unit import Drive
    from simulation.experiment.protocol import Clamp, Noise, Pulse, Ramp, Train

DEFAULT_START = 10.0  # ms
_MOST_EDGES = 100_000
_NUMBER = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*$")
_PLAIN = str.maketrans({"\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u", "\N{SUPERSCRIPT TWO}": "2"})
_UNITS: dict[str, dict[str, float]] = {
    "time": {"": 1.0, "ms": 1.0, "s": 1000.0, "us": 1e-3, "min": 60_000.0},
    "rate": {"": 1.0, "hz": 1.0, "/s": 1.0, "khz": 1000.0},
    "current": {"": 1.0, "ua/cm2": 1.0, "ua": 1.0},
    "potential": {"": 1.0, "mv": 1.0},
    "whole number": {"": 1.0},
    "number": {"": 1.0},
}


def read(text: str, kind: str) -> float:
    """A number with or without its unit, in ms, Hz, uA/cm2 or mV. Raises WrongUse."""
    match = _NUMBER.match(text)
    unit = match.group(2).lower().translate(_PLAIN) if match else ""
    if match is None or unit not in _UNITS[kind]:
        comma = " (decimals are written with a point)" if re.search(r"\d,\d", text) else ""
        raise WrongUse(f"'{text}' is not a {kind}{comma}")
    return float(match.group(1)) * _UNITS[kind][unit]


def milliseconds(text: str, where: str) -> float:
    """A time in ms. Raises WrongUse that says where it stands."""
    try:
        return read(text, "time")
    except WrongUse as error:
        raise WrongUse(f"{where}: {error}; for example 20ms or 1s") from None


class Form:
    """How the value of an option is written: ``fields`` as (name, kind), of which the last ``optional`` ones may be left out."""

    def __init__(self, option: str, fields: tuple[tuple[str, str], ...], example: str, optional: int = 0) -> None:
        self.option, self.fields, self.example, self.optional = option, fields, example, optional

    @property
    def pattern(self) -> str:
        """'DURATION:AMPLITUDE[@START]'."""
        names = [name for name, _ in self.fields]
        needed = len(names) - self.optional
        return ":".join(names[:needed]) + "".join(f"[:{name}]" for name in names[needed:]) + "[@START]"

    def read(self, text: str) -> tuple[list[float], float]:
        """The values of the fields, and the start. Raises WrongUse that shows the form."""
        body, at, start = text.partition("@")
        parts = body.split(":")
        try:
            if not len(self.fields) - self.optional <= len(parts) <= len(self.fields):
                raise WrongUse(f"that has {len(parts)} of {len(self.fields) - self.optional} parts")
            values = [read(part, kind) for part, (_, kind) in zip(parts, self.fields, strict=False)]
            return values, read(start, "time") if at else DEFAULT_START
        except WrongUse as error:
            raise WrongUse(f"{self.option} {text}: {error}; write {self.pattern}, as in {self.option} {self.example}") from None


_DURATION, _AMPLITUDE = ("DURATION", "time"), ("AMPLITUDE", "current")
PULSE = Form("--pulse", (_DURATION, _AMPLITUDE), "0.5ms:300@10")
STEP = Form("--step", (_DURATION, _AMPLITUDE), "200ms:70@10")
TRAIN = Form("--train", (("RATE", "rate"), _DURATION, _AMPLITUDE, ("WIDTH", "time")), "30Hz:1s:300@10", optional=1)
RAMP = Form("--ramp", (_DURATION, ("FROM", "current"), ("TO", "current")), "200ms:0:100@10")
NOISE = Form("--noise", (_DURATION, ("SD", "current"), ("SEED", "whole number")), "500ms:20:1@10", optional=1)
CLAMP = Form("--clamp", (_DURATION, ("POTENTIAL", "potential")), "20ms:-20@10")


def pulse(text: str, form: Form = PULSE) -> Pulse:
    from simulation.experiment.protocol import Pulse

    (duration, amplitude), at = form.read(text)
    return Pulse(amplitude, duration, at)


def step(text: str) -> Pulse:
    return pulse(text, STEP)


def train(text: str) -> Train:
    from simulation.experiment.protocol import Train

    (rate, duration, amplitude, *width), at = TRAIN.read(text)
    _few(TRAIN, text, 2 * rate * duration / 1000)
    return Train(rate, duration, amplitude, width[0] if width else Train.width, at)


def ramp(text: str) -> Ramp:
    from simulation.experiment.protocol import Ramp

    (duration, low, high), at = RAMP.read(text)
    return Ramp(low, high, duration, at)


def noise(text: str) -> Noise:
    from simulation.experiment.protocol import Noise

    (duration, sd, *seed), at = NOISE.read(text)
    number = seed[0] if seed else 1.0
    if number < 0 or number != int(number):
        raise WrongUse(f"{NOISE.option} {text}: a seed is a whole number from 0 up")
    _few(NOISE, text, 2.5 * duration)
    return Noise(sd, duration, int(number), at=at)


def clamp(text: str) -> Clamp:
    from simulation.experiment.protocol import Clamp

    (duration, V), at = CLAMP.read(text)
    return Clamp(V, duration, at)


DRIVES = {
    "rate": Form("--drive", (("RATE", "rate"), _DURATION), "20Hz:2s@0.5s"),
    "ramp": Form("--drive", (("RATE..RATE", "rate"), _DURATION), "5Hz..40Hz:2s@0.5s"),
    "noise": Form("--drive noise:", (_DURATION, ("SD", "number"), ("SEED", "whole number")), "2s:0.5:1@0.5s", optional=1),
    "stretch": Form("--drive stretch:", (_DURATION,), "1s@1.5s"),
}


def drive(texts: Sequence[str]) -> Drive:
    """The drive of a motor unit: 'RATE:DURATION@START', 'RATE..RATE:DURATION@START', 'noise:DURATION:SD[:SEED]@START',
    'stretch:DURATION@START' or 'none', any number of them. Raises WrongUse."""
    from simulation.experiment.motor_unit import Drive, Rate, Shaking, Stretch

    rates, noises, stretches = [], [], []
    for text in texts:
        if text.strip() == "none":
            continue
        kind, colon, rest = text.partition(":")
        if colon and kind == "noise":
            (duration, sd, *seed), at = DRIVES["noise"].read(rest)
            if seed and (seed[0] < 0 or seed[0] != int(seed[0])):
                raise WrongUse(f"--drive {text}: a seed is a whole number from 0 up")
            _few(DRIVES["noise"], text, duration)
            noises.append(Shaking(sd, duration, int(seed[0]) if seed else 1, at=at))
        elif colon and kind == "stretch":
            (duration,), at = DRIVES["stretch"].read(rest)
            stretches.append(Stretch(duration, at))
        else:
            first, dots, second = kind.partition("..")
            (rate, duration), at = DRIVES["ramp" if dots else "rate"].read(f"{first}:{rest}" if colon else text)
            rates.append(Rate(rate, duration, at, read(second, "rate") if dots else None))
    return Drive(tuple(rates), tuple(noises), tuple(stretches))


def _few(form: Form, text: str, edges: float) -> None:
    if edges > _MOST_EDGES:
        raise WrongUse(f"{form.option} {text}: that makes {edges:.0f} edges, more than the {_MOST_EDGES} that a run can hold; make it shorter")


def bath_change(text: str) -> tuple[dict[str, float], float]:
    """'K=8,Ca=0.6@100' as ions and start (ms)."""
    from simulation.experiment.bath import parse

    ions, at, start = text.rpartition("@")
    if not at or not ions.strip():
        raise WrongUse(f"--bath-change {text}: say what changes and when, as in --bath-change K=8@100")
    return parse(ions), milliseconds(start, f"--bath-change {text}")


def pairs(texts: Iterable[str], option: str, number: Callable[[str, str], float]) -> dict[str, float]:
    """'A=1,B=2' as {'A': 1, 'B': 2}; ``number`` makes one of a symbol and what is written after it. Raises WrongUse."""
    out: dict[str, float] = {}
    for item in (part.strip() for text in texts for part in text.split(",")):
        symbol, equals, value = (part.strip() for part in item.partition("="))
        if not equals or not symbol or not value:
            comma = "; decimals are written with a point" if re.fullmatch(r"\d+", item) else ""
            raise WrongUse(f"{option}: '{item}' is not of the form SYMBOL=NUMBER{comma}; for example {option} P_Kir=0.5")
        if symbol in out:
            raise WrongUse(f"{option} names {symbol} twice")
        out[symbol] = number(symbol, value)
    return out
