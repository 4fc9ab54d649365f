"""Fits: what was planted is found, what cannot be known is said, and the file that is written says what it is."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pytest

import simulation as sim
from simulation import figures, parameter_sets
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.figures.fit import fit_figure
from simulation.studies.fit import Target, _determined, curve_dataset, fit, read_curve, to_curve, to_rows, write

K = np.array([2.5, 3.0, 4.0, 5.0, 8.0, 12.0])
PLANTED = {"P_Kir": 1.3, "J_NKCC": 0.8}


@pytest.fixture(scope="module")
def curve(fibre):
    planted = fibre.scaled(PLANTED)
    return np.array([sim.find_rest(planted.in_bath(K=k)).V for k in K])


@pytest.fixture(scope="module")
def found(fibre, curve):
    return fit(fibre, PLANTED, lambda p, names: to_curve(p, names, K, curve, "K", "rest", "curve.csv", jobs=1), restarts=1)


@pytest.fixture
def csv(here, curve):
    (here / "curve.csv").write_text("K,rest\n" + "".join(f"{k},{v:.6f}\n" for k, v in zip(K, curve, strict=True)), encoding="utf-8")
    return "curve.csv"


# ---- curves

def test_planted_parameters_are_found(fibre, found):
    for f in found.parameters:
        assert f.value == pytest.approx(fibre.parameters[f.drawn.name].value * PLANTED[f.drawn.name], rel=1e-5)
        assert f.sd < 1e-4 * f.value
        assert not f.at_bound
    assert found.rms(found.before) > 1
    assert found.rms(found.after) < 1e-4
    assert found.agreeing == found.starts == 2
    assert found.determined == "determined by 6 data for 2 free parameters"
    assert json.loads(found.check)["beyond"] == {}
    assert found.words == "fitted to curve.csv (6 points of rest over K): no evidence for the model"


def test_scatter_is_that_of_the_data():
    """Of a straight line with noise: the standard deviations that are told are those of the fitted values over many draws of the noise."""
    random = np.random.default_rng(4)
    J = np.column_stack([np.ones(12), np.linspace(0, 1, 12)])
    ends, told = [], []
    for _ in range(2000):
        noise = random.normal(0, 0.1, 12)
        off, *_ = np.linalg.lstsq(J, noise, rcond=None)
        sd, correlation, text = _determined(J, J @ off - noise, np.array([0.5, 0.5]))
        ends.append(off)
        told.append(sd**2)
    assert text == "determined by 12 data for 2 free parameters"
    np.testing.assert_allclose(np.sqrt(np.mean(told, axis=0)), np.std(ends, axis=0), rtol=0.06)
    assert correlation[0, 1] == pytest.approx(np.corrcoef(np.transpose(ends))[0, 1], abs=0.03)


def test_parameters_that_can_stand_for_each_other():
    J = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    sd, _, text = _determined(J, np.ones(3), np.array([0.5, 0.5]))
    assert np.isnan(sd).all()
    assert text == "not determined: the parameters can be changed together without a change of what was fitted"


def _quick(p, names, y):
    goal = to_curve(p, names, K, y, "K", "rest", "noisy", jobs=1)
    return Target(**{**vars(goal), "curve": None})


def test_a_fit_that_is_stopped_at_the_range(fibre, curve):
    (f,) = fit(fibre, ["P_Kir"], lambda p, names: _quick(p, names, curve - 15), restarts=0).parameters
    assert f.at_bound
    assert f.value == pytest.approx(f.drawn.high, rel=1e-2)
    assert np.isnan(f.sd)


def test_a_curve_without_an_answer(squid):
    x, y = np.array([6.3, 7.0]), np.array([1.0, 2.0])
    with pytest.raises(ModelSaysNo, match="leave that out"):
        fit(squid, ["g_L"], lambda p, names: to_curve(p, names, x, y, "T", "latency", "c.csv", sim.rest_only(5)))


def test_the_figure(found):
    dataset = curve_dataset(found)
    for size in figures.SIZES:
        plate = fit_figure(dataset, size)
        data = [line for line in plate.axes[0].lines if line.get_label() == "data"]
        np.testing.assert_array_equal(data[0].get_xdata(), K)
        assert "no evidence for the model" in plate.alt
    with pytest.raises(figures.FigureError, match="needs a fit to a curve"):
        fit_figure(dataset.drop_vars("after"))


@pytest.mark.parametrize(("text", "said"), [
    ("4,-90\n5,-85\n", "no header"), ("K,rest\n4\n", "two columns"), ("K,rest\n4,-9O\n", "could not convert"), ("K,rest\n4,nan\n", "not a number"),
    ("", "two columns"),
])
def test_broken_curves(here, text, said):
    (here / "c.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ExperimentError, match=said):
        read_curve("c.csv")


def test_a_curve_is_read_in_order(here):
    (here / "c.csv").write_text("# digitised\nK, rest\n5,-85\n4,-90\n\n", encoding="utf-8-sig")
    names, x, y = read_curve("c.csv")
    assert names == ("K", "rest")
    assert (x.tolist(), y.tolist()) == ([4, 5], [-90, -85])


# ---- rows

def test_a_row_is_fitted_to_its_middle(fibre):
    found = fit(fibre, ["P_Kir"], lambda p, names: to_rows(p, names, ["rest-8"], "fibre"), restarts=0)
    (f,) = found.parameters
    assert found.data.tolist() == [-66]
    there = sim.find_rest(fibre.with_values({"P_Kir": f.value}).in_bath(K=8))
    assert pytest.approx(-66, abs=1e-4) == there.V
    assert "no scatter is left" in found.determined
    assert found.sources == ("cairns1997",)


def test_more_parameters_than_data(fibre):
    found = fit(fibre, ["P_Kir", "P_NaL"], lambda p, names: to_rows(p, names, ["rest-8"], "fibre"), restarts=0)
    assert found.determined == "not determined: 2 parameters, but one datum; other values fit as well"
    assert all(np.isnan(f.sd) for f in found.parameters)


@pytest.mark.parametrize(("names", "rows", "said"), [
    (["C_m"], ["rest-8"], "C_m has no effect on rest here"),
    (["P_Kirr"], ["rest-8"], "nearest: P_Kir"),
    (["K_o"], ["rest-8"], "K_o is of the bath"),
    (["P_Kir"], ["rest-88"], "nearest: rest-8"),
    (["P_Kir"], ["myotonia-10"], "but one limit"),
    (["P_Kir"], ["shift-Mg20"], "is about the model"),
])
def test_refusals(fibre, names, rows, said):
    with pytest.raises(ExperimentError, match=said):
        fit(fibre, names, lambda p, chosen: to_rows(p, chosen, rows, "fibre"), restarts=0)


# ---- the file

def test_the_file_comes_back(found, here, fibre):
    write(found, "mine.toml")
    again = parameter_sets.load("mine.toml")
    for f in found.parameters:
        parameter = again[f.drawn.name]
        assert (parameter.value, parameter.kind) == (f.value, "fitted")
        assert "no evidence for the model" in parameter.note
        assert again.origin[f.drawn.name] == "mine"
    assert again["P_Cl"] == fibre.parameters["P_Cl"]
    there = sim.find_rest(sim.prepare("mine.toml", {"K": 5}))
    assert pytest.approx(found.after[3], abs=1e-9) == there.V


def test_a_fit_of_a_fit(here, cramplab, csv):
    assert cramplab("fit", "fibre", "P_Kir", "--to", csv, "--restarts", "0", "--jobs", "1", "--set", "P_NaL=2.2e-9", "--out", "mine.toml")[0] == 0
    stated = tomllib.loads((here / "mine.toml").read_text(encoding="utf-8"))["parameters"]
    assert (stated["P_NaL"]["value"], stated["P_NaL"]["kind"]) == (2.2e-9, "assumed")
    assert cramplab("fit", "mine.toml", "J_NKCC", "--to", "rest-3", "--to", "rest-5", "--restarts", "0", "--out", "again.toml")[0] == 0
    assert parameter_sets.load("again.toml")["P_Kir"].value == stated["P_Kir"]["value"]
    assert parameter_sets.load("again.toml")["J_NKCC"].source == ("jurkatrott2009",)
    assert "again.toml: sound" in cramplab("parameters", "check", "again.toml")[1]


# ---- the command

def test_the_command(here, cramplab, csv):
    args = ("fit", "fibre", "P_Kir,J_NKCC", "--to", csv, "--restarts", "1", "--jobs", "1")
    code, out, err = cramplab(*args, "--out", "f.toml", "--figure", "f.svg", "--size", "half")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    flat = " ".join(out.split())
    assert "This is a fit. Fitted to curve.csv (6 points of rest over K): no evidence for the model." in flat
    assert "2 of 2 starts ended at these values" in flat
    assert "no evidence for the model" in " ".join(cramplab("rest", "f.toml")[1].split())
    assert "a fit: no evidence" in cramplab("why", "f.svg")[1]
    assert parameter_sets.load("f.toml")["P_Kir"].value == pytest.approx(1.3 * 2.6e-6, rel=1e-5)


@pytest.mark.parametrize(("args", "said"), [
    ((), "say what is fitted"), (("P_Kir",), "say what it is fitted to"), (("P_Kir", "--to", "rest-8", "--to", "c.csv"), "one curve at a time"),
    (("P_Kir", "--to", "rest-8", "--bath", "K=3"), "a row says what is measured"), (("P_Kir", "--to", "none.csv"), "cannot read none.csv"),
    (("P_Kir", "--to", "curve.csv", "--measure", "rets"), "nearest: rest"), (("P_Kir", "--to", "curve.csv", "--over", "Kk"), "nearest"),
    (("P_Kir", "--to", "rest-8", "--out", "f.txt"), "a parameter file is written as .toml"),
])
def test_the_command_refuses(here, cramplab, csv, args, said):
    code, out, err = cramplab("fit", "fibre", *args)
    assert (code, out) == (2, "")
    assert said in err
