"""Regimes over two ions: the classes, what is known of axon and fibre, the figure and the command."""

from __future__ import annotations

import json
from itertools import combinations

import matplotlib.text
import numpy as np
import pytest
from matplotlib.colors import to_rgb

import simulation as sim
from simulation import figures
from simulation.experiment.errors import ExperimentError
from simulation.figures import style
from simulation.figures.regimes import COVERS, regime_alt
from simulation.studies.regimes import REGIMES, classed, shares

NAN = np.nan
NAMES = {r.name: k for k, r in REGIMES.items()}


@pytest.mark.parametrize(("point", "name"), [
    ((-90, NAN, NAN, 0, 0, 0), "quiet"),
    ((-90, NAN, NAN, 1, 0, 0), "one spike"),
    ((-90, NAN, NAN, 2, 0, 0), "fires while stimulated"),
    ((-90, NAN, NAN, 5, 2, 0), "after-discharge"),
    ((-90, NAN, NAN, 1, 1, 0), "after-discharge"),
    ((NAN, NAN, -70, 9, 4, 0), "fires by itself"),
    ((-90, NAN, NAN, 3, 0, 1), "depolarised block"),
    ((-79, NAN, NAN, 0, 0, 0), "depolarised block"),
    ((-79, NAN, NAN, 1, 0, 0), "one spike"),
    ((NAN, NAN, -55, 1, 0, 0), "depolarised block"),
    ((NAN, NAN, -75, 4, 0, 0), "fires while stimulated"),  # and within the time watched not again
    ((NAN, NAN, -95, 0, 0, 0), "quiet"),
    ((-95, -60, -70, 1, 0, 0), "two resting states"),
    ((-95, -60, -70, 4, 3, 1), "two resting states"),
])
def test_classes(point, name):
    columns = [np.array([float(x)]) for x in point]
    assert classed(*columns, -90.0)[0] == NAMES[name]


def test_a_point_without_numbers_has_no_regime():
    nothing = np.array([NAN])
    assert classed(nothing, nothing, nothing, nothing, nothing, nothing, -90.0)[0] == -1


@pytest.fixture(scope="module")
def axon_map():
    return sim.map_regimes(sim.prepare("axon_rhythmic"), "K=2.5,4.2,5.8,8.5", "Ca=0.6,1.2")


def test_the_rhythmic_axon_over_potassium_and_calcium(axon_map):
    """Silent in normal serum and in low potassium, fires in low calcium and in raised potassium, blocked in high."""
    got = [[REGIMES[int(k)].name for k in row] for row in axon_map["regime"].values.T]
    assert got[0] == ["one spike", "fires by itself", "fires by itself", "depolarised block"]
    assert got[1] == ["quiet", "one spike", "fires by itself", "depolarised block"]


def test_regimes_agree_with_the_hopf_points(axon_map):
    for Ca in (0.6, 1.2):
        onset, end = sim.follow_rests(sim.prepare("axon_rhythmic", {"Ca": Ca}), "K=2:9").values("Hopf")
        here = axon_map.sel(Ca=Ca)
        stable = np.isfinite(here["rest"].values)
        np.testing.assert_array_equal(stable, [not onset < K < end for K in here["K"].values])


def test_the_fibre_over_potassium(fibre):
    found = sim.map_regimes(fibre, "K=0.6,2,4,12", "Ca=1.2,2")
    got = [REGIMES[int(k)].name for k in found["regime"].values[:, 0]]
    assert got == ["depolarised block", "two resting states", "one spike", "depolarised block"]
    assert sum(shares(found).values()) == pytest.approx(1)
    assert json.loads(found.attrs["check"])["beyond"] == {}


def test_the_words_hold_for_the_stimulus(fibre):
    weak = sim.map_regimes(fibre, "K=4,5", "Ca=1.2,2", protocol=sim.protocol(sim.Pulse(1, 0.5, at=5), after=20))
    assert set(weak["regime"].values.ravel()) == {NAMES["quiet"]}


def test_it_has_two_axes(fibre):
    with pytest.raises(ExperimentError, match="a map of regimes has two axes, not 1"):
        sim.map_regimes(fibre, "K=2,4")


# ---- the figure

@pytest.mark.parametrize("size", list(figures.SIZES))
def test_the_figure_names_what_occurs(axon_map, size):
    plate = figures.regime_figure(axon_map, size)
    legend = plate.axes[0].get_legend() or plate.legends[0]
    assert [t.get_text() for t in legend.get_texts()] == ["quiet", "one spike", "fires by itself", "depolarised block", "control"]
    assert plate.alt == regime_alt(axon_map)
    assert "A cross marks the control at K 4.2 mM and Ca 1.2 mM." in plate.alt
    smallest = min(t.get_fontsize() for t in plate.findobj(matplotlib.text.Text) if t.get_text().strip() and t.get_visible())
    assert smallest >= (18 if size == "slide" else 16 if size == "half" else 7)
    plate.draw_without_rendering()
    for text in legend.get_texts():
        box = text.get_window_extent()
        assert plate.bbox.padded(1).contains(box.x1, box.y1), text.get_text()


def test_every_cell_is_covered_once_in_the_colour_of_its_regime(axon_map):
    ax = figures.regime_figure(axon_map).axes[0]
    drawn = {tuple(np.round(c.get_facecolor()[0][:3], 3)): c for c in ax.collections if len(c.get_facecolor())}
    area = sum(
        np.ptp(path.vertices[:, 0]) * np.ptp(path.vertices[:, 1]) for c in ax.collections if len(c.get_facecolor()) for path in c.get_paths()
    )
    assert area == pytest.approx(np.ptp(ax.get_xlim()) * np.ptp(ax.get_ylim()))
    assert set(drawn) == {tuple(np.round(to_rgb(COVERS[int(k)].color), 3)) for k in np.unique(axon_map["regime"])}


def test_regimes_are_told_apart_in_grey():
    assert set(COVERS) == set(REGIMES)
    for a, b in combinations(COVERS.values(), 2):
        lighter = abs(style.luminance(to_rgb(a.color)) ** 0.45 - style.luminance(to_rgb(b.color)) ** 0.45)
        assert lighter > 0.1 or a.hatch != b.hatch, (a, b)


def test_another_dataset_is_refused(axon_map):
    with pytest.raises(figures.FigureError, match="needs a map of regimes"):
        figures.regime_figure(axon_map.drop_vars("regime"))


# ---- the command

def test_the_command(here, cramplab):
    args = ("regimes", "fibre", "--over", "K=0.6,2,4", "--over", "Ca=1.2,2", "--jobs", "1", "--out", "r.nc", "--figure", "r.svg", "--size", "half")
    code, out, err = cramplab(*args)
    assert (code, err) == (0, "")
    flat = " ".join(out.split())
    assert "two resting states 33 % two rests are stable" in flat
    assert "6 points, none failed." in out
    assert "Saved: r.svg" in out
    assert max(map(len, out.splitlines())) <= 80
    assert cramplab("figure", "r.nc", "--kind", "regimes", "--out", "again.svg", "--size", "half")[0] == 0
    assert (here / "again.svg").read_bytes() == (here / "r.svg").read_bytes()
    assert cramplab("figure", "r.nc", "--size", "half")[0] == 0
    assert (here / "r.svg").read_bytes() == (here / "again.svg").read_bytes()
    assert "a sweep" in cramplab("why", "r.nc")[1]
