"""The lecture figures: what they rest on, light and dark, and what is said when their numbers change."""

from __future__ import annotations

import json
import pickle
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

import simulation as sim
from simulation import figures
from simulation.cli.why import rows
from simulation.clinic.claims import Judged, select
from simulation.figures import FigureError, claim, dark, style
from simulation.figures.changes import changes_figure
from simulation.figures.compared import compared_figure
from simulation.figures.plate import Plate, new_plate
from simulation.figures.serum import serum_grade
from simulation.gallery import catalogue, folder
from simulation.gallery.lecture import LectureFigure, Shown

CHEAP = (("squid-gates", "slide"), ("conditions", "slide"), ("release", "column"), ("magnesium-places", "column"))


@pytest.fixture(scope="module")
def shown():
    """``shown(name)``: what came out of a figure, made once."""
    return cache(lambda name: catalogue.figure(name).make())


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
    asked = ("figures", "squid-gates", "--size", "column", "--format", "svg", "--out", "f", "--jobs", "1")
    code, out, err = cramplab(*asked)
    assert code == 0
    assert out.startswith("squid-gates: new")
    assert err.startswith("1 of 1: squid-gates")
    files = sorted((tmp_path / "f").rglob("*.svg"))
    assert [p.relative_to(tmp_path / "f").as_posix() for p in files] == [
        "column-dark/squid-gates-column-dark.svg", "column-light/squid-gates-column-light.svg",
    ]
    before = [p.read_bytes() for p in files]
    asked = (*asked, "--theme", "light")
    assert cramplab(*asked)[1].startswith("squid-gates: unchanged")
    assert [p.read_bytes() for p in files] == before

    index = json.loads(Path("f/figures.json").read_text(encoding="utf-8"))
    index["figures"]["squid-gates"]["numbers"]["m: longest time constant (ms)"] = 0.4
    Path("f/figures.json").write_text(json.dumps(index), encoding="utf-8")
    said = " ".join(cramplab(*asked)[1].split())
    assert said.startswith("squid-gates changed: m: longest time constant 0.4 -> 0.501419 ms 1 figure, 1 file ")
    page = Path("f/index.html").read_text(encoding="utf-8")
    assert 'src="column-light/squid-gates-column-light.svg" alt="' in page
    assert "<script" not in page

    Path("f/figures.json").write_text("[]", encoding="utf-8")
    code, _, err = cramplab(*asked)
    assert code == 2
    assert "is no index of figures" in err


def test_what_is_there_is_listed(tmp_path, monkeypatch, cramplab, data):
    monkeypatch.chdir(tmp_path)
    out = cramplab("figures", "--list")[1]
    listed = data("figures", "--list")
    assert [f["name"] for f in listed] == list(catalogue.figures())
    assert all(f["name"] in out for f in listed)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("wrong", "said"), [
    (("--theme", "drak"), "no theme 'drak'; nearest: dark"),
    (("--size", "slied"), "no size 'slied'; nearest: slide"),
    (("--format", "pgn"), "not as 'pgn'; nearest: png"),
    (("two-rest",), "no figure 'two-rest'; nearest: two-rests"),
])
def test_wrong_use_is_refused_before_any_work(tmp_path, monkeypatch, cramplab, wrong, said):
    monkeypatch.chdir(tmp_path)
    code, _, err = cramplab("figures", *wrong)
    assert code == 2
    assert said in err
    assert not list(tmp_path.iterdir())


def test_a_figure_that_fails_leaves_the_others_in_the_index(tmp_path, shown):
    def fail() -> Shown:
        raise sim.ModelSaysNo("no rest")

    good = LectureFigure("good", "Good", "It is made.", lambda: shown("squid-gates"))
    wanted = folder.Wanted(("column",), ("light",), ("svg",))
    made = folder.make_all([good, LectureFigure("bad", "Bad", "It is not.", fail)], tmp_path, wanted)
    first = next(made)
    folder.write_index(tmp_path, {first.name: folder.entry(first)}, ["good", "bad"])
    with pytest.raises(sim.ModelSaysNo):
        next(made)
    assert list(folder.read_index(tmp_path)) == ["good"]


