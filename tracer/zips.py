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
