"""What the scripts of all peers share: settings that answer the pieces of work, timed and scored, one JSON line each.

A script is started as a module from the project's folder (python -m benchmarks.peers.myokit) in an environment of its own. With
--serve it stays and answers requests from its input, {"work": "W1", "setting": "...", "every": 1}, a line for a line."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks import work

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
Answer = Callable[[], Any]


class Peer:
    """One program. ``name``, ``version``; settings are added by the decorator ``setting``: a function of (work, every) that gets everything
    ready, compiled code too, and gives the function that is timed."""

    def __init__(self, name: str, version: str) -> None:
        self.name, self.version = name, version
        self.settings: dict[tuple[str, str], Callable[[str, int], Answer]] = {}
        self._ready: dict[tuple[str, str, int], tuple[Answer, float]] = {}

    def setting(self, name: str, *works: str) -> Callable[[Callable[[str, int], Answer]], Callable[[str, int], Answer]]:
        def add(make: Callable[[str, int], Answer]) -> Callable[[str, int], Answer]:
            for w in works:
                self.settings[w, name] = make
            return make

        return add

    def answer(self, work_name: str, setting: str, every: int) -> dict[str, Any]:
        """One repetition, after one to warm up the first time."""
        key = (work_name, setting, every)
        if key not in self._ready:
            start = time.perf_counter()
            timed = self.settings[work_name, setting](work_name, every)
            timed()
            self._ready[key] = timed, time.perf_counter() - start
        timed, first = self._ready[key]
        start = time.perf_counter()
        result = timed()
        seconds = time.perf_counter() - start
        head = {"name": self.name, "version": self.version, "work": work_name, "setting": setting, "every": every}
        # What came before the first timed repetition, less that repetition, went into building and compiling.
        return head | {"seconds": seconds, "compile_seconds": max(0.0, first - seconds)} | work.score(work_name, result, every)

    def main(self) -> None:
        parser = argparse.ArgumentParser(description=f"The pieces of work done by {self.name}.")
        parser.add_argument("works", nargs="*", default=[], help=f"of {', '.join(work.WORKS)}; all if none is named")
        parser.add_argument("--setting", default="", help="those settings only whose name holds this")
        parser.add_argument("--every", type=int, default=1, help="take every so many points of the maps")
        parser.add_argument("--serve", action="store_true", help="answer requests from the input")
        arguments = parser.parse_args()
        out = _own_output()
        if arguments.serve:
            settings = [list(key) for key in self.settings]
            print(json.dumps({"name": self.name, "version": self.version, "settings": settings}), file=out, flush=True)
            requests: Iterable[dict[str, Any]] = (json.loads(line) for line in sys.stdin)
        else:
            requests = [
                {"work": w, "setting": s, "every": arguments.every}
                for w, s in self.settings
                if (not arguments.works or w in arguments.works) and arguments.setting in s
            ]
        for request in requests:
            try:
                line = self.answer(request["work"], request["setting"], request.get("every", 1))
            except Exception as error:  # whatever a peer raises, the others go on
                line = {"name": self.name, "version": self.version, **request, "failed": f"{type(error).__name__}: {error}"[:400]}
            print(json.dumps(line), file=out, flush=True)


def _own_output() -> Any:
    """Standard output for JSON alone: what compilers and libraries print goes to the errors."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return out


_task: Callable[[Any], Any] | None = None


def _do(item: Any) -> Any:
    assert _task is not None
    return _task(item)


def spread(task: Callable[[Any], Any], items: Sequence[Any]) -> Callable[[], list[Any]]:
    """A function that does a task for each item, in as many processes as there are cores; they are forked now and stay."""
    global _task
    _task = task
    if CORES == 1:
        return lambda: [task(x) for x in items]
    pool = multiprocessing.get_context("fork").Pool(CORES)
    return lambda: pool.map(_do, items, chunksize=max(1, len(items) // (8 * CORES)))
