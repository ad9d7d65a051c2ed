"""``Exporting``: the part of a sweep that is about files: contact sheets, tables, folders, boards without a kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from fal_nb.sweeps.sweep import Sweep

__all__ = ["Exporting"]


class Exporting:
    """Mixed into `Sweep`."""

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        tile: int = 256,
        max_mb: float = 64.0,
        on_progress: Callable[[int, int, str], None] | None = None,
        on_note: Callable[[str], None] | None = None,
    ) -> list[Path]:
        """Write the sweep as it is now and return the files; blocks, and an interrupt leaves nothing half written.

        Parameters
        ----------
        path
            Its ending says what is written: ``.png`` a contact sheet, on as many pages as it needs; ``.html`` the live
            board in one file that needs neither kernel nor network; ``.csv``, ``.json``, ``.jsonl`` or ``.parquet`` a
            row for each cell with its axes, arguments, cost, scores, file. A folder (``out/``, or no ending) gets
            every output under a name from its axes, ``manifest.json`` and ``manifest.csv``; exported again it goes on
            where it stopped.
        overwrite
            Whether files that are there already may be replaced; what an earlier export of the same sweep wrote into
            a folder may be in any case.
        tile
            Side of a contact sheet's tiles in pixels, 64 to 1024.
        max_mb
            Most megabytes of a board; originals that do not fit are left out, their small pictures are in it.
        on_progress
            Called with done, total and what is counted, at most four times a second, on this thread.
        on_note
            Called with a line before a board is written where originals are left out; by default it is shown.

        Raises
        ------
        FileError
            Where a file is there already or cannot be written, or the ending is none of these.
        """
        from fal_nb.exports.of_sweep import export_sweep  # noqa: PLC0415 - loaded with the first export

        return export_sweep(
            cast("Sweep", self),
            path,
            overwrite=overwrite,
            tile=tile,
            max_mb=max_mb,
            on_progress=on_progress,
            on_note=on_note,
        )
