"""``df.fal``: compare, diff, replay and look at the calls that a DataFrame lists."""

from __future__ import annotations

import importlib.util
import operator
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from fal_nb.errors import ConfigError, HistoryError
from fal_nb.frames.differences import argument_paths, differences, varying
from fal_nb.frames.pictures import pictures_html
from fal_nb.frames.pivot import How, newest_rows, numbers_of
from fal_nb.frames.rows import check_columns, record_ids
from fal_nb.plain import one_line

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import pandas as pd
    from pandas.io.formats.style import Styler

    from fal_nb.engine.job import Job
    from fal_nb.ledger.records import Record
    from fal_nb.views.board import BoardView
    from fal_nb.views.gallery import GalleryView
    from fal_nb.views.pareto import ParetoView
    from fal_nb.views.pareto_look import Better
    from fal_nb.workbench import Workbench

__all__ = ["FalAccessor"]

_MOST_AXES = 4
_MOST_PICTURES = 100
_PICTURE = "picture"
_TEXT_CHARS = 200


class FalAccessor:
    """What the calls of a frame can do; the frame needs record numbers, as `fal.history()` and `sweep.frame()` have.

    Every method belongs to the notebook's thread.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def compare(self, by: str | Sequence[str] | None = None) -> BoardView:
        """Show the calls on a board, one axis a column, and return it: cells open, compare and take ratings.

        Parameters
        ----------
        by
            Columns that become axes: rows, columns, super-rows, super-columns, then pickers; also axes that only the
            sweeps of the calls know, such as a variable inside a prompt. Without it the arguments that vary, at most
            four. Calls that agree in all of them stand apart on one more axis, ``repeat``.

        Raises
        ------
        HistoryError
            For a column that is not there, a frame without record numbers, or with none of this history's.
        """
        from fal_nb.frames.shown_records import ShownRecords  # noqa: PLC0415 - loads the views
        from fal_nb.frames.sweep_axes import with_axes  # noqa: PLC0415 - loads what sweeps are made of

        names = [by] if isinstance(by, str) else list(by) if by is not None else varying(self._frame)[:_MOST_AXES]
        bench = _bench()
        return bench.show_board(ShownRecords(bench.session, with_axes(bench.session, self._frame, names), names))

    def gallery(self) -> GalleryView:
        """Show the outputs of the calls in the cell and return the gallery, as `fal.gallery(df)` does.

        Raises
        ------
        HistoryError
            For a frame without record numbers.
        """
        from fal_nb.api_gallery import records_of  # noqa: PLC0415 - loads the views

        return _bench().show_gallery(*records_of(self._frame))

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        max_mb: float = 64.0,
        on_progress: Callable[[int, int, str], None] | None = None,
        on_note: Callable[[str], None] | None = None,
    ) -> list[Path]:
        """Write the frame as it is and return the files; blocks, and an interrupt leaves nothing half written.

        Parameters
        ----------
        path
            ``.csv``, ``.json``, ``.jsonl`` or ``.parquet``: a row for each row of the frame, its index first; any
            frame can be written so, also one without record numbers. ``.html``: the outputs of its calls as a gallery
            in one file, as `GalleryView.export` writes it, with this frame as the page's table.
        overwrite
            Whether a file that is there already may be replaced.
        max_mb, on_note
            As for `GalleryView.export`; a table is written whole.
        on_progress
            Called with done, total and what is counted, at most four times a second, on this thread.

        Raises
        ------
        FileError
            Where a file is there already or cannot be written, or the ending is none of these.
        HistoryError
            For a page of a frame without record numbers.
        """
        from fal_nb.exports.endings import PAGES, target_of  # noqa: PLC0415 - loaded with the first export
        from fal_nb.exports.of_frame import export_frame  # noqa: PLC0415

        target, suffix = target_of(path)
        if suffix not in PAGES:
            return export_frame(self._frame, target, suffix, overwrite=overwrite, on_progress=on_progress)
        view = _bench().gallery(self._numbers(), "these calls")
        return view.export(
            path, overwrite=overwrite, max_mb=max_mb, table=self._frame, on_progress=on_progress, on_note=on_note
        )

    def pivot(
        self, rows: str | Sequence[str], columns: str | Sequence[str], values: str = "picture", *, how: How = "mean"
    ) -> pd.DataFrame | Styler:
        """Return the calls laid out by columns of the frame: numbers as a frame, pictures as pandas' Styler.

        Rows and columns are in the order of a board: numbers by size, all else as it first occurs; lists and objects
        are told apart by what is in them.

        Parameters
        ----------
        rows, columns
            A column, or an axis of the sweeps of the calls; several are nested.
        values
            A column with numbers; ``picture`` is the newest output at each place, of at most 100 places.
        how
            What several calls at one place come to: ``mean``, ``median``, ``min``, ``max``, ``sum`` or ``count``.

        Raises
        ------
        ConfigError
            Where pictures are asked for and jinja2 is not installed.
        HistoryError
            For a column that is not there or has no numbers, and for pictures of more than 100 places.
        """
        from fal_nb.frames.sweep_axes import with_axes  # noqa: PLC0415 - loads what sweeps are made of

        names = [[each] if isinstance(each, str) else list(each) for each in (rows, columns)]
        frame = self._frame
        if any(name not in frame.columns for name in (*names[0], *names[1])):
            frame = with_axes(_bench().session, frame, [*names[0], *names[1]])
        if values == _PICTURE and _PICTURE not in self._frame.columns:
            return type(self)(frame)._picture_pivot(names[0], names[1])  # noqa: SLF001 - its own kind
        return numbers_of(frame, names[0], names[1], values, how)

    def diff(self, a: int | None = None, b: int | None = None) -> pd.DataFrame:
        """Return what differs between two calls, a row each: arguments by their dotted path, endpoint, cost, seconds.

        Where their arguments are equal, a line says so in a notebook, and the frame has what came of them.

        Parameters
        ----------
        a, b
            Record numbers; without them the first and the last row of the frame.

        Raises
        ------
        HistoryError
            Where there is no such record.
        """
        ours, theirs = self._record(a, 0), self._record(b, -1)
        found = differences(ours, theirs)
        bench = _bench()
        if ours.endpoint == theirs.endpoint and not argument_paths(found) and bench.display.rendering != "script":
            bench.line(_equal(ours.id, theirs.id, list(found.index)))
        return found

    def duplicates(self, bits: int = 4) -> pd.DataFrame:
        """Return the frame with three more columns: which earlier call each one's output looks like.

        ``duplicate_of`` is the number of the earliest call that looks so, ``bits`` in how many of 64 the two differ,
        ``group`` the same number for all that look alike, the earliest itself among them. They are empty where there
        is no picture: a call's first picture or film is looked at. ``found[found.duplicate_of.isna()]`` drops the
        later ones, ``found.fal.compare(by="group")`` shows them side by side.

        Perceptual hashes and mean colours of the thumbnails are compared, by the order the calls were made in. They
        are kept in the history, so that only new outputs are looked at; an interrupt keeps what was made. Blocks.

        Parameters
        ----------
        bits
            In how many bits near-duplicates may differ, 0 to 20.

        Raises
        ------
        HistoryError
            Where `bits` is none of these, or the frame has no record numbers.
        """
        from fal_nb.frames.duplicates import with_duplicates  # noqa: PLC0415 - loads what looks at pictures

        return with_duplicates(_bench().session.history, self._frame, bits)

    def pareto(
        self,
        x: str = "cost",
        y: str = "total_s",
        *,
        x_better: Better | None = None,
        y_better: Better | None = None,
    ) -> ParetoView:
        """Show the calls against two numbers, and on a line those that no other beats; return the view.

        A call is beaten where another one is as good in both numbers and better in one; equal ones stay together.
        ``view.frame`` is the frame with one more column, ``pareto``: True on the line, False behind it, missing where
        a call lacks a number, which the view says, too. ``view.best`` has the rows on the line alone. Points open,
        compare, take ratings and are selected as in a gallery.

        Parameters
        ----------
        x, y
            Columns with numbers: cost, total_s, rating, a score of a sweep, an argument.
        x_better, y_better
            Which end is the good one, ``low`` or ``high``; without it low for money and seconds, high for all else.

        Raises
        ------
        HistoryError
            For a frame without record numbers, a column that is not there or has no numbers, or where no call has both.
        """
        from fal_nb.frames.shown_pareto import show_pareto  # noqa: PLC0415 - loads the views

        return show_pareto(_bench(), self._frame, (x, y), (x_better, y_better))

    def replay(self, *, yes: bool = False) -> list[Job]:
        """Make each of these calls once more and return the jobs, in the order of the rows; each may be charged.

        Raises
        ------
        FalError
            As `fal.replay`; what was sent before goes on.
        """
        session = _bench().session
        return [session.replay(number, yes=yes) for number in self._numbers()]

    def thumbnails(self, columns: Sequence[str] | None = None) -> Styler:
        """Return the frame with a picture a row, as pandas' own Styler; needs jinja2, which Jupyter brings.

        Parameters
        ----------
        columns
            What to show beside the picture; without it endpoint, prompt, seed, cost and rating, where there.

        Raises
        ------
        ConfigError
            Where jinja2 is not installed.
        HistoryError
            For more than 100 rows: pictures are inside the output. `head(100)` shows the first.
        """
        import pandas as pd  # noqa: PLC0415 - there already, for whoever has a frame

        _require_jinja2()
        if len(self._frame) > _MOST_PICTURES:
            raise HistoryError(
                f"{len(self._frame):,} pictures would make the notebook large: take at most {_MOST_PICTURES}, "
                f"df.head({_MOST_PICTURES}).fal.thumbnails()."
            )
        usual = [name for name in ("endpoint", "prompt", "seed", "cost", "rating") if name in self._frame.columns]
        chosen = usual if columns is None else list(columns)
        check_columns(self._frame, chosen)
        shown = self._frame.loc[:, chosen].copy()
        shown.insert(0, "picture", self._pictures())
        texts = [name for name in chosen if shown[name].dtype.kind not in "iufb"]
        styler = shown.style.format(precision=4, na_rep="–", escape="html")
        styler = styler.format(_cell_text, subset=pd.Index(texts)) if texts else styler
        # Ours, and the only column that is HTML; every other one is escaped.
        styler = styler.format(str, subset=pd.Index(["picture"]))
        return styler.set_properties(subset=None, **{"text-align": "left", "vertical-align": "top"})

    def _picture_pivot(self, rows: Sequence[str], columns: Sequence[str]) -> Styler:
        _require_jinja2()
        history = _bench().session.history
        files = history.artifacts_of(self._numbers())
        fit = [any(file.thumbnail for file in files.get(number or -1, ())) for number in record_ids(self._frame)]
        places = newest_rows(self._frame, rows, columns, fit)
        newest = [int(place) for place in places.to_numpy().ravel() if place >= 0]
        if len(newest) > _MOST_PICTURES:
            raise HistoryError(
                f"{len(newest):,} pictures would make the notebook large: take columns with fewer values, at most "
                f"{_MOST_PICTURES} places."
            )
        drawn = type(self)(self._frame.iloc[newest])._pictures()  # noqa: SLF001 - its own kind
        pictures = dict(zip(newest, drawn, strict=True)) | {-1: "–"}
        # Ours, and the only thing here that is HTML; labels of rows and columns are escaped.
        styler = places.astype("object").map(pictures.__getitem__).style.format(str)
        styler = styler.format_index(_cell_text, axis=0).format_index(_cell_text, axis=1)
        return styler.set_properties(subset=None, **{"text-align": "left", "vertical-align": "top"})

    def _pictures(self) -> list[str]:
        return pictures_html(_bench().session, record_ids(self._frame))

    def _numbers(self) -> list[int]:
        return [number for number in record_ids(self._frame) if number is not None]

    def _record(self, number: int | None, at: int) -> Record:
        if number is None:
            numbers = self._numbers()
            if len(numbers) < 2:
                raise HistoryError("There are no two calls here: name them, df.fal.diff(12, 15).")
            number = numbers[at]
        try:
            return _bench().session.history.get(operator.index(number))  # an index gives numpy's own numbers
        except TypeError:
            raise HistoryError(f"A call is named by its record number, as in df.index, not {number!r:.40}.") from None


def _equal(a: int, b: int, facts: Sequence[str]) -> str:
    if a == b:
        return f"#{a} is compared with itself: name two calls, df.fal.diff(12, 15)."
    same = f"#{a} and #{b} called the same endpoint with equal arguments"
    return f"{same}; what differs is what came of it: {', '.join(facts)}." if facts else f"{same}; nothing differs."


def _require_jinja2() -> None:
    if importlib.util.find_spec("jinja2") is None:
        raise ConfigError("A table with pictures is drawn by pandas' Styler, which needs jinja2: %pip install jinja2.")


def _cell_text(value: Any) -> str:
    is_none = value is None or (isinstance(value, float) and value != value)  # noqa: PLR0124
    return "–" if is_none else escape(one_line(str(value), _TEXT_CHARS))


def _bench() -> Workbench:
    from fal_nb.workbench import current  # noqa: PLC0415 - the accessor is registered before there is a session

    return current()
