"""``export_sweep``: chooses by a path's ending what a sweep is written as."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fal_nb.errors import FileError
from fal_nb.exports.progress import Progress

if TYPE_CHECKING:
    from fal_nb.sweeps.sweep import Sweep

__all__ = ["export_sweep"]

_KINDS = "x.png"


def export_sweep(
    sweep: Sweep,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    tile: int = 256,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> list[Path]:
    """Write a sweep and return the files; see `Sweep.export`."""
    from fal_nb.exports.contact_sheet import write_sheet  # noqa: PLC0415 - loads Pillow

    target = Path(path).expanduser()
    progress = Progress(on_progress)
    match target.suffix.lower():
        case ".png":
            return write_sheet(sweep, target, overwrite=overwrite, progress=progress, tile=tile)
        case suffix:
            raise FileError(f"A sweep cannot be written as {suffix[:20] or str(path)[:60]!r}: {_KINDS}.")
