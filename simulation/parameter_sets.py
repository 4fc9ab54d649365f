"""Parameter sets: numbers with unit, source, kind and range, read from ``parameters/*.toml``."""

from __future__ import annotations

import json
import math
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simulation.assembly.errors import nearest

Kind = Literal["measured", "fitted", "derived", "assumed"]
Finite = Annotated[float, Field(allow_inf_nan=False)]
ZERO_CELSIUS = 273.15
PARTS = ("unit", "body")  # folders of the sets of what is no membrane: parts of a motor unit, bodies


class ParameterError(ValueError):
    """A parameter file that cannot be read, or a parameter that is not what it should be."""


class Parameter(BaseModel):
    """One number: value, unit, how it is known (kind, source), plausible range, note."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Finite
    unit: str
    kind: Kind = Field(description="measured, fitted, derived or assumed")
    source: tuple[str, ...] = Field(default=(), description="keys of references.bib")
    range: tuple[Finite, Finite] = Field(description="plausible range, lower and upper")
    note: str = ""

    @model_validator(mode="after")
    def _sensible(self) -> Parameter:
        low, high = self.range
        if low > high:
            raise ValueError(f"the range {low} to {high} is upside down")
        if not low <= self.value <= high:
            raise ValueError(f"the value {self.value} lies outside its own range {low} to {high}")
        if not self.source and not self.note:
            raise ValueError("a number without a source needs a note that says so")
        if self.kind != "assumed" and not self.source and "own choice" not in self.note:
            raise ValueError(f"a {self.kind} number needs a source")
        return self


class ParameterFile(BaseModel):
    """A file of parameters. A file that inherits states only what differs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    note: str = ""
    model: str = Field(default="", description="name of the model, if nothing is inherited")
    inherits: str = Field(default="", description="name of the set that this one changes")
    extends: str = Field(default="", description="name of a set for a smaller model, whose numbers this one takes over and adds to")
    parameters: dict[str, Parameter]

    @model_validator(mode="after")
    def _belongs(self) -> ParameterFile:
        if bool(self.model) == bool(self.inherits):
            raise ValueError("say either 'model' or 'inherits'")
        if self.extends and not self.model:
            raise ValueError("a set that extends another says its own 'model'")
        return self


@dataclass(frozen=True)
class ParameterSet:
    """Values by symbol for one model.

    ``origin``: symbol -> name of the file that states it. ``changed``: symbol -> how the user changed it, in words."""

    name: str
    model: str
    title: str
    note: str
    parameters: Mapping[str, Parameter]
    origin: Mapping[str, str]
    changed: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, symbol: str) -> Parameter:
        if symbol not in self.parameters:
            raise ParameterError(f"the set '{self.name}' has no parameter '{symbol}'{nearest(symbol, self.parameters)}")
        return self.parameters[symbol]

    def values(self, units: Mapping[str, str]) -> dict[str, float]:
        """Values in the units that a model wants, ``units`` being symbol -> unit."""
        return {s: convert(p.value, p.unit, units[s], s) if s in units else p.value for s, p in self.parameters.items()}

    def with_values(self, values: Mapping[str, float]) -> ParameterSet:
        """A set in which some symbols have other values, in the units of the file. Raises ParameterError for unknown names and NaN."""
        new, changed = dict(self.parameters), dict(self.changed)
        for symbol, value in values.items():
            old = self[symbol]
            if not math.isfinite(value):
                raise ParameterError(f"{symbol} = {value} is not a number that a model can use")
            new[symbol] = old.model_copy(update={"value": float(value)})
            changed[symbol] = f"{value:g} {old.unit} instead of {old.value:g}"
        return replace(self, parameters=new, changed=changed)

    def scaled(self, factors: Mapping[str, float]) -> ParameterSet:
        """A set in which some symbols are multiplied. Raises ParameterError for unknown names, NaN and negative factors."""
        for symbol, factor in factors.items():
            if not math.isfinite(factor) or factor < 0:
                raise ParameterError(f"{symbol} cannot be scaled by {factor}: a factor is a number from 0 up")
        out = self.with_values({s: self[s].value * f for s, f in factors.items()})
        return replace(out, changed={**out.changed, **{s: f"scaled by {f:g}" for s, f in factors.items()}})

    def implausible(self) -> list[str]:
        """A sentence for each value that lies outside its plausible range."""
        return [
            f"{s} = {p.value:g} {p.unit} lies outside its plausible range {p.range[0]:g} to {p.range[1]:g}"
            for s, p in self.parameters.items()
            if not p.range[0] <= p.value <= p.range[1]
        ]


