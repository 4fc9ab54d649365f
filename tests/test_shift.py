"""Surface charge as a named quantity: potential, gating shift with its band, closed form; what is printed and drawn of it."""

from __future__ import annotations

import json
import math

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from scipy.optimize import brentq

import simulation
from simulation import cli, figures, models, parameter_sets
from simulation.experiment.errors import ExperimentError
from simulation.experiment.shift import BANDS, TEXTS, gating_shift
from simulation.figures import style
from simulation.figures.shift import alt_text
from simulation.physiology import surface_charge

REFERENCE = {"K": 4.2, "Na": 142.0, "Ca": 1.2, "Mg": 0.55, "pH": 7.4}
WITH_CHARGE = ("axon", "fibre")


@pytest.fixture(scope="module")
def axon():
    return simulation.prepare("axon")


def shift(p, **bath: float) -> float:
    return float(gating_shift(p.in_bath(bath))["shift_Na"])


# ---- the root

@pytest.mark.parametrize(("bath", "expected"), [
    ({"Ca": 2.4}, 4.4), ({"Ca": 1.6}, 1.7), ({"Ca": 1.2}, 0.0), ({"Ca": 1.0}, -0.95), ({"Ca": 0.8}, -2.0), ({"Ca": 0.6}, -3.2), ({"Ca": 0.4}, -4.5),
    ({"Ca": 0.1}, -6.9), ({"Mg": 0.3}, -0.95), ({"Mg": 0.2}, -1.35), ({"Mg": 2.0}, 4.3), ({"Ca": 0.6, "Mg": 0.2}, -5.1), ({"pH": 7.6}, -1.0),
])
def test_shifts_are_those_of_an_independent_implementation(axon, bath, expected):
    assert shift(axon, **bath) == pytest.approx(expected, abs=0.3)


def test_less_salt_shifts_like_less_calcium(axon):
    assert shift(axon, Na=115) - shift(axon, Na=140) == pytest.approx(-1.6, abs=0.3)


def grahame(K: float, Na: float, Ca: float, Mg: float, pH: float, T: float, given: dict[str, float]) -> float:
    """Surface potential (mV) of Grahame's sum over the ions against sites that each bind a proton or a divalent, in SI units."""
    RT, F = 8.314462618 * T, 96485.33212
    monovalent, divalent = Na + K, Ca + given["w_Mg"] * Mg
    ions = ((1, monovalent), (2, divalent), (-1, monovalent + 2 * divalent))

    def excess(psi: float) -> float:
        def at_surface(z: int, c: float) -> float:
            return c * math.exp(-z * F * psi / RT)

        squared = 2 * given["eps_r"] * 8.8541878128e-12 * RT * sum(at_surface(z, c) - c for z, c in ions)
        diffuse = math.copysign(math.sqrt(max(squared, 0.0)), psi)
        H = at_surface(1, 10.0**-pH)
        divalents = at_surface(2, Ca) / given["K_Ca"] + at_surface(2, Mg) / given["K_Mg"]
        acids = sum(given[f"d_{i}"] / (1 + H / 10 ** -given[f"pK_{i}"] + divalents) for i in (1, 2))
        ratio = H / 10 ** -given["pK_b"]
        return diffuse - given["sigma_scale"] * 0.1602176634 * (given["d_b"] * ratio / (1 + ratio) - acids)

    return 1000 * brentq(excess, -0.3, 0.2, xtol=1e-12)


