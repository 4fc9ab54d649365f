"""Populations: the same by seed, whatever the number of threads and after an interruption; what is counted and what sets members apart."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from scipy.stats import beta

from simulation import figures
from simulation.cli import main
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.studies import draws, population
from simulation.studies.population import OUTCOMES, Population, Study, open_population, run_study

BATHS = ("", "K=2", "Ca=0.6")


@pytest.fixture(scope="module")
def small(prepared):
    return Study(prepared("fibre"), 6, seed=5, baths=BATHS)


@pytest.fixture(scope="module")
def found(small):
    return run_study(small, jobs=1)


# ---- draws

def test_half_of_the_draws_lie_below_the_published_value_and_none_outside_the_range(prepared):
    p = prepared("fibre")
    drawn = draws.drawn(p)
    values = draws.mapped(draws.shares(1024, len(drawn), 3), drawn)
    for d, column in zip(drawn, values.T, strict=True):
        low, high = p.parameters[d.name].range
        assert low <= column.min() <= column.max() <= high
        assert np.mean(column < d.value) == pytest.approx(0.5, abs=0.01) or d.value in (low, high)


def test_what_is_drawn_is_said_by_rule(prepared):
    symbols = {d.name for d in draws.drawn(prepared("fibre"))}
    assert {"P_Na", "P_Kir", "Vhalf_Kir", "w_Na", "K_Ca", "K_i_0"} <= symbols
    assert not symbols & {"K_o", "T", "Ca_ref", "T_ref", "dx", "J_pump", "P_gp", "k_closed"}
    with pytest.raises(ExperimentError, match="spread"):
        draws.drawn(prepared("fibre"), spread=0.0)


@pytest.mark.parametrize("method", draws.METHODS)
def test_draws_are_the_same_by_seed_whatever_was_asked_before(method):
    later = draws.shares(8, 3, 4, method, 8)
    assert np.array_equal(later, draws.shares(8, 3, 4, method, 8))
    assert not np.array_equal(later, draws.shares(8, 3, 5, method, 8))
    if method == "sobol":
        assert np.array_equal(draws.shares(16, 3, 4)[8:], later)


def test_a_narrow_spread_lies_about_the_value(prepared):
    for whole, half in zip(draws.drawn(prepared("axon")), draws.drawn(prepared("axon"), spread=0.5), strict=True):
        assert whole.low <= half.low <= half.value <= half.high <= whole.high
        assert half.high - half.low < whole.high - whole.low


# ---- the study

def test_members_behave_plausibly_in_the_control_bath(small, found):
    for c in small.acceptance.criteria:
        column = found.data[f"control_{c.name}"].values
        assert c.range[0] <= column.min() <= column.max() <= c.range[1], c.name
    refused = json.loads(found.data.attrs["refused"])
    assert sum(refused.values()) + found.count == found.data.attrs["drawn"]
    assert np.array_equal(found.of("rest", ""), found.data["control_rest"].values)
    assert found.ratio("") == pytest.approx(1.0)
    assert not found.check["beyond"]


def test_neither_threads_nor_an_interruption_make_a_difference(small, found, tmp_path, monkeypatch):
    path = tmp_path / "p.nc"

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(small, path, jobs=2, progress=lambda what, done, of: stop() if what == "baths" and done == 2 else None)
    assert not path.exists()
    with pytest.raises(ExperimentError, match="--resume"):
        run_study(small, path, jobs=2)
    done = []
    real = population._in_bath
    monkeypatch.setattr(population, "_in_bath", lambda study, table, bath, *rest: done.append(bath) or real(study, table, bath, *rest))
    again = run_study(small, path, jobs=2, resume=True)
    assert done == ["Ca=0.6"]
    assert not (tmp_path / "p.nc.unfinished").exists()
    for data in (again.data, open_population(path).data):
        xr.testing.assert_identical(data.drop_attrs(), found.data.drop_attrs())


def test_members_are_kept_and_put_into_any_bath(small, found, tmp_path, monkeypatch):
    monkeypatch.setenv("CRAMPLAB_CACHE", str(tmp_path))
    crowd = population.members(small.preparation, small.count, small.seed)
    monkeypatch.setattr(population, "_control", lambda *_: pytest.fail("they were there already"))
    again = population.members(small.preparation, small.count, small.seed)
    assert np.array_equal(crowd.table, again.table)
    assert np.array_equal(again.population(("K=2",)).of("rest", "K=2"), found.of("rest", "K=2"))


def test_another_study_is_not_gone_on_with(small, prepared, tmp_path):
    path = tmp_path / "p.nc"
    (tmp_path / "p.nc.unfinished").mkdir()
    (tmp_path / "p.nc.unfinished" / "study.txt").write_text("another", encoding="utf-8")
    with pytest.raises(ExperimentError, match="is of another population"):
        run_study(small, path, resume=True)


def test_where_hardly_any_draw_is_plausible_it_says_so(prepared, monkeypatch):
    monkeypatch.setattr(population, "_HOPELESS", 256)
    study = Study(prepared("fibre").with_values({"P_Na": 3e-5}), 1, baths=("",), spread=0.01)
    with pytest.raises(ModelSaysNo, match=r"behave plausibly in the control bath, most fail by '\w+'"):
        run_study(study)


def test_refusals(prepared):
    with pytest.raises(ExperimentError, match="no acceptance is stated for squid"):
        run_study(Study(prepared("squid"), 1, baths=("",)))
    with pytest.raises(ExperimentError, match="control bath"):
        Study(prepared("fibre").in_bath(K=3), 1)
    with pytest.raises(ExperimentError, match="sobol"):
        Study(prepared("fibre"), 1, method="sobel")
    with pytest.raises(ExperimentError):
        Study(prepared("fibre"), 1, baths=("Ka=3",))


# ---- reading it

@pytest.fixture
def made_up():
    """Forty members, of whom those with the largest first number fire."""
    value = np.column_stack([np.arange(40.0), np.tile([1.0, 2.0], 20)])
    fires = (value[:, 0] >= 30).astype(float)
    column = lambda x: (("member", "bath"), np.asarray(x, dtype=float)[:, None])  # noqa: E731
    return Population(xr.Dataset(
        {
            "rest": column(np.full(40, -85)), "rest_2": column(np.full(40, np.nan)), "stable_rests": column(np.ones(40)),
            "spontaneous": column(fires), "threshold": column(np.where(fires > 0, 0, 100)), "spikes": column(np.ones(40)),
            "after_discharge": column(np.zeros(40)), "value": (("member", "parameter"), value), "own_threshold": ("member", np.full(40, 100.0)),
        },
        {"bath": ["Ca=0.6"], "parameter": ["P_Na", "P_K"]}, {"provenance": "{}"},
    ))


def test_shares_and_their_exact_intervals(made_up):
    assert made_up.fraction("fires by itself", "Ca=0.6") == 0.25
    low, high = made_up.interval("fires by itself", "Ca=0.6")
    assert (low, high) == pytest.approx((beta.ppf(0.025, 10, 31), beta.ppf(0.975, 11, 30)))
    assert made_up.interval("paralysed", "Ca=0.6")[0] == 0.0
    assert made_up.fraction("excitable", "Ca=0.6") == 0.25
    with pytest.raises(ExperimentError, match="paralysed"):
        made_up.fraction("paralised", "Ca=0.6")
    with pytest.raises(ExperimentError, match="not put into"):
        made_up.fraction("paralysed", "Ca=0.5")


def test_what_sets_them_apart_comes_first(made_up):
    first, second = made_up.tail("fires by itself", "Ca=0.6")
    assert (first.symbol, first.share) == ("P_Na", 1.0)
    assert first.p < 1e-4
    assert second.share == 0.5
    assert second.p == 1.0
    assert made_up.tail("paralysed", "Ca=0.6") == []


def test_the_figure_says_what_is_counted(found):
    plate = figures.population_figure(found)
    assert "K 2:" in plate.alt
    shares = plate.axes[0]
    assert [t.get_text() for t in shares.get_yticklabels()] == ["control", "K 2", "Ca 0.6"]
    for line, outcome in zip(shares.lines, [line.get_label() for line in shares.lines], strict=True):
        if outcome in OUTCOMES:
            assert list(line.get_xdata()) == pytest.approx([100 * found.fraction(outcome, b) for b in BATHS])


def test_the_command(capsys, tmp_path):
    path = tmp_path / "p.nc"
    assert main(["population", "fibre", "--count", "3", "--bath", "K=2", "--out", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [b["bath"] for b in said["baths"]] == ["control", "K=2"]
    assert open_population(path).count == said["members"] == 3
    assert main(["population", "fibre", "--resume"]) == 2
    assert "--out" in capsys.readouterr().err
    assert main(["population", "fibre", "--bath", "K=-1"]) == 2
