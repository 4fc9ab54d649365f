"""The lecture figures: what they rest on, light and dark, and what is said when their numbers change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulation.figures import FigureError
from simulation.gallery import catalogue, folder


def test_every_figure_says_what_it_is_for():
    known = catalogue.figures()
    assert all(name == f.name and f.title and f.teaches.endswith((".", ".)")) for name, f in known.items())
    every = [f.name for module in catalogue.MODULES for f in catalogue.module(module).FIGURES]
    assert len(set(every)) == len(every) == len(known)


def test_an_unknown_figure_is_refused_with_the_nearest():
    with pytest.raises(FigureError, match="nearest: squid-gates"):
        catalogue.figure("squid-gate")


def test_changes_are_those_beyond_the_digits_that_are_kept():
    before = {"a (mV)": 1.23456, "b": None, "c": 2.0, "gone": 1.0}
    now = {"a (mV)": 1.23457, "b": None, "c": 2.001, "new": None}
    assert folder.changes(before, now) == [folder.Change("c", 2.0, 2.001), folder.Change("gone", 1.0, None), folder.Change("new", None, None)]
    assert folder.changes(now, now) == []


def test_figures_are_made_kept_and_compared(tmp_path, monkeypatch, cramplab):
    monkeypatch.chdir(tmp_path)
    asked = ("figures", "squid-gates", "--size", "slide", "--format", "svg", "--out", "f", "--jobs", "1")
    code, out, err = cramplab(*asked)
    assert code == 0
    assert out.startswith("squid-gates: new")
    assert err.startswith("1 of 1: squid-gates")
    files = sorted((tmp_path / "f").rglob("*.svg"))
    assert [p.relative_to(tmp_path / "f").as_posix() for p in files] == [
        "slide-dark/squid-gates-slide-dark.svg", "slide-light/squid-gates-slide-light.svg",
    ]
    before = [p.read_bytes() for p in files]
    assert cramplab(*asked)[1].startswith("squid-gates: unchanged")
    assert [p.read_bytes() for p in files] == before

    index = json.loads(Path("f/figures.json").read_text(encoding="utf-8"))
    index["figures"]["squid-gates"]["numbers"]["m: longest time constant (ms)"] = 0.4
    Path("f/figures.json").write_text(json.dumps(index), encoding="utf-8")
    said = " ".join(cramplab(*asked)[1].split())
    assert said.startswith("squid-gates changed: m: longest time constant 0.4 -> 0.501419 ms 1 figure, 2 files")
    page = Path("f/index.html").read_text(encoding="utf-8")
    assert 'src="slide-light/squid-gates-slide-light.svg" alt="' in page
    assert "<script" not in page

    Path("f/figures.json").write_text("[]", encoding="utf-8")
    code, _, err = cramplab(*asked)
    assert code == 2
    assert "is no index of figures" in err