@pytest.mark.parametrize("model", WITH_CHARGE)
@pytest.mark.parametrize("bath", [{}, {"Ca": 0.1}, {"Ca": 5, "Mg": 2}, {"Mg": 0.2, "K": 8}, {"Na": 110, "pH": 6.8}, {"T": 20, "Ca": 0.6}])
def test_the_surface_potential_solves_grahames_equation(model, bath):
    p = simulation.prepare(model, bath)
    numbers, whole = p.numbers(), p.whole_bath
    found = gating_shift(p)
    T = whole["T"] + 273.15
    here = grahame(*(whole[ion] for ion in REFERENCE), T=T, given=numbers)
    there = grahame(*(numbers[f"{ion}_ref"] for ion in REFERENCE), T=T, given=numbers)
    assert float(found["psi"]) == pytest.approx(here, abs=1e-6)
    assert float(found["psi_ref"]) == pytest.approx(there, abs=1e-6)
    assert float(found["shift_Na"]) == pytest.approx(numbers["w_Na"] * (here - there), abs=1e-6)
    assert float(found["shift_K"]) == pytest.approx(numbers["w_K"] * (here - there), abs=1e-6)


@given(st.floats(0.1, 3.0), st.floats(0.02, 2.0), st.floats(0, 2), st.floats(6.5, 8.2))
def test_calcium_and_magnesium_raise_the_shift_and_magnesium_less(axon, Ca, more, Mg, pH):
    here = shift(axon, Ca=Ca, Mg=Mg, pH=pH)
    by_calcium = shift(axon, Ca=Ca + more, Mg=Mg, pH=pH)
    by_magnesium = shift(axon, Ca=Ca, Mg=Mg + more, pH=pH)
    assert here < by_magnesium < by_calcium


# ---- the closed form

@pytest.mark.parametrize("model", WITH_CHARGE)
@pytest.mark.parametrize(("ion", "values"), [("Ca", np.geomspace(0.1, 5, 40)), ("Mg", np.linspace(0, 2, 21))])
def test_the_closed_form_keeps_to_the_root_over_either_ion(model, ion, values):
    found = gating_shift(simulation.prepare(model), ion, values)
    assert float(np.abs(found["difference"]).max()) < 0.15
    np.testing.assert_allclose(found["difference"], found["closed"] - (found["psi"] - found["psi_ref"]), atol=1e-12)


@pytest.mark.parametrize(("model", "worst"), [("axon", 0.26), ("fibre", 0.19)])
def test_over_both_ions_it_is_as_far_off_as_its_note_says(model, worst):
    Ca, Mg = np.meshgrid(np.geomspace(0.1, 5, 60), np.linspace(0, 2, 41))
    p = simulation.prepare(model).numbers()
    sites = {s: p[s] for s in ("sigma_scale", "eps_r", "w_Mg", "d_1", "pK_1", "d_2", "pK_2", "d_b", "pK_b", "K_Ca", "K_Mg")}
    bath = {"T": p["T"], "K_o": p["K_ref"], "Na_o": p["Na_ref"], "pH": p["pH_ref"]}
    exact = surface_charge.psi(Ca_o=Ca, Mg_o=Mg, **bath, **sites) - surface_charge.psi(Ca_o=p["Ca_ref"], Mg_o=p["Mg_ref"], **bath, **sites)
    closed = surface_charge.dpsi_closed(Ca, Mg, *(p[s] for s in ("Ca_ref", "Mg_ref", "k_closed", "a_closed", "c_closed")))
    off = np.abs(closed - exact)
    assert off.max() < worst
    assert np.mean(off < 0.15) > 0.98  # further off in the corners only
    slope_of_Ca, slope_of_Mg = np.diff(closed, axis=1), np.diff(closed, axis=0)
    assert slope_of_Ca.min() > 0
    assert slope_of_Mg.min() > 0


def test_the_closed_form_of_the_axon_is_the_one_stated():
    stated = 10.3 * math.log((0.6 + 0.79 * 0.2 + 0.607) / (1.2 + 0.79 * 0.55 + 0.607))
    assert surface_charge.dpsi_closed(0.6, 0.2, 1.2, 0.55, 10.3, 0.79, 0.607) == pytest.approx(stated, rel=1e-12)
    assert float(gating_shift(simulation.prepare("axon", "Ca=0.6,Mg=0.2"))["closed"]) == pytest.approx(stated, rel=1e-12)
    assert np.isfinite(surface_charge.dpsi_closed(0.0, 0.0, 1.2, 0.55, 10.3, 0.79, 0.607))


