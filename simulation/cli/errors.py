"""From exceptions to a sentence and an exit code."""

from __future__ import annotations

import errno
import os
from typing import Any

MODEL_SAYS_NO, WRONG_USE, SPOILT, STOPPED = 1, 2, 70, 130

# By name, because some of these classes live in modules that take long to load.
_CODES = {
    "ModelSaysNo": MODEL_SAYS_NO,
    "ModelError": WRONG_USE,
    "ParameterError": WRONG_USE,
    "ClassroomError": WRONG_USE,
    "ExperimentError": WRONG_USE,
    "FigureError": WRONG_USE,
    "FileError": WRONG_USE,
    "WrongUse": WRONG_USE,
}


class WrongUse(ValueError):
    """A command that was asked for wrongly: what, where, and the nearest right thing."""


class Stopped(Exception):
    """The user pressed Ctrl-C. The message says what is kept."""


def in_debug_mode() -> bool:
    return os.environ.get("CRAMPLAB_DEBUG", "") not in ("", "0")


def explain(error: BaseException) -> tuple[str, int]:
    """What to tell the user, and the exit code."""
    for cls in type(error).__mro__:
        if cls.__name__ in _CODES:
            return str(error), _CODES[cls.__name__]
    if isinstance(error, Stopped | KeyboardInterrupt) or type(error).__name__ == "Abort":
        return str(error) or "stopped by Ctrl-C; nothing new was saved.", STOPPED
    if hasattr(error, "format_message"):
        return _usage(error), WRONG_USE
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or error
        return f"cannot read or write{where or ' the output'}: {reason}", WRONG_USE
    if isinstance(error, MemoryError):
        return "there is not enough memory for this; ask for fewer points or a shorter run.", MODEL_SAYS_NO
    more = "" if in_debug_mode() else " To see where it happened, set CRAMPLAB_DEBUG=1 and repeat it."
    return f"this is a mistake in cramplab itself ({type(error).__name__}: {error}). Please report it with the command that you typed.{more}", SPOILT


def _usage(error: Any) -> str:
    """A sentence for what Typer found wrong with the arguments."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "cramplab"
    message = error.format_message().strip()
    if "\n" in message:  # the help of a group of commands that was called without one
        return str(message)
    if "unexpected extra argument" in message and "=" in message:
        message = f"{message.rstrip('.')}; in PowerShell a list needs quotes: --bath \"K=2.5,Ca=0.6\""
    return f"{message if message.endswith('?') else message.rstrip('.') + '.'} Help: {command} --help"
