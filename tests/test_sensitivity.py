"""Which parameters matter: slopes against differences, global indices of functions whose indices are known, and the same way with membranes."""

from __future__ import annotations

import json

import matplotlib
import numpy as np
import pytest
import xarray as xr

import simulation as sim
from simulation import figures, models
from simulation.assembly.duals import duals
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.figures.sensitivity import sensitivity_figure
from simulation.studies import sweep as sweeps
from simulation.studies.draws import Drawn, drawn, left_out, mapped
from simulation.studies.samples import sample
from simulation.studies.sensitivity import at_rest, design, indices, ranked, sensitivity
from simulation.studies.sweep import run_sweep


def at(p, state):
    return {**p.numbers(), **dict(zip(p.states, state.tolist(), strict=True)), "t": 0.0}


# ---- exact derivatives

@pytest.mark.parametrize("name", models.names())
def test_derivatives_by_states_are_those_of_the_compiled_jacobian(prepared, name):
    p = prepared(name)
    state = p.beside(p.guess(), 7.0)
    found = duals(p.bound, at(p, state), p.states)
    rate, matrix = np.empty(len(state)), np.empty((len(state), len(state)))
    p.kernel.rhs(0.0, state, p.values, rate)
    p.kernel.jacobian(0.0, state, p.values, matrix)
    np.testing.assert_allclose([found[d].value for d in p.bound.derivatives], rate, rtol=1e-9, atol=1e-12 * np.abs(rate).max())
    np.testing.assert_allclose([found[d].slope for d in p.bound.derivatives], matrix, rtol=1e-9, atol=1e-12 * np.abs(matrix).max())


@pytest.mark.parametrize("name", ["squid", "fibre"])
def test_derivatives_by_parameters_are_those_of_differences(prepared, name):
    p = prepared(name)
    state, numbers = p.beside(p.guess(), 7.0), p.numbers()
    by = [s for s in p.parameters.parameters if s != "R_i"]
    found = duals(p.bound, at(p, state), by)
    exact = np.array([found[d].slope for d in p.bound.derivatives])
    for j, symbol in enumerate(by):
        h = 1e-5 * (abs(numbers[symbol]) or 1e-4 * (p.parameters[symbol].range[1] - p.parameters[symbol].range[0]))
        sides = []
        for value in (numbers[symbol] - h, numbers[symbol] + h):
            rate = np.empty(len(state))
            p.kernel.rhs(0.0, state, p.kernel.prepare(numbers | {symbol: value}), rate)
            sides.append(rate)
        noise = 1e-13 * np.abs(sides[0]).max() / h
        np.testing.assert_allclose((sides[1] - sides[0]) / (2 * h), exact[:, j], rtol=1e-5, atol=1e-7 * np.abs(exact[:, j]).max() + noise)


@pytest.mark.parametrize(("bath", "mode", "freeze"), [("", "chronic", ()), ("K=2.5", "acute", ()), ("K=3", "chronic", ("tubule",))])
@pytest.mark.parametrize("symbol", ["rest", "E_Cl_s", "h_s"])
def test_slopes_at_rest_are_those_of_differences(prepared, bath, mode, freeze, symbol):
    p = prepared("fibre", bath or None, mode=mode, freeze=freeze)
    over = drawn(p, ["J_NKCC", "K_i_0", "T_ref"])
    value, slopes = at_rest(p, symbol, over)

    def seen(q):
        rest = sim.find_rest(q)
        return rest.V if symbol == "rest" else rest.symbol(symbol)

    assert value == pytest.approx(seen(p), rel=1e-10)
    for d, slope in zip(over, slopes, strict=True):
        h = 1e-4 * abs(d.value)
        low, high = (seen(p.with_values({d.name: d.value + side})) for side in (-h, h))
        assert slope * d.value == pytest.approx((high - low) / (2 * h) * d.value, rel=1e-4, abs=2e-6), d.name


def test_the_slope_against_an_ion_of_the_bath(prepared):
    p = prepared("fibre", "K=3")
    value, slope = at_rest(p, "rest", drawn(p, ["K"]))
    low, high = (sim.find_rest(p.in_bath(K=K)).V for K in (2.999, 3.001))
    assert value == sim.find_rest(p).V
    assert slope[0] == pytest.approx((high - low) / 0.002, rel=1e-5)


# ---- local effects

