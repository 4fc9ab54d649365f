"""The lecture figures: what is in them, on both papers, and what is said when one comes out otherwise."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from simulation import figures
from simulation.figures.dark import INK, PAPER, READ, backgrounds
from simulation.figures.style import contrast
from simulation.gallery import catalogue, printing
from simulation.gallery.lecture import Shown

QUICK = ("fibre-spike", "two-rests", "surface-charge", "squid-gates", "causes", "coeliac-course", "motor-unit")
LEAST_LETTERS = 16.0  # pt on a slide, read from the back row


@pytest.fixture(scope="module")
def shown() -> dict[str, Shown]:
    return {figure.name: figure.make() for figure in catalogue.chosen(QUICK)}


@pytest.fixture(params=QUICK)
def name(request) -> str:
    return request.param


# ---- what is there

def test_there_is_enough_for_a_term():
    names = [figure.name for figure in catalogue.figures()]
    assert len(names) == len(set(names)) >= 20
    for figure in catalogue.figures():
        assert figure.title[0].isupper() or figure.title[0] == "A", figure.name
        assert figure.teaches.endswith("."), figure.name
        assert len(figure.teaches) < 120, figure.name


def test_a_name_that_is_not_there():
    with pytest.raises(figures.FigureError, match="no lecture figure 'two-rest'; nearest: two-rests"):
        catalogue.chosen(["two-rest"])
    assert [figure.name for figure in catalogue.chosen(["gates", "two-rests", "gates"])] == ["gates", "two-rests"]


def test_every_figure_says_what_it_shows_and_where_it_came_from(shown, name):
    plate = shown[name].draw("slide")
    assert len(plate.alt) > 60
    assert plate.provenance
    assert all(math.isfinite(value) for value in shown[name].numbers.values())
    assert shown[name].numbers


# ---- data

def test_the_folds_are_where_the_numbers_say(shown):
    plate = shown["two-rests"].draw("slide")
    found = sorted({float(x) for line in plate.axes[0].lines if line.get_marker() not in ("", "None", None) for x in line.get_xdata()})
    assert found == pytest.approx(sorted(shown["two-rests"].numbers.values()), rel=1e-6)


def test_the_course_ends_where_the_numbers_say(shown):
    plate = shown["coeliac-course"].draw("slide")
    ends = {ax.get_title(loc="left").split(" (")[0]: float(ax.lines[0].get_ydata()[-1]) for ax in plate.axes[:3]}
    numbers = shown["coeliac-course"].numbers
    assert ends["Potassium"] == numbers["K on day 400 (mM)"]
    assert ends["Ionised calcium"] == numbers["iCa on day 400 (mM)"]


def test_the_spike_is_the_one_that_was_run(shown):
    plate = shown["fibre-spike"].draw("slide")
    highest = max(float(np.max(line.get_ydata())) for line in plate.axes[0].lines)
    assert highest >= shown["fibre-spike"].numbers["peak (mV)"] - 1e-9


# ---- to be read

def test_words_are_large_enough_for_the_back_row(shown, name):
    sizes = {text.get_text(): text.get_fontsize() for text, _ in backgrounds(shown[name].draw("slide"))}
    assert {text: size for text, size in sizes.items() if size < LEAST_LETTERS and "$" not in text} == {}


def test_words_are_read_on_white_and_on_dark_paper(shown, name):
    plate = shown[name].draw("slide")
    for paper in ("light", "dark"):
        faint = {t.get_text(): contrast(to_rgb(t.get_color()), behind) for t, behind in backgrounds(plate)
                 if contrast(to_rgb(t.get_color()), behind) < READ}
        assert faint == {}, paper
        figures.in_dark(plate)


def test_dark_paper_turns_what_is_grey_and_keeps_hues(shown):
    light, dark = shown["fibre-spike"].draw("slide"), figures.in_dark(shown["fibre-spike"].draw("slide"))
    assert to_rgb(dark.get_facecolor()) == pytest.approx(to_rgb(PAPER))
    for a, b in zip(light.findobj(Line2D), dark.findobj(Line2D), strict=True):
        before, now = np.array(to_rgb(a.get_color())), np.array(to_rgb(b.get_color()))
        assert contrast(now, to_rgb(PAPER)) > 1.6
        if before.max() == 0:
            assert now == pytest.approx(to_rgb(INK), abs=1e-6)
        elif np.ptp(before) > 0.2:
            assert before.argmax() == now.argmax()
        assert a.get_xydata() == pytest.approx(b.get_xydata(), nan_ok=True)


# ---- in files

def test_a_folder_of_figures(cramplab, tmp_path):
    out = tmp_path / "talk"
    code, told, _ = cramplab("figures", "squid-gates", "--out", str(out), "--format", "svg,png")
    assert code == 0
    assert "1 figure in" in told
    assert "1 new" in told
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*.*")) == sorted([
        "figures.json", "index.html", *(f"{s}-{t}/squid-gates.{f}" for s in ("slide", "column") for t in ("light", "dark") for f in ("svg", "png")),
    ])
    page = (out / "index.html").read_text(encoding="utf-8")
    assert 'src="column-light/squid-gates.svg"' in page or 'src="slide-light/squid-gates.svg"' in page
    assert "http" not in page
    first = (out / "slide-dark" / "squid-gates.svg").read_bytes()
    code, told, _ = cramplab("figures", "squid-gates", "--out", str(out), "--format", "svg", "--theme", "dark", "--size", "slide")
    assert "1 unchanged" in told
    assert (out / "slide-dark" / "squid-gates.svg").read_bytes() == first
    assert len(printing.read_index(out)["squid-gates"]["files"]) == 8
    assert cramplab("why", str(out / "slide-dark" / "squid-gates.svg"))[0] == 0


def test_a_figure_that_comes_out_otherwise_is_told_with_its_numbers(cramplab, tmp_path):
    args = ("figures", "squid-gates", "--out", str(tmp_path), "--format", "svg", "--theme", "light", "--size", "column")
    cramplab(*args)
    index = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    index["figures"]["squid-gates"]["numbers"]["steady state of m at rest"] = 0.5
    index["figures"]["squid-gates"]["numbers"]["of a gate that went"] = 1.0
    (tmp_path / "figures.json").write_text(json.dumps(index), encoding="utf-8")
    code, told, _ = cramplab(*args)
    assert code == 0
    assert "squid-gates has changed:" in told
    assert "steady state of m at rest: 0.5 -> 0.0529" in told
    assert "of a gate that went: 1 -> none" in told
    assert "steady state of h" not in told
    assert "1 changed" in told


def test_differences():
    assert printing.differences({"a": 1.0, "b": None}, {"a": 1.0 + 1e-9, "b": math.nan}) == {}
    assert printing.differences({"a": 1.0}, {"a": math.nan, "c": 2.0}) == {"a": (1.0, None), "c": (None, 2.0)}


@pytest.mark.parametrize(("args", "said"), [
    (("two-rest",), "nearest: two-rests"),
    (("--size", "poster"), "there is no size 'poster'"),
    (("--theme", "drak"), "nearest: dark"),
    (("--format", "gip"), "nearest: gif"),
    (("gates", "--format", "gif"), "gates does not move"),
])
def test_refusals(cramplab, here, args, said):
    code, out, err = cramplab("figures", *args)
    assert (code, out) == (2, "") or code == 1
    assert said in err
    assert list(here.iterdir()) == []


def test_an_index_that_is_none(cramplab, tmp_path):
    (tmp_path / "figures.json").write_text("[]", encoding="utf-8")
    code, _, err = cramplab("figures", "squid-gates", "--out", str(tmp_path))
    assert code != 0
    assert "no index of lecture figures" in err
    assert "Traceback" not in err


def test_the_list(cramplab, data):
    assert "two-rests" in cramplab("figures", "--list")[1]
    assert len(data("figures", "--list")["figures"]) == len(catalogue.figures())
