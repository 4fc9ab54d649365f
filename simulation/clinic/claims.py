"""The ledger of popular claims: each with the experiments that decide it, and a verdict that a stated rule draws from their results."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from simulation import files, parameter_sets
from simulation.assembly.errors import nearest
from simulation.clinic.findings import Finding, Side
from simulation.experiment.errors import ExperimentError

Verdict = Literal["supported", "supported in part", "contradicted", "outside the model"]
RULE = (
    "Every deciding experiment comes out for the claim, against it, or neither, by limits that the ledger states. All for it: supported. "
    "Some for it: supported in part. None for it, at least one against: contradicted. Neither in any: outside the model."
)
_NOT_DECIDING = ("cli", "figures", "classroom", "gallery")  # rooms whose code has no part in a verdict


class Claim(BaseModel):
    """One sentence of the popular account. ``mechanism``: what would make it true; ``findings``: the experiments that decide;
    ``literature``: what trials and reviews say, with [@key] for a source; ``cannot``: what the model cannot say about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    claim: str
    mechanism: str
    without: str
    lesson: str
    findings: tuple[Finding, ...]
    literature: str = ""
    speaks_for: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    cannot: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys of references.bib."""
        return tuple(dict.fromkeys((*self.speaks_for, *self.against)))

    @property
    def seen(self) -> str:
        """What trials and reviews saw, with their sources in brackets: 'Garrison 2020'."""
        return " ".join(parameter_sets.with_citations(self.literature, lambda keys: f"({', '.join(map(_short, keys))})").split())


def _short(key: str) -> str:
    """'Garrison 2020' of a key such as garrison2020."""
    match = re.fullmatch(r"([a-z_-]+)(\d{4})\w*", key)
    return f"{match[1].title()} {match[2]}" if match else key


@dataclass(frozen=True)
class Found:
    """A finding's result, and what it says."""

    id: str
    value: float
    side: Side


@dataclass(frozen=True)
class Judged:
    """A claim's results and verdict. ``code``: fingerprint of what they were computed with."""

    id: str
    found: tuple[Found, ...]
    verdict: Verdict
    code: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def verdict(sides: Iterable[Side]) -> Verdict:
    """By ``RULE``."""
    sides = list(sides)
    if sides and all(s == "for" for s in sides):
        return "supported"
    if "for" in sides:
        return "supported in part"
    return "contradicted" if "against" in sides else "outside the model"


def ledger(path: Path | None = None) -> tuple[Claim, ...]:
    """All claims of the shipped ledger. Raises ExperimentError if the file is broken."""
    return _ledger(path or parameter_sets.folder() / "claims.toml")


@cache
def _ledger(path: Path) -> tuple[Claim, ...]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        beside = path.with_name(f"{path.stem}_literature.toml")
        written = tomllib.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
        return tuple(Claim.model_validate(claim | _literature(written.get(claim["id"], {}))) for claim in data["claim"])
    except (OSError, tomllib.TOMLDecodeError, KeyError, ValidationError) as error:
        raise ExperimentError(f"{path.name} cannot be used: {error}") from None


def _literature(said: dict[str, Any]) -> dict[str, Any]:
    names = {"says": "literature", "for": "speaks_for", "against": "against", "cannot": "cannot"}
    return {names[key]: " ".join(value.split()) if isinstance(value, str) else value for key, value in said.items()}


def select(ids: Iterable[str]) -> tuple[Claim, ...]:
    """Claims by id, all if none is named. Raises ExperimentError for an unknown one."""
    known = {c.id: c for c in ledger()}
    for name in (wanted := list(ids)):
        if name not in known:
            raise ExperimentError(f"the ledger has no claim '{name}'{nearest(name, known)}; claims: {', '.join(known)}")
    return tuple(known[name] for name in wanted) or tuple(known.values())


def judge(claim: Claim, *, off: bool = False) -> Judged:
    """Do a claim's experiments and draw the verdict. ``off``: with the mechanism switched off."""
    found = tuple(_found(f.switched_off() if off else f) for f in claim.findings)
    return Judged(claim.id, found, verdict(f.side for f in found), code())


def _found(finding: Finding) -> Found:
    value = finding.value()
    return Found(finding.id, value, finding.side(value))


def judge_all(claims: Sequence[Claim], jobs: int = 1, *, off: bool = False) -> list[Judged]:
    """Several claims, in order."""
    if jobs == 1 or len(claims) == 1:
        return [judge(c, off=off) for c in claims]
    from joblib import Parallel, delayed

    return list(Parallel(n_jobs=jobs)(delayed(judge)(c, off=off) for c in claims))


@dataclass(frozen=True)
class Curve:
    """A finding over what its deviation changes, with the mechanism and without."""

    finding: Finding
    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    without: tuple[float, ...]


def curves(claim: Claim) -> tuple[Curve, ...]:
    """Of each finding that says over what."""
    out = []
    for finding in claim.findings:
        for name, x in finding.curve.items():
            series = [finding.at(name, value) for value in x]
            y, without = (tuple(f.value() for f in fs) for fs in (series, [f.switched_off() for f in series]))
            out.append(Curve(finding, name, x, y, without))
    return tuple(out)


# ---- what was computed before

@cache
def code() -> str:
    """Fingerprint of all that a verdict comes from: the program's own text without what only shows it, and every parameter file."""
    here = Path(__file__).resolve().parent.parent
    texts = [p for p in sorted(here.rglob("*.py")) if p.relative_to(here).parts[0] not in _NOT_DECIDING]
    texts += sorted(parameter_sets.folder().rglob("*.toml"))
    return hashlib.sha256(b"\0".join(p.name.encode() + b"\0" + p.read_bytes().replace(b"\r\n", b"\n") for p in texts)).hexdigest()[:16]


def save(judged: Sequence[Judged], path: Path) -> Path:
    """Write verdicts with the fingerprint of their code. Raises FileError."""
    return files.write_text(path, json.dumps([j.to_dict() for j in judged], indent=1) + "\n")


def read(path: Path) -> dict[str, Judged]:
    """Verdicts of a file by claim. Raises ExperimentError if it cannot be read."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {d["id"]: Judged(d["id"], tuple(Found(**f) for f in d["found"]), d["verdict"], d["code"]) for d in data}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExperimentError(f"{path} is no file of verdicts: {error}") from None


def stored(path: Path, claims: Sequence[Claim]) -> dict[str, Judged]:
    """Those of the claims that a file has verdicts for which the present code made; empty without a file. A verdict that does not follow
    from its own results by the rule is refused. Raises ExperimentError."""
    if not path.is_file():
        return {}
    known, out = read(path), {}
    for claim in claims:
        old = known.get(claim.id)
        if old is None or old.code != code():
            continue
        sides = [f.side(v.value) for f, v in zip(claim.findings, old.found, strict=False)]
        if len(sides) != len(claim.findings) or verdict(sides) != old.verdict:
            raise ExperimentError(f"{path}: the verdict on {claim.id} does not follow from its results; delete the file")
        out[claim.id] = replace(old, found=tuple(replace(v, side=s) for v, s in zip(old.found, sides, strict=True)))
    return out
