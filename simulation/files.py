"""Files that are never half written: each is made aside and moved into place."""

from __future__ import annotations

import errno
import os
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


def write_text(path: str | Path, text: str) -> Path:
    """Write a text file as a whole. Raises FileError."""
    with aside(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return Path(path)