@pytest.mark.parametrize("model", WITH_CHARGE)
def test_the_closed_form_follows_calcium_and_magnesium_alone_and_moves_no_rate(model):
    bound = models.bound(model)
    assert {"Ca_o", "Mg_o"} < set(bound.definition("dpsi_closed").arguments.values())
    assert all("dpsi_closed" not in d.arguments.values() for d in bound.definitions)
    p = simulation.prepare(model)
    control = float(gating_shift(p)["closed"])
    for bath in ({"K": 8}, {"Na": 115}, {"pH": 7.0}, {"T": 25}):
        assert float(gating_shift(p.in_bath(bath))["closed"]) == control


# ---- the band

@pytest.mark.parametrize("model", [*WITH_CHARGE, "axon_rhythmic"])
@given(st.floats(0.1, 5), st.floats(0, 2))
def test_the_band_holds_the_value(prepared, model, Ca, Mg):
    found = gating_shift(prepared(model).in_bath(Ca=Ca, Mg=Mg))
    for name in BANDS:
        assert found[f"{name}_low"] <= found[name] <= found[f"{name}_high"]
    assert found["shift_K_low"] <= found["shift_Na_low"]  # w_K may be as large as w_Na
    assert found["shift_K_high"] >= found["shift_Na_high"]


def test_the_band_is_that_of_the_parameter_file(axon):
    p = axon.in_bath(Ca=0.6, Mg=0.2)
    found = gating_shift(p)
    corners = [{"w_Mg": w, "K_Mg": K} for w in p.parameters["w_Mg"].range for K in p.parameters["K_Mg"].range]
    ends = [float(gating_shift(p.with_values(corner))["shift_Na"]) for corner in corners]
    assert float(found["shift_Na_low"]) == pytest.approx(min(ends), abs=1e-9)
    assert float(found["shift_Na_high"]) == pytest.approx(max(ends), abs=1e-9)
    assert json.loads(found["shift_K"].attrs["band"]) == {s: list(p.parameters[s].range) for s in ("w_Mg", "K_Mg", "w_K")}


def test_in_the_reference_bath_nothing_is_shifted_or_uncertain(axon):
    found = gating_shift(axon)
    for name in (*BANDS, *(f"{n}_{end}" for n in BANDS for end in ("low", "high")), "closed", "difference"):
        assert float(found[name]) == pytest.approx(0.0, abs=1e-9), name


# ---- the dataset

def test_the_dataset_says_what_it_holds(axon):
    over = gating_shift(axon.in_bath(Ca=0.6, Mg=0.2), "Ca", [0.6, 1.2])
    one = gating_shift(axon.in_bath(Ca=0.6, Mg=0.2))
    assert set(over.data_vars) == set(one.data_vars) == set(TEXTS)
    for name, text in TEXTS.items():
        assert over[name].attrs["units"] == "mV"
        assert over[name].attrs["long_name"] == text
        assert one[name].dims == ()
        assert over[name].dims == ("Ca",)
        assert float(over[name][0]) == pytest.approx(float(one[name]))
    assert over["Ca"].attrs == {"units": "mM", "long_name": "ionised calcium"}
    made = json.loads(over.attrs["provenance"])
    assert (made["model"], made["bath"], made["over"]) == ("axon", {"Ca": 0.6, "Mg": 0.2}, {"Ca": [0.6, 1.2]})
    assert json.loads(over.attrs["reference"]) == REFERENCE


@pytest.mark.parametrize("name", ["squid", "node"])
def test_a_model_without_surface_charge_says_which_have_it(name):
    with pytest.raises(ExperimentError, match=f"{name} has no surface charge; models that have it: fibre, muscle, axon"):
        gating_shift(simulation.prepare(name))


