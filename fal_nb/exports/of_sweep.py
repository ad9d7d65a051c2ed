"""``export_sweep``: chooses by a path's ending what a sweep is written as."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fal_nb.errors import FileError
from fal_nb.exports.files import Staged
from fal_nb.exports.progress import Progress
from fal_nb.exports.tables import TABLES, write_table
from fal_nb.plain import one_line

if TYPE_CHECKING:
    from fal_nb.sweeps.sweep import Sweep

__all__ = ["export_sweep"]

_KINDS = "x.png (contact sheet), x.html (board), x.csv, x.json, x.jsonl or x.parquet (table), folder/ (every output)"
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,12}\Z")


def export_sweep(
    sweep: Sweep,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    tile: int = 256,
    max_mb: float = 64.0,
    on_progress: Callable[[int, int, str], None] | None = None,
    on_note: Callable[[str], None] | None = None,
) -> list[Path]:
    """Write a sweep and return the files; see `Sweep.export`."""
    target = Path(path).expanduser()
    suffix = "" if _is_folder(path, target) else target.suffix.lower()
    progress = Progress(on_progress)
    if suffix == ".png":
        from fal_nb.exports.contact_sheet import write_sheet  # noqa: PLC0415 - loads Pillow

        return write_sheet(sweep, target, overwrite=overwrite, progress=progress, tile=tile)
    if suffix in {".html", ".htm"}:
        from fal_nb.exports.page import write_page  # noqa: PLC0415 - beside its only use

        say = on_note or sweep.session.notify
        return write_page(sweep, target, overwrite=overwrite, progress=progress, on_note=say, max_mb=max_mb)
    if suffix in TABLES:
        return _write_rows(sweep, target, suffix, progress, overwrite=overwrite)
    if not suffix:
        from fal_nb.exports.folder import write_folder  # noqa: PLC0415 - beside its only use

        return write_folder(sweep, target, overwrite=overwrite, progress=progress)
    raise FileError(f"{one_line(str(path), 80)!r} has no ending that says what to write: {_KINDS}.")


def _is_folder(path: str | os.PathLike[str], target: Path) -> bool:
    return os.fspath(path).endswith(("/", os.sep)) or target.is_dir() or not _EXTENSION.search(target.name)


def _write_rows(sweep: Sweep, target: Path, suffix: str, progress: Progress, *, overwrite: bool) -> list[Path]:
    from fal_nb.exports.rows import sweep_rows  # noqa: PLC0415 - beside its only use

    with Staged(overwrite=overwrite) as staged:
        temp_path = staged.path_for(target)
        progress.begin(1, "table")
        write_table(sweep_rows(sweep), temp_path, suffix)
        progress.step()
    return [target]
