"""What the ending of a path says is to be written of calls and of outputs."""

from __future__ import annotations

import os
from pathlib import Path

from fal_nb.errors import FileError
from fal_nb.exports.tables import TABLES
from fal_nb.plain import one_line

__all__ = ["PAGES", "target_of"]

PAGES = frozenset({".html", ".htm"})
_KINDS = "x.html (gallery), x.csv, x.json, x.jsonl or x.parquet (table)"


def target_of(path: str | os.PathLike[str]) -> tuple[Path, str]:
    """Return where to write, and the ending in small letters.

    Raises
    ------
    FileError
        Where it says nothing that is written.
    """
    target = Path(path).expanduser()
    suffix = target.suffix.lower()
    if suffix not in TABLES and suffix not in PAGES:
        raise FileError(f"{one_line(os.fspath(path), 80)!r} has no ending that says what to write: {_KINDS}.")
    return target, suffix
