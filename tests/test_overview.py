"""The main job: what it says is read off its results."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from simulation.studies import overview, sweep
from simulation.studies.overview import Overview, summary


@pytest.fixture(scope="module")
def found(fibre):
    """A small overview: few baths and densities."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overview, "REST", "K=0.5,2,2.5,4")
        patch.setattr(overview, "EXCITABILITY", {"K": "K=2.5,4,6,12", "Ca": "Ca=0.6,1.2", "Mg": "Mg=0.3,0.6"})
        patch.setattr(overview, "FIRING", {"K": "K=4,6", "Ca": "Ca=0.6,1.2"})
        patch.setattr(overview, "CLC1", (1.0, 0.1))
        yield overview.make(jobs=1)


def test_what_it_says(found):
    said = " ".join(summary(found))
    for phrase in (
        "rests at -90.4 mV", "harder to excite, not easier", "two resting potentials", "paralysis, not cramp", "From 12 mM on no current",
        "gates shift by -3.4 mV", "from 10 % down",
    ):
        assert phrase in said


def test_what_it_says_follows_the_numbers(found):
    """With other results it says other things."""
    rest, K = found.rest.copy(deep=True), found.excitability["K"].copy(deep=True)
    rest["rest"][:], K["rest"][:] = -80.0, -80.0
    rest["rest_2"][:] = np.nan
    K["threshold_current"][:] = 100.0
    said = " ".join(summary(Overview(rest, {**found.excitability, "K": K}, found.firing, found.runs, found.gates)))
    assert "rests at -80.0 mV" in said
    for phrase in ("two resting potentials", "paralysis", "no current makes it fire"):
        assert phrase not in said


def test_stacked_sweeps_keep_axes_units_and_provenance(found):
    data = found.firing["K"]
    assert data["after_discharge"].dims == ("P_Cl_scale", "K")
    assert data["K"].attrs["units"] == "mM"
    assert json.loads(data.attrs["control"]) == {"P_Cl_scale": 1.0, "K": 4.0}
    assert data["after_discharge"].sel(P_Cl_scale=1.0, K=4) == 0
    assert data["after_discharge"].sel(P_Cl_scale=0.1, K=4) >= 3


def test_tables_are_written(found, tmp_path):
    for name, data in overview.tables(found).items():
        sweep.save(data, tmp_path / f"{name}.nc")
        with xr.open_dataset(tmp_path / f"{name}.nc") as again:
            assert set(again.data_vars) == set(data.data_vars)