def test_a_film_is_written_in_its_own_formats(tmp_path):
    class Film:
        alt, numbers, formats = "it moves", {"frames": 3.0}, ("gif", "mp4")

        def write(self, path: Path, theme: str) -> None:
            path.write_text(theme, encoding="utf-8")

        def still(self, size: str) -> Plate:
            return new_plate(style.size_of(size), title="a moment", alt="a moment of it", provenance={"of": "a film"})

    made = folder.make(LectureFigure("film", "Film", "It moves.", Film), tmp_path, folder.Wanted(("column",), ("dark",), ("svg",)))
    assert made.files == ("film-dark/film-film-dark.gif", "film-dark/film-film-dark.mp4", "column-dark/film-column-dark.svg")
    assert (tmp_path / made.files[0]).read_text(encoding="utf-8") == "dark"
    assert (made.alt, made.numbers) == ("it moves", {"frames": 3.0})


def test_what_another_process_makes_travels(tmp_path):
    made = folder._make_named(("squid-gates", tmp_path, folder.Wanted(("column",), ("light",), ("svg",))))
    again = pickle.loads(pickle.dumps(made))
    assert again == made
    assert made.files == ("column-light/squid-gates-column-light.svg",)


def test_files_written_before_stay_in_the_index(shown):
    made = folder.Made("a", "A", "Teaches.", "shows", {"x": 1.0}, ("dark.svg",), 1.0)
    assert folder.entry(made, {"files": ["light.svg", "dark.svg"]})["files"] == ["dark.svg", "light.svg"]


# ---- numbers are those of the result

def test_numbers_and_lines_of_the_gates(shown):
    curves = sim.gate_curves(sim.prepare("squid"))
    found = shown("squid-gates")
    lower = found.draw("column").axes[1]
    for line, gate in zip(lower.lines, "mhn", strict=True):
        np.testing.assert_array_equal(line.get_ydata(), curves[f"tau_{gate}"].values)
        assert found.numbers[f"{gate}: longest time constant (ms)"] == line.get_ydata().max()


def test_numbers_and_words_of_the_conditions(shown):
    found = shown("conditions")
    words = {t.get_text() for t in found.draw("column").axes[0].texts}
    assert {figures.data.number(v) for v in found.numbers.values()} == words
    assert serum_grade("PTH", 12.0) == "high, mild"
    assert serum_grade("K", 4.2) == "normal"


def test_bars_are_as_long_as_the_changes():
    given = {"one": {"low": -5.0, "high": 10.0}, "two": {"low": 0.0, "high": float("nan")}}
    ax = changes_figure(given, "Changes", "Change (%)", {"membranes": {}, "varied": {}}, "column").axes[0]
    bars = [p.get_width() for p in ax.patches if isinstance(p, Rectangle)]
    assert bars == [-5.0, 0.0, 10.0, 0.0]
    assert {"\N{MINUS SIGN}5", "+10", "0", "none"} <= {t.get_text() for t in ax.texts}
    with pytest.raises(FigureError, match="the same cases"):
        changes_figure({"one": {"low": 1.0}, "two": {"high": 1.0}}, "Changes", "Change", {})


def test_compared_with_their_own_control():
    found = {name: sim.sweep(sim.prepare("squid", scale={"g_K": g}), "g_Na=100,120,140", measures="threshold_current")
             for name, g in (("whole", 1.0), ("more", 1.1))}
    plate = compared_figure(found, "threshold_current", "column")
    for name, line in zip(found, plate.axes[0].lines, strict=False):
        values = found[name]["threshold_current"].values
        np.testing.assert_allclose(line.get_ydata(), 100 * values / values[1])
    assert "Whole: " in plate.alt
    assert "100 % at 120 mS/cm²" in plate.alt
    said = dict(rows(plate.provenance))
    assert said["more"] == "set squid, changed: g_K: scaled by 1.1, bath control"
    with pytest.raises(FigureError, match="share"):
        compared_figure({"a": sim.sweep(sim.prepare("squid"), "g_Na=100,120"), "b": sim.sweep(sim.prepare("squid"), "g_K=30,36")}, "rest")


