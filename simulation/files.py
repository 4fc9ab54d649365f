"""Files that are never half written: each is made aside and moved into place."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EACCES: "writing there is not allowed",
    errno.EPERM: "writing there is not allowed",
    errno.EROFS: "the folder is read-only",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EISDIR: "a folder has that name",
}


class FileError(OSError):
    """A file that cannot be written or read, with the reason in a sentence."""


def cannot_write(path: Path, error: Exception) -> FileError:
    """The error to raise where writing failed, with the reason in words."""
    number, text = getattr(error, "errno", 0), getattr(error, "strerror", "")
    return FileError(f"cannot write {path}: {_REASONS.get(number or 0, text or str(error))}")


@contextmanager
def aside(path: str | Path) -> Iterator[Path]:
    """A path beside ``path`` to write to; moved to ``path`` if the block ends well, removed if not.

    Raises FileError that says why it could not be written."""
    path = Path(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o644)
        os.replace(temporary, path)
    except FileError:
        raise
    except (OSError, RuntimeError) as error:  # netCDF says RuntimeError where the disk is full
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Holds a lock file beside ``path``, which the system lets go of even if this process is killed.

    Raises FileError if another process holds it."""
    place = path.with_name(f"{path.name}.lock")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        file = place.open("a+b")
    except OSError as error:
        raise cannot_write(place, error) from None
    with file:
        try:
            _hold(file.fileno())
            if not os.path.samestat(os.fstat(file.fileno()), place.stat()):  # the one before us has just removed it
                raise BlockingIOError
        except OSError:
            raise FileError(f"another process is writing {path}; wait for it, or take another name") from None
        try:
            yield
        finally:
            if sys.platform != "win32":  # there an open file cannot be removed
                place.unlink(missing_ok=True)


def _hold(handle: int) -> None:
    """An exclusive lock, or OSError at once."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_text(path: str | Path, text: str) -> Path:
    """Write a text file as a whole. Raises FileError."""
    with aside(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return Path(path)
