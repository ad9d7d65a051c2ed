"""An export from a cell: a line tells how far it is, and then what was written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from fal_nb.magics.failure import MagicStopped

if TYPE_CHECKING:
    from pathlib import Path

    from fal_nb.workbench import Workbench

__all__ = ["Tell", "write_and_tell"]

Tell: TypeAlias = Callable[[int, int, str], None]
"""Is told done, total and what is counted."""


def write_and_tell(bench: Workbench, write: Callable[[Tell], list[Path]]) -> None:
    """Write, with a line of progress; an interrupt leaves whole files only.

    Raises
    ------
    MagicStopped
        Where it was interrupted.
    FileError
        As what writes.
    """
    with _ExportLine(bench) as line:
        try:
            paths = write(line.tell)
        except KeyboardInterrupt as error:
            raise MagicStopped("Stopped: what was being written is gone, files that are there are whole.") from error
    more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
    bench.line(f"written: {paths[0]}{more}")


class _ExportLine:
    """How far an export is: the last line of a terminal, or an output of the cell that is updated in place."""

    def __init__(self, bench: Workbench) -> None:
        from fal_nb.views.progress_line import ProgressLine  # noqa: PLC0415 - loaded with the first export

        out = bench.display.progress_output
        self._line = None if out is None else ProgressLine(out)
        self._is_notebook = out is None and bench.display.rendering in {"live", "widget"}
        self._handle: Any = None

    def tell(self, done: int, total: int, what: str) -> None:
        words = f"writing {done:,} of {total:,} {what}"
        if self._line is not None:
            self._line.draw(words)
        elif self._is_notebook:
            self._show(words)

    def _show(self, words: str) -> None:
        from IPython.display import display  # noqa: PLC0415 - only inside IPython

        shown = {"text/plain": words}
        if self._handle is None:
            self._handle = display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._line is not None:
            self._line.clear()