def test_local_effects(fibre):
    found = sensitivity(fibre)
    effect = dict(zip(found["parameter"].values, found["effect"].values, strict=True))
    for idle in ("C_m", "tau_hK", "Q10_gate"):  # neither a capacitance nor the pace of all gates moves a rest
        assert abs(effect[idle]) < 1e-8
    assert abs(effect["tau_diff"]) > 1e-3  # but what leaves the tubules does
    assert found["effect"].attrs["units"] == "mV"
    assert effect["K_i_0"] < -2  # E_K falls by 2.5 mV with a tenth more potassium inside
    assert found["parameter"].values[ranked(found)[0]] == "K_i_0"
    assert np.isnan(found["elasticity"]).all()


def test_thresholds_by_differences(fibre):
    found = sensitivity(fibre, "rheobase", over=["P_Na", "P_Cl", "Vhalf_m"], jobs=1)
    base = sim.rheobase(fibre)
    assert found.attrs["value"] == pytest.approx(base, rel=1e-12)
    for i, step in enumerate((0.05 * 0.00043, 0.05 * 0.0005, 0.5)):
        name, value = found["parameter"].values[i], found["value"].values[i]
        sides = [sim.rheobase(fibre.with_values({name: value + side * step})) for side in (-1, 1)]
        assert found["effect"].values[i] == pytest.approx(100 * (sides[1] - sides[0]) / base, abs=0.01)
    assert found["elasticity"].values[0] < 0 < found["elasticity"].values[1]
    assert np.isnan(found["elasticity"].values[2])  # of a potential
    assert json.loads(found.attrs["check"])["beyond"] == {}


def test_a_feature_of_a_run(squid):
    protocol = sim.protocol(sim.Pulse(20, 1, at=5), after=20)
    found = sensitivity(squid, "peak", over=["E_Na", "g_L"], protocol=protocol, jobs=1)
    assert found["effect"].values[0] == pytest.approx(1.0, abs=0.3)  # the peak follows E_Na, one for one and a little less
    assert abs(found["effect"].values[1]) < 1


@pytest.mark.parametrize(("more", "said"), [
    ({"measure": "spikes"}, "spikes counts"),
    ({"over": ["P_gp"]}, "P_gp is 0 here"),
    ({"over": ["P_Kirr"]}, "no parameter 'P_Kirr'; nearest: P_Kir"),
    ({"measure": "rets"}, "nearest: rest"),
    ({"measure": "recovery"}, "say which number of recovery: recovery.threshold"),
    ({"measure": "recovery.superexcitabilty"}, "nearest: superexcitability"),
    ({"method": "sobol", "samples": 100}, "a power of two for Sobol's sequence, for example 128"),
    ({"method": "morris", "samples": 1}, "2 or more"),
    ({"method": "soboll"}, "nearest: sobol"),
    ({"spread": 0}, "the spread 0 is no share"),
    ({"out": "s.csv"}, r"written as \.nc"),
])
def test_refusals(fibre, more, said):
    with pytest.raises(ExperimentError, match=said):
        sensitivity(fibre, **more)


# ---- functions whose indices are known

TURN = (Drawn("x", 0.0, -np.pi, np.pi, "1"), Drawn("y", 0.0, -np.pi, np.pi, "1"), Drawn("z", 0.0, -np.pi, np.pi, "1"))


def ishigami(x):
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_sobol_of_ishigami():
    u = design("sobol", 3, 1024, seed=1)
    found = indices("sobol", u, ishigami(mapped(u, TURN)), seed=1)
    np.testing.assert_allclose(found["S1"], [0.3139, 0.4424, 0.0], atol=0.02)
    np.testing.assert_allclose(found["ST"], [0.5576, 0.4424, 0.2437], atol=0.02)
    assert (np.abs(found["ST"] - [0.5576, 0.4424, 0.2437]) < 2 * found["ST_conf"]).all()


def test_morris_of_a_function_with_a_known_answer():
    """3 x has the effect 3 everywhere; x y has the mean 1/2 and a spread; z does nothing."""
    u = design("morris", 3, 100, seed=3)
    found = indices("morris", u, 3 * u[:, 0] + u[:, 0] * u[:, 1], seed=3)
    np.testing.assert_allclose(found["mu_star"], [3.5, 0.5, 0.0], atol=0.08)
    assert found["mu_star"][2] == found["mu_star_conf"][2] == 0
    assert (found["sigma"][:2] > 0.2).all()


