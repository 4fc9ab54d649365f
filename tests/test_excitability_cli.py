"""The command excitability: what it prints, keeps, draws and refuses."""

from __future__ import annotations

import re

import pytest

from simulation.experiment.excitability import EXAMINATIONS, FiringRate


def test_help_names_every_examination(cramplab):
    code, out, err = cramplab("excitability", "--help")
    assert (code, err) == (0, "")
    assert out.isascii()
    assert max(map(len, out.splitlines())) <= 80
    told = re.split(r"[\s,.]+", out.split("Arguments:")[1].split("MODEL")[0])
    assert set(EXAMINATIONS) <= set(told)


# ---- one membrane

def test_one_membrane_in_words(cramplab):
    code, out, err = cramplab("excitability", "latency", "squid", "--bath", "T=10")
    assert (code, err) == (0, "")
    assert out.isascii()
    assert max(map(len, out.splitlines())) <= 80
    assert "Bath: T 10 degC" in out
    assert "Examined: time from stimulus to spike" in out
    assert re.search(r"^threshold +7\.\d+ uA/cm2 +threshold current of the pulse", out, re.MULTILINE)
    assert re.search(r"^ *strength +latency \(ms\)", out, re.MULTILINE)
    assert re.search(r"^ +1\.02 +\d\.\d+", out, re.MULTILINE)


def test_one_membrane_as_json_file_and_figure(here, cramplab, data):
    found = data("excitability", "latency", "squid", "--out", "l.nc", "--figure", "l.svg", "--size", "column")
    assert found["examination"]["name"] == "latency"
    assert found["numbers"]["threshold"]["unit"] == "uA/cm2"
    assert found["curves"]["strength"]["values"][0] == 1.02
    assert len(found["curves"]["latency"]["values"]) == len(found["curves"]["strength"]["values"])
    assert found["files"] == ["l.nc", "l.svg"]
    assert found["remark"] is None
    drawn = data("figure", "l.nc", "--size", "column", "--out", "again.svg")
    assert drawn["kind"] == "excitability"
    assert (here / "l.svg").read_bytes() == (here / "again.svg").read_bytes()
    for name in ("l.nc", "l.svg"):
        head, told = cramplab("why", name)[1].split("\n", 1)
        assert head == f"{name}: an examination"
        assert re.search(r"^examination +latency, width 1 *$", told, re.MULTILINE)
    for wrong in (("--kind", "lines"), ("--measure", "latency")):
        assert cramplab("figure", "l.nc", *wrong)[0] == 2


def test_numbers_alone_are_kept_as_a_row(here, cramplab, data):
    data("excitability", "spontaneous", "squid", "--out", "s.csv")
    lines = (here / "s.csv").read_text().splitlines()
    assert lines[2].startswith("model,spontaneous_spikes,")
    assert lines[3].startswith("squid,0.0,")
    assert "an examination" in cramplab("why", "s.csv")[1]


def test_what_cannot_be_measured_is_none_and_said(here, cramplab, data):
    code, out, err = cramplab("excitability", "latency", "squid", "--scale", "g_Na=0.01", "--figure", "l.svg")
    assert code == 0
    assert "It cannot be excited: it has no threshold up to 10,000 uA/cm2." in out
    assert re.search(r"^threshold +none ", out, re.MULTILINE)
    assert "there is no curve to draw: no current evokes a spike" in err
    assert not list(here.iterdir())
    code, out, _ = cramplab("excitability", "latency", "squid", "--scale", "g_K=0.2")
    assert code == 0
    assert "It fires without a stimulus: its threshold is 0 uA/cm2" in out.replace("\n", " ")


def test_a_none_says_why(cramplab, monkeypatch):
    monkeypatch.setitem(EXAMINATIONS, "f-I", lambda: FiringRate((0.5, 1.02), 60.0))
    out = cramplab("excitability", "f-I", "squid")[1]
    assert re.search(r"^repetitive from +none +", out, re.MULTILINE)
    assert "none: it does not go on firing" in re.sub(r"\s+", " ", out)


# ---- over an axis

