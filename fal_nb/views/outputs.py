"""Which views stand in the output of which cell, so that those a new run of the cell has cleared can be let go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fal_nb.views.view import View

__all__ = ["Outputs"]


class Outputs:
    """The views each cell has shown in its last run, as far as the front end names cells. For the cell's thread.

    Parameters
    ----------
    forget
        Called with each view that is no longer in any output.
    """

    def __init__(self, forget: Callable[[View], None]) -> None:
        self._forget = forget
        self._cells: dict[str, tuple[str, list[View]]] = {}

    def add(self, view: View, shell: Any) -> None:
        """Note that the cell that runs now shows a view; what its earlier run showed has left the page."""
        cell, run = _running(shell)
        if cell is None or run is None:
            return
        earlier, views = self._cells.get(cell, (run, []))
        if earlier != run:
            for old in views:
                self._forget(old)
            views = []
        views.append(view)
        self._cells[cell] = run, views

    def replace(self, view: View, by: View) -> None:
        """Note that another view stands where one stood; any thread."""
        for _, views in list(self._cells.values()):
            if view in views:
                views[views.index(view)] = by


def _running(shell: Any) -> tuple[str | None, str | None]:
    """Return (cell, the message that made it run), each None where the front end does not say."""
    parent = getattr(shell, "parent_header", None)
    if not isinstance(parent, Mapping):
        return None, None
    metadata, header = parent.get("metadata"), parent.get("header")
    cell = metadata.get("cellId") if isinstance(metadata, Mapping) else None
    run = header.get("msg_id") if isinstance(header, Mapping) else None
    return (str(cell) if cell else None), (str(run) if run else None)
