"""Where the results of a sweep lie: in arrays over its axes, filled block by block, and in files that outlive an interruption.

A sweep into a file first fills a Zarr folder beside it, FILE.unfinished, one chunk a block; which points are done stands in ``status``,
written last. At the end the folder becomes the result (.zarr, for large ones) or is written out as .nc or .csv."""

from __future__ import annotations

import json
import math
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation import files
from simulation.assembly.compile import Array
from simulation.experiment.errors import ExperimentError

if TYPE_CHECKING:
    import xarray as xr

    from simulation.studies.sweep import Sweep

SUFFIXES = (".nc", ".zarr", ".csv")
WAITING, DONE, FAILED = -1, 0, 1
_STATUS: dict[str, Any] = {"units": "1", "long_name": "0 done, 1 failed"}
_MESSAGE: dict[str, Any] = {"long_name": "why a point failed"}


@dataclass(frozen=True, eq=False)
class Block:
    """What came out at some points. ``index``: their places in the sweep; ``values``: of each variable, the points first; ``messages``: why
    a point failed, empty for one that did not."""

    index: Sequence[int]
    values: Mapping[str, Array]
    messages: Sequence[str]

    @property
    def failed(self) -> NDArray[np.bool_]:
        return np.array([bool(m) for m in self.messages])

    @classmethod
    def of(cls, sweep: Sweep, index: Sequence[int], found: Sequence[Mapping[str, Any] | str]) -> Block:
        """From the values at each point, or why there are none."""
        values = {
            name: np.array([np.full(inner, math.nan) if isinstance(f, str) else f[name] for f in found], dtype=float).reshape(len(index), *inner)
            for name, inner in sweep.inner.items()
        }
        return cls(index, values, [f if isinstance(f, str) else "" for f in found])