@pytest.mark.parametrize("method", ["morris", "sobol"])
def test_points_without_an_answer(method):
    u = design(method, 3, 64, seed=1)
    y = ishigami(mapped(u, TURN))
    size = 4 if method == "morris" else 5
    y[7] = np.nan
    some = indices(method, u, y, seed=1)
    keep = np.r_[0:size, 2 * size : len(y)] if method == "morris" else np.r_[0:5, 10 : len(y)]
    same = indices(method, u[keep], y[keep], seed=1)
    for name in some:
        np.testing.assert_array_equal(some[name], same[name])
    y[::20] = np.nan
    with pytest.raises(ModelSaysNo, match=r"narrow the ranges, for example --spread 0\.5"):
        indices(method, u, y, seed=1)


def test_a_constant_has_no_indices():
    u = design("sobol", 2, 8, seed=1)
    assert not indices("sobol", u, np.ones(len(u)), seed=1)["ST"].any()


# ---- what is varied

def test_half_of_the_draws_lie_below_the_value(fibre):
    u = np.linspace(0, 1, 1001)[:, None]
    for d in drawn(fibre):
        x = d.at(u[:, 0])
        assert (np.diff(x) >= 0).all()
        assert (x[0], x[-1]) == pytest.approx((d.low, d.high))
        if d.low < d.value < d.high:
            assert x[500] == pytest.approx(d.value)
        narrow = d.narrowed(0.5)
        assert d.low <= narrow.low <= narrow.value <= narrow.high <= d.high


def test_what_is_left_out(fibre):
    out = left_out(fibre)
    assert out["bath"] == ["K_o", "Na_o", "Cl_o", "Ca_o", "Mg_o", "pH", "T"]
    assert out["reference at which curves were measured"] == ["K_ref", "Na_ref", "Ca_ref", "Mg_ref", "pH_ref", "T_ref"]
    assert set(out["does not enter a rate of change"]) == {"R_i", "dx", "k_closed", "a_closed", "c_closed"}
    assert out["absent in this set"] == ["P_gp", "w_Cl"]
    names = {d.name for d in drawn(fibre)}
    assert not names & {s for symbols in out.values() for s in symbols}
    assert {"P_Kir", "Vhalf_Kir", "K_i_0"} <= names


# ---- membranes by the same path

def test_rows_are_what_the_single_membranes_give(fibre):
    names, rows = ("P_Kir", "K", "T_ref"), np.array([[2e-6, 3.0, 22.0], [3e-6, 5.0, 23.0], [2.6e-6, 4.0, 21.85]])
    found = run_sweep(sample(fibre, names, rows, ("rest", "rheobase")), jobs=1)
    for k, (P_Kir, K, T_ref) in enumerate(rows):
        p = fibre.with_values({"P_Kir": P_Kir, "T_ref": T_ref}).in_bath(K=K)
        assert found["rest"].values[k] == pytest.approx(sim.find_rest(p).V, abs=1e-9)
        assert found["rheobase"].values[k] == pytest.approx(sim.rheobase(p), rel=1e-12)


def test_held_ions_go_the_way_of_the_single_membrane(prepared):
    p = prepared("fibre", "K=2.5", mode="acute")
    rows = np.array([[2e-6], [3e-6]])
    found = run_sweep(sample(p, ("P_Kir",), rows, ("rest",)), jobs=1)
    assert found["rest"].values == pytest.approx([sim.find_rest(p.with_values({"P_Kir": x})).V for x in rows[:, 0]])


def test_seeds_and_threads(fibre):
    ask = {"method": "sobol", "over": ["P_Kir", "P_NaL", "C_m"], "samples": 16, "spread": 0.3}
    one, two, other = (sensitivity(fibre, **ask, seed=seed, jobs=jobs) for seed, jobs in ((1, 1), (1, 2), (2, 1)))
    for name in ("y", "S1", "ST", "ST_conf", "samples"):
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["y"], other["y"])
    assert one["ST"].values[2] == 0  # a capacitance has no part in a rest
    assert json.loads(one.attrs["check"])["beyond"] == {}


