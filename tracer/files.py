"""Files: names that they may have everywhere, written so that nothing is half-written, opened only if they are some."""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from tracer.errors import ExportError

# Windows takes them for devices in any folder, in any case and with any ending: aux.toml, Com1.worksheet.html.
_RESERVED = re.compile(r"^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(?=\.|$)", re.IGNORECASE)

_UNSAFE = re.compile(r'[<>:"/\\|?*]|[^\w .,;()&+=@#%!{}\[\]~^$\'–—-]')
LONGEST_NAME = 100  # characters


def safe_name(text: str) -> str:
    """A name that every file system takes; "answers" where nothing is left of it."""
    plain = _UNSAFE.sub("_", unicodedata.normalize("NFC", text)).strip(". ")[:LONGEST_NAME]
    return unreserved(plain) or "answers"


def unreserved(name: str) -> str:
    """A file's name, or the beginning of one, with "_" added where Windows reserves it.

    >>> unreserved("con.worksheet"), unreserved("NUL"), unreserved("contour")
    ('con_.worksheet', 'NUL_', 'contour')
    """
    return _RESERVED.sub(lambda found: f"{found[0]}_", name)


def open_regular(path: Path) -> IO[bytes]:
    """Open a regular file to read. Raises OSError for anything else: a pipe would hang, a device never end."""
    opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise OSError(errno.EINVAL, "this is no regular file", str(path))
        return os.fdopen(opened, "rb")
    except BaseException:
        os.close(opened)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, as `replace_file` writes."""
    replace_file(path, lambda file: file.write(text.encode()))


def replace_file(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file beside `path` and move it there when it is whole; what a link leads to is replaced, not the link.

    Raises ExportError where that fails; what stood at `path` is then untouched.
    """
    temporary: Path | None = None
    try:
        path = Path(os.path.realpath(path)) if path.is_symlink() else path
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ExportError(f"{path}: cannot be written: it is a device or a pipe, no file")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            above = next(each for each in path.parents if each.exists())
            raise ExportError(f"{path}: cannot be written: {above} is no folder") from None
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            write(file)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException as wrong:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()
        if isinstance(wrong, OSError):
            raise ExportError(f"{path}: cannot be written: {wrong.strerror or wrong}") from None
        raise
