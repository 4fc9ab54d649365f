"""cramplab claims: the popular account on trial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import options, output, words
from simulation.cli.errors import WrongUse
from simulation.cli.options import Json

if TYPE_CHECKING:
    from simulation.clinic.claims import Claim, Found, Judged
    from simulation.clinic.findings import Finding, Interval, Robust

_STYLES = {"supported": "green", "contradicted": "bold red", "supported in part": "yellow"}
_SAYS = {"for": "for it", "against": "against it", "neither": "neither"}


def register(app: typer.Typer) -> None:
    app.command("claims")(claims)


def claims(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Claims to try; all if none is named.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Keep the verdicts: .json.", show_default=False)] = None,
    stored: Annotated[
        Path | None, typer.Option("--stored", metavar="FILE", help="Take verdicts from a kept file that this very program made.", show_default=False)
    ] = None,
    figure: Annotated[Path | None, typer.Option("--figure", metavar="FILE", help="Draw one claim: .svg, .pdf or .png.", show_default=False)] = None,
    size: options.Size = "slide",
    members: Annotated[int, typer.Option(help="Plausible membranes that one claim is tried on as well; 0 for none.", min=0)] = 40,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    json: Json = False,
) -> None:
    """Put the popular account of "deficiency cramps" on trial.

    Every claim has experiments that decide it. A verdict is computed when it is asked for, by one rule: all of them
    come out for the claim, supported; some, supported in part; none, and one at least against it, contradicted;
    neither in any, outside the model. With one claim named, what it rests on, and the literature.

    \b
    Examples:
      cramplab claims
      cramplab claims k-fire
      cramplab claims ca-tetany --figure tetany.svg
      cramplab claims --out verdicts.json"""
    from simulation.clinic import claims as court

    chosen = court.select(ids or [])
    if figure is not None and len(chosen) != 1:
        raise WrongUse("a figure is drawn of one claim: name it, for example cramplab claims k-fire --figure k.svg")
    options.check_files("a ledger of claims", out, figure, size, (".json",))
    known = court.stored(stored, chosen) if stored is not None else {}
    made = dict(zip((c.id for c in chosen if c.id not in known), court.judge_all([c for c in chosen if c.id not in known], jobs), strict=True))
    judged = [known.get(c.id) or made[c.id] for c in chosen]
    without = court.judge(chosen[0], off=True) if len(chosen) == 1 else None
    asked = bool(members) and without is not None
    robust = [f.among(members, v.side) if asked else None for f, v in zip(chosen[0].findings, judged[0].found, strict=True)]
    written: list[Path] = []
    if out is not None:
        written.append(court.save(judged, out))
    if figure is not None:
        from simulation import figures

        assert without is not None
        plate = figures.claim_figure(chosen[0], judged[0], without, court.curves(chosen[0]), size)
        written += figures.save(plate, figure)
    if json:
        said = [facts(c, j) for c, j in zip(chosen, judged, strict=True)]
        if without is not None:
            said[0]["without"] = without.to_dict()
            said[0]["robust"] = [None if r is None else vars(r) for r in robust]
        output.as_json(said)
    elif without is not None:
        _one(chosen[0], judged[0], without, robust)
    else:
        _all(chosen, judged)
    if not json:
        output.say(*(f"Saved: {path}" for path in written))


def facts(claim: Claim, judged: Judged) -> dict[str, Any]:
    """What ``--json`` says of a claim."""
    return {
        **judged.to_dict(), "title": claim.title, "claim": claim.claim, "mechanism": claim.mechanism, "lesson": claim.lesson,
        "literature": claim.literature, "sources": list(claim.sources), "cannot": claim.cannot,
        "found": [
            {
                "id": f.id, "experiment": f.text, "value": v.value, "unit": f.shown, "side": v.side, "for": f.speaks_for, "against": f.against,
                "built_in": f.built_in,
            }
            for f, v in zip(claim.findings, judged.found, strict=True)
        ],
    }


def _all(chosen: Sequence[Claim], judged: Sequence[Judged]) -> None:
    from simulation.clinic.claims import RULE

    output.table(
        [[c.id, c.title, f"{sum(f.side == 'for' for f in j.found)} of {len(j.found)}", j.verdict] for c, j in zip(chosen, judged, strict=True)],
        head=["claim", "in short", "for it", "verdict"],
        styles=[_STYLES.get(j.verdict, "") for j in judged],
    )
    output.say("", RULE, "More on one of them: cramplab claims ID.")


def _one(claim: Claim, judged: Judged, without: Judged, robust: Sequence[Robust | None]) -> None:
    from simulation import parameter_sets

    output.say(f"{claim.title}: {judged.verdict}", style="bold")
    output.say("", f"The claim: {claim.claim}", f"What would make it true: {claim.mechanism}", "")
    for finding, here, off, crowd in zip(claim.findings, judged.found, without.found, robust, strict=True):
        lines = _limits(finding, off)
        if crowd is not None:
            low, high = (100 * x for x in crowd.interval)
            lines.append(f"Of {crowd.members} plausible membranes {crowd.same} say the same ({low:.0f} to {high:.0f} % of all such).")
        output.say(
            f"{finding.text[:1].upper()}{finding.text[1:]}: {result(finding, here)}, {_SAYS[here.side]}.",
            *(output.wrapped(line, indent="  ", first="  ") for line in lines),
        )
    output.say("", f"Verdict: {judged.verdict}. Where {claim.without}: {without.verdict}.", style=None)
    output.say(f"The lesson: {claim.lesson}")
    if claim.literature:
        output.say("", f"What trials and reviews say: {claim.seen}")
    if claim.cannot:
        output.say(f"What the model cannot say: {claim.cannot}")
    known = parameter_sets.references()
    if claim.sources:
        listed = (parameter_sets.reference(known[k]) for k in claim.sources if k in known)
        output.say("", "Sources:", *(output.wrapped(one, first="  ", indent="    ") for one in listed))


def result(finding: Finding, found: Found) -> str:
    """A result with its unit; a change has its sign."""
    if not math.isfinite(found.value):
        return "no such state"
    sign = "+" if finding.relative and found.value > 0 else ""
    value = 0.0 if abs(found.value) < 5e-4 else found.value
    return sign + words.quantity(value, finding.shown, digits=3)


def _limits(finding: Finding, off: Found) -> list[str]:
    unit = "" if finding.shown == "1" else f" {finding.shown}"
    sides = [f"{name}: {_within(i, unit)}" for name, i in (("for", finding.speaks_for), ("against", finding.against)) if i is not None]
    lines = ["; ".join([*sides, f"without the mechanism {result(finding, off)}"])]
    return [*lines, *([f"No evidence: {finding.built_in}."] if finding.built_in else [])]


def _within(interval: Interval, unit: str) -> str:
    low, high = interval
    if low == high:
        return f"{low:g}{unit}"
    return f"{high:g}{unit} or less" if low in (-math.inf, -100) else f"{low:g}{unit} or more" if math.isinf(high) else f"{low:g} to {high:g}{unit}"
