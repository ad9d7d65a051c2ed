"""The module's functions that look back: the history, a call made once more, and what people write on records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fal_nb.plain import one_line
from fal_nb.workbench import current

if TYPE_CHECKING:
    from pandas import DataFrame

    from fal_nb.engine.job import Job
    from fal_nb.workbench import Workbench

__all__ = ["history", "note", "rate", "replay", "selected_frame", "tag", "untag"]

_FILTERS_SHOWN = 12


def history(
    *,
    where: Mapping[str, Any] | None = None,
    since: Any = None,
    endpoint: str | Sequence[str] | None = None,
    state: str | Sequence[str] | None = None,
    tag: str | Sequence[str] | None = None,
    words: str | Sequence[str] = (),
    limit: int | None = None,
) -> DataFrame:
    """Return every call ever made as a DataFrame, newest last; filters run in SQL.

    Columns: ``request_id endpoint state created queue_s inference_s total_s cost estimate currency prompt seed …``,
    then one for each argument that occurs in the selected rows (``arg_<name>`` where the name is ours). The index
    is the record number. In a notebook a line says why a frame is empty.

    Parameters
    ----------
    where
        Any column or argument → a value, a list of values, or a comparison: ``{"seed": 3, "rating": (">=", 4)}``;
        operators are ``< <= > >= != =``. Several comparisons in a list must all hold. An argument may be dotted.
    since
        A datetime, a date, or text like ``2026-11-21`` or ``2h``, ``3d``.
    endpoint, state
        One or several; ``*`` in an endpoint stands for anything.
    tag
        One, or several that must all be on a record.
    words
        A text, or several, that must all occur in the endpoint, the arguments, the note or the error.
    limit
        The newest so many.

    Raises
    ------
    HistoryError
        Where a filter names what no record has, with the nearest names, or cannot be understood.
    """
    filters = {
        "where": where,
        "since": since,
        "endpoint": endpoint,
        "state": state,
        "tag": tag,
        "words": (words,) if isinstance(words, str) else words,
        "limit": limit,
    }
    return selected_frame(current(), filters)


def selected_frame(bench: Workbench, filters: Mapping[str, Any]) -> DataFrame:
    """Return what `Session.frame` gives; where somebody sees it and it is empty, a line says why."""
    frame = bench.session.frame(**filters)
    if frame.empty and bench.display.rendering != "script":
        bench.line(_why_empty(bench.session.history.count(), filters))
    return frame


def _why_empty(count: int, filters: Mapping[str, Any]) -> str:
    if count == 0:
        return "There is no call in this history yet: `%fal run ENDPOINT …`, or fal.submit, makes the first one."
    names = [name for name, value in filters.items() if name != "where" and value not in (None, (), [], "")]
    names += map(str, filters.get("where") or ())
    told = one_line(", ".join(names[:_FILTERS_SHOWN]), 300) + (" …" if len(names) > _FILTERS_SHOWN else "")
    calls = "The one call in this history does not pass" if count == 1 else f"None of {count:,} calls passes"
    return f"{calls}: {told}."


def replay(job: str | int | Job | None = None, *, yes: bool = False) -> Job:
    """Make an earlier call once more and return its job: the same body, byte for byte; the new record names the old.

    Inputs whose URLs are gone are uploaded again, only those. Where the endpoint's schema has changed since, one
    line says how. The caller's own headers and webhook are not kept with a record, so they are not sent again.

    Parameters
    ----------
    job
        A job, a record's number or a request id; None is the last one.
    yes
        Send also what came from outside (a file, an import), and without a question a call that is ``UNKNOWN``,
        which may have been charged already.

    Raises
    ------
    JobError
        Where there is no such call, it cannot be made again, nobody says yes to the question, or it came from outside
        and `yes` is not said; the message then has its price.
    FileError
        Where an input is gone and its bytes are not here either.
    """
    return current().session.replay(job, yes=yes)


def tag(job: str | int | Job, *tags: str) -> tuple[str, ...]:
    """Add tags to a record and return all it has now; texts of 1 to 60 characters.

    Raises
    ------
    JobError, HistoryError
        Where there is no such job, or a tag is none.
    """
    return current().session.tag(job, *tags)


def untag(job: str | int | Job, *tags: str) -> tuple[str, ...]:
    """Take tags off a record, all of them where none is named, and return those that are left."""
    return current().session.untag(job, *tags)


def note(job: str | int | Job, text: str | None) -> None:
    """Write a note on a record in place of the one it has; None takes it off."""
    current().session.note(job, text)


def rate(job: str | int | Job, rating: int | None) -> None:
    """Rate a record from 0 to 5; None takes the rating off.

    Raises
    ------
    JobError, HistoryError
        Where there is no such job, or the rating is none.
    """
    current().session.rate(job, rating)
