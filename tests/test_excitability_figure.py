"""Figures of examinations: that they show the curves that clinicians know, say which is which, and can be read."""

from __future__ import annotations

import itertools
import json

import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from simulation import figures, prepare
from simulation.experiment.excitability import (
    EXAMINATIONS,
    Accommodation,
    CurrentThreshold,
    FiringRate,
    Latency,
    RecoveryCycle,
    StrengthDuration,
    Threshold,
    ThresholdElectrotonus,
)
from simulation.figures import excitability, style

SMALL = {
    "strength-duration": StrengthDuration((0.2, 0.8, 3.2, 12.8)),
    "latency": Latency((1.1, 1.5, 3.0)),
    "recovery": RecoveryCycle((5.0, 16.0, 18.0, 24.0)),
    "electrotonus": ThresholdElectrotonus(delays=(0.0, 95.0, 103.0)),
    "current-threshold": CurrentThreshold(percents=(-20.0, 0.0, 20.0)),
    "accommodation": Accommodation((2.0, 10.0)),
    "f-I": FiringRate((1.02, 3.0), 60.0),
    "threshold": Threshold(),
}
CURVED = sorted(set(SMALL) - {"threshold"})
K = {"units": "mM", "long_name": "potassium"}


@pytest.fixture(scope="module")
def one():
    """``one(name)``: an examination of the squid axon, made once."""
    p, made = prepare("squid"), {}

    def of(name: str) -> xr.Dataset:
        if name not in made:
            made[name] = SMALL[name].of(p)
        return made[name].copy(deep=True)

    return of


@pytest.fixture(scope="module")
def over(one):
    """``over(name, values, control)``: like a sweep over potassium, with somewhat other curves at each value."""

    def of(name: str, values: tuple[float, ...] = (3.0, 4.2, 8.0), control: float = 4.2) -> xr.Dataset:
        whole = one(name)
        attributes = whole.attrs | {"control": json.dumps({"K": control})}
        made = xr.concat([whole * (1 + 0.05 * i) for i in range(len(values))], "K", join="override").assign_coords(K=("K", list(values), K))
        for n in whole.data_vars:
            made[n].attrs = whole[n].attrs
        for n in whole.coords:
            made[n].attrs = whole[n].attrs
        made["status"] = ("K", np.zeros(len(values), dtype=np.int8))
        made["message"] = ("K", np.array([""] * len(values), dtype=object))
        return made.assign_attrs(attributes)

    return of


NINE = tuple(np.linspace(2.2, 10.2, 9).round(1))


def words_in(figure: Figure) -> str:
    return " | ".join(t.get_text().replace("\n", " ") for t in figure.findobj(matplotlib.text.Text) if t.get_visible())


def curves(figure: Figure, start: str) -> list:
    return [line for line in figure.axes[0].lines if str(line.get_label()).startswith(start)]


def keys(figure: Figure) -> list[str]:
    return [t.get_text() for legend in figure.legends for t in legend.get_texts()]


def assert_legible(figure: Figure, smallest: float) -> None:
    """Every word inside the figure and on no other word, and letters not too small."""
    figure.draw_without_rendering()  # a legend finds its place only then
    texts = [t for t in figure.findobj(matplotlib.text.Text) if t.get_visible() and t.get_text().strip()]
    hidden = _beyond(figure)
    shown = [t for t in texts if id(t) not in hidden]
    boxes = [(t.get_text(), t.get_window_extent()) for t in shown]
    for text, box in boxes:
        assert box.x0 >= -1, text
        assert box.y0 >= -1, text
        assert box.x1 <= figure.bbox.width + 1, text
        assert box.y1 <= figure.bbox.height + 1, text
    for (a, first), (b, second) in itertools.combinations(boxes, 2):
        assert min(first.x1, second.x1) - max(first.x0, second.x0) < 1 or min(first.y1, second.y1) - max(first.y0, second.y0) < 1, (a, b)
    assert min(t.get_fontsize() for t in shown) >= smallest