class Store:
    """The arrays of one sweep. ``folder``: a Zarr folder to keep them in; in memory if not given."""

    def __init__(self, sweep: Sweep, folder: Path | None = None, *, resume: bool = False) -> None:
        self.sweep, self.folder = sweep, folder
        self.arrays: dict[str, Any] = {}
        if folder is None:
            for name, inner in sweep.inner.items():
                self.arrays[name] = np.full((*sweep.shape, *inner), math.nan)
            self.arrays["status"] = np.full(sweep.shape, WAITING, dtype=np.int8)
            self.arrays["message"] = np.full(sweep.shape, "", dtype=object)
        elif folder.exists():
            self._take_up(folder, resume)
        else:
            self._create(folder)
        self.status: NDArray[np.int8] = np.array(self.arrays["status"][...])

    def _create(self, folder: Path) -> None:
        import zarr

        fresh = folder.with_name(f"{folder.name}.new")  # moved into place as a whole: what lies under the name can be gone on with
        try:
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.parent.mkdir(parents=True, exist_ok=True)
            group = zarr.open_group(fresh, mode="w", attributes={"sweep": self.sweep.digest})
            dims = self.sweep.dims
            settings: dict[str, Any] = {"shape": self.sweep.shape, "chunks": self.sweep.tile}
            for name, inner in self.sweep.inner.items():
                unit, text = self.sweep.variables[name]
                group.create_array(
                    name, shape=(*self.sweep.shape, *inner), chunks=(*self.sweep.tile, *inner), dtype="f8", fill_value=math.nan,
                    dimension_names=dims + self.sweep.inner_dims[name], attributes={"units": unit, "long_name": text},
                )
            group.create_array("status", **settings, dtype="i1", fill_value=WAITING, dimension_names=dims, attributes=_STATUS)
            group.create_array("message", **settings, dtype=str, fill_value="", dimension_names=dims, attributes=_MESSAGE)
            fresh.rename(folder)
        except OSError as error:
            raise files.cannot_write(folder, error) from None
        self.arrays = dict(zarr.open_group(folder, mode="r+").arrays())

    def _take_up(self, folder: Path, resume: bool) -> None:
        import zarr

        if not resume:
            raise ExperimentError(f"{folder} holds an unfinished sweep; go on with --resume, or delete it to start afresh")
        try:
            group = zarr.open_group(folder, mode="r+")
            whose, self.arrays = group.attrs.get("sweep"), dict(group.arrays())
        except (OSError, ValueError, KeyError) as error:
            raise ExperimentError(f"{folder} is not an unfinished sweep ({error}); delete it to start afresh") from None
        if whose != self.sweep.digest:
            raise ExperimentError(f"{folder} is of another sweep; take another --out, or delete it to start afresh")

    def todo(self) -> list[range]:
        """Blocks that are not finished."""
        flat = self.status.ravel()
        return [b for b in self.sweep.blocks if (flat[b.start : b.stop] == WAITING).any()]

    @property
    def finished(self) -> int:
        return int((self.status != WAITING).sum())

    def write(self, block: Block) -> None:
        """One whole block, on disk before this returns. Raises FileError."""
        first, last = (np.unravel_index(i, self.sweep.shape) for i in (block.index[0], block.index[-1]))
        place = tuple(slice(int(a), int(b) + 1) for a, b in zip(first, last, strict=True))
        shape = tuple(s.stop - s.start for s in place)
        status = np.where(block.failed, FAILED, DONE).astype(np.int8).reshape(shape)
        try:
            for name, values in block.values.items():
                self.arrays[name][place] = values.reshape(*shape, *values.shape[1:])
            if block.failed.any():
                self.arrays["message"][place] = np.array(block.messages, dtype=object).reshape(shape)
            self.arrays["status"][place] = status
        except OSError as error:
            raise files.cannot_write(self.folder or Path("the result"), error) from None
        self.status[place] = status

    def at(self, index: Sequence[int]) -> dict[str, Array]:
        """Values of every variable at some points."""
        out = {}
        for name in self.sweep.inner:
            places = np.unravel_index(np.asarray(index, dtype=np.intp), self.sweep.shape)
            out[name] = np.array([self.arrays[name][tuple(map(int, place))] for place in zip(*places, strict=True)], dtype=float)
        return out

    # ---- the result

    def dataset(self, attributes: Mapping[str, Any]) -> xr.Dataset:
        """The result in memory."""
        import xarray as xr

        sweep = self.sweep
        variables: dict[str, Any] = {
            name: (sweep.dims + sweep.inner_dims[name], np.asarray(self.arrays[name][...]), {"units": unit, "long_name": text})
            for name, (unit, text) in sweep.variables.items()
        }
        variables["status"] = (sweep.dims, self.status, _STATUS)
        variables["message"] = (sweep.dims, np.asarray(self.arrays["message"][...], dtype=object), _MESSAGE)
        return xr.Dataset(variables, sweep.coordinates(), dict(attributes))

    def close(self, out: Path, attributes: Mapping[str, Any]) -> xr.Dataset:
        """The result, saved under ``out``. Raises FileError."""
        assert self.folder is not None
        if out.suffix != ".zarr":
            result = self.dataset(attributes)
            save(result, out)
            shutil.rmtree(self.folder, ignore_errors=True)
            return result
        import zarr

        try:
            group = zarr.open_group(self.folder, mode="r+")
            for name, (dim, values, described) in self.sweep.coordinates().items():
                group.create_array(name, data=np.asarray(values), dimension_names=(dim,), attributes={**described}, overwrite=True)
            group.attrs.update(attributes)
            old = out.with_name(f"{out.name}.old")
            if out.exists():
                shutil.rmtree(old, ignore_errors=True)
                out.rename(old)
            self.folder.rename(out)
            shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            raise files.cannot_write(out, error) from None
        return open_sweep(out)


def save(result: xr.Dataset, path: str | Path) -> Path:
    """Write a sweep to .nc or .csv. Raises FileError."""
    path = Path(path)
    with files.aside(path) as temporary:
        if path.suffix == ".csv":
            head = f"# {result.attrs['title']}\n# {result.attrs['provenance']}\n"
            temporary.write_text(head + result.to_dataframe().reset_index().to_csv(index=False, lineterminator="\n"), encoding="utf-8", newline="\n")
        else:
            result.to_netcdf(temporary, engine="netcdf4")
    return path


def open_sweep(path: str | Path) -> xr.Dataset:
    """A sweep from the netCDF file or Zarr folder that holds it; a folder is read as it is asked for. Raises ExperimentError."""
    import xarray as xr

    path = Path(path)
    data: xr.Dataset
    if not path.exists():
        raise ExperimentError(f"there is no file {path}")
    try:
        if path.suffix == ".zarr":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about strings in Zarr files, which other programs may not read
                data = xr.open_zarr(path, consolidated=False, chunks=None)
        else:
            with xr.open_dataset(path, engine="netcdf4") as data:
                data.load()
        json.loads(data.attrs["provenance"])["axes"]
    except (OSError, KeyError, ValueError) as error:
        raise ExperimentError(f"{path} is not a sweep of this program: {error}") from None
    return data
