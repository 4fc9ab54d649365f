"""Recordings: what can be observed, and files that come back as they were or say why not."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from simulation import (
    Bath,
    BathChange,
    Clamp,
    Noise,
    Pulse,
    Ramp,
    Recording,
    Solver,
    Train,
    find_rest,
    open_recording,
    prepare,
    protocol,
    rest_only,
    run,
)
from simulation.assembly import ModelError
from simulation.experiment.errors import ExperimentError
from simulation.files import FileError, aside, write_text


@pytest.fixture(scope="module")
def spike(squid, rested):
    return run(squid, protocol(Pulse(20, 0.5, at=1), duration=8), start=rested("squid").at().state)


@pytest.fixture(scope="module")
def eventful(fibre):
    """A run of the fibre in which everything happens that a file has to keep."""
    p = replace(fibre.in_bath("K=50mM,Ca=0.9,T=30"), mode="acute", frozen=("tubule",)).with_values({"P_Na": 4.0e-4}).scaled({"P_Cl": 0.3})
    events = (
        Train(100, 20, 400, at=2), Ramp(0, 10, 5, at=20), Noise(5, 5, seed=11, at=26), BathChange(Bath("K=4,Ca=20mM"), at=10), Clamp(-70, 3, at=33),
    )
    start = find_rest(fibre).at().state
    return run(p, protocol(*events, duration=40), start=start, solver=Solver("BDF", 1e-6, 1e-8, 2.0))


# ---- observing


def test_every_symbol_can_be_observed(spike, squid):
    for symbol in spike.symbols:
        assert spike[symbol].shape == spike.t.shape
        assert np.isfinite(spike[symbol]).all()
    assert spike["I_ion"] == pytest.approx(spike["I_Na"] + spike["I_K"] + spike["I_L"])
    assert np.array_equal(spike["V"], spike.V)
    assert spike.states.shape == (len(spike.t), len(squid.states))
    with pytest.raises(ModelError, match=r"squid has no symbol 'I_na'; nearest: I_Na"):
        spike["I_na"]


def test_dV_dt_is_the_slope_of_V(spike):
    inside = (spike.t > 1.6) & (spike.t < 7.9)
    measured = np.gradient(spike.V[inside], spike.t[inside])
    assert spike.dV_dt[inside][1:-1] == pytest.approx(measured[1:-1], abs=0.02 * np.abs(spike.dV_dt).max())


def test_resampling_is_even_and_stays_on_the_curve(spike):
    t, V = spike.resample(0.1)
    assert np.diff(t) == pytest.approx(0.1)
    assert (t[0], spike.t[-1] - t[-1] <= 0.1 + 1e-9) == (0, True)
    _, fine = spike.resample(0.01)
    assert pytest.approx(fine[::10][: len(V)], abs=1e-9) == V
    assert pytest.approx(np.interp(t, spike.t, spike.V), abs=0.1) == V
    _, current = spike.resample(0.1, "I_Na")
    assert pytest.approx(np.interp(t, spike.t, spike["I_Na"])) == current
    assert np.array_equal(spike.resample(0.1, "V")[1], V)


def test_time_rises_strictly_over_edges_and_long_runs(squid, rested):
    p = protocol(*(Pulse(1, 0.05, at=t) for t in (0, 0.05, 0.1, 1e6)), duration=1e6 + 1)
    recording = run(squid, p, start=rested("squid").at().state)
    assert np.all(np.diff(recording.t) > 0)
    assert sum(recording.counts) == len(recording.t)
    assert len(recording.counts) == len(recording.values) == len(p.segments)


def test_a_dataset_carries_units_and_provenance(spike):
    data = spike.to_xarray(["I_Na"])
    assert set(data.data_vars) >= {"V", "m", "h", "n", "I_Na"}
    assert "I_K" not in data
    assert data["I_Na"].attrs["units"] == "uA/cm2"
    assert data["V"].attrs["units"] == "mV"
    assert data["time"].attrs["units"] == "ms"
    assert data["I_Na"].attrs["long_name"] == "Sodium current of the squid axon (Hodgkin & Huxley 1952)."
    made = json.loads(data.attrs["provenance"])
    assert (made["model"], made["parameter_set"], made["kernel"], made["mode"]) == ("squid", "squid", "llvm", "chronic")
    assert made["solver"] == {"method": "LSODA", "rtol": 1e-7, "atol": 1e-9, "max_step": None}
    assert made["parameters"]["g_Na"] == 120
    assert {"I_Na", "I_K", "I_L", "I_stim"} <= set(spike.to_xarray().data_vars)
    with pytest.raises(ModelError, match="no symbol 'I_Q'"):
        spike.to_xarray(["I_Q"])


# ---- to a file and back


def test_a_netcdf_file_gives_back_every_symbol(eventful, tmp_path):
    path = eventful.save(tmp_path / "new folder" / "run.nc", symbols=[])
    again = open_recording(path)
    assert np.array_equal(again.t, eventful.t)
    assert np.array_equal(again.states, eventful.states)
    for symbol in eventful.symbols:
        assert np.array_equal(again[symbol], eventful[symbol]), symbol
    assert np.array_equal(again.clamp_current, eventful.clamp_current, equal_nan=True)
    assert again.protocol == eventful.protocol
    assert again.solver == eventful.solver
    assert again.counts == eventful.counts
    assert again.provenance == eventful.provenance
    assert again.preparation.numbers() == eventful.preparation.numbers()
    assert (again.preparation.mode, again.preparation.frozen) == ("acute", ("tubule",))


def test_a_csv_file_holds_what_was_recorded(eventful, tmp_path):
    text = eventful.save(tmp_path / "run.csv", ["I_Na_s", "K_t"]).read_text(encoding="utf-8")
    title, provenance, table = text.split("\n", 2)
    assert title == f"# {eventful.preparation.bound.model.title}"
    assert json.loads(provenance.removeprefix("# ")) == json.loads(json.dumps(eventful.provenance))
    assert "\r" not in text
    data = pd.read_csv(io.StringIO(table))
    assert list(data.columns)[:2] == ["time (ms)", "V_s (mV)"]
    assert np.array_equal(data["time (ms)"], eventful.t)
    for symbol, unit in (("V_s", "mV"), ("I_Na_s", "uA/cm2"), ("K_t", "mM"), ("m_t", "1")):
        assert data[f"{symbol} ({unit})"].to_numpy() == pytest.approx(eventful[symbol], rel=1e-14), symbol


OWN = """
name = "own"
title = "Own"
inherits = "fibre"
[parameters]
J_NKCC = { value = 0.25, unit = "pmol/cm2/s", kind = "assumed", source = [], range = [0.1, 0.4], note = "own choice" }
"""


def test_a_run_with_the_users_own_parameters_opens_without_their_file(tmp_path, rested):
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    p = prepare(str(tmp_path / "own.toml"))
    recording = run(p, rest_only(1), start=rested("fibre").at().state)
    recording.save(tmp_path / "run.nc")
    (tmp_path / "own.toml").unlink()
    again = open_recording(tmp_path / "run.nc")
    assert again.preparation.numbers() == pytest.approx(p.numbers(), rel=1e-12)
    assert np.array_equal(again["I_NKCC_s"], recording["I_NKCC_s"])


# ---- what cannot be written or read


def test_a_recording_is_written_as_nc_or_csv(spike, tmp_path):
    for name in ("run.xls", "run"):
        with pytest.raises(ExperimentError, match=r"a recording is written as \.nc or \.csv, not as '(\.xls|run)'"):
            spike.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["run.nc", "run.csv"])
def test_a_failure_midway_leaves_the_old_file_as_it_was(spike, tmp_path, monkeypatch, name):
    path = tmp_path / name
    path.write_bytes(b"the old file")

    def full(*given, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(FileError, match=rf"cannot write .*{name}: the disk is full"):
        spike.save(path)
    assert path.read_bytes() == b"the old file"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_made_aside_and_moved(tmp_path):
    path = write_text(tmp_path / "a" / "b.txt", "one\n")
    assert path.read_bytes() == b"one\n"

    def interrupted() -> None:
        with aside(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"one\n"
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_place_that_cannot_be_written_is_said_with_its_reason(spike, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(FileError, match=r"cannot write .*run\.csv: (a part of the path is a file, not a folder|File exists)"):
        spike.save(tmp_path / "file" / "run.csv")
    with pytest.raises(FileError, match=r"cannot write .*folder\.csv: a folder has that name"):
        spike.save(tmp_path / "folder.csv")


def tampered(path, change):
    """A netCDF file with its dataset changed."""
    with xr.open_dataset(path, engine="netcdf4") as data:
        data.load()
    other = path.with_name("other.nc")
    change(data).to_netcdf(other, engine="netcdf4")
    return other


def with_provenance(**changed):
    """A change of a recording's provenance; None leaves an entry out."""

    def change(data):
        made = json.loads(data.attrs["provenance"]) | changed
        return data.assign_attrs(provenance=json.dumps({k: v for k, v in made.items() if v is not None}))

    return change


