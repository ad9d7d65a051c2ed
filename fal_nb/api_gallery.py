"""The module's function that shows outputs, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fal_nb.errors import HistoryError
from fal_nb.workbench import current

if TYPE_CHECKING:
    from fal_nb.views.gallery import GalleryView

__all__ = ["gallery"]


def gallery(
    source: Any = None,
    *,
    where: Mapping[str, Any] | None = None,
    since: Any = None,
    endpoint: str | Sequence[str] | None = None,
    state: str | Sequence[str] | None = None,
    tag: str | Sequence[str] | None = None,
    words: str | Sequence[str] = (),
    limit: int | None = None,
) -> GalleryView:
    """Show outputs in the cell and return the gallery: search, filter, sort, rate, tag, compare, select.

    ``gallery.selected`` is the DataFrame of what is selected there, and can be set. Which outputs it holds is settled
    when it is made.

    Parameters
    ----------
    source
        A sweep, a DataFrame with record numbers, or a list of jobs, results or record numbers; None is the history.
    where, since, endpoint, state, tag, words, limit
        As for `history`; only where no source is given.

    Raises
    ------
    HistoryError
        Where a filter cannot be understood, or the source names no records.
    """
    filters: dict[str, Any] = {
        "where": where,
        "since": since,
        "endpoint": endpoint,
        "state": state,
        "tag": tag,
        "words": (words,) if isinstance(words, str) else tuple(words),
        "limit": limit,
    }
    given = {name: value for name, value in filters.items() if value not in (None, ())}
    bench = current()
    if source is None:
        return bench.show_gallery(bench.selected_records(given) if given else None, "history")
    if given:
        raise HistoryError(
            f"Filters are for the history; a gallery of something else has them on its face: {', '.join(given)}."
        )
    return bench.show_gallery(*records_of(source))


def records_of(source: Any) -> tuple[list[int], str]:
    """Return the record numbers that a source stands for, and what it is called.

    Raises
    ------
    HistoryError
        Where it stands for none.
    """
    from fal_nb.frames.rows import record_ids  # noqa: PLC0415 - loads pandas' part only where it is wanted
    from fal_nb.sweeps.sweep import Sweep  # noqa: PLC0415

    if isinstance(source, Sweep):
        return [view.record_id for view in source if view.record_id is not None], source.name
    if hasattr(source, "columns"):
        return [number for number in record_ids(source) if number is not None], "these calls"
    each = [source] if isinstance(source, int) or hasattr(source, "record_id") else source
    if not isinstance(each, Iterable) or isinstance(each, (str, Mapping)):
        raise HistoryError(
            "A gallery shows the history, a sweep, a DataFrame, or a list of jobs, results or record numbers."
        )
    numbers: list[Any] = [getattr(one, "record_id", one) for one in each]
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers):
        raise HistoryError("A gallery's list holds jobs, results or record numbers, and this one something else.")
    return numbers, "these calls"
