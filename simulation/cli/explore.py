"""cramplab explore: the live explorer on a page of its own."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from simulation.cli import output
from simulation.cli.errors import WrongUse
from simulation.cli.options import Json

_PAGE = Path(__file__).resolve().parent.parent / "classroom" / "page"
_HOST = "localhost"
_FIRST_PORT, _LAST_PORT = 8866, 8885
_NEEDED = ("voila", "anywidget", "ipykernel")


def register(app: typer.Typer) -> None:
    app.command("explore")(explore)


def explore(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The membrane to begin with: fibre, axon, muscle, squid ...")] = "fibre",
    port: Annotated[
        int | None, typer.Option("--port", metavar="N", help="Port of the page; without it the first free one from 8866.", min=1, max=65535)
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    json: Json = False,
) -> None:
    """Try the model out in the browser, with sliders.

    The page computes on this computer and is seen from this computer only. Sliders for the bath, conductances and the
    stimulus carry their normal range; the control stays in grey behind; runs are kept, overlaid and exported as a figure
    or as the command line that computes them. Ctrl-C ends it. In a notebook: from simulation.classroom.widget import Explorer

    \b
    Examples:
      cramplab explore
      cramplab explore axon --port 9000
      cramplab explore muscle --no-browser"""
    from simulation.classroom.explorer import subject

    subject(model)
    chosen = _free(port)
    lacking = [name for name in _NEEDED if not _is_there(name)]
    if lacking:
        raise WrongUse(f"the explorer needs {' and '.join(lacking)}: python -m pip install \"cramplab[notebooks]\"")
    _serve(model, chosen, not no_browser, json)


def _is_there(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


def _free(port: int | None) -> int:
    """The port that was asked for, or the first free one. Raises WrongUse."""
    for candidate in [port] if port is not None else range(_FIRST_PORT, _LAST_PORT + 1):
        with socket.socket() as trial:
            if os.name == "posix":  # as the server will: a port that was let go a moment ago is free; on Windows this would take one that is not
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((_HOST, candidate))
            except OSError:
                continue
            return candidate
    if port is not None:
        raise WrongUse(f"port {port} is taken or not allowed; take another, or leave --port out")
    raise WrongUse(f"the ports {_FIRST_PORT} to {_LAST_PORT} are all taken; say which one to use with --port N")


def _serve(model: str, port: int, browser: bool, json: bool) -> None:
    """Runs voila until Ctrl-C."""
    # What voila and its kernel read when they start: our template, a kernel of this very Python, and the membrane.
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(_PAGE), os.environ.get("JUPYTER_PATH")]))
    os.environ["CRAMPLAB_EXPLORE"] = model
    import logging

    import tornado.ioloop
    from voila.app import Voila

    logging.getLogger("tornado").setLevel(logging.ERROR)

    address = f"http://{_HOST}:{port}/"
    server: Any = Voila.instance()
    server.initialize([
        str(_PAGE / "cramplab.ipynb"), f"--port={port}", "--Voila.port_retries=0", f"--Voila.ip={_HOST}", "--no-browser", "--template=cramplab",
        "--Voila.log_level=ERROR",
    ])
    tornado.ioloop.IOLoop.current().add_callback(_say, model, address, browser, json)
    tornado.ioloop.PeriodicCallback(lambda: None, 500).start()  # on Windows a loop that waits does not hear Ctrl-C
    server.start()
    if not json:
        output.say("", "The explorer has ended.")


def _say(model: str, address: str, browser: bool, json: bool) -> None:
    if json:
        output.as_json({"model": model, "address": address})
    else:
        output.say(f"The explorer is at {address}", "Ctrl-C ends it.")
    sys.stdout.flush()
    if browser:
        import webbrowser

        webbrowser.open(address)