def convert(value: float, unit: str, wanted: str, what: str) -> float:
    """A value in another unit. Raises ParameterError where the dimensions differ."""
    if unit == wanted:
        return value
    if (unit, wanted) == ("degC", "K"):
        return value + ZERO_CELSIUS
    from simulation.assembly.dimensions import UnitError, factor

    try:
        return value * factor(unit, wanted)
    except UnitError as error:
        raise ParameterError(f"{what} is given in {unit}, the model wants {wanted}: {error}") from None


def folder() -> Path:
    """Folder of the shipped parameter files."""
    here = Path(__file__).resolve().parent
    installed = here / "data" / "parameters"
    return installed if installed.is_dir() else here.parent / "parameters"


def available() -> tuple[str, ...]:
    """Names of the shipped sets."""
    return tuple(sorted(p.stem for p in folder().glob("*.toml") if "[parameters]" in p.read_text(encoding="utf-8")))


def parts() -> tuple[str, ...]:
    """Names of the shipped sets of what is no membrane: parts of a motor unit, bodies."""
    return tuple(sorted(p.stem for part in PARTS for p in (folder() / part).glob("*.toml")))


def read_file(path: Path) -> ParameterFile:
    """One file, checked. Raises ParameterError that says what is wrong where."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise ParameterError(f"cannot read {path}: {reason}") from None
    return _checked(path.name, text)


@lru_cache(maxsize=64)
def _checked(name: str, text: str) -> ParameterFile:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"{name} is not valid TOML: {error}") from None
    try:
        return ParameterFile.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        message = first["msg"].removeprefix("Value error, ")
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise ParameterError(f"{name}: {where}: {message}{more}") from None


def load(name: str | Path) -> ParameterSet:
    """A shipped set by name, or a file by path, with all that it inherits.

    Raises ParameterError for an unknown name, a broken file or a circle of inheritance."""
    return _load(str(name), ())


def _load(name: str, above: tuple[str, ...], beside: Path | None = None) -> ParameterSet:
    path = _find(name, beside)
    file = read_file(path)
    if file.name in above:
        raise ParameterError(f"parameter sets inherit in a circle: {' -> '.join((*above, file.name))}")
    own = {symbol: file.name for symbol in file.parameters}
    if file.extends:
        smaller = _load(file.extends, (*above, file.name), path.parent)
        parameters, origin = {**smaller.parameters, **file.parameters}, {**smaller.origin, **own}
        return ParameterSet(file.name, file.model, file.title, file.note, parameters, origin)
    if not file.inherits:
        return ParameterSet(file.name, file.model, file.title, file.note, file.parameters, own)
    base = _load(file.inherits, (*above, file.name), path.parent)
    unknown = [s for s in file.parameters if s not in base.parameters]
    if unknown:
        raise ParameterError(f"{path.name}: '{base.name}' has no parameter '{unknown[0]}'{nearest(unknown[0], base.parameters)}")
    return ParameterSet(
        file.name, base.model, file.title, file.note, {**base.parameters, **file.parameters}, {**base.origin, **own}
    )


def _find(name: str, beside: Path | None) -> Path:
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise ParameterError(f"there is no file {path}")
        return path
    for place in (beside, folder(), *(folder() / part for part in PARTS)):
        if place is not None and (place / f"{name}.toml").is_file():
            return place / f"{name}.toml"
    raise ParameterError(f"there is no parameter set '{name}'{nearest(name, available())}; shipped: {', '.join(available())}")


def schema() -> str:
    """JSON schema of a parameter file, for editors."""
    return json.dumps(ParameterFile.model_json_schema(), indent=2) + "\n"


def references() -> dict[str, str]:
    """Entries of the shipped bibliography, by key, as BibTeX text."""
    text = (folder() / "references.bib").read_text(encoding="utf-8")
    entries: dict[str, str] = {}
    for block in text.split("\n@")[0:]:
        block = block if block.startswith("@") else "@" + block
        head = block.split("{", 1)
        if len(head) == 2 and "," in head[1]:
            entries[head[1].split(",", 1)[0].strip()] = block.strip()
    return entries


def entry_fields(entry: str) -> dict[str, str]:
    """Fields of a BibTeX entry as plain text, the authors joined by ' and '; empty if it has none."""
    return {name: _plain(text) for name, text in re.findall(r"^\s*(\w+)\s*=\s*\{(.*)\},?\s*$", entry, re.MULTILINE)}


_ACCENTS = {'"': "\u0308", "'": "\u0301", "`": "\u0300", "^": "\u0302", "~": "\u0303", "c": "\u0327", "v": "\u030c"}
_LETTERS = {"aa": "\u00e5", "ae": "\u00e6", "o": "\u00f8", "ss": "\u00df"}


def _plain(tex: str) -> str:
    """BibTeX's text as it is printed."""
    tex = re.sub(r"\\(aa|ae|o|ss)(?![A-Za-z])\s*", lambda m: _LETTERS[m[1]], tex)
    tex = re.sub(r"\\([\"'`^~]|[cv](?![A-Za-z]))\s*\{?\\?([A-Za-z])\}?", lambda m: unicodedata.normalize("NFC", m[2] + _ACCENTS[m[1]]), tex)
    return re.sub(r"[{}\\]", "", tex).replace("--", "-")


