"""What can be wrong with a zip."""

from __future__ import annotations

import lzma
import zipfile
import zlib

DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,  # of a compression that is not known
    EOFError,
    RuntimeError,
    OSError,
    ValueError,
)
"""What zipfile raises for one that is damaged or packed in an odd way."""

MOST_SAID = 160  # letters


def damage(wrong: BaseException) -> str:
    """What a library says of a damaged file, in one short line: zipfile may quote the whole file."""
    says = " ".join("".join(each if each.isprintable() else " " for each in str(wrong)).split())
    return says if len(says) <= MOST_SAID else says[: MOST_SAID - 1] + "…"
