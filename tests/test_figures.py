"""Figures: that they show the data, say what they show, and can be read by everyone."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from PIL import Image

import simulation
from simulation import figures
from simulation.assembly.errors import ModelError
from simulation.experiment.preparation import version_here
from simulation.figures import data, marks, style
from simulation.figures.rest_curve import branches
from simulation.figures.traces import alt_text, default_window

K = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0])
# As the fibre does: below 1 mM only the depolarised rest is left, from 1 to 2.5 mM there are two.
REST = np.array([-57.7, -99.1, -99.7, -98.7, -96.9, -94.9, -90.4, -79.9, -69.7])
REST_2 = np.array([np.nan, -57.9, -58.3, -59.0, -60.6, np.nan, np.nan, np.nan, np.nan])
UNSTABLE = np.array([np.nan, -89.2, -79.6, -74.1, -66.9, np.nan, np.nan, np.nan, np.nan])
E_K = 26.73 * np.log(K / 140)
MV = {"units": "mV", "long_name": "resting potential (the most negative stable one)"}


def attributes(**control: float) -> dict[str, str]:
    return {"title": "A fibre", "provenance": json.dumps({"model": "fibre", "axes": list(control)}), "control": json.dumps(control)}


def axis(name: str, values: np.ndarray) -> tuple[str, np.ndarray, dict[str, str]]:
    words = {"K": ("mM", "potassium"), "Ca": ("mM", "ionised calcium"), "P_Cl_scale": ("1", "P_Cl as a share of normal")}
    unit, text = words[name]
    return name, values, {"units": unit, "long_name": text}


@pytest.fixture
def rests() -> xr.Dataset:
    variables = {"rest": REST, "rest_2": REST_2, "rest_unstable": UNSTABLE, "E_K_s": E_K}
    return xr.Dataset(
        {n: ("K", v, MV) for n, v in variables.items()} | {"status": ("K", np.zeros(len(K), dtype=np.int8))}, {"K": axis("K", K)}, attributes(K=4.0)
    )


@pytest.fixture
def plane() -> xr.Dataset:
    """Two axes with a failed point and a point that has no value."""
    x, y = np.linspace(2, 8, 7), np.geomspace(0.3, 2.4, 4)
    values = -100 + 4 * x[:, None] + 2 * np.log(y)
    status = np.zeros(values.shape, dtype=np.int8)
    status[1, 2] = 1
    values[1, 2], values[5, 0] = -1e6, np.nan  # a failed point may hold anything
    spikes = np.tile(np.arange(4.0), (7, 1))
    return xr.Dataset(
        {
            "rest": (("K", "Ca"), values, MV),
            "spikes": (("K", "Ca"), spikes, {"units": "1", "long_name": "number of spikes"}),
            "status": (("K", "Ca"), status),
        },
        {"K": axis("K", x), "Ca": axis("Ca", y)}, attributes(K=4.0, Ca=1.2),
    )


@pytest.fixture(scope="module")
def low_K() -> simulation.Recording:
    p = simulation.prepare("fibre", {"K": 2.5})
    return simulation.run(p, simulation.protocol(simulation.Pulse(300, 0.5, at=10), duration=60))


@pytest.fixture(scope="module")
def control(low_K: simulation.Recording) -> simulation.Recording:
    return simulation.run(low_K.preparation.control, low_K.protocol)


@pytest.fixture(scope="module")
def run_figure(low_K: simulation.Recording) -> figures.Plate:
    return figures.traces(low_K)


@pytest.fixture(scope="module")
def squid() -> simulation.Preparation:
    return simulation.prepare("squid")


def lines_of(figure: Figure, label: str) -> list:
    return [line for ax in figure.axes for line in ax.lines if line.get_label() == label]


def words_in(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_visible()]


# ---- style

@pytest.mark.parametrize(("size", "inches"), [("slide", (13.33, 7.5)), ("half", (6.67, 5.6)), ("column", (3.5, 2.8))])
def test_sizes_in_inches_with_fonts_to_match(rests: xr.Dataset, size: str, inches: tuple[float, float]) -> None:
    figure = figures.rest_curve(rests, size=size)
    assert tuple(figure.get_size_inches()) == pytest.approx(inches)
    smallest = min(t.get_fontsize() for t in figure.findobj(matplotlib.text.Text) if t.get_text().strip() and t.get_visible())
    assert smallest >= (16 if size == "slide" else 12 if size == "half" else 6.5)


def test_an_unknown_size_is_answered_with_the_nearest(rests: xr.Dataset) -> None:
    with pytest.raises(figures.FigureError, match="no size 'slid'; nearest: slide"):
        figures.rest_curve(rests, size="slid")


def test_settings_and_pyplot_are_left_alone(rests: xr.Dataset) -> None:
    before = dict(matplotlib.rcParams)
    figures.rest_curve(rests)
    assert dict(matplotlib.rcParams) == before
    asked = "import sys, simulation.figures; print('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_each_ion_has_a_look_of_its_own() -> None:
    for part in ("color", "line", "marker"):
        values = [getattr(look, part) for look in style.CARRIERS.values()]
        assert len(set(values)) == len(values), part


def _lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_colours_are_told_apart_without_red_or_green_cones() -> None:
    # Machado, Oliveira & Fernandes 2009, complete protanopia and deuteranopia.
    blindness = (
        np.eye(3),
        np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
        np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    )
    colours = [np.array(to_rgb(look.color)) for look in style.CARRIERS.values()]
    linear = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) for c in colours]
    for seen, (a, b) in itertools.product(blindness, itertools.combinations(linear, 2)):
        assert np.linalg.norm(_lab(seen @ a) - _lab(seen @ b)) > 12


@pytest.mark.parametrize(
    ("symbol", "owner"),
    [("I_Na_s", "Na"), ("I_Kir_s", "K"), ("I_pump", "pump"), ("I_NKCC_s", "NKCC"), ("I_L", "leak"), ("K_t", "K"), ("P_Cl_scale", "Cl"),
     ("tau_s", "Na"), ("tau_h_K_s", "K"), ("m_inf_s", "Na"), ("n", "K"), ("c_inf", "Cl"), ("Mg", "Mg"), ("V_s", None), ("I_stim", None),
     ("pH", None)],
)
def test_symbols_belong_to_ions(symbol: str, owner: str | None) -> None:
    assert style.carrier(symbol) == owner
    assert style.look(symbol).color == (style.CARRIERS[owner].color if owner else style.POTENTIAL.color)


def test_currents_of_one_ion_differ_in_their_dashes() -> None:
    looks = [style.look(f"I_{x}_s") for x in ("Kdr", "Kir", "KCNQ")]
    assert len({x.color for x in looks}) == 1
    assert len({x.line for x in looks}) == 3


def test_axis_label() -> None:
    assert style.axis_label("membrane potential", "V", "mV") == "Membrane potential $V$ (mV)"
    assert style.axis_label("current", None, "uA/cm2") == "Current (µA/cm²)"
    assert style.axis_label("share", None, "1") == "Share"
    assert r"\mathrm{Na}" in style.symbol("I_Na")


def test_ink_is_read_on_white() -> None:
    for look in style.CARRIERS.values():
        assert 1.05 / (style.luminance(to_rgb(style.ink(look.color))) + 0.05) >= 4.5


@pytest.mark.parametrize("letters", [12, 20, 60])
def test_labels_break_neither_in_mathtext_nor_before_the_unit(letters: int) -> None:
    label = r"Threshold current of a 0.5 ms pulse in $[\mathrm{K}]_{o}$ like that (µA/cm²)"
    broken = data.wrapped(label, letters)
    assert broken.replace("\n", " ") == label
    assert all(line.count("$") % 2 == 0 for line in broken.split("\n"))
    assert "that (µA/cm²)" in broken
    assert "0.5 ms" in broken


def test_labels_apart() -> None:
    assert marks.apart([0.0, 10.0], 1.0) == [0.0, 10.0]
    assert marks.apart([0.0, 0.5, 5.0], 1.0) == pytest.approx([-0.25, 0.75, 5.0])
    assert np.diff(marks.apart([0.0, 0.1, 0.2, 1.9, 2.0], 1.0)).min() >= 1 - 1e-12


# ---- traces

def test_traces_show_the_run_and_its_control(low_K: simulation.Recording, control: simulation.Recording) -> None:
    figure = figures.traces(low_K, control)
    assert figure.alt == alt_text(low_K, control)
    start, stop = default_window(low_K, control)
    for label, run in (("K 2.5 mM", low_K), ("control", control)):
        (line,) = lines_of(figure, label)
        assert set(line.get_xdata()) <= set(run.t)
        np.testing.assert_array_equal(line.get_ydata(), run.V[np.isin(run.t, line.get_xdata())])
        assert line.get_xdata()[0] <= start
        assert line.get_xdata()[-1] >= stop
    (front,), (behind,) = lines_of(figure, "K 2.5 mM"), lines_of(figure, "control")
    assert behind.get_color() == style.CONTROL.color
    assert behind.get_zorder() < front.get_zorder()
    (sodium,) = lines_of(figure, style.symbol("I_Na"))
    assert sodium.get_ydata().min() == low_K["I_Na_s"].min()
    assert sodium.get_color() == style.CARRIERS["Na"].color
    for ax in figure.axes:
        greys = [line for line in ax.lines if line.get_color() == style.CONTROL.color]
        assert greys or "Stimulus" in ax.get_ylabel()


def test_traces_name_every_axis_with_its_unit(run_figure: figures.Plate) -> None:
    labels = [ax.get_ylabel() for ax in run_figure.axes]
    assert labels[0] == "Membrane potential $V$ (mV)"
    assert all(re.search(r"\((mV|µA/cm²|mM)\)$", label) for label in labels)
    assert run_figure.axes[-1].get_xlabel() == "Time $t$ (ms)"
    assert any("tubule" in label and "(mM)" in label for label in labels)


def test_the_tubule_is_thinner_than_the_surface(low_K: simulation.Recording, run_figure: figures.Plate) -> None:
    (surface,), (tubule,) = lines_of(run_figure, "surface"), lines_of(run_figure, "tubule")
    assert tubule.get_linewidth() < surface.get_linewidth()
    assert tubule.get_ydata().max() == low_K["V_t"].max()


def test_currents_of_like_size_share_a_panel(low_K: simulation.Recording, run_figure: figures.Plate) -> None:
    for ax in run_figure.axes[1:]:
        peaks = [np.abs(line.get_ydata()).max() for line in ax.lines if line.get_label().startswith("$I_")]
        assert not peaks or max(peaks) <= 10 * min(peaks) * (1 + 1e-9)
    chosen = figures.traces(low_K, symbols=["I_Cl", ("m", "h")])
    assert len(chosen.axes) == 4  # V, chloride current, gates, stimulus
    assert [line.get_label() for line in chosen.axes[2].lines] == ["$m$", "$h$"]


def test_one_spike_is_shown_close_and_a_train_whole(low_K: simulation.Recording, run_figure: figures.Plate, squid: simulation.Preparation) -> None:
    start, stop = default_window(low_K)
    assert 5 < start < 10
    assert low_K.features.spike_times[0] + 2 < stop < 40
    assert run_figure.axes[0].get_xlim() == pytest.approx((start, stop))
    train = simulation.run(squid, simulation.protocol(simulation.Train(50, 60, 20, at=5), duration=300))
    assert default_window(train) == (0.0, 300.0)
    assert figures.traces(low_K, symbols=(), window=(9, 12)).axes[0].get_xlim() == pytest.approx((9, 12))


def test_the_stimulus_is_drawn_in_exact_steps(run_figure: figures.Plate, squid: simulation.Preparation) -> None:
    strip = run_figure.axes[-1].lines[0]
    np.testing.assert_array_equal(strip.get_xdata(), [0, 10, 10, 10.5, 10.5, 60])
    np.testing.assert_array_equal(strip.get_ydata(), [0, 0, 300, 300, 0, 0])
    ramp = simulation.run(squid, simulation.protocol(simulation.Ramp(0, 2, 10, at=5), duration=20))
    np.testing.assert_allclose(figures.traces(ramp).axes[-1].lines[0].get_ydata(), [0, 0, 0, 2, 0, 0])
    clamp = simulation.run(squid, simulation.protocol(simulation.Clamp(-10, 5, at=5), duration=15))
    figure = figures.traces(clamp)
    assert figure.axes[-1].get_ylabel() == "Command potential (mV)"
    np.testing.assert_array_equal(figure.axes[-1].lines[0].get_ydata(), [np.nan, np.nan, -10, -10, np.nan, np.nan])


def test_changes_of_bath_are_marked_in_every_panel(low_K: simulation.Recording) -> None:
    changed = simulation.protocol(simulation.BathChange(simulation.Bath(K=8), at=20), simulation.BathChange(simulation.Bath(), at=40), duration=60)
    figure = figures.traces(simulation.run(low_K.preparation, changed))
    for ax in figure.axes:
        assert [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--" and len(set(line.get_xdata())) == 1] == [20, 40]
    assert {"K 8 mM", "control bath"} <= set(words_in(figure))
    assert "At 20 ms the bath becomes K 8 mM." in figure.alt


def test_traces_say_the_numbers(low_K: simulation.Recording, control: simulation.Recording) -> None:
    alt = alt_text(low_K, control)
    assert f"K 2.5 mM, {low_K.V[0]:.3g} mV at the start, one spike, with its peak at {low_K.features.peak:.3g} mV" in alt
    assert f"the control bath, {control.V[0]:.3g} mV" in alt
    assert f"I_Na reaches {low_K['I_Na_s'].min():.0f} µA/cm²" in alt
    assert f"Potassium in the tubule starts at {low_K['K_t'][0]:.3g} mM and goes as far as {low_K['K_t'].max():.3g} mM" in alt


def test_changed_parameters_name_the_run(squid: simulation.Preparation) -> None:
    protocol = simulation.protocol(simulation.Pulse(10, 1, at=2), duration=10)
    more = simulation.run(simulation.prepare("squid", scale={"g_Na": 2}), protocol)
    figure = figures.traces(more, simulation.run(squid, protocol))
    assert any(label.endswith("× 2") and "g_" in label for label in words_in(figure))


def test_traces_refuse_what_cannot_be_shown(low_K: simulation.Recording, squid: simulation.Preparation) -> None:
    other = simulation.run(squid, simulation.rest_only(5))
    with pytest.raises(figures.FigureError, match="run of squid, the run one of fibre"):
        figures.traces(low_K, other)
    for window in ((5, 5), (60, 70)):
        with pytest.raises(figures.FigureError, match="shows nothing"):
            figures.traces(low_K, window=window)
    for symbols in (["I_Kdx"], [("I_Kdx",)]):
        with pytest.raises(ModelError, match="I_Kdr"):
            figures.traces(low_K, symbols=symbols)


# ---- rest curve

def test_branches_are_not_joined_across_a_fold() -> None:
    found = branches(K, np.column_stack([REST, REST_2]), E_K)
    as_sets = {(tuple(indices), tuple(V)) for indices, V in found}
    assert as_sets == {
        ((0, 1, 2, 3, 4), (REST[0], *REST_2[1:5])),
        ((1, 2, 3, 4, 5, 6, 7, 8), tuple(REST[1:])),
    }
    # A jump between neighbours that were never seen side by side is a fold, too.
    assert len(branches(np.array([0.5, 1.0, 2.0]), np.array([[-57.7], [-99.1], [-98.7]]))) == 2


def test_rest_curve_shows_every_branch(rests: xr.Dataset) -> None:
    ax = figures.rest_curve(rests).axes[0]
    solid = [line for line in ax.lines if line.get_linestyle() == "-" and len(line.get_xdata()) > 2]
    shown = sorted((x, y) for line in solid for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True))
    there = np.isfinite(REST_2)
    assert shown == sorted([*zip(K, REST, strict=True), *zip(K[there], REST_2[there], strict=True)])
    (dashed,) = [line for line in ax.lines if line.get_linestyle() == "--"]
    np.testing.assert_array_equal(dashed.get_ydata(), UNSTABLE[there])
    (dotted,) = [line for line in ax.lines if line.get_linestyle() == ":"]
    np.testing.assert_allclose(dotted.get_ydata(), E_K)
    assert dotted.get_color() == style.REFERENCE
    assert {line.get_color() for line in solid} == {style.CARRIERS["K"].color}


def test_rest_curve_marks_control_and_two_rests(rests: xr.Dataset) -> None:
    figure = figures.rest_curve(rests)
    ax = figure.axes[0]
    assert [line.get_xdata()[0] for line in ax.lines if line.get_color() == style.CONTROL.color] == [4.0]
    (band,) = ax.patches
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((0.75, 2.75))  # halfway to the points with one rest
    assert {"two stable rests", "unstable", "control", "rest"} <= set(words_in(figure))
    assert ax.get_xlabel().startswith("Extracellular potassium $")
    assert ax.get_xlabel().endswith("(mM)")
    assert ax.get_ylabel().endswith("(mV)")


def test_rest_curve_in_words(rests: xr.Dataset) -> None:
    alt = figures.rest_curve(rests).alt
    assert alt.startswith("Resting potential against extracellular potassium from 0.5 to 8 mM.")
    for part in ("-57.7 mV at 0.5 mM", "-90.4 mV at 4 mM", "-69.7 mV at 8 mM"):
        assert part in alt
    assert "Two stable rests between 1 and 2.5 mM, the second at -60.6 to -57.9 mV." in alt


def test_failed_rests_are_left_out(rests: xr.Dataset) -> None:
    rests["status"][6] = 1
    figure = figures.rest_curve(rests)
    assert all(-90.4 not in line.get_ydata() for line in figure.axes[0].lines)
    assert all(not {3.0, 6.0} <= set(line.get_xdata()) for line in figure.axes[0].lines if line.get_linestyle() == "-")
    assert "One point failed" in figure.alt


def test_a_rest_without_neighbours_is_seen(rests: xr.Dataset) -> None:
    rests["status"][:] = 1
    rests["status"][0] = 0
    for dataset in (rests, rests.isel(K=[0])):
        (point,) = [line for line in figures.rest_curve(dataset).axes[0].lines if list(line.get_ydata()) == [-57.7]]
        assert point.get_marker() == style.CARRIERS["K"].marker


def test_rest_curve_of_one_rest_has_no_band(rests: xr.Dataset) -> None:
    single = rests[["rest", "status"]].isel(K=slice(5, None))
    figure = figures.rest_curve(single)
    assert not figure.axes[0].patches
    assert "stable rests" not in figure.alt


def test_rest_curve_with_a_second_axis(rests: xr.Dataset) -> None:
    lower = rests.copy()
    lower["rest"] = rests["rest"] - 3
    both = xr.concat([rests, lower], dim="P_Cl_scale").assign_coords(P_Cl_scale=axis("P_Cl_scale", np.array([1.0, 0.2])))
    figure = figures.rest_curve(both)
    assert any(text.endswith("× 1") for text in words_in(figure))
    assert any(text.endswith("× 0.2") for text in words_in(figure))
    assert "P_Cl × 0.2: -60.7 mV at 0.5 mM" in figure.alt
    many = xr.concat([rests] * 9, dim="P_Cl_scale").assign_coords(P_Cl_scale=axis("P_Cl_scale", np.arange(9.0)))
    with pytest.raises(figures.FigureError, match="9 values of P_Cl_scale"):
        figures.rest_curve(many)


def test_rest_curve_of_the_real_fibre(low_K: simulation.Recording) -> None:
    values = np.array([0.5, 1.5, 4.0])
    found = [simulation.find_rest(low_K.preparation.in_bath(K=x)) for x in values]
    columns = np.full((3, 2), np.nan)
    for row, rest in zip(columns, found, strict=True):
        row[: len(rest.stable)] = [s.V for s in rest.stable]
    dataset = xr.Dataset({"rest": ("K", columns[:, 0], MV), "rest_2": ("K", columns[:, 1], MV)}, {"K": axis("K", values)}, attributes(K=4.0))
    assert f"{found[2].V:.3g} mV at 4 mM" in figures.rest_curve(dataset).alt


def test_rest_curve_refuses_what_is_not_one(rests: xr.Dataset, plane: xr.Dataset) -> None:
    with pytest.raises(figures.FigureError, match="no axis 'Kx'; nearest: K"):
        figures.rest_curve(rests, axis="Kx")
    with pytest.raises(figures.FigureError, match="no measure 'rest'"):
        figures.rest_curve(rests.drop_vars("rest"))
    with pytest.raises(figures.FigureError, match="neither rise nor fall"):
        figures.rest_curve(rests.isel(K=[0, 2, 1]))


# ---- maps and lines

def test_map_shows_values_and_only_values(plane: xr.Dataset) -> None:
    ax = figures.map_figure(plane, "rest").axes[0]
    (mesh,) = [c for c in ax.collections if isinstance(c, QuadMesh)]
    shown = mesh.get_array().reshape(4, 7)
    masked = np.zeros((4, 7), dtype=bool)
    masked[2, 1] = masked[0, 5] = True
    np.testing.assert_array_equal(np.ma.getmaskarray(shown), masked)
    np.testing.assert_array_equal(shown[~masked], plane["rest"].values.T[~masked])
    assert mesh.norm.vmin == np.nanmin(np.where(masked.T, np.nan, plane["rest"]))
    assert mesh.get_cmap().name == "viridis"


def test_failed_cells_are_hatched_and_empty_cells_are_not(plane: xr.Dataset) -> None:
    figure = figures.map_figure(plane, "rest")
    hatched, plain = sorted((c for c in figure.axes[0].collections if isinstance(c, PolyCollection)), key=lambda c: c.get_hatch() is None)
    assert hatched.get_hatch()
    assert plain.get_hatch() is None
    (failed,), (nothing,) = hatched.get_paths(), plain.get_paths()
    for cell, (x, y) in ((failed, (3.0, float(plane["Ca"][2]))), (nothing, (7.0, float(plane["Ca"][0])))):
        assert cell.get_extents().contains(x, y)
        assert cell.get_extents().width == pytest.approx(1.0)
    assert {"failed", "no value"} <= set(words_in(figure))
    assert "One point failed" in figure.alt
    assert "1 of 28 points have no value" in figure.alt


def test_map_axes_control_and_contours(plane: xr.Dataset) -> None:
    figure = figures.map_figure(plane, "rest")
    ax, bar = figure.axes
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    (cross,) = [line for line in ax.lines if line.get_label() == "control"]
    assert cross.get_xydata().tolist() == [[4.0, 1.2]]
    assert bar.get_ylabel() == "Resting potential (mV)"
    assert ax.get_ylabel().replace("\n", " ").startswith("Extracellular ionised calcium")
    assert ax.get_ylabel().endswith("(mM)")
    labels = {t.get_text() for t in ax.texts if not isinstance(t, Annotation)}
    assert {"−90", "−80"} <= labels


def test_no_contour_runs_through_a_jump(plane: xr.Dataset) -> None:
    plane["rest"] = plane["rest"].where(plane["K"] > 4, -20.0).where(plane["status"] == 0)
    ax = figures.map_figure(plane, "rest").axes[0]
    between = [c for c in ax.collections if not isinstance(c, QuadMesh | PolyCollection)]
    assert all(x > 4.5 for c in between for path in c.get_paths() for x in path.vertices[:, 0])


def test_map_without_control_in_sight_has_no_cross(plane: xr.Dataset) -> None:
    plane.attrs["control"] = json.dumps({"K": 40.0, "Ca": 1.2})
    figure = figures.map_figure(plane, "rest")
    assert not figure.axes[0].lines
    assert "cross" not in figure.alt


def test_counts_have_a_colour_each(plane: xr.Dataset) -> None:
    ax, bar = figures.map_figure(plane, "spikes").axes
    mesh = next(c for c in ax.collections if isinstance(c, QuadMesh))
    assert mesh.norm.boundaries.tolist() == [-0.5, 0.5, 1.5, 2.5, 3.5]
    assert mesh.get_cmap().N == 4
    assert [t.get_text() for t in bar.get_yticklabels()] == ["0", "1", "2", "3"]
    assert bar.get_ylabel() == "Number of spikes"
    plane["spikes"] = plane["spikes"] * 100
    many = next(c for c in figures.map_figure(plane, "spikes").axes[0].collections if isinstance(c, QuadMesh))
    assert many.get_cmap().N <= 10


def test_map_in_words(plane: xr.Dataset) -> None:
    alt = figures.map_figure(plane, "rest").alt
    lowest = float(plane["rest"].where(plane["status"] == 0).min())
    assert alt.startswith("Resting potential against extracellular potassium from 2 to 8 mM and extracellular ionised calcium from 0.3 to 2.4 mM")
    assert f"Lowest {lowest:.3g} mV at K 2 mM and Ca 0.3 mM" in alt
    assert "-1e+06" not in alt
    assert "the control bath, K 4 mM and Ca 1.2 mM" in alt


def test_maps_refuse_what_is_not_one(plane: xr.Dataset, rests: xr.Dataset) -> None:
    with pytest.raises(figures.FigureError, match="no measure 'rst'; nearest: rest"):
        figures.map_figure(plane, "rst")
    with pytest.raises(figures.FigureError, match=r"two axes, rest has 1: K; use lines"):
        figures.map_figure(rests, "rest")
    with pytest.raises(figures.FigureError, match="use map_figure"):
        figures.lines(plane, "rest")
    plane["rest"] = plane["rest"] * np.nan
    with pytest.raises(figures.FigureError, match="nothing to draw"):
        figures.map_figure(plane, "rest")


def test_lines_show_each_measure(rests: xr.Dataset) -> None:
    rests["spikes"] = ("K", np.full(len(K), 2.0), {"units": "1", "long_name": "number of spikes"})
    rests["status"][2] = 1
    figure = figures.lines(rests, ["rest", "spikes"])
    assert [ax.get_ylabel() for ax in figure.axes] == ["Resting potential (mV)", "Number of spikes"]
    line = figure.axes[0].lines[0]
    np.testing.assert_array_equal(line.get_ydata(), np.where(np.arange(len(K)) == 2, np.nan, REST))
    assert (line.get_color(), line.get_marker()) == (style.CARRIERS["K"].color, "s")
    for ax in figure.axes:
        assert [x.get_xdata()[0] for x in ax.lines if x.get_color() == style.CONTROL.color] == [4.0]
        (band,) = ax.patches
        assert band.get_hatch()
        assert (band.get_x(), band.get_width()) == pytest.approx((1.25, 0.5))
    assert all(float(t).is_integer() for t in figure.axes[1].get_yticks())
    assert "Resting potential: -57.7 mV at 0.5 mM" in figure.alt
    assert "Number of spikes: 2 at 0.5 mM" in figure.alt


def test_lines_show_all_measures_by_default(rests: xr.Dataset) -> None:
    assert len([ax for ax in figures.lines(rests).axes if ax.get_visible()]) == 4


@pytest.mark.parametrize(("values", "geometric"), [([1, 2, 3], False), ([1, 2, 4], True), ([0.0, 1, 2], False), ([8, 4, 2], True), ([1, 2], False)])
def test_spacing(values: list[float], geometric: bool) -> None:
    x = np.array(values, dtype=float)
    assert data.is_geometric(x) == geometric
    borders = data.edges(x)
    assert len(borders) == len(x) + 1
    between = np.sqrt(x[1:] * x[:-1]) if geometric else (x[1:] + x[:-1]) / 2
    np.testing.assert_allclose(borders[1:-1], between)


@pytest.mark.parametrize(("low", "high"), [(0.5, 12), (2.1, 4.9), (1, 1e4), (0.3, 2.4)])
def test_a_logarithmic_axis_has_plain_numbers(low: float, high: float) -> None:
    ax = Figure().subplots()
    marks.scale_axis(ax, "x", np.geomspace(low, high, 5))
    ax.set_xlim(low, high)
    assert 2 <= len(ax.get_xticks()) <= 7
    assert all(low <= float(t.get_text()) <= high for t in ax.get_xticklabels())


# ---- gates

@pytest.fixture
def shifted() -> tuple[xr.Dataset, xr.Dataset]:
    def curves(shift: float) -> xr.Dataset:
        V = np.arange(-120.0, 40.5, 0.5)
        variables = {"m_inf": 1 / (1 + np.exp(-(V - shift + 40) / 6)), "h_inf": 1 / (1 + np.exp((V - shift + 70) / 6)), "tau_m": 0.1 + 0 * V}
        return xr.Dataset({n: ("V", v) for n, v in variables.items()}, {"V": ("V", V, {"units": "mV"})}, {"dpsi": shift, "title": "gates"})

    return curves(-4.8), curves(0.0)


def test_gates_with_their_shift(shifted: tuple[xr.Dataset, xr.Dataset]) -> None:
    now, before = shifted
    figure = figures.gate_figure(now, before)
    upper, lower = figure.axes
    assert (lower.get_yscale(), lower.get_ylabel(), lower.get_xlabel()) == ("log", "Time constant (ms)", "Membrane potential $V$ (mV)")
    front = {line.get_label(): line for line in upper.lines if line.get_color() != style.CONTROL.color}
    np.testing.assert_array_equal(front[style.symbol("m_inf")].get_ydata(), now["m_inf"])
    grey = [line for line in upper.lines if line.get_color() == style.CONTROL.color]
    np.testing.assert_array_equal(grey[0].get_ydata(), before["m_inf"])
    (arrow,) = [a for a in upper.texts if isinstance(a, Annotation) and a.arrow_patch is not None]
    assert arrow.xy[0] == pytest.approx(-44.8, abs=0.05)  # from the grey curve's middle to the coloured one's
    assert arrow.xyann[0] == pytest.approx(-40.0, abs=0.05)
    assert "← shift −4.8 mV" in words_in(figure)
    assert "Gate m is half-way at -44.8 mV, in the control (grey) at -40 mV." in figure.alt
    assert "An arrow shows the shift of -4.8 mV." in figure.alt


def test_gates_chosen_and_unknown(shifted: tuple[xr.Dataset, xr.Dataset]) -> None:
    figure = figures.gate_figure(shifted[1], gates=["h"])
    assert [line.get_label() for line in figure.axes[0].lines] == [style.symbol("h_inf")]
    assert not any("shift" in text for text in words_in(figure))
    with pytest.raises(figures.FigureError, match=r"no gate 'x'; .*gates: m, h"):
        figures.gate_figure(shifted[0], gates=["x"])
    with pytest.raises(figures.FigureError, match="no gate curve"):
        figures.gate_figure(shifted[0][[]])


# ---- files

FORMATS = ("svg", "pdf", "png")
ORIGIN = {"model": "fibre", "note": 'quotes " and (brackets) and \\ and < µ > & newline\n', "bath": {"K": 2.5}, "n": [1, 2.5, None]}


def test_provenance_comes_back_from_every_format(rests: xr.Dataset, tmp_path) -> None:
    figure = figures.rest_curve(rests, size="column")
    paths = figures.save(figure, tmp_path / "rest_K2.5", FORMATS, provenance=ORIGIN)
    assert [p.name for p in paths] == ["rest_K2.5.svg", "rest_K2.5.pdf", "rest_K2.5.png"]
    assert [figures.provenance_of(p) for p in paths] == [ORIGIN] * 3
    own = figures.save(figure, tmp_path / "own.svg")
    assert figures.provenance_of(own[0]) == {"model": "fibre", "axes": ["K"], "cramplab": version_here()}
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*(p.name for p in paths), "own.svg"])


def test_numpy_numbers_are_kept(rests: xr.Dataset, tmp_path) -> None:
    (path,) = figures.save(figures.rest_curve(rests, size="column"), tmp_path / "a.png", provenance={"x": np.float32(0.5), "y": np.arange(2)})
    assert figures.provenance_of(path) == {"x": 0.5, "y": [0, 1]}


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_figure_gives_the_same_bytes(tmp_path, name: str) -> None:
    def drawn() -> Figure:
        figure = Figure(figsize=(2, 2))
        figure.subplots().plot([1, 2], marker="s", label="a line")
        return figure

    first, second = (figures.save(drawn(), tmp_path / f"{i}.{name}", provenance=ORIGIN, alt="A line.")[0].read_bytes() for i in range(2))
    assert first == second


def test_a_figure_saved_again_gives_the_same_bytes(plane: xr.Dataset, tmp_path) -> None:
    figure = figures.map_figure(plane, "rest", "column")
    first, second = (figures.save(figure, tmp_path / f"{i}.svg")[0].read_bytes() for i in range(2))
    assert first == second


def test_maps_and_traces_give_the_same_bytes(plane: xr.Dataset, low_K: simulation.Recording, tmp_path) -> None:
    for make in (lambda: figures.map_figure(plane, "rest", "column"), lambda: figures.traces(low_K, symbols=["I_Na"], size="column")):
        first, second = (figures.save(make(), tmp_path / f"{i}.svg")[0].read_bytes() for i in range(2))
        assert first == second


def test_svg_speaks(rests: xr.Dataset, tmp_path) -> None:
    figure = figures.rest_curve(rests)
    (path,) = figures.save(figure, tmp_path / "rest.svg", alt="Potential < 0 & rising. More.", title="A <rest>")
    root = ElementTree.parse(path).getroot()
    svg = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    title, description = root.find(f"{svg}title"), root.find(f"{svg}desc")
    assert (title.text, description.text) == ("A <rest>", "Potential < 0 & rising. More.")
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    texts = {"".join(t.itertext()) for t in root.iter(f"{svg}text")}
    assert {"two stable rests", "control"} <= texts  # text stays text
    assert b"dc:date" not in path.read_bytes()
    assert root.get("width") == f"{13.33 * 72:g}pt"


def test_pdf_and_png_speak(rests: xr.Dataset, tmp_path) -> None:
    figure = figures.rest_curve(rests)
    pdf, png = figures.save(figure, tmp_path / "rest", ("pdf", "png"))
    raw = pdf.read_bytes()
    assert b"/Title (Resting potential against extracellular potassium)" in raw
    assert figure.alt.encode()[:40] in raw
    assert b"/CreationDate" not in raw
    with Image.open(png) as image:
        assert image.text["Title"] == figure.title
        assert image.text["Description"] == figure.alt
        assert image.info["dpi"] == pytest.approx((200, 200), abs=0.1)
        assert image.size == (2666, 1500)


def test_save_refuses_in_a_sentence(rests: xr.Dataset, tmp_path) -> None:
    figure = figures.rest_curve(rests, size="column")
    with pytest.raises(figures.FigureError, match=r"written as \.svg, \.pdf or \.png, not as '\.jpg'"):
        figures.save(figure, tmp_path / "a.jpg")
    with pytest.raises(figures.FigureError, match="not as 'gif'"):
        figures.save(figure, tmp_path / "a", ("svg", "gif"))
    with pytest.raises(figures.FigureError, match="provenance"):
        figures.save(Figure(), tmp_path / "a.png", alt="Nothing.")
    with pytest.raises(figures.FigureError, match="alt"):
        figures.save(Figure(), tmp_path / "a.png", provenance=ORIGIN)
    assert not list(tmp_path.iterdir())


def test_provenance_of_refuses_in_a_sentence(tmp_path) -> None:
    for name in FORMATS:
        Figure(figsize=(1, 1)).savefig(tmp_path / f"bare.{name}")
        with pytest.raises(figures.FigureError, match="does not say what made it"):
            figures.provenance_of(tmp_path / f"bare.{name}")
    for name in ("svg", "png"):
        (tmp_path / f"broken.{name}").write_bytes(b"no figure")
        with pytest.raises(figures.FigureError, match=f"cannot be read as {name.upper()}"):
            figures.provenance_of(tmp_path / f"broken.{name}")
    with pytest.raises(figures.FigureError, match="there is no file"):
        figures.provenance_of(tmp_path / "none.svg")
    with pytest.raises(figures.FigureError, match=r"not from '\.txt'"):
        figures.provenance_of(tmp_path / "a.txt")


def test_a_notebook_gets_image_and_description(rests: xr.Dataset) -> None:
    figure = figures.rest_curve(rests, size="column")
    image, about = figure._repr_png_()
    assert image.startswith(b"\x89PNG")
    assert about == {"alt": figure.alt}