@pytest.mark.parametrize(("change", "said"), [
    (lambda d: d.drop_attrs(), "is not a recording of this program"),
    (lambda d: d.assign_attrs(provenance="{"), "is not a recording of this program"),
    (lambda d: d.assign_attrs(provenance="[]"), "is not a recording of this program"),
    (lambda d: d.drop_vars("m"), "is not a recording of this program"),
    (lambda d: d.drop_vars("points_per_segment"), "is not a recording of this program"),
    (lambda d: d.isel(time=slice(0, 10)), "is not a recording of this program"),
    (with_provenance(equations="0000"), r"was made by other equations of 'squid' \(version .*\); run it again"),
    (with_provenance(equations="0000", parameters={"g_X": 1.0}), "was made by other equations of 'squid'"),
    (with_provenance(model="octopus"), "octopus"),
    (with_provenance(protocol=None), "is not a recording of this program"),
    (with_provenance(frozen=None), "is not a recording of this program"),
    (with_provenance(protocol={"duration": 3}), "is not a recording of this program"),
    (with_provenance(format=999), "was made by other equations"),
])
def test_a_file_that_is_not_whole_says_so(spike, tmp_path, change, said):
    other = tampered(spike.save(tmp_path / "run.nc"), change)
    with pytest.raises(ExperimentError, match=said) as error:
        open_recording(other)
    assert "other.nc" in str(error.value)


@pytest.mark.parametrize(("content", "said"), [
    (None, r"there is no file .*run\.nc"), (b"", r"run\.nc is not a recording of this program"),
    (b"time,V\n0,1\n", r"is not a recording of this program"),
    (b"CDF\x01 and then nothing", r"is not a recording of this program"),
])
def test_a_broken_file_says_so(tmp_path, content, said):
    if content is not None:
        (tmp_path / "run.nc").write_bytes(content)
    with pytest.raises(ExperimentError, match=said):
        open_recording(tmp_path / "run.nc")
    with pytest.raises(ExperimentError, match="is not a recording"):
        open_recording(tmp_path)


def test_a_cut_file_says_so(spike, tmp_path):
    path = spike.save(tmp_path / "run.nc")
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(ExperimentError, match="is not a recording of this program"):
        open_recording(path)


def test_a_recording_is_its_class(spike):
    assert isinstance(spike, Recording)
    assert spike.features is spike.features