def test_what_is_finished_is_not_lost(squid, tmp_path, monkeypatch):
    monkeypatch.setattr(sweeps, "_BLOCK_MOST", 64)
    ask = {"method": "morris", "over": ["g_K", "g_L", "E_L"], "samples": 40, "spread": 0.3, "jobs": 1}
    whole = sensitivity(squid, **ask)

    def stop(done, points):
        if done:
            raise KeyboardInterrupt

    out = tmp_path / "s.nc"
    with pytest.raises(KeyboardInterrupt):
        sensitivity(squid, **ask, out=out, progress=stop)
    seen = []
    again = sensitivity(squid, **ask, out=out, resume=True, progress=lambda done, points: seen.append(done))
    assert seen[0] == 64
    with xr.open_dataset(out) as kept:
        for name in ("y", "mu_star", "mu_star_conf"):
            np.testing.assert_array_equal(again[name], whole[name])
            np.testing.assert_array_equal(kept[name], whole[name])
    assert not (tmp_path / "s.nc.unfinished").exists()


# ---- the figure

@pytest.fixture(scope="module")
def results(fibre):
    return {
        "local": sensitivity(fibre), "morris": sensitivity(fibre, method="morris", samples=4, spread=0.2, jobs=1),
        "sobol": sensitivity(fibre, method="sobol", samples=4, spread=0.2, jobs=1),
    }


@pytest.mark.parametrize("size", list(figures.SIZES))
@pytest.mark.parametrize("method", ["local", "morris", "sobol"])
def test_the_figure(results, method, size):
    found = results[method]
    plate = sensitivity_figure(found, size)
    ax = plate.axes[0]
    names = [t.get_text() for t in ax.get_yticklabels()]
    assert 8 <= len(names) <= 15
    assert names[0].startswith(figures.style.symbol(str(found["parameter"].values[ranked(found)[0]])))
    rest = len(found["parameter"]) - len(names)
    assert any(t.get_text().startswith(f"{rest} more, each ") for t in ax.texts)
    smallest = min(t.get_fontsize() for t in plate.findobj(matplotlib.text.Text) if t.get_text().strip() and t.get_visible())
    assert smallest >= (18 if size == "slide" else 16 if size == "half" else 7)
    plate.draw_without_rendering()
    boxes = [t.get_window_extent() for t in (*ax.get_yticklabels(), *plate.legends[0].get_texts(), plate._supxlabel)]
    for box in boxes:
        assert plate.bbox.padded(2).contains(box.x0, box.y0)
        assert plate.bbox.padded(2).contains(box.x1, box.y1)
    assert "resting potential" in plate.alt


def test_another_dataset_is_refused():
    with pytest.raises(figures.FigureError, match="needs what sensitivity gives"):
        sensitivity_figure(xr.Dataset())


# ---- the command

def test_the_command(here, cramplab, data):
    args = ("sensitivity", "fibre", "--method", "morris", "--over", "P_Kir,P_NaL,C_m", "--samples", "4", "--spread", "0.3", "--jobs", "1")
    code, out, err = cramplab(*args, "--out", "s.nc", "--figure", "s.svg", "--size", "half")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert "1 parameter has no effect." in out
    assert "16 points (4 trajectories)" in out
    found = data(*args)
    assert [r["parameter"] for r in found["ranked"]][-1] == "C_m"
    assert found["ranked"][-1]["mu_star"] == 0
    assert cramplab("figure", "s.nc", "--out", "again.svg", "--size", "half")[0] == 0
    assert (here / "again.svg").read_bytes() == (here / "s.svg").read_bytes()
    for file in ("s.nc", "s.svg"):
        said = cramplab("why", file)[1]
        assert "a sensitivity (morris)" in said
        assert "over P_Kir" in said
    code, out, _ = cramplab("sensitivity", "fibre", "--bath", "K=2.5", "--json")
    assert json.loads(out)["how"] == "exact, by the implicit function theorem"
    code, out, _ = cramplab("sensitivity", "fibre", "--bath", "K=2.5")
    assert code == 0
    assert "exact, by the" in out
    assert "rho, J_pump" in out


@pytest.mark.parametrize(("args", "said"), [
    (("--method", "morriss"), "nearest: morris"), (("--resume",), "--resume goes on with what was kept beside --out FILE"),
    (("--out", "s.csv"), "written as .nc"), (("--over", "P_Kirr"), "nearest: P_Kir"),
])
def test_the_command_refuses(here, cramplab, args, said):
    code, out, err = cramplab("sensitivity", "fibre", *args)
    assert (code, out) == (2, "")
    assert said in err
