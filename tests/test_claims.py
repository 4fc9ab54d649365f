"""The ledger of claims: a verdict follows from its experiments by the rule, and changes where the mechanism is switched off."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from simulation import figures, parameter_sets
from simulation.cli import main
from simulation.clinic import claims
from simulation.clinic.claims import Found, Judged, judge, ledger, select, verdict
from simulation.clinic.findings import Finding
from simulation.experiment.errors import ExperimentError

IDS = [c.id for c in ledger()]
ASKED = {
    "mg-blocker", "mg-twitch", "mg-release", "k-gradient", "k-fire", "k-weak", "ca-tetany", "ca-cycle", "ca-trigger", "d-absorb", "na-balance",
    "dehydration", "b-vitamins", "zinc", "diet", "malabsorption", "diuretics", "ageing", "pregnancy", "kidney", "fatigue", "caffeine", "alcohol",
    "stretch", "replenish", "panel", "overdose",
}


def test_every_claim_is_there_with_its_literature():
    assert len(IDS) == len(ASKED)
    assert set(IDS) == ASKED
    known = parameter_sets.references()
    for claim in ledger():
        assert claim.literature, claim.id
        assert claim.cannot, claim.id
        cited = {key for group in re.findall(r"\[(@[^\]]+)\]", claim.literature) for key in re.findall(r"@([\w-]+)", group)}
        assert cited | set(claim.sources) <= set(known), claim.id


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        (["for", "for"], "supported"), (["for", "against"], "supported in part"), (["for", "neither"], "supported in part"),
        (["against", "neither"], "contradicted"), (["neither", "neither"], "outside the model"), ([], "outside the model"),
    ],
)
def test_the_rule(sides, expected):
    assert verdict(sides) == expected


@pytest.mark.parametrize("name", IDS)
def test_a_verdict_changes_where_the_mechanism_is_switched_off(name):
    (claim,) = select([name])
    here, without = judge(claim), judge(claim, off=True)
    assert here.verdict == verdict(f.side for f in here.found)
    assert here.verdict != "outside the model"
    assert without.verdict != here.verdict


def test_a_result_says_for_against_or_neither():
    finding = Finding(id="x", text="x", shown="%", measure="rest", **{"for": (5, 10)}, against=(-10, 0))
    assert [finding.side(v) for v in (7.0, -1.0, 3.0, float("nan"))] == ["for", "against", "neither", "neither"]
    with pytest.raises(ValueError, match="threshold"):
        Finding(id="x", text="x", shown="%", measure="treshold", **{"for": (5, 10)})
    with pytest.raises(ValueError, match="what it means"):
        Finding(id="x", text="x", shown="%", measure="rest")


def test_a_kept_verdict_holds_only_for_the_code_that_made_it(tmp_path):
    (claim,) = select(["zinc"])
    path, judged = tmp_path / "v.json", judge(claim)
    claims.save([judged], path)
    assert claims.stored(path, [claim]) == {"zinc": judged}
    claims.save([replace(judged, code="another")], path)
    assert claims.stored(path, [claim]) == {}
    claims.save([replace(judged, verdict="supported")], path)
    with pytest.raises(ExperimentError, match="does not follow from its results"):
        claims.stored(path, [claim])
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ExperimentError, match="no file of verdicts"):
        claims.stored(path, [claim])


def test_a_population_is_asked_as_well(monkeypatch, tmp_path):
    (claim,) = select(["ca-tetany"])
    robust = claim.findings[0].among(6, "for")
    assert robust is not None
    assert robust.members == 6
    assert robust.interval[0] <= robust.same / 6 <= robust.interval[1]
    assert claim.findings[1].among(6, "for") is None  # no population is drawn of a hypothetical axon


def test_the_figure_tells_what_came_out():
    (claim,) = select(["stretch"])
    here = Judged("stretch", (Found("motoneuron", 3.0, "for"), Found("axon", 38.0, "against")), "supported in part", "x")
    without = Judged("stretch", (Found("motoneuron", 15.0, "against"), Found("axon", float("nan"), "neither")), "contradicted", "x")
    plate = figures.claim_figure(claim, here, without)
    assert "supported in part" in plate.alt
    assert "no such state" in plate.alt
    assert [float(line.get_xdata()[0]) for line in plate.axes[0].lines] == [15.0, 3.0]


def test_the_command(capsys, tmp_path):
    out = tmp_path / "v.json"
    assert main(["claims", "zinc", "--members", "0", "--out", str(out), "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert said["verdict"] == "contradicted"
    assert said["found"][0]["side"] == "against"
    assert main(["claims", "zinc", "--members", "0", "--stored", str(out)]) == 0
    text = capsys.readouterr().out
    assert "Verdict: contradicted" in text
    assert "What trials and reviews say" in text
    assert main(["claims", "zink"]) == 2
    assert "zinc" in capsys.readouterr().err
    assert main(["claims", "zinc", "stretch", "--figure", "x.svg"]) == 2