def _beyond(figure: Figure) -> set[int]:
    """Labels of ticks that lie beyond their axis and are not drawn, by identity."""
    hidden = set()
    for axis in (a for ax in figure.axes for a in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not low <= tick.get_loc() <= high:
                hidden |= {id(tick.label1), id(tick.label2)}
    return hidden


# ---- all of them

def test_every_examination_with_curves_has_a_plot() -> None:
    assert set(excitability._PLOTS) == {name for name, e in EXAMINATIONS.items() if e.curves}


@pytest.mark.parametrize("name", CURVED)
def test_one_membrane_is_legible_in_black(one, name: str) -> None:
    figure = figures.excitability_figure(one(name), "half")
    assert_legible(figure, 14)
    data = [line for ax in figure.axes for line in ax.lines if len(line.get_xdata()) == len(one(name)[SMALL[name].scale.name])]
    assert style.POTENTIAL.color in {line.get_color() for line in data}
    assert figure.provenance["examinations"][0]["name"] == name
    assert "Squid giant axon" in figure.title
    assert figure.alt.startswith(figure.title)


@pytest.mark.parametrize("name", CURVED)
def test_three_and_nine_membranes_are_legible(over, name: str) -> None:
    assert_legible(figures.excitability_figure(over(name), "column"), 6.5)
    assert_legible(figures.excitability_figure(over(name, NINE), "slide"), 16)


@pytest.mark.parametrize("name", ["recovery", "electrotonus", "strength-duration"])
def test_the_control_is_black_thicker_and_named(over, name: str) -> None:
    figure = figures.excitability_figure(over(name), "column")
    assert {"K 3 mM", "K 4.2 mM (control)", "K 8 mM"} <= set(keys(figure))
    (control, *_), (low, *_), (high, *_) = (curves(figure, start) for start in ("K 4.2 mM (control)", "K 3 mM", "K 8 mM"))
    assert control.get_color() == style.POTENTIAL.color
    assert control.get_linewidth() > 1.5 * low.get_linewidth()
    assert control.get_zorder() > low.get_zorder()
    assert len({line.get_color() for line in (control, low, high)}) == 3
    assert len({line.get_marker() for line in (control, low, high)}) == 3
    assert "3 curves, from K 3 to 8 mM, the control in black" in figure.alt


def test_many_membranes_have_a_colour_bar(over) -> None:
    figure = figures.excitability_figure(over("latency", NINE, control=4.2))
    assert keys(figure) == ["K 4.2 mM (control)"]
    bar = figure.axes[-1]
    assert bar.get_ylabel().startswith("Extracellular potassium")
    colours = [line.get_color() for line in figure.axes[0].lines]
    assert len(set(colours)) == 9
    (mesh,) = [c for c in bar.collections if isinstance(c, matplotlib.collections.QuadMesh)]
    assert [to_rgb(c) for c in mesh.get_cmap().colors] == [to_rgb(c) for c in colours]
    assert figures.excitability_figure(over("latency", NINE, control=20.0)).legends == []


def test_curves_run_along_the_rising_axis(over) -> None:
    falling = figures.excitability_figure(over("latency", (8.0, 4.2, 3.0)), "column")
    assert keys(falling) == ["K 3 mM", "K 4.2 mM (control)", "K 8 mM"]


# ---- one by one

def test_recovery(one) -> None:
    dataset = one("recovery")
    figure = figures.excitability_figure(dataset)
    (ax,) = figure.axes
    (line,) = curves(figure, "threshold_change")
    np.testing.assert_array_equal(line.get_xdata(), dataset["interval"])
    np.testing.assert_array_equal(line.get_ydata(), dataset["threshold_change"])
    assert ax.get_xscale() == "log"
    assert ax.get_ylim()[1] <= excitability.HIGHEST_CHANGE
    assert any(set(x.get_ydata()) == {0.0} for x in ax.lines)
    tints = {tuple(c.get_facecolor()[0][:3]) for c in ax.collections if len(c.get_paths()) and c.get_paths()[0].vertices.size}
    assert {to_rgb(excitability._PHASES[p]) for p in ("refractory", "superexcitable")} <= tints
    assert {"refractory", "superexcitable"} <= set(words_in(figure).split(" | "))
    assert "no current evokes a second spike" in keys(figure)
    assert "No current evokes a second spike at 5 ms" in figure.alt
    assert f"superexcitability {float(dataset['superexcitability']):.3g} % at" not in figure.alt  # a number is a number, not a curve's point
    assert f"superexcitability {float(dataset['superexcitability']):.3g} %" in figure.alt


def test_electrotonus(one) -> None:
    dataset = one("electrotonus")
    figure = figures.excitability_figure(dataset)
    (up,), (down,) = curves(figure, "TEd"), curves(figure, "TEh")
    np.testing.assert_array_equal(up.get_ydata(), dataset["TEd"])
    np.testing.assert_array_equal(down.get_ydata(), dataset["TEh"])
    assert (up.get_markerfacecolor(), down.get_markerfacecolor()) == (style.POTENTIAL.color, "white")
    (bar,) = curves(figure, "current")
    assert list(bar.get_xdata()) == [0, 100]
    assert keys(figure) == ["depolarising", "hyperpolarising"]
    share = "threshold" if np.isclose(dataset["unit_current"], dataset["threshold"]) else "rheobase"
    assert f"current ±40 % of {share}" in words_in(figure)
    dataset["TEd"][:2] = 100.0
    assert "fires by itself" in words_in(figures.excitability_figure(dataset))


def test_current_threshold_stands_as_clinicians_draw_it(one) -> None:
    dataset = one("current-threshold")
    figure = figures.excitability_figure(dataset)
    (line,) = curves(figure, "polarising_current")
    np.testing.assert_array_equal(line.get_xdata(), dataset["threshold_reduction"])
    np.testing.assert_array_equal(line.get_ydata(), dataset["polarising_current"])
    assert figure.axes[0].get_xlabel() == "Threshold reduction (%)"
    assert figure.axes[0].get_ylabel().startswith("Current (% of ")
    assert {0.0} in [set(x.get_xdata()) for x in figure.axes[0].lines]
    assert {0.0} in [set(x.get_ydata()) for x in figure.axes[0].lines]


def test_strength_duration(one) -> None:
    dataset = one("strength-duration")
    figure = figures.excitability_figure(dataset)
    current, charge = figure.axes
    assert (current.get_xscale(), current.get_yscale(), charge.get_xscale(), charge.get_yscale()) == ("log", "log", "linear", "linear")
    lines = {str(line.get_label()): line for ax in figure.axes for line in reversed(ax.lines)}
    rheobase, tau = float(dataset["rheobase_Lapicque"]), float(dataset["tau_Lapicque"])
    d, fitted = lines["Lapicque"].get_data()
    np.testing.assert_allclose(fitted, rheobase / (1 - np.exp(-d / tau)))
    assert lines[f"rheobase {float(dataset['rheobase']):.3g} µA/cm²"].get_ydata()[0] == float(dataset["rheobase"])
    assert lines[f"chronaxie {float(dataset['chronaxie']):.3g} ms"].get_xdata()[0] == float(dataset["chronaxie"])
    x, Q = lines["charge"].get_data()
    np.testing.assert_allclose(Q, x * dataset["threshold"].sel(duration=x))
    (weiss,) = [line for line in charge.lines if line.get_label() == "Weiss"]
    assert weiss.get_xydata()[0].tolist() == [-float(dataset["tau_Weiss"]), 0.0]
    assert charge.get_ylabel() == "Threshold charge (nC/cm²)"


def test_firing_rate_and_silence(one) -> None:
    dataset = one("f-I")
    (line,) = curves(figures.excitability_figure(dataset), "rate")
    np.testing.assert_array_equal(line.get_xdata(), dataset["current"])
    dataset["rate"][:], dataset["spikes"][:] = 0.0, 1.0
    assert "no more than 1 spike" in words_in(figures.excitability_figure(dataset))


def test_accommodation_and_latency(one) -> None:
    dataset = one("accommodation")
    dataset["ramp_threshold"][-1] = np.nan
    figure = figures.excitability_figure(dataset)
    assert keys(figure) == ["no ramp evokes a spike"]
    assert "No ramp evokes a spike at 10 ms" in figure.alt
    latency = figures.excitability_figure(one("latency"))
    assert latency.axes[0].get_ylim()[0] == 0
    assert f"{float(one('latency')['latency'][0]):.3g} ms at 1.1" in latency.alt


# ---- what cannot be measured, what cannot be drawn

def test_membranes_without_a_curve_are_named(over) -> None:
    dataset = over("latency", (3.0, 4.2, 5.0, 8.0))
    dataset["threshold"][0], dataset["threshold"][3] = 0.0, np.nan
    dataset["latency"][[0, 3]] = np.nan
    dataset["status"][2] = 1
    dataset["latency"][1, 0] = np.nan
    figure = figures.excitability_figure(dataset, "column")
    note = words_in(figure)
    for part in ("K 3 mM: fires without a stimulus.", "K 5 mM: failed.", "K 8 mM: no current evokes a spike.", "Gaps: no spike."):
        assert part in note
    assert "K 8 mM: no current evokes a spike." in figure.alt
    assert "One point failed" in figure.alt
    assert_legible(figure, 6.5)
    dataset["latency"][:] = np.nan
    with pytest.raises(figures.FigureError, match="no curve to draw: fires without a stimulus"):
        figures.excitability_figure(dataset)


def test_numbers_alone_are_drawn_over_an_axis(one, over) -> None:
    with pytest.raises(figures.FigureError, match=r"threshold gives numbers and no curve; .* over an axis, for example K=2:8:13"):
        figures.excitability_figure(one("threshold"))
    figure = figures.excitability_figure(over("threshold"))
    assert len([ax for ax in figure.axes if ax.get_visible()]) == 4
    assert "Rheobase" in words_in(figure)


def test_refusals(one, over) -> None:
    two = over("latency").expand_dims(Ca=[1.0, 2.0])
    with pytest.raises(figures.FigureError, match="one axis, this result has Ca and K"):
        figures.excitability_figure(two)
    with pytest.raises(figures.FigureError, match="not of an examination"):
        figures.excitability_figure(one("latency").assign_attrs(provenance="{}"))
    with pytest.raises(figures.FigureError, match="no size 'slid'; nearest: slide"):
        figures.excitability_figure(one("latency"), "slid")


def test_the_same_bytes_and_provenance_in_the_file(over, tmp_path) -> None:
    dataset = over("strength-duration")
    first, second = (figures.save(figures.excitability_figure(dataset, "column"), tmp_path / f"{i}.svg")[0] for i in range(2))
    assert first.read_bytes() == second.read_bytes()
    assert figures.provenance_of(first) == json.loads(dataset.attrs["provenance"])
