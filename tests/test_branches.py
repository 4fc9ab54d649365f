"""Continuations as figures, on the command line and in files."""

from __future__ import annotations

import matplotlib.text
import numpy as np
import pytest
from matplotlib.colors import to_rgb

import simulation as sim
from simulation import figures
from simulation.figures import style
from simulation.figures.branches import COLOURS, borders_alt, branches_alt


@pytest.fixture(scope="module")
def branches(fibre):
    return sim.follow_rests(fibre, "K=0.3:12").to_dataset()


@pytest.fixture(scope="module")
def borders():
    return sim.follow_borders(sim.prepare("axon_rhythmic"), "K=3:8", "Ca=0.6:2").to_dataset()


@pytest.mark.parametrize("size", list(figures.SIZES))
def test_stable_branches_are_solid_and_unstable_ones_dashed(branches, size):
    plate = figures.branches_figure(branches, size)
    (ax,) = plate.axes
    curves = [line for line in ax.lines if len(line.get_xdata()) > 5]
    assert sorted(line.get_linestyle() for line in curves) == ["-", "-", "--"]
    assert sum(len(line.get_xdata()) for line in curves) == branches.sizes["point"] + 2  # both parts have their fold
    (dashed,) = (line for line in curves if line.get_linestyle() == "--")
    assert sorted(dashed.get_xdata()[[0, -1]]) == pytest.approx([0.80539, 2.64759], abs=1e-4)
    assert {"0.805 mM", "2.65 mM", "control"} <= {t.get_text() for t in ax.texts}
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["stable", "unstable", "fold: two rests meet"]
    smallest = min(t.get_fontsize() for t in plate.findobj(matplotlib.text.Text) if t.get_text().strip() and t.get_visible())
    assert smallest >= (18 if size == "slide" else 16 if size == "half" else 7)
    plate.draw_without_rendering()
    inside = plate.bbox.padded(1)
    for text in (*ax.texts, *ax.get_legend().get_texts(), ax.xaxis.label, ax.yaxis.label):
        box = text.get_window_extent()
        assert inside.contains(box.x0, box.y0), text.get_text()
        assert inside.contains(box.x1, box.y1), text.get_text()


def test_branches_in_words(branches, tmp_path):
    plate = figures.branches_figure(branches)
    assert plate.alt == branches_alt(branches)
    assert "Stable from -95.9 mV at 0.805 mM to -62.6 mV at 12 mM." in plate.alt
    assert "Fold at 2.65 mM, -62.9 mV." in plate.alt
    assert plate.alt.endswith("The control is marked at 4 mM.")
    (path,) = figures.save(plate, tmp_path / "b.svg")
    assert figures.provenance_of(path)["continued"] == {"K": [0.3, 12.0]}


def test_a_hopf_point_says_its_period():
    d = sim.follow_rests(sim.prepare("axon_rhythmic"), "K=2:9").to_dataset()
    assert "Hopf point (period 26.9 ms) at 5.16 mM" in branches_alt(d)
    assert "Hopf: the rest begins to oscillate" in [t.get_text() for t in figures.branches_figure(d).axes[0].get_legend().get_texts()]


@pytest.mark.parametrize("size", list(figures.SIZES))
def test_borders_show_curves_and_the_control(borders, size):
    plate = figures.borders_figure(borders, size)
    (ax,) = plate.axes
    assert (ax.get_xlim(), ax.get_ylim()) == ((3, 8), (0.6, 2))
    (cross,) = (line for line in ax.lines if line.get_label() == "control")
    assert (list(cross.get_xdata()), list(cross.get_ydata())) == ([4.2], [1.2])
    drawn = np.concatenate([line.get_xydata() for line in ax.lines if line.get_color() == COLOURS["Hopf"]])
    np.testing.assert_array_equal(drawn, np.column_stack([borders["K"], borders["Ca"]]))
    assert plate.alt == borders_alt(borders)
    assert "A curve of Hopf points (period" in plate.alt
    assert "A cross marks the control at K 4.2 mM with Ca 1.2 mM." in plate.alt


def test_the_curves_are_told_apart_in_grey():
    fold, hopf = (style.luminance(to_rgb(COLOURS[kind])) for kind in ("fold", "Hopf"))
    assert abs(fold - hopf) > 0.05


def test_each_figure_wants_its_own_dataset(branches, borders):
    with pytest.raises(figures.FigureError, match="needs a continuation over two parameters, as follow_borders gives it"):
        figures.borders_figure(branches)
    with pytest.raises(figures.FigureError, match="needs a continuation over one parameter, as follow_rests gives it"):
        figures.branches_figure(borders)
    with pytest.raises(figures.FigureError, match="there are no folds and no Hopf points"):
        figures.borders_figure(borders.isel(point=slice(0, 0)))


# ---- the command

def test_the_command_says_where_rests_vanish(here, cramplab):
    code, out, err = cramplab("continue", "fibre", "--over", "K=0.3:12", "--out", "b.nc", "--figure", "b.svg", "--size", "column")
    assert (code, err) == (0, "")
    assert "1 branch over K." in out
    assert "2.64759 mM  -62.9 mV  fold: a stable and an unstable rest meet and vanish" in out
    assert "Stable from 0.3 to 2.64759 and from 0.805385 to 12 mM." in out
    assert max(map(len, out.splitlines())) <= 80
    assert cramplab("figure", "b.nc", "--out", "again.svg", "--size", "column")[0] == 0
    assert (here / "b.svg").read_bytes() == (here / "again.svg").read_bytes()
    told = cramplab("why", "b.nc")[1]
    assert "rests followed along a parameter" in told
    assert "from 0.3 to 12 mM" in told
    assert "is a continuation: what can be drawn of it is branches, not map" in cramplab("figure", "b.nc", "--kind", "map")[2]


def test_the_command_over_two(here, cramplab, data):
    found = data("continue", "axon_rhythmic", "--over", "Ca=0.5:1.5", "--and", "Mg=0.3:0.8", "--out", "p.csv", "--figure", "p.svg", "--size", "half")
    assert found["over"] == ["Ca", "Mg"]
    assert {branch["kind"] for branch in found["branches"]} == {"Hopf"}
    ends = [q for branch in found["branches"] for q in branch["points"]]
    assert {q["Mg"] for q in ends} == {0.3, 0.8}
    assert found["files"] == ["p.csv", "p.svg"]
    assert "borders of rests over two parameters" in cramplab("why", "p.svg")[1]
    assert (here / "p.csv").read_text(encoding="utf-8").splitlines()[2].startswith("point,Ca,Mg,V_n,")
    assert "There is no fold and no Hopf point over T and g_L." in cramplab("continue", "squid", "--over", "T=5:7", "--and", "g_L=0.3:0.31")[1]