def test_over_an_axis(here, cramplab, data):
    found = data("excitability", "latency", "squid", "--over", "T=5,6.3,15", "--jobs", "1", "--out", "l.nc", "--figure", "l.svg", "--size", "column")
    assert found["axes"]["T"]["values"] == [5, 6.3, 15]
    assert len(found["numbers"]["threshold"]["values"]) == 3
    assert [len(row) for row in found["curves"]["latency"]["values"]] == [9, 9, 9]
    assert (found["points"], found["failed"], found["files"]) == (3, 0, ["l.nc", "l.svg"])
    assert "one ladder" in found["warm_start"]
    assert "T 6.3 °C (control)" in (here / "l.svg").read_text(encoding="utf-8")
    assert data("figure", "l.nc", "--size", "column")["kind"] == "excitability"
    assert data("figure", "l.nc", "--size", "column", "--measure", "threshold", "--out", "t.svg")["kind"] == "lines"
    assert data("figure", "l.nc", "--size", "column", "--kind", "lines", "--out", "t.svg")["kind"] == "lines"
    assert cramplab("figure", "l.nc", "--kind", "excitability", "--measure", "threshold")[0] == 2
    told = cramplab("why", "l.nc")[1]
    assert told.startswith("l.nc: a sweep\n")
    assert re.search(r"^examination +latency", told, re.MULTILINE)


def test_over_an_axis_in_words(cramplab):
    code, out, err = cramplab("excitability", "latency", "squid", "--over", "C_m=0,1", "--jobs", "1")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert re.search(r"^ +0 +none  failed", out, re.MULTILINE)
    assert re.search(r"^ +1 +6\.\d+ ", out, re.MULTILINE)
    assert re.search(r"2 points in .*, 1 failed\.", out)
    assert "1 point: squid has no steady state" in out
    assert "Note: thresholds were sought" in out


def test_numbers_over_one_axis_and_over_two(here, cramplab, data):
    asked = ("excitability", "spontaneous", "squid", "--over", "T=5,6,7", "--jobs", "1")
    assert data(*asked, "--out", "s.nc", "--figure", "s.svg", "--size", "column")["files"] == ["s.nc", "s.svg"]
    two = data(*asked, "--over", "g_K_scale=0.9,1", "--out", "two.nc")
    assert two["points"] == 6
    assert [len(row) for row in two["numbers"]["rest"]["values"]] == [2, 2, 2]
    out = cramplab(*asked, "--over", "g_K_scale=0.9,1")[1]
    assert re.search(r"^ +7 +0\.9 +0 +0 +-64\.\d+ +1 *$", out, re.MULTILINE)
    assert data("figure", "two.nc", "--size", "column", "--measure", "rest")["kind"] == "map"


def test_goes_on_where_it_was_stopped(here, cramplab, monkeypatch):
    from simulation.studies import sweep

    whole, seen = sweep.measure_point, []

    def stopped(*args):
        seen.append(args)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return whole(*args)

    asked = ("excitability", "spontaneous", "squid", "--over", "T=5,6,7", "--jobs", "1")
    monkeypatch.setattr(sweep, "measure_point", stopped)
    code, _, err = cramplab(*asked, "--out", "s.nc")
    assert code == 130
    assert "2 of 3 points are finished and kept in s.nc.unfinished" in err
    seen.clear()
    assert "without --out FILE nothing is kept" in cramplab(*asked)[2]
    monkeypatch.setattr(sweep, "measure_point", whole)
    code, out, _ = cramplab(*asked, "--out", "s.nc", "--resume")
    assert code == 0
    assert "3 points in" in out
    assert "Saved: s.nc\nTo see it: cramplab figure s.nc" in out


# ---- refusals

@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("recovry squid", "no examination 'recovry'; nearest: recovery; examinations: threshold"),
        ("recovery squit", "nearest: squid"),
        ("recovery squid --bath K=4", "the bath of squid has no K"),
        ("recovery squid --over K=2:8:3", "the bath of squid has no K"),
        ("recovery squid --over T=5,6,5", "rise or fall throughout"),
        ("recovery squid --over T=5:6", "is not an axis"),
        ("recovery squid --resume", "--resume goes on with --over that was kept with --out"),
        ("recovery squid --out r.txt", "written as .nc or .csv"),
        ("recovery squid --figure r.txt", "written as .svg or .pdf or .png"),
        ("recovery squid --figure r.svg --size slid", "no size 'slid'; nearest: slide"),
        ("threshold squid --figure t.svg", "gives numbers and no curve"),
        ("recovery squid --figure r.svg --over T=5,6 --over g_K_scale=1,2", "cramplab figure map.nc --measure threshold"),
    ],
)
def test_refuses_in_a_sentence_before_any_work(here, cramplab, line, says):
    code, out, err = cramplab("excitability", *line.split())
    assert (code, out) == (2, "")
    assert says in err
    assert "Traceback" not in err
    assert not list(here.iterdir())


def test_a_membrane_without_a_rest_says_no(cramplab):
    code, out, err = cramplab("excitability", "latency", "squid", "--set", "C_m=0")
    assert code in (1, 2)
    assert out == ""
    assert "Traceback" not in err