def cited(parameters: Iterable[Parameter]) -> list[str]:
    """Keys of the sources of some parameters, sorted."""
    return sorted({key for p in parameters for key in p.source})


def _names(fields: Mapping[str, str]) -> list[str]:
    return [author.split(",")[0] for author in fields.get("author", "").split(" and ")]


def reference(entry: str) -> str:
    """A BibTeX entry as a line of text."""
    fields = entry_fields(entry)
    if not fields:
        return entry
    names = _names(fields)
    who = f"{names[0]} et al." if len(names) > 2 or "others" in names else " & ".join(names)
    where = fields.get("journal") or fields.get("booktitle") or fields.get("howpublished") or fields.get("publisher") or ""
    volume = f" {fields['volume']}" if "journal" in fields and "volume" in fields else ""
    pages = f":{fields['pages']}" if volume and "pages" in fields else ""
    doi = f". doi:{fields['doi']}" if "doi" in fields else ""
    return f"{who} ({fields.get('year', 'no year')}). {fields.get('title', '')}. {where}{volume}{pages}{doi}"


def citation(entry: str) -> str:
    """A BibTeX entry as it is cited in a sentence: 'Hille, Woodhull & Shapiro (1975)', with more than three authors 'Shorten et al. (2007)'."""
    fields = entry_fields(entry)
    *first, last = _names(fields)
    few = len(first) < 3 and last != "others"
    who = f"{', '.join(first)} & {last}" if first and few else f"{first[0]} et al." if first else last
    return f"{who} ({fields.get('year', 'no year')})"


_CITED = re.compile(r"\[(@[^\]]+)\]")


def cited_in(text: str) -> list[str]:
    """Keys that a text cites as [@key] or [@one; @two], in their order."""
    return list(dict.fromkeys(key for found in _CITED.finditer(text) for key in _keys(found)))


def with_citations(text: str, shown: Callable[[list[str]], str], between: Callable[[str], str] = str) -> str:
    """A text with what ``shown`` makes of the keys in place of each citation, and what ``between`` makes of the rest."""
    out, end = "", 0
    for found in _CITED.finditer(text):
        out += between(text[end : found.start()]) + shown(_keys(found))
        end = found.end()
    return out + between(text[end:])


def _keys(found: re.Match[str]) -> list[str]:
    return re.findall(r"@([\w-]+)", found[1])