@pytest.mark.parametrize(("over", "values", "said"), [
    ("Ca", None, "needs its name and its values"), (None, [1.0], "needs its name and its values"), ("Cl", [100.0], "the bath of axon has no Cl"),
    ("Ca", [], "a list of numbers"), ("Ca", [[1.0]], "a list of numbers"), ("Ca", [-1.0], "bath Ca = -1"), ("Ca", [math.nan], "not a number"),
])
def test_values_that_cannot_be(axon, over, values, said):
    with pytest.raises(ExperimentError, match=said):
        gating_shift(axon, over, values)


def test_the_numbers_of_the_closed_form_are_fitted_and_say_to_what():
    for name in WITH_CHARGE:
        for symbol in ("k_closed", "a_closed", "c_closed"):
            parameter = parameter_sets.load(name)[symbol]
            assert parameter.kind == "fitted"
            assert "root of this same model" in parameter.note or "as k_closed" in parameter.note


# ---- the figure

@pytest.fixture(scope="module")
def over_calcium(axon):
    return gating_shift(axon.in_bath(Ca=0.6, Mg=0.2), "Ca", np.linspace(0.1, 5, 50))


@pytest.mark.parametrize("size", list(figures.SIZES))
def test_the_figure_shows_lines_bands_and_baths(over_calcium, size):
    figure = figures.shift_figure(over_calcium, size)
    upper, lower = figure.axes
    lines = {line.get_label(): line for line in upper.lines}
    np.testing.assert_array_equal(lines["Na gates"].get_ydata(), over_calcium["shift_Na"])
    np.testing.assert_array_equal(lines["K gates"].get_ydata(), over_calcium["shift_K"])
    np.testing.assert_array_equal(lines["closed form"].get_ydata(), over_calcium["closed"])
    assert lines["closed form"].get_linestyle() == ":"
    assert lines["Na gates"].get_color() == style.CARRIERS["Na"].color
    assert len({to_hex(band.get_facecolor()[0]) for band in upper.collections}) == 2
    assert any(np.array_equal(line.get_ydata(), over_calcium["difference"]) for line in lower.lines)
    assert lower.get_xlabel() == r"Extracellular ionised calcium $[\mathrm{Ca}]_{o}$ (mM)"
    assert lower.get_ylabel() == "Closed form less exact shift (mV)"
    upright = {line.get_xdata()[0] for line in upper.lines if len(line.get_xdata()) == 2 and line.get_xdata()[0] == line.get_xdata()[1]}
    assert upright == {0.6, 1.2}
    assert {"asked", "reference"} <= {text.get_text() for text in upper.texts}
    assert lower.get_window_extent().height < 0.5 * upper.get_window_extent().height
    smallest = min(t.get_fontsize() for t in figure.findobj(matplotlib.text.Text) if t.get_text().strip() and t.get_visible())
    assert smallest >= (16 if size == "slide" else 12 if size == "half" else 6.5)


def test_the_figure_says_what_it_shows(over_calcium, tmp_path):
    figure = figures.shift_figure(over_calcium)
    assert figure.alt == alt_text(over_calcium)
    assert "Sodium gates: -9.91 mV at 0.1 mM, -5.08 mV at 0.6 mM" in figure.alt
    assert "The reference bath is marked at 1.2 mM. The bath asked for is marked at 0.6 mM." in figure.alt
    (path,) = figures.save(figure, tmp_path / "shift.svg")
    assert figures.provenance_of(path)["bath"] == {"Ca": 0.6, "Mg": 0.2}


def test_baths_beyond_the_axis_are_not_marked(axon):
    figure = figures.shift_figure(gating_shift(axon, "Ca", [2.0, 3.0, 4.0]), "column")
    assert not figure.axes[0].texts
    assert "marked" not in figure.alt
    assert len(figures.shift_figure(gating_shift(axon, "pH", [7.0, 7.4, 7.8]), "column").axes[0].texts) == 1  # asked for is the reference


def test_a_figure_needs_an_ion(axon):
    with pytest.raises(figures.FigureError, match="needs values over one ion"):
        figures.shift_figure(gating_shift(axon))


# ---- the command

