"""``export_gallery``: chooses by a path's ending what a gallery is written as: a page, or a table of its calls."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fal_nb.exports.endings import PAGES, target_of
from fal_nb.exports.of_frame import export_frame
from fal_nb.exports.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

    from fal_nb.views.gallery_look import GalleryOutputs, Query

__all__ = ["MOST_MB", "GallerySource", "export_gallery"]

MOST_MB = 64.0


@dataclass(frozen=True, kw_only=True)
class GallerySource:
    """What of a gallery is written.

    Attributes
    ----------
    order
        Places of the outputs that pass its filters, as it shows them; what is hidden is not among them.
    frame_of
        Returns the DataFrame of some records.
    table
        The frame whose rows go into the page as its table; None for that of the calls.
    """

    outputs: GalleryOutputs
    order: Sequence[int]
    query: Query
    frame_of: Callable[[Sequence[int]], pd.DataFrame]
    blob_path: Callable[[str], Path]
    table: pd.DataFrame | None = None

    def calls(self) -> pd.DataFrame:
        """Return a row for each call, in the order of the gallery."""
        records = list(dict.fromkeys(self.outputs.records[place] for place in self.order))
        frame = self.frame_of(records)
        here = set(frame.index)
        return frame.loc[[record for record in records if record in here]]


def export_gallery(
    source: GallerySource,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    max_mb: float = MOST_MB,
    on_progress: Callable[[int, int, str], None] | None = None,
    on_note: Callable[[str], None],
) -> list[Path]:
    """Write a gallery and return the files; see `GalleryView.export`."""
    target, suffix = target_of(path)
    if suffix not in PAGES:
        return export_frame(source.calls(), target, suffix, overwrite=overwrite, on_progress=on_progress)
    from fal_nb.exports.gallery_page import write_gallery  # noqa: PLC0415 - beside its only use

    progress = Progress(on_progress)
    return write_gallery(source, target, overwrite=overwrite, progress=progress, on_note=on_note, max_mb=max_mb)
