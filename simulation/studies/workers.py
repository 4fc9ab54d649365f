"""Who does the blocks of a sweep: this process, several on this machine, or the workers of a dask cluster, on as many machines as there are.

A block comes out bit for bit the same wherever it is done, on processors of one kind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from simulation import models
from simulation.assembly.compile import Kernel, compile_model
from simulation.experiment.errors import ExperimentError
from simulation.experiment.preparation import Preparation
from simulation.studies import side_by_side
from simulation.studies.store import Block

if TYPE_CHECKING:
    from simulation.studies.sweep import Sweep

Task = TypeVar("Task")
Result = TypeVar("Result")
Index = Sequence[int]
Known = Mapping[str, float]
Blocks = Generator[Block, None, None]
_WAIT = "20s"  # for a scheduler to answer
_AHEAD = 4  # blocks that wait at each thread of a cluster: enough that none is idle, and few enough to hold


def done(
    sweep: Sweep, todo: Sequence[Index], jobs: int | None, cluster: str | None = None, *, known: Callable[[Index], Known] = lambda index: {}
) -> Blocks:
    """Blocks as they are finished. ``jobs``: processes, or threads of the sweep engine; all cores if not given. ``cluster``: address of a
    dask scheduler, or 'local' for one of its own. ``known``: thresholds of a block that are only to be confirmed. Raises ExperimentError."""
    if cluster is not None:
        return _on_cluster((_recipe(sweep, index, known(index)) for index in todo), jobs, cluster)
    if side_by_side.suits(sweep):
        return (side_by_side.measured(sweep, index, jobs) for index in todo)
    jobs = min(jobs or os.cpu_count() or 1, max(1, len(todo)))
    if jobs == 1:
        return (_one_by_one(sweep, index, known(index)) for index in todo)
    return in_processes(_elsewhere, (_recipe(sweep, index, known(index)) for index in todo), jobs)


def _one_by_one(sweep: Sweep, index: Index, known: Known) -> Block:
    from simulation.studies.sweep import measure_points

    return Block.of(sweep, index, measure_points(sweep, index, known))


# ---- other processes

def _recipe(sweep: Sweep, index: Index, known: Known) -> dict[str, Any]:
    """A block as another process can be told of it: compiled functions do not travel, and of the axes only its own values."""
    p = sweep.preparation
    return {
        "model": p.bound.name,
        "kernel": p.kernel.kind,
        "digest": p.kernel.emitted.digest,
        "preparation": (p.parameters, p.bath, p.mode, p.frozen),
        "index": index,
        "known": dict(known),
        "kind": type(sweep),
        "sweep": sweep.part(index),
    }


@cache
def _kernel(model: str, kind: str) -> Kernel:
    """Compiled functions, read once by each process."""
    return compile_model(models.bound(model), kind)


def _elsewhere(recipe: Mapping[str, Any]) -> Block:
    """One block, in a process that was told of it. Raises ExperimentError if it has other equations."""
    kernel = _kernel(recipe["model"], recipe["kernel"])
    if kernel.emitted.digest != recipe["digest"]:
        raise ExperimentError(f"a worker has another version of cramplab: its equations of {recipe['model']} are not those of this process")
    sweep: Sweep = recipe["kind"](Preparation(kernel, *recipe["preparation"]), **recipe["sweep"])
    points = range(sweep.count)
    block = side_by_side.measured(sweep, points, 1) if side_by_side.suits(sweep) else _one_by_one(sweep, points, recipe["known"])
    return replace(block, index=recipe["index"])


def in_processes(do: Callable[[Task], Result], tasks: Iterable[Task], jobs: int) -> Generator[Result, None, None]:
    """What ``do`` makes of each task, as they are finished, in processes that do not hear Ctrl-C. Closed before the end, it throws away the rest."""
    from joblib import Parallel, delayed

    with _deaf_to_interrupts():
        finished = Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(do)(task) for task in tasks)
    try:
        yield from finished
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib regrets the blocks that a stopped sweep throws away
            finished.close()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes that are begun inside inherit that they do not hear Ctrl-C: their parent ends them, and none prints a traceback."""
    if sys.platform == "win32":
        import ctypes

        handle = ctypes.windll.kernel32.SetConsoleCtrlHandler
        handle(None, True)
        try:
            yield
        finally:
            handle(None, False)
    elif threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before or signal.SIG_DFL)
    else:
        yield


# ---- other machines

def _dask() -> Any:
    """dask.distributed. Raises ExperimentError if it is not installed."""
    try:
        import distributed
    except ImportError:
        raise ExperimentError("a cluster needs dask.distributed: pip install 'cramplab[cluster]'") from None
    return distributed


def _on_cluster(recipes: Iterator[Mapping[str, Any]], jobs: int | None, address: str) -> Blocks:
    with _client(address, jobs) as client:
        running, count = _dask().as_completed(loop=client.loop), 0
        while True:
            # Workers come and go: as many blocks as those that are there can be kept busy with.
            for recipe in islice(recipes, max(0, _AHEAD * max(1, sum(client.nthreads().values())) - count)):
                running.add(client.submit(_elsewhere, recipe, pure=False))
                count += 1
            if count == 0:
                return
            yield next(running).result()
            count -= 1


@contextmanager
def _client(address: str, jobs: int | None) -> Iterator[Any]:
    """A client of the scheduler at an address, or of one of its own; both are closed afterwards. Raises ExperimentError."""
    dask = _dask()
    with ExitStack() as stack:
        if address == "local":
            with _deaf_to_interrupts():
                cluster = dask.LocalCluster(n_workers=jobs or os.cpu_count() or 1, threads_per_worker=1, dashboard_address=None)
                address = stack.enter_context(cluster).scheduler_address
        try:
            client = stack.enter_context(dask.Client(address, timeout=_WAIT, set_as_default=False))
        except (OSError, ValueError, TimeoutError) as error:
            why = str(error) or "no answer"
            raise ExperimentError(f"the cluster at {address} cannot be used: {why}; it is written as tcp://HOST:8786, or local") from None
        yield client