@pytest.fixture
def cramplab(capsys, tmp_path, monkeypatch):
    """Calls a command in an empty folder; gives exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main(args)
        return code, *capsys.readouterr()

    return call


def test_the_command_says_what_the_shift_means(cramplab):
    code, out, err = cramplab("shift", "--bath", "Ca=0.6,Mg=0.2")
    assert (code, err) == (0, "")
    flat = " ".join(out.split())
    assert "Sodium gates open at potentials that are 5.1 mV more negative than in the reference bath" in flat
    assert "the membrane is more excitable" in flat
    assert "surface potential here -104.6 mV" in flat
    assert "shift of sodium gates -5.1 mV between -5.3 mV and -4.5 mV" in flat
    assert "shift of potassium gates -2.5 mV between -5.3 mV and 0.0 mV" in flat
    assert "closed form, from Ca and Mg alone -5.1 mV off by -0.02 mV" in flat
    assert "(K_Mg 28000 to 5.6e+06 mM)" in flat
    assert "the share of the shift that potassium gates feel (w_K 0 to 1)" in flat
    assert max(map(len, out.splitlines())) <= 80
    assert "less excitable" in cramplab("shift", "fibre", "--bath", "Ca=2.4")[1]
    assert "neither more nor less excitable" in " ".join(cramplab("shift")[1].split())


def test_the_command_as_json(cramplab):
    code, out, err = cramplab("shift", "fibre", "--bath", "Ca=0.6", "--over", "Ca=0.6,1.2", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["model"] == "fibre"
    assert found["shift_Na"]["low"] <= found["shift_Na"]["value"] <= found["shift_Na"]["high"] < 0
    assert found["shift_K"]["band"]["w_K"] == [0, 1]
    assert found["over"]["Ca"] == [0.6, 1.2]
    assert found["over"]["shift_Na"] == pytest.approx([found["shift_Na"]["value"], 0.0], abs=1e-9)
    assert found["files"] == []


def test_a_figure_without_an_ion_goes_over_calcium(cramplab, tmp_path):
    code, out, err = cramplab("shift", "--bath", "Mg=0.2", "--figure", "s.svg", "--size", "column", "--out", "s.csv")
    assert (code, err) == (0, "")
    assert "Saved: s.svg" in out
    assert list(figures.provenance_of(tmp_path / "s.svg")["over"]) == ["Ca"]
    rows = (tmp_path / "s.csv").read_text(encoding="utf-8").splitlines()
    assert rows[2].startswith("Ca,psi,psi_ref,shift_Na,")
    assert len(rows) == 3 + 50
    assert rows[3].startswith("0.1,")
    assert cramplab("why", "s.csv")[0] == 0


def test_over_an_ion_prints_its_values(cramplab):
    out = cramplab("shift", "--over", "Mg=0.1:2:20")[1]
    table = out[out.index("Mg  "):].splitlines()
    assert table[0].split("  ")[0] == "Mg"
    assert table[1].split()[:2] == ["0.1", "mM"]
    assert table[9].split()[:2] == ["2", "mM"]


@pytest.mark.parametrize(("args", "said"), [
    (("squid",), "squid has no surface charge; models that have it: fibre, muscle, axon"), (("axno",), "there is no model 'axno'; nearest: axon"),
    (("--over", "Cl=90:120:3"), "the bath of axon has no Cl"), (("--over", "Ca"), "is not an axis"),
    (("--figure", "s.txt"), "a figure is written as .svg or .pdf or .png"),
    (("--figure", "s.svg", "--size", "slid"), "no size 'slid'; nearest: slide"),
    (("--over", "Ca=1.2,0.6,2.4", "--figure", "s.svg", "--out", "s.nc"), "neither rise nor fall"),
])
def test_wrong_use(cramplab, tmp_path, args, said):
    code, out, err = cramplab("shift", *args)
    assert (code, out) == (2, "")
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_help(cramplab):
    code, out, _ = cramplab("shift", "--help")
    assert code == 0
    assert out.isascii()
    assert max(map(len, out.splitlines())) <= 80
    assert "[MODEL]" in out
