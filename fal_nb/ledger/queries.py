"""Filters of the history, turned into SQL with bound values: nothing a person types ever becomes SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fal_nb.ledger.columns import ARGUMENT_PREFIX, COLUMNS, argument_name
from fal_nb.ledger.conditions import Clause, condition, has_tag, one_of
from fal_nb.ledger.moments import Since, moment
from fal_nb.ledger.rows import to_sql

__all__ = ["ARGUMENT_PREFIX", "COLUMNS", "Selection", "Since", "argument_name", "select_sql"]

_SOURCE = "FROM records r JOIN payloads p ON p.record_id = r.id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which records, in the order they were made.

    Attributes
    ----------
    where
        Column or argument → value, list of values, or comparison: ``(">=", 4)``, or a list of such that must all
        hold; the operators are ``< <= > >= != =``. None stands for "has none", ``tags`` for "has this tag".
        An argument may be dotted (``image_size.width``), and written ``arg_…`` where its name is a column's.
    endpoint, state
        One or several; ``*`` in an endpoint stands for anything.
    tags
        All of them must be on a record.
    words
        Texts that must all occur in the endpoint, the arguments, the note or the error, in any case.
    limit
        The newest so many.
    """

    where: Mapping[str, Any] = field(default_factory=dict)
    since: Since | None = None
    endpoint: str | Sequence[str] | None = None
    state: str | Sequence[str] | None = None
    owner: str | None = None
    tags: Sequence[str] = ()
    words: Sequence[str] = ()
    limit: int | None = None


def select_sql(columns: Sequence[str], selection: Selection, *, now: float) -> tuple[str, list[Any]]:
    """Return (SQL, values) that give the selected records' columns, the newest last.

    Parameters
    ----------
    columns
        Keys of `COLUMNS`, or payload columns as ``p.<name>``.
    now
        Unix time that lengths of time are counted back from.

    Raises
    ------
    HistoryError
        Where a filter cannot be understood.
    """
    clauses, values = _clauses(selection, now)
    names = ", ".join(COLUMNS.get(name, name) for name in columns)
    sql = f"SELECT {names} {_SOURCE}"
    if clauses:
        sql += " WHERE " + " AND ".join(clauses)
    if selection.limit is None:
        return f"{sql} ORDER BY r.id", values
    newest = f"SELECT r.id {_SOURCE}" + (" WHERE " + " AND ".join(clauses) if clauses else "")
    sql = f"SELECT {names} {_SOURCE} WHERE r.id IN ({newest} ORDER BY r.id DESC LIMIT ?) ORDER BY r.id"
    return sql, [*values, max(selection.limit, 0)]


def _clauses(selection: Selection, now: float) -> tuple[list[str], list[Any]]:
    parts = [condition(name, value, now) for name, value in selection.where.items()]
    if selection.since is not None:
        parts.append(("r.created >= ?", [moment(selection.since, now)]))
    if selection.endpoint is not None:
        parts.append(_endpoint(selection.endpoint))
    if selection.state is not None:
        states = [selection.state] if isinstance(selection.state, str) else selection.state
        parts.append(one_of("r.state", [state.upper() for state in states]))
    if selection.owner is not None:
        parts.append(("r.owner = ?", [selection.owner]))
    parts += [has_tag(tag) for tag in selection.tags]
    parts += [_word(word) for word in selection.words]
    return [clause for clause, _ in parts], [value for _, values in parts for value in values]


def _word(word: str) -> Clause:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    places = ("r.endpoint", "p.arguments", "r.note", "r.error")
    clause = " OR ".join(f"{place} LIKE ? ESCAPE '\\'" for place in places)
    return f"({clause})", [to_sql("word", f"%{escaped}%")] * len(places)


def _endpoint(endpoint: str | Sequence[str]) -> Clause:
    patterns = [str(to_sql("endpoint", name)) for name in ([endpoint] if isinstance(endpoint, str) else endpoint)]
    plain = [pattern for pattern in patterns if "*" not in pattern]
    globs = [pattern.replace("[", "[[]").replace("?", "[?]") for pattern in patterns if "*" in pattern]
    clauses = [one_of("r.endpoint", plain)[0]] if plain or not globs else []
    clauses += ["r.endpoint GLOB ?"] * len(globs)
    return f"({' OR '.join(clauses)})", [*plain, *globs]