# ---- light and dark

@pytest.mark.parametrize(("name", "size"), CHEAP)
def test_words_and_lines_are_seen_in_both_themes(shown, name, size):
    plate = shown(name).draw(size)
    assert plate.alt
    assert plate.provenance
    for theme in ("light", "dark"):
        plate = dark.themed(plate, theme)
        words = dark.shown_words(plate)
        least = min(t.get_fontsize() for t in words)
        assert least >= (16 if size == "slide" else 6.5)
        for text, behind in zip(words, dark.backgrounds(plate, words), strict=True):
            assert style.contrast(to_rgb(text.get_color()), to_rgb(behind)) >= 4.5, (theme, text.get_text())
        for line in plate.findobj(Line2D):
            if line.axes is not None and line.get_visible() and line.get_linestyle() != "None" and len(line.get_xdata()) > 1:
                rgb = to_rgb(line.get_color())
                grey = max(rgb) - min(rgb) < 0.06
                assert style.contrast(rgb, to_rgb(plate.paper)) >= (2 if grey else 3), (theme, to_hex(rgb))


def test_dark_is_dark_and_keeps_colours_of_numbers(shown, tmp_path):
    from PIL import Image

    light = shown("release").draw("column")
    mesh = light.axes[0].collections[0]
    light.draw_without_rendering()
    before = mesh.get_facecolor().copy()
    plate = dark.in_dark(light)
    np.testing.assert_array_equal(mesh.get_facecolor(), before)
    (path,) = figures.save(plate, tmp_path / "d.png")
    with Image.open(path) as image:
        assert to_hex(np.array(image.convert("RGB").getpixel((2, 2))) / 255) == style.DARK_PAPER.lower()
    again = dark.themed(plate, "dark")
    assert again is plate
    assert figures.save(again, tmp_path / "e.png")[0].read_bytes() == path.read_bytes()


def test_dark_twice_gives_the_same_bytes(shown, tmp_path):
    written = [figures.save(dark.in_dark(shown("squid-gates").draw("column")), tmp_path / name, ("svg", "png")) for name in ("a", "b")]
    assert [p.read_bytes() for p in written[0]] == [p.read_bytes() for p in written[1]]


# ---- what made them, in words

def test_what_made_them_in_words(shown):
    said = dict(rows(shown("conditions").draw("column").provenance))
    assert said["thiazide:severe"].startswith("after ")
    said = dict(rows(shown("release").draw("column").provenance))
    assert said["junction"] == "set junction, bath control"
    assert said["axis Ca"] == "from 0.4 to 2.4 mM, 21 values"
    said = dict(rows(shown("magnesium-places").draw("column").provenance))
    assert said["muscle"] == "set muscle, bath control"
    (asked,) = select(["k-fire"])
    told = rows(claim.provenance(asked, Judged("k-fire", (), "contradicted", "abc")))
    assert [how for what, how in told if what == "experiment"] == [f.text for f in asked.findings]
    assert dict(rows({"panel": {"K": 2.9}, "bath": {"K": 2.9}}))["serum"] == "K 2.9 mmol/L"
    drive = sim.Drive((sim.Rate(20, 2000, at=100),), (), (sim.Stretch(1000, at=1000),))
    assert sim.Drive.of(json.loads(json.dumps(drive.to_dict()))) == drive
    stage = {"parameter_set": "axon", "changed": {}, "bath": {"Ca": 0.7}}
    unit = {"unit": dict.fromkeys(("axon", "junction", "muscle"), stage), "drive": drive.to_dict(), "duration": 2500.0, "solver": "engine"}
    said = dict(rows(unit))
    assert said["axon"] == "set axon, bath Ca 0.7 mM"
    assert said["drive"] == "20 Hz for 2 s from 100 ms; stretched for 1 s from 1 s"
